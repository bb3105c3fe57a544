"""What the backup formulas claim, against published and independently computed values.

The simulations are held to the formulas, and a year of disasters to what each of them must do: a
fire takes its building, a locked copy outlives ransomware, a job that fails unseen costs weeks.
"""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from labs.uptime.backups import (
    Books,
    DataLoss,
    Outcome,
    Plan,
    books,
    data_loss,
    loss_probability,
    loss_window_h,
    restore_time,
    run_year,
    unnoticed_failure,
)
from labs.uptime.backups import year as year_module
from labs.uptime.backups.simulation import (
    simulate_data_loss,
    simulate_loss,
    simulate_unnoticed_failure,
)
from labs.uptime.backups.year import KINDS, SITES, Recovery, Target, disasters


def close(value: float, *, tolerance: float = 1e-9) -> object:
    return pytest.approx(value, rel=tolerance, abs=0)


@pytest.mark.parametrize(
    ("interval_h", "run_h", "expected"),
    [
        pytest.param(24, 0, DataLoss(12, 24), id="nightly"),
        pytest.param(24 / 4, 0, DataLoss(3, 6), id="four-a-day"),
        pytest.param(6, 1, DataLoss(4, 7), id="four-a-day-that-run-an-hour"),
    ],
)
def test_half_an_interval_is_lost_on_average_and_a_whole_one_at_worst(
    interval_h: float, run_h: float, expected: DataLoss
) -> None:
    assert data_loss(interval_h, run_h) == expected


def test_gitlab_lost_six_hours_and_forty_minutes() -> None:
    """GitLab's postmortem of 2017-01-31: last usable copy 17:20, failure at midnight (UTC)."""
    lost_h = loss_window_h(datetime(2017, 1, 31, 17, 20), datetime(2017, 2, 1))
    assert lost_h * 60 == close(400)


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        pytest.param([3, 0], 0.001124875, id="three-copies-on-one-site"),
        pytest.param([2, 1], 0.00017819762500000005, id="the-same-three-on-two-sites"),
    ],
)
def test_copies_on_one_site_share_its_disaster(copies: list[int], expected: float) -> None:
    assert loss_probability(copies, copy_failure=0.05, site_disaster=0.001) == close(expected)


def test_a_tiny_loss_probability_keeps_its_digits() -> None:
    p, s = 1e-9, 1e-12
    exact = (Fraction(s) + (1 - Fraction(s)) * Fraction(p) ** 2) ** 5
    computed = loss_probability([2] * 5, copy_failure=p, site_disaster=s)
    assert computed == close(float(exact))


def test_data_that_has_no_copy_is_surely_lost() -> None:
    assert loss_probability([0, 0], copy_failure=0.1, site_disaster=0.1) == 1


@pytest.mark.parametrize(
    ("rate", "interval_y", "expected"),
    [
        pytest.param(0.5, 1, 0.21306131942526685, id="tested-yearly-IEC-61508"),
        pytest.param(0.5, 1 / 12, 0.020546970619315985, id="tested-monthly-IEC-61508"),
    ],
)
def test_a_backup_that_is_tested_seldom_is_likely_broken(
    rate: float, interval_y: float, expected: float
) -> None:
    assert unnoticed_failure(rate, interval_y) == close(expected)


@pytest.mark.parametrize("x", [1e-15, 1e-9, 1e-4, 0.0099, 0.0101, 0.3, 5, 50])
def test_an_unnoticed_failure_is_exact_for_rare_and_for_frequent_breaks(x: float) -> None:
    exact, term = Fraction(0), Fraction(-1)
    for k in range(1, 260):
        term *= -Fraction(x) / (k + 1)
        exact += term
    assert unnoticed_failure(x, 1) == close(float(exact), tolerance=1e-12)


@pytest.mark.parametrize("x", [1e-308, 1e308])
def test_an_unnoticed_failure_stays_a_probability_at_the_edges_of_floats(x: float) -> None:
    assert 0 <= unnoticed_failure(x, x) <= 1


