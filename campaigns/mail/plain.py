"""The text part of an email, made from its HTML: paragraphs and lists as lines, links as "text (address)"."""

import re

from campaigns.mail.allowed import BLOCKS
from campaigns.mail.reading import End, Piece, Start, Words, pieces_of

SPACES = re.compile(r"[ \t\r\n\f]+")
INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200d\u2060\ufeff]")
HIDDEN = re.compile(r"display:\s*none|mso-hide", re.IGNORECASE)
APART = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "dl", "figure"}
LINES = BLOCKS | {"tr", "table", "caption", "td", "th"}


class Plain:
    """Reads balanced HTML once and collects its lines."""

    def __init__(self, html: str) -> None:
        self.lines: list[str] = [""]
        self._links: list[tuple[str, int, int]] = []  # address, and where its words begin
        self._lists: list[int | None] = []  # the number of the last entry, None where entries have none
        self._headed = [False]  # whether the table has a head, and is not there for its looks
        self._cells = [0]
        self._pre = self._hidden = 0
        for piece in pieces_of(html):
            self._take(piece)

    @property
    def text(self) -> str:
        lines = "\n".join(line.rstrip() for line in self.lines)
        return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")

    def _take(self, piece: Piece) -> None:
        if self._hidden:
            self._hidden += self._depth_of(piece)
        elif isinstance(piece, Words):
            self._words(piece.text)
        elif isinstance(piece, Start):
            if HIDDEN.search(piece.attributes.get("style", "")) and piece.name not in ("img", "br", "hr"):
                self._hidden = 1
            else:
                self._start(piece)
        elif isinstance(piece, End):
            self._end(piece.name)

    def _depth_of(self, piece: Piece) -> int:
        if isinstance(piece, Start):
            return 0 if piece.name in ("img", "br", "hr", "col", "wbr") else 1
        return -1 if isinstance(piece, End) else 0

    def _words(self, words: str) -> None:
        words = INVISIBLE.sub("", words).replace("\xa0", " ")
        if self._pre:
            first, *others = words.split("\n")
            self.lines[-1] += first
            self.lines += others
            return
        words = SPACES.sub(" ", words)
        self.lines[-1] += words.lstrip(" ") if not self.lines[-1] or self.lines[-1].endswith(" ") else words

    def _break(self, *, is_apart: bool = False) -> None:
        if self.lines[-1].strip():
            self.lines.append("")
        if is_apart and len(self.lines) > 1 and self.lines[-2].strip():
            self.lines.append("")

    def _start(self, tag: Start) -> None:
        name = tag.name
        if name == "br":
            self.lines.append("")
        elif name == "img":
            self._words(tag.attributes.get("alt", ""))
        elif name == "a":
            self._links.append((tag.attributes.get("href", ""), len(self.lines), len(self.lines[-1])))
        elif name in ("td", "th") and self._headed[-1] + (name == "th"):
            self._headed[-1] = True
            self._words(" | " if self._cells[-1] else "")
            self._cells[-1] += 1
        elif name in LINES:
            self._break(is_apart=name in APART and not self._lists)
            self._open_block(name, tag)
        elif name == "hr":
            self._break()
            self.lines += ["-" * 20, ""]

    def _open_block(self, name: str, tag: Start) -> None:
        if name in ("ul", "ol"):
            start = tag.attributes.get("start", "1")
            self._lists.append(None if name == "ul" else int(start[:6]) - 1 if start[:6].isdecimal() else 0)
        elif name == "li" and self._lists:
            number = self._lists[-1]
            self._lists[-1] = None if number is None else number + 1
            self.lines[-1] = "  " * (len(self._lists) - 1) + ("- " if number is None else f"{number + 1}. ")
        elif name == "table":
            self._headed.append(False)
            self._cells.append(0)
        elif name == "tr":
            self._cells[-1] = 0
        elif name == "pre":
            self._pre += 1
        elif name == "hr":
            self.lines += ["-" * 20, ""]

    def _end(self, name: str) -> None:
        if name == "a" and self._links:
            self._close_link(*self._links.pop())
        elif name in ("td", "th") and self._headed[-1]:
            return
        elif name in LINES:
            if name in ("ul", "ol") and self._lists:
                self._lists.pop()
            elif name == "table" and len(self._headed) > 1:
                self._headed.pop()
                self._cells.pop()
            elif name == "pre" and self._pre:
                self._pre -= 1
            self._break(is_apart=name in APART and not self._lists)

    def _close_link(self, address: str, line: int, column: int) -> None:
        shown = " ".join([self.lines[line - 1][column:], *self.lines[line:]]).strip()
        bare = address.removeprefix("mailto:").removeprefix("tel:")
        if not address or address.startswith("#") or shown in (address, bare):
            return
        self._words(f" ({bare})" if shown else bare)


def plain_of(html: str) -> str:
    return Plain(html).text
