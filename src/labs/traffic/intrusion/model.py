"""Detecting, and slowing down, what does not belong in the traffic: the arithmetic.

Detection is a trade between two errors, so a detector is judged by both of them at once: how much
it finds, and how many alarms a day are false. Charts (EWMA, CUSUM) watch a number that should stay
where it is. A token bucket slows a sender down instead of judging it.

Sources: the base rate as in S. Axelsson, TISSEC 3(3), 2000; the ROC curve as in T. Fawcett (2006);
EWMA as in the NIST/SEMATECH e-Handbook, 6.3.2.4; CUSUM from E. S. Page (1954), in the tabular form
of D. C. Montgomery, *Introduction to Statistical Quality Control*; run lengths by D. Siegmund
(1985); the token bucket in the style of RFC 2697.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from labs.arguments import fraction, real


def alarm_precision(prior: float, detection_rate: float, false_alarm_rate: float) -> float:
    """The probability that an alarm is about a real intrusion.

    Args:
        prior: Share of records that belong to an intrusion.
        detection_rate: Probability of an alarm for such a record.
        false_alarm_rate: Probability of an alarm for any other record.

    Raises:
        ValueError: If an argument is outside 0 to 1, or no alarm can ever occur.

    >>> round(alarm_precision(2e-5, 0.99, 0.01), 4)  # a "99 % accurate" detector: 1 alarm in 500
    0.002
    """
    hit = fraction("prior", prior) * fraction("detection_rate", detection_rate)
    false = (1 - prior) * fraction("false_alarm_rate", false_alarm_rate)
    if hit + false == 0:
        raise ValueError("with these rates no alarm can ever occur, so none can be judged")
    return hit / (hit + false)


@dataclass(frozen=True, slots=True)
class Roc:
    """A ROC curve: one point for each threshold, from "never alarm" to "always alarm"."""

    false_alarm_rates: tuple[float, ...]
    detection_rates: tuple[float, ...]
    area: float


def roc(scores: Sequence[float], labels: Sequence[int]) -> Roc:
    """How detection and false alarms move together as the threshold ``score >= t`` falls.

    Args:
        scores: One number for each record; higher means more suspicious.
        labels: 1 for an intrusion, 0 for anything else, in the same order.

    Returns:
        The points from (0, 0) on, one for each distinct score, and the area below the curve.

    Raises:
        ValueError: If lengths differ, a label is not 0 or 1, a score is not finite, or one of the
            two classes is missing.

    >>> roc([0.9, 0.8, 0.4], [1, 0, 1])
    Roc(false_alarm_rates=(0.0, 0.0, 1.0, 1.0), detection_rates=(0.0, 0.5, 0.5, 1.0), area=0.5)
    """
    if len(scores) != len(labels):
        raise ValueError(
            f"labels must be as many as scores ({len(scores)}), not {len(labels)} labels"
        )
    for label in labels:
        if label not in (0, 1):
            raise ValueError(f"labels must be 0 or 1, not {label!r}")
    intrusions = sum(1 for label in labels if label == 1)
    others = len(labels) - intrusions
    if not intrusions or not others:
        raise ValueError("labels must hold both classes, at least one 0 and one 1")
    numbers = [real("scores", score) for score in scores]
    ranked = sorted(zip(numbers, labels, strict=True), key=lambda pair: -pair[0])
    found = false = doubled_area = 0
    points = [(0, 0)]
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        group = [label for _, label in tied]
        hits = sum(1 for label in group if label == 1)
        # Counting in whole numbers keeps the area exact, whatever the order of the sums.
        doubled_area += (len(group) - hits) * (2 * found + hits)
        found, false = found + hits, false + len(group) - hits
        points.append((false, found))
    return Roc(
        false_alarm_rates=tuple(x / others for x, _ in points),
        detection_rates=tuple(y / intrusions for _, y in points),
        area=doubled_area / (2 * intrusions * others),
    )


@dataclass(frozen=True, slots=True)
class Ewma:
    """An EWMA chart: the smoothed values (the start first), the limits, and the alarms."""

    values: tuple[float, ...]
    upper: float
    lower: float
    alarms: tuple[int, ...]


def ewma(
    values: Iterable[float],
    *,
    start: float,
    sigma: float,
    weight: float = 0.3,
    width: float = 3.0,
) -> Ewma:
    """An exponentially weighted moving average with its steady-state control limits.

    Args:
        values: The measurements, in order.
        start: The value that they should have.
        sigma: Their standard deviation while all is well.
        weight: How much the newest value counts, above 0 and at most 1.
        width: Distance of the limits, in standard deviations of the average.

    Returns:
        The averages, with ``start`` first; the limits; and the 0-based positions in ``values``
        after which the average lay strictly outside them.

    Raises:
        ValueError: If ``values`` is empty or an argument is out of range.

    >>> chart = ewma([50, 51, 58, 59, 61], start=50, sigma=2)
    >>> chart.alarms
    (2, 3, 4)
    """
    level = real("start", start)
    sigma = real("sigma", sigma, above=0)
    weight = real("weight", weight, above=0, high=1)
    width = real("width", width, above=0)
    reach = width * sigma * math.sqrt(weight / (2 - weight))
    upper, lower = level + reach, level - reach
    averages = [level]
    for value in _numbers(values):
        averages.append(weight * value + (1 - weight) * averages[-1])
    alarms = tuple(i for i, mean in enumerate(averages[1:]) if not lower <= mean <= upper)
    return Ewma(tuple(averages), upper, lower, alarms)


@dataclass(frozen=True, slots=True)
class Cusum:
    """A tabular CUSUM: the sums above and below the target, and the alarms."""

    high: tuple[float, ...]
    low: tuple[float, ...]
    alarms: tuple[int, ...]


def cusum(values: Iterable[float], *, target: float, slack: float, limit: float) -> Cusum:
    """A tabular cumulative sum: small shifts add up until they cannot be chance.

    Args:
        values: The measurements, in order.
        target: The value that they should have.
        slack: How far off a value may be without counting.
        limit: The sum above which an alarm is given.

    Returns:
        Both sums after each value, and the 0-based positions at which either exceeded ``limit``.
        The sums are not reset by an alarm.

    Raises:
        ValueError: If ``values`` is empty, ``slack`` is negative or ``limit`` is not above 0.

    >>> cusum([10, 11, 11, 11], target=10, slack=0.5, limit=1)
    Cusum(high=(0.0, 0.5, 1.0, 1.5), low=(0.0, 0.0, 0.0, 0.0), alarms=(3,))
    """
    target = real("target", target)
    slack = real("slack", slack, low=0)
    limit = real("limit", limit, above=0)
    highs: list[float] = []
    lows: list[float] = []
    above = below = 0.0
    for value in _numbers(values):
        above = max(0.0, value - (target + slack) + above)
        below = max(0.0, (target - slack) - value + below)
        highs.append(above)
        lows.append(below)
    alarms = tuple(
        i for i, (up, down) in enumerate(zip(highs, lows, strict=True)) if max(up, down) > limit
    )
    return Cusum(tuple(highs), tuple(lows), alarms)


def cusum_run_length(shift: float, *, slack: float, limit: float) -> float:
    """How many values a two-sided CUSUM takes to alarm, on average, by Siegmund's approximation.

    Per side, with b = limit + 1.166 and D = ±shift - slack:
    (exp(-2Db) + 2Db - 1) / (2D²); the sides combine as 1/ARL = 1/ARL⁺ + 1/ARL⁻. Everything is in
    standard deviations. At shift 0 the result is the mean time between two false alarms.

    Args:
        shift: How far the mean has moved.
        slack: The chart's slack.
        limit: The chart's limit.

    Raises:
        ValueError: If ``slack`` is negative, ``limit`` is not above 0, or a number is so large
            (``limit`` above 50, ``shift`` or ``slack`` above 5) that the run length is not finite
            in practice.

    >>> calm, moved = (cusum_run_length(shift, slack=0.5, limit=5) for shift in (0, 1))
    >>> round(calm), round(moved)
    (469, 10)
    """
    shift = real("shift", shift, low=-5, high=5)
    slack = real("slack", slack, low=0, high=5)
    barrier = real("limit", limit, above=0, high=50) + 1.166

    def one_side(drift: float) -> float:
        x = 2 * drift * barrier
        if abs(x) < 1e-4:
            # exp(-x) + x - 1 = x²/2 - x³/6 + …, without the cancellation.
            return barrier * barrier * (1 - x / 3 + x * x / 12)
        return (math.expm1(-x) + x) / (2 * drift * drift) if x > -700 else math.inf

    up, down = one_side(shift - slack), one_side(-shift - slack)
    return 1 / (1 / up + 1 / down)


class TokenBucket:
    """A rate limit that allows bursts: each request takes a token, and tokens drip in.

    In any stretch of t seconds it admits at most ``burst`` + ``rate``·t requests. Starts full.

    Args:
        rate: Tokens a second.
        burst: Most tokens that the bucket holds, at least 1.

    Raises:
        ValueError: If ``rate`` is not above 0 or ``burst`` is below 1.

    >>> bucket = TokenBucket(rate=2, burst=3)
    >>> [bucket.allow(at) for at in (0, 0, 0, 0, 0.5, 0.5, 1.0)]
    [True, True, True, False, True, False, True]
    """

    # Drips of, say, 0.1 do not add up to 1 exactly; what is missing is carried over, not given.
    _ROUNDING = 1e-9

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = real("rate", rate, above=0)
        self.burst = real("burst", burst, low=1)
        self._tokens = self.burst
        self._at: float | None = None

    def allow(self, at: float) -> bool:
        """Whether a request at ``at`` (seconds, from any fixed start) is admitted.

        Raises:
            ValueError: If ``at`` is before the previous request.
        """
        now = real("at", at)
        if self._at is not None:
            if now < self._at:
                raise ValueError(f"at must not go back before {self._at!r}, not {at!r}")
            self._tokens = min(self.burst, self._tokens + self.rate * (now - self._at))
        self._at = now
        if self._tokens < 1 - self._ROUNDING:
            return False
        self._tokens -= 1
        return True


def _numbers(values: Iterable[float]) -> list[float]:
    numbers = [real("values", value) for value in values]
    if not numbers:
        raise ValueError("values must hold at least one number, not none")
    return numbers
