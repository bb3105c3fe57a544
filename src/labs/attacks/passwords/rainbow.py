"""A real rainbow table, small enough to build while you wait (Oechslin, CRYPTO 2003).

A chain starts at a password, hashes it, turns the hash into another password by a *reduction*,
and so on; only its two ends are kept. The reduction differs from column to column, so that two
chains that meet in different columns part again. A fingerprint is looked up by guessing in which
column it stands, running from there to the end, and replaying the chain that ends there.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from functools import lru_cache

from labs.arguments import text, whole
from labs.attacks.passwords.model import ALGORITHMS, digest


class RainbowTable:
    """Chains over every password of one length, for one unsalted hash.

    Args:
        alphabet: The letters that passwords are made of, all different.
        length: Letters in a password, 1 to 12.
        chains: Chains, 1 to 100,000 and at most the number of passwords.
        chain_length: Passwords in a chain, 1 to 10,000.
        algorithm: The hash, one of ``model.ALGORITHMS``.
        seed: Seeds the starts of the chains.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If one is out of range, or the table would need more than 10,000,000 hashes.

    >>> table = RainbowTable("0123456789", 3, chains=100, chain_length=20)
    >>> table.space
    1000
    """

    def __init__(
        self,
        alphabet: str,
        length: int,
        *,
        chains: int,
        chain_length: int,
        algorithm: str = "md5",
        seed: int = 2003,
    ) -> None:
        self.alphabet = text("alphabet", alphabet)
        if len(set(alphabet)) != len(alphabet) or not 2 <= len(alphabet) <= 256:
            raise ValueError(f"alphabet must be 2 to 256 different letters, not {alphabet!r}")
        if text("algorithm", algorithm) not in ALGORITHMS:
            raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, not {algorithm!r}")
        self.length = whole("length", length, low=1, high=12)
        self.space: int = len(alphabet) ** self.length
        if self.space > 2**48:
            raise ValueError(
                f"alphabet and length must give at most 2**48 passwords, not {self.space:,}"
            )
        self.chains = whole("chains", chains, low=1, high=min(100_000, self.space))
        self.chain_length = whole("chain_length", chain_length, low=1, high=10_000)
        if self.chains * self.chain_length > 10_000_000:
            raise ValueError(
                f"chains times chain_length must be at most 10,000,000 hashes, "
                f"not {self.chains * self.chain_length:,}"
            )
        self.algorithm = algorithm
        self._starts = random.Random(whole("seed", seed)).sample(range(self.space), self.chains)
        self._ends: dict[int, list[int]] = {}
        covered: set[int] = set()
        for start in self._starts:
            points = self._walk(start, 0)
            covered.update(points[:-1])
            self._ends.setdefault(points[-1], []).append(start)
        self._covered = len(covered)

    @property
    def kept(self) -> int:
        """Numbers that the table stores: two for each chain."""
        return 2 * self.chains

    @property
    def covered(self) -> float:
        """The share of all passwords that stand somewhere in a chain: its chance of success."""
        return self._covered / self.space

    def lookup(self, fingerprint: str) -> str | None:
        """The password behind a fingerprint in lower-case hex, or ``None`` if no chain holds it.

        Raises:
            ValueError: If the fingerprint is not hex.
        """
        try:
            wanted = bytes.fromhex(text("fingerprint", fingerprint))
        except ValueError:
            raise ValueError(f"fingerprint must be hex, not {fingerprint!r}") from None
        for column in reversed(range(self.chain_length)):
            end = self._walk(self._reduced(wanted, column), column + 1)[-1]
            for start in self._ends.get(end, ()):
                found = self._replay(start, wanted)
                if found is not None:
                    return found
        return None

    def _replay(self, start: int, wanted: bytes) -> str | None:
        for point in self._walk(start, 0)[:-1]:
            if self._hash(point) == wanted:
                return self.password(point)
        return None

    def _walk(self, point: int, column: int) -> Sequence[int]:
        """The points of a chain from a column to its end, both included."""
        points = [point]
        for step in range(column, self.chain_length):
            point = self._reduced(self._hash(point), step)
            points.append(point)
        return points

    def password(self, number: int) -> str:
        """The password with a number, 0 to ``space - 1``."""
        return _password(self.alphabet, self.length, number)

    def _hash(self, point: int) -> bytes:
        return _fingerprint(self.algorithm, self.alphabet, self.length, point)

    def _reduced(self, fingerprint: bytes, column: int) -> int:
        # Adding the column makes the reduction of every column a different one.
        return (int.from_bytes(fingerprint[:8], "big") + column) % self.space


def _password(alphabet: str, length: int, number: int) -> str:
    letters = []
    for _ in range(length):
        number, letter = divmod(number, len(alphabet))
        letters.append(alphabet[letter])
    return "".join(letters)


@lru_cache(maxsize=2**16)  # chains, tables and lookups meet the same few passwords again and again
def _fingerprint(algorithm: str, alphabet: str, length: int, number: int) -> bytes:
    password = _password(alphabet, length, number)
    return hashlib.new(algorithm, password.encode(), usedforsecurity=False).digest()


def salted_fingerprint(password: str, salt: bytes, algorithm: str = "md5") -> str:
    """The fingerprint of a password behind a salt, which no table made beforehand contains."""
    return digest(salt + password.encode(), algorithm)
