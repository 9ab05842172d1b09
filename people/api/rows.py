"""People as the API shows them: a page of them in three queries."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from people.api.shapes import CustomerOut
from people.channels import Channel
from people.models import ConsentEvent, Group, Recipient

MEMBERSHIP = Recipient.groups.through
AS_THEY_ARE = CustomerOut.model_fields.keys() - {"group_ids", "refused_channels", "opt_out_reason"}


def customers(people: Collection[Recipient]) -> list[dict[str, Any]]:
    """As `CustomerOut` shows them."""
    groups, reasons = groups_of(people), reasons_of(people)
    return [
        {field: getattr(person, field) for field in AS_THEY_ARE}
        | {
            "group_ids": groups[person.pk],
            "refused_channels": [Channel(channel).word for channel in person.refused_channels],
            "opt_out_reason": reasons.get(person.pk, ""),
        }
        for person in people
    ]


def recipients(people: Collection[Recipient], group: Group | None = None) -> list[dict[str, Any]]:
    """As `RecipientOut` shows them, in a call about this group."""
    return [
        customer
        | {
            "name": person.full_name,
            "group_id": _group_first(customer["group_ids"], group),
            "opt_out": person.opted_out,
        }
        for person, customer in zip(people, customers(people), strict=True)
    ]


def _group_first(groups: list[int], asked: Group | None) -> int | None:
    return asked.pk if asked and asked.pk in groups else groups[-1] if groups else None


def groups_of(people: Collection[Recipient]) -> dict[int, list[int]]:
    """The groups each is in, as they were put into them."""
    groups = defaultdict(list)
    rows = MEMBERSHIP.objects.filter(recipient__in=[person.pk for person in people]).order_by("pk")
    for person, group in rows.values_list("recipient", "group"):
        groups[person].append(group)
    return groups


def reasons_of(people: Collection[Recipient]) -> dict[int, str]:
    """What each who refuses something said with the latest opt-out."""
    refusing = [person.pk for person in people if person.opted_out or person.refused_channels]
    outs = ConsentEvent.objects.filter(recipient__in=refusing, wish=ConsentEvent.Wish.OUT, is_about_a_group=False)
    return dict(outs.order_by("recipient", "-pk").distinct("recipient").values_list("recipient", "reason"))
