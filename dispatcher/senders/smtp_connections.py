"""Connections to one mail server: opened when needed, used again, and never more of them than the server takes."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiosmtplib
from django.conf import settings

from dispatcher.senders.parcel import Unreachable
from dispatcher.senders.smtp_replies import not_opened

CONNECTIONS = 20
IDLE_SECONDS = 20  # servers hang up on the idle, many after half a minute
CONNECT_SECONDS = 7
HOLD_OFF = 2.0  # seconds for which one failed connection speaks for all that wait

Done = TypeVar("Done")


class NoRoom(Exception):
    """The server takes no more connections than are open."""


class Connections:
    """Who needs one waits for a place. There is one place at first, and two more for each connection that was made.

    Where the server takes no further one beside those that are open, the place is given up.
    """

    def __init__(self, *, host: str, port: int, security: str, user: str, password: str) -> None:
        self.host, self.port, self.security = host, port, security
        self.user, self.password = user, password
        self._places = asyncio.Semaphore(1)
        self._room = 1  # places there are, free or not
        self._is_full = False
        self._open: set[aiosmtplib.SMTP] = set()  # idle or in use
        self._idle: list[tuple[float, aiosmtplib.SMTP]] = []
        self._fault: tuple[float, Unreachable] | None = None

    async def in_turn(self, do: Callable[[], Awaitable[Done]]) -> Done:
        """Do it when there is a place; once more, with another place, where it raises NoRoom."""
        while True:
            await self._places.acquire()
            try:
                done = await do()
            except NoRoom:
                continue  # without releasing: this place is no more
            except BaseException:
                self._places.release()
                raise
            self._places.release()
            return done

    async def take(self) -> tuple[aiosmtplib.SMTP, bool]:
        """One that is idle, the last used first, or a new one; and whether it is new. Raises Unreachable or NoRoom."""
        while self._idle:
            since, client = self._idle.pop()
            if client.is_connected and time.monotonic() - since < IDLE_SECONDS:
                return client, False
            self.drop(client)
        if self._fault and time.monotonic() - self._fault[0] < HOLD_OFF:
            raise self._fault[1]
        return await self.connect(), True

    async def connect(self) -> aiosmtplib.SMTP:
        """A new one, logged in. Raises Unreachable or NoRoom."""
        client = self._client()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # TimeoutError is an OSError
            self.drop(client)
            await asyncio.sleep(0)  # for the transport to close before a loop that ends with us does
            raise self.no_more(not_opened(error, self.host, self.port)) from error
        except BaseException:
            self.drop(client)
            raise
        self._open.add(client)
        self._fault = None
        for _ in range(2):
            if self._room < CONNECTIONS and not self._is_full:
                self._room += 1
                self._places.release()
        return client

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user or None,
            password=self.password if self.user else None,
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            tls_context=_tls() if self.security != "none" else None,
            timeout=CONNECT_SECONDS,
            local_hostname=settings.SMTP_HELLO or None,
        )

    def no_more(self, fault: Unreachable) -> NoRoom | Unreachable:
        """What to raise where none can be had: beside others that are open, one more was just one too many."""
        if self._room > 1 and any(client.is_connected for client in self._open):
            self._room -= 1
            self._is_full = True
            return NoRoom()
        self._fault = time.monotonic(), fault
        return fault

    def keep(self, client: aiosmtplib.SMTP) -> None:
        """For the next mail."""
        if client.is_connected:
            self._idle.append((time.monotonic(), client))
        else:
            self.drop(client)

    async def reset(self, client: aiosmtplib.SMTP) -> None:
        """Make the server forget a mail that came to nothing, and keep the connection."""
        try:
            async with asyncio.timeout(2):
                await client.rset(timeout=None)
        except (aiosmtplib.SMTPException, OSError):
            self.drop(client)
        except BaseException:
            self.drop(client)
            raise
        else:
            self.keep(client)

    def drop(self, client: aiosmtplib.SMTP) -> None:
        """Hang up without a word: what is still in the buffer must not leave."""
        self._open.discard(client)
        if client.transport is not None:
            client.transport.abort()  # type: ignore[attr-defined]
        client.close()

    async def close(self) -> None:
        """Say goodbye on all that are idle."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._leave(client) for _, client in idle), return_exceptions=True)

    async def _leave(self, client: aiosmtplib.SMTP) -> None:
        try:
            async with asyncio.timeout(1):
                await client.quit(timeout=None)
        finally:
            self.drop(client)


_context: ssl.SSLContext | None = None


def _tls() -> ssl.SSLContext:
    """Certificates are always checked. Made once: reading the list of authorities takes 20 ms."""
    global _context
    if _context is None:
        _context = ssl.create_default_context(cafile=settings.SMTP_CA_FILE or None)
    return _context
