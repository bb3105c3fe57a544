"""Kvittra's books in a real SQLite database, with a stream of bookkeeping that never stops.

The stream is the same for the same seed: entry number n is always the same entry at the same hour,
so that what a restore brings back can be compared with what was there. Every entry has two lines
that cancel out, as double-entry bookkeeping demands; that is also how damage can be noticed.

A database lives in memory, or as a file below a folder that the caller names. ``ATTACH`` and
extensions are refused.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
import weakref
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Self

from labs.arguments import real, whole
from labs.kvittra.cast import CUSTOMERS

YEAR_H = 8760
ENTRIES_A_YEAR = 3_000
TABLES = ("customers", "accounts", "entries", "lines", "invoices")
DENIED = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}

_JOURNAL_FIELDS = slice(18, 20)  # "file format write version" and its "read version"

_SCHEMA = """
CREATE TABLE customers (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (number INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE entries (
    number INTEGER PRIMARY KEY, hour REAL NOT NULL,
    customer TEXT NOT NULL REFERENCES customers, text TEXT NOT NULL
);
CREATE TABLE lines (
    entry INTEGER NOT NULL REFERENCES entries, account INTEGER NOT NULL REFERENCES accounts,
    ore INTEGER NOT NULL, PRIMARY KEY (entry, account)
) WITHOUT ROWID;
CREATE TABLE invoices (
    number INTEGER PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers,
    ore INTEGER NOT NULL, paid_by INTEGER REFERENCES entries
);
"""

_ACCOUNTS = (
    (1510, "Accounts receivable"),
    (1930, "Bank"),
    (2440, "Accounts payable"),
    (3001, "Sales"),
    (4010, "Purchases"),
)


class Entry(NamedTuple):
    """One bookkeeping entry: what is written to the database in one transaction."""

    number: int
    hour: float
    customer: str
    text: str
    debit: int
    credit: int
    ore: int
    invoice: int | None


@lru_cache(maxsize=8)
def stream(seed: int) -> tuple[Entry, ...]:
    """A year of bookkeeping in order of time, busiest in office hours.

    Args:
        seed: The same seed gives the same year.

    >>> first = stream(1)[0]
    >>> first.number, 0 <= first.hour < 24
    (0, True)
    """
    draw = random.Random(f"bookkeeping {whole('seed', seed, low=0)}")
    hours = sorted(_office_hour(draw) for _ in range(ENTRIES_A_YEAR))
    customers = [customer.id for customer in CUSTOMERS]
    open_invoices: list[tuple[int, str, int]] = []
    entries = []
    for number, hour in enumerate(hours):
        kind = draw.random()
        if kind < 0.4 or not open_invoices:
            customer, ore = draw.choice(customers), draw.randrange(5_000, 5_000_000)
            open_invoices.append((number, customer, ore))
            entry = Entry(number, hour, customer, "invoice", 1510, 3001, ore, number)
        elif kind < 0.75:
            invoice, customer, ore = open_invoices.pop(draw.randrange(len(open_invoices)))
            entry = Entry(number, hour, customer, "payment", 1930, 1510, ore, invoice)
        else:
            customer, ore = draw.choice(customers), draw.randrange(5_000, 900_000)
            entry = Entry(number, hour, customer, "purchase", 4010, 2440, ore, None)
        entries.append(entry)
    return tuple(entries)


def _office_hour(draw: random.Random) -> float:
    day = draw.randrange(365)
    # One entry in six comes in the evening or at night: the choir's treasurer has a day job.
    hour = draw.uniform(0, 24) if draw.random() < 1 / 6 else draw.triangular(7, 18, 10)
    return day * 24 + hour


def entries_before(seed: int, hour: float) -> int:
    """How many entries of the year have been written before ``hour``.

    >>> entries_before(1, 0), entries_before(1, 8760)
    (0, 3000)
    """
    return bisect_left(_hours(seed), hour)


@lru_cache(maxsize=8)
def _hours(seed: int) -> tuple[float, ...]:
    return tuple(map(attrgetter("hour"), stream(seed)))


def connect(path: Path | None = None) -> sqlite3.Connection:
    """A connection that refuses to reach for other files.

    Args:
        path: The database file; ``None`` keeps it in memory.
    """
    # Transactions are begun and ended here by hand, so that one batch is one of them.
    connection = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
    connection.set_authorizer(_authorize)
    return connection


def _authorize(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_DENY if action in DENIED else sqlite3.SQLITE_OK


def load(connection: sqlite3.Connection, copy: bytes) -> None:
    """Replace what the connection holds by a copy."""
    if copy[_JOURNAL_FIELDS] == b"\x02\x02":
        # A write-ahead log lies in a file beside the database; memory has nothing beside it.
        copy = copy[: _JOURNAL_FIELDS.start] + b"\x01\x01" + copy[_JOURNAL_FIELDS.stop :]
    # SQLite attaches the copy under the hood, so the ban is lifted for this one statement.
    connection.set_authorizer(None)
    try:
        connection.deserialize(copy)
    finally:
        connection.set_authorizer(_authorize)


def create(connection: sqlite3.Connection) -> None:
    """Make the empty books: the tables, the accounts and the customers."""
    connection.executescript("BEGIN;" + _SCHEMA + "COMMIT;")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO accounts VALUES (?, ?)", _ACCOUNTS)
    connection.executemany(
        "INSERT INTO customers VALUES (?, ?)", [(one.id, one.name) for one in CUSTOMERS]
    )
    connection.execute("COMMIT")


def write(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Enter ``entries``, all or none.

    Raises:
        sqlite3.OperationalError: If a table is missing.
    """
    connection.execute("BEGIN")
    try:
        connection.executemany(
            "INSERT INTO entries VALUES (?, ?, ?, ?)",
            [(entry.number, entry.hour, entry.customer, entry.text) for entry in entries],
        )
        connection.executemany("INSERT INTO lines VALUES (?, ?, ?)", _lines(entries))
        connection.executemany(
            "INSERT INTO invoices VALUES (?, ?, ?, NULL)",
            [(one.invoice, one.customer, one.ore) for one in entries if one.text == "invoice"],
        )
        connection.executemany(
            "UPDATE invoices SET paid_by = ? WHERE number = ?",
            [(one.number, one.invoice) for one in entries if one.text == "payment"],
        )
    except sqlite3.OperationalError:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _lines(entries: Iterable[Entry]) -> list[tuple[int, int, int]]:
    lines = []
    for entry in entries:
        lines.append((entry.number, entry.debit, entry.ore))
        lines.append((entry.number, entry.credit, -entry.ore))
    return lines


def delete_table(connection: sqlite3.Connection) -> None:
    """A hand slip in the wrong window: ``DROP TABLE lines``."""
    connection.execute("DROP TABLE lines")


def corrupt_silently(connection: sqlite3.Connection, seed: int) -> None:
    """A faulty program changes a few amounts, and nothing complains."""
    draw = random.Random(f"corruption {seed}")
    (count,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    for offset in sorted(draw.sample(range(count), min(5, count))):
        connection.execute(
            "UPDATE lines SET ore = ore + 100 WHERE ore > 0 AND entry = "
            "(SELECT number FROM entries ORDER BY number LIMIT 1 OFFSET ?)",
            (offset,),
        )


def back_up(source: sqlite3.Connection, path: Path | None = None) -> bytes:
    """An online backup with SQLite's own backup API, while the books stay in use.

    Args:
        source: The live database.
        path: Where to put the copy; ``None`` keeps it in memory.

    Returns:
        The copy, byte for byte.
    """
    with closing(connect(path)) as copy:
        # A power cut during the copying is not part of this lab, so nothing waits for the disk.
        copy.execute("PRAGMA synchronous = OFF")
        source.backup(copy)
        if path is None:
            return copy.serialize()
    assert path is not None
    return path.read_bytes()


def fingerprint(copy: bytes) -> str:
    """The SHA-256 of a copy, in hex: equal fingerprints mean equal bytes."""
    return hashlib.sha256(copy).hexdigest()


def examine(copy: bytes) -> str:
    """What someone finds who restores the copy and reads the books.

    Returns:
        ``""`` when the database opens, is intact, has all its tables and every entry balances;
        otherwise what is wrong, in a few words.

    >>> examine(b"")
    'the file is empty'
    >>> examine(b"X" * 8192)
    'it is no database'
    """
    if not copy:
        return "the file is empty"
    with closing(connect()) as restored:
        try:
            load(restored, copy)
            (verdict,) = restored.execute("PRAGMA integrity_check(1)").fetchone()
            tables = {name for (name,) in restored.execute("SELECT name FROM sqlite_schema")}
            missing = [table for table in TABLES if table not in tables]
            if verdict != "ok":
                return "pages are damaged"
            if missing:
                return f"table {missing[0]} is missing"
            wrong = restored.execute(
                "SELECT count(*) FROM (SELECT 1 FROM lines GROUP BY entry HAVING sum(ore) <> 0)"
            ).fetchone()[0]
        except sqlite3.DatabaseError as error:
            return "it is no database" if "not a database" in str(error) else "pages are damaged"
    return f"{wrong} entries do not balance" if wrong else ""


def count_entries(copy: bytes) -> int:
    """How many entries a sound copy holds."""
    with closing(connect()) as restored:
        load(restored, copy)
        return int(restored.execute("SELECT count(*) FROM entries").fetchone()[0])


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy on a site: when it was made, where it lies, and what it should read like."""

    at_h: float
    path: Path | None
    sha256: str


class Books:
    """The live books on a simulated clock, to work on by hand.

    Args:
        seed: Which year of bookkeeping is written.
        folder: Where sites are kept, as folders with backups in them; ``None`` keeps everything
            in memory.

    >>> with Books(seed=1) as books:
    ...     books.advance(24 * 7)
    ...     kept = books.back_up("cellar")
    ...     books.advance(5)
    ...     books.delete_table()
    ...     books.restore(kept), books.check()
    (5.0, '')
    """

    def __init__(self, seed: int, folder: Path | None = None) -> None:
        self.seed = whole("seed", seed, low=0)
        self.folder = folder
        self.now_h = 0.0
        self.refused = 0
        self._connection = connect()
        weakref.finalize(self, self._connection.close)  # where an error leaves nobody to close it
        self._memory: dict[Backup, bytes] = {}
        create(self._connection)

    def close(self) -> None:
        """Give the database back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def advance(self, hours: float) -> None:
        """Let time pass, in which the customers keep their books.

        While a table is missing, SQLite refuses their entries; they are counted in ``refused``.

        Raises:
            ValueError: If ``hours`` is negative or leaves the year.
        """
        until = self.now_h + real("hours", hours, low=0, high=YEAR_H - self.now_h)
        first, last = entries_before(self.seed, self.now_h), entries_before(self.seed, until)
        self.now_h = until
        try:
            write(self._connection, stream(self.seed)[first:last])
        except sqlite3.OperationalError:
            self.refused += last - first

    def back_up(self, site: str) -> Backup:
        """Copy the books, while they are in use, to the site of that name.

        Raises:
            ValueError: If the name is no plain word: it becomes a folder's name.
        """
        if not site.isidentifier():
            raise ValueError(f"site must be a plain word, not {site!r}")
        path = None
        if self.folder is not None:
            home = self.folder / site
            home.mkdir(parents=True, exist_ok=True)
            path = home / f"books-{self.now_h:07.2f}.sqlite"
        copy = back_up(self._connection, path)
        backup = Backup(self.now_h, path, fingerprint(copy))
        if path is None:
            self._memory[backup] = copy
        return backup

    def read(self, backup: Backup) -> bytes:
        """The copy as it lies on its site today.

        Raises:
            ValueError: If there is no such copy any more.
        """
        if backup.path is None:
            if backup not in self._memory:
                raise ValueError(f"there is no such backup here: {backup}")
            return self._memory[backup]
        if not backup.path.exists():
            raise ValueError(f"there is no such backup any more: {backup.path.name}")
        return backup.path.read_bytes()

    def restore(self, backup: Backup) -> float:
        """Replace the live books by a copy; hand back the hours of work that are lost.

        Raises:
            ValueError: If the copy is gone, is not byte for byte what was backed up, or cannot be
                read. The live books then stay as they are.
        """
        copy = self.read(backup)
        if fingerprint(copy) != backup.sha256:
            raise ValueError("the copy is not byte for byte what was backed up")
        if fault := examine(copy):
            raise ValueError(f"the copy cannot be used: {fault}")
        load(self._connection, copy)
        return self.now_h - backup.at_h

    def delete_table(self) -> None:
        """A hand slip: the table of lines is gone."""
        delete_table(self._connection)

    def corrupt_silently(self) -> None:
        """A faulty program changes a few amounts."""
        corrupt_silently(self._connection, self.seed)

    def check(self) -> str:
        """What an auditor finds wrong with the live books; ``""`` if nothing."""
        return examine(self._connection.serialize())

    def entries(self) -> int:
        """How many entries the live books hold."""
        return int(self._connection.execute("SELECT count(*) FROM entries").fetchone()[0])
