"""Linking the addresses that a program names for a campaign: a chore that adds whom nobody knew, chunk by chunk.

Each chunk is one transaction with the note of how far it came: a worker that is killed loses nothing but its chunk.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Now

from accounts import audit_log
from accounts.models import Actor, ApiKey, Workspace
from campaigns.authoring import create_campaign
from campaigns.models import Campaign, Linking, StatusChange
from people.addresses import InvalidAddress, quick_email
from people.by_address import add_unknown, by_email
from people.held import hold_workspace
from people.patterns import Finder
from people.suppression import erased_among
from wires import live, queue

CHUNK = 1_000
TURN = 30  # seconds a worker works at one before it looks whether something else waits
LOST_AFTER = timedelta(seconds=30)
LISTED = 100  # bad addresses that are told one by one
LONGEST = 100  # characters of one that are told


@transaction.atomic
def create_with_addresses(
    workspace: Workspace, *, by: Actor | None, addresses: Collection[str], **content: Any
) -> Campaign:
    """What `create_campaign` makes; who has one of these email addresses is linked to it in the background."""
    campaign = create_campaign(workspace, by=by, **content)
    if addresses:
        key = by if isinstance(by, ApiKey) else None
        Linking.objects.create(campaign=campaign, key=key, addresses=[*addresses], total=len(addresses))
        queue.ask_to_link(campaign.pk)
    return campaign


def linkings_of(campaigns: Iterable[Campaign]) -> dict[int, Linking]:
    """By campaign, without the addresses themselves."""
    found = Linking.objects.filter(campaign__in=[campaign.pk for campaign in campaigns]).defer("addresses")
    return {linking.campaign_id: linking for linking in found}


def link_on(campaign_id: int) -> None:
    """Go on from where it stands, for a turn. Two at once, or one killed at any point, do no harm."""
    until = monotonic() + TURN
    while link_next(campaign_id):
        if monotonic() > until:  # others wait for this worker, too
            return queue.ask_to_link(campaign_id)


@transaction.atomic
def link_next(campaign_id: int) -> bool:
    """Link the next chunk; False once nothing is left."""
    # In the order in which others lock: whoever adds people holds the workspace, and then campaigns.
    here = Campaign.objects.filter(pk=campaign_id).values_list("workspace", flat=True).first()
    workspace = hold_workspace(here) if here else None
    campaign = Campaign.objects.select_for_update(no_key=True).filter(pk=campaign_id).first()
    linking = Linking.objects.select_related("key").filter(campaign=campaign_id, done_at=None).first()
    if workspace is None or campaign is None or linking is None:
        return False
    if not campaign.is_editable:  # cancelled meanwhile: nobody is linked to what is over
        return _end(campaign, linking, skipped=linking.skipped + linking.waiting, up_to=linking.total)
    chunk = linking.addresses[linking.up_to : linking.up_to + CHUNK]
    emails, faults = _read(chunk)
    linked = _link(campaign, emails, workspace)
    counts: dict[str, Any] = {
        "up_to": linking.up_to + len(chunk),
        "linked": linking.linked + linked,
        "skipped": linking.skipped + len(chunk) - len(faults) - linked,
        "wrong": linking.wrong + len(faults),
        "errors": [*linking.errors, *faults][:LISTED],
    }
    if counts["up_to"] >= linking.total:
        return _end(campaign, linking, **counts)
    Linking.objects.filter(pk=linking.pk).update(moved_at=Now(), **counts)
    live.changed(campaign.pk, workspace.pk)
    return True


def _read(chunk: Iterable[str]) -> tuple[list[str], list[dict[str, str]]]:
    """The normal addresses, each once, and what is wrong with the others."""
    emails, faults = {}, []
    for text in chunk:
        try:
            if text:  # else its owner was erased meanwhile
                emails[quick_email(text.strip())] = True
        except InvalidAddress as fault:
            faults.append({"email": text[:LONGEST], "error": str(fault)})
    return [*emails], faults


def _link(campaign: Campaign, emails: Collection[str], workspace: Workspace) -> int:
    """Make who has these, or is added with them, people of the campaign; how many that were not."""
    known = [*set(emails) - erased_among(workspace, emails)]
    add_unknown(workspace, known)
    people = by_email(workspace, known).filter(opted_out=False).values_list("pk", flat=True)
    there = set(campaign.picked.filter(pk__in=people).values_list("pk", flat=True))
    new = [pk for pk in people if pk not in there]
    campaign.picked.add(*new)
    return len(new)


def _end(campaign: Campaign, linking: Linking, **counts: Any) -> bool:
    Linking.objects.filter(pk=linking.pk).update(addresses=[], done_at=Now(), moved_at=Now(), **counts)
    linked = counts.get("linked", linking.linked)
    StatusChange.write(campaign, campaign.status, campaign.status, by=linking.key, reason=f"{linked:,} people linked")
    told = {"addresses": linking.total, "linked": linked, "wrong": counts.get("wrong", linking.wrong)}
    audit_log.record(campaign.workspace, "link_addresses", campaign, by=linking.key, after=told)
    live.changed(campaign.pk, campaign.workspace_id)
    return False


def forget(workspace: Workspace, addresses: Collection[str]) -> None:
    """Take these addresses, whose owner is erased, out of what is still to be linked and what was told of.

    The caller holds the workspace, so that nothing is linked meanwhile.
    """
    finder = Finder(addresses)
    for linking in that_may_name(workspace, finder):
        kept = ["" if finder.finds(text) else text for text in linking.addresses]
        errors = [each for each in linking.errors if not finder.finds(f"{each['email']} {each['error']}")]
        if (kept, errors) != (linking.addresses, linking.errors):
            Linking.objects.filter(pk=linking.pk).update(addresses=kept, errors=errors)


def that_may_name(workspace: Workspace, finder: Finder) -> QuerySet[Linking]:
    """Those not done, and those that tell of an address with the letters or digits of one of these."""
    told = Cast("errors", TextField())
    digits = Func(told, Value("[^0-9]"), Value(""), Value("g"), function="regexp_replace", output_field=TextField())
    may = Q(done_at=None)
    for email in finder.emails:
        may |= Q(told__icontains=email)
    for number in finder.numbers:
        may |= Q(digits__contains=number.decode())
    return Linking.objects.filter(campaign__workspace=workspace).alias(told=told, digits=digits).filter(may)


def ring_unfinished() -> None:
    """Ring for those nobody has carried on for a while, at most every 30 seconds however often this is called."""
    lost = Linking.objects.filter(done_at=None, moved_at__lt=Now() - LOST_AFTER)
    for pk, campaign in lost.values_list("pk", "campaign"):
        if lost.filter(pk=pk).update(moved_at=Now()):
            queue.ask_to_link(campaign)
