"""Anycast: one address in many places, and what that does not promise."""

from __future__ import annotations

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

__all__ = [
    "LatLon",
    "Served",
    "any_answer",
    "catchments",
    "floor_ms",
    "great_circle_km",
    "position",
    "round_trip_floor_ms",
    "served",
    "total_queries",
]
