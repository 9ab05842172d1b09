"""Dead letters: what failed for good is listed by campaign and cause until it is tried again or dismissed."""

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry, Role
from campaigns.models import Campaign
from dispatcher import dismissals, operations
from dispatcher.books import books_of
from dispatcher.dead_letters import Letters, letters_of, page_of, troubled
from dispatcher.ledger import SIZE
from dispatcher.models import Batch, Category, Dismissal, Message
from dispatcher.senders.parcel import Busy, Refused
from tests.dispatcher.outcomes import failed, launched, sent
from tests.dispatcher.sending import send, work_off, wrong_with_the_books
from tests.make import logged_in, make_campaign, make_recipients, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def client(workspace):
    return logged_in(workspace, Role.MARKETER)


@pytest.fixture
def campaign(workspace) -> Campaign:
    """Over: two bounced, one timed out, one was sent."""
    campaign = launched(
        make_campaign(workspace, people=4), *failed(Category.BOUNCED, 2), *failed(Category.TIMEOUT), *sent()
    )
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.SENT, finished_at=Now())
    return campaign


def listed(workspace) -> dict[str, dict[str, int]]:
    """By campaign, how many of each cause."""
    books = troubled(workspace)
    found = letters_of(Campaign.objects.filter(pk__in=books), books)
    return {str(one.campaign): {cause.word: cause.count for cause in one.causes} for one in found if one.count}


def letters_in(campaign: Campaign) -> Letters:
    (found,) = letters_of([campaign], {campaign.pk: books_of(campaign)})
    return found


def said(answer) -> str:
    return answer.content.decode()


def test_failures_are_listed_by_campaign_and_cause(workspace, client, campaign):
    page = said(client.get(reverse("dead-letters")))

    assert listed(workspace) == {campaign.name: {"bounced": 2, "timeout": 1}}
    assert "Mailbox does not exist" in page
    assert "3 messages failed for good" in page


def test_a_workspace_without_failures_says_so(client):
    assert "No dead letters" in said(client.get(reverse("dead-letters")))


def test_the_single_ones_are_shown_with_error_tries_and_time(workspace, client, provider):
    campaign = make_campaign(workspace, people=2)
    person = workspace.recipients.first()
    provider.answers[person.email] = [Busy("503 come back later", category="provider_down")]
    send(campaign)

    page = said(client.get(reverse("dead-letters-of", args=[campaign.pk])))

    assert str(person) in page
    assert "503 come back later" in page
    assert 'data-label="Tries">3<' in page


def test_the_pages_together_are_exactly_the_failures_of_a_cause(workspace, settings):
    settings.BATCH_SIZE = 7
    campaign = make_campaign(workspace, people=2 * SIZE + 11)
    pattern = [*failed(Category.BOUNCED), *sent(), *failed(Category.TIMEOUT), *failed(Category.BOUNCED, 3)]
    outcomes = (pattern * SIZE)[: 2 * SIZE + 11]
    launched(campaign, *outcomes)
    expected = [number for number, (_, why) in enumerate(outcomes, start=1) if why == Category.BOUNCED]

    numbers, after = [], 0
    while after is not None:
        page = page_of(letters_in(campaign), Category.BOUNCED, after)
        numbers += [row.message.number for row in page.rows]
        after = page.after

    assert numbers == expected


def test_one_message_is_tried_again(client, campaign):
    client.post(reverse("retry_dead"), {"campaign": campaign.pk, "numbers": "1", "back": "dead_letters_of"})

    campaign.refresh_from_db()
    assert campaign.status == Status.SENDING
    assert [m.status for m in campaign.messages.order_by("number")] == [
        *(Message.Status.PENDING, Message.Status.FAILED, Message.Status.FAILED, Message.Status.SENT)
    ]
    assert books_of(campaign).balances


def test_a_cause_is_tried_again_and_the_others_stay(workspace, client, campaign):
    client.post(reverse("retry_dead"), {"campaign": campaign.pk, "category": "timeout"})

    assert listed(workspace) == {campaign.name: {"bounced": 2}}
    assert books_of(campaign).pending == 1


def test_all_of_a_campaign_is_tried_again_and_arrives(workspace, client, campaign, provider):
    client.post(reverse("retry_dead"), {"campaign": campaign.pk})

    assert work_off(campaign).sent == 4
    assert listed(workspace) == {}
    assert wrong_with_the_books(campaign) == []


