"""Whose text is shown: everybody of an audience in turn, each at a place that is told, and the hardest ones first."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import hardest, whose
from campaigns.hardest import Order
from campaigns.whose import Asked, found_among, turn_to
from people.models import Recipient
from tests.make import make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    cache.clear()


@pytest.fixture
def workspace():
    return make_workspace()


def ids(people) -> list[int]:
    return [person.pk for person in people]


def test_next_goes_through_everybody_once_and_tells_the_place(workspace):
    people = make_recipients(workspace, 5)
    seen, places, asked = [], [], Asked()

    while asked:
        shown = turn_to(workspace.recipients.all(), asked, [])
        seen.append(shown.person.pk)
        places.append(shown.place)
        asked = shown.following

    assert seen == ids(people)
    assert places == ["1 of 5", "2 of 5", "3 of 5", "4 of 5", "5 of 5"]


def test_a_step_counts_nobody(workspace):
    people = make_recipients(workspace, 5)
    shown = turn_to(workspace.recipients.all(), Asked(people[1].pk), [])

    with CaptureQueriesContext(
        connection,
    ) as queries:
        turn_to(workspace.recipients.all(), shown.following, [])

    assert not [query for query in queries if "COUNT" in query["sql"]]


def test_after_a_jump_the_place_is_counted(workspace):
    people = make_recipients(workspace, 5)

    assert turn_to(workspace.recipients.all(), Asked(people[3].pk), []).place == "4 of 5"


def test_who_is_gone_gives_way_to_the_next_one(workspace):
    people = make_recipients(workspace, 3)
    people[1].delete()

    assert turn_to(workspace.recipients.all(), Asked(ids(people[:1])[0] + 1, 2), []).person == people[2]


def test_where_counting_takes_too_long_the_text_is_shown_all_the_same(workspace, monkeypatch):
    people = make_recipients(workspace, 3)
    monkeypatch.setattr(whose, "SECONDS", 0.001)
    slow = workspace.recipients.extra(where=["pg_sleep(0.01) IS NOT NULL"])

    shown = turn_to(slow, Asked(people[1].pk, by=Order.LONGEST), ["first_name"])

    assert (shown.person, shown.place) == (people[1], "")
    assert found_among(slow, "first").took_too_long


@pytest.fixture
def hard(workspace) -> dict[str, Recipient]:
    names = {
        "plain": {"first_name": "Ann", "location": "Rome"},
        "long": {"first_name": "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff", "location": "Rome"},
        "empty": {"first_name": "", "location": ""},
        "half": {"first_name": "Bo", "location": ""},
        "hostile": {"first_name": "<b>{first_name}</b>", "location": "Łódź"},
    }
    return {word: make_recipient(workspace, **fields) for word, fields in names.items()}


@pytest.mark.parametrize(
    ("by", "first"),
    [(Order.LONGEST, ["long", "hostile"]), (Order.EMPTIEST, ["empty", "half"]), (Order.UNUSUAL, ["hostile"])],
)
def test_the_hardest_come_first(workspace, hard, by, first):
    shown = turn_to(workspace.recipients.all(), Asked(by=by), ["first_name", "location"])
    seen = [shown.person]
    while shown.following:
        shown = turn_to(workspace.recipients.all(), shown.following, ["first_name", "location"])
        seen.append(shown.person)

    assert seen[: len(first)] == [hard[word] for word in first]
    assert set(seen) == {*hard.values()}


def test_free_attributes_are_measured_too_and_only_what_the_text_asks_for(workspace):
    make_recipient(workspace, first_name="A very long name indeed", attributes={"tier": "x"})
    golden = make_recipient(workspace, first_name="Al", attributes={"tier": "gold and diamonds"})
    make_recipient(workspace, first_name="Bo")

    assert turn_to(workspace.recipients.all(), Asked(by=Order.LONGEST), ["tier"]).person == golden


def test_of_very_many_people_a_part_from_all_over_is_looked_at_and_that_is_said(workspace, monkeypatch):
    monkeypatch.setattr(hardest, "LOOKED_AT", 50)
    people = make_recipients(workspace, 200)
    last = make_recipient(workspace, first_name="x" * 50)

    shown = turn_to(workspace.recipients.all(), Asked(by=Order.LONGEST), ["first_name"])
    again = turn_to(workspace.recipients.all(), shown.following, ["first_name"])

    assert shown.looked_at == 50
    assert again.previous.person == shown.person.pk
    assert {shown.person.pk, again.person.pk} <= {*ids(people), last.pk}


@pytest.mark.parametrize("typed", ["grace", "Grace N", "GRACE@", "+33612"])
def test_somebody_is_found_among_them_by_name_or_address(workspace, typed):
    grace = make_recipient(workspace, first_name="Grace", last_name="Njeri", email="grace@a.com", phone="+33612345678")
    make_recipient(workspace, first_name="Gregor")
    make_recipient(make_workspace(), first_name="Grace", phone="+33612345678")

    assert found_among(workspace.recipients.all(), typed).people == [grace]


def test_at_most_ten_are_found_and_that_there_are_more_is_said(workspace):
    for _ in range(12):
        make_recipient(workspace, first_name="Grace")

    found = found_among(workspace.recipients.all(), "grace")

    assert len(found.people) == 10
    assert found.is_more


@pytest.mark.parametrize("word", ["", "0", "-1", "x", "²", "9" * 30, "longest"])
def test_whatever_is_asked_somebody_is_shown(workspace, word):
    make_recipients(workspace, 2)
    asked = Asked.of({"person": word, "at": word, "by": word})

    assert turn_to(workspace.recipients.all(), asked, ["first_name"]).person
