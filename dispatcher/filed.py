"""What a file of messages holds of one person, read out of it line by line."""

import json
import re
from collections.abc import Iterator
from zipfile import ZipFile

from django.db.models import Model

from campaigns.models import Campaign
from dispatcher import file_place
from dispatcher.message_files import PARTS, Damaged, lines_of
from dispatcher.models import Attempt, Message
from people.models import Recipient

MESSAGES, ATTEMPTS = PARTS[:2]
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
MEANT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def filed_for(person: Recipient, campaign: Campaign) -> tuple[Message, list[Attempt]] | None:
    """The person's message of a campaign that was moved to a file, with its attempts.

    None if there was none. Raises Damaged or OSError, also when the file is not here.
    """
    file = file_place.kept(campaign)
    if file is None:
        raise Damaged("its messages were moved to a file that is not on record")
    if wrong := file_place.wrong_with(file):
        raise Damaged(wrong)
    with ZipFile(file_place.path_of(file)) as content:
        message = next(_rows(content, MESSAGES.member, Message, "recipient_id", person.pk), None)
        if message is None:
            return None
        attempts = list(_rows(content, ATTEMPTS.member, Attempt, "message_id", message.pk))
    message.campaign, message.recipient = campaign, person
    return message, attempts


def _rows(content: ZipFile, member: str, model: type[Model], column: str, number: int) -> Iterator:
    """The rows with this number in this column, as the model has them; they are not in the tables."""
    part = next(part for part in PARTS if part.member == member)
    wanted = str(number).encode()
    with lines_of(content, part) as (columns, lines):
        place = columns.index(column)
        for line in lines:
            cells = line.rstrip(b"\n").split(b"\t")
            if cells[place] == wanted:
                yield model(**{name: _value(model, name, cell) for name, cell in zip(columns, cells, strict=True)})


def _value(model: type[Model], name: str, cell: bytes) -> object:
    """As PostgreSQL copies it: \\N is null, and what would end a cell or a line is escaped."""
    if cell == b"\\N":
        return None
    text = ESCAPED.sub(lambda found: MEANT.get(found[1], found[1]), cell).decode()
    field = next(field for field in model._meta.concrete_fields if field.column == name)
    return json.loads(text) if field.get_internal_type() == "JSONField" else field.to_python(text)
