"""What needs a person in a workspace, the most urgent first; a fixed number of queries, however much there is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign, StatusChange
from dispatcher import clock, workers
from dispatcher.books import Books, books_of_many
from dispatcher.chosen import chosen_names
from dispatcher.dead_letters import Letters, letters_of, unknown_and_dead
from dispatcher.models import Pace
from dispatcher.senders import title_of
from dispatcher.why import ATTENTION, BAD, told
from dispatcher.words import capital
from people.channels import Channel
from people.models import Import

Status = Campaign.Status
SHOWN = 20  # items of one kind; the others are counted
LAPSES = 3  # leases of one open batch that ran out: more than bad luck
FAILED_LATELY = timedelta(days=7)  # how long an import that failed is shown, if nobody brings the same list again

# What time has made due for each process, and since when; a moment's delay is no trouble.
DUE = """
    SELECT clock_timestamp(), (SELECT at FROM dispatcher_heartbeat WHERE name = %(clock)s),
           (SELECT min(b.due_at) FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
            WHERE c.workspace_id = %(workspace)s AND c.status IN (4, 8) AND c.finished_at IS NULL
              AND b.due_at < clock_timestamp() - interval '5 seconds'),
           (SELECT min(CASE WHEN c.status = 2 THEN c.scheduled_at ELSE c.launched_at END) FROM campaigns_campaign c
            WHERE c.workspace_id = %(workspace)s
              AND (c.status = 2 AND c.scheduled_at < clock_timestamp() OR c.status = 3)),
           (SELECT least(
                (SELECT min(i.created_at) FROM people_import i
                 WHERE i.workspace_id = %(workspace)s AND i.status IN (1, 2)
                   AND i.created_at < clock_timestamp() - interval '10 seconds'),
                (SELECT min(c.created_at) FROM campaigns_linking l JOIN campaigns_campaign c ON c.id = l.campaign_id
                 WHERE c.workspace_id = %(workspace)s AND l.done_at IS NULL
                   AND c.created_at < clock_timestamp() - interval '10 seconds')))
"""
# The last line of the history of what a person should look at: who or what left it as it is.
LEFT = """
    SELECT c.id, h.id, c.status FROM campaigns_campaign c CROSS JOIN LATERAL (
        SELECT id, from_status, to_status, by_id, key_id, at FROM campaigns_statuschange
        WHERE campaign_id = c.id AND (c.status = 1 OR from_status IS DISTINCT FROM to_status)
        ORDER BY id DESC LIMIT 1) AS h
    WHERE c.workspace_id = %s AND c.status IN (1, 5) AND h.by_id IS NULL AND h.key_id IS NULL
      AND h.from_status IS NOT NULL AND h.from_status <> h.to_status
      AND (c.status = 5 OR c.written_at <= h.at)
    ORDER BY h.id DESC
"""
LAPSED = """
    SELECT c.id, max(b.lapses), count(*) FROM campaigns_campaign c JOIN dispatcher_batch b ON b.campaign_id = c.id
    WHERE c.workspace_id = %s AND c.status IN (4, 5, 8) AND c.finished_at IS NULL
      AND b.due_at IS NOT NULL AND b.lapses >= %s
    GROUP BY 1 ORDER BY 1 DESC
"""
# Where all who were to get a variant at once are done, and a person has to choose what the rest gets.
UNCHOSEN = """
    SELECT c.id, sum(b.pending) FROM campaigns_split s JOIN campaigns_campaign c ON c.id = s.campaign_id
    JOIN dispatcher_batch b ON b.campaign_id = c.id AND b.due_at IS NOT NULL
    WHERE c.workspace_id = %s AND c.status = 4 AND s.winner IS NULL AND (s.measure = '' OR s.undecided_at IS NOT NULL)
    GROUP BY 1 HAVING bool_and(b.is_rest AND b.variant = 0) ORDER BY 1 DESC
