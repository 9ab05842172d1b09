"""The links and pictures of an email, and what is wrong with where they lead; nothing is asked of the network."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from campaigns.mail.holding import Held
from campaigns.mail.reading import VOID, End, Start, Words, pieces_of
from people.models import UNSUBSCRIBE_LINK

OWN_LINK = f"{{{UNSUBSCRIBE_LINK}}}"
OWN = re.compile(rf"\{{{UNSUBSCRIBE_LINK}(?:\|[^{{}}|\r\n]*)?\}}")
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
IN_TEXT = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)
HOST = re.compile(r"(?!-)[\w-]{1,63}(\.[\w-]{1,63})+")
HERE_ONLY = re.compile(
    r"localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|.*\.(local|internal)"
)
STAND_IN = re.compile(r"(.*\.)?(example\.(com|org|net)|example|test|invalid|domain\.com|yoursite\.com)")
SAYS_A_HOST = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:/\S*)?", re.IGNORECASE)


class Link(NamedTuple):
    """Where it leads, as typed, and the words it stands behind."""

    address: str
    words: str

    @property
    def name(self) -> str:
        return f"“{self.words[:40]}”" if self.words else "A link"


class Picture(NamedTuple):
    """Where mail programs load it from, as typed, and what stands for it, None where nothing is said."""

    address: str
    alt: str | None

    @property
    def name(self) -> str:
        return f"The picture “{self.alt[:40]}”" if self.alt else "A picture"


class Found(NamedTuple):
    links: list[Link]
    pictures: list[Picture]


def found_in(html: str) -> Found:
    """The links and pictures of this HTML, placeholders as they were typed."""
    held = Held()
    links: list[Link] = []
    open_at: list[tuple[str, list[str]]] = []
    pictures: list[Picture] = []
    for piece in pieces_of(held.cover(html)):
        if isinstance(piece, Words) and open_at:
            open_at[-1][1].append(piece.text)
        elif isinstance(piece, Start) and piece.name == "a" and "href" in piece.attributes:
            open_at.append((piece.attributes["href"], []))
        elif isinstance(piece, End) and piece.name == "a" and open_at:
            address, words = open_at.pop()
            links.append(Link(held.back(address), held.back(" ".join("".join(words).split()))))
        elif isinstance(piece, Start) and piece.name == "img":
            alt = piece.attributes.get("alt")
            pictures.append(Picture(held.back(piece.attributes.get("src", "")), alt and held.back(alt)))
            if open_at:
                open_at[-1][1].append(piece.attributes.get("alt", ""))
    return Found(links, pictures)


def can_be_pressed(html: str) -> bool:
    """Whether a reader sees a link to unsubscribe: as the address behind words, or written out, and not hidden."""
    open_tags: list[tuple[str, bool, bool]] = []  # its name, whether it is hidden, whether it leads there
    for piece in pieces_of(html):
        if isinstance(piece, Start) and piece.name not in VOID and not piece.is_closed:
            is_hidden = bool(HIDDEN.search(piece.attributes.get("style", "")))
            leads_there = piece.name == "a" and bool(OWN.fullmatch(piece.attributes.get("href", "").strip()))
            open_tags.append((piece.name, is_hidden, leads_there))
        elif isinstance(piece, End) and any(name == piece.name for name, *_ in open_tags):
            while open_tags.pop()[0] != piece.name:
                pass
        elif isinstance(piece, Words) and piece.text.strip() and not any(hidden for _, hidden, _ in open_tags):
            can_be = bool(OWN.search(piece.text)) or any(leads for *_, leads in open_tags)
            if can_be:
                return True
    return False


def links_in_text(text: str) -> list[Link]:
    return [Link(address.rstrip(".,;:!?"), "") for address in IN_TEXT.findall(text)]


def broken(link: Link) -> str:
    """Why nobody can follow this link, as a sentence; empty if they can."""
    address = link.address.strip()
    if address == OWN_LINK or address.startswith(("mailto:", "tel:", "sms:", "{")) and len(address) > 7:
        return ""
    if address in ("", "#"):
        return f"{link.name} leads nowhere: its address is empty."
    if address.startswith("#"):
        return ""
    host = host_of(address)
    if "{" in host:
        return ""
    if HERE_ONLY.fullmatch(host):
        return f"{link.name} leads to {host}, which nobody but this computer can reach."
    return "" if HOST.fullmatch(host) else f"{link.name} has no proper address: {address[:80]}"


def unseen(picture: Picture) -> str:
    """Why nobody will see this picture, as a sentence; empty if they can."""
    address, host = picture.address.strip(), host_of(picture.address)
    if not address:
        return f"{picture.name} has no address."
    if HERE_ONLY.fullmatch(host):
        return f"{picture.name} is loaded from {host}, which nobody but this computer can reach."
    if STAND_IN.fullmatch(host):
        return f"{picture.name} is loaded from {host}, which only stands for another address."
    return ""


def odd(link: Link) -> Iterator[str]:
    """What may be wrong with a link that can be followed, as sentences."""
    host = host_of(link.address)
    if STAND_IN.fullmatch(host):
        yield f"{link.name} leads to {host}, which only stands for another address."
    elif link.address.lower().startswith("http://"):
        yield f"{link.name} leads to http://{host[:60]}; browsers warn of it, https:// is better."
    says = SAYS_A_HOST.fullmatch(link.words)
    if says and host and without_www(says[1]) != without_www(host) and not host.endswith(f".{without_www(says[1])}"):
        yield f"{link.name} leads to {host} instead; filters take that for fraud."


def without_www(host: str) -> str:
    return host.lower().removeprefix("www.")


def host_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "") if "://" in address else ""
    except ValueError:
        return ""
