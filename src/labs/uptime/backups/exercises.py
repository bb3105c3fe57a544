"""The exercises of the lesson: questions and a plan for everyone, two repairs for builders.

A plan is judged by what it brings back. Each check lets it meet a disaster at the worst hour that
its own schedule allows, restores real copies, and compares bytes, hours and euros. A backup job is
judged by what its copy holds, and a choice of copy by the books that come back from it.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz, matching
from labs.uptime.backups import books, job
from labs.uptime.backups.job import Kept
from labs.uptime.backups.year import (
    SITES,
    TARGET,
    Disaster,
    Outcome,
    Plan,
    Recovery,
    Site,
    disasters,
    run_year,
)

half_an_interval = Quiz(
    "uptime.backups.half_an_interval",
    "A copy is made every six hours, day and night. At some moment a table is deleted, and the "
    "newest copy is restored. How many hours of work are gone, on average over many such days?",
    [
        Option(
            "None: that is what the copies are for",
            "A copy holds what was there when it was made. What came later is in no copy.",
        ),
        Option(
            "About three hours",
            "The moment falls anywhere between two copies: six hours at worst, none at best, three "
            "on average.",
            correct=True,
        ),
        Option("About six hours", "That is the worst moment: just before the next copy is made."),
        Option(
            "About a day",
            "That would be one copy a day, and the worst moment of it.",
        ),
    ],
    prediction=True,
)

green_job = Quiz(
    "uptime.backups.green_job",
    "The backup job reports success every night, and has done so for a year. What do you know?",
    [
        Option(
            "That last night's copy can be restored",
            "Nobody has tried. A job can copy an empty file with great success.",
        ),
        Option(
            "That a program came to its end without noticing an error",
            "That and no more. Whether there is a copy, and of what, shows when it is read.",
            correct=True,
        ),
        Option(
            "That the copies are complete, though perhaps not the newest",
            "Complete is what the job would have to look for. Most jobs only write.",
        ),
        Option(
            "How long a restore takes",
            "Writing and restoring go different ways, and only one of them has been tried.",
        ),
    ],
)

within_reach = Quiz(
    "uptime.backups.within_reach",
    "Copies lie on the server, in the cellar, in Uppsala and far north in Luleå. Someone breaks "
    "in, gets the rights of an administrator, and encrypts everything within reach. In how many of "
    "the four places is a copy left that can be read?",
    [
        Option(
            "In none",
            "The administrator can write in all four, so the intruder can. Distance is no lock.",
            correct=True,
        ),
        Option(
            "In one: Luleå is far enough away",
            "Far from a fire. A program gets there as fast as the nightly copy does.",
        ),
        Option(
            "In two, those in other buildings",
            "Walls stop fire. What came over the wire leaves over the wire.",
        ),
        Option(
            "In three, all but the server",
            "The rights were an administrator's, and the backups are administered too.",
        ),
    ],
    prediction=True,
)

which_vendor = Quiz(
    "uptime.backups.which_vendor",
    "You ask four vendors about their backups. Whose answer tells you that your books come back?",
    [
        Option(
            "“We back up every hour, to two data centers.”",
            "How often and where is half of it. It does not say that a copy was ever read.",
        ),
        Option(
            "“Our storage mirrors every write to a second site at once.”",
            "A mirror repeats the deleted table at once as well. It is no backup.",
        ),
        Option(
            "“On 3 March we restored the whole database elsewhere: 52 minutes, all balances right. "
            "Next in June.”",
            "A date, a time and a comparison. You can ask for the next one.",
            correct=True,
        ),
        Option(
            "“Our backup software reports no errors.”",
            "It reports what it did. Ask what somebody got back.",
        ),
    ],
)

TROUBLES = {
    "somebody deletes a table at noon": "a",
    "the building burns": "b",
    "ransomware gets an administrator's rights": "c",
    "a faulty program has changed amounts for two weeks": "d",
    "the backup job has written empty files since October": "e",
}
"""What the matching exercise asks, with the letter of the answer."""

match_remedies = matching(
    "uptime.backups.match_remedies",
    "Match each trouble with what the books come back from",
    part="remedies",
    choices=(
        "a copy that is a few hours old",
        "a copy in another building",
        "a copy that nobody can change or remove",
        "a copy that has been kept for a month",
        "none; a restore test would have said so in time",
    ),
    answers=TROUBLES,
    nudges=dict(
        zip(
            TROUBLES,
            (
                "The building stands and the other copies can be read. What matters is how much "
                "work is lost.",
                "Copies in the same building burn with it, however many there are.",
                "Whatever an administrator may change, the intruder may change too.",
                "The newest copies have the wrong amounts as well. How far back must you reach?",
                "There are files, dates and sizes. What had nobody done with them?",
            ),
            strict=True,
        )
    ),
    item="trouble",
    claim="Something helps when {}",
    missing="the copy, or the habit, that brings the books back from it",
    nudge="Each letter is used once. Begin with the trouble for which no copy is left.",
    concept="Frequent copies save hours, distant ones survive a building, locked ones survive a "
    "thief, old ones reach back behind a fault. Whether any of them can be read shows in a test.",
    next_step="Now make a plan that holds against all of them.",
)

SLOW_H = 3
"""Hours until somebody notices a deleted table, at most."""

UNSEEN_DAYS = 14
"""Days until somebody notices changed amounts, at most."""

LATER_DAYS = 21
"""Days for which a broken job is left to itself before its copies are needed."""

MOMENT_H = 1e-6

_CAREFUL = Plan(
    interval_h=6,
    sites=("cellar", "uppsala", "lulea"),
    locked=("lulea",),
    keep_days=30,
    test_every_days=14,
)
_HOPEFUL = Plan(interval_h=24, sites=("server", "cellar"), keep_days=7)

choose_a_plan = Exercise(
    "uptime.backups.choose_a_plan",
    "Plan the backups, and meet a year that you do not know",
    parts=[Part("plan", value=Plan)],
    starter="""from labs.uptime import backups

