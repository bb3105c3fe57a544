"""Session ids and session stores: how long guessing takes, what samples reveal, when ids end.

Guessing: among ``2**bits`` possible ids, ``sessions`` are live. Guesses are all different, and the
first hit counts. Its mean position is ``(2**bits + 1) / (sessions + 1)``, the mean minimum of a
sample drawn without replacement. (The OWASP Session Management cheat sheet rounds this to
``2**bits / sessions``.)

Estimating: three estimates of the entropy of an id, from ids alone. Each sees some patterns and is
blind to others, so each is an upper limit for whoever knows no more than the sample.

Storing: a session store as five functions over a dictionary, weak and repaired under one signature.

Sources: OWASP Session Management cheat sheet; OWASP ASVS 5.0, 7.2.3 (128 bits) and 7.2.4 (a new
token at sign-in); draft-ietf-httpbis-rfc6265bis (cookies and the prefix ``__Host-``).
"""

from __future__ import annotations

import bz2
import hashlib
import itertools
import math
import random
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from labs.arguments import real, text, whole
from labs.kvittra.sessions import new_session_id_weak

SECONDS_A_YEAR = 365.25 * 86_400
"""A year of 365.25 days, in seconds."""

MAX_BITS = 512
MAX_IDS = 5_000
MAX_ID_LENGTH = 256

IDLE_S = 30 * 60.0
"""A session ends this long after its last request, in seconds."""

ABSOLUTE_S = 8 * 60 * 60.0
"""A session ends this long after signing in, however busy it is, in seconds."""


def mean_guesses(bits: int, sessions: int) -> float:
    """Different guesses until the first hit, on average.

    Args:
        bits: Random bits in an id, 1 to 512.
        sessions: Live sessions, 1 to ``2**bits``.

    Raises:
        TypeError: If an argument is not a whole number.
        ValueError: If one is out of range.

    >>> mean_guesses(1, 1)
    1.5
    """
    bits = whole("bits", bits, low=1, high=MAX_BITS)
    ids = 1 << bits
    return (ids + 1) / (whole("sessions", sessions, low=1, high=ids) + 1)


def years_to_guess(bits: int, *, guesses_per_second: float, sessions: int) -> float:
    """Years until somebody who guesses session ids hits the first, on average.

    Args:
        bits: Random bits in an id, 1 to 512.
        guesses_per_second: Guesses that the service answers, above 0.
        sessions: Live sessions, 1 to ``2**bits``: any of them will do.

    Returns:
        Years of 365.25 days.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If one is out of range.

    >>> round(years_to_guess(64, guesses_per_second=10_000, sessions=100_000))
    585
    """
    rate = real("guesses_per_second", guesses_per_second, above=0)
    return mean_guesses(bits, sessions) / rate / SECONDS_A_YEAR


def span(years: float) -> str:
    """A time as people say it.

    >>> span(585.2), span(4.3 / SECONDS_A_YEAR), span(3.4e21)
    ('585 years', '4.3 seconds', '3.4e+21 years')
    """
    years = real("years", years, low=0)
    seconds = years * SECONDS_A_YEAR
    if seconds < 0.1:
        return "less than a tenth of a second"
    units = (("second", 1.0), ("minute", 60.0), ("hour", 3_600.0), ("day", 86_400.0))
    following = (60.0, 3_600.0, 86_400.0, SECONDS_A_YEAR)
    for (unit, size), limit in zip(units, following, strict=True):
        if seconds < limit:
            return f"{seconds / size:.1f} {unit}s"
    if years < 10:
        return f"{years:.1f} years"
    return f"{years:,.0f} years" if years < 1e6 else f"{years:.2g} years"


# What a sample reveals.


def _checked(ids: Sequence[str]) -> list[str]:
    if isinstance(ids, str):
        raise TypeError(f"ids must be a sequence of texts, not one text, {ids[:20]!r}")
    kept = [text("ids", one) for one in ids]
    if not 2 <= len(kept) <= MAX_IDS:
        raise ValueError(f"ids must be 2 to {MAX_IDS:,} ids, not {len(kept):,}")
    longest = max(map(len, kept))
    if not 1 <= longest <= MAX_ID_LENGTH:
        raise ValueError(f"ids must have 1 to {MAX_ID_LENGTH} characters, not {longest:,}")
    return [one.ljust(longest, "\0") for one in kept]


