// What neither HTML nor htmx can do alone: colours, dialogs, the cursor, and saying that a request failed.
"use strict";

const root = document.documentElement;
root.classList.add("js");

// --- colours: kept in a cookie, so that the server draws the page in them from the first byte ---

const showTheme = () => {
  for (const button of document.querySelectorAll("[data-theme-choice]"))
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (root.dataset.theme ?? "")));
};
showTheme();

function chooseTheme(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  document.cookie = `theme=${theme}; path=/; samesite=lax; max-age=${theme ? 31536000 : 0}`;
  showTheme();
}

// --- one listener for all that is pressed ---

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-opens], [data-closes], [data-dismiss], [data-inserts], [data-adds], [data-removes], [data-copies], [data-theme-choice]");
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (!pressed) return;
  const { opens, inserts, adds, removes, copies, themeChoice } = pressed.dataset;
  if (opens) {
    const dialog = document.getElementById(opens);
    if (!dialog) return; // the link leads to the same question as a page
    event.preventDefault();
    dialog.showModal();
  } else if ("closes" in pressed.dataset) pressed.closest("dialog")?.close();
  else if ("dismiss" in pressed.dataset) dismiss(pressed.closest(".flash"));
  else if (inserts) insert(inserts);
  else if (adds) add(pressed, adds);
  else if (removes) remove(pressed, removes);
  else if (copies) copy(pressed, document.getElementById(copies));
  else if (themeChoice !== undefined) chooseTheme(themeChoice);
});

document.addEventListener("click", (event) => {
  if (event.target.matches("dialog.dialog")) event.target.close(); // pressed beside it
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-search]")) {
    event.preventDefault(); // Enter chooses the first one found and does not send the form around it
    event.target.closest("fieldset").querySelector(".match")?.click();
  }
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (!document.querySelector("dialog[open]")) dismiss([...document.querySelectorAll("#toasts .flash")].at(-1));
});

// --- what was wrong with a field is no longer shown once somebody mends it; the server judges anew ---

document.addEventListener("input", ({ target }) => {
  if (target.getAttribute("aria-invalid") !== "true" || !target.value.trim()) return;
  target.removeAttribute("aria-invalid");
  for (const id of (target.getAttribute("aria-describedby") ?? "").split(" "))
    for (const said of document.querySelectorAll(`#${CSS.escape(id)}:is(.error, :has(.error))`)) said.hidden = true;
});

// --- writing: a placeholder goes where the cursor is, or was last ---

let written = null;
document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-takes-placeholders]")) written = event.target;
});

function insert(text) {
  const field = written?.isConnected ? written : document.querySelector("textarea[data-takes-placeholders]");
  if (!field) return;
  field.focus();
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- chips of chosen people: adding one that is there already changes nothing; focus is never lost ---

function add(button, name) {
  const chosen = document.getElementById(`${name}-chosen`);
  const chip = button.querySelector("template").content.cloneNode(true);
  const { value } = chip.querySelector("input");
  if (!chosen.querySelector(`input[name="${name}"][value="${value}"]`)) chosen.append(chip);
  const search = button.closest("fieldset").querySelector("input[type=search]");
  announce(`${button.querySelector("span").textContent} is chosen.`);
  button.closest(".found").replaceChildren();
  search.value = "";
  search.focus();
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
}

function remove(button, selector) {
  const chip = button.closest(selector);
  const next = chip.nextElementSibling ?? chip.previousElementSibling;
  const field = chip.closest("fieldset, .field")?.querySelector("input[type=search]");
  const list = chip.parentElement;
  chip.remove();
  (next?.querySelector("button") ?? field)?.focus();
  list.dispatchEvent(new Event("change", { bubbles: true }));
}

// --- what is shown once is copied by a button; where the browser will not, it is at least selected ---

async function copy(button, field) {
  field.select();
  await navigator.clipboard?.writeText(field.value);
  button.textContent = navigator.clipboard ? "Copied" : "Selected: copy it with the keyboard";
  announce(button.textContent);
}

// --- what is typed is not lost: leaving asks first, and logging in again in another tab does no harm ---

let unsaved = null; // the form that was changed and not yet sent

function keep(form) {
  if (unsaved === form) return;
  unsaved = form;
  addEventListener("beforeunload", ask); // only now: a page that listens all the time is not kept for Back
}

function ask(event) {
  if (unsaved?.isConnected) event.preventDefault();
}

for (const kind of ["input", "change"])
  document.addEventListener(kind, ({ target }) => {
    const form = target.closest("form[data-keeps]");
    if (form && !target.matches("[data-search], .turn *")) keep(form); // whom to look for, or to show, is not kept
  });

// Going back, the browser fills in what was typed without telling anybody.
const isTyped = (field) =>
  field.type === "checkbox" || field.type === "radio"
    ? field.checked !== field.defaultChecked
    : /^(text|email|textarea)$/.test(field.type) && field.value !== field.defaultValue;
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-keeps]"))
    if ("unsaved" in form.dataset) keep(form);
    else {
      const typed = [...form.elements].find(isTyped);
      if (typed) typed.dispatchEvent(new Event("input", { bubbles: true }));
    }
});

