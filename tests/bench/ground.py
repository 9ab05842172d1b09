"""The same ground for everything that is measured: an emptied ledger, people, and one campaign to all of them."""

from functools import cache

from django.db import connection

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher import clock, operations

PEOPLE = """
    INSERT INTO people_recipient (workspace_id, email, phone, first_name, last_name, location, preferred_product,
                                  attributes, opted_out, updated_at)
    SELECT %s, 'person' || i || '@example.com', '', 'First' || i, 'Last', 'Nairobi', '', '{}', false, now()
    FROM generate_series(1, %s) AS i
"""


@cache
def workspace_of(people: int, retry_policy: int = Workspace.RetryPolicy.STANDARD) -> Workspace:
    """A workspace with so many people, made once in a run."""
    workspace = Workspace.objects.create(name=f"{people:,} people", retry_policy=retry_policy)
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [workspace.pk, people])
        cursor.execute("VACUUM ANALYZE people_recipient")
    return workspace


def emptied() -> None:
    """No campaigns and no messages: whatever is measured next finds its tables as the one before found them."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE campaigns_campaign, simulator_call CASCADE")


def draft(workspace: Workspace, *, everyone: bool = True) -> Campaign:
    """A campaign to everyone of the workspace, or to nobody yet, with four fields in its text."""
    return Campaign.objects.create(
        workspace=workspace,
        name="bench",
        subject="{first_name}, hello",
        body="Dear {first_name|friend} {last_name}, {preferred_product|it} is on sale in {location|town}.",
        everyone=everyone,
    )


def launched(workspace: Workspace) -> Campaign:
    """The only campaign there is: frozen, open, and its rows as tidy as after a quiet minute."""
    emptied()
    campaign = draft(workspace)
    operations.launch(campaign, by=None)
    prepared(campaign)
    settled_down()
    return campaign


def prepared(campaign: Campaign) -> None:
    """Freeze the rest, as the clock would."""
    while Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.PREPARING:
        clock.carry_on_preparing()


def settled_down() -> None:
    """Nothing that was written to the ledger before is still to be vacuumed or carried to the disk."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE dispatcher_message, dispatcher_batch")
        cursor.execute("CHECKPOINT")


def at_rest() -> None:
    """What the benchmark before left in any table is not tidied up beside the next one."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
