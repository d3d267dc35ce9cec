/* The segment form: offers only what fits the chosen field, adds and removes rows, and keeps the
   waterfall beside it fresh while conditions are typed. Without it the form still saves. */
(() => {
  const form = document.querySelector("[data-segment]");
  if (!form) return;
  const fields = new Map(JSON.parse(document.getElementById("segment-fields").textContent).map((field) => [field.code, field]));
  const rows = form.querySelector("[data-rows]");
  const waterfall = document.querySelector("[data-waterfall]");
  const freeze = document.querySelector("[data-freeze]");
  const words = new Map([...rows.querySelector("[data-operator]").options].map((option) => [option.value, option.text]));

  const choices = (field, value) => {
    const select = document.createElement("select");
    for (const [code, label] of field.choices) select.add(new Option(label, code, false, code === value));
    return select;
  };

  const input = (field, value) => {
    const box = document.createElement("input");
    box.type = { date: "date", number: "number" }[field.kind] || "text";
    box.placeholder = field.hint;
    box.maxLength = 200;
    box.autocomplete = "off";
    box.value = value;
    return box;
  };

  /* Rebuild operator and value of a row for its field; what fits is kept. */
  const fit = (row) => {
    const field = fields.get(row.querySelector("[data-field]").value);
    const operator = row.querySelector("[data-operator]");
    const old = row.querySelector("[data-value]");
    operator.disabled = old.disabled = !field;
    if (!field) return;
    const chosen = operator.value;
    operator.replaceChildren(...field.operators.map((code) => new Option(words.get(code), code, false, code === chosen)));
    const control = field.choices.length ? choices(field, old.value) : input(field, old.value);
    control.name = "value";
    control.dataset.value = "";
    control.setAttribute("aria-label", old.getAttribute("aria-label"));
    old.replaceWith(control);
  };

  const sent = () => {
    const data = new URLSearchParams();
    data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    for (const row of rows.querySelectorAll("[data-row]")) {
      for (const name of ["field", "operator", "value"]) data.append(name, row.querySelector(`[data-${name}]`).value);
    }
    return data;
  };

  const saved = sent().toString();
  let waiting;
  let latest = 0;

  const count = async () => {
    const number = ++latest;
    waterfall.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: sent() });
      if (number !== latest) return; // A newer question is on its way.
      if (answer.ok || answer.status === 400) waterfall.innerHTML = await answer.text();
    } catch {
      // The server is away for a moment: the last picture stays.
    }
    if (number === latest) waterfall.setAttribute("aria-busy", "false");
  };

  const changed = () => {
    const isSaved = sent().toString() === saved;
    form.querySelector("[data-unsaved]").hidden = isSaved;
    if (freeze) freeze.disabled = !isSaved; // A list is frozen from what is saved.
    clearTimeout(waiting);
    waiting = setTimeout(count, 350);
  };

  const add = () => {
    const row = rows.querySelector("[data-row]").cloneNode(true);
    row.querySelector("[data-field]").value = "";
    const box = input({ kind: "words", hint: "" }, "");
    const old = row.querySelector("[data-value]");
    box.name = "value";
    box.dataset.value = "";
    box.setAttribute("aria-label", old.getAttribute("aria-label"));
    old.replaceWith(box);
    rows.append(row);
    fit(row);
    return row;
  };

  form.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (row && event.target.matches("[data-field]")) {
      row.querySelector("[data-value]").value = "";
      fit(row);
    }
    changed();
  });
  form.addEventListener("input", changed);
  form.addEventListener("submit", () => {
    for (const control of rows.querySelectorAll(":disabled")) control.disabled = false; // Rows must stay aligned.
  });
  rows.addEventListener("click", (event) => {
    if (!event.target.closest("[data-remove]")) return;
    if (rows.children.length === 1) add();
    event.target.closest("[data-row]").remove();
    changed();
  });
  const button = form.querySelector("[data-add]");
  button.hidden = false;
  button.addEventListener("click", () => add().querySelector("[data-field]").focus());

  // Blank rows are for readers without JS; one is kept when there is nothing else.
  const blank = [...rows.querySelectorAll("[data-row]")].filter((row) => !row.querySelector("[data-field]").value);
  for (const row of blank.slice(blank.length === rows.children.length ? 1 : 0)) row.remove();
  for (const row of rows.querySelectorAll("[data-row]")) {
    row.querySelector("[data-remove]").hidden = false;
    fit(row);
  }
})();
