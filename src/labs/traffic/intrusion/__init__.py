"""Intrusion: finding what does not belong, without drowning in alarms."""

from __future__ import annotations

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

__all__ = [
    "Cusum",
    "Ewma",
    "Roc",
    "TokenBucket",
    "alarm_precision",
    "cusum",
    "cusum_run_length",
    "ewma",
    "roc",
]
