"""The suppression list over the API: whom the workspace does not write to, whatever else anybody does."""

from datetime import datetime
from typing import Any, Literal

from django.http import StreamingHttpResponse
from ninja import Field, Query, Router, Schema, Status

from accounts import audit_log
from accounts.access import KeyRequest, may
from accounts.paging import Pagination, Paging, page_of
from accounts.unknown import numbered
from people import suppression, suppression_lists
from people.addresses import InvalidAddress
from people.api.shapes import a_file, refuse_faults
from people.models import Suppression
from people.plain import NotPlain, plain
from people.suppression_lists import MOST_LINES, digest_asked, normal_address

router = Router(tags=["suppression list"])
ReasonWord = Literal["erased", "complained", "bounced", "imported", "added", "stopped", "opted_out"]
A_LIST = a_file("The list, as an import takes it.", "address,digest,reason,note,since_utc")


class NotKept(Exception):
    """Only who knows the address can take the entry off."""

    def __init__(self) -> None:
        super().__init__("The address of this entry is not kept: POST /suppressions/release with the address.")


class SuppressionIn(Schema, extra="forbid"):
    address: str = Field(max_length=320, description="An email address or a phone number.")
    note: str = Field("", description="Why.")


class AddressIn(Schema, extra="forbid"):
    address: str = Field(max_length=320)


class ListIn(Schema, extra="forbid"):
    lines: list[str] = Field(
        max_length=MOST_LINES, description="Addresses, or digests of addresses, as an export of the list has them."
    )


class SuppressionOut(Schema):
    id: int
    address: str = Field(description="Empty where it is not kept.")
    digest: str = Field(description="Tells the address from every other one, and nothing else.")
    is_phone: bool | None
    reason: ReasonWord
    note: str
    by: str = Field(description="A person; empty for a key, which the audit log names, and for what came by itself.")
    created_at: datetime


class SuppressionPage(Schema):
    data: list[SuppressionOut]
    pagination: Pagination


class RefusedLine(Schema):
    line: int
    text: str
    fault: str


class BroughtOut(Schema):
    """Each line is in one of these."""

    added: int
    known: int
    refused: list[RefusedLine]


class Released(Schema):
    released: bool = Field(description="Whether it was on the list.")


class AskedSuppressions(Paging):
    address: str = Field("", max_length=320, description="An address, or its digest.")


@router.post("suppressions", response={200: SuppressionOut, 201: SuppressionOut}, summary="Write to an address no more")
@may("manage")
def suppress_address(request: KeyRequest, entry: SuppressionIn) -> Status[dict[str, Any]]:
    """200 where it was on the list before."""
    address, note = checked(request, entry.address, entry.note)
    reason = Suppression.Reason.ADDED
    is_new = suppression.suppress(request.workspace, address, reason=reason, by=request.auth, note=note)
    row = request.workspace.suppressions.get(digest=suppression.digest_of(address))
    return Status(201 if is_new else 200, shown(row))


@router.get("suppressions", response=SuppressionPage, summary="List whom nobody writes to, newest first")
@may("manage")
def list_suppressions(request: KeyRequest, asked: Query[AskedSuppressions]) -> dict[str, Any]:
    rows = request.workspace.suppressions.select_related("by")
    if asked.address:
        rows = rows.filter(digest=digest_asked(asked.address, request.workspace.region) or b"")
    found, pagination = page_of(rows, asked)
    return {"data": [shown(row) for row in found], "pagination": pagination}


@router.get("suppressions/export", summary="Take the list along as CSV", openapi_extra=A_LIST)
@may("manage")
def export_suppressions(request: KeyRequest) -> StreamingHttpResponse:
    audit_log.record(request.workspace, "export_suppressions", request.workspace, by=request.auth)
    pieces = suppression_lists.written(request.workspace)
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")


@router.post("suppressions/import", response=BroughtOut, summary="Bring a list of addresses nobody writes to")
@may("manage")
def import_suppressions(request: KeyRequest, listed: ListIn) -> dict[str, Any]:
    source = "\n".join(" ".join(line.splitlines()) for line in listed.lines)
    brought = suppression_lists.bring_in(request.workspace, source, by=request.auth)
    refused = [{"line": line.number, "text": line.text, "fault": line.sentence} for line in brought.refused]
    return {"added": brought.added, "known": brought.known, "refused": refused}


@router.post("suppressions/release", response=Released, summary="Take an address off the list")
@may("manage")
def release_address(request: KeyRequest, entry: AddressIn) -> dict[str, bool]:
    """Also one that is not kept."""
    address, _ = checked(request, entry.address)
    return {"released": suppression.release(request.workspace, address, by=request.auth)}


@router.delete("suppressions/{suppression_id}", response={204: None}, summary="Take an entry off the list")
@may("manage")
def release_suppression(request: KeyRequest, suppression_id: int) -> Status[None]:
    """Refused (409) where its address is not kept."""
    row = numbered(request.workspace.suppressions, "Suppression", suppression_id)
    if not row.address:
        raise NotKept
    suppression.release(request.workspace, row.address, by=request.auth)
    return Status(204, None)


def checked(request: KeyRequest, address: str, note: str = "") -> tuple[str, str]:
    """Both as they are stored. Raises ValidationError that names the field."""
    field = "address"
    try:
        normal = normal_address(address, request.workspace.region)
        field = "note"
        return normal, plain(note, "The note", at_most=300)
    except (InvalidAddress, NotPlain) as fault:
        refuse_faults("entry", {field: str(fault)})
        raise


def shown(row: Suppression) -> dict[str, Any]:
    return {
        "id": row.pk,
        "address": row.address,
        "digest": bytes(row.digest).hex(),
        "is_phone": row.is_phone,
        "reason": row.Reason(row.reason).name.lower(),
        "note": row.note,
        "by": str(row.by or ""),
        "created_at": row.created_at,
    }
