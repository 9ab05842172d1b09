"""What is told below the field in which a text message is written: characters, parts, and what makes them more."""

import json
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import Workspace
from campaigns.faults import LONGEST
from campaigns.footer import footer_of, links_of
from campaigns.models import Campaign, Source
from campaigns.parts import GSM, TWO_PLACES, Weight, weight_of
from campaigns.personalise import Text
from campaigns.rendering import Renderer
from campaigns.simpler import Forced, forced_by, is_worth_it
from campaigns.weighing import Weighed, in_chunks
from people.channels import Channel
from people.links import Purpose
from people.models import UNSUBSCRIBE_LINK, Recipient

LOOKED_AT = 200  # people whose own words are tried while somebody types
NAMED = 6  # signs named; a text in another script has many


@dataclass(frozen=True)
class Count:
    """`typed` is what stands there without anybody's own words, `below` the line that is added, its link filled in."""

    channel: Channel
    body: str
    typed: Weight
    forced: list[Forced]
    below: str
    link: str
    weighed: Weighed
    is_personal: bool

    @property
    def is_sms(self) -> bool:
        return self.channel == Channel.SMS

    @property
    def limit(self) -> int:
        return LONGEST[self.channel]

    @property
    def too_many(self) -> int:
        return max(0, len(self.body) - self.limit)

    @property
    def line(self) -> str:
        """The same words as counter.js writes while somebody types."""
        if self.too_many:
            return f"{len(self.body):,} characters, {self.too_many:,} more than a message holds"
        if not self.is_sms:
            return f"{len(self.body):,} of {self.limit:,} characters"
        encoding, used, parts, left = self.typed
        if parts == 1:
            return f"{used:,} of {encoding.alone} characters · {encoding.label} · 1 part as typed"
        return f"{used:,} characters · {encoding.label} · {parts} parts as typed, {left} left in the last"

    @property
    def is_everybody(self) -> bool:
        """Whether nobody but those looked at is chosen."""
        return self.weighed.people < LOOKED_AT

    @property
    def heavier(self) -> int:
        """How many of those looked at get more parts than were typed."""
        return sum(people for parts, people in self.weighed.by_parts.items() if parts > self.typed.parts)

    @property
    def named(self) -> list[Forced]:
        return self.forced[:NAMED]

    @property
    def blamed(self) -> list[tuple[str, str]]:
        """The signs in people's own words that make their texts Unicode, with the fields they stand in."""
        signs = [(sign, fields) for sign, fields in self.weighed.forced.items() if sign.isprintable()]
        return [(sign, " and ".join(f"{{{name}}}" for name in fields)) for sign, fields in signs[:NAMED]]

    @property
    def can_be_simpler(self) -> bool:
        return is_worth_it(self.forced)

    @property
    def simpler(self) -> str:
        """By character, what its button writes instead."""
        return json.dumps({each.character: each.instead for each in self.forced})

    @property
    def lasting(self) -> list[Forced]:
        """The signs that nothing can stand for."""
        return [each for each in self.forced if each.instead is None][:NAMED]

    @property
    def alphabet(self) -> str:
        """For counter.js; what takes one place."""
        return "".join(sorted(GSM))

    @property
    def twice(self) -> str:
        """For counter.js; what takes two."""
        return "".join(sorted(TWO_PLACES))


def count_of(
    workspace: Workspace,
    channel: Channel,
    body: str,
    people: QuerySet[Recipient],
    campaign: Campaign | None,
    is_templated: bool = False,
) -> Count:
    """The numbers of a text as it stands in its form, with the own words of the first of these people."""
    links = links_of(campaign, channel)
    link, footer = links.dead(Purpose.PAGE), footer_of(workspace, channel, is_templated=is_templated)
    text = body if UNSUBSCRIBE_LINK in Text(body).names else body + footer
    renderer, weighed = Renderer(channel, {(0, ""): Source("", body)}, footer), Weighed()
    if body.strip() and channel != Channel.EMAIL:
        weighed.take(renderer, next(in_chunks(renderer, people, links, size=LOOKED_AT), []))
    return Count(
        channel=channel,
        body=body,
        typed=weight_of(Text(text).filled_for({UNSUBSCRIBE_LINK: link})),
        forced=forced_by(body),
        below=Text(footer).filled_for({UNSUBSCRIBE_LINK: link}),
        link=link,
        weighed=weighed,
        is_personal=any(name != UNSUBSCRIBE_LINK for name in renderer.names),
    )
