"""What a provider passes on of people who told it that they did not want a message: “this is spam”."""

from django.db import transaction

from accounts.models import Actor, Workspace
from people import consent
from people.by_address import having
from people.channels import Channel
from people.consent import How
from people.held import hold_workspace
from people.models import Recipient, Suppression
from people.suppression import suppress


@transaction.atomic
def receive_complaint(
    workspace: Workspace, channel: Channel, address: str, *, by: Actor | None, provider_id: str = ""
) -> Recipient | None:
    """Write to this normal address no more, and to whoever has it no more on this channel; as often as it is told.

    Returns the person, if somebody here has the address.
    """
    hold_workspace(workspace.pk)
    whose = {channel.address_field: address}
    person = having(workspace, **whose).first()
    if person:
        evidence = {"complaint": provider_id} if provider_id else {}
        consent.opt_out(person, channel=channel, how=How.COMPLAINT, by=by, evidence=evidence)
    suppress(workspace, address, reason=Suppression.Reason.COMPLAINED, by=by)
    return person
