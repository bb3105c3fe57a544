"""The lesson on backups: a copy counts when it has been restored, not when it has been made.

Names load when they are first asked for, so that the table of contents loads neither SQLite nor a
drawing library.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Backups: only a restore counts",
    promises=("U1", "U2"),
    minutes_to_teach=45,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "backup",
        "restore test",
        "recovery point objective",
        "recovery time objective",
        "ransomware",
        "immutable copy",
        "silent corruption",
        "3-2-1 rule",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
