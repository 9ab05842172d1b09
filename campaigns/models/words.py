"""What a text consists of, wherever one is written: as the author typed it, and as it goes out."""

from typing import NamedTuple

from django.core.validators import MaxLengthValidator
from django.db import models


class Format(models.IntegerChoices):
    """In which the author typed the message; only an email may be anything but plain text."""

    TEXT = 1, "plain text"
    MARKDOWN = 2, "Markdown"
    HTML = 3, "HTML"
    MJML = 4, "MJML"

    @property
    def word(self) -> str:
        """As forms and programs write it."""
        return self.name.lower()


class Source(NamedTuple):
    """What is filled in for each person; without HTML it is a plain text."""

    subject: str
    text: str
    html: str = ""


class Words(models.Model):
    """Subject and message. Of all formats but plain text, `html` and `plain` are compiled whenever it is saved."""

    format = models.SmallIntegerField(choices=Format, default=Format.TEXT, db_default=Format.TEXT)
    subject = models.CharField(max_length=200, blank=True)
    preheader = models.CharField(max_length=200, blank=True, db_default="")
    body = models.TextField("message", validators=[MaxLengthValidator(100_000)])
    html = models.TextField(blank=True, db_default="", editable=False)
    plain = models.TextField("its text part", blank=True, db_default="", editable=False)

    class Meta:
        abstract = True

    @property
    def source(self) -> Source:
        if self.format == Format.TEXT:
            return Source(self.subject, self.body)
        return Source(self.subject, self.plain, self.html)
