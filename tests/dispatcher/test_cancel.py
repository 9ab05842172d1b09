"""Cancel: nothing more goes out, what flew is settled, the rest is called cancelled."""

from functools import partial

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, IllegalMove
from dispatcher import clock, engine, operations
from dispatcher.books import books_of
from dispatcher.models import Batch, Message
from dispatcher.senders.parcel import Unsure
from tests.dispatcher.outcomes import launched, sent
from tests.dispatcher.sending import press, work_off, wrong_with_the_books
from tests.make import make_campaign, make_member, make_recipient, make_workspace

Status = Campaign.Status


@pytest.mark.django_db
def test_what_was_not_handed_over_is_cancelled(provider):
    campaign = operations.launch(make_campaign(people=600), by=None)

    operations.cancel(campaign, by=None)
    books = work_off(campaign)

    assert (books.cancelled, provider.calls, campaign.status) == (600, [], Status.CANCELLED)
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db(transaction=True)
def test_calls_in_flight_at_the_cancel_are_settled_as_what_they_became(provider, settings):
    settings.DISPATCH_WINDOW = 20
    provider.latency = 0.01
    campaign = operations.launch(make_campaign(people=2000), by=None)
    provider.at_call[100] = partial(press, operations.cancel, campaign)

    engine.work(seconds=5)

    books = work_off(campaign)
    assert books.sent == len(provider.calls) <= 100 + 2 * settings.DISPATCH_WINDOW
    assert books.sent + books.cancelled == 2000
    assert wrong_with_the_books(campaign) == []


@pytest.mark.django_db
def test_who_is_in_doubt_at_the_cancel_is_unknown_not_cancelled(provider):
    campaign = make_campaign()
    person = make_recipient(campaign.workspace)
    provider.answers[person.email] = [Unsure("reset")]
    operations.launch(campaign, by=None)
    work_off(campaign, shifts=1)

    operations.cancel(campaign, by=None)

    assert work_off(campaign).unknown == 1
    assert len(provider.calls) == 1


@pytest.mark.django_db
def test_a_cancelled_campaign_is_over_for_good(provider):
    campaign = operations.launch(make_campaign(people=3), by=None)
    operations.cancel(campaign, by=None)
    work_off(campaign)
    clock.finish_the_finished()

    for verb in (operations.launch, operations.resume, operations.cancel, operations.retry_failed):
        with pytest.raises(IllegalMove):
            verb(campaign, by=None)
    campaign.refresh_from_db()
    assert campaign.finished_at is not None


@pytest.mark.django_db
def test_a_draft_can_be_cancelled_before_anything_was_made(provider):
    campaign = operations.cancel(make_campaign(people=3), by=None)

    assert (campaign.status, Message.objects.count()) == (Status.CANCELLED, 0)
    assert books_of(campaign).total == 0


@pytest.mark.django_db
def test_what_was_not_sent_of_a_cancelled_campaign_is_not_called_done(client):
    workspace = make_workspace()
    client.force_login(make_member(workspace))
    campaign = launched(make_campaign(workspace, people=3), *sent())
    Message.objects.filter(campaign=campaign, status=Message.Status.PENDING).update(status=Message.Status.CANCELLED)
    Batch.objects.filter(campaign=campaign).update(pending=0, cancelled=2, due_at=None)
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.CANCELLED, finished_at=timezone.now())

    page = client.get(reverse("campaign", args=[campaign.pk])).content.decode()

    assert "<strong>1</strong>" in page and "of 3 sent before it was cancelled" in page
    for html in (page, client.get("/").content.decode()):
        assert 'aria-label="Sent"' in html and 'aria-valuetext="1 of 3"' in html
        assert "3 of 3" not in html and "100%</strong>" not in html
