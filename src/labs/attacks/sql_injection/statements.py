"""Reads the SQL that a function really sends, and tells which characters of it were data.

A statement is followed in two runs. In the first, each typed text is a mark that occurs nowhere
else, which shows where the function puts it. In the second it is the text itself. Both statements
are then split into SQLite's tokens (SQLite, *The tokenizer*, ``tokenize.c``), and what was typed
is data where it lies inside a string that the program opened, or is a number by itself. Everywhere
else it has become code. Program text that now lies inside a comment, or inside a string where it
was none before, has been switched off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from labs.arguments import text

Role = Literal["program", "data", "code", "off"]

MAX_CHARACTERS = 20_000
"""Longest statement that is split into tokens."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\f\r][ \t\n\v\f\r]*)
    |(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>'(?:[^']|'')*(?:'|\Z))
    |(?P<blob>[xX]'[0-9A-Fa-f]*')
    |(?P<name>"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z)|\[[^\]]*(?:\]|\Z))
    |(?P<number>0[xX][0-9A-Fa-f]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<parameter>\?[0-9]*|[:@$][\w$]+)
    |(?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    |(?P<operator>\|\||<=|>=|<>|!=|==|<<|>>|->>?|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a statement: its kind, and where it begins and ends."""

    kind: str
    start: int
    end: int


def tokens(sql: str) -> Iterator[Token]:
    """Split a statement as SQLite does; spaces and comments are tokens too.

    Raises:
        TypeError: If it is no text.
        ValueError: If it is longer than ``MAX_CHARACTERS``.

    >>> [(one.kind, "'it''s' -- so"[one.start:one.end]) for one in tokens("'it''s' -- so")]
    [('string', "'it''s'"), ('space', ' '), ('comment', '-- so')]
    """
    text("sql", sql)
    if len(sql) > MAX_CHARACTERS:
        raise ValueError(f"sql must have at most {MAX_CHARACTERS:,} characters, not {len(sql):,}")
    for found in _TOKEN.finditer(sql):
        yield Token(str(found.lastgroup), found.start(), found.end())


@dataclass(frozen=True)
class Statement:
    """What a function sent to the database.

    Args:
        sql: The statement.
        parameters: What traveled beside it.
        typed: The places of ``sql`` that hold what somebody typed, as (start, end).
        template: The statement as it looks with a harmless word in each of these places.
        template_typed: The places of these words in ``template``.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    typed: tuple[tuple[int, int], ...] = ()
    template: str = ""
    template_typed: tuple[tuple[int, int], ...] = ()

    def count(self, role: Role) -> int:
        """How many characters of the statement have this role."""
        return sum(len(piece.text) for piece in pieces(self) if piece.role == role)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of a statement that have the same role."""

    text: str
    role: Role


@dataclass
class _Nothing:
    """A result without rows."""

    def fetchone(self) -> None:
        return None

    def fetchall(self) -> list[Any]:
        return []

    def __iter__(self) -> Iterator[Any]:
        return iter(())


@dataclass
class _Recorder:
    """Stands in for a connection: keeps what is executed and finds nothing."""

    executed: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _Nothing:
        self.executed.append((sql, tuple(parameters)))
        return _Nothing()


def statement(function: Callable[..., Any], typed: Mapping[str, str], **others: Any) -> Statement:
    """Follow typed text through a function into the statement that it sends.

    The function is called with a stand-in for the connection, which finds no rows. Of several
    statements the last one counts.

    Args:
        function: Takes a connection first, and then what is named in ``typed`` and ``others``.
        typed: What somebody typed, by the name of the argument.
        others: The other arguments.

    Raises:
        ValueError: If the function sends nothing, or another statement for another text.

    >>> def find(connection, name):
    ...     return connection.execute(f"SELECT 1 FROM users WHERE name = '{name}'").fetchone()
    >>> [(piece.text, piece.role) for piece in pieces(statement(find, {"name": "x' --"}))[1:]]
    [('x', 'data'), ("' --", 'code'), ("'", 'off')]
    """
    marks = {name: f"\ue000{number}\ue000" for number, name in enumerate(typed)}
    marked, _ = _sent(function, marks, others)
    sql, parameters = _sent(function, typed, others)
    split = re.split("\ue000(\\d+)\ue000", marked)
    fixed, order = split[::2], [int(number) for number in split[1::2]]
    values = [list(typed.values())[number] for number in order]
    if _joined(fixed, values) != sql:
        values = _changed(fixed, sql)
    words = ["x"] * len(order)
    return Statement(
        sql,
        parameters,
        _places(fixed, values),
        _joined(fixed, words),
        _places(fixed, words),
    )


def _sent(
    function: Callable[..., Any], typed: Mapping[str, str], others: Mapping[str, Any]
) -> tuple[str, tuple[Any, ...]]:
    recorder = _Recorder()
    function(recorder, **typed, **others)
    if not recorder.executed:
        raise ValueError(f"function must send a statement, and {function.__name__} sent none")
    return recorder.executed[-1]


def _joined(fixed: Sequence[str], values: Sequence[str]) -> str:
    parts = [fixed[0]]
    for value, after in zip(values, fixed[1:], strict=True):
        parts += [value, after]
    return "".join(parts)


def _changed(fixed: Sequence[str], sql: str) -> list[str]:
    """What stands where the text was put, if the function changed the text on the way."""
    found = re.fullmatch("(.*)".join(map(re.escape, fixed)), sql, re.DOTALL)
    if found is None:
        raise ValueError("function must build one statement around the text, whatever it is")
    return list(found.groups())


def _places(fixed: Sequence[str], values: Sequence[str]) -> tuple[tuple[int, int], ...]:
    places, at = [], len(fixed[0])
    for value, after in zip(values, fixed[1:], strict=True):
        places.append((at, at + len(value)))
        at += len(value) + len(after)
    return tuple(places)


def pieces(sent: Statement) -> list[Piece]:
    """Split a statement into what the program wrote, data, code, and what was switched off."""
    roles = _roles(sent)
    found: list[Piece] = []
    start = 0
    for at in range(1, len(roles) + 1):
        if at == len(roles) or roles[at] != roles[start]:
            found.append(Piece(sent.sql[start:at], roles[start]))
            start = at
    return found


def _roles(sent: Statement) -> list[Role]:
    sql = sent.sql
    typed = _owners(len(sql), sent.typed)
    before = _written(sent.template, sent.template_typed)
    roles: list[Role] = ["program"] * len(sql)
    written = 0  # how many characters of the program came so far
    for token in tokens(sql):
        opened = typed[token.start] is None
        for at in range(token.start, token.end):
            if typed[at] is not None:
                if token.kind == "comment" and typed[token.start] != typed[at]:
                    roles[at] = "off"
                else:
                    kept = _is_data(sent, token, at, typed, opened=opened)
                    roles[at] = "data" if kept else "code"
            else:
                if token.kind == "comment" or (token.kind == "string" != before[written]):
                    roles[at] = "off"
                written += 1
    return roles


def _owners(length: int, places: Sequence[tuple[int, int]]) -> list[int | None]:
    """For each character the number of the typed text that it belongs to."""
    owners: list[int | None] = [None] * length
    for number, (start, end) in enumerate(places):
        owners[start:end] = [number] * (end - start)
    return owners


def _written(template: str, places: Sequence[tuple[int, int]]) -> list[str]:
    """The kind of token that each character of the program lies in, when nothing is wrong."""
    typed = _owners(len(template), places)
    return [
        token.kind
        for token in tokens(template)
        for at in range(token.start, token.end)
        if typed[at] is None
    ]


def _is_data(
    sent: Statement, token: Token, at: int, typed: Sequence[int | None], *, opened: bool
) -> bool:
    sql = sent.sql
    if token.kind == "string" and opened:
        # A quotation mark is data as one of a pair that was typed as a pair.
        if sql[at] != "'":
            return True
        return _paired(sql, token, at, typed)
    if token.kind in ("number", "space", "operator"):
        owner = typed[at]
        if owner is None:
            return False
        start, end = sent.typed[owner]
        alone = re.fullmatch(
            r"\s*[+-]?\s*(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*", sql[start:end], re.ASCII
        )
        return alone is not None and not _beside_a_word(sql, start, end)
    return False


def _beside_a_word(sql: str, start: int, end: int) -> bool:
    return bool(re.search(r"[\w'.]\Z", sql[:start]) or re.match(r"[\w'.(]", sql[end:]))


def _paired(sql: str, token: Token, at: int, typed: Sequence[int | None]) -> bool:
    run = at
    while run > token.start + 1 and sql[run - 1] == "'":
        run -= 1
    other = at + 1 if (at - run) % 2 == 0 else at - 1
    return other < token.end and sql[other] == "'" and typed[other] == typed[at]
