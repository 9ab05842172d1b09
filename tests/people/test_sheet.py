import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from people.columns import guessed, guessed_boldly
from people.sheet import Record, UnreadableSheet, delimiter_of, encoding_of, records, storable
from tests.people.listing import read

LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"), max_size=20)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_file_is_read_in_whatever_encoding_a_spreadsheet_saved_it(encoding):
    (row,) = read("email,name\nann@example.com,Ánn Müller\n".encode(encoding))

    assert (row.email, row.fields) == ("ann@example.com", {"first_name": "Ánn", "last_name": "Müller"})


def test_a_file_of_two_encodings_is_read_right_in_both():
    raw = "a@example.com,Müller\n".encode() + "b@example.com,Müller\n".encode("cp1252")

    assert [row.fields["first_name"] for row in read(b"email,name\n" + raw)] == ["Müller", "Müller"]


def test_an_encoded_half_of_a_pair_is_marked_as_unreadable():
    assert b"a\xed\xa0\x80b".decode(*encoding_of(b"a")) == "a\ufffdb"


@pytest.mark.parametrize("raw", [b"PK\x03\x04anything", b"\xd0\xcf\x11\xe0anything"])
def test_an_archive_or_an_old_spreadsheet_is_refused_with_what_to_do(raw):
    with pytest.raises(UnreadableSheet, match="CSV"):
        read(raw)


