"""Whom the rows of a segment describe while it is being built: a sentence, a count, and some of them."""

from dataclasses import dataclass, field

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from people.models import Recipient
from people.search import counted
from people.segment_builder import Builder

SHOWN = 5
SECONDS = 3  # a count nobody waits for any longer must not keep the database busy


@dataclass
class Sample:
    """What is known of them; `errors` where the rows are wrong, no `count` where it took too long."""

    sentence: str = ""
    count: str = ""
    people: list[Recipient] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def sample_of(builder: Builder) -> Sample:
    rules = builder.rules()
    if rules is None:
        return Sample(errors=list(dict.fromkeys(builder.errors)))
    people = builder.asking.workspace.recipients.filter(rules.matching(builder.asking, builder.fields))
    sample = Sample(rules.sentence(builder.asking, builder.fields))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{SECONDS}s'")
            sample.count, sample.people = counted(people), list(people.order_by("-pk")[:SHOWN])
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
    return sample
