"""Puts the parts together when the worker starts."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import derivation, packages
from .kernel import Kernel


class _Site:
    """The packages of the site, as the lock file lists them."""

    def __init__(self, entries: Mapping[str, Any], fetch: Callable[[str], bytes]) -> None:
        self._entries = entries
        self._fetch = fetch

    def bring(self, name: str) -> Sequence[str]:
        """Fetch and unpack one package; return what it depends on.

        Raises:
            ImportError: If the file is not the one that the lock file names.
        """
        entry = self._entries[name]
        data = self._fetch(entry["file_name"])
        if sha256(data).hexdigest() != entry["sha256"]:
            raise ImportError(f"{entry['file_name']} is not the file that this site was built with")
        folder = next(place for place in sys.path if place.endswith("site-packages"))
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            wheel.extractall(folder)
        return list(entry["depends"])


class _Primitives:
    """The worker's JavaScript functions, with bytes on both sides."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def pbkdf2(
        self, algorithm: str, password: bytes, salt: bytes, iterations: int, length: int
    ) -> bytes:
        return _octets(self._functions.pbkdf2(algorithm, password, salt, iterations, length))

    def scrypt(
        self, password: bytes, salt: bytes, n: int, r: int, p: int, length: int, memory: int
    ) -> bytes:
        return _octets(self._functions.scrypt(password, salt, n, r, p, length, memory))

    def argon2(
        self,
        kind: int,
        version: int,
        password: bytes,
        salt: bytes,
        time_cost: int,
        memory_kib: int,
        lanes: int,
        length: int,
    ) -> bytes:
        return _octets(
            self._functions.argon2(
                kind, version, password, salt, time_cost, memory_kib, lanes, length
            )
        )

    def has_hash(self, algorithm: str) -> bool:
        return bool(self._functions.has_hash(algorithm))


def _octets(array: Any) -> bytes:
    return bytes(array.to_py())


class Worker:
    """What the worker calls.

    Args:
        kernel: Runs cells.
        finder: Knows which packages are there.
    """

    def __init__(self, kernel: Kernel, finder: packages.SiteFinder) -> None:
        self._kernel = kernel
        self._finder = finder

    async def run(self, cell: str, source: str) -> str:
        """Run a cell; see :meth:`labs_page.kernel.Kernel.run`."""
        return await self._kernel.run(cell, source, self._finder)

    def arrived(self, names: Sequence[str]) -> None:
        """Note that packages were loaded after the reader agreed."""
        self._finder.present.update(names)

    def explore(self, figure: str, values: str) -> str:
        """Draw one position of a slider; returns JSON as the book's frames hold it."""
        from labs.teaching import sliders
        from labs.teaching.rendering import inline

        drawn = sliders.draw(figure, values)
        shown = {"svg": drawn.svg, "alt": drawn.alt, "caption": inline(drawn.caption)}
        return json.dumps(shown)


def start(
    send: Callable[[str], None],
    fetch: Callable[[str], Any],
    functions: Any,
    lock: str,
    loaded: Sequence[str],
    on_request: Sequence[str],
    progress: str,
) -> Worker:
    """Prepare Python for the cells of a page.

    Args:
        send: Takes one message as JSON text.
        fetch: Returns the bytes of a file of the site, as a JavaScript array.
        functions: JavaScript functions for key derivation.
        lock: The lock file's text.
        loaded: Packages that are loaded already.
        on_request: Packages that need the reader's agreement.
        progress: The progress that the browser keeps, as JSON text; empty for a newcomer.
    """
    entries = json.loads(lock)["packages"]
    site: dict[str, str] = {}
    asked: dict[str, str] = {}
    for name, entry in entries.items():
        for module in entry["imports"]:
            (asked if name in on_request else site)[module] = name
    home = Path.home() / "labs"
    home.mkdir(exist_ok=True)
    if progress:
        (home / "progress.json").write_text(progress, encoding="utf-8")
    os.environ["LABS_HOME"] = str(home)

    def record(identifier: str, state: str, at: str) -> None:
        send(json.dumps({"type": "record", "id": identifier, "state": state, "at": at}))

    finder = packages.SiteFinder(
        site,
        asked,
        _Site(entries, lambda name: _octets(fetch(name))).bring,
        list(loaded),
        {
            "labs.teaching.progress": lambda module: module.on_record(record),
            "argon2._utils": _many_lanes,
        },
    )
    packages.install(finder)
    derivation.install(_Primitives(functions))
    return Worker(Kernel(send, sys.modules["__main__"].__dict__), finder)


def _many_lanes(module: Any) -> None:
    # argon2-cffi refuses more than one lane in WebAssembly, where its C code has no threads.
    # Here the lanes are computed one after another, with the same digest.
    module._is_wasm = lambda: False