plan = backups.Plan(
    interval_h=24,  # hours between two copies
    # which of server, cellar, uppsala, lulea and tape:
    sites=("server", "cellar"),
    # which of these nobody can change; a single one: ("cellar",)
    locked=(),
    keep_days=7,  # how long a copy is kept
    test_every_days=None,  # days between restore tests
)""",
    weak={"plan": _HOPEFUL},
    reference={"plan": _CAREFUL},
    hints=Hints(
        nudge="Go through the table of disasters above, row by row. Which copy of yours is left?",
        concept="Hours lost come from the interval and the time a copy is under way. Sites decide "
        "about fire, locks about ransomware, days kept about faults seen late, tests about copies "
        "that are none.",
        place="Add sites in other buildings and lock one. Then shorten the interval, keep copies "
        "for longer, and set a number of days between tests.",
        solution="""from labs.uptime import backups

plan = backups.Plan(
    interval_h=6,
    sites=("cellar", "uppsala", "lulea"),
    locked=("lulea",),
    keep_days=30,
    test_every_days=14,
)""",
    ),
    next_step="Builders go on below. Everybody else can jump to the questions for a vendor.",
)


def _plan(answer: Answer) -> Plan:
    """The plan that was handed in, made again from its fields, whatever class it has."""
    given = answer.plan
    return Plan(**{field.name: getattr(given, field.name) for field in fields(Plan)})


def _seed(rng: random.Random) -> int:
    # Few enough that the checks share a year of bookkeeping, which takes a moment to make.
    return rng.randrange(3)


def _stands(kind: str, site: Site, plan: Plan) -> bool:
    """Whether copies on the site are left after that disaster."""
    if kind == "disk loss":
        return not site.same_disk
    if kind == "building fire":
        return site.building != "data center"
    if kind == "ransomware":
        return site.offline or site.name in plan.locked
    return True


def _worst_h(plan: Plan, kind: str, day: float) -> float:
    """The moment, within a week of that day, at which the newest copy that is left is oldest."""
    left = [
        (plan.interval_at(name), plan.run_h(name))
        for name in plan.sites
        if _stands(kind, SITES[name], plan)
    ]
    begins, worst, oldest_h = day * 24, day * 24, -1.0
    for interval, run in left:
        arrives = (begins // interval + 1) * interval + run
        while arrives < begins + 7 * 24:
            at = arrives - MOMENT_H
            # The newest copy of each site is the last that was begun early enough to have arrived.
            age = min(at - (at - its_run) // its * its for its, its_run in left)
            if age > oldest_h:
                worst, oldest_h = at, age
            arrives += interval
    return worst


def _after_a_test_h(plan: Plan, day: float) -> float:
    """An hour after the first restore test from that day on: what breaks now stays unseen longest.

    Without tests, any hour is as good.
    """
    if plan.test_every_days is None:
        return day * 24 + 1
    return -(-day // plan.test_every_days) * plan.test_every_days * 24 + 1


def _before_a_copy_h(plan: Plan, hour: float) -> float:
    """The moment before the next copy is begun: the copies from before it are oldest then."""
    return -(-hour // plan.interval_h) * plan.interval_h - MOMENT_H


def _meet(plan: Plan, rng: random.Random, *events: Disaster) -> Recovery:
    return run_year(plan, _seed(rng), events=events).recoveries[-1]


def _clock(hour: float) -> str:
    day, rest = divmod(hour, 24)
    return f"day {day + 1:.0f}, {int(rest):02d}:{int(rest % 1 * 60):02d}"


def _hours(hours: float) -> str:
    return f"{hours:.1f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def _must_come_back(
    recovery: Recovery, given: str, missing: str, nudge: str, *, bear_loss: bool = False
) -> None:
    """Fail unless the books came back byte for byte, with no more lost than can be borne."""
    if not recovery.restored_from or not recovery.byte_equal:
        tried = recovery.tried[-1].partition(": ") if recovery.tried else ("", "", "")
        raise Failed(
            given=given,
            happened="no copy could be restored: "
            + (
                f"the one on {tried[0]} was tried, and {tried[2]}"
                if tried[0]
                else "none from before it was left"
            ),
            missing=missing,
            nudge=nudge,
        )
    if recovery.lost_h > TARGET.lost_h and not bear_loss:
        raise Failed(
            given=given,
            happened=f"the newest copy that could be restored came from {recovery.restored_from}, "
            f"and {_hours(recovery.lost_h)} of work were gone",
            missing=missing
            if recovery.lost_h > 72
            else f"a loss of {TARGET.lost_h:g} hours at "
            "most; a copy counts from the moment at which it has arrived",
            nudge=nudge,
        )
    if recovery.down_h > TARGET.down_h:
        raise Failed(
            given=given,
            happened=f"customers could not work for {recovery.down_h:.1f} hours",
            missing=f"a restore within {TARGET.down_h:g} hours",
            nudge="Bad copies that are tried first cost hours, and so does fetching from a vault.",
        )


@choose_a_plan.honest("A deleted table comes back, byte for byte")
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    at_h = rng.uniform(40, 60) * 24
    _must_come_back(
        _meet(plan, rng, Disaster("deleted table", at_h, at_h)),
        "a deleted table",
        "a copy",
        "Copies must be made before they are needed: look at the interval.",
        bear_loss=True,
    )


@choose_a_plan.honest(f"The plan costs no more than {TARGET.eur_a_year:,.0f} euro a year")
def _(answer: Answer, _rng: random.Random) -> None:
    plan = _plan(answer)
    if plan.eur_a_year > TARGET.eur_a_year:
        raise Failed(
            given="your plan",
            happened=f"it costs {plan.eur_a_year:,.0f} euro a year",
            missing=f"a plan for {TARGET.eur_a_year:,.0f} euro a year",
            nudge="Look where the money goes: restore tests cost 60 euro for each site, and many "
            "copies kept for long fill up rented room.",
        )


@choose_a_plan.attack(f"When a table is deleted, {TARGET.lost_h:g} hours of work are lost at most")
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    at_h = _before_a_copy_h(plan, rng.uniform(40, 60) * 24)
    _must_come_back(
        _meet(plan, rng, Disaster("deleted table", at_h, at_h + SLOW_H)),
        f"a table deleted on {_clock(at_h)}, a moment before the next copy; it took {SLOW_H} hours "
        "until someone noticed",
        "a copy",
        f"At worst an interval is lost, and the {SLOW_H} hours until someone notices.",
    )


@choose_a_plan.attack(
    f"When the server's disk dies, {TARGET.lost_h:g} hours of work are lost at most"
)
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    at_h = _worst_h(plan, "disk loss", rng.uniform(40, 60))
    _must_come_back(
        _meet(plan, rng, Disaster("disk loss", at_h, at_h)),
        f"a dead disk on {_clock(at_h)}, a moment before the next copy arrived",
        "a copy on another disk",
        "At worst an interval is lost, and the hours that a copy is under way.",
    )


@choose_a_plan.attack(f"When the building burns, {TARGET.lost_h:g} hours of work are lost at most")
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    at_h = _worst_h(plan, "building fire", rng.uniform(40, 60))
    _must_come_back(
        _meet(plan, rng, Disaster("building fire", at_h, at_h)),
        f"a fire in the data center on {_clock(at_h)}",
        "a fresh copy in another building",
        "Server and cellar stand in one building, and the tape is driven away once a week.",
    )


@choose_a_plan.attack("Ransomware finds one fresh copy that it cannot touch")
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    at_h = _worst_h(plan, "ransomware", rng.uniform(40, 60))
    _must_come_back(
        _meet(plan, rng, Disaster("ransomware", at_h, at_h)),
        f"ransomware with an administrator's rights on {_clock(at_h)}",
        "a fresh copy that nobody can change or remove",
        "Name a site in `locked`. A tape is out of reach too, and up to a week old.",
    )


@choose_a_plan.attack(
    "A fault that was noticed after two weeks can be undone",
    weak={"plan": replace(_CAREFUL, keep_days=10, test_every_days=None)},
)
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    at_h = _before_a_copy_h(plan, _after_a_test_h(plan, rng.uniform(40, 60)))
    fault = Disaster("silent corruption", at_h, at_h + UNSEEN_DAYS * 24)
    _must_come_back(
        _meet(plan, rng, fault),
        f"a program that changed amounts without a word; someone noticed {UNSEEN_DAYS} days later",
        "a copy from before the fault, still there when it is noticed",
        "Every copy of the last two weeks has the wrong amounts. Keep copies for longer than that.",
        bear_loss=True,
    )


@choose_a_plan.attack(
    "A backup job that fails unseen is found out before its copies are needed",
    weak={"plan": replace(_CAREFUL, test_every_days=None)},
)
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    broken_h = _after_a_test_h(plan, rng.uniform(40, 60))
    # Two hours less, so that a test on the last day comes too late.
    needed_h = broken_h + LATER_DAYS * 24 - 2
    _must_come_back(
        _meet(
            plan,
            rng,
            Disaster("failing job", broken_h, broken_h),
            Disaster("deleted table", needed_h, needed_h),
        ),
        f"a job that writes empty files and reports success, and {LATER_DAYS} days later a "
        "deleted table",
        "somebody who reads a copy, and does so more often than every three weeks",
        "An untested backup counts for nothing: set `test_every_days`.",
    )


@choose_a_plan.attack(
    "A site whose copies rot unseen is not the last one",
    weak={"plan": replace(_CAREFUL, sites=("lulea",))},
)
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    for name in plan.sites:
        rots_h = _after_a_test_h(plan, rng.uniform(40, 60))
        dies_h = rots_h + 24
        _must_come_back(
            _meet(
                plan,
                rng,
                Disaster("rotten copies", rots_h, rots_h, name),
                Disaster("disk loss", dies_h, dies_h),
            ),
            f"copies on {name} that lose bits, and a day later the server's disk dies",
            "a second site with copies, besides the server's own disk",
            "No test runs in that one day. Where else could the books come back from?",
        )


@choose_a_plan.attack("A hidden year with all of it ends well")
def _(answer: Answer, rng: random.Random) -> None:
    plan = _plan(answer)
    year = disasters(rng.randrange(10**9))
    outcome: Outcome = run_year(plan, _seed(rng), events=year)
    for reason in outcome.shortfalls():
        if "euro" not in reason:
            raise Failed(
                given=f"a year with {len(year)} troubles, in an order that you could not know",
                happened=reason,
                missing="books that come back every time",
                nudge="The checks above show each trouble alone. Repair those first.",
            )


@cache
def _last_run() -> bytes:
    with closing(books.connect()) as before:
        books.create(before)
        books.write(before, books.stream(0)[:100])
        return before.serialize()


@contextmanager
def _service(rng: random.Random, *, recent: int) -> Iterator[tuple[Path, Path, bytes]]:
    """The live books in use, a place for the copy with the copy of the last run, and its bytes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        home = Path(name)
        (home / "live").mkdir()
        (home / "lulea").mkdir()
        target = home / "lulea" / "books.sqlite"
        settled = rng.randrange(150, 250)
        with job.in_use(home / "live", _seed(rng), settled=settled, recent=recent) as live:
            last = _last_run()
            target.write_bytes(last)
            yield live, target, last


