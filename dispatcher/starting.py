"""What every process looks at before it begins."""

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.db import OperationalError


def check_database(command: BaseCommand) -> None:
    """Raises SystemCheckError, with a sentence that says what to set.

    A database that does not answer yet is no fault of ours: it is waited for as it is later on.
    """
    try:
        command.check(tags=[Tags.database], databases=["default"])
    except OperationalError as error:
        command.stderr.write(f"The database does not answer yet: {error}")
