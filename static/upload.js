// Sends a list in parts of a few megabytes, so that no server has to hold all of it; a part that is lost is sent again.
"use strict";

const form = document.querySelector("form[data-begin]");
const TRIES = 5;

form.addEventListener("submit", (event) => {
  const file = form.elements.file.files[0];
  if (!file || form.elements.text.value.trim() || file.size <= Number(form.dataset.part)) return; // in one go
  event.preventDefault();
  send(file);
});

async function send(file) {
  const button = form.querySelector("button.primary");
  button.setAttribute("aria-busy", "true");
  say("");
  show(0);
  let places = null;
  let isWhole = false;
  try {
    const begun = await post(form.dataset.begin, new URLSearchParams({ name: file.name, size: file.size }));
    places = await begun.json();
    const size = Number(form.dataset.part);
    for (let n = 0; n * size < file.size; n++) {
      await post(`${places.part}?number=${n}`, file.slice(n * size, (n + 1) * size), "application/octet-stream");
      show(Math.min(100, Math.floor(((n + 1) * size * 100) / file.size)));
    }
    isWhole = true;
    const done = await post(`${places.complete}${form.dataset.group ? `?group=${form.dataset.group}` : ""}`, "");
    const { next } = await done.json();
    location.assign(next);
  } catch (error) {
    say(error.message);
    // Part of a list is of no use; a whole one may have been taken although the answer was lost.
    if (places && !isWhole) post(places.cancel, "").catch(() => {});
    button.removeAttribute("aria-busy");
  }
}

async function post(address, body, type) {
  for (let tried = 1; ; tried++) {
    let answer = null;
    try {
      const headers = { "X-CSRFToken": token(), "X-Requested-With": "XMLHttpRequest", ...(type && { "Content-Type": type }) };
      answer = await fetch(address, { method: "POST", body, headers, redirect: "manual" });
    } catch {
      answer = null; // no connection
    }
    if (answer?.ok) return answer;
    if (answer && answer.status < 500) throw new Error(await sentence(answer));
    if (tried === TRIES) throw new Error("The connection is lost. Try again in a moment.");
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** tried));
  }
}

async function sentence(answer) {
  const text = answer.headers.get("Content-Type")?.startsWith("text/plain") ? (await answer.text()).trim() : "";
  if (text) return text;
  return WHY[answer.status] ?? "You have been logged out. Log in again in another tab, then press Continue once more.";
}

function show(percent) {
  document.getElementById("sending").hidden = false;
  document.getElementById("sent-part").value = percent;
  document.getElementById("sent-percent").textContent = `${percent}%`;
}

function say(words) {
  const error = document.getElementById("sending-error");
  error.hidden = !words;
  error.firstElementChild.textContent = words;
}