def _rows(copy: bytes) -> list[list[Any]]:
    with closing(books.connect()) as restored:
        books.load(restored, copy)
        return [
            restored.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in books.TABLES
        ]


def _expected(live: Path) -> list[list[Any]]:
    with closing(sqlite3.connect(live)) as reader:
        return _rows(books.back_up(reader))


def _must_hold(live: Path, target: Path, given: str) -> None:
    """Fail unless the copy, alone in its place, restores to what the live books hold."""
    copy = target.read_bytes() if target.is_file() else b""
    fault = books.examine(copy)
    if fault:
        raise Failed(
            given=given,
            happened=f"someone restored the copy, and {fault}",
            missing="one file that can be restored without anything beside it",
            nudge="Write the copy to `target`, as a database.",
        )
    wanted, found = _expected(live), _rows(copy)
    if wanted != found:
        entries = books.TABLES.index("entries")
        raise Failed(
            given=given,
            happened=f"the restored copy holds {len(found[entries])} entries, and the customers "
            f"had made {len(wanted[entries])}",
            missing="what has been committed and is not in the file yet",
            nudge="A database in use keeps its newest entries in a log beside the file. Ask the "
            "database for the copy: `Connection.backup`.",
        )


back_up = Exercise(
    "uptime.backups.back_up",
    "Copy a database that is in use",
    parts=[Part("back_up", returns=bool)],
    starter='''import shutil


def back_up(live, target):
    """Copy the file `live` to `target`; say whether it worked."""
    shutil.copyfile(live, target)
    return True''',
    weak={"back_up": job.back_up_file_weak},
    reference={"back_up": job.back_up_file},
    hints=Hints(
        nudge="What becomes of yesterday's good copy when today's run goes wrong halfway?",
        concept="The database knows what belongs together; the file system does not. And a copy "
        "counts when it has been read, so read it before it replaces the last one.",
        place="Replace `copyfile` by SQLite's own backup, into a second file. Read that one with "
        "`backups.books.examine`, then let it take the place of `target`.",
        solution="""import sqlite3
from contextlib import closing

from labs.uptime import backups


def back_up(live, target):
    if not live.exists():  # connecting would make an empty database
        return False
    fresh = target.with_suffix(".new")
    try:
        with closing(sqlite3.connect(live)) as source:
            with closing(sqlite3.connect(fresh)) as copy:
                source.backup(copy)
    except sqlite3.DatabaseError:
        return False
    if backups.books.examine(fresh.read_bytes()):
        return False
    fresh.replace(target)
    return True""",
    ),
    next_step="Then choose the copy to restore, on the day when it counts.",
)


