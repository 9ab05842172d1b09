"""What programs name by a number that is not there."""

from collections.abc import Collection
from typing import Any


class Unknown(Exception):
    """Something of this kind with this number is not in the workspace."""

    def __init__(self, what: str, number: int | str, sentence: str = "") -> None:
        self.what = what
        super().__init__(sentence or f"{what} with ID {number} not found")


def numbered(rows: Any, what: str, number: int) -> Any:
    """The one of these rows that has the number. Raises Unknown."""
    row = rows.filter(pk=number).first()
    if row is None:
        raise Unknown(what, number)
    return row


def all_numbered(rows: Any, what: str, numbers: Collection[int]) -> list[int]:
    """The numbers, each once, if each of them is that of one of these rows. Raises Unknown."""
    known = set(rows.filter(pk__in=numbers).values_list("pk", flat=True))
    for number in numbers:
        if number not in known:
            raise Unknown(what, number)
    return list(dict.fromkeys(numbers))
