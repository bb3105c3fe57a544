"""Typed text and SQL: pairs of functions that paste text into a statement, or send it beside it.

Each ``…_weak`` function makes a mistake that real services have made, and the function of the same
signature is its repair: parameters for values, an allow-list for the names of columns (OWASP,
*SQL Injection Prevention* and *Query Parameterization* cheat sheets). Between them stand half
fixes that are often tried.

They ask a small SQLite database in memory. It is fenced in by an authorizer: statements read and
change the three tables and nothing else; no file, no extension, no setting, no change of the
schema; and a statement that runs too long is stopped.
"""

from __future__ import annotations

import re
import sqlite3
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass

from labs.arguments import text
from labs.kvittra.cast import USERS

Row = tuple[int, str, str, int]
"""An invoice: number, buyer, description, amount."""

CUSTOMER = "obrien"
"""Whose books are searched: a plumber's, by the id of the customer."""

ORDERS = {
    "newest": "issued DESC, number DESC",
    "oldest": "issued, number",
    "amount": "amount DESC, number",
    "buyer": "buyer, number",
}
"""How invoices can be sorted: what a page may ask for, and the expression for it."""

_SCHEMA = """
CREATE TABLE invoices (
    number INTEGER PRIMARY KEY, customer TEXT NOT NULL, buyer TEXT NOT NULL,
    description TEXT NOT NULL, amount INTEGER NOT NULL, issued TEXT NOT NULL,
    cost INTEGER NOT NULL
);
CREATE TABLE users (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, password_hash TEXT NOT NULL
);
CREATE TABLE activity (
    id INTEGER PRIMARY KEY, customer TEXT NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL
);
"""

# number, customer, buyer, description, amount in crowns, day of issue, what it cost the firm
_INVOICES = (
    (501, CUSTOMER, "Kafé Åström", "New sink, 2 taps", 4_185, "2026-08-03", 2_950),
    (502, "bergsbageri", "Kafé Åström", "Rye loaves and buns", 3_120, "2026-08-10", 1_800),
    (503, CUSTOMER, "O'Leary & Daughters", "Drain cleared", 890, "2026-08-17", 700),
    (504, CUSTOMER, "100 % Ull AB", "Boiler, 50 % in advance", 12_400, "2026-09-01", 6_100),
    (505, "korklang", "Domkyrkan", "Summer concert", 15_000, "2026-09-07", 9_900),
    (506, CUSTOMER, "1000 Små Steg", "Bath_room 2, pipes", 7_350, "2026-09-14", 7_300),
    (507, CUSTOMER, "Flora Flora 🌷", "Greenhouse heating", 9_980, "2026-09-28", 3_400),
    (508, "vikensvarv", "Familjen Ek", "Varnish, seven coats", 11_850, "2026-10-05", 8_200),
    (509, CUSTOMER, "Kafé Åström", "Bathroom 3, pipes", 6_100, "2026-10-12", 2_250),
    (510, CUSTOMER, "Union Bryggeri", "Selected valves", 2_640, "2026-10-19", 1_990),
    (511, CUSTOMER, "O'Leary & Daughters", r"Plan A\B of the cellar", 1_500, "2026-11-02", 100),
    (512, "bergsbageri", "Flora Flora 🌷", "Cakes for the opening", 5_400, "2026-11-09", 2_700),
)

_ACTIVITY = (
    ("bergsbageri", "Maja Berg", "wrote invoice 502"),
    ("bergsbageri", "Otto Berg", "marked invoice 502 as paid"),
    (CUSTOMER, "Patrick O'Brien", "wrote invoice 511"),
    (CUSTOMER, "Patrick O'Brien", "changed the bank account"),
    ("vikensvarv", "Olle Öhman", "wrote invoice 508"),
)

_TABLES = frozenset({"invoices", "users", "activity"})
_PLAIN = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_RECURSIVE})
_CHANGES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_OPERATIONS_PER_STEP = 1_000
_STEPS = 500


class _Watch:
    """What a connection asks before and while it runs a statement. It knows no database, so that
    a database that is done with is let go of at once."""

    def __init__(self, may_read: Collection[str]) -> None:
        unknown = set(may_read) - _TABLES
        if isinstance(may_read, str) or unknown:
            raise ValueError(f"may_read must hold names of {sorted(_TABLES)}, not {may_read!r}")
        self.may_read = frozenset(may_read)
        self.read: set[str] = set()
        self.steps = 0

    def authorize(
        self, action: int, first: str | None, second: str | None, *_where: str | None
    ) -> int:
        if action == sqlite3.SQLITE_READ:
            allowed = first in self.may_read
            if allowed and second:
                self.read.add(f"{first}.{second}")
        elif action in _CHANGES:
            allowed = first in _TABLES and self.may_read == _TABLES
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = second not in {"load_extension", "readfile", "writefile", "edit"}
        else:
            allowed = action in _PLAIN
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    def too_long(self) -> bool:
        self.steps += 1
        return self.steps > _STEPS


