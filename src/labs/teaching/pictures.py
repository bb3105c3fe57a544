"""Pictures: one drawing for light and dark, with a text alternative that gives its numbers.

A figure is drawn once by matplotlib with stand-in colors. In the SVG these become the page's own
colors (CSS variables ``--labs-ink``, ``--labs-1`` …), so the same picture is right in both themes,
in JupyterLab and in print. Letters stay letters: they can be selected, and they scale.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labs.teaching.rendering import Shown, escaped, inline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#010203", "#010204", "#010205", "#010206"
"""Stand-ins for the color of lines and letters, of side remarks, of grids, of the background."""

SERIES = ("#010301", "#010302", "#010303", "#010304", "#010305", "#010306")
"""Stand-ins for six series, told apart in every common kind of color blindness."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""A marker for each series: color is never the only difference."""

DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 1)))
"""A line style for each series."""

# The fallbacks are for places without the book's variables; they hold 3:1 on white and on black.
COLORS = {
    INK: "var(--labs-ink,var(--jp-content-font-color1,currentColor))",
    MUTED: "var(--labs-muted,#6b7a80)",
    GRID: "var(--labs-grid,#8a979c55)",
    PAPER: "var(--labs-paper,transparent)",
    SERIES[0]: "var(--labs-1,#0a7ea4)",
    SERIES[1]: "var(--labs-2,#c4621a)",
    SERIES[2]: "var(--labs-3,#1f8a60)",
    SERIES[3]: "var(--labs-4,#a8528f)",
    SERIES[4]: "var(--labs-5,#7a7312)",
    SERIES[5]: "var(--labs-6,#6c6fc4)",
}
"""What stands in for a color, and the page's own color that takes its place in the SVG."""


@dataclass(frozen=True)
class Picture(Shown):
    """A drawing with the text that says what it shows, numbers included.

    Args:
        svg: The drawing.
        alt: The text alternative: one to three sentences.
        caption: A line below the picture; may be empty.
    """

    svg: str
    alt: str
    caption: str = ""

    def html(self) -> str:
        """A ``figure`` with the drawing, which assistive technology reads as one image."""
        caption = f"<figcaption>{inline(self.caption)}</figcaption>" if self.caption else ""
        svg = self.svg.replace("<svg ", f'<svg role="img" aria-label="{escaped(self.alt)}" ', 1)
        return f'<figure class="labs-picture">{svg}{caption}</figure>'

    def text(self) -> str:
        """The text alternative, and the caption."""
        return f"[Picture] {self.alt}" + (f"\n{self.caption}" if self.caption else "")


