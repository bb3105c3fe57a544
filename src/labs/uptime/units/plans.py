"""Four choices about a pair of servers, with their prices and with what they do to the downtime.

Prices and effects are made up for the exercise. The downtime is that of
:func:`labs.uptime.units.model.pair_downtime`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labs.uptime.units.model import Downtime, pair_downtime

MTBF_H = 2000.0
"""Mean hours between failures of one server."""

SWITCH_S = 30.0
"""Mean seconds that a takeover takes."""

BETA_ANYHOW = 0.02
"""The share of failures that hits both servers whatever is bought."""

BUDGET = 6_000
"""Kronor a month, on top of the two servers."""

GOAL_MIN = 90
"""Minutes a year that the service may be down."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to choose, and what it changes.

    Args:
        price: Kronor a month.
        beta: What it adds to the share of failures that hits both servers.
        coverage: The probability that a takeover works, where the choice is about that.
        mttr_h: Mean hours until a failed server is repaired, where the choice is about that.
    """

    price: int
    beta: float = 0.0
    coverage: float = 1.0
    mttr_h: float = 0.0


OFFERS: Mapping[str, Mapping[str, Offer]] = {
    "rooms": {
        "one room": Offer(0, beta=0.08),
        "two rooms": Offer(4_000),
    },
    "updates": {
        "both servers at once": Offer(0, beta=0.06),
        "one a day before the other": Offer(500),
    },
    "takeover": {
        "never tested": Offer(0, coverage=0.7),
        "tested every month": Offer(1_500, coverage=0.98),
    },
    "repair": {
        "next working day": Offer(0, mttr_h=30),
        "within four hours": Offer(3_000, mttr_h=4),
    },
}
"""For each choice what there is to choose from."""


def _chosen(plan: Mapping[str, str]) -> list[Offer]:
    for choice, offers in OFFERS.items():
        if plan.get(choice) not in offers:
            known = " or ".join(repr(name) for name in offers)
            raise ValueError(f"{choice} must be {known}, not {plan.get(choice)!r}")
    return [offers[plan[choice]] for choice, offers in OFFERS.items()]


def price(plan: Mapping[str, str]) -> int:
    """Kronor a month.

    Raises:
        ValueError: If a choice is missing or not on offer.

    >>> price({choice: list(offers)[-1] for choice, offers in OFFERS.items()})
    9000
    """
    return sum(offer.price for offer in _chosen(plan))


def downtime(plan: Mapping[str, str]) -> Downtime:
    """The fractions of time for which the service is down, by cause.

    Raises:
        ValueError: If a choice is missing or not on offer.

    >>> all_of_it = downtime({choice: list(offers)[-1] for choice, offers in OFFERS.items()})
    >>> round(525_600 * all_of_it.total)  # minutes a year
    35
    """
    rooms, updates, takeover, repair = _chosen(plan)
    return pair_downtime(
        MTBF_H,
        repair.mttr_h,
        beta=BETA_ANYHOW + rooms.beta + updates.beta,
        coverage=takeover.coverage,
        switch_s=SWITCH_S,
    )
