"""A program with a key: asks over HTTP, and comes again when it is told to."""

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from dispatcher.api_demo.requests import Answer, Request

PATIENCE = 30.0  # seconds an answer may take
LONGEST_WAIT = 75.0  # seconds of Retry-After that are waited for


class Unheard(Exception):
    """Nobody answers there."""


class Refused(Exception):
    """What has to work before anything else can did not."""


class Program:
    """Speaks to one installation with one key. Calls raise Unheard."""

    def __init__(self, url: str, key: str, say: Callable[[str], None], wait: Callable[[float], None] = time.sleep):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unheard(f"{url} is no address of a server; write it as http://localhost:8000.")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.url, self.key, self.say, self.wait = url, key, say, wait
        self._connect = lambda: kind(parts.hostname or "", parts.port, timeout=PATIENCE)

    def ask(self, request: Request) -> Answer:
        """The answer; a 429 or 503 with Retry-After is waited for once."""
        answer = self._once(request)
        seconds = float(answer.headers.get("retry-after", "0"))
        if answer.status in (429, 503) and 0 < seconds <= LONGEST_WAIT:
            self.say(f"  {answer.status}: asked to come again in {seconds:g} s, and waits")
            self.wait(seconds)
            answer = self._once(request)
        return answer

    def _once(self, request: Request) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **request.headers}
        connection = self._connect()
        try:
            connection.request(request.method, request.path, request.body.encode() or None, headers)
            answer = connection.getresponse()
            read = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, answer.read().decode(), read)
        except (OSError, HTTPException) as error:
            raise Unheard(f"{self.url} does not answer ({error}). Is it running? Start it with bin/dev.") from None
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        return self.must("GET", path)

    def must(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What a call that has to succeed answers. Raises Refused."""
        answer = self.ask(Request(method, path, json.dumps(body) if body else ""))
        if not answer.is_good:
            raise Refused(f"{method} {path} was answered {answer.status}: {sentence_of(answer)}")
        return answer.read


def sentence_of(answer: Answer) -> str:
    said = answer.read
    return said["error"]["message"] if isinstance(said, dict) and "error" in said else answer.body[:300]
