"""The lesson on request forgery: another site makes your browser ask, and your cookie goes along.

Names load when they are first asked for, so that the table of contents loads neither Kvittra nor
a drawing library.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Request forgery: whose click was it?",
    promises=("A7",),
    minutes_to_teach=45,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "cross-site request forgery",
        "origin",
        "site (of a web page)",
        "SameSite",
        "Fetch Metadata",
        "CSRF token",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
