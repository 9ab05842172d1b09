"""Finding people as somebody types their name or number, and quickly among many."""

import pytest
from django.db import connection

from people.folding import Folded, fold
from people.models import Recipient
from people.search import called, search
from tests.make import make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("jose", "José", "Núñez"),
        ("JOSÉ", "Jose", "Nunez"),
        ("José", "José", "x"),
        ("jose nun", "José", "Núñez"),
        ("núñez jo", "José", "Nunez"),
        ("lovelace ada", "Ada", "Lovelace"),
        ("Ada Love", "Ada", "Lovelace"),
        ("anna maria l", "Anna Maria", "Lee"),
        ("van dyck an", "Anna", "van Dyck"),
        ("strasse", "x", "Straße"),
        ("lodz", "Łódź", "x"),
        ("ирин", "Ирина", "x"),
    ],
)
def test_people_are_found_whatever_accents_they_have_and_in_either_order(words, first, last):
    workspace = make_workspace()
    found = make_recipient(workspace, first_name=first, last_name=last)
    make_recipient(workspace, first_name="Joan", last_name="Lovell")

    assert search(workspace, words) == [found]
    assert [*called(workspace.recipients.all(), words)] == [found]


@pytest.mark.parametrize(
    ("region", "words", "is_found"),
    [
        ("KE", "0712 345", True),
        ("KE", "712345", True),
        ("KE", "+254712", True),
        ("KE", "254712", True),
        ("", "0712 345", False),
        ("DE", "0712 345", False),
        ("KE", "00712", False),
    ],
)
def test_a_number_is_found_as_it_is_written_in_the_country_of_the_workspace(region, words, is_found):
    workspace = make_workspace(region=region)
    person = make_recipient(workspace, phone="+254712345678", email="")

    assert search(workspace, words) == ([person] if is_found else [])


@pytest.mark.parametrize(
    "text", ["José ŁÓDŹ", "Straße Ærø", "ĐÌNH Nguyễn", "Ирина Йод", "İstanbul", "ﬁn Ｆ", "한국 ガ"]
)
def test_the_database_takes_accents_off_as_we_do(text):
    person = make_recipient(make_workspace(), first_name=text)

    assert Recipient.objects.filter(pk=person.pk).values_list(Folded("first_name")).get() == (fold(text),)


@pytest.mark.parametrize(("words", "index"), [("josé", "first_name_folded"), ("jose nun", "last_name_folded")])
def test_accents_cost_no_look_at_everybody(words, index):
    workspace = make_workspace()
    make_recipient(workspace, first_name="José", last_name="Núñez")
    make_recipients(workspace, 1000)

    with connection.cursor() as cursor:  # of so few people PostgreSQL would simply read all
        cursor.execute("ANALYZE people_recipient")
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = called(workspace.recipients.all(), words).explain()

    assert index in plan
