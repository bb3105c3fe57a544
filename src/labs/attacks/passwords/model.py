"""How passwords are kept: fingerprints, slow fingerprints, records, policy, and their arithmetic.

Weak and repaired versions stand side by side under one signature: :func:`store_weak` and
:func:`store`, :func:`verify_weak` and :func:`verify`, :func:`login_weak` and :func:`login`,
:func:`refusal_weak` and :func:`refusal`.

Sources: FIPS 180-4 and RFC 1321 (fast hashes), RFC 8018 (PBKDF2), RFC 7914 (scrypt), RFC 9106
(Argon2), the PHC string format, NIST SP 800-63B-4 section 3.1.1.2 (policy), OWASP Password Storage
cheat sheet as of 2026-08-17 (cost profiles), Oechslin, CRYPTO 2003 (rainbow tables).

Text is brought to Unicode's Normalization Form C before it is hashed, as RFC 8265 (OpaqueString)
asks: an ``ö`` typed on one keyboard and an ``o`` with a combining ``¨`` from another are then
the same password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from labs.arguments import real, text, whole

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
"""The fast hash functions of this lab. None of them is fit for storing passwords."""

MAX_PASSWORD = 2**20
"""Longest password, in characters, that is taken: a bound on work, not a policy."""

MAX_ITERATIONS = 2**24
MAX_KEY_BYTES = 4_096
MAX_SCRYPT_MEMORY = 2**30
"""Most memory, in bytes, that :func:`scrypt` takes: 1 GiB, as in the vectors of RFC 7914."""

MAX_SCRYPT_WORK = 2**24
MAX_ARGON2_MEMORY_KIB = 2**21
MAX_ARGON2_WORK_KIB = 2**23
MAX_ARGON2_LANES = 64

PBKDF2_ITERATIONS: Mapping[str, int] = MappingProxyType(
    {"sha256": 600_000, "sha512": 220_000, "sha1": 1_400_000}
)
"""Iterations that OWASP's cheat sheet asks of PBKDF2 (SHA-1 only where it is already in use)."""

SCRYPT_COSTS = ((2**17, 8, 1), (2**16, 8, 2), (2**15, 8, 3), (2**14, 8, 5), (2**13, 8, 10))
"""Equally strong choices of (n, r, p) for scrypt in OWASP's cheat sheet."""

ARGON2ID_COSTS = (
    (47_104, 1, 1),
    (19_456, 2, 1),
    (12_288, 3, 1),
    (9_216, 4, 1),
    (7_168, 5, 1),
)
"""Equally strong choices of (memory in KiB, passes, lanes) for Argon2id in OWASP's cheat sheet."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one guess costs under Argon2id: memory in KiB, passes over it, lanes side by side."""

    memory_kib: int
    passes: int
    lanes: int
    salt_bytes: int = 16
    tag_bytes: int = 32


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "owasp": Profile(19_456, 2, 1),
        "rfc9106-low-memory": Profile(2**16, 3, 4),
        "rfc9106-high-memory": Profile(2**21, 1, 4),
    }
)
"""Published profiles: OWASP's cheat sheet, and RFC 9106 section 4 (both of its choices)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What NIST SP 800-63B-4 asks of passwords (3.1.1.2 and 3.2.2), with lengths in characters."""

    shortest: int = 15
    shortest_with_second_factor: int = 8
    longest_at_least: int = 64
    blocklist: bool = True
    composition_rules: bool = False
    periodic_change: bool = False
    salt_bits: int = 32
    failures: int = 100


NIST = Policy()
"""The policy of NIST SP 800-63B-4 (2025). Salt and failures: at least, and at most, in a row."""


