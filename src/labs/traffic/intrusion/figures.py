"""The tables and pictures of the lesson; each text alternative is computed from what is drawn."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from statistics import mean, pstdev

from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import DASHES, INK, MARKERS, MUTED, SERIES
from labs.traffic.intrusion import detectors, log, model, prevention

LEARNED_SEEDS, BOOK_SEED = (2, 3), 1
"""The months in which Kvittra learns what is usual, and the month that the lab looks at."""

REQUESTS, HOSTILE = 1_000_000, 20
"""A busy day, for the base rate: requests, and those among them that belong to an intruder."""

ONE_IN = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
PATIENCE_H = (8, 16, 32, 64, 128, 192, 256, 384)
BLOCK_HIDING = ("not at all", "from many addresses")

HIDING: Mapping[str, tuple[str, ...]] = {
    "not at all": (),
    "slowly": ("slow",),
    "from many addresses": ("distributed",),
}


def visitors(month: log.Log) -> Table:
    """Who asked, how often, and from how many addresses: what the log itself does not say."""
    rows = [["honest work", *_counts(month, lambda number: number < 0)]]
    for kind in log.KINDS:
        numbers = {n for n, one in enumerate(month.campaigns) if one.kind == kind}
        rows.append([kind, *_counts(month, numbers.__contains__)])
    return Table(
        "The month behind the log. The log has no column that says so.",
        ["what it was", "requests", "addresses", "failed logins"],
        rows,
    )


def _counts(month: log.Log, chosen: Callable[[int], bool]) -> list[object]:
    own = [e for e, n in zip(month.entries, month.campaign, strict=True) if chosen(n)]
    failed = sum(entry.status == 401 for entry in own)
    return [len(own), len({entry.address for entry in own}), failed]


def alarm_share(one_in: int = 100) -> Picture:
    """How many alarms of a busy day are about an intruder.

    Args:
        one_in: Honest requests for one false alarm.
    """
    marks = [*ONE_IN, 10_000_000]
    figure, ax = axes(height=3.4)
    for number, detection in enumerate((0.99, 0.5)):
        shares = [model.alarm_precision(HOSTILE / REQUESTS, detection, 1 / n) for n in marks]
        ax.plot(
            marks,
            shares,
            color=SERIES[number],
            linestyle=DASHES[number],
            marker=MARKERS[number],
            label=f"finds {detection:.0%} of hostile requests",
        )
    share = model.alarm_precision(HOSTILE / REQUESTS, 0.99, 1 / one_in)
    false = (REQUESTS - HOSTILE) / one_in
    ax.axvline(one_in, color=MUTED, linewidth=1)
    ax.plot(one_in, share, marker=MARKERS[3], color=SERIES[3], linestyle="", markersize=9)
    ax.set(
        xscale="log",
        ylim=(-0.03, 1.03),
        xlabel="honest requests for one false alarm",
        ylabel="share of alarms that are real",
    )
    ax.minorticks_off()
    ax.legend(loc="upper left", fontsize=9)
    said = (
        f"One false alarm in {one_in:,} honest requests: {false:,.0f} false alarms a day and "
        f"{0.99 * HOSTILE:.0f} real ones, so {_share(share)} of the alarms are real."
    )
    return picture(
        figure,
        alt=f"Share of alarms that are real, on a day of {REQUESTS:,} requests, {HOSTILE} of them "
        f"hostile. {said}",
        caption=said,
    )


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"1 in {round(1 / share):,}"


def verdicts(alerts: Mapping[str, Callable[[], Callable[[log.Window], object]]]) -> Table:
    """What each detector finds in the month, and what it costs, when intruders hide and when not.

    Args:
        alerts: For each name, a function that makes a fresh detector.
    """
    rows = []
    for name, make in alerts.items():
        for how, evasion in (("no", ()), ("yes", log.EVASIONS)):
            result = log.grade(make(), BOOK_SEED, evasion=evasion)
            total = len(result.caught) + len(result.missed)
            rows.append(
                [
                    name,
                    how,
                    f"{len(result.caught)} of {total}",
                    round(result.false_alarms_per_day, 1),
                    result.customers_accused,
                ]
            )
    return Table(
        "Detectors on the same month. “Hiding” means mixed case, encoding, patience and a botnet.",
        ["detector", "hiding", "intrusions found", "false alarms a day", "honest names accused"],
        rows,
    )


def usual(seed: int = BOOK_SEED) -> Table:
    """For each of four counts, the highest that honest work reached, and what intruders reached.

    Args:
        seed: Which month.
    """
    honest = log.month(seed, kinds=())
    calm = _highest(honest, lambda _entry: True)
    rows: list[list[object]] = []
    for place, (what, kinds) in enumerate(_COUNTS.items()):
        row: list[object] = [what, calm[place]]
        for evasion in ((), log.EVASIONS):
            hostile = log.month(seed, evasion=evasion)
            reached = []
            for number, campaign in enumerate(hostile.campaigns):
                if campaign.kind not in kinds:
                    continue
                own = {
                    entry
                    for entry, n in zip(hostile.entries, hostile.campaign, strict=True)
                    if n == number
                }
                reached.append(_highest(hostile, own.__contains__)[place])
            row.append(min(reached))
        rows.append(row)
    return Table(
        "The highest that honest work reached in a month, and the least that an intrusion reached "
        "at its height.",
        ["count", "honest", "in a hurry", "hiding"],
        rows,
    )


_COUNTS = {
    "accounts that fail from one address, in a day": ("spraying", "stuffing"),
    "accounts that fail from anywhere, in an hour": ("spraying", "stuffing"),
    "invoices that one account reads, in a day": ("scraping",),
    "customers that one of support opens, in a night": ("insider",),
}


def _highest(month: log.Log, chosen: Callable[[log.Entry], bool]) -> tuple[int, int, int, int]:
    failed, read = detectors.Tally(log.DAY_S), detectors.Tally(log.DAY_S)
    opened = detectors.Tally(log.DAY_S / 2)
    hours: defaultdict[int, set[str]] = defaultdict(set)
    by_address = by_account = by_night = 0
    for entry in month.entries:
        if not chosen(entry):
            continue
        if entry.status == 401:
            by_address = max(by_address, failed.add(entry.time, entry.address, entry.user))
            hours[int(entry.time // log.WINDOW_S)].add(entry.user)
        elif entry.path.startswith("/invoices/"):
            by_account = max(by_account, read.add(entry.time, entry.user, entry.path))
        elif entry.path.startswith("/admin/") and not 6 <= entry.time % log.DAY_S / 3600 < 20:
            by_night = max(by_night, opened.add(entry.time, entry.user, entry.path))
    return by_address, max(map(len, hours.values()), default=0), by_account, by_night


@cache
def _failures_an_hour(seed: int) -> tuple[int, ...]:
    """Failed logins of customers in each hour of an honest month, without the machines."""
    counts = [0] * (log.DAYS * 24)
    month = log.month(seed, kinds=())
    for entry in month.entries:
        if entry.status == 401 and entry.agent.startswith("Mozilla"):
            counts[int(entry.time // log.WINDOW_S)] += 1
    return tuple(counts)


def _place(hour: int) -> tuple[bool, int]:
    return hour // 24 % 7 >= 5, hour % 24


@cache
def _learned() -> tuple[Mapping[tuple[bool, int], float], float, float, float, float]:
    """What is usual at each hour, the spread, and limits that honest months just did not pass."""
    counts = [count for seed in LEARNED_SEEDS for count in _failures_an_hour(seed)]
    at: defaultdict[tuple[bool, int], list[int]] = defaultdict(list)
    for hour, count in enumerate(counts):
        at[_place(hour)].append(count)
    normal = {place: mean(values) for place, values in at.items()}
    excess = [count - normal[_place(hour)] for hour, count in enumerate(counts)]
    sigma = pstdev(excess)
    smooth = model.ewma(excess, start=0, sigma=sigma, weight=0.1).values
    sums = model.cusum(excess, target=0, slack=sigma / 2, limit=1).high
    return normal, sigma, max(excess), max(smooth), max(sums)


BEGIN_H = 10 * 24 + 9
TRIES = 240


def noticed(hours: int = 64) -> Picture:
    """How soon a threshold, an EWMA chart and a CUSUM notice 240 guesses that take their time.

    Args:
        hours: How long the intruder takes for them.
    """
    normal, sigma, *limits = _learned()
    draw = random.Random(hours)
    counts = list(_failures_an_hour(BOOK_SEED))
    moments = sorted(BEGIN_H + hours * draw.random() for _ in range(TRIES))
    for moment in moments:
        if moment < len(counts):
            counts[int(moment)] += 1
    excess = [count - normal[_place(hour)] for hour, count in enumerate(counts)]
    series = {
        "threshold": excess,
        "EWMA": model.ewma(excess, start=0, sigma=sigma, weight=0.1).values[1:],
        "CUSUM": model.cusum(excess, target=0, slack=sigma / 2, limit=1).high,
    }
    figure, ax = axes(height=3.6)
    days = [hour / 24 for hour in range(len(counts))]
    said = []
    top = 3.0
    for number, ((name, values), limit) in enumerate(zip(series.items(), limits, strict=True)):
        scaled = [value / limit for value in values]
        ax.plot(
            days,
            [min(max(value, 0), top) for value in scaled],
            color=SERIES[number],
            linestyle=DASHES[number],
            linewidth=1.0 if number == 0 else 1.6,
            alpha=0.6 if number == 0 else 1.0,
            label=name,
        )
        alarms = [hour for hour, value in enumerate(scaled) if value > 1 and hour >= BEGIN_H]
        early = sum(value > 1 for value in scaled[:BEGIN_H])
        if alarms:
            first = alarms[0]
            ax.plot(
                first / 24, 1, MARKERS[number], color=SERIES[number], markersize=9, linestyle=""
            )
            tried = sum(moment < first + 1 for moment in moments)
            took = first - BEGIN_H + 1
            said.append(f"{name}: after {took} hour{'s' * (took > 1)} and {tried} guesses")
        else:
            said.append(f"{name}: never")
        if early:
            said[-1] += f" (hours of false alarm before: {early})"
    ax.axhline(1, color=INK, linewidth=1)
    ax.axvline(BEGIN_H / 24, color=MUTED, linewidth=1)
    ax.text(BEGIN_H / 24 - 0.2, top * 0.93, "begins", color=MUTED, fontsize=9, ha="right")
    ax.set(xlim=(0, log.DAYS), ylim=(0, top), xlabel="day", ylabel="value, in units of its limit")
    ax.legend(loc="upper left", fontsize=9)
    words = "; ".join(said)
    return picture(
        figure,
        alt=f"{TRIES} guesses over {hours:,} hours, from {TRIES} addresses. First alarm: {words}.",
        caption=f"{TRIES} guesses over {hours:,} hours. First alarm: {words}.",
    )


@cache
def _address_days(how: str) -> tuple[list[int], list[int], list[int]]:
    """For each address and day with a login: failures, different failing accounts, hostile or no"""
    month = log.month(BOOK_SEED, evasion=HIDING[how])
    failures: Counter[tuple[str, int]] = Counter()
    accounts: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    hostile: dict[tuple[str, int], int] = {}
    for entry, number in zip(month.entries, month.campaign, strict=True):
        if entry.path != "/login":
            continue
        key = entry.address, int(entry.time // log.DAY_S)
        hostile[key] = max(hostile.get(key, 0), int(number >= 0))
        if entry.status == 401:
            failures[key] += 1
            accounts[key].add(entry.user)
    keys = list(hostile)
    return (
        [failures[key] for key in keys],
        [len(accounts[key]) for key in keys],
        [hostile[key] for key in keys],
    )


def roc_curves(hiding: str = "not at all") -> Picture:
    """What two counts find, against what they cost, at every threshold.

    Args:
        hiding: How the intruders hide, one of :data:`HIDING`.
    """
    # All months are read with the first picture, so that each further step is only a drawing.
    failures, accounts, labels = {how: _address_days(how) for how in HIDING}[hiding]
    honest_a_day = (len(labels) - sum(labels)) / log.DAYS
    figure, ax = axes(height=3.6)
    said = []
    for number, (name, scores) in enumerate(
        (("failed logins", failures), ("different accounts that fail", accounts))
    ):
        curve = model.roc(scores, labels)
        false = [rate * honest_a_day for rate in curve.false_alarm_rates]
        ax.step(
            false,
            curve.detection_rates,
            where="post",
            color=SERIES[number],
            linestyle=DASHES[number],
            marker=MARKERS[number],
            markersize=4,
            label=name,
        )
        found = max(
            rate for rate, cost in zip(curve.detection_rates, false, strict=True) if cost <= 0.25
        )
        said.append(f"{name}: {found:.0%} (area {curve.area:.3f})")
    ax.axvline(0.25, color=MUTED, linewidth=1)
    ax.set(
        xlim=(-0.1, 5),
        ylim=(-0.03, 1.03),
        xlabel="false alarms a day",
        ylabel="share of hostile addresses found",
    )
    ax.legend(loc="center right", fontsize=9)
    return picture(
        figure,
        alt=f"Intruders hide {hiding}. Found at no more than one false alarm in four days: "
        f"{'; '.join(said)}.",
        caption=f"One point for each threshold. The line marks one false alarm in four days; found "
        f"there: {'; '.join(said)}.",
    )


def brakes() -> Table:
    """A day of 28,800 guesses at one account, and what became of its owner's twelve sign-ins."""
    makers: dict[str, Callable[[], prevention.Brake]] = {
        "none": prevention.NoBrake,
        "lock the account, 5 failures": lambda: prevention.AccountLockout(5, 15),
        "a growing wait for each address": prevention.GrowingDelay,
        "a token bucket for each address": lambda: prevention.AddressLimit(2, 10),
        "strangers and known devices apart": lambda: prevention.KnownDevices(
            known=[("maja", "own")]
        ),
    }
    rows: list[list[object]] = []
    for name, make in makers.items():
        one, many = (
            prevention.trial(make(), addresses=count, seed=BOOK_SEED) for count in (1, 1_000)
        )
        rows.append(
            [name, one.guesses_admitted, many.guesses_admitted, many.owner_logins,
             many.owner_refused]
        )  # fmt: skip
    return Table(
        f"A day of {one.guesses:,} guesses at Maja's account. Maja wants to sign in 12 times.",
        ["brake", "guesses looked at, 1 address", "from 1,000", "Maja got in", "Maja was refused"],
        rows,
    )


