"""Schedule: what was checked starts by itself at a time that a person understands, and only who sends may say when."""

import re
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role, Workspace
from campaigns.authoring import update_campaign
from campaigns.models import Campaign, IllegalMove
from campaigns.when import Wall
from dispatcher import clock, operations
from people.models import Import
from tests.dispatcher.athens import ATHENS, in_days, last_sunday, press, seal, workspace
from tests.make import make_campaign, make_group, make_member, make_workspace

__all__ = ["workspace"]

pytestmark = pytest.mark.django_db
Status = Campaign.Status
PAGES = ("campaign", "schedule", "campaign-edit")


def scheduled(workspace, at=None, **fields) -> Campaign:
    campaign = make_campaign(workspace, people=2, **fields)
    return operations.schedule(
        campaign, at=at or Wall(datetime.combine(in_days(1), datetime.min.time()), ATHENS), by=None
    )


def test_it_keeps_the_wall_clock_the_zone_and_the_instant(client, workspace):
    campaign = make_campaign(workspace, people=3)

    answer = press(client, campaign)

    campaign.refresh_from_db()
    assert campaign.status == Status.SCHEDULED
    assert (campaign.scheduled_day, str(campaign.scheduled_time), campaign.scheduled_zone) == (
        in_days(1),
        "09:00:00",
        ATHENS,
    )
    nine = datetime.combine(in_days(1), datetime.min.time(), ZoneInfo(ATHENS)).replace(hour=9)
    assert campaign.scheduled_at == nine
    html = answer.content.decode()
    assert "Scheduled. It starts on" in html and f"({nine.astimezone(UTC):%H:%M} UTC)" in html
    assert html.count("09:00 Europe/Athens") >= 2  # the message, and what the page goes on to say
    entry = AuditEntry.objects.get(verb="schedule")
    assert entry.actor == "Ann" and entry.changes["scheduled_zone"] == [None, ATHENS]


def test_the_list_says_the_time_on_the_clocks_of_its_zone(client, workspace):
    scheduled(workspace, Wall(datetime.combine(in_days(3), datetime.min.time()).replace(hour=18), "America/New_York"))

    assert "18:00 America/New_York" in client.get("/").content.decode()


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_at_an_end_of_the_calendar_breaks_no_page(client, workspace, year):
    at = datetime(1, 1, 1, tzinfo=UTC) if year == 1 else datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    for zone in ("Asia/Tokyo", "America/New_York"):
        Workspace.objects.update(time_zone=zone)
        campaign = make_campaign(workspace, status=Status.SCHEDULED, scheduled_at=at)
        pages = [client.get(path) for path in ("/", *(reverse(name, args=[campaign.pk]) for name in PAGES))]
        assert [page.status_code for page in pages] == [200] * 4


def test_in_the_gap_of_spring_the_page_says_that_it_moves(client, workspace):
    campaign = make_campaign(workspace, people=1)

    answer = press(client, campaign, date=str(last_sunday(3)), time="03:30")

    campaign.refresh_from_db()
    assert campaign.scheduled_at.astimezone(UTC).strftime("%H:%M") == "01:30"
    assert "03:30 does not exist, so it starts at 04:30" in answer.content.decode()


def test_in_the_hour_that_comes_twice_in_autumn_the_first_is_meant(client, workspace):
    campaign = make_campaign(workspace, people=1)

    answer = press(client, campaign, date=str(last_sunday(10)), time="03:30")

    campaign.refresh_from_db()
    assert campaign.scheduled_at.astimezone(UTC).strftime("%H:%M") == "00:30"
    assert "comes twice, and the first of the two is meant" in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"date": "2020-01-01"}, "That day has passed"),
        ({"date": str(in_days(0)), "time": "00:00"}, "That time has passed"),
        ({"date": str(in_days(800))}, "more than two years ahead"),
        ({"date": ""}, "Choose a day"),
        ({"time": "noon"}, "Choose a time of day"),
        ({"zone": "Mars/Olympus"}, "Choose a time zone"),
    ],
)
def test_what_is_no_time_ahead_is_refused_with_a_sentence_and_what_was_typed(client, workspace, typed, sentence):
    campaign = make_campaign(workspace, people=1)

    answer = press(client, campaign, **typed)

    html = answer.content.decode()
    assert answer.status_code == 422 and sentence in html
    assert f'value="{typed.get("date", in_days(1))}"' in html
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


