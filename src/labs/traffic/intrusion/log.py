"""A month of Kvittra's access log: honest work, machines that mean no harm, and intrusions.

The log is in the *combined* format that web servers write and other tools read. As at many
services, the user field of a login holds the name that was tried. Addresses come from the ranges
that are reserved for benchmarks and documentation (RFC 2544, RFC 3849), the same for friend and
foe.

Who did what is kept apart, in ``Log.campaign`` and ``Log.campaigns``, for grading only. The same
seed gives the same month, and the same honest work however the intruders hide.
"""

from __future__ import annotations

import math
import random
from bisect import bisect, bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from labs.arguments import whole
from labs.kvittra.cast import USERS

DAYS = 28
DAY_S = 86_400
START = datetime(2027, 2, 1, tzinfo=UTC)  # a Monday
WINDOW_S = 3_600
CUSTOMERS = 120
OFFICE = 24
EVASIONS = ("case", "encoding", "slow", "distributed")
SLOWER = 8
ANYBODY = "anybody"
"""Stands among the accused for an alarm without a name."""

KINDS = ("spraying", "stuffing", "scanning", "scraping", "insider")
"""The kinds of intrusion; a month holds each of them, spraying and scanning twice."""

_USUAL = (*KINDS, "spraying", "scanning")
_BY_ACCOUNT = ("scraping", "insider")

_PAGES = (
    "/",
    "/invoices",
    "/invoices/{}",
    "/customers",
    "/reports/vat",
    "/reports/result",
    "/bank",
)
# Added up once, because thousands of moments and pages are drawn with them.
_PAGE_WEIGHTS = tuple(accumulate((0.1, 0.22, 0.34, 0.1, 0.08, 0.06, 0.1)))
_WEEKDAYS = tuple(accumulate((20, 19, 18, 18, 15, 4, 6)))
_PUBLIC = ("/", "/pricing", "/help", "/help/vat", "/help/bank", "/about", "/blog/{}")
_HUNTED = (
    "/wp-login.php",
    "/.env",
    "/.git/config",
    "/phpmyadmin/index.php",
    "/cgi-bin/test.cgi",
    "/backup.sql",
    "/download?file=../../../../etc/passwd",
    "/invoices?id=1' or '1'='1",
    "/search?q=<script>alert(1)</script>",
    "/search?q=1 union select name, password from users",
)
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:135.0) Gecko/20100101 Firefox/135.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:135.0) Gecko/20100101 Firefox/135.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
    "Mozilla/5.0 (Android 15; Mobile; rv:135.0) Gecko/135.0 Firefox/135.0",
)
_CRAWLER_AGENTS = (
    "ExampleBot/2.1 (+https://search.example/bot)",
    "LinkPreview/1.4 (+https://chat.example/preview)",
)
_PROBE_AGENT = "StatusCheck/3.0 (+https://status.kvittra.example)"
_SCRIPT_AGENT = "bookkeeping-sync/0.9"


class Entry(NamedTuple):
    """One line of the log, taken apart; ``time`` is in seconds from :data:`START`."""

    time: float
    address: str
    user: str
    method: str
    path: str
    status: int
    size: int
    agent: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """One intrusion: what it is, when its first and last requests come, and who makes them."""

    kind: str
    first: float
    last: float
    names: frozenset[str]


@dataclass(frozen=True)
class Log:
    """The requests of some days, in order of time.

    ``campaign`` holds, for each entry, the number of the campaign that it belongs to, or -1.
    ``people`` says of some honest names who they are, for whoever has to explain a false alarm.
    """

    entries: Sequence[Entry]
    campaign: Sequence[int]
    campaigns: tuple[Campaign, ...]
    people: dict[str, str]
    days: int

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def times(self) -> list[float]:
        """When each request came, in seconds from :data:`START`."""
        return list(map(attrgetter("time"), self.entries))

    @cached_property
    def lines(self) -> list[str]:
        """The log as a web server writes it, in the combined format."""
        return [as_line(entry) for entry in self.entries]


