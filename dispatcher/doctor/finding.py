"""What the doctor says of something: a sentence, and what to do or type."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing to know. Neither part ever holds a secret."""

    sentence: str
    remedy: str = ""


class Problem(Finding):
    """Something does not work, or will not when it is needed."""


class Note(Finding):
    """Nothing is broken, but whoever runs this should know."""
