"""The exercises and the pictures of the lesson on intrusion."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import pytest
from contract import ROOT, Answers, Contract, judge_here

from labs.teaching import Quiz
from labs.teaching.sliders import Slider, explore
from labs.traffic import intrusion
from labs.traffic.intrusion import detectors, exercises, figures, log, prevention

# What several tests look at is made once: an exploration keeps its pictures.
ALARM_SHARE = explore(figures.alarm_share, one_in=Slider(figures.ONE_IN))
NOTICED = explore(figures.noticed, hours=Slider(figures.PATIENCE_H))
ROC_CURVES = explore(figures.roc_curves, hiding=Slider(tuple(figures.HIDING)))
BLOCKING = explore(
    figures.blocking,
    limit=Slider((1, 2, 3, 5, 8, 10, 20, 30)),
    hiding=Slider(figures.BLOCK_HIDING),
)
brakes = cache(figures.brakes)


def limits(**changed):
    return [{**exercises.set_the_limits.reference["limits"], **changed}]


def watching(**changed):
    """A detector that remembers for itself, and begins anew with each log."""
    state = {}

    def alert(window):
        if window.start == 0:
            state["watch"] = detectors.Watch(**changed)
        return state["watch"](window)

    return [alert]


def by_events(window):
    """Counts failures where accounts should be counted."""
    failures = Counter(entry.address for entry in window.day if entry.status == 401)
    return detectors.alert(window) | {name for name, count in failures.items() if count >= 14}


def reads_as_sent(window):
    accused = detectors.alert(window)
    scanners = {e.address for e in window.entries if detectors.matches(e.path)}
    return (accused - scanners) | {
        e.address for e in window.entries if detectors.matches_weak(e.path)
    }


def never_anybody(window):
    return detectors.alert(window) - {log.ANYBODY}


def an_hour_is_enough(window):
    """Looks at the hour alone, so that patience is not noticed."""
    seen = defaultdict(set)
    for entry in window.entries:
        if entry.path.startswith("/invoices/"):
            seen[entry.user].add(entry.path)
    days = {entry.user for entry in window.day if entry.path.startswith("/invoices/")}
    return (detectors.alert(window) - days) | {n for n, paths in seen.items() if len(paths) >= 30}


def any_failure(window):
    return detectors.alert(window) | {e.address for e in window.entries if e.status == 401}


def whole_entries(window):
    return [entry for entry in window.entries if entry.status == 401]


def anything_odd(window):
    return any(entry.status >= 400 for entry in window.entries)


def by_exports(window):
    """Another way to notice the insider: what is taken away, at any hour."""
    taken = defaultdict(set)
    for entry in window.day:
        if entry.path.endswith("/export"):
            taken[entry.user].add(entry.path)
    others = {name for name in detectors.alert(window) if not name.startswith("support")}
    return list(others | {user for user, what in taken.items() if len(what) >= 9})


def brake(*, own=20, account=50, address=80):
    return [
        lambda known, past: (
            past.device < own if known else past.account < account and past.address < address
        )
    ]


@pytest.fixture(scope="module")
def months():
    """Make the months of the book's learner."""
    for exercise in (exercises.set_the_limits, exercises.watch_the_log):
        judge_here(exercise, [exercise.weak[part.name] for part in exercise.parts])


@pytest.mark.usefixtures("months")
class TestExercises(Contract):
    answers = (
        Answers(
            exercises.set_the_limits,
            wrong={
                "the office is blamed": (limits(accounts=3), "People who share an address"),
                "the auditor is blamed": (limits(invoices=40), "reads 50 invoices for a reason"),
                "every slip rings": (limits(accounts_an_hour=1), "Raise the limit for accounts"),
                "a botnet passes": (
                    limits(accounts_an_hour=60),
                    "Which limit counts from anywhere",
                ),
                "a patient scraper passes": (limits(invoices=300), "Lower the limit for invoices"),
                "a patient insider passes": (
                    limits(customers_at_night=25),
                    "Lower the limit for customers at night",
                ),
                "one left out": ([{"accounts": 10}], "has no whole number"),
            },
            other={"a little lower": limits(accounts=13, accounts_an_hour=11, invoices=80)},
        ),
        Answers(
            exercises.watch_the_log,
            wrong={
                "failures instead of accounts": ([by_events], "Count different accounts"),
                "paths as they were sent": ([reads_as_sent], "until nothing changes"),
                "by address alone": ([never_anybody], "a botnet spends an address on each guess"),
                "the hour alone": ([an_hour_is_enough], "that one account has read"),
                "every failure": ([any_failure], "honest names were accused"),
                "whole entries": ([whole_entries], "not the whole entry"),
                "anything odd": ([anything_odd], "alarms a day were about nothing"),
            },
            other={
                "with a memory of its own": watching(),
                "by exports": [by_exports],
                "with other limits": watching(accounts=18, accounts_an_hour=11, invoices=85),
            },
        ),
        Answers(
            exercises.slow_the_guessing,
            wrong={
                "no brake": ([lambda _known, _past: True], "NIST's limit is 100"),
                "a lock for everybody": (
                    [lambda _known, past: past.account + past.device < 50],
                    "Look at `known` first",
                ),
                "by address alone": (brake(account=10**6), "Each address has few failures"),
                "by account alone": (brake(address=10**6), "Each account has one failure"),
                "known is trusted": (brake(own=10**6), "Known is not the same as harmless"),
                "five and out": (brake(own=5, account=5), "he was refused until tomorrow"),
                "one address is one person": (brake(address=12), "people who share an address"),
                "nobody": ([lambda _known, _past: False], "room for people who mistype"),
            },
            other={
                "other limits": brake(own=30, account=90, address=99),
                "written at length": [
                    lambda known, past: (
                        not (past.device >= 15 if known else max(past.account, past.address) >= 60)
                    )
                ],
            },
        ),
    )


