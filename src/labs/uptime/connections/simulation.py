"""Chance at work on connections: the models of ``model``, played out many times at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labs.arguments import fraction, real, whole
from labs.estimate import Estimate
from labs.uptime.connections.network import AVAILABILITY, worth_of_parts

Floats = NDArray[np.float64]

MOST_DRAWS = 5_000_000


def simulate_two_paths(
    first: float,
    second: float,
    *,
    shared: float = 1.0,
    moments: int = 200_000,
    seed: int,
) -> Estimate:
    """The share of random moments at which at least one path and the shared part work.

    Raises:
        ValueError: If an argument is out of range.

    >>> 0.9701 in simulate_two_paths(0.9, 0.9, shared=0.98, seed=1)
    True
    """
    size = whole("moments", moments, low=100, high=MOST_DRAWS)
    random = np.random.default_rng(whole("seed", seed, low=0))
    one = random.random(size) < fraction("first", first)
    other = random.random(size) < fraction("second", second)
    joint = random.random(size) < fraction("shared", shared)
    return Estimate.of_share(int(((one | other) & joint).sum()), size)


def simulate_ways(
    ways: Sequence[Sequence[str]],
    part_availability: Mapping[str, float] = AVAILABILITY,
    *,
    moments: int = 200_000,
    seed: int,
) -> Estimate:
    """The share of random moments at which all parts of at least one way work.

    Args:
        ways: The parts of each way; a part that several need is drawn once.
        part_availability: What each part is worth.
        moments: How many moments are looked at.
        seed: Seeds the chance.

    Raises:
        ValueError: If an argument is out of range.

    >>> worth = {"a": 0.9, "b": 0.9, "duct": 0.98}
    >>> 0.9702 in simulate_ways([("a", "duct"), ("b", "duct")], worth, seed=1)
    True
    """
    size = whole("moments", moments, low=100, high=MOST_DRAWS)
    random = np.random.default_rng(whole("seed", seed, low=0))
    works = {
        part: random.random(size) < worth
        for part, worth in worth_of_parts(ways, part_availability).items()
    }
    connected = np.zeros(size, dtype=bool)
    for way in ways:
        connected |= np.all([works[part] for part in way], axis=0)
    return Estimate.of_share(int(connected.sum()), size)


def simulate_failover(
    mtbf_h: float,
    mttr_h: float,
    *,
    coverage: float,
    switch_s: float,
    cycles: int = 200_000,
    seed: int,
) -> Estimate:
    """The unavailability of an active unit with a standby, from simulated cycles.

    A cycle begins whenever both units work again. With probability 1/2 its first failure hits the
    active unit: it is covered and switched, or uncovered and down until repaired. While one unit
    works alone, the other may fail before the repair is done; then both are down until the first
    of two repairs.

    Raises:
        ValueError: If an argument is out of range.

    >>> from labs.uptime.connections.model import failover_unavailability
    >>> pair = {"coverage": 0.95, "switch_s": 30}
    >>> failover_unavailability(1000, 10, **pair) in simulate_failover(1000, 10, **pair, seed=1)
    True
    """
    mtbf = real("mtbf_h", mtbf_h, above=0, high=1e15)
    mttr = real("mttr_h", mttr_h, above=0, high=1e15)
    if mttr > 1e6 * mtbf:
        raise ValueError(f"mttr_h must be at most 1,000,000 times mtbf_h, not {mttr_h!r}")
    covered = fraction("coverage", coverage)
    switch = real("switch_s", switch_s, low=0, high=1e15) / 3600
    size = whole("cycles", cycles, low=100, high=MOST_DRAWS)
    random = np.random.default_rng(whole("seed", seed, low=0))

    second_failure = 1 / (1 + mtbf / mttr)
    alone = mtbf * second_failure
    up = random.standard_exponential(size) * (mtbf / 2) + random.standard_exponential(size) * alone
    down = np.zeros(size)
    kind = random.random(size)
    switched = np.flatnonzero(kind < covered / 2)
    down[switched] += random.standard_exponential(switched.size) * switch
    unnoticed = np.flatnonzero((kind >= covered / 2) & (kind < 0.5))
    down[unnoticed] += random.standard_exponential(unnoticed.size) * mttr
    again = np.flatnonzero(random.random(size) < second_failure)
    times = random.geometric(1 - second_failure, again.size)
    down[again] += random.standard_gamma(times) * (mttr / 2)
    up[again] += random.standard_gamma(times) * alone
    length = up + down
    ratio = float(down.sum() / length.sum())
    spread = float((down - ratio * length).std(ddof=1))
    return Estimate.around(ratio, spread / (math.sqrt(size) * float(length.mean())))


def simulate_false_alarms(
    interval_s: float, missed: int, hello_loss: float, *, hellos: int = 2_000_000, seed: int
) -> Estimate:
    """False alarms a day on a healthy link, counted among simulated hellos.

    Raises:
        ValueError: If an argument is out of range.

    >>> from labs.uptime.connections.model import false_alarms_per_day
    >>> false_alarms_per_day(0.1, 3, 0.05) in simulate_false_alarms(0.1, 3, 0.05, seed=1)
    True
    """
    interval = real("interval_s", interval_s, above=0)
    k = whole("missed", missed, low=1, high=1000)
    loss = real("hello_loss", hello_loss, low=0, below=1)
    size = whole("hellos", hellos, low=1000, high=MOST_DRAWS)
    random = np.random.default_rng(whole("seed", seed, low=0))
    arrived = np.flatnonzero(random.random(size) >= loss)
    runs = np.diff(np.concatenate(([-1], arrived, [size]))) - 1
    alarms = int((runs // k).sum())
    days = size * interval / 86_400
    # Alarms are rare and nearly independent: their number spreads like a Poisson count, and a run
    # of several alarms adds a little, which the sum of squares over runs takes in.
    spread = math.sqrt(float(((runs // k) ** 2).sum()))
    return Estimate.around(alarms / days, spread / days)


@dataclass(frozen=True, slots=True)
class FlappingEstimate:
    """Per cycle of a flapping link: failovers, seconds lost, and how often it was in use."""

    failovers: Estimate
    lost_s: Estimate
    in_use: Estimate


def simulate_flapping(
    up_s: float,
    down_s: float,
    *,
    detection_s: float,
    hold_s: float,
    links: int = 2_000,
    cycles: int = 200,
    seed: int,
) -> FlappingEstimate:
    """Many flapping links side by side, break by break.

    The first fifth of the cycles is left out, so that the start (in use) is forgotten.

    Raises:
        ValueError: If an argument is out of range, or ``links`` x ``cycles`` exceeds 5,000,000.

    >>> estimate = simulate_flapping(20, 5, detection_s=1, hold_s=30, seed=1)
    >>> estimate.failovers.mean < 0.3
    True
    """
    up, down = real("up_s", up_s, above=0), real("down_s", down_s, above=0)
    detection = real("detection_s", detection_s, low=0)
    hold = real("hold_s", hold_s, low=0)
    wide = whole("links", links, low=100, high=MOST_DRAWS)
    long = whole("cycles", cycles, low=10, high=100_000)
    if wide * long > MOST_DRAWS:
        raise ValueError(f"links times cycles must be at most {MOST_DRAWS:,}, not {wide * long:,}")
    random = np.random.default_rng(whole("seed", seed, low=0))
    breaks = random.standard_exponential((long, wide)) * down
    noticed = breaks >= detection
    calm = random.standard_exponential((long, wide)) * up >= hold
    in_use = np.empty((long, wide), dtype=bool)
    now = np.ones(wide, dtype=bool)
    for i in range(long):
        in_use[i] = now
        # It stays in use through a break nobody noticed; otherwise it must first hold out.
        now = calm[i] | (now & ~noticed[i])
    counted = slice(long // 5, None)
    used = in_use[counted]
    failovers = (used & noticed[counted]).mean(axis=0)
    lost = np.where(used, np.minimum(breaks[counted], detection), 0.0).mean(axis=0)
    return FlappingEstimate(
        failovers=Estimate.of_mean(failovers),
        lost_s=Estimate.of_mean(lost),
        in_use=Estimate.of_mean(used.mean(axis=0)),
    )


@dataclass(frozen=True, slots=True)
class Episode:
    """One flapping link, second by second: when it was up, and when traffic ran over it."""

    changes_s: tuple[float, ...]
    link_up: tuple[bool, ...]
    in_use: tuple[bool, ...]
    lost_s: float
    failovers: int


def episode(
    up_s: float,
    down_s: float,
    *,
    detection_s: float,
    hold_s: float,
    length_s: float,
    seed: int,
) -> Episode:
    """One flapping episode to draw: from ``changes_s[i]`` on the link and the traffic are so.

    Raises:
        ValueError: If an argument is out of range, or more than about 10,000 breaks would fit in.

    >>> shown = episode(20, 5, detection_s=1, hold_s=30, length_s=300, seed=2)
    >>> shown.link_up[0], shown.in_use[0]
    (True, True)
    """
    up, down = real("up_s", up_s, above=0), real("down_s", down_s, above=0)
    detection = real("detection_s", detection_s, low=0)
    hold = real("hold_s", hold_s, low=0)
    end = real("length_s", length_s, above=0)
    if end / (up + down) > 10_000:
        raise ValueError(f"length_s must be at most 10,000 cycles long, not {length_s!r}")
    random = np.random.default_rng(whole("seed", seed, low=0))
    changes = [(0.0, True, True)]
    now, in_use, lost, failovers = 0.0, True, 0.0, 0
    while now < end:
        calm = float(random.standard_exponential()) * up
        if not in_use and calm >= hold and now + hold < end:
            in_use = True
            changes.append((now + hold, True, True))
        now += calm
        if now >= end:
            break
        broken = float(random.standard_exponential()) * down
        changes.append((now, False, in_use))
        if in_use:
            lost += max(0.0, min(broken, detection, end - now))
            if broken >= detection and now + detection < end:
                in_use = False
                failovers += 1
                changes.append((now + detection, False, False))
        now += broken
        if now < end:
            changes.append((now, True, in_use))
    times, link, traffic = zip(*changes, strict=True)
    return Episode(times, link, traffic, lost, failovers)
