"""Segments over the API: people described by rules, who are found anew each time somebody asks."""

from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import StrictFloat, StrictInt, StrictStr

from accounts.access import KeyRequest, may
from accounts.models import Workspace
from accounts.paging import Pagination, Paging, page_of
from accounts.unknown import numbered
from people import segments
from people.api import rows
from people.api.shapes import Change, CustomerOut, refuse_faults
from people.models import Segment
from people.search import COUNTED
from people.segment_builder import Builder, Row
from people.segment_fields import Asking, fields_of
from people.segment_rules import MOST_BLOCKS, MOST_RULES, Block, Fields, Rule, Rules, rules_in
from people.segment_sample import sample_of

router = Router(tags=["segments"])
MatchWord = Literal["all", "any"]


class RuleShape(Schema, extra="forbid"):
    """One comparison, in the words that GET /segments/fields tells."""

    field: str = Field(max_length=60)
    comparison: str = Field(max_length=40)
    value: StrictStr | StrictInt | StrictFloat | None = None


class BlockShape(Schema, extra="forbid"):
    match: MatchWord = Field("all", description="Whether all or any of its rules must hold.")
    rules: list[RuleShape] = Field(min_length=1, max_length=MOST_RULES)


class RulesShape(Schema, extra="forbid"):
    match: MatchWord = Field("all", description="Whether all or any of the blocks must hold.")
    blocks: list[BlockShape] = Field(min_length=1, max_length=MOST_BLOCKS)


class SavedSegmentIn(Schema, extra="forbid"):
    name: str
    rules: RulesShape


class SavedSegmentChange(Change):
    """Only what is given is changed; `rules` take the place of all that were there."""

    name: str | None = None
    rules: RulesShape | None = None


class SegmentRow(Schema):
    id: int
    name: str
    rules: RulesShape
    created_at: datetime
    updated_at: datetime


class SegmentOut(SegmentRow):
    sentence: str = Field(description="Whom it describes: People whose location is “Nairobi”.")
    faults: list[str] = Field(description="What it asks for and cannot be asked any more.")


class SegmentPage(Schema):
    data: list[SegmentRow]
    pagination: Pagination


class RulesIn(Schema, extra="forbid"):
    rules: RulesShape


class CountOut(Schema):
    sentence: str
    people: int | None = Field(description=f"Counted up to {COUNTED + 1:,}; null where counting takes too long.")
    sample: list[CustomerOut] = Field(description="Some of them, the newest.")


class FieldChoice(Schema):
    value: str | int
    label: str


class ComparisonOut(Schema):
    comparison: str
    label: str
    value: str = Field(description="What it is compared with: text, number, date, days, choice, or empty: nothing.")


class FieldOut(Schema):
    field: str
    label: str
    comparisons: list[ComparisonOut]
    choices: list[FieldChoice] = Field(description="Of a field that is compared with a choice; at most 500.")


@router.get("segments/fields", response=list[FieldOut], summary="What rules can ask of a person")
@may("read")
def list_segment_fields(request: KeyRequest) -> list[dict[str, Any]]:
    asking = Asking(request.workspace, timezone.now())
    return [field_row(field, asking) for field in fields_of(request.workspace).values()]


def field_row(field: Any, asking: Asking) -> dict[str, Any]:
    comparisons = [
        {"comparison": each.word, "label": each.label, "value": each.kind.input} for each in field.comparisons.values()
    ]
    choices = [{"value": value, "label": label} for value, label in field.choices(asking)]
    return {"field": field.key, "label": field.label, "comparisons": comparisons, "choices": choices}


@router.post("segments", response={201: SegmentOut}, summary="Save a segment")
@may("write")
def save_segment(request: KeyRequest, segment: SavedSegmentIn) -> Status[dict[str, Any]]:
    rules = checked(request.workspace, "segment", segment.rules)
    added = segments.add_segment(request.workspace, by=request.auth, name=segment.name, rules=rules)
    return Status(201, shown(added))


@router.get("segments", response=SegmentPage, summary="List segments, newest first")
@may("read")
def list_segments(request: KeyRequest, asked: Query[Paging]) -> dict[str, Any]:
    found, pagination = page_of(request.workspace.segments.all(), asked)
    return {"data": found, "pagination": pagination}


