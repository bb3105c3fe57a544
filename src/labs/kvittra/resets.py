"""A lost password is replaced, never recovered: a single-use link goes to the address on file."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping

from labs.kvittra.sessions import Tokens

LIFETIME_S = 30 * 60.0


def new_reset_token_weak(tokens: Tokens, email: str, now: float) -> str:
    """The secret in the reset link: looks random, and follows from the address and the second."""
    del tokens
    return hashlib.sha256(f"{email.lower()} {int(now)}".encode()).hexdigest()[:32]


def new_reset_token(tokens: Tokens, email: str, now: float) -> str:
    """The secret in the reset link: 128 random bits."""
    del email, now
    return tokens(16).hex()


def store_reset(connection: sqlite3.Connection, token: str, user: str, now: float) -> None:
    """Keep a fingerprint of the token, so that a reader of the database cannot use it.

    An older link of the same user stops working.
    """
    connection.execute("DELETE FROM resets WHERE user = ?", (user,))
    connection.execute(
        "INSERT INTO resets VALUES (?, ?, ?)", (_fingerprint(token), user, now + LIFETIME_S)
    )


def find_reset_weak(connection: sqlite3.Connection, token: str, now: float) -> str | None:
    """The user whom this token lets choose a new password."""
    del now  # the mistake: a link in an old mailbox works for ever
    row = connection.execute(
        "SELECT user FROM resets WHERE token_hash = ?", (_fingerprint(token),)
    ).fetchone()
    return str(row["user"]) if row else None


def find_reset(connection: sqlite3.Connection, token: str, now: float) -> str | None:
    """The user whom this token lets choose a new password, for ``LIFETIME_S`` seconds."""
    row = connection.execute(
        "SELECT user FROM resets WHERE token_hash = ? AND expires > ?", (_fingerprint(token), now)
    ).fetchone()
    return str(row["user"]) if row else None


def spend_reset_weak(connection: sqlite3.Connection, token: str) -> None:
    """What happens to a token once it has been used."""
    del connection, token


def spend_reset(connection: sqlite3.Connection, token: str) -> None:
    """What happens to a token once it has been used: it is gone."""
    connection.execute("DELETE FROM resets WHERE token_hash = ?", (_fingerprint(token),))


def reset_link_weak(origin: str, headers: Mapping[str, str], token: str) -> str:
    """The address in the mail."""
    # The mistake: whoever asks for the reset writes these headers.
    host = headers.get("X-Forwarded-Host") or headers.get("Host", "")
    return f"{origin.partition('://')[0]}://{host}/reset/{token}"


def reset_link(origin: str, headers: Mapping[str, str], token: str) -> str:
    """The address in the mail, on the host that the service was configured with."""
    del headers
    return f"{origin}/reset/{token}"


def reset_answer_weak(known: bool) -> str:
    """What the page says after somebody has asked for a reset."""
    return "We have sent you a link." if known else "No account has that address."


def reset_answer(known: bool) -> str:
    """What the page says after somebody has asked for a reset: the same to everybody."""
    del known
    return "If the address has an account, a link is on its way to it."


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
