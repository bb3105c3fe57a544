"""The lesson on passwords: what a leaked user table gives away, and what keeps it shut.

Names load when they are first asked for, so that the table of contents never loads Argon2, and
a lab that only hashes never loads a drawing library.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Passwords: hashed, salted and slow",
    promises=("A2",),
    minutes_to_teach=45,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "hash",
        "salt",
        "pepper",
        "dictionary attack",
        "rainbow table",
        "key derivation function",
        "Argon2id",
        "constant-time comparison",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
