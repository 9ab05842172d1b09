"""Pages of a campaign whose messages are in a file: the numbers stay, and whatever is not there is said to be so."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.urls import reverse

from accounts.models import Role
from campaigns.models import Campaign
from dispatcher import dismissals, file_place, ledger, operations, store
from dispatcher.attention import attention_of
from dispatcher.books import books_of
from dispatcher.dead_letters import letters_of, page_of, troubled
from dispatcher.doctor import files, machine
from dispatcher.doctor.finding import Note, Problem
from dispatcher.models import Category, Message, MessageFile
from tests.dispatcher.filing import ended_long_ago, names_in
from tests.dispatcher.outcomes import failed, launched, sent, unknown
from tests.make import logged_in, make_campaign, make_recipient, make_user, make_workspace

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def client(workspace):
    return logged_in(workspace, Role.ADMIN)


@pytest.fixture
def campaign(workspace, place) -> Campaign:
    """Stored, with one of each kind that pages offer to show or to do something about."""
    make_recipient(workspace, opted_out=True)
    campaign = launched(make_campaign(workspace, people=4, name="Spring"))
    campaign = ended_long_ago(campaign, [*sent(), *failed(Category.TIMEOUT), *failed(Category.BOUNCED), *unknown()])
    Campaign.objects.filter(pk=campaign.pk).update(archived_at=campaign.finished_at)  # nobody decides any more
    campaign.refresh_from_db()
    with file_place.held():
        store.store(campaign, by=None)
    campaign.refresh_from_db()
    assert campaign.stored_at
    return campaign


def test_the_page_shows_the_numbers_and_says_where_the_people_are(client, campaign):
    html = client.get(reverse("campaign", args=[campaign.pk])).content.decode()

    assert "the books balance" in html and "<b>5</b> people" in html
    assert "The messages of this campaign were moved to a file at" in html
    assert "5 messages moved to a file" in html  # in its history
    for gone in ("?cause=", "?reason=", "?status=", 'id="people-search"', "/messages/1/", "for a decision"):
        assert gone not in html
    for verb in ("retry_failed", "send_again", "assume_delivered"):
        assert f'id="{verb}"' not in html


@pytest.mark.parametrize("query", ["", "?status=sent", "?q=First", "?cause=timeout&page=2"])
def test_the_list_of_people_says_it_whatever_is_asked_for(query, client, campaign):
    html = client.get(reverse("campaign-people", args=[campaign.pk]) + query).content.decode()
    assert "Moved to a file" in html and "<table" not in html


@pytest.mark.django_db(transaction=True)
def test_nobody_is_shown_the_half_that_is_still_there(client, workspace, place, killed_at):
    campaign = ended_long_ago(launched(make_campaign(workspace, people=25)), sent(25))
    killed_at("rows_half_removed", "--older-than", 30)
    assert Message.objects.filter(campaign=campaign).count() == 15
    address = str(Message.objects.get(campaign=campaign, number=20).address)

    for page in (reverse("campaign-people", args=[campaign.pk]), reverse("message", args=[campaign.pk, 20])):
        html = client.get(page).content.decode()
        assert "Moved to a file" in html and address not in html
    assert ledger.page_of(Campaign.objects.get(pk=campaign.pk), books_of(campaign), ledger.Filter()).rows == []


def test_the_page_of_a_message_is_gone_with_the_reason(client, campaign):
    answer = client.get(reverse("message", args=[campaign.pk, 1]))
    assert answer.status_code == 410
    assert "no-store" in answer["Cache-Control"]  # brought back, it is there again
    assert "The messages of this campaign were moved to a file" in answer.content.decode()


@pytest.mark.parametrize("verb", [operations.retry_failed, operations.send_again, operations.assume_delivered])
def test_nothing_of_it_is_tried_again_or_decided_and_the_refusal_says_why(verb, client, campaign):
    books = books_of(campaign)

    with pytest.raises(operations.Stored, match="moved to a file; they have to be brought back first"):
        verb(campaign, by=None)
    client.post(reverse(verb.__name__, args=[campaign.pk]))

    campaign.refresh_from_db()
    assert campaign.status == Status.SENT and books_of(campaign) == books


def test_its_failures_are_no_dead_letters_that_wait_for_anybody(client, workspace, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(archived_at=None)
    campaign.refresh_from_db()

    assert attention_of(workspace).count == 0 and troubled(workspace) == {}
    html = client.get(reverse("dead-letters-of", args=[campaign.pk])).content.decode()
    assert "Its messages were moved to a file" in html and "Retry" not in html
    (letters,) = letters_of([campaign], {campaign.pk: books_of(campaign)})
    assert page_of(letters, None).rows == []
    assert dismissals.dismiss(campaign, by=None) == 2


def test_the_admin_names_the_file_and_refuses_a_retry(client, campaign):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    file = MessageFile.objects.get()

    html = client.get(f"/admin/campaigns/campaign/{campaign.pk}/change/").content.decode()
    assert f"messages in the file {file.name}" in html
    chosen = {"action": "retry_failed", "_selected_action": [campaign.pk]}
    answer = client.post("/admin/campaigns/campaign/", chosen, follow=True).content.decode()
    assert "they have to be brought back first" in answer
    assert file.name in client.get("/admin/dispatcher/messagefile/").content.decode()


def test_the_doctor_misses_the_directory_and_a_file(campaign, place):
    assert list(files.are_in_place()) == []

    path = next(place.rglob("*.zip"))
    path.unlink()
    (problem,) = files.are_in_place()
    assert isinstance(problem, Problem) and f"moved to {MessageFile.objects.get()}, which is not in" in problem.sentence

    place.rename(place.with_name("elsewhere"))
    (problem,) = files.are_in_place()
    assert isinstance(problem, Problem) and "which is no directory" in problem.sentence


def test_the_doctor_says_that_the_directory_cannot_be_written_or_that_its_disk_is_full(campaign, settings, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *asked: False)
    (problem,) = files.are_in_place()
    assert isinstance(problem, Problem) and "in which this user may not write" in problem.sentence

    settings.ARCHIVE_DIR = Path("/dev")  # a disk of its own on every machine
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0 if path == Path("/dev") else 2**40))
    (problem,) = machine.has_room()
    assert problem.sentence == "The disk of /dev is full: 0 MB are left."


def test_the_doctor_tells_of_what_was_begun_long_ago_and_not_ended(campaign):
    MessageFile.objects.update(moved_at=None, kept_at=campaign.finished_at)

    (note,) = files.are_in_place()

    assert isinstance(note, Note) and "when it was stopped" in note.sentence


def test_the_doctor_is_silent_where_nothing_is_stored(settings, tmp_path, db):
    settings.ARCHIVE_DIR = tmp_path / "nowhere"
    assert list(files.are_in_place()) == []
    settings.KEEP_MESSAGES_DAYS = 30
    (problem,) = files.are_in_place()
    assert "which is no directory" in problem.sentence


@pytest.mark.django_db(transaction=True)  # the audit log is linked at the commit
def test_the_audit_is_content_with_it(campaign, place, capsys):
    call_command("audit")
    assert "5 = 0 pending + 1 sent + 2 failed + 1 skipped + 0 cancelled + 1 unknown" in capsys.readouterr().out
    assert names_in(place) == [".sha256", ".zip"]