@router.post("segments/count", response=CountOut, summary="Count whom rules describe")
@may("write")
def count_rules(request: KeyRequest, asked: RulesIn) -> dict[str, Any]:
    """Keeps nothing."""
    return counted(request.workspace, checked(request.workspace, "asked", asked.rules))


@router.get("segments/{segment_id}", response=SegmentOut, summary="Look at a segment")
@may("read")
def show_segment(request: KeyRequest, segment_id: int) -> dict[str, Any]:
    return shown(segment_of(request, segment_id))


@router.get("segments/{segment_id}/count", response=CountOut, summary="Count whom a segment describes now")
@may("read")
def count_segment(request: KeyRequest, segment_id: int) -> dict[str, Any]:
    """GET /customers?segment_id= lists them."""
    segment = segment_of(request, segment_id)
    segments.refuse_broken([segment])
    return counted(request.workspace, rules_in(segment.rules))


@router.patch("segments/{segment_id}", response=SegmentOut, summary="Change a segment")
@may("write")
def change_segment(request: KeyRequest, segment_id: int, segment: SavedSegmentChange) -> dict[str, Any]:
    """Its rules stay as they are while a campaign to it is being prepared (409)."""
    known = segment_of(request, segment_id)
    rules = checked(request.workspace, "segment", segment.rules) if segment.rules else rules_in(known.rules)
    name = known.name if segment.name is None else segment.name
    segments.change_segment(known, by=request.auth, name=name, rules=rules)
    return shown(segment_of(request, segment_id))


@router.post("segments/{segment_id}/duplicate", response={201: SegmentOut}, summary="Copy a segment")
@may("write")
def duplicate_segment(request: KeyRequest, segment_id: int) -> Status[dict[str, Any]]:
    copy = segments.duplicate_segment(segment_of(request, segment_id), by=request.auth)
    return Status(201, shown(segment_of(request, copy.pk)))


@router.delete("segments/{segment_id}", response={204: None}, summary="Delete a segment; its people stay")
@may("write")
def delete_segment(request: KeyRequest, segment_id: int) -> Status[None]:
    """Refused (409) while a campaign that is still to be sent goes to it."""
    segments.delete_segment(segment_of(request, segment_id), by=request.auth)
    return Status(204, None)


def segment_of(request: KeyRequest, number: int) -> Segment:
    return numbered(request.workspace.segments.select_related("workspace"), "Segment", number)


def checked(workspace: Workspace, body: str, said: RulesShape) -> Rules:
    """The rules as they are kept. Raises ValidationError that names each rule that cannot be asked."""
    builder = built(
        workspace,
        Rules(
            said.match,
            tuple(
                Block(block.match, tuple(Rule(r.field, r.comparison, r.value) for r in block.rules))
                for block in said.blocks
            ),
        ),
    )
    rules = builder.rules()
    refuse_faults(
        body,
        {
            f"rules.blocks.{b}.rules.{r}": fault_of(row, builder.fields)
            for b, part in enumerate(builder.parts)
            for r, row in enumerate(part.rows)
            if row.error
        },
    )
    assert rules is not None  # noqa: S101 - it has no faults
    return rules


def fault_of(row: Row, fields: Fields) -> str:
    """A program did not choose from a list: it is told what there is not, and what there is."""
    known = fields.get(row.field)
    if known is None:
        return f"There is no field “{row.field}”; GET /segments/fields lists them."
    if row.comparison not in known.comparisons:
        return f"“{row.field}” has no comparison “{row.comparison}”; it has {', '.join(known.comparisons)}."
    return row.error


def built(workspace: Workspace, rules: Rules) -> Builder:
    return Builder.of(Asking(workspace, timezone.now()), fields_of(workspace), rules)


def counted(workspace: Workspace, rules: Rules) -> dict[str, Any]:
    sample = sample_of(built(workspace, rules))
    return {"sentence": sample.sentence, "people": sample.number, "sample": rows.customers(sample.people)}


def shown(segment: Segment) -> dict[str, Any]:
    as_it_is = {field: getattr(segment, field) for field in SegmentRow.model_fields}
    as_it_is["id"] = segment.pk
    return as_it_is | {"sentence": segments.sentence_of(segment), "faults": segments.faults_of(segment)}
