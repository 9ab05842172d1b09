"""The winner: which variant those who wait get, chosen once, by a person or by the rule of the campaign."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Value
from django.db.models.functions import Now

from accounts import audit_log
from accounts.models import Actor
from campaigns.models import Campaign, IllegalMove, Split
from campaigns.results import LEAST, is_enough, lead_of
from campaigns.splitting import letter
from dispatcher import operations
from dispatcher.crash import crash_point
from dispatcher.models import Batch
from dispatcher.variants import Comparison, comparison_of
from dispatcher.words import people
from wires import live, queue

Status = Campaign.Status
HOUR = timedelta(hours=1)

LOCK = "SELECT id FROM dispatcher_batch WHERE campaign_id = %s AND is_rest AND variant = 0 ORDER BY id FOR UPDATE"
GIVE = """
    WITH given AS (
        UPDATE dispatcher_batch SET variant = %s, due_at = clock_timestamp() WHERE id = ANY(%s) AND due_at IS NOT NULL
        RETURNING pending)
    SELECT coalesce(sum(pending), 0) FROM given
"""


class NobodyWaits(IllegalMove):
    """There is nobody to whom a winner could be sent."""

    def __init__(self, campaign: Campaign, sentence: str) -> None:
        super().__init__(campaign, Status.SENDING)
        self.args = (sentence,)


@transaction.atomic
def choose_winner(campaign: Campaign, *, variant: int, by: Actor | None, reason: str = "") -> int:
    """Send this variant to all who wait; returns how many. Of two who choose at once one wins.

    Raises IllegalMove, or NobodyWaits, a kind of it. While the campaign is paused they go on waiting for that.
    """
    campaign = operations.locked(campaign)
    split = Split.of(campaign)
    refuse_unless_waiting(campaign, split, variant)
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [campaign.pk])
        batches = [pk for (pk,) in cursor.fetchall()]
        crash_point("before_choice")
        cursor.execute(GIVE, [variant, batches])
        count = cursor.fetchone()[0]
    if not count:
        raise NobodyWaits(campaign, f"Nobody of “{campaign}” waits for a variant.")
    Split.objects.filter(campaign=campaign).update(winner=variant, chosen_at=Now())
    words = f"{letter(variant)} is sent to the other {count:,}"
    operations.note(campaign, by=by, reason=f"{words}: {reason}" if reason else words)
    facts = {"variant": letter(variant), "messages": count, "reason": reason}
    audit_log.record(campaign.workspace, "choose_winner", campaign, by=by, after={k: v for k, v in facts.items() if v})
    queue.ring()
    live.changed(campaign.pk, campaign.workspace_id)
    return count


def refuse_unless_waiting(campaign: Campaign, split: Split | None, variant: int) -> None:
    """Raises IllegalMove or NobodyWaits."""
    if split is None or variant not in split.variants:
        raise NobodyWaits(campaign, f"“{campaign}” has no such variant.")
    if split.winner:
        raise NobodyWaits(campaign, f"{letter(split.winner)} was already chosen; the others of “{campaign}” get it.")
    if campaign.status not in (Status.SENDING, Status.PAUSED):
        raise IllegalMove(campaign, Status.SENDING)


# --- by rule ---


def undecided() -> QuerySet[Split]:
    """Those whose rule is due now: the campaign is being sent, its hours are over, and the variants are all out."""
    due = ExpressionWrapper(F("campaign__launched_at") + Value(HOUR) * F("after_hours"), output_field=DateTimeField())
    found = Split.objects.exclude(measure="").filter(winner=None, undecided_at=None, tested__lt=100)
    on_their_way = Batch.objects.filter(campaign=OuterRef("campaign"), is_rest=False, variant__gt=0, pending__gt=0)
    found = found.filter(campaign__status=Status.SENDING).exclude(Exists(on_their_way))
    return found.annotate(due=due).filter(due__lte=Now()).order_by("due")


@transaction.atomic
def choose_by_rule(pk: int) -> None:
    """Choose the winner of this campaign by its rule; where none leads by enough, or too few answers have come, a
    person is asked, once.
    """
    campaign = Campaign.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    # A statement of its own: it sees what a person, or another clock, decided before the lock was had.
    split = undecided().filter(campaign=pk).first()
    comparison = comparison_of(campaign, split) if campaign and split else None
    if campaign is None or split is None or comparison is None or not comparison.held:
        return
    has_enough = is_enough(comparison.tallies)
    leader, lead = leader_of(comparison)
    if has_enough and leader and 100 * lead >= split.at_least:
        words = f"by rule, {100 * lead:.1f} points ahead ({comparison.measure.name})"
        choose_winner(campaign, variant=leader, by=None, reason=words)
        return
    Split.objects.filter(pk=split.pk).update(undecided_at=Now())
    found = f"none leads by {split.at_least} points" if split.at_least else "none leads"
    if not has_enough:
        found = f"not every variant has {LEAST} answers"
    operations.note(
        campaign, by=None, reason=f"no winner by rule, {found}: {people(comparison.held)} wait for a person"
    )
    live.changed(campaign.pk, campaign.workspace_id)


def leader_of(comparison: Comparison) -> tuple[int | None, float]:
    """The variant with the best share and by how much it leads; None while one has no answer, or the best are level."""
    leader = comparison.verdict.leader
    if leader is None:
        return None, 0.0
    return leader, lead_of(comparison.tallies, leader, more_is_better=comparison.measure.more_is_better)
