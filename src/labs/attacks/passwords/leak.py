"""The story: Kvittra's user table leaks, kept in each of six ways, and is attacked.

The accounts are the cast and sixty invented colleagues. Most of the sixty take their password
from the list of common passwords, where rank ``r`` weighs ``1 / r``. That is a modeling choice:
it makes passwords that several people share visible in a table of eighty, where in a leak of
millions the most common one is nearer to one account in a hundred.
"""

from __future__ import annotations

import hashlib
import random
import string
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from labs.arguments import real, text, whole
from labs.attacks.passwords import model
from labs.kvittra.cast import CUSTOMERS, STAFF, USERS

SEED = 2029

SITE_SALT = bytes.fromhex("6b76697474726132303039736974652d")
"""The one salt of the whole site. It sits in the configuration, and leaks with the table."""

PUBLISHED_RATES: Mapping[str, float] = MappingProxyType(
    {
        "md5": 164.1e9,
        "sha1": 50_638.7e6,
        "sha256": 21_975.5e6,
        "sha512": 7_483.4e6,
        "pbkdf2-sha256-999": 8_865.7e3,
        "bcrypt-5": 184.0e3,
        "scrypt-16384": 7_126.0,
    }
)
"""Guesses per second of one RTX 4090 graphics card: hashcat 6.2.6, published by Chick3nman."""

DERIVED_RATES: Mapping[str, float] = MappingProxyType(
    {
        # The work of PBKDF2 grows with its iterations, that of bcrypt doubles with each cost step.
        "pbkdf2-sha256-600000": PUBLISHED_RATES["pbkdf2-sha256-999"] * 999 / 600_000,
        "bcrypt-10": PUBLISHED_RATES["bcrypt-5"] / 2**5,
        "bcrypt-12": PUBLISHED_RATES["bcrypt-5"] / 2**7,
    }
)
"""Guesses per second of the same card, computed from the published ones. None for Argon2id:
no published figure is solid enough to be printed."""

_OWN_PASSWORDS = {
    "ingrid": "Sommar2026!",
    "aksel": "qwerty",
    "leena": "v7#Tq-kL2s!mWz94RbXe",
    "asa": "fyra koppar kaffe före lunch",
    "jonas": "pHk3-9wVt-Zq7d-Lm2x",
    "noor": "letmein",
    "mikael": "Mikael1987",
    "freja": "hellere regn end sne i maj",
    "maja": "123456",
    "otto": "123456",
    "olle": "båtvarv1962",
    "kerstin": "password",
    "siv": "123456",
    "elias": "hallelujah",
    "patrick": "O'Brien1",
    "layla": "قهوة بالهيل كل صباح",
    "sami": "dragon",
    "signe": "tulips",
    "torbjorn": "hytte i fjellet",
    "aino": "sauna",
}

