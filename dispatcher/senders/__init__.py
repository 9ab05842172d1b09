"""The senders this house knows, by the name a channel is configured with. A new one is a file and a line here."""

from collections.abc import Callable

from django.conf import settings

from campaigns.models import Channel
from dispatcher.senders.parcel import Sender
from dispatcher.senders.simulated import SimulatedSender

SENDERS: dict[str, Callable[[], Sender]] = {"simulated": SimulatedSender}


def sender_for(channel: int) -> str:
    """The name of the sender this channel is configured with, or an empty one."""
    return settings.SENDERS.get(Channel(channel).word, "")