def test_only_what_was_checked_is_scheduled(client, workspace):
    campaign = make_campaign(workspace, people=3)
    looked_at = seal(client, campaign)
    update_campaign(campaign, by=None, body="Another text")

    answer = press(client, campaign, checked=looked_at)

    html = answer.content.decode()
    assert answer.status_code == 409 and "look again" in html
    assert f'value="{in_days(1)}"' in html  # what was typed is still there
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


def test_scheduling_asks_for_the_number_of_people_as_sending_does(client, workspace):
    Workspace.objects.update(typed_above=10)
    campaign = make_campaign(workspace, people=12)

    answer = press(client, campaign, checked=seal(client, campaign), number="11")

    html = answer.content.decode()
    assert answer.status_code == 422 and html.count("Type how many people get it: 12.") == 1
    assert 'id="number-to-schedule-error"' in html and f'value="{in_days(1)}"' in html
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT
    press(client, campaign, checked=seal(client, campaign), number="1 2")
    campaign.refresh_from_db()
    assert campaign.status == Status.SCHEDULED


def test_a_campaign_to_nobody_is_not_scheduled(client, workspace):
    campaign = make_campaign(workspace)

    assert 'id="schedule"' not in client.get(reverse("check", args=[campaign.pk])).content.decode()
    assert press(client, campaign, checked="0" * 64).status_code == 409


def test_an_import_under_way_does_not_stand_in_the_way_of_a_schedule(client, workspace):
    campaign = make_campaign(workspace, people=2)
    Import.objects.create(workspace=workspace, name="people.csv", status=Import.Status.RUNNING)

    press(client, campaign)

    campaign.refresh_from_db()
    assert campaign.status == Status.SCHEDULED


