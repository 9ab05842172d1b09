"""Requests as documents write them: a curl command, or a line such as `POST /groups/` with its body below."""

import json
import re
import shlex
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

FORM = "application/x-www-form-urlencoded"  # what curl says of every body unless it is told
AT_THE_ROOT = ("/health", "/metrics")
CURL = ArgumentParser("curl", add_help=False, allow_abbrev=False)
CURL.add_argument("-X", dest="method")
CURL.add_argument("-H", dest="headers", action="append", default=[])
CURL.add_argument("-d", dest="body")
CURL.add_argument("-s", "-i", action="store_true")
CURL.add_argument("url")


@dataclass(frozen=True)
class Request:
    """`path` is where our API has it; `body` is sent as it was written."""

    method: str
    path: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def read(self) -> Any:
        """What its JSON says; the text itself where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body


Ask = Callable[[Request], Answer]


def request_of(text: str) -> Request:
    """What a documented request asks for, whatever host stands in it."""
    if text.startswith("curl"):
        return of_curl(text)
    line, _, body = text.partition("\n")
    method, path = line.split(" ")
    return Request(method, place_of(path), body)


def of_curl(text: str) -> Request:
    typed = CURL.parse_args(shlex.split(text.replace("\\\n", " "))[1:])
    headers = {"Content-Type": FORM} | dict(header.split(": ", 1) for header in typed.headers)
    return Request(typed.method or ("POST" if typed.body else "GET"), place_of(typed.url), typed.body or "", headers)


def place_of(url: str) -> str:
    """Where our API has what stands at this address; `/health` stays at the root."""
    parts = urlsplit(url)
    path = parts.path if parts.path.startswith(("/api/", *AT_THE_ROOT)) else f"/api{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path


Numbers = dict[tuple[str, int], int]  # a kind of row and its number in the documents: its number here

KINDS = {"campaigns": "campaign", "groups": "group", "recipients": "recipient", "customers": "customer"}
FIELDS = {"id": "campaign", "customer_id": "customer", "customer_ids": "customer"}
FIELDS |= {"group_id": "group", "group_ids": "group"}
PLACE = re.compile(rf"/({'|'.join(KINDS)})/(\d+)\b")


def renumbered(request: Request, numbers: Numbers) -> Request:
    """The same request about the rows that are meant here."""

    def here(kind: str, number: int) -> int:
        return numbers.get((kind, number), number)

    def value_here(name: str, value: Any) -> Any:
        if name not in FIELDS:
            return value
        return [here(FIELDS[name], each) for each in value] if isinstance(value, list) else here(FIELDS[name], value)

    path = PLACE.sub(lambda found: f"/{found[1]}/{here(KINDS[found[1]], int(found[2]))}", request.path)
    try:
        said = json.loads(request.body)
    except ValueError:  # also nothing; one of the documented requests is no JSON on purpose
        return replace(request, path=path)
    meant = {name: value_here(name, value) for name, value in said.items()}
    return replace(request, path=path, body=request.body if meant == said else json.dumps(meant))
