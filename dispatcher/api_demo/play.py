"""Plays documented examples one after the other, and holds each answer against what its document says."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any

from dispatcher.api_demo.examples import Example
from dispatcher.api_demo.program import sentence_of
from dispatcher.api_demo.requests import Answer, Ask, Numbers, Request, renumbered, request_of

LOOKS, LOOK_EVERY = 20, 0.5  # how often, and after how many seconds, it is asked whether addresses are linked


@dataclass(frozen=True)
class Played:
    """What was asked and answered, and in what the answer differs from the document."""

    example: Example
    request: Request
    answer: Answer
    faults: list[str]

    @property
    def is_as_documented(self) -> bool:
        return not self.faults


class Player:
    """Knows by which numbers the rows of the documents go here; a row that an example makes is learnt from its answer.

    `made` are the addresses of those rows.
    """

    def __init__(self, ask: Ask, numbers: Numbers, wait: Callable[[float], None] = time.sleep) -> None:
        self.ask, self.numbers, self.wait = ask, numbers, wait
        self.made: list[str] = []

    def play(self, example: Example) -> Played:
        request = renumbered(request_of(filled_in(example.text)), self.numbers)
        answer = self.ask(request)
        for _ in range(LOOKS):
            if "ADDRESSES_LINKING" not in answer.body:
                break
            self.wait(LOOK_EVERY)
            answer = self.ask(request)
        if example.makes and answer.status == 201:
            kind, number = example.makes
            self.numbers[kind, number] = answer.read["id"]
            self.made.append(f"/api/{kind}s/{answer.read['id']}")
        return Played(example, request, answer, list(faults(example, answer)))


def filled_in(text: str) -> str:
    """What a document leaves to a script: a time as JavaScript's toISOString writes it, and a number nobody has."""
    soon = datetime.now(UTC) + timedelta(minutes=3)
    phone = f"+25479{secrets.randbelow(10**7):07}"
    return text.replace("{{scheduled_at}}", f"{soon:%Y-%m-%dT%H:%M:%S.000Z}").replace("{{phone}}", phone)


def faults(example: Example, answer: Answer) -> Iterator[str]:
    if answer.status == example.status or (answer.is_good and not example.status):
        yield from differences(example.answer, answer.read)
    else:
        yield f"the status is {answer.status}, documented is {example.status or 'success'}: {sentence_of(answer)}"


def differences(documented: Any, given: Any, where: str = "the answer") -> Iterator[str]:
    """In what an answer is not as documented: keys beyond those documented are no difference."""
    if isinstance(documented, type | UnionType):
        if not isinstance(given, documented):
            yield f"{where} is {given!r:.60}, documented is {name_of(documented)}"
    elif isinstance(documented, dict) and isinstance(given, dict):
        for name in documented.keys() - given.keys():
            yield f"{where} has no “{name}”"
        for name in documented.keys() & given.keys():
            yield from differences(documented[name], given[name], f"“{name}”")
    elif isinstance(documented, list) and isinstance(given, list):
        for place, row in enumerate(given):
            yield from differences(documented[0], row, f"row {place} of {where}")
    elif documented != given:
        yield f"{where} is {given!r:.60}, documented is {documented!r:.60}"


def name_of(documented: type | UnionType) -> str:
    return getattr(documented, "__name__", str(documented))
