"""The lesson on spare units: a spare helps if it fails alone, takes over, and is repaired in time.

Names load when they are first asked for, so that the table of contents loads neither NumPy nor a
drawing library.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Spare units: what they share, and who takes over",
    promises=("U4",),
    minutes_to_teach=45,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "redundancy",
        "N+1",
        "common cause",
        "beta factor",
        "failover",
        "coverage (of a failover)",
        "health check",
        "confidence interval",
        "idempotent request",
    ),
    beyond_the_page="A browser starts no processes, so the three real servers and their proxy run "
    "in JupyterLab only. The page shows a run that was recorded.",
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
