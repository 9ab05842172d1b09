// People are marked, and dragged from one group to another. Whoever has no mouse ticks them and presses a button.
"use strict";

let dragged = null; // the column they come from, and their ids

const columnOf = (element) => element?.closest?.(".column");

document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.("li[data-person]");
  if (!card) return;
  const column = columnOf(card);
  const marked = [...column.querySelectorAll("li:has(input:checked)")];
  const cards = marked.includes(card) ? marked : [card]; // who takes hold of a marked one takes all that are marked
  dragged = { column, ids: cards.map((each) => each.dataset.person) };
  for (const each of cards) each.classList.add("is-dragged");
  event.dataTransfer.effectAllowed = "copyMove";
  event.dataTransfer.setData("text/plain", cards.map((each) => each.textContent.trim()).join("\n"));
});

document.addEventListener("dragover", (event) => {
  const column = columnOf(event.target);
  for (const each of document.querySelectorAll(".column.is-over")) if (each !== column) each.classList.remove("is-over");
  if (!dragged || !column || column === dragged.column) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = copies(event) ? "copy" : "move";
  column.classList.add("is-over");
});

document.addEventListener("drop", (event) => {
  const column = columnOf(event.target);
  if (!dragged || !column || column === dragged.column) return;
  event.preventDefault();
  const { move, copy } = dragged.column.dataset;
  const show = [...document.querySelectorAll(".column")].map((each) => each.dataset.group);
  const values = { people: dragged.ids, to: column.dataset.group, board: "1", show };
  htmx.ajax("POST", copies(event) ? copy : move, { target: "#board", swap: "outerHTML", values });
});

document.addEventListener("dragend", () => {
  dragged = null;
  for (const each of document.querySelectorAll(".is-dragged, .is-over")) each.classList.remove("is-dragged", "is-over");
});

const copies = (event) => event.ctrlKey || event.altKey;

// What happened is told, and the way back lies under the hands of whoever used the keyboard.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "board") return;
  const said = document.getElementById("said");
  if (said) announce(said.textContent.trim());
});

// --- marking on the page of a group ---

document.addEventListener("change", ({ target }) => {
  const form = target.closest?.("form[data-marks]");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=people]")];
  if ("marksAll" in target.dataset) for (const box of boxes) box.checked = target.checked;
  const all = form.querySelector("input[name=all]")?.checked;
  for (const box of boxes) box.disabled = all;
  const marked = boxes.filter((box) => box.checked).length;
  form.querySelector("[data-marked]").textContent = all || !marked ? "" : `${marked} marked`;
});