def _run_job(answer: Answer, live: Path, target: Path) -> bool:
    """Whether the job says that it went well. One that raises has said that it did not."""
    outcome = answer.back_up.outcome(live, target)
    return outcome.raised is None and bool(outcome.value)


@back_up.honest("In a quiet hour the copy holds the books, row for row")
def _(answer: Answer, rng: random.Random) -> None:
    with _service(rng, recent=0) as (live, target, _):
        if not answer.back_up(live, target):
            raise _refused("the books in a quiet hour")
        _must_hold(live, target, "the books in a quiet hour, with nothing in the log")


def _refused(given: str) -> Failed:
    return Failed(
        given=given,
        happened="`back_up` returned False, and nothing was wrong",
        missing="a copy whenever one can be made",
        nudge="Return True once the new copy lies at `target`.",
    )


@back_up.attack("Entries that were made a moment ago are in the copy")
def _(answer: Answer, rng: random.Random) -> None:
    recent = rng.randrange(20, 60)
    given = f"the books in office hours, with {recent} entries made in the last minutes"
    with _service(rng, recent=recent) as (live, target, _):
        if not answer.back_up(live, target):
            raise _refused(given)
        _must_hold(live, target, given)


def _trusting(live: Path, target: Path) -> bool:
    """Uses SQLite's backup and believes in it."""
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return True


