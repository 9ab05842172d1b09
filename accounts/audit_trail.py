"""Reading the audit log of a workspace: which rows, a page of them at a time, as people read them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from accounts.audit_words import field_told, kind_told, verb_told
from accounts.models import AuditEntry, Membership, Workspace

Kind = AuditEntry.Kind
PAGE = 50
LATELY = 10_000  # rows whose verbs and kinds are offered to choose from
HIGHEST = 2**63 - 1
LONGEST = 100
WORKSPACE, ACCOUNTS = "workspace", "accounts"  # the parts of what is shown: one chain, and some rows of another

# Where a row of each kind is looked at, while it exists: its model, its URL name, and which of its columns is named.
PAGES = {
    "campaign": ("campaigns.Campaign", "campaign"),
    "recipient": ("people.Recipient", "person"),
    "group": ("people.Group", "group-edit"),
    "import": ("people.Import", "import"),
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")


@dataclass(frozen=True)
class Asked:
    """The filters as they stand in the address; what cannot be read filters nothing."""

    actor: str = ""
    verb: str = ""
    kind: str = ""
    about: int | None = None
    since: date | None = None
    until: date | None = None
    words: str = ""
    part: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        return cls(
            actor=query.get("actor", "")[:LONGEST],
            verb=query.get("verb", "")[:LONGEST],
            kind=query.get("kind", "")[:LONGEST],
            about=whole(query.get("about", "")),
            since=day(query.get("since", "")),
            until=day(query.get("until", "")),
            words=query.get("q", "").strip()[:LONGEST],
            part=query["part"] if query.get("part") in (WORKSPACE, ACCOUNTS) else "",
        )

    @property
    def query(self) -> str:
        """The same filters as part of an address."""
        values = {
            "actor": self.actor,
            "verb": self.verb,
            "kind": self.kind,
            "about": self.about,
            "since": self.since,
            "until": self.until,
            "q": self.words,
            "part": self.part,
        }
        return urlencode({name: str(value) for name, value in values.items() if value})


def whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= HIGHEST else None


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def found_entries(workspace: Workspace, asked: Asked, *, before: int | None, limit: int) -> list[AuditEntry]:
    """The newest rows asked for, below an id: of the workspace, and of the accounts of its members."""
    found: list[AuditEntry] = []
    for entries in (entries_of(workspace, asked), account_entries_of(workspace, asked)):
        rows = entries if before is None else entries.filter(pk__lt=before)
        found += rows.select_related("link").order_by("-id")[:limit]
    return sorted(found, key=lambda entry: -entry.pk)[:limit]


def entries_of(workspace: Workspace, asked: Asked) -> QuerySet[AuditEntry]:
    entries = AuditEntry.objects.filter(workspace_id=workspace.pk)
    return entries.none() if asked.part == ACCOUNTS else filtered(entries, workspace, asked)


def account_entries_of(workspace: Workspace, asked: Asked) -> QuerySet[AuditEntry]:
    """What concerns members wherever they work, such as log-ins; who else did it is not told, nor can it be guessed."""
    members = Membership.objects.filter(workspace=workspace).values("user_id")
    entries = AuditEntry.objects.filter(workspace_id=None, kind="user", about_id__in=members)
    stranger = Q(actor_kind=Kind.PERSON) & ~Q(actor_id__in=members)
    if asked.part == WORKSPACE:
        return entries.none()
    if asked.actor or asked.words:
        entries = entries.exclude(stranger)
    return filtered(entries, workspace, asked).annotate(by_stranger=ExpressionWrapper(stranger, BooleanField()))


def filtered(entries: QuerySet[AuditEntry], workspace: Workspace, asked: Asked) -> QuerySet[AuditEntry]:
    """Days are those of the workspace's time zone."""
    if asked.actor:
        entries = entries.filter(by_actor(asked.actor))
    for name in ("verb", "kind"):
        if value := getattr(asked, name):
            entries = entries.filter(**{name: value})
    if asked.about is not None:
        entries = entries.filter(about_id=asked.about)
    if asked.since:
        entries = entries.filter(at__gte=midnight(asked.since, workspace))
    if asked.until and asked.until < date.max:
        entries = entries.filter(at__lt=midnight(asked.until + timedelta(days=1), workspace))
    if asked.words:
        entries = entries.alias(text=Cast("changes", TextField())).filter(with_words(asked.words))
    return entries


def by_actor(actor: str) -> Q:
    """ "person-3", "key-4" or "machine"; nobody for anything else."""
    word, _, number = actor.partition("-")
    kinds = {"person": Kind.PERSON, "key": Kind.KEY, "machine": Kind.MACHINE}
    if word not in kinds or (word != "machine" and whole(number) is None):
        return Q(pk=None)
    return Q(actor_kind=kinds[word], actor_id=whole(number))


def with_words(words: str) -> Q:
    columns = ("about", "actor", "verb", "kind", "address", "request_id", "text")
    return Q(*((f"{column}__icontains", words) for column in columns), _connector=Q.OR)


def midnight(day: date, workspace: Workspace) -> datetime:
    return datetime.combine(day, time(), workspace.zone)


@dataclass(frozen=True)
class Change:
    """One field: what it was and what it is, in words; empty for nothing."""

    field: str
    old: str
    new: str


