"""Shows a statement with what became of each character: data, code, or switched off."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labs.attacks.sql_injection.statements import Role, Statement, pieces, statement
from labs.teaching import Shown
from labs.teaching.rendering import escaped

_MARKS: dict[Role, str] = {"program": " ", "data": ".", "code": "^", "off": "~"}
_COLUMNS = 76

# Data and code differ by color, by line and by weight: no reader depends on one of them.
_STYLES: dict[Role, str] = {
    "data": "background:var(--labs-came,rgba(0,112,143,.14));"
    "border-bottom:2px dotted var(--labs-1,#0a7ea4)",
    "code": "background:var(--labs-gone,rgba(179,89,0,.14));"
    "border-bottom:2px solid var(--labs-2,#c4621a);font-weight:700",
    "off": "color:var(--labs-muted,#6b7a80);text-decoration:line-through",
}
_BLOCK = "font-size:1em;line-height:1.8;margin:.4rem 0 .6rem"
_LEGEND: tuple[tuple[Role, str], ...] = (
    ("data", "stayed data"),
    ("code", "became code"),
    ("off", "switched off"),
)


@dataclass(frozen=True)
class QueryView(Shown):
    """A statement in the colors of its characters.

    Args:
        sent: The statement.
        caption: What it is, one line.
    """

    sent: Statement
    caption: str = ""

    def _roles(self) -> set[Role]:
        return {one.role for one in pieces(self.sent)}

    def _counts(self) -> str:
        if not self.sent.typed:
            return "Nothing that was typed is in the statement."
        typed = sum(end - start for start, end in self.sent.typed)
        said = f"Of {_characters(typed)} typed into it, {self.sent.count('code')} became code."
        off = self.sent.count("off")
        return said + (f" {_characters(off)} of the rest were switched off." if off else "")

    def _beside(self) -> str:
        return ", ".join(repr(one) for one in self.sent.parameters)

    def html(self) -> str:
        """The statement as preformatted text with a legend and the counts below."""
        code = "".join(
            escaped(one.text)
            if one.role == "program"
            else f'<span data-role="{one.role}" style="{_STYLES[one.role]}">'
            f"{escaped(_visible(one.text))}</span>"
            for one in pieces(self.sent)
        )
        shown = self._roles()
        legend = " ".join(
            f'<span style="{_STYLES[role]}">{said}</span>'
            for role, said in _LEGEND
            if role in shown
        )
        beside = (
            f"<p>Beside it, as data: <code>{escaped(self._beside())}</code></p>"
            if self.sent.parameters
            else ""
        )
        caption = f"<p>{escaped(self.caption)}</p>" if self.caption else ""
        return (
            f'<div class="labs-source labs-query">{caption}'
            f'<pre style="{_BLOCK}"><code style="font-size:1em">{code}</code></pre>{beside}'
            f"<p>{legend + ' · ' if legend else ''}{escaped(self._counts())}</p></div>"
        )

    def text(self) -> str:
        """The statement in lines, under each a line of marks."""
        lines = [self.caption] if self.caption else []
        for words, marks in self._lines():
            lines.append(f"  {words}")
            if marks.strip():
                lines.append(f"  {marks}".rstrip())
        if self.sent.parameters:
            lines.append(f"  beside it, as data: {self._beside()}")
        lines.append(self._counts())
        shown = [f"{_MARKS[role]} {said}" for role, said in _LEGEND if role in self._roles()]
        if shown:
            lines.append(f"( {'   '.join(shown)} )")
        return "\n".join(lines)

    def _lines(self) -> Iterator[tuple[str, str]]:
        words = marks = ""
        for piece in pieces(self.sent):
            for character in _visible(piece.text):
                words += character
                marks += _MARKS[piece.role] * _columns(character)
                if len(marks) >= _COLUMNS or (len(marks) >= _COLUMNS - 12 and character == " "):
                    yield words.rstrip(), marks
                    words = marks = ""
        if words:
            yield words, marks


def _characters(count: int) -> str:
    return f"{count} character" + ("" if count == 1 else "s")


def _visible(source: str) -> str:
    """Line breaks and other control characters as signs, so that each shows as one character."""
    return "".join(chr(0x2400 + ord(one)) if ord(one) < 32 else one for one in source)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def show_query(
    function: Callable[..., Any], typed: Mapping[str, str], *, caption: str = "", **others: Any
) -> QueryView:
    """Show the statement that a function really sends for what somebody typed.

    Args:
        function: Takes a connection, and the arguments named below.
        typed: What somebody typed, by the name of the argument.
        caption: A line above it.
        others: The other arguments.

    >>> from labs.attacks.sql_injection.model import sign_in_weak
    >>> print(show_query(sign_in_weak, {"name": "bob' --"}, password="?"))
      SELECT id FROM users WHERE name = 'bob' --' AND password = '?'
                                         ...^^^^~~~~~~~~~~~~~~~~~~~~
    Of 7 characters typed into it, 4 became code. 20 characters of the rest were switched off.
    ( . stayed data   ^ became code   ~ switched off )
    """
    return QueryView(statement(function, typed, **others), caption)
