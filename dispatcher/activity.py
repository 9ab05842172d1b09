"""What a segment may ask of the ledger: who got a campaign, whom it could not reach, who was written to lately.

"Got" counts a message whose answer was never heard: it may have arrived, so who "did not get" a campaign can be
written to without writing to anybody twice.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from dispatcher.models import Message
from people.segment_fields import CHOICES_SHOWN, Asking, Comparison, Field, name_of, register
from people.segment_values import DAYS, ROW

M, D = Message.Status, Message.Delivery
BOUNCED = Q(delivery=D.BOUNCED)
GOT = Q(status__in=[M.SENT, M.UNKNOWN]) & ~BOUNCED
FAILED = Q(status=M.FAILED) | BOUNCED


class GotCampaign(Field):
    shelf = "What they were sent"
    one_of = (
        Comparison("got", "got", ROW, "who got {}"),
        Comparison("not_got", "did not get", ROW, "who did not get {}"),
        Comparison("failed", "could not be reached by", ROW, "whom {} could not reach"),
    )

    def choices(self, asking: Asking, chosen: Any = None) -> list[tuple[Any, str]]:
        launched = asking.workspace.campaigns.exclude(launched_at=None).filter(stored_at=None)
        newest = list(launched.order_by("-pk").values_list("pk", "name")[:CHOICES_SHOWN])
        if chosen and chosen not in dict(newest):
            newest += asking.workspace.campaigns.filter(pk=chosen).values_list("pk", "name")
        return newest

    def fault(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        found = asking.workspace.campaigns.filter(pk=value).values_list("name", "stored_at").first()
        if found is None:
            return "It asks for a campaign that was deleted."
        name, stored_at = found
        return (
            f"The messages of “{name}” were moved to a file; they have to be brought back first." if stored_at else ""
        )

    def told(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        name = name_of(asking, "campaign", asking.workspace.campaigns.all(), value)
        return comparison.words.format(f"“{name}”" if name else "a campaign that was deleted")

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        theirs = Message.objects.filter(FAILED if word == "failed" else GOT, campaign=value, recipient=OuterRef("pk"))
        return ~Q(Exists(theirs)) if word == "not_got" else Q(Exists(theirs))


class SentAnything(Field):
    shelf = "What they were sent"
    one_of = (
        Comparison("within", "in the last … days", DAYS, "who were sent something in the last {}"),
        Comparison("not_within", "not in the last … days", DAYS, "who were sent nothing in the last {}"),
    )

    def fault(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        since = asking.now - timedelta(days=value)
        if asking.workspace.campaigns.filter(stored_at__isnull=False, finished_at__gte=since).exists():
            return f"Messages of the last {DAYS.words(value)} were moved to a file; ask about fewer days."
        return ""

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        since = asking.now - timedelta(days=value)
        lately = Message.objects.filter(GOT, recipient=OuterRef("pk"))
        # What was never answered has no time of sending; when its row was written last is as near.
        lately = lately.filter(Q(sent_at__gte=since) | Q(status=M.UNKNOWN, updated_at__gte=since))
        return Q(Exists(lately)) if word == "within" else ~Q(Exists(lately))


register(GotCampaign("campaign", "Campaign"), SentAnything("sent", "Anything sent"))
