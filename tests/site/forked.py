"""``python -m`` in a process of its own that, where the system can fork, has Sphinx already.

A build of the sample book spends most of its time on importing. So one process imports what every
build does, and nothing else; each build is a fork of it.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
IMPORTED = [
    "jupyter_book.config",
    "labs.site.extension",
    "labs.site.frames",
    "myst_nb.sphinx_ext",
    "sphinx.builders.html",
    "sphinx.cmd.build",
    "sphinxcontrib.bibtex",
]


def run(module: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What ``python -m module arguments`` does in the folder ``cwd``.

    A fork has the environment that the first of them was given, and not what a test sets.
    """
    command = [module, *map(str, arguments)]
    if not CAN_FORK:
        return subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, cwd=cwd
        )
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("stdout", "stderr")]
        process = context.Process(target=_become, args=(command, cwd, said))
        process.start()
        process.join()
        status = process.exitcode
        assert status is not None
        process.close()
        return subprocess.CompletedProcess(
            command, status, *(file.read_text(encoding="utf-8") for file in said)
        )


def _become(command: list[str], cwd: Path, said: list[Path]) -> None:
    for stream, file in zip((sys.stdout, sys.stderr), said, strict=True):
        stream.flush()
        with file.open("wb") as target:
            os.dup2(target.fileno(), stream.fileno())
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(encoding="utf-8")
    os.chdir(cwd)
    sys.path.insert(0, str(cwd))
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