"""


@dataclass(frozen=True)
class Act:
    """A button or a link that helps, and what one must be allowed to do to use it."""

    words: str
    address: str
    needs: str = "send"
    is_link: bool = False
    is_danger: bool = False
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Item:
    """One thing that needs a person: what, why, since when, and what helps. `id` is unique on the page.

    Where nobody counts from when on it is so, `at` says when something of it happened last.
    """

    id: str
    tone: str
    words: str
    sentence: str
    since: datetime | None = None
    campaign: Campaign | None = None
    acts: tuple[Act, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True)
class Attention:
    """What needs a person: how many things in all, and of each kind the first few."""

    count: int
    shown: list[Item]
    now: datetime

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


def attention_of(workspace: Workspace) -> Attention:
    """Read what needs a person, and put the first few of each kind into words."""
    troubles = troubles_of(workspace)
    shown = Troubles(*(kind[:SHOWN] for kind in troubles.kinds))
    return Attention(troubles.number, items_of(shown), timezone.now())


class Troubles(NamedTuple):
    """What needs a person, kind by kind, the most urgent kind first; campaigns and changes by their ids."""

    missing: list[tuple[str, str, str, datetime | None]]
    paces: list[Pace]
    unsent: list[tuple[int, int]]
    paused: list[tuple[int, int]]
    unchosen: list[tuple[int, int]]
    unknown: list[int]
    lapsed: list[tuple[int, int, int]]
    imports: list[Import]
    dead: list[int]

    @property
    def kinds(self) -> list[list[Any]]:
        return list(cast(tuple, self))

    @property
    def number(self) -> int:
        return sum(len(kind) for kind in self.kinds)


def troubles_of(workspace: Workspace) -> Troubles:
    """Asks Redis only when something is due that a worker should do."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT, [workspace.pk])
        left = cursor.fetchall()
        cursor.execute(LAPSED, [workspace.pk, LAPSES])
        lapsed = cursor.fetchall()
        cursor.execute(UNCHOSEN, [workspace.pk])
        unchosen = cursor.fetchall()
    unknown, dead = unknown_and_dead(workspace)
    return Troubles(
        missing=nobody_is_there(workspace),
        paces=troubled_paces(workspace),
        unsent=[(pk, change) for pk, change, status in left if status == Status.DRAFT],
        paused=[(pk, change) for pk, change, status in left if status == Status.PAUSED],
        unchosen=unchosen,
        unknown=unknown,
        lapsed=lapsed,
        imports=imports_that_failed(workspace),
        dead=dead,
    )


def items_of(shown: Troubles) -> list[Item]:
    """In words; of what is gone by now nothing is said."""
    left, in_books = shown.unsent + shown.paused, shown.unknown + shown.dead
    ids = {*in_books, *(pk for pk, *_ in (*left, *shown.unchosen, *shown.lapsed))}
    campaigns = Campaign.objects.defer("body").in_bulk(ids)
    changes = StatusChange.objects.select_related("by", "key").in_bulk([change for _, change in left])
    books = books_of_many(in_books)
    letters = letters_of([campaigns[pk] for pk in shown.dead if pk in campaigns], books)
    return [
        *(nobody_works(*one) for one in shown.missing),
        *(unreachable_sender(pace) for pace in shown.paces),
        *(could_not_start(campaigns[pk], changes[n]) for pk, n in shown.unsent if pk in campaigns and n in changes),
        *(paused_by_itself(campaigns[pk], changes[n]) for pk, n in shown.paused if pk in campaigns and n in changes),
        *(unchosen(campaigns[pk], held) for pk, held in shown.unchosen if pk in campaigns),
        *(undecided(campaigns[pk], books[pk]) for pk in shown.unknown if pk in campaigns),
        *(lapsing(campaigns[pk], *rest) for pk, *rest in shown.lapsed if pk in campaigns),
        *(failed_import(upload) for upload in shown.imports),
        *(dead(one) for one in letters if one.count),
    ]


