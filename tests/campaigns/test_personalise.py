"""One pass, no logic: whatever people are called, and whatever a marketer types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.personalise import PLACEHOLDER, Text, unknown_names

names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
hostile = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["{first_name}", "{a|b}", "{{7*7}}", "%s %(x)s", "${x}", "{0.__class__}", "\\1", "<b>", "{"]),
)


def test_a_name_is_put_where_the_placeholder_stands():
    text = Text("Hi {first_name}, {preferred_product} are cheap in {location}.")

    filled = text.filled_for({"first_name": "Alice", "preferred_product": "Shoes", "location": "Nairobi"})

    assert filled == "Hi Alice, Shoes are cheap in Nairobi."


@pytest.mark.parametrize("text", ["{FIRST_NAME}", "{a1}", "{ first_name }", "{}", "{first-name}", "{{}}", "{a|b\nc}"])
def test_what_is_no_placeholder_is_sent_just_as_typed(text):
    assert Text(text).filled_for({"first_name": "Alice", "a": "x"}) == text


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_value_is_its_fallback_or_empty(value):
    assert Text("Hi {first_name|there}{last_name}!").filled_for({"first_name": value}) == "Hi there!"


def test_the_old_spelling_of_the_preferred_product_still_works():
    assert Text("{prefered_product}").filled_for({"preferred_product": "Shoes"}) == "Shoes"
    assert unknown_names("{prefered_product}", ["preferred_product"]) == []


def test_unknown_placeholders_are_named_once_in_the_order_they_appear():
    assert unknown_names("{z} {first_name} {a|x} {z}", ["first_name"]) == ["z", "a"]


@given(values=st.dictionaries(st.sampled_from(["a", "b"]), hostile))
def test_a_value_is_never_looked_into(values):
    filled = Text("<{a}|{b}>").filled_for(values)

    assert filled == f"<{values.get('a', '')}|{values.get('b', '')}>"


@given(text=st.text(max_size=200).filter(lambda text: not PLACEHOLDER.search(text)), values=st.just({"a": "x"}))
def test_a_text_without_placeholders_comes_out_as_it_went_in(text, values):
    assert Text(text).filled_for(values) == text


@given(
    pieces=st.lists(st.tuples(st.text("xyz {}|\n", max_size=8), names), max_size=6),
    value=hostile.filter(bool),
)
def test_every_placeholder_is_filled_in_exactly_once(pieces, value):
    source = "".join(f"{literal}{{{name}}}" for literal, name in pieces)
    text = Text(source)

    filled = text.filled_for(dict.fromkeys(text.names, value))

    assert filled == PLACEHOLDER.sub(lambda _: value, source)


@given(name=names, fallback=st.text(max_size=20).filter(lambda text: not set(text) & set("{}|\r\n")))
def test_the_fallback_is_taken_literally(name, fallback):
    assert Text(f"{{{name}|{fallback}}}").filled_for({}) == fallback