def test_a_second_person_is_told_that_it_is_scheduled_already(client, workspace):
    campaign = make_campaign(workspace, people=1)
    looked_at = seal(client, campaign)
    press(client, campaign)

    answer = press(client, campaign, checked=looked_at, time="18:00")

    assert (
        "Nothing was changed by this" in answer.content.decode() and "at 09:00 Europe/Athens" in answer.content.decode()
    )
    campaign.refresh_from_db()
    assert str(campaign.scheduled_time) == "09:00:00"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_schedule_at_once_one_wins():
    campaign, both, outcomes = make_campaign(people=1), Barrier(2), []

    def run(hours: int) -> None:
        both.wait(5)
        try:
            operations.schedule(campaign, at=timezone.now() + timedelta(hours=hours), by=None)
            outcomes.append(hours)
        except IllegalMove:
            outcomes.append(None)
        connection.close()

    threads = [Thread(target=run, args=[hours]) for hours in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(None) == 1
    assert campaign.history.filter(to_status=Status.SCHEDULED).count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_scheduling_is_sending_and_not_for_everybody(client, workspace, role):
    campaign, waiting = make_campaign(workspace, people=1), scheduled(workspace)
    looked_at = seal(client, campaign)
    client.force_login(make_member(workspace, role))

    assert press(client, campaign, checked=looked_at).status_code == 403
    assert client.get(reverse("schedule", args=[waiting.pk])).status_code == 403
    assert client.post(reverse("unschedule", args=[waiting.pk])).status_code == 403
    assert 'name="zone"' not in client.get(reverse("check", args=[campaign.pk])).content.decode()


# --- another time ---


def change(client, campaign, **typed):
    page = reverse("schedule", args=[campaign.pk])
    seen = re.search(r'name="seen" value="(.*?)"', client.get(page).content.decode())
    usual = {"date": str(in_days(5)), "time": "18:30", "zone": ATHENS, "seen": seen[1] if seen else ""}
    return client.post(page, usual | typed, follow=True)


def test_the_time_is_changed_and_told(client, workspace):
    campaign = scheduled(workspace)

    answer = change(client, campaign)

    campaign.refresh_from_db()
    assert (campaign.status, campaign.scheduled_day, str(campaign.scheduled_time)) == (
        Status.SCHEDULED,
        in_days(5),
        "18:30:00",
    )
    assert "The time is changed." in answer.content.decode()
    assert "another time" in campaign.history.first().reason
    assert AuditEntry.objects.get(verb="change_time").changes["scheduled_day"] == [str(in_days(1)), str(in_days(5))]


def test_a_time_somebody_else_changed_meanwhile_is_not_written_over_unseen(client, workspace):
    campaign = scheduled(workspace)

    answer = change(client, campaign, seen="2026-01-01T00:00:00+00:00")

    assert answer.status_code == 409 and "Somebody changed the time meanwhile" in answer.content.decode()
    campaign.refresh_from_db()
    assert campaign.scheduled_day == in_days(1)


def test_the_form_shows_the_time_as_it_is(client, workspace):
    campaign = scheduled(workspace, datetime.combine(in_days(2), datetime.min.time(), ZoneInfo(ATHENS)).replace(hour=7))

    html = client.get(reverse("schedule", args=[campaign.pk])).content.decode()

    assert f'value="{in_days(2)}"' in html and 'value="07:00"' in html
    assert "<option selected>Europe/Athens</option>" in html


def test_a_time_in_the_past_is_refused_and_the_old_one_stays(client, workspace):
    campaign = scheduled(workspace)

    assert change(client, campaign, date="2020-01-01").status_code == 422
    campaign.refresh_from_db()
    assert campaign.scheduled_day == in_days(1)


def test_what_is_not_scheduled_has_no_time_to_change(client, workspace):
    draft, over = make_campaign(workspace, people=1), make_campaign(workspace, status=Status.SENT)

    assert client.get(reverse("schedule", args=[draft.pk])).url == reverse("check", args=[draft.pk]) + "#schedule"
    assert "its time cannot be changed" in client.get(reverse("schedule", args=[over.pk]), follow=True).content.decode()
    with pytest.raises(IllegalMove):
        operations.change_time(draft, at=timezone.now(), by=None)


def test_unscheduling_forgets_the_time_and_tells_it(client, workspace):
    campaign = scheduled(workspace)

    client.post(reverse("unschedule", args=[campaign.pk]))

    campaign.refresh_from_db()
    assert (campaign.status, campaign.scheduled_at, campaign.scheduled_day, campaign.scheduled_zone) == (
        Status.DRAFT,
        None,
        None,
        "",
    )
    assert AuditEntry.objects.filter(verb="unschedule", actor="Ann").exists()


# --- the sentence under the form ---


def test_the_sentence_says_the_instant_in_the_zone_and_in_utc(client, workspace):
    answer = client.get(reverse("when"), {"date": f"{last_sunday(3)}", "time": "03:30", "zone": ATHENS})

    html = answer.content.decode()
    assert "04:30 Europe/Athens (01:30 UTC)" in html and "does not exist" in html


@pytest.mark.parametrize("typed", [{}, {"date": "x", "time": "y", "zone": "z", "repeat": "w", "weekdays": "9"}])
def test_the_sentence_bears_whatever_is_asked(client, workspace, typed):
    assert client.get(reverse("when"), typed).status_code == 200


# --- the clock ---


def test_when_a_zone_changes_its_rules_nine_stays_nine(workspace, monkeypatch):
    campaign = scheduled(workspace)
    as_it_was = campaign.scheduled_at
    Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=as_it_was + timedelta(hours=1))
    monkeypatch.setattr(clock, "_kept", float("-inf"))

    clock.keep_wall_clocks()

    campaign.refresh_from_db()
    assert campaign.scheduled_at == as_it_was
    assert AuditEntry.objects.get(verb="change_time").actor == ""


@pytest.mark.parametrize(("days", "words"), [(1.2, "1 day ago"), (3.1, "3 days ago")])
def test_a_schedule_that_was_missed_is_shown_on_the_page_and_in_the_list(client, workspace, days, words):
    campaign = scheduled(workspace, timezone.now() - timedelta(days=days))

    clock.start_schedules()

    for address in ("/", reverse("campaign", args=[campaign.pk])):
        assert f"It was due {words}, on " in client.get(address).content.decode()