_FIRST_NAMES = (
    "ada", "alf", "alma", "anders", "anja", "arne", "astrid", "axel", "berit", "birk", "bjorn",
    "bodil", "dag", "disa", "ebba", "egil", "einar", "elin", "ella", "emil", "erik", "eskil",
    "eva", "filip", "finn", "frida", "gerd", "greta", "gunnar", "hanna", "harald", "hedda",
    "helge", "henrik", "hilda", "idun", "inga", "ivar", "iver", "jens", "johan", "jorunn", "juni",
    "kaisa", "kalle", "karin", "knut", "lars", "linnea", "liv", "ludvig", "magnus", "malin",
    "marit", "mats", "nanna", "nils", "oda", "olaf", "oskar",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who can sign in, with the password that only they should know."""

    user: str
    email: str
    password: str


@cache
def accounts(seed: int = SEED) -> tuple[Account, ...]:
    """The eighty accounts of the story: 8 of staff, 12 of the cast, 60 colleagues of theirs.

    Args:
        seed: Seeds the passwords of the sixty. About seven in ten are common passwords, the
            rest a name with a year, or random letters from a password manager.

    >>> sum(account.password == "123456" for account in accounts())
    7
    """
    rng = random.Random(whole("seed", seed))
    known = [
        Account(person.id, person.email, _OWN_PASSWORDS[person.id]) for person in (*STAFF, *USERS)
    ]
    companies = [customer.id for customer in CUSTOMERS]
    invented = [
        Account(name, f"{name}@{rng.choice(companies)}.example", _drawn_password(name, rng))
        for name in _FIRST_NAMES
    ]
    return tuple(known + invented)


def _drawn_password(name: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.7:
        words = model.common_passwords()
        return rng.choices(words, cum_weights=_zipf(len(words)))[0]
    if kind < 0.85:
        return f"{name.title()}{rng.randrange(1950, 2010)}"
    return "".join(rng.choices(string.ascii_letters + string.digits, k=16))


@cache
def _zipf(ranks: int) -> tuple[float, ...]:
    total, sums = 0.0, []
    for rank in range(1, ranks + 1):
        total += 1 / rank
        sums.append(total)
    return tuple(sums)


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to keep a password.

    Args:
        key: Its name in code.
        title: Its name in prose.
        salt: Where the salt comes from.
        algorithm: Which rate applies: ``"none"``, ``"md5"``, ``"sha256"`` or ``"argon2id"``.
    """

    key: str
    title: str
    salt: str
    algorithm: str

    def record(self, password: str, salt: bytes) -> str:
        """What the table holds for a password and, where the scheme has one, the user's salt."""
        match self.key:
            case "plain":
                return password
            case "user_salt":
                return f"{salt.hex()}${self.fingerprint(password, salt)}"
            case _:
                return self.fingerprint(password, salt)

    def fingerprint(self, guess: str, salt: bytes) -> str:
        """One guess's worth of work: the hash of ``guess`` under the salt that applies."""
        match self.key:
            case "plain":
                return guess
            case "md5" | "sha256":
                return model.digest(guess, self.key)
            case "site_salt":
                return model.digest(SITE_SALT + guess.encode(), "sha256")
            case "user_salt":
                return model.digest(salt + guess.encode(), "sha256")
            case _:
                return model.record_with_salt(guess, salt)

    def opens(self, record: str, guess: str) -> bool:
        """Whether ``guess`` belongs to a record that has a salt of its own."""
        if self.key == "argon2id":
            return model.verify(record, guess)
        salt, kept = _taken_apart(record)
        # As fingerprint does it, and twice as fast: an attack comes here a million times.
        return hashlib.sha256(salt + guess.encode()).digest() == kept


@lru_cache(maxsize=1_000)
def _taken_apart(record: str) -> tuple[bytes, bytes]:
    """The salt and the hash of a record, read once for the thousands of guesses that follow."""
    salt, kept = record.split("$")
    return bytes.fromhex(salt), bytes.fromhex(kept)


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        scheme.key: scheme
        for scheme in (
            Scheme("plain", "Plain text", "none", "none"),
            Scheme("md5", "MD5", "none", "md5"),
            Scheme("sha256", "SHA-256", "none", "sha256"),
            Scheme("site_salt", "SHA-256, one salt for the site", "site", "sha256"),
            Scheme("user_salt", "SHA-256, a salt for each user", "user", "sha256"),
            Scheme("argon2id", "Argon2id", "user", "argon2id"),
        )
    }
)
"""The six ways, from the worst to the one to use."""


def _scheme(key: str) -> Scheme:
    if text("scheme", key) not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, not {key!r}")
    return SCHEMES[key]


class LeakedTable:
    """Kvittra's user table as the attacker has it: who, and one record each.

    Records are made when they are first looked at, because eighty slow ones take a while. Salts
    come from the seed, so that the table is the same each time; a real site draws them from
    ``secrets``.

    Args:
        scheme: A key of :data:`SCHEMES`.
        seed: Seeds passwords and salts.

    Raises:
        ValueError: If there is no such scheme.
    """

    def __init__(self, scheme: str, *, seed: int = SEED) -> None:
        self.scheme = _scheme(scheme)
        self._accounts = accounts(seed)
        rng = random.Random(f"salts/{seed}")
        self._salts = [rng.randbytes(16) for _ in self._accounts]
        self._records: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    @property
    def users(self) -> tuple[str, ...]:
        """The users' ids, in the order of the table."""
        return tuple(account.user for account in self._accounts)

    def email(self, row: int) -> str:
        """The address in a row."""
        return self._accounts[row].email

    def record(self, row: int) -> str:
        """What the table holds in a row."""
        if row not in self._records:
            password = self._accounts[row].password
            self._records[row] = self.scheme.record(password, self._salts[row])
        return self._records[row]