def digest(password: str | bytes, algorithm: str) -> str:
    """The fast fingerprint of a password in lower-case hex. Text is taken as UTF-8, as it stands.

    Args:
        password: Text or bytes.
        algorithm: One of :data:`ALGORITHMS`.

    Raises:
        TypeError: If ``password`` is neither text nor bytes.
        ValueError: If the algorithm is unknown, or the text has no UTF-8 form.

    >>> digest("password", "sha1")
    '5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8'
    """
    if not isinstance(password, str | bytes):
        raise TypeError(f"password must be text or bytes, not {type(password).__name__}")
    data = _utf8(password) if isinstance(password, str) else password
    return hashlib.new(_algorithm(algorithm), data, usedforsecurity=False).hexdigest()


def pbkdf2(
    password: bytes, salt: bytes, *, iterations: int, length: int, algorithm: str = "sha256"
) -> bytes:
    """A key by PBKDF2 with HMAC (RFC 8018): as slow as its iterations, but small in memory.

    Args:
        password: The password as bytes.
        salt: Random bytes, different for each user.
        iterations: Times that HMAC runs, 1 to 16,777,216 (the most in the vectors of RFC 6070).
        length: Bytes wanted, 1 to 4,096.
        algorithm: The hash under HMAC, one of :data:`ALGORITHMS`.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If one is out of range.

    >>> pbkdf2(b"passwd", b"salt", iterations=1, length=8).hex()
    '55ac046e56e3089f'
    """
    return hashlib.pbkdf2_hmac(
        _algorithm(algorithm),
        _octets("password", password),
        _octets("salt", salt),
        whole("iterations", iterations, low=1, high=MAX_ITERATIONS),
        whole("length", length, low=1, high=MAX_KEY_BYTES),
    )


def scrypt(password: bytes, salt: bytes, *, n: int, r: int, p: int, length: int) -> bytes:
    """A key by scrypt (RFC 7914), which needs ``128 * n * r`` bytes of memory for every guess.

    Args:
        password: The password as bytes.
        salt: Random bytes, different for each user.
        n: Size of the table, a power of two.
        r: Block size, in units of 128 bytes.
        p: How often it is done, one after the other or side by side.
        length: Bytes wanted, 1 to 4,096.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If one is out of range, if the table needs more than 1 GiB, or if
            ``n * r * p`` is above 2^24.

    >>> scrypt(b"", b"", n=16, r=1, p=1, length=8).hex()
    '77d6576238657b20'
    """
    _octets("password", password)
    _octets("salt", salt)
    n = whole("n", n, low=2)
    r = whole("r", r, low=1)
    p = whole("p", p, low=1)
    length = whole("length", length, low=1, high=MAX_KEY_BYTES)
    if n & (n - 1):
        raise ValueError(f"n must be a power of two, not {n}")
    if scrypt_memory(n, r) > MAX_SCRYPT_MEMORY:
        raise ValueError(f"n and r must need at most 1 GiB (128 * n * r bytes), not n={n}, r={r}")
    if n * r * p > MAX_SCRYPT_WORK:
        raise ValueError(f"n * r * p must be at most {MAX_SCRYPT_WORK:,}, not {n * r * p:,}")
    # OpenSSL counts the table, its working blocks and p blocks of output; by default it stops
    # at 32 MiB, less than any choice that is recommended.
    limit = 128 * r * (n + p + 2) + 2**16
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=limit, dklen=length)


def scrypt_memory(n: int, r: int) -> int:
    """Bytes of memory that one guess needs under scrypt: ``128 * n * r`` (RFC 7914, section 2).

    >>> scrypt_memory(2**17, 8) // 2**20
    128
    """
    return 128 * whole("n", n, low=2) * whole("r", r, low=1)


def store_weak(password: str) -> str:
    """What to write down for a password, as many sites did it: its MD5 fingerprint."""
    return digest(password, "md5")


