"""Freezing an audience, beside one bare INSERT ... SELECT of the same rows into the same table."""

import time

from django.db import connection

from accounts.models import Workspace
from campaigns.models import Campaign
from dispatcher import operations
from tests.bench.ground import draft, emptied, prepared, settled_down, workspace_of
from tests.bench.notebook import Notebook
from tests.bench.options import Options

BARE = """
    INSERT INTO dispatcher_message
        (campaign_id, recipient_id, number, key, address, fields, status, tries, retry_count, doubt_of_old_key,
         last_error, provider_id, assumed, delivery)
    SELECT %s, id, row_number() OVER (ORDER BY id), gen_random_uuid(), email,
           jsonb_build_object('first_name', first_name, 'last_name', last_name,
                              'preferred_product', preferred_product, 'location', location),
           1, 0, 0, false, '', '', false, 0
    FROM people_recipient WHERE workspace_id = %s
"""


def measure(notebook: Notebook, options: Options) -> None:
    size = 10 * options.people if options.full else options.people
    people = workspace_of(size)
    for _ in range(options.rounds):
        notebook.write("bare INSERT ... SELECT", size / seconds_of_bare(people), "people/s")
        notebook.write("launch", size / seconds_of_launch(people), "people/s")
    notebook.at_least(1 / 3, notebook.divide("launch", "bare INSERT ... SELECT"))


def seconds_of_bare(people: Workspace) -> float:
    campaign = on_even_ground(people)
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(BARE, [campaign.pk, people.pk])
    return time.monotonic() - began


def seconds_of_launch(people: Workspace) -> float:
    """From the button to a campaign that is sending, with a clock that never sleeps."""
    campaign = on_even_ground(people)
    began = time.monotonic()
    operations.launch(campaign, by=None)
    prepared(campaign)
    return time.monotonic() - began


def on_even_ground(people: Workspace) -> Campaign:
    emptied()
    settled_down()
    return draft(people)
