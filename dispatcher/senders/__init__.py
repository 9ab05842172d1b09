"""The senders this house knows, by the name a channel is configured with. A new one is a file and a line here."""

from typing import Any

from django.conf import settings

from dispatcher.senders.simulated import SimulatedSender
from dispatcher.senders.smtp import SmtpSender
from people.channels import Channel

SENDERS: dict[str, Any] = {"simulated": SimulatedSender, "smtp": SmtpSender}


def sender_for(channel: int) -> str:
    """The name of the sender this installation has for the channel, or an empty one."""
    return settings.SENDERS.get(Channel(channel).word, "")


def title_of(name: str) -> str:
    """What people call the sender."""
    return SENDERS[name].title if name in SENDERS else name


def senders_of(channel: int) -> dict[str, Any]:
    """Those that can be chosen for the channel."""
    return {name: sender for name, sender in SENDERS.items() if Channel(channel).word in sender.channels}