def store(password: str, *, profile: str = "owasp") -> str:
    """What to write down for a password: an Argon2id record in PHC form, with a fresh salt.

    The password is brought to NFC first; any text is taken (see :func:`refusal`).

    Raises:
        TypeError: If ``password`` is not text.
        ValueError: If ``profile`` is no key of :data:`PROFILES`, or the text is too long or broken.
        MemoryError: If the machine cannot spare the profile's memory.

    >>> store("correct horse")[:31]
    '$argon2id$v=19$m=19456,t=2,p=1$'
    """
    cost = _profile(profile)
    secret = _normalized(password)
    return _argon2id(secret, secrets.token_bytes(cost.salt_bytes), cost)


def record_with_salt(password: str, salt: bytes, *, profile: str = "owasp") -> str:
    """The record that :func:`store` writes when the dice give this salt.

    For stories and tests that must come out the same twice. A site uses :func:`store`: a salt
    that can be foreseen, or that two users share, is none.

    Args:
        password: The password; it is brought to NFC first.
        salt: 8 to 64 bytes.
        profile: A name in :data:`PROFILES`.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If one is out of range.
        MemoryError: If the machine cannot spare the profile's memory.
    """
    if not 8 <= len(_octets("salt", salt)) <= 64:
        raise ValueError(f"salt must be 8 to 64 bytes, not {len(salt)}")
    return _argon2id(_normalized(password), salt, _profile(profile))


def verify_weak(record: str, password: str) -> bool:
    """Whether the password belongs to the record, compared letter by letter."""
    return record == store_weak(password)


def verify(record: str, password: str) -> bool:
    """Whether the password belongs to an Argon2 record, in a time that does not depend on it.

    Args:
        record: A PHC string of Argon2id, Argon2i or Argon2d, from :func:`store` or another tool.
        password: What the visitor typed; it is brought to NFC first.

    Raises:
        TypeError: If an argument is not text.
        ValueError: If the record is malformed, or asks for more than 2 GiB, 64 lanes or
            8 GiB times passes.
        MemoryError: If the machine cannot spare the memory that the record asks for.

    >>> verify(store("correct horse"), "battery staple")
    False
    """
    parsed = read_record(record)
    return hmac.compare_digest(parsed.tag, _tag(_normalized(password), parsed))


def needs_rehash(record: str, *, profile: str = "owasp") -> bool:
    """Whether any parameter of an Argon2 record is weaker than the profile's.

    Raises:
        TypeError: If the record is not text.
        ValueError: If the record is malformed or the profile unknown.

    >>> needs_rehash(store("correct horse"), profile="rfc9106-low-memory")
    True
    """
    wanted = _profile(profile)
    record_has = read_record(record)
    return (
        record_has.variant != "argon2id"
        or record_has.version < 19
        or record_has.memory_kib < wanted.memory_kib
        or record_has.passes < wanted.passes
        or record_has.lanes < wanted.lanes
        or len(record_has.salt) < wanted.salt_bytes
        or len(record_has.tag) < wanted.tag_bytes
    )


@dataclass(frozen=True, slots=True)
class Record:
    """An Argon2 record, taken apart."""

    variant: str
    version: int
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    tag: bytes


_PHC = re.compile(
    r"\$(argon2(?:id|i|d))(?:\$v=(16|19))?"
    r"\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{6,683})"
)


def read_record(record: str) -> Record:
    """Take an Argon2 record in PHC form apart.

    A record without a version is of version 16 (hexadecimal 10), as the format says.

    Raises:
        TypeError: If ``record`` is not text.
        ValueError: If it is malformed or asks for more than this lab's bounds. The message
            describes the record and does not repeat it: it may be somebody's password.

    >>> read_record("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg").salt
    b'somesalt'
    """
    match = _PHC.fullmatch(text("record", record))
    if not match:
        raise ValueError(
            "record must be an Argon2 record such as $argon2id$v=19$m=19456,t=2,p=1$salt$tag, "
            f"not {_described(record)}"
        )
    variant, version, memory, passes, lanes, salt, tag = match.groups()
    parsed = Record(
        variant,
        int(version or 16),
        int(memory),
        int(passes),
        int(lanes),
        _from_base64("salt", salt),
        _from_base64("tag", tag),
    )
    if parsed.memory_kib < 8 * parsed.lanes:
        raise ValueError(
            f"record must have m of at least 8 times p, not m={memory} with p={lanes} (RFC 9106)"
        )
    if (
        parsed.memory_kib > MAX_ARGON2_MEMORY_KIB
        or parsed.memory_kib * parsed.passes > MAX_ARGON2_WORK_KIB
        or parsed.lanes > MAX_ARGON2_LANES
    ):
        raise ValueError(
            f"record must ask for at most m={MAX_ARGON2_MEMORY_KIB}, p={MAX_ARGON2_LANES} and "
            f"m times t of {MAX_ARGON2_WORK_KIB}, not m={memory}, t={passes}, p={lanes}"
        )
    return parsed


