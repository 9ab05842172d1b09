// Live pages: swaps that leave alone what did not change, an honest indicator, and asking where no socket tells.
"use strict";

// --- morph: changes a fragment in place, so that focus, selection and a half-pressed button survive ---

htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph",
  handleSwap(style, target, fragment) {
    if (style !== "morph" || !fragment.firstElementChild) return false;
    const focused = document.activeElement;
    const hadFocus = target.contains(focused);
    const place = pressable(target).indexOf(focused);
    const fresh = morph(target, fragment.firstElementChild);
    if (hadFocus && document.activeElement !== focused) keepFocus(fresh, place);
    return [fresh];
  },
});

const pressable = (fragment) => [...fragment.querySelectorAll("button, a[href]")].filter((e) => e.checkVisibility());

// What was pressed is gone: on to what took its place (Pause, Resume), so that the keyboard is not thrown to the top.
function keepFocus(fragment, place) {
  const there = pressable(fragment);
  const harmless = (element) => element && !element.matches(".danger");
  const next = [there[place], there.at(-1), there[0]].find(harmless);
  (next ?? document.getElementById("content")).focus({ preventScroll: true });
}

function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName || (old.id ?? "") !== (fresh.id ?? "")) {
    old.replaceWith(fresh);
    return fresh;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return old;
  }
  if (old.classList.contains("htmx-request")) fresh.classList.add("htmx-request"); // it still waits for its answer
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const twin = child.id ? old.querySelector(`:scope > #${CSS.escape(child.id)}`) : next;
    if (twin && twin.nodeName === child.nodeName && (twin.id ?? "") === (child.id ?? "")) {
      if (twin === next) next = next.nextSibling;
      else old.insertBefore(twin, next);
      morph(twin, child);
    } else old.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
  return old;
}

// --- the indicator, and what replaces a socket that is not there ---

const POLL_EVERY = 3000;
const indicator = document.getElementById("live");
const poller = () => document.querySelector("[data-polls]"); // another one once the list is filtered anew
let socket = null; // open and heard of
let over = false; // closed for good
const clock = () => new Date().toLocaleTimeString("en-GB", { timeZone: indicator.dataset.zone });
let heard = clock(); // when the server was last heard of
let polled = 0; // when it last answered a poll, in milliseconds

function say(words, state) {
  if (indicator.textContent !== words) indicator.textContent = words;
  indicator.className = `live ${state}`;
  // What the page says of the campaign was true then; the stylesheet says so beside it.
  const page = indicator.closest("main");
  page.classList.toggle("is-cut-off", state === "is-reconnecting");
  page.style.setProperty("--as-of", `"As of ${heard}."`);
}

document.addEventListener("htmx:wsAfterMessage", (event) => {
  socket = event.detail.socketWrapper;
  heard = clock();
  say("Live", "");
  freshenPeople();
  announceQuarters();
});

document.addEventListener("htmx:wsClose", ({ detail }) => {
  socket = null;
  const { code } = detail.event;
  over = code === 4403 || code === 4404;
  if (over) return say(code === 4404 ? "This was deleted" : "Reload to log in again", "is-stale");
  // While the polls are answered the page is as true as it says; another attempt that failed is no news.
  if (Date.now() - polled > 2 * POLL_EVERY) say(`Reconnecting, as of ${heard}`, "is-reconnecting");
  // After these the extension comes back by itself.
  if (![1006, 1011, 1012, 1013].includes(code)) setTimeout(() => detail.socketWrapper.reconnect(), 1000 + 2000 * Math.random());
});

// A network that is gone closes no socket for minutes.
window.addEventListener("offline", () => say(`No connection, as of ${heard}`, "is-reconnecting"));
window.addEventListener("online", () => socket?.send("again"));

setInterval(() => {
  if (!socket && !over && !document.hidden) htmx.trigger(poller(), "poll");
}, POLL_EVERY);

document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target === poller()) {
    if (detail.successful) [heard, polled] = [clock(), Date.now()];
    if (!socket && !over) say(detail.successful ? `As of ${heard}` : `Reconnecting, as of ${heard}`, detail.successful ? "is-stale" : "is-reconnecting");
    if (detail.successful) freshenPeople();
  }
  // The answer of a button is newer than what the hub believes we show.
  if (detail.requestConfig?.verb === "post") {
    socket?.send("again");
    freshenPeople();
  }
});

// Failures of what is asked unasked are the indicator's business, not a notice; a button says that it was in vain.
for (const name of ["htmx:sendError", "htmx:responseError"])
  window.addEventListener(name, (event) => {
    if (event.target === poller() || event.target.id === "people") event.stopPropagation();
  }, true);
window.addEventListener("htmx:sendError", (event) => {
  if (!event.target.matches("button[form=operate]")) return;
  event.stopPropagation();
  const words = event.target.textContent.trim();
  toast(`No connection: “${words}” did not reach the server. Press it again once this page is live.`);
}, true);

// --- the visible page of people: asks for itself once a second at most, and less often when answers are slow ---

let asked = -Infinity;
let took = 0;
let busy = false;
let missed = false;
let timer = null;

function freshenPeople() {
  if (!document.getElementById("people") || timer) return;
  const pause = asked + Math.max(1000, 5 * took) - performance.now();
  timer = setTimeout(() => {
    timer = null;
    if (busy || document.hidden) missed = true;
    else htmx.trigger("#people", "changed");
  }, Math.max(0, pause));
}

// It may be told of a change before htmx has looked at what came: then it would ask for the page it was before.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id === "people") detail.path = detail.elt.getAttribute("hx-get");
});

const isAboutPeople = (event) => event.detail.target?.id === "people";
document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isAboutPeople(event)) return;
  busy = true;
  asked = performance.now();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!isAboutPeople(event)) return;
  busy = false;
  took = performance.now() - asked;
  catchUp();
});
document.addEventListener("visibilitychange", catchUp);

function catchUp() {
  if (!missed || document.hidden) return;
  missed = false;
  freshenPeople();
}

// --- progress for those who listen to the page: at each quarter ---

let quarter = null;

function announceQuarters() {
  const bar = document.querySelector(".pct + .bar");
  if (!bar) return;
  const done = Math.floor((4 * bar.getAttribute("aria-valuenow")) / Math.max(1, bar.getAttribute("aria-valuemax")));
  if (quarter !== null && done > quarter) document.getElementById("announcements").textContent = `${done * 25}% done`;
  quarter = done;
}
