// Where a time to start stands, the seconds until then, by the server's clock.
"use strict";

const ahead = Date.now() - 1000 * document.getElementById("live").dataset.now; // of a clock that goes wrong, or far away

function countDown() {
  for (const element of document.querySelectorAll("[data-starts-at]")) {
    const left = Math.ceil(element.dataset.startsAt - (Date.now() - ahead) / 1000);
    const words = left > 0 ? `Starts in ${left} s.` : "Starting.";
    if (element.textContent !== words) element.textContent = words;
  }
}

countDown();
setInterval(countDown, 250);
for (const name of ["htmx:oobAfterSwap", "htmx:wsAfterMessage"]) document.addEventListener(name, countDown);
