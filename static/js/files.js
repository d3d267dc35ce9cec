/* The theme writes the name of a chosen file into the next text field of the form, meant for its own
   widget: our pages have none, and the name of a file may be a person's. */
document.addEventListener("change", (event) => {
  if (event.target.matches("input[type=file]")) event.stopPropagation();
}, true);
