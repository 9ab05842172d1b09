"""The number of people that is typed before a campaign to many of them goes out."""

from accounts.models import Workspace

SEPARATORS = dict.fromkeys(map(ord, " ,.'’_\u00a0\u2009\u202f\t"))


class WrongNumber(Exception):
    """What was typed is not how many people get it."""

    def __init__(self, typed: str, people: int) -> None:
        typed = typed.strip()[:40]
        wrong = f"You typed “{typed}”, but {people:,} people get it. " if typed else ""
        super().__init__(f"{wrong}Type how many people get it: {people}.")


def is_asked_for(workspace: Workspace, people: int) -> bool:
    return workspace.typed_above is not None and people > workspace.typed_above


def refuse_other_than(people: int, typed: str) -> None:
    """Takes 4212 however its digits are grouped: 4,212 or 4 212. Raises WrongNumber."""
    digits = typed.strip().translate(SEPARATORS)
    if not digits.isdecimal() or len(digits) > 12 or int(digits) != people:
        raise WrongNumber(typed, people)
