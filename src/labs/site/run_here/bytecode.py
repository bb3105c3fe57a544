"""Compiles what the page imports, when the book is built: in a browser it would take seconds.

The interpreter is Pyodide's own, run by Node.js, so that the bytecode is the one it reads. What
has been compiled stays in the cache, package by package.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from labs.site import node
from labs.site.run_here.wheels import zipped

SCRIPT = Path(__file__).with_name("frontend") / "compile.mjs"
TAG = "cpython-314"
"""How Pyodide's interpreter marks its bytecode; `pyodide` 314 is Python 3.14."""

SITE_PACKAGES = "/lib/python3.14/site-packages"
"""Where the page's Python finds packages."""

STANDARD_LIBRARY = "/lib/python314.zip"
"""Where it finds its own modules."""

_KEPT = 120


def add(
    packages: Mapping[str, Mapping[str, bytes]],
    *,
    pyodide: Path,
    cache: Path,
    sourceless: set[str],
    place: str = SITE_PACKAGES,
) -> dict[str, dict[str, bytes]]:
    """Packages with their bytecode.

    Args:
        packages: The files of each package, by their paths in its wheel.
        pyodide: The folder of the npm package that compiles.
        cache: Where compiled packages are kept.
        sourceless: Packages that travel without the sources of what was compiled, which nobody
            reads in a lab and every reader would download.
        place: The folder or archive in which the page's Python will find them.

    Raises:
        NodeError: If Node.js is missing, or cannot run it.
    """
    version = (pyodide / "package.json").read_bytes() + SCRIPT.read_bytes() + place.encode()
    kept = {name: cache / f"bytecode-{_digest(version, f)}.zip" for name, f in packages.items()}
    missing = {name: packages[name] for name, file in kept.items() if not file.is_file()}
    if missing:
        _compile(missing, kept, pyodide, cache, place)
    for file in kept.values():
        os.utime(file)
    for file in sorted(cache.glob("bytecode-*.zip"), key=lambda f: f.stat().st_mtime)[:-_KEPT]:
        file.unlink(missing_ok=True)
    return {
        name: _with_bytecode(files, unzipped(kept[name].read_bytes()), name in sourceless)
        for name, files in packages.items()
    }


def _digest(version: bytes, files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(version)
    for path, source in sorted(_sources(files).items()):
        digest.update(path.encode() + b"\0" + hashlib.sha256(source).digest())
    return digest.hexdigest()[:16]


def _sources(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if path.endswith(".py")}


def _compile(
    packages: Mapping[str, Mapping[str, bytes]],
    kept: Mapping[str, Path],
    pyodide: Path,
    cache: Path,
    place: str,
) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        given, made = Path(scratch, "given.zip"), Path(scratch, "made.zip")
        together = {p: data for files in packages.values() for p, data in _sources(files).items()}
        given.write_bytes(zipped(together))
        node.run(
            [*node.program("node"), str(SCRIPT), str(pyodide), str(given), str(made), place],
            folder=Path(scratch),
            failed="the labs cannot be compiled for the page",
        )
        compiled = unzipped(made.read_bytes())
        for name, files in packages.items():
            one = Path(scratch, f"{name}.zip")
            one.write_bytes(zipped({p: compiled[p] for p in _sources(files) if p in compiled}))
            one.replace(kept[name])


def _with_bytecode(
    files: Mapping[str, bytes], compiled: Mapping[str, bytes], sourceless: bool
) -> dict[str, bytes]:
    if sourceless:
        rest = {path: data for path, data in files.items() if path not in compiled}
        return rest | {f"{path}c": code for path, code in compiled.items()}
    return {**files} | {_cached(path): code for path, code in compiled.items()}


def _cached(path: str) -> str:
    """Where Python looks for the bytecode of a source.

    >>> _cached("labs/arguments.py")
    'labs/__pycache__/arguments.cpython-314.pyc'
    """
    source = PurePosixPath(path)
    return str(source.parent / "__pycache__" / f"{source.stem}.{TAG}.pyc")


def unzipped(data: bytes) -> dict[str, bytes]:
    """The files of an archive, by path."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            file.filename: archive.read(file) for file in archive.infolist() if not file.is_dir()
        }
