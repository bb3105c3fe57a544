"""Watches an answer at work: which library functions it calls, and how it compares.

Two things about storing passwords cannot be told from what comes back: whether a standard key
derivation function did the work, and whether a comparison took a shortcut at the first
difference. Both can be seen while the code runs. Nothing here reads the text of an answer.
"""

from __future__ import annotations

import contextlib
import dis
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from labs.teaching import isolation

DERIVATIONS = frozenset(
    {"argon2_hash", "argon2_verify", "scrypt", "pbkdf2_hmac", "hashpw", "checkpw", "derive"}
)
"""Functions of libraries that derive a key or a record from a password."""

COMPARISONS = frozenset({"compare_digest", "_compare_digest", "argon2_verify", "checkpw", "verify"})
"""Functions of libraries that compare in a time that does not depend on the difference."""

_IN_THE_PAGE = "labs_page."
"""How the modules are called that stand in for C code where Python runs in a browser."""

_COMPARE = dis.opmap["COMPARE_OP"]
_BINARY = dis.opmap["BINARY_OP"]
_XOR = frozenset(
    step.arg
    for source in ("a ^ b", "a ^= b")
    for step in dis.get_instructions(compile(source, "", "exec"))
    if step.opcode == _BINARY
)


@dataclass
class Seen:
    """What was seen while something ran.

    Args:
        functions: Names of the library functions that were called.
        comparisons: How often Python code compared two values, or combined them by exclusive or:
            once for ``a == b``, once a byte for a loop over bytes.
    """

    functions: set[str] = field(default_factory=set)
    comparisons: int = 0

    @property
    def derives(self) -> bool:
        """Whether a standard key derivation function was called."""
        return bool(self.functions & DERIVATIONS)

    @property
    def compares_in_constant_time(self) -> bool:
        """Whether a constant-time comparison was called."""
        return bool(self.functions & COMPARISONS)

    @property
    def keyed(self) -> bool:
        """Whether a hash with a secret key (HMAC) was called."""
        return "keyed" in self.functions


@contextlib.contextmanager
def functions() -> Iterator[Seen]:
    """Note the library functions that are called inside the block."""
    seen = Seen()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            name = getattr(argument, "__name__", "")
            # "derive" and "verify" are everyday words; only this library's methods count.
            owner = type(getattr(argument, "__self__", None)).__module__ or ""
            if name not in ("derive", "verify") or owner.startswith("cryptography."):
                seen.functions.add(name)
        elif event == "call":
            module, name = str(frame.f_globals.get("__name__")), frame.f_code.co_name
            if module.startswith(_IN_THE_PAGE):
                seen.functions.add(name)
            elif module == "hmac" and name in ("new", "digest"):
                seen.functions.add("keyed")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)


@contextlib.contextmanager
def comparisons() -> Iterator[Seen]:
    """Count the comparisons that Python code makes inside the block."""
    seen = Seen()
    codes: dict[CodeType, bytes] = {}

    def note(code: CodeType, at: int) -> None:
        if code.co_filename == isolation.__file__:
            return  # the timer that ends endless loops: when it rings, it compares as well
        if code not in codes:
            codes[code] = code.co_code
        steps = codes[code]
        if steps[at] == _COMPARE or (steps[at] == _BINARY and steps[at + 1] in _XOR):
            seen.comparisons += 1

    # From Python 3.12 on, tracing misses the steps of code that has run before.
    modern = sys.version_info >= (3, 12)
    with isolation.monitored(note, "INSTRUCTION") if modern else _traced(note):
        yield seen


@contextlib.contextmanager
def _traced(note: Callable[[CodeType, int], None]) -> Iterator[None]:
    outer = sys.gettrace()

    def on_event(frame: FrameType, event: Any, argument: Any) -> Any:
        frame.f_trace_opcodes = True
        if event == "opcode":
            note(frame.f_code, frame.f_lasti)
        elif outer is not None:
            outer(frame, event, argument)  # it ends code that runs past its deadline
        return on_event

    sys.settrace(on_event)
    try:
        yield
    finally:
        sys.settrace(outer)


@contextlib.contextmanager
def repeated_dice() -> Iterator[None]:
    """Make the random bytes of the operating system the same each time, inside the block."""

    def same(count: int) -> bytes:
        return bytes(i % 251 for i in range(count))

    patched: list[tuple[Any, str, Any]] = [
        (os, "urandom", same),
        (random.SystemRandom, "randbytes", lambda _self, n: same(n)),
        (random.SystemRandom, "getrandbits", lambda _self, k: (1 << k) // 3),
    ]
    before = [(owner, name, vars(owner)[name]) for owner, name, _ in patched]
    for owner, name, function in patched:
        setattr(owner, name, function)
    try:
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)
