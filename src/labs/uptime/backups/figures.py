"""The tables and pictures of the lesson; what they say is computed from what they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import DASHES, MARKERS, MUTED, SERIES
from labs.uptime.backups import books, model, year
from labs.uptime.backups.books import Backup, Books
from labs.uptime.backups.year import KINDS, REBUILD_H, SITES, Kind, Outcome, Plan, Recovery

COPY_FAILURE = 0.05
"""The probability that one copy cannot be read, in the picture of many copies. It is assumed."""

_NAMES: Mapping[Kind, str] = {
    "deleted table": "a table is deleted",
    "disk loss": "the server's disk dies",
    "building fire": "the building burns",
    "ransomware": "ransomware",
    "silent corruption": "wrong amounts, seen after 10 days",
    "failing job": "a job that failed for 3 weeks",
    "rotten copies": "copies that rotted for 3 weeks",
}

_LOCKED = "lulea"

_FOUND = {
    "it is no database": "garbled",
    "pages are damaged": "rotten",
    "its bytes are not what was backed up": "rotten",
}


def _clock(hour: float) -> str:
    day, rest = divmod(hour, 24)
    return f"day {day + 1:.0f}, {int(rest):02d}:{int(rest % 1 * 60):02d}"


def _long(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.0f} days"


def shelf(live: Books, kept: Iterable[Backup]) -> Table:
    """What lies on the sites: each copy, read from its place."""
    rows = []
    for backup in kept:
        content = live.read(backup)
        site = backup.path.parent.name if backup.path else "memory"
        rows.append(
            [
                _clock(backup.at_h),
                site,
                books.count_entries(content),
                len(content),
                backup.sha256[:12] + "…",
            ]
        )
    return Table(
        "Copies as they lie on their sites, and the fingerprint that was noted of each.",
        ["made", "site", "entries", "bytes", "SHA-256"],
        rows,
    )


def what_is_left(*, seed: int = 2) -> Table:
    """What comes back after each disaster, from copies on one site only."""
    rows = []
    for kind in KINDS:
        ends = [year.meet(kind, site, seed=seed) for site in SITES]
        ends.append(year.meet(kind, _LOCKED, seed=seed, locked=True))
        rows.append([_NAMES[kind], *(_end(one) for one in ends)])
    return Table(
        "Hours or days of work lost when the copies, one every six hours, lie in this place alone. "
        "A word says that no copy came back, and why.",
        ["what happens", *SITES, f"{_LOCKED}, locked"],
        rows,
    )


def _end(recovery: Recovery) -> str:
    if recovery.restored_from:
        # A number and its unit stay on one line of a narrow column.
        return _long(recovery.lost_h).replace(" ", "\u00a0")
    if not recovery.tried:
        return "gone"
    return _FOUND[recovery.tried[-1].partition(": ")[2]]


def places() -> Table:
    """What a plan can choose from: where, how fast, how dear."""
    rows: list[list[object]] = []
    for site in SITES.values():
        alone = Plan(interval_h=6, sites=(site.name,))
        rows.append(
            [
                site.name,
                site.building,
                f"{alone.run_h(site.name):.1f}",
                f"{12 * site.eur_a_month:,.0f}",
                f"{site.eur_a_copy:.2f}",
            ]
        )
    test, lock = year.EUR_A_TEST, year.LOCK_SURCHARGE
    return Table(
        f"Five places. A restore test costs {test} euro for each place, a lock {lock:.0%} more "
        "rent. The tape is driven to the vault once a week; fetching it takes "
        f"{SITES['tape'].fetch_h:g} hours.",
        ["place", "building", "hours for a copy", "euro a year", "euro a month for each copy"],
        rows,
    )


def plans(compared: Mapping[str, Plan]) -> Table:
    """Plans side by side, with what each costs."""
    lines: list[list[object]] = [
        ["a copy every", *(f"{one.interval_h:g} h" for one in compared.values())],
        ["sites", *(", ".join(one.sites) for one in compared.values())],
        ["of them locked", *(", ".join(one.locked) or "none" for one in compared.values())],
        ["kept for", *(f"{one.keep_days:g} days" for one in compared.values())],
        [
            "restore tests",
            *(
                "never" if one.test_every_days is None else f"every {one.test_every_days:g} days"
                for one in compared.values()
            ),
        ],
        ["euro a year", *(f"{one.eur_a_year:,.0f}" for one in compared.values())],
    ]
    return Table("Plans, and what each costs in a year.", ["", *compared], lines)


def one_year(outcomes: Mapping[str, Outcome]) -> Table:
    """What the same year took from each plan."""
    rows = []
    for kind in REBUILD_H:
        row: list[object] = [kind]
        for outcome in outcomes.values():
            found = [one for one in outcome.recoveries if one.kind == kind]
            row.append(_recovered(found[0]) if found else "undone by an earlier restore")
        rows.append(row)
    rows.append(
        [
            "restore tests that found a fault",
            *(f"{len(one.findings)} of {one.tests}" for one in outcomes.values()),
        ]
    )
    return Table(
        "One year, every disaster in it once. A job fails and a disk rots in between.",
        ["", *outcomes],
        rows,
    )


def _recovered(recovery: Recovery) -> str:
    if not recovery.restored_from:
        return "the books are gone"
    return (
        f"{_long(recovery.lost_h)} lost, {recovery.down_h:.1f} h down, "
        f"from {recovery.restored_from}"
    )


def work_lost(interval_h: float, run_h: float) -> Picture:
    """How much work a failure costs, by the moment at which it comes.

    Args:
        interval_h: Hours between the starts of two copies.
        run_h: Hours until a copy has arrived and counts.
    """
    until = 72.0
    loss = model.data_loss(interval_h, run_h)
    hours, ages = [0.0], [(-run_h) % interval_h + run_h]
    arrives = run_h % interval_h
    while arrives < until:
        if arrives > 0:
            hours += [arrives, arrives]
            ages += [loss.worst_h, run_h]
        arrives += interval_h
    hours.append(until)
    ages.append(((until - run_h) % interval_h or interval_h) + run_h)
    figure, ax = axes(height=3.2)
    ax.plot(hours, ages, color=SERIES[0], linestyle="-", label="if the failure comes now")
    ax.axhline(loss.expected_h, color=SERIES[1], linestyle=DASHES[1], label="on average")
    ax.axhline(loss.worst_h, color=SERIES[3], linestyle=DASHES[2], label="at worst")
    ax.set(
        xlim=(0, until),
        ylim=(0, 30),
        xlabel="hour of the failure, over three days",
        ylabel="hours of work lost",
    )
    ax.set_xticks(range(0, 73, 12))
    ax.legend(loc="upper right", fontsize=9, ncols=3)
    said = (
        f"Time between copies {interval_h:g} h, time under way {run_h:g} h: "
        f"{loss.expected_h:g} hours of work lost on average, {loss.worst_h:g} at worst."
    )
    return picture(
        figure,
        alt=f"Work lost against the hour of the failure: a saw that climbs from {run_h:g} to "
        f"{loss.worst_h:g} hours and drops whenever a copy arrives. {said}",
        caption=said,
    )


def copies_lost(site_disaster: float) -> Picture:
    """The chance that every copy is lost, by how many there are and in how many buildings.

    Args:
        site_disaster: The probability that a building is lost with all that is in it.
    """
    figure, ax = axes(height=3.4)
    numbers = range(1, 7)
    said = []
    for row, sites in enumerate((1, 2, 3)):
        chances = [
            model.loss_probability(
                [n // sites + (place < n % sites) for place in range(sites)],
                copy_failure=COPY_FAILURE,
                site_disaster=site_disaster,
            )
            for n in numbers
        ]
        where = "in one building" if sites == 1 else f"spread over {sites} buildings"
        ax.plot(
            numbers,
            chances,
            color=SERIES[row],
            linestyle=DASHES[row],
            marker=MARKERS[row],
            label=where,
        )
        said.append(f"{where}: {chances[2]:.2g} with 3 copies, {chances[5]:.2g} with 6")
    ax.axhline(site_disaster, color=MUTED, linewidth=1, linestyle="-")
    ax.text(0.78, site_disaster * 0.7, "the building", color=MUTED, fontsize=9, va="top")
    ax.set(
        yscale="log",
        ylim=(1e-10, 1),
        xlabel="copies",
        ylabel="chance that all are lost",
    )
    ax.set_xticks(list(numbers))
    ax.legend(loc="lower left", fontsize=9)
    return picture(
        figure,
        alt=f"Chance that all copies are lost, where one in {1 / site_disaster:,.0f} buildings is "
        f"lost. {'; '.join(said)}.",
        caption=f"Assumed: one copy in {1 / COPY_FAILURE:.0f} cannot be read when it is needed. "
        "More copies in one building help as far as the building does.",
    )


def unnoticed(breaks_a_year: float) -> Picture:
    """The chance that the backup is broken, unknown to all, on the day when it is needed.

    Args:
        breaks_a_year: How often a year the backup job breaks.
    """
    months = [n / 2 for n in range(1, 73)]
    chances = [100 * model.unnoticed_failure(breaks_a_year, n / 12) for n in months]
    figure, ax = axes(height=3.2)
    ax.plot(months, chances, color=SERIES[0], linestyle="-")
    said = []
    for number, (n, label) in enumerate(((1, "monthly"), (12, "yearly"), (36, "every third year"))):
        chance = 100 * model.unnoticed_failure(breaks_a_year, n / 12)
        ax.plot(n, chance, MARKERS[number + 1], color=SERIES[number + 1], label=label, markersize=9)
        said.append(f"tested {label} {chance:.1f}%")
    ax.set(
        xlim=(0, 37),
        ylim=(0, 100),
        xlabel="months between two restore tests",
        ylabel="broken when needed (%)",
    )
    ax.set_xticks(range(0, 37, 6))
    ax.legend(loc="upper left", fontsize=9, title="tested")
    return picture(
        figure,
        alt="Chance that a backup is broken when it is needed, where the job breaks "
        f"{breaks_a_year:g} times a year on average: {', '.join(said)}.",
        caption=f"Broken, and nobody knows, on the day when the copy is needed: {', '.join(said)}.",
    )
