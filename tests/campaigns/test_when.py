"""A wall clock and the instant it stands for, also on the nights when the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.when import InvalidTime, Wall, in_words, read, refuse_unless_ahead, zones

ATHENS = "Europe/Athens"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def athens(year: int, month: int, day: int, hour: int, minute: int = 0) -> Wall:
    return Wall(datetime(year, month, day, hour, minute), ATHENS)


def test_nine_stays_nine_on_both_sides_of_a_clock_change():
    winter, summer = athens(2027, 3, 27, 9), athens(2027, 3, 28, 9)

    assert winter.instant == datetime(2027, 3, 27, 7, tzinfo=UTC)
    assert summer.instant == datetime(2027, 3, 28, 6, tzinfo=UTC)
    assert summer.instant - winter.instant == timedelta(hours=23)


def test_in_the_gap_the_time_moves_forward_by_the_gap_and_it_is_said():
    gap = athens(2027, 3, 28, 3, 30)  # at 03:00 the clocks show 04:00

    assert gap.instant == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert gap.instant.astimezone(ZoneInfo(ATHENS)).time() == time(4, 30)
    assert "03:30 does not exist" in gap.note and "04:30" in gap.note
    assert "04:30" in gap.words


def test_the_rule_of_the_gap_as_it_is_documented():
    gap = Wall(datetime(2027, 3, 28, 2, 30), "Europe/Berlin")

    assert gap.instant.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


def test_of_an_hour_that_comes_twice_the_first_is_meant_and_it_is_said():
    twice = athens(2026, 10, 25, 3, 30)  # at 04:00 the clocks show 03:00 again

    assert twice.instant == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "comes twice" in twice.note


def test_on_other_days_there_is_nothing_to_say():
    assert athens(2027, 3, 28, 9).note == "" and athens(2026, 10, 25, 5).note == ""


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)), st.sampled_from(["Europe/Athens", "America/New_York"]))
def test_a_time_that_exists_is_shown_as_it_was_asked(at, zone):
    wall = Wall.at(at.date(), at.time(), zone)
    shown = wall.instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert shown == wall.shows or (shown - wall.shows == timedelta(hours=1) and "does not exist" in wall.note)


def test_an_instant_is_said_in_its_zone_and_in_utc():
    assert athens(2026, 11, 30, 9).words == "Monday 30 November 2026 at 09:00 Europe/Athens (07:00 UTC)"
    assert "(29 November, 23:30 UTC)" in athens(2026, 11, 30, 1, 30).words
    assert in_words(NOW, UTC, "UTC") == "Sunday 22 November 2026 at 12:00 UTC"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("", "09:00", ATHENS), "date"),
        (("2026-02-30", "09:00", ATHENS), "date"),
        (("next week", "09:00", ATHENS), "date"),
        (("2026-12-01", "", ATHENS), "time"),
        (("2026-12-01", "25:00", ATHENS), "time"),
        (("2026-12-01", "09:00", ""), "zone"),
        (("2026-12-01", "09:00", "Mars/Olympus"), "zone"),
        (("2026-12-01", "09:00", "../../etc/passwd"), "zone"),
    ],
)
def test_what_is_no_time_is_refused_by_field(typed, field):
    with pytest.raises(InvalidTime) as refusal:
        read(*typed)

    assert list(refusal.value.errors) == [field]


def test_seconds_and_offsets_that_are_typed_play_no_part():
    assert read("2026-12-01", "09:00:59.5", ATHENS) == athens(2026, 12, 1, 9)
    assert read("2026-12-01", "09:00+05:00", ATHENS) == athens(2026, 12, 1, 9)


@pytest.mark.parametrize("day", ["0001-01-01", "2026-11-21", "2028-11-24", "9999-12-31"])
def test_what_has_passed_and_what_is_too_far_ahead_is_refused(day):
    with pytest.raises(InvalidTime) as refusal:
        refuse_unless_ahead(read(day, "09:00", ATHENS), NOW)

    assert "passed" in str(refusal.value) or "two years" in str(refusal.value)


def test_a_minute_ago_is_refused_and_a_minute_ahead_is_not():
    refuse_unless_ahead(athens(2026, 11, 22, 14, 1), NOW)
    with pytest.raises(InvalidTime, match="it is 14:00 on Sunday 22 November 2026"):
        refuse_unless_ahead(athens(2026, 11, 22, 14, 0), NOW)


def test_the_day_of_a_zone_that_is_ahead_or_behind_counts():
    refuse_unless_ahead(
        Wall(datetime(2026, 11, 21, 23, 50), "Pacific/Pago_Pago"), datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    )


def test_every_zone_that_can_be_chosen_is_known():
    assert "UTC" in zones() and ATHENS in zones() and "Etc/GMT+3" not in zones()
    assert all(Wall.at(date(2027, 1, 1), time(9), zone).instant for zone in zones())
