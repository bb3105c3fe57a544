"""Runs the notebooks from top to bottom and keeps them in one form.

A committed notebook has been run: its outputs are what the book shows and what the tests compare.
Every notebook gets a fresh kernel and the same environment, so that two runs write the same bytes:
what a run leaves behind that says nothing about the lab (times, widget identifiers, the version of
the interpreter) is taken out, and a file is written only if something else has changed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labs.arguments import whole

TAGS = frozenset(
    {
        "builders",
        "exercise",
        "instructor",
        "slide",
        "solution",
        "hide-cell",
        "hide-input",
        "hide-output",
        "remove-cell",
        "remove-input",
        "remove-output",
        "raises-exception",
    }
)
"""The tags that a cell may carry: five make the editions, the others are Jupyter Book's."""

CELL_TIMEOUT_S = 120

QUIET = ["--Application.log_level=40"]
"""For a kernel that only this machine can reach: its warnings about the wire are of no use."""

_KEPT_METADATA = ("exercise", "tags")
"""What a cell says of itself: the exercise that it begins or solves, and its tags."""

_WIDGET = "application/vnd.jupyter.widget-view+json"
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

State = Literal["changed", "unchanged", "edited", "failed"]


class NotebookError(Exception):
    """A notebook cannot be read or run; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one notebook.

    ``changed`` was written anew, ``unchanged`` already had these outputs, ``edited`` was saved by
    somebody else during the run and therefore left alone, ``failed`` was left alone too; ``reason``
    says why.
    """

    path: Path
    state: State
    reason: str = ""


def environment(home: str | os.PathLike[str]) -> dict[str, str]:
    """What a notebook's kernel finds in its environment, for outputs that are always the same.

    Args:
        home: A folder for the progress that the run records, so that it is not the learner's.
    """
    return {
        "LABS_LEARNER": "book",
        "LABS_HOME": str(home),
        "LABS_RECORD": "1",  # a stored output holds no live widget
        "PYTHONHASHSEED": "0",
    }


def find(root: Path) -> list[Path]:
    """Every notebook below ``notebooks/``, in the order of their paths."""
    return sorted(
        path
        for path in (root / "notebooks").rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    )


def normalized(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook in the one form that is committed.

    Cells keep their source, tags, exercise and identifier; one that has none is named by its place.
    Outputs keep their data except widget views, whose identifiers are random, and of an error
    the last line. All other metadata of cells and of the notebook goes.

    >>> cell = {"cell_type": "markdown", "source": "Hello", "metadata": {"collapsed": True}}
    >>> normalized({"cells": [cell]})["cells"]
    [{'cell_type': 'markdown', 'id': 'cell-1', 'metadata': {}, 'source': 'Hello'}]
    """
    taken: set[str] = set()
    cells = []
    for number, cell in enumerate(notebook["cells"], start=1):
        name = cell.get("id")
        if not name or name in taken:
            name = f"cell-{number}"
        taken.add(name)
        about = cell.get("metadata", {})
        kept = {
            "cell_type": cell["cell_type"],
            "id": name,
            "metadata": {key: about[key] for key in _KEPT_METADATA if about.get(key)},
            "source": cell["source"],
        }
        if cell["cell_type"] == "code":
            kept["execution_count"] = cell.get("execution_count")
            kept["outputs"] = [_output(output) for output in cell.get("outputs", [])]
        elif cell.get("attachments"):
            kept["attachments"] = cell["attachments"]
        cells.append(kept)
    return {
        "cells": cells,
        "metadata": {"kernelspec": dict(_KERNEL), "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def as_text(notebook: Mapping[str, Any]) -> str:
    """The file that holds the notebook, normalized."""
    import nbformat

    return str(nbformat.writes(nbformat.from_dict(normalized(notebook)))) + "\n"


def run(
    paths: Sequence[Path], *, jobs: int = 2, on_result: Callable[[Result], None] | None = None
) -> list[Result]:
    """Run notebooks, several at a time, and write those whose normalized form has changed.

    Args:
        paths: The notebooks.
        jobs: How many kernels run at a time, 1 to 64.
        on_result: Called after each notebook, in the order in which they end.

    Returns:
        One result for each notebook, in the order of ``paths``.

    Raises:
        ValueError: If ``jobs`` is out of range.
    """
    jobs = whole("jobs", jobs, low=1, high=64)

    async def everything(home: str) -> list[Result]:
        turn = asyncio.Semaphore(jobs)

        async def one(path: Path) -> Result:
            async with turn:
                try:
                    result = Result(path, await _execute(path, environment(home)))
                except NotebookError as error:
                    result = Result(path, "failed", str(error))
            if on_result is not None:
                on_result(result)
            return result

        return list(await asyncio.gather(*(one(path) for path in paths)))

    with tempfile.TemporaryDirectory(prefix="labs-") as home:
        return asyncio.run(everything(home))


def run_with_progress(paths: Sequence[Path], *, root: Path, jobs: int = 2) -> bool:
    """The same with a progress bar on standard error; answers whether every notebook ran."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Running notebooks", total=len(paths))

        def say(result: Result) -> None:
            name = _relative(result.path, root)
            console.print(f"{name}: {result.state}", markup=False)
            bar.advance(task)

        results = run(paths, jobs=jobs, on_result=say)
    for result in results:
        if result.reason:
            print(f"{_relative(result.path, root)}, {result.reason}", file=sys.stderr)
        elif result.state == "edited":
            name = _relative(result.path, root)
            print(f"{name} was saved elsewhere during the run; run it again", file=sys.stderr)
    return all(result.state in ("changed", "unchanged") for result in results)


