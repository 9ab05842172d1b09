"""The people one chunk of an import is about, found by either address, as they will be once it is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Min, Q
from django.db.models.functions import Lower

from people.models import Import, ImportRow, Recipient
from people.rows import Entry

V = ImportRow.Verdict
MEMBERSHIP = Recipient.groups.through
WRITTEN = [
    "email",
    "phone",
    "first_name",
    "last_name",
    "location",
    "preferred_product",
    "attributes",
    "opted_out",
]

CALLED = {
    "first_name": "name",
    "last_name": "name",
    "location": "location",
    "preferred_product": "product",
    "attributes": "attributes",
}

Booking = tuple[ImportRow.Verdict, Recipient | None, str]


@dataclass(slots=True, eq=False)
class Known:
    """A person of the chunk: the line that first named them in this import, and what is to be written."""

    person: Recipient
    line: int | None = None
    is_member: bool = False
    is_changed: bool = False


class Register:
    """Raises IntegrityError on `write` when somebody else took one of the addresses meanwhile."""

    def __init__(self, upload: Import, entries: Sequence[Entry]) -> None:
        self.upload = upload
        self.by_email: dict[str, Known] = {}
        self.by_phone: dict[str, Known] = {}
        self.joining: list[Recipient] = []
        self.freed: set[str] = set()  # numbers the database still has at their old owner
        self.known = [Known(person) for person in self._people(entries)]
        self._note_what_came_before()
        for known in self.known:
            self._file(known)

    def _people(self, entries: Sequence[Entry]) -> Sequence[Recipient]:
        emails = {entry.email for entry in entries if entry.email}
        phones = {entry.phone for entry in entries if entry.phone}
        by_email = ~Q(email="") & Q(lower_email__in=emails)
        by_phone = ~Q(phone="") & Q(phone__in=phones)
        people = Recipient.objects.alias(lower_email=Lower("email")).filter(by_email | by_phone)
        people = people.filter(workspace=self.upload.workspace_id).order_by("pk")
        # Of the person alone: their group memberships and messages may be written meanwhile.
        return list(people.select_for_update(no_key=True))

    def _note_what_came_before(self) -> None:
        ids = [known.person.pk for known in self.known]
        earlier = ImportRow.objects.filter(upload=self.upload, recipient__in=ids).values_list("recipient")
        lines = dict(earlier.annotate(Min("line")))
        in_group = MEMBERSHIP.objects.filter(group=self.upload.group_id, recipient__in=ids)
        members = set(in_group.values_list("recipient", flat=True)) if self.upload.group_id else set(ids)
        for known in self.known:
            known.line = lines.get(known.person.pk)
            known.is_member = known.person.pk in members

    def _file(self, known: Known) -> None:
        if known.person.email:
            self.by_email[known.person.email.lower()] = known
        if known.person.phone:
            self.by_phone[known.person.phone] = known

    def book(self, entry: Entry, line: int) -> Booking:
        """What becomes of one row: its verdict, the person and the reason."""
        entry = self._without_foreign_phone(entry)
        known = self.by_email.get(entry.email) or self.by_phone.get(entry.phone)
        if known is None:
            return self._create(entry, line)
        return self._update(known, entry, line)

    def _without_foreign_phone(self, entry: Entry) -> Entry:
        """People share telephones: the second to name a number must not take the place of the first."""
        ann, bob = self.by_email.get(entry.email), self.by_phone.get(entry.phone)
        if not entry.email or bob is None or bob is ann or (ann is None and not bob.person.email):
            return entry
        owner = bob.person.email or "somebody else"
        return replace(entry, phone="", left_out=f"phone left out: {entry.phone} already belongs to {owner}")

    def _create(self, entry: Entry, line: int) -> Booking:
        person = Recipient(
            workspace_id=self.upload.workspace_id,
            email=entry.email,
            phone=entry.phone,
            attributes=entry.attributes,
            opted_out=entry.opted_out,
            **entry.fields,
        )
        known = Known(person, line, is_member=True)
        self.known.append(known)
        if self.upload.group_id:
            self.joining.append(person)
        self._file(known)
        return V.CREATED, person, entry.left_out

    def _update(self, known: Known, entry: Entry, line: int) -> Booking:
        reasons = [f"same as line {known.line}"] if known.line else []
        known.line = known.line or line
        changed = self._change_addresses(known, entry, reasons)
        changed |= _change_fields(known.person, entry, reasons)
        known.is_changed |= changed
        if not known.is_member:
            known.is_member = changed = True
            self.joining.append(known.person)
            reasons.append("added to the group")
        if entry.left_out:
            reasons.append(entry.left_out)
        return V.UPDATED if changed else V.UNCHANGED, known.person, "; ".join(reasons)

    def _change_addresses(self, known: Known, entry: Entry, reasons: list[str]) -> bool:
        person = known.person
        new_email = bool(entry.email) and not person.email
        new_phone = bool(entry.phone) and entry.phone != person.phone
        if new_email:
            person.email = entry.email
            reasons.append("email added")
        if new_phone:
            if person.phone:
                self.freed.add(person.phone)
                del self.by_phone[person.phone]
            reasons.append(f"phone was {person.phone}" if person.phone else "phone added")
            person.phone = entry.phone
        self._file(known)
        return new_email or new_phone

    def write(self) -> None:
        """Write every person that is new or changed, and every new membership."""
        new = [known.person for known in self.known if known.person.pk is None]
        changed = [known.person for known in self.known if known.person.pk and known.is_changed]
        # All that changed in one statement; the rows exist and are locked, so each of them takes the UPDATE.
        Recipient.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["id"], update_fields=[*WRITTEN, "updated_at"]
        )
        Recipient.objects.bulk_create(new)
        MEMBERSHIP.objects.bulk_create(
            [MEMBERSHIP(group_id=self.upload.group_id, recipient=person) for person in self.joining],
            ignore_conflicts=True,
        )


def _change_fields(person: Recipient, entry: Entry, reasons: list[str]) -> bool:
    """Take over what the row says; what it leaves empty stays, and so does an opt-out."""
    before = {name: getattr(person, name) for name in CALLED}
    for name, value in entry.fields.items():
        setattr(person, name, value or getattr(person, name))
    person.attributes = person.attributes | {
        name: value for name, value in entry.attributes.items() if value != str(person.attributes.get(name))
    }
    changed = dict.fromkeys(called for name, called in CALLED.items() if before[name] != getattr(person, name))
    reasons.extend(f"{called} changed" for called in changed)
    if person.opted_out and not entry.opted_out:
        reasons.append("stays opted out")
    elif entry.opted_out and not person.opted_out:
        reasons.append("opted out")
        changed["consent"] = None
    person.opted_out |= entry.opted_out
    return bool(changed)
