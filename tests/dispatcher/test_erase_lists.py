"""Erase: what lists keep of the person goes, wherever they stand, and nothing that lists keep of anybody else."""

import pytest
from django.db import connection

from dispatcher import erase as erasing
from dispatcher.erase import erase
from people import imports, traces
from people.columns import Mapping
from people.imports import as_bytes, keep_list
from people.models import Import, ImportRow, Recipient, StagedRow, Suppression
from people.recipients import Erased, add_recipient, change_recipient
from people.suppression import suppress
from tests.dispatcher.outcomes import launched
from tests.dispatcher.test_erase import tables_that_name
from tests.make import make_campaign, make_recipient, make_workspace
from tests.people.listing import bring_in, carry_on

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
        named = "|".join(map(traces.pattern_of, (EMAIL, PHONE)))
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


def waiting(workspace, text: str, *, is_checked: bool) -> Import:
    upload = imports.begin(workspace, name="never finished.csv", by=None)
    keep_list(upload, as_bytes(text))
    upload = imports.complete(upload, by=None)
    if is_checked:
        imports.map_columns(upload, Mapping(upload.columns, upload.titles), [], by=None)
        upload = carry_on(upload)
    return upload


@pytest.mark.parametrize("is_checked", [False, True])
def test_a_list_a_colleague_never_finished_keeps_nobody_from_being_erased_and_does_not_bring_them_back(
    workspace, is_checked
):
    ann = make_recipient(workspace, email=EMAIL, phone=PHONE, first_name="Ann")
    text = f"email,phone,first_name\n{EMAIL},{PHONE},Ann\nbob@example.com,,Bob\nbad,,see {EMAIL}\n"
    upload = waiting(workspace, text, is_checked=is_checked)

    erase(ann, by=None)

    assert tables_that_name(EMAIL) == ["people_importpart"]  # the list as it came, until its import is over
    upload.refresh_from_db()
    assert [row[1] for row in upload.first[:3]] == [
        ["email", "phone", "first_name"],
        ["", "", ""],
        ["bob@example.com", "", "Bob"],
    ]
    if is_checked:
        assert StagedRow.objects.filter(upload=upload.pk).count() == 3
        imports.start(upload, by=None)
        carry_on(upload)
        assert [*workspace.recipients.values_list("email", flat=True)] == ["bob@example.com"]
        assert tables_that_name(EMAIL) == tables_that_name(PHONE[1:]) == []


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


@pytest.mark.parametrize("row", [f"{EMAIL},maybe", f"{EMAIL},no,too many"])
def test_a_row_that_is_rejected_anyway_tells_nothing_of_somebody_who_was_erased(workspace, row):
    suppress(workspace, EMAIL, reason=Suppression.Reason.ERASED, by=None)

    upload = bring_in(workspace, f"email,opted_out\n{row}\nbob@example.com,no\n")

    assert (upload.created, upload.rejected) == (1, 1)
    assert tables_that_name(EMAIL) == []


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
