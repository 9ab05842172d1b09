"""What lists and wishes keep of a person who is erased: that there was one, and nothing that tells who."""

from collections.abc import Iterable, Set

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import Workspace
from people.held import hold_workspace
from people.models import AT_WORK, ConsentEvent, ImportRow, Recipient, Reply, Suppression
from people.suppression import sealed, suppress


class StillImported(Exception):
    """A worker has a list in hand that may name the person."""


def refuse_while_importing(workspace: Workspace) -> None:
    """Raises StillImported: what a worker has in hand of somebody would outlive them."""
    if upload := workspace.imports.filter(status__in=AT_WORK).only("name").first():
        sentence = f"The list “{upload}” is not over yet and may name this person."
        raise StillImported(f"{sentence} Wait until it is, or cancel its import.")


def addresses_of(person: Recipient, written_to: Iterable[str]) -> set[str]:
    """Those they have, and those they had as lists and messages tell, but for what somebody else has by now."""
    own = {address for address in (person.email, person.phone) if address}
    former = {address for address in written_to if address}
    for address, before in ImportRow.objects.filter(recipient=person).values_list("address", "before"):
        changed = [each for name in ("email", "phone") for each in (before or {}).get(name, ())]
        former.update(each.lower() for each in (address, *changed) if each)
    return own | former - _taken(person.workspace.recipients.exclude(pk=person.pk), former)


@transaction.atomic
def keep_away(workspace: Workspace, addresses: Set[str]) -> None:
    """Those that erased people had, as files tell, but for what somebody has by now."""
    hold_workspace(workspace.pk)
    for address in sorted(addresses - _taken(workspace.recipients.all(), addresses)):
        suppress(workspace, address, reason=Suppression.Reason.ERASED, by=None)


def _taken(others: QuerySet[Recipient], addresses: Set[str]) -> set[str]:
    emails = others.annotate(lower=Lower("email")).filter(lower__in=addresses).values_list("lower", flat=True)
    return {*emails, *others.filter(phone__in=addresses).values_list("phone", flat=True)}


def forget_wishes(person: Recipient) -> None:
    """That somebody replied, or opted out or in, stays, with when and how."""
    ConsentEvent.objects.filter(recipient=person).update(recipient=None, reason="", evidence={})
    theirs = Q(recipient=person) | Q(workspace=person.workspace_id, number=person.phone) & ~Q(number="")
    replies = list(Reply.objects.filter(theirs))
    for reply in replies:
        reply.recipient, reply.number, reply.text = None, "", ""
        reply.provider_id = sealed(reply.provider_id)
    Reply.objects.bulk_update(replies, ["recipient", "number", "text", "provider_id"])
