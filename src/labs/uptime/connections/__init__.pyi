import labs.teaching.lesson

from . import exercises, figures, network, simulation
from .model import (
    Flapping,
    detection_time,
    disjoint_routes,
    failover_unavailability,
    false_alarms_per_day,
    flapping,
    link_in_use,
    master_down_interval,
    minimum_cut,
    outage_loss,
    single_points_of_failure,
    skew_time,
    two_paths,
)

LESSON: labs.teaching.lesson.Lesson

__all__ = [
    "LESSON",
    "Flapping",
    "detection_time",
    "disjoint_routes",
    "exercises",
    "failover_unavailability",
    "false_alarms_per_day",
    "figures",
    "flapping",
    "link_in_use",
    "master_down_interval",
    "minimum_cut",
    "network",
    "outage_loss",
    "simulation",
    "single_points_of_failure",
    "skew_time",
    "two_paths",
]
