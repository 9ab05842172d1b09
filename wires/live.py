"""The signal "something changed": which campaign, never what. Whoever hears it reads the rows."""

import asyncio
import logging
import os
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)

SIGNAL = "campaign.changed"
EVERYTHING = "campaigns"


def group_of(campaign_id: int) -> str:
    return f"campaign-{campaign_id}"


def changed(campaign_id: int, workspace_id: int) -> None:
    """Tell every page that shows this campaign, once the transaction is committed. Never raises, never waits."""
    transaction.on_commit(lambda: _publisher().tell(campaign_id, workspace_id))


def flush(seconds: float = 1.0) -> None:
    """Wait until what was told has left this process: for one that is about to end."""
    _publisher().flush(seconds)


class _Publisher:
    """One thread with an event loop of its own, so that synchronous code tells without waiting for Redis."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.last: Future | None = None
        threading.Thread(target=self.loop.run_forever, name="live", daemon=True).start()

    def tell(self, campaign_id: int, workspace_id: int) -> None:
        self.last = asyncio.run_coroutine_threadsafe(self._send(campaign_id, workspace_id), self.loop)

    def flush(self, seconds: float) -> None:
        if self.last:
            try:
                self.last.result(seconds)
            except NotYet:
                logger.warning("the last signal is still on its way; pages catch up by themselves")

    async def _send(self, campaign_id: int, workspace_id: int) -> None:
        message = {"type": SIGNAL, "campaign": campaign_id, "workspace": workspace_id}
        try:
            async with asyncio.timeout(2):
                layer = get_channel_layer()
                await layer.group_send(group_of(campaign_id), message)
                await layer.group_send(EVERYTHING, message)
        except Exception as error:  # a page that is not told draws itself again within two seconds
            logger.warning("could not signal campaign %s: %s", campaign_id, error)


_lock = threading.Lock()
_one: _Publisher | None = None


def _publisher() -> _Publisher:
    global _one
    with _lock:
        if _one is None or _one.pid != os.getpid():  # a fork inherits the object but not its thread
            _one = _Publisher()
        return _one
