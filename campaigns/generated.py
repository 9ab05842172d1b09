"""Words generated for each person: who writes them in a workspace, and what they write for somebody who is shown."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.models import Workspace
from campaigns.models import Campaign, ChosenPersonaliser
from campaigns.personalisers import PERSONALISERS
from campaigns.personalisers.brief import Brief, Person, Personaliser
from campaigns.personalisers.limits import Failed, generated, learnt
from people.channels import Channel
from people.models import placeholders_of

PREVIEW_SECONDS = 2
GENERATED = {name for kind in PERSONALISERS.values() for name in kind.gives}  # what a text may ever ask for
Asked = dict[str, dict[str, Any]]  # by the name of a personaliser, its options


def in_use(workspace: Workspace) -> Asked:
    """The personalisers of the workspace that are on, each with its options."""
    rows = {row.personaliser: row for row in ChosenPersonaliser.objects.filter(workspace=workspace)}
    usual = ChosenPersonaliser()
    chosen = {name: rows.get(name, usual) for name in PERSONALISERS}
    return {name: PERSONALISERS[name].defaults() | row.options for name, row in chosen.items() if row.is_on}


def chosen_of(workspace: Workspace, name: str) -> ChosenPersonaliser:
    """What the workspace has set of this personaliser; one that it never touched is on, as it comes."""
    row = ChosenPersonaliser.objects.filter(workspace=workspace, personaliser=name).first()
    return row or ChosenPersonaliser(workspace=workspace, personaliser=name)


def names_in(workspace: Workspace) -> list[str]:
    """What a text with generated words may ask for here."""
    return list(dict.fromkeys(name for each in in_use(workspace) for name in PERSONALISERS[each].gives))


def known_names(workspace: Workspace, *, generated_words: bool) -> list[str]:
    """All that a text may ask for here."""
    names = placeholders_of(workspace)
    return [*names, *(name for name in names_in(workspace) if name not in names)] if generated_words else names


def asked_for(workspace: Workspace, names: Collection[str]) -> Asked:
    """The personalisers needed for these names of a text; where two give the same, the first."""
    asked: Asked = {}
    left = set(names)
    for each, options in in_use(workspace).items():
        if left & {*PERSONALISERS[each].gives}:
            asked[each] = options
            left -= {*PERSONALISERS[each].gives}
    return asked


def told_to(personaliser: Personaliser | type[Personaliser], values: Mapping[str, object]) -> Person:
    """Of what is known of a person just what the personaliser asks for."""
    return {name: "" if values.get(name) is None else str(values[name]) for name in personaliser.asks}


def uncounted(campaign: Campaign) -> str:
    """Why nobody can count its parts before the launch, in a sentence; empty where they can be."""
    if campaign.channel != Channel.SMS or not campaign.generated_words:
        return ""
    return "How many parts they are is known once the words of each person are generated."


@dataclass(frozen=True)
class Shown:
    """What was generated for one person, in how many seconds, and what went wrong."""

    words: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    seconds: float = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def took(self) -> str:
        return f"{self.seconds:.1f} s" if self.seconds >= 1 else f"{max(1, round(self.seconds * 1000))} ms"

    @property
    def is_any(self) -> bool:
        return bool(self.words or self.missing)


def words_for(workspace: Workspace, values: Mapping[str, object], names: Collection[str], brief: Brief) -> Shown:
    """The generated words of one person, for those of the names that can be generated; never more than some seconds."""
    began = time.monotonic()
    words: dict[str, str] = {}
    missing, troubles = [], []
    for name, options in asked_for(workspace, names).items():
        personaliser = PERSONALISERS[name](options)
        try:
            known = learnt(personaliser, workspace.pk, seconds=PREVIEW_SECONDS)
            told = Brief(brief.about, brief.day, known)
            answer = generated(personaliser, [told_to(personaliser, values)], told, seconds=PREVIEW_SECONDS)
        except Failed as failure:
            troubles.append(f"{personaliser.title}: {failure}.")
            answer = None
        written = answer.words[0] if answer else {}
        words |= written
        missing += [each for each in personaliser.gives if each in names and each not in written]
    return Shown(words, missing, time.monotonic() - began, troubles)
