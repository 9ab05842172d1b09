"""Adding and changing one person, for the page and the API alike."""

from collections.abc import Collection, Mapping

from django.db import IntegrityError, transaction

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from people import consent
from people.addresses import InvalidAddress, normal_email, normal_phone
from people.attributes import MOST_NAMES, checked_attributes, keep_names
from people.held import hold_groups, hold_workspace
from people.models import ConsentEvent, Recipient, Suppression
from people.plain import EDGES, NotPlain, plain
from people.suppression import erased_among, look_at, suppress

LINES = {
    "first_name": "The first name",
    "last_name": "The last name",
    "location": "The location",
    "preferred_product": "The preferred product",
}
ADDRESSES = ("email", "phone")
PERSONAL = (*LINES, *ADDRESSES, "attributes")


class DuplicateRecipient(Exception):
    """Somebody in the workspace has one of these addresses already."""


class Erased(InvalidAddress):
    """Nothing may be kept of whoever has this address."""


def checked_fields(fields: Mapping[str, object], region: str = "") -> dict:
    """The fields as they are stored; a national number is one of the region, if there is one.

    Raises InvalidAddress for an address and NotPlain for anything else.
    """
    checked = dict(fields)
    for name, value in fields.items():
        if name in LINES:
            checked[name] = plain(str(value or ""), LINES[name], at_most=100)
        elif name in ADDRESSES and not (text := str(value or "").strip(EDGES)):
            checked[name] = ""
        elif name == "email":
            checked[name] = normal_email(text)
        elif name == "phone":
            checked[name] = normal_phone(text, region or None)
        elif name == "attributes":
            checked[name] = checked_attributes(value or {})  # type: ignore[arg-type]
    return checked


def names_in(whole: str) -> dict[str, str]:
    """First and last name of somebody whose name stands in one piece."""
    first, _, last = whole.strip(EDGES).partition(" ")
    return {"first_name": first, "last_name": last}


@transaction.atomic
def add_recipient(
    workspace: Workspace,
    *,
    by: Actor | None,
    email: str = "",
    phone: str = "",
    first_name: str = "",
    last_name: str = "",
    location: str = "",
    preferred_product: str = "",
    attributes: Mapping[str, object] | None = None,
    opted_out: bool = False,
    groups: Collection[int] = (),
) -> Recipient:
    """A new person of the workspace, in the groups with these ids.

    Raises InvalidAddress, NotPlain or DuplicateRecipient.
    """
    checked = checked_fields(
        {
            "email": email,
            "phone": phone,
            "first_name": first_name,
            "last_name": last_name,
            "location": location,
            "preferred_product": preferred_product,
            "attributes": attributes,
        }
    )
    hold_workspace(workspace.pk)
    person = Recipient(workspace=workspace, opted_out=opted_out, **checked)
    _keep(person, [*person.attributes], by=by)
    _write(person, force_insert=True)
    _look_at(person)
    if opted_out:
        consent.note(person, consent.Wish.OUT, how=_how(by), by=by)
    _join(person, groups)
    audit_log.record(
        workspace, "create", person, by=by, after=_known_of(person) | {"opted_out": opted_out}, hidden=PERSONAL
    )
    return person


@transaction.atomic
def change_recipient(
    person: Recipient,
    *,
    by: Actor | None,
    groups: Collection[int] | None = None,
    opted_out: bool | None = None,
    **fields: object,
) -> None:
    """Change these fields of a person, the groups and the wish if given, and nothing else.

    Raises as `add_recipient` does.
    """
    fields = checked_fields(fields)
    for name, value in fields.items():
        setattr(person, name, value)
    is_moving = bool(fields.keys() & {*ADDRESSES})
    if is_moving:  # neither may an address come onto the list unseen
        hold_workspace(person.workspace_id)
    _keep(person, [*person.attributes] if "attributes" in fields else [], by=by)
    if groups is not None:
        hold_groups(person.workspace.groups.filter(pk__in=groups).values_list("pk", flat=True))
    # As it is now: the page may have been opened long ago.
    was = Recipient.objects.select_for_update(no_key=True).get(pk=person.pk)
    before = _known_of(was)
    _write(person, update_fields=[*fields, "updated_at"])
    if is_moving:
        _look_at(person)
    if groups is not None:
        _join(person, groups)
    if opted_out is not None:
        (consent.opt_out if opted_out else consent.opt_in)(person, how=_how(by), by=by)
    if is_moving:
        _let_go_of_addresses(was, person, by=by)
    after = before | audit_log.fields_of(person, fields) | {"groups": _groups_of(person)}
    audit_log.record(person.workspace, "update", person, by=by, before=before, after=after, hidden=PERSONAL)


def _how(by: Actor | None) -> ConsentEvent.How:
    return consent.How.COLLEAGUE if isinstance(by, User) else consent.How.API


def _look_at(person: Recipient) -> None:
    look_at([person.pk])
    person.refresh_from_db(fields=["email_suppressed", "phone_suppressed"])


def _let_go_of_addresses(was: Recipient, now: Recipient, *, by: Actor | None) -> None:
    """A wish is about the address, too: left behind, it would be free for the next list to bring."""
    for field in ADDRESSES:
        old, new = getattr(was, field), getattr(now, field)
        if old and old.lower() != new.lower() and consent.has_refused(was, field):
            suppress(was.workspace, old, reason=Suppression.Reason.OPTED_OUT, by=by)


def _join(person: Recipient, groups: Collection[int]) -> None:
    """Those they left by their own wish stay left."""
    person.groups.set(person.workspace.groups.filter(pk__in=groups).exclude(left_by__recipient=person))


def _known_of(person: Recipient) -> dict[str, object]:
    return audit_log.fields_of(person, PERSONAL) | {"groups": _groups_of(person)}


def _groups_of(person: Recipient) -> list[str]:
    return sorted(person.groups.values_list("name", flat=True))


def _keep(person: Recipient, names: list[str], *, by: Actor | None) -> None:
    if not person.email and not person.phone:
        raise InvalidAddress("An email address or a phone number is needed.")
    if erased := erased_among(person.workspace, (person.email, person.phone)):
        raise Erased(
            "Somebody with this address asked to be erased. An admin can take it off the suppression list if they"
            " have agreed to be written to again.",
            "email" if person.email in erased else "phone",
        )
    if left_out := set(names) - keep_names(person.workspace, names, by=by):
        sentence = f"There is no room for {min(left_out)}: a workspace has at most {MOST_NAMES} attributes."
        raise NotPlain(sentence, "attributes")


def _write(person: Recipient, **how) -> None:
    try:
        with transaction.atomic():
            person.save(**how)
    except IntegrityError as error:
        for rule, words in {"email_once": "email address", "phone_once": "phone number"}.items():
            if rule in str(error):
                raise DuplicateRecipient(f"Somebody with this {words} is already in {person.workspace}.") from None
        raise
