"""Store: messages of what is long over move into a file; the totals stay, and nothing is lost however it is killed."""

import errno
import hashlib
import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import AuditEntry
from campaigns.models import Campaign
from dispatcher import file_place, message_files, operations, shelf, store
from dispatcher.audit import findings, strays
from dispatcher.books import books_of
from dispatcher.models import Batch, Message, MessageFile
from dispatcher.restore import restore
from dispatcher.store import LeftAlone
from tests.dispatcher.filing import archive, count_of_rows, ended_long_ago, long_over, names_in, rows_of, text_in
from tests.dispatcher.outcomes import launched, sent, unknown
from tests.make import make_campaign

pytestmark = pytest.mark.django_db(transaction=True)
Status = Campaign.Status
ALL = [".sha256", ".zip"]
POINTS = {
    "file_noted": 1,
    "file_half_written": 2,
    "file_written": 1,
    "file_in_place": 1,
    "file_kept": 1,
    "rows_half_removed": 2,
    "rows_removed": 1,
}


def assert_is_stored(campaign: Campaign, place: Path) -> None:
    campaign.refresh_from_db()
    assert campaign.stored_at
    assert rows_of(campaign) == {"messages": [], "attempts": [], "calls": []}
    assert names_in(place) == ALL
    assert [*map(str, findings(campaign)), *strays()] == []


def test_the_rows_move_to_a_file_and_the_totals_stay(place, capsys):
    campaign, other = long_over(name="Spring"), long_over(days=1)
    books, kept = books_of(campaign), rows_of(other)

    archive("--older-than", 30)

    assert "25 messages moved to" in capsys.readouterr().out
    assert_is_stored(campaign, place)
    assert books_of(campaign) == books and books.sent == 20
    assert rows_of(other) == kept
    call_command("audit")


def test_the_file_can_be_read_and_checked_without_us(place):
    campaign = long_over(name="Spring")
    archive("--older-than", 30)

    (path,) = place.rglob("*.zip")
    assert path.parent.name == f"{campaign.finished_at:%Y-%m}"
    assert path.stat().st_mode & 0o077 == 0
    check = subprocess.run(["sha256sum", "--check", path.with_suffix(".sha256").name], cwd=path.parent)
    assert check.returncode == 0
    with ZipFile(path) as file:
        about = json.loads(file.read("campaign.json"))
        header, *lines = file.read("messages.tsv").decode().splitlines()
    assert about["name"] == "Spring" and about["books"]["sent"] == 20
    assert about["rows"] == {"messages": 25, "attempts": 10, "calls": 30} and len(lines) == 25
    assert "recipient_id" in header.split("\t")


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_it_can_be_run_again_and_nothing_is_lost_or_doubled(point, place, killed_at):
    campaign = long_over()
    before, books = rows_of(campaign), books_of(campaign)

    killed_at(f"{point}:{POINTS[point]}", "--older-than", 30)
    campaign.refresh_from_db()
    assert [*map(str, findings(campaign)), *strays()] == []
    archive("--older-than", 30)

    assert_is_stored(campaign, place)
    assert books_of(campaign) == books
    with file_place.held():
        restore(campaign, by=None)
    assert rows_of(campaign) == before
    assert names_in(place) == []


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (lambda campaign: Message.objects.filter(campaign=campaign, number=3).update(status=5), "the counters say"),
        (lambda campaign: Batch.objects.filter(campaign=campaign, first=3).update(due_at=Now()), "is open although"),
    ],
)
def test_what_the_auditor_is_not_content_with_is_left_alone_and_told(lie, said, place, capsys):
    campaign, good = long_over(), long_over()
    lie(campaign)
    rows = rows_of(campaign)

    with pytest.raises(SystemExit) as end:
        archive("--older-than", 30)

    assert end.value.code == 1 and said in capsys.readouterr().err
    assert rows_of(campaign) == rows
    assert_is_stored(good, place)


def test_what_is_unknown_waits_for_a_decision_unless_somebody_archived_it(place, capsys):
    campaign = ended_long_ago(launched(make_campaign(people=3)), [*sent(2), *unknown()])

    archive("--older-than", 30)
    assert "1 unknown: decide about them" in capsys.readouterr().out
    assert Message.objects.filter(campaign=campaign).count() == 3

    shelf.archive(campaign, by=None)
    archive("--older-than", 30)
    assert_is_stored(campaign, place)


def test_what_is_not_over_or_not_for_long_is_not_a_candidate(place, capsys):
    long_over(days=29)
    Campaign.objects.filter(pk=long_over().pk).update(status=Status.SENDING, finished_at=None)
    Campaign.objects.filter(pk=make_campaign(people=1).pk).update(  # cancelled before it was launched
        status=Status.CANCELLED, finished_at=timezone.now() - timezone.timedelta(days=40)
    )
    rows = count_of_rows()

    archive("--older-than", 30)

    assert "Nothing to move" in capsys.readouterr().out
    assert count_of_rows() == rows and names_in(place) == []