def _must_keep(said: bool, target: Path, last: bytes, given: str, nudge: str) -> None:
    if said:
        raise Failed(
            given=given,
            happened="the job reported success",
            missing="a failure that somebody hears of",
            nudge=nudge,
        )
    kept = target.read_bytes() if target.is_file() else b""
    if kept != last:
        raise Failed(
            given=given,
            happened="the job said that it failed, and the good copy of the last run is gone",
            missing="the old copy, untouched until a better one is there",
            nudge="Copy to a file beside `target` first, and let it take that name at the end: "
            "`fresh.replace(target)`.",
        )


@back_up.attack(
    "Books that are not where they should be are no empty success", weak={"back_up": _trusting}
)
def _(answer: Answer, rng: random.Random) -> None:
    with _service(rng, recent=5) as (live, target, last):
        moved = live.with_name("moved.sqlite")
        said = _run_job(answer, moved, target)
        _must_keep(
            said,
            target,
            last,
            "a path where no books lie, since someone moved them last week",
            "Connecting to a file that is not there makes an empty database. Look whether it "
            "exists.",
        )


_must_find: dict[str, Callable[[sqlite3.Connection], object]] = {
    "a table is missing": books.delete_table,
    "amounts were changed": lambda service: books.corrupt_silently(service, 1),
}


