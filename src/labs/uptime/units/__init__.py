"""Units: a spare helps only if it fails alone, takes over, and is repaired in time."""

from __future__ import annotations

from labs.uptime.units.model import (
    common_cause_unavailability,
    common_cause_union,
    k_of_n,
    mean_time_to_failure,
    mean_time_to_failure_unrepaired,
    pair_unavailability,
    steady_state,
)

__all__ = [
    "common_cause_unavailability",
    "common_cause_union",
    "k_of_n",
    "mean_time_to_failure",
    "mean_time_to_failure_unrepaired",
    "pair_unavailability",
    "steady_state",
]
