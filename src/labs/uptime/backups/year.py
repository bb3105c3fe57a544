"""A year of disasters: a backup plan meets what it was made for, and is judged by what comes back.

The books are real SQLite databases and a backup is made with SQLite's backup API. A plan makes
thousands of copies a year, of which few are ever looked at, so a copy is made from the books *as
they were at that hour* when somebody reads it: a restore test, or a restore in need. What happened
to it on its site since then happens to its bytes. A restore counts only if those bytes equal what
was backed up and the books in them are whole.

Times and sizes stand for a service of ordinary size (:data:`SIZE_BYTES`); money is invented, of a
plausible size. All sites are copied to in full each time; a copy lasts from the moment it has
arrived. While the service is down, customers cannot enter anything, so nothing is lost then.
"""

from __future__ import annotations

import random
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from labs.arguments import real, whole
from labs.uptime.backups import books
from labs.uptime.backups.books import YEAR_H
from labs.uptime.backups.model import restore_time

SIZE_BYTES = 300 * 10**9

Kind: TypeAlias = Literal[
    "deleted table",
    "disk loss",
    "building fire",
    "ransomware",
    "silent corruption",
    "failing job",
    "rotten copies",
]

REBUILD_H: Mapping[Kind, float] = MappingProxyType(
    {
        "deleted table": 0.5,
        "disk loss": 3.0,
        "building fire": 20.0,
        "ransomware": 14.0,
        "silent corruption": 1.0,
    }
)
"""Hours of work after each disaster, besides the copying: find, decide, clean, rent, start."""


KINDS: tuple[Kind, ...] = (*REBUILD_H, "failing job", "rotten copies")
"""Everything that a year holds: the disasters, and two faults that only a test finds in time."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place that can hold copies.

    Args:
        name: What plans call it.
        building: The building it stands in; ``"data center"`` is the one that the service runs in.
        bits_per_second: Speed of copying there and back.
        eur_a_month: Rent.
        eur_a_copy: Price of keeping one copy for a month.
        same_disk: Whether it shares the live database's disk.
        offline: Whether nobody can reach it over the network.
        shortest_interval_h: How often a copy can be brought there at most.
        fetch_h: Hours until the copying back can begin.
    """

    name: str
    building: str
    bits_per_second: float
    eur_a_month: float
    eur_a_copy: float
    same_disk: bool = False
    offline: bool = False
    shortest_interval_h: float = 0.0
    fetch_h: float = 0.0


SITES: Mapping[str, Site] = MappingProxyType(
    {
        site.name: site
        for site in (
            Site("server", "data center", 8e9, 0, 0.2, same_disk=True),
            Site("cellar", "data center", 4e9, 40, 0.3),
            Site("uppsala", "Uppsala", 1e9, 150, 0.8),
            Site("lulea", "Luleå", 5e8, 120, 0.6),
            Site(
                "tape",
                "bank vault",
                2e9,
                90,
                0.1,
                offline=True,
                shortest_interval_h=168,
                fetch_h=6,
            ),
        )
    }
)
"""Where Kvittra could keep copies."""

GIVE_UP_AFTER = 3
"""Copies in a row that turn out bad before a site is given up. Empty files are seen at a glance."""

