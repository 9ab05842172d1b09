"""The hub: one subscription and one drawing for all who watch the same page in this process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from typing import Protocol

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from dispatcher.drawings import Drawing
from dispatcher.tally import PAGES

logger = logging.getLogger(__name__)

AT_MOST_EVERY = 0.25  # seconds between two drawings
AGAIN_WHILE_OPEN = 2.0  # seconds after which it is drawn again unasked: a lost signal heals itself
AGAIN_WHEN_OVER = 10.0
SUBSCRIBE_AGAIN = 5.0


class LivePage(Protocol):
    """What can be watched. Equal pages are drawn once."""

    @property
    def group(self) -> str: ...

    def draw(self, last: Drawing | None, changed: Collection[int]) -> Drawing | None: ...


class Viewer:
    """One browser: what it was sent last, and what waits to be sent. A newer fragment replaces a waiting one."""

    def __init__(self, room: "Room") -> None:
        self.room = room
        self.sent: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self.is_gone = False
        self.something = asyncio.Event()

    def offer(self, drawing: Drawing) -> None:
        """Put what this viewer has not seen yet into the queue; never waits."""
        if drawing.frame and list(self.sent) != list(drawing.fragments):
            self.waiting = {"": drawing.frame}
        else:
            news = {key: html for key, html in drawing.fragments.items() if self.sent.get(key) != html}
            self.waiting.update(news)
        self.sent = drawing.fragments
        if self.waiting:
            self.something.set()

    def forget(self) -> None:
        """The page may have been changed by something else: draw all of it again."""
        self.sent = {}
        self.room.draw_all()

    def dismiss(self) -> None:
        """What is watched no longer exists."""
        self.is_gone = True
        self.something.set()

    async def frames(self) -> AsyncIterator[str]:
        """Frame after frame, until there is nothing to watch any more."""
        while True:
            await self.something.wait()
            self.something.clear()
            frame, self.waiting = "".join(self.waiting.values()), {}
            if frame:
                PAGES.add("pushes")
                yield frame
            if self.is_gone:
                return


class Room:
    """All viewers of one page: listens for signals, draws, hands out."""

    def __init__(self, page: LivePage) -> None:
        self.page = page
        self.viewers: set[Viewer] = set()
        self.news = asyncio.Event()
        self.changed: set[int] = set()
        self.everything = True
        self.last: Drawing | None = None
        self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._draw())]

    def draw_all(self) -> None:
        self.everything = True
        self.news.set()

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def _draw(self) -> None:
        """Draw, hand out, wait for news: the last change of a burst is always drawn, since news is cleared first."""
        while not is_closed():
            self.news.clear()
            # Who comes during a drawing waits for the next one: this one may be older than his page.
            watching = list(self.viewers)
            last, self.everything = None if self.everything else self.last, False
            changed, self.changed = self.changed, set()
            try:
                self.last = await database_sync_to_async(self.page.draw)(last, changed)
                PAGES.add("drawings")
            except Exception:
                logger.exception("could not draw %s", self.page)
                self.everything = True
            else:
                for viewer in watching:
                    viewer.offer(self.last) if self.last else viewer.dismiss()
            await asyncio.sleep(AT_MOST_EVERY)
            await self._news()

    async def _news(self) -> None:
        again = AGAIN_WHILE_OPEN if self.everything or (self.last and self.last.is_open) else AGAIN_WHEN_OVER
        try:
            async with asyncio.timeout(again):
                await self.news.wait()
        except TimeoutError:
            self.everything = True

    async def _listen(self) -> None:
        """Subscribe, and again after any trouble; without Redis the page lives on by its own clock."""
        while not is_closed():
            try:
                await self._subscribed()
            except Exception as error:
                logger.warning("no signals for %s: %s", self.page, error)
            else:
                return
            await asyncio.sleep(SUBSCRIBE_AGAIN)

    async def _subscribed(self) -> None:
        layer = get_channel_layer()
        async with asyncio.timeout(5):
            channel = await layer.new_channel()
            await layer.group_add(self.page.group, channel)
        try:
            self.draw_all()  # what changed while nobody listened
            while not is_closed():
                message = await layer.receive(channel)
                self.changed.add(message["campaign"])
                self.news.set()
        finally:
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await layer.group_discard(self.page.group, channel)


def is_closed() -> bool:
    """Whether this task was cancelled, though a library may have swallowed that or died of tidying up for it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Hub:
    """The rooms of this process; an empty one is closed at once."""

    def __init__(self) -> None:
        self.rooms: dict[LivePage, Room] = {}

    def join(self, page: LivePage) -> Viewer:
        room = self.rooms.get(page)
        if room is None:
            room = self.rooms[page] = Room(page)
        viewer = Viewer(room)
        room.viewers.add(viewer)
        room.draw_all()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        room = viewer.room
        room.viewers.discard(viewer)
        if not room.viewers and self.rooms.get(room.page) is room:
            del self.rooms[room.page]
            room.close()


hub = Hub()
