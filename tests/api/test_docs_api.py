"""The examples of docs/api.md work as they stand there, on the demo."""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from playwright._impl._driver import compute_driver_executable

from accounts.models import ApiKey, Role
from campaigns.models import Campaign
from dispatcher.api.refusals import ALSO, EVERYWHERE
from dispatcher.api_demo.play import differences
from dispatcher.api_demo.requests import Request, place_of, request_of
from dispatcher.models import Message
from tests.api.described import description
from tests.api.served import asking, engine_at_work, on_its_first_day, said_by

DOCS = settings.BASE_DIR / "docs" / "api.md"
BLOCKS = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^curl (?:.*\\\n)*.*$", re.MULTILINE)
LIST = b"Handset,first_name\n+254711000001,Zoe\n"
HERE, KEY = "http://127.0.0.1:8000", "cd_..."


def blocks() -> list[tuple[str, str]]:
    """Language and text of each, from the top."""
    return BLOCKS.findall(DOCS.read_text())


@pytest.mark.django_db
def test_every_curl_command_is_answered_as_the_page_says(monkeypatch):
    ask, answers = asking(on_its_first_day(monkeypatch)), []

    for language, text in blocks():
        if language == "bash" and (commands := COMMAND.findall(text)):
            answers = [ask(with_file(command) if " -F " in command else request_of(command)) for command in commands]
            assert all(answer.is_good for answer in answers), (text, answers)
        elif language == "json" and answers:
            assert list(differences(json.loads(text), answers[-1].read)) == [], text
            answers = []

    assert Campaign.objects.filter(name="Thanks").count() == 1
    assert Campaign.objects.get(name="Hello").messages.count() == 3


def with_file(command: str) -> Request:
    """What a curl command sends that carries a file."""
    _, url, *words = shlex.split(command.replace("\\\n", " "))
    form = dict(word.split("=", 1) for flag, word in zip(words, words[1:], strict=False) if flag == "-F")
    data = {name: SimpleUploadedFile("a.csv", LIST) if said.startswith("@") else said for name, said in form.items()}
    return Request(
        "POST", place_of(url), encode_multipart(BOUNDARY, data).decode(), {"Content-Type": MULTIPART_CONTENT}
    )


@pytest.mark.django_db(transaction=True)
def test_the_python_and_javascript_of_the_page_run_as_they_stand(live_server, tmp_path, monkeypatch):
    workspace = on_its_first_day(monkeypatch)
    _, secret = ApiKey.make(workspace, "docs", Role.MARKETER)

    def script(language: str, name: str) -> Path:
        text = "\n".join(text for each, text in blocks() if each == language)
        assert HERE in text and KEY in text
        path = tmp_path / name
        path.write_text(text.replace(HERE, live_server.url).replace(KEY, secret))
        return path

    with engine_at_work():
        said = said_by(sys.executable, script("python", "client.py"))
        assert "3 messages" in said and "CONFLICT" in said
        assert said.count("Hi ") == Message.objects.filter(campaign__name="Sale").count() == 3

        node = compute_driver_executable()[0]  # comes with the browser tests
        assert "scheduled 3" in said_by(node, script("javascript", "client.mjs"))
        assert Campaign.objects.get(name="Later").status == Campaign.Status.CANCELLED


def codes_in(folder: str) -> Iterator[str]:
    """The words in capitals with which code refuses."""
    for path in sorted((settings.BASE_DIR / folder).rglob("*.py")):
        yield from re.findall(r'(?:refuse\([^"\n]*|LaunchRefused\(|code = )"([A-Z][A-Z_]+)"', path.read_text())


def test_the_page_names_every_code_and_says_what_to_do():
    table = re.findall(r"^\| \d+ \| (.+?) \|.*\|$", DOCS.read_text(), re.MULTILINE)
    named = set(re.findall(r"`([A-Z_]+)`", "".join(table)))

    used = {code for folder in ("accounts", "people", "campaigns", "dispatcher") for code in codes_in(folder)}
    used |= {code for codes in (EVERYWHERE, *ALSO.values()) for some in codes.values() for code in some}

    assert len(used) > 15
    assert {code for code in used - named if not code.endswith("_NOT_FOUND")} == set()


def test_the_page_names_everything_there_is():
    resources = {path.strip("/").split("/")[0] for path in description()["paths"]}

    assert {name for name in resources if f"`/{name}" not in DOCS.read_text()} == set()
