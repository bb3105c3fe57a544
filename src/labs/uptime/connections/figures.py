"""The maps, tables and pictures of the lesson; each text alternative is computed from its data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby, pairwise
from math import log10
from typing import TYPE_CHECKING, Any

from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import DASHES, INK, MARKERS, MUTED, PAPER, SERIES
from labs.uptime.connections import model, network
from labs.uptime.connections.network import HALL, INTERNET

if TYPE_CHECKING:
    import networkx

MINUTES_A_YEAR = 365 * 24 * 60

DRAWINGS = tuple(network.WAYS)
"""What each map is called, in the order in which the lab shows them."""

_PLACES: Mapping[str, tuple[float, float]] = {
    HALL: (1, 0),
    "router 1": (0, 1),
    "router 2": (2, 1),
    "entry west": (0, 2),
    "entry east": (2, 2),
    "manhole Skolgatan": (0, 3),
    "manhole Hamngatan": (2, 3),
    "duct under the railway": (1, 4),
    "duct under the river": (2, 4),
    "exchange north": (0, 5),
    "exchange south": (2, 5),
    "carrier Norra Nät": (0, 6),
    "carrier Sjöband": (1, 6),
    "carrier Kustfiber": (2, 6),
    INTERNET: (1, 7),
}

PARTS = tuple(part for part in _PLACES if part not in (HALL, INTERNET))
"""Everything that an excavator, a fire or a fault can take, from the server hall outwards."""


def drawing(name: str) -> networkx.Graph[Any]:
    """The network of one of the four maps.

    Raises:
        ValueError: If there is no map of this name.
    """
    if name not in DRAWINGS:
        raise ValueError(f"name must be one of {', '.join(DRAWINGS)}, not {name!r}")
    if name == DRAWINGS[0]:
        return network.logical()
    return network.physical(third_carrier=name == DRAWINGS[2], second_crossing=name == DRAWINGS[3])


def minutes_a_year(availability: float) -> float:
    """Minutes of a year of 365 days in which something of this availability does not work."""
    return (1 - availability) * MINUTES_A_YEAR


def _said(minutes: float) -> str:
    if minutes >= 120:
        return f"{minutes / 60:.1f} hours"
    return f"{minutes:.1f} minutes" if minutes < 10 else f"{minutes:.0f} minutes"


def ways_left(name: str, broken: str = "") -> list[tuple[str, ...]]:
    """The ways of a map that do not need the broken part."""
    return [way for way in network.WAYS[name] if broken not in way]


def network_map(name: str = DRAWINGS[0], broken: str = "") -> Picture:
    """Kvittra's way to the internet, drawn from the server hall up, with one part broken.

    Args:
        name: Which of the maps.
        broken: The part that is broken; none by default, or if the map has no such part.
    """
    graph = drawing(name)
    hit = broken if broken in graph else ""
    left = ways_left(name, hit)
    alive = {frozenset(step) for way in left for step in pairwise((HALL, *way, INTERNET))}
    working = {part for way in left for part in way}
    carriers = [way[-1].removeprefix("carrier ") for way in left]

    figure, ax = axes(width=4.9, height=5.4)
    ax.set_axis_off()
    ax.set(xlim=(-1.75, 3.75), ylim=(-0.55, 7.5))
    for step in graph.edges:
        ends = [_PLACES[part] for part in step]
        up = frozenset(step) in alive
        ax.plot(
            *zip(*ends, strict=True),
            color=SERIES[0] if up else MUTED,
            linewidth=2.6 if up else 1.1,
            linestyle="-" if up else ":",
            zorder=1,
        )
    for part in graph:
        x, y = _PLACES[part]
        if part in (HALL, INTERNET):
            ax.text(
                x,
                y,
                part,
                ha="center",
                va="center",
                fontsize=11,
                fontweight="bold",
                color=INK,
                bbox={"facecolor": PAPER, "edgecolor": INK, "boxstyle": "round,pad=0.35"},
                zorder=3,
            )
            continue
        color = SERIES[1] if part == hit else SERIES[0] if part in working else MUTED
        if part == hit:
            ax.plot(x, y, "X", color=color, markersize=17, zorder=3)
        else:
            filled = color if part in working else PAPER
            ax.plot(x, y, "o", color=color, markerfacecolor=filled, markersize=8, zorder=2)
        _label(ax, part, x, y, bold=part == hit)

    state = f"connected, through {', '.join(carriers)}" if carriers else "cut off"
    if hit:
        title = f"Broken: {hit}.\nKvittra is {state}."
    elif broken:
        title = f"There is no {broken} on this map."
    else:
        title = f"The connections {name}"
    ax.set_title(title, fontsize=10.5, color=INK)
    lines = [" – ".join(way) for way in network.WAYS[name]]
    return picture(
        figure,
        alt=f"Map of {len(graph) - 2} parts between server hall and internet, {name}. "
        f"The ways: {'; '.join(lines)}. "
        + (f"With {hit} broken, Kvittra is {state}." if hit else f"Kvittra is {state}."),
    )


def _label(ax: Any, part: str, x: float, y: float, *, bold: bool) -> None:
    words = part.replace("duct under the ", "duct under\nthe ").replace("carrier ", "carrier\n")
    left = x == 0 or part == "duct under the railway"
    if part == "carrier Sjöband":
        at, where = (x, y - 0.25), {"ha": "center", "va": "top"}
    else:
        aside = -0.27 if part == "duct under the railway" else -0.2 if left else 0.2
        at, where = (x + aside, y), {"ha": "right" if left else "left", "va": "center"}
    weight = "bold" if bold else "normal"
    ax.text(*at, words, fontsize=10, color=INK, fontweight=weight, linespacing=1.1, **where)


def excavator(part: str, name: str) -> Picture:
    """What is left when an excavator, a fire or a fault takes one part.

    Args:
        part: The part that is hit.
        name: Which of the maps.
    """
    return network_map(name, part)


def compared(*names: str) -> Table:
    """What the maps are worth: minutes without any connection, and what it takes to cut them.

    Args:
        names: Which of the maps; all four by default.
    """
    rows = []
    for name in names or DRAWINGS:
        graph = drawing(name)
        alone = sorted(model.single_points_of_failure(graph, HALL, INTERNET))
        available = network.availability_of_ways(network.WAYS[name])
        rows.append(
            [
                name,
                f"{available:.4%}",
                round(minutes_a_year(available), 1),
                len(model.minimum_cut(graph, HALL, INTERNET)),
                ", ".join(alone) or "none",
            ]
        )
    return Table(
        "Kvittra's connections, computed from the assumed availability of each part.",
        [
            "map",
            "availability",
            "minutes a year cut off",
            "parts to cut",
            "single point of failure",
        ],
        rows,
    )


def links() -> Table:
    """What each of the two links is worth alone, and both together if nothing is shared."""
    ways = network.WAYS[DRAWINGS[0]]
    rows: list[list[object]] = []
    for names, some in (
        ("Norra Nät alone", ways[:1]),
        ("Kustfiber alone", ways[1:]),
        ("either of the two", ways),
    ):
        value = network.availability_of_ways(some)
        rows.append([names, f"{value:.4%}", _said(minutes_a_year(value))])
    return Table(
        "The two links of the contract, with the availability that we assume for their parts.",
        ["link", "availability", "down in a year"],
        rows,
    )


def shared_minutes(hours_down: float, shared_percent: float) -> float:
    """Minutes a year in which both links are down, when they share part of what fails.

    Args:
        hours_down: Hours a year that each link is down, from all causes.
        shared_percent: Percent of these hours that have a cause in common with the other link.
    """
    down = hours_down * 60 / MINUTES_A_YEAR
    shared = 1 - down * shared_percent / 100
    own = (1 - down) / shared
    return minutes_a_year(model.two_paths(own, own, shared=shared))


def shared_part(shared_percent: float, hours_down: int) -> Picture:
    """How fast a shared cause eats what the second link was bought for.

    Args:
        shared_percent: Percent of a link's downtime that it has in common with the other link.
        hours_down: Hours a year that each link is down.
    """
    # Powers of ten on plain axes: logarithmic ones are slow to draw.
    exponents = [number / 10 for number in range(-10, 21)]
    minutes = [shared_minutes(hours_down, 10**exponent) for exponent in exponents]
    chosen = shared_minutes(hours_down, shared_percent)
    alone, apart = hours_down * 60, shared_minutes(hours_down, 0)
    figure, ax = axes(width=5.4, height=3.5)
    ax.plot(exponents, [log10(one) for one in minutes], color=SERIES[0], linestyle="-")
    ax.axhline(log10(alone), color=SERIES[1], linestyle=DASHES[1])
    ax.axhline(log10(apart), color=SERIES[2], linestyle=DASHES[2])
    nothing = -1.5
    ax.plot([nothing], [log10(apart)], MARKERS[0], color=SERIES[2])
    at = log10(shared_percent) if shared_percent else nothing
    ax.plot([at], [log10(chosen)], MARKERS[1], color=SERIES[0], markersize=10, zorder=3)
    for minute, words in ((alone, "one link alone"), (apart, "two links, nothing shared")):
        ax.text(2.05, log10(minute) + 0.06, words, color=MUTED, fontsize=9.5, ha="right")
    ax.set(
        xlim=(-1.65, 2.08),
        ylim=(-1.3, 3.9),
        xlabel="percent of a link's downtime that is shared",
        ylabel="minutes a year, both down",
    )
    ax.set_xticks([nothing, -1, 0, 1, 2], ["0", "0.1", "1", "10", "100"])
    ax.set_yticks([-1, 0, 1, 2, 3], ["0.1", "1", "10", "100", "1,000"])
    ax.set_title(
        f"{shared_percent:g}% shared: both down {_said(chosen)} a year",
        loc="left",
        fontsize=11,
        color=INK,
    )
    return picture(
        figure,
        alt=f"Each link is down {hours_down} hours a year. If nothing of that has a cause in "
        f"common, both are down {_said(apart)} a year, and the second link makes it "
        f"{alone / apart:,.0f} times better. With {shared_percent:g}% shared, {_said(chosen)}: "
        f"{alone / chosen:,.0f} times better.",
    )


def simulated(seed: int = 1) -> Picture:
    """Chance against formula: two of the maps, sampled ever longer."""
    from labs.uptime.connections.simulation import simulate_ways

    sizes = (10_000, 30_000, 100_000, 300_000, 1_000_000)
    figure, ax = axes(width=5.4, height=3.5)
    said = []
    for number, name in enumerate(("in the ground", "with a second duct")):
        ways = network.WAYS[name]
        exact = minutes_a_year(network.availability_of_ways(ways))
        runs = [simulate_ways(ways, moments=size, seed=seed + size) for size in sizes]
        means = [minutes_a_year(run.mean) for run in runs]
        ends = [
            [mean - minutes_a_year(run.high) for mean, run in zip(means, runs, strict=True)],
            [minutes_a_year(run.low) - mean for mean, run in zip(means, runs, strict=True)],
        ]
        aside = [log10(size) + (-0.03, 0.03)[number] for size in sizes]
        ax.axhline(exact, color=SERIES[number], linestyle=DASHES[number], linewidth=1.2)
        ax.errorbar(
            aside,
            means,
            yerr=ends,
            marker=MARKERS[number],
            color=SERIES[number],
            linestyle="",
            capsize=3,
            label=f"{name}; formula {exact:.1f}",
        )
        last = runs[-1]
        said.append(
            f"{name}: formula {exact:.1f} minutes a year, simulated with {sizes[-1]:,} moments "
            f"{means[-1]:.1f}, between {minutes_a_year(last.high):.1f} and "
            f"{minutes_a_year(last.low):.1f}"
        )
    ax.set(xlabel="random moments looked at", ylabel="minutes a year, both down")
    ax.set_xticks([4, 5, 6], ["10,000", "100,000", "1,000,000"])
    ax.legend(fontsize=9)
    return picture(
        figure,
        alt="Simulated and computed downtime. " + "; ".join(said) + ".",
        caption="The bars are 95% confidence intervals, the lines the formula.",
    )


def takeover() -> Table:
    """How soon a VRRP backup router takes over, and what a year of switching costs."""
    usual = model.master_down_interval(1, 100)
    ways: list[tuple[str, float, float]] = [
        (f"VRRP, {interval:g} s, priority {priority}", wait, 1.0)
        for interval, priority in ((1.0, 100), (1.0, 254), (0.1, 100))
        for wait in [model.master_down_interval(interval, priority)]
    ]
    ways += [("a phone call and a hand", 1_800.0, 1.0), ("VRRP, one in 20 fails", usual, 0.95)]
    rows = []
    for how, wait, works in ways:
        down = model.failover_unavailability(1_000, 10, coverage=works, switch_s=wait)
        rows.append([how, round(wait, 2), f"{works:.0%}", round(MINUTES_A_YEAR * down, 1)])
    return Table(
        "Two routers that each fail every 1,000 hours on average and take 10 hours to repair.",
        ["how traffic changes over", "seconds", "it works", "minutes a year down"],
        rows,
    )


def detection(interval_ms: int, missed: int, lost_percent: float) -> Picture:
    """Noticed soon against crying wolf: every choice of interval and misses is a point.

    Args:
        interval_ms: Milliseconds between two hellos.
        missed: Losses in a row that count as a break.
        lost_percent: Percent of the hellos that get lost on a healthy link.
    """
    loss = lost_percent / 100
    intervals = (50, 100, 200, 250, 300, 500, 1_000)
    figure, ax = axes(width=5.4, height=3.7)
    for number, count in enumerate((2, 3, 4, 5)):
        ax.plot(
            [count * ms for ms in intervals],
            [log10(model.false_alarms_per_day(ms / 1_000, count, loss)) for ms in intervals],
            marker=MARKERS[number],
            markersize=4,
            color=SERIES[number],
            linestyle=DASHES[number],
            label=f"{count} missed",
        )
    soon = missed * interval_ms
    wolf = model.false_alarms_per_day(interval_ms / 1_000, missed, loss)
    ax.plot([soon], [log10(wolf)], "o", markersize=15, markerfacecolor="none", color=INK, zorder=3)
    ax.axhline(log10(1 / 7), color=MUTED, linewidth=1, linestyle=":")
    ax.text(5_150, log10(1 / 7) + 0.25, "one a week", color=MUTED, fontsize=9, ha="right")
    ax.set(
        xlim=(0, 5_200),
        ylim=(-10.5, 6.5),
        xlabel="milliseconds until a break is noticed",
        ylabel="false alarms a day",
    )
    ax.set_yticks([-9, -6, -3, 0, 3], ["10⁻⁹", "a millionth", "a thousandth", "1", "1,000"])
    often = _often(wolf)
    ax.set_title(
        f"noticed after {soon:,} ms; false alarm {often}", loc="left", fontsize=11, color=INK
    )
    ax.legend(fontsize=9, ncols=4, loc="upper right", columnspacing=0.8, handlelength=1.4)
    return picture(
        figure,
        alt=f"A hello every {interval_ms} ms, {missed} missed in a row, {lost_percent:g}% of the "
        f"hellos lost: a break is noticed after {soon:,} milliseconds, and a healthy link is "
        f"declared dead {often}.",
    )


def _often(per_day: float) -> str:
    if per_day >= 1.5:
        return f"{per_day:,.0f} times a day"
    days = 1 / per_day
    if days < 30:
        return f"every {days:.2g} days"
    return f"every {days / 365:,.2g} years" if days >= 730 else f"every {days:.0f} days"


FLAP_UP_S, FLAP_DOWN_S, FLAP_LENGTH_S = 20, 5, 600
"""The flapping link of the lab: mean seconds up, mean seconds down, and how long it is drawn."""


def flapping_link(hold_s: int, detection_s: float) -> Picture:
    """Ten minutes of a link that comes and goes, and which link carries the traffic.

    Args:
        hold_s: Seconds without a break before traffic returns.
        detection_s: Seconds until a break is noticed.
    """
    from labs.uptime.connections.simulation import episode

    shown = episode(
        FLAP_UP_S,
        FLAP_DOWN_S,
        detection_s=detection_s,
        hold_s=hold_s,
        length_s=FLAP_LENGTH_S,
        seed=4,
    )
    mean = model.flapping(FLAP_UP_S, FLAP_DOWN_S, detection_s=detection_s, hold_s=hold_s)
    cycles = 3_600 / (FLAP_UP_S + FLAP_DOWN_S)
    ends = [*shown.changes_s[1:], FLAP_LENGTH_S]
    figure, ax = axes(width=5.4, height=3.0)
    used, up = shown.in_use, shown.link_up
    rows = {
        "Norra Nät is up": (3, up, SERIES[0]),
        "traffic over Norra Nät": (
            2,
            [u and one for u, one in zip(used, up, strict=True)],
            SERIES[0],
        ),
        "traffic over Kustfiber": (1, [not u for u in used], SERIES[2]),
        "traffic lost": (0, [u and not one for u, one in zip(used, up, strict=True)], SERIES[1]),
    }
    for y, states, color in rows.values():
        # Changes that leave this row as it was would show as seams.
        spans = groupby(zip(states, shown.changes_s, ends, strict=True), key=lambda span: span[0])
        runs = [(state, list(span)) for state, span in spans]
        bars = [(span[0][1], span[-1][2] - span[0][1]) for state, span in runs if state]
        edge = color if y == 0 else "none"  # a second of loss is narrow, and it must be seen
        ax.broken_barh(bars, (y - 0.32, 0.64), facecolor=color, edgecolor=edge, linewidth=1)
    ax.set_yticks([row[0] for row in rows.values()], list(rows))
    ax.grid(False, axis="y")
    ax.set(xlim=(0, FLAP_LENGTH_S), xlabel="seconds")
    ax.set_title(
        f"hold {hold_s} s: {shown.failovers} failovers, {shown.lost_s:.1f} s lost",
        loc="left",
        fontsize=11,
        color=INK,
    )
    return picture(
        figure,
        alt=f"Ten minutes of a link that is up {FLAP_UP_S} and down {FLAP_DOWN_S} seconds on "
        f"average. Breaks are noticed after {detection_s:g} seconds, traffic returns after "
        f"{hold_s} calm seconds. Traffic moved away {shown.failovers} times, and "
        f"{shown.lost_s:.1f} seconds of it were lost. By the formula an hour of this has "
        f"{mean.failovers * cycles:.1f} failovers and {mean.lost_s * cycles:.1f} lost seconds.",
    )
