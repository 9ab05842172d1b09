"""Pictures of a workspace: taken in, described, and kept as long as a mail that was sent shows them."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from accounts import audit_log
from accounts.models import Actor, User, Workspace
from campaigns.models import Campaign, Image, ImageFile, Recurrence, Template, TemplateVersion, Wording
from campaigns.pictures import NotAPicture, Picture, drawn_anew, megabytes
from people.plain import NotPlain, plain, shown

MOST_OF_ALL = 1024**3  # bytes of a workspace
LONGEST_NAME, LONGEST_ALT = 200, 300
NAMED = 20  # campaigns named on a page
S = Campaign.Status


class ImageInUse(Exception):
    """Something that was sent, or goes out by itself, shows the picture; the message names it."""


class UsedMeanwhile(Exception):
    """Drafts or templates use it that whoever wanted to delete it has not seen."""


def add_image(workspace: Workspace, *, by: Actor | None, name: str, data: bytes) -> Image:
    """The picture, drawn anew; the one that is here already if the same was sent in before. Raises NotAPicture."""
    digest = hashlib.sha256(data).hexdigest()
    if known := workspace.images.filter(digest=digest).first():
        return known
    picture = drawn_anew(data)
    taken = workspace.images.aggregate(all=Sum("size"))["all"] or 0
    if taken + len(picture.data) > MOST_OF_ALL:
        raise NotAPicture(f"The pictures here take {megabytes(taken)} already. Delete some that are not used.")
    image = Image(
        workspace=workspace,
        name=shown(name, at_most=LONGEST_NAME) or "picture",
        format=Image.Format[picture.kind],
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
        digest=digest,
        added_by=by if isinstance(by, User) else None,
    )
    try:
        _keep(image, picture, by=by)
    except IntegrityError:  # sent in twice at the same moment
        return workspace.images.get(digest=digest)
    return image


@transaction.atomic
def _keep(image: Image, picture: Picture, *, by: Actor | None) -> None:
    image.save(force_insert=True)
    ImageFile.objects.create(image=image, data=picture.data, small=picture.small)
    after = audit_log.fields_of(image, ("name", "width", "height", "size"))
    audit_log.record(image.workspace, "create", image, by=by, after=after)


def called(workspace: Workspace, words: str) -> QuerySet[Image]:
    """Those whose name or description has these words in it, the newest first."""
    rows = workspace.images.order_by("-pk")
    return rows.filter(Q(name__icontains=words) | Q(alt__icontains=words)) if words else rows


@transaction.atomic
def change_image(image: Image, *, by: Actor | None, name: str, alt: str) -> None:
    """Name and describe it; mails that show it already keep the words they have. Raises NotPlain."""
    fields = {
        "name": plain(name, "The name", at_most=LONGEST_NAME, field="name"),
        "alt": plain(alt, "The text", at_most=LONGEST_ALT, field="alt"),
    }
    if not fields["name"]:
        raise NotPlain("A picture needs a name.", "name")
    Image.objects.select_for_update(no_key=True).get(pk=image.pk)  # somebody may have deleted it meanwhile
    before = audit_log.fields_of(image, fields)
    for field, value in fields.items():
        setattr(image, field, value)
    image.save(update_fields=[*fields])
    audit_log.record(image.workspace, "update", image, by=by, before=before, after=fields)


@dataclass(frozen=True)
class Uses:
    """What shows a picture: what keeps it from being deleted, and what would show a gap; the first of each."""

    kept_by: list[Campaign]
    series: list[Recurrence]
    drafts: list[Campaign]
    templates: list[Template]

    @property
    def is_kept(self) -> bool:
        return bool(self.kept_by or self.series)

    @property
    def losing(self) -> set[str]:
        """What would show a gap without it, as a form that was drawn names it."""
        return {f"campaign {each.pk}" for each in self.drafts} | {f"template {each.pk}" for each in self.templates}


def uses_of(image: Image) -> Uses:
    """Read in all texts of the workspace: asked when a picture is looked at or deleted, not in lists."""
    is_shown = Q(body__contains=image.path)
    wordings = Wording.objects.filter(is_shown, campaign__workspace=image.workspace_id)
    versions = TemplateVersion.objects.filter(is_shown, template__workspace=image.workspace_id)
    campaigns = image.workspace.campaigns.filter(is_shown | Q(pk__in=wordings.values("campaign"))).order_by("-pk")
    series = image.workspace.series.filter(ended_at=None).alias(said=Cast("others", TextField()))
    left = Q(status=S.DRAFT) | Q(status=S.CANCELLED, launched_at=None)
    return Uses(
        list(campaigns.exclude(left)[:NAMED]),
        list(series.filter(is_shown | Q(said__contains=image.path)).order_by("-pk")[:NAMED]),
        list(campaigns.filter(left)[:NAMED]),
        list(image.workspace.templates.filter(pk__in=versions.values("template")).order_by("-pk")[:NAMED]),
    )


@transaction.atomic
def delete_image(image: Image, *, by: Actor | None, seen: Collection[str]) -> None:
    """Delete it for good; `seen` is what is known to lose it. Raises ImageInUse or UsedMeanwhile."""
    uses = uses_of(image)
    if uses.is_kept:
        raise ImageInUse(f"“{[*uses.kept_by, *uses.series][0]}” shows it: the picture would be missing in its mails.")
    if uses.losing - {*seen}:
        raise UsedMeanwhile
    before = audit_log.fields_of(image, ("name", "alt", "width", "height", "size"))
    audit_log.record(image.workspace, "delete", image, by=by, before=before)
    image.delete()
