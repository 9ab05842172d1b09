"""What holds of every personaliser: how long it may take, and what it may give back."""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection

from campaigns.personalisers.brief import Brief, Person, Personaliser
from people.plain import NotPlain, plain

logger = logging.getLogger(__name__)
LONGEST = 500  # characters of one value
AT_ONCE = 8  # calls of one process, those among them that were given up and still go on
SPACES = re.compile(" {2,}")
T = TypeVar("T")
_room = threading.BoundedSemaphore(AT_ONCE)


class Failed(Exception):
    """Nothing came of a batch; the text says why."""


class Slow(Failed):
    """It took longer than it may."""


@dataclass(frozen=True)
class Generated:
    """The words of each person, and how many of those people got nothing, or something that cannot be used."""

    words: list[dict[str, str]]
    empty: int
    unusable: int


def generated(personaliser: Personaliser, people: Sequence[Person], brief: Brief, *, seconds: float) -> Generated:
    """What it writes for these people, if it comes in time. Raises Failed or Slow."""
    answers = in_time(lambda: personaliser.generate(people, brief), seconds)
    if not isinstance(answers, list | tuple) or len(answers) != len(people):
        raise Failed("it did not answer for each person")
    words = [usable(answer, personaliser.gives) for answer in answers]
    return Generated(
        words=[each or {} for each in words],
        empty=sum(each == {} for each in words),
        unusable=sum(each is None for each in words),
    )


def learnt(personaliser: Personaliser, workspace: int, *, seconds: float) -> dict[str, Any]:
    """What it learns of the workspace, if it comes in time. Raises Failed or Slow."""

    def learn() -> dict[str, Any]:
        try:
            return personaliser.learn(workspace)
        finally:
            connection.close()  # that of its own thread

    return in_time(learn, seconds)


def in_time(call: Callable[[], T], seconds: float) -> T:
    """The result of the call, which goes on unheard where it takes longer. Raises Slow, or Failed if it raised."""
    if not _room.acquire(blocking=False):
        raise Slow("too many calls that were given up still go on")
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome[:] = [call(), None]
        except Exception as error:
            outcome[:] = [None, error]
        finally:
            _room.release()

    # A daemon: a call that never comes back does not keep the process from ending.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise Slow(f"it took longer than {seconds:g} s")
    result, error = outcome
    if error:
        logger.warning("a personaliser failed", exc_info=error)
        raise Failed(f"it failed: {type(error).__name__}") from error
    return result


def usable(answer: object, gives: tuple[str, ...]) -> dict[str, str] | None:
    """Of the words for one person those that were asked for, each one plain line; None where one cannot be used."""
    if not isinstance(answer, dict):
        return None
    words = {name: answer[name] for name in gives if answer.get(name) not in (None, "")}
    try:
        lines = {name: line_of(value) for name, value in words.items()}
    except NotPlain:
        return None
    return {name: line for name, line in lines.items() if line}


def line_of(value: object) -> str:
    """Raises NotPlain."""
    if not isinstance(value, str):
        raise NotPlain("It is not a text.")
    return SPACES.sub(" ", plain(value, "It", at_most=LONGEST))  # WhatsApp takes no four in a row
