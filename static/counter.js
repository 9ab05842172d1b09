// Counts a text message while it is typed, in the words in which the server counts it, and writes it simpler.
"use strict";

{
  const PLACEHOLDER = /\{([a-z_]+)(?:\|([^{}|\r\n]*))?\}/g;
  const ENCODINGS = { gsm: ["GSM-7", 160, 153], unicode: ["UCS-2", 70, 67] };
  const number = (value) => value.toLocaleString("en");

  // What the networks make of it: what takes two places is never cut in two.
  function weigh(text, { once, twice }) {
    const letters = [...text];
    const isPlain = letters.every((letter) => once.includes(letter) || twice.includes(letter));
    const places = (letter) => (isPlain ? (twice.includes(letter) ? 2 : 1) : letter.length);
    const [label, alone, joined] = ENCODINGS[isPlain ? "gsm" : "unicode"];
    const used = letters.reduce((sum, letter) => sum + places(letter), 0);
    if (used <= alone) return { label, alone, used, parts: 1, left: alone - used };
    let parts = 1, full = 0;
    for (const letter of letters) {
      if (full + places(letter) > joined) [parts, full] = [parts + 1, 0];
      full += places(letter);
    }
    return { label, alone, used, parts, left: joined - full };
  }

  function asTyped(body, { below, link }) {
    let hasLink = false;
    const text = body.replace(PLACEHOLDER, (_, name, fallback) => {
      if (name !== "unsubscribe_link") return fallback ?? "";
      hasLink = true;
      return link;
    });
    return hasLink ? text : text + below;
  }

  function line(body, about) {
    const length = [...body].length, limit = Number(about.limit);
    if (length > limit) return `${number(length)} characters, ${number(length - limit)} more than a message holds`;
    if (about.channel !== "sms") return `${number(length)} of ${number(limit)} characters`;
    const { label, alone, used, parts, left } = weigh(asTyped(body, about), about);
    if (parts === 1) return `${number(used)} of ${alone} characters · ${label} · 1 part as typed`;
    return `${number(used)} characters · ${label} · ${parts} parts as typed, ${left} left in the last`;
  }

  function count() {
    const counter = document.getElementById("counter");
    if (!counter) return;
    const words = line(document.getElementById(counter.dataset.counts).value, counter.dataset);
    const shown = counter.querySelector(".count");
    shown.classList.toggle("error", words.endsWith("holds"));
    if (shown.firstElementChild.textContent !== words) shown.firstElementChild.textContent = words;
  }

  // As if typed: so the browser's own Undo takes it back.
  function write(field, text) {
    field.focus();
    field.select();
    if (!document.execCommand("insertText", false, text)) {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  let before = null; // the text that the button replaced

  function simplify(field, instead) {
    const signs = Object.keys(instead).sort((one, other) => other.length - one.length);
    before = field.value;
    write(field, signs.reduce((text, sign) => text.replaceAll(sign, instead[sign]), field.value));
    document.getElementById("simpler-done").hidden = false;
    announce("Simple characters are written.");
  }

  document.addEventListener("input", ({ target }) => {
    if (target.id !== "body") return;
    count();
    document.getElementById("simpler-done").hidden = true;
  });
  document.addEventListener("htmx:load", ({ target }) => target.id === "counter" && count());
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-simpler], [data-unsimpler]");
    if (!button) return;
    const field = document.getElementById("body");
    if (button.dataset.simpler) return simplify(field, JSON.parse(button.dataset.simpler));
    write(field, before);
    announce("Your own characters are back.");
  });
  count();
}