@dataclass(frozen=True)
class Line:
    """One row of the log as the page shows it; `href` leads to what it is about, while that exists."""

    entry: AuditEntry
    href: str

    @property
    def is_of_account(self) -> bool:
        return self.entry.workspace_id is None

    @property
    def is_by_stranger(self) -> bool:
        return is_by_stranger(self.entry)

    @property
    def number(self) -> int | None:
        return number_of(self.entry)

    @property
    def who(self) -> str:
        return who(self.entry)

    @property
    def actor(self) -> str:
        """As `Asked.actor` names it."""
        word = {Kind.PERSON: "person", Kind.KEY: "key"}.get(Kind(self.entry.actor_kind))
        return f"{word}-{self.entry.actor_id}" if word else "machine"

    @property
    def about(self) -> str:
        return "" if self.entry.kind == "auditlink" else self.entry.about  # there is one for each workspace

    @property
    def verb(self) -> str:
        return verb_told(self.entry.verb)

    @property
    def kind(self) -> str:
        return kind_told(self.entry.kind)

    @property
    def changes(self) -> list[Change]:
        changes = self.entry.changes.items()
        return [Change(field_told(field), shown(old), shown(new)) for field, (old, new) in changes]


def number_of(entry: AuditEntry) -> int | None:
    """Its place in the chain; none for one that somebody slipped in behind the back of the log."""
    link = getattr(entry, "link", None)
    return link.number if link else None


def is_by_stranger(entry: AuditEntry) -> bool:
    """Done to the account of a member by somebody who is none."""
    return getattr(entry, "by_stranger", False)


def who(entry: AuditEntry) -> str:
    if is_by_stranger(entry):
        return "somebody outside"
    if entry.actor_kind == Kind.MACHINE:
        return "the machine"
    return f"API key {entry.actor}" if entry.actor_kind == Kind.KEY else entry.actor


def shown(value: Any) -> str:
    """A value of the log for people: times as those of the workspace, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(each)}" for name, each in value.items())
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return instant(value)
    return str(value)


def instant(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{timezone.localtime(at) if timezone.is_aware(at) else at:%-d %b %Y, %H:%M}"


def page_of(workspace: Workspace, asked: Asked, before: int | None) -> tuple[list[Line], int | None]:
    """The newest rows below an id, and the id the next page begins below, None on the last one."""
    found = found_entries(workspace, asked, before=before, limit=PAGE + 1)
    return lines(workspace, found[:PAGE]), found[PAGE - 1].pk if len(found) > PAGE else None


def lines(workspace: Workspace, entries: Iterable[AuditEntry]) -> list[Line]:
    """At most one query for each kind that has a page."""
    entries = list(entries)
    existing = {
        (kind, pk)
        for kind, (model, _) in PAGES.items()
        if (ids := {entry.about_id for entry in entries if entry.kind == kind})
        for pk in apps.get_model(model)
        ._base_manager.filter(workspace=workspace.pk, pk__in=ids)
        .values_list("pk", flat=True)
    }
    return [Line(entry, href(entry) if (entry.kind, entry.about_id) in existing else "") for entry in entries]


def href(entry: AuditEntry) -> str:
    return reverse(PAGES[entry.kind][1], args=[entry.about_id])


@dataclass(frozen=True)
class Choices:
    """What the selects of the page offer: value and words."""

    actors: list[tuple[str, str]]
    verbs: list[tuple[str, str]]
    kinds: list[tuple[str, str]]


def choices_of(workspace: Workspace, asked: Asked) -> Choices:
    """Who works here and whoever is asked for; the verbs and kinds of the newest rows."""
    members = (
        Membership.objects.filter(workspace=workspace).select_related("user").order_by("user__name", "user__email")
    )
    actors = [(f"person-{member.user_id}", str(member.user)) for member in members]
    actors += [(f"key-{key.pk}", f"API key {key}") for key in workspace.api_keys.order_by("name")]
    actors.append(("machine", "the machine"))
    if asked.actor and asked.actor not in dict(actors):
        gone = AuditEntry.objects.filter(by_actor(asked.actor), workspace_id=workspace.pk).order_by("-id").first()
        actors.append((asked.actor, who(gone) if gone else "somebody unknown"))
    parts = (entries_of(workspace, Asked()), account_entries_of(workspace, Asked()))
    lately = [part.order_by("-id").values_list("verb", "kind")[:LATELY] for part in parts]
    pairs = {pair for part in lately for pair in part}
    verbs = sorted({verb for verb, _ in pairs} | ({asked.verb} if asked.verb else set()))
    kinds = sorted({kind for _, kind in pairs} | ({asked.kind} if asked.kind else set()))
    return Choices(
        actors,
        [(verb, verb_told(verb)) for verb in verbs],
        [(kind, kind_told(kind)) for kind in kinds],
    )


@dataclass(frozen=True)
class Checked:
    """What the newest check of the chain found."""

    at: datetime
    by: str
    entries: int
    digest: str
    broken: int
    found: list[str]


def last_check(workspace: Workspace) -> Checked | None:
    checks = AuditEntry.objects.filter(kind="auditlink", workspace_id=workspace.pk, verb="check")
    entry = checks.order_by("-id").first()
    if entry is None:
        return None
    facts = {name: new for name, (_, new) in entry.changes.items()}
    # What is empty was no change and is not written.
    return Checked(
        entry.at, who(entry), facts["entries"], facts["digest"], facts.get("broken", 0), facts.get("found", [])
    )