def test_without_days_nothing_is_moved_unless_they_are_set(place, settings):
    campaign = long_over()
    with pytest.raises(CommandError, match="KEEP_MESSAGES_DAYS"):
        archive()

    settings.KEEP_MESSAGES_DAYS = 30
    archive()

    assert_is_stored(campaign, place)


def test_a_dry_run_says_what_would_move_and_moves_nothing(place, capsys):
    campaign = long_over(name="Spring")
    Message.objects.filter(campaign=long_over(), number=3).update(status=5)
    rows = count_of_rows()

    with pytest.raises(SystemExit):
        archive("--older-than", 30, "--dry-run")

    said = capsys.readouterr()
    assert f"Spring ({campaign.pk}): 25 messages would be moved" in said.out
    assert "messages: 25 rows" in said.out and "attempts: 10 rows" in said.out and "calls: 30 rows" in said.out
    assert "the auditor is not content" in said.err
    assert count_of_rows() == rows and names_in(place) == [] and not MessageFile.objects.exists()


def while_it_is_written(monkeypatch, happens) -> None:
    """Something happens after the rows were copied and before the file is read back."""
    write = message_files.write

    def write_and_then(path, *arguments):
        rows = write(path, *arguments)
        happens(path)
        return rows

    monkeypatch.setattr(message_files, "write", write_and_then)


@pytest.mark.parametrize(
    "change",
    [
        lambda campaign: operations.retry_failed(campaign, by=None),
        lambda campaign: Message.objects.filter(campaign=campaign, number=1).update(delivery=1),
        lambda campaign: Message.objects.get(campaign=campaign, number=5).attempts.first().delete(),
    ],
    ids=["retry", "late news", "attempt"],
)
def test_what_changes_while_it_is_copied_is_left_alone(change, place, monkeypatch):
    campaign = long_over()
    while_it_is_written(monkeypatch, lambda path: change(campaign))

    with file_place.held(), pytest.raises((LeftAlone, shelf.NotOver)):
        store.store(campaign, by=None)

    campaign.refresh_from_db()
    assert campaign.stored_at is None and Message.objects.filter(campaign=campaign).count() == 25
    assert names_in(place) == [] and not MessageFile.objects.exists()


def clear_up_elsewhere(hours: int):
    """The chores of another machine, which our lock does not keep out, some hours after a file was begun."""

    def clear_up(_: object) -> None:
        MessageFile.objects.filter(kept_at=None).update(noted_at=Now() - timedelta(hours=hours))
        file_place.clear_up()

    return clear_up


@pytest.mark.parametrize("when", ["while it is written", "when it was read back", "when it is in place"])
def test_rows_stay_when_another_machine_removed_what_took_too_long_to_write(when, place, monkeypatch, capsys):
    campaign = long_over()
    rows, elsewhere = rows_of(campaign), clear_up_elsewhere(hours=2)
    month = place / f"{campaign.finished_at:%Y-%m}"
    month.mkdir()
    (month / "of-another-campaign.zip").touch()
    if when == "while it is written":
        while_it_is_written(monkeypatch, elsewhere)
    elif when == "when it was read back":
        put_in_place = file_place.put_in_place
        monkeypatch.setattr(file_place, "put_in_place", lambda *of: (elsewhere(of), put_in_place(*of)))
    else:
        at_point(monkeypatch, "file_in_place", elsewhere)

    with pytest.raises(SystemExit):
        archive("--older-than", 30)

    campaign.refresh_from_db()
    assert campaign.stored_at is None and rows_of(campaign) == rows
    assert campaign.files.count() == 0 and names_in(place) == [".zip"]


def at_point(monkeypatch, point: str, happens) -> None:
    """Something happens when a step is done, the first time."""
    left = [point]

    def crash_point(name: str) -> None:
        if name in left:
            left.remove(name)
            happens(name)

    for module in (store, file_place):
        monkeypatch.setattr(module, "crash_point", crash_point)


def test_another_machine_leaves_a_file_alone_that_was_begun_just_now(place, monkeypatch):
    campaign = long_over()
    while_it_is_written(monkeypatch, clear_up_elsewhere(hours=0))

    archive("--older-than", 30)

    assert_is_stored(campaign, place)


def test_what_another_machine_brought_back_is_not_removed_by_who_was_still_moving_it(place, monkeypatch):
    campaign = long_over()
    rows = rows_of(campaign)
    at_point(monkeypatch, "rows_half_removed", lambda _: restore(Campaign.objects.get(pk=campaign.pk), by=None))

    with file_place.held(), pytest.raises(LeftAlone, match="another machine"):
        store.store(campaign, by=None)

    assert rows_of(campaign) == rows and not MessageFile.objects.exists()


