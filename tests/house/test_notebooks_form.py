"""The form of the committed notebooks: run, normalized, tagged, and short enough for a sitting."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from labs import registry
from labs.site.notebooks import TAGS, as_text, find

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = find(ROOT)
LABS = {ROOT / entry.notebook: entry for entry in registry.lessons()}

notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}"
)


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


@notebook
def test_a_lab_has_12_to_30_cells(path: Path) -> None:
    assert 12 <= len(read(path)["cells"]) <= 30


@notebook
def test_cells_carry_only_known_tags(path: Path) -> None:
    used = {tag for cell in read(path)["cells"] for tag in cell["metadata"].get("tags", [])}
    assert used <= TAGS


@notebook
def test_no_cell_is_left_out_of_the_comparison(path: Path) -> None:
    for cell in read(path)["cells"]:
        assert not re.search(r"nbval", joined(cell["source"]), re.IGNORECASE)
        assert not any("nbval" in tag for tag in cell["metadata"].get("tags", []))


@notebook
def test_the_notebook_was_run_from_top_to_bottom(path: Path) -> None:
    counts = [
        cell["execution_count"]
        for cell in read(path)["cells"]
        if cell["cell_type"] == "code" and joined(cell["source"]).strip()
    ]
    assert counts == list(range(1, len(counts) + 1))
    assert any(cell.get("outputs") for cell in read(path)["cells"])


@notebook
def test_the_notebook_is_in_the_form_that_make_notebooks_writes(path: Path) -> None:
    assert as_text(nbformat.read(path, as_version=4)) == path.read_text(encoding="utf-8")


@notebook
def test_outputs_name_no_folder_of_the_machine_that_ran_them(path: Path) -> None:
    for cell in read(path)["cells"]:
        outputs = json.dumps(cell.get("outputs", []))
        assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work|Users|opt|var)/", outputs)


@notebook
def test_the_first_cell_carries_the_lessons_title_and_its_rule(path: Path) -> None:
    first = joined(read(path)["cells"][0]["source"])
    if path in LABS:
        assert first.startswith(f"# {LABS[path].lesson.title}")
    if path.parent.name == "attacks":
        assert "written permission" in first
