"""The tables and pictures of the lesson; each text alternative is computed from what is drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import INK, MARKERS, MUTED, SERIES
from labs.uptime.units import model, plans, proxy

if TYPE_CHECKING:
    from labs.uptime.units.live import LiveRun, Request

HOURS = 8_760
MINUTES = 60 * HOURS

_DESIGNS = (
    ("one server", 1, 1),
    ("two, both needed", 2, 2),
    ("two, one needed (N+1)", 1, 2),
    ("three, two needed (N+1)", 2, 3),
    ("four, two needed (2N)", 2, 4),
)


def percent(share: float) -> str:
    """A share as a percentage, without digits that say nothing.

    >>> percent(0.99), percent(0.999), percent(0.1)
    ('99%', '99.9%', '10%')
    """
    return f"{100 * share:g}%"


def duration(hours: float) -> str:
    """A time in the unit that a person would use.

    >>> [duration(hours) for hours in (87.6, 9.47, 0.876, 0.01, 0)]
    ['88 hours', '9.5 hours', '53 minutes', '36 seconds', 'less than a second']
    """
    for unit, size in (("hours", 1.0), ("minutes", 1 / 60), ("seconds", 1 / 3600)):
        if hours >= 2 * size or (unit == "seconds" and hours >= size):
            value = hours / size
            return (
                f"{value:.1f} {unit}"
                if unit == "hours" and value < 9.95
                else f"{value:,.0f} {unit}"
            )
    return "less than a second"


def designs(*betas: float, availability: float = 0.99) -> Table:
    """How long services are down in a year, for a few numbers of servers.

    Args:
        betas: Shares of the failures that hit all servers at once, one column each.
        availability: Availability of one server.
    """
    rows = [
        [
            name,
            *(
                duration(HOURS * (1 - model.k_of_n_common_cause(k, n, availability, beta)))
                for beta in betas
            ),
        ]
        for name, k, n in _DESIGNS
    ]
    columns = ["each fails alone" if b == 0 else f"{percent(b)} hit all at once" for b in betas]
    return Table(
        f"Down in a year, when each server works {percent(availability)} of the time.",
        ["servers", *columns],
        rows,
    )


def spares(needed: int = 2, beta: float = 0.1, availability: float = 0.99) -> Picture:
    """How long a service is down in a year, by the number of servers beyond those needed.

    Args:
        needed: How many servers must work.
        beta: The share of a server's failures that hits all at once.
        availability: Availability of one server.
    """
    extra = range(7)
    alone = [HOURS * (1 - model.k_of_n(needed, needed + n, availability)) for n in extra]
    shared = [
        HOURS * (1 - model.k_of_n_common_cause(needed, needed + n, availability, beta))
        for n in extra
    ]
    floor = HOURS * beta * (1 - availability)
    figure, ax = axes(height=3.6)
    ax.plot(extra, alone, marker=MARKERS[0], color=SERIES[0], linestyle="--", label="each alone")
    ax.plot(
        extra,
        shared,
        marker=MARKERS[1],
        color=SERIES[1],
        linestyle="-",
        label=f"{percent(beta)} hit all at once",
    )
    if floor:
        ax.axhline(floor, color=MUTED, linewidth=1)
    ax.set(
        yscale="log",
        ylim=(1e-6, 2_000),
        xlabel=f"spare servers, beyond the {needed} that are needed",
        ylabel="down in a year",
    )
    ax.set_yticks(
        [1 / 3600, 1 / 60, 1, 24, 720], ["1 second", "1 minute", "1 hour", "1 day", "30 days"]
    )
    ax.minorticks_off()
    ax.legend(loc="lower left")
    said = "; ".join(
        f"{n} spare: {duration(alone[n])} if each fails alone, {duration(shared[n])} with the "
        "shared cause"
        for n in (0, 1, 2, 6)
    )
    limit = (
        f"With {percent(beta)} shared causes no number of spares gets below "
        f"{duration(floor)} a year."
        if floor
        else "Nothing is shared, so every spare helps."
    )
    return picture(
        figure,
        alt=f"Time down in a year, {needed} servers needed, each works {percent(availability)} of "
        f"the time. {said}. {limit}",
        caption=limit,
    )


_CAUSES = (
    ("apart", "the second failed during the repair"),
    ("together", "one cause hit both"),
    ("stuck", "the takeover failed"),
    ("switching", "taking over"),
)


def pair(
    mttr_h: float = 10, beta: float = 0.02, coverage: float = 0.95, repair_crews: int = 2
) -> Picture:
    """Minutes a year that a pair is down, by cause: on paper, and as it is run.

    Args:
        mttr_h: Mean hours until a failed server is repaired.
        beta: The share of failures that hits both.
        coverage: The probability that a takeover works.
        repair_crews: How many can repair at the same time, 1 or 2.
    """
    crews: Literal[1, 2] = 1 if repair_crews == 1 else 2
    paper = model.pair_downtime(1000, mttr_h)
    run = model.pair_downtime(
        1000, mttr_h, repair_crews=crews, beta=beta, coverage=coverage, switch_s=30
    )
    rows = [
        ("on paper", paper.total),
        ("as it is run", run.total),
        *((f"… {label}", getattr(run, field)) for field, label in _CAUSES),
    ]
    figure, ax = axes(height=3.2)
    most = max(value for _, value in rows)
    for place, (_, value) in enumerate(rows):
        ax.barh(place, MINUTES * value, height=0.6, color=SERIES[min(place, 2)])
        ax.text(
            MINUTES * (value + 0.012 * most),
            place,
            f"{MINUTES * value:,.0f}",
            va="center",
            color=INK,
            fontsize=9,
        )
    ax.set_yticks(range(len(rows)), [label for label, _ in rows])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12 * MINUTES * most)
    ax.set_xlabel("minutes a year in which nobody serves")
    ax.grid(False, axis="y")
    alone = HOURS * (1 - model.steady_state(1000, mttr_h))
    said = ", ".join(f"{label} {MINUTES * getattr(run, field):,.0f}" for field, label in _CAUSES)
    words = (
        f"One server alone: {duration(alone)} a year. The pair on paper: "
        f"{duration(HOURS * paper.total)}. As it is run: {duration(HOURS * run.total)}."
    )
    return picture(
        figure,
        alt=f"{words} In minutes: {said}. A server fails every 1,000 hours and is repaired in "
        f"{mttr_h:g}; {percent(beta)} of the failures hit both, {percent(coverage)} of the "
        f"takeovers work, {crews} repair {'crew' if crews == 1 else 'crews'}.",
        caption=words,
    )


_CHECKED: tuple[tuple[str, dict[str, float]], ...] = (
    ("two crews", {}),
    ("one crew", {"repair_crews": 1}),
    ("2% hit both", {"beta": 0.02}),
    ("10% hit both", {"beta": 0.1}),
    ("95% take over", {"coverage": 0.95, "switch_s": 30}),
    ("all of it", {"repair_crews": 1, "beta": 0.1, "coverage": 0.95, "switch_s": 30}),
)


def agreement(seed: int = 4, cycles: int = 100_000) -> Picture:
    """The simulated downtime of a pair with its 95% interval, beside the formula.

    Args:
        seed: Another seed is another set of simulated lives.
        cycles: How many lives, each from *both work* to the next *both work*.
    """
    from labs.uptime.units.simulation import simulate

    figure, ax = axes(height=3.4)
    said, outside = [], 0
    for place, (name, options) in enumerate(_CHECKED):
        chosen: dict[str, float] = dict(options)
        crews: Literal[1, 2] = 1 if chosen.pop("repair_crews", 2) == 1 else 2
        exact = MINUTES * model.pair_downtime(1000, 10, repair_crews=crews, **chosen).total
        found = simulate(
            1000,
            10,
            repair_crews=crews,
            cycles=int(cycles),
            failure_bias=0.5,
            seed=1_000 * seed + place,  # each design gets dice of its own
            **chosen,
        )
        low, high = MINUTES * found.low, MINUTES * found.high
        inside = low <= exact <= high
        outside += not inside
        ax.plot(
            [100 * (low / exact - 1), 100 * (high / exact - 1)],
            [place, place],
            color=SERIES[0] if inside else SERIES[1],
            linestyle="-",
            linewidth=3,
        )
        ax.plot(
            100 * (MINUTES * found.mean / exact - 1),
            place,
            MARKERS[0] if inside else MARKERS[3],
            color=SERIES[0] if inside else SERIES[1],
        )
        said.append(f"{name}: formula {exact:.1f}, simulated {low:.1f} to {high:.1f}")
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(_CHECKED)), [name for name, _ in _CHECKED])
    ax.invert_yaxis()
    reach = max(abs(limit) for limit in ax.get_xlim())
    ax.set_xlim(-reach, reach)
    ax.set_xlabel("simulated beside the formula, per cent")
    count = len(_CHECKED)
    verdict = (
        f"The formula lies in all {count} intervals."
        if not outside
        else f"The formula lies in {count - outside} of {count} intervals: one in twenty misses."
    )
    return picture(
        figure,
        alt=f"Minutes down in a year, 95% intervals of {cycles:,} simulated lives of a pair. "
        f"{'; '.join(said)}. {verdict}",
        caption=f"{verdict} Seed {seed}, {cycles:,} lives.",
    )


def recording() -> bool:
    """Whether outputs are being stored, so that nothing may depend on the machine."""
    return bool(os.environ.get("LABS_RECORD"))


def who_answered(run: LiveRun) -> Table:
    """What became of the requests around the death of a server.

    How many were lost depends on the machine, so a stored output says only whether any were.
    """
    before = [r for r in run.requests if r.sent_ms + r.took_ms <= run.killed_ms]
    after = run.requests[-len(run.requests) // 8 :]
    rows: list[list[object]] = [
        ["answered before the server was killed", _share(before)],
        ["answered at the end, when the proxy had noticed", _share(after)],
        ["in between", _lost(len(run.lost))],
    ]
    survivors = sorted(name for name in run.answered_by if name != run.killed)
    rows.append(["who answers now", " and ".join(survivors)])
    return Table(
        f"{len(run.requests)} requests through the proxy; server {run.killed} was killed on the "
        "way.",
        ["requests", "what became of them"],
        rows,
    )


def _share(requests: Sequence[Request]) -> str:
    lost = sum(request.lost for request in requests)
    if recording():
        return "some lost" if lost else "all answered"
    return f"{len(requests) - lost} of {len(requests)}"


def _lost(count: int) -> str:
    if recording():
        return "some lost" if count else "none lost"
    return f"{count} lost"


def requests(run: LiveRun) -> Picture:
    """Each request of a run: when it was sent, and who answered it.

    Args:
        run: A run of :func:`labs.uptime.units.live.run`, or the recorded one.
    """
    lanes = ("A", "B", "C", "")
    figure, ax = axes(height=3.0)
    counts = {}
    for number, lane in enumerate(lanes):
        sent = [r.sent_ms for r in run.requests if (r.server if not r.lost else "") == lane]
        counts[lane] = len(sent)
        ax.plot(
            sent,
            [number] * len(sent),
            "x" if not lane else MARKERS[number],
            color=SERIES[number],
            markersize=7 if not lane else 5,
            linestyle="",
        )
    ax.axvline(run.killed_ms, color=INK, linewidth=1)
    ax.text(
        run.killed_ms + 10, -0.62, f"{run.killed} is killed", color=INK, fontsize=9, va="center"
    )
    ax.set_yticks(range(4), ["A", "B", "C", "nobody"])
    ax.set_ylim(3.5, -1)
    ax.set_xlabel("milliseconds since the first request was sent")
    ax.set_ylabel("answered by")
    last = max((r.sent_ms for r in run.lost), default=run.killed_ms)
    words = (
        f"{len(run.lost)} of {len(run.requests)} requests were lost, the last of them sent "
        f"{last - run.killed_ms:,.0f} milliseconds after {run.killed} was killed."
    )
    return picture(
        figure,
        alt=f"Who answered each of {len(run.requests)} requests: A {counts['A']}, B {counts['B']}, "
        f"C {counts['C']}, nobody {counts['']}. {run.killed} was killed after "
        f"{run.killed_ms:,.0f} milliseconds. {words}",
        caption=f"{words} The proxy asks each server every {run.check_ms:g} milliseconds how it "
        f"is, and gives up on it after {run.missed} missed answers.",
    )


def proxies() -> Table:
    """What the same bad minute costs behind three proxies."""
    made = (
        ("asks one server", proxy.forward_weak),
        ("asks one after the other", proxy.forward_everywhere),
        ("knows when to stop", proxy.forward),
    )
    rows: list[list[object]] = []
    for name, forward in made:
        cost = proxy.bad_minute(forward)
        rows.append([name, cost.lost, cost.twice, cost.felled, round(cost.waited_s)])
    return Table(
        "The same 600 requests behind three proxies, in a minute in which much goes wrong.",
        [
            "the proxy",
            "reads lost",
            "bookings made twice",
            "servers that one page stopped",
            "seconds waited",
        ],
        rows,
    )


def offers() -> Table:
    """What there is to choose from for the pair, with its price and effect."""
    rows: list[list[object]] = []
    for choice, offered in plans.OFFERS.items():
        rows += [[choice, name, one.price, _effect(one)] for name, one in offered.items()]
    return Table(
        f"Offers for Kvittra's pair of servers. Each server fails every {plans.MTBF_H:,.0f} hours; "
        f"{percent(plans.BETA_ANYHOW)} of the failures hit both whatever you buy.",
        ["choice", "offer", "kronor a month", "what it does"],
        rows,
    )


def _effect(offer: plans.Offer) -> str:
    if offer.mttr_h:
        return f"a repair takes {offer.mttr_h:g} hours"
    if offer.beta:
        return f"{percent(offer.beta)} more of the failures hit both"
    if offer.coverage < 1:
        return f"{percent(offer.coverage)} of the takeovers work"
    return "nothing on top"


def plan_cost(plan: Mapping[str, str]) -> Table:
    """Price and downtime of a plan, by cause.

    Raises:
        ValueError: If a choice is missing or not on offer.
    """
    down = plans.downtime(plan)
    rows: list[list[object]] = [
        [label, round(MINUTES * getattr(down, field))] for field, label in _CAUSES
    ]
    return Table(
        f"{plans.price(plan):,} kronor a month, {MINUTES * down.total:,.0f} minutes down a year.",
        ["cause", "minutes a year"],
        rows,
    )
