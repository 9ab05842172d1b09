"""Whoever somebody is called, they read it literally; and what is written for one place is safe in that place."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns import personalise
from campaigns.mail.compiling import compiled
from campaigns.mail.example import MJML
from campaigns.mail.links import can_be_pressed
from campaigns.models import Format, Source
from campaigns.rendering import LONGEST, Renderer, TooLong, digest_of
from people.channels import Channel
from people.models import UNSUBSCRIBE_LINK

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{first_name}",
    "{{7*7}}",
    "{a|{b}}",
    "${x}",
    "%s %(x)s",
    "{0.__class__}",
    "{% debug %}",
    "\\1",
    "&lt;b&gt;",
    "</style><script>alert(1)</script>",
    "-->",
    "]]>",
    "\u202e\u2028\x00",
]
values = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
people = st.fixed_dictionaries({name: st.one_of(st.none(), values) for name in ("a", "b", "c")})
PAGE = (
    '<body><p title="{a}">{b|friend}</p><a href="https://x.example/?u={a}&amp;v={b}">go</a>'
    '<a href="{c}">own</a><img alt="{c}" src="https://x.example/{b}.png"><b>{a}</b></body>'
)


def of(text: str, html: str = "", subject: str = "", channel: Channel = Channel.EMAIL, footer: str = "") -> Renderer:
    return Renderer(channel, {(0, ""): Source(subject, text, html)}, footer)


def by_hand(source: str, said: dict[str, object]) -> str:
    """The oracle: character by character, without a pattern."""
    out, at = [], 0
    while at < len(source):
        end = source.find("}", at) if source[at] == "{" else -1
        name, bar, fallback = source[at + 1 : end].partition("|") if end > 0 else ("", "", "")
        letters = bool(name) and all(letter in "abcdefghijklmnopqrstuvwxyz_" for letter in name)
        if letters and not set(fallback) & set("{|\r\n"):
            value = said.get(name)
            out.append(fallback if value in (None, "") else str(value))
            at = end + 1
        else:
            out.append(source[at])
            at += 1
    return "".join(out)


@settings(max_examples=150)
@given(
    pieces=st.lists(
        st.one_of(st.sampled_from(["{a}", "{b|you}", "{c|}", "{A}", "{", "}", "|", "{a|b|c}", "{ a }"]), values),
        max_size=8,
    ),
    person=people,
)
def test_a_text_is_what_one_would_write_by_hand(pieces, person):
    source = "".join(pieces)

    assert of(source, channel=Channel.SMS).rendered(person).text == by_hand(source, person)


class Read(HTMLParser):
    """What a mail program makes of it: tags with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[str]]] = []
        self.attributes: dict[tuple[str, str], list[str]] = {}
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, [name for name, _ in attrs]))
        for name, value in attrs:
            self.attributes.setdefault((tag, name), []).append(value)

    def handle_data(self, data):
        self.text += data


def as_read(value: str) -> str:
    """As a parser gives it back: HTML knows no NUL and one kind of line break."""
    return value.replace("\r\n", "\n").replace("\r", "\n")


@settings(max_examples=150)
@given(person=people)
@example({"a": HOSTILE[1], "b": HOSTILE[0], "c": HOSTILE[3]})
def test_in_html_a_value_stays_a_value_wherever_it_stands(person):
    page = Read(of("", PAGE).rendered(person).html)
    a, b, c = (person[name] or "" for name in ("a", "b", "c"))

    assert page.tags == Read(PAGE).tags
    assert as_read(page.text) == as_read(f"{b or 'friend'}goown{a}")
    assert as_read(page.attributes["p", "title"][0]) == as_read(a)
    assert as_read(page.attributes["img", "alt"][0]) == as_read(c)
    link, own = page.attributes["a", "href"]
    assert link.startswith("https://x.example/?u=")
    assert parse_qs(urlsplit(link).query, keep_blank_values=True, strict_parsing=True) == {"u": [a], "v": [b]}
    assert own == "" or re.match("(https?://|mailto:|tel:)", own, re.IGNORECASE)
    assert urlsplit(page.attributes["img", "src"][0]).hostname == "x.example"


@pytest.mark.parametrize("own", ["https://shop.example/me?x=1&y=2", "http://a.example", "mailto:a@b.c", "tel:+254700"])
def test_a_link_of_ones_own_leads_to_the_web_to_a_mail_or_to_a_phone(own):
    assert Read(of("", PAGE).rendered({"c": own}).html).attributes["a", "href"][1] == own


