"""What stands in an address and opens a door is not in the log."""

import logging

import pytest

from accounts.veil import WithoutTokens


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/join/s3cret-token/", "/join/***/"),
        ("/password/new/MQ/c3x-5f00ba/", "/password/new/MQ/***/"),
        ("/people/", "/people/"),
    ],
)
def test_tokens_of_invitations_and_new_passwords_stay_out_of_the_log(path, logged):
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s %s in %d ms", ("GET", path, 5), None)

    assert WithoutTokens().filter(record)
    assert record.getMessage() == f"GET {logged} in 5 ms"
