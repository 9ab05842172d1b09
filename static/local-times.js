// Beside a time in the zone of a campaign, what the clock of whoever reads it will show, where that differs.
"use strict";

function shown(at, timeZone) {
  const day = at.toLocaleDateString("en-GB", { timeZone, weekday: "long", day: "numeric", month: "long" });
  return [day, at.toLocaleTimeString("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" })];
}

for (const element of document.querySelectorAll("time.for-you")) {
  const at = new Date(element.dateTime);
  const [day, time] = shown(at);
  const [itsDay, itsTime] = shown(at, element.dataset.zone);
  if (day !== itsDay) element.textContent = ` (${day}, ${time} for you)`;
  else if (time !== itsTime) element.textContent = ` (${time} for you)`;
}
