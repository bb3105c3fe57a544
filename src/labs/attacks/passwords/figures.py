"""The pictures of the lesson; each text alternative is computed from what is drawn."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from labs.attacks.passwords import leak, model
from labs.attacks.passwords.rainbow import RainbowTable, salted_fingerprint
from labs.teaching import Picture, Shown, Table, axes, picture
from labs.teaching.pictures import DASHES, INK, MARKERS, MUTED, SERIES

_TITLES = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha512": "SHA-512",
    "pbkdf2-sha256-999": "PBKDF2, 999 rounds",
    "pbkdf2-sha256-600000": "PBKDF2, 600,000 rounds",
    "bcrypt-5": "bcrypt, cost 5",
    "bcrypt-10": "bcrypt, cost 10",
    "bcrypt-12": "bcrypt, cost 12",
    "scrypt-16384": "scrypt, n = 16,384",
    "argon2id": "Argon2id",
}


def recording() -> bool:
    """Whether outputs are being stored, so that nothing may depend on the machine."""
    return bool(os.environ.get("LABS_RECORD"))


def leaked(tables: Iterable[leak.LeakedTable], users: Sequence[str]) -> Table:
    """The records of some users, as each way of keeping passwords leaves them in the table."""
    rows = []
    for table in tables:
        records = [table.record(table.users.index(user)) for user in users]
        rows.append([table.scheme.title, *map(_shortened, records)])
    return Table(
        "The same accounts in the leaked table, kept in six ways. Long records are shortened.",
        ["kept as", *users],
        rows,
    )


def _shortened(record: str) -> str:
    return record if len(record) <= 24 else f"{record[:12]}…{record[-8:]}"


def attacks(done: Iterable[leak.Attack]) -> Table:
    """What each attack cost and gained."""
    return Table(
        "A dictionary attack on the table, kept in different ways.",
        ["kept as", "hashes computed", "accounts opened", "of"],
        [
            [leak.SCHEMES[one.scheme].title, one.hashes, len(one.opened), one.accounts]
            for one in done
        ],
    )


@dataclass(frozen=True)
class _Progress(Shown):
    """How far a measurement has come."""

    done: int
    of: int
    doing: str

    def html(self) -> str:
        return (
            f'<p><label>Measuring {self.doing} <progress value="{self.done}" max="{self.of}">'
            f"{self.done} of {self.of}</progress></label></p>"
        )

    def text(self) -> str:
        return f"Measuring {self.doing}: {'#' * self.done}{'.' * (self.of - self.done)}"


def measure_rates() -> list[leak.Measured]:
    """Measure this machine under each scheme that hashes, with a progress bar."""
    keys = [key for key in leak.SCHEMES if key != "plain"]
    # While outputs are stored, no rate of this machine is shown: a moment of each is enough.
    seconds = 0.01 if recording() else 0.25
    rates = []
    for number, key in enumerate(keys):
        _say(_Progress(number, len(keys), leak.SCHEMES[key].title))
        rates.append(leak.measure(key, seconds=seconds))
    _say(None)
    return rates


def _say(progress: _Progress | None) -> None:
    if not _live():
        return
    shell: Any = import_module("IPython.display")
    shell.clear_output(wait=progress is not None)
    if progress is not None:
        shell.display(progress)


def _rounded(one: leak.Measured) -> int:
    """Two digits that count; the rest changes from run to run."""
    return int(float(f"{one.per_second:.1e}"))


def accounts_fallen(argon2id_per_second: int = 1_000) -> Picture:
    """Accounts fallen over time, for each way of keeping them, on one graphics card.

    Args:
        argon2id_per_second: Guesses a second under Argon2id. It is assumed: no published figure
            is solid enough.
    """
    curves = [
        ("MD5", "md5", leak.PUBLISHED_RATES["md5"]),
        ("SHA-256, or one salt for the site", "site_salt", leak.PUBLISHED_RATES["sha256"]),
        ("SHA-256, a salt for each user", "user_salt", leak.PUBLISHED_RATES["sha256"]),
        ("PBKDF2, 600,000 rounds", "user_salt", leak.DERIVED_RATES["pbkdf2-sha256-600000"]),
        (f"Argon2id, assumed {argon2id_per_second:,} a second", "argon2id", argon2id_per_second),
    ]
    figure, ax = axes(height=4.0)
    said = []
    everyone = len(leak.accounts())
    for number, (label, scheme, rate) in enumerate(curves):
        hashes = leak.falls(scheme)
        seconds = [needed / rate for needed in hashes]
        ax.step(
            [1e-12, *seconds, 1e6],
            [0, *range(1, len(seconds) + 1), len(seconds)],
            where="post",
            color=SERIES[number],
            linestyle=DASHES[number],
            label=label,
        )
        said.append(
            f"{label}: {leak.fallen_after(scheme, 1, rate)} after a second, "
            f"{leak.fallen_after(scheme, 60, rate)} after a minute, "
            f"all {len(hashes)} on the list after {_duration(seconds[-1])}"
        )
    ax.axvline(60, color=MUTED, linewidth=1)
    ax.text(75, 1, "one minute", color=MUTED, fontsize=9)
    ax.set(
        xscale="log",
        xlim=(1e-11, 1e6),
        ylim=(0, everyone),
        xlabel="seconds since the table leaked",
        ylabel=f"accounts open, of {everyone}",
    )
    ax.legend(fontsize=8.5, loc="upper left")
    return picture(
        figure,
        alt=f"Accounts open over time, of {everyone}, on one graphics card. {'; '.join(said)}. "
        f"In plain text all {everyone} are open at once.",
        caption="Rates of one RTX 4090 as published for hashcat 6.2.6, PBKDF2 computed from it; "
        "the rate for Argon2id is an assumption that you can change.",
    )


def _duration(seconds: float) -> str:
    units = (
        ("days", 86_400),
        ("hours", 3_600),
        ("minutes", 60),
        ("seconds", 1),
        ("milliseconds", 1e-3),
        ("microseconds", 1e-6),
    )
    for unit, size in units:
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} nanoseconds"


def guess_rates(own: Sequence[leak.Measured] = ()) -> Picture:
    """Guesses per second of one graphics card, and of this machine where it was measured.

    Args:
        own: Measurements of this machine; they are left out while outputs are stored.
    """
    published, derived = dict(leak.PUBLISHED_RATES), dict(leak.DERIVED_RATES)
    rows = sorted({**published, **derived}.items(), key=lambda row: row[1])
    figure, ax = axes(height=4.0)
    for place, (key, rate) in enumerate(rows):
        made = key in derived
        ax.plot([1, rate], [place, place], color=SERIES[0], linewidth=6, alpha=0.35, linestyle="-")
        ax.plot(
            rate,
            place,
            marker=MARKERS[1 if made else 0],
            color=SERIES[1 if made else 0],
            linestyle="",
        )
        ax.text(rate * 2, place, f"{rate:,.0f}", va="center", fontsize=8.5, color=INK)
    names = [_TITLES[key] for key, _ in rows]
    here = (
        [] if recording() else [one for one in own if one.scheme in ("md5", "sha256", "argon2id")]
    )
    for one in here:
        title = _TITLES[one.scheme]
        if title not in names:
            names.insert(0, title)
            for line in ax.lines:
                line.set_ydata([float(value) + 1 for value in line.get_ydata()])
            for words in ax.texts:
                words.set_y(words.get_position()[1] + 1)
    for one in here:
        place = names.index(_TITLES[one.scheme])
        ax.plot(one.per_second, place, marker=MARKERS[3], color=SERIES[3], linestyle="")
    ax.set_yticks(range(len(names)), names)
    ax.set(xscale="log", xlim=(1, 1e14), xlabel="guesses a second")
    for marker, series, label in ((0, 0, "published"), (1, 1, "computed from it")):
        ax.plot([], [], MARKERS[marker], color=SERIES[series], linestyle="", label=label)
    if here:
        ax.plot([], [], MARKERS[3], color=SERIES[3], linestyle="", label="this machine, one core")
    ax.legend(loc="lower right", fontsize=9)
    said = "; ".join(
        f"{_TITLES[key]} {rate:,.0f}{' (computed)' if key in derived else ''}"
        for key, rate in reversed(rows)
    )
    mine = "; ".join(f"{_TITLES[one.scheme]} {_rounded(one):,}" for one in here)
    return picture(
        figure,
        alt=f"Guesses a second of one graphics card: {said}."
        + (f" This machine: {mine}." if mine else ""),
        caption="One RTX 4090, hashcat 6.2.6, as published. No published figure for Argon2id is "
        "solid enough to be drawn.",
    )


def rainbow() -> Picture:
    """How often a real rainbow table succeeds, Oechslin's formula, and what a salt does to it."""
    chains, lengths = 100, (5, 10, 20, 40, 60, 80, 100, 140, 200)
    curve = list(range(1, 201))
    formula = [model.rainbow_success(10_000, chains=chains, length=n) for n in curve]
    tables = [RainbowTable("0123456789", 4, chains=chains, chain_length=n) for n in lengths]
    tried = tables[4].password(2_603), tables[4].password(4_711), tables[4].password(7_042)
    salted = [salted_fingerprint(word, b"\x8f\x02\x5c\xd1") for word in tried]
    behind = [sum(table.lookup(one) is not None for one in salted) for table in tables]
    figure, ax = axes(height=3.4)
    ax.plot(curve, formula, color=SERIES[0], linestyle="-", label="the formula")
    ax.plot(
        lengths,
        [table.covered for table in tables],
        MARKERS[1],
        color=SERIES[1],
        linestyle="",
        label="a real table",
    )
    ax.plot(
        lengths,
        [found / len(salted) for found in behind],
        MARKERS[3],
        color=SERIES[3],
        linestyle="",
        label="the same table, behind a salt",
    )
    ax.set(ylim=(-0.03, 1), xlabel="passwords in a chain", ylabel="share of passwords found")
    ax.legend(loc="upper left")
    said = ", ".join(
        f"{n}: {table.covered:.0%} (formula {formula[n - 1]:.0%})"
        for n, table in zip(lengths, tables, strict=True)
    )
    return picture(
        figure,
        alt=f"Share of the 10,000 four-digit passwords that a rainbow table of {chains} chains "
        f"finds, by chain length. {said}. Of {len(salted)} salted fingerprints each table found "
        f"{max(behind)}.",
        caption=f"{chains} chains over all passwords of four digits, MD5. The table keeps "
        f"{2 * chains} numbers however long its chains are.",
    )