@pytest.mark.parametrize(
    "page",
    [
        "<{a}>",
        "<p {a}>",
        '<p style="color:{a}">',
        '<p onclick="{a}">',
        "<style>p{color:red}{a}</style>",
        "<script>{a}</script>",
        "<p title={a}>",
    ],
)
def test_where_no_value_could_be_safe_none_is_written(page):
    renderer = of("", page)

    assert renderer.fault
    with pytest.raises(personalise.NoPlace):
        renderer.rendered({"a": "x"})


def test_after_a_style_there_is_room_for_values_again():
    page = "<style>p { color: red }</style><p>{a}</p>"

    assert of("", page).rendered({"a": "<b>"}).html == "<style>p { color: red }</style><p>&lt;b&gt;</p>"


@given(value=values)
def test_a_subject_stays_one_line(value):
    subject = of("x", subject="For {a}").rendered({"a": value}).subject

    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", subject)
    assert subject == f"For {value}" or not value.isprintable()


def test_a_phone_number_keeps_its_plus_in_a_link():
    page = '<a href="tel:{phone}">Call</a><a href="sms:{phone}?body={a}">Write</a>'

    links = Read(of("", page).rendered({"phone": "+254700", "a": "+ &"}).html).attributes["a", "href"]

    assert links == ["tel:+254700", "sms:+254700?body=+%20%26"]


def test_numbers_and_truth_are_written_as_words():
    assert of("{a} {b}", channel=Channel.SMS).rendered({"a": 7, "b": True}).text == "7 True"


@pytest.mark.parametrize("channel", list(Channel))
def test_what_one_value_makes_too_long_is_refused_before_it_is_sent(channel):
    renderer = of("{a}", channel=channel)

    assert len(renderer.rendered({"a": "x" * LONGEST[channel]}).text) == LONGEST[channel]
    with pytest.raises(TooLong, match="characters for this person"):
        renderer.rendered({"a": "x" * (LONGEST[channel] + 1)})


def test_each_reads_the_words_of_their_variant_and_language():
    places = {(0, ""): "main", (1, "el"): "A el", (2, ""): "B", (2, "el"): "B el"}
    renderer = Renderer(Channel.SMS, {place: Source("", text) for place, text in places.items()})

    def read(variant: int, language: str = "") -> str:
        return renderer.rendered({"language": language}, variant).text

    assert [read(0), read(1), read(2)] == ["main", "main", "B"]
    assert [read(0, "el"), read(1, "el-GR"), read(2, "EL")] == ["A el", "A el", "B el"]
    assert [read(0, "de"), read(2, "de"), read(3, "??")] == ["main", "B", "main"]
    assert renderer.kept == ["language"]


def test_a_link_to_unsubscribe_is_added_once_and_in_every_part():
    footer = "\n\nTo stop these emails: {unsubscribe_link}\n"
    link = {UNSUBSCRIBE_LINK: "https://c.example/u/s1"}
    added = of("Hi", "<body><p>Hi</p></body>", footer=footer).rendered(link)
    placed = of("Hi {unsubscribe_link}", '<a href="{unsubscribe_link}">x</a>', footer=footer).rendered(link)

    assert added.text == "Hi\n\nTo stop these emails: https://c.example/u/s1\n"
    assert Read(added.html).attributes["a", "href"] == ["https://c.example/u/s1"]
    assert added.html.endswith("</body>")
    for hidden in (
        '<img alt="{unsubscribe_link}">',
        '<p title="{unsubscribe_link}">Hi</p>',
        '<a href="{unsubscribe_link}"></a>',
        '<div style="display: none">{unsubscribe_link}</div>',
    ):
        assert "To stop these emails" in of("Hi", hidden, footer=footer).rendered(link).html, hidden
    assert placed == ("", "Hi https://c.example/u/s1", '<a href="https://c.example/u/s1">x</a>')


def test_the_link_of_the_example_is_one():
    made = compiled(Format.MJML, MJML)

    assert can_be_pressed(made.html)
    assert (
        "To stop these emails" not in of(made.plain, made.html, footer="\n\nTo stop these emails: x").rendered({}).html
    )


def test_other_words_have_another_digest():
    words = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("", "", ""), ("\ud800", "", "")]

    assert len({digest_of(*each) for each in words}) == len(words)
    assert all(-(2**63) <= digest_of(*each) < 2**63 for each in words)
