"""One run of a backup job, and the choice of a copy to restore: each weak and repaired.

The live books are a file here, in SQLite's write-ahead mode, as most busy databases are. What has
just been committed stands in a log beside the file until SQLite moves it over. Who copies the file
leaves the log behind.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from labs.arguments import whole
from labs.uptime.backups import books


@contextmanager
def in_use(folder: Path, seed: int, *, settled: int, recent: int) -> Iterator[Path]:
    """The live books as a file, while the service has them open and goes on writing.

    Args:
        folder: An empty folder for the file and its log.
        seed: Which year of bookkeeping.
        settled: Entries that have reached the file.
        recent: Entries that were committed after them and stand in the log.

    Yields:
        The path of the database file.
    """
    most = books.ENTRIES_A_YEAR - whole("settled", settled, low=0, high=books.ENTRIES_A_YEAR)
    until = settled + whole("recent", recent, low=0, high=most)
    live = folder / "books.sqlite"
    with closing(books.connect(live)) as service:
        # Nothing here outlives a power cut, so nothing waits for the disk.
        service.execute("PRAGMA synchronous = OFF")
        service.execute("PRAGMA journal_mode = WAL")
        service.execute("PRAGMA wal_autocheckpoint = 0")
        books.create(service)
        books.write(service, books.stream(seed)[:settled])
        service.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        books.write(service, books.stream(seed)[settled:until])
        yield live


def back_up_file_weak(live: Path, target: Path) -> bool:
    """Copy the database as one copies any file, and report success."""
    shutil.copyfile(live, target)
    return True


def back_up_file(live: Path, target: Path) -> bool:
    """Copy the database through the database, read the copy, and only then replace the last one.

    Args:
        live: The file of the live books, which the service has open.
        target: Where the copy belongs; the copy of the last run may lie there.

    Returns:
        Whether ``target`` now holds a new copy that can be restored. If not, it is untouched.
    """
    fresh = target.with_suffix(".new")
    copy = copy_online(live, fresh)
    if books.examine(copy):
        fresh.unlink(missing_ok=True)
        return False
    fresh.replace(target)
    return True


def copy_online(live: Path, fresh: Path) -> bytes:
    """Let SQLite copy the books while they are in use; hand back the copy, or nothing."""
    if not live.is_file():  # SQLite would make an empty database of that name, and copy it
        return b""
    try:
        with closing(sqlite3.connect(live)) as source:
            return books.back_up(source, fresh)
    except sqlite3.DatabaseError:
        return b""


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy on a site, as whoever has to restore finds it.

    Args:
        at_h: The hour at which it was made.
        site: Where it lies.
        sha256: The fingerprint that was noted when it was made, in hex.
        content: Its bytes as they are today.
    """

    at_h: float
    site: str
    sha256: str
    content: bytes = field(repr=False)


def choose_copy_weak(copies: Sequence[Kept], damaged_h: float) -> Kept | None:  # noqa: ARG001
    """Take the newest copy."""
    return max(copies, key=lambda copy: copy.at_h, default=None)


def choose_copy(copies: Sequence[Kept], damaged_h: float) -> Kept | None:
    """The newest copy from before the damage whose bytes are right and whose books can be read.

    Args:
        copies: What the sites hold, in any order.
        damaged_h: The hour at which the damage was done; what was copied later has it too.

    Returns:
        The copy to restore, or ``None`` if there is none.
    """
    for copy in sorted(copies, key=lambda copy: copy.at_h, reverse=True):
        if (
            copy.at_h < damaged_h
            and books.fingerprint(copy.content) == copy.sha256
            and not books.examine(copy.content)
        ):
            return copy
    return None
