"""Intrusion: finding what does not belong, without drowning in alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from labs.estimate import Estimate
from labs.traffic.intrusion.model import (
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

if TYPE_CHECKING:
    from labs.traffic.intrusion import detectors, log, prevention, simulation
    from labs.traffic.intrusion.log import grade, month

# NumPy is loaded only by who simulates or reads a month's log.
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submodules=["detectors", "log", "prevention", "simulation"],
    submod_attrs={"log": ["grade", "month"]},
)

__all__ = [
    "Cusum",
    "Estimate",
    "Ewma",
    "Roc",
    "TokenBucket",
    "alarm_precision",
    "cusum",
    "cusum_run_length",
    "detectors",
    "ewma",
    "grade",
    "log",
    "month",
    "prevention",
    "roc",
    "simulation",
]
