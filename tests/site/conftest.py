"""The sample book, the real book, and what is needed to look at them in a browser.

Each book is built once, also when the tests run in several processes.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs.site import node
from labs.site.server import BookServer
from tests.site import forked, sample_book

REPOSITORY = Path(__file__).parents[2]
FRONTEND = Path(__file__).parent / "frontend"


@contextmanager
def locked(name: Path) -> Iterator[None]:
    """Hold ``name`` against the other processes of this run; a holder that died is passed over."""
    name.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            try:
                if time.time() - name.stat().st_mtime > 600:
                    name.unlink(missing_ok=True)
            except FileNotFoundError:
                pass
            time.sleep(0.1)
    try:
        yield
    finally:
        name.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def build(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the build as a reader would, in a process of its own."""
    return forked.run("labs.site.build", *arguments, cwd=REPOSITORY)


def _once(lock: Path, done: Path, make: Callable[[], None]) -> None:
    with locked(lock):
        if not done.exists():
            make()
            done.touch()


@pytest.fixture(scope="session")
def sample(shared: Path) -> Path:
    """The built sample book."""
    folder = shared / "sample"

    def make() -> None:
        folder.mkdir()
        result = build("--source", sample_book.write(folder), "--jobs", "1")
        assert result.returncode == 0, result.stderr

    _once(shared / "sample.lock", shared / "sample.done", make)
    return folder / "build" / "book"


@pytest.fixture(scope="session")
def book(shared: Path) -> Path:
    """The built book itself, in ``build/book``; what an earlier build made is used again."""

    def make() -> None:
        result = build()
        assert result.returncode == 0, result.stderr

    _once(REPOSITORY / "build" / ".book.lock", shared / "book.done", make)
    return REPOSITORY / "build" / "book"


@pytest.fixture(scope="module")
def sample_address(sample: Path) -> Iterator[str]:
    """Where the sample book is served, under the site's own policy."""
    with BookServer(sample, port=0) as server:
        yield server.address


@pytest.fixture(scope="module")
def book_address(book: Path) -> Iterator[str]:
    """Where the book is served, under the site's own policy."""
    with BookServer(book, port=0) as server:
        yield server.address


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, installed by npm from the lock file where it is missing."""
    modules = node.packages(FRONTEND, REPOSITORY / "build" / "node")
    return (modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
