"""The table of faults: a name, what is done, and the function that does it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.scene import Scene


@dataclass(frozen=True)
class Fault:
    name: str
    title: str
    befall: Callable[[Scene], None]
    group: str  # what --only asks for: "F2" for each of its points
    cuts: int  # how often a window of answers may be lost in it although no lease is


FAULTS: dict[str, Fault] = {}


def fault(name: str, title: str, *, group: str = "", cuts: int = 0) -> Callable:
    """Enter the function into the table. When it returns, the house is whole again, though work may still lie about."""

    def enter(befall: Callable[[Scene], None]) -> Callable[[Scene], None]:
        FAULTS[name] = Fault(name, title, befall, group or name, cuts)
        return befall

    return enter
