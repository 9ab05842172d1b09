"""Erase: what lists keep of the person goes, wherever they stand, and nothing that lists keep of anybody else."""

from collections.abc import Iterable

import pytest
from django.db import connection

from accounts.models import Workspace
from dispatcher import erase as erasing
from dispatcher.erase import erase
from people import erased, imports, traces, unfinished
from people.columns import Mapping
from people.imports import as_bytes, keep_list
from people.models import Import, ImportPart, ImportRow, Recipient, StagedRow, Suppression
from people.patterns import pattern_of_all
from people.recipients import Erased, add_recipient, change_recipient
from people.refuse import ERASED, NUMBER_OF_ERASED
from people.source import PIECE
from people.suppression import suppress
from tests.dispatcher.outcomes import launched
from tests.dispatcher.test_erase import tables_that_name
from tests.make import make_campaign, make_recipient, make_workspace
from tests.people.listing import bring_in, carry_on, verdicts
from tests.people.test_workbook import workbook_of

pytestmark = pytest.mark.django_db
EMAIL, PHONE = "ann@example.com", "+254712345678"


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.mark.parametrize(
    ("written", "is_theirs"),
    [
        ("ann@example.com", True),
        ("Ann Lee <ANN@Example.com>.", True),
        ('["x", "ann@example.com"]', True),
        ("+254712345678", True),
        ("00254 712-345 678", True),
        ("(0712) 345 678", True),
        ("712345678", True),
        ('["254712345678"]', True),
        ("joann@example.com", False),
        ("jo.ann@example.com", False),
        ("ann@example.com.au", False),
        ("ann@example.community", False),
        ("+2547123456789", False),
        ("+49712345678", False),
        ("+1254712345678", False),
    ],
)
def test_an_address_is_found_as_people_write_it_and_never_within_a_longer_one(written, is_theirs):
    with connection.cursor() as cursor:
        named = pattern_of_all((EMAIL, PHONE))
        cursor.execute("SELECT %s::text ~* %s", [written, named])

        assert cursor.fetchone() == (is_theirs,)


def test_somebody_whose_address_is_longer_loses_nothing(workspace):
    upload = bring_in(
        workspace, f"email,phone\n{EMAIL},+25471234567\njoann@example.com,\n,{PHONE}\nno.ann@example.com,12,\n"
    )
    bring_in(workspace, f"email,phone\njoann@example.com,{PHONE}9\n")
    kept = ImportRow.objects.exclude(address=EMAIL).order_by("pk").values()
    before = list(kept)

    erase(Recipient.objects.get(email=EMAIL), by=None)

    assert list(kept.exclude(address="")) == before
    assert [row.address for row in upload.verdicts.order_by("number")][1:] == [row["address"] for row in before[:3]]


def test_an_address_they_had_before_goes_too_and_does_not_come_back(workspace):
    for number in ("+254700000001", "+254700000002"):
        bring_in(workspace, f"email,phone\n{EMAIL},{number}\n")
    ann = Recipient.objects.get(email=EMAIL)
    launched(make_campaign(workspace))
    change_recipient(ann, by=None, email="new@example.com", phone=PHONE)

    erase(ann, by=None)

    for address in (EMAIL, PHONE, "new@example.com", "+254700000001", "+254700000002"):
        assert tables_that_name(address) == []
        with pytest.raises(Erased):
            add_recipient(workspace, by=None, **{"email" if "@" in address else "phone": address})


def test_an_address_that_somebody_else_has_by_now_stays_theirs(workspace):
    ann = make_recipient(workspace, email=EMAIL, phone="")
    launched(make_campaign(workspace))
    change_recipient(ann, by=None, email="new@example.com")
    bob = add_recipient(workspace, by=None, email=EMAIL)

    erase(ann, by=None)

    bob.refresh_from_db()
    assert not bob.email_suppressed
    assert Suppression.objects.count() == 1


