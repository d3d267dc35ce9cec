/* The theme writes the name of a chosen file into the next text field of the form, meant for its own
   widget: keep it from plain file fields. */
document.addEventListener("change", (event) => {
  if (event.target.matches(".o-field input[type=file]")) event.stopPropagation();
}, true);
