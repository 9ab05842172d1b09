"""Pictures for mails, which mail programs load from us for as long as somebody keeps the mail."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import User, Workspace


def new_token() -> str:
    """128 random bits in letters that no markup and no mail program changes."""
    return secrets.token_hex(16)


class Image(models.Model):
    """A picture of the workspace. What its address shows never changes: another picture gets another address."""

    class Format(models.IntegerChoices):
        JPEG = 1, "JPEG"
        PNG = 2, "PNG"
        GIF = 3, "GIF"

        @property
        def ending(self) -> str:
            return {1: "jpg", 2: "png", 3: "gif"}[self]

        @property
        def content_type(self) -> str:
            return f"image/{self.label.lower()}"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="images")
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    name = models.CharField(max_length=200)
    alt = models.CharField("text for those who do not see it", max_length=300, blank=True)
    format = models.SmallIntegerField(choices=Format, editable=False)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    size = models.PositiveIntegerField("bytes", editable=False)
    digest = models.CharField("SHA-256 of what was sent in", max_length=64, editable=False)
    added_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(models.F("workspace"), models.F("id").desc(), name="image_page")]
        constraints = [models.UniqueConstraint(fields=["workspace", "digest"], name="image_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where it is served, on whatever host."""
        return f"/i/{self.token}.{Image.Format(self.format).ending}"

    @property
    def small_path(self) -> str:
        """Where a small one for lists is served."""
        return f"/i/small/{self.token}.webp"

    @property
    def address(self) -> str:
        """What a mail names it by."""
        return f"{settings.PUBLIC_URL}{self.path}"


class ImageFile(models.Model):
    """The bytes of a picture and of a small one for lists: apart, so that no list of pictures reads them."""

    image = models.OneToOneField(Image, models.CASCADE, primary_key=True, related_name="file")
    data = models.BinaryField()
    small = models.BinaryField()

    def __str__(self) -> str:
        return str(self.image)
