"""The colors of the theme, read from its style sheet and measured."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from labs.site.pages import THEME

CSS = (THEME / "static" / "book.css").read_text(encoding="utf-8")
THEMES = ("light", "dark")

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", IEEE TVCG 15(6), 2009, table 1, severity 1.0; for linear RGB.
VISION = {
    "typical": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

Triple = tuple[float, float, float]


def color(name: str, theme: str) -> str:
    pair = re.search(rf"--{name}: light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)", CSS)
    assert pair, f"--{name} has no pair of colors"
    return pair[1 + THEMES.index(theme)]


def linear(text: str) -> Triple:
    parts = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    bright, dim = sorted(
        (0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other))),
        reverse=True,
    )
    return (bright + 0.05) / (dim + 0.05)


def times(matrix: tuple[Triple, ...], vector: Triple) -> Triple:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def oklab(rgb: Triple) -> Triple:
    """Ottosson, "A perceptual color space for image processing", 2020; 0.02 is just noticeable."""
    red, green, blue = (min(max(c, 0), 1) for c in rgb)
    cones = times(
        (
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        ),
        (red, green, blue),
    )
    long, medium, short = (c ** (1 / 3) for c in cones)
    return times(
        (
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        ),
        (long, medium, short),
    )


def distance(one: Triple, other: Triple) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


def test_contrast_of_black_and_white_is_21__wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "ink",
    [
        "ink",
        "muted",
        "link",
        "mark",
        "labs-1",
        "labs-2",
        "labs-code-keyword",
        "labs-code-string",
        "labs-code-comment",
        "labs-code-number",
    ],
)
def test_what_is_read_has_a_contrast_of_four_and_a_half(ink: str, theme: str) -> None:
    for ground in ("paper", "panel"):
        assert contrast(color(ink, theme), color(ground, theme)) >= 4.5, ground


@pytest.mark.parametrize("theme", THEMES)
def test_every_series_of_a_picture_has_a_contrast_of_three(theme: str) -> None:
    for number in range(1, 7):
        assert contrast(color(f"labs-{number}", theme), color("paper", theme)) >= 3, number


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_series_are_told_apart_with_every_color_vision(vision: str, theme: str) -> None:
    seen = {
        number: oklab(times(VISION[vision], linear(color(f"labs-{number}", theme))))
        for number in range(1, 7)
    }
    for one, other in combinations(seen, 2):
        assert distance(seen[one], seen[other]) >= 0.1, (one, other)
