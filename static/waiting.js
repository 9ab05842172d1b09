// A button that would be refused for some seconds more counts them; without this it is refused with a sentence.
"use strict";

for (const button of document.querySelectorAll("button[data-wait]")) {
  const words = button.textContent;
  const began = performance.now();
  const count = () => {
    const left = Math.ceil(button.dataset.wait - (performance.now() - began) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${words} in ${left} s` : words;
    if (left > 0) setTimeout(count, 250);
  };
  count();
}
