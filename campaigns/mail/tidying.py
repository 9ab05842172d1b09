"""HTML as somebody typed it becomes HTML that an email may have: balanced, bounded, every attribute in quotes.

What is found wrong is told to the author with its line. That nothing dangerous is left does not rest on this
alone: `compiling` gives the result to a sanitiser of its own.
"""

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

from campaigns.mail import allowed, styles
from campaigns.mail.holding import Held
from campaigns.mail.reading import RAW, Comment, End, Start, Unended, Words, line_of, pieces_of

DEEPEST, MOST_TAGS, MOST_PROBLEMS = 100, 10_000, 20
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
NOT_IN_A_SCHEME = re.compile(r"[\x00-\x20\x7f-\xa0]")
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
NAMES = re.compile(r"[\w\s-]{1,200}")  # of classes and the like
LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*")
ONLY_OUTLOOK = re.compile(r"\[if ([\w\s|&()]{1,40})\]>(.*)<!\[endif\]", re.DOTALL)
COLOUR_SCHEMES = re.compile(r"(?:light|dark|only|\s)+")


class Unreadable(Exception):
    """Nothing can be made of it; the sentence tells its author why."""


class Tidied:
    """What becomes of one text: its body and styles, and the problems found, as sentences."""

    def __init__(self, source: str, held: Held, *, tells_lines: bool = True) -> None:
        self.source, self.held, self.tells_lines = source, held, tells_lines
        self.problems: dict[str, None] = {}
        self.css: list[tuple[str, str]] = []
        self.root: dict[str, str] = {}  # of the tag html
        self.frame: dict[str, str] = {}  # of the tag body
        self.metas: dict[str, str] = {}
        self.title = ""
        self.tags = 0
        self._out: list[str] = []
        self._open: list[str] = []
        self._skipped = ""  # the element that is left out with all it holds
        self._skipped_depth = 0
        for piece in pieces_of(source):
            self._take(piece)
        while self._open:
            self._close()
        self.body = "".join(self._out)

    def _take(self, piece: Start | End | Words | Comment | Unended) -> None:
        if self._skipped:
            self._skip(piece)
        elif isinstance(piece, Words):
            self._out.append(escape(self.held.cover(CONTROLS.sub("", piece.text)), quote=False))
        elif isinstance(piece, Start):
            self._start(piece)
        elif isinstance(piece, End):
            self._end(piece.name)
        elif isinstance(piece, Comment):
            self._out.append(self._for_outlook(piece.text))
        else:
            self.tell(piece.at, "the tag that begins here never ends; write &lt; for the sign itself.")

    def tell(self, at: int, sentence: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            line = f"Line {line_of(self.source, at)}: " if self.tells_lines else ""
            self.problems[f"{line}{sentence}" if line else sentence[:1].upper() + sentence[1:]] = None

    # --- tags ---

    def _start(self, tag: Start) -> None:
        self.tags += 1
        if self.tags > MOST_TAGS:
            raise Unreadable(f"The message has more than {MOST_TAGS:,} tags; make it simpler.")
        if tag.name in allowed.TAGS:
            self._open_tag(tag)
            return
        self._look_around(tag)
        if tag.name in allowed.WITH_ALL_THEY_HOLD - RAW and not tag.is_closed:
            self._skipped, self._skipped_depth = tag.name, 1
        if tag.name not in allowed.NOT_MISSED and ":" not in tag.name:
            self.tell(tag.at, self._missed(tag.name))

    def _missed(self, name: str) -> str:
        if inside := self.held.within(name) or ("{" in name and name):
            return f"{inside} cannot stand in the name of a tag."
        if name.startswith("mj"):
            return f"<{name[:40]}> belongs to MJML; choose MJML as the format."
        return f"<{name[:40]}> cannot be sent in an email; remove it."

    def _look_around(self, tag: Start) -> None:
        """What the page as a whole says, of which the email has its own."""
        if tag.name == "style":
            media = tag.attributes.get("media", "").strip().lower()
            if inside := self.held.within(tag.raw) or self.held.within(media):
                self.tell(tag.at, f"{inside} cannot stand in a style sheet.")
            # In braces again, a placeholder is nothing that a rule could hold.
            css, media = self.held.back(tag.raw), self.held.back(media)
            self.css.append((css, "" if media in ("all", "screen") else media))
        elif tag.name == "title":
            self.title = self.title or " ".join(self.held.without(CONTROLS.sub("", tag.raw)).split())[:200]
        elif tag.name in ("html", "body"):
            kept = self._kept(tag)
            (self.root if tag.name == "html" else self.frame).update(kept)
        elif tag.name == "meta" and (name := tag.attributes.get("name", "").lower()) in (
            "color-scheme",
            "supported-color-schemes",
        ):
            content = tag.attributes.get("content", "")
            self.metas |= {name: content} if COLOUR_SCHEMES.fullmatch(content) else {}

    def _skip(self, piece: Start | End | Words | Comment | Unended) -> None:
        if isinstance(piece, Start | End) and piece.name == self._skipped:
            self._skipped_depth += 1 if isinstance(piece, Start) else -1
            self._skipped = self._skipped if self._skipped_depth else ""

    def _open_tag(self, tag: Start) -> None:
        self._close_before(tag.name)
        self._out.append(spelled(tag.name, self._kept(tag)))
        if tag.name in allowed.STAND_ALONE:
            return
        self._open.append(tag.name)
        if len(self._open) > DEEPEST:
            raise Unreadable(f"Tags stand within tags more than {DEEPEST} deep; make it simpler.")

    def _close_before(self, name: str) -> None:
        """End what HTML lets its author leave open: a paragraph before the next, a row before the next."""
        if name in allowed.BLOCKS:
            self._end("p")
        if name in allowed.CLOSES:
            fences = allowed.FENCES.get(name, {"table"})
            for at in range(len(self._open) - 1, -1, -1):
                if self._open[at] in allowed.CLOSES[name]:
                    self._close_down_to(at)
                elif self._open[at] in fences:
                    break

    def _end(self, name: str) -> None:
        """Close the innermost of this name; one that nobody opened, or a table's cell parts off, closes nothing."""
        fences = {"table"} if name in allowed.OF_TABLES else allowed.CELLS
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] == name:
                self._close_down_to(at)
                return
            if self._open[at] in fences:
                return

    def _close_down_to(self, at: int) -> None:
        while len(self._open) > at:
            self._close()

    def _close(self) -> None:
        self._out.append(f"</{self._open.pop()}>")

    # --- attributes ---

    def _kept(self, tag: Start) -> dict[str, str]:
        """The attributes an email may have, placeholders held back; what would be missed is told."""
        kept: dict[str, str] = {}
        may_have = allowed.attributes_of(tag.name)
        for name, value in tag.attributes.items():
            value = CONTROLS.sub("", value)
            if name.startswith("on") and name.isalpha():
                self.tell(tag.at, f"<{tag.name}> runs a script ({name[:40]}), which no email can; remove it.")
            elif inside := self.held.within(name) or ("{" in name or "}" in name) and name:
                self.tell(tag.at, f"{inside[:60]} cannot stand inside a tag; it belongs in quotes, or in the text.")
            elif name in may_have:
                found = self._value(tag, name, value)
                kept |= {} if found is None else {name: found}
        return kept

    def _value(self, tag: Start, name: str, value: str) -> str | None:
        if name not in allowed.MAY_HOLD_PLACEHOLDERS and (inside := self.held.within(value)):
            self.tell(tag.at, f"{inside} cannot stand in the {name} of <{tag.name}>, where no value is safe.")
            return None
        if name == "style":
            return styles.style_of(value) or None
        if name in ("class", "id", "name", "role"):
            return value if NAMES.fullmatch(value) else None
        if name == "lang":
            return value if LANGUAGE.fullmatch(value) else None
        if name == "target":
            return "_blank" if value == "_blank" else None
        return self._address(tag, name, value) if name in allowed.ADDRESSES else self.held.cover(value)

    def _address(self, tag: Start, name: str, value: str) -> str | None:
        """The address of a link or picture, unless it runs something. One that leads nowhere is for `checking`."""
        covered = self.held.cover(value.strip())
        # Also as it is for people of whom the text knows nothing to put in.
        bare = NOT_IN_A_SCHEME.sub("", self.held.without(covered))
        scheme = SCHEME.match(bare)
        if scheme and scheme[1].lower() not in allowed.SCHEMES.get(name, allowed.SCHEMES_OF_IMAGES):
            self.tell(tag.at, f"<{tag.name}> leads to {scheme[1][:20]}: which no email can; use a https:// address.")
            return None
        if not scheme and bare and not (name == "href" and bare.startswith("#")) and not self.held.word.match(covered):
            self.tell(tag.at, f"“{value.strip()[:60]}” leads nowhere from an email; begin it with https://.")
            return None
        if scheme and scheme[1].lower() in ("http", "https") and not has_host(covered):
            self.tell(tag.at, f"“{value.strip()[:60]}” is no proper address.")
            return None
        return covered

    # --- comments ---

    def _for_outlook(self, comment: str) -> str:
        """Of a comment only the plain tables that Outlook on Windows is told to draw; MJML needs them for columns."""
        found = ONLY_OUTLOOK.fullmatch(comment.strip())
        if not found or self.held.within(found[1]):
            return ""
        out = []
        for piece in pieces_of(found[2]):
            if isinstance(piece, Start) and piece.name in allowed.OF_TABLES:
                self.tags += 1
                out.append(spelled(piece.name, self._plain(piece)))
            elif isinstance(piece, End) and piece.name in allowed.OF_TABLES:
                out.append(f"</{piece.name}>")
        return f"<!--[if {found[1]}]>{''.join(out)}<![endif]-->" if out else ""

    def _plain(self, tag: Start) -> dict[str, str]:
        """Attributes that cannot end the comment they stand in, and hold no placeholder."""
        kept = self._kept(Start(tag.at, tag.name, {**tag.attributes, "background": ""}, tag.is_closed))
        return {
            name: value
            for name, value in kept.items()
            if value and "-" * 2 not in value and not re.search("[<>]", value) and not self.held.within(value)
        }


def has_host(address: str) -> bool:
    """Whether a browser could find out where this leads."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return bool(host) and not re.search(r"[\s<>^`{}|%\\]", host)


def spelled(name: str, attributes: Mapping[str, str]) -> str:
    """A start tag with every value in double quotes and no sign in them that could be taken for another tag."""
    return f"<{name}{''.join(map(_spelled, attributes.items()))}>"


def _spelled(attribute: tuple[str, str]) -> str:
    name, value = attribute
    return f' {name}="{escape(value).replace("&#x27;", chr(39))}"'
