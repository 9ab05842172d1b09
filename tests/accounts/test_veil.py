"""What stands in an address and opens a door is not in the log."""

import logging

import pytest

from accounts.veil import WithoutAddresses, WithoutTokens


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/join/s3cret-token/", "/join/***/"),
        ("/password/new/MQ/c3x-5f00ba/", "/password/new/MQ/***/"),
        ("/u/e4fK2-a3-0123456789abcd", "/u/***"),
        ("/o/e4fK2-a3-0123456789abcd", "/o/***"),
        ("/people/", "/people/"),
    ],
)
def test_tokens_of_invitations_new_passwords_and_links_stay_out_of_the_log(path, logged):
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s %s in %d ms", ("GET", path, 5), None)

    assert WithoutTokens().filter(record)
    assert record.getMessage() == f"GET {logged} in 5 ms"


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Key (lower(email))=(ann.o'neil+x@bücher.example) exists", "Key (lower(email))=(***) exists"),
        ("550 <ann@example.com>: +254712345678 is unknown", "550 <***>: *** is unknown"),
        ("1+2 of worker@host at 2026-11-30T10:00:00+00:00", "1+2 of worker@host at 2026-11-30T10:00:00+00:00"),
    ],
)
def test_addresses_of_people_stay_out_of_the_log_and_of_its_tracebacks(said, logged):
    try:
        raise ValueError(said)
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", (said,), (ValueError, error, error.__traceback__))

    first, *_, last = WithoutAddresses("%(message)s").format(record).splitlines()

    assert (first, last) == (logged, f"ValueError: {logged}")
