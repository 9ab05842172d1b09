"""How a picture is put into a message, in each format."""

import re
from html import escape

from campaigns.models import Format, Image

WIDEST = 600  # as wide as a mail is


def markup_of(image: Image) -> dict[str, str]:
    """By the word of the format, what shows the picture; a plain text can only name its address."""
    width, alt = min(image.width, WIDEST), escape(image.alt)
    return {
        Format.TEXT.word: image.address,
        Format.MARKDOWN.word: f"![{in_markdown(image.alt)}]({image.address})",
        Format.HTML.word: f'<img src="{image.address}" alt="{alt}" width="{width}" style="max-width:100%;height:auto">',
        Format.MJML.word: f'<mj-image src="{image.address}" alt="{alt}" width="{width}px" />',
    }


def in_markdown(words: str) -> str:
    return re.sub(r"([\\\[\]])", r"\\\1", escape(words))
