"""Backups: a copy counts when it has been restored, not when it has been made."""

from __future__ import annotations

from labs.uptime.backups.model import (
    DataLoss,
    data_loss,
    loss_probability,
    loss_window_h,
    restore_time,
    unnoticed_failure,
)

__all__ = [
    "DataLoss",
    "data_loss",
    "loss_probability",
    "loss_window_h",
    "restore_time",
    "unnoticed_failure",
]
