"""Connections: two links are worth two only while they share nothing."""

from __future__ import annotations

from labs.uptime.connections.model import (
    Flapping,
    detection_time,
    failover_unavailability,
    false_alarms_per_day,
    flapping,
    master_down_interval,
    minimum_cut,
    outage_loss,
    single_points_of_failure,
    skew_time,
    two_paths,
)

__all__ = [
    "Flapping",
    "detection_time",
    "failover_unavailability",
    "false_alarms_per_day",
    "flapping",
    "master_down_interval",
    "minimum_cut",
    "outage_loss",
    "single_points_of_failure",
    "skew_time",
    "two_paths",
]