def _entropy(values: Sequence[Any]) -> float:
    total = len(values)
    return sum(-n / total * math.log2(n / total) for n in Counter(values).values())


def position_entropies(ids: Sequence[str]) -> list[float]:
    """The entropy of each position of the ids, in bits, from how often each character stands there.

    Args:
        ids: 2 to 5,000 ids of at most 256 characters. Shorter ones are filled up at the end.

    Raises:
        TypeError: If it is no sequence of texts.
        ValueError: If there are too few or too many, or one is too long.

    >>> position_entropies(["a0", "a1", "a0", "a1"])
    [0.0, 1.0]
    """
    return [_entropy(column) + 0.0 for column in zip(*_checked(ids), strict=True)]


def position_bits(ids: Sequence[str]) -> float:
    """The entropy of an id if its positions had nothing to do with each other, in bits.

    Arguments and errors are those of :func:`position_entropies`.
    """
    return sum(position_entropies(ids))


def difference_bits(ids: Sequence[str]) -> float:
    """The entropy of the step from one id to the next, position by position, in bits.

    Hexadecimal ids of one length are subtracted as numbers, all others letter by letter. It finds
    counters and clocks, which walk through all characters in equal steps. Arguments and errors are
    those of :func:`position_entropies`; ids must be in the order in which they were given out, and
    at least three.

    >>> difference_bits([f"{n:04x}" for n in range(200)])
    0.0
    """
    kept = _checked(ids)
    if len(kept) < 3:
        raise ValueError(f"ids must be at least 3 to have differences, not {len(kept)}")
    pairs = list(itertools.pairwise(kept))
    width = len(kept[0])
    if set().union(*kept) <= set("0123456789abcdef"):
        modulus = 16**width
        steps = [f"{(int(b, 16) - int(a, 16)) % modulus:0{width}x}" for a, b in pairs]
    else:
        steps = [
            "".join(chr((ord(y) - ord(x)) % 128) for x, y in zip(a, b, strict=True))
            for a, b in pairs
        ]
    return position_bits(steps)


def compression_bits(ids: Sequence[str]) -> float:
    """What a general compressor (bzip2) needs for one id more, in bits.

    It compresses the first half and the whole, and looks at the growth, so that the head of the
    file does not count. Arguments and errors are those of :func:`position_entropies`.
    """
    kept = _checked(ids)
    half = len(kept) // 2

    def size(some: Sequence[str]) -> int:
        # Column by column: what stays the same from id to id then stands side by side.
        columns = "".join(itertools.chain.from_iterable(zip(*some, strict=True)))
        return 8 * len(bz2.compress(columns.encode("utf-8", "surrogatepass")))

    return max(0.0, (size(kept) - size(kept[:half])) / (len(kept) - half))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Three estimates of the entropy of an id, in bits."""

    positions: float
    differences: float
    compression: float

    @property
    def least(self) -> float:
        """The smallest of them: what the ids have at most."""
        return min(self.positions, self.differences, self.compression)


def estimate(ids: Sequence[str]) -> Estimate:
    """All three estimates. Arguments and errors are those of :func:`difference_bits`."""
    return Estimate(position_bits(ids), difference_bits(ids), compression_bits(ids))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to make session ids.

    Attributes:
        name: What it is.
        make: Makes an id from (source of chance, serial number, now in seconds).
        candidates: Ids that the next one can be, for somebody who knows the recipe and has just
            been given one; the next visitor comes 40 to 400 ms later.
    """

    name: str
    make: Callable[[random.Random, int, float], str]
    candidates: int

    @property
    def bits(self) -> float:
        """The bits that somebody who knows the recipe has to guess."""
        return math.log2(self.candidates)


