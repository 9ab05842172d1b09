"""Getting it out and keeping count: the ledger, and what stands beside it."""

from dispatcher.models.dry_run import DryRun
from dispatcher.models.files import Erasure, MessageFile
from dispatcher.models.generation import Generation
from dispatcher.models.ledger import Attempt, Batch, Dismissal, Message, Settlement, no_failures, no_skips
from dispatcher.models.links import LinkCount, LinkHit
from dispatcher.models.reasons import CATEGORY_WORDS, SKIP_WORDS, Category, SkipReason
from dispatcher.models.sending import Bookmark, ChosenSender, Heartbeat, Pace
from dispatcher.models.total import Total
from dispatcher.models.trial import Trial

__all__ = [
    "Attempt",
    "Batch",
    "Bookmark",
    "CATEGORY_WORDS",
    "Category",
    "ChosenSender",
    "Dismissal",
    "DryRun",
    "Erasure",
    "Generation",
    "Heartbeat",
    "LinkCount",
    "LinkHit",
    "Message",
    "MessageFile",
    "Pace",
    "SKIP_WORDS",
    "Settlement",
    "SkipReason",
    "Total",
    "Trial",
    "no_failures",
    "no_skips",
]
