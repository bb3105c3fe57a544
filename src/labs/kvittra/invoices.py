"""Reading invoices: where text from outside meets SQL, and where one customer meets another.

Each ``…_weak`` function is a mistake that real services have made; the function beside it, under
the same signature, is the repair.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

Rows = Sequence[sqlite3.Row]

ORDERINGS = {
    "newest": "issued DESC, number DESC",
    "oldest": "issued, number",
    "due": "due, number",
    "amount": "amount DESC, number",
    "buyer": "buyer, number",
}


def find_invoices_weak(
    connection: sqlite3.Connection, customer: str, text: str, ordering: str
) -> Rows:
    """The customer's invoices whose buyer or description contains ``text``."""
    return connection.execute(
        "SELECT number, buyer, description, issued, due, amount, currency, status FROM invoices"
        f" WHERE customer = '{customer}' AND buyer || ' ' || description LIKE '%{text}%'"
        f" ORDER BY {ordering}"
    ).fetchall()


def find_invoices(connection: sqlite3.Connection, customer: str, text: str, ordering: str) -> Rows:
    r"""The customer's invoices whose buyer or description contains ``text``.

    The text travels beside the statement, never inside it. ``%`` and ``_``, which mean "anything"
    to ``LIKE``, are escaped: a search for ``100 %`` finds one hundred percent.
    """
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
    return connection.execute(
        "SELECT number, buyer, description, issued, due, amount, currency, status FROM invoices"
        r" WHERE customer = ? AND buyer || ' ' || description LIKE ? ESCAPE '\'"
        f" ORDER BY {ordering}",
        (customer, pattern),
    ).fetchall()


def ordering_weak(name: str) -> str:
    """The ``ORDER BY`` expression for what the reader asked for."""
    return ORDERINGS.get(name, name) or ORDERINGS["newest"]


def ordering(name: str) -> str:
    """The ``ORDER BY`` expression for what the reader asked for.

    A parameter can carry a value but not the name of a column, so the names are an allow-list.
    """
    return ORDERINGS.get(name, ORDERINGS["newest"])


def number_taken_weak(connection: sqlite3.Connection, customer: str, number: str) -> bool:
    """Whether the customer already has an invoice with this number. All it says is yes or no."""
    found = connection.execute(
        f"SELECT 1 FROM invoices WHERE customer = '{customer}' AND number = '{number}'"
    ).fetchone()
    return found is not None


def number_taken(connection: sqlite3.Connection, customer: str, number: str) -> bool:
    """Whether the customer already has an invoice with this number. All it says is yes or no."""
    found = connection.execute(
        "SELECT 1 FROM invoices WHERE customer = ? AND number = ?", (customer, number)
    ).fetchone()
    return found is not None


def activity_of_weak(connection: sqlite3.Connection, customer: str, name: str) -> Rows:
    """What the person called ``name`` has done lately.

    The name comes from the database, so it looks trustworthy. Its owner chose it.
    """
    return connection.execute(
        f"SELECT at, what FROM activity WHERE customer = '{customer}' AND actor = '{name}'"
        " ORDER BY at DESC LIMIT 50"
    ).fetchall()


def activity_of(connection: sqlite3.Connection, customer: str, name: str) -> Rows:
    """What the person called ``name`` has done lately."""
    return connection.execute(
        "SELECT at, what FROM activity WHERE customer = ? AND actor = ? ORDER BY at DESC LIMIT 50",
        (customer, name),
    ).fetchall()


def read_invoice_weak(
    connection: sqlite3.Connection, customer: str, number: int
) -> sqlite3.Row | None:
    """The invoice with this number."""
    del customer  # the mistake: nobody asks whose invoice it is
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM invoices WHERE number = ?", (number,)
    ).fetchone()
    return row


def read_invoice(connection: sqlite3.Connection, customer: str, number: int) -> sqlite3.Row | None:
    """The invoice with this number, if it is this customer's."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM invoices WHERE number = ? AND customer = ?", (number, customer)
    ).fetchone()
    return row