@cache
def _blocked(how: str) -> tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
    """For each limit: the share of hostile guesses stopped, and honest people turned away."""
    month = log.month(BOOK_SEED, evasion=HIDING[how])
    logins = [
        (entry, number)
        for entry, number in zip(month.entries, month.campaign, strict=True)
        if entry.path == "/login"
    ]
    hostile = sum(number >= 0 for _, number in logins)
    limits = tuple(range(1, 31))
    stopped, turned_away = [], []
    for limit in limits:
        tally = detectors.Tally(log.DAY_S)
        until: dict[str, float] = {}
        lost = 0
        people: set[tuple[str, int]] = set()
        for entry, number in logins:
            if entry.time < until.get(entry.address, 0.0):
                if number >= 0:
                    lost += 1
                else:
                    people.add((entry.user, int(entry.time // log.DAY_S)))
            elif entry.status == 401 and tally.add(entry.time, entry.address, entry.user) >= limit:
                until[entry.address] = entry.time + log.DAY_S
        stopped.append(lost / hostile)
        turned_away.append(len(people))
    return limits, tuple(stopped), tuple(turned_away)


def blocking(limit: int = 5, hiding: str = "not at all") -> Picture:
    """What blocking an address for a day stops, and whom it turns away.

    Args:
        limit: Different accounts that fail from one address within a day before it is blocked.
        hiding: How the intruders hide, one of :data:`HIDING`.
    """
    limits, stopped, turned_away = _blocked(hiding)
    place = limits.index(limit)
    figure, ax = axes(height=3.4)
    ax.plot(turned_away, stopped, color=SERIES[0], linestyle="-", marker=MARKERS[0], markersize=4)
    ax.plot(
        turned_away[place], stopped[place], MARKERS[3], color=SERIES[3], markersize=10, linestyle=""
    )
    ax.set(
        xlim=(-5, max(_blocked("not at all")[2]) * 1.05),
        ylim=(-0.03, 1.03),
        xlabel="times in the month that an honest person was turned away for the day",
        ylabel="hostile guesses stopped",
    )
    said = (
        f"Blocking after {limit} account{'s' * (limit > 1)}: {stopped[place]:.0%} of the guesses "
        f"stopped, honest people turned away {turned_away[place]:,} times."
    )
    return picture(
        figure, alt=f"Intruders hide {hiding}. {said}", caption=f"{said} One point for each limit."
    )
