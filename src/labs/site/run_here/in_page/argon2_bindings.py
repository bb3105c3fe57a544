"""Stands in for the C part of argon2-cffi, so that argon2-cffi itself runs in the page.

argon2-cffi speaks to its C library through two objects, ``ffi`` (memory) and ``lib`` (functions).
These are the few of their functions that it calls, with the same results and error codes; the
digest comes from the JavaScript functions in :mod:`.derivation`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass

from .derivation import primitives

__all__ = ["ffi", "lib"]

_LARGEST_MEMORY_KIB = 2**20
_LARGEST_U32 = 2**32 - 1
_NAMES = {0: "argon2d", 1: "argon2i", 2: "argon2id"}
_NUMBER = r"(0|[1-9][0-9]{0,9})"
_ENCODED = re.compile(
    rf"\$(argon2(?:id|i|d))(?:\$v={_NUMBER})?\$m={_NUMBER},t={_NUMBER},p={_NUMBER}"
    r"\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]*)\Z"
)


class _Memory:
    """The part of a foreign-function interface that moves bytes."""

    NULL = None

    @staticmethod
    def new(_kind: str, initial: bytes | int) -> bytearray:
        """A buffer of so many bytes, or one that holds these bytes and an end mark."""
        return bytearray(initial) if isinstance(initial, int) else bytearray(initial + b"\0")

    @staticmethod
    def string(buffer: bytes | bytearray) -> bytes:
        """The bytes before the end mark."""
        return bytes(buffer).partition(b"\0")[0]

    @staticmethod
    def buffer(buffer: bytearray, size: int) -> memoryview:
        """The first ``size`` bytes."""
        return memoryview(buffer)[:size]


@dataclass(frozen=True, slots=True)
class _Record:
    version: int
    memory: int
    time: int
    lanes: int
    salt: bytes
    digest: bytes


class _Library:
    """The functions and numbers of the Argon2 library that argon2-cffi uses."""

    ARGON2_VERSION_NUMBER = 0x13
    Argon2_d = 0
    Argon2_i = 1
    Argon2_id = 2
    ARGON2_OK = 0
    ARGON2_OUTPUT_TOO_SHORT = -2
    ARGON2_SALT_TOO_SHORT = -6
    ARGON2_TIME_TOO_SMALL = -12
    ARGON2_MEMORY_TOO_LITTLE = -14
    ARGON2_LANES_TOO_FEW = -16
    ARGON2_LANES_TOO_MANY = -17
    ARGON2_MEMORY_ALLOCATION_ERROR = -22
    ARGON2_INCORRECT_TYPE = -26
    ARGON2_DECODING_FAIL = -32
    ARGON2_VERIFY_MISMATCH = -35

    _SAID = {  # noqa: RUF012 - read only
        0: "OK",
        -2: "Output is too short",
        -6: "Salt is too short",
        -12: "Time cost is too small",
        -14: "Memory cost is too small",
        -16: "Too few lanes",
        -17: "Too many lanes",
        -22: "Memory allocation error",
        -26: "There is no such version of Argon2",
        -32: "Decoding failed",
        -35: "The password does not match the supplied hash",
    }

    def argon2_error_message(self, code: int) -> bytes:
        """What an error code means."""
        return self._SAID.get(code, "Unknown error code").encode("ascii")

    def argon2_encodedlen(
        self, time: int, memory: int, lanes: int, salt_length: int, length: int, kind: int
    ) -> int:
        """Bytes of an encoded record, with its end mark."""
        return len(_encoded(kind, 0x13, memory, time, lanes, bytes(salt_length), bytes(length))) + 1

    def _fault(self, salt: bytes, time: int, memory: int, lanes: int, length: int) -> int:
        faults = (
            (length < 4, self.ARGON2_OUTPUT_TOO_SHORT),
            (len(salt) < 8, self.ARGON2_SALT_TOO_SHORT),
            (memory < 8 or memory < 8 * lanes, self.ARGON2_MEMORY_TOO_LITTLE),
            (time < 1, self.ARGON2_TIME_TOO_SMALL),
            (lanes < 1, self.ARGON2_LANES_TOO_FEW),
            (lanes >= 2**24, self.ARGON2_LANES_TOO_MANY),
            (memory > _LARGEST_MEMORY_KIB, self.ARGON2_MEMORY_ALLOCATION_ERROR),
        )
        return next((code for wrong, code in faults if wrong), self.ARGON2_OK)

    def argon2_hash(
        self,
        time: int,
        memory: int,
        lanes: int,
        password: bytearray,
        password_length: int,
        salt: bytearray,
        salt_length: int,
        raw: bytearray | None,
        length: int,
        encoded: bytearray | None,
        _encoded_length: int,
        kind: int,
        version: int,
    ) -> int:
        """Derive a digest into ``raw``, its record into ``encoded``; return an error code."""
        for value in (time, memory, lanes, length, version):
            if not 0 <= value <= _LARGEST_U32:
                raise OverflowError("can't convert negative number or too large a number to C")
        seasoning = bytes(salt[:salt_length])
        fault = self._fault(seasoning, time, memory, lanes, length)
        if fault != self.ARGON2_OK:
            return fault
        if version not in (0x10, 0x13) or kind not in _NAMES:
            return self.ARGON2_INCORRECT_TYPE
        digest = primitives().argon2(
            kind, version, bytes(password[:password_length]), seasoning, time, memory, lanes, length
        )
        if raw is not None:
            raw[:length] = digest
        if encoded is not None:
            record = _encoded(kind, version, memory, time, lanes, seasoning, digest)
            encoded[: len(record) + 1] = record + b"\0"
        return self.ARGON2_OK

    def argon2_verify(
        self, encoded: bytearray, password: bytearray, password_length: int, kind: int
    ) -> int:
        """Whether a record belongs to a password, as an error code."""
        record = _decoded(ffi.string(encoded), kind)
        if record is None:
            return self.ARGON2_DECODING_FAIL
        fault = self._fault(
            record.salt, record.time, record.memory, record.lanes, len(record.digest)
        )
        if fault != self.ARGON2_OK:
            return fault
        if record.version not in (0x10, 0x13):
            return self.ARGON2_VERIFY_MISMATCH
        digest = primitives().argon2(
            kind,
            record.version,
            bytes(password[:password_length]),
            record.salt,
            record.time,
            record.memory,
            record.lanes,
            len(record.digest),
        )
        same = hmac.compare_digest(digest, record.digest)
        return self.ARGON2_OK if same else self.ARGON2_VERIFY_MISMATCH


def _encoded(
    kind: int, version: int, memory: int, time: int, lanes: int, salt: bytes, digest: bytes
) -> bytes:
    tails = "$".join(base64.b64encode(part).decode().rstrip("=") for part in (salt, digest))
    return f"${_NAMES[kind]}$v={version}$m={memory},t={time},p={lanes}${tails}".encode()


def _decoded(encoded: bytes, kind: int) -> _Record | None:
    parts = _ENCODED.match(encoded.decode("latin-1"))
    if parts is None or parts[1] != _NAMES.get(kind):
        return None
    version, memory, time, lanes = (int(parts[group] or 0x10) for group in (2, 3, 4, 5))
    salt, digest = _from_base64(parts[6]), _from_base64(parts[7])
    if salt is None or digest is None or max(version, memory, time, lanes) > _LARGEST_U32:
        return None
    return _Record(version, memory, time, lanes, salt, digest)


def _from_base64(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
    # Two texts must not stand for the same bytes: the spare bits at the end are zero.
    return data if base64.b64encode(data).decode().rstrip("=") == text else None


ffi = _Memory()
lib = _Library()
