"""Units: a spare helps only if it fails alone, takes over, and is repaired in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from labs.estimate import Estimate
from labs.uptime.units.model import (
    common_cause_unavailability,
    common_cause_union,
    k_of_n,
    mean_time_to_failure,
    mean_time_to_failure_unrepaired,
    pair_unavailability,
    steady_state,
)

if TYPE_CHECKING:
    from labs.uptime.units import live, simulation
    from labs.uptime.units.simulation import simulate

# NumPy is loaded only by who simulates or draws.
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submodules=["live", "simulation"],
    submod_attrs={"simulation": ["simulate"]},
)

__all__ = [
    "Estimate",
    "common_cause_unavailability",
    "common_cause_union",
    "k_of_n",
    "live",
    "mean_time_to_failure",
    "mean_time_to_failure_unrepaired",
    "pair_unavailability",
    "simulate",
    "simulation",
    "steady_state",
]
