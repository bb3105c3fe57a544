"""Runs code that may raise, loop, lie or break things, and comes back with an account of it.

On Linux the code runs in a forked child: it can loop in C, exit, or patch the checker, and only
the child is lost. Elsewhere, and in a browser, it runs in process, where a timer ends it at the
deadline, or a function that watches its steps where there is no timer; there, a single call into
C (``sum(itertools.count())``) cannot be ended.

The messages that come back are JSON, never pickles: a pickle from hostile code would run in the
parent.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import select
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from operator import is_, itemgetter
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

Send = Callable[[dict[str, Any]], None]

MEMORY_BYTES = 3 * 2**30
"""Memory that a child may add to what the parent already has."""

PRINTED_CHARACTERS = 2_000
"""How much of what an answer prints is kept."""

_RING_SECONDS = 0.1
"""How often a timer looks whether the deadline has passed."""

_LIBRARIES = (
    str(Path(__file__).parents[1]),
    *{sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")},
)


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
    limits = _memory_limits()
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child ends with os._exit, which coverage cannot see
        os.close(reader)
        _work_in_child(work, writer, limits)
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


def _work_in_child(  # pragma: no cover
    work: Callable[[Send], None], writer: int, limits: tuple[int, int]
) -> None:
    def send(message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(writer, line) :]

    status = 1
    try:
        import resource

        gc.freeze()  # to collect among the parent's objects would copy all of its memory
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        printed = _Printed()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            work(send)
        send({"event": "end", "printed": printed.getvalue()})
        status = 0
    finally:
        # Not sys.exit: the child must not run the parent's clean-up (kernels, test runners).
        os._exit(status)


def _memory_limits() -> tuple[int, int]:
    """The soft and the hard limit of a child's memory, in bytes.

    Asked before the fork: what a child imports or reads for this, it would do each time.
    """
    import resource  # Windows has none

    used = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    bound = used * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    return (bound if hard == resource.RLIM_INFINITY or bound < hard else soft, hard)


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
            _timed(deadline) if has_timer() else _watched(deadline),
        ):
            work(send)
    except DeadlineExceeded:
        messages.append({"event": "timeout"})
    return messages, printed.getvalue()


def has_timer() -> bool:
    """Whether a signal can end Python code: on POSIX, in the main thread.

    Nothing runs between two rings of a timer, while a function that watches every step makes a
    check several times as long.
    """
    return (
        hasattr(signal, "setitimer")
        and sys.platform != "emscripten"
        and threading.current_thread() is threading.main_thread()
    )


@contextlib.contextmanager
def _timed(deadline: list[float]) -> Iterator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        if time.monotonic() > deadline[0]:
            raise DeadlineExceeded

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, _RING_SECONDS, _RING_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _watched(deadline: list[float]) -> contextlib.AbstractContextManager[None]:
    ticks = 0

    def tick(*_: object) -> None:
        nonlocal ticks
        ticks += 1
        if ticks % 256 == 0 and time.monotonic() > deadline[0]:
            raise DeadlineExceeded

    # A loop does one of the two: it begins Python code, or it jumps back.
    events = ("PY_START", "JUMP")
    return monitored(tick, *events) if sys.version_info >= (3, 12) else _traced(tick)


@contextlib.contextmanager
def monitored(note: Callable[..., None], *events: str) -> Iterator[None]:
    """Call ``note`` at these events of ``sys.monitoring``, which Python has from 3.12 on.

    Args:
        note: Takes what the event passes on, the code object first. What it raises is raised in
            the code that it watches.
        events: Names from ``sys.monitoring.events``.
    """
    monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - unknown to type checkers of 3.11
    numbers = [getattr(monitoring.events, event) for event in events]
    tool = next(number for number in (3, 4) if monitoring.get_tool(number) is None)
    monitoring.use_tool_id(tool, "labs")
    for number in numbers:
        monitoring.register_callback(tool, number, note)
    monitoring.set_events(tool, sum(numbers))
    try:
        yield
    finally:
        monitoring.set_events(tool, monitoring.events.NO_EVENTS)
        for number in numbers:
            monitoring.register_callback(tool, number, None)
        monitoring.free_tool_id(tool)


@contextlib.contextmanager
def _traced(tick: Callable[..., None]) -> Iterator[None]:
    """Call ``tick`` where Python code begins, and at each line of code that is not of a library.

    Libraries do not loop for ever by themselves, and to stop at each of their lines would make a
    check ten times as long.
    """

    def on_line(_frame: FrameType, _event: str, _argument: object) -> Any:
        tick()
        return on_line

    def on_call(frame: FrameType, _event: str, _argument: object) -> Any:
        tick()
        return None if frame.f_code.co_filename.startswith(_LIBRARIES) else on_line

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(before)


class Tampering(Exception):  # noqa: N818 - names what was found
    """The answer replaced part of the checker; ``names`` lists what."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