@dataclass(frozen=True, slots=True)
class Opened:
    """An account that the attack opened, and how many hashes had been computed by then."""

    user: str
    password: str
    hashes: int


@dataclass(frozen=True, slots=True)
class Attack:
    """What a dictionary attack cost and gained.

    Args:
        scheme: The scheme attacked.
        hashes: Hashes computed in all.
        opened: The accounts opened, in the order in which they fell.
        accounts: Accounts in the table.
    """

    scheme: str
    hashes: int
    opened: tuple[Opened, ...]
    accounts: int


def dictionary_attack(
    table: LeakedTable, guesses: Iterable[str], *, budget: int = 10_000_000
) -> Attack:
    """Try guesses, in their order, on every account of the table that is still closed.

    Without a salt of its own, every record that equals one hash falls to it: one hash a guess.
    With a salt for each user it takes one hash for each guess *and* account.

    Args:
        table: The leaked table.
        guesses: The passwords to try, best the most common first.
        budget: Hashes after which the attacker gives up, 1 to 100,000,000.

    Raises:
        ValueError: If the budget is out of range.

    >>> table = LeakedTable("md5")
    >>> dictionary_attack(table, ["123456"]).hashes
    1
    """
    budget = whole("budget", budget, low=1, high=100_000_000)
    if table.scheme.key == "plain":
        return Attack("plain", 0, _read(table), len(table))
    attack = _attack_each if table.scheme.salt == "user" else _attack_all
    hashes, opened = attack(table, guesses, budget)
    return Attack(table.scheme.key, hashes, tuple(opened), len(table))


def _read(table: LeakedTable) -> tuple[Opened, ...]:
    return tuple(Opened(user, table.record(row), 0) for row, user in enumerate(table.users))


def _attack_all(
    table: LeakedTable, guesses: Iterable[str], budget: int
) -> tuple[int, list[Opened]]:
    rows: dict[str, list[str]] = {}
    for row, user in enumerate(table.users):
        rows.setdefault(table.record(row), []).append(user)
    hashes = 0
    opened: list[Opened] = []
    for guess in guesses:
        if hashes == budget or not rows:
            break
        hashes += 1
        found = rows.pop(table.scheme.fingerprint(guess, b""), ())
        opened += [Opened(user, guess, hashes) for user in found]
    return hashes, opened


def _attack_each(
    table: LeakedTable, guesses: Iterable[str], budget: int
) -> tuple[int, list[Opened]]:
    closed = list(range(len(table)))
    hashes = 0
    opened: list[Opened] = []
    for guess in guesses:
        still = []
        for row in closed:
            if hashes == budget:
                return hashes, opened
            hashes += 1
            if table.scheme.opens(table.record(row), guess):
                opened.append(Opened(table.users[row], guess, hashes))
            else:
                still.append(row)
        closed = still
        if not closed:
            break
    return hashes, opened


