"""Pictures over the API: taken in, listed, described and deleted."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from ninja import Field, File, Form, Query, Router, Schema, Status, UploadedFile

from accounts.access import KeyRequest, may
from accounts.paging import Pagination, Paging, page_of
from accounts.unknown import numbered
from campaigns import images
from campaigns.models import Image
from campaigns.pictures import MOST_BYTES, NotAPicture, megabytes
from people.api.shapes import Change
from people.plain import plain

router = Router(tags=["images"])


class Described(Schema):
    """Beside the file."""

    alt: str = Field("", description="The text for those who do not see it.")


class ImageChange(Change):
    """Only what is given is changed; mails that show it already keep the words they have."""

    name: str | None = None
    alt: str | None = None


class ImageOut(Schema):
    id: int
    name: str
    alt: str
    format: Literal["jpeg", "png", "gif"]
    width: int
    height: int
    bytes: int
    address: str = Field(description="What a mail names it by; it never changes.")
    added_at: datetime


class UsesOut(Schema):
    """The first of each, by their names."""

    kept_by: list[str] = Field(description="What was sent or goes out by itself, and keeps it from being deleted.")
    drafts: list[str] = Field(description="Drafts that would show a gap without it.")
    templates: list[str] = Field(description="Templates that would show a gap without it.")


class ImagePage(Schema):
    data: list[ImageOut]
    pagination: Pagination


class AskedImages(Paging):
    q: str = Field("", description="Words of its name or its text.")


class Despite(Schema):
    even_if_used: bool = Field(False, description="Although drafts or templates show it.")


@router.post("images", response={201: ImageOut}, summary="Add a picture")
@may("write")
def add_image(request: KeyRequest, form: Form[Described], file: File[UploadedFile]) -> Status[dict[str, Any]]:
    """JPEG, PNG, GIF or WebP, drawn anew. If the same was sent in before, the one that is here already."""
    if (file.size or 0) > MOST_BYTES:
        raise NotAPicture(f"It has {megabytes(file.size or 0)}; {megabytes(MOST_BYTES)} is the most.")
    alt = plain(form.alt, "The text", at_most=images.LONGEST_ALT, field="alt")  # before anything is kept
    added = images.add_image(request.workspace, by=request.auth, name=file.name or "", data=file.read())
    if alt:
        describe(request, added, {"alt": alt})
    return Status(201, shown(image_of(request, added.pk)))


@router.get("images", response=ImagePage, summary="List pictures, newest first")
@may("read")
def list_images(request: KeyRequest, asked: Query[AskedImages]) -> dict[str, Any]:
    found, pagination = page_of(images.called(request.workspace, asked.q.strip()[:100]), asked)
    return {"data": [shown(image) for image in found], "pagination": pagination}


@router.get("images/{image_id}", response=ImageOut, summary="Look at a picture")
@may("read")
def show_image(request: KeyRequest, image_id: int) -> dict[str, Any]:
    return shown(image_of(request, image_id))


@router.get("images/{image_id}/uses", response=UsesOut, summary="What shows a picture")
@may("read")
def show_uses(request: KeyRequest, image_id: int) -> dict[str, list[str]]:
    uses = images.uses_of(image_of(request, image_id))
    return {
        "kept_by": [str(each) for each in [*uses.kept_by, *uses.series]],
        "drafts": [str(each) for each in uses.drafts],
        "templates": [str(each) for each in uses.templates],
    }


@router.patch("images/{image_id}", response=ImageOut, summary="Name and describe a picture")
@may("write")
def change_image(request: KeyRequest, image_id: int, change: ImageChange) -> dict[str, Any]:
    describe(request, image_of(request, image_id), change.model_dump(exclude_none=True))
    return shown(image_of(request, image_id))


def describe(request: KeyRequest, image: Image, given: dict[str, str]) -> None:
    images.change_image(image, by=request.auth, **({"name": image.name, "alt": image.alt} | given))


@router.delete("images/{image_id}", response={204: None}, summary="Delete a picture for good")
@may("write")
def delete_image(request: KeyRequest, image_id: int, asked: Query[Despite]) -> Status[None]:
    """Refused (409) while something that was sent shows it, or, unless even_if_used, a draft or a template."""
    image = image_of(request, image_id)
    seen = images.uses_of(image).losing if asked.even_if_used else ()
    images.delete_image(image, by=request.auth, seen=seen)
    return Status(204, None)


def images_of(request: KeyRequest) -> QuerySet[Image]:
    return request.workspace.images.select_related("workspace")


def image_of(request: KeyRequest, number: int) -> Image:
    return numbered(images_of(request), "Image", number)


def shown(image: Image) -> dict[str, Any]:
    as_it_is = ("name", "alt", "width", "height", "address", "added_at")
    return {field: getattr(image, field) for field in as_it_is} | {
        "id": image.pk,
        "format": image.get_format_display().lower(),
        "bytes": image.size,
    }