def as_line(entry: Entry) -> str:
    """An entry as a web server writes it, in the combined format.

    >>> as_line(Entry(28801.0, "192.0.2.7", "maja", "POST", "/login", 401, 512, "x"))
    '192.0.2.7 - maja [01/Feb/2027:08:00:01 +0000] "POST /login HTTP/1.1" 401 512 "-" "x"'
    """
    at, address, user, method, path, status, size, agent = entry
    stamp = (START + timedelta(seconds=int(at))).strftime("%d/%b/%Y:%H:%M:%S")
    return (
        f"{address} - {user} [{stamp} +0000] "
        f'"{method} {path} HTTP/1.1" {status} {size} "-" "{agent}"'
    )


def parse(line: str) -> Entry:
    """Take a line in the combined format apart.

    Raises:
        ValueError: If the line is not in that format.

    >>> line = (
    ...     '192.0.2.7 - maja [01/Feb/2027:08:00:01 +0000] "POST /login HTTP/1.1" 401 512 "-" "x"'
    ... )
    >>> entry = parse(line)
    >>> entry.user, entry.path, entry.status, entry.time
    ('maja', '/login', 401, 28801.0)
    """
    try:
        head, request, numbers, _, _, agent, _ = line.split('"')
        address, _, user, stamp, zone = head.split()
        # A scanner's path may hold blanks; the method and the version never do.
        method, rest = request.split(" ", 1)
        path, version = rest.rsplit(" ", 1)
        status, size = numbers.split()
        at = datetime.strptime(f"{stamp} {zone}", "[%d/%b/%Y:%H:%M:%S %z]")
        if not version.startswith("HTTP/"):
            raise ValueError
        return Entry(
            (at - START).total_seconds(), address, user, method, path, int(status), int(size), agent
        )
    except ValueError:
        raise ValueError(f"line must be in the combined log format, not {line!r}") from None


@dataclass(frozen=True)
class Window:
    """One hour of the log, and what came before.

    ``entries`` are the requests from ``start`` to ``end`` (seconds from the month's start);
    ``day`` are those of the 24 hours up to ``end``.
    """

    start: float
    end: float
    _all: Sequence[Entry] = field(repr=False)
    _first: int = field(repr=False)
    _last: int = field(repr=False)
    _day: int = field(repr=False)

    @cached_property
    def entries(self) -> list[Entry]:
        """The requests of this hour."""
        return list(self._all[self._first : self._last])

    @cached_property
    def day(self) -> list[Entry]:
        """The requests of the last 24 hours, this hour included."""
        return list(self._all[self._day : self._last])

    @property
    def hour_of_day(self) -> float:
        """The time of day at which the window starts, in hours."""
        return self.start % DAY_S / 3600


def windows(log: Log) -> Iterator[Window]:
    """The log in slices of one hour."""
    times = log.times
    edges = [bisect_left(times, start) for start in range(0, log.days * DAY_S + 1, WINDOW_S)]
    in_a_day = DAY_S // WINDOW_S
    for number, (first, last) in enumerate(pairwise(edges)):
        start = float(number * WINDOW_S)
        day = edges[max(0, number + 1 - in_a_day)]
        yield Window(start, start + WINDOW_S, log.entries, first, last, day)


@dataclass(frozen=True, slots=True)
class Grade:
    """What a detector found, and what it cost whoever reads its alarms.

    ``accused`` are the honest names that it accused; ``noise`` is the number of alarms without a
    name that were about nothing.
    """

    recall: float
    false_alarms_per_day: float
    caught: tuple[str, ...]
    missed: tuple[str, ...]
    alarms: int
    accused: tuple[str, ...]
    noise: int

    @property
    def customers_accused(self) -> int:
        """How many honest names were accused."""
        return len(self.accused)


