"""A picture that somebody sent in, drawn anew: nothing of the file is left but what can be seen.

Neither the name nor the declared type is asked; where it was taken, comments, and whatever was hidden behind the
picture are not written again. What mail programs cannot show becomes what they can.
"""

import io
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from math import ceil

from PIL import GifImagePlugin, Image, ImageCms, ImageOps

MOST_BYTES = 5 * 1024**2
MOST_PIXELS = 40_000_000  # a telephone's; an animation has as many in all its frames
MOST_FRAMES = 300
LARGEST = (2000, 4000)  # mails are 600 wide, on the sharpest screens 1,800
SMALL = (320, 320)
READ = ("JPEG", "PNG", "GIF", "WEBP")
# Whatever a file that is no picture, or is broken, makes the library stumble over.
BROKEN = (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError, struct.error, zlib.error)
SRGB = ImageCms.createProfile("sRGB")
# Frames that share a palette are kept as they are, not guessed anew.
GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_AFTER_DIFFERENT_PALETTE_ONLY
# The library refuses twice this, also where it unpacks a part that no head told of, and warns of half, which we take.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

ONE_AT_A_TIME = threading.Lock()  # as one may take 250 MB for a moment


class NotAPicture(Exception):
    """It cannot be taken; the text says why, and what to do."""


@dataclass(frozen=True)
class Picture:
    """A picture as it is kept: `kind` is JPEG, PNG or GIF; the small one is always WebP."""

    kind: str
    width: int
    height: int
    data: bytes
    small: bytes


def drawn_anew(data: bytes) -> Picture:
    """Raises NotAPicture."""
    if len(data) > MOST_BYTES:
        raise NotAPicture(f"It has {megabytes(len(data))}; {megabytes(MOST_BYTES)} is the most a picture may have.")
    with ONE_AT_A_TIME:
        try:
            with Image.open(io.BytesIO(data), formats=READ) as source:
                refuse_too_large(source)
                picture = animation(source) if is_animated(source) else still(source)
        except Image.DecompressionBombError:
            raise too_large() from None
        except BROKEN as error:
            raise NotAPicture(told_of(data)) from error
    if len(picture.data) > MOST_BYTES:
        raise NotAPicture(f"Drawn anew it has {megabytes(len(picture.data))}. Save it as JPEG, or make it smaller.")
    return picture


def megabytes(count: int) -> str:
    """Rounded up: what is over a limit is not said to be at it."""
    return f"{ceil(count * 10 / 1024**2) / 10:.1f} MB".replace(".0 ", " ")


def too_large() -> NotAPicture:
    return NotAPicture(f"It has too many pixels; {MOST_PIXELS // 1_000_000} million is the most. Make it smaller.")


def refuse_too_large(source: Image.Image) -> None:
    """By what its head says, before anything of it is unpacked."""
    if source.width * source.height > MOST_PIXELS:
        raise too_large()


def is_animated(source: Image.Image) -> bool:
    """Raises NotAPicture for animations that hardly any mail program shows."""
    if source.format == "MPO" or not getattr(source, "is_animated", False):  # MPO: a JPEG with a second view in it
        return False
    if source.format != "GIF":
        raise NotAPicture("Most mail programs do not show such an animation. Save it as an animated GIF.")
    return True


def still(source: Image.Image) -> Picture:
    if source.format in ("JPEG", "MPO"):
        source.draft(None, LARGEST)  # a large photo is unpacked at the size that is needed
    picture = plain_mode(source)
    ImageOps.exif_transpose(picture, in_place=True)
    picture = in_srgb(picture)
    if picture.width > LARGEST[0] or picture.height > LARGEST[1]:
        picture = full_colour(picture)
        picture.thumbnail(LARGEST, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if is_photo(source):
        kind, picture = "JPEG", picture if picture.mode == "L" else picture.convert("RGB")
        bare(picture).save(out, "JPEG", quality=88, optimize=True, progressive=True)
    else:
        kind = "PNG"
        bare(picture).save(out, "PNG", optimize=True)
    return Picture(kind, picture.width, picture.height, out.getvalue(), small_of(picture))


def is_photo(source: Image.Image) -> bool:
    """Whether JPEG does it justice; WebP, which many mail programs do not show, becomes one of the two."""
    return source.format in ("JPEG", "MPO") or source.format == "WEBP" and not source.has_transparency_data


def plain_mode(source: Image.Image) -> Image.Image:
    """Unpacked, and in a mode that JPEG or PNG can keep; sixteen bits of grey become eight."""
    source.load()
    if source.mode.startswith("I"):
        return source.convert("I").point(lambda grey: grey / 256).convert("L")
    return source.convert("RGBA") if source.mode in ("LA", "PA", "La", "RGBa") else source


def in_srgb(picture: Image.Image) -> Image.Image:
    """In the colours that mail programs take every picture to be in."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture.convert("RGB") if picture.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F") else picture
    try:
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        turned = ImageCms.profileToProfile(
            picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), SRGB, outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, TypeError):
        turned = None  # a broken profile spoils no picture
    return turned or picture.convert("RGB" if picture.mode == "CMYK" else picture.mode)


def full_colour(picture: Image.Image) -> Image.Image:
    """Without a palette, as scaling needs it."""
    if picture.mode in ("RGB", "RGBA", "L"):
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def bare(picture: Image.Image) -> Image.Image:
    """The picture without a word beside it; which colour of its palette is glass belongs to it."""
    picture = picture.copy()
    picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    return picture


def small_of(picture: Image.Image) -> bytes:
    small, out = full_colour(picture).copy(), io.BytesIO()
    small.thumbnail(SMALL, Image.Resampling.LANCZOS)
    bare(small).save(out, "WEBP", quality=80)
    return out.getvalue()


def animation(source: Image.Image) -> Picture:
    """All frames with their times; how often it is played stays."""
    frames, times, size = [], [], source.size
    loop = source.info.get("loop")
    count = getattr(source, "n_frames", 1)
    if count > MOST_FRAMES:
        raise NotAPicture(f"The animation has {count} frames; {MOST_FRAMES} is the most.")
    if count * source.width * source.height > MOST_PIXELS:
        raise NotAPicture("The animation is too large. Make it smaller, or leave some of its frames out.")
    for number in range(count):
        source.seek(number)
        if source.size != size:  # the library makes all of them larger for a frame that sticks out
            raise NotAPicture("A frame of the animation is larger than the animation. Save it anew, or as PNG.")
        source.load()
        times.append(int(source.info.get("duration", 100)) or 100)
        frames.append(bare(source))
    out = io.BytesIO()
    has_glass = any(frame.has_transparency_data for frame in frames)
    again = {} if loop is None else {"loop": loop}
    first, *others = frames
    first.save(out, "GIF", save_all=True, append_images=others, duration=times, disposal=2 if has_glass else 1, **again)
    return Picture("GIF", source.width, source.height, out.getvalue(), small_of(first))


def told_of(data: bytes) -> str:
    """What to do about a file that is no picture we can read."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "SVG can hold scripts, and most mail programs do not show it. Save the picture as PNG."
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return "Most mail programs do not show HEIC and AVIF. Save the picture as JPEG."
    if not data:
        return "The file is empty."
    return "This is no picture, or it is broken. JPEG, PNG, GIF and WebP are taken."
