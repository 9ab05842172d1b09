import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.calls import BAD_BODIES
from wires.strict_json import NotJson, parse

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
)  # fmt: skip


@given(st.dictionaries(PRINTABLE, JSON, max_size=4))
def test_what_is_good_json_is_read_as_json_loads_reads_it(found):
    for text in (json.dumps(found), json.dumps(found, ensure_ascii=False, indent=1)):
        assert parse(text.encode()) == found


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
def test_whatever_comes_is_read_or_refused(source):
    try:
        assert isinstance(parse(source), dict)
    except NotJson as refusal:
        assert str(refusal).startswith("The body ")


@pytest.mark.parametrize("source", BAD_BODIES.values(), ids=BAD_BODIES)
def test_what_is_not_quite_json_is_refused(source):
    with pytest.raises(NotJson, match="^The body "):
        parse(source)


def test_the_text_of_a_message_keeps_its_lines():
    assert parse(rb'{"message": "Dear all,\r\n\tgood news"}') == {"message": "Dear all,\r\n\tgood news"}


def test_a_byte_order_mark_does_no_harm():
    assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_fifty_levels_are_read_and_no_more():
    assert parse(b'{"a": ' + b"[" * 49 + b"]" * 49 + b"}")

    with pytest.raises(NotJson, match="nested"):
        parse(b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}")
