"""A map of the world with a closer look at Europe, as an SVG small enough for a slider.

Degrees become points on a plain rectangle (equirectangular projection). The coastlines are clipped
to each of the two panels and simplified to what the eye sees there; where they are not installed,
lines of latitude and longitude take their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Final, TypeAlias

from labs.teaching.pictures import COLORS
from labs.traffic.anycast.coastline import coastline
from labs.traffic.anycast.model import LatLon

Point: TypeAlias = tuple[float, float]

INK, MUTED, GRID, _PAPER, *_SERIES = COLORS.values()
SERIES: Final = tuple(_SERIES[number] for number in (0, 1, 3, 4, 5, 2))
"""The page's own colors. The one that stands out least from land comes last."""

WIDTH: Final = 720
HEIGHT: Final = 604

_FINEST = 0.9  # points: what is smaller, the eye does not see
_LEAST_AREA = 12.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the drawing and the part of the globe that it shows, in degrees.

    ``scale`` is in points a degree of longitude; a degree of latitude is ``stretch`` times as tall.
    """

    left: float
    top: float
    west: float
    north: float
    east: float
    south: float
    scale: float
    stretch: float = 1.0

    @property
    def width(self) -> float:
        """Points from left to right."""
        return (self.east - self.west) * self.scale

    @property
    def height(self) -> float:
        """Points from top to bottom."""
        return (self.north - self.south) * self.scale * self.stretch

    def at(self, place: LatLon) -> Point:
        """Where a place is drawn."""
        latitude, longitude = place
        return (
            self.left + (longitude - self.west) * self.scale,
            self.top + (self.north - latitude) * self.scale * self.stretch,
        )

    def shows(self, place: LatLon) -> bool:
        """Whether a place lies in this panel."""
        return self.south < place[0] < self.north and self.west < place[1] < self.east


WORLD: Final = Panel(1, 1, -130, 72, 160, -46, 718 / 290)
EUROPE: Final = Panel(1, 304, -12, 63.5, 34, 39.5, 7.75, 1.6)
"""Where a degree of longitude is about 0.63 times as long as one of latitude."""

PANELS: Final = (WORLD, EUROPE)


@dataclass(frozen=True, slots=True)
class Link:
    """A line from place to place, in the color of a series."""

    places: tuple[LatLon, ...]
    series: int
    width: float = 1.3


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark at a place, with the shape and color of a series; ``ring`` draws a hollow circle."""

    place: LatLon
    series: int
    radius: float
    label: str = ""
    site: bool = False
    ring: bool = False


def draw(
    links: Iterable[Link], marks: Sequence[Mark], key: Sequence[tuple[int | None, str]]
) -> str:
    """The map as an SVG.

    Args:
        links: Lines, drawn first.
        marks: Marks, drawn in this order; labels stand where there is room for them.
        key: Lines of text beside Europe, each with the mark of a series or without one.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" stroke-linejoin="round">'
    ]
    links = list(links)
    for panel in PANELS:
        parts.append(_ground(panel))
        for link in links:
            parts.append(_line(panel, link))
    parts.append(_box(EUROPE, WORLD))
    for panel in PANELS:
        for mark in marks:
            if panel.shows(mark.place):
                parts.append(_mark(panel, mark))
    parts.append(_key(key))
    return "".join([*parts, "</svg>"])


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _path(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


@lru_cache(maxsize=4)
def _ground(panel: Panel) -> str:
    """The panel's frame with the land, or with lines of latitude and longitude."""
    frame = (
        f'<rect x="{_number(panel.left)}" y="{_number(panel.top)}" width="{_number(panel.width)}" '
        f'height="{_number(panel.height)}" fill="none" stroke="{GRID}"/>'
    )
    try:
        rings = coastline()
    except FileNotFoundError:
        return f'{frame}<path d="{_graticule(panel)}" fill="none" stroke="{GRID}"/>'
    shapes = (
        _clipped(panel, [panel.at((latitude, longitude + turn)) for latitude, longitude in ring])
        for ring in map(_unwrapped, rings)
        for turn in (-360, 0, 360)
    )
    simple = (_simplified(shape) for shape in shapes if _area(shape) >= _LEAST_AREA)
    # A coast to the nearest point is fine enough, and half as long to write.
    land = "".join(
        "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in shape) + "Z"
        for shape in simple
        if len(shape) > 2
    )
    return f'{frame}<path d="{land}" fill="{GRID}" fill-opacity=".65"/>'


