"""Pages of people: any page of any outcome is what a plain query would find, without counting or skipping rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.books import books_of
from dispatcher.ledger import SIZE, Filter, page_of
from dispatcher.models import Category, Message, SkipReason
from tests.dispatcher.outcomes import launched, settle
from tests.make import make_campaign

Status = Message.Status
ENDS = [
    (Status.PENDING, None),
    (Status.SENT, None),
    (Status.CANCELLED, None),
    (Status.UNKNOWN, None),
    *((Status.FAILED, category) for category in (Category.BOUNCED, Category.TIMEOUT)),
    *((Status.SKIPPED, reason) for reason in (SkipReason.OPTED_OUT, SkipReason.EXPIRED)),
]
FILTERS = [
    Filter(),
    *(Filter(status) for status in Status),
    *(Filter(Status.FAILED, category=category) for category in (Category.BOUNCED, Category.TIMEOUT, Category.OTHER)),
    *(Filter(Status.SKIPPED, reason=reason) for reason in (SkipReason.OPTED_OUT, SkipReason.EXPIRED)),
]


def plainly(campaign, wanted: Filter) -> list[int]:
    """The numbers of all messages that match, found without any cleverness."""
    found = Message.objects.filter(campaign=campaign)
    if wanted.status:
        found = found.filter(status=wanted.status)
    if wanted.category:
        found = found.filter(category=wanted.category)
    if wanted.reason:
        found = found.filter(skip_reason=wanted.reason)
    return list(found.order_by("number").values_list("number", flat=True))


@pytest.fixture
def campaign(db, settings):
    settings.BATCH_SIZE = 7
    return launched(make_campaign(people=90))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.tuples(st.sampled_from(ENDS), st.integers(1, 40)), min_size=1, max_size=12))
def test_all_pages_together_are_exactly_those_who_match(campaign, runs):
    outcomes = [outcome for outcome, length in runs for _ in range(length)][:90]
    settle(campaign, outcomes)
    books = books_of(campaign)

    for wanted in FILTERS:
        expected = plainly(campaign, wanted)
        page = page_of(campaign, books, wanted)
        assert page.count == len(expected)
        found = []
        for number in range(1, page.pages + 1):
            page = page_of(campaign, books, wanted, str(number))
            assert page.number == number
            found.append([row.message.number for row in page.rows])
        assert found == [expected[n : n + SIZE] for n in range(0, max(1, len(expected)), SIZE)]


def test_a_page_beyond_the_end_is_the_last_one(campaign):
    page = page_of(campaign, books_of(campaign), Filter(), "999")

    assert (page.number, page.first, page.last, page.following) == (4, 76, 90, "")


def test_no_page_reads_the_whole_ledger(campaign):
    with CaptureQueriesContext(connection) as captured:
        page_of(campaign, books_of(campaign), Filter(Status.PENDING), "3")

    statements = " ".join(query["sql"].lower() for query in captured)
    assert "count(" not in statements
    assert len(captured) == 3


@pytest.mark.parametrize("wanted", FILTERS)
def test_an_address_asks_for_what_it_was_made_from(wanted):
    assert Filter.asked(wanted.query) == wanted
