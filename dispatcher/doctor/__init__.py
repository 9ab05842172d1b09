"""The doctor: looks at everything an installation needs, each thing by itself, and says what is wrong with it."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial

from django.db import ProgrammingError, connection

from dispatcher.doctor import configuration, database, files, ledger, machine, redis, work
from dispatcher.doctor.finding import Finding, Note, Problem
from dispatcher.health import Question

PATIENCE = 2.5  # seconds for one look; what hangs must not hide the rest
DATABASE, REDIS = "the database", "Redis"


@dataclass(frozen=True)
class Examination:
    """One look at one thing; `needs` names the one that has to be well before it can be looked at."""

    of: str
    look: Callable[[], Iterable[Finding]]
    needs: str = ""


EXAMINATIONS = (
    Examination("the settings", configuration.settings_make_sense),
    Examination("safety", configuration.is_safe),
    Examination("addresses and HTTPS", configuration.can_be_reached),
    Examination("mail", configuration.mail_goes_out),
    Examination("disks", machine.has_room),
    Examination("open files", machine.can_hold_connections),
    Examination("static files", machine.has_static_files),
    Examination(DATABASE, database.answers),
    Examination(REDIS, redis.answers),
    Examination("the state of the database", database.is_fit, DATABASE),
    Examination("the pooler", database.is_pooled_as_said, DATABASE),
    Examination("the time of the database", database.agrees_on_the_time, DATABASE),
    Examination("the migrations", database.is_migrated, DATABASE),
    Examination("the accounts", ledger.somebody_can_log_in, DATABASE),
    Examination("the senders", ledger.senders_are_set_up, DATABASE),
    Examination("the batches", ledger.batches_are_taken, DATABASE),
    Examination("what waits to start", ledger.held_ones_are_started, DATABASE),
    Examination("the suppression list", ledger.suppression_list_is_known, DATABASE),
    Examination("the files of messages", files.are_in_place, DATABASE),
    Examination("the erased", files.are_without_the_erased, DATABASE),
    Examination("the audit log", ledger.log_is_whole, DATABASE),
    Examination("the clock", work.clock_ticks, DATABASE),
    Examination("the workers", work.workers_work, REDIS),
)


def examine() -> list[Finding]:
    """What is to be said of everything, problems first."""
    found: dict[str, list[Finding]] = {}
    for round_ in ([e for e in EXAMINATIONS if not e.needs], [e for e in EXAMINATIONS if e.needs]):
        able = [e for e in round_ if not is_ill(found.get(e.needs, []))]
        asked = {e: Question(partial(findings_of, e)).put() for e in able}
        wait(asked.values(), timeout=PATIENCE)
        found |= {e.of: answer(e, future) for e, future in asked.items()}
    found |= {need: [*found[need], not_looked_at(need, found)] for need in (DATABASE, REDIS) if is_ill(found[need])}
    return sorted((finding for findings in found.values() for finding in findings), key=lambda f: isinstance(f, Note))


def findings_of(examination: Examination) -> list[Finding]:
    """In a thread of its own, with a database connection of its own."""
    try:
        return list(examination.look())
    except ProgrammingError:  # a table or column is missing; the migrations say so
        return [Note(f"{named(examination)} cannot be looked at before the database is migrated.")]
    except Exception as error:
        return [Problem(f"{named(examination)} cannot be looked at: {type(error).__name__}: {first_line(error)}")]
    finally:
        connection.close()


def answer(examination: Examination, asked: Future) -> list[Finding]:
    if asked.done():
        return asked.result()
    return [Problem(f"{named(examination)}: no answer within {PATIENCE:g} seconds.", "Something hangs; see its log.")]


def not_looked_at(need: str, found: dict[str, list[Finding]]) -> Note:
    left = [e.of for e in EXAMINATIONS if e.needs == need and e.of not in found]
    return Note(f"Not looked at while {need} is out of order: {', '.join(left)}.")


def is_ill(findings: Iterable[Finding]) -> bool:
    return any(isinstance(finding, Problem) for finding in findings)


def named(examination: Examination) -> str:
    return examination.of[0].upper() + examination.of[1:]


def first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
