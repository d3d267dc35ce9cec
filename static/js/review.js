/* The review page: posts an answer, puts the next pair in place of the last one, keeps focus,
   says aloud what happened and offers Undo for ten seconds. Keys click buttons (keyboard.js).
   Without it the same forms post and the page comes back. */
const TOAST_SECONDS = 10;
const live = document.querySelector("[data-live]");
const toasts = document.querySelector("[data-toasts]");
const keys = document.querySelector("[data-keys]");
const desk = () => document.querySelector("[data-desk]");
let isBusy = false;
let shownAt = performance.now();
let toastTimer;

/* What a steward opened stays open from pair to pair, until she closes the browser. */
const remember = (name, value) => sessionStorage.setItem(`review-${name}`, value ? "1" : "");
const remembered = (name) => sessionStorage.getItem(`review-${name}`) === "1";

const fold = (isOpen) => {
  desk().toggleAttribute("data-folded", !isOpen);
  desk().querySelector("[data-fold]")?.setAttribute("aria-pressed", isOpen);
};

/* The menu counts what is left, as the page does. */
const count = () => {
  const badge = document.querySelector(`#nav-sidebar-apps a[href="${desk().dataset.address}"] > span:nth-child(3)`);
  if (badge) badge.textContent = Number(desk().dataset.open).toLocaleString(document.documentElement.lang);
};

const settle = () => {
  shownAt = performance.now();
  count();
  fold(remembered("open") || !desk().hasAttribute("data-folded")); // Open where all lines are equal.
  const score = desk().querySelector("[data-score]");
  if (score) score.open = remembered("score");
  const part = desk().querySelector("[data-part]");
  if (part && remembered("part")) {
    part.dataset.stays = "1";
    part.open = true;
  }
};

/* Fetched when it is opened, so that no answer waits for it. */
const fill = async (part) => {
  if (!part.open || part.dataset.filled) return;
  part.dataset.filled = "1";
  try {
    const answer = await fetch(part.dataset.part, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok || answer.redirected) return;
    const html = new DOMParser().parseFromString(await answer.text(), "text/html");
    part.querySelector("[data-part-body]").replaceChildren(...html.head.children, ...html.body.children);
    if (!part.dataset.stays) part.scrollIntoView({ block: "center" });
  } catch {
    delete part.dataset.filled; // The link stays.
  }
};

const show = (content) => {
  clearTimeout(toastTimer);
  toasts.replaceChildren(content);
  toastTimer = setTimeout(() => toasts.replaceChildren(), TOAST_SECONDS * 1000);
};

const warn = (words) => {
  const note = document.createElement("div");
  note.className = "o-toast";
  note.textContent = `✖ ${words}`;
  show(note);
  live.textContent = words;
};

const swap = (html) => {
  const old = desk();
  const focus = document.activeElement;
  const key = old.contains(focus) || toasts.contains(focus) ? focus.dataset.key || "" : null;
  const next = new DOMParser().parseFromString(html, "text/html").querySelector("[data-desk]");
  if (!next) return window.location.reload(); // The session has ended: the page says so.
  old.replaceWith(document.adoptNode(next));
  settle();
  toasts.replaceChildren();
  const toast = next.querySelector("[data-toast]");
  if (toast) show(toast.content.cloneNode(true));
  if (key !== null) (key && next.querySelector(`[data-key="${CSS.escape(key)}"]`) || next).focus({ preventScroll: true });
  if (next.getBoundingClientRect().top < 0) next.scrollIntoView({ block: "start" });
  live.textContent = next.dataset.announce;
  history.replaceState(null, "", next.dataset.address);
};

const send = async (form, button) => {
  const sent = new FormData(form);
  if (button?.name) sent.set(button.name, button.value);
  if (sent.has("seconds")) sent.set("seconds", ((performance.now() - shownAt) / 1000).toFixed(2));
  isBusy = true;
  desk().setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: sent, headers: { "X-Requested-With": "fetch" } });
    if (answer.redirected) return window.location.reload();
    if (answer.ok || answer.status === 409) swap(await answer.text());
    else warn(toasts.dataset.refused);
  } catch {
    warn(toasts.dataset.offline);
  } finally {
    isBusy = false;
    desk().removeAttribute("aria-busy");
  }
};

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-answer]")) return;
  event.preventDefault();
  if (!isBusy) send(event.target, event.submitter);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-fold]")) {
    remember("open", desk().hasAttribute("data-folded"));
    fold(remembered("open"));
  }
  if (event.target.closest("[data-help]")) keys.showModal();
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches("[data-score]")) remember("score", event.target.open);
  if (event.target.matches("[data-part]") && event.target.isConnected) {
    remember("part", event.target.open);
    fill(event.target);
  }
  if (event.target.matches("[data-note]") && event.target.open) event.target.querySelector("textarea").focus();
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches("[data-note] textarea")) event.target.blur();
  if (keys.open && event.key !== "Escape" && event.key !== "Tab") event.stopImmediatePropagation(); // No answer behind the help.
}, true);

const switchBox = keys.querySelector("[data-keys-on]");
switchBox.checked = localStorage.getItem("orfevre-keys") !== "off";
switchBox.addEventListener("change", () => {
  if (switchBox.checked) localStorage.removeItem("orfevre-keys");
  else localStorage.setItem("orfevre-keys", "off");
});

settle();