def _unwrapped(ring: Sequence[LatLon]) -> list[LatLon]:
    """The ring without jumps where it crosses the line of 180 degrees, so it may go past it."""
    places = [ring[0]]
    for latitude, longitude in ring[1:]:
        turns = round((longitude - places[-1][1]) / 360)
        places.append((latitude, longitude - 360 * turns))
    return places


def _graticule(panel: Panel) -> str:
    step = 30 if panel is WORLD else 10
    lines = []
    for degrees in range(-180, 181, step):
        if panel.west < degrees < panel.east:
            x, _ = panel.at((0, degrees))
            lines.append(_path([(x, panel.top), (x, panel.top + panel.height)]))
        if panel.south < degrees < panel.north:
            _, y = panel.at((degrees, 0))
            lines.append(_path([(panel.left, y), (panel.left + panel.width, y)]))
    return "".join(lines)


def _clipped(panel: Panel, shape: list[Point]) -> list[Point]:
    """The part of a polygon inside the panel, one edge after the other (Sutherland-Hodgman)."""
    right, bottom = panel.left + panel.width, panel.top + panel.height
    edges: tuple[tuple[int, float, Callable[[float, float], bool]], ...] = (
        (0, panel.left, float.__ge__),
        (0, right, float.__le__),
        (1, panel.top, float.__ge__),
        (1, bottom, float.__le__),
    )
    for axis, bound, inside in edges:
        kept: list[Point] = []
        for before, here in zip([*shape[-1:], *shape[:-1]], shape, strict=True):
            enters = inside(here[axis], float(bound))
            if enters != inside(before[axis], float(bound)):
                kept.append(_crossing(before, here, axis, bound))
            if enters:
                kept.append(here)
        shape = kept
    return shape


