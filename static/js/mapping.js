/* The mapping page: shows the options that each attribute takes, and keeps the rows below fresh while
   the form changes. Without it the buttons do both. */
(() => {
  const form = document.querySelector("[data-mapping]");
  if (!form) return;
  const kinds = JSON.parse(form.dataset.kinds);
  const rows = form.querySelector("[data-rows]");
  let waiting;
  let latest = 0;

  const fit = (column) => {
    const attribute = column.querySelector("select[name$='-attribute']").value;
    const shown = kinds[attribute] || [];
    const proposed = column.querySelector("[data-proposed]");
    if (proposed) proposed.hidden = proposed.dataset.proposed !== attribute;
    const refusals = column.querySelector("[data-refusals]");
    if (refusals) refusals.hidden = !["", "ignore"].includes(attribute);
    for (const option of column.querySelectorAll("[data-for]")) option.hidden = !shown.includes(option.dataset.for);
  };

  const key = form.querySelector("[data-key]");
  const fitKey = () => {
    const chosen = [...form.querySelectorAll("select[name$='-attribute']")];
    key.hidden = chosen.some((select) => select.value === "source_key");
  };

  const preview = async () => {
    const number = ++latest;
    rows.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) });
      if (number !== latest) return; // A newer question is on its way.
      if (answer.ok) rows.innerHTML = await answer.text();
      const refused = form.querySelector("[data-refused]");
      if (answer.ok && refused) refused.remove();
    } catch {
      // The server is away for a moment: the last rows stay.
    }
    if (number === latest) rows.setAttribute("aria-busy", "false");
  };

  form.addEventListener("input", (event) => {
    if (/^(file|source)-/.test(event.target.name) && event.target.name !== "source-region") return;
    const column = event.target.closest("[data-column]");
    if (column) fit(column);
    fitKey();
    clearTimeout(waiting);
    waiting = setTimeout(preview, 300);
  });

  // A new source has its code from its name, as long as nobody has written one.
  const [name, code] = ["label", "code"].map((field) => form.querySelector(`input[name=source-${field}]`));
  if (code && !code.value && !name.value) {
    const fill = () => {
      const plain = name.value.replace(/[œŒ]/g, "oe").replace(/[æÆ]/g, "ae").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
      code.value = plain.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
    };
    name.addEventListener("input", fill);
    code.addEventListener("input", () => name.removeEventListener("input", fill), { once: true });
  }

  form.addEventListener("submit", () => clearTimeout(waiting)); // The file is gone once it is saved.
  for (const column of form.querySelectorAll("[data-column]")) fit(column);
  const next = form.querySelector("[data-column] [autofocus]");
  if (next) {
    next.scrollIntoView({ block: "center" });
    next.focus({ preventScroll: true });
  }
  form.querySelector("[data-by-hand]").hidden = true;
})();
