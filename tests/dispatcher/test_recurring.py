"""Series: the next one always waits, is made once, and keeps to the clocks of its zone."""

from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role
from campaigns.authoring import delete_campaign, update_campaign
from campaigns.copying import update_with_following
from campaigns.models import Campaign, Recurrence, Split
from campaigns.rules import DAY, Rule, Unit
from campaigns.variants import set_up_variants
from campaigns.wordings import write_wording
from dispatcher import clock, operations, recurring
from dispatcher.named import places_naming
from tests.dispatcher.athens import ATHENS, in_days, last_sunday, press, workspace
from tests.make import (
    make_campaign,
    make_group,
    make_member,
    make_recipient,
    make_recipients,
    make_series,
    make_workspace,
)
from tests.test_roles import with_variants
from wires import live

__all__ = ["workspace"]

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def series_of(workspace, **fields) -> Recurrence:
    return make_series(make_campaign(workspace, people=2, name="News"), **fields)


def daily(number: int = 1, starts: date | None = None) -> Rule:
    return Rule(Unit.DAILY, starts or in_days(1), number=number)


def numbers(series: Recurrence) -> list[tuple[int, str]]:
    return [(c.nth, c.get_status_display()) for c in series.occurrences.order_by("nth")]


def waiting(series: Recurrence) -> Campaign:
    series.refresh_from_db()
    campaign = series.next_one()
    assert campaign
    return campaign


def due(series: Recurrence, ago: timedelta = timedelta(seconds=1)) -> Campaign:
    """The one that waits, as if its time had come this long ago."""
    campaign = waiting(series)
    at = timezone.now() - ago
    Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=at)
    return campaign


def tick() -> None:
    clock.start_schedules()
    clock.carry_on_series()


