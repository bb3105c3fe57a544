"""What a backup plan can lose, as closed forms.

Assumptions: a failure is equally likely at every moment between two backups; a backup is durable
only when its run has finished; copies on one site fail independently of one another but share the
site's disaster; sites are independent; a backup job breaks at a constant rate and stays broken
until a restore test finds it.

Sources: the interval and restore-time arithmetic is standard; the chance of an unnoticed break is
the average probability of failure on demand of IEC 61508-6, B.2, applied to a backup job.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from labs.arguments import fraction, real, whole

MOST_COPIES = 1_000_000
MOST_BYTES = 10**24


@dataclass(frozen=True, slots=True)
class DataLoss:
    """Hours of work that a restore cannot bring back."""

    expected_h: float
    worst_h: float


def data_loss(interval_h: float, run_h: float = 0) -> DataLoss:
    """The work lost when the system fails at a random moment and the last backup is restored.

    Args:
        interval_h: Hours between the starts of two backups.
        run_h: Hours that one backup runs before it can be restored.

    Raises:
        ValueError: If ``interval_h`` is not above 0 or ``run_h`` is negative.

    >>> data_loss(6)
    DataLoss(expected_h=3.0, worst_h=6.0)
    >>> data_loss(6, run_h=1)
    DataLoss(expected_h=4.0, worst_h=7.0)
    """
    interval = real("interval_h", interval_h, above=0)
    run = real("run_h", run_h, low=0)
    return DataLoss(expected_h=interval / 2 + run, worst_h=interval + run)


def loss_window_h(last_good_copy: datetime, failure: datetime) -> float:
    """Hours of work between the last copy that can be restored and the failure.

    Raises:
        ValueError: If the copy is later than the failure.
        TypeError: If an argument is no ``datetime``, or only one of them has a time zone.

    >>> loss_window_h(datetime(2027, 3, 1, 6), datetime(2027, 3, 1, 9, 30))
    3.5
    """
    for name, value in (("last_good_copy", last_good_copy), ("failure", failure)):
        if not isinstance(value, datetime):
            raise TypeError(f"{name} must be a datetime, not {value!r}")
    if last_good_copy > failure:
        raise ValueError(f"last_good_copy must not be after {failure}, not {last_good_copy}")
    return (failure - last_good_copy).total_seconds() / 3600


def loss_probability(
    copies_per_site: Sequence[int], *, copy_failure: float, site_disaster: float
) -> float:
    """The probability that every copy is gone, with the site's disaster as a common cause.

    Each site loses all of its n copies with probability s + (1 - s)pⁿ; the sites multiply.

    Args:
        copies_per_site: How many copies each site holds; a site with 0 does not count.
        copy_failure: Probability p that one copy cannot be read when it is needed.
        site_disaster: Probability s that a site is lost with all that is in it.

    Raises:
        ValueError: If there is no site, a count is negative or a probability is outside 0 to 1.

    >>> two_here = loss_probability([2], copy_failure=0.05, site_disaster=0.001)
    >>> one_far_away = loss_probability([1, 1], copy_failure=0.05, site_disaster=0.001)
    >>> one_far_away < two_here
    True
    """
    copy = fraction("copy_failure", copy_failure)
    site = fraction("site_disaster", site_disaster)
    if len(copies_per_site) == 0:
        raise ValueError("copies_per_site must name at least one site, not an empty list")
    counts = [whole("copies_per_site", n, low=0, high=MOST_COPIES) for n in copies_per_site]
    return math.prod(site + (1 - site) * copy**n for n in counts if n)


def unnoticed_failure(failures_per_year: float, test_interval_y: float) -> float:
    """The probability that the backup is silently broken on the day it is needed.

    The job breaks at a constant rate λ and a restore test every T years finds it:
    1 - (1 - exp(-λT)) / (λT), which is close to λT/2 while that is small.

    Raises:
        ValueError: If an argument is not above 0.

    >>> yearly, monthly = unnoticed_failure(0.5, 1), unnoticed_failure(0.5, 1 / 12)
    >>> round(yearly, 3), round(monthly, 3)
    (0.213, 0.021)
    """
    rate = real("failures_per_year", failures_per_year, above=0)
    expected = rate * real("test_interval_y", test_interval_y, above=0)
    if math.isinf(expected):
        return 1.0
    if expected > 0.01:
        return (expected + math.expm1(-expected)) / expected
    # The direct form subtracts two nearly equal numbers here; the series does not.
    total, term = 0.0, -1.0
    for k in range(1, 9):
        term *= -expected / (k + 1)
        total += term
    return total


def restore_time(size_bytes: int, bits_per_second: float) -> float:
    """Seconds to copy a backup back over a line: no restore is faster than that.

    Raises:
        ValueError: If the size is negative or the speed is not above 0.

    >>> restore_time(300 * 10**9, 60e6) / 3600  # GitLab, 2017: 300 GB over about 60 Mbit/s
    11.11111111111111
    """
    size = whole("size_bytes", size_bytes, low=0, high=MOST_BYTES)
    return 8 * size / real("bits_per_second", bits_per_second, above=0)
