"""Finding people among those a campaign went to: by the beginning of a name or address, quick among millions."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from dispatcher.books import Books
from dispatcher.ledger import SIZE, Filter, Page, Row
from dispatcher.models import Message
from people.search import LONGEST, beginning_with

MOST = 1000  # people looked at for each kind of beginning

# First those of these people, then in order: the other way round a million rows would be read for 26.
AMONG = """
    WITH theirs AS MATERIALIZED (
        SELECT id, number FROM dispatcher_message WHERE recipient_id = ANY(%s) AND campaign_id = %s)
    SELECT id FROM theirs WHERE number > %s ORDER BY number LIMIT %s
"""


@dataclass(frozen=True)
class Found(Page):
    """The people of a campaign who are called or reached so, in the order of their numbers."""

    words: str = ""
    after: int = 0
    next_after: int | None = None
    is_cut: bool = False

    @property
    def here(self) -> str:
        return self._from(self.after)

    @property
    def previous(self) -> str:
        return self._from(0) if self.after else ""

    @property
    def following(self) -> str:
        return self._from(self.next_after) if self.next_after else ""

    def _from(self, after: int) -> str:
        return urlencode({"q": self.words} | ({"after": str(after)} if after else {}))


def found_in(campaign: Campaign, books: Books, words: str, after: int = 0) -> Found:
    """The people of the campaign whose email address, phone number or name begins with these words."""
    words = " ".join(words.split())[:LONGEST]
    people, is_cut = beginning_with(campaign.workspace.recipients.all(), words, MOST, campaign.workspace.region)
    with connection.cursor() as cursor:
        cursor.execute(AMONG, [people, campaign.pk, after, SIZE + 1])
        ids = [row[0] for row in cursor.fetchall()]
    messages = Message.objects.filter(pk__in=ids[:SIZE]).select_related("recipient", "campaign").order_by("number")
    rows = [Row(message) for message in messages]
    return Found(
        id=str(campaign.pk),
        channel=campaign.channel,
        books=books,
        filter=Filter(),
        rows=rows,
        number=1,
        count=len(rows),
        now=timezone.now(),
        words=words,
        after=after,
        next_after=rows[-1].message.number if len(ids) > SIZE else None,
        is_cut=is_cut,
    )
