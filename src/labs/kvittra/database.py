"""Kvittra's database: SQLite in memory, fenced in by an authorizer.

An injected statement can read what the application can read, and change what it can change. It can
not reach out of memory: no ``ATTACH``, no extension, no file, no setting, no change of the schema.
A statement that runs too long is stopped.
"""

from __future__ import annotations

import sqlite3
import weakref
from functools import lru_cache
from typing import Any

from labs.kvittra import hashing, seed

SCHEMA = """
CREATE TABLE customers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, trade TEXT NOT NULL, town TEXT NOT NULL,
    currency TEXT NOT NULL, iban TEXT NOT NULL
);
CREATE TABLE users (
    id TEXT PRIMARY KEY, customer TEXT REFERENCES customers (id), role TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE, password_hash TEXT NOT NULL,
    name TEXT NOT NULL, website TEXT NOT NULL, about TEXT NOT NULL
);
CREATE TABLE buyers (
    id INTEGER PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers (id),
    name TEXT NOT NULL, town TEXT NOT NULL, email TEXT NOT NULL
);
CREATE TABLE invoices (
    number INTEGER PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers (id),
    buyer TEXT NOT NULL, description TEXT NOT NULL, issued TEXT NOT NULL, due TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL
);
CREATE TABLE notes (
    id INTEGER PRIMARY KEY, invoice INTEGER NOT NULL REFERENCES invoices (number),
    author TEXT NOT NULL REFERENCES users (id), body TEXT NOT NULL, written TEXT NOT NULL
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, author TEXT NOT NULL REFERENCES users (id),
    subject TEXT NOT NULL, body TEXT NOT NULL, written TEXT NOT NULL, reply TEXT NOT NULL
);
CREATE TABLE activity (
    id INTEGER PRIMARY KEY, customer TEXT NOT NULL, actor TEXT NOT NULL,
    what TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE resets (
    token_hash TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users (id), expires REAL NOT NULL
);
"""

# SQLite's own "operations": a statement may take tens of thousands, a runaway recursion billions.
OPERATIONS_PER_STEP = 10_000
STEPS_PER_REQUEST = 500

_PLAIN = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_RECURSIVE,
}
_CHANGES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_TABLES = {"users", "customers", "buyers", "invoices", "notes", "messages", "activity", "resets"}
_FORBIDDEN_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}


def authorize(
    action: int,
    first: str | None,
    second: str | None,
    _database: str | None,
    _trigger: str | None,
) -> int:
    """SQLite's question before it compiles a statement: may it do this? Silence means no."""
    allowed = (
        action in _PLAIN
        or (action in _CHANGES and first in _TABLES)
        or (action == sqlite3.SQLITE_FUNCTION and second not in _FORBIDDEN_FUNCTIONS)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class _Allowance:
    """Counts the steps of a request's statements, and says when they are too many."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self) -> bool:
        self.steps += 1
        return self.steps > STEPS_PER_REQUEST


class Database:
    """One connection to a seeded database in memory.

    Args:
        profile: The cost of the seeded users' password records, see ``hashing.PROFILES``.
    """

    def __init__(self, *, profile: str = "lab") -> None:
        self.profile = profile
        self._allowance = _Allowance()
        self.connection = self._open()

    def reset(self) -> None:
        """Bring back the seeded rows, byte for byte."""
        self.connection.close()
        self.connection = self._open()

    def contents(self) -> bytes:
        """The whole database as SQLite would write it to a file, to compare before and after."""
        self.connection.set_authorizer(None)
        try:
            return self.connection.serialize()
        finally:
            self.connection.set_authorizer(authorize)

    def begin_request(self) -> None:
        """Give the statements of the next request their full allowance of work."""
        self._allowance.steps = 0

    def _open(self) -> sqlite3.Connection:
        seeded = _seeded(self.profile)  # first, so that a profile is refused before all else
        # The local server answers from one thread at a time, but not always from the same one.
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.executescript(SCHEMA)
        for table, rows in seeded.items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.commit()
        connection.create_function("password_matches", 2, _matches, deterministic=True)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 50_000)
        connection.set_authorizer(authorize)
        self.begin_request()
        connection.set_progress_handler(self._allowance, OPERATIONS_PER_STEP)
        # The connection must not lead back to this object, or neither would ever be let go.
        weakref.finalize(self, connection.close)
        return connection


@lru_cache
def _seeded(profile: str) -> dict[str, list[tuple[Any, ...]]]:
    """The seeded rows, worked out once in a process however many databases are made."""

    def record(user: str, password: str) -> str:
        salt = f"kvittra {user}".encode().ljust(16)[:16]
        return hashing.hash_password(password, salt=salt, profile=profile)

    return seed.rows(record)


def _matches(record: object, password: object) -> bool:
    return (
        isinstance(record, str)
        and isinstance(password, str)
        and hashing.password_matches(record, password)
    )
