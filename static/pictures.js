// Puts a chosen picture into the message where the cursor is, as the format of the message writes one.
"use strict";

document.addEventListener("click", ({ target }) => {
  const pressed = target.closest("[data-picture]");
  if (!pressed) return;
  const { body, format } = pressed.closest("form").elements;
  written = body; // never into the subject, where somebody may have typed last
  insert(pressed.dataset[format?.value ?? "text"]);
  announce(`${pressed.textContent.trim()} is put in.`);
});
