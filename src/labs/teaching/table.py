"""A small table with a caption, for a screen and for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from labs.teaching.rendering import Shown, escaped


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _width(text: str) -> int:
    """Columns that ``text`` takes in a terminal: wide letters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


@dataclass(frozen=True)
class Table(Shown):
    """Rows under named columns. Whole numbers get thousands separators; all cells are escaped.

    Args:
        caption: What the table shows, one sentence.
        columns: The column names.
        rows: One sequence of values for each row, as long as ``columns``.

    Raises:
        ValueError: If a row has another length than ``columns``.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"a row of {self.caption!r} has {len(row)} values, not {len(self.columns)}"
                )

    def _numeric(self, column: int) -> bool:
        return bool(self.rows) and all(
            isinstance(row[column], int | float) and not isinstance(row[column], bool)
            for row in self.rows
        )

    def html(self) -> str:
        """A ``table`` element with a caption and column headers."""
        classes = [
            ' class="labs-number"' if self._numeric(c) else "" for c in range(len(self.columns))
        ]
        head = "".join(
            f'<th scope="col"{kind}>{escaped(name)}</th>'
            for name, kind in zip(self.columns, classes, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td{kind}>{escaped(_cell(v))}</td>" for v, kind in zip(row, classes, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        return (
            f'<table class="labs-table"><caption>{escaped(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def text(self) -> str:
        """The table with aligned columns."""
        lines = [[str(name) for name in self.columns]]
        lines += [[_cell(value) for value in row] for row in self.rows]
        widths = [max(_width(line[c]) for line in lines) for c in range(len(self.columns))]
        out = [self.caption]
        for number, line in enumerate(lines):
            padded = []
            for c, cell in enumerate(line):
                gap = " " * (widths[c] - _width(cell))
                padded.append(gap + cell if self._numeric(c) else cell + gap)
            out.append("  " + "  ".join(padded).rstrip())
            if number == 0:
                out.append("  " + "  ".join("-" * width for width in widths))
        return "\n".join(out)
