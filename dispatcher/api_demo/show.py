"""Shows every documented request and its answer, in an order in which they work, and counts those as documented."""

import json
import time
from collections.abc import Callable
from itertools import groupby
from typing import Any

from dispatcher.api_demo.examples import EXAMPLES, REVIEW
from dispatcher.api_demo.play import Played, Player
from dispatcher.api_demo.program import Program
from dispatcher.api_demo.requests import request_of
from dispatcher.api_demo.stand_ins import make_stand_ins, take_away

MOST_LINES = 16
LONGEST_LINE = 160
SENT_WITHIN = 20.0  # seconds

Say = Callable[[str], None]
ABOUT = """\
Every request of the source documents against {url}: {count} of them.
Where a document names campaign 10 or customer 3, the row that stands for it here is named.
It makes a group, five campaigns and a handful of people at example.com, sends three campaigns to
them alone by the senders of the workspace, and takes away again what was not sent. Nobody and
nothing else is changed."""


def play_all(program: Program, say: Say) -> bool:
    """Whether all was as documented. Raises Unheard and Refused."""
    say(ABOUT.format(url=program.url, count=len(EXAMPLES)))
    numbers, made = make_stand_ins(program)
    player = Player(program.ask, numbers, program.wait)
    try:
        played = [each for document, rows in groupby(EXAMPLES, lambda example: example.document)
                  for each in play_document(document, list(rows), player, say)]  # fmt: skip
        watch(program, numbers["campaign", 2], say)
    finally:
        stays = take_away(program, [*made, *player.made])
        sent = ", ".join(f"{program.url}{place.removeprefix('/api')}/" for place in stays)
        say(f"\nWhat was not sent is taken away again. This stays, beside people it added: {sent or 'nothing'}")
    good = sum(each.is_as_documented for each in played)
    say(f"\n{good} of {len(played)} as documented.")
    for each in played:
        for fault in each.faults:
            say(f"{each.example.document}, line {each.example.line}: {fault}.")
    return good == len(played)


def play_document(document: str, examples: list, player: Player, say: Say) -> list[Played]:
    say(f"\n=== {document}")
    played = []
    for example in examples:
        played.append(player.play(example))
        say("\n".join(lines_of(played[-1])))
    return played


def lines_of(played: Played) -> list[str]:
    documented = request_of(played.example.text)
    here = "" if documented.path == played.request.path else f"    (documented as {documented.path})"
    verdict = "; ".join(played.faults) or "as documented"
    return [
        f"\nLine {played.example.line}: {played.example.about}",
        f"  {played.request.method} {played.request.path}{here}",
        *(["  " + " ".join(played.request.body.split())] if played.request.body else []),
        f"  {played.answer.status}, {verdict}",
        *pretty(played.answer.read),
    ]


def pretty(said: Any) -> list[str]:
    """An answer, cut where it grows long."""
    lines = json.dumps(said, indent=2, ensure_ascii=False).splitlines() if isinstance(said, dict | list) else []
    cut = [f"    {line[:LONGEST_LINE]}" for line in lines[:MOST_LINES]]
    return [*cut, f"    … and {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else cut


def watch(program: Program, campaign: int, say: Say) -> None:
    """Follow a campaign until nothing of it is open, or for a while."""
    say(f"\n=== What becomes of the campaign of {REVIEW}")
    ends = time.monotonic() + SENT_WITHIN
    while True:
        now = program.get(f"/api/campaigns/{campaign}/progress")
        say(f"  {now['sent']} sent, {now['failed']} failed, {now['pending']} pending: {now['why']}")
        if not now["pending"] or time.monotonic() > ends:
            return
        program.wait(0.5)
