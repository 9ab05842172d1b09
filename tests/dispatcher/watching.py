"""How tests watch live pages: coroutines run to their end in this thread, sockets opened as a browser would."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

from accounts.models import User
from dispatcher.asgi import application
from dispatcher.hub import Viewer


def watch(coroutine: Coroutine) -> Any:
    """Run a coroutine that watches, then close the database connections of the thread that drew for it."""

    async def run() -> Any:
        try:
            return await coroutine
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(run())


def socket(path: str, user: User | None = None, *, origin: str = "http://localhost", cookie: str = "") -> Any:
    """A browser's socket, of this user or with this session, not connected yet."""
    if user:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    headers = [(b"host", b"localhost"), (b"origin", origin.encode())]
    if cookie:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
    return WebsocketCommunicator(application, path, headers=headers)


async def frames_until(communicator: WebsocketCommunicator, words: str, seconds: float = 5) -> str:
    """The first frame with these words."""
    async with asyncio.timeout(seconds):
        while True:
            frame = await communicator.receive_from(timeout=seconds)
            if words in frame:
                return frame


async def next_frame(viewer: Viewer, seconds: float = 3) -> str:
    async with asyncio.timeout(seconds):
        async for frame in viewer.frames():
            return frame
    raise AssertionError("what was watched is gone")


async def change(verb: Any, *args: Any, **kwargs: Any) -> Any:
    """Do something to the database while watching."""
    return await sync_to_async(verb)(*args, **kwargs)
