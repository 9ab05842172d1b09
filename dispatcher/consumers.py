"""The live half of the pages: one WebSocket per page, fed by the hub, open for as long as its user may look."""

import asyncio
import itertools
import logging
from types import SimpleNamespace
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import QueryDict

from accounts.access import membership_of, user_of
from accounts.models import Membership
from dispatcher.drawings import CampaignPage, ListPage
from dispatcher.hub import LivePage, Viewer, hub
from dispatcher.place import Place
from dispatcher.tally import PAGES

logger = logging.getLogger(__name__)

CHECK_EVERY = 60  # seconds
GOLDEN = 0.618034  # its multiples, less the whole turns, lie evenly spread however many there are
# Only after these codes the page does not come back by itself.
NOT_ALLOWED, GONE = 4403, 4404
COME_BACK = 1012


_came = itertools.count(1)


def first_pause(check_every: float) -> float:
    """Seconds until a new viewer is looked at: those who came together, after a restart, are not all checked at once.

    The checks wait in the same line as the drawings.
    """
    return check_every * (next(_came) * GOLDEN % 1)


class Watcher(AsyncWebsocketConsumer):
    """Sends the fragments of one page whenever they change; whatever comes in asks for all of them again."""

    # No channel of its own for each browser: the hub listens for all.
    channel_layer_alias = "none"
    check_every = CHECK_EVERY

    def find(self, membership: Membership) -> LivePage:
        """The page that is watched, as this member sees it. Raises PermissionDenied."""
        raise NotImplementedError

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        self.viewer: Viewer | None = None
        self.tasks: list[asyncio.Task] = []
        try:
            await super().__call__(scope, receive, send)
        finally:
            for task in self.tasks:
                task.cancel()
            if self.viewer:
                hub.leave(self.viewer)

    async def connect(self) -> None:
        try:
            page = await self.look()
        except PermissionDenied:
            await self.close()
            return
        await self.accept()
        self.viewer = hub.join(page)
        self.tasks = [asyncio.create_task(self.push(self.viewer)), asyncio.create_task(self.keep_looking(page))]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.viewer:
            self.viewer.forget()

    async def push(self, viewer: Viewer) -> None:
        async for frame in viewer.frames():
            await self.send(text_data=frame)
        await self.close(GONE)

    async def keep_looking(self, page: LivePage) -> None:
        """Close once the user is logged out or shut out; with another role the page comes back as another one."""
        code, pause = None, first_pause(self.check_every)
        while code is None:
            await asyncio.sleep(pause)
            pause = self.check_every
            try:
                code = None if await self.look() == page else COME_BACK
            except PermissionDenied:
                code = NOT_ALLOWED
            except DatabaseError as error:  # asked again in a minute
                logger.warning("could not check who watches %s: %s", page, error)
        await self.close(code)

    @database_sync_to_async
    def look(self) -> LivePage:
        """The page as the user of this session may see it now. Raises PermissionDenied."""
        request: Any = SimpleNamespace(session=SessionStore(self.scope["session"].session_key), META={})
        request.user = user_of(request)
        PAGES.write_if_due()
        return self.find(membership_of(request))


class WatchCampaign(Watcher):
    def find(self, membership: Membership) -> LivePage:
        pk = self.scope["url_route"]["kwargs"]["pk"]
        if not membership.workspace.campaigns.filter(pk=pk).exists():
            raise PermissionDenied
        return CampaignPage.seen_by(pk, membership.role)


class WatchList(Watcher):
    def find(self, membership: Membership) -> LivePage:
        query = QueryDict(self.scope["query_string"])
        return ListPage(membership.workspace_id, Place.asked(query))


class WatchNothing(AsyncWebsocketConsumer):
    """Turns away whoever knocks at an address that is none."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close()
