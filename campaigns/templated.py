"""Campaigns that say what a WhatsApp template says: the text it becomes, and whether each person's words fit in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from campaigns.models import Campaign, WhatsAppSettings, WhatsAppTemplate
from campaigns.models.whatsapp import VARIABLE
from campaigns.personalise import Text
from people.channels import Channel

LONGEST = 1024  # characters of the text, its variables filled in
NAMED = 20  # people named of each reason
BREAK = re.compile(r"[\n\r\t]")
SPACES = re.compile(" {5,}")


class Unfit(StrEnum):
    """Why the provider would refuse the message to one person (error 132018 and its like)."""

    EMPTY = "nothing to put"
    BREAK = "a line break or a tab"
    SPACES = "more than four spaces in a row"
    LONG = f"a text of more than {LONGEST:,} characters"


def composed(template: WhatsAppTemplate, values: Mapping[str, str]) -> str:
    """What a person reads: header, text and footer, with what was chosen in place of each variable."""
    body = VARIABLE.sub(lambda found: values.get(found[1], ""), template.body)
    return "\n\n".join(part for part in (template.header, body, template.footer) if part)


def why_not(campaign: Campaign) -> str:
    """A sentence, where this campaign cannot be sent by WhatsApp as things stand; else nothing."""
    if campaign.channel != Channel.WHATSAPP:
        return ""
    template = campaign.whatsapp_template
    if template is None:
        needs = WhatsAppSettings.of(campaign.workspace).needs_template
        return "This workspace sends WhatsApp messages by approved templates only; choose one." if needs else ""
    if sentence := unapproved(campaign):
        return sentence
    if campaign.generated_words or campaign.wordings.exists():
        return (
            f"The WhatsApp template “{template}” says the same to everybody: take away the variants, "
            "the other languages and the generated words."
        )
    if campaign.body != composed(template, campaign.whatsapp_values):
        return f"The WhatsApp template “{template}” says something else by now; open the campaign and save it again."
    return ""


def unapproved(campaign: Campaign) -> str:
    """A sentence, where the provider has not approved its template, or does no longer; else nothing."""
    template = campaign.whatsapp_template
    if template is None or template.is_approved:
        return ""
    return f"The WhatsApp template “{template}” is {template.get_status_display()}; only approved ones may be sent."


@dataclass
class Misfits:
    """How many messages the provider would refuse, by variable and reason, and some of whose they are."""

    refused: int = 0
    by_reason: dict[tuple[str, Unfit], int] = field(default_factory=dict)
    whose: dict[tuple[str, Unfit], list[int]] = field(default_factory=dict)

    def add(self, person: int, faults: Iterable[tuple[str, Unfit]]) -> None:
        self.refused += 1
        for fault in faults:
            self.by_reason[fault] = self.by_reason.get(fault, 0) + 1
            named = self.whose.setdefault(fault, [])
            if len(named) < NAMED:
                named.append(person)

    @property
    def sentence(self) -> str:
        """Empty where everything fits."""
        if not self.refused:
            return ""
        reasons = "; ".join(f"{told(fault)}: {count:,}" for fault, count in self.by_reason.items())
        who = "1 person" if self.refused == 1 else f"{self.refused:,} people"
        return (
            f"WhatsApp would refuse the message to {who} ({reasons}). Mend their data, leave them out, "
            "or say in the campaign what stands there instead, as in {first_name|there}."
        )

    @property
    def rows(self) -> list[tuple[str, int, list[int]]]:
        """For each reason its words, how many people, and some of them."""
        return [(told(fault), count, self.whose[fault]) for fault, count in self.by_reason.items()]

    def as_json(self) -> dict[str, Any]:
        """To be kept between two turns; `of_json` reads it back."""
        faults = [[name, unfit.name, count, self.whose[name, unfit]] for (name, unfit), count in self.by_reason.items()]
        return {"refused": self.refused, "faults": faults}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Misfits":
        found = cls(kept["refused"])
        for name, unfit, count, whose in kept["faults"]:
            found.by_reason[name, Unfit[unfit]] = count
            found.whose[name, Unfit[unfit]] = whose
        return found


def told(fault: tuple[str, Unfit]) -> str:
    name, reason = fault
    return f"{reason} in {{{{{name}}}}}" if name else str(reason)


def misfits(
    campaign: Campaign, people: Iterable[tuple[int, Mapping[str, object]]], found: Misfits | None = None
) -> Misfits:
    """Whose own words the template of this campaign cannot take, beside those who were found before.

    `people` are ids with what the text may ask.
    """
    found = found or Misfits()
    texts = {name: Text(value) for name, value in campaign.whatsapp_values.items()}
    for name in campaign.whatsapp_template.variables if campaign.whatsapp_template else ():
        texts.setdefault(name, Text(""))
    whole = Text(campaign.body)
    for person, values in people:
        if faults := list(_faults(texts, whole, values)):
            found.add(person, faults)
    return found


def _faults(texts: Mapping[str, Text], whole: Text, values: Mapping[str, object]) -> Iterator[tuple[str, Unfit]]:
    for name, text in texts.items():
        word = text.filled_for(values)
        if not word.strip():
            yield name, Unfit.EMPTY
        if BREAK.search(word):
            yield name, Unfit.BREAK
        if SPACES.search(word):
            yield name, Unfit.SPACES
    if len(whole.filled_for(values)) > LONGEST:
        yield "", Unfit.LONG