EUR_A_TEST = 60
LOCK_SURCHARGE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a customer would like to see on one page: how the books are backed up.

    Args:
        interval_h: Hours between the starts of two backups, 1 to 720.
        sites: Names of the sites that get each copy; see :data:`SITES`.
        locked: Those of them on which a copy cannot be changed or removed, by anyone, until
            ``keep_days`` are over. Costs half as much again.
        keep_days: Days for which a copy is kept, 1 to 400.
        test_every_days: Days between restore tests of the newest copy on every site, at least 1;
            ``None`` for never.

    Raises:
        ValueError: If an argument is out of range, a site is unknown or named twice, there is
            none, or a locked site is not among them.
    """

    interval_h: float
    sites: tuple[str, ...]
    locked: tuple[str, ...] = ()
    keep_days: float = 30
    test_every_days: float | None = None

    def __post_init__(self) -> None:
        real("interval_h", self.interval_h, low=1, high=720)
        real("keep_days", self.keep_days, low=1, high=400)
        if self.test_every_days is not None:
            real("test_every_days", self.test_every_days, low=1, high=365)
        if isinstance(self.sites, str) or isinstance(self.locked, str):
            raise TypeError(
                "sites and locked must be collections of names, such as ('lulea',), not one text"
            )
        if not self.sites:
            raise ValueError("sites must name at least one site, not none")
        for name in self.sites:
            if name not in SITES:
                raise ValueError(f"sites must be among {', '.join(SITES)}, not {name!r}")
        if len(set(self.sites)) < len(self.sites):
            raise ValueError(f"sites must be named once each, not {self.sites!r}")
        for name in self.locked:
            if name not in self.sites:
                raise ValueError(f"locked must name sites of the plan, not {name!r}")

    def interval_at(self, name: str) -> float:
        """Hours between two copies on that site: no copying starts before the last has ended."""
        site = SITES[name]
        wanted = max(self.interval_h, site.shortest_interval_h)
        rounds = -(-self.run_h(name) // wanted)
        return wanted * max(1.0, rounds)

    def run_h(self, name: str) -> float:
        """Hours until a copy has arrived on that site."""
        return restore_time(SIZE_BYTES, SITES[name].bits_per_second) / 3600

    @property
    def eur_a_year(self) -> float:
        """What the plan costs a year: rent, room for the copies that are kept, restore tests."""
        total = 0.0
        for name in self.sites:
            site = SITES[name]
            kept = self.keep_days * 24 / self.interval_at(name)
            extra = 1 + LOCK_SURCHARGE * (name in self.locked)
            total += 12 * extra * (site.eur_a_month + kept * site.eur_a_copy)
        if self.test_every_days is not None:
            total += len(self.sites) * EUR_A_TEST * 365 / self.test_every_days
        return total


@dataclass(frozen=True, slots=True)
class Disaster:
    """Something that happens to the books or to the copies.

    Args:
        kind: What happens.
        at_h: When the damage is done.
        noticed_h: When someone sees it.
        site: For rotten copies, the site whose disk goes bad; by default chance chooses one.
    """

    kind: Kind
    at_h: float
    noticed_h: float
    site: str = ""


def disasters(seed: int) -> tuple[Disaster, ...]:
    """A year that has one of each, in an order and at hours that depend on the seed.

    The failing job never comes last, so that another disaster always puts it to the proof. Rotten
    copies are a site's disk going bad: every copy there loses bits until someone finds out.

    >>> sorted(disaster.kind for disaster in disasters(1)) == sorted(KINDS)
    True
    """
    draw = random.Random(f"disasters {whole('seed', seed, low=0)}")
    order = list(KINDS)
    draw.shuffle(order)
    if order[-1] == "failing job":
        order[-1], order[0] = order[0], order[-1]
    slot = (YEAR_H - 1200) / len(order)
    found = []
    for i, kind in enumerate(order):
        at = 600 + slot * (i + draw.random() * 0.4)
        if kind == "deleted table":
            noticed = at + draw.uniform(0.2, 3)
        elif kind == "silent corruption":
            noticed = at + draw.uniform(3 * 24, 14 * 24)
        else:
            noticed = at
        found.append(Disaster(kind, at, noticed))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Recovery:
    """How one disaster ended.

    Args:
        kind: What happened.
        noticed_h: When it was noticed.
        restored_from: The site of the copy that worked; ``""`` when none did.
        copy_at_h: The hour of that copy.
        byte_equal: Whether its bytes equaled what had been backed up.
        lost_h: Hours of work that are gone: from the copy to the moment of notice.
        lost_entries: Entries that had been in the books and are not any more.
        down_h: Hours until customers could work again.
        tried: What each copy that was tried turned out to be, the last one included.
    """

    kind: Kind
    noticed_h: float
    restored_from: str
    copy_at_h: float
    byte_equal: bool
    lost_h: float
    lost_entries: int
    down_h: float
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a restore test brought to light, and when."""

    at_h: float
    site: str
    found: str


@dataclass(frozen=True, slots=True)
class Target:
    """What the business can bear, and pay for."""

    lost_h: float = 12.0
    down_h: float = 24.0
    eur_a_year: float = 12_500.0


