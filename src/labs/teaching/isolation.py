"""Runs code that may raise, loop, lie or break things, and comes back with an account of it.

On Linux the code runs in a forked child: it can loop in C, exit, or patch the checker, and only
the child is lost. Elsewhere, and in a browser, it runs in process under a trace function that
ends it at the deadline; there, a single call into C (``sum(itertools.count())``) cannot be ended.

The messages that come back are JSON, never pickles: a pickle from hostile code would run in the
parent.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

Send = Callable[[dict[str, Any]], None]

MEMORY_BYTES = 3 * 2**30
"""Memory that a child may add to what the parent already has."""

PRINTED_CHARACTERS = 2_000
"""How much of what an answer prints is kept."""


class DeadlineExceeded(BaseException):
    """Raised inside code that ran past its deadline. Not an ``Exception``: answers catch those."""


class _Printed(io.StringIO):
    """Keeps the beginning of what is printed, and drops the rest."""

    def write(self, text: str) -> int:
        room = PRINTED_CHARACTERS - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


def can_fork() -> bool:
    """Whether a child can be forked safely: on Linux, from the main thread's interpreter."""
    return sys.platform == "linux" and hasattr(os, "fork")


def run(work: Callable[[Send], None], *, seconds: float) -> tuple[list[dict[str, Any]], str]:
    """Run ``work`` and return the messages it sent and what it printed.

    Args:
        work: Called with a function that sends one message, a JSON-compatible dictionary.
        seconds: Longest silence, in seconds, between two messages.

    Returns:
        The messages in order, and the beginning of what was printed. When the work did not come
        to its end, the last message is ``{"event": "timeout"}`` or ``{"event": "died"}``.
    """
    return _run_forked(work, seconds) if can_fork() else _run_here(work, seconds)


def _run_forked(work: Callable[[Send], None], seconds: float) -> tuple[list[dict[str, Any]], str]:
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child ends with os._exit, which coverage cannot see
        os.close(reader)
        _work_in_child(work, writer)
    os.close(writer)
    messages: list[dict[str, Any]] = []
    rest = b""
    outcome = "died"
    try:
        while True:
            ready, _, _ = select.select([reader], [], [], seconds)
            if not ready:
                outcome = "timeout"
                break
            chunk = os.read(reader, 65_536)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            messages += [json.loads(line) for line in lines]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
    if messages and messages[-1]["event"] == "end":
        return messages[:-1], messages[-1]["printed"]
    return [*messages, {"event": outcome}], ""


def _work_in_child(work: Callable[[Send], None], writer: int) -> None:  # pragma: no cover
    def send(message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(writer, line) :]

    status = 1
    try:
        _limit_memory()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        printed = _Printed()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            work(send)
        send({"event": "end", "printed": printed.getvalue()})
        status = 0
    finally:
        # Not sys.exit: the child must not run the parent's clean-up (kernels, test runners).
        os._exit(status)


def _limit_memory() -> None:
    import resource

    with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123 - no pathlib in a child
        used = int(pages.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound = used + MEMORY_BYTES
    if hard == resource.RLIM_INFINITY or bound < hard:
        resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def _run_here(work: Callable[[Send], None], seconds: float) -> tuple[list[dict[str, Any]], str]:
    messages: list[dict[str, Any]] = []
    deadline = [time.monotonic() + seconds]

    def send(message: dict[str, Any]) -> None:
        messages.append(message)
        deadline[0] = time.monotonic() + seconds

    printed = _Printed()
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            _traced(deadline),
        ):
            work(send)
    except DeadlineExceeded:
        messages.append({"event": "timeout"})
    return messages, printed.getvalue()


@contextlib.contextmanager
def _traced(deadline: list[float]) -> Iterator[None]:
    ticks = 0

    def on_line(_frame: FrameType, _event: str, _argument: object) -> Any:
        nonlocal ticks
        ticks += 1
        if ticks % 256 == 0 and time.monotonic() > deadline[0]:
            raise DeadlineExceeded
        return on_line

    before = sys.gettrace()
    sys.settrace(on_line)
    try:
        with _alarm(deadline):
            yield
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def _alarm(deadline: list[float]) -> Iterator[None]:
    # The trace function sees no line while ``time.sleep`` runs; a timer does, where there is one.
    main = threading.current_thread() is threading.main_thread()
    if not (main and hasattr(signal, "setitimer")) or sys.platform == "emscripten":
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        if time.monotonic() > deadline[0]:
            raise DeadlineExceeded

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.25, 0.25)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Tampering(Exception):  # noqa: N818 - names what was found
    """The answer replaced part of the checker; ``names`` lists what."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


_GUARDED = (
    "builtins", "hashlib", "hmac", "json", "random", "secrets", "time", "unicodedata", "re",
    "sqlite3", "html", "html.parser", "html5lib", "argon2", "argon2.low_level",
)  # fmt: skip


class Guard:
    """Notices, and undoes, the replacing of functions and classes that a verdict rests on.

    It compares the functions, classes and methods of the labs and of the library modules that
    checks use with what they were. It is a guard against slips and pranks. It cannot be perfect
    in one process, which is why an instructor runs answers again in a fresh one.
    """

    def __init__(self) -> None:
        self._before: list[tuple[str, Any, str, Any]] = []
        for name, module in list(sys.modules.items()):
            if module is None or not (name in _GUARDED or name.split(".")[0] == "labs"):
                continue
            for key, value in list(vars(module).items()):
                if not callable(value):
                    continue
                self._before.append((f"{name}.{key}", module, key, value))
                if isinstance(value, type) and value.__module__.startswith("labs."):
                    self._before += [
                        (f"{name}.{key}.{attribute}", value, attribute, member)
                        for attribute, member in list(vars(value).items())
                        if callable(member) or isinstance(member, property | classmethod)
                    ]

    def check(self) -> None:
        """Put back what was replaced.

        Raises:
            Tampering: If anything was replaced.
        """
        replaced = []
        for name, owner, key, value in self._before:
            if vars(owner).get(key) is not value:
                replaced.append(name)
                with contextlib.suppress(AttributeError, TypeError):
                    setattr(owner, key, value)
        if replaced:
            raise Tampering(replaced)
