"""The exercises, the tables and the pictures of the lesson on backups."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from contract import ROOT, Answers, Contract, judge_here, matching

from labs.teaching import Quiz, isolation
from labs.uptime import backups
from labs.uptime.backups import books, exercises, figures, job, model, year
from labs.uptime.backups.year import KINDS, SITES, TARGET, Disaster, Plan

CAREFUL = exercises._CAREFUL


def straight_onto_the_last_copy(live, target):
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return True


def with_its_log(live, target):
    shutil.copyfile(live, target)
    shutil.copyfile(f"{live}-wal", f"{target}-wal")
    return True


def without_reading_it(live, target):
    if not live.exists():
        return False
    fresh = target.with_suffix(".new")
    straight_onto_the_last_copy(live, fresh)
    fresh.replace(target)
    return True


def reads_too_late(live, target):
    if not live.exists():
        return False
    straight_onto_the_last_copy(live, target)
    return not books.examine(target.read_bytes())


def asks_only_for_sound_pages(live, target):
    if not live.exists():
        return False
    fresh = target.with_suffix(".new")
    straight_onto_the_last_copy(live, fresh)
    with closing(sqlite3.connect(fresh)) as copy:
        sound = copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_schema")}
    if not sound or not tables.issuperset(books.TABLES):
        return False
    fresh.replace(target)
    return True


def never_sure(live, target):
    job.back_up_file(live, target)
    return False


def as_statements(live, target):
    with closing(sqlite3.connect(live)) as source:
        target.write_text("\n".join(source.iterdump()), encoding="utf-8")
    return True


def read_and_put(make):
    """A job that makes a new file with ``make``, reads it, and raises where it went wrong."""

    def back_up(live, target):
        if not live.is_file():
            raise FileNotFoundError(live)
        fresh = target.with_name("fresh.sqlite")
        fresh.unlink(missing_ok=True)
        make(live, fresh)
        if books.examine(fresh.read_bytes()):
            raise RuntimeError("the copy cannot be used")
        fresh.replace(target)
        return True

    return back_up


def vacuum(live, fresh):
    with closing(sqlite3.connect(live, isolation_level=None)) as source:
        source.execute("VACUUM INTO ?", (str(fresh),))


def serialize(live, fresh):
    with closing(sqlite3.connect(live)) as source:
        fresh.write_bytes(source.serialize())


def statement_by_statement(live, fresh):
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(fresh)) as copy:
        copy.executescript("\n".join(source.iterdump()))


def good(copy, damaged_h):
    return (
        copy.at_h < damaged_h
        and books.fingerprint(copy.content) == copy.sha256
        and not books.examine(copy.content)
    )


def by_hour(copies, damaged_h):
    return max((c for c in copies if c.at_h < damaged_h), key=lambda copy: copy.at_h, default=None)


def by_reading(copies, damaged_h):
    return by_hour([c for c in copies if not books.examine(c.content)], damaged_h)


def by_fingerprint(copies, damaged_h):
    return by_hour([c for c in copies if books.fingerprint(c.content) == c.sha256], damaged_h)


def newest_sound(copies, _damaged_h):
    return job.choose_copy(copies, float("inf"))


def oldest(copies, damaged_h):
    return min((c for c in copies if good(c, damaged_h)), key=lambda copy: copy.at_h, default=None)


def better_than_nothing(copies, damaged_h):
    return job.choose_copy(copies, damaged_h) or job.choose_copy_weak(copies, damaged_h)


def in_one_line(copies, damaged_h):
    return max((c for c in copies if good(c, damaged_h)), key=lambda c: c.at_h, default=None)


def best_so_far(copies, damaged_h):
    best = None
    for copy in copies:
        if good(copy, damaged_h) and (best is None or copy.at_h > best.at_h):
            best = copy
    return best


@pytest.fixture(scope="module")
def bookkeeping() -> None:
    """Write the books that checks draw from."""
    judge_here(exercises.choose_a_plan, [CAREFUL])


@pytest.mark.usefixtures("bookkeeping")
class TestExercises(Contract):
    answers = (
        matching(
            exercises.match_remedies,
            exercises.TROUBLES,
            wrong={
                "a mirror of the newest for everything": (
                    "aaaaa",
                    "Copies in the same building burn with it",
                ),
                "distance against ransomware": ("acbde", "matched with the letter c"),
                "a test against old faults": ("abced", "How far back must you reach?"),
            },
        ),
        Answers(
            exercises.choose_a_plan,
            wrong={
                "everything, all the time": (
                    [replace(CAREFUL, interval_h=2, sites=tuple(SITES), test_every_days=7)],
                    "a plan for 12,500 euro a year",
                ),
                "once a night": ([replace(CAREFUL, interval_h=24)], "a loss of 12 hours at most"),
                "twice a day": ([replace(CAREFUL, interval_h=12)], "until someone notices"),
                "two rooms of one building": (
                    [replace(CAREFUL, sites=("server", "cellar"), locked=("cellar",))],
                    "a fresh copy in another building",
                ),
                "far away, and open to every administrator": (
                    [replace(CAREFUL, locked=())],
                    "a fresh copy that nobody can change or remove",
                ),
                "a tape in place of a lock": (
                    [replace(CAREFUL, sites=("cellar", "uppsala", "tape"), locked=())],
                    "came from tape",
                ),
                "kept for ten days": (
                    [replace(CAREFUL, keep_days=10)],
                    "a copy from before the fault",
                ),
                "kept for two weeks to the day": (
                    [replace(CAREFUL, keep_days=14, test_every_days=15)],
                    "a copy from before the fault",
                ),
                "never tested": (
                    [replace(CAREFUL, test_every_days=None)],
                    "more often than every three weeks",
                ),
                "tested every quarter": (
                    [replace(CAREFUL, test_every_days=90)],
                    "more often than every three weeks",
                ),
                "one site that does it all": (
                    [replace(CAREFUL, sites=("lulea",))],
                    "a second site with copies",
                ),
                "the server's own disk as the second site": (
                    [replace(CAREFUL, sites=("server", "lulea"))],
                    "besides the server's own disk",
                ),
            },
            other={
                "two sites, seldom": [
                    Plan(
                        interval_h=9,
                        sites=("cellar", "lulea"),
                        locked=("lulea",),
                        keep_days=16,
                        test_every_days=20,
                    )
                ],
                "both far away, both locked": [
                    Plan(
                        interval_h=8,
                        sites=("uppsala", "lulea"),
                        locked=("uppsala", "lulea"),
                        keep_days=21,
                        test_every_days=14,
                    )
                ],
                "kept briefly and tested weekly": [
                    Plan(
                        interval_h=6,
                        sites=("cellar", "uppsala"),
                        locked=("uppsala",),
                        keep_days=8,
                        test_every_days=7,
                    )
                ],
                "a tape as well": [
                    Plan(
                        interval_h=8,
                        sites=("cellar", "lulea", "tape"),
                        locked=("lulea",),
                        test_every_days=14,
                    )
                ],
            },
        ),
        Answers(
            exercises.back_up,
            wrong={
                "the log beside it": ([with_its_log], "Ask the database for the copy"),
                "straight onto the last copy": (
                    [straight_onto_the_last_copy],
                    "Connecting to a file that is not there",
                ),
                "without reading it": ([without_reading_it], "Read the fresh copy"),
                "reads it too late": ([reads_too_late], "the good copy of the last run is gone"),
                "asks only for sound pages": (
                    [asks_only_for_sound_pages],
                    "live books in which amounts were changed",
                ),
                "never sure": ([never_sure], "returned False, and nothing was wrong"),
                "as statements": ([as_statements], "it is no database"),
            },
            other={
                "VACUUM INTO": [read_and_put(vacuum)],
                "serialize": [read_and_put(serialize)],
                "statement by statement": [read_and_put(statement_by_statement)],
            },
        ),
        Answers(
            exercises.choose_copy,
            wrong={
                "by its hour": ([by_hour], "a look into the copy"),
                "by reading": ([by_reading], "a comparison of the bytes with the fingerprint"),
                "by its fingerprint": ([by_fingerprint], "a look into the copy"),
                "the newest that is sound": ([newest_sound], "the damage is in it"),
                "the oldest": ([oldest], "18 hours older than another good one"),
                "better than nothing": ([better_than_nothing], "Return None at the end"),
                "without an end": (
                    [
                        lambda copies, h: max(
                            (c for c in copies if good(c, h)), key=lambda c: c.at_h
                        )
                    ],
                    "it raised ValueError",
                ),
            },
            other={"in one line": [in_one_line], "the best so far": [best_so_far]},
        ),
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_seed_changes_a_verdict_on_a_plan(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "can_fork", lambda: False)  # seeds share years of bookkeeping
    table = TestExercises.answers[1]
    exercise = table.exercise
    draw = random.Random(seed)
    name = draw.choice(sorted(table.wrong))
    assert not exercise.judge(exercise.checks, table.wrong[name][0], seed=str(seed)).accepted, name
    name = draw.choice(sorted(table.other))
    report = exercise.judge(exercise.checks, table.other[name], seed=str(seed))
    assert report.accepted, report.text()


def test_a_plan_that_claims_to_be_cheap_is_made_again_before_it_is_judged() -> None:
    class Cheap(Plan):
        eur_a_year = 1.0

    dear = Cheap(
        interval_h=1, sites=tuple(SITES), locked=("lulea",), keep_days=60, test_every_days=7
    )
    report = exercises.choose_a_plan.judge(exercises.choose_a_plan.checks, [dear])
    assert not report.accepted
    assert "a plan for 12,500 euro a year" in report.text()


@pytest.mark.parametrize("kind", ["disk loss", "building fire", "ransomware"])
def test_no_hour_is_worse_than_the_one_that_a_check_picks(kind: str) -> None:
    plan = replace(CAREFUL, interval_h=5)
    worst = exercises._worst_h(plan, kind, 50)

    def lost(at_h: float) -> float:
        return backups.run_year(plan, 1, events=[Disaster(kind, at_h, at_h)]).worst_lost_h

    draw = random.Random(kind)
    assert lost(worst) >= max(lost(draw.uniform(50, 57) * 24) for _ in range(25))
    left = [n for n in plan.sites if exercises._stands(kind, SITES[n], plan)]
    fastest = min(left, key=plan.run_h)
    bound = model.data_loss(plan.interval_at(fastest), plan.run_h(fastest))
    assert lost(worst) == pytest.approx(bound.worst_h, abs=1e-4)


def test_given_events_replace_the_years_own_and_end_it() -> None:
    quiet = backups.run_year(CAREFUL, 1, events=[])
    assert quiet.recoveries == ()
    assert quiet.worst_lost_h == quiet.worst_down_h == 0
    assert quiet.tests > 70
    short = backups.run_year(CAREFUL, 1, events=[Disaster("disk loss", 500, 500)])
    assert [one.kind for one in short.recoveries] == ["disk loss"]
    assert short.tests == 3
    whole = backups.run_year(CAREFUL, 1, events=year.disasters(1))
    assert whole.recoveries == backups.run_year(CAREFUL, 1).recoveries


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Disaster("disk loss", -1, 5), "at_h"),
        (Disaster("disk loss", 5, 4), "noticed_h"),
        (Disaster("disk loss", 5, float("nan")), "noticed_h"),
        (Disaster("rotten copies", 5, 5, "tape"), "site"),
    ],
)
def test_events_that_make_no_sense_are_refused(event: Disaster, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        backups.run_year(CAREFUL, 1, events=[event])


def test_a_copied_file_lacks_what_the_database_still_has_in_its_log(tmp_path) -> None:
    held = {}
    with job.in_use(tmp_path, 1, settled=200, recent=30) as live:
        for run in (backups.back_up_file_weak, backups.back_up_file):
            target = tmp_path / f"{run.__name__}.copy"
            assert run(live, target)
            assert books.examine(target.read_bytes()) == ""
            held[run] = books.count_entries(target.read_bytes())
    assert held == {backups.back_up_file_weak: 200, backups.back_up_file: 230}


def test_a_failed_run_leaves_the_last_copy_and_nothing_else(tmp_path) -> None:
    target = tmp_path / "lulea" / "books.sqlite"
    target.parent.mkdir()
    target.write_bytes(b"the last good copy")
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database" * 1_000)
    for live in (tmp_path / "missing.sqlite", broken):
        assert not backups.back_up_file(live, target)
    assert target.read_bytes() == b"the last good copy"
    assert list(target.parent.iterdir()) == [target]
    assert not (tmp_path / "missing.sqlite").exists()


def test_the_table_of_disasters_shows_what_the_models_restore() -> None:
    table = figures.what_is_left()
    assert [len(row) for row in table.rows] == [2 + len(SITES)] * len(KINDS)
    cells = {
        (kind, site): cell
        for kind, row in zip(KINDS, table.rows, strict=True)
        for site, cell in zip((*SITES, "lulea, locked"), row[1:], strict=True)
    }
    for kind in KINDS:
        for site in SITES:
            came_back = year.meet(kind, site, seed=2).restored_from == site
            assert came_back == str(cells[kind, site])[0].isdecimal(), (kind, site)
    assert cells["building fire", "cellar"] == "gone"
    assert cells["building fire", "lulea"] == cells["deleted table", "lulea"]
    assert {cells["ransomware", site] for site in ("server", "cellar", "uppsala", "lulea")} == {
        "garbled"
    }
    assert cells["failing job", "lulea"] == "21\u00a0days"
    assert cells["ransomware", "lulea, locked"] == cells["deleted table", "lulea"]
    assert year.meet("ransomware", "lulea", seed=2, locked=True).restored_from == "lulea"


def test_every_question_explains_every_option() -> None:
    questions = [thing for thing in vars(exercises).values() if isinstance(thing, Quiz)]
    assert len(questions) >= 4
    assert all(len(option.feedback) > 30 for question in questions for option in question.options)


def test_the_answers_to_the_predictions_are_what_the_models_say() -> None:
    right = {
        quiz.id.rsplit(".", 1)[1]: next(o.label for o in quiz.options if o.correct)
        for quiz in (exercises.half_an_interval, exercises.within_reach)
    }
    assert model.data_loss(6).expected_h == 3
    assert right["half_an_interval"] == "About three hours"
    left = [
        site
        for site in ("server", "cellar", "uppsala", "lulea")
        if year.meet("ransomware", site, seed=4).restored_from
    ]
    assert left == []
    assert right["within_reach"] == "In none"


def test_the_numbers_of_the_page_are_what_the_models_say() -> None:
    page = (ROOT / "book/uptime/backups.md").read_text(encoding="utf-8")
    assert "three hours of work, and six at the worst moment" in page
    assert model.data_loss(24 / 4) == model.DataLoss(expected_h=3, worst_h=6)
    assert "at 60 megabits a second, 300 gigabytes take eleven hours" in page
    assert model.restore_time(300 * 10**9, 60e6) / 3600 == pytest.approx(11, abs=0.5)
    assert "with a chance of 21 percent; with a test every month it is 2" in page
    assert 100 * model.unnoticed_failure(0.5, 1) == pytest.approx(21, abs=0.5)
    assert 100 * model.unnoticed_failure(0.5, 1 / 12) == pytest.approx(2, abs=0.5)
    assert "The repair takes 40 minutes" in page
    copying_h = Plan(interval_h=6, sites=("cellar",)).run_h("cellar")
    assert 60 * (year.REBUILD_H["deleted table"] + copying_h) == pytest.approx(40)


def test_a_shelf_shows_what_lies_there(tmp_path) -> None:
    with backups.Books(seed=1, folder=tmp_path) as live:
        kept = []
        for _ in range(3):
            live.advance(24)
            kept.append(live.back_up("cellar"))
        table = figures.shelf(live, kept)
        assert [row[2] for row in table.rows] == [
            books.entries_before(1, 24 * day) for day in (1, 2, 3)
        ]
        assert {row[1] for row in table.rows} == {"cellar"}
        assert [row[4][:12] for row in table.rows] == [
            books.fingerprint(one.path.read_bytes())[:12] for one in kept
        ]


@pytest.mark.parametrize(
    ("drawn", "numbers"),
    [
        (lambda: figures.work_lost(6, 1), ("4 hours of work", "7 at worst")),
        (lambda: figures.work_lost(1, 4), ("4.5 hours of work", "5 at worst")),
        (lambda: figures.copies_lost(0.001), ("0.0011 with 3", "0.00018 with 3")),
        (lambda: figures.unnoticed(0.5), ("monthly 2.1%", "yearly 21.3%")),
    ],
)
def test_a_picture_says_its_numbers(drawn, numbers) -> None:
    shown = drawn()
    assert all(number in shown.alt for number in numbers)
    assert shown.svg.startswith("<svg ")


@pytest.mark.parametrize("interval_h", [1, 6, 24])
@pytest.mark.parametrize("run_h", [0, 1, 4])
def test_the_saw_has_the_mean_and_the_peak_of_the_formula(interval_h, run_h, monkeypatch) -> None:
    drawn = []

    class Seen(Exception):  # noqa: N818 - what was drawn has been seen
        pass

    def look(figure, **_):
        line = figure.axes[0].lines[0]
        drawn.extend((line.get_xdata(), line.get_ydata()))
        raise Seen

    monkeypatch.setattr(figures, "picture", look)
    with pytest.raises(Seen):
        figures.work_lost(interval_h, run_h)
    hours, ages = drawn
    area = sum(
        (b - a) * (x + y) / 2 for a, b, x, y in zip(hours, hours[1:], ages, ages[1:], strict=False)
    )
    loss = model.data_loss(interval_h, run_h)
    assert area / 72 == pytest.approx(loss.expected_h)
    assert max(ages) == pytest.approx(loss.worst_h)
    assert min(ages) == pytest.approx(run_h)


def test_a_year_is_told_as_it_went() -> None:
    outcome = backups.run_year(CAREFUL, 3)
    table = figures.one_year({"careful": outcome})
    told = {row[0]: row[1] for row in table.rows}
    for recovery in outcome.recoveries:
        assert f"{recovery.down_h:.1f} h down" in told[recovery.kind]
        assert recovery.restored_from in told[recovery.kind]
    lost = backups.run_year(replace(CAREFUL, locked=()), 3)
    assert {row[0]: row[1] for row in figures.one_year({"": lost}).rows}["ransomware"] == (
        "the books are gone"
    )
    row = figures.plans({"careful": CAREFUL}).rows[-1]
    assert row == ["euro a year", f"{CAREFUL.eur_a_year:,.0f}"]
    assert CAREFUL.eur_a_year <= TARGET.eur_a_year