TARGET = Target()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan's year."""

    recoveries: tuple[Recovery, ...]
    findings: tuple[Finding, ...]
    tests: int
    eur_a_year: float

    @property
    def worst_lost_h(self) -> float:
        """The largest loss of the year, in hours of work."""
        return max((recovery.lost_h for recovery in self.recoveries), default=0.0)

    @property
    def worst_down_h(self) -> float:
        """The longest outage of the year, in hours."""
        return max((recovery.down_h for recovery in self.recoveries), default=0.0)

    def shortfalls(self, target: Target = TARGET) -> tuple[str, ...]:
        """Why the plan is not good enough, in plain sentences; none if it is."""
        reasons = []
        for recovery in self.recoveries:
            if not recovery.restored_from:
                reasons.append(f"{recovery.kind}: no copy could be restored")
                continue
            # Silent corruption is noticed days late and takes those days with it, whatever the
            # plan; it is a question of having a copy that is old enough.
            if recovery.lost_h > target.lost_h and recovery.kind != "silent corruption":
                reasons.append(
                    f"{recovery.kind}: {recovery.lost_h:.1f} hours of work lost, "
                    f"{target.lost_h:g} can be borne"
                )
            if recovery.down_h > target.down_h:
                reasons.append(
                    f"{recovery.kind}: {recovery.down_h:.1f} hours down, "
                    f"{target.down_h:g} can be borne"
                )
        if self.eur_a_year > target.eur_a_year:
            reasons.append(
                f"the plan costs {self.eur_a_year:,.0f} euro a year, "
                f"{target.eur_a_year:,.0f} are there"
            )
        return tuple(reasons)


def run_year(
    plan: Plan,
    seed: int,
    *,
    folder: Path | None = None,
    events: Sequence[Disaster] | None = None,
) -> Outcome:
    """Let a plan live through the year of that seed.

    Args:
        plan: How the books are backed up.
        seed: Which year of bookkeeping, and of disasters unless ``events`` says otherwise.
        folder: Where the copies that are read are kept as files, one folder for each site;
            ``None`` keeps them in memory. Nothing outside it is written.
        events: What happens, in order of time, instead of the seed's own disasters. The year then
            ends with the last of them.

    Raises:
        ValueError: If an event lies outside the year, is noticed before it happens, or rots a site
            that the plan does not have.

    >>> careful = Plan(
    ...     interval_h=6,
    ...     sites=("cellar", "uppsala", "lulea"),
    ...     locked=("lulea",),
    ...     test_every_days=14,
    ... )
    >>> run_year(careful, seed=1).shortfalls()
    ()
    >>> hopeful = Plan(interval_h=6, sites=("server", "cellar"))
    >>> len(run_year(hopeful, seed=1).shortfalls()) > 1
    True
    """
    if events is None:
        return _Year(plan, seed, folder).run(disasters(seed), YEAR_H)
    for event in events:
        real("at_h", event.at_h, low=0, high=YEAR_H)
        real("noticed_h", event.noticed_h, low=event.at_h, high=YEAR_H)
        if event.site and event.site not in plan.sites:
            raise ValueError(f"site must be one of the plan's, not {event.site!r}")
    end_h = max((event.noticed_h for event in events), default=YEAR_H)
    return _Year(plan, seed, folder).run(events, end_h)


# A stretch of entries, a dropped table, or a corruption: what made the books what they were.
Step: TypeAlias = tuple[str, int, int]

CHUNK = 250
"""Entries that are written at once: books of different hours have all but the last in common."""


class _History(NamedTuple):
    """What became of the books: steps, and the entry from which they have been written since."""

    steps: tuple[Step, ...]
    open_from: int

    def at(self, seed: int, hour: float) -> tuple[Step, ...]:
        """All steps up to that hour."""
        last = books.entries_before(seed, hour)
        # Where a table is missing, SQLite refuses every entry.
        if last <= self.open_from or self.steps[-1:] == (("drop", 0, 0),):
            return self.steps
        return (*self.steps, ("write", self.open_from, last))