@cache
def falls(scheme: str, *, seed: int = SEED) -> tuple[int, ...]:
    """After how many hashes each account falls, if the attacker works through the common list.

    No hash is computed: the ranks of the passwords say it. It agrees with
    :func:`dictionary_attack`, and it can look as far ahead as a slow function would take.

    Args:
        scheme: A key of :data:`SCHEMES`.
        seed: Seeds the accounts.

    Returns:
        One number for each account that falls, in rising order. The others are not on the list.

    Raises:
        ValueError: If there is no such scheme.

    >>> falls("md5")[:3], len(falls("md5")) == len(falls("argon2id"))
    ((1, 1, 1), True)
    """
    kind = _scheme(scheme)
    everyone = accounts(seed)
    if kind.key == "plain":
        return (0,) * len(everyone)
    ranks = {word: rank for rank, word in enumerate(model.common_passwords(), start=1)}
    found = [(ranks[a.password], row) for row, a in enumerate(everyone) if a.password in ranks]
    found.sort()
    if kind.salt != "user":
        return tuple(rank for rank, _ in found)
    by_rank: dict[int, list[int]] = {}
    for rank, row in found:
        by_rank.setdefault(rank, []).append(row)
    closed = list(range(len(everyone)))
    hashes, before, out = 0, 0, []
    for rank, rows in by_rank.items():
        hashes += (rank - before - 1) * len(closed)
        out += [hashes + closed.index(row) + 1 for row in rows]
        hashes += len(closed)
        closed = [row for row in closed if row not in rows]
        before = rank
    return tuple(out)


def fallen_after(
    scheme: str, seconds: float, guesses_per_second: float, *, seed: int = SEED
) -> int:
    """Accounts opened within a time by an attacker who works through the common list.

    Args:
        scheme: A key of :data:`SCHEMES`.
        seconds: How long the attacker computes.
        guesses_per_second: Hashes a second, above 0.
        seed: Seeds the accounts.

    Raises:
        ValueError: If the scheme is unknown or a number out of range.

    >>> fallen_after("plain", 0, 1)
    80
    """
    hashes = real("seconds", seconds, low=0) * real(
        "guesses_per_second", guesses_per_second, above=0
    )
    return sum(needed <= hashes for needed in falls(scheme, seed=seed))


def share_opened(counts: Sequence[int], accounts: int) -> float:
    """The share of accounts that the guesses open, given how many accounts use each of them.

    Args:
        counts: Accounts that use the first guess, the second, and so on.
        accounts: Accounts in all, at least as many as those.

    Raises:
        ValueError: If a number is out of range.

    >>> f"{share_opened([290_731], 32_603_388):.2%}"
    '0.89%'
    """
    opened = sum(whole("counts", count, low=0) for count in counts)
    return opened / whole("accounts", accounts, low=max(1, opened))


def hashes_for(users: int, guesses: int, *, salted: bool) -> int:
    """Hashes that it takes to try every guess on every user, if none falls before.

    Args:
        users: Records in the table.
        guesses: Passwords to try.
        salted: Whether each user has a salt of their own.

    Raises:
        ValueError: If a number is out of range.

    >>> hashes_for(80, 30_000, salted=True)
    2400000
    """
    users, guesses = whole("users", users, low=0), whole("guesses", guesses, low=0)
    return users * guesses if salted else guesses


@dataclass(frozen=True, slots=True)
class Measured:
    """How fast this machine guesses under a scheme."""

    scheme: str
    hashes: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Guesses a second."""
        return self.hashes / self.seconds


def measure(
    scheme: str,
    *,
    seconds: float = 0.25,
    clock: Callable[[], float] = time.perf_counter,
    guesses: Sequence[str] = (),
) -> Measured:
    """Measure how many guesses a second this machine makes, on one core.

    Args:
        scheme: A key of :data:`SCHEMES`, but not ``"plain"``, which needs no guess.
        seconds: How long to measure, above 0 and at most 30; at least one guess is made.
        clock: Seconds that have passed, for tests.
        guesses: What to guess, by default the list of common passwords.

    Raises:
        ValueError: If the scheme or the time is out of range.
    """
    kind = _scheme(scheme)
    if kind.key == "plain":
        raise ValueError("scheme must be one that hashes, not 'plain': it has nothing to guess")
    limit = real("seconds", seconds, above=0, high=30)
    words = guesses or model.common_passwords()
    salt = bytes(16)
    batch = 1 if kind.key == "argon2id" else 256
    hashes, start = 0, clock()
    while True:
        for _ in range(batch):
            kind.fingerprint(words[hashes % len(words)], salt)
            hashes += 1
        elapsed = clock() - start
        if elapsed >= limit:
            return Measured(scheme, hashes, elapsed)
