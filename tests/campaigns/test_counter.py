"""The numbers below the field of a text message, as the server draws them: with JavaScript and without."""

import re
from html import unescape

import pytest
from django.urls import reverse

from accounts.models import Role
from campaigns.models import Campaign
from people.models import ConsentSettings
from tests.make import logged_in, make_recipient, make_recipients, make_workspace

pytestmark = pytest.mark.django_db
TYPED = {"name": "Sale", "channel": "sms", "audience": "everyone"}


@pytest.fixture
def workspace():
    workspace = make_workspace()
    ConsentSettings.objects.create(workspace=workspace, sms_link=False)
    return workspace


@pytest.fixture
def browser(workspace):
    return logged_in(workspace, Role.EDITOR)


def counter(answer) -> str:
    """What stands in it, as words."""
    html = answer.content.decode()
    words = re.sub(r"<[^>]*>", " ", html[html.index('<div id="counter"') :].split("</div>")[0])
    return " ".join(unescape(words).split())


def typed(browser, body: str, **more) -> str:
    return counter(browser.post(reverse("campaign-preview"), TYPED | {"body": body} | more))


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Hi there", "8 of 160 characters · GSM-7 · 1 part as typed"),
        ("€" * 81, "162 characters · GSM-7 · 2 parts as typed, 143 left in the last"),
        ("Привет", "6 of 70 characters · UCS-2 · 1 part as typed"),
        ("x" * 1_601, "1,601 characters, 1 more than a message holds"),
    ],
)
def test_characters_alphabet_and_parts_are_told_while_it_is_written(browser, body, line):
    assert typed(browser, body).startswith(line)


def test_what_somebodys_own_words_make_of_it_is_told_beside_what_was_typed(browser, workspace):
    make_recipients(workspace, 2)
    make_recipient(workspace, first_name="Łukasz")
    body = "Hi {first_name|there}, " + "." * 100

    words = typed(browser, body)

    assert words.startswith("110 of 160 characters · GSM-7 · 1 part as typed")
    assert "With people’s own words: up to 2 parts (1 of 3 people), Ł in {first_name}." in words


def test_where_nobodys_own_words_make_more_of_it_that_is_told_too(browser, workspace):
    make_recipients(workspace, 3)

    assert "no more parts for any of the 3 people" in typed(browser, "Hi {first_name}")


def test_the_character_that_makes_it_unicode_is_named_and_can_be_replaced(browser):
    answer = browser.post(reverse("campaign-preview"), TYPED | {"body": "It’s on. It’s cheap"})

    assert "’ (2 times, first at 3) makes the whole text Unicode" in counter(answer)
    assert 'data-simpler="{&quot;\\u2019&quot;: &quot;&#x27;&quot;}"' in answer.content.decode()


def test_what_nothing_simpler_can_stand_for_is_named_and_not_half_replaced(browser):
    words = typed(browser, "It’s on 🙂")

    assert "Nothing simpler stands for “🙂”" in words and "Write simple characters" not in words


def test_the_line_with_the_link_counts(browser):
    ConsentSettings.objects.update(sms_link=True)

    words = typed(browser, "Hi")

    assert "The link to unsubscribe below the text counts too." in words and not words.startswith("2 of")


def test_more_than_sixteen_hundred_characters_are_not_saved(browser, workspace):
    answer = browser.post(reverse("campaign-new"), TYPED | {"body": "x" * 1_601})

    assert answer.status_code == 422 and "1,601 characters, 1 more" in counter(answer)
    assert "The message has 1,601 characters; a message by SMS holds 1,600 at most." in answer.content.decode()
    assert not Campaign.objects.exists()


def test_a_whatsapp_message_is_counted_in_characters_alone(browser):
    words = typed(browser, "Hi “there” 🙂", channel="whatsapp")

    assert words == "12 of 1,600 characters"


def test_only_the_first_two_hundred_are_looked_at_and_it_says_so(browser, workspace):
    make_recipients(workspace, 201)

    assert "no more parts for the first 200 people" in typed(browser, "Hi {first_name}")
