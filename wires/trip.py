"""Several statements in one trip to the database: to and fro takes longer than most of what is asked for there."""

from collections.abc import Sequence


class Trip:
    """Takes statements as a cursor does, and sends them together; each sees what those before it did.

    The driver fills in the parameters here; a statement prepared on the server could not hold several.
    """

    def __init__(self, cursor) -> None:
        self._cursor = cursor
        self._statements: list[str] = []
        self._parameters: list[object] = []

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        self._statements.append(statement)
        self._parameters += parameters

    def go(self) -> list[list[tuple]]:
        """Send them; returns the rows of each, none of one that returns nothing."""
        if not self._statements:
            return []
        self._cursor.execute(";".join(self._statements), self._parameters)
        answers = [self._rows()]
        while self._cursor.nextset():
            answers.append(self._rows())
        return answers

    def _rows(self) -> list[tuple]:
        return self._cursor.fetchall() if self._cursor.description else []