@back_up.attack("Damaged books do not replace the last good copy", weak={"back_up": _trusting})
def _(answer: Answer, rng: random.Random) -> None:
    for fault, harm in _must_find.items():
        with _service(rng, recent=5) as (live, target, last):
            with closing(sqlite3.connect(live)) as service:
                harm(service)
                service.commit()
            said = _run_job(answer, live, target)
            _must_keep(
                said,
                target,
                last,
                f"live books in which {fault}",
                "Read the fresh copy before you trust it: `backups.books.examine(content)` says "
                "what is wrong with it, or nothing.",
            )


choose_copy = Exercise(
    "uptime.backups.choose_copy",
    "Choose the copy to restore",
    parts=[Part("choose", returns=(Kept, type(None)))],
    starter='''def choose(copies, damaged_h):
    """Return the copy to restore, or None if no copy helps."""
    return max(copies, key=lambda copy: copy.at_h)''',
    weak={"choose": job.choose_copy_weak},
    reference={"choose": job.choose_copy},
    hints=Hints(
        nudge="The newest copy was made an hour ago. When was the damage done?",
        concept="A copy can be too new, rotten, encrypted or empty. Its fingerprint tells whether "
        "the bytes are those that were written; reading it tells whether those were any good.",
        place="Go through the copies from new to old, and return the first that passes three "
        "tests: its hour, its fingerprint, its books.",
        solution="""from labs.uptime import backups


def choose(copies, damaged_h):
    for copy in sorted(copies, key=lambda copy: -copy.at_h):
        if copy.at_h >= damaged_h:
            continue
        if backups.books.fingerprint(copy.content) != copy.sha256:
            continue
        if not backups.books.examine(copy.content):
            return copy
    return None""",
    ),
    next_step="Read the questions for a vendor, and ask one this week.",
)

