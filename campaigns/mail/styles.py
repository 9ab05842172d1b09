"""Style sheets and style attributes, read strictly: what is not plainly harmless is left out."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from campaigns.mail.allowed import FUNCTIONS, PROPERTIES

COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
DECLARATION = re.compile(r"""(?:[^;"'(]|"[^"]*"|'[^']*'|\([^()]*(?:\([^()]*\)[^()]*)*\))+""")
PROPERTY = re.compile(r"([a-zA-Z-]+) ?: ?(.*)")
ADDRESS = re.compile(r"""url\(\s*(['"]?)https?://[^\s'"()<>\\{}]+\1\s*\)""", re.IGNORECASE)
HARMLESS = re.compile(r"[\w\s#%.,!()'\"/+*-]*")
FUNCTION = re.compile(r"([\w-]+)\(")
LONGEST_VALUE = 300

SELECTORS = re.compile(r"""[\w\s.#,*>:+\[\]="'-]{1,400}""")
ONLY_KEPT = re.compile(r":|\b(?:body|html)\b|#outlook|\.moz-", re.IGNORECASE)
MEDIA = re.compile(r"@media\b([\w\s():,.-]{1,200})", re.IGNORECASE)


class Sheet(NamedTuple):
    """Rules that are written into each tag, those that stay in the head, and how long a style may become."""

    inlined: str
    kept: str
    widest: int


def sheet_of(css: str, media: str = "") -> Sheet:
    """What may stay of this sheet; all of it in the head where it is for some screens only."""
    css = COMMENT.sub(" ", css.replace("<!--", " ").replace("-->", " "))
    inlined: list[str] = []
    kept: list[str] = []
    widths: dict[str, int] = {}
    for prelude, body in blocks(css):
        if condition := MEDIA.fullmatch(prelude):
            inner = "".join(f"{selectors}{{{style}}}" for selectors, style in rules(body))
            kept.append(f"@media{condition[1]}{{{inner}}}" if inner else "")
            continue
        for selectors, style in rules(f"{prelude}{{{body}}}"):
            (kept if media or ONLY_KEPT.search(selectors) else inlined).append(f"{selectors}{{{style}}}")
            for name, _, value in (each.partition(":") for each in style.split(";")):
                widths[name] = max(widths.get(name, 0), len(name) + len(value) + 3)
    stays = "".join(kept)
    if media and stays:
        is_media = MEDIA.fullmatch(f"@media {media}")
        stays = f"@media {media}{{{stays}}}" if is_media and "@media" not in stays else ""
    return Sheet("".join(inlined), stays, sum(widths.values()))


def rules(css: str) -> Iterator[tuple[str, str]]:
    """Plain selectors and their declarations, as far as both are harmless."""
    for selectors, body in blocks(css):
        style = style_of(body)
        if style and SELECTORS.fullmatch(selectors):
            yield " ".join(selectors.replace('"', "'").split()), style


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """What stands before the braces and in them, outermost braces only; statements such as @import are left out."""
    depth = start = opened = 0
    for sign in re.finditer(r"[{};]", css):
        if sign[0] == "{":
            opened = opened if depth else sign.start()
            depth += 1
        elif sign[0] == ";":
            start = start if depth else sign.end()
        elif depth > 1:
            depth -= 1
        else:
            if depth:
                yield css[start:opened].strip(), css[opened + 1 : sign.start()]
            depth, start = 0, sign.end()


@lru_cache(maxsize=2000)
def style_of(text: str) -> str:
    """The declarations of a style that an email may have, without double quotes."""
    kept = (kept_declaration(found[0]) for found in DECLARATION.finditer(COMMENT.sub(" ", text)))
    return ";".join(declaration for declaration in kept if declaration)


def kept_declaration(text: str) -> str:
    found = PROPERTY.fullmatch(" ".join(text.split()))
    if not found:
        return ""
    name, value = found[1].lower(), found[2].replace('"', "'")
    if name not in PROPERTIES and not name.startswith("mso-"):
        return ""
    return f"{name}:{value}" if is_harmless(value) else ""


def is_harmless(value: str) -> bool:
    """Whether a value loads nothing but pictures from the web and runs nothing."""
    rest = ADDRESS.sub(" ", value)
    functions = {name.lower() for name in FUNCTION.findall(rest)}
    return bool(value and len(value) <= LONGEST_VALUE and HARMLESS.fullmatch(rest) and functions <= FUNCTIONS)