class Books:
    """A small database of invoices, users and what they did, that notes what is read.

    Args:
        may_read: The tables that statements may read; all three by default. With fewer it is a
            connection of least privilege, and it may not write.

    Attributes:
        connection: The connection to hand to a function.

    >>> books = Books(may_read={"invoices"})
    >>> books.connection.execute("SELECT password_hash FROM users")
    Traceback (most recent call last):
    ...
    sqlite3.DatabaseError: access to users.password_hash is prohibited
    """

    def __init__(self, *, may_read: Collection[str] = _TABLES) -> None:
        self._watch = _Watch(may_read)
        # Nothing is kept prepared: a statement is checked, and noted, each time it is sent.
        self.connection = sqlite3.connect(":memory:", cached_statements=0)
        weakref.finalize(self, self.connection.close)
        self.connection.executescript(_SCHEMA)
        self.connection.executemany("INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?)", _INVOICES)
        self.connection.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", _users())
        self.connection.executemany(
            "INSERT INTO activity (customer, actor, what) VALUES (?, ?, ?)", _ACTIVITY
        )
        self.connection.commit()
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 20_000)
        self.connection.set_authorizer(self._watch.authorize)
        self.connection.set_progress_handler(self._watch.too_long, _OPERATIONS_PER_STEP)
        self.watch()

    def watch(self) -> None:
        """Start noting anew, with a full allowance of work."""
        self._watch.read.clear()
        self._watch.steps = 0
        self._before = self.connection.total_changes

    @property
    def read(self) -> set[str]:
        """The columns that were read since the last :meth:`watch`, as ``table.column``."""
        return self._watch.read

    @property
    def changed(self) -> int:
        """Rows that were written or deleted since the last :meth:`watch`."""
        return self.connection.total_changes - self._before

    def close(self) -> None:
        """Let go of the database."""
        self.connection.close()


def _users() -> list[tuple[str, str, str, str]]:
    """The cast, with records that nobody could sign in with."""
    people = [
        (user.id, user.name, "customer", f"$argon2id$…{number:02d}")
        for number, user in enumerate(USERS)
    ]
    return [*people, ("leena", "Leena Virtanen", "admin", "$argon2id$…leena")]


def users_table() -> sqlite3.Connection:
    """Three users in memory, with passwords as text to keep the query short.

    >>> connection = users_table()
    >>> connection.execute("SELECT * FROM users").fetchall()
    [(1, 'alice', 'a1'), (2, 'bob', 'b2'), (3, "o'brien", 'c3')]
    >>> connection.close()
    """
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, password TEXT)")
    rows = [(1, "alice", "a1"), (2, "bob", "b2"), (3, "o'brien", "c3")]
    connection.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
    connection.commit()
    return connection


def sign_in_weak(connection: sqlite3.Connection, name: str, password: str) -> list[int]:
    """The ids of the users with this name and password."""
    rows = connection.execute(
        f"SELECT id FROM users WHERE name = '{name}' AND password = '{password}'"
    )
    return [row[0] for row in rows]


def sign_in(connection: sqlite3.Connection, name: str, password: str) -> list[int]:
    """The ids of the users with this name and password."""
    rows = connection.execute(
        "SELECT id FROM users WHERE name = ? AND password = ?", (name, password)
    )
    return [row[0] for row in rows]


def find_invoices_weak(
    connection: sqlite3.Connection, customer: str, search: str, minimum: str
) -> list[Row]:
    """The customer's invoices of at least ``minimum`` whose buyer or description has ``search``."""
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        f" WHERE customer = '{customer}' AND amount >= {minimum}"
        f" AND buyer || ' ' || description LIKE '%{search}%' ORDER BY number"
    ).fetchall()


def find_invoices(
    connection: sqlite3.Connection, customer: str, search: str, minimum: str
) -> list[Row]:
    r"""The customer's invoices of at least ``minimum`` whose buyer or description has ``search``.

    What was typed travels beside the statement. ``%`` and ``_`` still mean "anything" to ``LIKE``,
    so they are escaped, and the statement says by which sign.
    """
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", search) + "%"
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        " WHERE customer = ? AND amount >= ?"
        r" AND buyer || ' ' || description LIKE ? ESCAPE '\' ORDER BY number",
        (customer, minimum, pattern),
    ).fetchall()


def find_invoices_doubled(
    connection: sqlite3.Connection, customer: str, search: str, minimum: str
) -> list[Row]:
    """A half fix: quotation marks are doubled, so that none of them can end a string."""
    customer, search, minimum = (one.replace("'", "''") for one in (customer, search, minimum))
    return find_invoices_weak(connection, customer, search, minimum)


_BLOCKED = ("select", "union", "or 1=1", "--", ";", "'")