_GUARDED = (
    "builtins", "hashlib", "hmac", "json", "random", "secrets", "time", "unicodedata", "re",
    "sqlite3", "html", "html.parser", "html5lib", "argon2", "argon2.low_level",
)  # fmt: skip


_SHARED = ("teaching", "browser", "kvittra", "arguments", "estimate")
"""Packages of the labs that lessons are made of."""


class _Owned(NamedTuple):
    """The functions and classes of one module or class, as they were."""

    name: str
    owner: Any
    held: dict[str, Any]
    namespace: Mapping[str, Any]
    names: int  # in the namespace, data included
    read: Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Guard:
    """Notices, and undoes, the replacing of functions and classes that a verdict rests on.

    It compares the functions, classes and methods of a lesson, of what lessons are made of, and of
    the library modules that checks use with what they were. It is a guard against slips and
    pranks. It cannot be perfect in one process, which is why an instructor runs answers again in
    a fresh one.

    Args:
        lesson: The package of the lesson, such as ``labs.attacks.passwords``.
    """

    def __init__(self, lesson: str) -> None:
        self._modules = len(sys.modules)
        self._before: list[_Owned] = []
        self._values: list[Any] = []
        classes: set[int] = set()  # a class that several modules hold is looked at once
        within = (f"{lesson}.", *(f"labs.{name}." for name in _SHARED))
        for name, module in list(sys.modules.items()):
            if module is None or not (name in _GUARDED or f"{name}.".startswith(within)):
                continue
            held = {key: value for key, value in list(vars(module).items()) if callable(value)}
            self._add(name, module, held)
            for key, value in held.items():
                ours = isinstance(value, type) and value.__module__.startswith("labs.")
                if ours and id(value) not in classes:
                    classes.add(id(value))
                    members = {
                        attribute: member
                        for attribute, member in list(vars(value).items())
                        if callable(member) or isinstance(member, property | classmethod)
                    }
                    self._add(f"{name}.{key}", value, members)

    def _add(self, name: str, owner: Any, held: dict[str, Any]) -> None:
        if held:
            # Called with a single key, itemgetter gives no tuple; with one key twice it does.
            keys = tuple(held) if len(held) > 1 else (*held, *held)
            space = vars(owner)
            self._before.append(_Owned(name, owner, held, space, len(space), itemgetter(*keys)))
            self._values += [held[key] for key in keys]

    def is_complete(self) -> bool:
        """Whether all that there is now was there when it was made, and is as it was."""
        return (
            len(sys.modules) == self._modules
            and all(len(owned.namespace) == owned.names for owned in self._before)
            and self._unchanged()
        )

    def _unchanged(self) -> bool:
        # It runs after every call of an answer, over thousands of names: no loop over them in
        # Python. They are compared by identity, for an object can lie about being equal.
        present: list[Any] = []
        try:
            for owned in self._before:
                present += owned.read(owned.namespace)
        except KeyError:
            return False
        return all(map(is_, present, self._values))

    def check(self) -> None:
        """Put back what was replaced.

        Raises:
            Tampering: If anything was replaced.
        """
        if self._unchanged():
            return
        replaced = []
        for owned in self._before:
            for key, value in owned.held.items():
                if owned.namespace.get(key) is not value:
                    replaced.append(f"{owned.name}.{key}")
                    with contextlib.suppress(AttributeError, TypeError):
                        setattr(owned.owner, key, value)
        if replaced:
            raise Tampering(replaced)


_guards: dict[str, Guard] = {}


def guard(lesson: str) -> Guard:
    """A guard of everything as it is now: the last one, unless something has changed since."""
    if lesson not in _guards or not _guards[lesson].is_complete():
        _guards[lesson] = Guard(lesson)
    return _guards[lesson]