class Login(NamedTuple):
    """What signing in came to: whether the visitor is let in, and the record to keep."""

    accepted: bool
    record: str


_OLD = re.compile(r"[0-9a-f]{32}")


def login_weak(record: str, password: str) -> Login:
    """Sign in against the record and keep it as it is: an MD5 record stays one for ever."""
    if _OLD.fullmatch(record):
        return Login(verify_weak(record, password), record)
    return Login(verify(record, password), record)


def login(record: str, password: str) -> Login:
    """Sign in against the record, and renew it if it is old or cheap.

    The one moment at which a site knows a password is when its owner signs in. So that is when
    an old record turns into a strong one, and nobody has to do anything.

    Args:
        record: An Argon2 record, or an MD5 fingerprint from the old days.
        password: What the visitor typed.

    Returns:
        Whether the password belongs to the record, and the record to keep: unchanged after a
        wrong password, never cheaper than before.

    Raises:
        TypeError: If an argument is not text.
        ValueError: If the record is neither.

    >>> accepted, renewed = login(store_weak("correct horse"), "correct horse")
    >>> accepted, verify(renewed, "correct horse")
    (True, True)
    """
    if _OLD.fullmatch(text("record", record)):
        accepted = _matches_old(record, password)
        return Login(accepted, store(password) if accepted else record)
    accepted = verify(record, password)
    return Login(accepted, store(password) if accepted and needs_rehash(record) else record)


def _matches_old(record: str, password: str) -> bool:
    # The old code hashed whatever bytes the keyboard sent; its owner may have another one now.
    forms = [password, *(unicodedata.normalize(form, password) for form in ("NFC", "NFD"))]
    found = [hmac.compare_digest(record, store_weak(form)) for form in forms]
    return any(found)


def refusal_weak(password: str, user: str, *, second_factor: bool = False) -> str:
    """Why a new password is refused, by the rules of the 2000s; empty if it is taken."""
    del user, second_factor  # the old rules never looked at them
    if not 8 <= len(password) <= 16:
        return "use 8 to 16 characters"
    kinds = (str.isupper, str.islower, str.isdigit, lambda letter: not letter.isalnum())
    if not all(any(kind(letter) for letter in password) for kind in kinds):
        return "use an upper-case letter, a lower-case letter, a digit and a symbol"
    return ""


def refusal(password: str, user: str, *, second_factor: bool = False) -> str:
    """Why a new password is refused, by NIST SP 800-63B-4; empty if it is taken.

    Long enough, not on the list of common passwords, not the name of the user or the service
    with a few digits: that is all. There is no rule about which letters it holds.

    Args:
        password: The new password.
        user: The user's id.
        second_factor: Whether the account also asks for a second factor.

    Raises:
        TypeError: If ``password`` or ``user`` is not text.
        WordlistUnavailable: If the list of common passwords cannot be read.

    >>> refusal("Sommar2026!", "maja")
    'use at least 15 characters; a few words in a row are easy to remember'
    >>> refusal("kanel i alla bullar", "maja")
    ''
    """
    chosen = unicodedata.normalize("NFC", text("password", password)).casefold()
    shortest = NIST.shortest_with_second_factor if second_factor else NIST.shortest
    if len(unicodedata.normalize("NFC", password)) < shortest:
        return f"use at least {shortest} characters; a few words in a row are easy to remember"
    if chosen in _blocklist():
        return "choose another one: it is on the list of passwords that attackers try first"
    letters = "".join(letter for letter in chosen if letter.isalpha())
    names = [name for name in ("kvittra", text("user", user).casefold()) if name]
    if letters and any(letters.replace(name, "") == "" for name in names):
        return "choose another one: it is little more than your name or the name of the service"
    return ""