def test_what_the_database_cannot_keep_is_marked_as_unreadable():
    assert storable("\ufeffa\x00b\ud800c") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_counts_them(end):
    source = end.join(["email", "", "a@example.com", '"b@example.com"', "", "c@example.com"])

    assert [(row.line, row.email) for row in read(source)] == [
        (3, "a@example.com"),
        (4, "b@example.com"),
        (6, "c@example.com"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_recognised(delimiter):
    source = f'email{delimiter}first_name\nann@example.com{delimiter}"Lee, Ann; x"\n'

    assert delimiter_of(source) == delimiter
    (row,) = read(source)
    assert (row.email, row.fields) == ("ann@example.com", {"first_name": "Lee, Ann; x"})


def test_a_quote_that_is_never_closed_costs_one_row_and_not_the_rest():
    source = 'email,name\na@example.com,Ann\nb@example.com,"Bob\nc@example.com,Carol\nd@example.com,Dan\n'

    found = list(read(source))

    assert [(row.line, bool(row.fault)) for row in found] == [(2, False), (3, True), (4, False), (5, False)]


def test_a_quote_that_is_never_closed_costs_one_row_in_a_long_list_too():
    source = 'email\n"a@example.com\n' + "".join(f"p{n}@example.com\n" for n in range(500))

    found = list(read(source))

    assert [row.line for row in found if row.fault] == [2]
    assert len(found) == 501


def test_a_quote_closed_far_below_does_not_swallow_the_people_between():
    between = "".join(f"p{n}@example.com\n" for n in range(50))

    found = list(read(f'email\n"a@example.com\n{between}z@example.com"\n'))

    assert len(found) == 52
    assert [row.line for row in found if "quotation mark" in row.fault] == [2]


def test_a_cell_of_200_kilobytes_costs_one_row():
    source = f"email,name\na@example.com,{'x' * 200_000}\nb@example.com,Bob\n"

    first, second = read(source)

    assert "131,072" in first.fault
    assert (second.line, second.email) == (3, "b@example.com")


def test_a_first_line_that_cannot_be_read_refuses_the_list():
    with pytest.raises(UnreadableSheet, match="Line 1"):
        list(read('"email,name\na@example.com,Ann\n'))


@pytest.mark.parametrize("source", ["", "\n\n", " , \n,\n"])
def test_a_list_of_nobody_is_refused(source):
    with pytest.raises(UnreadableSheet, match="nobody"):
        list(read(source))


def test_a_first_line_of_very_many_columns_is_refused():
    with pytest.raises(UnreadableSheet, match="more than 200 columns"):
        list(read("email," + ",".join("x" * n for n in range(300))))


def test_columns_are_known_by_their_usual_names():
    source = "E-Mail,Mobile,First Name,Surname,City,Product,Opt-out,Loyalty Tier,Größe,E-Mail\n"

    mapping = guessed([Record(1, source.strip().split(",")), Record(2, ["a@example.com"])])

    columns = [
        "email",
        "phone",
        "first_name",
        "last_name",
        "location",
        "preferred_product",
        "opted_out",
        "loyalty_tier",
    ]
    assert mapping.columns == [*columns, "", ""]
    assert mapping.attributes == {"loyalty_tier"}
    assert mapping.not_read == ["Größe", "E-Mail"]


def test_titles_nobody_knows_are_told_by_the_cells_below_to_somebody_who_will_look():
    first = [Record(1, ["Adresse", "Rufnummer", "Stadt"]), Record(2, ["a@example.com", "+49 30 1234567", "Berlin"])]

    assert guessed(first).columns == []
    assert guessed_boldly(first).columns == ["email", "phone", "stadt"]
    assert not guessed_boldly([Record(1, ["b@example.com", "Bob"]), first[1]]).has_titles


def test_cells_without_a_header_are_told_apart_by_their_looks():
    (row,) = read("+254 712 345 678;Ann Lee;ann@example.com")

    assert (row.email, row.phone) == ("ann@example.com", "+254712345678")
    assert row.fields == {"first_name": "Ann", "last_name": "Lee"}


def test_addresses_pasted_on_one_line_are_a_person_each():
    found = list(read("a@example.com, b@example.com, Carol Wu <c@example.com>\nd@example.com"))

    assert [(row.number, row.line, row.email) for row in found] == [
        (1, 1, "a@example.com"),
        (2, 1, "b@example.com"),
        (3, 1, "c@example.com"),
        (4, 2, "d@example.com"),
    ]
    assert found[2].fields == {"first_name": "Carol", "last_name": "Wu"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("email,name\na@example.com,Ann,more", "3 cells, the first line 2"),
        ("email,name\n,Ann", "no email address and no phone number"),
        ("email,name\nann,Ann", "“ann” is not an email address"),
        ("email,opted_out\na@example.com,maybe", "“maybe” does not say"),
        ("email,name\na@example.com,A\x0bnn", "control character"),
        ('email,name\na@example.com,"A\nnn"', "line break"),
        ("email,city\na@example.com,Nai\ufffdrobi", "cannot be read"),
        (f"email,tier\na@example.com,{'x' * 201}", "tier is longer than 200"),
        (f"email,name\na@example.com,{'x' * 101}", "longer than 100"),
        ("a@example.com,b@example.com,Ann", "more than one email address"),
        ("a@example.com,Ann,Lee,Nairobi", "“Nairobi” could be anything"),
        ("just words", "no email address"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(source, reason):
    (row,) = read(source)

    assert reason in row.fault


def test_a_short_row_leaves_its_last_cells_empty():
    (row,) = read("email,name,city\na@example.com")

    assert (row.email, row.fields) == ("a@example.com", {})


@given(st.text(max_size=300))
@example("|")
def test_any_text_at_all_is_read_without_losing_a_line(source):
    lines = io.StringIO(storable(source), newline=None).readlines()

    text = io.StringIO(storable(source), newline=None)
    found = list(records(text, delimiter_of(source)))

    assert all(1 <= record.line <= len(lines) for record in found)
    assert [record.line for record in found] == sorted({record.line for record in found})
    plain = [n for n, line in enumerate(lines, 1) if '"' not in line and line.strip(" ,;|\t\n\x0b\x0c").strip()]
    if '"' not in source:
        assert {record.line for record in found} >= set(plain)


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_read_or_refused_with_a_sentence(raw):
    try:
        for row in read(raw):
            assert row.fault or row.email or row.phone
            assert row.line >= 1
    except UnreadableSheet as refusal:
        assert str(refusal)


@example([(";", ";"), (";", ";")])
@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=1, max_size=10))
def test_what_a_spreadsheet_writes_is_read_back_as_it_was(pairs):
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["email", "name"])
    writer.writerows([f"p{n}@example.com", f"{a}{b}"] for n, (a, b) in enumerate(pairs))

    found = list(read(file.getvalue()))

    assert [row.cells[1].strip() for row in found] == [f"{a}{b}".strip() for a, b in pairs]


@pytest.mark.parametrize(
    "raw",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"%PDF-1.7\n1 0 obj << /Type /Catalog >>",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        bytes(range(256)) * 8,
    ],
)
def test_a_file_that_is_no_text_is_refused_with_a_sentence(raw):
    with pytest.raises(UnreadableSheet, match="choose a CSV or XLSX file"):
        read(raw)