def _crossing(a: Point, b: Point, axis: int, bound: float) -> Point:
    share = (bound - a[axis]) / (b[axis] - a[axis])
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def _area(shape: Sequence[Point]) -> float:
    pairs = zip(shape, [*shape[1:], *shape[:1]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def _simplified(shape: Sequence[Point]) -> list[Point]:
    """Only the points that matter to the eye (Douglas and Peucker)."""
    kept = {0, len(shape) - 1}
    spans = [(0, len(shape) - 1)]
    while spans:
        first, last = spans.pop()
        a, b = shape[first], shape[last]
        length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
        farthest, distance = first, 0.0
        for number in range(first + 1, last):
            x, y = shape[number][0] - a[0], shape[number][1] - a[1]
            if length:
                off = abs(x * (b[1] - a[1]) - y * (b[0] - a[0])) / length
            else:
                off = (x * x + y * y) ** 0.5
            if off > distance:
                farthest, distance = number, off
        if distance > _FINEST:
            kept.add(farthest)
            spans += [(first, farthest), (farthest, last)]
    return [shape[number] for number in sorted(kept)]


def _line(panel: Panel, link: Link) -> str:
    """The parts of a line that lie in the panel."""
    points = [panel.at(place) for place in link.places]
    pieces = (_cut(panel, a, b) for a, b in pairwise(points) if a != b)
    path = "".join(_path(piece) for piece in pieces if piece)
    if not path:
        return ""
    return (
        f'<path d="{path}" fill="none" stroke="{SERIES[link.series]}" '
        f'stroke-width="{_number(link.width)}" opacity=".75"/>'
    )


def _cut(panel: Panel, a: Point, b: Point) -> tuple[Point, Point] | None:
    """The part of a stretch inside the panel, if there is one (Liang-Barsky)."""
    low, high = 0.0, 1.0
    for axis, least, most in (
        (0, panel.left, panel.left + panel.width),
        (1, panel.top, panel.top + panel.height),
    ):
        step = b[axis] - a[axis]
        if step == 0:
            if not least <= a[axis] <= most:
                return None
            continue
        ends = sorted(((least - a[axis]) / step, (most - a[axis]) / step))
        low, high = max(low, ends[0]), min(high, ends[1])
    if low >= high:
        return None
    ax, ay = a
    dx, dy = b[0] - ax, b[1] - ay
    return (ax + low * dx, ay + low * dy), (ax + high * dx, ay + high * dy)


def _box(inner: Panel, outer: Panel) -> str:
    """Where on the map of the world the closer look lies."""
    x, y = outer.at((inner.north, inner.west))
    right, bottom = outer.at((inner.south, inner.east))
    return (
        f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(right - x)}" '
        f'height="{_number(bottom - y)}" fill="none" stroke="{MUTED}" stroke-dasharray="3 2"/>'
    )


def shape(series: int, x: float, y: float, r: float) -> str:
    """The outline of a series' mark, as SVG path data: six shapes for six colors."""
    corners: tuple[tuple[Point, ...], ...] = (
        (),
        ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
        ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        ((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
        (
            *((-0.45, -1.2), (0.45, -1.2), (0.45, -0.45), (1.2, -0.45), (1.2, 0.45), (0.45, 0.45)),
            *((0.45, 1.2), (-0.45, 1.2), (-0.45, 0.45), (-1.2, 0.45), (-1.2, -0.45)),
            (-0.45, -0.45),
        ),
    )
    if not corners[series]:
        radius = _number(r)
        across = _number(2 * r)
        return (
            f"M{_number(x - r)} {_number(y)}a{radius} {radius} 0 1 0 {across} 0"
            f"a{radius} {radius} 0 1 0 -{across} 0Z"
        )
    return _path((x + dx * r, y + dy * r) for dx, dy in corners[series]) + "Z"


# Where a label stands beside its place, so that neighbors do not write over each other.
_LABELS: Final[dict[str, tuple[float, float, str]]] = {
    "Stockholm": (10, 5, "start"),
    "Oslo": (-9, 4, "end"),
    "Helsinki": (9, -6, "start"),
    "Copenhagen": (-9, 0, "end"),
    "Frankfurt": (9, 12, "start"),
    "Amsterdam": (-3, -10, "end"),
    "London": (-9, 5, "end"),
    "Paris": (-9, 12, "end"),
    "Warsaw": (9, 5, "start"),
    "Istanbul": (-7, -7, "end"),
    "New York": (10, 12, "start"),
    "Chicago": (-4, -9, "middle"),
    "Los Angeles": (-14, 18, "start"),
    "Miami": (9, 12, "start"),
    "São Paulo": (8, 16, "middle"),
    "Johannesburg": (9, 12, "start"),
    "Nairobi": (9, 5, "start"),
    "Dubai": (8, -6, "start"),
    "Mumbai": (-7, 16, "middle"),
    "Singapore": (-6, 18, "middle"),
    "Hong Kong": (-8, -8, "middle"),
    "Tokyo": (-2, 18, "middle"),
    "Sydney": (-9, 12, "end"),
}
_BESIDE = (9, 5, "start")


def _mark(panel: Panel, mark: Mark) -> str:
    x, y = panel.at(mark.place)
    color = SERIES[mark.series]
    if mark.ring:
        drawn = (
            f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(mark.radius)}" '
            f'fill="{color}" fill-opacity=".22" stroke="{color}" stroke-width="1.5"/>'
        )
    else:
        # Marks in Europe would hide each other on the map of the world.
        crowded = panel is WORLD and EUROPE.shows(mark.place)
        radius = mark.radius * (0.55 if crowded else 1)
        edge = f' stroke="{INK}" stroke-width="1.6"' if mark.site else ""
        drawn = f'<path d="{shape(mark.series, x, y, radius)}" fill="{color}"{edge}/>'
    if not mark.label or (panel is WORLD and EUROPE.shows(mark.place)):
        return drawn
    dx, dy, anchor = _LABELS.get(mark.label, _BESIDE)
    weight = ' font-weight="bold"' if mark.site else ""
    return (
        f'{drawn}<text x="{_number(x + dx)}" y="{_number(y + dy)}" fill="{INK}" font-size="13" '
        f'text-anchor="{anchor}"{weight}>{escape(mark.label)}</text>'
    )


def _key(lines: Sequence[tuple[int | None, str]]) -> str:
    left, top, step = EUROPE.left + EUROPE.width + 18, EUROPE.top + 14, 21
    out = []
    for number, (series, words) in enumerate(lines):
        y = top + number * step
        if series is not None:
            path = shape(series, left + 6, y - 5, 6)
            out.append(f'<path d="{path}" fill="{SERIES[series]}" stroke="{INK}"/>')
        x = left + (20 if series is not None else 0)
        out.append(
            f'<text x="{_number(x)}" y="{_number(y)}" fill="{INK}" font-size="14">'
            f"{escape(words)}</text>"
        )
    return "".join(out)
