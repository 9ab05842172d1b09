"""Old messages move to files by themselves, where that is wanted: the clock rings, a chores worker does it."""

from datetime import timedelta

import django_rq
import pytest
from django.db.models.functions import Now

from campaigns.models import Campaign
from dispatcher import clock, store_due
from dispatcher.models import Message, MessageFile
from tests.dispatcher.filing import archive, long_over, names_in

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "chores"


@pytest.fixture(autouse=True)
def rung_for(monkeypatch, settings, place):
    django_rq.get_queue(QUEUE).empty()
    an_hour_passes(monkeypatch)
    settings.KEEP_MESSAGES_DAYS = 30


def an_hour_passes(monkeypatch) -> None:
    """Since the clock looked for what is old enough."""
    monkeypatch.setattr(clock, "_rung", float("-inf"))


def jobs_done() -> int:
    """Let a worker do what was rung for, as long as anything is; how many jobs it took."""
    done = 0
    while done < 9 and (job := django_rq.get_queue(QUEUE).jobs):
        django_rq.get_queue(QUEUE).empty()
        job[0].perform()
        done += 1
    return done


def left() -> set[int]:
    """The campaigns whose messages are in the tables."""
    return set(Message.objects.values_list("campaign", flat=True))


def test_what_is_old_enough_moves_and_what_is_not_in_order_stays(caplog):
    old, wrong, young = long_over(), long_over(), long_over(days=29)
    Message.objects.filter(campaign=wrong, number=3).update(status=5)

    clock.ring_to_store()
    assert jobs_done() == 1

    assert left() == {wrong.pk, young.pk}
    assert MessageFile.objects.get().campaign == old
    assert f"the messages of campaign {wrong.pk} stay in the tables: the auditor is not content" in caplog.text


def test_what_was_brought_back_stays_as_long_as_what_has_just_ended(monkeypatch):
    campaign = long_over(people=2)
    archive("--older-than", 30)
    archive("--restore", campaign.pk)

    clock.ring_to_store()
    assert jobs_done() == 0 and left() == {campaign.pk}

    Campaign.objects.filter(pk=campaign.pk).update(restored_at=Now() - timedelta(days=31))
    an_hour_passes(monkeypatch)
    clock.ring_to_store()
    assert jobs_done() == 1 and left() == set()


def test_nothing_moves_by_itself_unless_that_was_set(settings, place):
    settings.KEEP_MESSAGES_DAYS = 0
    campaign = long_over(days=999)

    clock.ring_to_store()

    assert jobs_done() == 0 and left() == {campaign.pk} and names_in(place) == []


def test_after_its_time_the_rest_waits_for_another_turn(monkeypatch):
    monkeypatch.setattr(store_due, "SECONDS", -1)
    for _ in range(3):
        long_over(people=2)

    clock.ring_to_store()

    assert jobs_done() == 3 and left() == set()


def test_what_is_left_alone_takes_nobody_elses_time_and_is_tried_again_the_next_day(monkeypatch, caplog):
    monkeypatch.setattr(store_due, "SECONDS", -1)
    wrong = [long_over(people=2, days=50), long_over(people=2, days=50)]
    Message.objects.filter(campaign__in=wrong, number=1).update(status=5)
    long_over(people=2)

    clock.ring_to_store()
    assert jobs_done() == 3 and left() == {campaign.pk for campaign in wrong}

    an_hour_passes(monkeypatch)
    clock.ring_to_store()
    assert jobs_done() == 0 and caplog.text.count("the auditor is not content") == 2

    Campaign.objects.update(left_alone_at=Now() - timedelta(days=1, minutes=1))
    an_hour_passes(monkeypatch)
    clock.ring_to_store()
    assert jobs_done() == 2 and caplog.text.count("the auditor is not content") == 4


def test_the_clock_looks_for_them_once_an_hour():
    long_over(people=2)
    clock.ring_to_store()
    clock.ring_to_store()
    assert django_rq.get_queue(QUEUE).count == 1


def test_what_was_begun_by_somebody_who_was_killed_is_ended(killed_at):
    long_over()
    killed_at("rows_half_removed", "--older-than", 30)

    clock.ring_to_store()
    assert jobs_done() == 1

    assert left() == set() and MessageFile.objects.get().moved_at


def test_without_a_directory_everything_stays(place, caplog):
    campaign = long_over(people=2)
    place.rmdir()

    store_due.store_due()

    assert left() == {campaign.pk} and "which is no directory" in caplog.text
