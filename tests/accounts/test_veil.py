"""What opens a door, and whom a line is about, is not in the log."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from accounts.models import ApiKey
from accounts.veil import veiled, without_addresses
from tests.make import make_workspace


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("GET /join/s3cret-token/ 200", "GET /join/***/ 200"),
        ("/password/new/MQ/c3x-5f00ba/", "/password/new/MQ/***/"),
        ("see https://example.com/u/e4fK2-a3-0123456789abcd", "see https://example.com/u/***"),
        ("/o/e4fK2-a3-0123456789abcd", "/o/***"),
        ("/people/", "/people/"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("host=db password=p4ss user=x", "host=db password=*** user=x"),
        ('{"password": "p4ss", "port": 1}', '{"password": "***", "port": 1}'),
        (
            "postgres://campaign:p4ss@db.example.com:5432/x refused",
            "postgres://***:***@db.example.com:5432/x refused",
        ),
        ("redis://:p@ss@10.0.0.1:6379/0", "redis://***:***@10.0.0.1:6379/0"),
        ("Key (lower(email))=(ann.o'neil+x@bücher.example) exists", "Key (lower(email))=(***) exists"),
        ("550 <ann@example.com>: +254712345678 is unknown", "550 <***>: *** is unknown"),
        ("wa_id 254712345678 at +254 712 345-678.", "wa_id *** at ***."),
        ('invalid input syntax for type integer: "Ann Smith"', 'invalid input syntax for type integer: "***"'),
        (
            "null value in x\nDETAIL:  Failing row contains (7, Ann,\nSmith).\nHINT:  Think.\n\nThe above",
            "null value in x\nDETAIL: ***\nHINT:  Think.\n\nThe above",
        ),
        ('bad\nCONTEXT:  COPY people, line 3, column name: "Ann"', "bad\nCONTEXT: ***\n"),
        ("1+2 of worker@host at 2026-11-30T10:00:00+00:00", "1+2 of worker@host at 2026-11-30T10:00:00+00:00"),
        ("batch 12 of campaign 4711, 1700000 rows, no token", "batch 12 of campaign 4711, 1700000 rows, no token"),
        ("job 0f6ad5e1-92a1-4d36-8f6f-123456789012", "job 0f6ad5e1-92a1-4d36-8f6f-123456789012"),
    ],
)
def test_secrets_and_people_stay_out_of_the_log_and_all_else_in_it(said, logged):
    assert veiled(said) == logged


@pytest.mark.django_db
def test_a_key_of_the_api_stays_out_of_the_log_though_its_beginning_does_not():
    key, secret = ApiKey.make(make_workspace(), "till")

    assert veiled(f"{key.prefix} is {secret}!") == f"{key.prefix} is ***!"


WORD = st.text("abzAZ09!#$%&'*+-/=?^_`{|}~üß", min_size=1, max_size=8)
DOMAIN = st.from_regex(r"[a-z]{2,8}\.[a-z]{2,5}", fullmatch=True)
AROUND = st.sampled_from([("", ""), ("<", ">"), ("(", ")"), ('"', '"'), (" to:", ","), ("\n", "\n"), ("[", "];")])


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(WORD, min_size=1, max_size=3),
    domain=st.from_regex(r"[a-z]{2,8}\.[a-z]{2,5}", fullmatch=True),
    around=AROUND,
)
def test_no_address_that_we_take_in_comes_through(words, domain, around):
    address = f"{'.'.join(words)}@{domain}"
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        assume(False)
    before, after = around

    assert veiled(f"x {before}{address}{after} y") == f"x {before}***{after} y"
    assert without_addresses(f"x {before}{address}{after} y") == f"x {before}***{after} y"


@settings(max_examples=100, deadline=None)
@given(number=st.from_regex(r"\+[1-9][0-9]{8,13}", fullmatch=True), around=AROUND)
def test_no_telephone_number_comes_through(number, around):
    before, after = around

    assert veiled(f"x {before}{number}{after} y") == f"x {before}***{after} y"
    assert "***" in veiled(f"x {before}{number[1:]}0{after} y")
