"""The lesson on SQL injection: how typed text becomes part of a query, and how it stays text.

Names load when they are first asked for, so that the table of contents never loads Flask, and a
lab that only asks a small database never loads a drawing library.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="SQL injection: text that becomes a query",
    promises=("A5",),
    minutes_to_teach=45,
    minutes_to_do=40,
    audience=("customers", "staff", "builders"),
    terms=(
        "SQL",
        "SQL injection",
        "parameterized query",
        "allow-list",
        "blind SQL injection",
        "second-order injection",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
