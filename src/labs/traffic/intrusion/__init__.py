"""The lesson on intrusion: finding what does not belong, without drowning in alarms.

Names load when they are first asked for, so that the log and its detectors never load NumPy; only
``simulation`` and the pictures do.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Intrusion: detect, deter, prevent",
    promises=("T1",),
    minutes_to_teach=45,
    minutes_to_do=40,
    audience=("customers", "staff", "builders"),
    terms=(
        "intrusion detection",
        "false alarm",
        "base-rate fallacy",
        "password spraying",
        "credential stuffing",
        "signature (of an attack)",
        "control chart",
        "ROC curve",
        "token bucket",
        "account lockout",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
