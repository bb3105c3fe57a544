"""A month of Kvittra's access log: honest work, machines that mean no harm, and seven intrusions.

The log is in the *combined* format that web servers write and other tools read. As at many
services, the user field of a login holds the name that was tried. Addresses come from the ranges
that are reserved for benchmarks and documentation (RFC 2544, RFC 3849), the same for friend and
foe.

Who did what is kept apart, in ``Log.campaign`` and ``Log.campaigns``, for grading only. Everything
is drawn at once with NumPy: the same seed gives the same month.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labs.arguments import whole
from labs.kvittra.cast import USERS

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

DAYS = 28
DAY_S = 86_400
START = datetime(2027, 2, 1, tzinfo=UTC)  # a Monday
WINDOW_S = 600
CUSTOMERS = 400
EVASIONS = ("case", "encoding", "slow", "distributed")
SLOWER = 8

KINDS = ("spraying", "stuffing", "scanning", "scraping", "insider")

_PAGES = (
    "/",
    "/invoices",
    "/invoices/{}",
    "/customers",
    "/reports/vat",
    "/reports/result",
    "/bank",
)
_PAGE_WEIGHTS = (0.1, 0.22, 0.34, 0.1, 0.08, 0.06, 0.1)
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
    """One line of the log, taken apart."""

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
    """A month of requests as columns, in order of time.

    ``times`` are seconds from :data:`START`; ``campaign`` is the number of the campaign that a
    request belongs to, or -1.
    """

    times: Floats
    addresses: list[str]
    users: list[str]
    methods: list[str]
    paths: list[str]
    statuses: Ints
    sizes: Ints
    agents: list[str]
    campaign: Ints
    campaigns: tuple[Campaign, ...]

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def entries(self) -> list[Entry]:
        """Every line, taken apart."""
        return [
            Entry(*row)
            for row in zip(
                self.times.tolist(),
                self.addresses,
                self.users,
                self.methods,
                self.paths,
                self.statuses.tolist(),
                self.sizes.tolist(),
                self.agents,
                strict=True,
            )
        ]

    @cached_property
    def lines(self) -> list[str]:
        """The log as a web server writes it, in the combined format."""
        days = [(START + timedelta(days=d)).strftime("%d/%b/%Y") for d in range(DAYS + 1)]
        lines = []
        for at, address, user, method, path, status, size, agent in self.entries:
            second = int(at)
            day, rest = divmod(second, DAY_S)
            clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
            lines.append(
                f"{address} - {user} [{days[day]}:{clock} +0000] "
                f'"{method} {path} HTTP/1.1" {status} {size} "-" "{agent}"'
            )
        return lines


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
    """Ten minutes of the log, and what came before.

    ``entries`` are the requests from ``start`` to ``end`` (seconds from the month's start);
    ``day`` are those of the 24 hours up to ``end``.
    """

    start: float
    end: float
    _log: Log = field(repr=False)
    _first: int = field(repr=False)
    _last: int = field(repr=False)
    _day: int = field(repr=False)

    @cached_property
    def entries(self) -> list[Entry]:
        """The requests of these ten minutes."""
        return self._log.entries[self._first : self._last]

    @cached_property
    def day(self) -> list[Entry]:
        """The requests of the last 24 hours, these ten minutes included."""
        return self._log.entries[self._day : self._last]

    @property
    def hour_of_day(self) -> float:
        """The time of day at which the window starts, in hours."""
        return self.start % DAY_S / 3600


def windows(log: Log) -> Iterator[Window]:
    """The month in slices of ten minutes."""
    starts = np.arange(0, DAYS * DAY_S, WINDOW_S, dtype=float)
    firsts = np.searchsorted(log.times, starts).tolist()
    lasts = np.searchsorted(log.times, starts + WINDOW_S).tolist()
    days = np.searchsorted(log.times, starts + WINDOW_S - DAY_S).tolist()
    for start, first, last, day in zip(starts.tolist(), firsts, lasts, days, strict=True):
        yield Window(start, start + WINDOW_S, log, first, last, day)


@dataclass(frozen=True, slots=True)
class Grade:
    """What a detector found in a month, and what it cost whoever reads its alarms."""

    recall: float
    false_alarms_per_day: float
    caught: tuple[str, ...]
    missed: tuple[str, ...]
    alarms: int
    customers_accused: int


def grade(alert: Callable[[Window], Any], seed: int, *, evasion: Collection[str] = ()) -> Grade:
    """Run a detector over the month of that seed.

    Args:
        alert: Gets each window in turn. It hands back ``True`` or ``False``, or the addresses and
            user names that it accuses (a collection of text; empty for none).
        seed: Which month.
        evasion: How the intruders hide; see :func:`month`.

    Returns:
        Which campaigns were caught: by an alarm in a window in which they made at least two
        requests, or by an accusation of one of their addresses or users while they were at work
        or within a day after. Every other alarm is false; the same name counts once a day, since
        a person who has looked into it will not look again.

    Raises:
        TypeError: If ``alert`` hands back anything else.

    >>> grade(lambda window: False, seed=1).recall
    0.0
    """
    log = month(seed, evasion=evasion)
    owners: dict[str, list[int]] = {}
    for number, campaign in enumerate(log.campaigns):
        for name in campaign.names:
            owners.setdefault(name, []).append(number)
    caught: set[int] = set()
    false: set[tuple[int, str]] = set()
    alarms = false_windows = 0
    accused: set[str] = set()
    for window in windows(log):
        answer = alert(window)
        if isinstance(answer, bool | np.bool_):
            if not answer:
                continue
            alarms += 1
            active = log.campaign[window._first : window._last]
            counts = np.bincount(active[active >= 0], minlength=1)
            busy = np.flatnonzero(counts >= 2).tolist()
            caught.update(busy)
            false_windows += not busy
            continue
        if isinstance(answer, str) or not isinstance(answer, Collection):
            raise TypeError(
                f"alert must hand back True, False or a collection of names, not {answer!r}"
            )
        for name in answer:
            alarms += 1
            guilty = [
                number
                for number in owners.get(name, ())
                if log.campaigns[number].first <= window.end
                and window.start <= log.campaigns[number].last + DAY_S
            ]
            caught.update(guilty)
            if not guilty:
                false.add((int(window.start // DAY_S), name))
                accused.add(name)
    kinds = [campaign.kind for campaign in log.campaigns]
    return Grade(
        recall=len(caught) / len(kinds),
        false_alarms_per_day=(len(false) + false_windows) / DAYS,
        caught=tuple(kinds[i] for i in sorted(caught)),
        missed=tuple(kind for i, kind in enumerate(kinds) if i not in caught),
        alarms=alarms,
        customers_accused=len(accused),
    )


def month(seed: int, *, evasion: Collection[str] = ()) -> Log:
    """A month of traffic.

    Args:
        seed: The same seed gives the same month.
        evasion: How the intruders hide: ``"case"`` (mixed upper and lower case), ``"encoding"``
            (percent-encoding, also twice), ``"slow"`` (eight times slower), ``"distributed"``
            (from many addresses).

    Raises:
        ValueError: If the seed is negative or an evasion is unknown.

    >>> log = month(1)
    >>> sorted({campaign.kind for campaign in log.campaigns}) == sorted(KINDS)
    True
    """
    random = np.random.default_rng([2027, whole("seed", seed, low=0)])
    if isinstance(evasion, str):
        raise TypeError(f"evasion must be a collection of names, not {evasion!r}")
    for name in evasion:
        if name not in EVASIONS:
            raise ValueError(f"evasion must be among {', '.join(EVASIONS)}, not {name!r}")
    return _Month(random, frozenset(evasion)).log()


class _Month:
    """Collects columns from each kind of visitor and puts them in order of time."""

    def __init__(self, random: np.random.Generator, evasion: frozenset[str]) -> None:
        self.random = random
        self.evasion = evasion
        self.times: list[Floats] = []
        self.columns: list[list[Any]] = [[] for _ in range(7)]
        self.campaign: list[Ints] = []
        self.kinds: list[str] = []
        self.given: set[str] = set()
        known = [user.id for user in USERS]
        self.users = known + [f"user{n:03}" for n in range(CUSTOMERS - len(known))]

    def log(self) -> Log:
        self._customers()
        self._machines()
        self._staff()
        # In the order of the calendar the campaigns follow one another with a few days between.
        for kind, day in zip(self._order(), self._days(), strict=True):
            getattr(self, f"_{kind}")(day * DAY_S)
        times = np.concatenate(self.times)
        inside = (times >= 0) & (times < DAYS * DAY_S)
        order = np.argsort(times, kind="stable")
        order = order[inside[order]]
        places = order.tolist()
        addresses, users, methods, paths, agents = (
            [column[i] for i in places] for column in self.columns[:5]
        )
        campaign = np.concatenate(self.campaign)[order]
        times = times[order]
        campaigns = []
        for number, kind in enumerate(self.kinds):
            own = np.flatnonzero(campaign == number).tolist()
            names = {addresses[i] for i in own}
            if kind in ("scraping", "insider"):
                names |= {users[i] for i in own}
            campaigns.append(
                Campaign(kind, float(times[own[0]]), float(times[own[-1]]), frozenset(names))
            )
        return Log(
            times,
            addresses,
            users,
            methods,
            paths,
            np.array(self.columns[5], dtype=np.int64)[order],
            np.array(self.columns[6], dtype=np.int64)[order],
            agents,
            campaign,
            tuple(campaigns),
        )

    def _order(self) -> list[str]:
        kinds = [*KINDS, "spraying", "scanning"]
        return [kinds[i] for i in self.random.permutation(len(kinds))]

    def _days(self) -> list[float]:
        # The first days are quiet, so that a detector can learn what is usual.
        return [3.0 + 3.4 * i + float(self.random.random()) for i in range(7)]

    def _add(
        self,
        times: Floats,
        addresses: list[str],
        users: list[str],
        methods: list[str],
        paths: list[str],
        agents: list[str],
        statuses: Ints,
        kind: str = "",
    ) -> None:
        count = len(times)
        number = -1
        if kind:
            number = len(self.kinds)
            self.kinds.append(kind)
        sizes = np.where(statuses == 200, self.random.integers(900, 40_000, count), 512)
        new = (addresses, users, methods, paths, agents, statuses.tolist(), sizes.tolist())
        for column, values in zip(self.columns, new, strict=True):
            column.extend(values)
        self.times.append(times)
        self.campaign.append(np.full(count, number, dtype=np.int64))

    def _addresses(self, count: int) -> list[str]:
        """Addresses that nobody else in this month has, a third of them IPv6."""
        fresh: list[str] = []
        while len(fresh) < count:
            picks = self.random.integers(0, [3, 2, 256, 254, 65_536, 65_536], (count, 6)).tolist()
            for six, net, third, fourth, high, low in picks:
                v4, v6 = f"198.{18 + net}.{third}.{fourth + 1}", f"2001:db8:{high:x}::{low:x}"
                address = v6 if six == 0 else v4
                if address not in self.given and len(fresh) < count:
                    self.given.add(address)
                    fresh.append(address)
        return fresh

    def _office_times(self, count: int) -> Floats:
        """Moments at which people work: weekdays from 7 to 18, and a little at other times."""
        random = self.random
        week = random.integers(0, 4, count)
        weekday = random.choice(7, count, p=(0.2, 0.19, 0.18, 0.18, 0.15, 0.04, 0.06))
        hour = np.where(
            random.random(count) < 0.85,
            7 + 11 * random.beta(2, 2.4, count),
            random.random(count) * 24,
        )
        return np.asarray(((week * 7 + weekday) * 24 + hour) * 3600.0, dtype=np.float64)

    def _customers(self) -> None:
        random = self.random
        home = self._addresses(CUSTOMERS)
        # Forty people of one accounting office share one address and start together on Mondays.
        office = self._addresses(1)[0]
        home[-40:] = [office] * 40
        sessions = 6_000
        starts = self._office_times(sessions)
        who = random.integers(0, CUSTOMERS, sessions)
        mondays = np.repeat(np.arange(4), 40)
        starts = np.append(starts, (mondays * 7 * 24 + 8) * 3600.0 + random.random(160) * 900)
        who = np.append(who, np.tile(np.arange(CUSTOMERS - 40, CUSTOMERS), 4))
        sessions += 160
        away = random.random(sessions) < 0.06
        elsewhere = iter(self._addresses(int(away.sum())))
        where = [
            next(elsewhere) if out else home[user]
            for user, out in zip(who.tolist(), away.tolist(), strict=True)
        ]
        agent = random.integers(0, len(_AGENTS), sessions)
        # A session is the login, with a slip now and then, and then some pages.
        slips = np.where(random.random(sessions) < 0.07, random.geometric(0.6, sessions), 0)
        forgot = random.random(sessions) < 0.002  # somebody who has forgotten the password
        slips = np.where(forgot, random.integers(5, 10, sessions), slips)
        pages = random.geometric(1 / 8, sessions)
        length = slips + 1 + pages
        total = int(length.sum())
        session = np.repeat(np.arange(sessions), length)
        first = np.repeat(np.cumsum(length) - length, length)
        place = np.arange(total) - first
        pauses = random.standard_exponential(total) * np.where(place <= slips[session], 8, 40)
        pauses[place == 0] = 0
        offsets = np.cumsum(pauses)
        times = starts[session] + offsets - offsets[first]
        login = place <= slips[session]
        failed = place < slips[session]
        chosen = random.choice(len(_PAGES), total, p=_PAGE_WEIGHTS)
        numbers = (who[session] * 100 + random.integers(0, 100, total)).tolist()
        names, agents = self.users, _AGENTS
        statuses = np.where(login, np.where(failed, 401, 302), 200)
        odd = random.random(total)
        statuses = np.where(~login & (odd < 0.004), 404, statuses)
        statuses = np.where(~login & (odd > 0.9996), 500, statuses)
        rows = zip(session.tolist(), login.tolist(), chosen.tolist(), numbers, strict=True)
        paths = [
            "/login" if is_login else _PAGES[page].format(number)
            for _, is_login, page, number in rows
        ]
        visitors = session.tolist()
        users = [names[user] for user in who[session].tolist()]
        self._add(
            times,
            [where[s] for s in visitors],
            users,
            ["POST" if is_login else "GET" for is_login in login.tolist()],
            paths,
            [agents[a] for a in agent[session].tolist()],
            statuses,
        )

    def _machines(self) -> None:
        """Crawlers, the status probe, and a customer's script: busy, regular and harmless."""
        random = self.random
        for agent in _CRAWLER_AGENTS:
            count = 4_000
            address = self._addresses(1)[0]
            times = np.sort(random.random(count)) * DAYS * DAY_S
            picks = random.integers(0, [len(_PUBLIC), 60], (count, 2)).tolist()
            paths = [_PUBLIC[page].format(number) for page, number in picks]
            statuses = np.where(random.random(count) < 0.03, 404, 200)
            self._add(
                times, [address] * count, ["-"] * count, ["GET"] * count, paths, [agent] * count,
                statuses,
            )  # fmt: skip
        times = np.arange(0, DAYS * DAY_S, 300) + random.random(DAYS * 288) * 2
        count = len(times)
        self._add(
            times, self._addresses(1) * count, ["-"] * count, ["GET"] * count,
            ["/health"] * count, [_PROBE_AGENT] * count, np.full(count, 200),
        )  # fmt: skip
        times = np.arange(0, DAYS * DAY_S, 900) + random.random(DAYS * 96) * 20
        count = len(times)
        self._add(
            times, self._addresses(1) * count, [self.users[20]] * count, ["GET"] * count,
            ["/api/invoices?since=yesterday"] * count, [_SCRIPT_AGENT] * count,
            np.full(count, 200),
        )  # fmt: skip

    def _staff(self) -> None:
        """Support opens customers' accounts, by day, for tickets."""
        count = 900
        random = self.random
        times = self._office_times(count)
        by_day = (times % DAY_S > 7 * 3600) & (times % DAY_S < 18 * 3600)
        times = times[by_day | (random.random(count) < 0.2)]  # and, seldom, on call at night
        count = len(times)
        address = self._addresses(1)
        who = random.integers(1, 6, count).tolist()
        customers = random.integers(0, CUSTOMERS, count).tolist()
        self._add(
            times, address * count, [f"support{n}" for n in who], ["GET"] * count,
            [f"/admin/customers/{n}{'/export' * (n % 9 == 0)}" for n in customers],
            [_AGENTS[0]] * count,
            np.full(count, 200),
        )  # fmt: skip
        self.support_address = address[0]

    def _spread(
        self, start: float, count: int, length_s: float, *, slower: float = SLOWER
    ) -> Floats:
        """Moments of an attack, in order; the slow kind takes many times as long."""
        if "slow" in self.evasion:
            length_s *= slower
        # It must end within the month.
        start = min(start, DAYS * DAY_S - length_s - 60)
        return start + np.sort(self.random.random(count)) * length_s

    def _origins(self, count: int, usual: int) -> list[str]:
        """Where an attack comes from: few addresses, or a botnet."""
        pool = self._addresses(count if "distributed" in self.evasion else usual)
        return [pool[i] for i in self.random.integers(0, len(pool), count).tolist()]

    def _spraying(self, start: float) -> None:
        """One common password, tried on account after account."""
        count = 360
        names = [self.users[i] for i in self.random.permutation(CUSTOMERS)[:count].tolist()]
        statuses = np.where(self.random.random(count) < 0.004, 302, 401)
        self._add(
            self._spread(start, count, 2 * 3600), self._origins(count, 1), names,
            ["POST"] * count, ["/login"] * count, [_AGENTS[0]] * count, statuses, "spraying",
        )  # fmt: skip

    def _stuffing(self, start: float) -> None:
        """Name and password pairs from another site's leak; most names are unknown here."""
        count = 1_500
        random = self.random
        here = random.random(count) < 0.05
        picks = random.integers(0, [CUSTOMERS, 10**6], (count, 2)).tolist()
        names = [
            self.users[user] if known else f"mail{number:06}"
            for known, (user, number) in zip(here.tolist(), picks, strict=True)
        ]
        statuses = np.where(here & (random.random(count) < 0.1), 302, 401)
        agents = [_AGENTS[i] for i in random.integers(0, len(_AGENTS), count).tolist()]
        self._add(
            self._spread(start, count, 3600), self._origins(count, 30), names, ["POST"] * count,
            ["/login"] * count, agents, statuses, "stuffing",
        )  # fmt: skip

    def _scanning(self, start: float) -> None:
        """A tool that asks for what careless sites leave lying about."""
        count = 400
        random = self.random
        paths = [_HUNTED[i] for i in random.integers(0, len(_HUNTED), count).tolist()]
        paths = [self._disguised(path) for path in paths]
        statuses = random.choice([404, 400, 403], count, p=(0.85, 0.1, 0.05)).astype(np.int64)
        self._add(
            self._spread(start, count, 900), self._origins(count, 1), ["-"] * count,
            ["GET"] * count, paths, [_AGENTS[2]] * count, statuses, "scanning",
        )  # fmt: skip

    def _disguised(self, path: str) -> str:
        if "case" in self.evasion:
            flips = self.random.random(len(path)) < 0.5
            path = "".join(
                c.swapcase() if flip else c for c, flip in zip(path, flips.tolist(), strict=True)
            )
        if "encoding" in self.evasion:
            body = "".join(
                f"%{ord(c):02x}" if hit else c
                for c, hit in zip(
                    path[1:], (self.random.random(len(path) - 1) < 0.5).tolist(), strict=True
                )
            )
            path = "/" + (body.replace("%", "%25") if self.random.random() < 0.3 else body)
        # Browsers and tools never send these as they are.
        return path.replace(" ", "%20").replace('"', "%22")

    def _scraping(self, start: float) -> None:
        """A customer's account that reads everyone's invoices, one after the other, unhurried."""
        count = 1_800
        first = int(self.random.integers(1_000, 20_000))
        user = self.users[int(self.random.integers(30, 60))]
        self._add(
            self._spread(start, count, 2 * DAY_S, slower=4), self._origins(count, 1),
            [user] * count, ["GET"] * count, [f"/invoices/{first + i}" for i in range(count)],
            [_AGENTS[1]] * count, np.full(count, 200), "scraping",
        )  # fmt: skip

    def _insider(self, start: float) -> None:
        """Someone in support who opens customers' accounts at night, from the usual address."""
        count = 120
        night = np.floor(start / DAY_S) * DAY_S + 22 * 3600
        nights = 4 if "slow" in self.evasion else 2
        each = count // nights
        night = min(night, (DAYS - nights) * DAY_S + 22 * 3600 - DAY_S)
        times = np.concatenate(
            [
                night + n * DAY_S + np.sort(self.random.random(each)) * 4 * 3600
                for n in range(nights)
            ]
        )
        customers = self.random.integers(0, CUSTOMERS, count).tolist()
        self._add(
            times, [self.support_address] * count, ["support3"] * count, ["GET"] * count,
            [f"/admin/customers/{n}/export" for n in customers], [_AGENTS[0]] * count,
            np.full(count, 200), "insider",
        )  # fmt: skip
