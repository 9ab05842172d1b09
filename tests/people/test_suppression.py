"""A suppressed address is written to no more, whoever it belongs to and whenever they came."""

import pytest

from dispatcher import operations
from dispatcher.books import books_of
from dispatcher.models import SkipReason
from people import suppression
from people.models import Recipient, Suppression
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

    suppression.look_at_everybody(workspace)

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
