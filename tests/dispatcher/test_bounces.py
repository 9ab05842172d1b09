"""An address of which the mail server says that it does not exist is written to no more, by this workspace."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dispatcher.bounces import suppress_bounced
from dispatcher.models import Attempt, Batch, Bookmark, Category, Message, SkipReason
from people.models import Suppression
from people.suppression import suppress
from tests.dispatcher.sending import send
from tests.make import make_campaign, make_recipient, make_workspace
from tests.people.suppressed import is_suppressed

pytestmark = pytest.mark.django_db
NO_SUCH = "550 5.1.1 <x@example.com>: no such user"


def came_back(
    error: str = NO_SUCH, category: Category = Category.BOUNCED, account: str = "smtp 1", **status
) -> Message:
    """A message to one person that was refused with these words, a minute ago."""
    Bookmark.objects.get_or_create(name="bounces", defaults={"last": 0})
    campaign = make_campaign(people=1)
    message = Message.objects.create(
        campaign=campaign,
        recipient=campaign.workspace.recipients.get(),
        number=1,
        address=campaign.workspace.recipients.get().email,
        **{"status": Message.Status.FAILED, "category": category} | status,
    )
    Batch.objects.create(campaign=campaign, first=1, last=1, total=1, pending=0, failed=1, account=account)
    Attempt.objects.create(
        message=message, key=message.key, outcome=Attempt.Outcome.REFUSED, category=category, error=error
    )
    Attempt.objects.update(at=timezone.now() - timedelta(minutes=1))
    return message


def is_listed(message: Message) -> bool:
    return is_suppressed(message.campaign.workspace, message.address)


def test_what_does_not_exist_is_listed_once_and_only_there():
    message, other = came_back(), make_workspace()
    make_recipient(other, email=message.address)

    assert suppress_bounced() == 1
    assert suppress_bounced() == 0

    row = Suppression.objects.get()
    assert (row.workspace, row.address, row.reason) == (message.campaign.workspace, message.address, 3)
    assert row.note == NO_SUCH
    message.recipient.refresh_from_db()
    assert message.recipient.email_suppressed
    assert not other.recipients.get().email_suppressed
    again = make_campaign(message.campaign.workspace)
    assert send_to_nobody(again) == SkipReason.SUPPRESSED


def send_to_nobody(campaign) -> int | None:
    make_recipient(campaign.workspace)
    send(campaign)
    return campaign.messages.order_by("recipient").first().skip_reason


@pytest.mark.parametrize(
    "other",
    [
        {"error": "550 blocked, see our page"},
        {"error": "552 5.2.2 mailbox full"},
        {"error": "550 5.7.1 5.1.10.3 is on a blocklist"},
        {"category": Category.REJECTED},
        {"account": "simulated 7"},
        {"status": Message.Status.PENDING},
        {"status": Message.Status.UNKNOWN},
    ],
    ids=str,
)
def test_what_may_be_something_else_stays_a_failure(other):
    message = came_back(**other)

    suppress_bounced()

    assert not is_listed(message)


def test_what_is_just_being_written_down_is_looked_at_later():
    message = came_back()
    Attempt.objects.update(at=timezone.now())

    assert suppress_bounced() == 0
    Attempt.objects.update(at=timezone.now() - timedelta(minutes=1))
    suppress_bounced()

    assert is_listed(message)


def test_what_failed_before_anybody_looked_is_left_alone():
    message = came_back()
    Bookmark.objects.all().delete()

    suppress_bounced()

    assert not is_listed(message)


def test_an_attempt_that_got_its_number_early_and_was_written_late_is_not_passed():
    early, late = came_back(), came_back()
    Attempt.objects.filter(message=early).update(at=timezone.now())

    assert suppress_bounced() == 0
    Attempt.objects.update(at=timezone.now() - timedelta(minutes=1))
    suppress_bounced()

    assert is_listed(early) and is_listed(late)


def test_an_address_that_only_replied_stop_counts_as_bounced_from_then_on():
    message = came_back()
    suppress(message.campaign.workspace, message.address, reason=Suppression.Reason.STOPPED, by=None)

    suppress_bounced()

    assert Suppression.objects.get().reason == Suppression.Reason.BOUNCED