@cache
def _milliseconds_here() -> dict[str, float]:
    """How long one guess takes on this machine, at OWASP's setting of each function."""
    n, r, p = model.SCRYPT_COSTS[0]
    rounds = model.PBKDF2_ITERATIONS["sha256"]
    salt = bytes(16)
    guesses: dict[str, Callable[[], object]] = {
        "Argon2id": lambda: model.record_with_salt("123456", salt),
        "scrypt": lambda: model.scrypt(b"123456", salt, n=n, r=r, p=p, length=32),
        "PBKDF2": lambda: model.pbkdf2(b"123456", salt, iterations=rounds, length=32),
    }
    took = {}
    for name, guess in guesses.items():
        start = time.perf_counter()
        guess()
        took[name] = 1_000 * (time.perf_counter() - start)
    return took


def _live() -> bool:
    return not recording() and ("ipykernel" in sys.modules or sys.platform == "emscripten")


def argon2id_cost(memory_mib: int, passes: int, lanes: int) -> Picture:
    """What one guess costs under Argon2id, beside the published profiles, scrypt and PBKDF2.

    Args:
        memory_mib: Memory in MiB.
        passes: Passes over the memory.
        lanes: Lanes side by side.
    """
    owasp = model.PROFILES["owasp"]
    owasp_mib = owasp.memory_kib * owasp.passes / 1024
    scrypt_mib = model.scrypt_memory(*model.SCRYPT_COSTS[0][:2]) // 2**20
    work = memory_mib * passes / owasp_mib
    figure, ax = axes(height=3.8)
    for level in (1, 10):
        ends = (3, 8_000)
        at = [level * owasp_mib / mib for mib in ends]
        ax.plot(ends, at, color=MUTED, linestyle="-" if level == 1 else ":", linewidth=1)
        ax.text(level * owasp_mib / 0.85, 0.76, f"{level} × OWASP", color=MUTED, fontsize=8.5)
    ax.axvline(scrypt_mib, color=MUTED, linestyle="--", linewidth=1)
    ax.text(scrypt_mib * 1.06, 5.6, "scrypt", color=MUTED, fontsize=8.5)
    groups = (
        ("OWASP", [(m, t) for m, t, _ in model.ARGON2ID_COSTS], 0),
        ("RFC 9106", [(2**16, 3), (2**21, 1)], 1),
    )
    for label, points, number in groups:
        ax.plot(
            [m / 1024 for m, _ in points],
            [t for _, t in points],
            MARKERS[number],
            color=SERIES[number],
            linestyle="",
            label=label,
        )
    ax.plot(
        memory_mib, passes, MARKERS[5], color=SERIES[3], markersize=13, linestyle="", label="yours"
    )
    ax.set(
        xscale="log",
        xlim=(5, 4_000),
        yscale="log",
        ylim=(0.7, 7),
        xlabel="memory for one guess (MiB)",
        ylabel="passes",
    )
    ax.set_xticks([8, 16, 64, 256, 1024], ["8", "16", "64", "256", "1,024"])
    ax.set_yticks([1, 2, 3, 4, 5], ["1", "2", "3", "4", "5"])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    words = _cost_in_words(memory_mib, passes, lanes, work)
    return picture(
        figure,
        alt=f"{words} Lines join settings of equal work. OWASP's five choices: "
        + ", ".join(f"{m / 1024:.0f} MiB with {t}" for m, t, _ in model.ARGON2ID_COSTS)
        + f". RFC 9106: 64 MiB with 3, 2,048 MiB with 1. A dashed line marks the {scrypt_mib} MiB "
        "of scrypt with n = 2^17; PBKDF2 needs no memory to speak of.",
        caption=words,
    )