def find_invoices_blocked(
    connection: sqlite3.Connection, customer: str, search: str, minimum: str
) -> list[Row]:
    """A half fix: what looks like an attack finds nothing."""
    if any(word in typed.lower() for word in _BLOCKED for typed in (search, minimum)):
        return []
    return find_invoices_weak(connection, customer, search, minimum)


def find_invoices_stripped(
    connection: sqlite3.Connection, customer: str, search: str, minimum: str
) -> list[Row]:
    """A half fix: the words of an attack are taken out."""
    for word in _BLOCKED[:-1]:
        search = re.sub(re.escape(word), "", search, flags=re.IGNORECASE)
        minimum = re.sub(re.escape(word), "", minimum, flags=re.IGNORECASE)
    return find_invoices_weak(connection, customer, search, minimum)


FORM_RULE = r"[0-9]{0,9}"
"""What the page's form lets into the field for the least amount."""


def form_sends(minimum: str) -> str:
    """A half fix: the form in the browser takes digits only.

    Raises:
        ValueError: If the form does not send it. Who writes the request without the form never
            meets this rule.
    """
    if not re.fullmatch(FORM_RULE, text("minimum", minimum)):
        raise ValueError(f"minimum must be digits, not {minimum!r}")
    return minimum or "0"


@dataclass(frozen=True)
class HalfFix:
    """A half fix, what gets past it, and what it costs somebody honest.

    Args:
        title: What it does.
        function: A way to find invoices.
        attack: A search text and a least amount that get past it.
        honest: A search text of a customer that has to work.
        why: Why it fails, in one sentence.
        how: How the text is sent, if not by the page's form.
    """

    title: str
    function: Callable[[sqlite3.Connection, str, str, str], list[Row]]
    attack: tuple[str, str]
    honest: str
    why: str
    how: str = ""


HALF_FIXES = (
    HalfFix(
        "quotation marks are doubled",
        find_invoices_doubled,
        ("", "0 OR 1=1"),
        "100 %",
        "A number stands in the statement without quotation marks, so none is needed to get out.",
    ),
    HalfFix(
        "a list of forbidden words",
        find_invoices_blocked,
        ("", "0 OR 2>1"),
        "O'Leary",
        "SQL can say the same thing in endless ways, and customers use the forbidden words.",
    ),
    HalfFix(
        "forbidden words are taken out",
        find_invoices_stripped,
        ("zz%' UNUNIONION SELSELECTECT 1, name, password_hash, 0 FROM users /*", "0"),
        "Union",
        "What is left can be the word again.",
    ),
    HalfFix(
        "the form takes digits only",
        find_invoices_weak,
        ("", "0 OR 1=1"),
        "O'Leary",
        "The form is a courtesy of the browser. A request can be written without it.",
        ", sent without the form",
    ),
)


def list_invoices_weak(connection: sqlite3.Connection, customer: str, order: str) -> list[Row]:
    """The customer's invoices in the order that was asked for; the newest first by default."""
    expression = ORDERS.get(order, order) or ORDERS["newest"]
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        f" WHERE customer = ? ORDER BY {expression}",
        (customer,),
    ).fetchall()


def list_invoices(connection: sqlite3.Connection, customer: str, order: str) -> list[Row]:
    """The customer's invoices in the order that was asked for; the newest first by default.

    A parameter carries a value and never the name of a column. So the names that a page may ask
    for are an allow-list, and the expressions are the program's own.
    """
    expression = ORDERS.get(order, ORDERS["newest"])
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        f" WHERE customer = ? ORDER BY {expression}",
        (customer,),
    ).fetchall()


def rename_weak(connection: sqlite3.Connection, user: str, name: str) -> None:
    """Keep the name that a user has chosen."""
    connection.execute(f"UPDATE users SET name = '{name}' WHERE id = '{user}'")


def rename(connection: sqlite3.Connection, user: str, name: str) -> None:
    """Keep the name that a user has chosen."""
    connection.execute("UPDATE users SET name = ? WHERE id = ?", (name, user))


def activity_weak(connection: sqlite3.Connection, user: str) -> list[str]:
    """What the user has done. The name comes from the database, so it looks trustworthy."""
    (name,) = connection.execute("SELECT name FROM users WHERE id = ?", (user,)).fetchone()
    rows = connection.execute(f"SELECT what FROM activity WHERE actor = '{name}' ORDER BY id")
    return [row[0] for row in rows]


def activity(connection: sqlite3.Connection, user: str) -> list[str]:
    """What the user has done. Where a text was kept says nothing about who wrote it."""
    (name,) = connection.execute("SELECT name FROM users WHERE id = ?", (user,)).fetchone()
    rows = connection.execute("SELECT what FROM activity WHERE actor = ? ORDER BY id", (name,))
    return [row[0] for row in rows]
