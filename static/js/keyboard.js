/* Single keys: "/" goes to the search box; any element with data-key="s" is clicked by S.
   Ignored while typing, with Ctrl/Alt/Meta, and while a key repeats. localStorage "orfevre-keys" = "off" turns it off. */
(() => {
  const isTyping = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches?.("[data-search]")) event.target.blur();
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (localStorage.getItem("orfevre-keys") === "off") return;
    if (event.key === "/") {
      const box = document.querySelector("[data-search]");
      if (!box) return;
      // Lists have a box of their own that asks for the same key: this one is on every page.
      event.preventDefault();
      event.stopImmediatePropagation();
      box.focus();
      box.select();
      return;
    }
    if (event.key === "Enter" && event.target.closest?.("a, button, summary")) return; // It has its own click.
    const button = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]:not([disabled])`);
    if (!button) return;
    event.preventDefault();
    button.click();
  }, true);
})();
