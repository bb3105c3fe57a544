"""The browser's own account of what it decided and why, as a table for a screen or a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labs.teaching.rendering import Shown, escaped

KINDS = ("navigate", "request", "redirect", "cookie", "cors", "frame", "csp", "script", "form")
"""What an entry can be about."""

MAX_ENTRIES = 20_000
"""The log keeps this many entries; the oldest go first."""

_CELL = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision.

    Args:
        number: Counts from 1 over the life of the browser.
        at_s: The browser's clock, in seconds.
        where: The page that the decision was made for, as a URL, or ``the user``.
        kind: One of :data:`KINDS`.
        subject: What was decided on: a cookie, a URL, a script.
        decision: The outcome, as ``sent``, ``not sent``, ``runs``, ``blocked``.
        reason: Why, in words.
    """

    number: int
    at_s: float
    where: str
    kind: str
    subject: str
    decision: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} `{self.subject}` {self.decision}: {self.reason}"


class Log(Shown):
    """The decisions in their order; iterate over it, cut it with :meth:`only` and :meth:`since`.

    >>> log = Log(lambda: 0.0)
    >>> entry = log.add("https://evil.example/", "cookie", "session", "not sent", "SameSite=Lax")
    >>> print(log.only("cookie"))
    #  where                  what    subject  decision  why
    1  https://evil.example/  cookie  session  not sent  SameSite=Lax
    """

    def __init__(self, clock: Callable[[], float], entries: list[Entry] | None = None) -> None:
        self._clock = clock
        self._entries = [] if entries is None else entries
        self._count = 0

    def add(self, where: str, kind: str, subject: str, decision: str, reason: str) -> Entry:
        """Append a decision and return its entry."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        self._count += 1
        entry = Entry(
            self._count, self._clock(), where, kind, _short(subject), decision, _short(reason)
        )
        self._entries.append(entry)
        if len(self._entries) > MAX_ENTRIES:
            del self._entries[: len(self._entries) - MAX_ENTRIES]
        return entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def mark(self) -> int:
        """The number of the latest entry, to be given to :meth:`since`."""
        return self._count

    def since(self, mark: int) -> Log:
        """The entries after ``mark``."""
        return Log(self._clock, [entry for entry in self._entries if entry.number > mark])

    def only(self, *kinds: str, subject: str = "") -> Log:
        """The entries of these kinds (of all, if none is named) whose subject holds ``subject``."""
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        return Log(
            self._clock,
            [
                entry
                for entry in self._entries
                if (not kinds or entry.kind in kinds) and subject in entry.subject
            ],
        )

    def _rows(self) -> list[tuple[str, ...]]:
        head = ("#", "where", "what", "subject", "decision", "why")
        return [
            head,
            *(
                (str(e.number), e.where, e.kind, e.subject, e.decision, e.reason)
                for e in self._entries
            ),
        ]

    def html(self) -> str:
        """A table, one row for each decision; all text is escaped."""
        head, *rows = self._rows()
        titles = "".join(f'<th scope="col">{escaped(title)}</th>' for title in head)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td><code>{escaped(cell)}</code></td>"
                if column == 3
                else f"<td>{escaped(cell)}</td>"
                for column, cell in enumerate(row)
            )
            + "</tr>"
            for row in rows
        )
        return (
            '<table class="labs-table labs-log">'
            "<caption>What the browser decided, and why</caption>"
            f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
        )

    def text(self) -> str:
        """The same as aligned columns."""
        rows = self._rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CELL else line[: _CELL - 1] + "…"
