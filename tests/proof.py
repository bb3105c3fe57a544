"""Collects what the tests prove, for the proof page of the book (``labs.site.proof``).

A test says what it stands for by its own parameters: an exercise's table of answers, or the name
of one of Kvittra's weaknesses. That travels with the report, also from other processes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from contract import Answers

from labs.kvittra.weaknesses import WEAKNESSES
from labs.site import proof

ROOT = Path(__file__).parents[1]

_EDITIONS = {
    "test_the_attack_succeeds_where_its_weaknesses_are": "weak",
    "test_the_attack_fails_on_the_hardened_edition": "hardened",
    "test_closing_any_one_layer_stops_the_attack": "layers",
    "test_the_repair_alone_stops_the_attack_when_all_else_is_weak": "repair",
}
_CASES = {"1": "attack", "3": "honest", "4": "wrong", "5": "other"}
_LESSON = re.compile(r"tests/(\w+)/test_(\w+?)(?:_model|_in_chromium)?\.py$")


def stands_for(item: pytest.Item) -> dict[str, str] | None:
    """What a test proves, or ``None`` if it is none of the page's."""
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    name = getattr(item, "originalname", item.name)
    table = parameters.get("table")
    point = re.match(r"test_(\d+)_", name)
    if isinstance(table, Answers) and point:
        case = parameters.get("check") or parameters.get("wrong") or parameters.get("other") or ""
        return {
            "kind": "exercise",
            "name": table.exercise.id,
            "title": table.exercise.title,
            "point": point[1],
            "case": getattr(case, "claim", case),
        }
    if name in _EDITIONS and parameters.get("name") in WEAKNESSES:
        return {"kind": "weakness", "name": parameters["name"], "edition": _EDITIONS[name]}
    notebook = parameters.get("notebook")
    where = item.path.relative_to(ROOT).as_posix() if item.path.is_relative_to(ROOT) else ""
    if where.startswith("tests/site/run_here/") and notebook:
        lesson = ".".join(Path(notebook).with_suffix("").parts[-2:])
        return {"kind": "lesson", "name": lesson, "where": "page"}
    file = _LESSON.search(where)
    if file and item.get_closest_marker("browser"):
        return {"kind": "lesson", "name": f"{file[1]}.{file[2]}", "where": "browser"}
    return None


class Collector:
    """Gathers the outcomes of one run."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {"exercises": {}, "weaknesses": {}, "lessons": {}}

    def add(self, fact: dict[str, str], passed: bool) -> None:
        """Take in one outcome."""
        if fact["kind"] == "exercise":
            row = self.found["exercises"].setdefault(
                fact["name"], {"title": fact["title"], "points": {}, "cases": {}}
            )
            self._count(row["points"], fact["point"], passed)
            if fact["case"] and fact["point"] in _CASES:
                cases = row["cases"].setdefault(_CASES[fact["point"]], {})
                cases[fact["case"]] = cases.get(fact["case"], True) and passed
        elif fact["kind"] == "weakness":
            row = self.found["weaknesses"].setdefault(fact["name"], {})
            row[fact["edition"]] = row.get(fact["edition"], True) and passed
        else:
            self._count(self.found["lessons"].setdefault(fact["name"], {}), fact["where"], passed)

    @staticmethod
    def _count(counts: dict[str, list[int]], key: str, passed: bool) -> None:
        held, total = counts.get(key, [0, 0])
        counts[key] = [held + passed, total + 1]

    def write(self) -> None:
        """Keep what was found, if anything was."""
        if any(self.found.values()):
            proof.write(ROOT, self.found)
