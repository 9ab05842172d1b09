"""What is said about variants holds: intervals that cover, winners that are not chance, and honest "too early"."""

from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.results import CONFIDENCE, Tally, difference, judge, lead_of, needed, wilson, z_of

Z = z_of(CONFIDENCE)
TALLIES = st.integers(1, 400).flatmap(lambda of: st.integers(0, of).map(lambda hits: Tally(hits, of)))


def probability(hits: int, of: int, share: float) -> float:
    return comb(of, hits) * share**hits * (1 - share) ** (of - hits)


@settings(max_examples=80, deadline=None)
@given(TALLIES)
def test_the_ends_of_an_interval_are_the_shares_that_would_just_be_believed(tally):
    # Wilson's interval is the set of shares s with (p - s)^2 <= z^2 s (1 - s) / n: looked for on a fine grid.
    believed = [
        s for s in (k / 20_000 for k in range(20_001)) if (tally.share - s) ** 2 <= Z * Z * s * (1 - s) / tally.of
    ]

    low, high = wilson(tally, Z)

    assert (low, high) == (pytest.approx(min(believed), abs=1e-4), pytest.approx(max(believed), abs=1e-4))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.93])
def test_an_interval_holds_the_true_share_as_often_as_it_says(share):
    of = 200
    held = sum(probability(n, of, share) for n in range(of + 1) if wilson(Tally(n, of), Z)[0] <= share
               <= wilson(Tally(n, of), Z)[1])  # fmt: skip

    assert 0.92 < held < 0.99


def test_the_difference_is_that_of_the_worked_example_of_its_author():
    # Newcombe 1998, table II, (a) 56/70 - 48/80, method 10.
    low, high = difference(Tally(56, 70), Tally(48, 80), Z)

    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


@settings(max_examples=80)
@given(TALLIES, TALLIES)
def test_the_difference_read_the_other_way_round_is_the_same_with_the_other_sign(one, other):
    low, high = difference(one, other, Z)

    assert difference(other, one, Z) == (pytest.approx(-high), pytest.approx(-low))
    assert -1 <= low <= one.share - other.share <= high <= 1


def test_equal_variants_are_seldom_told_apart_however_many_there_are():
    random, wrong = Random(7), 0  # noqa: S311
    for _ in range(600):
        tallies = {v: Tally(sum(random.random() < 0.3 for _ in range(150)), 150) for v in (1, 2, 3, 4)}
        wrong += judge(tallies).winner is not None

    assert wrong / 600 < 0.05


def test_a_difference_is_seen_as_often_as_the_needed_number_promises():
    random, seen, each = Random(11), 0, needed(0.25, 0.1, Z)  # noqa: S311
    for _ in range(300):
        a, b = (Tally(sum(random.random() < share for _ in range(each)), each) for share in (0.2, 0.3))
        seen += judge({1: a, 2: b}).winner == 2

    assert 0.7 < seen / 300 < 0.9


def test_nothing_is_said_before_everybody_was_asked():
    verdict = judge({1: Tally(40, 40), 2: Tally(0, 0)})

    assert verdict.winner is None and verdict.leader is None and verdict.is_early


def test_of_a_handful_of_answers_nothing_is_said_however_clear_they_look():
    few, enough = {1: Tally(17, 18), 2: Tally(0, 2)}, {1: Tally(29, 30), 2: Tally(0, 30)}

    assert judge(few).winner is None and judge(few).is_early and judge(few).leader == 1
    assert judge(enough).winner == 1


def test_it_is_too_early_until_a_difference_worth_seeing_would_be_seen():
    early, late = (
        judge({1: Tally(50, 500), 2: Tally(52, 500)}),
        judge({1: Tally(5_000, 50_000), 2: Tally(5_020, 50_000)}),
    )

    assert early.is_early and early.missing + 1_000 == 2 * needed(0.102, 0.02, Z)
    assert not late.is_early and late.winner is None


def test_of_bounces_fewer_are_better():
    tallies = {1: Tally(300, 1_000), 2: Tally(100, 1_000)}

    assert judge(tallies, more_is_better=False).winner == 2 and judge(tallies).winner == 1
    assert lead_of(tallies, 2, more_is_better=False) == pytest.approx(0.2)
    assert lead_of(tallies, 1, more_is_better=False) == pytest.approx(-0.2)


def test_the_best_of_three_has_to_beat_both():
    assert judge({1: Tally(500, 1_000), 2: Tally(490, 1_000), 3: Tally(100, 1_000)}).winner is None
    assert judge({1: Tally(500, 1_000), 2: Tally(300, 1_000), 3: Tally(100, 1_000)}).winner == 1
