"""Connections: two links are worth two only while they share nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from labs.estimate import Estimate
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

if TYPE_CHECKING:
    from labs.uptime.connections import network, simulation

# NumPy and networkx are loaded only by who simulates or draws a network.
__getattr__, _, _ = lazy_loader.attach(__name__, submodules=["network", "simulation"])

__all__ = [
    "Estimate",
    "Flapping",
    "detection_time",
    "failover_unavailability",
    "false_alarms_per_day",
    "flapping",
    "master_down_interval",
    "minimum_cut",
    "network",
    "outage_loss",
    "simulation",
    "single_points_of_failure",
    "skew_time",
    "two_paths",
]
