"""Weighing an answer that may be meant for one recipient or for everybody: told by what the others hear meanwhile."""

import asyncio
from contextlib import suppress

import aiosmtplib

from dispatcher.senders.parcel import Busy, Refused, Unreachable
from dispatcher.senders.smtp_replies import may_be_said_to_all, not_taken, of_all

SECONDS = 2.0  # for which one waits to hear of the others
TOO_MANY = 20  # turned away in a row: then it no longer counts that somebody was accepted before
FEW = 2  # who are turned away with no other to compare may be odd addresses
PATIENCE = 10  # hand-overs after which those few are believed to be


class Weighing:
    """What became of the mails of one sender lately."""

    def __init__(self) -> None:
        self._accepts = asyncio.Event()
        self._in_a_row = 0

    def accepted(self) -> None:
        self._in_a_row = 0
        self._accepts.set()

    async def verdict(self, reply: aiosmtplib.SMTPResponse, phase: str, tries: int) -> Busy | Refused:
        """What the answer makes of a mail that was handed over this often before."""
        own = not_taken(reply, phase)
        is_clear = isinstance(own, Unreachable) or own.category == "rate_limited"
        if is_clear or not may_be_said_to_all(reply, phase):
            return own
        self._in_a_row += 1
        if self._in_a_row >= TOO_MANY:
            self._accepts.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                await self._accepts.wait()
        is_odd = self._in_a_row <= FEW and tries >= PATIENCE
        return own if self._accepts.is_set() or is_odd else of_all(reply)
