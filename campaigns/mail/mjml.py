"""MJML becomes HTML. It is read and written anew first: its compiler meets no depth it could not stand, and no file."""

import re
from bisect import bisect_right
from html import escape

import mrml

from campaigns.mail.allowed import words
from campaigns.mail.holding import Held
from campaigns.mail.reading import RAW, VOID, Comment, End, Start, Unended, Words, line_of, pieces_of
from campaigns.mail.tidying import CONTROLS, DEEPEST, Unreadable, spelled

MOST_TAGS = 3_000
LONGEST_VALUE = 2_000
LONGEST_DEFAULTS = 10_000
NO_FILES = mrml.ParserOptions(include_loader=mrml.noop_loader())
QUIET = mrml.RenderOptions()
ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9-]*")
KNOWN = words(
    "mjml mj-accordion mj-accordion-element mj-accordion-text mj-accordion-title mj-all mj-attributes mj-body "
    "mj-breakpoint mj-button mj-carousel mj-carousel-image mj-class mj-column mj-divider mj-font mj-group mj-head "
    "mj-hero mj-image mj-navbar mj-navbar-link mj-preview mj-raw mj-section mj-social mj-social-element mj-spacer "
    "mj-style mj-table mj-text mj-title mj-wrapper"
)
PLACE = re.compile(r" at position (\d+)(?::\d+)?|\bat (\d+)(?::\d+)?\b")


class Mjml:
    """One text in MJML as it was read: written anew, with the line each part of it came from."""

    def __init__(self, source: str, held: Held) -> None:
        self.source, self.held = source, held
        self.problems: dict[str, None] = {}
        self._out: list[str] = []
        self._length = 0
        self._from: list[tuple[int, int]] = []  # where a piece begins in what is written, and in the source
        self._open: list[Start] = []
        self._tags = self._in_defaults = 0
        for piece in pieces_of(source):
            self._take(piece)
        if self._open:
            self._refuse(self._open[-1].at, f"<{self._open[-1].name}> is never closed.")
        self.text = "".join(self._out)

    def _refuse(self, at: int, sentence: str) -> None:
        raise Unreadable(f"Line {line_of(self.source, at)}: {sentence}")

    def _write(self, at: int, text: str) -> None:
        self._from.append((self._length, at))
        self._out.append(text)
        self._length += len(text)

    def _take(self, piece: Start | End | Words | Comment | Unended) -> None:
        if isinstance(piece, Words):
            self._write(piece.at, escape(self.held.cover(CONTROLS.sub("", piece.text)), quote=False))
        elif isinstance(piece, Start):
            self._start(piece)
        elif isinstance(piece, End):
            self._end(piece)
        elif isinstance(piece, Unended):
            self._refuse(piece.at, "the tag that begins here never ends.")

    def _start(self, tag: Start) -> None:
        if tag.name == "mj-include":
            self._refuse(tag.at, "<mj-include> has nothing to take from; write its content here.")
        if tag.name == "mj-style" and not any(each.name == "mj-head" for each in self._open):
            self._refuse(tag.at, "<mj-style> belongs in <mj-head>.")
        self._tags += 1
        if self._tags > MOST_TAGS:
            raise Unreadable(f"The message has more than {MOST_TAGS:,} tags; make it simpler.")
        attributes = {name: self._value(tag, name, value) for name, value in tag.attributes.items()}
        self._count_defaults(tag, attributes)
        if tag.name.startswith("mj") and tag.name not in KNOWN:
            self._tell(tag, f"MJML has no <{tag.name[:40]}>.")
        written = spelled(tag.name, {k: value for k, value in attributes.items() if ATTRIBUTE_NAME.fullmatch(k)})
        stands_alone = tag.is_closed or tag.name in VOID
        self._write(tag.at, f"{written[:-1]}/>" if stands_alone else written)
        if tag.name in RAW and not tag.is_closed:
            if inside := self.held.within(tag.raw):
                self._tell(tag, f"{inside} cannot stand in <{tag.name}>.")
            # Taken for text by the compiler, a tag in it would be one that nothing closes.
            self._write(tag.at, f"{tag.raw.replace('<', ' ')}</{tag.name}>")
        elif not stands_alone:
            self._open.append(tag)
            if len(self._open) > DEEPEST:
                raise Unreadable(f"Tags stand within tags more than {DEEPEST} deep; make it simpler.")

    def _value(self, tag: Start, name: str, value: str) -> str:
        if len(value) > LONGEST_VALUE:
            self._refuse(tag.at, f"the {name[:40]} of <{tag.name}> is longer than {LONGEST_VALUE:,} characters.")
        if "{" in name or "}" in name:
            self._tell(tag, f"{name[:60]} cannot stand inside a tag; it belongs in quotes, or in the text.")
        # A line break in an address would come out of the compiler as another sign.
        return self.held.cover(" ".join(re.split(r"[\t\r\n]+", CONTROLS.sub("", value))))

    def _count_defaults(self, tag: Start, attributes: dict[str, str]) -> None:
        """Each default is written into every tag it is for."""
        if any(each.name == "mj-attributes" for each in self._open):
            self._in_defaults += sum(map(len, attributes.values()))
            if self._in_defaults > LONGEST_DEFAULTS:
                self._refuse(tag.at, f"<mj-attributes> holds more than {LONGEST_DEFAULTS:,} characters.")

    def _tell(self, tag: Start, sentence: str) -> None:
        self.problems[f"Line {line_of(self.source, tag.at)}: {sentence}"] = None

    def _end(self, tag: End) -> None:
        if tag.name in VOID:
            return
        if not self._open or self._open[-1].name != tag.name:
            opened = f"; <{self._open[-1].name}> is open here" if self._open else ""
            self._refuse(tag.at, f"</{tag.name[:40]}> closes nothing{opened}.")
        self._open.pop()
        self._write(tag.at, f"</{tag.name}>")

    def html(self) -> str:
        """Raises Unreadable with the compiler's own words."""
        if not re.search(r"<mjml[ >]", self.text) or not re.search(r"<mj-body[ >/]", self.text):
            raise Unreadable("MJML begins with <mjml> and holds an <mj-body>; start from the example.")
        try:
            made = mrml.to_html(self.text, parser_options=NO_FILES, render_options=QUIET)
        except OSError as fault:
            raise Unreadable(self._in_the_source(str(fault))) from None
        except BaseException as panic:  # what Rust panics with is no Exception, and nothing that can be imported
            if type(panic).__name__ != "PanicException":
                raise
            raise Unreadable("This is no valid MJML: a quote or a tag stands where none can be read.") from None
        for warning in made.warnings:
            line = line_of(self.source, self._at_in_source(warning.start))
            self.problems[f"Line {line}: MJML has no such tag here ({warning.kind})."] = None
        return made.content

    def _at_in_source(self, at: int) -> int:
        nth = bisect_right(self._from, (at, len(self.source))) - 1
        return self._from[max(nth, 0)][1] if self._from else 0

    def _in_the_source(self, sentence: str) -> str:
        """The compiler's sentence, with the line of the source for the place in what it was given."""
        found = PLACE.search(sentence)
        words = PLACE.sub("", sentence).replace(" in root template", "").strip()
        if not found:
            return f"This is no valid MJML: {words}."
        return f"Line {line_of(self.source, self._at_in_source(int(found[1] or found[2])))}: {words}."