def bite(path: Path) -> None:
    """Another byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def full(path: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(("fault", "said"), [(bite, "cannot be read"), (full, "No space left on device")])
def test_rows_stay_when_the_file_cannot_be_written_or_read_back(fault, said, place, monkeypatch, capsys):
    campaign = long_over()
    rows = rows_of(campaign)
    while_it_is_written(monkeypatch, fault)

    with pytest.raises(SystemExit):
        archive("--older-than", 30)

    assert said in capsys.readouterr().err
    assert rows_of(campaign) == rows and names_in(place) == []


def test_the_rest_of_the_rows_stays_when_the_file_is_not_what_it_was(place, killed_at, capsys):
    campaign = long_over()
    killed_at("rows_half_removed", "--older-than", 30)
    (path,) = place.rglob("*.zip")
    bite(path)

    with pytest.raises(SystemExit):
        archive("--older-than", 30)

    assert "was altered" in capsys.readouterr().err
    assert Message.objects.filter(campaign=campaign).count() == 15


def test_the_audit_finds_a_file_that_is_missing_or_altered(place, capsys):
    missing, altered = long_over(), long_over()
    archive("--older-than", 30)
    (place / MessageFile.objects.get(campaign=missing).name).unlink()
    bite(place / MessageFile.objects.get(campaign=altered).name)

    with pytest.raises(SystemExit):
        call_command("audit")

    said = capsys.readouterr().err
    assert f"campaign {missing.pk}: the file of its messages" in said and "is not in" in said
    assert f"campaign {altered.pk}: the file of its messages" in said and "was altered" in said


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (lambda batches, _: batches.update(sent=0, failed=1), "20 sent, 5 failed"),
        (lambda batches, _: batches.delete(), "the books say 24 messages, the file 25"),
        (lambda _, files: files.update(messages=26), "the books say 25 messages, the file 26"),
    ],
    ids=["another end", "a batch less", "a message more"],
)
def test_the_audit_holds_the_books_against_the_file(lie, said, place, capsys):
    campaign = long_over()
    archive("--older-than", 30)
    lie(Batch.objects.filter(campaign=campaign, first=1), MessageFile.objects.filter(campaign=campaign))

    with pytest.raises(SystemExit):
        call_command("audit")

    assert said in capsys.readouterr().err


def test_an_audit_under_way_is_not_alarmed_by_a_move(place):
    campaign = long_over()
    as_the_audit_read_it = Campaign.objects.get(pk=campaign.pk)

    archive("--older-than", 30)

    assert list(findings(as_the_audit_read_it)) == []


def test_the_audit_log_tells_of_it_with_the_checksum(place):
    campaign = long_over()
    archive("--older-than", 30)

    (path,) = place.rglob("*.zip")
    entry = AuditEntry.objects.get(verb="store")
    assert (entry.about_id, entry.workspace_id) == (campaign.pk, campaign.workspace_id)
    assert entry.changes["checksum"] == [None, hashlib.sha256(path.read_bytes()).hexdigest()]
    assert campaign.history.first().reason == "25 messages moved to a file"


def test_deleting_the_campaign_removes_its_file(place):
    campaign = long_over(name="Spring")
    archive("--older-than", 30)

    shelf.delete(campaign, typed="Spring", by=None)

    assert names_in(place) == [] and not MessageFile.objects.exists()


def test_a_file_out_of_reach_is_removed_when_its_directory_is_back(place):
    campaign = long_over(name="Spring")
    archive("--older-than", 30)
    elsewhere = place.rename(place.with_name("elsewhere"))

    shelf.delete(campaign, typed="Spring", by=None)
    elsewhere.rename(place)
    archive("--older-than", 30)

    assert names_in(place) == [] and not MessageFile.objects.exists()


def test_a_file_that_lies_on_another_machine_is_not_forgotten(place, capsys):
    campaign = long_over(name="Spring")
    archive("--older-than", 30)
    elsewhere = place.rename(place.with_name("elsewhere"))
    place.mkdir()
    shelf.delete(campaign, typed="Spring", by=None)

    archive("--older-than", 30)
    assert MessageFile.objects.count() == 1 and "Files removed" not in capsys.readouterr().out

    place.rmdir()
    elsewhere.rename(place)
    archive("--older-than", 30)
    assert names_in(place) == [] and not MessageFile.objects.exists()


def test_only_the_lock_says_that_somebody_else_works_here(place):
    with pytest.raises(BlockingIOError), file_place.held():
        raise BlockingIOError("of something else")


def test_a_directory_that_is_not_there_is_refused_in_a_sentence(place):
    campaign = long_over()
    place.rmdir()

    with pytest.raises(CommandError, match="ARCHIVE_DIR names .* which is no directory"):
        archive("--older-than", 30)

    assert Message.objects.filter(campaign=campaign).count() == 25


def test_of_two_at_once_one_waits_for_another_day(place):
    long_over()
    with file_place.held(), pytest.raises(CommandError, match="Somebody else works in"):
        archive("--older-than", 30)
    assert names_in(place) == []


def test_a_table_with_a_tab_a_backslash_and_a_line_break_is_still_one_line_for_each_row(place):
    long_over()
    archive("--older-than", 30)

    attempts = [line for line in text_in(place).splitlines() if "550 no" in line]
    assert len(attempts) == 10 and len({line.count("\t") for line in attempts}) == 1
