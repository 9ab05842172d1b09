"""Why a message failed or was left out, in the closed lists the books count by, and in words."""

from django.db import models


class Category(models.IntegerChoices):
    """Why a message failed; the number is its place in `Batch.failed_by`."""

    INVALID_ADDRESS = 1, "invalid_address"
    BOUNCED = 2, "bounced"
    REJECTED = 3, "rejected"
    RATE_LIMITED = 4, "rate_limited"
    PROVIDER_DOWN = 5, "provider_down"
    TIMEOUT = 6, "timeout"
    NETWORK = 7, "network"
    TEMPLATE_ERROR = 8, "template_error"
    NO_CREDIT = 9, "no_credit"
    OTHER = 10, "other"


class SkipReason(models.IntegerChoices):
    """Why somebody was deliberately not written to; the number is its place in `Batch.skipped_by`."""

    OPTED_OUT = 1, "opted_out"
    SUPPRESSED = 2, "suppressed"
    DUPLICATE_ADDRESS = 3, "duplicate_address"
    NO_ADDRESS = 4, "no_address"
    INVALID_ADDRESS = 5, "invalid_address"
    ERASED = 6, "erased"
    EXPIRED = 7, "expired"
    HELD_OUT = 8, "held_out"


# For people: what happened, what to do about it, and whether trying again can help.
CATEGORY_WORDS = {
    Category.INVALID_ADDRESS: (
        "Address cannot be reached",
        "Trying again rarely helps; correct the address first.",
        False,
    ),
    Category.BOUNCED: ("Mailbox does not exist", "Trying again rarely helps; correct the address first.", False),
    Category.REJECTED: (
        "Refused by the provider",
        "The provider did not want this message; see the error.",
        False,
    ),
    Category.RATE_LIMITED: ("Too fast for the provider", "Worth another try, more slowly.", True),
    Category.PROVIDER_DOWN: ("Provider not available", "Worth another try in a while.", True),
    Category.TIMEOUT: ("No answer in time", "Worth another try in a while.", True),
    Category.NETWORK: ("Connection failed", "Worth another try; check the network if it stays.", True),
    Category.TEMPLATE_ERROR: (
        "Text could not be filled in",
        "Mend the text in a copy of the campaign.",
        False,
    ),
    Category.NO_CREDIT: ("No credit left", "Top up, then try again.", True),
    Category.OTHER: ("Something unexpected", "See the error of the message.", True),
}
SKIP_WORDS = {
    SkipReason.OPTED_OUT: "opted out",
    SkipReason.SUPPRESSED: "on the suppression list",
    SkipReason.DUPLICATE_ADDRESS: "same address twice",
    SkipReason.NO_ADDRESS: "no address for this channel",
    SkipReason.INVALID_ADDRESS: "address cannot receive",
    SkipReason.ERASED: "erased on request",
    SkipReason.EXPIRED: "too late to send",
    SkipReason.HELD_OUT: "held out, to compare with",
}
