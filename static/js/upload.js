/* Sends a form[data-upload] from its page: shows how much of the file has arrived, and when the server
   refuses it, keeps the chosen files, which no page that is loaded anew can do. Without it, and for any
   other answer, the browser sends the form itself. */
(() => {
  const sendPlainly = (form, button) => {
    form.removeAttribute("data-upload");
    form.inert = false;
    form.requestSubmit(button);
  };

  const showRefusal = (form, html) => {
    const refused = new DOMParser().parseFromString(html, "text/html").querySelector("form[data-upload]");
    if (!refused) return false;
    for (const input of form.querySelectorAll("input[type=file]")) refused.querySelector(`#${input.id}`).files = input.files;
    form.replaceWith(refused);
    refused.querySelector("[role=alert]")?.scrollIntoView({ block: "center" });
    return true;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    if (!form.matches("form[data-upload]") || event.defaultPrevented) return;
    event.preventDefault();
    const content = new FormData(form);
    if (button) content.append(button.name, button.value);
    form.inert = true; // Once is enough.
    for (const refusal of form.querySelectorAll("[role=alert]")) refusal.remove();

    const bar = form.querySelector("[data-upload-progress]");
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.hidden = false;
      // All there: the server looks at it, and nobody knows how long.
      if (loaded < total) bar.querySelector("progress").value = loaded / total;
      else bar.querySelector("progress").removeAttribute("value");
    });
    request.addEventListener("load", () => {
      if (request.status === 422 && showRefusal(form, request.responseText)) return;
      if (request.status !== 200) return sendPlainly(form, button);
      form.inert = false;
      bar.hidden = true;
      window.location.assign(request.responseURL);
    });
    request.addEventListener("error", () => sendPlainly(form, button));
    request.open("POST", form.getAttribute("action") || window.location.href);
    request.send(content);
  });
})();
