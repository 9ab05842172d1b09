"""Reads HTML or MJML as a browser does (WHATWG, 13.2.5), in one pass: no text, however broken, takes long."""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

NAME = re.compile(r"[a-zA-Z][^\s/>]*")
ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"'][^\s>]*|(?=>)))?""")
TAG_END = re.compile(r"[\s/]*>")
# Between their tags nothing else is read, so nothing hides there.
RAW = {"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "mj-style"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}


class Start(NamedTuple):
    """A tag that opens; its attributes decoded, the first of each name. `at` is where it stands in the source."""

    at: int
    name: str
    attributes: dict[str, str]
    is_closed: bool
    raw: str = ""  # what stands up to the end tag of an element of RAW


class End(NamedTuple):
    at: int
    name: str


class Words(NamedTuple):
    """Text, its entities decoded."""

    at: int
    text: str


class Comment(NamedTuple):
    at: int
    text: str


class Unended(NamedTuple):
    """A tag that never ends; what follows it is lost, as it is in browsers."""

    at: int


Piece = Start | End | Words | Comment | Unended


def pieces_of(source: str) -> Iterator[Piece]:
    """What the source consists of, in its order."""
    at = 0
    while at < len(source):
        sign = source.find("<", at)
        if sign < 0:
            sign = len(source)
        if sign > at:
            yield Words(at, unescape(source[at:sign]))
        if sign == len(source):
            return
        piece, at = _after_sign(source, sign)
        if piece:
            yield piece


def _after_sign(source: str, at: int) -> tuple[Piece | None, int]:
    """The piece that begins with this "<", and where the next begins."""
    follows = source[at + 1 : at + 2]
    if follows.isascii() and follows.isalpha():
        return _start(source, at)
    if follows == "!" and source.startswith("--", at + 2):
        return _comment(source, at)
    if follows == "/" and (name := NAME.match(source, at + 2)):
        return End(at, name[0].lower()), _past(source, ">", name.end())
    if follows in ("!", "?") or (follows == "/" and at + 2 < len(source)):
        return None, _past(source, ">", at + 2)
    return Words(at, "<"), at + 1


def _past(source: str, sign: str, at: int) -> int:
    found = source.find(sign, at)
    return len(source) if found < 0 else found + len(sign)


def _comment(source: str, at: int) -> tuple[Comment, int]:
    for early in (">", "->"):
        if source.startswith(early, at + 4):
            return Comment(at, ""), at + 4 + len(early)
    end = _past(source, "-->", at + 4)
    return Comment(at, source[at + 4 : end].removesuffix("-->")), end


def _start(source: str, at: int) -> tuple[Start | Unended, int]:
    name = NAME.match(source, at + 1)
    assert name  # noqa: S101 - a letter follows
    attributes: dict[str, str] = {}
    here = name.end()
    while not (end := TAG_END.match(source, here)):
        attribute = ATTRIBUTE.match(source, here)
        if not attribute or attribute.end() == here:
            return Unended(at), len(source)
        value = attribute[2] or ""
        value = value[1:-1] if value[:1] in ('"', "'") else value
        attributes.setdefault(attribute[1].lower(), unescape(value))
        here = attribute.end()
    tag = name[0].lower()
    is_closed = "/" in end[0]
    if tag not in RAW or (is_closed and tag.startswith("mj-")):
        return Start(at, tag, attributes, is_closed), end.end()
    until = re.compile(rf"</{re.escape(tag)}(?=[\s/>])", re.IGNORECASE).search(source, end.end())
    if not until:
        return Start(at, tag, attributes, is_closed, source[end.end() :]), len(source)
    return Start(at, tag, attributes, is_closed, source[end.end() : until.start()]), _past(source, ">", until.end())


def line_of(source: str, at: int) -> int:
    return source.count("\n", 0, at) + 1
