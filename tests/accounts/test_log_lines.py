"""A log that people read, and one that programs read."""

import json
import logging
import sys

import pytest

from accounts import origin
from accounts.log_lines import Lines, Objects
from dispatcher import starting


def record_of(words: str, *values: object, **facts: object) -> logging.LogRecord:
    """As the handler gets it, with the error that is being caught."""
    error = sys.exc_info() if sys.exc_info()[0] else None
    record = logging.LogRecord("dispatcher.x", logging.ERROR, __file__, 1, words, values, error)
    vars(record).update(facts)
    assert origin.WithOrigin().filter(record)
    return record


def test_a_line_for_programs_is_one_object_that_says_when_and_what():
    record = record_of("batch %s\nis lost", 7, batch=7, campaign=3, workspace=None, request=object(), password="x")
    record.created = 1_796_000_000.5

    line = Objects().format(record)

    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-30T00:53:20.500Z",
        "level": "ERROR",
        "logger": "dispatcher.x",
        "message": "batch 7\nis lost",
        "batch": 7,
        "campaign": 3,
    }


@pytest.mark.parametrize("form", [Lines(), Objects()], ids=["lines", "json"])
def test_nobody_is_named_by_a_line_or_its_traceback(form):
    try:
        raise ValueError('550 <ann@example.com> "said" \u2028 +254712345678')
    except ValueError:
        line = form.format(record_of("to %s by %s", "ann@example.com", "Bearer abc", path="/u/s3cret-token"))

    assert "ValueError: 550" in line and "test_log_lines.py" in line
    for secret in ("ann@", "254712345678", "abc", "s3cret"):
        assert secret not in line


def test_no_stranger_writes_a_line_of_the_log_or_moves_its_cursor():
    forged = "/nope\n2026-11-30 07:00:00,000 CRITICAL forged\x1b[31m\r\x85\u2028\u202e"
    try:
        raise ValueError(forged)
    except ValueError:
        text = Lines().format(record_of("Not Found: %s", forged))

    first, *others = text.split("\n")
    assert first.endswith(r"/nope\n2026-11-30 07:00:00,000 CRITICAL forged\x1b[31m\r\x85\u2028\u202e")
    assert len(others) >= 4 and all(line.startswith("  ") for line in others)
    assert text.splitlines() == [first, *others] and text.replace("\n", "").isprintable()


def test_what_another_handler_kept_of_an_error_is_not_written_as_it_was():
    try:
        raise ValueError("no such person: ann@example.com")
    except ValueError:
        record = record_of("failed")
    logging.Formatter().format(record)

    assert "ann@" not in Lines().format(record)


def test_an_error_that_ends_a_process_is_in_the_log_like_any_other(caplog):
    caplog.handler.setFormatter(Objects())
    error = ValueError("no such person: ann@example.com")

    starting.log_the_end(ValueError, error, None)
    starting.log_the_end(KeyboardInterrupt, KeyboardInterrupt(), None)

    line = json.loads(caplog.handler.format(caplog.records[0]))
    assert (len(caplog.records), line["level"], line["message"]) == (1, "CRITICAL", "ended by ValueError")
    assert line["exception"] == "ValueError: no such person: ***"


def test_a_line_that_no_request_asked_for_says_at_what_work_it_was_written():
    with origin.working_at(job="j1", work="dispatch"), origin.working_at(campaign=7):
        record = record_of("lost")

    assert "[job j1 work dispatch campaign 7]: lost" in Lines().format(record)
    assert json.loads(Objects().format(record))["job"] == "j1"
    assert "[-]: idle" in Lines().format(record_of("idle"))
