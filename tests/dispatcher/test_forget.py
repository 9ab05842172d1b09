"""Forget: an erased person leaves the files too; what became of the message stays, and so do all others."""

import pytest
from django.core.management.base import CommandError
from django.db.models.functions import Now

from accounts.models import AuditEntry
from campaigns.models import Campaign
from dispatcher import file_place, message_files
from dispatcher import forget as forgetting
from dispatcher.audit import findings, strays
from dispatcher.erase import erase
from dispatcher.forget import BLANK, files
from dispatcher.message_files import PARTS
from dispatcher.models import Message, MessageFile
from people.models import Recipient
from people.recipients import Erased, add_recipient, change_recipient
from tests.dispatcher.filing import archive, long_over, names_in, text_in
from tests.make import make_recipient, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "grace.hopper@example.com"


@pytest.fixture
def campaign(place) -> Campaign:
    """Stored; the person to forget is the fifth, whose message failed."""
    workspace = make_workspace()
    for _ in range(4):
        make_recipient(workspace)
    make_recipient(workspace, first_name="Grace", email=WHO)
    campaign = long_over(workspace, people=20, name="Spring", body="Dear {first_name}")
    assert Message.objects.get(address=WHO).number == 5
    archive("--older-than", 30)
    campaign.refresh_from_db()
    assert "Grace" in text_in(place) and text_in(place).count(WHO) >= 5
    return campaign


@pytest.fixture
def person(campaign) -> int:
    """The number of the person to forget; the row is gone."""
    grace = Recipient.objects.get(email=WHO)
    pk = grace.pk
    grace.delete()
    return pk


def test_nothing_in_the_files_tells_of_the_person_any_more_and_the_others_stay(campaign, person, place, capsys):
    before = text_in(place).splitlines()

    archive("--forget", person)

    assert "1 message in the files tells nothing any more" in capsys.readouterr().out
    after = text_in(place)
    assert "Grace" not in after and WHO not in after
    changed = [line for line in before if line not in after.splitlines()]
    assert len(changed) == 1 + 2 + 2  # the message, its attempts, its calls
    assert names_in(place) == [".sha256", ".zip"]
    assert [*map(str, findings(campaign)), *strays()] == []
    entry = AuditEntry.objects.latest("pk")
    assert entry.verb == "forget" and WHO not in str(entry.changes) and "Grace" not in str(entry.changes)


def test_an_address_that_only_a_file_tells_does_not_come_back(campaign, place):
    grace = Recipient.objects.get(email=WHO)
    change_recipient(grace, by=None, email="new@example.com")
    erase(grace, by=None)

    archive("--forget", grace.pk)

    with pytest.raises(Erased):
        add_recipient(campaign.workspace, by=None, email=WHO)
    assert WHO not in text_in(place)


def test_what_was_forgotten_comes_back_as_a_message_to_nobody(campaign, person, place):
    archive("--forget", person)

    archive("--restore", campaign.pk)

    campaign.refresh_from_db()
    message = Message.objects.get(campaign=campaign, number=5)
    assert (message.recipient, message.address, message.fields, message.last_error) == (None, None, {}, "")
    assert message.status == Message.Status.FAILED and message.attempts.count() == 2
    assert [*map(str, findings(campaign)), *strays()] == []


@pytest.mark.parametrize("point", ["file_noted", "file_written", "file_in_place", "file_dropped"])
def test_killed_at_any_point_it_can_be_run_again_and_one_file_is_left(point, campaign, person, place, killed_at):
    killed_at(point, "--forget", person)
    campaign.refresh_from_db()
    assert [*map(str, findings(campaign)), *strays()] == []

    archive("--forget", person)

    assert WHO not in text_in(place)
    assert names_in(place) == [".sha256", ".zip"] and MessageFile.objects.count() == 1
    assert [*map(str, findings(campaign)), *strays()] == []


@pytest.mark.parametrize("whose", ["old", "new"])
def test_a_file_that_another_machine_removed_meanwhile_is_not_replaced(
    whose, campaign, person, place, monkeypatch, capsys
):
    read_back, old = message_files.read_back, MessageFile.objects.get()

    def removed_meanwhile(path):
        held, file = read_back(path), MessageFile.objects.get(kept_at__isnull=whose == "new")
        MessageFile.objects.filter(pk=file.pk).update(dropped_at=Now())
        return held

    monkeypatch.setattr(message_files, "read_back", removed_meanwhile)

    with pytest.raises(SystemExit):
        archive("--forget", person)

    assert "another machine" in capsys.readouterr().err
    assert list(files()) == ([] if whose == "old" else [old])
    assert WHO in text_in(place)


def test_files_without_the_person_stay_as_they_are(campaign, person, place):
    file = MessageFile.objects.get()
    archive("--forget", person + 10_000)

    assert MessageFile.objects.get() == file and file_place.wrong_with(file) == ""


def test_nobody_who_is_still_here_is_forgotten(campaign, place):
    living = Recipient.objects.get(email=WHO).pk

    with pytest.raises(CommandError, match=f"Not erased: {living}. Erase them"):
        archive("--forget", living)

    assert WHO in text_in(place)


def test_a_file_that_was_altered_is_not_written_anew(campaign, person, place, capsys):
    file_place.path_of(MessageFile.objects.get()).write_bytes(b"nothing")

    with pytest.raises(SystemExit):
        archive("--forget", person)

    assert "was altered" in capsys.readouterr().err


@pytest.mark.parametrize("parts", [(PARTS[0], PARTS[2], PARTS[1]), PARTS[:2]], ids=["calls first", "one less"])
def test_in_another_order_of_the_parts_nobody_is_said_to_be_forgotten(
    parts, campaign, person, place, monkeypatch, capsys
):
    monkeypatch.setattr(forgetting, "PARTS", parts)

    with pytest.raises(SystemExit):
        archive("--forget", person)

    assert "another order" in capsys.readouterr().err and WHO in text_in(place)
    assert MessageFile.objects.count() == 1


def test_every_column_that_can_tell_of_a_person_is_thought_of():
    harmless = {
        "messages": "id campaign_id number key variant status tries retry_count in_doubt_since doubt_of_old_key "
        "gives_up_at category skip_reason assumed delivery created_at updated_at sent_at",
        "attempts": "id message_id key outcome category at",
        "calls": "id key honours_key accepted category provider_id channel at",
    }
    for part in PARTS:
        assert set(part.columns) == {*harmless[part.name].split(), *BLANK[part.name]}
