"""How large and how often to measure."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    people: int = 100_000  # recipients of an ordinary campaign
    rounds: int = 3
    jobs: int = 300  # the naive design is measured over so many
    viewers: int = 500
    full: bool = False  # a million recipients, five million messages, a thousand viewers

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Options":
        viewers = arguments.viewers or (1000 if arguments.full else 500)
        return cls(arguments.people, arguments.rounds, arguments.jobs, viewers, arguments.full)