def test_the_button_for_all_offers_only_what_another_try_may_overcome(workspace, client, campaign):
    page = said(client.get(reverse("dead-letters")))
    assert "Retry the 1 worth another try" in page and "Retry all" not in page

    passing = ["rate_limited", "provider_down", "timeout", "network", "no_credit", "other"]
    assert [page.count(f'name="category" value="{word}"') for word in passing] == [2, 2, 3, 2, 2, 2]
    client.post(reverse("retry_dead"), {"category": passing})

    assert listed(workspace) == {campaign.name: {"bounced": 2}}
    page = said(client.get(reverse("dead-letters")))
    assert "worth another try" not in page and "Retry 2" in page


def test_all_of_the_workspace_is_tried_again_and_what_could_not_be_is_said(workspace, client, campaign):
    other = launched(make_campaign(workspace), *failed(Category.TIMEOUT, 4))
    off = launched(make_campaign(workspace, name="Called off"), *failed(Category.TIMEOUT, 4))
    Campaign.objects.filter(pk=off.pk).update(status=Status.CANCELLED, finished_at=Now())

    page = said(client.post(reverse("retry_dead"), follow=True))

    assert "Trying 7 messages of 2 campaigns again." in page
    assert "Not tried again: “Called off” is cancelled." in page
    assert (books_of(other).pending, books_of(off).failed) == (4, 4)


def test_failures_of_a_cancelled_campaign_can_only_be_dismissed(workspace, client, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.CANCELLED)

    page = said(client.get(reverse("dead-letters")))
    client.post(reverse("dismiss"), {"campaign": campaign.pk})

    assert "It was cancelled, so nothing of it is sent again." in page
    assert "Retry 2" not in page
    assert listed(workspace) == {}


def test_dismissing_asks_first_and_then_leaves_the_books_as_they_are(workspace, client, campaign):
    before = books_of(campaign)

    question = said(client.get(reverse("dismiss"), {"campaign": campaign.pk, "category": "bounced"}))
    assert "Dismiss 2 messages?" in question
    assert listed(workspace) == {campaign.name: {"bounced": 2, "timeout": 1}}
    client.post(reverse("dismiss"), {"campaign": campaign.pk, "category": "bounced"})

    assert listed(workspace) == {campaign.name: {"timeout": 1}}
    assert books_of(campaign) == before


def test_all_of_the_workspace_is_dismissed_at_once(workspace, client, campaign):
    launched(make_campaign(workspace), *failed(Category.TIMEOUT, 4))

    page = said(client.post(reverse("dismiss"), follow=True))

    assert "Dismissed 7 messages of 2 campaigns." in page
    assert listed(workspace) == {}


def test_a_dismissal_can_be_undone(workspace, client, campaign):
    client.post(reverse("dismiss"), {"campaign": campaign.pk, "category": "bounced"})
    assert "2 dismissed by" in said(client.get(reverse("dead-letters")))

    client.post(reverse("undismiss", args=[campaign.pk]), {"category": "bounced"})

    assert listed(workspace) == {campaign.name: {"bounced": 2, "timeout": 1}}


def test_both_are_in_the_audit_log(workspace, client, campaign):
    client.post(reverse("dismiss"), {"campaign": campaign.pk, "category": "bounced"})
    client.post(reverse("undismiss", args=[campaign.pk]), {"category": "bounced"})

    entries = AuditEntry.objects.filter(workspace_id=workspace.pk).order_by("-pk")[:2]
    assert [entry.verb for entry in entries] == ["undismiss", "dismiss"]


def test_what_fails_after_a_dismissal_is_listed_again_and_alone(workspace, campaign):
    dismissals.dismiss(campaign, by=None)

    fails_again(campaign, number=4)

    assert listed(workspace) == {campaign.name: {"timeout": 1}}
    assert [row.message.number for row in page_of(letters_in(campaign), None).rows] == [4]


def fails_again(campaign: Campaign, *, number: int) -> None:
    """As if this message, which was sent, had failed a moment later."""
    Message.objects.filter(campaign=campaign, number=number).update(
        status=3, category=Category.TIMEOUT, updated_at=Now()
    )
    with connection.cursor() as cursor:  # Now() is the beginning of the test's transaction
        cursor.execute(
            "UPDATE dispatcher_message SET updated_at = clock_timestamp() WHERE campaign_id = %s AND number = %s",
            [campaign.pk, number],
        )
    batch = Batch.objects.get(campaign=campaign)
    batch.failed_by[Category.TIMEOUT - 1] += 1
    Batch.objects.filter(pk=batch.pk).update(failed=4, sent=0, failed_by=batch.failed_by)