def test_why_it_was_not_sent_is_still_said_after_its_priority_was_changed(client, workspace):
    campaign = scheduled(workspace, timezone.now() - timedelta(days=2))
    clock.start_schedules()
    operations.change_priority(campaign, to=Campaign.Priority.LOW, by=None)

    for address in ("/", reverse("campaign", args=[campaign.pk])):
        assert "It was due 2 days ago" in client.get(address).content.decode()


def test_a_campaign_in_a_zone_that_is_gone_stops_none_of_the_others(workspace, monkeypatch, caplog):
    broken, campaign = scheduled(workspace), scheduled(workspace)
    as_it_was = campaign.scheduled_at
    Campaign.objects.filter(pk=broken.pk).update(scheduled_zone="Nowhere/At-all")
    Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=as_it_was + timedelta(hours=1))
    monkeypatch.setattr(clock, "_kept", float("-inf"))

    clock.keep_wall_clocks()

    campaign.refresh_from_db()
    assert campaign.scheduled_at == as_it_was
    assert f"could not move campaign {broken.pk} on" in caplog.text


def edit(client, campaign, **typed):
    usual = {"name": campaign.name, "channel": "email", "subject": campaign.subject, "body": campaign.body}
    usual |= {"audience": "everyone"}
    return client.post(reverse("campaign-edit", args=[campaign.pk]), usual | typed, follow=True)


def test_who_may_not_send_cannot_change_what_is_scheduled(client, workspace):
    campaign = scheduled(workspace)
    client.force_login(make_member(workspace, Role.EDITOR))

    for answer in (client.get(reverse("campaign-edit", args=[campaign.pk])), edit(client, campaign, body="Another")):
        assert answer.status_code == 403
        assert "only a marketer, admin or owner can change" in answer.content.decode()
    page = client.get(reverse("campaign", args=[campaign.pk])).content.decode()
    assert 'id="edit"' not in page and 'id="duplicate"' in page
    campaign.refresh_from_db()
    assert campaign.body != "Another"


def test_a_change_to_what_is_scheduled_is_in_its_history(client, workspace):
    campaign = scheduled(workspace)

    page = client.get(reverse("campaign-edit", args=[campaign.pk])).content.decode()
    edit(client, campaign, body="Another text", audience="some", groups=[make_group(workspace).pk])
    edit(client, campaign, body="Another text", audience="some", groups=[make_group(workspace).pk])

    assert "It starts by itself on " in page and "pressed Send" not in page
    newest, before, *_ = campaign.history.all()
    assert (before.reason, before.actor) == ("text and people changed", "Ann")
    assert newest.reason == "people changed"


def test_a_change_to_a_draft_is_no_line_of_its_history(client, workspace):
    campaign = make_campaign(workspace, people=1)

    edit(client, campaign, body="Another text")

    assert not campaign.history.exists()


def test_a_time_is_told_in_the_zone_of_the_workspace_too():
    workspace = make_workspace(time_zone="Africa/Nairobi")
    noon = Wall.at(date(2026, 11, 30), time(9), "Europe/Athens")
    late = Wall.at(date(2026, 11, 30), time(23, 30), "Europe/Athens")

    campaign = operations.schedule(make_campaign(workspace, people=1), at=noon, by=None)

    assert campaign.start_words == "Monday 30 November 2026 at 09:00 Europe/Athens (07:00 UTC; 10:00 Africa/Nairobi)"
    words = late.words_for(workspace.zone)
    assert words.endswith("at 23:30 Europe/Athens (21:30 UTC; 1 December, 00:30 Africa/Nairobi)")
    assert noon.words_for(ZoneInfo("Europe/Athens")) == noon.words


def test_tomorrow_is_the_day_that_is_offered(client, workspace):
    page = client.get(reverse("check", args=[make_campaign(workspace, people=1).pk])).content.decode()

    assert f'name="date" type="date" value="{timezone.localdate(timezone=workspace.zone) + timedelta(days=1)}"' in page
