"""Nobody but us can make a link, and one kind of it is never taken for another."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from people.channels import Channel
from people.links import Links, Meant, Purpose, keys, meant_by, token_of

IDS = st.integers(1, 2**63 - 1)
MEANT = Meant(Channel.EMAIL, 4711, 12)


def made(purpose: Purpose = Purpose.PAGE, meant: Meant = MEANT) -> str:
    return token_of(purpose, meant, keys()[0])


@settings(max_examples=50)
@given(st.sampled_from(Purpose), st.sampled_from(Channel), IDS, IDS)
def test_a_link_names_whom_it_was_made_for(purpose, channel, recipient, campaign):
    meant = Meant(channel, recipient, campaign)

    assert meant_by(purpose, made(purpose, meant)) == meant


def test_with_any_character_changed_it_is_none_of_ours():
    token = made()

    changed = [
        f"{token[:at]}{other}{token[at + 1 :]}"
        for at in range(len(token))
        for other in string.ascii_letters + string.digits + "-_."
        if other != token[at]
    ]

    assert [each for each in changed if meant_by(Purpose.PAGE, each)] == []


NO_TOKENS = ["", "e", "e1-1-", f"{made()}A", f" {made()}", made()[:-1], "é" * 20, f"e0{made()[1:]}"]


@pytest.mark.parametrize("token", NO_TOKENS)
def test_what_is_no_token_at_all_is_none_of_ours(token):
    assert meant_by(Purpose.PAGE, token) is None


def test_a_link_for_one_thing_is_refused_for_another():
    assert meant_by(Purpose.ONE_CLICK, made(Purpose.PAGE)) is None
    assert meant_by(Purpose.PAGE, made(Purpose.ONE_CLICK)) is None


@pytest.mark.parametrize("part", range(3))
def test_no_part_of_one_link_can_be_put_into_another(part):
    ours, others = made().split("-"), made(meant=Meant(Channel.SMS, 4712, 13)).split("-")

    assert meant_by(Purpose.PAGE, "-".join([*ours[:part], others[part], *ours[part + 1 :]])) is None


def test_links_work_on_when_the_keys_change(settings):
    of_the_secret = made()
    settings.UNSUBSCRIBE_KEYS = ["second"]
    of_the_second = made()
    settings.UNSUBSCRIBE_KEYS = ["third", "second"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]

    assert len({of_the_secret, of_the_second, made()}) == 3
    assert {meant_by(Purpose.PAGE, token) for token in (of_the_secret, of_the_second, made())} == {MEANT}

    settings.UNSUBSCRIBE_KEYS, settings.SECRET_KEY_FALLBACKS = ["third"], []
    assert meant_by(Purpose.PAGE, of_the_second) is None


def test_a_link_is_short_enough_for_a_text_message():
    links = Links("https://c.example.com", keys()[0], Channel.SMS, 1_000)

    assert len(links.to(Purpose.PAGE, 1_000_000)) <= 48
