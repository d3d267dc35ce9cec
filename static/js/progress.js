/* Keeps every [data-job-state="url"] fresh: asks each second, fills bar, phase, figures, pace and time left,
   and reloads the page when the job has ended. Words come from the server, in the reader's language. */
(() => {
  const fill = (root, name, text) => {
    const place = root.querySelector(`[data-job-${name}]`);
    if (place && place.textContent !== text) place.textContent = text;
  };

  const show = (root, job) => {
    const bar = root.querySelector("[data-job-bar]");
    if (bar && job.percent === null) bar.removeAttribute("value");
    if (bar && job.percent !== null) bar.value = job.percent;
    fill(root, "phase", job.phase_label);
    fill(root, "figures", job.figures);
    fill(root, "rate", job.rate_label);
    fill(root, "left", job.left_label);
  };

  const follow = async (root) => {
    let pause = 1000;
    try {
      const answer = await fetch(root.dataset.jobState, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const job = await answer.json();
        show(root, job);
        if (!["queued", "running"].includes(job.state)) return window.location.reload();
      } else {
        pause = 5000;
      }
    } catch {
      pause = 5000; // The server is away for a moment: try again later, say nothing.
    }
    setTimeout(() => follow(root), document.hidden ? 5000 : pause);
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const root of document.querySelectorAll("[data-job-state]")) follow(root);
  });
})();