class WordlistUnavailable(RuntimeError):  # noqa: N818 - says what is wrong
    """The list of common passwords cannot be read; the message says what to do."""


@cache
def common_passwords() -> tuple[str, ...]:
    """The 30,000 most common passwords of public leaks, most common first.

    The list is the data of the package ``zxcvbn`` (MIT license), installed with this one. It
    gives ranks and no counts. It holds words that people do use as passwords, rude ones too.

    Raises:
        WordlistUnavailable: If the package is missing or damaged.

    >>> common_passwords()[:3]
    ('123456', 'password', '12345678')
    """
    remedy = "install it again with: python -m pip install --force-reinstall zxcvbn"
    try:
        from zxcvbn.frequency_lists import FREQUENCY_LISTS

        found = tuple(FREQUENCY_LISTS["passwords"])
    except ImportError:
        raise WordlistUnavailable(
            f"the package zxcvbn, which holds the list of common passwords, is missing; {remedy}"
        ) from None
    except Exception:  # a damaged file may fail in any way
        found = ()
    if len(found) < 30_000 or not all(isinstance(word, str) for word in found):
        raise WordlistUnavailable(
            f"the list of common passwords in the package zxcvbn is damaged; {remedy}"
        )
    return found[:30_000]


@cache
def _blocklist() -> frozenset[str]:
    return frozenset(word.casefold() for word in common_passwords())


def rainbow_success(space: float, *, chains: float, length: int, tables: int = 1) -> float:
    """The chance that rainbow tables find a password drawn from the space (Oechslin, 2003).

    With ``m`` chains over ``N`` passwords, ``m[i + 1] = N * (1 - exp(-m[i] / N))`` are still
    different in the next column, and ``P = 1 - product(1 - m[i] / N)`` over the columns.

    Args:
        space: How many passwords are possible.
        chains: Chains of one table, at most ``space``.
        length: Passwords in one chain, 1 to 1,000,000.
        tables: Tables, each with a reduction of its own, 1 to 1,000,000.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If one is out of range.

    >>> round(rainbow_success(1e6, chains=1000, length=1000), 6)
    0.555769
    """
    space = real("space", space, low=1)
    different = real("chains", chains, above=0, high=space)
    length = whole("length", length, low=1, high=1_000_000)
    tables = whole("tables", tables, low=1, high=1_000_000)
    log_missed = 0.0
    for _ in range(length):
        if different >= space:
            return 1.0
        log_missed += math.log1p(-different / space)
        different = -space * math.expm1(-different / space)
    return -math.expm1(tables * log_missed)


def collision_probability(items: int, space: int) -> float:
    """The chance that at least two of ``items`` random draws from ``space`` values are equal.

    Args:
        items: Draws, such as users with a random salt each.
        space: Equally likely values, such as ``2**32`` for a salt of 32 bits; at most ``2**512``.

    Raises:
        TypeError: If an argument is not a whole number.
        ValueError: If one is out of range.

    >>> round(collision_probability(23, 365), 6)
    0.507297
    """
    n = whole("items", items, low=0)
    space = whole("space", space, low=1, high=2**512)
    if n > space:
        return 1.0
    if n < 2:
        return 0.0
    if n <= 4_096:
        return -math.expm1(math.fsum(math.log1p(-i / space) for i in range(n)))
    # Beyond this, the chance of no collision is below 1e-340: no float can tell it from none.
    if n * (n - 1) // (2 * space) > 800:
        return 1.0
    # Now n is below 0.4 * space. Sum log(1 - x/space) over x = 0 … n-1 by Euler and Maclaurin:
    # the integral (as a series, because its closed form cancels) and the ends; what the slopes
    # at the ends would add is below one part in 10^12.
    last = (n - 1) / space
    series = math.fsum(last ** (k - 1) / (k * (k - 1)) for k in range(2, 60))
    integral = -(n - 1) * series
    return -math.expm1(integral + math.log1p(-last) / 2)


