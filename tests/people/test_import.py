from collections import Counter
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from people import carrying, imports, merge, parts, sheet
from people.columns import Mapping
from people.merge import merge_range
from people.models import Import, ImportPart, Recipient, StagedRow
from people.sheet import UnreadableSheet
from people.staging import Overtaken
from tests.make import make_group, make_recipient, make_workspace
from tests.people.listing import HEADER, bring_in, carry_on, reason_of, verdicts, words

pytestmark = pytest.mark.django_db


def test_every_row_of_a_list_becomes_a_person_with_all_that_it_says():
    workspace = make_workspace()

    upload = bring_in(workspace, HEADER + "Ann@Example.com,+254 712 345 678,Ann,Lee,Nairobi,no,gold\n")

    person = workspace.recipients.get()
    assert (person.email, person.phone, person.full_name) == ("ann@example.com", "+254712345678", "Ann Lee")
    assert (person.location, person.attributes, person.opted_out) == ("Nairobi", {"loyalty_tier": "gold"}, False)
    assert (upload.get_status_display(), upload.rows, upload.created) == ("done", 1, 1)
    assert list(workspace.attribute_names.values_list("name", flat=True)) == ["loyalty_tier"]


def test_the_counts_of_an_import_add_up_and_match_its_verdicts():
    workspace = make_workspace()
    make_recipient(workspace, email="old@example.com", phone="", first_name="Old")
    make_recipient(workspace, email="same@example.com", phone="", first_name="Same")

    upload = bring_in(
        workspace,
        "email,first_name\nnew@example.com,New\nold@example.com,Older\nsame@example.com,Same\nnobody,No\n",
    )

    assert words(upload) == ["created", "updated", "unchanged", "rejected"]
    assert upload.rows == upload.expected == 4
    assert (upload.created, upload.updated, upload.unchanged, upload.rejected) == (1, 1, 1, 1)


def test_an_empty_cell_changes_nothing_about_a_known_person():
    workspace = make_workspace()
    person = make_recipient(workspace, email="ann@example.com", first_name="Ann", attributes={"tier": "gold"})

    bring_in(workspace, "email,first_name,tier,colour\nann@example.com,,,red\n")

    person.refresh_from_db()
    assert (person.first_name, person.attributes) == ("Ann", {"tier": "gold", "colour": "red"})


def test_an_import_never_brings_back_somebody_who_opted_out():
    workspace = make_workspace()
    person = make_recipient(workspace, email="ann@example.com", opted_out=True)

    upload = bring_in(workspace, "email,opted_out\nann@example.com,no\n")

    person.refresh_from_db()
    assert person.opted_out
    assert reason_of(upload, 2) == "stays opted out"


def test_an_import_can_opt_people_out():
    workspace = make_workspace()
    make_recipient(workspace, email="ann@example.com")

    bring_in(workspace, "email,opted_out\nann@example.com,yes\nbob@example.com,TRUE\n")

    assert [person.opted_out for person in workspace.recipients.all()] == [True, True]


@pytest.mark.parametrize("chunk", [1, 2, 2000])
def test_the_same_person_twice_in_a_list_is_one_person(monkeypatch, chunk):
    monkeypatch.setattr(merge, "RANGE", chunk)
    workspace = make_workspace()

    upload = bring_in(
        workspace,
        "email,phone,city\nann@example.com,+49 30 1234567,\nANN@EXAMPLE.COM,,\n,0049301234567,Berlin\n",
    )

    assert workspace.recipients.get().location == "Berlin"
    assert verdicts(upload) == [
        (2, "created", ""),
        (3, "unchanged", "same as line 2"),
        (4, "updated", "same as line 2; location changed"),
    ]


def test_a_phone_that_belongs_to_somebody_else_is_left_out_and_the_rest_of_the_row_is_kept():
    workspace = make_workspace()
    ann = make_recipient(workspace, email="ann@example.com", phone="+254712345678")
    bob = make_recipient(workspace, email="bob@example.com", phone="+254712345679")

    upload = bring_in(workspace, "email,phone,city\nann@example.com,+254712345679,Nairobi\n")

    reason = "location changed; phone left out: +254712345679 already belongs to bob@example.com"
    assert verdicts(upload) == [(2, "updated", reason)]
    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (ann.phone, ann.location) == ("+254712345678", "Nairobi")
    assert (bob.phone, bob.location) == ("+254712345679", "")


