"""Statements that go together do what they do one after the other."""

import pytest
from django.db import connection

from wires.trip import Trip

pytestmark = pytest.mark.django_db


def test_each_statement_sees_what_those_before_it_did_and_answers_in_its_place():
    with connection.cursor() as cursor:
        trip = Trip(cursor)
        trip.execute("CREATE TEMPORARY TABLE said (word text) ON COMMIT DROP")
        trip.execute("INSERT INTO said VALUES (%s), (%s) RETURNING word", ["50 %s; --", "it's"])
        trip.execute("UPDATE said SET word = word || %s WHERE word LIKE 'it%%'", ["!"])
        trip.execute("SELECT word FROM said ORDER BY word")

        assert trip.go() == [[], [("50 %s; --",), ("it's",)], [], [("50 %s; --",), ("it's!",)]]


def test_without_a_statement_nobody_goes():
    with connection.cursor() as cursor:
        assert Trip(cursor).go() == []
