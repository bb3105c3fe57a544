"""What a real Chromium did with the same scenarios: the measured tables of the book.

The tests run every scenario in the model and in Chromium, compare them cell by cell, and keep
what Chromium did in ``measured.toml`` beside this module, with its version. The file is written by
``python -m tests.browser.measure``; a test fails when a new run measures something else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from labs.teaching.rendering import Shown, escaped

OUTCOMES = {
    "R": "runs",
    "C": "runs on a click",
    "E": "runs elsewhere",
    ".": "does not run",
}
"""What became of a payload: with the page's authority, after a click, in another origin, not."""


@dataclass(frozen=True, slots=True)
class MeasuredRequest:
    """How one kind of request arrived.

    Args:
        name: From where and how it came.
        method: The method that arrived, ``none`` if nothing did.
        cookies: The cookies that came along, by their ``SameSite`` and ``Secure``.
        old: The same for cookies older than the window of Lax-allowing-unsafe; ``None`` where
            age makes no difference.
        private: The same in a private window, where third-party cookies are blocked; ``None``
            where nothing is third-party.
        headers: ``Sec-Fetch-Site``, ``-Mode``, ``-Dest``, ``-User``, ``Origin`` and ``Referer``
            under the keys ``site``, ``mode``, ``dest``, ``user``, ``origin``, ``referer``;
            addresses are in capitals: ``KVITTRA``, ``EVIL``, ``BLOG``, ``PORT``, ….
    """

    name: str
    method: str
    cookies: frozenset[str]
    old: frozenset[str] | None
    private: frozenset[str] | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was measured.

    Args:
        chromium: The version.
        requests: The kinds of requests, in their order.
        kept: What came back of cookies that a site had set, by scenario.
        framed: By the answer's headers, then by who frames: whether it was shown.
        read: By case: what the page could read, and what reached the server.
        scripts: By payload, then by place and policy: one of the words in :data:`OUTCOMES`.
    """

    chromium: str
    requests: tuple[MeasuredRequest, ...]
    kept: Mapping[str, Mapping[str, str]]
    framed: Mapping[str, Mapping[str, bool]]
    read: Mapping[str, Mapping[str, str]]
    scripts: Mapping[str, Mapping[str, str]]


@cache
def measured() -> Measured:
    """The measured tables.

    >>> found = {request.name: request for request in measured().requests}
    >>> sorted(found["link, another site"].cookies & {"Lax", "Strict"})
    ['Lax']
    """
    text = resources.files("labs.browser").joinpath("measured.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    parents: Sequence[str] = data["framing"]["parents"]
    places: Sequence[str] = data["scripting"]["places"]
    return Measured(
        chromium=data["chromium"],
        requests=tuple(
            MeasuredRequest(
                name=name,
                method=row["method"],
                cookies=_names(row["cookies"]),
                old=_names(data["old"][name]["cookies"]) if name in data["old"] else None,
                private=_names(data["private"][name]["cookies"])
                if name in data["private"]
                else None,
                headers={key: row[key] for key in _HEADERS},
            )
            for name, row in data["young"].items()
        ),
        kept=data["cookies"],
        framed={
            name: {parent: mark == "F" for parent, mark in zip(parents, marks, strict=True)}
            for name, marks in data["framing"]["answers"].items()
        },
        read=data["cors"],
        scripts={
            name: {place: OUTCOMES[mark] for place, mark in zip(places, marks, strict=True)}
            for name, marks in data["scripting"]["payloads"].items()
        },
    )


_HEADERS = ("site", "mode", "dest", "user", "origin", "referer")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split(", ")) if text else frozenset()


@dataclass(frozen=True)
class MeasuredTable(Shown):
    """A table of what Chromium did: yes or no for each row and column.

    Args:
        title: What it shows.
        columns: The columns' titles, without that of the rows.
        rows: Each row's title and its cells.
        yes: The word for yes, as in "sent".
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[bool]]]
    yes: str

    def html(self) -> str:
        """The table; a cell says the word or a dash, so that it reads without color."""
        head = "".join(f'<th scope="col">{escaped(column)}</th>' for column in ("", *self.columns))
        body = "".join(
            f'<tr><th scope="row">{escaped(name)}</th>'
            + "".join(f"<td>{escaped(self.yes) if cell else '–'}</td>" for cell in cells)
            + "</tr>"
            for name, cells in self.rows
        )
        return (
            f'<table class="labs-table"><caption>{escaped(self.title)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def text(self) -> str:
        """The same as aligned columns."""
        lines = [["", *self.columns]] + [
            [name, *(self.yes if cell else "–" for cell in cells)] for name, cells in self.rows
        ]
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        shown = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *shown])


def cookie_table(*names: str, old: bool = False, private: bool = False) -> MeasuredTable:
    """Which cookies Chromium sent with which kind of request.

    Args:
        names: The kinds of requests to show, in this order; all that were measured without one.
        old: Show cookies older than the two minutes of Lax-allowing-unsafe.
        private: Show a private window, where third-party cookies are blocked.

    Raises:
        ValueError: If a name is not one of those measured.
    """
    sent = {
        request.name: request.old if old else request.private if private else request.cookies
        for request in measured().requests
    }
    columns = ("absent", "Lax", "Strict", "None; Secure")
    rows = []
    for name in names or sent:
        cookies = sent.get(name)
        if cookies is not None:
            rows.append((name, [column in cookies for column in columns]))
        elif names:
            raise ValueError(f"names must be kinds of requests that were measured, not {name!r}")
    title = f"Cookies that Chromium {measured().chromium} sent, by SameSite"
    title += ", older than two minutes" if old else ", in a private window" if private else ""
    return MeasuredTable(title, columns, rows, "sent")


def framing_table() -> MeasuredTable:
    """Which answers Chromium showed in whose frames."""
    found = measured()
    columns = tuple(next(iter(found.framed.values())))
    return MeasuredTable(
        f"Pages that Chromium {found.chromium} showed in a frame, by who framed them",
        columns,
        [(name, [cells[column] for column in columns]) for name, cells in found.framed.items()],
        "framed",
    )