_PLACES = ("cellar", "uppsala", "lulea")


def _copies(rng: random.Random, count: int) -> list[Kept]:
    """Good copies, six hours apart, oldest first."""
    seed, first = _seed(rng), rng.randrange(150, 300)
    made = []
    with closing(books.connect()) as live:
        books.create(live)
        books.write(live, books.stream(seed)[:first])
        at_h = books.stream(seed)[first].hour
        for number in range(count):
            more = first + 10
            books.write(live, books.stream(seed)[first:more])
            first, at_h = more, at_h + 6
            made.append(_kept(at_h, _PLACES[number % 3], live.serialize()))
    return made


def _kept(at_h: float, site: str, content: bytes) -> Kept:
    return Kept(at_h, site, books.fingerprint(content), content)


def _changed(copy: bytes, harm: Callable[[sqlite3.Connection], object]) -> bytes:
    with closing(books.connect()) as live:
        books.load(live, copy)
        harm(live)
        return live.serialize()


def _flipped(copy: bytes) -> bytes:
    """One bit of a customer's name is another: the database opens, and nothing complains."""
    at = copy.index(b"Bergs Bageri")
    return copy[:at] + bytes([copy[at] ^ 2]) + copy[at + 1 :]


def _encrypted(copy: bytes, rng: random.Random) -> bytes:
    return (int.from_bytes(copy) ^ rng.getrandbits(8 * len(copy))).to_bytes(len(copy))


def _must_choose(
    answer: Answer,
    rng: random.Random,
    copies: Sequence[Kept],
    damaged_h: float,
    given: str,
    missing: str,
    nudge: str,
) -> None:
    shuffled = list(copies)
    rng.shuffle(shuffled)
    chosen = answer.choose(list(shuffled), damaged_h)
    best = job.choose_copy(copies, damaged_h)
    if chosen is None or best is None:
        if chosen is not best:
            raise Failed(
                given=given,
                happened="no copy was chosen, and one would have helped"
                if chosen is None
                else f"the copy from {chosen.site} was restored: {_came_of(chosen)}",
                missing=missing,
                nudge=nudge,
            )
        return
    if chosen not in copies:
        raise Failed(
            given=given,
            happened="what was chosen is none of the copies",
            missing="one of the copies, as it lies there",
            nudge="Return an element of `copies`.",
        )
    if chosen.content != best.content:
        late = best.at_h - chosen.at_h
        raise Failed(
            given=given,
            happened=f"the copy from {chosen.site} was restored: "
            + (
                f"it is whole, and {late:.0f} hours older than another good one"
                if late > 0 and job.choose_copy([chosen], damaged_h)
                else _came_of(chosen)
            ),
            missing=missing,
            nudge=nudge,
        )


def _came_of(chosen: Kept) -> str:
    """What the restore of a copy that should not have been chosen brings."""
    if fault := books.examine(chosen.content):
        return fault
    if books.fingerprint(chosen.content) != chosen.sha256:
        return "its bytes are not those that were written, and a customer has another name"
    return "the damage is in it"


