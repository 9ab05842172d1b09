"""Sending a test: one message by the real sender, outside the books, with the answer in plain words."""

import asyncio
import logging
import uuid
from dataclasses import dataclass

from accounts import audit_log
from accounts.models import Actor, Workspace
from dispatcher.choose import trouble_of, try_again
from dispatcher.chosen import Chosen, chosen_sender
from dispatcher.senders.parcel import Busy, Parcel, Receipt, Refused, Unreachable, Unsure
from people.channels import Channel

logger = logging.getLogger(__name__)
SECONDS = 15
GOODBYE_SECONDS = 1


@dataclass(frozen=True)
class Answer:
    """Whether the provider accepted the test, and the sentence that tells about it."""

    accepted: bool
    sentence: str


def send_test(workspace: Workspace, channel: Channel, to: str, *, by: Actor) -> Answer:
    """Hand one message to this address over, and wait for the answer at most SECONDS. No transaction is open."""
    chosen = chosen_sender(workspace.pk, channel)
    text = f"This is a test of {workspace} on Campaign Dispatcher, asked for by {by}. It needs no answer."
    subject = f"Test of {workspace}" if channel == Channel.EMAIL else ""
    parcel = Parcel(str(uuid.uuid4()), channel.word, to, chosen.mailbox, subject, text)
    outcome = asyncio.run(_hand_over(chosen, parcel))
    answer = in_words(outcome, chosen, to)
    facts = {"channel": channel.word, "sender": chosen.sender, "to": "hidden", "accepted": answer.accepted}
    audit_log.record(workspace, "send_test", workspace, by=by, after=facts)
    if not isinstance(outcome, Unreachable) and trouble_of(chosen.lane):
        try_again(workspace, channel)  # it can be reached again, and the campaigns need not wait to find out
    return answer


async def _hand_over(chosen: Chosen, parcel: Parcel) -> object:
    """The receipt, or what was raised."""
    try:
        sender = chosen.make(is_a_test=True)
        async with asyncio.timeout(SECONDS):
            await sender.__aenter__()
            try:
                return await sender.send(parcel)
            finally:
                closing = asyncio.ensure_future(sender.__aexit__(None, None, None))
                await asyncio.wait([closing], timeout=GOODBYE_SECONDS)
    except TimeoutError:
        return Unsure(f"no answer within {SECONDS} s")
    except Exception as error:
        if not isinstance(error, Busy | Refused | Unsure):
            logger.exception("a test by the sender %s failed", chosen.sender)
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
        return Answer(False, f"The test was handed over, but the answer was not heard: {_stop(outcome)} It may arrive.")
    return Answer(False, "The sender failed in a way nobody foresaw; the log of the web server says more.")


def _stop(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."
