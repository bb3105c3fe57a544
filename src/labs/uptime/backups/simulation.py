"""Chance at work on backups: the models of ``model``, played out many times at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labs.arguments import fraction, real, whole
from labs.estimate import Estimate

MOST_DRAWS = 5_000_000


def simulate_data_loss(
    interval_h: float, run_h: float = 0, *, failures: int = 100_000, seed: int
) -> Estimate:
    """Hours of work lost per failure, when failures come at random moments.

    Raises:
        ValueError: If an argument is out of range.

    >>> 4 in simulate_data_loss(6, 1, seed=1)
    True
    """
    interval = real("interval_h", interval_h, above=0)
    run = real("run_h", run_h, low=0)
    size = whole("failures", failures, low=100, high=MOST_DRAWS)
    random = np.random.default_rng(whole("seed", seed, low=0))
    # A copy started at 0, I, 2I, … counts from one run later on; the failure comes long after.
    failed_at = 1000 * interval + run + random.random(size) * 1000 * interval
    newest = np.floor((failed_at - run) / interval) * interval
    return Estimate.of_mean(failed_at - newest)


def simulate_loss(
    copies_per_site: Sequence[int],
    *,
    copy_failure: float,
    site_disaster: float,
    years: int = 200_000,
    seed: int,
) -> Estimate:
    """The share of simulated cases in which no copy is left.

    Raises:
        ValueError: If an argument is out of range, or there are more than 20 copies or sites.

    >>> from labs.uptime.backups.model import loss_probability
    >>> chances = {"copy_failure": 0.3, "site_disaster": 0.1}
    >>> loss_probability([2, 1], **chances) in simulate_loss([2, 1], **chances, seed=1)
    True
    """
    copy = fraction("copy_failure", copy_failure)
    site = fraction("site_disaster", site_disaster)
    counts = [whole("copies_per_site", n, low=0, high=20) for n in copies_per_site]
    if not 1 <= len(counts) <= 20:
        raise ValueError(f"copies_per_site must name 1 to 20 sites, not {len(counts)}")
    size = whole("years", years, low=100, high=MOST_DRAWS)
    random = np.random.default_rng(whole("seed", seed, low=0))
    lost = np.ones(size, dtype=bool)
    for count in counts:
        if count:
            unreadable = random.binomial(count, copy, size) == count
            lost &= (random.random(size) < site) | unreadable
    return Estimate.of_share(int(lost.sum()), size)


def simulate_unnoticed_failure(
    failures_per_year: float, test_interval_y: float, *, needs: int = 200_000, seed: int
) -> Estimate:
    """The share of random moments at which the backup is broken and nobody knows.

    Raises:
        ValueError: If an argument is out of range.

    >>> from labs.uptime.backups.model import unnoticed_failure
    >>> unnoticed_failure(0.5, 1) in simulate_unnoticed_failure(0.5, 1, seed=1)
    True
    """
    rate = real("failures_per_year", failures_per_year, above=0)
    interval = real("test_interval_y", test_interval_y, above=0)
    size = whole("needs", needs, low=100, high=MOST_DRAWS)
    random = np.random.default_rng(whole("seed", seed, low=0))
    breaks_at = random.standard_exponential(size) / rate
    needed_at = random.random(size) * interval
    return Estimate.of_share(int((breaks_at < needed_at).sum()), size)