def test_somebody_who_shares_a_telephone_comes_in_without_it_and_takes_nobodys_place():
    workspace = make_workspace()

    upload = bring_in(workspace, "email,phone\nann@example.com,+254712345678\nbob@example.com,+254712345678\n")

    reason = "phone left out: +254712345678 already belongs to ann@example.com"
    assert verdicts(upload)[1] == (3, "created", reason)
    assert dict(workspace.recipients.values_list("email", "phone")) == {
        "ann@example.com": "+254712345678",
        "bob@example.com": "",
    }


def test_a_good_email_beside_an_unusable_phone_is_kept_and_the_verdict_says_what_was_left_out():
    workspace = make_workspace()

    upload = bring_in(workspace, "email,phone,first_name\nann@example.com,0711 234 567,Ann\n")

    reason = "phone left out: “0711 234 567” has no country code; write it with one, as +254 711 234 567 for Kenya."
    assert verdicts(upload) == [(2, "created", reason)]
    person = workspace.recipients.get()
    assert (person.email, person.phone, person.first_name) == ("ann@example.com", "", "Ann")


def test_a_good_phone_beside_an_unusable_email_is_kept():
    workspace = make_workspace()

    upload = bring_in(workspace, "email,phone\nann@,+254712345678\n")

    assert words(upload) == ["created"]
    assert reason_of(upload, 2).startswith("email left out: “ann@” is not an email address")
    assert workspace.recipients.get().phone == "+254712345678"


def test_a_row_without_any_usable_address_is_rejected_for_both_reasons():
    upload = bring_in(make_workspace(), "email,phone\nann@,0711 234 567\n")

    assert words(upload) == ["rejected"]
    assert "is not an email address" in reason_of(upload, 2)
    assert "has no country code" in reason_of(upload, 2)


def test_a_later_row_about_the_same_person_says_what_it_changed():
    workspace = make_workspace()

    upload = bring_in(
        workspace, "email,first_name,tier,opted_out\nann@example.com,Ann,,\nann@example.com,Anna,gold,yes\n"
    )

    assert workspace.recipients.get().first_name == "Ann"
    assert reason_of(upload, 3) == "same as line 2; attributes changed; opted out"


def test_the_same_list_again_changes_nobody_though_it_names_somebody_twice():
    workspace = make_workspace()
    source = "email,first_name,phone\nann@example.com,Ann,+254712345678\nann@example.com,Anna,+254712345679\n"
    bring_in(workspace, source)

    upload = bring_in(workspace, source)

    assert [(line, verdict) for line, verdict, _ in verdicts(upload)] == [(2, "unchanged"), (3, "unchanged")]
    assert workspace.recipients.get().first_name == "Ann"


def test_a_known_person_s_missing_address_is_filled_in():
    workspace = make_workspace()
    person = make_recipient(workspace, email="", phone="+254712345678")

    bring_in(workspace, "email,phone\nann@example.com,+254712345678\n")

    person.refresh_from_db()
    assert person.email == "ann@example.com"


def test_a_new_phone_number_replaces_the_old_one_and_the_report_keeps_it():
    workspace = make_workspace()
    make_recipient(workspace, email="ann@example.com", phone="+254712345678")

    upload = bring_in(workspace, "email,phone\nann@example.com,+254712345679\n")

    assert workspace.recipients.get().phone == "+254712345679"
    assert reason_of(upload, 2) == "phone was +254712345678"


@pytest.mark.parametrize("chunk", [1, 2, 2000])
def test_a_number_can_move_from_one_person_to_the_next_in_one_list(monkeypatch, chunk):
    monkeypatch.setattr(merge, "RANGE", chunk)
    workspace = make_workspace()
    make_recipient(workspace, email="bob@example.com", phone="+254712345672")
    make_recipient(workspace, email="ann@example.com", phone="+254712345671")

    upload = bring_in(
        workspace,
        "email,phone\nann@example.com,+254712345673\nbob@example.com,+254712345671\nnew@example.com,+254712345672\n",
    )

    assert words(upload) == ["updated", "updated", "created"]
    assert dict(workspace.recipients.values_list("email", "phone")) == {
        "ann@example.com": "+254712345673",
        "bob@example.com": "+254712345671",
        "new@example.com": "+254712345672",
    }


