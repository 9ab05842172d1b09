"""The list of people as a file: harmless in a spreadsheet, and read back by our own import exactly as it was."""

import csv
from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Role
from people import export
from people.channels import Channel
from people.consent import How
from people.models import ConsentEvent, Recipient
from people.sheet import text_of
from tests.make import logged_in, make_group, make_recipient, make_recipients, make_workspace
from tests.people.listing import bring_in, words

pytestmark = pytest.mark.django_db(transaction=True)
NASTY = ["=1+1", "-2", "@x", "'=x", '"quoted"', "a;b,c", "+49 30 1234567", "O'Neill", "Zoë 李"]


def download(client: Client, **query) -> bytes:
    async def all_of(answer) -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    answer = client.get(reverse("export"), query)
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].startswith("attachment")
    return async_to_sync(all_of)(answer)


def rows_in(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(raw.decode("utf-8-sig"), newline="")))


def as_stored() -> list[dict]:
    return list(Recipient.objects.order_by("pk").values())


@pytest.fixture
def marketer(workspace) -> Client:
    return logged_in(workspace, Role.MARKETER)


def test_an_exported_list_that_is_imported_again_changes_nothing(marketer, workspace):
    workspace.attribute_names.create(name="badge")
    workspace.attribute_names.create(name="visits")
    for word in NASTY:
        make_recipient(
            workspace, first_name=word, last_name=word, location=word, attributes={"badge": word, "visits": 3}
        )
    make_recipient(workspace, email="", opted_out=True)
    make_recipient(workspace, phone="", refused_channels=[Channel.EMAIL, Channel.WHATSAPP])
    before = as_stored()

    upload = bring_in(workspace, text_of(download(marketer)))

    assert words(upload) == ["unchanged"] * (len(NASTY) + 2)
    assert as_stored() == before


def test_what_people_refuse_goes_along_and_holds_where_the_list_is_brought_in(marketer, workspace):
    make_recipient(workspace, email="all@example.com", phone="", opted_out=True, refused_channels=[Channel.SMS])
    make_recipient(workspace, email="one@example.com", phone="+254712345678", refused_channels=[Channel.EMAIL])
    make_recipient(workspace, email="none@example.com", phone="", first_name="")
    list_ = text_of(download(marketer))
    other = make_workspace()
    make_recipient(other, email="none@example.com", phone="", first_name="", refused_channels=[Channel.EMAIL])
    known = make_recipient(other, email="one@example.com", phone="", refused_channels=[Channel.SMS])
    consents = ConsentEvent.objects.filter(workspace=other, how=How.IMPORT).order_by("recipient__email", "channel")

    upload = bring_in(other, list_)

    said = other.recipients.order_by("email").values_list("email", "opted_out", "refused_channels")
    assert list(said) == [
        ("all@example.com", True, []),
        ("none@example.com", False, [Channel.EMAIL]),
        ("one@example.com", False, [Channel.EMAIL, Channel.SMS]),
    ]
    assert list(consents.values_list("recipient__email", "channel")) == [
        ("all@example.com", None),
        ("one@example.com", Channel.EMAIL),
    ]
    assert words(upload) == ["created", "updated", "unchanged"]
    assert "no email" in upload.verdicts.get(recipient=known).reason
    assert words(bring_in(make_workspace(), list_)) == ["created"] * 3
    again = Recipient.objects.filter(email="one@example.com").latest("pk")
    assert again.refused_channels == [Channel.EMAIL]
    assert again.consent_events.get().channel == Channel.EMAIL


def test_no_cell_begins_as_a_formula_does(marketer, workspace):
    for word in NASTY:
        make_recipient(workspace, first_name=word)

    cells = [cell for row in rows_in(download(marketer)) for cell in row.values()]

    assert not [cell for cell in cells if cell[:1] and cell[0] in "=+-@\t\r"]
    assert "'=1+1" in cells and any(cell.startswith("'+254") for cell in cells)


def test_the_filters_of_the_list_hold_and_every_piece_is_read(marketer, workspace, monkeypatch):
    monkeypatch.setattr(export, "AT_ONCE", 7)
    everybody = make_recipients(workspace, 30)
    group = make_group(workspace, *everybody[:9])
    everybody[0].opted_out = True
    everybody[0].save()

    assert [row["email"] for row in rows_in(download(marketer))] == [person.email for person in everybody]
    assert len(rows_in(download(marketer, group=group.pk))) == 9
    assert [row["opted_out"] for row in rows_in(download(marketer, wish="out"))] == ["yes"]
    assert [row["email"] for row in rows_in(download(marketer, q=everybody[4].email))] == [everybody[4].email]


def test_the_audit_log_keeps_who_took_whom_along_and_not_what_was_searched(marketer, workspace):
    make_recipient(workspace, first_name="Grace")
    group = make_group(workspace, name="Customers")

    download(marketer, group=group.pk, q="Grace")

    entry = AuditEntry.objects.get(verb="export")
    assert entry.changes == {"people": [None, "in Customers, found by words"]}
    assert entry.actor
