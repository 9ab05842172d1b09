"""Restore: the messages come back from their file word for word, all or none, however it is killed."""

from zipfile import ZipFile

import pytest
from django.core.management import CommandError
from django.db.models.functions import Now

from accounts.models import AuditEntry
from campaigns.models import Campaign
from dispatcher import file_place, message_files, operations
from dispatcher import restore as restoring
from dispatcher.audit import findings, strays
from dispatcher.models import Message, MessageFile
from dispatcher.store import LeftAlone
from people.models import Recipient
from tests.dispatcher.filing import archive, long_over, names_in, rows_of
from tests.make import make_campaign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign(place) -> Campaign:
    return long_over(name="Spring")


def stored(campaign: Campaign) -> dict[str, list[str]]:
    """Move its messages into a file; the rows as they were before."""
    before = rows_of(campaign)
    archive("--older-than", 30)
    campaign.refresh_from_db()
    assert campaign.stored_at
    return before


def test_every_row_comes_back_as_it_was_and_the_file_goes(campaign, place, capsys):
    before = stored(campaign)

    archive("--restore", campaign.pk)

    campaign.refresh_from_db()
    assert "25 messages are back in the tables" in capsys.readouterr().out
    assert rows_of(campaign) == before and campaign.stored_at is None
    assert names_in(place) == [] and not MessageFile.objects.exists()
    assert AuditEntry.objects.latest("pk").verb == "restore"
    assert [*findings(campaign), *strays()] == []
    assert operations.retry_failed(campaign, by=None) == 5


@pytest.mark.parametrize(("point", "is_stored"), [("rows_loaded", True), ("file_dropped", False)])
def test_killed_while_it_comes_back_it_is_whole_in_the_file_or_in_the_tables(
    point, is_stored, campaign, place, killed_at
):
    before = stored(campaign)

    killed_at(point, "--restore", campaign.pk)

    campaign.refresh_from_db()
    assert bool(campaign.stored_at) == is_stored
    assert rows_of(campaign)["messages"] == ([] if is_stored else before["messages"])
    assert [*map(str, findings(campaign)), *strays()] == []
    archive("--restore", campaign.pk) if is_stored else archive("--older-than", 99)
    assert rows_of(campaign) == before and names_in(place) == []


def test_a_file_that_another_machine_wrote_anew_meanwhile_is_not_loaded(campaign, place):
    stored(campaign)
    file = MessageFile.objects.get()
    MessageFile.objects.filter(pk=file.pk).update(dropped_at=Now())

    with pytest.raises(LeftAlone, match="another machine"):
        restoring.load(file, campaign, by=None)

    campaign.refresh_from_db()
    assert campaign.stored_at and not Message.objects.exists()


def test_what_was_half_moved_comes_back_too(campaign, place, killed_at):
    before = rows_of(campaign)
    killed_at("rows_half_removed", "--older-than", 30)

    archive("--restore", campaign.pk)

    assert rows_of(campaign) == before and names_in(place) == []


def test_the_message_of_a_person_who_was_deleted_comes_back_without_the_person(campaign, place):
    stored(campaign)
    Recipient.objects.filter(workspace=campaign.workspace, email__startswith="person").first().delete()

    archive("--restore", campaign.pk)

    assert Message.objects.filter(campaign=campaign).count() == 25
    assert Message.objects.filter(campaign=campaign, recipient=None).count() == 1


def altered(file: MessageFile) -> None:
    with file_place.path_of(file).open("r+b") as content:
        content.write(b"X")


def with_another_status(file: MessageFile) -> None:
    """A file that was made by somebody else, with a checksum that fits: one who was failed is called sent."""
    path, other = file_place.path_of(file), file_place.path_of(file).with_suffix(".new")

    def change(part: str, places: dict[str, int], fields: list[bytes]) -> None:
        if part == "messages" and fields[places["status"]] == b"3":
            fields[places["status"]] = b"2"

    message_files.rewrite(path, other, change)
    other.replace(path)
    MessageFile.objects.filter(pk=file.pk).update(checksum=message_files.read_back(path).checksum)


def with_a_row_less(file: MessageFile) -> None:
    MessageFile.objects.filter(pk=file.pk).update(messages=file.messages + 1)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (altered, "was altered"),
        (lambda file: file_place.path_of(file).unlink(), "is not in"),
        (with_another_status, "the auditor would not be content"),
        (with_a_row_less, "holds 25 messages in place of 26"),
    ],
)
def test_nothing_comes_back_from_a_file_that_is_not_right(lie, said, campaign, place, capsys):
    stored(campaign)
    lie(MessageFile.objects.get())

    with pytest.raises(SystemExit):
        archive("--restore", campaign.pk)

    campaign.refresh_from_db()
    assert said in capsys.readouterr().err
    assert campaign.stored_at and not Message.objects.exists()


def test_what_is_in_the_tables_or_does_not_exist_is_not_brought_back(campaign, place, capsys):
    with pytest.raises(SystemExit):
        archive("--restore", make_campaign().pk)
    assert "its messages are not in a file" in capsys.readouterr().err

    with pytest.raises(CommandError, match="There is no campaign 987654"):
        archive("--restore", 987654)


def test_columns_that_this_version_does_not_know_are_refused(campaign, place):
    stored(campaign)
    path = file_place.path_of(MessageFile.objects.get())
    with ZipFile(path.with_suffix(".new"), "w") as file:
        file.writestr("messages.tsv", "id\tcolour\n1\tred\n")

    with pytest.raises(message_files.Damaged, match="does not know: \\['colour'\\]"):
        message_files.read_back(path.with_suffix(".new"))