const token = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1];
document.addEventListener("submit", ({ target }) => {
  // The login in another tab changed the token; the cookie has the one that counts now.
  const field = target.querySelector("input[name=csrfmiddlewaretoken]");
  if (field && token()) field.value = token();
  if (target === unsaved) {
    unsaved = null;
    removeEventListener("beforeunload", ask);
  }
});
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (token() && detail.headers["X-CSRFToken"]) detail.headers["X-CSRFToken"] = token();
});

// --- pressed twice is meant once ---

const underWay = new WeakSet();
document.addEventListener("htmx:beforeRequest", ({ detail }) => underWay.add(detail.elt));
document.addEventListener("htmx:afterRequest", ({ detail }) => underWay.delete(detail.elt));
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !underWay.has(button)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

const SENT_FOR = 10_000; // then the button is free again: the answer may be a file, or lost
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || form.getAttribute("method") !== "post" || form.target) return;
  if (underWay.has(form)) return event.preventDefault();
  underWay.add(form);
  submitter?.setAttribute("aria-busy", "true");
  setTimeout(free, SENT_FOR, form);
});
addEventListener("pageshow", () => [...document.forms].forEach(free)); // come back to by Back

function free(form) {
  underWay.delete(form);
  for (const button of form.elements) button.removeAttribute("aria-busy");
}

// --- saying it: what went well is heard when there is a pause, what went wrong at once ---

const SAID_FOR = 6000;

function announce(sentence) {
  const region = document.getElementById("announcements");
  region.textContent = "";
  setTimeout(() => (region.textContent = sentence), 100); // the same sentence twice is heard twice
}

function sayNotices() {
  for (const flash of document.querySelectorAll("#toasts .flash")) {
    setTimeout(() => flash.parentElement?.append(flash), 100); // what a page came with is heard by nobody
    if (flash.matches(".is-sent")) setTimeout(giveWay, SAID_FOR, flash);
  }
}

function giveWay(flash) {
  if (flash.matches(":hover, :focus-within")) setTimeout(giveWay, 1000, flash); // it is being read
  else if (flash.isConnected) dismiss(flash);
}
sayNotices();
document.addEventListener("htmx:load", ({ target }) => target.id === "toasts" && sayNotices());

function dismiss(flash) {
  if (!flash) return;
  const hadFocus = flash.contains(document.activeElement);
  flash.remove();
  if (hadFocus) (document.querySelector("#toasts button") ?? document.getElementById("content")).focus({ preventScroll: true });
}

// What an answer wrote is heard too, where the page marks it so; the same words again are no news.
let spoken = "";
for (const name of ["htmx:afterSwap", "htmx:load"])
  document.addEventListener(name, ({ target }) => {
    if (!("speaks" in target.dataset)) return;
    const { length } = target.querySelectorAll(".match");
    const words = length ? `${length} found.` : target.textContent.trim();
    if (words !== spoken) announce((spoken = words));
  });

function toast(...sentence) {
  const box = document.createElement("div");
  box.className = "flash is-failed";
  const text = document.createElement("p");
  text.append(...sentence);
  const close = document.createElement("button");
  close.type = "button";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  box.append(text, close);
  document.getElementById("alarms").replaceChildren(box);
}

const WHY = {
  403: "You may not do that, or this page is too old. Reload it and try again.",
  404: "That is no longer there. Reload the page to see how things stand.",
  409: "Somebody was faster. Reload the page to see how things stand.",
  413: "That is too large to send in one go.",
  429: "Too many tries in a short time. Wait a moment and try again.",
};
// The server's own sentence: of an error page the one marked so, else a short answer that is no page at all.
function said({ responseText }) {
  const answer = new DOMParser().parseFromString(responseText ?? "", "text/html");
  const words = (answer.querySelector("[data-says]") ?? (answer.body.childElementCount ? null : answer.body))?.textContent.trim();
  return words && words.length < 300 ? words : null;
}

function sayLoggedOut(login) {
  if (document.querySelector("#toasts a[target]")) return; // said, and not yet put away
  const link = document.createElement("a");
  link.href = new URL(login).pathname;
  link.target = "_blank";
  link.textContent = "Log in in another tab";
  toast("You have been logged out. ", link, ", then save: what you typed is still here.");
}

// What asks for itself now and then says nothing when it fails: it asks again.
for (const name of ["htmx:sendError", "htmx:responseError"])
  window.addEventListener(name, (event) => {
    if (event.target.matches?.("[data-unasked]")) event.stopPropagation();
  }, true);

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) return sayLoggedOut(event.detail.xhr.responseURL);
  const { status } = event.detail.xhr;
  toast(said(event.detail.xhr) ?? WHY[status] ?? "That did not work, and the fault is ours. Try again in a moment.");
});
document.addEventListener("htmx:sendError", () => toast("No connection. What you typed is still here; try again in a moment."));
