"""Redundant units: how many must work, what they share, and how fast they are repaired.

Units are alike and fail at a constant rate λ = 1/MTBF; a repair takes 1/µ = MTTR on average.
k-of-n assumes independent units. The beta factor says which part β of a unit's failures hits all
units at the same moment. The repaired pair is a Markov chain with the states *both up*, *one up*
and *both down*; where one unit serves and the other stands by, the states *switching over* and
*takeover failed* come in between.

Sources: k-of-n and the Markov pair as in K. S. Trivedi, *Probability and Statistics with
Reliability, Queuing and Computer Science Applications*; the beta factor from K. N. Fleming (1975)
and IEC 61508-6, annex D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from labs.arguments import fraction, real, whole

MOST_UNITS = 10_000

# Keeps infinity out where a takeover lasts ages beside units that live for no time at all.
_MOST = 1e300


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


def k_of_n_common_cause(k: int, n: int, availability: float, beta: float) -> float:
    """The availability of a k-of-n service of which one share of the failures hits all units.

    (1 - βq) times k-of-n with units that are down for (1 - β)q by themselves, where q is the
    unavailability of one unit: the two causes may meet.

    Args:
        k: How many units must work, at least 1.
        n: How many there are, ``k`` to 10,000.
        availability: Availability of one unit.
        beta: The share β of its unavailability that takes all units at once.

    Raises:
        ValueError: If more units are needed than present, or a fraction is outside 0 to 1.

    >>> [round(8_760 * (1 - k_of_n_common_cause(1, n, 0.99, 0.1)), 1) for n in (1, 2, 3, 6)]
    [87.5, 9.5, 8.8, 8.8]
    """
    down = 1 - fraction("availability", availability)
    shared = fraction("beta", beta) * down
    return (1 - shared) * k_of_n(k, n, 1 - (down - shared))


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
    return pair_downtime(mtbf_h, mttr_h, repair_crews=repair_crews, beta=beta).total


@dataclass(frozen=True, slots=True)
class Downtime:
    """The fractions of time that a pair is down, by cause.

    Args:
        apart: The second unit failed while the first was still in repair.
        together: One common cause took both units.
        stuck: The serving unit failed and the standby did not take over.
        switching: The standby was taking over.
    """

    apart: float
    together: float
    stuck: float = 0.0
    switching: float = 0.0

    @property
    def total(self) -> float:
        """The fraction of time that the pair is down, whatever the cause."""
        return math.fsum((self.apart, self.together, self.stuck, self.switching))


def pair_downtime(
    mtbf_h: float,
    mttr_h: float,
    *,
    repair_crews: Literal[1, 2] = 2,
    beta: float = 0.0,
    coverage: float = 1.0,
    switch_s: float = 0.0,
) -> Downtime:
    """The long-run fractions of time that a repaired pair is down, by cause.

    One unit serves and the other stands by, alike and failing at the same rate λ. When the serving
    unit fails alone, the standby takes over with probability c, after f seconds on average;
    otherwise the service waits for the repair. With r = λ/µ, one repair crew or two (m) and the
    weights, relative to *both up*,

        switching c(1 - β)λf, stuck (1 - c)(1 - β)r, apart (2 - β)r²/m, together βr/m,

    each fraction is its weight over the sum of these and of 1 and (2 - β)r for *one up*.

    Args:
        mtbf_h: Mean time between failures of one unit, hours.
        mttr_h: Mean time to repair one unit, hours.
        repair_crews: 1 or 2.
        beta: Share of a unit's failures that takes the other with it.
        coverage: Probability c that a failure is noticed and the standby takes over.
        switch_s: Mean seconds that a takeover takes, during which nothing is served.

    Raises:
        ValueError: If a mean time is not above 0, there are other than 1 or 2 crews, a share is no
            fraction or ``switch_s`` is negative.

    >>> down = pair_downtime(1000, 10, beta=0.02, coverage=0.95, switch_s=30)
    >>> [round(525_600 * part) for part in (down.apart, down.together, down.stuck, down.switching)]
    [51, 52, 252, 4]
    """
    mtbf, mttr = real("mtbf_h", mtbf_h, above=0), real("mttr_h", mttr_h, above=0)
    crews = whole("repair_crews", repair_crews, low=1, high=2)
    b, c = fraction("beta", beta), fraction("coverage", coverage)
    switch_h = real("switch_s", switch_s, low=0) / 3600
    # The weights times (up)²: every term stays finite, however unequal the two times are.
    up, down = 1 / (1 + mttr / mtbf), 1 / (1 + mtbf / mttr)
    apart, together = (2 - b) * down * down / crews, b * up * down / crews
    stuck = (1 - c) * (1 - b) * up * down
    switching = c * (1 - b) * min(switch_h / (mtbf + mttr), _MOST) * up
    whole_life = up * up + (2 - b) * up * down + apart + together + stuck + switching
    return Downtime(
        apart / whole_life, together / whole_life, stuck / whole_life, switching / whole_life
    )


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
