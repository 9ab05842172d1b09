"""By which sender a workspace writes on a channel: its own choice, else that of the installation."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from django.conf import settings

from dispatcher import pace
from dispatcher.models import ChosenSender
from dispatcher.pace import Lane
from dispatcher.sealing import Unreadable, unseal
from dispatcher.senders import SENDERS, sender_for
from dispatcher.senders.parcel import Sender, Setup, Unreachable
from people.channels import Channel

ACCOUNT_LETTERS = 40  # of the name of a sender, beside the digest of its account


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sender for one workspace on one channel, in whose name it writes, and its options as they are stored."""

    workspace: int
    channel: Channel
    sender: str
    from_name: str = ""
    from_address: str = ""
    stored: str = field(default="{}", repr=False)

    @property
    def lane(self) -> Lane:
        return Lane(self.workspace, self.channel, self.sender)

    @property
    def is_known(self) -> bool:
        return self.sender in SENDERS

    @property
    def kind(self) -> Any:
        """The class of the sender. Raises Unreachable for one this version does not know."""
        try:
            return SENDERS[self.sender]
        except KeyError:
            sentence = f"The sender “{self.sender}” does not exist here: choose another in the settings of senders."
            raise Unreachable(sentence, retry_after=60) from None

    @property
    def mailbox(self) -> str:
        """What people see as its author: a name and an address, or a number."""
        address = self.from_address or (settings.FROM_EMAIL if self.channel == Channel.EMAIL else "")
        if not self.from_name or self.channel != Channel.EMAIL:
            return address
        quoted = self.from_name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{parseaddr(address)[1]}>'  # the installation's own may have a name with it

    @property
    def account(self) -> str:
        """Names with whom we deal: a key given to one account promises nothing at another."""
        options = self.kind.defaults() | json.loads(self.stored)
        told = json.dumps([str(options.get(name)) for name in self.kind.account])
        digest = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
        return f"{self.sender[:ACCOUNT_LETTERS]} {digest}"

    def make(self, *, is_a_test: bool = False) -> Sender:
        """The sender with its options, not yet open. Raises Unreachable where a secret cannot be read."""
        options = opened(json.loads(self.stored), self.kind.options.secrets)
        return self.kind(Setup(self.workspace, self.channel.word, options, is_a_test))


def opened(options: Mapping[str, Any], secrets: tuple[str, ...]) -> dict[str, Any]:
    """The options with their secrets in the clear. Raises Unreachable."""
    try:
        return {name: unseal(value) if name in secrets and value else value for name, value in options.items()}
    except Unreadable:
        sentence = (
            "The stored password cannot be read any more, because SECRET_KEY was changed: "
            "type it again in the settings of senders."
        )
        raise Unreachable(sentence, retry_after=60) from None


def chosen_sender(workspace: int, channel: int) -> Chosen:
    """The choice as it is now."""
    row = ChosenSender.objects.filter(workspace=workspace, channel=channel).first()
    if row is None:
        return Chosen(workspace, Channel(channel), sender_for(channel))
    stored = json.dumps(row.options, sort_keys=True)
    return Chosen(workspace, Channel(channel), row.sender, row.from_name, row.from_address, stored)


def close_lane(cursor, chosen: Chosen, *, seconds: float, trouble: str) -> bool:
    """Let nothing through for a while because this sender cannot be reached; False if another was chosen meanwhile.

    The caller is in a transaction. Whoever chooses changes the row of the lane too, so one of us waits for the other.
    """
    pace.hold(cursor, chosen.lane)
    if chosen_sender(chosen.workspace, chosen.channel) != chosen:
        return False
    pace.close(cursor, chosen.lane, seconds=seconds, trouble=trouble)
    return True


def chosen_names(workspaces: Collection[int]) -> dict[tuple[int, int], str]:
    """By workspace and channel, the name of the sender chosen now."""
    default = {(workspace, channel.value): sender_for(channel) for workspace in workspaces for channel in Channel}
    rows = ChosenSender.objects.filter(workspace__in=workspaces).values_list("workspace_id", "channel", "sender")
    return default | {(workspace, channel): name for workspace, channel, name in rows}
