"""Senders over the API: by whom each channel goes out, without the secrets."""

import json
from typing import Any

from ninja import Field, Router, Schema

from accounts.access import KeyRequest, may
from dispatcher import choose
from dispatcher.chosen import Chosen, chosen_sender
from people.api.shapes import ChannelWord
from people.channels import Channel

router = Router(tags=["settings"])


class SenderOut(Schema):
    channel: ChannelWord
    sender: str
    title: str
    mailbox: str = Field(description="What people see as its author.")
    limit_per_second: float | None
    trouble: str = Field(description="Why it cannot be reached.")
    options: dict[str, Any] = Field(description="As they were chosen; secrets are left out.")


@router.get("settings/senders", response=list[SenderOut], summary="By whom messages go out")
@may("manage")
def list_senders(request: KeyRequest) -> list[dict[str, Any]]:
    """Chosen on the page of senders, where a test can be sent."""
    return [sender_row(request, chosen_sender(request.workspace.pk, channel)) for channel in Channel]


def sender_row(request: KeyRequest, chosen: Chosen) -> dict[str, Any]:
    secrets = chosen.kind.options.secrets if chosen.is_known else None
    stored = json.loads(chosen.stored)
    return {
        "channel": chosen.channel.word,
        "sender": chosen.sender,
        "title": chosen.kind.title if chosen.is_known else "",
        "mailbox": chosen.mailbox,
        "limit_per_second": choose.limit_of(request.workspace, chosen.channel, chosen.sender),
        "trouble": choose.trouble_of(chosen.lane),
        "options": {} if secrets is None else {name: value for name, value in stored.items() if name not in secrets},
    }
