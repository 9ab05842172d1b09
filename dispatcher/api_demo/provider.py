"""Lets the simulated provider of a workspace fail for a while, and puts back what was chosen before."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from accounts.models import Workspace
from dispatcher import choose
from dispatcher.api_demo.program import Refused
from dispatcher.chosen import chosen_sender
from dispatcher.models import ChosenSender
from dispatcher.senders.simulated import SimulatedSender
from people.channels import Channel


@contextmanager
def stormy(workspace: Workspace) -> Iterator[Callable[[], None]]:
    """A provider of text messages that fails three of four calls, until the block ends or what it gives is called.

    Raises Refused where text messages do not go to the simulated provider.
    """
    if chosen_sender(workspace.pk, Channel.SMS).sender != "simulated":
        raise Refused(
            "Text messages of the demo workspace go to a real provider; this is shown with the simulated one."
        )
    before = ChosenSender.objects.filter(workspace=workspace, channel=Channel.SMS).first()
    limit = choose.limit_of(workspace, Channel.SMS, "simulated")
    stands = SimulatedSender.defaults() | (before.options if before else {})

    names = {"from_name": before.from_name, "from_address": before.from_address} if before else {}

    def choose_options(options: Mapping[str, Any]) -> None:
        named = {"from_name": "", "from_address": ""} | names
        choose.choose(workspace, Channel.SMS, sender="simulated", limit=limit, options=options, by=None, **named)

    def put_back() -> None:
        if before:
            choose_options(before.options)
        else:
            choose.forget_choice(workspace, Channel.SMS, by=None)

    choose_options(stands | {"profile": "stormy"})
    with ExitStack() as storm:
        storm.callback(put_back)
        yield storm.close
