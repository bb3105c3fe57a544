"""Chance at work on detectors: alarms among millions of records, and how long a chart waits.

:func:`run_length` solves the integral equation for the run length of a CUSUM (E. S. Page, 1954;
D. Brook and D. A. Evans, 1972, solved it as a Markov chain); :func:`simulate_run_length` plays it.
"""

from __future__ import annotations

import math

import numpy as np

from labs.arguments import fraction, real, whole
from labs.estimate import Estimate

MOST_DRAWS = 5_000_000
MOST_VALUES = 200_000_000


def simulate_precision(
    prior: float,
    detection_rate: float,
    false_alarm_rate: float,
    *,
    records: int = 10_000_000,
    seed: int,
) -> Estimate:
    """The share of real intrusions among the alarms of one simulated day.

    Raises:
        ValueError: If an argument is out of range, or the day brought no alarm at all.

    >>> from labs.traffic.intrusion.model import alarm_precision
    >>> alarm_precision(2e-5, 0.9, 1e-4) in simulate_precision(2e-5, 0.9, 1e-4, seed=1)
    True
    """
    size = whole("records", records, low=1000, high=10**12)
    random = np.random.default_rng(whole("seed", seed, low=0))
    # Records are alike, so counting them is as good as drawing them one at a time.
    intrusive = int(random.binomial(size, fraction("prior", prior)))
    hits = int(random.binomial(intrusive, fraction("detection_rate", detection_rate)))
    false = int(random.binomial(size - intrusive, fraction("false_alarm_rate", false_alarm_rate)))
    if hits + false == 0:
        raise ValueError(f"records must be enough to bring an alarm, not {records!r}")
    return Estimate.of_share(hits, hits + false)


def run_length(shift: float, *, slack: float, limit: float, points: int = 64) -> float:
    """The exact average run length of a two-sided CUSUM of normal values, in standard deviations.

    One side's run length L(z), begun at z, solves

        L(z) = 1 + L(0) Φ(-z - d) + ∫₀ᴴ L(x) φ(x - z - d) dx,    d = shift - slack,

    which is solved at Gauss-Legendre points; the sides combine as 1/ARL = 1/ARL⁺ + 1/ARL⁻.

    Args:
        shift: How far the mean has moved.
        slack: The chart's slack.
        limit: The chart's limit, at most 10.
        points: Points of the quadrature.

    Raises:
        ValueError: If an argument is out of range.

    >>> round(run_length(0, slack=0.5, limit=4)), round(run_length(1, slack=0.5, limit=4), 2)
    (168, 8.38)
    """
    moved = real("shift", shift, low=-3, high=3)
    slack = real("slack", slack, low=0, high=2)
    height = real("limit", limit, above=0, high=10)
    size = whole("points", points, low=8, high=500)
    x, w = np.polynomial.legendre.leggauss(size)
    x, w = (x + 1) * height / 2, w * height / 2

    def one_side(drift: float) -> float:
        starts = np.append(0.0, x)
        # Unknowns: L at 0 and at the points.
        at_zero = np.array([0.5 * math.erfc((z + drift) / math.sqrt(2)) for z in starts])
        kernel = np.exp(-((x[None, :] - starts[:, None] - drift) ** 2) / 2) / math.sqrt(2 * math.pi)
        system = np.eye(size + 1)
        system[:, 0] -= at_zero
        system[:, 1:] -= kernel * w[None, :]
        return float(np.linalg.solve(system, np.ones(size + 1))[0])

    return 1 / (1 / one_side(moved - slack) + 1 / one_side(-moved - slack))


def simulate_run_length(
    shift: float, *, slack: float, limit: float, runs: int = 2_000, seed: int
) -> Estimate:
    """The average number of values until a two-sided CUSUM alarms, over many charts at once.

    Raises:
        ValueError: If an argument is out of range, or the charts would wait too long to be played.

    >>> 8.383 in simulate_run_length(1, slack=0.5, limit=4, seed=0)
    True
    """
    size = whole("runs", runs, low=100, high=1_000_000)
    expected = run_length(shift, slack=slack, limit=limit)
    if expected * size > MOST_VALUES:
        raise ValueError(
            f"limit must be low enough for {size:,} charts to alarm within "
            f"{MOST_VALUES:,} values, not {limit!r}"
        )
    random = np.random.default_rng(whole("seed", seed, low=0))
    lengths = np.zeros(size)
    high, low = np.zeros(size), np.zeros(size)
    waiting = np.arange(size)
    now = 0
    while waiting.size:
        now += 1
        values = random.standard_normal(waiting.size) + shift
        high = np.maximum(0, high + values - slack)
        low = np.maximum(0, low - values - slack)
        alarmed = (high > limit) | (low > limit)
        lengths[waiting[alarmed]] = now
        high, low, waiting = high[~alarmed], low[~alarmed], waiting[~alarmed]
    return Estimate.of_mean(lengths)
