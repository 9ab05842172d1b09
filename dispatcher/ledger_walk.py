"""Messages for programs: by the number of a page, or on and on by a cursor that misses and repeats nobody."""

from math import ceil
from typing import Any

from django.db import connection

from accounts.paging import LARGEST, SIZE, Paging, cursor_of, whole
from campaigns.models import Campaign
from dispatcher.books import books_of
from dispatcher.ledger import Filter
from dispatcher.models import Message

# Batch by batch from where the cursor stands: the counters say in which there is something, so none is read in vain.
ONWARDS = """
    SELECT m.id FROM (
        SELECT first, last FROM dispatcher_batch
        WHERE campaign_id = %(campaign)s AND last > %(after)s AND {count} > 0 ORDER BY first) AS b
    CROSS JOIN LATERAL (
        SELECT id FROM dispatcher_message
        WHERE campaign_id = %(campaign)s AND number BETWEEN greatest(b.first, %(after)s + 1) AND b.last AND {condition}
        ORDER BY number LIMIT %(size)s) AS m
    LIMIT %(size)s
"""


def walked(campaign: Campaign, wanted: Filter, asked: Paging) -> tuple[list[Message], dict[str, Any]]:
    """The messages of the page asked for, in the order of their numbers, and what `Pagination` shows.

    Of a campaign whose messages are in a file there are none. Raises ValidationError.
    """
    size = min(whole(asked.page_size, otherwise=SIZE), LARGEST)
    if asked.cursor is not None:
        return _onwards(campaign, wanted, cursor_of(asked.cursor), size)
    page, total = whole(asked.page, otherwise=1), wanted.count(books_of(campaign))
    pages = ceil(total / size)
    is_here = page <= pages and not campaign.stored_at
    found = _messages(wanted.find(campaign, (page - 1) * size, size)) if is_here else []
    return found, {"page": page, "page_size": size, "total_count": total, "total_pages": pages}


def _onwards(campaign: Campaign, wanted: Filter, after: int, size: int) -> tuple[list[Message], dict[str, Any]]:
    with connection.cursor() as cursor:
        about = {"campaign": campaign.pk, "after": after, "size": size + 1}
        cursor.execute(ONWARDS.format(count=wanted.counter, condition=wanted.condition), about)
        ids = [row[0] for row in cursor.fetchall()]
    found = _messages(ids)
    more = len(found) > size
    return found[:size], {"page_size": size, "next_cursor": str(found[size - 1].number) if more else None}


def _messages(ids: list[int]) -> list[Message]:
    return list(Message.objects.filter(pk__in=ids).select_related("recipient").order_by("number"))