def test_a_number_goes_to_the_first_row_that_names_it_also_when_a_later_one_is_about_somebody_new():
    workspace = make_workspace()
    make_recipient(workspace, email="ann@example.com", phone="+254712345671")

    bring_in(workspace, "email,phone\nann@example.com,+254712345672\nnew@example.com,+254712345672\n")

    assert dict(workspace.recipients.values_list("email", "phone")) == {
        "ann@example.com": "+254712345672",
        "new@example.com": "",
    }


def test_everybody_of_a_list_is_put_in_its_group_once():
    workspace = make_workspace()
    old = make_recipient(workspace, email="old@example.com")
    member = make_recipient(workspace, email="member@example.com")
    group = make_group(workspace, member)

    upload = bring_in(
        workspace, "email\nnew@example.com\nold@example.com\nmember@example.com\nold@example.com\n", groups=[group]
    )

    assert group.recipients.count() == 3
    assert verdicts(upload) == [
        (2, "created", ""),
        (3, "updated", "added to the group"),
        (4, "unchanged", ""),
        (5, "unchanged", "same as line 3"),
    ]
    assert old in group.recipients.all()


def test_a_group_deleted_during_an_import_does_not_stop_it():
    workspace = make_workspace()
    group = make_group(workspace)
    upload = imports.start_import(workspace, name="x", source="ann@example.com", groups=[group])

    group.delete()

    assert carry_on(upload).get_status_display() == "done"


def test_a_list_touches_nobody_of_another_workspace():
    other = make_recipient(make_workspace(), email="ann@example.com", phone="+254712345678", first_name="Other")
    workspace = make_workspace()

    bring_in(workspace, HEADER + "ann@example.com,+254712345678,Ann,,,,\n")

    other.refresh_from_db()
    assert other.first_name == "Other"
    assert workspace.recipients.get().first_name == "Ann"


def test_columns_that_are_not_read_are_named():
    upload = bring_in(make_workspace(), "email,Größe\nann@example.com,172\n")

    assert upload.note == "Columns not read: Größe."


