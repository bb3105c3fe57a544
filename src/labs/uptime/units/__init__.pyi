import labs.teaching.lesson

from . import exercises, figures, live, simulation
from .model import (
    Downtime,
    common_cause_unavailability,
    common_cause_union,
    k_of_n,
    k_of_n_common_cause,
    mean_time_to_failure,
    mean_time_to_failure_unrepaired,
    pair_downtime,
    pair_unavailability,
    steady_state,
)
from .proxy import Refused, Request, Silent, bad_minute, forward, forward_everywhere, forward_weak
from .simulation import Estimate, simulate

LESSON: labs.teaching.lesson.Lesson

__all__ = [
    "LESSON",
    "Downtime",
    "Estimate",
    "Refused",
    "Request",
    "Silent",
    "bad_minute",
    "common_cause_unavailability",
    "common_cause_union",
    "exercises",
    "figures",
    "forward",
    "forward_everywhere",
    "forward_weak",
    "k_of_n",
    "k_of_n_common_cause",
    "live",
    "mean_time_to_failure",
    "mean_time_to_failure_unrepaired",
    "pair_downtime",
    "pair_unavailability",
    "simulate",
    "simulation",
    "steady_state",
]
