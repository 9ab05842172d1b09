"""What is left of a picture that was sent in: what can be seen, and nothing else."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from campaigns import pictures
from campaigns.pictures import NotAPicture, drawn_anew
from tests.campaigns.pictures import CANARY, a_bomb, a_picture, an_animation, encoded, telling_a_place, with_frame

SAMPLES = [a_picture("PNG"), a_picture("JPEG"), a_picture("WEBP"), an_animation(), an_animation("WEBP")]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("sent", "kept"), [("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "JPEG"), ("GIF", "PNG"), ("MPO", "JPEG")]
)
def test_a_picture_looks_as_before_in_a_kind_that_every_mail_program_shows(sent, kept):
    picture = drawn_anew(a_picture(sent, size=(60, 40), colour="teal"))

    again = opened(picture.data)
    assert (picture.kind, again.format, again.size, (picture.width, picture.height)) == (kept, kept, (60, 40), (60, 40))
    red, green, blue = again.convert("RGB").getpixel((30, 20))
    assert abs(red) < 4 and abs(green - 128) < 4 and abs(blue - 128) < 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_nothing_told_beside_the_picture_or_hidden_behind_it_is_kept(kind):
    sent = telling_a_place(kind)
    assert CANARY in sent

    picture = drawn_anew(sent)

    assert CANARY not in picture.data + picture.small


def test_glass_stays_glass():
    for kind in ("PNG", "WEBP"):
        picture = drawn_anew(encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 0)), kind, lossless=True))

        assert picture.kind == "PNG"
        assert opened(picture.data).convert("RGBA").getpixel((5, 5))[3] == 0


def test_a_photo_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6

    picture = drawn_anew(a_picture("JPEG", size=(60, 40), exif=exif))

    assert (picture.width, picture.height) == (40, 60)


def test_a_large_picture_becomes_as_wide_as_a_mail_can_need():
    picture = drawn_anew(a_picture("JPEG", size=(4000, 3000)))

    assert (picture.width, picture.height) == (2000, 1500)
    assert max(opened(picture.small).size) == 320


def test_an_animated_gif_goes_on_moving():
    picture = drawn_anew(an_animation(frames=3, comment=CANARY))

    again = opened(picture.data)
    times = []
    for number in range(again.n_frames):
        again.seek(number)
        times.append(again.info["duration"])
    assert (picture.kind, times, again.info["loop"]) == ("GIF", [100, 110, 120], 0)
    assert CANARY not in picture.data


def test_sixteen_bits_of_grey_are_not_blown_out():
    picture = drawn_anew(encoded(Image.new("I;16", (10, 10), 0x8000), "PNG"))

    assert opened(picture.data).getpixel((5, 5)) == 128


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"", "The file is empty."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "Save the picture as PNG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "Save the picture as PNG"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "Save the picture as JPEG"),
        (b"GIF89a<script>alert(1)</script>", "no picture"),
        (b"<!doctype html><script>alert(1)</script>", "no picture"),
        (b"%PDF-1.7", "no picture"),
        (a_picture("BMP"), "no picture"),
        (a_picture("TIFF"), "no picture"),
        (a_picture("JPEG", size=(300, 300))[:400], "broken"),
        (a_picture("PNG", size=(300, 300))[:-60], "broken"),
        (a_picture("PNG").replace(b"IDAT", b"\xda\t:\xc7"), "broken"),
        (a_picture("GIF")[:-9] + bytes(8), "broken"),
        (a_bomb(7_000), "too many pixels"),
        (a_bomb(50_000), "too many pixels"),
        (an_animation("WEBP"), "animated GIF"),
        (an_animation("PNG"), "animated GIF"),
        (an_animation(frames=301, size=(2, 2)), "301 frames"),
        (an_animation(frames=3, size=(4000, 4000)), "too large"),
        (with_frame(an_animation(size=(1, 1)), 3_000), "larger than the animation"),
        (with_frame(an_animation(size=(1, 1)), 7_000), "too many pixels"),
        (bytes(5 * 1024**2 + 1), "5 MB is the most"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_what_to_do(sent, sentence):
    with pytest.raises(NotAPicture, match=sentence):
        drawn_anew(sent)


def test_what_grows_too_large_when_drawn_anew_is_refused(monkeypatch):
    sent = encoded(Image.effect_noise((200, 200), 90).convert("P"), "GIF")
    monkeypatch.setattr(pictures, "MOST_BYTES", len(sent))
    monkeypatch.setattr(pictures, "is_photo", lambda source: False)
    monkeypatch.setattr(pictures, "in_srgb", lambda picture: Image.effect_noise((200, 200), 90).convert("RGBA"))

    with pytest.raises(NotAPicture, match="Save it as JPEG"):
        drawn_anew(sent)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=6))
def test_a_broken_file_is_a_picture_or_refused_and_nothing_else(sample, wounds):
    data = bytearray(sample)
    for where, what in wounds:
        at = int(where * (len(data) - len(what)))
        data[at : at + len(what)] = what

    try:
        picture = drawn_anew(bytes(data))
    except NotAPicture:
        return
    assert opened(picture.data).format == picture.kind
