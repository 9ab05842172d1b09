"""What every process looks at before it begins, and that nothing it says bypasses the log."""

import logging
import sys
import threading
from types import TracebackType

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.db import OperationalError

logger = logging.getLogger(__name__)


def begin(command: BaseCommand) -> None:
    """Raises SystemCheckError, with a sentence that says what to set.

    A database that does not answer yet is no fault of ours: it is waited for as it is later on.
    """
    log_all()
    try:
        command.check(tags=[Tags.database], databases=["default"])
    except OperationalError as error:
        logger.warning("The database does not answer yet: %s", error)


def log_all() -> None:
    """Warnings and errors that nobody catches go into the log, too: in its form, and veiled."""
    logging.captureWarnings(True)
    sys.excepthook = log_the_end
    threading.excepthook = lambda about: log_the_end(about.exc_type, about.exc_value, about.exc_traceback)


def log_the_end(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    # What a person at a keyboard or a supervisor asked for is no error.
    if error is not None and not issubclass(kind, KeyboardInterrupt | SystemExit):
        logger.critical("ended by %s", kind.__name__, exc_info=(kind, error, trace))