def search_time(alphabet: int, length: int, guesses_per_second: float) -> float:
    """Seconds to try every password of one length; half of it on average.

    Args:
        alphabet: Letters to choose from, 1 to 1,114,112 (all of Unicode).
        length: Letters in the password, 1 to 4,096.
        guesses_per_second: The attacker's rate, above 0.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If one is out of range, or the time is too long for a number.

    >>> round(search_time(26, 8, 164.1e9), 3)
    1.273
    """
    alphabet = whole("alphabet", alphabet, low=1, high=1_114_112)
    length = whole("length", length, low=1, high=4_096)
    rate = real("guesses_per_second", guesses_per_second, above=0)
    try:
        # In whole numbers up to the last division: the space alone may be beyond any float.
        numerator, denominator = rate.as_integer_ratio()
        seconds: float = alphabet**length * denominator / numerator
        return seconds
    except OverflowError:
        raise ValueError(
            f"alphabet, length and guesses_per_second must give fewer than 1e308 seconds, "
            f"not {alphabet}, {length} and {guesses_per_second!r}"
        ) from None


def _algorithm(name: str) -> str:
    if text("algorithm", name) not in ALGORITHMS:
        raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, not {name!r}")
    return name


def _profile(name: str) -> Profile:
    if text("profile", name) not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {name!r}")
    return PROFILES[name]


def _octets(name: str, value: bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{name} must be bytes, not {type(value).__name__}")
    return value


def _utf8(password: str) -> bytes:
    try:
        return password.encode()
    except UnicodeEncodeError:
        raise ValueError(
            "password must be text that has a UTF-8 form, not half of a surrogate pair"
        ) from None


def _normalized(password: str) -> bytes:
    if len(text("password", password)) > MAX_PASSWORD:
        raise ValueError(
            f"password must be text of at most {MAX_PASSWORD:,} characters, not {len(password):,}"
        )
    return _utf8(unicodedata.normalize("NFC", password))


def _described(record: str) -> str:
    if record.startswith("$argon2"):
        return "one with a part missing, added or out of shape"
    return f"{len(record):,} characters that do not begin with $argon2"


def _tag(secret: bytes, record: Record) -> bytes:
    variants = {"argon2id": Type.ID, "argon2i": Type.I, "argon2d": Type.D}
    try:
        return hash_secret_raw(
            secret,
            record.salt,
            time_cost=record.passes,
            memory_cost=record.memory_kib,
            parallelism=record.lanes,
            hash_len=len(record.tag),
            type=variants[record.variant],
            version=record.version,
        )
    except HashingError as error:
        raise MemoryError(
            f"this machine cannot spare the {record.memory_kib:,} KiB that the record asks for"
        ) from error


def _argon2id(secret: bytes, salt: bytes, cost: Profile) -> str:
    blank = Record(
        "argon2id", 19, cost.memory_kib, cost.passes, cost.lanes, salt, bytes(cost.tag_bytes)
    )
    tag = _tag(secret, blank)
    return (
        f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
        f"${_base64(salt)}${_base64(tag)}"
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _from_base64(part: str, value: str) -> bytes:
    try:
        data = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        data = b""
    if _base64(data) != value:
        raise ValueError(f"record must have its {part} in base64 without padding; it has not")
    return data
