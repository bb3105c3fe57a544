"""Chance at work on redundant units: the same models as in ``model``, played out many times.

The life of a repaired pair falls into cycles, each from *both units up* to the next *both units
up*. Cycles are independent and alike, so the long-run unavailability is the mean down time of a
cycle over its mean length (renewal-reward), and all cycles can be drawn at once as arrays.

That both units are down is rare, so most cycles show nothing. ``failure_bias`` makes the second
failure more likely while one unit is in repair and gives each such cycle a smaller weight in
return (importance sampling; A. Goyal and others, IEEE Transactions on Computers 41(1), 1992). The
mean stays right and its interval becomes many times narrower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labs.arguments import fraction, real, whole
from labs.estimate import Estimate as Estimate  # handed on by the lesson

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_CYCLES = 5_000_000
MOST_CHANGES = 100_000
MOST_TIMES_SLOWER = 1_000_000


def simulate(
    mtbf_h: float,
    mttr_h: float,
    *,
    repair_crews: Literal[1, 2] = 2,
    beta: float = 0.0,
    coverage: float = 1.0,
    switch_s: float = 0.0,
    cycles: int = 100_000,
    failure_bias: float | None = 0.5,
    seed: int,
) -> Estimate:
    """The unavailability of a repaired pair, estimated from simulated cycles.

    Args:
        mtbf_h: Mean time between failures of one unit, hours.
        mttr_h: Mean time to repair one unit, hours.
        repair_crews: 1 or 2.
        beta: Share of a unit's failures that takes the other with it.
        coverage: Probability that the standby takes over when the serving unit fails alone.
        switch_s: Mean seconds that a takeover takes, during which nothing is served.
        cycles: How many cycles to draw, 100 to 5,000,000.
        failure_bias: Probability that a second failure is forced during a repair, above 0 and
            below 1; ``None`` lets it happen as rarely as it does in life, so that a run without
            any outage reports an interval of no width.
        seed: The same seed gives the same estimate.

    Raises:
        ValueError: If an argument is out of range.

    >>> from labs.uptime.units.model import pair_unavailability
    >>> pair_unavailability(1000, 10, beta=0.02) in simulate(1000, 10, beta=0.02, seed=1)
    True
    """
    pair = _Pair.checked(mtbf_h, mttr_h, repair_crews, beta)
    takeover = _Takeover.checked(mttr_h, coverage, switch_s)
    count = whole("cycles", cycles, low=100, high=MOST_CYCLES)
    random = np.random.default_rng(whole("seed", seed, low=0))
    if failure_bias is None:
        up, down, _ = pair.cycles(count, random)
        if not takeover.perfect:
            down = down + takeover.waits(count, pair.serving_fails_alone, random)
        return _ratio(down, up + down)
    bias = real("failure_bias", failure_bias, above=0, below=1)
    # How long a cycle is needs no rare event, so half of the cycles are drawn as in life; the
    # other half only tell how much of a cycle both units are down.
    up, _, _ = pair.cycles(count // 2, random)
    down_mean, down_variance = pair.biased_down_time(count - count // 2, bias, random)
    if not takeover.perfect:
        wait, variance = takeover.mean_wait(count - count // 2, random)
        down_mean += pair.serving_fails_alone * wait
        down_variance += pair.serving_fails_alone**2 * variance
    up_mean, up_variance = float(up.mean()), float(up.var(ddof=1)) / up.size
    length = up_mean + down_mean
    error = math.sqrt(up_mean**2 * down_variance + down_mean**2 * up_variance) / length**2
    return Estimate.around(down_mean / length, error)


def count_changes(
    mtbf_h: float, mttr_h: float, *, beta: float = 0.0, cycles: int, seed: int
) -> int:
    """How many failures and repairs the cycles of an unbiased :func:`simulate` contain.

    A common-cause failure counts as one. It is what a benchmark against an event-by-event
    simulation compares.

    >>> count_changes(1000, 10, cycles=1000, seed=1)
    2024
    """
    pair = _Pair.checked(mtbf_h, mttr_h, 2, beta)
    random = np.random.default_rng(whole("seed", seed, low=0))
    return pair.cycles(whole("cycles", cycles, low=100, high=MOST_CYCLES), random)[2]


def simulate_time_to_failure(
    mtbf_h: float, mttr_h: float, *, runs: int = 20_000, seed: int
) -> Estimate:
    """Hours until a pair that starts with both units up is down, with repair in between.

    Raises:
        ValueError: If an argument is out of range.

    >>> simulate_time_to_failure(1000, 10, seed=1).mean > 40_000
    True
    """
    pair = _Pair.checked(mtbf_h, mttr_h, 2, 0.0)
    random = np.random.default_rng(whole("seed", seed, low=0))
    size = whole("runs", runs, low=100, high=MOST_CYCLES)
    if pair.second_failure == 0:
        raise ValueError(
            f"mttr_h must be long enough beside mtbf_h for a second failure to be possible, "
            f"not {mttr_h!r}"
        )
    repairs = random.geometric(pair.second_failure, size) - 1
    alone = random.standard_gamma(repairs + 1.0) * pair.one_up_h
    both = random.standard_gamma(repairs + 1.0) * pair.both_up_h
    return Estimate.of_mean(alone + both)


def simulate_k_of_n(
    k: int, n: int, availability: float, *, beta: float = 0.0, trials: int = 100_000, seed: int
) -> Estimate:
    """The availability of a k-of-n service, by looking at it at many random moments.

    With ``beta`` above 0, that share of a unit's unavailability is one common cause that takes
    all units at once; the rest strikes each unit alone. The two causes may meet.

    Raises:
        ValueError: If an argument is out of range.

    >>> 0.999702 in simulate_k_of_n(2, 3, 0.99, seed=1)
    True
    """
    total = whole("n", n, low=1, high=1000)
    need = whole("k", k, low=1, high=total)
    down = 1 - fraction("availability", availability)
    shared = fraction("beta", beta)
    size = whole("trials", trials, low=100, high=MOST_CYCLES)
    random = np.random.default_rng(whole("seed", seed, low=0))
    working = random.binomial(total, 1 - (1 - shared) * down, size)
    serving = (working >= need) & (random.random(size) >= shared * down)
    return Estimate.of_share(int(serving.sum()), size)


@dataclass(frozen=True, slots=True)
class History:
    """One simulated life of a pair: from ``times_h[i]`` on, ``units_up[i]`` units work."""

    times_h: tuple[float, ...]
    units_up: tuple[int, ...]
    hours: float

    @property
    def down_h(self) -> float:
        """Hours during which no unit worked."""
        ends = (*self.times_h[1:], self.hours)
        spans = zip(self.times_h, ends, self.units_up, strict=True)
        return math.fsum(end - start for start, end, up in spans if up == 0)


def history(
    mtbf_h: float,
    mttr_h: float,
    *,
    hours: float,
    repair_crews: Literal[1, 2] = 2,
    beta: float = 0.0,
    seed: int,
) -> History:
    """One life of a repaired pair, change by change, to draw and to look at.

    Raises:
        ValueError: If an argument is out of range, or the life would hold more than about
            100,000 changes.

    >>> life = history(100, 10, hours=1000, seed=3)
    >>> life.units_up[:3]
    (2, 1, 2)
    """
    pair = _Pair.checked(mtbf_h, mttr_h, repair_crews, beta)
    end = real("hours", hours, above=0)
    if 4 * end / mtbf_h > MOST_CHANGES:
        raise ValueError(f"hours must be at most {MOST_CHANGES // 4} times mtbf_h, not {hours!r}")
    random = np.random.default_rng(whole("seed", seed, low=0))
    now, up = 0.0, 2
    times, states = [now], [up]
    while True:
        now += random.standard_exponential() * (pair.both_up_h, pair.one_up_h, pair.down_h)[2 - up]
        if now >= end:
            return History(tuple(times), tuple(states), end)
        if up == 2:
            up = 0 if random.random() < pair.both_at_once else 1
        elif up == 1:
            up = 0 if random.random() < pair.second_failure else 2
        else:
            up = 1
        times.append(now)
        states.append(up)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The Markov chain of a repaired pair, by mean stays (hours) and branching probabilities."""

    both_up_h: float
    one_up_h: float
    down_h: float
    both_at_once: float
    second_failure: float

    @classmethod
    def checked(cls, mtbf_h: float, mttr_h: float, repair_crews: int, beta: float) -> _Pair:
        mtbf = real("mtbf_h", mtbf_h, above=0, high=1e15)
        mttr = real("mttr_h", mttr_h, above=0, high=1e15)
        if mttr > MOST_TIMES_SLOWER * mtbf:
            raise ValueError(
                f"mttr_h must be at most {MOST_TIMES_SLOWER:,} times mtbf_h, not {mttr_h!r}"
            )
        crews = whole("repair_crews", repair_crews, low=1, high=2)
        shared = fraction("beta", beta)
        return cls(
            both_up_h=mtbf / (2 - shared),
            one_up_h=mtbf / (1 + mtbf / mttr),
            down_h=mttr / crews,
            both_at_once=shared / (2 - shared),
            second_failure=1 / (1 + mtbf / mttr),
        )

    @property
    def serving_fails_alone(self) -> float:
        """The probability that a cycle begins with the serving unit, and not the standby."""
        return (1 - self.both_at_once) / 2

    def cycles(self, count: int, random: np.random.Generator) -> tuple[Floats, Floats, int]:
        """Hours with at least one unit up and hours with none, per cycle; and all changes."""
        up = random.standard_exponential(count) * self.both_up_h
        up += random.standard_exponential(count) * self.one_up_h
        down = np.zeros(count)
        struck_together = np.flatnonzero(random.random(count) < self.both_at_once)
        down[struck_together] = random.standard_exponential(struck_together.size) * self.down_h
        # Only the few cycles in which the second unit fails too need any further draws.
        failed_again = np.flatnonzero(random.random(count) < self.second_failure)
        times = random.geometric(1 - self.second_failure, failed_again.size)
        down[failed_again] += random.standard_gamma(times) * self.down_h
        up[failed_again] += random.standard_gamma(times) * self.one_up_h
        changes = 2 * count + struck_together.size + 2 * int(times.sum())
        return up, down, changes

    def biased_down_time(
        self, count: int, bias: float, random: np.random.Generator
    ) -> tuple[float, float]:
        """Mean hours of a cycle with no unit up, and the variance of that mean.

        Cycles that begin with a single failure and with a common one are drawn apart and put
        together with their true probabilities.
        """
        true = self.second_failure
        forced = max(true, bias)
        mean = variance = 0.0
        for begins_down, share in ((0, 1 - self.both_at_once), (1, self.both_at_once)):
            if share == 0:
                continue
            size = max(count if self.both_at_once in (0, 1) else count // 2, 2)
            times = random.geometric(1 - forced, size) - 1
            weight = (1 - true) / (1 - forced) * (true / forced) ** times
            stays = times + float(begins_down)
            hours = np.zeros(size)
            some = stays > 0
            hours[some] = random.standard_gamma(stays[some]) * self.down_h * weight[some]
            mean += share * float(hours.mean())
            variance += share**2 * float(hours.var(ddof=1)) / size
        return mean, variance


@dataclass(frozen=True, slots=True)
class _Takeover:
    """How long nothing is served when the serving unit fails alone, in hours."""

    works: float
    switch_h: float
    repair_h: float

    @classmethod
    def checked(cls, mttr_h: float, coverage: float, switch_s: float) -> _Takeover:
        switch_h = real("switch_s", switch_s, low=0, high=1e15) / 3600
        return cls(fraction("coverage", coverage), switch_h, mttr_h)

    @property
    def perfect(self) -> bool:
        return self.works == 1 and self.switch_h == 0

    def waits(self, count: int, needed: float, random: np.random.Generator) -> Floats:
        """Hours of each of ``count`` cycles, of which a share ``needed`` needs a takeover."""
        waits = np.zeros(count)
        failures = np.flatnonzero(random.random(count) < needed)
        worked = random.random(failures.size) < self.works
        lasts = np.where(worked, self.switch_h, self.repair_h)
        waits[failures] = random.standard_exponential(failures.size) * lasts
        return waits

    def mean_wait(self, count: int, random: np.random.Generator) -> tuple[float, float]:
        """Mean hours that a failure costs, and the variance of that mean.

        Takeovers that work and that do not are drawn apart, because one of them is rare.
        """
        mean = variance = 0.0
        for share, lasts in ((self.works, self.switch_h), (1 - self.works, self.repair_h)):
            hours = random.standard_exponential(max(count // 2, 2)) * lasts
            mean += share * float(hours.mean())
            variance += share**2 * float(hours.var(ddof=1)) / hours.size
        return mean, variance


def _ratio(part: Floats, whole_: Floats) -> Estimate:
    """The interval of a ratio of two means over the same cycles (delta method)."""
    ratio = float(part.sum() / whole_.sum())
    spread = float((part - ratio * whole_).std(ddof=1))
    return Estimate.around(ratio, spread / (math.sqrt(part.size) * float(whole_.mean())))
