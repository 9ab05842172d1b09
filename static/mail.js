// Shows an email in a frame that can run nothing: at the width of a phone or a desktop, light or dark. In the editor
// the frame is filled with what is typed; each time a new one, so that the way back in the browser is left alone.
"use strict";

(() => {
  const HEIGHT = 480;
  let width = 375;
  let scheme = "light";

  const all = () => document.querySelectorAll("[data-mail]");

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-mail-width], [data-mail-scheme]");
    if (pressed) {
      width = Number(pressed.dataset.mailWidth) || width;
      scheme = pressed.dataset.mailScheme || scheme;
      all().forEach(look);
    }
    const example = event.target.closest("[data-example]");
    if (example) begin(document.getElementById(example.dataset.example).content.textContent);
  });

  // What is wider than its place is shown smaller, as a whole.
  function look(mail) {
    const stage = mail.querySelector(".mail-frame");
    const scale = Math.min(1, stage.clientWidth / width) || 1;
    for (const frame of stage.querySelectorAll("iframe")) {
      frame.style.width = `${width}px`;
      frame.style.height = `${HEIGHT / scale}px`;
      frame.style.transform = `scale(${scale})`;
      frame.classList.toggle("is-dark", scheme === "dark");
    }
    for (const button of mail.querySelectorAll("[data-mail-width]")) press(button, Number(button.dataset.mailWidth) === width);
    for (const button of mail.querySelectorAll("[data-mail-scheme]")) press(button, button.dataset.mailScheme === scheme);
    mail.querySelector("[data-mail-note]").hidden = scheme !== "dark";
  }

  function press(button, is) {
    button.setAttribute("aria-pressed", String(is));
  }

  function fill(stage) {
    const form = stage.closest("form");
    if (!form || stage.clientWidth === 0) return; // a plain text
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "");
    frame.title = "The email";
    frame.tabIndex = 0;
    frame.name = `mail-${Date.now()}`;
    frame.className = "is-coming";
    stage.append(frame);
    look(stage.closest("[data-mail]"));
    post(form, stage.dataset.mailPosts, frame.name);
    frame.addEventListener("load", () => {
      if (!frame.isConnected) return;
      while (frame.previousElementSibling) frame.previousElementSibling.remove();
      frame.classList.remove("is-coming");
    });
  }

  // The form itself is not sent: nothing of it is to count as saved.
  function post(form, address, target) {
    const copy = document.createElement("form");
    Object.assign(copy, { method: "post", action: address, target, hidden: true });
    for (const [name, value] of new FormData(form)) {
      if (typeof value !== "string") continue;
      const field = document.createElement("textarea");
      field.name = name;
      field.value = value;
      copy.append(field);
    }
    document.body.append(copy);
    copy.submit();
    copy.remove();
  }

  function begin(example) {
    const field = document.getElementById("body");
    if (field.value.trim() && !confirm("Replace what you wrote with the example?")) return;
    field.value = example;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    field.setSelectionRange(0, 0);
    field.scrollTop = 0;
  }

  function refill() {
    document.querySelectorAll("[data-mail-posts]").forEach(fill);
  }

  // The text part stays open while one writes on.
  const textPart = () => document.querySelector("#preview details");
  let isOpen = false;
  document.addEventListener("htmx:beforeSwap", () => {
    isOpen = textPart()?.open ?? isOpen;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (textPart()) textPart().open = isOpen;
    if (event.detail.target.id === "preview") refill();
    else all().forEach(look);
  });
  addEventListener("resize", () => all().forEach(look));
  all().forEach(look);
  refill();
})();
