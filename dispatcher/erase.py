"""Erase: nothing tells of a person any more, and every message they got keeps its place in the books.

What waits for them is skipped by the engine, as it finds nobody to write to. Their addresses stay on the suppression
list as digests, so that no list brings them back.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from accounts import audit_log, once
from accounts.models import Actor, User, Workspace
from campaigns import linking
from campaigns.models import Campaign
from dispatcher.crash import crash_point
from dispatcher.models import Attempt, Erasure, Message, Trial
from people import erased, segment_traces, traces
from people.models import Recipient, Suppression
from people.suppression import suppress
from people.traces import Traces
from simulator.forget import blank
from wires import live, queue

RACES = 5  # how often a launch that freezes this very person meanwhile, or a deadlock, may come between
# What tells of the person; the key stays, so that the ledgers can be compared.
BLANK_MESSAGES = """
    UPDATE dispatcher_message
    SET recipient_id = NULL, address = NULL, fields = '{}', last_error = '', provider_id = '',
        digest = NULL
    WHERE id = ANY(%s)
"""
BLANK_ATTEMPTS = "UPDATE dispatcher_attempt SET error = '' WHERE message_id = ANY(%s) AND error <> ''"


class Overtaken(Exception):
    """A campaign froze the person meanwhile, or they have another address: look again."""


@dataclass(frozen=True)
class Theirs:
    """What a person got or is to get: messages that are in the tables, and their campaigns."""

    messages: list[int]
    waiting: list[int]
    campaigns: set[int]
    addresses: set[str]

    @classmethod
    def of(cls, person: Recipient) -> "Theirs":
        rows = list(Message.objects.filter(recipient=person).values_list("pk", "status", "campaign", "address"))
        waiting = [pk for pk, status, *_ in rows if status == Message.Status.PENDING]
        addresses = erased.addresses_of(person, (address or "" for *_, address in rows))
        return cls([pk for pk, *_ in rows], waiting, {campaign for *_, campaign, _ in rows}, addresses)


def erase(person: Recipient, *, by: Actor | None) -> Erasure:
    """Erase the person for good; what stands in files of messages follows within minutes.

    Killed before it is done nothing has changed. Raises erased.StillImported, which changes nothing, and
    Recipient.DoesNotExist when somebody was faster.
    """
    for _ in range(RACES):
        try:
            return _erase(person, traces_of(person), by=by)
        except (Overtaken, IntegrityError):
            continue
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    return _erase(person, traces_of(person), by=by)


def traces_of(person: Recipient) -> Traces:
    """What lists keep of them: looked for before anything is held, as there may be millions of rows."""
    person.refresh_from_db()
    return traces.find(person, Theirs.of(person).addresses)


@transaction.atomic
def _erase(person: Recipient, found: Traces, *, by: Actor | None) -> Erasure:
    # In the order in which others lock: an import holds the workspace, the engine campaigns before their messages.
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=person.workspace_id)
    erased.refuse_while_importing(workspace)
    seen = Theirs.of(person)
    traces.forget(person, found, by=by)
    campaigns = _held(seen.campaigns)
    person = Recipient.objects.select_for_update().get(pk=person.pk, workspace=workspace)
    theirs = Theirs.of(person)
    if theirs.campaigns - campaigns.keys() or (theirs.addresses | seen.addresses) - found.addresses:
        raise Overtaken
    forget_messages(theirs.messages)
    Trial.objects.filter(workspace=workspace, address__in=theirs.addresses | seen.addresses).delete()
    erased.forget_wishes(person)
    once.forget_of(workspace)
    linking.forget(workspace, theirs.addresses | seen.addresses)
    segment_traces.forget(workspace, theirs.addresses | seen.addresses, by=by)
    Recipient.objects.filter(pk=person.pk).delete()
    for address in sorted(theirs.addresses | seen.addresses):
        suppress(workspace, address, reason=Suppression.Reason.ERASED, by=by)
    erasure = Erasure.objects.create(
        workspace=workspace,
        person=person.pk,
        messages=len(theirs.messages),
        in_hand=theirs.waiting,
        by=by if isinstance(by, User) else None,
    )
    after = {"messages": len(theirs.messages), "waiting": len(theirs.waiting)}
    audit_log.record(workspace, "erase", person, by=by, after=after)
    for campaign in campaigns:
        live.changed(campaign, workspace.pk)
    queue.ask_to_forget()
    crash_point("before_erased")
    return erasure


def _held(campaigns: Iterable[int]) -> dict[int, Campaign]:
    """These campaigns, held: no worker settles anything of them before this is over."""
    return Campaign.objects.select_for_update(no_key=True).order_by("pk").in_bulk(list(campaigns))


def forget_messages(messages: list[int]) -> None:
    """Take out of these messages, their attempts and the simulated provider's memory whom they were for."""
    with connection.cursor() as cursor:
        cursor.execute(BLANK_ATTEMPTS, [messages])  # first, as whoever moves messages to a file removes them
        cursor.execute(BLANK_MESSAGES, [messages])
        cursor.execute(BLANK_ATTEMPTS, [messages])  # those that a worker wrote while we waited
    forget_calls(messages)


def forget_calls(messages: list[int]) -> None:
    """The simulated provider's memory alone, to which the calls under way are added later."""
    blank(Message.objects.filter(pk__in=messages).values("key"))
    blank(Attempt.objects.filter(message__in=messages).values("key"))
