"""What a program says of the columns of a list before anybody has looked at it, made out once the list is here."""

from collections.abc import Collection, Sequence

from accounts.models import Workspace
from people.attributes import MOST_NAMES, is_attribute_name, room_for
from people.columns import ALIASES, COLUMNS, LOOKS, NOT_READ, Mapping, guessed, guessed_boldly, with_titles
from people.plain import NotPlain, shown
from people.sheet import Record, UnreadableSheet

TITLES_TOLD = 20


def checked_column(word: str) -> str:
    """A field, the name of an attribute, LOOKS or NOT_READ. Raises NotPlain."""
    word = word.strip().lower()
    column = COLUMNS.get(word, word)
    if column in (*ALIASES, LOOKS, NOT_READ) or is_attribute_name(column):
        return column
    raise NotPlain(
        f"“{shown(word, at_most=60)}” is neither a field nor the name of an attribute, which has small letters and"
        " underscores, at most 40."
    )


def checked_columns(words: Sequence[str]) -> list[str]:
    """Each as `checked_column`, and no field said of two. Raises NotPlain."""
    columns = [checked_column(word) for word in words]
    twice = [column for column in columns if column not in (LOOKS, NOT_READ) and columns.count(column) > 1]
    if twice:
        raise NotPlain(f"Two columns are said to be {twice[0]}; choose one of them.")
    return columns


def mapping_said(first: Sequence[Record], titles: Sequence[str], columns: Sequence[str]) -> Mapping:
    """The columns of a list that begins so: those with these titles, or all from the left where no titles are said.

    What is not said is guessed. Raises UnreadableSheet.
    """
    if not columns:
        return guessed(first)
    known = guessed_boldly(first)
    if titles:
        known = _by_titles(known if known.has_titles else with_titles(first), dict(zip(titles, columns, strict=True)))
    else:
        known = Mapping([*columns], known.titles)
    if not {"email", "phone", LOOKS} & set(known.columns):
        raise UnreadableSheet("Say which column has the email addresses or the phone numbers.")
    return known


def _by_titles(known: Mapping, said: dict[str, str]) -> Mapping:
    here = {title.strip().lower(): place for place, title in reversed([*enumerate(known.titles)])}
    columns = [NOT_READ if _is_said(column, said.values()) else column for column in known.columns]
    for title, column in said.items():
        place = here.get(title.strip().lower())
        if place is None:
            titles = ", ".join(f"“{each}”" for each in known.titles[:TITLES_TOLD])
            raise UnreadableSheet(f"The list has no column “{shown(title, at_most=60)}”; it has {titles}.")
        columns[place] = column
    return Mapping(columns, known.titles)


def _is_said(column: str, said: Collection[str]) -> bool:
    """Whether it was guessed of one column and is said of another."""
    return column not in (LOOKS, NOT_READ) and column in said


def with_room(workspace: Workspace, mapping: Mapping) -> tuple[Mapping, set[str]]:
    """The mapping without the attributes there is no room for any more, and these."""
    too_many = mapping.attributes - room_for(workspace, mapping.attributes)
    return mapping.without(too_many), too_many


def note_of(mapping: Mapping, too_many: Collection[str] = ()) -> str:
    """What of the list is not read, for whoever looks at the import."""
    note = f"Columns not read: {', '.join(mapping.not_read)}. " if mapping.not_read else ""
    note += f"A workspace has at most {MOST_NAMES} free attributes." if too_many else ""
    return shown(note, at_most=300)
