"""The suppression list as admins keep it: looked through, added to, taken off, brought in and handed out."""

import csv
import io
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role
from dispatcher import clock, operations
from dispatcher.models import SkipReason
from people import jobs, list_looks, suppression
from people.agreement import disagreements
from people.models import ListLook, Recipient, Suppression
from people.suppression import digest_of
from tests.dispatcher.sending import work_off
from tests.make import logged_in, make_campaign, make_recipient, make_recipients, make_workspace
from tests.people.suppressed import is_suppressed

Reason = Suppression.Reason


@pytest.fixture
def client(workspace):
    return logged_in(workspace, Role.ADMIN)


def page(answer) -> str:
    return answer.content.decode()


def listed(workspace) -> set[str]:
    return set(workspace.suppressions.values_list("address", flat=True))


def downloaded(client) -> str:
    answer = client.get(reverse("suppression-download"))

    async def whole() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(whole)().decode()


def test_an_address_is_added_found_by_the_whole_of_it_and_taken_off(client, workspace):
    person = make_recipient(workspace, email="grace@example.com")
    client.post(reverse("suppress"), {"address": " Grace@Example.com ", "note": "asked by letter"})
    person.refresh_from_db()
    assert person.email_suppressed
    row = workspace.suppressions.get()

    assert "asked by letter" in page(client.get(reverse("suppression"), {"q": "GRACE@example.com"}))
    assert "Not on the list" in page(client.get(reverse("suppression"), {"q": "ann@example.com"}))
    assert "That is no address" in page(client.get(reverse("suppression"), {"q": "grace"}))

    assert "Take grace@example.com off the list?" in page(client.get(reverse("release", args=[row.pk])))
    client.post(reverse("release", args=[row.pk]))
    person.refresh_from_db()
    assert (person.email_suppressed, listed(workspace)) == (False, set())


def test_what_is_no_address_is_refused_with_a_sentence(client, workspace):
    answer = client.post(reverse("suppress"), {"address": "0712 345 678"})

    assert answer.status_code == 422
    assert "has no country code" in page(answer)
    assert listed(workspace) == set()


def test_an_erased_address_is_taken_off_only_by_who_knows_it(client, workspace):
    suppression.suppress(workspace, "grace@example.com", reason=Reason.ERASED, by=None)
    row = workspace.suppressions.get()
    assert "its owner was erased" in page(client.get(reverse("suppression")))

    wrong = client.post(reverse("release", args=[row.pk]), {"address": "ann@example.com"})
    assert (wrong.status_code, workspace.suppressions.count()) == (422, 1)
    assert client.post(reverse("release", args=[row.pk])).status_code == 422

    client.post(reverse("release", args=[row.pk]), {"address": "grace@example.com"})
    assert workspace.suppressions.count() == 0


def test_a_list_is_brought_in_with_a_verdict_on_every_line(client, workspace):
    people = [make_recipient(workspace, email=f"p{n}@example.com", phone=f"+25471234567{n}") for n in range(3)]
    suppression.suppress(workspace, "known@example.com", reason=Reason.BOUNCED, by=None)
    text = "\n".join([
        "Email", "P0@example.com", "p0@EXAMPLE.com", "known@example.com", "", "'+254 712 345 671",
        digest_of("p2@example.com").hex(), "no address", "0712 345 678;;",
    ])  # fmt: skip

    answer = client.post(reverse("suppression-import"), {"text": text})

    brought = answer.context["brought"]
    assert (brought.added, brought.known, [line.number for line in brought.refused]) == (3, 2, [8, 9])
    assert brought.lines == 7
    flags = Recipient.objects.filter(pk__in=[each.pk for each in people]).order_by("pk")
    states = list(flags.values_list("email_suppressed", "phone_suppressed"))
    assert states == [(True, False), (False, True), (True, False)]
    assert "has no country code" in page(answer)


def test_many_people_are_compared_with_digests_in_ranges_and_none_is_written_to_meanwhile(
    client, workspace, monkeypatch
):
    monkeypatch.setattr(list_looks, "RANGE", 2)
    people = make_recipients(workspace, 5)
    campaign = make_campaign(workspace)
    operations.launch(campaign, by=None)
    text = "\n".join(digest_of(person.email).hex() for person in people)

    answer = client.post(reverse("suppression-import"), {"text": text})
    assert "are being compared" in page(answer) and list(disagreements()) == []
    assert workspace.recipients.filter(email_suppressed=True).count() == 2
    work_off(campaign)
    reasons = campaign.messages.order_by("recipient").values_list("skip_reason", flat=True)
    assert list(reasons) == [SkipReason.SUPPRESSED] * 5

    ListLook.objects.update(moved_at=timezone.now() - timedelta(minutes=1))
    clock.ring_to_look()
    jobs.look_at_people()
    assert workspace.recipients.filter(email_suppressed=True).count() == 5
    assert not ListLook.objects.exists()


def test_a_list_of_another_workspace_leaves_the_people_of_this_one_alone(workspace):
    ours = make_recipient(workspace, email="grace@example.com")
    other = make_workspace()

    logged_in(other, Role.ADMIN).post(reverse("suppression-import"), {"text": "grace@example.com"})

    ours.refresh_from_db()
    assert not ours.email_suppressed
    assert not is_suppressed(workspace, "grace@example.com")


def test_what_is_downloaded_comes_back_and_runs_nothing_in_a_spreadsheet(client, workspace):
    suppression.suppress(workspace, "gone@example.com", reason=Reason.ERASED, by=None)
    suppression.suppress(workspace, "+254712345678", reason=Reason.COMPLAINED, by=None)
    suppression.suppress(workspace, "-x@example.com", reason=Reason.ADDED, by=None, note="=1+1")

    text = downloaded(client)
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell] == []
    assert "gone@example.com" not in text
    assert AuditEntry.objects.filter(verb="export_suppressions").exists()

    other = make_workspace()
    logged_in(other, Role.ADMIN).post(reverse("suppression-import"), {"text": text})
    assert set(other.suppressions.values_list("digest", flat=True)) == set(
        workspace.suppressions.values_list("digest", flat=True)
    )


def test_a_long_list_is_turned_over(client, workspace):
    for n in range(51):
        suppression.suppress(workspace, f"p{n}@example.com", reason=Reason.ADDED, by=None)

    first = client.get(reverse("suppression")).context
    second = client.get(reverse("suppression"), {"before": first["following"]}).context

    assert (len(first["rows"]), len(second["rows"]), second["following"]) == (50, 1, None)


def test_a_list_that_is_too_long_changes_nothing(client, workspace, monkeypatch):
    monkeypatch.setattr("people.suppression_lists.MOST_LINES", 2)

    answer = client.post(reverse("suppression-import"), {"text": "a@example.com\nb@example.com\nc@example.com"})

    assert answer.status_code == 422
    assert "bring it in in parts" in page(answer)
    assert listed(workspace) == set()
