"""Who gets which variant: fairly, the same every time, and the same in SQL as in Python."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.splitting import HELD_OUT, SPACE, WAITS, Lot, Shares, even_weights, lot_of, wrong_with
from people.models import Recipient
from tests.make import make_recipients, make_workspace

PEOPLE = range(1, 10_001)
WEIGHTS = st.integers(2, 6).flatmap(
    lambda n: st.lists(st.integers(1, 99), min_size=n - 1, max_size=n - 1, unique=True).map(
        lambda cuts: tuple(b - a for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 100], strict=True))
    )
)
SHARES = st.builds(Shares, WEIGHTS, tested=st.integers(1, 100), hold_out=st.integers(0, 50))


@pytest.mark.parametrize("campaign", [1, 2, 77])
@pytest.mark.parametrize("weights", [(50, 50), (34, 33, 33), (90, 10)])
def test_ten_thousand_people_are_split_by_the_weights_within_two_percent(campaign, weights):
    lots = Counter(lot_of(Shares(weights), campaign, person) for person in PEOPLE)

    assert sum(lots.values()) == len(PEOPLE)
    for variant, weight in enumerate(weights, 1):
        assert abs(lots[variant] / len(PEOPLE) - weight / 100) < 0.02


def test_those_held_out_come_first_and_of_the_others_the_test_takes_its_share():
    lots = Counter(lot_of(Shares((50, 50), tested=20, hold_out=10), 1, person) for person in PEOPLE)

    assert abs(lots[HELD_OUT] - 1_000) < 100
    assert abs(lots[1] - 900) < 100 and abs(lots[2] - 900) < 100
    assert abs(lots[WAITS] - 7_200) < 150


@settings(max_examples=60)
@given(SHARES)
def test_every_place_belongs_to_exactly_one_lot(shares):
    ends = [end for end, _ in shares.ends]

    assert ends == sorted(ends) and ends[-1] == SPACE
    assert sum(shares.percent_of(n) for n in range(1, len(shares.weights) + 1)) <= 100


def test_somebody_who_gets_a_in_one_campaign_may_get_b_in_the_next():
    in_both = Counter((lot_of(Shares((50, 50)), 1, p), lot_of(Shares((50, 50)), 2, p)) for p in PEOPLE)

    assert all(abs(n - 2_500) < 200 for n in in_both.values()) and len(in_both) == 4


@pytest.mark.django_db
@settings(max_examples=20, deadline=None)
@given(SHARES, st.integers(1, 2**40))
def test_the_database_puts_everybody_where_python_does(shares, campaign):
    made = make_recipients(make_workspace(), 50)

    found = Recipient.objects.filter(pk__in=[person.pk for person in made])
    found = found.annotate(lot=Lot(shares, campaign))

    assert {p.pk: p.lot for p in found} == {p.pk: lot_of(shares, campaign, p.pk) for p in made}


@pytest.mark.parametrize("variants", range(2, 7))
def test_even_weights_add_up(variants):
    weights = even_weights(variants)

    assert wrong_with(weights) == "" and max(weights) - min(weights) < variants


@pytest.mark.parametrize(
    ("weights", "words"),
    [([100], "at least two"), ([50, 49], "add up to 99"), ([0, 100], "at least 1 percent"), ([10] * 10, "6 at most")],
)
def test_weights_that_cannot_be_are_told_why(weights, words):
    assert words in wrong_with(weights)