# --- the machine ---


def nobody_is_there(workspace: Workspace) -> list[tuple[str, str, str, datetime | None]]:
    """Which processes are missing while this workspace waits for them: id, words, sentence and since when."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"clock": clock.NAME, "workspace": workspace.pk})
        now, beat, due, overdue, chores = cursor.fetchone()
    missing: list[tuple[str, str, str, datetime | None]] = []
    known = workers.known() if due or chores else []
    queues = {worker.queue for worker in known or []}
    if known is None:
        sentence = "The queue (Redis) does not answer. Nothing is lost; all goes on by itself when it is back."
        missing.append(("no-queue", "Workers cannot be called.", sentence, due or chores))
    if known is not None and due and "dispatch" not in queues:
        sentence = "Start one with “manage.py worker dispatch”. Nothing is lost; sending goes on by itself."
        missing.append(("no-dispatch", "No worker is running.", sentence, due))
    if known is not None and chores and "chores" not in queues:
        sentence = "Start one with “manage.py worker chores”. Nothing is lost; imports and named addresses go on then."
        missing.append(("no-chores", "No worker for imports is running.", sentence, chores))
    if (due or overdue) and (beat is None or now - beat > clock.SILENT_AFTER):
        sentence = "Start one with “manage.py clock”. Until then no schedule starts and no retry is called."
        missing.append(("no-clock", "No clock is running.", sentence, beat or overdue or due))
    return missing


def nobody_works(id: str, words: str, sentence: str, since: datetime | None) -> Item:
    queue = Act("See the queue", reverse("queue"), needs="read", is_link=True)
    return Item(id, BAD, words, sentence, since, acts=(queue,))


def troubled_paces(workspace: Workspace) -> list[Pace]:
    """Of the senders chosen now that could not be opened, where a campaign is being sent that needs them."""
    sending = workspace.campaigns.filter(status=Status.SENDING).values("channel")
    found = Pace.objects.filter(workspace=workspace, channel__in=sending).exclude(trouble="").order_by("channel")
    chosen = chosen_names({workspace.pk})
    return [pace for pace in found if chosen[workspace.pk, pace.channel] == pace.sender]


def unreachable_sender(pace: Pace) -> Item:
    settings = Act("See its settings", reverse("sender", args=[Channel(pace.channel).word]), "manage", is_link=True)
    trouble = pace.trouble if pace.trouble.endswith(".") else f"{pace.trouble}."
    return Item(
        f"sender-{pace.channel}-{pace.sender}",
        BAD,
        f"{capital(pace.get_channel_display())} cannot be sent.",
        f"{title_of(pace.sender)} cannot be reached: {trouble} It is tried again by itself; a test in its settings"
        " that reaches it lets sending go on at once.",
        acts=(settings,),
    )


# --- campaigns ---


def could_not_start(campaign: Campaign, change: StatusChange) -> Item:
    acts = (
        Act("Edit", reverse("campaign-edit", args=[campaign.pk]), needs="write", is_link=True),
        Act("Check and send", reverse("check", args=[campaign.pk]), is_link=True),
        Act("Dismiss", reverse("dismiss_launch", args=[campaign.pk])),
    )
    return Item(f"launch-{campaign.pk}", BAD, "It was not sent.", change.reason, change.at, campaign, acts)


def paused_by_itself(campaign: Campaign, change: StatusChange) -> Item:
    acts = (
        Act("Resume", reverse("resume", args=[campaign.pk])),
        Act("Cancel…", asked(campaign, "cancel"), is_link=True, is_danger=True),
    )
    sentence = "Resume it once you know that the provider answers again, or cancel it."
    return Item(f"paused-{campaign.pk}", ATTENTION, told(change, timezone.now()), sentence, change.at, campaign, acts)


def unchosen(campaign: Campaign, held: int) -> Item:
    acts = (
        Act("Choose the winner", reverse("campaign", args=[campaign.pk]), is_link=True),
        Act("Cancel…", asked(campaign, "cancel"), is_link=True, is_danger=True),
    )
    sentence = "All who were to get a variant at once are done. Choose which one the others get; it is sent at once."
    words = "1 person waits for the winner." if held == 1 else f"{held:,} people wait for the winner."
    return Item(f"winner-{campaign.pk}", ATTENTION, words, sentence, None, campaign, acts)


def undecided(campaign: Campaign, books: Books) -> Item:
    acts = [Act("Assume delivered", reverse("assume_delivered", args=[campaign.pk]))]
    if campaign.status != Status.CANCELLED:
        acts.append(Act("Send again…", asked(campaign, "send_again"), is_link=True, is_danger=True))
    page = reverse("campaign", args=[campaign.pk])
    acts.append(Act("Show them", f"{page}?status=unknown#people", needs="read", is_link=True))
    sentence = "Handed over to the provider, but its answer was never heard: no machine sends them again."
    words = f"{books.unknown:,} unknown."
    return Item(f"unknown-{campaign.pk}", ATTENTION, words, sentence, None, campaign, tuple(acts), books.settled_at)


def lapsing(campaign: Campaign, lapses: int, batches: int) -> Item:
    acts = []
    if campaign.status == Status.SENDING:
        acts.append(Act("Pause", reverse("pause", args=[campaign.pk])))
    acts.append(Act("See the queue", reverse("queue"), needs="read", is_link=True))
    which = "A batch of it was" if batches == 1 else f"{batches:,} batches of it were"
    sentence = f"{which} taken over up to {lapses:,} times from workers that were lost; their log says why."
    return Item(
        f"lapses-{campaign.pk}", BAD, "Workers are lost again and again.", sentence, None, campaign, tuple(acts)
    )


def dead(letters: Letters) -> Item:
    acts = []
    again = [cause for cause in letters.causes if cause.can_be_retried] if letters.can_be_retried else []
    if again:
        fields = (("campaign", letters.id), *(("category", cause.word) for cause in again))
        acts.append(Act(f"Retry {sum(cause.count for cause in again):,}", reverse("retry_dead"), fields=fields))
    acts.append(Act("See why", f"{reverse('dead-letters')}#letters-{letters.id}", needs="read", is_link=True))
    acts.append(Act("Dismiss…", f"{reverse('dismiss')}?campaign={letters.id}", is_link=True))
    causes = ", ".join(f"{cause.count:,} {cause.words[:1].lower()}{cause.words[1:]}" for cause in letters.causes)
    words = f"{letters.count:,} failed."
    return Item(
        f"dead-{letters.id}", ATTENTION, words, f"{capital(causes)}.", None, letters.campaign, tuple(acts), letters.at
    )


def asked(campaign: Campaign, verb: str) -> str:
    """The question before a verb that cannot be taken back; its answer leads back to this page."""
    return reverse("confirm", args=[campaign.pk, verb]) + "?back=attention"


# --- people ---


def imports_that_failed(workspace: Workspace) -> list[Import]:
    """Those of late of which nobody brought the same list again."""
    failed = workspace.imports.filter(status=Import.Status.FAILED, finished_at__gt=Now() - FAILED_LATELY)
    alike = workspace.imports.filter(name__in=failed.values("name")).order_by("pk")
    again = dict(alike.values_list("name", "pk"))
    return [upload for upload in failed.order_by("-pk") if again[upload.name] == upload.pk]


def failed_import(upload: Import) -> Item:
    acts = (
        Act("See what came in", reverse("import", args=[upload.pk]), needs="read", is_link=True),
        Act("Import again", reverse("import-new"), needs="write", is_link=True),
    )
    words = f"The import of “{upload}” failed."
    return Item(f"import-{upload.pk}", BAD, words, upload.error, upload.finished_at, acts=acts)
