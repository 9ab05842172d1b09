"""Nothing that an author can type makes an email run, load or hide anything, or takes long to refuse."""

import re
import time
from html.parser import HTMLParser

import pytest

from campaigns.mail import allowed
from campaigns.mail.compiling import LONGEST_HTML, compiled
from campaigns.models import Format
from campaigns.personalise import html as split_as_html
from tests.campaigns.mail.hostile import PAYLOADS

FORMATS = (Format.MARKDOWN, Format.HTML, Format.MJML)
MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section></mj-body></mjml>"
SAFE_ADDRESS = re.compile(r"(https?://|mailto:|tel:|sms:|[^:]*\Z|\{)")


class Browser(HTMLParser):
    """Another reader than the one that compiled: what it sees must be harmless to it as well."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sheets: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "style":
            self.sheets.append(data)

    def handle_comment(self, data):
        assert data.startswith("[if ")
        Browser(data.partition(">")[2].removesuffix("<![endif]"))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_dangerous_is_left(format, payload):
    made = compiled(format, MJML.format(payload) if format == Format.MJML else f"Hello {payload} there")

    browser = Browser(made.html)
    for tag, attributes in browser.tags:
        assert tag in allowed.TAGS | {"html", "head", "body", "meta", "title", "style"}
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("srcdoc", "formaction", "action", "http-equiv")
            if name in ("href", "src", "background"):
                assert SAFE_ADDRESS.match(value or "") and "javascript" not in (value or "").lower()
            if name == "style":
                assert_harmless(value or "")
    for sheet in browser.sheets:
        assert_harmless(sheet)
        assert "@import" not in sheet and "@font-face" not in sheet and "url(" not in sheet
    assert made.html or "{" not in payload  # one out of place is left out, and not the email with it
    split_as_html(made.html)  # every placeholder stands where a value can be written


def assert_harmless(style: str) -> None:
    assert not re.search(r"expression|javascript|behavior|binding|\\|position\s*:|<|@import", style, re.IGNORECASE)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<p>\n<script>x</script>", "Line 2: <script> cannot be sent in an email; remove it."),
        ("<p onclick=x>", "Line 1: <p> runs a script (onclick), which no email can; remove it."),
        ("\n\n<form>", "Line 3: <form> cannot be sent in an email; remove it."),
        ("<a href='javascript:x'>", "Line 1: <a> leads to javascript: which no email can; use a https:// address."),
        ("<a href=shop.org/sale>", "Line 1: “shop.org/sale” leads nowhere from an email; begin it with https://."),
        ("<p style='color:{city}'>", "Line 1: {city} cannot stand in the style of <p>, where no value is safe."),
        ("<p {city}=1>", "Line 1: {city} cannot stand inside a tag; it belongs in quotes, or in the text."),
        ("<p{city}>", "Line 1: {city} cannot stand in the name of a tag."),
        ("<style>p{color:red}{city}</style>", "Line 1: {city} cannot stand in a style sheet."),
        ("<mj-text>x</mj-text>", "Line 1: <mj-text> belongs to MJML; choose MJML as the format."),
        ("a <b", "Line 1: the tag that begins here never ends; write &lt; for the sign itself."),
    ],
)
def test_its_author_is_told_what_is_left_out_and_where(body, sentence):
    assert sentence in compiled(Format.HTML, body).problems


def test_what_only_a_browser_misses_is_left_out_in_silence():
    body = "<html><head><meta charset=x><link href=x><title>Hi</title></head><body><o:p>x</o:p><!-- note --></body>"

    made = compiled(Format.HTML, body)

    assert made.problems == ()
    assert "<title>Hi</title>" in made.html and "note" not in made.html


BOMBS = {
    "nested tags": (Format.HTML, "<div>" * 20_000),
    "nested formats": (Format.HTML, "".join(f"<font size={n}>" for n in range(60)) + "<p>x" * 9_000),
    "nested quotes": (Format.MARKDOWN, "> " * 40_000),
    "nested brackets": (Format.MARKDOWN, "[" * 90_000),
    "addresses": (Format.MARKDOWN, "http://a." * 11_000),
    "tables": (Format.HTML, "<table><tr><td>" * 6_000),
    "rules": (Format.HTML, "<style>" + "a b{color:red}" * 5_000 + "</style>" + "<b>x</b>" * 3_000),
    "wide rules": (Format.HTML, f"<style>*{{font-family:{'a' * 290};cursor:{'b' * 290}}}</style>" + "<b>x</b>" * 9_000),
    "braces": (Format.HTML, "<style>" + "a{" * 40_000),
    "parentheses": (Format.HTML, "<style>a{color:" + "(" * 90_000),
    "blanks": (Format.HTML, f"<p style='color:x{' ' * 99_000}x'>y</p>"),
    "signs": (Format.HTML, "<" * 100_000),
    "entities": (Format.HTML, "&amp" * 25_000),
    "attributes": (Format.HTML, "<p " + "a='" * 30_000),
    "wrappers": (Format.MJML, "<mjml><mj-body>" + "<mj-wrapper>" * 8_000),
    "sections": (Format.MJML, "<mjml><mj-body>" + "<mj-section></mj-section>" * 3_900),
    "too long": (Format.HTML, "x" * 100_001),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_grow_without_bounds_is_refused_or_small(name):
    format, body = BOMBS[name]

    begun = time.process_time()
    made = compiled(format, body)

    assert time.process_time() - begun < 5  # on any machine: without bounds it takes minutes, or the process with it
    assert made.problems or len(made.html) <= LONGEST_HTML


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<b>x</b>" * 10_001, "The message has more than 10,000 tags; make it simpler."),
        ("<div>" * 101, "Tags stand within tags more than 100 deep; make it simpler."),
        ("&" * 100_000, "The email becomes"),
        ("x" * 100_001, "The message has 100,001 characters; an email holds 100,000 at most."),
    ],
)
def test_what_is_too_much_for_an_email_is_refused_with_a_sentence(body, sentence):
    made = compiled(Format.HTML, body)

    assert made.html == "" and made.problems[0].startswith(sentence)


def test_the_sanitiser_alone_would_do_were_our_own_reading_mistaken(monkeypatch):
    monkeypatch.setattr(allowed, "TAGS", allowed.TAGS | {"script", "form"})
    monkeypatch.setattr(allowed, "ATTRIBUTES", allowed.ATTRIBUTES | {"srcdoc", "action", "formaction"})

    html = compiled(Format.HTML, "<form action=/x><p formaction=y srcdoc=z>told</p></form>").html

    assert "told" in html
    assert not re.search("form|srcdoc|action", html)


def test_a_placeholder_where_no_value_is_safe_is_refused_were_our_own_reading_mistaken(monkeypatch):
    monkeypatch.setattr(allowed, "MAY_HOLD_PLACEHOLDERS", allowed.MAY_HOLD_PLACEHOLDERS | {"style"})

    made = compiled(Format.MARKDOWN, "<p style='color:{city}'>told once</p>")

    assert made == ("", "", ("A placeholder stands inside a tag, where no value can be safe.",))


def test_no_file_and_no_address_is_read_while_compiling():
    included = '<mjml><mj-head><mj-include path="/etc/passwd" type="css"/></mj-head><mj-body></mj-body></mjml>'
    linked = (
        '<link rel="stylesheet" href="file:///etc/passwd"><link rel=stylesheet href="http://127.0.0.1:1/x"><p>x</p>'
    )

    refused = compiled(Format.MJML, included)

    assert refused.html == "" and refused.problems == (
        "Line 1: <mj-include> has nothing to take from; write its content here.",
    )
    assert "root:" not in compiled(Format.HTML, linked).html
