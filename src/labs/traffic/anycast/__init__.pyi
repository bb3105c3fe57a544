import labs.teaching.lesson

from . import coastline, exercises, messages, routing, simulation, world
from .model import (
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
from .world import defend, situation, visits

LESSON: labs.teaching.lesson.Lesson

__all__ = [
    "LESSON",
    "LatLon",
    "Served",
    "any_answer",
    "catchments",
    "coastline",
    "defend",
    "exercises",
    "floor_ms",
    "great_circle_km",
    "messages",
    "position",
    "round_trip_floor_ms",
    "routing",
    "served",
    "simulation",
    "situation",
    "total_queries",
    "visits",
    "world",
]
