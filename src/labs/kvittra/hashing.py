"""Passwords become Argon2id records (RFC 9106) here, and nowhere else in Kvittra.

The library is imported by the functions that hash: a page that runs Python in the browser puts a
stand-in with the same results under the same name.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# memory in KiB, passes, lanes. "product" is the OWASP minimum, which a real service would use;
# "lab" is as cheap as the function allows, so that a lab that signs in a hundred times stays quick.
PROFILES = {"product": (19_456, 2, 1), "lab": (8, 1, 1)}


def hash_password(password: str, *, salt: bytes | None = None, profile: str = "lab") -> str:
    """``password`` as a PHC string, with a fresh 16-byte salt unless one is given.

    Raises:
        ValueError: If the profile is unknown.

    >>> hash_password("surdeg", salt=b"0123456789abcdef").split("$")[1:4]
    ['argon2id', 'v=19', 'm=8,t=1,p=1']
    """
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {profile!r}")
    from argon2 import PasswordHasher

    memory, passes, lanes = PROFILES[profile]
    hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
    return hasher.hash(_normal(password), salt=salt)


def password_matches(record: str, password: str) -> bool:
    """Whether ``record`` was made from ``password``. A malformed record matches nothing."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(record, _normal(password))
    except (InvalidHashError, VerificationError):
        return False


@lru_cache
def nobody(profile: str) -> str:
    """A record to check when there is no such account: both answers then take as long."""
    return hash_password("no account has this password", profile=profile)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
