"""The tables and pictures of the lesson; each text alternative is computed from what is drawn."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

from labs.attacks.sql_injection import blind, model
from labs.attacks.sql_injection.statements import Piece, pieces, statement
from labs.attacks.sql_injection.visiting import ATTACKS, EDITIONS, Attempt, attempt
from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import DASHES, INK, MARKERS, SERIES
from labs.teaching.rendering import escaped


def attempts(done: Iterable[Attempt]) -> Table:
    """What attacks typed, and the first things that came back."""
    return Table(
        "What was typed, what came back that should not have, how much of it was found, and by "
        "how many requests.",
        ["attack", "typed", "came back", "found", "asked"],
        [[one.attack, one.typed, _short(one.got), len(one.got), one.questions] for one in done],
    )


def _short(got: tuple[str, ...]) -> str:
    if not got:
        return "nothing"
    first = got[0] if len(got[0]) <= 35 else got[0][:32] + "…"
    return first if len(got) == 1 else f"{first}, …"


def matrix() -> Table:
    """Every attack on the weak edition, on a narrow connection, and on the repaired edition."""
    rows = []
    for name in ATTACKS:
        got = [attempt(name, edition).succeeded for edition in EDITIONS]
        rows.append([name, *("got through" if through else "stopped" for through in got)])
    return Table(
        "The attacks on three editions of Kvittra. Narrow: weak code, on a connection that may "
        "read only the table which the page needs.",
        ["attack", "weak", "weak, narrow connection", "repaired"],
        rows,
    )


def half_fixes() -> Table:
    """Each half fix with what gets past it, and an honest search on it."""
    rows = []
    for one in model.HALF_FIXES:
        search, minimum = one.attack
        books = model.Books()
        through = _leaked(one.function(books.connection, model.CUSTOMER, search, minimum))
        try:
            honest = one.function(books.connection, model.CUSTOMER, one.honest, "0")
            found = f"{one.honest}: {len(honest)} of {len(_expected(one.honest))} found"
        except sqlite3.Error:
            found = f"{one.honest}: an error page"
        typed = " and ".join(field for field in (search, minimum) if field not in ("", "0"))
        typed += one.how
        rows.append([one.title, typed, through, found, one.why])
        books.close()
    return Table(
        "Four half fixes: a text that gets past each, how many rows it brought that are not "
        "O'Brien's invoices, and an honest search.",
        ["half fix", "what gets past it", "rows leaked", "honest search", "why"],
        rows,
    )


def _expected(search: str) -> list[model.Row]:
    books = model.Books()
    try:
        return model.find_invoices(books.connection, model.CUSTOMER, search, "0")
    finally:
        books.close()


def _leaked(rows: Iterable[model.Row]) -> int:
    own = set(_expected(""))
    return sum(1 for row in rows if row not in own)


def wildcards() -> Table:
    """Searches for signs that LIKE reads as patterns, with the pattern escaped and not."""

    def bare(connection: sqlite3.Connection, search: str) -> int:
        rows = connection.execute(
            "SELECT number FROM invoices WHERE customer = ?"
            " AND buyer || ' ' || description LIKE '%' || ? || '%'",
            (model.CUSTOMER, search),
        )
        return len(rows.fetchall())

    books = model.Books()
    rows = [
        [search, bare(books.connection, search), len(_expected(search))]
        for search in ("100 %", "100%", "_", "O'Leary", "🌷")
    ]
    books.close()
    return Table(
        "Invoices found by a search that travels as a parameter.",
        ["search", "as a pattern", "escaped"],
        rows,
    )


def blind_cost(length: int = 29, per_second: int = 10) -> Picture:
    """How long it takes to read a secret through answers of yes and no.

    Args:
        length: Letters of the secret.
        per_second: Questions a second.
    """
    ways = [
        ("one bit at a time", float(blind.questions_by_bit(length))),
        ("one letter at a time", blind.questions_by_letter(length)),
    ]
    figure, ax = axes(height=2.6)
    for number, (label, questions) in enumerate(ways):
        minutes = questions / per_second / 60
        count = blind.questions_by_letter if number else blind.questions_by_bit
        ax.plot(
            (1, 127),
            [count(one) / per_second / 60 for one in (1, 127)],
            color=SERIES[number],
            linestyle=DASHES[number],
            label=label,
        )
        ax.plot(length, minutes, MARKERS[number], color=SERIES[number], linestyle="")
        ax.annotate(
            f"{questions:,.0f} questions",
            (length, minutes),
            xytext=(9, -11) if number else (6, -13),
            textcoords="offset points",
            color=INK,
            fontsize=9,
        )
    ax.set(
        xlim=(0, 165),
        xticks=range(0, 121, 20),
        xlabel="letters of the secret",
        ylabel=f"minutes at {per_second:,} a second",
    )
    ax.margins(y=0.12)
    ax.legend(loc="upper left")
    said = ". ".join(
        f"{label.capitalize()}: {questions:,.0f} questions, {_duration(questions / per_second)}"
        for label, questions in ways
    )
    return picture(
        figure,
        alt=f"Reading a secret of {length} letters at {per_second:,} questions a second. {said}.",
        caption="Letters of 7 bits, 95 of them equally likely. The bank account in the lab has 29 "
        "characters.",
    )


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def two_readings() -> str:
    """The picture of the page: one statement, an honest text in it and a hostile one."""
    honest, hostile = (
        pieces(statement(model.sign_in_weak, {"name": name}, password="x"))
        for name in ("bob", "bob' --")
    )
    beside = pieces(statement(model.sign_in, {"name": "bob' --"}, password="x"))
    code = sum(len(one.text) for one in hostile if one.role == "code")
    off = sum(len(one.text) for one in hostile if one.role == "off")
    alt = (
        "The query for a sign-in, three times. With bob typed as the name, all 3 letters are data "
        "between the program's quotation marks. With bob, a quotation mark and two dashes pasted "
        f"in, {code} of 7 characters are code, and the {off} characters after them, which ask for "
        "the password, are switched off. With a parameter the query holds a question mark, and "
        "all 7 characters travel beside it as data."
    )
    parts = [
        _part("Typed: bob", honest, 0),
        _part("Typed: bob' --", hostile, 106),
        _part("The same, as a parameter", beside, 212, "bob' --"),
    ]
    return (
        '<svg role="img" viewBox="0 0 330 326" width="330" height="326" '
        f'aria-label="{escaped(alt)}">{"".join(parts)}</svg>'
    )


_WIDTH = 7.6
"""Units that one letter takes; 43 letters fit beside each other on a phone."""


def _part(title: str, statement_pieces: list[Piece], top: int, beside: str = "") -> str:
    """A title, and the statement with a new line before WHERE and AND."""
    drawn = [
        f'<text x="2" y="{top + 14}" font-size="13" font-weight="bold" '
        f'fill="var(--labs-ink,currentColor)">{escaped(title)}</text>'
    ]
    column, line = 0, 0
    for one in statement_pieces:
        for number, run in enumerate(re.split("(?=WHERE|AND)", one.text)):
            if number:
                column, line = 0, line + 1
            drawn.append(_run(one.role, run, column, top + 38 + 22 * line))
            column += len(run)
    if beside:
        label = "beside it: "
        drawn.append(_run("program", label, 0, top + 38 + 22 * (line + 1)))
        drawn.append(_run("data", beside, len(label), top + 38 + 22 * (line + 1)))
    return "".join(drawn)


def _run(role: str, words: str, column: int, y: int) -> str:
    x, width = 2 + column * _WIDTH, len(words) * _WIDTH
    drawn = ""
    if role in ("data", "code"):
        color = "var(--labs-1,#0a7ea4)" if role == "data" else "var(--labs-2,#c4621a)"
        dashes = ' stroke-dasharray="2 2"' if role == "data" else ""
        line = f"M{x:.1f} {y + 5}h{width:.1f}"
        drawn = f'<path d="{line}" stroke="{color}" stroke-width="2.5"{dashes}/>'
    elif role == "off":
        drawn = f'<path d="M{x:.1f} {y - 4}h{width:.1f}" stroke="var(--labs-muted,#6b7a80)"/>'
    shown = words.strip()
    if not shown:
        return drawn
    x += (len(words) - len(words.lstrip())) * _WIDTH
    fill = "var(--labs-muted,#6b7a80)" if role == "off" else "var(--labs-ink,currentColor)"
    weight = ' font-weight="bold"' if role == "code" else ""
    return drawn + (
        f'<text x="{x:.1f}" y="{y}" font-size="12" font-family="monospace"{weight} fill="{fill}" '
        f'textLength="{len(shown) * _WIDTH:.1f}" lengthAdjust="spacingAndGlyphs">'
        f"{escaped(shown)}</text>"
    )
