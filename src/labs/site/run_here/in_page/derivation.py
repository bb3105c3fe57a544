"""PBKDF2 and scrypt for a Python whose ``hashlib`` was built without OpenSSL.

The work is done by JavaScript functions that the worker hands in. Arguments, limits and errors
are those of CPython's own functions.
"""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

_DEFAULT_SCRYPT_MEMORY = 32 * 2**20
_C_LONG = 2**31 - 1


class Primitives(Protocol):
    """The functions that the worker offers; each returns the derived bytes."""

    def pbkdf2(
        self, algorithm: str, password: bytes, salt: bytes, iterations: int, length: int
    ) -> bytes:
        """PBKDF2 (RFC 8018) with HMAC over a hash that :meth:`has_hash` knows."""

    def scrypt(
        self, password: bytes, salt: bytes, n: int, r: int, p: int, length: int, memory: int
    ) -> bytes:
        """Scrypt (RFC 7914), refused above ``memory`` bytes."""

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
        """Argon2 (RFC 9106); ``kind`` is 0 for d, 1 for i, 2 for id."""

    def has_hash(self, algorithm: str) -> bool:
        """Whether PBKDF2 can use this hash."""


_primitives: list[Primitives] = []


def primitives() -> Primitives:
    """The functions that :func:`install` was given.

    Raises:
        RuntimeError: If the worker has not installed any.
    """
    if not _primitives:
        raise RuntimeError("no functions for key derivation are installed")
    return _primitives[0]


def install(functions: Primitives) -> None:
    """Use ``functions``, and give ``hashlib`` what it lacks."""
    _primitives[:] = [functions]
    module: Any = hashlib
    module.pbkdf2_hmac = pbkdf2_hmac
    module.scrypt = scrypt


def _octets(value: object, name: str) -> bytes:
    if isinstance(value, str):
        raise TypeError(f"a bytes-like object is required for {name}, not 'str'")
    return bytes(memoryview(value))  # type: ignore[arg-type]


def pbkdf2_hmac(
    hash_name: str, password: Any, salt: Any, iterations: int, dklen: int | None = None
) -> bytes:
    """Password-based key derivation function 2, as ``hashlib.pbkdf2_hmac``.

    Args:
        hash_name: The hash under HMAC, such as ``"sha256"``.
        password: What is stretched, as bytes.
        salt: The salt, as bytes.
        iterations: How often HMAC runs for each block.
        dklen: Length of the key in bytes; by default that of the hash.

    Raises:
        ValueError: For an unknown hash, or a count or length below 1.
        TypeError: For an argument of another type.
    """
    if not isinstance(hash_name, str):
        raise TypeError(f"pbkdf2_hmac() argument 1 must be str, not {type(hash_name).__name__}")
    name = hash_name.lower()
    password, salt = _octets(password, "password"), _octets(salt, "salt")
    if not primitives().has_hash(name):
        raise ValueError(f"unsupported hash type {hash_name}")
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if iterations > _C_LONG:
        raise OverflowError("iteration value is too great.")
    length = hashlib.new(name).digest_size if dklen is None else dklen
    if length < 1:
        raise ValueError("key length must be greater than 0.")
    return primitives().pbkdf2(name, password, salt, iterations, length)


def scrypt(
    password: Any, *, salt: Any, n: int, r: int, p: int, maxmem: int = 0, dklen: int = 64
) -> bytes:
    """Memory-hard key derivation, as ``hashlib.scrypt``.

    Args:
        password: What is stretched, as bytes.
        salt: The salt, as bytes.
        n: Cost in memory and time, a power of two above 1.
        r: Block size.
        p: Parallelization.
        maxmem: Bytes that may be used; 0 means 32 MiB.
        dklen: Length of the key in bytes.

    Raises:
        ValueError: For parameters out of range, or above the memory limit.
        TypeError: For an argument of another type.
    """
    password, salt = _octets(password, "password"), _octets(salt, "salt")
    if n < 2 or n & (n - 1):
        raise ValueError("n must be a power of 2.")
    if not 0 <= maxmem <= _C_LONG:
        raise ValueError(f"maxmem must be positive and smaller than {_C_LONG}")
    if not 1 <= dklen <= _C_LONG:
        raise ValueError(f"dklen must be greater than 0 and smaller than {_C_LONG}")
    limit = maxmem or _DEFAULT_SCRYPT_MEMORY
    # What OpenSSL counts: p blocks of 128 r bytes, and n + 2 more of the same size.
    if r < 1 or p < 1 or 128 * r * (p + n + 2) > limit:
        raise ValueError("Invalid parameter combination for n, r, p, maxmem.")
    return primitives().scrypt(password, salt, n, r, p, dklen, limit)
