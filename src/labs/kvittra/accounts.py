"""Who may come in, how often they may try, and what they must prove again."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from labs.kvittra import hashing

ATTEMPTS = 5
ATTEMPTS_FROM_ONE_ADDRESS = 50
WINDOW_S = 15 * 60.0

_MOST_KEYS = 10_000


def authenticate_weak(
    connection: sqlite3.Connection, email: str, password: str, profile: str
) -> str | None:
    """The id of the user whose address and password these are, or ``None``."""
    del profile
    row = connection.execute(
        f"SELECT id FROM users WHERE email = '{email}'"
        f" AND password_matches(password_hash, '{password}')"
    ).fetchone()
    return str(row[0]) if row else None


def authenticate(
    connection: sqlite3.Connection, email: str, password: str, profile: str
) -> str | None:
    """The id of the user whose address and password these are, or ``None``.

    An unknown address costs as much time as a wrong password.
    """
    row = connection.execute(
        "SELECT id, password_hash FROM users WHERE email = ?", (email,)
    ).fetchone()
    record = row["password_hash"] if row else hashing.nobody(profile)
    matches = hashing.password_matches(record, password)
    return str(row["id"]) if row and matches else None


class Attempts:
    """Failed tries by key (an account, an address) within the last ``WINDOW_S`` seconds."""

    def __init__(self) -> None:
        self._failures: dict[str, list[float]] = {}

    def count(self, key: str, now: float) -> int:
        """How many failures the window still holds."""
        recent = [at for at in self._failures.get(key, ()) if now - at < WINDOW_S]
        if recent:
            self._failures[key] = recent
        else:
            self._failures.pop(key, None)
        return len(recent)

    def fail(self, key: str, now: float) -> None:
        """Remember one failure. The oldest key is forgotten when there are too many."""
        while key not in self._failures and len(self._failures) >= _MOST_KEYS:
            self._failures.pop(next(iter(self._failures)))
        self._failures.setdefault(key, []).append(now)

    def forgive(self, key: str) -> None:
        """Forget the failures of one key, after a success."""
        self._failures.pop(key, None)


def may_try_weak(attempts: Attempts, email: str, address: str, now: float) -> bool:
    """Whether another password may be tried for this account from this address."""
    del attempts, email, address, now
    return True


def may_try(attempts: Attempts, email: str, address: str, now: float) -> bool:
    """Whether another password may be tried for this account from this address.

    One account is guarded against many guesses, and one address against trying one guess on many
    accounts.
    """
    return (
        attempts.count(f"account {email.casefold()}", now) < ATTEMPTS
        and attempts.count(f"address {address}", now) < ATTEMPTS_FROM_ONE_ADDRESS
    )


def proves_presence_weak(user: Mapping[str, str], password: str) -> bool:
    """Whether the person at the keyboard is the one who signed in."""
    del user, password
    return True


def proves_presence(user: Mapping[str, str], password: str) -> bool:
    """Whether the person at the keyboard is the one who signed in: the password again.

    A stolen session, or a computer left unlocked, is not enough to change where money goes.
    """
    return hashing.password_matches(user["password_hash"], password)


def may_administer_weak(user: Mapping[str, str]) -> bool:
    """Whether this user may open the administration page."""
    # The mistake: the link is hidden from customers, and that is taken for a lock.
    return bool(user["id"])


def may_administer(user: Mapping[str, str]) -> bool:
    """Whether this user may open the administration page."""
    return user["role"] == "admin"
