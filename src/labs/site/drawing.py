"""Draws the pictures of sliders in processes that know nothing of the one that builds the book.

Such a process imports this module to begin, and nothing of Sphinx with it: that would take as long
as a few pictures.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from labs.teaching.pictures import Picture
from labs.teaching.sliders import draw

JOBS = 2
"""Processes that draw."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A picture that could not be drawn; ``reason`` says why in one line."""

    reason: str


def pictures(
    tasks: Sequence[tuple[str, str]], timeout_s: float
) -> Generator[Picture | Failed, None, None]:
    """Draw all of them; the results come in order.

    Args:
        tasks: For each picture its figure and the figure's arguments, as :func:`draw` takes them.
        timeout_s: Longest time for one picture.
    """
    executor = ProcessPoolExecutor(
        max_workers=min(JOBS, len(tasks), os.cpu_count() or 1),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
    )
    try:
        yield from executor.map(partial(_drawn, timeout_s), tasks, chunksize=4)
    finally:
        executor.shutdown(cancel_futures=True)


def _prepare() -> None:
    """What each drawing process does first: forget the settings of whoever builds the book."""
    import matplotlib as mpl

    mpl.rcdefaults()


def _drawn(timeout_s: float, task: tuple[str, str]) -> Picture | Failed:
    def interrupt(*_: object) -> None:
        raise TimeoutError(f"it takes more than {timeout_s:g} s")

    timed = hasattr(signal, "setitimer")
    try:
        if timed:
            signal.signal(signal.SIGALRM, interrupt)
            signal.setitimer(signal.ITIMER_REAL, timeout_s)
        return draw(*task)
    except (Exception, SystemExit) as error:
        return Failed(f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": "))
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
