"""The lesson on session hijacking: whoever holds the id is the user.

Names load when they are first asked for, so that the table of contents loads neither Kvittra nor
a drawing library.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Session hijacking: whoever holds the id",
    promises=("A8",),
    minutes_to_teach=45,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "session",
        "session hijacking",
        "session fixation",
        "entropy",
        "HttpOnly",
        "cookie prefix",
        "re-authentication",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