def _in_chunks(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    parts: list[Step] = []
    for kind, first, last in steps:
        if kind != "write":
            parts.append((kind, first, last))
            continue
        edges = [first, *range((first // CHUNK + 1) * CHUNK, last, CHUNK), last]
        parts += [("write", a, b) for a, b in pairwise(edges) if a < b]
    return tuple(parts)


def _write_books(live: sqlite3.Connection, seed: int, parts: tuple[Step, ...]) -> None:
    """Make the empty database the books after those steps."""
    if not parts:
        books.create(live)
        return
    books.load(live, _books_after(seed, parts[:-1]))
    kind, first, last = parts[-1]
    if kind == "write":
        books.write(live, books.stream(seed)[first:last])
    elif kind == "drop":
        books.delete_table(live)
    else:
        books.corrupt_silently(live, seed)


# Years of one seed have most of their books in common. What is kept from one year to the next
# follows from the seed and the steps alone, whatever the plan.
@lru_cache(maxsize=32)
def _books_after(seed: int, parts: tuple[Step, ...]) -> bytes:
    with closing(books.connect()) as live:
        _write_books(live, seed, parts)
        return live.serialize()


def _back_up(seed: int, steps: tuple[Step, ...], path: Path | None) -> bytes:
    """A backup, by SQLite's backup API, of the books after those steps."""
    with closing(books.connect()) as live:
        _write_books(live, seed, _in_chunks(steps))
        return books.back_up(live, path)


@lru_cache(maxsize=1024)
def _pristine(seed: int, steps: tuple[Step, ...]) -> tuple[str, int]:
    """What is wrong with a backup in which no bit has changed, and its entries if it is sound."""
    made = _back_up(seed, steps, None)
    verdict = books.examine(made)
    return verdict, 0 if verdict else books.count_entries(made)


@dataclass(slots=True, eq=False)
class _Copy:
    """A copy on a site: what it was made from, and what has been done to it since.

    Most copies are never read, so the steps that made the books in it are worked out when it is.
    """

    site: Site
    made_h: float
    arrived_h: float
    history: _History | None  # none where the job wrote an empty file
    damage: str = ""
    known_bad: bool = False
    sha256: str = ""  # of the file, once it has been made


@dataclass(slots=True)
class _Read:
    """What a reader of a copy finds."""

    verdict: str
    byte_equal: bool
    entries: int


class _Year:
    def __init__(self, plan: Plan, seed: int, folder: Path | None) -> None:
        self.plan = plan
        self.seed = whole("seed", seed, low=0)
        self.folder = folder
        self.copies: dict[str, list[_Copy]] = {name: [] for name in plan.sites}
        self.findings: list[Finding] = []
        self.recoveries: list[Recovery] = []
        self.tests = 0
        self.job_broken = False
        self._history = _History((), 0)
        self._now = 0.0
        self._closed_until = 0.0
        self._corrupt: Disaster | None = None
        self._rotting = ""
        self._next_copy = dict.fromkeys(plan.sites, 0.0)
        self._draw = random.Random(f"year {self.seed}")
        self._run_h = {name: plan.run_h(name) for name in plan.sites}
        self._interval_h = {name: plan.interval_at(name) for name in plan.sites}
        self._copy_back_h = {name: SITES[name].fetch_h + run for name, run in self._run_h.items()}

    def run(self, events: Iterable[Disaster], end_h: float) -> Outcome:
        moments: list[tuple[float, int, Disaster | None]] = []
        for number, disaster in enumerate(events):
            if disaster.noticed_h > disaster.at_h:
                moments.append((disaster.at_h, number, disaster))
            moments.append((disaster.noticed_h, number, disaster))
        if self.plan.test_every_days is not None:
            step = self.plan.test_every_days * 24
            count = int(end_h // step)
            moments += [(step * i, -1, None) for i in range(1, count + 1) if step * i < end_h]
        for at, _, event in sorted(moments, key=lambda moment: moment[:2]):
            self._advance(at)
            if event is None:
                self._test(at)
            elif at < event.noticed_h:
                self._begin(event)
            else:
                self._strike(event)
        return Outcome(
            tuple(self.recoveries), tuple(self.findings), self.tests, self.plan.eur_a_year
        )

    def _advance(self, to: float) -> None:
        """Make the copies that fall due, site by site, and drop those that are out of date."""
        oldest = to - self.plan.keep_days * 24
        for name, there in self.copies.items():
            site, run, interval = SITES[name], self._run_h[name], self._interval_h[name]
            history = None if self.job_broken else self._history
            damage = "rot" if name == self._rotting else ""
            due = self._next_copy[name]
            # Copies that nobody could read any more by now need not be made.
            due += max(0.0, (oldest - run - due) // interval) * interval
            while due <= to:
                if due >= self._closed_until:
                    there.append(_Copy(site, due, due + run, history, damage))
                due += interval
            self._next_copy[name] = due
            expired = bisect_left(there, oldest, key=lambda copy: copy.arrived_h)
            self._remove(there[:expired])
            del there[:expired]
        self._now = to

    def _change(self, kind: str) -> None:
        steps = self._history.at(self.seed, self._now)
        written = books.entries_before(self.seed, self._now)
        self._history = _History((*steps, (kind, 0, 0)), max(self._history.open_from, written))

    def _begin(self, disaster: Disaster) -> None:
        """The damage is done, and nobody has noticed yet."""
        if disaster.at_h < self._closed_until:
            return
        if disaster.kind == "deleted table":
            self._change("drop")
        else:
            self._change("corrupt")
            self._corrupt = disaster

    def _strike(self, disaster: Disaster) -> None:
        kind = disaster.kind
        if kind == "failing job":
            self.job_broken = True
        elif kind == "rotten copies":
            self._rotting = disaster.site or self._draw.choice(self.plan.sites)
            for copy in self.copies[self._rotting]:
                copy.damage = "rot"
        elif kind == "silent corruption" and self._corrupt is None:
            pass  # a restore test has found it before
        else:
            self._destroy(kind)
            self._recover(disaster)

    def _destroy(self, kind: Kind) -> None:
        for name, there in self.copies.items():
            site = SITES[name]
            burned = kind == "building fire" and site.building == "data center"
            if burned or (kind == "disk loss" and site.same_disk):
                self._remove(there)
                there.clear()
            if kind == "ransomware" and not site.offline and name not in self.plan.locked:
                for copy in there:
                    copy.damage = "encrypted"

    def _recover(self, disaster: Disaster) -> None:
        now = disaster.noticed_h
        before = self._history.at(self.seed, now)
        good = [
            copy
            for there in self.copies.values()
            for copy in there
            if copy.made_h <= disaster.at_h and copy.arrived_h <= now
        ]
        good.sort(key=lambda copy: (-copy.made_h, self._copy_back_h[copy.site.name]))
        down = REBUILD_H[disaster.kind]
        tried: list[str] = []
        useless: dict[str, int] = {}
        chosen: _Copy | None = None
        read = _Read("", False, 0)
        for copy in good:
            bad = useless.get(copy.site.name, 0)
            if bad >= GIVE_UP_AFTER or (bad and copy.history is None):
                continue
            read = self._read(copy)
            tried.append(f"{copy.site.name}: {read.verdict or 'restored'}")
            if not read.verdict:
                chosen = copy
                down += self._copy_back_h[copy.site.name]
                break
            useless[copy.site.name] = bad + (copy.history is not None)
            if read.verdict not in ("the file is empty", "it is no database"):
                # What looks like a database is found to be none only after it was copied back.
                down += self._copy_back_h[copy.site.name]
        had = sum(last - first for kind, first, last in before if kind == "write")
        self.recoveries.append(
            Recovery(
                kind=disaster.kind,
                noticed_h=now,
                restored_from=chosen.site.name if chosen else "",
                copy_at_h=chosen.made_h if chosen else 0.0,
                byte_equal=read.byte_equal if chosen else False,
                lost_h=now - chosen.made_h if chosen else now,
                lost_entries=had - (read.entries if chosen else 0),
                down_h=down,
                tried=tuple(tried),
            )
        )
        self._closed_until = now + down
        self._history = _History(
            self._steps_of(chosen) if chosen else (),
            books.entries_before(self.seed, min(self._closed_until, YEAR_H)),
        )
        self._corrupt = None
        # Who has just tried to restore knows what is wrong with job and site, and mends both.
        if any(trial.endswith("the file is empty") for trial in tried):
            self.job_broken = False
        if useless.get(self._rotting):
            self._mend_site()
        for there in self.copies.values():
            self._remove(copy for copy in there if copy.damage == "encrypted")
            there[:] = [copy for copy in there if copy.damage != "encrypted"]

    def _mend_site(self) -> None:
        for copy in self.copies[self._rotting]:
            copy.known_bad = copy.damage == "rot"
        self._rotting = ""

    def _test(self, at: float) -> None:
        if at < self._closed_until:
            return
        corrupt = False
        for name in self.plan.sites:
            there = self.copies[name]
            newest = next(
                (c for c in reversed(there) if c.arrived_h <= at and not c.known_bad), None
            )
            if newest is None:
                continue
            self.tests += 1
            read = self._read(newest)
            if not read.verdict:
                continue
            self.findings.append(Finding(at, name, read.verdict))
            if read.verdict == "the file is empty":
                self.job_broken = False
            elif newest.damage == "rot":
                self._mend_site()
            elif self._corrupt is not None:
                corrupt = True
        if corrupt and self._corrupt is not None:
            self._recover(Disaster("silent corruption", self._corrupt.at_h, at))

    def _steps_of(self, copy: _Copy) -> tuple[Step, ...]:
        return copy.history.at(self.seed, copy.made_h) if copy.history else ()

    def _read(self, copy: _Copy) -> _Read:
        """Read a copy from its site: the bytes that are there today."""
        if copy.history is None:
            return _Read(books.examine(b""), False, 0)
        steps = self._steps_of(copy)
        if self.folder is None:
            if not copy.damage:
                verdict, entries = _pristine(self.seed, steps)
                return _Read(verdict, True, entries)
            made = _back_up(self.seed, steps, None)
            there = self._damaged(copy, made)
            equal = there == made
        else:
            path = self._path(copy)
            if not copy.sha256:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                copy.sha256 = books.fingerprint(_back_up(self.seed, steps, path))
            if copy.damage:
                # Once: a copy that was found to be bad is not read again.
                path.write_bytes(self._damaged(copy, path.read_bytes()))
            there = path.read_bytes()
            equal = books.fingerprint(there) == copy.sha256
        verdict = books.examine(there)
        if not equal and not verdict:
            # The database engine cannot see every flipped bit; the checksum can.
            verdict = "its bytes are not what was backed up"
        return _Read(verdict, equal, 0 if verdict else books.count_entries(there))

    def _path(self, copy: _Copy) -> Path:
        assert self.folder is not None
        return self.folder / copy.site.name / f"books-{copy.made_h:07.2f}.sqlite"

    def _remove(self, copies: Iterable[_Copy]) -> None:
        """Copies that are out of date, or were where a disaster was, are gone as files too."""
        if self.folder is None:
            return
        for copy in copies:
            if copy.sha256:
                self._path(copy).unlink()

    def _damaged(self, copy: _Copy, made: bytes) -> bytes:
        if copy.damage == "encrypted":
            key = random.Random(f"key {self.seed} {copy.made_h}").getrandbits(8 * len(made))
            return (int.from_bytes(made) ^ key).to_bytes(len(made))
        if copy.damage == "rot":
            draw = random.Random(f"rot {self.seed} {copy.made_h}")
            there = bytearray(made)
            for _ in range(8):
                there[draw.randrange(len(there))] ^= 1 << draw.randrange(8)
            return bytes(there)
        return made


UNNOTICED_DAYS = 21
"""For how long, in :func:`meet`, a job has failed or a disk has rotted before a copy is needed."""


def meet(kind: Kind, site: str, *, seed: int, locked: bool = False) -> Recovery:
    """How one disaster ends for a plan with copies on that site only, every six hours.

    A failing job and rotten copies do no harm by themselves, so a table is deleted three weeks
    later. Silent corruption is noticed after ten days. No restore is ever tested.

    Args:
        kind: What happens, on an afternoon in the eleventh week.
        site: The site, one of :data:`SITES`.
        seed: Which year of bookkeeping; it also decides the hour.
        locked: Whether the copies there cannot be changed or removed.

    >>> meet("building fire", "cellar", seed=1).restored_from
    ''
    >>> meet("building fire", "lulea", seed=1).restored_from
    'lulea'
    """
    plan = Plan(interval_h=6, sites=(site,), locked=(site,) if locked else (), keep_days=60)
    draw = random.Random(f"meet {whole('seed', seed, low=0)}")
    at_h = 73 * 24 + draw.uniform(12, 18)
    if kind in ("failing job", "rotten copies"):
        needed_h = at_h + UNNOTICED_DAYS * 24
        events = [Disaster(kind, at_h, at_h), Disaster("deleted table", needed_h, needed_h)]
    elif kind == "silent corruption":
        events = [Disaster(kind, at_h, at_h + 10 * 24)]
    else:
        events = [Disaster(kind, at_h, at_h)]
    (recovery,) = run_year(plan, seed, events=events).recoveries
    return recovery
