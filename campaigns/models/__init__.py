"""What is said: campaigns, their words, the series they may belong to, and the history of their statuses."""

from campaigns.models.campaign import (
    Campaign,
    IllegalMove,
    StatusChange,
    ask_for_choices,
    audience_in_words,
    listed,
)
from campaigns.models.recurrence import Recurrence

__all__ = [
    "Campaign",
    "IllegalMove",
    "Recurrence",
    "StatusChange",
    "ask_for_choices",
    "audience_in_words",
    "listed",
]
