"""Parts of text messages, held against a second counter that packs bits and octets as a telephone does."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.parts import GSM, TWO_PLACES, Encoding, parts_of, weight_of
from campaigns.simpler import forced_by, instead_of, is_worth_it, simpler

OCTETS = 140  # of one message (TS 23.040 9.2.3.24)
HEADER = 6  # octets of the user data header that joins parts: its length, and 5 of the concatenation element
ALPHABET = sorted(GSM | TWO_PLACES)
ODD = "łçéżñ“”‘’…–—\u00a0\u200b🙂👩‍👩‍👧𝐇ñıшŠ漢€[]^~|{}\\"
plain = st.text(st.sampled_from(ALPHABET), max_size=330)
wide = st.text(st.sampled_from(sorted(TWO_PLACES) + ["a"]), max_size=330)
unicode = st.text(st.sampled_from("aшÄ漢🙂𝐇€"), max_size=150)
texts = st.one_of(plain, wide, unicode, st.text(st.characters(exclude_categories=["Cs"]), max_size=150))


def cut(text: str) -> list[str]:
    """The parts a telephone makes of it: bit after bit, the fill bit before the first septet of a part included."""
    is_plain = all(character in GSM or character in TWO_PLACES for character in text)

    def bits(character: str) -> int:
        if is_plain:
            return 14 if character in TWO_PLACES else 7
        return 8 * len(character.encode("utf-16-be"))

    if sum(map(bits, text)) <= OCTETS * 8:
        return [text]
    room = (OCTETS - HEADER) * 8 - (1 if is_plain else 0)
    parts, free = [""], room
    for character in text:
        if bits(character) > free:
            parts.append("")
            free = room
        parts[-1] += character
        free -= bits(character)
    return parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the escape does not fit into the first part
        ("a" * 151 + "€" + "a" * 153, 2),
        ("ш" * 70, 1),
        ("ш" * 71, 2),
        ("🙂" * 35, 1),
        ("🙂" * 36, 2),
        ("🙂" * 66, 2),
        ("🙂" * 67, 3),  # 33 whole pairs a part: no pair is cut in two
    ],
)
def test_a_text_has_as_many_parts_as_the_networks_cut_it_into(text, parts):
    assert parts_of(text) == parts


@given(text=texts)
@example(text="a" * 152 + "€" + "a" * 160)
@example(text="🙂" * 67)
@settings(max_examples=150)
def test_the_count_is_that_of_a_telephone_that_packs_bit_after_bit(text):
    assert parts_of(text) == len(cut(text))


@given(text=texts)
@settings(max_examples=100)
def test_what_is_left_fits_into_the_last_part_and_one_more_does_not(text):
    weight = weight_of(text)
    more = "a" if weight.encoding == Encoding.GSM else "ш"
    if weight.used <= weight.encoding.alone:
        assert weight.used + weight.left == weight.encoding.alone
    assert len(cut(text + more * weight.left)) == weight.parts
    assert len(cut(text + more * (weight.left + 1))) == weight.parts + 1


def test_the_characters_that_make_it_unicode_are_named_with_their_places_and_what_could_stand_for_them():
    forced = forced_by("“Hi” Łukasz, it’s 20 ₦…\u00a0“Bye”")

    assert [(each.character, each.positions, each.instead) for each in forced] == [
        ("“", [1, 25], '"'),
        ("”", [4, 29], '"'),
        ("Ł", [6], "L"),
        ("’", [16], "'"),
        ("₦", [22], None),
        ("…", [23], "..."),
        ("\u00a0", [24], " "),
    ]
    assert not is_worth_it(forced) and is_worth_it(forced[:4]) and not is_worth_it([])


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("“It’s” – done…", '"It\'s" - done...'),
        ("Żółć, ação, Dvořák", "Zolc, acao, Dvorak"),
        ("Zoe\u0308, Mu\u0308ller", "Zoe, Müller"),  # accents set by themselves: ü is in the alphabet, ë is not
        ("a\u00a0b\u200bc\u2009d\u00ad", "a bc d"),
        ("Ä ö ñ é € [x] stay", "Ä ö ñ é € [x] stay"),
        ("№ 5 ﬁne 𝐇𝐢", "No 5 fine Hi"),
        ("Привет 🙂 ₹50", "Привет 🙂 ₹50"),
        ("½ and 20°", "1/2 and 20°"),
    ],
)
def test_what_reads_the_same_is_written_simply_and_the_rest_stays(text, simple):
    assert simpler(text) == simple


@given(text=st.text(st.one_of(st.sampled_from(ALPHABET), st.sampled_from(ODD), st.characters()), max_size=120))
@settings(max_examples=100)
def test_simple_characters_are_plain_keep_what_was_plain_and_need_no_second_time(text):
    simple = simpler(text)

    assert simpler(simple) == simple
    assert all(each.instead is None for each in forced_by(simple))
    if is_worth_it(forced_by(text)):
        assert weight_of(simple).encoding == Encoding.GSM
    if not forced_by(text):
        assert simple == text


@given(character=st.characters(exclude_categories=["Cs"]))
@settings(max_examples=100)
def test_what_stands_for_a_character_is_in_the_alphabet(character):
    assert set(instead_of(character) or "") <= GSM | TWO_PLACES


def test_the_signs_of_money_are_never_replaced():
    assert [instead_of(sign) for sign in "₦₹₺₽¢₿₴₫"] == [None] * 8