@pytest.mark.parametrize(
    ("size_bytes", "bits_per_second", "seconds"),
    [
        pytest.param(300 * 10**9, 60e6, 40_000, id="GitLab-2017-300-GB-at-60-Mbit"),
        pytest.param(10**12, 1e9, 8_000, id="1-TB-at-1-Gbit"),
    ],
)
def test_a_restore_takes_as_long_as_the_line_needs(
    size_bytes: int, bits_per_second: float, seconds: float
) -> None:
    assert restore_time(size_bytes, bits_per_second) == close(seconds)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: data_loss(0), ValueError, "interval_h"),
        (lambda: data_loss(6, -1), ValueError, "run_h"),
        (lambda: data_loss(True), TypeError, "interval_h"),
        (lambda: data_loss(math.nan), ValueError, "interval_h"),
        (lambda: loss_probability([], copy_failure=0.1, site_disaster=0), ValueError, "site"),
        (lambda: loss_probability([-1], copy_failure=0.1, site_disaster=0), ValueError, "copies"),
        (lambda: loss_probability([1.0], copy_failure=0.1, site_disaster=0), TypeError, "copies"),
        (
            lambda: loss_probability([10**400], copy_failure=0.1, site_disaster=0),
            ValueError,
            "copi",
        ),
        (lambda: loss_probability([1], copy_failure=1.1, site_disaster=0), ValueError, "copy_fail"),
        (lambda: loss_probability([1], copy_failure=0, site_disaster=-1), ValueError, "site_dis"),
        (lambda: unnoticed_failure(0, 1), ValueError, "failures_per_year"),
        (lambda: unnoticed_failure(1, -1), ValueError, "test_interval_y"),
        (lambda: restore_time(-1, 1), ValueError, "size_bytes"),
        (lambda: restore_time(10**400, 1), ValueError, "size_bytes"),
        (lambda: restore_time(1, 0), ValueError, "bits_per_second"),
        (lambda: restore_time(1.5, 1), TypeError, "size_bytes"),
        (
            lambda: loss_window_h(datetime(2027, 1, 2), datetime(2027, 1, 1)),
            ValueError,
            "last_good_copy",
        ),
        (lambda: loss_window_h(1, datetime(2027, 1, 1)), TypeError, "last_good_copy"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_that_names_it(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("interval_h", "run_h"), [(24, 0), (6, 1), (1, 5)])
def test_simulated_losses_agree_with_the_formula(interval_h: float, run_h: float) -> None:
    exact = data_loss(interval_h, run_h)
    runs = [simulate_data_loss(interval_h, run_h, failures=5_000, seed=s) for s in range(40)]
    assert sum(exact.expected_h in run for run in runs) >= 35


@pytest.mark.parametrize(
    ("copies", "p", "s"), [([3], 0.3, 0.1), ([2, 1], 0.3, 0.1), ([1, 1, 0, 1], 0.5, 0.2)]
)
def test_simulated_copies_are_lost_as_often_as_the_formula_says(
    copies: list[int], p: float, s: float
) -> None:
    exact = loss_probability(copies, copy_failure=p, site_disaster=s)
    runs = [
        simulate_loss(copies, copy_failure=p, site_disaster=s, years=20_000, seed=seed)
        for seed in range(40)
    ]
    assert sum(exact in run for run in runs) >= 35


@pytest.mark.parametrize(("rate", "interval_y"), [(0.5, 1), (0.5, 1 / 12), (3, 2)])
def test_simulated_backups_are_broken_unseen_as_often_as_the_formula_says(
    rate: float, interval_y: float
) -> None:
    exact = unnoticed_failure(rate, interval_y)
    runs = [
        simulate_unnoticed_failure(rate, interval_y, needs=20_000, seed=seed) for seed in range(40)
    ]
    assert sum(exact in run for run in runs) >= 35


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate_data_loss(0, seed=0), "interval_h"),
        (lambda: simulate_data_loss(1, failures=1, seed=0), "failures"),
        (lambda: simulate_loss([], copy_failure=0, site_disaster=0, seed=0), "sites"),
        (lambda: simulate_loss([21], copy_failure=0, site_disaster=0, seed=0), "copies"),
        (lambda: simulate_unnoticed_failure(1, 1, seed=-1), "seed"),
    ],
)
def test_simulations_refuse_nonsense_too(call: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_the_stream_of_bookkeeping_is_the_same_for_the_same_seed() -> None:
    assert books.stream(4) == books.stream(4)
    assert books.stream(4) != books.stream(5)
    hours = [entry.hour for entry in books.stream(4)]
    assert hours == sorted(hours)
    assert len(hours) == books.ENTRIES_A_YEAR
    office = sum(7 <= hour % 24 < 18 for hour in hours) / len(hours)
    assert 0.85 < office < 0.95


@pytest.fixture
def live() -> Iterator[Books]:
    kept = Books(seed=2)
    yield kept
    kept.close()


def test_a_backup_made_while_work_goes_on_is_byte_for_byte_the_books_of_its_hour(
    live: Books,
) -> None:
    live.advance(100)
    backup = live.back_up("cellar")
    at_that_hour = live.entries()
    live.advance(50)
    assert live.entries() > at_that_hour
    assert live.restore(backup) == 50
    assert live.entries() == at_that_hour
    assert live.check() == ""
    assert books.fingerprint(live.read(backup)) == backup.sha256
    assert live.back_up("again").sha256 == backup.sha256


def test_books_that_nobody_closes_let_their_database_go() -> None:
    live = Books(seed=2)
    connection = live._connection
    del live
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_backups_are_real_files_below_the_folder_and_nowhere_else(tmp_path: Path) -> None:
    home = tmp_path / "sites"
    live = Books(seed=2, folder=home)
    live.advance(48)
    backup = live.back_up("lulea")
    assert backup.path is not None
    assert [p.relative_to(tmp_path).parts[:2] for p in tmp_path.rglob("*.sqlite")] == [
        ("sites", "lulea")
    ]
    with sqlite3.connect(backup.path) as reader:
        assert reader.execute("SELECT count(*) FROM entries").fetchone() == (live.entries(),)
    reader.close()
    for name in ("../up", "a/b", "", ".", "C:"):
        with pytest.raises(ValueError, match="site"):
            live.back_up(name)
    live.close()


@pytest.mark.parametrize(
    ("harm", "found"),
    [(Books.delete_table, "table lines is missing"), (Books.corrupt_silently, "do not balance")],
)
def test_damage_to_the_live_books_is_copied_faithfully_by_the_next_backup(
    live: Books, harm: Callable[[Books], None], found: str
) -> None:
    live.advance(200)
    good = live.back_up("cellar")
    harm(live)
    bad = live.back_up("cellar")
    assert found in live.check()
    with pytest.raises(ValueError, match=found):
        live.restore(bad)
    assert live.restore(good) == 0
    assert live.check() == ""


def test_without_a_table_no_entry_is_accepted_until_the_restore(live: Books) -> None:
    live.advance(100)
    backup = live.back_up("cellar")
    live.delete_table()
    live.advance(100)
    assert live.refused > 0
    assert live.restore(backup) == 100
    refused = live.refused
    live.advance(100)
    assert live.refused == refused
    assert live.check() == ""


def test_a_copy_with_one_flipped_bit_is_not_restored(tmp_path: Path) -> None:
    live = Books(seed=2, folder=tmp_path)
    live.advance(48)
    backup = live.back_up("cellar")
    assert backup.path is not None
    flipped = bytearray(backup.path.read_bytes())
    flipped[-1] ^= 1
    backup.path.write_bytes(flipped)
    with pytest.raises(ValueError, match="byte for byte"):
        live.restore(backup)
    backup.path.unlink()
    with pytest.raises(ValueError, match="any more"):
        live.restore(backup)
    assert live.check() == ""
    live.close()


def test_the_books_cannot_reach_for_another_file(tmp_path: Path) -> None:
    connection = books.connect()
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        connection.execute("ATTACH ? AS other", (str(tmp_path / "other"),))
    books.create(connection)
    books.load(connection, books.back_up(connection))
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        connection.execute("ATTACH ? AS other", (str(tmp_path / "other"),))
    connection.close()
    assert list(tmp_path.iterdir()) == []


CAREFUL = Plan(
    interval_h=6,
    sites=("cellar", "uppsala", "lulea"),
    locked=("lulea",),
    keep_days=30,
    test_every_days=14,
)
SEEDS = range(3)


@cache
def year_of(plan: Plan, seed: int) -> Outcome:
    return run_year(plan, seed)


def without(plan: Plan, **changes: object) -> Plan:
    fields = {name: getattr(plan, name) for name in plan.__dataclass_fields__}
    return Plan(**{**fields, **changes})


def of(outcome: Outcome, kind: str) -> Recovery:
    return next(recovery for recovery in outcome.recoveries if recovery.kind == kind)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_careful_plan_survives_any_year(seed: int) -> None:
    outcome = year_of(CAREFUL, seed)
    assert outcome.shortfalls() == ()
    assert len(outcome.recoveries) == 5
    for recovery in outcome.recoveries:
        assert recovery.byte_equal
        # Half a day in the worst case: an interval, and the hours a copy is under way.
        if recovery.kind != "silent corruption":
            assert recovery.lost_h <= 6 + CAREFUL.run_h("lulea")


def test_the_same_seed_gives_the_same_year_and_another_seed_another() -> None:
    before = year_of(CAREFUL, 1)
    # Of the books that years share, none are left, or those of another plan's year.
    for already in ((), (without(CAREFUL, interval_h=7, locked=(), test_every_days=5),)):
        year_module._books_after.cache_clear()
        year_module._pristine.cache_clear()
        for plan in already:
            run_year(plan, 1)
        assert run_year(CAREFUL, 1) == before
    assert year_of(CAREFUL, 1).recoveries != year_of(CAREFUL, 2).recoveries


@pytest.mark.parametrize("seed", range(40))
def test_every_year_holds_each_disaster_once_and_puts_the_failing_job_to_the_proof(
    seed: int,
) -> None:
    year = disasters(seed)
    assert sorted(one.kind for one in year) == sorted(KINDS)
    assert [one.at_h for one in year] == sorted(one.at_h for one in year)
    assert year[-1].kind != "failing job"
    assert all(0 < one.at_h <= one.noticed_h < books.YEAR_H for one in year)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fire_takes_every_copy_in_its_building(seed: int) -> None:
    outcome = year_of(without(CAREFUL, sites=("server", "cellar"), locked=("cellar",)), seed)
    assert of(outcome, "building fire").restored_from == ""
    assert "building fire: no copy could be restored" in outcome.shortfalls()


@pytest.mark.parametrize("seed", SEEDS)
def test_ransomware_takes_every_copy_that_it_can_reach(seed: int) -> None:
    reachable = year_of(without(CAREFUL, locked=()), seed)
    assert of(reachable, "ransomware").restored_from == ""
    assert "it is no database" in " ".join(of(reachable, "ransomware").tried)
    assert of(year_of(CAREFUL, seed), "ransomware").restored_from == "lulea"
    on_tape = year_of(without(CAREFUL, sites=("cellar", "tape"), locked=()), seed)
    assert of(on_tape, "ransomware").restored_from == "tape"
    assert of(on_tape, "ransomware").lost_h > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_an_untested_job_that_fails_for_weeks_is_found_out_by_the_next_disaster(seed: int) -> None:
    untested = year_of(without(CAREFUL, test_every_days=None), seed)
    assert untested.tests == 0
    order = [one.kind for one in disasters(seed)]
    after = next(
        kind
        for kind in order[order.index("failing job") :]
        if kind not in ("failing job", "rotten copies")
    )
    recovery = of(untested, after)
    assert "the file is empty" in " ".join(recovery.tried)
    assert recovery.lost_h > 14 * 24 or not recovery.restored_from
    tested = year_of(CAREFUL, seed)
    assert "the file is empty" in {finding.found for finding in tested.findings}
    assert of(tested, after).lost_h < recovery.lost_h


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_kept_shorter_than_a_fault_stays_unseen_do_not_help(seed: int) -> None:
    year = {one.kind: one for one in disasters(seed)}["silent corruption"]
    unseen_days = (year.noticed_h - year.at_h) / 24
    brief = without(CAREFUL, keep_days=max(1, unseen_days - 1), test_every_days=None)
    assert of(year_of(brief, seed), "silent corruption").restored_from == ""
    long = without(CAREFUL, keep_days=60, test_every_days=None)
    assert of(year_of(long, seed), "silent corruption").restored_from != ""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restore_test_finds_silent_corruption_before_the_auditor_does(seed: int) -> None:
    tested = year_of(without(CAREFUL, test_every_days=2.9), seed)
    noticed = {one.kind: one.noticed_h for one in disasters(seed)}["silent corruption"]
    assert of(tested, "silent corruption").noticed_h < noticed
    assert "5 entries do not balance" in {finding.found for finding in tested.findings}


@pytest.mark.parametrize("seed", SEEDS)
def test_rotten_copies_are_told_by_their_bytes(seed: int) -> None:
    found = {finding.found for finding in year_of(CAREFUL, seed).findings}
    assert found & ROT
    order = [one.kind for one in disasters(seed)]
    alone = without(CAREFUL, sites=("lulea",), test_every_days=None)
    tried = [recovery.tried for recovery in year_of(alone, seed).recoveries]
    later = [kind for kind in order[order.index("rotten copies") :] if kind in KINDS[:5]]
    if later and order.index("failing job") > order.index("rotten copies"):
        assert any(trial.removeprefix("lulea: ") in ROT for trials in tried for trial in trials)


ROT = {
    "pages are damaged",
    "its bytes are not what was backed up",
    "it is no database",
    "5 entries do not balance",
}


def test_lost_entries_are_those_written_between_the_copy_and_the_disaster() -> None:
    checked = 0
    for seed in SEEDS:
        first = year_of(CAREFUL, seed).recoveries[0]
        if first.kind == "silent corruption":
            continue
        struck_h = {one.kind: one.at_h for one in disasters(seed)}[first.kind]
        written = [
            entry for entry in books.stream(seed) if first.copy_at_h <= entry.hour < struck_h
        ]
        assert first.lost_entries == len(written)
        checked += 1
    assert checked >= 2


def test_a_year_in_a_folder_ends_like_a_year_in_memory(tmp_path: Path) -> None:
    beside = tmp_path / "untouched"
    beside.mkdir()
    home = tmp_path / "sites"
    reckless = without(CAREFUL, locked=(), test_every_days=30)
    on_tape = Plan(interval_h=24, sites=("tape",), test_every_days=3)
    for plan, seed in ((reckless, 1), (on_tape, 0), (CAREFUL, 1)):
        # The second runs over what the first left behind.
        assert run_year(plan, seed, folder=home) == year_of(plan, seed)
    assert {p.relative_to(tmp_path).parts[0] for p in tmp_path.rglob("*")} == {
        "sites",
        "untouched",
    }
    assert list(beside.iterdir()) == []
    files = list(home.rglob("*.sqlite"))
    assert files
    assert all(path.parent.name in SITES for path in files)


def test_a_line_that_is_too_slow_stretches_the_interval() -> None:
    plan = without(CAREFUL, interval_h=1)
    assert plan.run_h("lulea") == close(restore_time(300 * 10**9, 5e8) / 3600)
    assert plan.interval_at("lulea") == 2
    assert plan.interval_at("cellar") == 1
    assert without(CAREFUL, sites=("tape",), locked=()).interval_at("tape") == 168


def test_safety_has_a_price() -> None:
    assert without(CAREFUL, locked=()).eur_a_year < CAREFUL.eur_a_year
    assert without(CAREFUL, test_every_days=None).eur_a_year < CAREFUL.eur_a_year
    assert without(CAREFUL, keep_days=60).eur_a_year > CAREFUL.eur_a_year
    poor = Target(eur_a_year=100)
    assert any("euro" in reason for reason in year_of(CAREFUL, 1).shortfalls(poor))
    strict = Target(lost_h=0.01, down_h=0.01)
    assert len(year_of(CAREFUL, 1).shortfalls(strict)) >= 8


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"interval_h": 0}, ValueError, "interval_h"),
        ({"interval_h": "6"}, TypeError, "interval_h"),
        ({"sites": ()}, ValueError, "at least one site"),
        ({"sites": ("moon",), "locked": ()}, ValueError, "moon"),
        ({"sites": ("cellar", "cellar"), "locked": ()}, ValueError, "once"),
        ({"sites": "cellar"}, TypeError, "collections"),
        ({"locked": ("tape",)}, ValueError, "tape"),
        ({"keep_days": 0}, ValueError, "keep_days"),
        ({"test_every_days": 0}, ValueError, "test_every_days"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    changes: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        without(CAREFUL, **changes)


def test_importing_the_lesson_loads_neither_numpy_nor_sqlite() -> None:
    code = (
        "import sys, labs.uptime.backups;"
        "sys.exit('numpy' in sys.modules or 'sqlite3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