def test_every_question_explains_every_option():
    questions = [thing for thing in vars(exercises).values() if isinstance(thing, Quiz)]
    assert len(questions) == 4
    assert all(len(option.feedback) > 30 for question in questions for option in question.options)


def test_the_answers_to_the_predictions_are_what_the_lab_computes():
    precision = intrusion.alarm_precision(20 / 1_000_000, 0.99, 0.01)
    assert 450 < 1 / precision < 550
    assert "500" in next(o.label for o in exercises.one_alarm.options if o.correct)

    def twenty_failures(window):
        failures = Counter(entry.address for entry in window.day if entry.status == 401)
        return {address for address, count in failures.items() if count >= 20}

    for seed in (1, 2, 3):
        month = log.month(seed, kinds=())
        accused = intrusion.grade(twenty_failures, seed, kinds=()).accused
        assert accused
        assert all("script" in month.people[name] for name in accused)

    day = prevention.trial(prevention.AccountLockout(5, 15), seed=figures.BOOK_SEED)
    assert day.guesses == 28_800
    assert 300 < day.guesses_admitted < 600
    assert day.owner_refused > 5 * day.owner_logins


def test_the_table_of_counts_leaves_room_for_a_limit_where_the_exercise_says():
    rows = {row[0]: row[1:] for row in figures.usual().rows}
    reference = exercises.set_the_limits.reference["limits"]
    for (what, (honest, hasty, hiding)), name in zip(rows.items(), exercises.LIMITS, strict=True):
        assert honest < reference[name] < hasty, what
        assert (reference[name] <= hiding) == (name != "accounts"), what


def test_the_weak_detector_misses_more_when_intruders_hide():
    table = figures.verdicts(
        {"weak": lambda: detectors.alert_weak, "repaired": lambda: detectors.alert}
    )
    found = [row[2] for row in table.rows]
    assert found == ["5 of 7", "0 of 7", "7 of 7", "7 of 7"]


def test_a_patient_intruder_is_noticed_by_sums_long_before_a_threshold():
    patient = NOTICED.picture(hours=256).alt
    assert "CUSUM: after 5 hours" in patient
    assert "EWMA: after 5 hours" in patient
    assert "threshold: after 1" in patient


@pytest.mark.parametrize("hours", figures.PATIENCE_H)
def test_limits_learned_in_quiet_months_ring_at_most_once_in_the_next(hours):
    alt = NOTICED.picture(hours=hours).alt
    assert "false alarm" not in alt or "before: 1)" in alt


def test_the_base_rate_picture_counts_the_alarms_of_a_day():
    said = ALARM_SHARE.picture(one_in=100).alt
    assert "10,000 false alarms a day and 20 real ones, so 1 in 506" in said
    assert (
        "10 false alarms a day and 20 real ones, so 66%" in ALARM_SHARE.picture(one_in=100_000).alt
    )


def test_a_botnet_defeats_every_count_by_address():
    assert "different accounts that fail: 100%" in ROC_CURVES.picture(hiding="not at all").alt
    assert "failed logins: 0%" in ROC_CURVES.picture(hiding="from many addresses").alt


def test_blocking_more_turns_more_honest_people_away():
    _, stopped, turned_away = figures._blocked("not at all")
    assert list(stopped) == sorted(stopped, reverse=True)
    assert list(turned_away) == sorted(turned_away, reverse=True)
    assert turned_away[0] > 100
    assert turned_away[-1] == 0
    assert all(
        one <= other
        for one, other in zip(figures._blocked("from many addresses")[1], stopped, strict=True)
    )


@pytest.mark.parametrize(
    "figure",
    [ALARM_SHARE, NOTICED, ROC_CURVES, BLOCKING],
    ids=lambda figure: figure.figure.split(":")[1],
)
def test_each_position_of_a_slider_says_something_of_its_own(figure):
    alts = [figure.picture(**frame).alt for frame in figure.frames()]
    assert len(set(alts)) == len(alts)
    assert all("nan" not in alt for alt in alts)


def test_tables_of_the_lab_add_up():
    month = log.month(figures.BOOK_SEED)
    rows = figures.visitors(month).rows
    assert sum(row[1] for row in rows) == len(month)
    by_name = {row[0]: row[1:] for row in brakes().rows}
    assert by_name["lock the account, 5 failures"][3] > 10 * 6
    assert by_name["strangers and known devices apart"] == [50, 50, 12, 0]
    assert by_name["a token bucket for each address"][1] == 28_800


def test_the_page_states_what_the_lab_computes():
    page = (ROOT / "book/traffic/intrusion.md").read_text("utf-8")
    patient = NOTICED.picture(hours=8 * 24).alt
    for hours, guesses in ((126, 161), (18, 13)):
        assert f"after {hours} hours and {guesses} guesses" in patient
        assert f"after {hours} hours and {guesses}" in page
    assert "hours of false alarm before: 1" in patient
    assert "had rung once before" in page
    limits, stopped, turned_away = figures._blocked("not at all")
    two, ten = limits.index(2), limits.index(10)
    assert f"turned away {turned_away[two]} times" in page
    assert turned_away[ten] == 0
    assert f"{stopped[ten]:.0%} of the guesses" in page
    lock = next(row for row in brakes().rows if row[0].startswith("lock"))
    assert lock[3] == 2
    assert "gets in twice" in page
