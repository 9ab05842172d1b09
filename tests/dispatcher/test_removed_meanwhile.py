"""Somebody of the audience is removed in the very moment in which a campaign is launched: both succeed."""

from collections.abc import Callable
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from dispatcher import operations
from dispatcher.books import books_of
from dispatcher.erase import erase
from dispatcher.models import Message
from people import imports
from people.models import Recipient
from tests.dispatcher.sending import wrong_with_the_books
from tests.make import make_campaign, make_workspace
from tests.people.listing import bring_in, carry_on

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_thread(work: Callable[[], object], faults: list[Exception]) -> Thread:
    def run() -> None:
        try:
            work()
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def while_it_is_launched(remove: Callable[[], object]) -> Message:
    """The message of the one person who is removed, once both are over."""
    campaign, frozen, removed, faults = make_campaign(Recipient.objects.get().workspace), Event(), Event(), []

    def launch() -> None:
        with transaction.atomic():
            operations.launch(campaign, by=None)
            frozen.set()
            removed.wait(0.5)  # it is not before we are over

    launcher = in_a_thread(launch, faults)
    assert frozen.wait(10)
    remover = in_a_thread(lambda: (remove(), removed.set()), faults)
    launcher.join(), remover.join()
    assert faults == []
    campaign.refresh_from_db()
    assert (campaign.get_status_display(), books_of(campaign).total) == ("sending", 1)
    assert wrong_with_the_books(campaign) == []
    return campaign.messages.get()


def test_who_is_erased_in_that_moment_is_erased_and_their_message_tells_nothing(provider):
    bring_in(make_workspace(), "email\nann@example.com\n")

    message = while_it_is_launched(lambda: erase(Recipient.objects.get(), by=None))

    assert (message.recipient, message.address) == (None, None)
    assert not Recipient.objects.exists()


def test_who_would_go_with_an_undone_import_stays_as_they_are_written_to(provider):
    upload = bring_in(make_workspace(), "email\nann@example.com\n")
    imports.undo(upload, by=None)

    message = while_it_is_launched(lambda: carry_on(upload))

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.removed, upload.kept) == ("undone", 0, 1)
    assert message.recipient == Recipient.objects.get()


def test_who_is_erased_first_is_no_part_of_the_audience(provider):
    """The launch looked at them before, and waits for the end of the erasing."""
    workspace, faults = make_workspace(), []
    bring_in(workspace, "email\nann@example.com\nbob@example.com\n")
    campaign, ann = make_campaign(workspace), Recipient.objects.get(email="ann@example.com")

    with transaction.atomic():
        erase(ann, by=None)
        launcher = in_a_thread(lambda: operations.launch(campaign, by=None), faults)
        launcher.join(0.5)
    launcher.join()

    assert faults == []
    assert [*campaign.messages.values_list("address", flat=True)] == ["bob@example.com"]
