"""Running the notebooks: what is written, what is left alone, and what a failure says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labs.site import notebooks
from labs.site.notebooks import NotebookError, Result, chosen, find, normalized, run

pytestmark = pytest.mark.notebook


def code(source: str, *, tags: tuple[str, ...] = (), name: str = "a-cell") -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "source": source,
    }


def write(path: Path, *cells: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content))
    return path


def test_a_second_run_writes_the_same_bytes_and_therefore_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.ipynb",
        code("import os; print(os.environ['LABS_LEARNER'])", tags=("exercise",), name="first"),
        code("import ipywidgets; ipywidgets.IntSlider()", name="second"),
        code("print(hash('a text'), object.__hash__ is not None)", name="third"),
        code("1 / 0", tags=("raises-exception",), name="fourth"),
    )
    assert run([path]) == [Result(path, "changed")]
    first = path.read_bytes()
    cells = json.loads(first)["cells"]
    assert [cell["id"] for cell in cells] == ["first", "second", "third", "fourth"]
    assert cells[0]["metadata"] == {"tags": ["exercise"]}
    assert cells[0]["outputs"][0]["text"] == ["book\n"]
    assert b"widget-view" not in first
    assert b"iopub" not in first
    assert cells[3]["outputs"][0]["traceback"] == ["ZeroDivisionError: division by zero"]
    assert run([path]) == [Result(path, "unchanged")]
    assert path.read_bytes() == first


def test_a_failure_names_the_cell_and_the_error_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", code("x = 1"), code("x\nmissing_name", name="culprit"))
    before = path.read_bytes()
    [result] = run([path])
    assert result.state == "failed"
    assert result.reason == ("cell 2 (culprit, 'x'): NameError: name 'missing_name' is not defined")
    assert path.read_bytes() == before


def test_a_kernel_that_dies_is_reported_at_its_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", code("x = 1"), code("import os; os._exit(1)", name="end"))
    [result] = run([path])
    assert result.state == "failed"
    assert result.reason.startswith("cell 2 (end")


def test_a_cell_that_does_not_end_is_reported_at_its_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebooks, "CELL_TIMEOUT_S", 1)
    path = write(tmp_path / "a.ipynb", code("import time; time.sleep(30)", name="slow"))
    [result] = run([path])
    assert result.state == "failed"
    assert result.reason.startswith("cell 1 (slow")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"{", b"[]", b'{"nbformat": 7, "nbformat_minor": 0}', b'{"cells": 3}'],
)
def test_what_is_not_a_notebook_is_one_clear_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    [result] = run([path])
    assert result.state == "failed"
    assert result.reason.startswith("which cannot be read as a notebook")
    assert "\n" not in result.reason
    assert path.read_bytes() == content


def test_work_that_is_saved_during_the_run_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    write(path, code(f"open({str(path)!r}, 'a').write(' ')"))
    assert run([path]) == [Result(path, "edited")]
    assert path.read_text().endswith("} ")


def test_one_failure_does_not_keep_the_others_from_running(tmp_path: Path) -> None:
    bad = write(tmp_path / "notebooks" / "a.ipynb", code("1 / 0"))
    good = write(tmp_path / "notebooks" / "b.ipynb", code("1 + 1"))
    told: list[Result] = []
    results = run([bad, good], on_result=told.append)
    assert [result.state for result in results] == ["failed", "changed"]
    assert sorted(told, key=lambda r: r.path) == results


def test_the_progress_of_the_learner_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "mine"))
    record = "from labs.teaching import progress; progress.record('a.b.c', 'solved')"
    [result] = run([write(tmp_path / "a.ipynb", code(record))])
    assert result.state == "changed"
    assert not (tmp_path / "mine").exists()


def test_normalizing_keeps_what_is_of_the_lab_and_drops_the_rest() -> None:
    output = {
        "data": {"text/plain": "1", "application/vnd.jupyter.widget-view+json": {"model_id": "x"}},
        "execution_count": 1,
        "metadata": {"needs_background": "light"},
        "output_type": "execute_result",
    }
    cell = code("1", tags=("slide",)) | {"outputs": [output]}
    cell["metadata"] |= {"execution": {"iopub.status.busy": "2026"}, "collapsed": True}
    note = {"cell_type": "markdown", "metadata": {}, "source": "See", "attachments": {"a.png": {}}}
    twin = code("2")
    first, second, third = normalized({"cells": [cell, note, twin], "metadata": {"x": 1}})["cells"]
    assert first["metadata"] == {"tags": ["slide"]}
    assert first["outputs"][0]["data"] == {"text/plain": "1"}
    assert first["outputs"][0]["metadata"] == {"needs_background": "light"}
    assert second["attachments"] == {"a.png": {}}
    assert (first["id"], second["id"], third["id"]) == ("a-cell", "cell-2", "cell-3")


def test_notebooks_are_found_by_path_and_by_lesson(tmp_path: Path) -> None:
    path = write(tmp_path / "notebooks" / "attacks" / "passwords.ipynb", code("1"))
    write(tmp_path / "notebooks" / ".ipynb_checkpoints" / "old.ipynb", code("1"))
    assert find(tmp_path) == [path]
    assert chosen(tmp_path, ["attacks.passwords"]) == [path]
    assert chosen(tmp_path, [str(path)]) == [path]
    assert chosen(tmp_path, []) == [path]
    with pytest.raises(NotebookError, match=r"there is no notebook attacks\.alchemy"):
        chosen(tmp_path, ["attacks.alchemy"])


@pytest.mark.parametrize("jobs", [0, 65, True, 1.5])
def test_a_senseless_number_of_jobs_is_refused(jobs: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="jobs must be a whole number"):
        run([], jobs=jobs)
