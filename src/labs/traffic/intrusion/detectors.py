"""Detectors for the access log, weak ones and repaired ones side by side.

A signature knows what an attack looks like; a count knows how much is too much; neither helps
against one who knows it. ``matches_weak`` reads the path as it was sent, ``matches`` reads it as
the server would.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Hashable
from urllib.parse import unquote

from labs.arguments import real, whole
from labs.traffic.intrusion.log import ANYBODY, Window

SIGNATURES = (
    r"\.\./",
    r"/\.(env|git|htaccess)\b",
    r"/wp-(login|admin)",
    r"/phpmyadmin",
    r"/cgi-bin/",
    r"\.sql$",
    r"<script",
    r"\bunion\s+select\b",
    r"'\s*or\s*'",
)
"""What scanners ask for, as regular expressions in lower case."""

MOST_DECODINGS = 5

_ANY = re.compile("|".join(SIGNATURES))
_SLASHES = re.compile(r"/{2,}")


def matches_weak(path: str) -> bool:
    """Whether a path, as it stands in the log, looks like an attack.

    >>> matches_weak("/wp-login.php"), matches_weak("/WP-Login.php")
    (True, False)
    """
    return _ANY.search(path) is not None


def matches(path: str) -> bool:
    """Whether a path looks like an attack once it is read as the server reads it.

    >>> matches("/WP-Login.php"), matches("/%252e%252e%252fetc/passwd"), matches("/invoices/17")
    (True, True, False)
    """
    return _ANY.search(normalize(path)) is not None


def normalize(path: str) -> str:
    """The path in lower case, without percent-encoding (however often applied) or doubled slashes.

    >>> normalize("/A%2f%252E%252e//b+c")
    '/a/../b c'
    """
    for _ in range(MOST_DECODINGS):
        if "%" not in path:  # nearly every path: detectors read each of them many times
            break
        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
    return _SLASHES.sub("/", path.replace("+", " ")).lower()


def alert_weak(window: Window) -> set[str]:
    """Accuse addresses with ten failed logins in the hour, and those that match a signature.

    It counts failures and reads paths as they were sent: enough for an intruder in a hurry.
    """
    failures = Counter(
        entry.address for entry in window.entries if entry.path == "/login" and entry.status == 401
    )
    accused = {address for address, count in failures.items() if count >= 10}
    return accused | {entry.address for entry in window.entries if matches_weak(entry.path)}


def alert(window: Window) -> set[str]:
    """Accuse by the number of different things: accounts, invoices, customers, and by signature.

    Where many accounts fail within the hour, and no address need be busy, it adds ``ANYBODY``.
    """
    failing: defaultdict[str, set[str]] = defaultdict(set)
    reading: defaultdict[str, set[str]] = defaultdict(set)
    opening: defaultdict[str, set[str]] = defaultdict(set)
    for entry in window.day:
        if entry.status == 401:
            failing[entry.address].add(entry.user)
        elif entry.path.startswith("/invoices/"):
            reading[entry.user].add(entry.path)
        elif entry.path.startswith("/admin/") and not 6 <= entry.time / 3600 % 24 < 20:
            opening[entry.user].add(entry.path)
    accused = {address for address, accounts in failing.items() if len(accounts) >= 14}
    accused |= {user for user, invoices in reading.items() if len(invoices) >= 90}
    accused |= {user for user, customers in opening.items() if len(customers) >= 8}
    accused |= {entry.address for entry in window.entries if matches(entry.path)}
    if len({entry.user for entry in window.entries if entry.status == 401}) >= 12:
        accused.add(ANYBODY)
    return accused


class Tally:
    """How many different things each key did within the last while.

    Args:
        span_s: Seconds that count.

    >>> tally = Tally(60)
    >>> tally.add(0, "192.0.2.1", "maja")
    1
    >>> tally.add(5, "192.0.2.1", "otto")
    2
    >>> tally.add(61, "192.0.2.1", "siv")  # maja has dropped out
    2
    """

    def __init__(self, span_s: float) -> None:
        self.span_s = real("span_s", span_s, above=0)
        self._events: deque[tuple[float, Hashable, Hashable]] = deque()
        self._counts: defaultdict[Hashable, Counter[Hashable]] = defaultdict(Counter)

    def add(self, at: float, key: Hashable, item: Hashable) -> int:
        """Note an event; hand back the number of different items of that key that count now."""
        while self._events and self._events[0][0] <= at - self.span_s:
            _, old_key, old_item = self._events.popleft()
            counts = self._counts[old_key]
            counts[old_item] -= 1
            if counts[old_item] == 0:
                del counts[old_item]
            if not counts:
                del self._counts[old_key]
        self._events.append((at, key, item))
        self._counts[key][item] += 1
        return len(self._counts[key])


class Watch:
    """All the counts together: a detector for :func:`labs.traffic.intrusion.log.grade`.

    It accuses addresses that ask for what no customer asks for, addresses whose logins fail for
    many different accounts, accounts that read more invoices than a person could, and support
    staff who open many customers' accounts at night. Where so many accounts fail within an hour
    that no single address need be busy, it raises an alarm without a name.

    Args:
        accounts: Different accounts that fail from one address within a day.
        accounts_an_hour: Different accounts that fail within an hour, from anywhere.
        invoices: Different invoices that one account reads within a day.
        customers_at_night: Different customers that one member of staff opens between 20 and 6.

    Raises:
        ValueError: If a limit is below 1.
    """

    def __init__(
        self,
        *,
        accounts: int = 14,
        accounts_an_hour: int = 9,
        invoices: int = 75,
        customers_at_night: int = 8,
    ) -> None:
        self.accounts = whole("accounts", accounts, low=1)
        self.accounts_an_hour = whole("accounts_an_hour", accounts_an_hour, low=1)
        self.invoices = whole("invoices", invoices, low=1)
        self.customers_at_night = whole("customers_at_night", customers_at_night, low=1)
        self._failed = Tally(86_400)
        self._read = Tally(86_400)
        self._opened = Tally(12 * 3600)

    def __call__(self, window: Window) -> set[str]:
        """The accused of this hour, with ``ANYBODY`` for an alarm without a name."""
        accused: set[str] = set()
        failing: set[str] = set()
        for entry in window.entries:
            if entry.path == "/login":
                if entry.status == 401:
                    failing.add(entry.user)
                    if self._failed.add(entry.time, entry.address, entry.user) >= self.accounts:
                        accused.add(entry.address)
            elif entry.path.startswith("/invoices/"):
                if self._read.add(entry.time, entry.user, entry.path) >= self.invoices:
                    accused.add(entry.user)
            elif entry.path.startswith("/admin/"):
                hour = entry.time % 86_400 / 3600
                if not 6 <= hour < 20:
                    count = self._opened.add(entry.time, entry.user, entry.path)
                    if count >= self.customers_at_night:
                        accused.add(entry.user)
            elif matches(entry.path):
                accused.add(entry.address)
        if len(failing) >= self.accounts_an_hour:
            accused.add(ANYBODY)
        return accused
