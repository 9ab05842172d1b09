// Pictures are dropped or chosen and go up at once, one after the other, each with its progress and its answer.
"use strict";

const drop = document.querySelector("form[data-drop]");
const uploads = drop.querySelector("[data-uploads]");
let queue = Promise.resolve();

drop.elements.files.addEventListener("change", ({ target }) => {
  take(target.files);
  target.value = "";
});

// The whole page is the place to drop on: whoever misses the card would otherwise leave the page.
for (const kind of ["dragenter", "dragover"])
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("is-over");
  });
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("is-over");
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  drop.classList.remove("is-over");
  take(event.dataTransfer.files);
});

function take(files) {
  for (const file of files) {
    const line = lineOf(file);
    if (file.size > Number(drop.dataset.most)) refuse(line, file.name, `It has ${megabytes(file.size)}; ${drop.dataset.mostWords} is the most.`);
    else queue = queue.then(() => send(file, line));
  }
}

// As campaigns/pictures.py says it; the server would cut off what is far too large before it knows what it is.
function megabytes(count) {
  return `${(Math.ceil((count * 10) / 1024 ** 2) / 10).toFixed(1)} MB`.replace(".0 ", " ");
}

function lineOf(file) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = file.name;
  const progress = document.createElement("progress");
  progress.max = 100;
  progress.value = 0;
  progress.setAttribute("aria-label", `Sending ${file.name}`);
  line.append(name, progress);
  uploads.append(line);
  return line;
}

function send(file, line) {
  const body = new FormData(drop);
  body.set("files", file);
  const request = new XMLHttpRequest(); // fetch tells nothing of how far it is
  request.open("POST", drop.action);
  request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
  if (token()) request.setRequestHeader("X-CSRFToken", token());
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    line.querySelector("progress").value = (loaded * 100) / total;
  });
  return new Promise((resolve) => {
    request.addEventListener("loadend", () => {
      if (request.status === 201) show(request.responseText, line, file.name);
      else refuse(line, file.name, why(request));
      resolve();
    });
    request.send(body);
  });
}

function why(request) {
  if (request.status === 422) return request.responseText;
  if (!request.status) return "The connection is lost. Try again in a moment.";
  return WHY[request.status] ?? "That did not work. Reload the page and try again.";
}

function show(markup, line, name) {
  const box = document.createElement("template");
  box.innerHTML = markup;
  const picture = box.content.querySelector("li");
  document.getElementById(picture.id)?.remove(); // it was here already
  document.querySelector("[data-pictures]").prepend(picture);
  document.querySelector("[data-none]")?.remove();
  line.remove();
  announce(`${name} is here.`);
}

function refuse(line, name, sentence) {
  const error = document.createElement("p");
  error.className = "error";
  error.setAttribute("role", "alert");
  const words = document.createElement("span");
  words.textContent = `${name} is not taken. ${sentence}`;
  error.append(words);
  line.replaceChildren(error);
}
