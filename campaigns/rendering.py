"""The one renderer: what preview, test, dry run and dispatch show or send is made here and nowhere else.

A campaign is split once; then each person costs a few joined strings. Values are never looked into.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from html import escape
from typing import NamedTuple

from campaigns import personalise
from campaigns.languages import ATTRIBUTE, fitting
from campaigns.mail.links import can_be_pressed
from campaigns.models import Campaign, Source
from campaigns.personalise import NoPlace, Text, in_a_line
from people.channels import Channel
from people.models import UNSUBSCRIBE_LINK

LINK = f"{{{UNSUBSCRIBE_LINK}}}"
LONGEST = {Channel.EMAIL: 1_000_000, Channel.SMS: 1_600, Channel.WHATSAPP: 4_096}  # characters, once filled in
_new = tuple.__new__  # the constructor of a named tuple takes as long as filling in


class TooLong(Exception):
    """With this person's own words the message is longer than its channel can carry."""


class Rendered(NamedTuple):
    """Subject, text and, of an email that has one, HTML, as one person gets them."""

    subject: str
    text: str
    html: str = ""


class Renderer:
    """The words of one campaign, by variant and language; (0, "") are the main ones, which nobody else's replace."""

    def __init__(self, channel: Channel, sources: Mapping[tuple[int, str], Source], footer: str = "") -> None:
        self.channel = channel
        self.longest = LONGEST[channel]
        self.words = {place: _split(source, channel, footer) for place, source in sources.items()}
        self.main = self.words[0, ""]
        self.names = list(dict.fromkeys(name for words in self.words.values() for name in words.names))
        self.has_link = UNSUBSCRIBE_LINK in self.names
        self.is_single = len(self.words) == 1
        self.languages: dict[int, set[str]] = {}  # by variant, those it is translated into
        for variant, language in self.words:
            if language:
                self.languages.setdefault(variant, set()).add(language)

    def place_for(self, values: Mapping[str, object], variant: int = 0) -> tuple[int, str]:
        """Where this person's words stand: of the variant and language, else of the variant, else the main ones."""
        own = (variant, "") if (variant, "") in self.words else (0, "")
        # Variant A is also what people read who are in no variant.
        if not (languages := self.languages.get(variant or 1)):
            return own
        language = fitting(languages, str(values.get(ATTRIBUTE) or ""))
        return (variant or 1, language) if language else own

    def rendered(self, values: Mapping[str, object], variant: int = 0) -> Rendered:
        """What the person with these values gets. Raises TooLong, and NoPlace where there is a `fault`."""
        subject, text, html = self.main if self.is_single else self.words[self.place_for(values, variant)]
        filled = text.filled_for(values)
        if len(filled) > self.longest:
            raise self._too_long(filled)
        if subject is None:
            return _new(Rendered, ("", filled, ""))
        page = html.filled_for(values) if html else ""
        if len(page) > self.longest:
            raise self._too_long(page)
        return _new(Rendered, (in_a_line(subject.filled_for(values)), filled, page))

    def _too_long(self, filled: str) -> TooLong:
        return TooLong(f"It would have {len(filled):,} characters for this person; {self.longest:,} is the most.")

    @property
    def fault(self) -> str:
        """Why nobody can get it in one of its wordings, as a sentence; empty if they can."""
        return next((each.html.fault for each in self.words.values() if isinstance(each.html, Unwritable)), "")

    @property
    def kept(self) -> list[str]:
        """The fields of a person that decide what he or she reads: what each message keeps a copy of."""
        names = [name for name in self.names if name != UNSUBSCRIBE_LINK]
        return [*names, ATTRIBUTE] if self.languages and ATTRIBUTE not in names else names


class Words(NamedTuple):
    """The three parts of one wording, split; a part that is not there is None."""

    subject: Text | None
    text: Text
    html: Text | None

    @property
    def names(self) -> list[str]:
        return [name for part in self if part for name in part.names]


@lru_cache(maxsize=64)
def _split(source: Source, channel: Channel, footer: str) -> Words:
    """With the line below the message where its author placed no link."""
    is_email = channel == Channel.EMAIL
    return Words(
        Text(source.subject) if is_email else None,
        Text(with_line(source.text, footer)),
        _split_html(with_footer(source.html, footer)) if is_email and source.html else None,
    )


def _split_html(html: str) -> Text:
    try:
        return personalise.html(html)
    except NoPlace as fault:
        return Unwritable(html, str(fault))


class Unwritable(Text):
    """HTML that was kept though nothing can be written into it: it is never sent, and who asks for it is told why."""

    def __init__(self, source: str, fault: str) -> None:
        super().__init__(source)
        self.fault = fault

    def filled_for(self, values: Mapping[str, object]) -> str:
        raise NoPlace(self.fault)


def with_line(text: str, footer: str) -> str:
    """This text with the line below it, unless its author placed the link."""
    return text if UNSUBSCRIBE_LINK in Text(text).names else text + footer


def with_footer(html: str, footer: str) -> str:
    """This HTML with the same line below it, its link as a word to press."""
    if not footer or can_be_pressed(html):
        return html
    before, _, after = footer.strip().partition(LINK)
    word = f'<a href="{LINK}">unsubscribe</a>'
    line = f'<p style="font-size:12px;color:#6b7280">{escape(before)}{word}{escape(after)}</p>'
    body, end, rest = html.rpartition("</body>")
    return f"{body}{line}{end}{rest}" if end else f"{html}{line}"


def renderer_of(campaign: Campaign) -> Renderer:
    """Of what the campaign says now or, once launched, said. One query."""
    return Renderer(Channel(campaign.channel), sources_of(campaign), campaign.footer)


def sources_of(campaign: Campaign) -> dict[tuple[int, str], Source]:
    """All its words, by variant and language; its own are the main ones."""
    others = campaign.wordings.all() if campaign.pk else ()
    return {(0, ""): campaign.source, **{(each.variant, each.language): each.source for each in others}}


def preheaders_of(campaign: Campaign) -> dict[tuple[int, str], str]:
    """What inboxes show beside each subject, by variant and language."""
    others = campaign.wordings.all() if campaign.pk else ()
    return {(0, ""): campaign.preheader, **{(each.variant, each.language): each.preheader for each in others}}


def digest_of(subject: str, text: str, html: str) -> int:
    """Short for exactly these words, as a signed number of 64 bits: another text has another."""
    words = f"{subject}\0{text}\0{html}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(words, digest_size=8).digest(), signed=True)