def test_a_workspace_has_at_most_50_attributes_and_the_report_names_those_left_out():
    workspace = make_workspace()
    names = [f"a{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(51)]

    upload = bring_in(workspace, f"email,{','.join(names)}\nann@example.com,{','.join(names)}\n")

    assert workspace.attribute_names.count() == len(workspace.recipients.get().attributes) == 50
    assert upload.note.startswith(f"Columns not read: {names[-1]}. A workspace has at most 50")


def test_a_list_of_more_than_a_million_rows_fails_and_changes_nobody(monkeypatch):
    monkeypatch.setattr(carrying, "MOST_ROWS", 3)
    workspace = make_workspace()

    upload = bring_in(workspace, "".join(f"p{n}@example.com\n" for n in range(4)))

    assert (upload.get_status_display(), upload.rows) == ("failed", 0)
    assert "more than 3 rows" in upload.error
    assert not workspace.recipients.exists()


def test_a_list_of_more_than_200_megabytes_is_refused_and_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(parts, "MOST_BYTES", 10)

    with pytest.raises(UnreadableSheet, match="split it"):
        bring_in(make_workspace(), "ann@example.com")

    assert not Import.objects.exists()


def test_a_list_of_very_many_empty_lines_fails_with_a_sentence(monkeypatch):
    monkeypatch.setattr(sheet, "MOST_LINES", 100)

    upload = bring_in(make_workspace(), "ann@example.com\n" * 7 + "\n" * 100)

    assert upload.get_status_display() == "failed"
    assert "leave out the empty ones" in upload.error


def test_a_list_that_cannot_be_read_at_all_is_refused_with_a_sentence_and_nothing_is_kept():
    with pytest.raises(UnreadableSheet, match="Line 1 cannot be read."):
        bring_in(make_workspace(), '"email\n')

    assert not Import.objects.exists()


def test_the_list_itself_is_forgotten_once_it_is_carried_out():
    upload = bring_in(make_workspace(), "ann@example.com")

    assert not ImportPart.objects.exists()
    assert not StagedRow.objects.exists()
    assert upload.finished_at


def test_an_import_carried_out_twice_changes_nothing_the_second_time():
    workspace = make_workspace()
    upload = bring_in(workspace, "ann@example.com\nbob@example.com")

    upload = carry_on(upload)

    assert (upload.rows, upload.created, workspace.recipients.count()) == (2, 2, 2)


def test_a_worker_that_was_overtaken_lets_go_and_changes_nothing():
    upload = imports.start_import(make_workspace(), name="x", source="ann@example.com")
    Import.objects.filter(pk=upload.pk).update(expected=1, rows=1, created=1)

    with pytest.raises(Overtaken):
        merge_range(upload)

    assert not upload.workspace.recipients.exists()


def test_a_hundred_times_the_rows_needs_the_same_number_of_queries(django_assert_num_queries):
    workspace = make_workspace()
    group = make_group(workspace, make_recipient(workspace))
    few, many = (
        imports.start_import(workspace, name="x", source=_people(n), groups=[group])
        for n in (range(15), range(15, 1515))
    )

    with CaptureQueriesContext(connection) as queries:
        carrying.carry_out(few.pk)
    with django_assert_num_queries(len(queries)):
        carrying.carry_out(many.pk)

    assert group.recipients.count() == 1516


def _people(numbers) -> str:
    return "".join(f"p{n}@example.com\n" for n in numbers)


def test_what_a_list_says_is_stored_and_never_read_as_anything_else():
    workspace = make_workspace()
    nasty = "<script>alert(1)</script>{email}';--"

    bring_in(workspace, f'email,first_name\nann@example.com,"{nasty}"\n')

    assert workspace.recipients.get().first_name == nasty


ADDRESS = st.sampled_from(["", "a@example.com", "b@example.com", "c@example.com"])
PHONE = st.sampled_from(["", "+254712345671", "+254712345672", "+254712345673", "nonsense"])
ROW = st.tuples(ADDRESS, PHONE, st.sampled_from(["", "Ann", "Bob"]), st.sampled_from(["", "yes", "no", "maybe"]))


class AnyList(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(st.text(st.sampled_from("a1@,;\"'=\t|+. éß\x00\ufeff\u2028"), max_size=12), min_size=1, max_size=8),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.binary(max_size=30),
    )
    def test_whatever_a_file_holds_its_books_balance_and_no_row_is_lost(self, lines, encoding, end, noise):
        raw = end.join(["email,first_name,tier", *lines, "ok@example.com,Ann,gold"]).encode(encoding, "replace") + noise
        workspace = make_workspace()
        upload = imports.begin(workspace, name="x", by=None)
        imports.keep_list(upload, [raw])
        try:
            upload = imports.complete(upload, by=None)
        except UnreadableSheet as refusal:
            assert str(refusal)
            return
        imports.map_columns(upload, Mapping(upload.columns, upload.titles), [], by=None)
        upload = carry_on(upload)
        if upload.get_status_display() == "failed":
            assert "unexpected" not in upload.error
            return
        imports.start(upload, by=None)
        upload = carry_on(upload)

        assert upload.get_status_display() == "done"
        assert upload.rows == upload.expected == upload.verdicts.count()
        assert upload.rows == upload.created + upload.updated + upload.unchanged + upload.rejected
        assert workspace.recipients.count() == upload.created

    @settings(max_examples=40, deadline=None)
    @given(st.lists(ROW, min_size=1, max_size=12), st.integers(1, 4), st.integers(0, 2))
    def test_how_a_list_is_cut_into_chunks_makes_no_difference(self, table, chunk, known):
        body = "".join(f"{','.join(row)},x\n" for row in table)
        source = f"email,phone,first_name,opted_out,note\n{body}"

        outcomes = [self.outcome(source, size, known) for size in (2000, chunk)]

        assert outcomes[0] == outcomes[1]

    def outcome(self, source: str, chunk: int, known: int):
        workspace = make_workspace()
        for n in range(known):
            make_recipient(workspace, email=f"{'ab'[n]}@example.com", phone=f"+25471234567{n + 1}", first_name="")
        before, merge.RANGE = merge.RANGE, chunk
        try:
            upload = bring_in(workspace, source)
        finally:
            merge.RANGE = before
        assert upload.get_status_display() == "done", upload.error
        counts = Counter(words(upload))
        assert all(getattr(upload, word) == counts[word] for word in ("created", "updated", "unchanged", "rejected"))
        numbers = list(upload.verdicts.order_by("number").values_list("number", flat=True))
        assert all(b == a + 1 for a, b in pairwise(numbers))
        fields = ("email", "phone", "first_name", "opted_out")
        return verdicts(upload), list(
            Recipient.objects.filter(workspace=workspace).order_by("email", "phone").values(*fields)
        )
