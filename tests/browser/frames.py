"""What a live page was told: every frame of its socket is read, and must tell the truth."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import Page

SUM = re.compile(r'<p class="sum">(.*?)</p>', re.DOTALL)
NUMBER = re.compile(r"<b>([\d,]+)</b>")
DONE = re.compile(r'aria-valuemax="(\d+)" aria-valuenow="(\d+)"')


@dataclass
class Heard:
    """The frames of a page's socket."""

    frames: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, page: Page) -> "Heard":
        """Begin to listen; the page must not be open yet."""
        heard = cls()
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.frames.append(frame)))
        return heard

    def books(self) -> list[list[int]]:
        """The sums that were shown: total, sent, failed, skipped, waiting, cancelled, unknown."""
        found = [SUM.search(frame) for frame in self.frames]
        sums = [[int(n.replace(",", "")) for n in NUMBER.findall(one[1])] for one in found if one]
        return [one for one in sums if one[0]]

    def done(self) -> list[int]:
        """How many were done, frame by frame, on a page or card of one campaign."""
        found = [DONE.search(frame) for frame in self.frames]
        return [int(one[2]) for one in found if one and one[1] != "0"]


def never_falls(numbers: list[int]) -> bool:
    return numbers == sorted(numbers)