def test_trying_the_list_again_spares_what_was_dismissed(workspace, client, campaign):
    dismissals.dismiss(campaign, by=None)
    fails_again(campaign, number=4)

    client.post(reverse("retry_dead"), {"campaign": campaign.pk})

    books = books_of(campaign)
    assert (books.pending, books.failed) == (1, 3)
    assert listed(workspace) == {}


def test_a_retry_on_the_campaign_page_takes_the_dismissed_too_and_forgets_the_dismissal(workspace, client, campaign):
    dismissals.dismiss(campaign, by=None)

    client.post(reverse("retry_failed", args=[campaign.pk]))

    assert books_of(campaign).pending == 3
    assert not Dismissal.objects.exists()


def test_trying_one_dismissed_message_again_leaves_the_others_dismissed(workspace, client, campaign, provider):
    dismissals.dismiss(campaign, by=None)
    provider.answers[Message.objects.get(campaign=campaign, number=1).address] = [Refused("550", category="bounced")]

    operations.retry_failed(campaign, by=None, numbers=[1])
    work_off(campaign)

    assert listed(workspace) == {campaign.name: {"bounced": 1}}
    assert [row.message.number for row in page_of(letters_in(campaign), None).rows] == [1]


def test_trying_again_what_somebody_else_just_tried_says_so(client, campaign):
    client.post(reverse("retry_dead"), {"campaign": campaign.pk, "numbers": "1"})

    page = said(client.post(reverse("retry_dead"), {"campaign": campaign.pk, "numbers": "1"}, follow=True))

    assert "somebody was faster" in page


def test_a_viewer_sees_them_and_cannot_press(workspace, campaign):
    viewer = logged_in(workspace, Role.VIEWER)

    page = said(viewer.get(reverse("dead-letters")))
    addresses = [reverse("retry_dead"), reverse("dismiss"), reverse("undismiss", args=[campaign.pk])]
    answers = [viewer.post(address, {"campaign": campaign.pk}) for address in addresses]

    main = page.partition("<main")[2]
    assert "Mailbox does not exist" in main
    assert "<button" not in main and "Dismiss" not in main
    assert [answer.status_code for answer in answers] == [403] * 3


def test_another_workspace_cannot_touch_them(campaign):
    stranger = logged_in(make_workspace(), Role.OWNER)

    for address in (reverse("retry_dead"), reverse("dismiss"), reverse("undismiss", args=[campaign.pk])):
        assert stranger.post(address, {"campaign": campaign.pk}).status_code == 404
    assert stranger.get(reverse("dead-letters-of", args=[campaign.pk])).status_code == 404


@pytest.mark.parametrize(
    "asked", [{"campaign": "x"}, {"campaign": "9" * 30}, {"category": "love"}, {"numbers": "-1"}, {"numbers": "9" * 12}]
)
def test_what_cannot_be_read_is_not_found(client, campaign, asked):
    assert client.post(reverse("retry_dead"), asked).status_code == 404


def test_many_campaigns_are_listed_page_by_page(workspace, client):
    make_recipients(workspace, 1)
    for n in range(22):
        launched(make_campaign(workspace, name=f"Number {n}."), *failed())

    first = said(client.get(reverse("dead-letters")))
    oldest = first.partition("?before=")[2].partition('"')[0]
    second = said(client.get(reverse("dead-letters"), {"before": oldest}))

    assert "Number 21." in first and "Number 1." not in first
    assert "Number 1." in second and "Number 0." in second and "Number 2." not in second


def test_a_hundred_campaigns_cost_as_many_queries_as_one(workspace, client):
    make_recipients(workspace, 2)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("dead-letters"))
        return len(captured)

    def trouble() -> None:
        dismissals.dismiss(launched(make_campaign(workspace), *failed(), *failed(Category.TIMEOUT)), by=None)
        launched(make_campaign(workspace), *failed())

    trouble()
    for_one = queries()
    for _ in range(50):
        trouble()

    assert queries() == for_one