def _hashed_counter(_chance: random.Random, serial: int, _now: float) -> str:
    return hashlib.sha256(str(serial).encode()).hexdigest()[:32]


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(
                "time and counter",
                lambda chance, serial, now: new_session_id_weak(chance.randbytes, serial, now),
                361,
            ),
            Recipe("32 random bits", lambda chance, _s, _n: chance.randbytes(4).hex(), 2**32),
            Recipe("hash of a counter", _hashed_counter, 1),
            Recipe("128 random bits", lambda chance, _s, _n: chance.randbytes(16).hex(), 2**128),
        )
    }
)
"""Four ways to make session ids, by name. The first is that of Kvittra's weak edition."""


def sample_ids(recipe: str, count: int = 200, *, seed: int = 8) -> list[str]:
    """Ids as somebody collects them who asks a service for a new session again and again.

    Args:
        recipe: A name from :data:`RECIPES`.
        count: How many, 1 to 5,000.
        seed: Seeds the chance and the moments of asking, which lie 40 to 400 ms apart.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If there is no such recipe, or ``count`` is out of range.

    >>> sample_ids("hash of a counter", 2)
    ['6b86b273ff34fce19d6b804eff5a3f57', 'd4735e3a265e16eee03f59718b9b5d03']
    """
    if text("recipe", recipe) not in RECIPES:
        raise ValueError(f"recipe must be one of {', '.join(RECIPES)}, not {recipe!r}")
    count = whole("count", count, low=1, high=MAX_IDS)
    chance = random.Random(f"{recipe}/{whole('seed', seed)}")
    now = 1_794_830_400.0
    ids = []
    for serial in range(1, count + 1):
        now += chance.uniform(0.040, 0.400)
        ids.append(RECIPES[recipe].make(chance, serial, now))
    return ids


# A session store: id to what the service remembers about it.

Sessions = dict[str, Any]


def start_weak(sessions: Sessions, now: float) -> str:
    """Begin a session for a visitor who has not signed in; return its id."""
    id = f"{int(now * 1000):012x}{len(sessions):08x}"
    sessions[id] = {"user": None, "started": now, "seen": now}
    return id


def start(sessions: Sessions, now: float) -> str:
    """Begin a session for a visitor who has not signed in; return its id."""
    id = secrets.token_hex(16)
    sessions[id] = {"user": None, "started": now, "seen": now}
    return id


def sign_in_weak(sessions: Sessions, id: str, user: str, now: float) -> str:
    """Sign ``user`` in; return the id that the browser sends from now on."""
    sessions.setdefault(id, {"started": now, "seen": now})["user"] = user
    return id


def sign_in(sessions: Sessions, id: str, user: str, now: float) -> str:
    """Sign ``user`` in; return the id that the browser sends from now on."""
    sessions.pop(id, None)
    new = start(sessions, now)
    sessions[new]["user"] = user
    return new


def find_weak(sessions: Sessions, id: str, now: float) -> str | None:
    """The user whose request brings ``id``, or ``None``."""
    del now
    return sessions[id]["user"] if id in sessions else None


def find(sessions: Sessions, id: str, now: float) -> str | None:
    """The user whose request brings ``id``, or ``None``."""
    session = sessions.get(id)
    if session is None:
        return None
    if now - session["seen"] >= IDLE_S or now - session["started"] >= ABSOLUTE_S:
        del sessions[id]
        return None
    session["seen"] = now
    user: str | None = session["user"]
    return user


def sign_out_weak(sessions: Sessions, id: str) -> None:
    """End one session. The page has told the browser to forget its cookie."""
    del sessions, id


def sign_out(sessions: Sessions, id: str) -> None:
    """End one session. The page has told the browser to forget its cookie."""
    sessions.pop(id, None)


def end_all_weak(sessions: Sessions, user: str) -> None:
    """End every session of ``user``, who has chosen a new password."""
    del sessions, user


def end_all(sessions: Sessions, user: str) -> None:
    """End every session of ``user``, who has chosen a new password."""
    for id in [id for id, session in sessions.items() if session["user"] == user]:
        del sessions[id]


def session_cookie_weak(value: str) -> str:
    """The ``Set-Cookie`` line that hands a browser its session id."""
    return f"session={value}"


def session_cookie(value: str) -> str:
    """The ``Set-Cookie`` line that hands a browser its session id."""
    return f"__Host-session={value}; Path=/; Secure; HttpOnly; SameSite=Lax"
