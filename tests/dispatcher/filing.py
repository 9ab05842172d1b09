"""Campaigns that were over long ago, with all a file takes along, and what stands in tables and files."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher.message_files import PARTS
from dispatcher.models import Batch, Category
from tests.dispatcher.outcomes import failed, launched, sent, settle
from tests.make import make_campaign

# An answer for each that was sent or failed; of every failed one a first try under a key that a person replaced.
ATTEMPTS = """
    INSERT INTO dispatcher_attempt (message_id, key, outcome, category, error)
    SELECT id, CASE WHEN n = 1 THEN gen_random_uuid() ELSE key END, 2, category,
           E'550 no\\tsuch \\\\N "user"\\n' || address
    FROM dispatcher_message, generate_series(1, 2) n WHERE campaign_id = %s AND status = 3
"""
CALLS = """
    INSERT INTO simulator_call (key, honours_key, accepted, category, provider_id, channel, address, subject, text)
    SELECT key, true, status = 2, '', gen_random_uuid(), 'email', address, 'Hello ' || address, E'Dear\\n' || address
    FROM dispatcher_message WHERE campaign_id = %(id)s AND status IN (2, 3)
    UNION ALL
    SELECT a.key, true, false, 'bounced', gen_random_uuid(), 'email', m.address, '', ''
    FROM dispatcher_attempt a JOIN dispatcher_message m ON m.id = a.message_id
    WHERE m.campaign_id = %(id)s AND a.key <> m.key
"""


@pytest.fixture
def place(tmp_path, settings) -> Path:
    """The directory of the files."""
    settings.ARCHIVE_DIR = tmp_path / "files"
    settings.ARCHIVE_DIR.mkdir()
    settings.BATCH_SIZE = 1  # ten messages leave the tables in one transaction
    return settings.ARCHIVE_DIR


def long_over(workspace: Workspace | None = None, *, people: int = 25, days: int = 40, **fields) -> Campaign:
    """Of five people four were sent to; one bounced."""
    campaign = launched(make_campaign(workspace, people=people, **fields))
    everybody = campaign.messages.count()
    outcomes = (sent(4) + failed(Category.BOUNCED)) * everybody
    return ended_long_ago(campaign, outcomes[:everybody], days=days)


def ended_long_ago(campaign: Campaign, outcomes: list, *, days: int = 40) -> Campaign:
    """As if the campaign had ended so some days ago, with its attempts and the provider's memory of it."""
    settle(campaign, outcomes)
    with connection.cursor() as cursor:
        cursor.execute(ATTEMPTS, [campaign.pk])
        cursor.execute(CALLS, {"id": campaign.pk})
    Batch.objects.filter(campaign=campaign).update(due_at=None)
    finished = timezone.now() - timedelta(days=days)
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.SENT, finished_at=finished)
    campaign.refresh_from_db()
    return campaign


def archive(*arguments: object) -> None:
    """`manage.py archive`, in this process."""
    call_command("archive", *map(str, arguments))


def rows_of(campaign: Campaign) -> dict[str, list[str]]:
    """Every row of the campaign that a file takes along, word for word."""
    found = {}
    with connection.cursor() as cursor:
        for part in PARTS:
            cursor.execute(f"SELECT t::text FROM {part.rows_of(campaign.pk)} ORDER BY 1")  # noqa: S608
            found[part.name] = [row[0] for row in cursor.fetchall()]
    return found


def count_of_rows() -> int:
    """In all three tables, of whatever campaign."""
    with connection.cursor() as cursor:
        count = 0
        for part in PARTS:
            cursor.execute(f"SELECT count(*) FROM {part.table}")  # noqa: S608
            count += cursor.fetchone()[0]
    return count


def names_in(place: Path) -> list[str]:
    """What lies in the directory, by the endings of the names."""
    return sorted(path.suffix for path in place.rglob("*") if path.is_file())


def text_in(place: Path) -> str:
    """All that anybody can read in the files."""
    return "\n".join(content for path in place.rglob("*.zip") for content in _members(path))


def _members(path: Path) -> Iterator[str]:
    with ZipFile(path) as file:
        for name in file.namelist():
            yield file.read(name).decode()
