"""The people some rows of an import are about, found by either address, as they will be once it is written."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Min, Q
from django.db.models.functions import Lower

from people.channels import Channel
from people.consent import has_refused
from people.models import MEMBERSHIP, ConsentEvent, Import, ImportRow, LeftGroup, Recipient, StagedRow
from people.recipients import LINES

V = ImportRow.Verdict
WRITTEN = ["email", "phone", *LINES, "attributes", "opted_out", "refused_channels"]
CALLED = {
    "first_name": "name",
    "last_name": "name",
    "location": "location",
    "preferred_product": "product",
    "attributes": "attributes",
}


@dataclass(slots=True, eq=False)
class Known:
    """A person of these rows: the line that first named them in this import, and what is to be written."""

    person: Recipient
    line: int | None = None
    groups: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    is_changed: bool = False


@dataclass(slots=True)
class Booking:
    """What became of a row, and [before, after] of what it changed; the person has an id once all is written."""

    row: StagedRow
    verdict: ImportRow.Verdict
    person: Recipient
    reason: str
    before: dict[str, Any] = field(default_factory=dict)


class Register:
    """Raises IntegrityError on `write` when somebody else took one of the addresses meanwhile."""

    def __init__(self, upload: Import, rows: Sequence[StagedRow], groups: Collection[int]) -> None:
        self.upload = upload
        self.rows = rows
        self.groups = set(groups)
        self.by_email: dict[str, Known] = {}
        self.by_phone: dict[str, Known] = {}
        self.joining: list[tuple[Recipient, int]] = []
        # Of all channels or of one, and the line that says so.
        self.opting_out: list[tuple[Recipient, Channel | None, int]] = []
        self.freed: set[str] = set()  # numbers the database still has at their old owner
        self.left_behind: list[str] = []  # and those of them whose owner wants nothing there
        self.known = [Known(person) for person in self._people()]
        self._note_what_came_before()
        for known in self.known:
            self._file(known)

    def _people(self) -> Sequence[Recipient]:
        emails = {row.email for row in self.rows if row.email}
        phones = {row.phone for row in self.rows if row.phone}
        by_email = ~Q(email="") & Q(lower_email__in=emails)
        by_phone = ~Q(phone="") & Q(phone__in=phones)
        people = Recipient.objects.alias(lower_email=Lower("email")).filter(workspace=self.upload.workspace_id)
        # One index each: an OR over both would read everybody.
        found = [*people.filter(by_email).values_list("pk", flat=True)] if emails else []
        found += [*people.filter(by_phone).values_list("pk", flat=True)] if phones else []
        # Of the person alone: their group memberships and messages may be written meanwhile.
        return list(Recipient.objects.filter(pk__in=set(found)).order_by("pk").select_for_update(no_key=True))

    def _note_what_came_before(self) -> None:
        ids = [known.person.pk for known in self.known]
        earlier = ImportRow.objects.filter(upload=self.upload, recipient__in=ids).values_list("recipient")
        lines = dict(earlier.annotate(Min("line")))
        member_of, left = defaultdict(set), defaultdict(set)
        if self.groups:
            some = {"group__in": self.groups, "recipient__in": ids}
            for person, group in MEMBERSHIP.objects.filter(**some).values_list("recipient", "group"):
                member_of[person].add(group)
            for person, group in LeftGroup.objects.filter(**some).values_list("recipient", "group"):
                left[person].add(group)
        for known in self.known:
            known.line = lines.get(known.person.pk)
            known.groups, known.left = member_of[known.person.pk], left[known.person.pk]

    def _file(self, known: Known) -> None:
        if known.person.email:
            self.by_email[known.person.email.lower()] = known
        if known.person.phone:
            self.by_phone[known.person.phone] = known

    def book_all(self) -> list[Booking]:
        """What becomes of the first of these rows, in their order.

        It stops early only at a phone number that an earlier one took from its owner: the database must know that
        before the number can be given to the next person.
        """
        done = []
        for row in self.rows:
            if row.phone and row.phone in self.freed:
                break
            done.append(self._book(row))
        return done

    def _book(self, row: StagedRow) -> Booking:
        self._leave_out_foreign_phone(row)
        known = self.by_email.get(row.email) or self.by_phone.get(row.phone)
        return self._update(known, row) if known else self._create(row)

    def _leave_out_foreign_phone(self, row: StagedRow) -> None:
        """People share telephones: the second to name a number must not take the place of the first."""
        ann, bob = self.by_email.get(row.email), self.by_phone.get(row.phone)
        if not row.email or bob is None or bob is ann or (ann is None and not bob.person.email):
            return
        owner = bob.person.email or "somebody else"
        row.left_out, row.phone = f"phone left out: {row.phone} already belongs to {owner}", ""

    def _create(self, row: StagedRow) -> Booking:
        person = Recipient(workspace_id=self.upload.workspace_id, **{name: getattr(row, name) for name in WRITTEN})
        known = Known(person, row.line)
        self.known.append(known)
        self._join(known)
        wished = [None] if row.opted_out else map(Channel, row.refused_channels)
        self.opting_out.extend((person, channel, row.line) for channel in wished)
        self._file(known)
        return Booking(row, V.CREATED, person, row.left_out)

    def _update(self, known: Known, row: StagedRow) -> Booking:
        reasons = [f"same as line {known.line}"] if known.line else []
        if known.line and row.forecast == V.UNCHANGED:
            # The list names them twice: what it said first holds, or each new import of it would change them twice.
            _keep_gaps_only(known.person, row)
        known.line = known.line or row.line
        before = self._change_addresses(known, row, reasons) | _change_fields(known.person, row, reasons)
        before |= self._opt_out(known.person, row, reasons)
        known.is_changed |= bool(before)
        if joined := self._join(known):
            before["groups"] = joined
            reasons.append("added to the group")
        if known.left & self.groups:
            reasons.append("not put into a group they had left")
        if row.left_out:
            reasons.append(row.left_out)
        return Booking(row, V.UPDATED if before else V.UNCHANGED, known.person, "; ".join(reasons), before)

    def _change_addresses(self, known: Known, row: StagedRow, reasons: list[str]) -> dict[str, Any]:
        person, before = known.person, {}
        if row.email and not person.email:
            before["email"] = ["", row.email]
            person.email = row.email
            reasons.append("email added")
        if row.phone and row.phone != person.phone:
            before["phone"] = [person.phone, row.phone]
            if person.phone:
                self.freed.add(person.phone)
                if has_refused(person, "phone"):
                    self.left_behind.append(person.phone)
                del self.by_phone[person.phone]
            reasons.append(f"phone was {person.phone}" if person.phone else "phone added")
            person.phone = row.phone
        self._file(known)
        return before

    def _opt_out(self, person: Recipient, row: StagedRow, reasons: list[str]) -> dict[str, Any]:
        """A list may opt people out, of all channels or of one, and never in again."""
        if person.opted_out:
            reasons.extend([] if row.opted_out else ["stays opted out"])
            return {}
        if row.opted_out:
            reasons.append("opted out")
            person.opted_out = True
            self.opting_out.append((person, None, row.line))
            return {"opted_out": [False, True]}
        old, new = person.refused_channels, sorted({*person.refused_channels, *row.refused_channels})
        if old == new:
            return {}
        added = [Channel(channel) for channel in new if channel not in old]
        reasons.extend(f"no {channel.label}" for channel in added)
        person.refused_channels = new
        self.opting_out.extend((person, channel, row.line) for channel in added)
        return {"refused_channels": [old, new]}

    def _join(self, known: Known) -> list[int]:
        """Put the person into the groups of the import, but for those they left by their own wish."""
        missing = sorted(self.groups - known.groups - known.left)
        known.groups.update(missing)
        self.joining.extend((known.person, group) for group in missing)
        return missing

    def write(self) -> None:
        """Write every person that is new or changed, every new membership and every wish."""
        new = [known.person for known in self.known if known.person.pk is None]
        changed = [known.person for known in self.known if known.person.pk and known.is_changed]
        # All that changed in one statement; the rows exist and are locked, so each of them takes the UPDATE.
        Recipient.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["id"], update_fields=[*WRITTEN, "updated_at"]
        )
        Recipient.objects.bulk_create(new)
        written = [person.pk for person in (*new, *changed)]
        Recipient.objects.filter(pk__in=written).update(updated_at=self.upload.started_at)
        MEMBERSHIP.objects.bulk_create(
            [MEMBERSHIP(group_id=group, recipient=person) for person, group in self.joining],
            ignore_conflicts=True,
        )
        ConsentEvent.objects.bulk_create(self._event(*wish) for wish in self.opting_out)

    def _event(self, person: Recipient, channel: Channel | None, line: int) -> ConsentEvent:
        return ConsentEvent(
            workspace_id=self.upload.workspace_id,
            recipient=person,
            wish=ConsentEvent.Wish.OUT,
            channel=channel,
            how=ConsentEvent.How.IMPORT,
            by_id=self.upload.by_id,
            key_id=self.upload.key_id,
            evidence={"import": self.upload.pk, "line": line},
        )


def _keep_gaps_only(person: Recipient, row: StagedRow) -> None:
    """Leave of the row what the person lacks."""
    for name in (*LINES, "phone"):
        if getattr(person, name):
            setattr(row, name, "")
    row.attributes = {name: value for name, value in row.attributes.items() if name not in person.attributes}


def _change_fields(person: Recipient, row: StagedRow, reasons: list[str]) -> dict[str, Any]:
    """Take over what the row says; what it leaves empty stays. Returns what was changed."""
    before: dict[str, Any] = {}
    for name in LINES:
        old, new = getattr(person, name), getattr(row, name)
        if new and new != old:
            before[name] = [old, new]
            setattr(person, name, new)
    attributes = {
        name: [person.attributes.get(name), value]
        for name, value in row.attributes.items()
        if value != str(person.attributes.get(name))
    }
    if attributes:
        before["attributes"] = attributes
        person.attributes = person.attributes | {name: new for name, (_, new) in attributes.items()}
    reasons.extend(f"{called} changed" for called in dict.fromkeys(CALLED[name] for name in before))
    return before
