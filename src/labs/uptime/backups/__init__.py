"""Backups: a copy counts when it has been restored, not when it has been made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from labs.estimate import Estimate
from labs.uptime.backups.model import (
    DataLoss,
    data_loss,
    loss_probability,
    loss_window_h,
    restore_time,
    unnoticed_failure,
)

if TYPE_CHECKING:
    from labs.uptime.backups import books, simulation, year
    from labs.uptime.backups.books import Books
    from labs.uptime.backups.year import Outcome, Plan, run_year

# NumPy and SQLite are loaded only by who simulates or keeps books.
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submodules=["books", "simulation", "year"],
    submod_attrs={"books": ["Books"], "year": ["Outcome", "Plan", "run_year"]},
)

__all__ = [
    "Books",
    "DataLoss",
    "Estimate",
    "Outcome",
    "Plan",
    "books",
    "data_loss",
    "loss_probability",
    "loss_window_h",
    "restore_time",
    "run_year",
    "simulation",
    "unnoticed_failure",
    "year",
]