@choose_copy.honest("Of good copies the newest is chosen")
def _(answer: Answer, rng: random.Random) -> None:
    copies = _copies(rng, 4)
    _must_choose(
        answer,
        rng,
        copies,
        copies[-1].at_h + 1,
        "four good copies, and damage an hour after the last",
        "the newest of the good ones: older ones lose more work",
        "The list is in no order. Compare `at_h`.",
    )


@choose_copy.attack("A copy that was made after the damage is left where it is")
def _(answer: Answer, rng: random.Random) -> None:
    copies = _copies(rng, 4)
    gone = rng.choice(("bergsbageri", "korklang", "vikensvarv"))

    def tidy(live: sqlite3.Connection) -> None:
        # Everything of one customer: what is left balances, so reading finds nothing.
        theirs = "(SELECT number FROM entries WHERE customer = ?)"
        live.execute(f"DELETE FROM lines WHERE entry IN {theirs}", (gone,))
        for table in ("invoices", "entries"):
            live.execute(f"DELETE FROM {table} WHERE customer = ?", (gone,))

    after = [_kept(one.at_h, one.site, _changed(one.content, tidy)) for one in copies[2:]]
    _must_choose(
        answer,
        rng,
        [*copies[:2], *after],
        copies[1].at_h + 1,
        "four copies; between the second and the third, one customer's books were deleted",
        "a copy from before the damage",
        "Such a copy opens and balances. Only its hour tells: compare `at_h` with `damaged_h`.",
    )


def _by_hour(copies: Sequence[Kept], damaged_h: float) -> Kept | None:
    early = [copy for copy in copies if copy.at_h < damaged_h]
    return max(early, key=lambda copy: copy.at_h, default=None)


@choose_copy.attack(
    "A copy that is encrypted, empty or without a table is passed over", weak={"choose": _by_hour}
)
def _(answer: Answer, rng: random.Random) -> None:
    copies = _copies(rng, 4)
    last = copies[-1]
    for what, content in (
        ("encrypted", _encrypted(last.content, rng)),
        ("empty", b""),
        ("without one of its tables", _changed(last.content, books.delete_table)),
    ):
        # The job that wrote it noted the fingerprint of what it wrote.
        bad = _kept(last.at_h, last.site, content)
        _must_choose(
            answer,
            rng,
            [*copies[:3], bad],
            last.at_h + 1,
            f"four copies, the newest of them {what}",
            "a look into the copy before it is restored",
            "`backups.books.examine(copy.content)` says what is wrong with it, or nothing.",
        )


def _by_reading(copies: Sequence[Kept], damaged_h: float) -> Kept | None:
    early = [c for c in copies if c.at_h < damaged_h and not books.examine(c.content)]
    return max(early, key=lambda copy: copy.at_h, default=None)


@choose_copy.attack(
    "A copy with one bit that is not what was written is passed over",
    weak={"choose": _by_reading},
)
def _(answer: Answer, rng: random.Random) -> None:
    copies = _copies(rng, 4)
    last = copies[-1]
    rotten = Kept(last.at_h, last.site, last.sha256, _flipped(last.content))
    _must_choose(
        answer,
        rng,
        [*copies[:3], rotten],
        last.at_h + 1,
        "four copies; in the newest, one letter of a customer's name has rotted",
        "a comparison of the bytes with the fingerprint that was noted",
        "It opens, and every entry balances. Compare `backups.books.fingerprint(copy.content)` "
        "with `copy.sha256`.",
    )


@choose_copy.attack("When no copy helps, none is restored")
def _(answer: Answer, rng: random.Random) -> None:
    copies = _copies(rng, 3)
    for given, none in (
        (
            "three copies, all of them encrypted",
            [Kept(one.at_h, one.site, one.sha256, _encrypted(one.content, rng)) for one in copies],
        ),
        ("three copies, all made after the damage", copies),
    ):
        damaged_h = copies[0].at_h - 1 if none is copies else copies[-1].at_h + 1
        _must_choose(
            answer,
            rng,
            none,
            damaged_h,
            given,
            "the news that there is no copy, before something worse is restored",
            "Return None at the end.",
        )
