"""Filling in a text for one person, beside the one join that it is at the least."""

import time
from collections.abc import Callable, Mapping

from campaigns.models import Source
from campaigns.personalise import PLACEHOLDER
from campaigns.rendering import Renderer
from people.channels import Channel
from people.models import UNSUBSCRIBE_LINK
from tests.bench.notebook import Notebook
from tests.bench.options import Options

TEXT = (
    "Hi {first_name|there}, {preferred_product} are 20% off this weekend in {location}. Show this text, {last_name}, "
    "and it is yours. Stop: {unsubscribe_link}"
)
PARAGRAPH = f'<p style="margin:0 0 16px"><a href="https://shop.example.com/?to={{email}}">Offer</a> {TEXT}</p>'
PAGE = f"<!doctype html><html><head></head><body>{PARAGRAPH * 8}</body></html>"
PEOPLE = [
    {
        "first_name": f"Alice{n}",
        "last_name": f"Johnson{n}",
        "preferred_product": "Running Shoes",
        "location": "Nairobi",
        "email": f"alice{n}@example.com",
        UNSUBSCRIBE_LINK: f"https://campaigns.example.com/u/s1gk-{n}-Zq3kP0aQw8Lm2x",
    }
    for n in range(1_000)
]
TURNS = 200  # of all these people, in each round


def measure(notebook: Notebook, options: Options) -> None:
    text = Renderer(Channel.SMS, {(0, ""): Source("", TEXT)})
    mail = Renderer(Channel.EMAIL, {(0, ""): Source("For {first_name|you}", TEXT, PAGE)})
    assert [joined(person) for person in PEOPLE] == [text.rendered(person).text for person in PEOPLE]
    fillers = {"join, a text": joined, "renderer, a text": text.rendered, "renderer, an email with HTML": mail.rendered}
    for _ in range(options.rounds):
        for name, taken in zip(fillers, microseconds(*fillers.values()), strict=True):
            notebook.write(name, taken, "us")
    notebook.at_most(5, notebook.divide("renderer, a text", "join, a text"))


LITERALS = PLACEHOLDER.sub("\0", TEXT).split("\0")
FIRST, SECOND, THIRD, FOURTH, FIFTH, LAST = LITERALS


def joined(values: Mapping[str, str]) -> str:
    """The least that filling in can cost: pieces cut beforehand, each value fetched, and one join."""
    return "".join(
        (
            FIRST,
            values["first_name"],
            SECOND,
            values["preferred_product"],
            THIRD,
            values["location"],
            FOURTH,
            values["last_name"],
            FIFTH,
            values[UNSUBSCRIBE_LINK],
            LAST,
        )
    )


def microseconds(*fillers: Callable[[Mapping[str, str]], object]) -> list[float]:
    """For one person, of each: processor time, for whatever else runs here is no part of it.

    They take turns, so that whatever slows the processor for a while slows them all.
    """
    taken = [0.0] * len(fillers)
    for _ in range(TURNS):
        for nth, fill in enumerate(fillers):
            began = time.thread_time()
            for person in PEOPLE:
                fill(person)
            taken[nth] += time.thread_time() - began
    return [each / (TURNS * len(PEOPLE)) * 1e6 for each in taken]