def test_the_first_waits_and_the_series_is_written_down(client, workspace):
    campaign = make_campaign(workspace, people=2)

    answer = press(client, campaign, repeat="weekly", weekdays=["0", "3"], ends="after", count="10")

    series = Recurrence.objects.get()
    campaign.refresh_from_db()
    assert (campaign.status, campaign.series, campaign.nth) == (Status.SCHEDULED, series, 1)
    assert campaign.scheduled_day.weekday() in (0, 3) and campaign.scheduled_day >= in_days(1)
    assert (series.words, series.count, series.made) == ("Every Monday and Thursday at 09:00 Europe/Athens", 10, 1)
    html = answer.content.decode()
    assert "Every Monday and Thursday at 09:00 Europe/Athens." in html and "number 1 of 10" in html
    assert "It is the next one" in html
    assert AuditEntry.objects.filter(verb="repeat", actor="Ann").exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"repeat": "weekly"}, "Every "),
        ({"repeat": "monthly", "day": "31"}, "Every month on the 31st or the last day"),
        ({"repeat": "monthly"}, "Every month on the "),
        ({"repeat": "daily", "every": "3"}, "Every 3 days"),
    ],
)
def test_each_kind_of_rule_is_chosen_on_the_page(client, workspace, typed, words):
    press(client, make_campaign(workspace, people=1), **typed)

    assert Recurrence.objects.get().words.startswith(words)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"repeat": "daily", "every": "0"}, "Give the days as a number from 1 to 366"),
        ({"repeat": "daily", "every": ""}, "Give the days as a number"),
        ({"repeat": "monthly", "day": "32"}, "Give the day as a number from 1 to 31"),
        ({"repeat": "weekly", "ends": "after", "count": "many"}, "Give the times as a number"),
        ({"repeat": "daily", "every": "1", "ends": "on", "until": "2020-01-01"}, "choose that day or a later one"),
        ({"repeat": "daily", "every": "1", "ends": "on", "until": "soon"}, "Choose the last day"),
        ({"repeat": "weekly", "date": "2020-01-01"}, "That day has passed"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(client, workspace, typed, sentence):
    answer = press(client, make_campaign(workspace, people=1), **typed)

    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert not Recurrence.objects.exists()


def test_when_one_starts_the_following_is_made_like_the_series(provider, workspace):
    people = make_recipients(workspace, 3)
    campaign = make_campaign(workspace, everyone=False, name="News", body="Hello", priority=1)
    campaign.groups.set([make_group(workspace, *people[:2])])
    campaign.picked.set(people[2:])
    series = make_series(campaign)
    first = due(series)

    tick()

    second = waiting(series)
    assert numbers(series) == [(1, "sending"), (2, "scheduled")]
    assert (second.name, second.body, second.priority) == ("News", "Hello", 1)
    assert set(second.audience()) == set(people)
    assert second.scheduled_day - first.scheduled_day == timedelta(days=7)


def end_by_cancel(campaign):
    operations.cancel(campaign, by=None)


def end_by_delete(campaign):
    delete_campaign(campaign, by=None)


def end_by_unschedule(campaign):
    operations.unschedule(campaign, by=None)


@pytest.mark.parametrize("end", [end_by_cancel, end_by_delete, end_by_unschedule])
def test_whatever_becomes_of_one_the_following_is_made(workspace, end):
    series = series_of(workspace)
    end(waiting(series))

    clock.carry_on_series()

    assert waiting(series).nth == 2
    clock.carry_on_series()
    assert series.occurrences.filter(status=Status.SCHEDULED).count() == 1


def test_one_put_back_and_scheduled_again_makes_no_third(workspace):
    series = series_of(workspace)
    first = waiting(series)
    operations.unschedule(first, by=None)
    clock.carry_on_series()
    operations.schedule(first, at=timezone.now() + timedelta(days=1), by=None)

    clock.carry_on_series()

    assert numbers(series) == [(1, "scheduled"), (2, "scheduled")]


@pytest.mark.django_db(transaction=True)
def test_two_clocks_make_one():
    series = make_series()
    end_by_unschedule(waiting(series))
    both = Barrier(2)

    def run() -> None:
        both.wait(5)
        recurring.carry_on(series.pk)
        connection.close()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recurring.carry_on(series.pk)

    assert numbers(series) == [(1, "draft"), (2, "scheduled")]


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_waits_for_another_sees_what_it_made():
    """Its list of series was read before the other clock committed: it looks again once it has the lock."""
    series = make_series()
    end_by_unschedule(waiting(series))
    stale = list(recurring.without_a_next().values_list("pk", flat=True))
    recurring.carry_on(series.pk)

    assert stale == [series.pk]
    assert recurring.carry_on(series.pk) is None


def test_after_days_without_a_clock_one_is_asked_about_and_there_is_no_burst(provider, workspace):
    series = series_of(workspace, rule=daily())
    # As if the clock had stood still for ten days: all of it lies ten days back.
    Recurrence.objects.update(starts=in_days(-10), made_on=in_days(-10))
    due(series, timedelta(days=10))

    for _ in range(3):
        tick()

    asked, following = series.occurrences.order_by("nth")
    assert asked.status == Status.DRAFT and "It was due 10 days ago" in asked.history.first().reason
    assert following.status == Status.SCHEDULED and following.scheduled_at > timezone.now()
    assert following.scheduled_at - timezone.now() < timedelta(days=1)
    assert following.nth in (11, 12)  # those that were missed count
    assert provider.calls == []


def test_it_ends_after_its_number_of_times(provider, workspace):
    series = series_of(workspace, rule=daily(), count=2)
    for _ in range(3):
        if series.occurrences.filter(status=Status.SCHEDULED).exists():
            due(series)
        tick()

    series.refresh_from_db()
    assert [nth for nth, _ in numbers(series)] == [1, 2]
    assert series.ended_at and series.next_one() is None


def test_it_ends_on_its_last_day(workspace):
    series = series_of(workspace, rule=daily(), until=in_days(2))
    for _ in range(3):
        if series.occurrences.filter(status=Status.SCHEDULED).exists():
            operations.cancel(waiting(series), by=None)
        clock.carry_on_series()

    series.refresh_from_db()
    assert [c.scheduled_day for c in series.occurrences.order_by("nth")] == [in_days(1), in_days(2)]
    assert series.ended_at


@pytest.mark.parametrize("month", [3, 10])
def test_nine_stays_nine_across_a_clock_change(workspace, month):
    before = last_sunday(month) - DAY
    series = series_of(workspace, rule=daily(starts=before))
    first = waiting(series)
    operations.cancel(first, by=None)
    clock.carry_on_series()

    second = waiting(series)
    assert [c.scheduled_at.astimezone(ZoneInfo(ATHENS)).time() for c in (first, second)] == [time(9), time(9)]
    hours = (second.scheduled_at - first.scheduled_at) / timedelta(hours=1)
    assert hours == (23 if month == 3 else 25)


def test_in_the_gap_one_occurrence_moves_and_the_next_is_back(workspace):
    series = series_of(workspace, rule=daily(starts=last_sunday(3)), clock=time(3, 30))
    first = waiting(series)
    operations.cancel(first, by=None)
    clock.carry_on_series()

    shown = [c.scheduled_at.astimezone(ZoneInfo(ATHENS)).time() for c in (first, waiting(series))]
    assert shown == [time(4, 30), time(3, 30)]


# --- editing ---


def edit(client, campaign, **typed):
    usual = {"name": "News", "channel": "email", "subject": "S", "body": "Another text", "audience": "everyone"}
    return client.post(reverse("campaign-edit", args=[campaign.pk]), usual | typed, follow=True)


def test_the_form_asks_what_a_change_applies_to(client, workspace):
    series = series_of(workspace)
    html = client.get(reverse("campaign-edit", args=[waiting(series).pk])).content.decode()

    assert "Only this one" in html and "This and all that follow" in html
    alone = client.get(reverse("campaign-edit", args=[make_campaign(workspace).pk])).content.decode()
    assert "Only this one" not in alone


def test_a_change_to_only_this_one_leaves_those_that_follow(client, workspace):
    series = series_of(workspace)
    first = waiting(series)

    edit(client, first, applies="one")
    operations.cancel(first, by=None)
    clock.carry_on_series()

    first.refresh_from_db()
    assert first.body == "Another text" and waiting(series).body == "Dear {first_name|friend}"


def test_a_change_to_all_that_follow_is_in_the_next_one_too(client, workspace):
    series = series_of(workspace)
    first = waiting(series)
    group = make_group(workspace, *make_recipients(workspace, 1))

    edit(client, first, applies="all", audience="some", groups=[group.pk], priority="low")
    operations.cancel(first, by=None)
    clock.carry_on_series()

    following = waiting(series)
    assert (following.body, following.everyone, following.priority) == ("Another text", False, 3)
    assert list(following.groups.all()) == [group]
    assert AuditEntry.objects.filter(verb="update_following", actor="Ann").exists()


def test_an_older_one_does_not_speak_for_those_that_follow(client, workspace):
    series = series_of(workspace)
    first = waiting(series)
    operations.unschedule(first, by=None)
    clock.carry_on_series()

    edit(client, first, applies="all")

    series.refresh_from_db()
    assert series.body == "Dear {first_name|friend}"


def test_another_time_for_one_leaves_the_rule_alone(workspace):
    series = series_of(workspace)
    first = waiting(series)
    day = first.scheduled_day
    operations.change_time(first, at=timezone.now() + timedelta(hours=2), by=None)
    operations.cancel(first, by=None)
    clock.carry_on_series()

    assert waiting(series).scheduled_day == day + timedelta(days=7)


# --- verbs of the series ---


def test_the_next_one_is_skipped_and_the_following_waits(client, workspace):
    series = series_of(workspace, rule=daily(), count=5)

    answer = client.post(reverse("skip_next", args=[series.pk]), {"nth": 1}, follow=True)

    assert numbers(series) == [(1, "cancelled"), (2, "scheduled")]
    assert "Skipped. The next one is on" in answer.content.decode()
    assert waiting(series).scheduled_day == in_days(2)
    assert AuditEntry.objects.filter(verb="skip_next", actor="Ann").exists()


def test_skipping_twice_skips_once(client, workspace):
    series = series_of(workspace, rule=daily())
    for _ in range(2):
        answer = client.post(reverse("skip_next", args=[series.pk]), {"nth": 1}, follow=True)

    assert numbers(series) == [(1, "cancelled"), (2, "scheduled")]
    assert "The next one is another by now" in answer.content.decode()


def test_skipping_the_last_one_ends_the_series(client, workspace):
    series = series_of(workspace, count=1)

    answer = client.post(reverse("skip_next", args=[series.pk]), {"nth": 1}, follow=True)

    series.refresh_from_db()
    assert series.ended_at and "It was the last of the series" in answer.content.decode()


def test_a_series_is_ended_after_a_question(client, workspace):
    series = series_of(workspace)
    address = reverse("end_series", args=[series.pk])

    assert "is cancelled" in client.get(address).content.decode()
    answer = client.post(address, follow=True)

    assert "The series has ended" in answer.content.decode()
    assert numbers(series) == [(1, "cancelled")]
    clock.carry_on_series()
    assert series.occurrences.count() == 1
    assert "has ended; nothing of it" in client.post(address, follow=True).content.decode()
    assert AuditEntry.objects.filter(verb="end_series", actor="Ann").count() == 1


def change_rule(client, series, **typed):
    usual = {
        "date": str(in_days(10)),
        "time": "18:00",
        "zone": ATHENS,
        "repeat": "daily",
        "every": "2",
        "ends": "never",
        "seen": recurring.standing(Recurrence.objects.get(pk=series.pk)),
    }
    return client.post(reverse("change_rule", args=[series.pk]), usual | typed, follow=True)


def test_another_rule_moves_the_one_that_waits(client, workspace):
    series = series_of(workspace)

    answer = change_rule(client, series)

    campaign = waiting(series)
    assert (campaign.nth, campaign.scheduled_day, campaign.scheduled_time) == (1, in_days(10), time(18))
    assert series.words == "Every 2 days at 18:00 Europe/Athens" and "The rule is changed" in answer.content.decode()
    operations.cancel(campaign, by=None)
    clock.carry_on_series()
    assert waiting(series).scheduled_day == in_days(12)
    assert AuditEntry.objects.get(verb="change_rule").changes["rule"][1] == "Every 2 days at 18:00 Europe/Athens"


def test_the_form_of_the_rule_shows_it_as_it_is(client, workspace):
    series = series_of(workspace, count=7)
    html = client.get(reverse("change_rule", args=[series.pk])).content.decode()

    assert '<option value="weekly" selected>' in html and 'value="0" checked' in html and 'value="7"' in html


def test_times_are_counted_from_now_on_and_the_sentence_says_which_numbers_they_are(client, workspace):
    series = series_of(workspace, rule=daily(), count=12)
    for _ in range(10):
        recurring.skip_next(series, by=None)
    form = client.get(reverse("change_rule", args=[series.pk])).content.decode()
    typed = {"series": series.pk, "date": str(in_days(20)), "time": "09:00", "zone": ATHENS, "repeat": "daily"}
    sentence = client.get(reverse("when"), typed | {"every": "1", "ends": "after", "count": "5"}).content.decode()

    answer = change_rule(client, series, ends="after", count="5")

    assert 'name="count" inputmode="numeric" maxlength="4" value="2"' in form  # numbers 11 and 12
    assert ", number 11 to 15." in sentence and ", number 11 to 15." in answer.content.decode()
    series.refresh_from_db()
    assert (series.count, waiting(series).nth) == (15, 11)


def test_one_more_time_is_said_with_its_number(client, workspace):
    series = series_of(workspace, rule=daily())
    recurring.skip_next(series, by=None)

    answer = change_rule(client, series, ends="after", count="1")

    assert ", once more, as number 2." in answer.content.decode()
    series.refresh_from_db()
    assert series.count == 2


def test_the_series_of_another_workspace_counts_for_nothing_in_the_sentence(client, workspace):
    theirs = make_series(make_campaign(make_workspace(), people=1))
    recurring.skip_next(theirs, by=None)
    typed = {"date": str(in_days(20)), "time": "09:00", "zone": ATHENS, "repeat": "weekly", "ends": "after"}

    sentence = client.get(reverse("when"), typed | {"count": "5", "series": theirs.pk}).content.decode()

    assert ", 5 times." in sentence


def test_a_last_day_before_the_first_is_refused_where_it_was_typed(client, workspace):
    series = series_of(workspace, rule=daily())

    answer = change_rule(client, series, ends="on", until=str(in_days(2)))

    assert answer.status_code == 422 and 'id="until-error"' in answer.content.decode()
    series.refresh_from_db()
    assert series.time == time(9)


def test_the_second_of_two_who_change_the_rule_is_told(client, workspace):
    series = series_of(workspace)
    seen = recurring.standing(series)
    change_rule(client, series)

    answer = change_rule(client, series, every="5", seen=seen)

    html = answer.content.decode()
    assert answer.status_code == 409 and "Somebody changed the series meanwhile" in html
    assert (
        "Every 2 days at 18:00 Europe/Athens" in html
        and 'name="every" inputmode="numeric" maxlength="3" value="5"' in html
    )
    series.refresh_from_db()
    assert series.number == 2
    assert change_rule(client, series, every="5").status_code == 200
    series.refresh_from_db()
    assert series.number == 5


def test_a_rule_is_not_changed_after_the_next_one_that_was_seen_has_gone(client, workspace):
    series = series_of(workspace)
    seen = recurring.standing(series)
    recurring.skip_next(series, by=None)

    assert change_rule(client, series, seen=seen).status_code == 409


def test_all_series_are_listed_with_their_rule_and_the_next_day(client, workspace):
    ended, going = series_of(workspace), make_series(make_campaign(workspace, name="Weekly"), count=3)
    recurring.end_series(ended, by=None)
    make_series(make_campaign(make_workspace(), people=1, name="Of others"))

    html = client.get(reverse("all-series")).content.decode()

    assert reverse("all-series") in client.get(reverse("campaigns")).content.decode()
    assert "Every Monday at 09:00 Europe/Athens, 3 times" in html and waiting(going).start_words in html
    assert html.index(f"/series/{going.pk}/") < html.index(f"/series/{ended.pk}/") and "Has ended" in html
    assert "Of others" not in html


def test_without_series_the_page_says_how_to_make_one(client, workspace):
    assert "No series yet" in client.get(reverse("all-series")).content.decode()


def test_a_series_that_cannot_be_carried_on_is_called_a_series_in_the_log(workspace, caplog):
    series = series_of(workspace)
    operations.cancel(waiting(series), by=None)
    Recurrence.objects.filter(pk=series.pk).update(zone="Nowhere/At-all")

    clock.carry_on_series()

    assert f"could not move series {series.pk} on" in caplog.text


def test_a_series_needs_a_rule(client, workspace):
    assert change_rule(client, series_of(workspace), repeat="").status_code == 422


def test_the_pages_link_the_series_and_its_occurrences(client, workspace):
    series = series_of(workspace, rule=daily(), count=10)
    for nth in (1, 2):
        recurring.skip_next(series, by=None, nth=nth)
    first, third = series.occurrences.get(nth=1), waiting(series)

    of_first = client.get(reverse("campaign", args=[first.pk])).content.decode()
    page = client.get(reverse("series", args=[series.pk])).content.decode()

    assert "number 1 of 10" in of_first and reverse("campaign", args=[third.pk]) in of_first
    assert reverse("series", args=[series.pk]) in of_first
    assert all(reverse("campaign", args=[one.pk]) in page for one in series.occurrences.all())
    assert "Every day" in client.get("/").content.decode()


def test_many_occurrences_are_shown_page_by_page(client, workspace):
    series = series_of(workspace, rule=daily())
    for nth in range(1, 31):
        recurring.skip_next(series, by=None, nth=nth)

    page = client.get(reverse("series", args=[series.pk])).content.decode()
    older = client.get(reverse("series", args=[series.pk]), {"before": 12}).content.decode()

    assert "Number 31:" in page and "Number 12:" in page and "Number 11:" not in page and "?before=12" in page
    assert "Number 11:" in older and "Number 1:" in older


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_who_may_not_send_may_look_at_a_series_and_change_nothing(client, workspace, role):
    series = series_of(workspace)
    client.force_login(make_member(workspace, role))

    html = client.get(reverse("series", args=[series.pk])).content.decode()

    assert "Skip the next" not in html and "Change the rule" not in html
    for name in ("skip_next", "end_series", "change_rule"):
        assert client.post(reverse(name, args=[series.pk]), {"nth": 1}).status_code == 403


def test_the_last_day_of_february_stands_for_the_31st(workspace):
    year = next(year for year in range(in_days(0).year + 1, in_days(0).year + 9) if year % 4 == 0)
    series = series_of(workspace, rule=Rule(Unit.MONTHLY, date(year, 1, 31), number=31))
    operations.cancel(waiting(series), by=None)
    clock.carry_on_series()

    assert waiting(series).scheduled_day == date(year, 2, 29)
    assert waiting(series).scheduled_at == datetime(year, 2, 29, 7, tzinfo=UTC)


def test_an_occurrence_with_a_text_that_cannot_be_sent_asks_a_person_and_the_series_goes_on(provider, workspace):
    series = series_of(workspace)
    Campaign.objects.filter(series=series).update(body="Hi {nickname}")
    due(series)

    tick()

    assert numbers(series) == [(1, "draft"), (2, "scheduled")]


def test_only_this_one_may_be_edited_by_the_program_too(workspace):
    series = series_of(workspace)

    update_campaign(waiting(series), by=None, body="Only this")

    series.refresh_from_db()
    assert series.body == "Dear {first_name|friend}"


def test_skipping_asks_first_and_says_what_is_lost(client, workspace):
    series = series_of(workspace)
    address = reverse("skip_next", args=[series.pk])
    assert "for this one only" not in client.get(address).content.decode()
    update_campaign(waiting(series), by=None, body="Only this week")

    html = client.get(address).content.decode()

    assert waiting(series).start_words in html and "Something was changed for this one only" in html
    assert numbers(series) == [(1, "scheduled")]


def test_one_that_was_skipped_is_called_so(client, workspace):
    series = series_of(workspace)
    skipped = waiting(series)
    client.post(reverse("skip_next", args=[series.pk]), {"nth": 1})

    assert "Skipped by Ann" in client.get("/").content.decode()
    assert "Skipped.</b>" in client.get(reverse("campaign", args=[skipped.pk])).content.decode()
    assert ">Skipped</span>" in client.get(reverse("series", args=[series.pk])).content.decode()


def test_the_cards_of_an_ended_series_promise_nothing(client, workspace):
    series = series_of(workspace)
    assert "Every Monday" in client.get("/").content.decode()

    recurring.end_series(series, by=None)

    html = client.get("/").content.decode()
    assert "Every Monday" not in html and "of a series that has ended" in html


def test_one_that_is_unscheduled_says_that_the_series_goes_on_and_where(client, workspace, monkeypatch):
    series = series_of(workspace)
    first = waiting(series)
    address = reverse("campaign", args=[first.pk])

    answer = client.post(reverse("unschedule", args=[first.pk]), follow=True).content.decode()
    told = []
    monkeypatch.setattr(live, "changed", lambda campaign, workspace: told.append(campaign))
    clock.carry_on_series()
    after = client.get(address).content.decode()

    assert "It is a draft again; the series goes on." in answer and "The next one is being made." in answer
    assert f"on {waiting(series).start_words}</a>" in after
    assert first.pk in told  # whoever looks at it sees it without a reload


# --- variants and languages ---


def in_two_ways(workspace) -> Recurrence:
    """A series whose campaigns have a variant B, "Hi, you", and say A in Greek."""
    campaign = with_variants(workspace)
    write_wording(campaign, by=None, language="el", subject="Γεια", body="Γεια σου")
    return make_series(campaign)


def said_by(campaign: Campaign) -> dict[str, str]:
    """By variant and language."""
    assert Split.of(campaign)
    return {"1": campaign.body} | {f"{w.variant}{w.language}": w.body for w in campaign.wordings.all()}


def test_variants_and_languages_come_again_although_the_one_that_waited_is_deleted(workspace):
    series = in_two_ways(workspace)
    before = said_by(waiting(series))
    delete_campaign(waiting(series), by=None)

    tick()

    following = waiting(series)
    assert before == said_by(following) == {"1": "Hello, you", "1el": "Γεια σου", "2": "Hi, you"}
    assert (Split.of(following).weights, Split.of(following).tested) == ([50, 50], 50)


def test_what_one_says_alone_in_any_variant_or_language_does_not_come_again(workspace):
    series = in_two_ways(workspace)
    alone = waiting(series)
    assert not recurring.is_changed(alone, series)
    update_campaign(alone, by=None, body="This week")
    write_wording(alone, by=None, variant=2, subject="Hi", body="This week, B")
    write_wording(alone, by=None, language="el", subject="Γεια", body="Αυτή την εβδομάδα")
    set_up_variants(alone, by=None, weights=[90, 10])

    following = recurring.skip_next(series, by=None)

    assert said_by(following) == {"1": "Hello, you", "1el": "Γεια σου", "2": "Hi, you"}
    assert Split.of(following).weights == [50, 50]


def test_a_change_of_a_variant_alone_is_told_before_it_is_skipped(workspace):
    series = in_two_ways(workspace)
    write_wording(waiting(series), by=None, variant=2, subject="Hi", body="This week, B")

    assert recurring.is_changed(waiting(series), series)


def test_saved_for_all_that_follow_a_campaign_takes_its_variants_and_languages_along(client, workspace):
    series = in_two_ways(workspace)
    one = waiting(series)
    write_wording(one, by=None, variant=2, subject="Hi", body="From now on, B")
    assert "for this one only" in client.get(reverse("variants", args=[one.pk])).content.decode()

    one = update_with_following(one, by=None, body="From now on")
    following = recurring.skip_next(series, by=None)

    assert said_by(following) == {"1": "From now on", "1el": "Γεια σου", "2": "From now on, B"}
    assert "From now on, B" in str(AuditEntry.objects.get(verb="update_following").changes)


def test_an_address_in_a_variant_that_comes_again_is_found_before_a_person_is_erased(workspace):
    person = make_recipient(workspace, email="ann@example.com")
    campaign = with_variants(workspace)
    write_wording(campaign, by=None, variant=2, subject="Hi", body="Ask\nann@example.com")
    series = make_series(campaign)
    delete_campaign(waiting(series), by=None)

    assert [place.words for place in places_naming(person)] == [f"series “{series}”"]
