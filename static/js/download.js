/* After a download has started, show its line in the register: the page is fetched again. */
(() => {
  document.querySelector("[data-download]")?.addEventListener("submit", () => {
    setTimeout(() => window.location.reload(), 2500);
  });
})();
