"""The stylesheet: whatever is written can be read, by day and by night."""

import re

import pytest
from django.conf import settings

CSS = (settings.BASE_DIR / "static" / "app.css").read_text()
COLOURS = {name: pair for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", CSS)}
TEXTS = ("ink", "soft", "accent", "sent", "failed", "skipped", "cancelled", "unknown", "warn")
ON_GROUNDS = [
    *((text, ground) for text in TEXTS for ground in ("paper", "card", "sunk")),
    *(("ink", f"{kind}-wash") for kind in ("warn", "bad", "good", "accent")),
    ("failed", "bad-wash"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-deep"),
    ("card", "ink"),
]


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), ON_GROUNDS)
def test_every_text_stands_out_from_its_ground(text, ground, theme):
    assert contrast(COLOURS[text][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_edge_of_a_field_can_be_seen(theme):
    assert contrast(COLOURS["edge"][theme], COLOURS["card"][theme]) >= 3


def test_those_who_asked_for_less_motion_get_none():
    assert "prefers-reduced-motion: reduce" in CSS
