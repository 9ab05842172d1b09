"""What a person wishes and how they can be reached, as people read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from people.channels import Channel
from people.models import ConsentEvent, Recipient, Suppression
from people.suppression import digest_of

LATELY = 50  # events shown
# By what an event keeps of where it came from; of several that fit the first is said.
EVIDENCE = {
    frozenset({"import", "line"}): "Line {line:,} of import {import}",
    frozenset({"text"}): "They wrote “{text}”",
    frozenset({"complaint"}): "The provider calls the complaint {complaint}",
    frozenset({"link", "name"}): "By the link in “{name}”",
    frozenset({"link"}): "By the link in a message",
}
Wish = ConsentEvent.Wish


@dataclass(frozen=True)
class Standing:
    """Whether a person is written to on one channel, or why not; `channel` is None for all of them together."""

    channel: Channel | None
    address: str
    is_refused: bool
    suppressed: Suppression | None = None

    @property
    def name(self) -> str:
        return self.channel.label if self.channel else "Every channel"

    @property
    def word(self) -> str:
        """As forms say it."""
        return self.channel.word if self.channel else ""

    @property
    def words(self) -> str:
        if self.is_refused:
            return "opted out"
        if self.suppressed:
            return "suppressed"
        return "gets messages" if self.address else "no address"

    @property
    def badge(self) -> str:
        return {"gets messages": "sent", "no address": "draft"}.get(self.words, "skipped")


def standings_of(person: Recipient) -> list[Standing]:
    """Of each channel, and first of all of them together where the person wants nothing at all."""
    suppressed = suppressions_of(person)
    each = [_standing(person, channel, suppressed) for channel in Channel]
    everything = [Standing(None, person.email or person.phone, True)] if person.opted_out else []
    return everything + each


def _standing(person: Recipient, channel: Channel, suppressed: dict[str, Suppression]) -> Standing:
    address = getattr(person, channel.address_field)
    return Standing(channel, address, person.refuses(channel), suppressed.get(address))


def suppressions_of(person: Recipient) -> dict[str, Suppression]:
    """By address."""
    digests = {digest_of(address): address for address in (person.email, person.phone) if address}
    rows = person.workspace.suppressions.filter(digest__in=[*digests])
    return {digests[bytes(row.digest)]: row for row in rows}


@dataclass(frozen=True)
class Told:
    """One event of consent: what was wished, how it came, and what shows that."""

    event: ConsentEvent

    @property
    def at(self) -> datetime:
        return self.event.at

    @property
    def words(self) -> str:
        """Opted out of SMS by a reply; left the group Customers on the preference page."""
        event = self.event
        if event.group:
            what = f"Left {event.group}" if event.wish == Wish.OUT else f"Joined {event.group} again"
        elif event.is_about_a_group:
            what = "Left a group that is deleted" if event.wish == Wish.OUT else "Joined a group again that is deleted"
        else:
            what = f"Opted {'out of' if event.wish == Wish.OUT else 'in to'} {self._channel}"
        return f"{what} {event.get_how_display()}"

    @property
    def _channel(self) -> str:
        return Channel(self.event.channel).label if self.event.channel else "everything"

    @property
    def who(self) -> str:
        """Who wrote it down, where that was not the person."""
        event = self.event
        return f"API key {event.key}" if event.key else str(event.by or "")

    @property
    def evidence(self) -> str:
        """What shows that it came like this: Line 3 of import 12."""
        known = {name: value for name, value in self.event.evidence.items() if value not in ("", None)}
        return next((words.format(**known) for names, words in EVIDENCE.items() if names <= known.keys()), "")

    @property
    def program(self) -> str:
        """What the program calls itself with which the link was opened."""
        return str(self.event.evidence.get("program", ""))


def told_of(person: Recipient, most: int | None = LATELY) -> Iterator[Told]:
    """The events, newest first."""
    return (Told(event) for event in events_of(person).order_by("-pk")[:most])


def events_of(person: Recipient) -> QuerySet[ConsentEvent]:
    """All that they wished, with what tells it in words."""
    return person.consent_events.select_related("by", "key", "group")
