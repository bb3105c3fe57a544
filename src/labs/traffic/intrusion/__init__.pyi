import labs.teaching.lesson

from . import detectors, exercises, figures, log, prevention, simulation
from .log import grade, month
from .model import (
    Cusum,
    Ewma,
    Roc,
    TokenBucket,
    alarm_precision,
    cusum,
    cusum_run_length,
    ewma,
    roc,
)

LESSON: labs.teaching.lesson.Lesson

__all__ = [
    "LESSON",
    "Cusum",
    "Ewma",
    "Roc",
    "TokenBucket",
    "alarm_precision",
    "cusum",
    "cusum_run_length",
    "detectors",
    "ewma",
    "exercises",
    "figures",
    "grade",
    "log",
    "month",
    "prevention",
    "roc",
    "simulation",
]
