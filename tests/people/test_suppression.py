"""A suppressed address is written to no more, whoever it belongs to and whenever they came."""

import pytest

from dispatcher import operations
from dispatcher.books import books_of
from dispatcher.models import SkipReason
from people import consent, list_looks, suppression
from people.channels import Channel
from people.consent import How
from people.models import Recipient, Suppression, SuppressionKey
from people.recipients import Erased, add_recipient, change_recipient
from tests.make import make_campaign, make_recipient, make_workspace

pytestmark = pytest.mark.django_db
Reason = Suppression.Reason


def test_the_digest_is_the_same_in_python_and_in_the_database():
    workspace = make_workspace()
    people = [make_recipient(workspace, email=email) for email in ("Ann@Example.com", "ü@xn--bcher-kva.example")]
    for person in people:
        Suppression.objects.create(
            workspace=workspace, digest=suppression.digest_of(person.email), reason=Reason.IMPORTED
        )

    assert not list_looks.begin(workspace)

    assert Recipient.objects.filter(email_suppressed=True, phone_suppressed=False).count() == 2


def test_an_address_on_the_list_is_skipped_with_the_reason():
    campaign = make_campaign(people=1)
    person = make_recipient(campaign.workspace, email="ann@example.com")

    suppression.suppress(campaign.workspace, "ann@example.com", reason=Reason.BOUNCED, by=None)
    operations.launch(campaign, by=None)

    assert books_of(campaign).skipped_by[SkipReason.SUPPRESSED - 1] == 1
    person.refresh_from_db()
    assert (person.email_suppressed, person.phone_suppressed) == (True, False)


def test_whoever_takes_a_suppressed_address_later_is_suppressed_and_free_again_without_it():
    workspace = make_workspace()
    suppression.suppress(workspace, "+254712345678", reason=Reason.ADDED, by=None)

    person = add_recipient(workspace, by=None, phone="+254 712 345678")
    assert person.phone_suppressed
    change_recipient(person, by=None, phone="+254711111111")
    assert not person.phone_suppressed
    change_recipient(person, by=None, phone="+254712345678")
    assert suppression.release(workspace, "+254712345678", by=None)
    person.refresh_from_db()
    assert not person.phone_suppressed


@pytest.mark.parametrize(
    ("channel", "change", "left_behind"),
    [
        (None, {"email": "new@example.com", "phone": "+254711111111"}, {"ann@example.com", "+254712345678"}),
        (Channel.EMAIL, {"email": "new@example.com", "phone": "+254711111111"}, {"ann@example.com"}),
        (Channel.WHATSAPP, {"phone": ""}, {"+254712345678"}),
        (Channel.EMAIL, {"email": "ANN@example.com"}, set()),
    ],
)
def test_an_address_that_somebody_who_refuses_messages_leaves_behind_stays_closed(channel, change, left_behind):
    ann = make_recipient(make_workspace(), email="ann@example.com", phone="+254712345678")
    consent.opt_out(ann, channel=channel, how=How.REPLY, by=None)

    change_recipient(ann, by=None, **change)

    assert set(ann.workspace.suppressions.values_list("address", flat=True)) == left_behind
    assert all(row.reason == Reason.OPTED_OUT for row in ann.workspace.suppressions.all())


def test_an_address_that_is_left_behind_without_a_wish_is_free():
    ann = make_recipient(make_workspace())

    change_recipient(ann, by=None, email="new@example.com", phone="")

    assert not Suppression.objects.exists()


@pytest.mark.parametrize("reason", [Reason.ADDED, Reason.IMPORTED, Reason.BOUNCED, Reason.ERASED])
def test_what_others_say_of_an_address_holds_beside_what_its_owner_replied(reason):
    workspace = make_workspace()
    suppression.suppress(workspace, "+254712345678", reason=Reason.STOPPED, by=None)

    assert not suppression.suppress(workspace, "+254712345678", reason=reason, by=None, note="why")
    assert not suppression.suppress(workspace, "+254712345678", reason=Reason.STOPPED, by=None)

    row = Suppression.objects.get()
    assert (row.reason, row.note, row.address) == (reason, "why", "" if reason == Reason.ERASED else "+254712345678")


def test_with_another_key_nothing_is_looked_up_and_nothing_forgotten(settings):
    person = make_recipient(make_workspace(), email="ann@example.com")
    workspace = person.workspace
    suppression.suppress(workspace, "ann@example.com", reason=Reason.BOUNCED, by=None)
    settings.SUPPRESSION_KEY = "another"

    for attempt in (
        lambda: suppression.look_at([person.pk]),
        lambda: suppression.suppress(workspace, "ben@example.com", reason=Reason.ADDED, by=None),
        lambda: suppression.release(workspace, "ann@example.com", by=None),
        lambda: add_recipient(workspace, by=None, email="ben@example.com"),
    ):
        with pytest.raises(suppression.WrongKey, match="SUPPRESSION_KEY"):
            attempt()

    person.refresh_from_db()
    assert person.email_suppressed
    assert (SuppressionKey.objects.count(), Suppression.objects.count()) == (1, 1)


def test_an_erased_address_is_not_kept_and_comes_back_only_after_it_is_released():
    workspace, other = make_workspace(), make_workspace()
    suppression.suppress(workspace, "ann@example.com", reason=Reason.COMPLAINED, by=None)
    suppression.suppress(workspace, "ann@example.com", reason=Reason.ERASED, by=None)

    assert Suppression.objects.get().address == ""
    with pytest.raises(Erased):
        add_recipient(workspace, by=None, email="ANN@example.com")
    assert add_recipient(other, by=None, email="ann@example.com")

    suppression.release(workspace, "ann@example.com", by=None)
    assert add_recipient(workspace, by=None, email="ann@example.com")
