"""Pictures as people and strangers send them in."""

import io
import struct
import zlib

from PIL import Image

CANARY = b"CANARY-1.2921S-36.8219E"


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def a_picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), colour: str = "teal", **options) -> bytes:
    return encoded(Image.new("RGB", size, colour), kind, **options)


def an_animation(kind: str = "GIF", frames: int = 3, size: tuple[int, int] = (60, 40), **options) -> bytes:
    first, *others = (Image.new("RGB", size, (40 * n % 256, 90, 10)) for n in range(frames))
    options = {"duration": [100 + 10 * n for n in range(frames)], "loop": 0} | options
    return encoded(first, kind, save_all=True, append_images=others, **options)


def telling_a_place(kind: str) -> bytes:
    """With the canary everywhere a file of this kind can keep words."""
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    exif.get_ifd(0x8825)[0x001D] = CANARY.decode()
    if kind == "GIF":
        return a_picture(kind, comment=CANARY) + CANARY
    if kind == "PNG":
        return with_chunk(a_picture(kind, exif=exif), b"tEXt", b"Comment\0" + CANARY) + CANARY
    beside = {"comment": CANARY} if kind == "JPEG" else {}
    return a_picture(kind, exif=exif, xmp=b"<x>" + CANARY + b"</x>", **beside) + CANARY


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    head = 8 + 25  # the signature and the first chunk
    return png[:head] + chunk(kind, data) + png[head:]


def a_bomb(side: int) -> bytes:
    """A few kilobytes that say to hold a picture of so many pixels each way."""
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    )


def with_frame(gif: bytes, side: int) -> bytes:
    """The animation with one frame more that is so large each way, whatever the head says, and is wiped away."""
    wiped = b"!\xf9\x04" + bytes([2 << 2]) + bytes(4)
    colours, codes = bytes([128]) + bytes(6), b"\2\2\x4c\1\0"
    return gif.removesuffix(b";") + wiped + b"," + struct.pack("<HHHH", 0, 0, side, side) + colours + codes + b";"
