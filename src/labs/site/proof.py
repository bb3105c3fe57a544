"""The proof matrix: what the tests of this very copy found, as a page of the book.

The tests write ``build/proof.json`` (see ``tests/proof.py``); the directive ``{proof-matrix}``
shows it. The file holds counts and verdicts only, no times and nothing of the machine::

    {"version": 1,
     "exercises": {"attacks.passwords.store_and_verify":
         {"title": "…", "points": {"1": [7, 7], …},
          "cases": {"attack": {"…claim…": true}, "wrong": {…}, "other": {…}, "honest": {…}}}},
     "weaknesses": {"sql_injection_search": {"weak": true, "hardened": true, …}},
     "lessons": {"attacks.passwords": {"browser": [2, 2], "page": [1, 1]}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from labs import registry
from labs.browser import measured
from labs.kvittra.weaknesses import WEAKNESSES
from labs.teaching import Table

VERSION = 1

POINTS = {
    "1": "every attack succeeds on the weak version",
    "2": "every attack fails on the reference",
    "3": "honest use works on both",
    "4": "wrong fixes are refused, each with its reason",
    "5": "another correct fix is accepted",
    "6": "the starter is not accepted",
    "7": "hostile answers get a clear report in time",
    "8": "hints lead up to a solution that is accepted",
    "9": "real Chromium agrees",
    "10": "Python in the page gives the same verdict",
}
"""The ten points of the contract, in the words of the page's table."""

EDITIONS = {
    "weak": "works where it is open",
    "hardened": "fails on the hardened edition",
    "layers": "fails when any one layer is closed",
    "repair": "fails against its repair alone",
}
"""What is tested of each of Kvittra's weaknesses."""


def path(root: Path) -> Path:
    """Where the tests leave what they found."""
    return root / "build" / "proof.json"


def read(root: Path) -> dict[str, Any]:
    """What the tests found, or nothing where they have not run or the file is damaged."""
    try:
        found = json.loads(path(root).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("version") == VERSION else {}


def write(root: Path, found: Mapping[str, Any]) -> None:
    """Add what a run of tests found; what it did not run stays as it was."""
    merged: dict[str, Any] = {"version": VERSION}
    before = read(root)
    for kind in ("exercises", "weaknesses", "lessons"):
        known = dict(before.get(kind, {}))
        for name, row in found.get(kind, {}).items():
            known[name] = _joined(known.get(name, {}), row)
        merged[kind] = dict(sorted(known.items()))
    file = path(root)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(merged, indent=1, ensure_ascii=False), encoding="utf-8")
    fresh.replace(file)


def _joined(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(old)
    for key, value in new.items():
        # Cases that a run had are replaced whole, so that one that was dropped does not linger.
        both[key] = {**old.get(key, {}), **value} if key == "points" else value
    return both


class ProofMatrix(SphinxDirective):
    """``{proof-matrix}``: the verdicts, lesson by lesson; a sentence where there are none yet."""

    def run(self) -> list[nodes.Node]:
        """Tables of the exercises, their cases, and the attacks on Kvittra."""
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(path(root)))
        found = read(root)
        if not found.get("exercises"):
            return [_paragraph("The tests of this copy have not run yet. `make test` runs them, ")]
        out: list[nodes.Node] = []
        for entry in registry.lessons():
            rows = {
                name: row
                for name, row in found["exercises"].items()
                if name.rpartition(".")[0] == entry.id
            }
            if rows:
                section = nodes.section(ids=[nodes.make_id(f"proof-{entry.id}")])
                section += nodes.title("", entry.lesson.title)
                section += _points(rows, found.get("lessons", {}).get(entry.id, {}))
                section += _cases(rows)
                out.append(section)
        if found.get("weaknesses"):
            section = nodes.section(ids=["proof-kvittra"])
            section += nodes.title("", "Kvittra: every attack on every edition")
            section += _editions(found["weaknesses"])
            out.append(section)
        return out


_ATTACKED = (
    "link, another site",
    "form with POST, another site",
    "image, another site",
    "fetch with credentials, another site",
    "frame, another site",
    "link, sibling subdomain",
    "form with POST, sibling subdomain",
    "image, sibling subdomain",
    "form with POST, another port",
    "form with POST, same name, http to https",
)
"""The kinds of requests that the page shows, of the many that were measured."""


class MeasuredTables(SphinxDirective):
    """``{measured}``: which cookies Chromium sent, when they were new and when they were older."""

    def run(self) -> list[nodes.Node]:
        """Two tables, from the data that the tests keep and compare."""
        older = {
            request.name for request in measured.measured().requests if request.old is not None
        }
        tables = [
            measured.cookie_table(*_ATTACKED),
            measured.cookie_table(*(name for name in _ATTACKED if name in older), old=True),
        ]
        return [nodes.raw("", table.html(), format="html") for table in tables]


def _points(rows: Mapping[str, Mapping[str, Any]], lesson: Mapping[str, list[int]]) -> nodes.Node:
    table = []
    for point, claim in POINTS.items():
        line = [f"{point}. {claim}"]
        for row in rows.values():
            counts = row["points"].get(point)
            extra = lesson.get({"9": "browser", "10": "page"}.get(point, ""))
            line.append(_verdict(_sum(counts, extra)))
        table.append(line)
    return _table(
        "What is tested of each exercise, and how many tests hold.",
        ["point", *(row["title"] for row in rows.values())],
        table,
    )


def _sum(*counts: list[int] | None) -> list[int] | None:
    known = [count for count in counts if count]
    return [sum(c[0] for c in known), sum(c[1] for c in known)] if known else None


def _verdict(counts: list[int] | None) -> str:
    if not counts:
        return "– not needed or not run"
    passed, total = counts
    return f"✓ {passed}" if passed == total else f"✗ {passed} of {total}"


def _cases(rows: Mapping[str, Mapping[str, Any]]) -> nodes.Node:
    words = {
        "attack": "attack: succeeds on the weak version, fails on the reference",
        "honest": "honest use: works on both",
        "wrong": "wrong fix: refused",
        "other": "other correct fix: accepted",
    }
    table = [
        [row["title"], words[kind], case, "✓ yes" if held else "✗ no"]
        for row in rows.values()
        for kind, cases in row["cases"].items()
        for case, held in cases.items()
    ]
    shown = Table("Every case.", ["exercise", "what is tested", "case", "holds"], table).html()
    fold = f"<details><summary>Every case: {len(table)}</summary>{shown}</details>"
    return nodes.raw("", fold, format="html")


def _editions(found: Mapping[str, Mapping[str, bool]]) -> nodes.Node:
    table = [
        [
            name,
            str(WEAKNESSES[name].cwe),
            *(
                {True: "✓ yes", False: "✗ no", None: "– not tested"}[row.get(edition)]
                for edition in EDITIONS
            ),
        ]
        for name, row in found.items()
        if name in WEAKNESSES
    ]
    return _table(
        "Each attack meets five editions of Kvittra.",
        ["weakness", "class", *(f"the attack {words}" for words in EDITIONS.values())],
        table,
    )


def _paragraph(text: str) -> nodes.paragraph:
    node = nodes.paragraph()
    before, command, after = text.split("`")
    node += [nodes.Text(before), nodes.literal("", command), nodes.Text(after)]
    node += nodes.Text("and this page then shows what they found.")
    return node


def _table(title: str, columns: list[str], rows: list[list[str]]) -> nodes.raw:
    return nodes.raw("", Table(title, columns, rows).html(), format="html")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("measured", MeasuredTables)
    app.add_directive("proof-matrix", ProofMatrix)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