async def _execute(path: Path, extra: Mapping[str, str]) -> State:
    import nbformat
    from nbclient import NotebookClient

    before = _read(path)
    try:
        notebook: Any = nbformat.reads(before.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises many kinds, for JSON, version and schema
        first = str(error).split("\n")[0]
        raise NotebookError(f"which cannot be read as a notebook of format 4: {first}") from error
    at = 0

    def note(*, cell_index: int, **_: object) -> None:
        nonlocal at
        at = cell_index

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=QUIET,
        on_cell_execute=note,
    )
    try:
        await client.async_execute(env=os.environ | extra)
    except Exception as error:  # a cell's error, a time-out, a kernel that died or did not start
        raise NotebookError(_failure(notebook, at, error)) from error
    after = as_text(notebook)
    if after.encode() == before:
        return "unchanged"
    if _read(path) != before:
        return "edited"
    _replace(path, after)
    return "changed"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotebookError(f"which cannot be read: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    # A new file that takes the old one's place: a crash leaves one or the other, whole.
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise NotebookError(f"which cannot be written: {error.strerror}") from error


def _failure(notebook: Any, at: int, error: Exception) -> str:
    cell = notebook.cells[at]
    first = cell.source.strip().split("\n")[0]
    raised = [o for o in cell.get("outputs", []) if o.output_type == "error"]
    if raised:
        reason = f"{raised[-1].ename}: {raised[-1].evalue}"
    else:
        reason = f"{type(error).__name__}: {error}"
    reason = " ".join(reason.split())
    return f"cell {at + 1} ({cell.get('id', 'no id')}, {first!r}): {reason}"


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(output)
    if "data" in kept:
        kept["data"] = {kind: value for kind, value in kept["data"].items() if kind != _WIDGET}
    if "traceback" in kept:  # whose frames name folders of the machine that ran it
        kept["traceback"] = [f"{kept['ename']}: {kept['evalue']}"]
    return kept


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def chosen(root: Path, names: Iterable[str]) -> list[Path]:
    """The notebooks that somebody named: by path, or by lesson as ``attacks.passwords``.

    Raises:
        NotebookError: If there is no such notebook.
    """
    paths = []
    for name in names:
        file = Path(name)
        if file.suffix != ".ipynb":
            file = root / "notebooks" / (name.replace(".", "/") + ".ipynb")
        if not file.is_file():
            raise NotebookError(f"there is no notebook {name}")
        paths.append(file.resolve())
    return paths or find(root)
