"""Proof of a text: the words told of a message beside the digest of those that were handed over."""

from campaigns.footer import text_for
from campaigns.models import Campaign
from campaigns.rendering import Rendered, TooLong, digest_of
from dispatcher.models import Message


def words_of(campaign: Campaign, message: Message, *, is_exact: bool = False) -> Rendered:
    """What the message says; of one that is too long to be sent, nothing. See `text_for` for what is exact."""
    told = message.fields, message.recipient_id
    try:
        return text_for(campaign, *told, variant=message.variant, is_exact=is_exact)
    except TooLong:
        return Rendered("", "")


def is_proved(campaign: Campaign, message: Message) -> bool | None:
    """Whether the words told now are those that were sent, to the letter; None where no digest was kept of them."""
    if message.digest is None:
        return None
    return digest_of(*words_of(campaign, message, is_exact=True)) == message.digest
