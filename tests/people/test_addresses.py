import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from people.addresses import CODES, InvalidAddress, normal_email, normal_phone, quick_email, quick_phone


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann@BÜCHER.example.com", "ann@xn--bcher-kva.example.com"),
        (unicodedata.normalize("NFD", "jörg@example.com"), "jörg@example.com"),
        ("\ufeffann@example.com\u00a0", "ann@example.com"),
    ],
)
def test_an_email_address_is_kept_in_one_form_however_it_is_typed(typed, kept):
    assert normal_email(typed) == kept


@pytest.mark.parametrize("typed", ["+49 30 1234567", "0049 30 1234567", "+49 (30) 123-45-67", "+49.30.1234567"])
def test_a_phone_number_is_kept_in_one_form_however_it_is_typed(typed):
    assert normal_phone(typed) == "+49301234567"


def test_a_national_number_is_understood_when_the_country_is_known():
    assert normal_phone("0712 345 678", "KE") == "+254712345678"


def test_a_national_number_without_a_country_is_refused_with_what_to_write():
    with pytest.raises(InvalidAddress, match="country code"):
        normal_phone("0712345678")


@pytest.mark.parametrize("text", ["+1", "+254 7", "call me", "+1-800-FLOWERS", "+254712345678 ext. 5", "+" + "1" * 39])
def test_what_is_no_phone_number_is_refused(text):
    with pytest.raises(InvalidAddress):
        normal_phone(text)


@pytest.mark.parametrize("text", ["+1 253 0000", "+1 555 123 45678", "+254 71234567890", "+49 123456789012345"])
def test_a_number_with_too_few_or_too_many_digits_for_its_country_is_refused(text):
    with pytest.raises(InvalidAddress, match="wrong number of digits"):
        normal_phone(text)


@pytest.mark.parametrize("text", ["", "ann", "ann@", "@example.com", "ann@@example.com", "a b@example.com", "ann@x"])
def test_what_is_no_email_address_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidAddress, match="is not an email address"):
        normal_email(text)


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\r\nBcc: x@y.com", "\x85", "\u2028", "\ud800", "\ufffd"])
@pytest.mark.parametrize("normal", [normal_email, normal_phone])
def test_an_address_with_a_control_character_is_refused(normal, character):
    with pytest.raises(InvalidAddress, match="control character"):
        normal(f"ann{character}@example.com")


@given(st.emails())
def test_a_normal_email_address_stays_as_it_is(text):
    try:
        kept = normal_email(text)
    except InvalidAddress:
        return

    assert normal_email(kept) == kept == kept.lower()


@example("31100000000")
@given(st.text(max_size=400) | st.from_regex(r"\+?[0-9 ().-]{3,30}", fullmatch=True))
def test_any_text_at_all_is_an_address_or_refused_with_a_sentence(text):
    for normal in (normal_email, normal_phone):
        try:
            assert normal(text) == normal(normal(text))
        except InvalidAddress as refusal:
            assert str(refusal).endswith(".")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("254 711 000 002", "write it with a + in front, as +254 711 000 002."),
        ("0711 234567", "has no country code; write it with one, as +254 711 234567 for Kenya."),
        ("711 234567", "has no country code; write it with one, as +254 712 345 678 for Kenya."),
    ],
)
def test_a_number_without_its_country_says_what_to_write_instead(typed, sentence):
    with pytest.raises(InvalidAddress) as refused:
        normal_phone(typed)

    assert sentence in str(refused.value)


def said(check, *arguments) -> str:
    try:
        return check(*arguments)
    except InvalidAddress as fault:
        return f"refused: {fault}"


DIGITS = st.text("0123456789", min_size=2, max_size=13)
CODE = st.sampled_from([*CODES, "0", "999"])


@example("+", "375", "8116223896", "", None)  # it begins as if with a trunk prefix
@example("+", "55", "90593160507", "", None)
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["+", "00", ""]), CODE, DIGITS, st.sampled_from(["", " ", "-", "."]), st.sampled_from([None, "KE"])
)
def test_a_number_found_without_the_library_is_the_one_the_library_finds(plus, code, digits, gap, region):
    text = f"{plus}{code}{gap}{digits[:3]}{gap}{digits[3:]}"

    assert said(quick_phone, text, region) == said(normal_phone, text, region)


NAMES = st.text(st.sampled_from("aB1.+_-' é\u212a@\""), max_size=12)
DOMAINS = st.sampled_from(
    ["example.com", "EXAMPLE.com", "münchen.de", "xn--mnchen-3ya.de", "localhost", "a..b", "-a.com", ""]
)


@settings(max_examples=300, deadline=None)
@given(NAMES, DOMAINS)
def test_an_email_address_found_without_the_library_is_the_one_the_library_finds(name, domain):
    text = f"{name}@{domain}"

    assert said(quick_email, text) == said(normal_email, text)


def test_dots_and_tags_in_names_stay_as_they_are_written():
    assert quick_email("A.n.n+News@Gmail.com") == "a.n.n+news@gmail.com"


@pytest.mark.parametrize("text", ["030 1234567", "+49 30 1234567", "0049 30 1234567", "+4930/1234567"])
def test_a_number_is_the_same_however_it_is_written_in_its_country(text):
    assert quick_phone(text, "DE") == "+49301234567"