def axes(
    rows: int = 1, columns: int = 1, *, width: float = 7.2, height: float = 3.6, **options: Any
) -> tuple[Figure, Any]:
    """A figure and its axes in the book's style.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        width: Width in inches; 7.2 fills the text's measure.
        height: Height in inches.
        options: Passed on to ``Figure.subplots``.

    Returns:
        The figure, and one ``Axes`` or an array of them. No global state is touched: a figure
        that is dropped is freed.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    drawn = figure.subplots(rows, columns, **options)
    for one in figure.axes:
        _dress(one)
    return figure, drawn


def _dress(one: Axes) -> None:
    for side in ("top", "right"):
        one.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        one.spines[side].set_color(MUTED)
    one.tick_params(which="both", colors=MUTED, labelcolor=INK)
    one.grid(True, color=GRID, linewidth=0.7)
    one.set_axisbelow(True)
    for text in (one.xaxis.label, one.yaxis.label, one.title):
        text.set_color(INK)
    from cycler import cycler

    one.set_prop_cycle(cycler(color=SERIES, linestyle=DASHES))


def picture(figure: Figure, *, alt: str, caption: str = "") -> Picture:
    """Turn a drawn figure into a :class:`Picture`.

    Args:
        figure: A figure, best from :func:`axes`, in the stand-in colors of this module.
        alt: What it shows, with its numbers.
        caption: A line below it.

    Raises:
        ValueError: If the text alternative is empty or has no number.
    """
    if not re.search(r"\d", alt):
        raise ValueError("the text alternative of a picture must give its numbers")
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    for legend in [one.get_legend() for one in figure.axes] + list(figure.legends):
        if legend is not None:
            legend.get_frame().set(facecolor=PAPER, edgecolor=GRID)
            for label in legend.get_texts():
                label.set_color(INK)
    for patch in (figure.patch, *(one.patch for one in figure.axes)):
        patch.set_alpha(0)
    for one in figure.axes:
        _name_powers_plainly(one)
    canvas: Any = FigureCanvasSVG(figure)
    buffer = io.StringIO()
    plain: Any = {"svg.fonttype": "none", "svg.hashsalt": "labs", "axes.unicode_minus": True}
    # Not savefig: it would lay the figure out twice.
    with mpl.rc_context(plain):
        canvas.print_svg(buffer, metadata={"Date": None})
    return Picture(_slim(buffer.getvalue()), alt, caption)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _name_powers_plainly(one: Axes) -> None:
    """Write 10² on logarithmic axes as letters, not as a formula.

    A formula is a drawing to whoever searches or copies, and setting its type takes longer than
    all the rest of a picture.
    """
    from matplotlib.ticker import LogFormatterSciNotation

    class Named(LogFormatterSciNotation):
        """A formatter of the same settings, whose formulas are letters."""

        def __init__(self, other: LogFormatterSciNotation) -> None:
            vars(self).update(vars(other))

        def __call__(self, x: float, pos: int | None = None) -> str:
            return _without_formula(super().__call__(x, pos))

    for axis in (one.xaxis, one.yaxis):
        major, minor = axis.get_major_formatter(), axis.get_minor_formatter()
        if isinstance(major, LogFormatterSciNotation):
            axis.set_major_formatter(Named(major))
        if isinstance(minor, LogFormatterSciNotation):
            axis.set_minor_formatter(Named(minor))


def _without_formula(text: str) -> str:
    r"""The letters of a power that matplotlib wrote as a formula.

    >>> _without_formula(r"$\mathdefault{2\times10^{-3}}$")
    '2×10⁻³'
    """
    inside = text.removeprefix(r"$\mathdefault{").removesuffix("}$").replace(r"\times", "×")
    return re.sub(r"\^\{(-?\d+)\}", lambda power: power[1].translate(_RAISED), inside)


def _slim(svg: str) -> str:
    """Only what draws: no metadata, no styles, no unused names; the page's colors."""
    svg = svg[svg.index("<svg") :]
    # A style element inside the drawing would style the whole page around it.
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:xmlns:xlink|version)="[^"]*"', "", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(
        r'(width|height)="([\d.]+)pt"', lambda m: f'{m[1]}="{float(m[2]) / 0.72:.0f}"', svg, count=2
    )
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    # A tenth of a point is finer than the eye sees at this size.
    svg = re.sub(r"\d+\.\d{2,}", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), svg)
    svg = re.sub(r' style="([^"]*)"', _attributes, svg)
    svg = re.sub(r' transform="rotate\(-?0 [^"]*"', "", svg)
    for stand_in, variable in COLORS.items():
        svg = svg.replace(stand_in, variable)
    # Letters that matplotlib left black take the ink.
    svg = re.sub(r"<text(?![^>]* fill=)", f'<text fill="{COLORS[INK]}"', svg)
    svg = svg.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    return re.sub(r"\s*\n\s*", " ", svg).strip()


def _attributes(style: re.Match[str]) -> str:
    """A style as presentation attributes, which a strict policy of the page allows."""
    pairs = [part.split(":", 1) for part in style[1].split(";") if ":" in part]
    found = {name.strip(): value.strip().replace("'", "") for name, value in pairs}
    font = re.search(r"([\d.]+)px", found.pop("font", ""))
    if font:
        found["font-size"] = font[1]
    found.pop("font-family", None)
    return "".join(f' {name}="{value}"' for name, value in found.items())
