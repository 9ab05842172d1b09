"""The threads that requests are answered in: kept, and with each its connection to PostgreSQL.

To open a connection takes a third of an ordinary request.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import close_old_connections, connections

KEPT = 10  # threads, and so connections, of a web process that has nothing to do


class InKeptThreads:
    """An ASGI application that gives each request a thread of its own for as long as it lasts."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.resting: list[ThreadPoolExecutor] = []  # each of one thread; the one used last is used next

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":  # a socket asks now and then, in the one thread of all sockets
            await self.application(scope, receive, send)
            return
        thread = self.resting.pop() if self.resting else ThreadPoolExecutor(1, "request")
        async with ThreadSensitiveContext(executor=thread):
            try:
                await self.application(scope, receive, send)
            finally:
                # Behind what still goes on there for a request that nobody waits for any more. It is waited for here:
                # that may still have an answer to give, also when the server is told to stop.
                last = asyncio.wrap_future(thread.submit(close_old_connections))
                last.add_done_callback(lambda done: self._rest(thread, done))
                await asyncio.shield(last)

    def _rest(self, thread: ThreadPoolExecutor, done: asyncio.Future) -> None:
        if len(self.resting) < KEPT and not done.exception():
            self.resting.append(thread)
        else:
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)
