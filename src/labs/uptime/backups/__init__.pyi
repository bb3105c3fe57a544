import labs.teaching.lesson

from . import books, exercises, figures, job, simulation, year
from .books import Backup, Books
from .job import (
    Kept,
    back_up_file,
    back_up_file_weak,
    choose_copy,
    choose_copy_weak,
    copy_online,
)
from .model import (
    DataLoss,
    data_loss,
    loss_probability,
    loss_window_h,
    restore_time,
    unnoticed_failure,
)
from .year import (
    SITES,
    TARGET,
    Disaster,
    Outcome,
    Plan,
    Recovery,
    Site,
    Target,
    disasters,
    meet,
    run_year,
)

LESSON: labs.teaching.lesson.Lesson

__all__ = [
    "LESSON",
    "SITES",
    "TARGET",
    "Backup",
    "Books",
    "DataLoss",
    "Disaster",
    "Kept",
    "Outcome",
    "Plan",
    "Recovery",
    "Site",
    "Target",
    "back_up_file",
    "back_up_file_weak",
    "books",
    "choose_copy",
    "choose_copy_weak",
    "copy_online",
    "data_loss",
    "disasters",
    "exercises",
    "figures",
    "job",
    "loss_probability",
    "loss_window_h",
    "meet",
    "restore_time",
    "run_year",
    "simulation",
    "unnoticed_failure",
    "year",
]
