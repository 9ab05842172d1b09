"""What a segment may ask of a person: each field with its comparisons, compiled to parameters and told in words.

Floors above add fields of what they know about people: `register` is called when the house is opened.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Case, CharField, Exists, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models import F as Column
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Lower, StrIndex
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual, Regex

from accounts.models import Workspace
from people.channels import Channel
from people.consent import reached_on, refuses
from people.models import MEMBERSHIP
from people.segment_values import DAY, DAYS, NOTHING, NUMBER, ROW, TEXT, WORD, Kind

CHOICES_SHOWN = 500
A_NUMBER = r"^-?[0-9]+([.][0-9]+)?$"


@dataclass
class Asking:
    """Whose people are asked about, and as of when; remembers the names it looked up."""

    workspace: Workspace
    now: datetime
    names: dict[tuple[str, Any], str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """How a field is compared. `words` is the clause of the sentence, with {} where the value stands."""

    word: str
    label: str
    kind: Kind
    words: str


class Field:
    """Something that can be asked of every person."""

    shelf = "About the person"
    one_of: tuple[Comparison, ...] = ()

    def __init__(self, key: str, label: str) -> None:
        self.key, self.label = key, label

    @property
    def comparisons(self) -> dict[str, Comparison]:
        return {comparison.word: comparison for comparison in self.one_of}

    def choices(self, asking: Asking, chosen: Any = None) -> list[tuple[Any, str]]:
        """What can be chosen as the value, where it is chosen; the one chosen now among them."""
        return []

    def fault(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        """Why this can no longer be asked, in a sentence; empty if it can."""
        return ""

    def told(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        """The clause of the sentence: whose location is “Nairobi”."""
        return comparison.words.format(comparison.kind.words(value), noun=self.label.lower())

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        raise NotImplementedError


class TextField(Field):
    """A text everybody may have, compared without regard to capital letters."""

    one_of: tuple[Comparison, ...] = (
        Comparison("is", "is", TEXT, "whose {noun} is {}"),
        Comparison("is_not", "is not", TEXT, "whose {noun} is not {}"),
        Comparison("contains", "contains", TEXT, "whose {noun} contains {}"),
        Comparison("lacks", "does not contain", TEXT, "whose {noun} does not contain {}"),
        Comparison("begins", "begins with", TEXT, "whose {noun} begins with {}"),
        Comparison("known", "is known", NOTHING, "whose {noun} is known"),
        Comparison("unknown", "is not known", NOTHING, "whose {noun} is not known"),
    )

    def text(self) -> Any:
        return Column(self.key)

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        # Both sides are lowered by the database, so that any value at least equals itself.
        mine, given = Lower(self.text()), Lower(Value(value or "", CharField()))
        empty = Q(Exact(self.text(), Value("", CharField())))
        if word in ("known", "unknown"):
            return ~empty if word == "known" else empty
        if word in ("is", "is_not"):
            found = Q(Exact(mine, given))
        elif word == "begins":
            found = Q(Exact(StrIndex(mine, given), Value(1)))
        else:
            found = Q(GreaterThan(StrIndex(mine, given), Value(0)))
        return ~found if word in ("is_not", "lacks") else found


class AddressField(TextField):
    one_of = (
        *TextField.one_of[:5],
        Comparison("known", "is known", NOTHING, "who have {noun}"),
        Comparison("unknown", "is not known", NOTHING, "who have no {noun}"),
    )

    def told(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        noun = self.label.lower()
        has = f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
        noun = has if comparison.word == "known" else noun
        return comparison.words.format(comparison.kind.words(value), noun=noun)


class AttributeField(TextField):
    """A free attribute: a text, or a number where it looks like one."""

    shelf = "Your own attributes"
    one_of = (
        *TextField.one_of,
        Comparison("above", "is more than", NUMBER, "whose {noun} is more than {}"),
        Comparison("at_least", "is at least", NUMBER, "whose {noun} is at least {}"),
        Comparison("below", "is less than", NUMBER, "whose {noun} is less than {}"),
        Comparison("at_most", "is at most", NUMBER, "whose {noun} is at most {}"),
    )
    NUMERIC = {"above": GreaterThan, "at_least": GreaterThanOrEqual, "below": LessThan, "at_most": LessThanOrEqual}

    def __init__(self, name: str) -> None:
        super().__init__(f"attribute:{name}", name)
        self.name = name

    def text(self) -> Any:
        return Coalesce(KeyTextTransform(self.name, "attributes"), Value(""), output_field=CharField())

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        if word not in self.NUMERIC:
            return super().matching(asking, word, value)
        looks_right = Q(Regex(self.text(), Value(A_NUMBER, CharField())))
        number = Case(When(looks_right, then=Cast(self.text(), FloatField())), default=None)
        # What is no number is on neither side, also where a rule is turned round.
        return Q(Coalesce(self.NUMERIC[word](number, Value(float(value))), Value(False)))


class GroupField(Field):
    shelf = "Groups and consent"
    one_of = (
        Comparison("in", "is in", ROW, "who are in {}"),
        Comparison("not_in", "is not in", ROW, "who are not in {}"),
    )

    def choices(self, asking: Asking, chosen: Any = None) -> list[tuple[Any, str]]:
        return list(asking.workspace.groups.values_list("pk", "name")[:CHOICES_SHOWN])

    def fault(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        name = name_of(asking, "group", asking.workspace.groups.all(), value)
        return "" if name else "It asks for a group that was deleted."

    def told(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        name = name_of(asking, "group", asking.workspace.groups.all(), value)
        return comparison.words.format(f"“{name}”" if name else "a group that was deleted")

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        members = Q(Exists(MEMBERSHIP.objects.filter(group=value, recipient=OuterRef("pk"))))
        return members if word == "in" else ~members


class ConsentField(Field):
    shelf = "Groups and consent"
    one_of = (
        Comparison("takes", "takes messages by", WORD, "who take messages by {}"),
        Comparison("refuses", "does not want messages by", WORD, "who do not want messages by {}"),
        Comparison("reached", "can be reached by", WORD, "who can be reached by {}"),
        Comparison("unreached", "cannot be reached by", WORD, "who cannot be reached by {}"),
    )

    def choices(self, asking: Asking, chosen: Any = None) -> list[tuple[Any, str]]:
        return [(channel.word, channel.label) for channel in Channel]

    def fault(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        return "" if value in dict(self.choices(asking)) else "It asks for a channel that does not exist."

    def told(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        return comparison.words.format(dict(self.choices(asking)).get(value, "an unknown channel"))

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        channel = Channel[value.upper()]
        found = refuses(channel) if word in ("takes", "refuses") else reached_on(channel)
        return ~found if word in ("takes", "unreached") else found


class DateField(Field):
    """When something happened to the person's row, by the days of the workspace's zone."""

    one_of = (
        Comparison("before", "before", DAY, "who were {noun} before {}"),
        Comparison("since", "on or after", DAY, "who were {noun} on or after {}"),
        Comparison("within", "in the last … days", DAYS, "who were {noun} in the last {}"),
        Comparison("not_within", "not in the last … days", DAYS, "who were not {noun} in the last {}"),
    )

    def __init__(self, key: str, label: str, noun: str) -> None:
        super().__init__(key, label)
        self.noun = noun

    def told(self, asking: Asking, comparison: Comparison, value: Any) -> str:
        return comparison.words.format(comparison.kind.words(value), noun=self.noun)

    def matching(self, asking: Asking, word: str, value: Any) -> Q:
        if word in ("before", "since"):
            day = datetime.fromisoformat(value).date()
            moment = datetime.combine(day, time(), asking.workspace.zone)
        else:
            moment = asking.now - timedelta(days=value)
        since = Q(**{f"{self.key}__gte": moment})
        return since if word in ("since", "within") else ~since


def name_of(asking: Asking, kind: str, rows: QuerySet, pk: Any) -> str | None:
    """The name of the row, looked up once; None if it is not among these rows."""
    if (kind, pk) not in asking.names:
        asking.names[kind, pk] = rows.filter(pk=pk).values_list("name", flat=True).first()
    return asking.names[kind, pk]


STANDARD = (
    TextField("first_name", "First name"),
    TextField("last_name", "Last name"),
    TextField("location", "Location"),
    TextField("preferred_product", "Preferred product"),
    AddressField("email", "Email address"),
    AddressField("phone", "Phone number"),
    GroupField("group", "Group"),
    ConsentField("consent", "Consent"),
    DateField("created_at", "Added", "added"),
    DateField("updated_at", "Last changed", "changed"),
)
_registered: dict[str, Field] = {}


def register(*fields: Field) -> None:
    """Let segments ask this, too."""
    _registered.update({each.key: each for each in fields})


def fields_of(workspace: Workspace) -> dict[str, Field]:
    """All that can be asked of the people of this workspace, by key."""
    names = workspace.attribute_names.order_by("name").values_list("name", flat=True)
    fields = [*STANDARD, *map(AttributeField, names), *_registered.values()]
    return {each.key: each for each in fields}
