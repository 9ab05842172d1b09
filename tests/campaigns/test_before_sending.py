"""Prices, seconds to undo and the number to type: set on one page, told in the audit log, kept apart by workspace."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Role
from campaigns.before_sending import change_price
from campaigns.price import Price, price_of
from people.channels import Channel
from tests.make import logged_in, make_workspace

pytestmark = pytest.mark.django_db
TYPED = {"undo_seconds": "20", "typed_above": "500", "sms_price": "0,80", "sms_currency": "kes"}


@pytest.fixture
def acme():
    return make_workspace("Acme", undo_seconds=10)


@pytest.fixture
def admin(acme) -> Client:
    return logged_in(acme, Role.ADMIN)


def save(browser: Client, **typed: str):
    return browser.post(reverse("before-sending"), TYPED | typed)


def test_what_is_typed_is_kept_shown_again_and_written_into_the_audit_log(admin, acme):
    assert save(admin).status_code == 302

    acme.refresh_from_db()
    assert (acme.undo_seconds, acme.typed_above) == (20, 500)
    assert price_of(acme, Channel.SMS, 3) == Price(Decimal("2.4"), "KES")
    assert price_of(acme, Channel.EMAIL, 3) is None
    page = admin.get(reverse("before-sending")).content.decode()
    assert 'value="0.8"' in page and 'value="KES"' in page
    changes = AuditEntry.objects.get().changes
    assert changes["undo_seconds"] == [10, 20]
    assert changes["price by SMS"] == ["unknown", "KES 0.8"]


def test_a_price_taken_away_is_unknown_again_and_no_number_means_never(admin, acme):
    save(admin)
    save(admin, sms_price="", typed_above="")

    acme.refresh_from_db()
    assert (price_of(acme, Channel.SMS, 1), acme.typed_above) == (None, None)


def test_the_price_of_one_workspace_is_none_of_another(admin, acme):
    save(admin)
    assert price_of(make_workspace(), Channel.SMS, 1) is None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"undo_seconds": ""}, "Give a number of seconds from 0 to 600; 0 is off."),
        ({"undo_seconds": "601"}, "Give a number of seconds from 0 to 600; 0 is off."),
        ({"undo_seconds": "soon"}, "Give a number of seconds from 0 to 600; 0 is off."),
        ({"typed_above": "-1"}, "Give a number of people, such as 1000, or nothing."),
        ({"sms_price": "much"}, "Give a price such as 0.80, with at most six decimals."),
        ({"sms_price": "-1"}, "Give a price such as 0.80, with at most six decimals."),
        ({"sms_price": "0.1234567"}, "Give a price such as 0.80, with at most six decimals."),
        ({"sms_price": "1e400"}, "Give a price such as 0.80, with at most six decimals."),
        ({"sms_price": "NaN"}, "Give a price such as 0.80, with at most six decimals."),
        ({"sms_currency": ""}, "Give the currency in three letters, such as KES."),
        ({"sms_currency": "K3"}, "Give the currency in three letters, such as KES."),
        ({"sms_currency": "ΚΕΣ"}, "Give the currency in three letters, such as KES."),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence_and_changes_nothing(admin, acme, typed, sentence):
    answer = save(admin, **typed)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    acme.refresh_from_db()
    assert (acme.undo_seconds, acme.part_prices.count()) == (10, 0)


@pytest.mark.parametrize(
    ("amount", "parts", "told"),
    [
        ("0.8", 4590, "KES 3,672.00"),
        ("0.0004", 1, "KES 0.0004"),
        ("0.0004", 100, "KES 0.04"),
        ("0.125", 1, "KES 0.125"),
        ("1.125", 1, "KES 1.13"),
        ("0", 7, "KES 0.00"),
        ("999999.999999", 10**9, "KES 999,999,999,999,000.00"),
    ],
)
def test_amounts_are_told_as_people_write_them(acme, amount, parts, told):
    change_price(acme, Channel.SMS, Price(Decimal(amount), "KES"))

    assert str(price_of(acme, Channel.SMS, parts)) == told
