"""What goes into an array comes out of it, whatever it is."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from wires import arrays

pytestmark = pytest.mark.django_db
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def in_the_database(sql: str, written: str) -> list:
    with connection.cursor() as cursor:
        cursor.execute(sql, [written])
        return cursor.fetchone()[0]


@given(st.lists(WORDS, min_size=1))
def test_texts_come_back_as_they_were(words):
    assert in_the_database("SELECT %s::text[]", arrays.texts(words)) == words


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_come_back_as_they_were(numbers):
    assert in_the_database("SELECT %s::bigint[]", arrays.plain(numbers)) == numbers
