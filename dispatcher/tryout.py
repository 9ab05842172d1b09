"""Sending a test: one message by the real sender, outside the books, with the answer in plain words."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from accounts import audit_log
from accounts.models import Actor, Workspace
from dispatcher.choose import trouble_of, try_again
from dispatcher.chosen import Chosen, chosen_sender
from dispatcher.models import Trial
from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused, Sender, Unreachable, Unsure
from people.channels import Channel

logger = logging.getLogger(__name__)
SECONDS = 15
GOODBYE_SECONDS = 1
AT_ONCE = 10


@dataclass(frozen=True)
class Answer:
    """Whether the provider accepted the test, and the sentence that tells about it."""

    accepted: bool
    sentence: str
    is_heard: bool = True

    @property
    def outcome(self) -> Trial.Outcome:
        """As it is kept of the test of a campaign."""
        if not self.is_heard:
            return Trial.Outcome.NOT_HEARD
        return Trial.Outcome.ACCEPTED if self.accepted else Trial.Outcome.REFUSED


def send_test(workspace: Workspace, channel: Channel, to: str, *, by: Actor) -> Answer:
    """Hand one message to this address over, and wait for the answer at most SECONDS. No transaction is open."""
    chosen = chosen_sender(workspace.pk, channel)
    text = f"This is a test of {workspace} on Campaign Dispatcher, asked for by {by}. It needs no answer."
    subject = f"Test of {workspace}" if channel == Channel.EMAIL else ""
    parcel = Parcel(str(uuid.uuid4()), channel.word, to, chosen.mailbox, subject, text)
    (outcome,) = hand_over(chosen, [parcel])
    answer = in_words(outcome, chosen, to)
    facts = {"channel": channel.word, "sender": chosen.sender, "to": "hidden", "accepted": answer.accepted}
    audit_log.record(workspace, "send_test", workspace, by=by, after=facts)
    if not isinstance(outcome, Unreachable) and trouble_of(chosen.lane):
        try_again(workspace, channel)  # it can be reached again, and the campaigns need not wait to find out
    return answer


def hand_over(chosen: Chosen, parcels: Sequence[Parcel]) -> list[object]:
    """Of each of these the receipt, or what was raised, after SECONDS at the latest. No transaction is open."""
    return asyncio.run(_hand_over(chosen, parcels)) if parcels else []


async def _hand_over(chosen: Chosen, parcels: Sequence[Parcel]) -> list[object]:
    silence = Unsure(f"no answer within {SECONDS} s")
    ends = asyncio.get_running_loop().time() + SECONDS
    try:
        sender = chosen.make(is_a_test=True)
        async with asyncio.timeout_at(ends):
            await sender.__aenter__()
    except TimeoutError:
        return [silence] * len(parcels)
    except Exception as error:
        return [_told(error, chosen)] * len(parcels)
    turn = asyncio.Semaphore(sender.at_once or AT_ONCE)
    calls = [asyncio.ensure_future(_call(sender, parcel, turn, chosen)) for parcel in parcels]
    done, late = await asyncio.wait(calls, timeout=ends - asyncio.get_running_loop().time())
    for call in late:
        call.cancel()
    closing = asyncio.ensure_future(sender.__aexit__(None, None, None))
    await asyncio.wait([closing], timeout=GOODBYE_SECONDS)
    return [call.result() if call in done else silence for call in calls]


async def _call(sender: Sender, parcel: Parcel, turn: asyncio.Semaphore, chosen: Chosen) -> object:
    async with turn:
        try:
            return await sender.send(parcel)
        except Exception as error:
            return _told(error, chosen)


def _told(error: Exception, chosen: Chosen) -> Exception:
    if not isinstance(error, Busy | Refused | Unsure):
        logger.error("a test by the sender %s failed", chosen.sender, exc_info=error)
    return error


def in_words(outcome: object, chosen: Chosen, to: str) -> Answer:
    """What to tell the person who pressed the button, and what to do next."""
    if isinstance(outcome, Receipt):
        if chosen.sender == "simulated":
            sentence = "The simulated provider accepted the test. Nothing left this machine."
        else:
            where = "Look into the inbox, and among the spam." if chosen.channel == Channel.EMAIL else ""
            sentence = f"The test to {to} was accepted. {where}".strip()
        return Answer(True, sentence)
    if isinstance(outcome, Unreachable):
        return Answer(False, str(outcome))
    who = "The simulated provider" if chosen.sender == "simulated" else "The provider"
    if isinstance(outcome, Busy):
        return Answer(False, f"{who} did not take the test now: {_stop(outcome)} Try again in a while.")
    if isinstance(outcome, Refused):
        return Answer(
            False, f"{who} refused the test: {_stop(outcome)} Check the address, and in whose name you write."
        )
    if isinstance(outcome, Unsure):
        sentence = f"The test was handed over, but the answer was not heard: {_stop(outcome)} It may arrive."
        return Answer(False, sentence, is_heard=False)
    return Answer(False, "The sender failed in a way nobody foresaw; the log of the web server says more.")


def _stop(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."
