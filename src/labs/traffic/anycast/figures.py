"""The pictures and tables of the lesson; each text alternative is computed from what is drawn.

The maps are written as SVG by :mod:`labs.traffic.anycast.atlas`, so that a page draws them without
a drawing library; the curves are matplotlib's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from labs.arguments import whole
from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import DASHES, INK, MARKERS, MUTED, SERIES
from labs.traffic.anycast import atlas, messages, model, routing, world
from labs.traffic.anycast.model import LatLon

ORDER = ("Stockholm", "New York", "Singapore", "Frankfurt", "São Paulo", "Johannesburg")
"""In this order the map adds sites."""

LED_BY = ("distance", "contracts")

_COAST = "Coastlines: Natural Earth, public domain, drawn coarsely."
_ASKED = sum(resolvers.load for resolvers in world.RESOLVERS.values())


def catchment_map(sites: int = 3, led_by: str = "contracts") -> Picture:
    """Which site answers which city, if routing followed distance or as contracts lead.

    Args:
        sites: How many sites announce the address, 1 to 6, in the order of :data:`ORDER`.
        led_by: ``"distance"`` or ``"contracts"``.

    Raises:
        ValueError: If an argument is out of range.
    """
    if led_by not in LED_BY:
        raise ValueError(f"led_by must be 'distance' or 'contracts', not {led_by!r}")
    names = ORDER[: whole("sites", sites, low=1, high=len(ORDER))]
    seen = world.visits(names)
    by_contract = led_by == "contracts"
    reached = {city: v.site if by_contract else v.nearest for city, v in seen.items()}
    floor = {city: v.ms if by_contract else v.nearest_ms for city, v in seen.items()}
    series = {name: number for number, name in enumerate(names)}
    links = [
        atlas.Link(_way(seen[city]) if by_contract else _straight(city, site), series[site])
        for city, site in reached.items()
    ]
    marks = [
        atlas.Mark(world.CITIES[city], series[site], 4, city)
        for city, site in reached.items()
        if city not in names
    ]
    marks += [atlas.Mark(world.CITIES[name], series[name], 7, name, site=True) for name in names]
    mean = _mean(floor)
    past = [city for city, v in seen.items() if reached[city] != v.nearest]
    cities = {name: sum(site == name for site in reached.values()) for name in names}
    asked = {
        name: sum(world.RESOLVERS[city].load for city, site in reached.items() if site == name)
        for name in names
    }
    key: list[tuple[int | None, str]] = [(None, f"Led by {led_by}")]
    key += [
        (
            series[name],
            f"{name}: {_count(cities[name], 'city')}, {asked[name] / _ASKED:.0%} of questions",
        )
        for name in names
    ]
    said = "; ".join(
        f"{name} answers {_count(cities[name], 'city')} and "
        f"{asked[name] / _ASKED:.0%} of the questions"
        for name in names
    )
    strays = ", ".join(f"{city} ({reached[city]} instead of {seen[city].nearest})" for city in past)
    return Picture(
        atlas.draw(links, marks, key),
        f"Map of 24 cities and {_count(len(names), 'site')}, led by {led_by}. {said}. An answer "
        f"takes at least {mean:.1f} ms on average. "
        + (f"Past their nearest site go {strays}." if past else "All reach the nearest site."),
        f"Floor of an answer: {mean:.1f} ms on average. Past their nearest site: "
        f"{_count(len(past), 'city')} of {len(seen)}. A line leads from each city to the site "
        f"that answers it. {_COAST}",
    )


def _way(visit: world.Visit) -> tuple[LatLon, ...]:
    stops = (world.networks().places[name] for name in visit.path)
    return (world.CITIES[visit.city], *stops, world.SITES[visit.site].place)


def _straight(city: str, site: str) -> tuple[LatLon, ...]:
    return world.CITIES[city], world.SITES[site].place


def _mean(by_city: dict[str, float]) -> float:
    """The mean over all questions asked."""
    return sum(world.RESOLVERS[city].load * value for city, value in by_city.items()) / _ASKED


def _count(number: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"


def who_answers(cities: Sequence[str], sites: Sequence[str]) -> Table:
    """The same question from several cities: a real message to the site that routing leads to.

    Args:
        cities: Who asks.
        sites: The sites that announce the address.

    Raises:
        ValueError: If a city or a site is unknown.
    """
    servers = {name: messages.NameServer(name) for name in world.checked_sites(sites)}
    seen = world.visits(sites)
    question = messages.query("kvittra.example", nsid=True)
    rows = []
    for city in cities:
        if city not in seen:
            raise ValueError(f"cities must be among {', '.join(seen)}, not {city!r}")
        answer = messages.read(servers[seen[city].site](question))
        rows.append(
            [
                city,
                answer.records[0].rsplit(" ", 1)[1],
                answer.server,
                seen[city].nearest,
                f"{seen[city].ms:.0f} ms",
            ]
        )
    return Table(
        f"One question of {len(question)} bytes, the address of kvittra.example, asked in "
        f"{len(cities)} cities.",
        ["asked in", "the answer", "answered by", "nearest site", "at least"],
        rows,
    )


def _from_gavle(city: str) -> float:
    return model.round_trip_floor_ms(world.CITIES["Gävle"], world.CITIES[city])


def _grown() -> tuple[str, ...]:
    return (*ORDER, "Sydney", "Mumbai", "Tokyo", "London", "Los Angeles", "Amsterdam")


def latency_by_sites() -> Picture:
    """The average floor of an answer as sites are added, by distance and by contracts."""
    order = _grown()
    counts = list(range(1, len(order) + 1))
    seen = [world.visits(order[:count]) for count in counts]
    near = [_mean({city: v.nearest_ms for city, v in one.items()}) for one in seen]
    real = [_mean({city: v.ms for city, v in one.items()}) for one in seen]
    figure, ax = axes(height=3.4)
    for number, (label, values) in enumerate((("led by contracts", real), ("by distance", near))):
        ax.plot(
            counts,
            values,
            color=SERIES[number],
            linestyle=DASHES[number],
            marker=MARKERS[number],
            label=label,
        )
    ax.set(
        ylim=(0, max(real) * 1.1),
        xlabel="sites that announce the address",
        ylabel="floor of an answer, mean (ms)",
    )
    ax.set_xticks(counts)
    ax.legend()
    worse = [n for n in counts[1:] if real[n - 1] > real[n - 2] + 0.05]
    said = "; ".join(
        f"{n}: {a:.1f} ms, by distance {b:.1f} ms"
        for n, a, b in zip(counts, real, near, strict=True)
    )
    return picture(
        figure,
        alt=f"Mean floor of an answer for 1 to {len(order)} sites. {said}. "
        + ("".join(f"Site {n}, {order[n - 1]}, makes it longer. " for n in worse)).strip(),
        caption=f"Sites in this order: {', '.join(order)}. Weighted by how much each city asks. "
        f"From Gävle and back, light in fiber needs {_from_gavle('Stockholm'):.1f} ms for "
        f"Stockholm and {_from_gavle('Singapore'):.1f} ms for Singapore.",
    )


WITHDRAWALS = {
    "New York": ("New York",),
    "Stockholm": ("Stockholm",),
    "Stockholm and Helsinki": ("Stockholm", "Helsinki"),
    "all three": ("Stockholm", "Helsinki", "New York"),
}
"""What can be taken off the air in the picture of the gap."""

ON_THE_AIR = ("Stockholm", "Helsinki", "New York")
_WATCHED = (
    *("Stockholm", "Oslo", "Helsinki", "Copenhagen", "Frankfurt"),
    *("London", "Paris", "New York", "São Paulo", "Singapore"),
)


def withdrawal_gap(gone: str = "Stockholm and Helsinki", timer_s: int = 30) -> Picture:
    """How long each city is led nowhere after sites stop announcing.

    Args:
        gone: A key of :data:`WITHDRAWALS`.
        timer_s: Seconds that a network waits between two announcements to a neighbor.

    Raises:
        ValueError: If an argument is out of range.
    """
    if gone not in WITHDRAWALS:
        raise ValueError(f"gone must be one of {', '.join(WITHDRAWALS)}, not {gone!r}")
    course = routing.withdrawal(
        world.networks(), world.announced(ON_THE_AIR), WITHDRAWALS[gone], timer_s=timer_s, seed=1
    )
    gaps = {
        city: course.gap_s.get(resolvers.network, 0.0)
        for city, resolvers in world.RESOLVERS.items()
    }
    end = 36.0
    figure, ax = axes(height=3.7)
    for row, city in enumerate(reversed(_WATCHED)):
        gap = gaps[city]
        ax.plot(
            [0, min(gap, end)],
            [row, row],
            color=SERIES[1],
            linewidth=9,
            linestyle="-",
            solid_capstyle="butt",
            alpha=0.3 if math.isinf(gap) else 1,
        )
        ax.text(
            0.6 if math.isinf(gap) else gap + 0.5,
            row,
            _gap(gap),
            va="center",
            fontsize=8.5,
            color=INK,
        )
    ax.set_yticks(range(len(_WATCHED)), list(reversed(_WATCHED)))
    ax.set(xlim=(0, end), xlabel="seconds without an answer")
    ax.grid(False, axis="y")
    touched = [gap for gap in gaps.values() if gap > 0]
    finite = [gap for gap in touched if gap < math.inf]
    if len(finite) < len(touched):
        lost = "Every question goes unanswered until a site announces again"
    else:
        thousands = sum(world.RESOLVERS[city].load * gap for city, gap in gaps.items())
        lost = f"About {round(thousands) * 1000:,} questions meet the gap"
    said = "; ".join(f"{city} {_gap(gaps[city])}" for city in _WATCHED)
    return picture(
        figure,
        alt=f"{', '.join(ON_THE_AIR)} announce; {gone} withdraw at second 0, with a timer of "
        f"{timer_s} seconds. {len(touched)} of {len(gaps)} cities meet a gap: {said}. {lost}.",
        caption=f"{len(touched)} of {len(gaps)} cities meet a gap. {lost}.",
    )


def _gap(gap: float) -> str:
    if gap == 0:
        return "no gap"
    if math.isinf(gap):
        return "no answer, until a site announces again"
    return f"{gap:.1f} s" if gap >= 0.05 else "under 0.1 s"


CAPACITY = {"A": 10.0, "B": 2.0, "C": 2.0}
HONEST = {"A": 3.0, "B": 1.0, "C": 1.0}
ON_A = 3.0
"""Three sites after Moura and others: one large, two small, with an attack on A as well."""


def absorb_or_withdraw(attack_on_b: int = 9) -> Picture:
    """Honest questions answered, if the small site under attack stays or steps aside.

    Args:
        attack_on_b: Hostile questions at the small site B, 0 to 16.

    Raises:
        ValueError: If it is out of range.
    """
    now = whole("attack_on_b", attack_on_b, low=0, high=16)
    shares = _absorb_or_withdraw()
    figure, ax = axes(height=3.4)
    for number, (policy, label) in enumerate(
        (("absorb", "B stays"), ("withdraw", "B steps aside"))
    ):
        ax.plot(
            range(17),
            shares[policy],
            color=SERIES[number],
            linestyle=DASHES[number],
            label=label,
        )
        ax.plot(now, shares[policy][now], MARKERS[number], color=SERIES[number], markersize=9)
    ax.axvline(now, color=MUTED, linewidth=1)
    ax.set(
        xlim=(-0.4, 16.4),
        ylim=(0.45, 1.03),
        xlabel="hostile questions at the small site B",
        ylabel="honest questions answered",
    )
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.legend(loc="upper right")
    stay, go = shares["absorb"][now], shares["withdraw"][now]
    if abs(stay - go) < 0.005:
        verdict = "No difference"
    else:
        verdict = f"Better: {'stay' if stay > go else 'step aside'}"
    return picture(
        figure,
        alt=f"Attack of {now} on B, {ON_A:.0f} on A. If B stays, {stay:.0%} of the honest "
        f"questions are answered; if it steps aside, {go:.0%}. {verdict}. Over attacks of 0 to 16, "
        f"staying falls from {shares['absorb'][0]:.0%} to {shares['absorb'][16]:.0%}, stepping "
        f"aside from {shares['withdraw'][0]:.0%} to {shares['withdraw'][16]:.0%}.",
        caption=f"B stays: {stay:.0%}. B steps aside: {go:.0%}. {verdict}. "
        "Capacities 10, 2 and 2; honest load 3, 1 and 1; what B cannot carry moves to A.",
    )


@lru_cache(maxsize=1)
def _absorb_or_withdraw() -> dict[str, list[float]]:
    return {
        policy: [
            model.served(CAPACITY, HONEST, {"A": ON_A, "B": float(b)}, policy=policy).share
            for b in range(17)
        ]
        for policy in _POLICIES
    }


_POLICIES: tuple[Any, ...] = ("absorb", "withdraw")


NIGHTS = 40
"""So many nights are looked at besides the one that is drawn."""

ENOUGH = 0.9
"""The share of honest questions that has to be answered for a night to count as held."""


def attack_map(sites: str | Iterable[str], night: int = 1) -> Picture:
    """A night of attack: where it comes from, where routing leads it, and what is answered.

    Args:
        sites: One to four names, or text with commas between them.
        night: Which attack; the same number is the same attack.

    Raises:
        ValueError: If a site is unknown or there are too many.
    """
    names = [name.strip() for name in sites.split(",")] if isinstance(sites, str) else list(sites)
    defense = world.defend(names, seed=whole("night", night, low=0))
    now = world.situation(names, seed=night)
    held = sum(world.situation(names, seed=one).answered >= ENOUGH for one in range(1, NIGHTS + 1))
    bots = world.botnet(night)
    seen = world.visits(names)
    series = {name: number for number, name in enumerate(names)}
    attacker = 4  # of six series; sites are at most four
    heavy = sorted(bots, key=bots.__getitem__, reverse=True)[:4]
    links = [
        atlas.Link(_way(seen[city]), series[seen[city].site], 1 + bots[city] / 30) for city in heavy
    ]
    marks = [
        atlas.Mark(world.CITIES[city], attacker, 1.6 * math.sqrt(bots[city]), ring=True)
        for city in heavy
    ]
    marks += [
        atlas.Mark(world.CITIES[city], series[visit.site], 4, city)
        for city, visit in seen.items()
        if city not in names
    ]
    marks += [atlas.Mark(world.CITIES[name], series[name], 7, name, site=True) for name in names]
    rows = [
        f"{name}: load {now.load[name]:.0f}, room {now.capacity[name]:.0f}, {share:.0%} answered"
        for name, share in now.by_site.items()
    ]
    key: list[tuple[int | None, str]] = [(None, f"Night {night}: load / room, answered")]
    key += [
        (series[name], f"{name}: {now.load[name]:.0f} / {now.capacity[name]:.0f}, {share:.0%}")
        for name, share in now.by_site.items()
    ]
    origins = ", ".join(f"{city} {bots[city]:.0f}" for city in heavy)
    return Picture(
        atlas.draw(links, marks, key),
        f"Night {night}: {sum(bots.values()):.0f} thousand hostile questions a second, most "
        f"of them from {origins}. The sites: {'; '.join(rows)}. "
        f"{defense.served.share:.0%} of the honest questions are answered; nine in ten or more in "
        f"{held} of nights 1 to {NIGHTS}. On a calm day an answer "
        f"takes at least {defense.calm_ms:.0f} ms on average; the sites cost "
        f"{defense.eur_a_month:,} euro a month.",
        f"Night {night}: {defense.served.share:.0%} of the honest questions are answered. Nine in "
        f"ten or more: in {held} of nights 1 to {NIGHTS}. On a calm day: at least "
        f"{defense.calm_ms:.0f} ms on average. Price: {defense.eur_a_month:,} euro a month. "
        "Rings are the four largest sources of the attack, lines the way that routing leads them. "
        f"{_COAST}",
    )


def retries(chance: float = 0.1, lookups: int = 200) -> Table:
    """What trying again gains, and what it costs, when a server answers only some of the time.

    Real messages go to name servers that lose each with a fixed chance.

    Args:
        chance: The chance that a try is answered.
        lookups: How many look-ups are made for each row.
    """
    rows = []
    for tries in (1, 2, 3, 5):
        servers = {f"{number}.ns": (messages.NameServer("Oslo"), chance) for number in range(tries)}
        resolver = messages.Resolver(servers, seed=5)
        made = [resolver.look_up("kvittra.example") for _ in range(lookups)]
        answered = sum(one.answer is not None for one in made) / lookups
        sent = sum(one.tries for one in made) / lookups
        rows.append(
            [tries, f"{model.any_answer([chance] * tries):.0%}", f"{answered:.0%}", f"{sent:.1f}"]
        )
    return Table(
        f"Each try is answered with a chance of {chance:.0%}; {lookups} look-ups a row.",
        [
            "tries at most",
            "answered, by the formula",
            "answered, counted",
            "questions sent a look-up",
        ],
        rows,
    )
