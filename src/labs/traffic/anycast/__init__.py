"""Anycast: one address in many places, and what that does not promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from labs.estimate import Estimate
from labs.traffic.anycast.model import (
    LatLon,
    Served,
    any_answer,
    catchments,
    floor_ms,
    great_circle_km,
    position,
    round_trip_floor_ms,
    served,
    total_queries,
)

if TYPE_CHECKING:
    from labs.traffic.anycast import coastline, messages, routing, simulation, world
    from labs.traffic.anycast.world import defend, visits

# NumPy and dnspython are loaded only by who simulates or sends a query.
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submodules=["coastline", "messages", "routing", "simulation", "world"],
    submod_attrs={"world": ["defend", "visits"]},
)

__all__ = [
    "Estimate",
    "LatLon",
    "Served",
    "any_answer",
    "catchments",
    "coastline",
    "defend",
    "floor_ms",
    "great_circle_km",
    "messages",
    "position",
    "round_trip_floor_ms",
    "routing",
    "served",
    "simulation",
    "total_queries",
    "visits",
    "world",
]
