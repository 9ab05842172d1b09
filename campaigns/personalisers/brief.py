"""What a personaliser is told and what it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Protocol

from django import forms

Person = Mapping[str, str]  # of what it asks for, what is known; missing is empty
Words = Mapping[str, str]  # by the name a text asks for them by


@dataclass(frozen=True)
class Brief:
    """What a campaign is about, the day it goes out, and what was learnt before its first batch."""

    about: str
    day: date
    learnt: Mapping[str, Any] = field(default_factory=dict)


class Options(forms.Form):
    """What a workspace may set of a personaliser."""


class Personaliser(Protocol):
    """Writes words for many people at a time. It gets just the fields it asks for, and nothing that tells who it is.

    It may be slow, raise or give back nonsense: the text's own fallback stands wherever it gave nothing.
    """

    title: ClassVar[str]
    about: ClassVar[str]  # one sentence for people who choose
    gives: ClassVar[tuple[str, ...]]  # the names a text asks for its words by
    asks: ClassVar[tuple[str, ...]]  # standard fields and attributes
    options: ClassVar[type[Options]]

    def __init__(self, options: Mapping[str, Any]) -> None: ...

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The options of a workspace that chose none."""
        ...

    def learn(self, workspace: int) -> dict[str, Any]:
        """What it wants to know of a workspace, asked once a campaign; whatever it is goes into each brief.

        It may ask the database, in a thread of its own.
        """
        ...

    def generate(self, people: Sequence[Person], brief: Brief) -> Sequence[Words]:
        """For each of these people, in their order, the words; no database is at hand here."""
        ...