def grade(
    alert: Callable[[Window], Any],
    seed: int,
    *,
    evasion: Collection[str] = (),
    days: int = DAYS,
    kinds: Sequence[str] | None = None,
) -> Grade:
    """Run a detector over the log of that seed.

    Args:
        alert: Gets each window in turn. It hands back the addresses and user names that it accuses
            (a collection of text; empty for none), with :data:`ANYBODY` for an alarm without a
            name; or plainly ``True`` for such an alarm and ``False`` for none.
        seed: Which month.
        evasion: How the intruders hide; see :func:`month`.
        days: How many days of it.
        kinds: Which intrusions it holds; see :func:`month`.

    Returns:
        Which campaigns were caught: by an accusation of one of their addresses or users while they
        were at work or within a day after, or by an alarm without a name in a window in which at
        least two of their requests failed. Every other alarm is false; the same name counts once a
        day, since a person who has looked into it will not look again.
        Without campaigns the recall is 1.

    Raises:
        TypeError: If ``alert`` hands back anything else.

    >>> grade(lambda window: False, seed=1, days=7).recall
    0.0
    """
    log = month(seed, evasion=evasion, days=days, kinds=kinds)
    owners: dict[str, list[int]] = {}
    for number, campaign in enumerate(log.campaigns):
        for name in campaign.names:
            owners.setdefault(name, []).append(number)
    caught: set[int] = set()
    false: set[tuple[int, str]] = set()
    accused: dict[str, None] = {}
    alarms = noise = 0
    for window in windows(log):
        # Read before the answer has the window in its hands, and could write other hours on it.
        start, end, hour = window.start, window.end, slice(window._first, window._last)
        answer = alert(window)
        if isinstance(answer, bool):
            answer = {ANYBODY} if answer else set()
        if (
            isinstance(answer, str)
            or not isinstance(answer, Collection)
            or not all(isinstance(name, str) for name in answer)
        ):
            raise TypeError(
                f"alert must hand back True, False or a collection of names, not {answer!r}"
            )
        for name in sorted(set(answer)):
            alarms += 1
            if name == ANYBODY:
                # Whoever looks into such an hour, without a name, sees what has failed in it.
                failed = Counter(
                    number
                    for entry, number in zip(log.entries[hour], log.campaign[hour], strict=True)
                    if number >= 0 and entry.status >= 400
                )
                busy = [number for number, count in failed.items() if count >= 2]
                caught.update(busy)
                noise += not busy
                continue
            guilty = [
                number
                for number in owners.get(name, ())
                if log.campaigns[number].first <= end
                and start <= log.campaigns[number].last + DAY_S
            ]
            caught.update(guilty)
            if not guilty:
                false.add((int(start // DAY_S), name))
                accused[name] = None
    found = [campaign.kind for campaign in log.campaigns]
    return Grade(
        recall=len(caught) / len(found) if found else 1.0,
        false_alarms_per_day=(len(false) + noise) / days,
        caught=tuple(found[i] for i in sorted(caught)),
        missed=tuple(kind for i, kind in enumerate(found) if i not in caught),
        alarms=alarms,
        accused=tuple(accused),
        noise=noise,
    )


def month(
    seed: int,
    *,
    evasion: Collection[str] = (),
    days: int = DAYS,
    kinds: Sequence[str] | None = None,
) -> Log:
    """A month of traffic, or fewer days of it.

    Args:
        seed: The same seed gives the same month.
        evasion: How the intruders hide: ``"case"`` (mixed upper and lower case), ``"encoding"``
            (percent-encoding, also twice), ``"slow"`` (eight times slower, reading four times),
            ``"distributed"`` (from many addresses).
        days: How many days, 5 to 28.
        kinds: Which intrusions, each as often as it is named; by default all of :data:`KINDS`,
            spraying and scanning twice.

    Raises:
        ValueError: If a number is out of range, or an evasion or a kind is unknown.

    >>> log = month(1)
    >>> sorted({campaign.kind for campaign in log.campaigns}) == sorted(KINDS)
    True
    """
    for name, given, known in (("evasion", evasion, EVASIONS), ("kinds", kinds or (), KINDS)):
        if isinstance(given, str):
            raise TypeError(f"{name} must be a collection of names, not {given!r}")
        for one in given:
            if one not in known:
                raise ValueError(f"{name} must be among {', '.join(known)}, not {one!r}")
    return _month(
        whole("seed", seed, low=0),
        frozenset(evasion),
        whole("days", days, low=5, high=DAYS),
        _USUAL if kinds is None else tuple(kinds),
    )


@lru_cache(maxsize=16)
def _month(seed: int, evasion: frozenset[str], days: int, kinds: tuple[str, ...]) -> Log:
    return _Month(seed, evasion, days).log(kinds)


class _Honest(NamedTuple):
    """The honest work of a month: its requests in order of time, and what intruders meet there."""

    rows: tuple[tuple[Entry, int], ...]
    given: frozenset[str]
    people: Mapping[str, str]
    support_address: str


@lru_cache(maxsize=4)  # a picture compares months that differ only in how the intruders hide
def _honest(seed: int, days: int) -> _Honest:
    return _Month(seed, frozenset(), days).honest_work()


class _Month:
    """Collects the requests of each kind of visitor and puts them in order of time."""

    def __init__(self, seed: int, evasion: frozenset[str], days: int) -> None:
        self.random = random.Random(f"Kvittra {seed}")
        self.evasion = evasion
        self.days = days
        self.seed = seed
        self.rows: list[tuple[Entry, int]] = []
        self.kinds: list[str] = []
        self.given: set[str] = set()
        self.people: dict[str, str] = {}
        self.support_address = ""
        known = [user.id for user in USERS]
        self.users = known + [f"user{n:03}" for n in range(CUSTOMERS - len(known))]

    def honest_work(self) -> _Honest:
        self._customers()
        self._machines()
        self._staff()
        rows = sorted(self.rows)
        end = bisect_left(rows, float(self.days * DAY_S), key=lambda row: row[0].time)
        return _Honest(
            tuple(rows[:end]),
            frozenset(self.given),
            MappingProxyType(self.people),
            self.support_address,
        )

    def log(self, kinds: tuple[str, ...]) -> Log:
        honest = _honest(self.seed, self.days)
        self.given, self.people = set(honest.given), dict(honest.people)
        self.support_address = honest.support_address
        # The intruders have dice of their own: honest work is the same however they hide.
        self.random = random.Random(f"Kvittra {self.seed} intruders")
        order = list(kinds)
        self.random.shuffle(order)
        for place, kind in enumerate(order):
            # The first days are quiet, so that a detector can learn what is usual.
            day = self.days * (0.11 + 0.12 * place) + self.random.random()
            getattr(self, f"_{kind}")(day * DAY_S)
        end = self.days * DAY_S
        hostile = sorted(row for row in self.rows if row[0].time < end)
        names: list[set[str]] = [set() for _ in self.kinds]
        times: list[list[float]] = [[] for _ in self.kinds]
        for entry, number in hostile:
            names[number].add(entry.address)
            times[number].append(entry.time)
            if self.kinds[number] in _BY_ACCOUNT:
                names[number].add(entry.user)
        campaigns = tuple(
            Campaign(kind, times[number][0], times[number][-1], frozenset(names[number]))
            for number, kind in enumerate(self.kinds)
        )
        # The page watches every step of a loop, and here are thousands: so without one.
        entries, numbers = zip(*sorted([*honest.rows, *hostile]), strict=True)
        return Log(entries, numbers, campaigns, self.people, self.days)

    def _add(
        self,
        time: float,
        address: str,
        user: str,
        path: str,
        agent: str,
        status: int = 200,
        campaign: int = -1,
    ) -> None:
        size = 900 + int(39_000 * self.random.random()) if status == 200 else 512
        method = "POST" if path == "/login" else "GET"
        self.rows.append((Entry(time, address, user, method, path, status, size, agent), campaign))

    def _begin(self, kind: str) -> int:
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def _addresses(self, count: int) -> list[str]:
        """Addresses that nobody else in this month has, a third of them IPv6."""
        fresh: list[str] = []
        while len(fresh) < count:
            draw = self.random.getrandbits(32)
            high, low = divmod(draw, 65_536)
            if draw % 3 == 0:
                address = f"2001:db8:{high:x}::{low:x}"
            else:
                address = f"198.{18 + high % 2}.{high >> 8}.{low % 254 + 1}"
            if address not in self.given:
                self.given.add(address)
                fresh.append(address)
        return fresh

    def _office_time(self) -> float:
        """A moment at which people work: weekdays from 7 to 18, and a little at other times."""
        draw = self.random
        week = draw.randrange(4)
        weekday = bisect(_WEEKDAYS, draw.random() * _WEEKDAYS[-1])
        hour = 7 + 11 * draw.betavariate(2, 2.4) if draw.random() < 0.85 else 24 * draw.random()
        return ((week * 7 + weekday) * 24 + hour) * 3600.0

    def _pause(self, mean_s: float) -> float:
        return -mean_s * math.log(1 - self.random.random())

    def _customers(self) -> None:
        draw = self.random
        home = self._addresses(CUSTOMERS)
        # The people of one accounting office share one address and start together on Mondays.
        office = self._addresses(1)[0]
        home[-OFFICE:] = [office] * OFFICE
        self.people[office] = f"an office where {OFFICE} people share one address"
        sessions = [(self._office_time(), draw.randrange(CUSTOMERS)) for _ in range(1_800)]
        sessions += [
            ((monday * 7 * 24 + 8) * 3600 + 900 * draw.random(), CUSTOMERS - 1 - person)
            for monday in range(4)
            for person in range(OFFICE)
        ]
        end = self.days * DAY_S
        for start, who in sessions:
            away = draw.random() < 0.06
            address = self._addresses(1)[0] if away else home[who]
            agent = draw.choice(_AGENTS)
            if start >= end:
                continue
            # A session is the login, with a slip now and then, and then some pages.
            slips = 0
            if draw.random() < 0.07:
                slips = 1 + int(self._pause(0.8))
            user = self.users[who]
            at = start
            for _ in range(slips):
                self._add(at, address, user, "/login", agent, 401)
                at += self._pause(8)
            self._add(at, address, user, "/login", agent, 302)
            pages = 1 + int(self._pause(7))
            for page in draw.choices(_PAGES, cum_weights=_PAGE_WEIGHTS, k=pages):
                at += self._pause(40)
                odd = draw.random()
                status = 404 if odd < 0.004 else 500 if odd > 0.9996 else 200
                path = page.format(who * 100 + draw.randrange(100))
                self._add(at, address, user, path, agent, status)
        self._new_passwords(home[-1])
        self._auditor(home[10])

    def _new_passwords(self, office: str) -> None:
        """On one morning the office has new passwords, and a quarter of it slips."""
        morning = (self.random.choice((1, 2, 3)) * 24 + 8) * 3600
        for person in range(OFFICE // 4):
            user = self.users[CUSTOMERS - 1 - person]
            at = morning + 1800 * self.random.random()
            self._add(at, office, user, "/login", _AGENTS[0], 401)
            self._add(at + 9, office, user, "/login", _AGENTS[0], 302)

    def _auditor(self, address: str) -> None:
        """An auditor, who reads many of one customer's invoices in one afternoon."""
        user = self.users[10]
        self.people[user] = "an auditor who read 50 invoices in one afternoon"
        at = (self.random.choice((3, 4)) * 24 + 12) * 3600.0
        for number in range(50):
            at += self._pause(240)
            self._add(at, address, user, f"/invoices/{1000 + number}", _AGENTS[1])

    def _machines(self) -> None:
        """Crawlers, the status probe, and customers' scripts: busy, regular and harmless."""
        draw = self.random
        end = self.days * DAY_S
        for agent in _CRAWLER_AGENTS:
            address = self._addresses(1)[0]
            self.people[address] = f"the crawler {agent.split('/')[0]}"
            for _ in range(40 * self.days):
                path = draw.choice(_PUBLIC).format(draw.randrange(60))
                status = 404 if draw.random() < 0.03 else 200
                self._add(end * draw.random(), address, "-", path, agent, status)
        probe, script = self._addresses(2)
        self.people[probe] = "Kvittra's own status check"
        for number in range(48 * self.days):
            self._add(number * 1800 + 2 * draw.random(), probe, "-", "/health", _PROBE_AGENT)
        # Its password was changed on the second day, and nobody told the script until the fourth.
        user = self.users[20]
        self.people[script] = self.people[user] = (
            "a customer's script with last week's password: one account, failing every half hour"
        )
        for number in range(48 * self.days):
            at = number * 1800 + 20 * draw.random()
            if DAY_S <= at < 3 * DAY_S:
                self._add(at, script, user, "/login", _SCRIPT_AGENT, 401)
            elif number % 2:
                self._add(at, script, user, "/api/invoices?since=yesterday", _SCRIPT_AGENT)

    def _staff(self) -> None:
        """Support opens customers' accounts, by day, for tickets; seldom on call at night."""
        draw = self.random
        self.support_address = self._addresses(1)[0]
        self.people[self.support_address] = "the address that all of support shares"
        for number in range(1, 6):
            self.people[f"support{number}"] = "a member of support at ordinary work"
        for _ in range(700):
            at = self._office_time()
            by_day = 7 <= at % DAY_S / 3600 < 18
            if not by_day and draw.random() > 0.2:
                continue
            customer = draw.randrange(CUSTOMERS)
            path = f"/admin/customers/{customer}{'/export' * (customer % 9 == 0)}"
            self._add(at, self.support_address, f"support{draw.randint(1, 5)}", path, _AGENTS[0])

    def _spread(
        self, start: float, count: int, length_s: float, *, slower: float = SLOWER
    ) -> list[float]:
        """Moments of an attack, in order; the slow kind takes many times as long."""
        if "slow" in self.evasion:
            length_s *= slower
        # It must end before the log does.
        start = min(start, self.days * DAY_S - length_s - 60)
        return sorted(start + length_s * self.random.random() for _ in range(count))

    def _origins(self, count: int, usual: int) -> list[str]:
        """Where an attack comes from: few addresses, or a botnet."""
        pool = self._addresses(count if "distributed" in self.evasion else usual)
        return self.random.choices(pool, k=count)

    def _spraying(self, start: float) -> None:
        """Two common passwords, tried on account after account."""
        campaign = self._begin("spraying")
        names = self.random.sample(self.users, CUSTOMERS) + self.random.sample(
            self.users, CUSTOMERS
        )
        count = len(names)
        origins = self._origins(count, 1)
        moments = self._spread(start, count, 2 * 3600)
        for at, address, user in zip(moments, origins, names, strict=True):
            status = 302 if self.random.random() < 0.004 else 401
            self._add(at, address, user, "/login", _AGENTS[0], status, campaign)

    def _stuffing(self, start: float) -> None:
        """Name and password pairs from another site's leak; most names are unknown here."""
        campaign = self._begin("stuffing")
        draw = self.random
        origins = self._origins(600, 20)
        for at, address in zip(self._spread(start, 600, 3600), origins, strict=True):
            here = draw.random() < 0.05
            user = draw.choice(self.users) if here else f"mail{draw.randrange(10**6):06}"
            status = 302 if here and draw.random() < 0.1 else 401
            self._add(at, address, user, "/login", draw.choice(_AGENTS), status, campaign)

    def _scanning(self, start: float) -> None:
        """A tool that asks for what careless sites leave lying about."""
        campaign = self._begin("scanning")
        origins = self._origins(200, 1)
        for at, address in zip(self._spread(start, 200, 900), origins, strict=True):
            path = self._disguised(self.random.choice(_HUNTED))
            status = self.random.choices((404, 400, 403), (85, 10, 5))[0]
            self._add(at, address, "-", path, _AGENTS[2], status, campaign)

    def _disguised(self, path: str) -> str:
        draw = self.random.random
        if "case" in self.evasion:
            path = "".join(c.swapcase() if draw() < 0.5 else c for c in path)
        if "encoding" in self.evasion:
            body = "%" + path[1:].encode().hex("%")
            path = "/" + (body.replace("%", "%25") if draw() < 0.3 else body)
        # Browsers and tools never send these as they are.
        return path.replace(" ", "%20").replace('"', "%22")

    def _scraping(self, start: float) -> None:
        """A customer's account that reads everyone's invoices, one after the other, unhurried."""
        campaign = self._begin("scraping")
        first = self.random.randrange(1_000, 10_000)
        user = self.users[self.random.randrange(30, 60)]
        origins = self._origins(800, 1)
        moments = self._spread(start, 800, 1.5 * DAY_S, slower=4)
        for number, (at, address) in enumerate(zip(moments, origins, strict=True)):
            path = f"/invoices/{first + number}"
            self._add(at, address, user, path, _AGENTS[1], 200, campaign)

    def _insider(self, start: float) -> None:
        """Someone in support who opens customers' accounts at night, from the usual address."""
        campaign = self._begin("insider")
        nights = 4 if "slow" in self.evasion else 2
        # The last night, too, ends before the log does.
        first = min(int(start // DAY_S), self.days - nights - 1)
        for number in range(80):
            night = first + number * nights // 80
            at = (night * 24 + 22 + 4 * self.random.random()) * 3600
            path = f"/admin/customers/{self.random.randrange(CUSTOMERS)}/export"
            self._add(at, self.support_address, "support3", path, _AGENTS[0], 200, campaign)