def waiting(workspace, source: Iterable[bytes], *, is_checked: bool) -> Import:
    upload = imports.begin(workspace, name="never finished.csv", by=None)
    keep_list(upload, source)
    upload.refresh_from_db()
    imports.complete(upload, by=None)
    upload = carry_on(upload)
    if is_checked:
        imports.map_columns(upload, Mapping(upload.columns, upload.titles), [], by=None)
        upload = carry_on(upload)
    return upload


LIST = f"email,phone,first_name\n{EMAIL},{PHONE},Ann\nbob@example.com,,Bob\nbad,,see {EMAIL}\n"
BOOK = [["email", "phone"], [EMAIL, ""], ["bob@example.com", ""]]


@pytest.mark.parametrize("is_checked", [False, True])
@pytest.mark.parametrize(
    "source",
    [
        as_bytes(LIST),
        [LIST.encode("utf-16")],
        [b"email;phone\nbob@example.com;00254 (712) 345-678\n"],
        [b"name,email\n" + b"x" * (PIECE - 25) + b",x\ny" * 2 + f",{EMAIL}\nbob,bob@example.com\n".encode()],
        [workbook_of(*BOOK)],
    ],
    ids=["CSV", "UTF-16", "a number", "across two pieces", "XLSX"],
)
def test_a_list_a_colleague_never_finished_ends_when_somebody_it_names_is_erased(workspace, source, is_checked):
    ann = make_recipient(workspace, email=EMAIL, phone=PHONE, first_name="Ann")
    upload = waiting(workspace, source, is_checked=is_checked)

    erase(ann, by=None)

    upload.refresh_from_db()
    assert (upload.get_status_display(), upload.error) == ("cancelled", unfinished.SENTENCE)
    assert not ImportPart.objects.exists() and not StagedRow.objects.exists()
    assert tables_that_name(EMAIL) == tables_that_name(PHONE[1:]) == []


