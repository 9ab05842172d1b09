"""What a spreadsheet would run leaves as text, and comes back as it was."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from people.formulas import escape, unescape
from people.models import Recipient
from tests.people.listing import bring_in

FORMULAS = ["=1+1", "+49 30 1234567", "-2", "@x", "\t=", "\r=", "\n=", "＝1+1", "\u2003=1", "'=1+1", "''=x"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe_and_loses_it_again(cell):
    assert escape(cell) == f"'{cell}"
    assert unescape(escape(cell)) == cell


@pytest.mark.parametrize("cell", ["", "Ann", "ann@example.com", "'Ann'", "'", '"=', "3-2", "O'Neill"])
def test_what_is_harmless_stays_as_it_is(cell):
    assert escape(cell) == unescape(cell) == cell


@settings(max_examples=50, deadline=None)
@example("'1'=")
@given(st.text(st.sampled_from("'=+-@\t\r\n\uff1d a1\" \u2003"), max_size=6))
def test_every_cell_comes_back_as_it_was(cell):
    assert unescape(escape(cell)) == cell


@pytest.mark.django_db
def test_an_import_takes_the_apostrophe_for_a_mark_and_not_for_a_letter(workspace):
    bring_in(workspace, "email,phone,first_name\nann@example.com,'+254712345678,'=1+1\nbob@example.com,,'Bob'\n")

    people = Recipient.objects.order_by("pk").values_list("phone", "first_name")
    assert list(people) == [("+254712345678", "=1+1"), ("", "'Bob'")]
