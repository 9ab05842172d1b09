"""Whether the suppression list can still be read."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from people.models import SuppressionKey
from people.suppression import WrongKey, is_the_key


@register(Tags.database)
def suppression_key_is_the_one(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """With another key nobody on the list would be known, and all of them be written to again."""
    if "default" not in (databases or ()):
        return []
    if SuppressionKey._meta.db_table not in connections["default"].introspection.table_names():
        return []  # before the first migration
    if is_the_key():
        return []
    return [Error(str(WrongKey()), id="people.E001")]