def test_the_beginning_of_a_list_that_is_still_being_sent_goes_if_it_names_somebody_or_cannot_be_read(workspace):
    ann, pages = make_recipient(workspace, email=EMAIL, phone=""), workbook_of(*BOOK)
    begun = [imports.begin(workspace, name="part", by=None, size=9_999) for _ in range(3)]
    keep_list(begun[0], as_bytes("email\nbob@example.com\n"))
    keep_list(begun[1], as_bytes(f"email\n{EMAIL}\n"))
    keep_list(begun[2], [pages[: len(pages) // 2]])

    erase(ann, by=None)

    assert [Import.objects.get(pk=each.pk).get_status_display() for each in begun] == [
        "uploading",
        "cancelled",
        "cancelled",
    ]


def test_a_list_that_names_somebody_else_goes_on(workspace):
    upload = waiting(workspace, as_bytes(f"email\nx{EMAIL}\n"), is_checked=True)

    erase(make_recipient(workspace, email=EMAIL, phone=""), by=None)

    imports.start(upload, by=None)
    assert carry_on(upload).created == 1


def test_whoever_starts_a_list_while_it_is_looked_through_is_waited_for(workspace, monkeypatch):
    ann = make_recipient(workspace, email=EMAIL, phone="")
    upload = waiting(workspace, as_bytes(f"email\n{EMAIL}\n"), is_checked=True)
    refuse = erased.refuse_while_importing

    def refuse_and_start(workspace):
        refuse(workspace)
        if Import.objects.get(pk=upload.pk).get_status_display() == "checked":
            imports.start(upload, by=None)

    monkeypatch.setattr(erasing.erased, "refuse_while_importing", refuse_and_start)
    with pytest.raises(erased.StillImported):
        erase(ann, by=None)

    assert Recipient.objects.filter(pk=ann.pk).exists()


def test_no_campaign_is_held_while_the_rows_of_lists_are_looked_through(workspace):
    """A worker waits for whoever holds its campaigns, and would lose its batches."""
    bring_in(workspace, f"email\n{EMAIL}\n")
    launched(make_campaign(workspace))
    said: list[str] = []

    with connection.execute_wrapper(lambda do, sql, *more: said.append(sql) or do(sql, *more)):
        erase(Recipient.objects.get(), by=None)

    looks = [n for n, sql in enumerate(said) if sql == traces.FIND]
    holds = [n for n, sql in enumerate(said) if "campaign" in sql and "FOR NO KEY UPDATE" in sql]
    assert looks and holds and max(looks) < min(holds)


def test_an_address_given_while_the_lists_were_looked_through_is_looked_for_again(workspace, monkeypatch):
    ann = make_recipient(workspace, email=EMAIL, phone="")
    bring_in(workspace, f"email,phone\nbad,{PHONE}; {PHONE}\n")
    find = traces.find

    def find_and_change(person, addresses):
        found = find(person, addresses)
        Recipient.objects.filter(pk=ann.pk).update(phone=PHONE)
        return found

    monkeypatch.setattr(erasing.traces, "find", find_and_change)
    erase(ann, by=None)

    assert Suppression.objects.count() == 2
    assert tables_that_name(f"{PHONE};") == []


@pytest.mark.parametrize(
    "row",
    [
        f"{EMAIL},maybe",
        f"{EMAIL},no,too many",
        f"bob@example.com,no,too many,{EMAIL}",
        f'"see ""{EMAIL}"" not closed,no',
        "x,no,call 0712 345-678 today",
    ],
)
def test_a_row_that_is_rejected_anyway_tells_nothing_of_somebody_who_was_erased(workspace, row):
    Workspace.objects.update(region="KE")
    workspace.refresh_from_db()
    for address in (EMAIL, PHONE):
        suppress(workspace, address, reason=Suppression.Reason.ERASED, by=None)

    upload = bring_in(workspace, f"email,opted_out\nbob@example.com,no\n{row}\n")

    assert (upload.created, upload.rejected) == (1, 1)
    assert upload.verdicts.get(verdict=ImportRow.Verdict.REJECTED).cells is None
    assert tables_that_name(EMAIL) == tables_that_name("345-678") == []


def test_somebody_else_with_the_number_of_an_erased_person_is_imported_without_it(workspace):
    suppress(workspace, PHONE, reason=Suppression.Reason.ERASED, by=None)

    upload = bring_in(workspace, f"email,phone,first_name\nbob@example.com,{PHONE},Bob\n,{PHONE},Ann\n")

    assert verdicts(upload) == [(2, "created", NUMBER_OF_ERASED), (3, "rejected", ERASED)]
    assert [*workspace.recipients.values_list("email", "phone", "first_name")] == [("bob@example.com", "", "Bob")]
    assert tables_that_name(PHONE[1:]) == []


@pytest.mark.parametrize("last", ["bob@example.com,Bob", "bad,Bob"])
def test_a_first_line_taken_for_the_titles_and_the_name_of_a_file_tell_nothing_once_somebody_is_erased(workspace, last):
    ann = make_recipient(workspace, email=EMAIL, phone="")
    upload = imports.begin(workspace, name=f"{EMAIL}.csv", by=None)
    keep_list(upload, as_bytes(f"{EMAIL},Ann\ncid@example.com,Cid\n{last}\n"))
    upload.refresh_from_db()
    imports.complete(upload, by=None)
    imports.map_columns(upload, Mapping(["email", ""], [EMAIL, "Ann"]), [], by=None)
    carry_on(upload)
    imports.start(upload, by=None)
    upload = carry_on(upload)
    assert upload.titles == ([EMAIL, "Ann"] if upload.rejected else [])

    erase(ann, by=None)

    upload.refresh_from_db()
    assert (upload.name, tables_that_name(EMAIL)) == ("… csv", [])
    assert upload.titles == (["", "Ann"] if upload.rejected else [])
