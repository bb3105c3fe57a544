"""Redundant units: how many must work, what they share, and how fast they are repaired.

Units are alike and fail at a constant rate λ = 1/MTBF; a repair takes 1/µ = MTTR on average.
k-of-n assumes independent units. The beta factor says which part β of a unit's failures hits both
units of a pair at the same moment. The pair is a Markov chain with the states *both up*, *one up*
and *both down*.

Sources: k-of-n and the Markov pair as in K. S. Trivedi, *Probability and Statistics with
Reliability, Queuing and Computer Science Applications*; the beta factor from K. N. Fleming (1975)
and IEC 61508-6, annex D.
"""

from __future__ import annotations

import math
from typing import Literal

from labs.arguments import fraction, real, whole

MOST_UNITS = 10_000


def k_of_n(k: int, n: int, availability: float) -> float:
    """The availability of a service that needs ``k`` of ``n`` independent, equal units.

    Args:
        k: How many units must work, at least 1.
        n: How many there are, ``k`` to 10,000.
        availability: Availability of one unit.

    Raises:
        ValueError: If more units are needed than present, or the availability is no fraction.

    >>> round(k_of_n(1, 2, 0.99), 6), round(k_of_n(2, 3, 0.99), 6), round(k_of_n(2, 2, 0.99), 6)
    (0.9999, 0.999702, 0.9801)
    """
    total = whole("n", n, low=1, high=MOST_UNITS)
    need = whole("k", k, low=1, high=total)
    up = fraction("availability", availability)
    if up in (0.0, 1.0):
        return up
    log_up, log_down = math.log(up), math.log1p(-up)
    ways = math.comb(total, need)
    terms = []
    for working in range(need, total + 1):
        # In logarithms, because the number of ways soon exceeds what a float can hold.
        terms.append(math.exp(math.log(ways) + working * log_up + (total - working) * log_down))
        ways = ways * (total - working) // (working + 1)
    return min(1.0, math.fsum(terms))


def common_cause_unavailability(unavailability: float, beta: float) -> float:
    """The unavailability of a pair of units of which one share of the failures hits both.

    ((1 - β)q)² + βq, the rare-event sum: two failures apart, or one together.

    Args:
        unavailability: q of one unit.
        beta: The share β of its failures that takes the other with it.

    Raises:
        ValueError: If an argument is outside 0 to 1.

    >>> round(common_cause_unavailability(0.01, 0.1), 9)  # not 0.0001: a gain of 9, not of 100
    0.001081
    """
    q, b = fraction("unavailability", unavailability), fraction("beta", beta)
    return ((1 - b) * q) ** 2 + b * q


def common_cause_union(unavailability: float, beta: float) -> float:
    """The same pair without the rare-event simplification: both causes may meet.

    1 - (1 - ((1 - β)q)²)(1 - βq).

    Raises:
        ValueError: If an argument is outside 0 to 1.

    >>> common_cause_union(0.01, 0.1) < common_cause_unavailability(0.01, 0.1)
    True
    """
    q, b = fraction("unavailability", unavailability), fraction("beta", beta)
    apart, together = ((1 - b) * q) ** 2, b * q
    return apart + together * (1 - apart)


def steady_state(mtbf_h: float, mttr_h: float) -> float:
    """The availability MTBF / (MTBF + MTTR) of one repaired unit.

    Raises:
        ValueError: If a mean time is not above 0.

    >>> round(steady_state(1000, 10), 6)
    0.990099
    """
    return 1 / (1 + real("mttr_h", mttr_h, above=0) / real("mtbf_h", mtbf_h, above=0))


def pair_unavailability(
    mtbf_h: float, mttr_h: float, *, repair_crews: Literal[1, 2] = 2, beta: float = 0.0
) -> float:
    """The long-run fraction of time that both units of a repaired pair are down.

    Transitions: both up → one up at 2(1 - β)λ; both up → both down at βλ; one up → both down at λ;
    one up → both up at µ; both down → one up at 2µ with two repair crews and at µ with one.

    Args:
        mtbf_h: Mean time between failures of one unit, hours.
        mttr_h: Mean time to repair one unit, hours.
        repair_crews: 1 or 2.
        beta: Share of a unit's failures that takes the other with it.

    Raises:
        ValueError: If a mean time is not above 0, there are other than 1 or 2 crews, or ``beta``
            is no fraction.

    >>> alone = 1 - steady_state(1000, 10)
    >>> pair = pair_unavailability(1000, 10)
    >>> shared = pair_unavailability(1000, 10, beta=0.02)
    >>> round(alone / pair), round(alone / shared)  # times less downtime with a second unit
    (101, 51)
    """
    mtbf, mttr = real("mtbf_h", mtbf_h, above=0), real("mttr_h", mttr_h, above=0)
    crews = whole("repair_crews", repair_crews, low=1, high=2)
    b = fraction("beta", beta)
    # Balance equations times (up)²: every term stays finite, however unequal the two times are.
    up, down = 1 / (1 + mttr / mtbf), 1 / (1 + mtbf / mttr)
    both_down = (b * up * down + (2 - b) * down * down) / crews
    return 0.0 if both_down == 0 else 1 / (1 + (up * up + (2 - b) * up * down) / both_down)


def mean_time_to_failure(mtbf_h: float, mttr_h: float) -> float:
    """Hours until a pair that starts with both units up is down for the first time.

    (3λ + µ) / (2λ²), with repair while one unit still works.

    Raises:
        ValueError: If a mean time is not above 0.

    >>> round(mean_time_to_failure(1000, 10))
    51500
    """
    mtbf = real("mtbf_h", mtbf_h, above=0)
    return mtbf * (3 + mtbf / real("mttr_h", mttr_h, above=0)) / 2


def mean_time_to_failure_unrepaired(mtbf_h: float) -> float:
    """Hours until both units of a pair have failed when nobody repairs the first: 3/(2λ).

    Raises:
        ValueError: If the mean time is not above 0.

    >>> mean_time_to_failure_unrepaired(1000)
    1500.0
    """
    return 1.5 * real("mtbf_h", mtbf_h, above=0)
