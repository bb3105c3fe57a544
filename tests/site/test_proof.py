"""The proof page says what the tests found, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docutils import nodes
from proof import Collector

from labs.site import proof


def fact(point: str, case: str = "") -> dict[str, str]:
    return {
        "kind": "exercise",
        "name": "attacks.passwords.store_and_verify",
        "title": "Keep passwords",
        "point": point,
        "case": case,
    }


def cells(node: nodes.Node) -> list[str]:
    return re.findall(r"<td[^>]*>([^<]*)</td>", node.astext())


def test_one_failure_among_many_shows_as_failed() -> None:
    found = Collector()
    for passed in (True, False, True):
        found.add(fact("1", "Equal passwords differ"), passed)
    rows = found.found["exercises"]
    assert "✗ 2 of 3" in cells(proof._points(rows, {}))
    assert "✗ no" in cells(proof._cases(rows))


def test_browser_and_page_results_count_for_points_nine_and_ten() -> None:
    found = Collector()
    found.add(fact("10"), True)
    rows = found.found["exercises"]
    shown = cells(proof._points(rows, {"browser": [4, 4], "page": [1, 2]}))
    assert "✓ 4" in shown
    assert "✗ 2 of 3" in shown
    assert "– not needed or not run" in shown


def test_a_partial_run_keeps_what_it_did_not_run(tmp_path: Path) -> None:
    first, second = Collector(), Collector()
    first.add(fact("1", "a"), True)
    first.add({"kind": "weakness", "name": "csp_missing", "edition": "weak"}, True)
    second.add(fact("2"), False)
    second.add({"kind": "weakness", "name": "csp_missing", "edition": "hardened"}, False)
    proof.write(tmp_path, first.found)
    proof.write(tmp_path, second.found)
    found = proof.read(tmp_path)
    row = found["exercises"]["attacks.passwords.store_and_verify"]
    assert row["points"] == {"1": [1, 1], "2": [0, 1]}
    assert found["weaknesses"]["csp_missing"] == {"weak": True, "hardened": False}


def test_a_damaged_or_older_file_counts_as_none(tmp_path: Path) -> None:
    file = proof.path(tmp_path)
    file.parent.mkdir()
    for text in ("{", "[]", json.dumps({"version": 0, "exercises": {"a": {}}})):
        file.write_text(text, encoding="utf-8")
        assert proof.read(tmp_path) == {}