def _cost_in_words(memory_mib: int, passes: int, lanes: int, work: float) -> str:
    enough = any(memory_mib * 1024 >= m and passes >= t for m, t, _ in model.ARGON2ID_COSTS)
    compared = "as much work as" if round(work, 2) == 1 else f"{work:.3g} times the work of"
    fits = round(1024 / memory_mib, 1)
    at_once = f"{fits:.0f} guesses" if fits >= 1 else "less than one guess"
    words = [
        f"{memory_mib:,} MiB, {passes} {'pass' if passes == 1 else 'passes'}, "
        f"{lanes} {'lane' if lanes == 1 else 'lanes'}: {compared} "
        f"19 MiB with 2 passes, {'at least' if enough else 'less than'} OWASP's cost.",
        f"In each GiB of memory an attacker works on {at_once} at a time.",
    ]
    if lanes > 1:
        words.append(
            f"With {lanes} lanes, {lanes} processors can share one sign-in; the attacker's bill "
            "stays the same."
        )
    if _live():
        here = _milliseconds_here()
        processors = 1 if sys.platform == "emscripten" else os.cpu_count() or 1
        own = here["Argon2id"] * work / min(lanes, processors)
        words.append(
            f"On this machine a sign-in takes about {own:,.0f} milliseconds; scrypt takes "
            f"{here['scrypt']:,.0f} and PBKDF2 {here['PBKDF2']:,.0f} at OWASP's settings."
        )
    return " ".join(words)


def birthday() -> Picture:
    """The chance that two users share a salt, by the number of users and the salt's length."""
    figure, ax = axes(height=3.4)
    users = [round(10 ** (step / 8)) for step in range(81)]
    said = []
    for number, bits in enumerate((16, 32, 48, 64)):
        chances = [model.collision_probability(n, 2**bits) for n in users]
        ax.plot(
            users, chances, color=SERIES[number], linestyle=DASHES[number], label=f"{bits} bits"
        )
        said.append(
            f"{bits} bits: {model.collision_probability(1_000, 2**bits):.2g} for 1,000 users, "
            f"{model.collision_probability(1_000_000, 2**bits):.2g} for a million"
        )
    ax.set(xscale="log", xlabel="users", ylabel="chance of a shared salt", ylim=(0, 1.02))
    ax.legend(title="salt", loc="center left")
    return picture(
        figure,
        alt="Chance that at least two users share a salt. " + "; ".join(said) + ". With 128 bits "
        f"and a billion users: {model.collision_probability(10**9, 2**128):.2g}.",
        caption="With 32 bits, the least that NIST allows, 77,164 users are enough for an even "
        "chance. With the usual 128 bits, two users never meet in practice.",
    )
