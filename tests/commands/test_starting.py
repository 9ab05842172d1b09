"""With the wrong key of the suppression list no process begins: nobody on it would be known."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from people.models import Suppression
from people.suppression import suppress
from tests.dispatcher.shift import database_url
from tests.make import make_workspace


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "words", [["serve", "--port", "1"], ["worker", "dispatch"], ["clock"]], ids=lambda words: words[0]
)
def test_no_process_starts_with_another_key_than_the_list_was_made_with(words):
    suppress(make_workspace(), "ann@example.com", reason=Suppression.Reason.BOUNCED, by=None)

    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "SUPPRESSION_KEY": "another"},
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 1
    assert "SUPPRESSION_KEY is not the one" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("LOG_LEVEL", "Write one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
        ("LOG_FORMAT", "Write lines, for people, or json, for programs."),
    ],
)
def test_a_log_that_cannot_be_as_it_is_asked_for_is_refused_with_what_can(name, sentence):
    said = subprocess.run(
        [sys.executable, "-c", "import dispatcher.settings"],
        cwd=settings.BASE_DIR,
        env=os.environ | {name: "loud"},
        capture_output=True,
        text=True,
        timeout=30,
    ).stderr

    assert name in said and sentence in said
