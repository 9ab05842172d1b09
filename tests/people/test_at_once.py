"""Two who act at the same moment: no wish is lost between them, and neither fails."""

import time
from collections.abc import Callable
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from dispatcher import operations
from people import carrying, consent, imports, suppression, suppression_lists
from people.consent import How
from people.models import Group, LeftGroup, Recipient, Suppression
from people.recipients import add_recipient, change_recipient
from tests.make import make_campaign, make_group, make_member, make_recipient
from tests.people.listing import bring_in

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "ann@example.com"


def meanwhile(slow: Callable[[], object], quick: Callable[[], object]) -> None:
    """The quick one begins once the slow one has done its work, which is committed a moment later."""
    is_done, faults = Event(), []

    def work() -> None:
        try:
            with transaction.atomic():
                slow()
                is_done.set()
                time.sleep(0.3)
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)
        finally:
            is_done.set()
            connection.close()

    thread = Thread(target=work)
    thread.start()
    is_done.wait(5)
    quick()
    thread.join()
    assert faults == []


def suppress(workspace) -> None:
    suppression.suppress(workspace, ADDRESS, reason=Suppression.Reason.ADDED, by=None)


def leave(person: Recipient, group: Group) -> None:
    consent.leave_group(person, group, how=How.PREFERENCES, by=None)


def test_who_is_added_while_their_address_is_suppressed_is_suppressed(workspace):
    meanwhile(lambda: add_recipient(workspace, by=None, email=ADDRESS), lambda: suppress(workspace))

    assert workspace.recipients.get().email_suppressed


def test_who_gets_an_address_while_it_is_suppressed_is_suppressed(workspace):
    ben = make_recipient(workspace)

    meanwhile(lambda: suppress(workspace), lambda: change_recipient(ben, by=None, email=ADDRESS))

    ben.refresh_from_db()
    assert ben.email_suppressed


def test_who_is_added_while_a_list_of_suppressed_addresses_comes_in_is_suppressed(workspace):
    meanwhile(
        lambda: add_recipient(workspace, by=None, email=ADDRESS),
        lambda: suppression_lists.bring_in(workspace, ADDRESS, by=make_member(workspace)),
    )

    assert workspace.recipients.get().email_suppressed


def test_who_comes_with_a_list_while_their_address_is_suppressed_is_suppressed(workspace):
    meanwhile(lambda: bring_in(workspace, ADDRESS), lambda: suppress(workspace))

    assert workspace.recipients.get().email_suppressed


def test_who_comes_with_a_list_after_their_address_was_suppressed_is_suppressed(workspace):
    upload = imports.start_import(workspace, name="x", source=ADDRESS)

    meanwhile(lambda: suppress(workspace), lambda: carrying.carry_out(upload.pk))

    assert workspace.recipients.get().email_suppressed


def test_who_leaves_while_a_colleague_saves_them_with_the_group_is_out(workspace):
    person, group = make_recipient(workspace), make_group(workspace)

    meanwhile(lambda: change_recipient(person, by=None, groups=[group.pk]), lambda: leave(person, group))

    assert not group.recipients.exists()


def test_who_is_saved_with_a_group_while_they_leave_it_is_out(workspace):
    person, group = make_recipient(workspace), make_group(workspace)

    meanwhile(lambda: leave(person, group), lambda: change_recipient(person, by=None, groups=[group.pk]))

    assert (group.recipients.exists(), LeftGroup.objects.count()) == (False, 1)


def test_who_leaves_while_a_list_puts_them_in_is_out(workspace):
    person, group = make_recipient(workspace, email=ADDRESS), make_group(workspace)

    meanwhile(lambda: leave(person, group), lambda: bring_in(workspace, ADDRESS, groups=[group]))

    assert (group.recipients.exists(), LeftGroup.objects.count()) == (False, 1)


def test_who_leaves_a_group_while_the_import_that_brought_them_is_undone_stays(workspace):
    upload, group = bring_in(workspace, ADDRESS), make_group(workspace)
    imports.undo(upload, by=None)

    meanwhile(lambda: leave(workspace.recipients.get(), group), lambda: carrying.carry_out(upload.pk))

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.kept, LeftGroup.objects.count()) == ("undone", 1, 1)


def test_who_leaves_a_group_after_the_import_that_brought_them_was_undone_is_gone(workspace):
    upload, group = bring_in(workspace, ADDRESS), make_group(workspace)
    person = workspace.recipients.get()
    imports.undo(upload, by=None)

    meanwhile(lambda: carrying.carry_out(upload.pk), lambda: leave(person, group))

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.removed, LeftGroup.objects.count()) == ("undone", 1, 0)


def test_a_campaign_launched_after_an_import_was_undone_writes_to_nobody_it_took_back(workspace):
    make_recipient(workspace, email="ben@example.com")
    upload, campaign = bring_in(workspace, ADDRESS), make_campaign(workspace)
    imports.undo(upload, by=None)

    meanwhile(lambda: carrying.carry_out(upload.pk), lambda: operations.launch(campaign, by=None))

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.removed) == ("undone", 1)
    assert [*campaign.messages.values_list("address", flat=True)] == ["ben@example.com"]
