"""The lesson on cross-site scripting: text that becomes code in somebody else's page.

Names load when they are first asked for, so that a page that only computes a hash never pays for
Kvittra or a drawing library.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Cross-site scripting: text that runs",
    promises=("A6",),
    minutes_to_teach=45,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "cross-site scripting",
        "escaping",
        "origin",
        "content security policy",
        "nonce",
        "HttpOnly",
        "allow-list",
        "Trusted Types",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
