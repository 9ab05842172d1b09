"""The days on which something repeats, held against a slow second way that looks at every day there is."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules import DAY, Rule, Unit, first_of, ordinal

days = st.dates(date(2019, 12, 1), date(2033, 1, 1))
rules = st.one_of(
    st.builds(
        lambda starts, weekdays: Rule(Unit.WEEKLY, starts, weekdays=tuple(sorted(weekdays))),
        days,
        st.sets(st.integers(0, 6), min_size=1),
    ),
    st.builds(lambda starts, number: Rule(Unit.MONTHLY, starts, number=number), days, st.integers(1, 31)),
    st.builds(lambda starts, number: Rule(Unit.DAILY, starts, number=number), days, st.integers(1, 366)),
)


def is_one(rule: Rule, day: date) -> bool:
    """The slow way: whether this day is one, judged by itself."""
    if day < rule.starts:
        return False
    if rule.unit == Unit.WEEKLY:
        return day.weekday() in rule.weekdays
    if rule.unit == Unit.DAILY:
        return (day - rule.starts).days % rule.number == 0
    is_last = (day + DAY).month != day.month
    return day.day == rule.number or (is_last and day.day < rule.number)


@given(rules, days)
def test_the_days_are_those_that_a_look_at_every_day_finds(rule, day):
    found = list(islice(rule.after(day), 5))
    every = (day + n * DAY for n in range(1, (found[-1] - day).days + 1))

    assert found == [each for each in every if is_one(rule, each)]


@given(rules, days)
def test_the_first_day_is_not_before_what_was_asked(rule, day):
    found = rule.on_or_after(day)

    assert found >= max(day, rule.starts) and is_one(rule, found)


def test_the_31st_is_the_last_day_of_shorter_months_also_in_leap_years():
    rule = Rule(Unit.MONTHLY, date(2028, 1, 31), number=31)

    assert list(islice(rule.after(date(2027, 12, 31)), 5)) == [
        date(2028, 1, 31),
        date(2028, 2, 29),
        date(2028, 3, 31),
        date(2028, 4, 30),
        date(2028, 5, 31),
    ]


@pytest.mark.parametrize("year", [2026, 2027, 2028, 2100])
def test_the_29th_of_february_is_there_or_the_28th_stands_for_it(year):
    rule = Rule(Unit.MONTHLY, date(year, 1, 1), number=29)

    assert next(rule.after(date(year, 1, 29))) == date(year, 2, monthrange(year, 2)[1])


def test_every_three_days_counts_from_the_first():
    rule = Rule(Unit.DAILY, date(2026, 11, 23), number=3)

    assert list(islice(rule.after(date(2026, 11, 20)), 3)) == [
        date(2026, 11, 23),
        date(2026, 11, 26),
        date(2026, 11, 29),
    ]


def test_the_first_one_is_the_first_whose_time_is_ahead():
    monday = Rule(Unit.WEEKLY, date(2026, 11, 23), weekdays=(0,))
    at_eight, at_ten = (datetime(2026, 11, 23, hour - 2, 0, tzinfo=UTC) for hour in (8, 10))

    assert first_of(monday, time(9), "Europe/Athens", at_eight).shows.date() == date(2026, 11, 23)
    assert first_of(monday, time(9), "Europe/Athens", at_ten).shows.date() == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(Unit.WEEKLY, date(2026, 1, 1), weekdays=(0,)), "Every Monday"),
        (Rule(Unit.WEEKLY, date(2026, 1, 1), weekdays=(0, 3, 4)), "Every Monday, Thursday and Friday"),
        (Rule(Unit.WEEKLY, date(2026, 1, 1), weekdays=tuple(range(7))), "Every day"),
        (Rule(Unit.MONTHLY, date(2026, 1, 1), number=1), "Every month on the 1st"),
        (Rule(Unit.MONTHLY, date(2026, 1, 1), number=31), "Every month on the 31st or the last day"),
        (Rule(Unit.DAILY, date(2026, 1, 1), number=1), "Every day"),
        (Rule(Unit.DAILY, date(2026, 1, 1), number=10), "Every 10 days"),
    ],
)
def test_a_rule_is_said_in_words(rule, words):
    assert rule.words == words


def test_ordinals_end_as_they_are_spoken():
    spoken = "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 31st"
    assert " ".join(ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)) == spoken


def test_a_rule_of_days_needs_no_time_to_look_far_ahead():
    rule = Rule(Unit.DAILY, date(1990, 1, 1), number=7)

    assert rule.on_or_after(date(2090, 1, 1)) - date(2090, 1, 1) < timedelta(days=7)
