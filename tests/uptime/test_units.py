"""The exercises and the pictures of the lesson on spare units."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from contract import ROOT, Answers, Contract, matching

from labs.teaching import Quiz
from labs.teaching.sliders import Slider, explore
from labs.uptime import units
from labs.uptime.units import exercises, figures, live, model, plans, proxy
from labs.uptime.units.proxy import Refused, Silent
from labs.uptime.units.simulation import simulate

GOOD = exercises.spend_the_budget.reference["plan"]


def planned(**changes):
    return [{**GOOD, **changes}]


def everything(**changes):
    best = {choice: list(offers)[-1] for choice, offers in plans.OFFERS.items()}
    return [{**best, **changes}]


def formula(*, needed=True, ways=True, split=True, shared=True, summed=False):
    """A formula as a learner might write it, with one thing left out."""

    def availability(n_needed, present, unit, beta):
        together = beta * (1 - unit) if shared else 0.0
        own = (1 - beta) * (1 - unit) if split else 1 - unit
        failing = sum(
            (math.comb(present, i) if ways else 1) * (1 - own) ** i * own ** (present - i)
            for i in range(n_needed if needed else 1)
        )
        return 1 - together - failing if summed else (1 - together) * (1 - failing)

    return [availability]


def powers(needed, _present, unit, beta):
    """Every needed server must work, and spares are forgotten."""
    return (1 - beta * (1 - unit)) * (1 - (1 - beta) * (1 - unit)) ** needed


def recursive(needed, present, unit, beta):
    """The same availability, server by server instead of by counting ways."""
    up = 1 - (1 - beta) * (1 - unit)

    def enough(left, missing):
        if missing == 0:
            return 1.0
        if left < missing:
            return 0.0
        return up * enough(left - 1, missing - 1) + (1 - up) * enough(left - 1, missing)

    return (1 - beta * (1 - unit)) * enough(present, needed)


def forwards(
    *,
    on_refusal=True,
    on_silence=True,
    posts=False,
    rest=10.0,
    most_silent=2,
    resting_last=True,
    clock=None,
    refused_posts=True,
    nos=False,
):
    """A proxy as a learner might write it, with one thing left out."""

    def forward(request, servers, resting, now):
        time_now = now if clock is None else clock()
        awake = [one for one in servers if resting.get(one.name, 0) <= time_now]
        tired = [one for one in servers if one not in awake]
        silent = 0
        for server in awake + tired if resting_last else awake:
            try:
                answer = server.answer(request)
                if nos and answer.startswith("404"):
                    continue
                return answer
            except Refused:
                resting[server.name] = time_now + rest
                if not on_refusal or (request.method == "POST" and not refused_posts):
                    return None
            except Silent:
                resting[server.name] = time_now + rest
                silent += 1
                if not on_silence or silent >= most_silent:
                    return None
                if request.method == "POST" and not posts:
                    return None
        return None

    return [forward]


def counting(request, servers, resting, now):
    """Another way: servers are ordered by when they last failed, and nothing expires."""
    quiet = 0
    for server in sorted(servers, key=lambda one: now - resting.get(one.name, -1e9) < 20):
        try:
            came = server.answer(request)
        except (Refused, Silent) as failure:
            resting[server.name] = now
            if isinstance(failure, Silent):
                quiet += 1
            if quiet and request.method != "GET":
                break
            if quiet > 1:
                break
        else:
            return came
    return None


class TestExercises(Contract):
    answers = (
        matching(
            exercises.match_remedies,
            exercises.FAILURES,
            wrong={
                "a second server for everything": ("aaaaa", "What differs if it gets it later"),
                "another room against the update": ("acbde", "matched with the letter c"),
                "a health check finds the missing spare": (
                    "abced",
                    "What should it have asked for",
                ),
            },
        ),
        Answers(
            exercises.spend_the_budget,
            wrong={
                "the second room first": (
                    planned(rooms="two rooms", repair="next working day"),
                    "a quick repair: until then there is no spare",
                ),
                "everything": (everything(), "it costs 9,000 kronor"),
                "untested": (planned(takeover="never tested"), "a hope"),
                "updates at once": (
                    planned(updates="both servers at once"),
                    "The cheapest distance between two servers",
                ),
                "something else": (planned(rooms="three rooms"), "not 'three rooms'"),
                "a choice left out": (
                    [{key: GOOD[key] for key in list(GOOD)[:3]}],
                    "one of the offers for each",
                ),
            },
            other={
                "in another order, with capitals": [
                    {key.title(): value.upper() for key, value in reversed(GOOD.items())}
                ]
            },
        ),
        Answers(
            exercises.honest_availability,
            wrong={
                "one is always enough": (formula(needed=False), "any failure is an outage"),
                "spares forgotten": ([powers], "every way in which enough servers work"),
                "one way only": (formula(ways=False), "each counted as often as it occurs"),
                "nothing shared": (
                    formula(shared=False, split=False),
                    "which no number of servers makes rarer",
                ),
                "counted twice": (formula(split=False), "own failures without the shared ones"),
                "only the shared part": (
                    [lambda _k, _n, unit, beta: 1 - beta * (1 - unit)],
                    "down only while every server is",
                ),
            },
            other={
                "server by server": [recursive],
                "by what fails": formula(),
                "the rare-event sum": formula(summed=True),
                "the lab's own": [units.k_of_n_common_cause],
            },
        ),
        Answers(
            exercises.forward_requests,
            wrong={
                "gives up on a refusal": (forwards(on_refusal=False), "asking the next server"),
                "gives up on silence": (
                    forwards(on_silence=False),
                    "reading twice does no harm",
                ),
                "books again": (forwards(posts=True), "stood in the books twice"),
                "no second try for bookings": (
                    forwards(refused_posts=False),
                    "After Refused even a POST",
                ),
                "no memory": (forwards(rest=0), "a server that failed is asked last"),
                "a short memory": (forwards(rest=0.5), "a server that failed is asked last"),
                "never again": (forwards(rest=1e9), "an end to the rest"),
                "the wrong clock": (forwards(clock=time.time), "an end to the rest"),
                "nobody rests last": (
                    forwards(resting_last=False),
                    "rather than never",
                ),
                "no limit": (forwards(most_silent=3), "must not spread what did the harm"),
                "asks on after a no": (forwards(nos=True), "passing on every answer"),
                "asks everybody": ([proxy.forward_everywhere], "a server that failed is asked"),
                "asks everybody at once": (
                    [
                        lambda request, servers, _resting, _now: max(
                            server.answer(request) for server in servers
                        )
                    ],
                    "ask nobody else then",
                ),
            },
            other={
                "a longer rest": forwards(rest=60),
                "one silence is enough for a booking": forwards(),
                "by when it failed": [counting],
            },
        ),
    )


def test_every_question_explains_every_option():
    questions = [thing for thing in vars(exercises).values() if isinstance(thing, Quiz)]
    assert len(questions) >= 4
    assert all(len(option.feedback) > 30 for question in questions for option in question.options)


def right_option(question: Quiz) -> str:
    return next(option.label for option in question.options if option.correct)


def test_the_answers_to_the_questions_are_what_the_formulas_say():
    assert round(8_760 * 0.01) == 88
    assert round(525_600 * (1 - units.k_of_n(1, 2, 0.99))) == 53
    assert right_option(exercises.second_server) == "Under an hour"
    hours = 8_760 * (1 - units.k_of_n_common_cause(1, 2, 0.99, 0.1))
    assert 9 < hours < 10
    assert "nine hours" in right_option(exercises.one_in_ten)
    assert round(525_600 * (0.9 * 0.01) ** 2) == 43


@pytest.mark.parametrize(
    ("k", "n", "availability", "beta", "expected"),
    [
        pytest.param(1, 2, 0.99, 0.1, 1 - 0.001080918999999958, id="Fleming-1975-0.1"),
        pytest.param(1, 2, 0.999, 0.05, 1 - 5.090245487493483e-05, id="Fleming-1975-0.05"),
        pytest.param(2, 3, 0.99, 0, 0.9997020000000001, id="2-of-3"),
        pytest.param(3, 5, 0.9, 1, 0.9, id="everything-shared"),
    ],
)
def test_a_shared_cause_takes_any_number_of_units(k, n, availability, beta, expected):
    computed = model.k_of_n_common_cause(k, n, availability, beta)
    assert computed == pytest.approx(expected, rel=1e-12)


def test_no_number_of_spares_gets_below_the_shared_cause():
    down = [1 - model.k_of_n_common_cause(2, n, 0.99, 0.1) for n in range(2, 20)]
    assert down[:6] == sorted(set(down[:6]), reverse=True)
    assert down[-1] == pytest.approx(0.001, rel=1e-6)


@pytest.mark.parametrize(
    ("coverage", "switch_s", "minutes"),
    [
        pytest.param(1, 30, 55.817601071230015, id="two-state-switching-30-s"),
        pytest.param(1, 3.609375, 52.04089459049008, id="VRRP-default-timers"),
        pytest.param(1, 300, 94.4536112789403, id="two-state-switching-300-s"),
        pytest.param(0.95, 30, 313.069, id="coverage-0.95"),
    ],
)
def test_a_takeover_costs_what_it_lasts_and_what_it_misses(coverage, switch_s, minutes):
    down = model.pair_downtime(1000, 10, coverage=coverage, switch_s=switch_s)
    tolerance = 1e-9 if coverage == 1 else 2e-6  # the last is printed rounded
    assert 525_600 * down.total == pytest.approx(minutes, rel=tolerance)
    assert down.together == 0


def stationary(rates: dict[tuple[str, str], Fraction]) -> dict[str, Fraction]:
    """The long-run share of each state of a Markov chain, by exact elimination."""
    states = sorted({state for pair in rates for state in pair})
    rows = []
    for state in states:
        flow = {other: rates.get((other, state), Fraction(0)) for other in states}
        flow[state] -= sum(rate for (leaves, _), rate in rates.items() if leaves == state)
        rows.append([flow[other] for other in states] + [Fraction(0)])
    rows[-1] = [Fraction(1)] * (len(states) + 1)  # the shares add up to 1
    for column in range(len(states)):
        best = next(row for row in range(column, len(states)) if rows[row][column])
        rows[column], rows[best] = rows[best], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(len(states)):
            if row != column:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return {state: rows[place][-1] for place, state in enumerate(states)}


@pytest.mark.parametrize("crews", [1, 2])
@pytest.mark.parametrize(
    ("mtbf_h", "mttr_h", "beta", "coverage", "switch_s"),
    [(1000, 10, 0.25, 0.75, 3600), (8, 4, 0.5, 0.125, 7200), (2000, 30, 0.0625, 0.5, 30)],
)
def test_each_cause_has_the_share_that_the_balance_of_all_states_gives(
    crews, mtbf_h, mttr_h, beta, coverage, switch_s
):
    fails, repaired = Fraction(1, mtbf_h), Fraction(1, mttr_h)
    b, c = Fraction(beta), Fraction(coverage)
    exact = stationary(
        {
            ("both", "switching"): c * (1 - b) * fails,
            ("both", "stuck"): (1 - c) * (1 - b) * fails,
            ("both", "one"): (1 - b) * fails,
            ("both", "together"): b * fails,
            ("switching", "one"): Fraction(3600, switch_s),
            ("stuck", "one"): repaired,
            ("one", "both"): repaired,
            ("one", "apart"): fails,
            ("apart", "one"): crews * repaired,
            ("together", "one"): crews * repaired,
        }
    )
    down = model.pair_downtime(
        mtbf_h, mttr_h, repair_crews=crews, beta=beta, coverage=coverage, switch_s=switch_s
    )
    for cause in ("apart", "together", "stuck", "switching"):
        assert getattr(down, cause) == pytest.approx(float(exact[cause]), rel=1e-12), cause


@pytest.mark.parametrize("crews", [1, 2])
@pytest.mark.parametrize("beta", [0, 0.1, 1])
def test_a_perfect_takeover_leaves_the_pair_as_it_was(crews, beta):
    down = model.pair_downtime(1000, 10, repair_crews=crews, beta=beta)
    assert down.total == model.pair_unavailability(1000, 10, repair_crews=crews, beta=beta)
    assert (down.stuck, down.switching) == (0, 0)


def test_a_takeover_that_never_works_leaves_one_server_and_a_bill():
    one = 1 - model.steady_state(1000, 10)
    pair = model.pair_downtime(1000, 10, coverage=0)
    assert 0.95 * one < pair.total < 1.05 * one


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"coverage": 1.1}, "coverage"),
        ({"switch_s": -1}, "switch_s"),
        ({"beta": math.nan}, "beta"),
        ({"repair_crews": 0}, "repair_crews"),
    ],
)
def test_nonsense_about_takeovers_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        model.pair_downtime(1000, 10, **options)
    with pytest.raises(ValueError, match=words):
        simulate(1000, 10, seed=1, **options)


def test_a_pair_stays_a_fraction_however_long_a_takeover_lasts():
    for mtbf_h, mttr_h in [(1e-308, 1e-308), (1e308, 1e308), (1e-308, 1e308)]:
        down = model.pair_downtime(mtbf_h, mttr_h, coverage=0.5, switch_s=1e308)
        assert 0 <= down.total <= 1


@pytest.mark.parametrize("failure_bias", [0.5, None])
def test_simulated_takeovers_agree_with_the_formula(failure_bias):
    cases = [
        (1000, 10, 1, 0.02, 0.95, 30),
        (100, 50, 2, 0.3, 0.5, 3600),
        (1000, 10, 2, 0.1, 1, 60),
        (50, 10, 2, 0.0, 0.0, 0),
    ]
    inside = []
    for seed in range(50):
        for mtbf, mttr, crews, beta, coverage, switch_s in cases:
            options = {
                "repair_crews": crews,
                "beta": beta,
                "coverage": coverage,
                "switch_s": switch_s,
            }
            exact = model.pair_downtime(mtbf, mttr, **options).total
            estimate = simulate(
                mtbf, mttr, cycles=5_000, failure_bias=failure_bias, seed=seed, **options
            )
            inside.append(exact in estimate)
    assert 0.9 <= sum(inside) / len(inside) <= 0.99


def test_one_plan_meets_the_goal_and_it_is_not_the_second_room():
    from itertools import product

    good = []
    for chosen in product(*plans.OFFERS.values()):
        plan = dict(zip(plans.OFFERS, chosen, strict=True))
        minutes = 525_600 * plans.downtime(plan).total
        if plans.price(plan) <= plans.BUDGET and minutes <= plans.GOAL_MIN:
            good.append(plan)
    assert good == [GOOD]
    assert GOOD["rooms"] == "one room"


def test_taking_over_helps_and_the_half_fix_does_harm_of_its_own():
    weak, half, good = map(
        proxy.bad_minute, (proxy.forward_weak, proxy.forward_everywhere, proxy.forward)
    )
    assert weak.lost > half.lost > good.lost
    assert half.twice > weak.twice == good.twice == 0
    assert (weak.felled, half.felled, good.felled) == (1, 3, 2)
    assert good.waited_s < weak.waited_s / 5


@pytest.mark.parametrize("state", ["up", "refuses", "hangs", "mute"])
def test_a_server_does_what_its_state_says(state):
    ledger: list[str] = []
    server = proxy.Server("A", ledger, state)
    raised: type[Exception] | None = None
    try:
        server.answer(proxy.Request("POST", "/invoices/7"))
    except (Refused, Silent) as failure:
        raised = type(failure)
    expected = {"up": None, "refuses": Refused, "hangs": Silent, "mute": Silent}
    assert raised is expected[state]
    assert ledger == (["/invoices/7"] if state in ("up", "mute") else [])


PICTURES = {
    "spares": figures.spares,
    "nothing shared": lambda: figures.spares(1, 0.0),
    "pair": figures.pair,
    "one crew": lambda: figures.pair(4, 0.0, 1.0, 1),
    "agreement": lambda: figures.agreement(cycles=5_000),
    "requests": lambda: figures.requests(live.recorded()),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_each_time_and_says_its_numbers(name):
    first, second = PICTURES[name](), PICTURES[name]()
    assert first == second
    assert len(re.findall(r"\d[\d,.]*", first.alt)) >= 4
    assert len(first.svg) < 40_000


def test_the_text_alternatives_give_the_numbers_of_the_model():
    assert "1 spare: 2.6 hours if each fails alone, 11 hours" in figures.spares(2, 0.1).alt
    assert "Nothing is shared" in figures.spares(1, 0.0).alt
    assert "The pair on paper: 52 minutes" in figures.pair().alt
    assert "the takeover failed 252" in figures.pair().alt
    assert "95% take over: formula 313.1" in figures.agreement().alt
    assert "The formula lies in all 6 intervals" in figures.agreement().alt


def test_an_interval_that_misses_the_formula_is_said_to_miss_it():
    assert "lies in all 6 intervals" in figures.agreement(seed=4, cycles=2_000).caption
    assert "lies in 5 of 6 intervals: one in" in figures.agreement(seed=11, cycles=2_000).caption


def test_a_stored_output_says_nothing_that_differs_from_run_to_run(monkeypatch):
    shown = live.recorded()
    monkeypatch.delenv("LABS_RECORD", raising=False)
    assert "39 of 39" in figures.who_answered(shown).text()
    monkeypatch.setenv("LABS_RECORD", "1")
    stored = figures.who_answered(shown)
    assert [row[1] for row in stored.rows] == [
        "all answered",
        "all answered",
        "some lost",
        "A and C",
    ]
    assert not re.search(r"\d", stored.text().replace("120 requests", ""))


def test_the_picture_of_a_run_counts_every_request():
    alt = figures.requests(live.recorded()).alt
    counts = [int(n) for n in re.search(r"A (\d+), B (\d+), C (\d+), nobody (\d+)", alt).groups()]
    assert sum(counts) == len(live.recorded().requests)
    assert counts[3] == len(live.recorded().lost)


def test_offers_and_plans_are_shown_with_what_they_do():
    shown = figures.offers().text()
    assert "70% of the takeovers work" in shown
    assert "8% more of the failures hit both" in shown
    assert "5,000 kronor a month, 75 minutes" in figures.plan_cost(GOOD).text()
    with pytest.raises(ValueError, match="repair must be 'next working day' or"):
        figures.plan_cost({key: GOOD[key] for key in list(GOOD)[:3]})


def test_the_sliders_fit_the_book():
    spares = explore(
        figures.spares,
        needed=Slider((1, 2, 3), start=2),
        beta=Slider((0.0, 0.01, 0.02, 0.05, 0.1, 0.2), start=0.1),
        availability=Slider((0.99, 0.999), start=0.99),
    )
    pair = explore(
        figures.pair,
        mttr_h=Slider((1, 10, 48), start=10),
        beta=Slider((0.0, 0.02, 0.1), start=0.02),
        coverage=Slider((0.8, 0.95, 1.0), start=0.95),
        repair_crews=Slider((1, 2), start=2),
    )
    assert len(spares.frames()) + len(pair.frames()) <= 120


def test_the_numbers_on_the_page_are_those_of_the_lab():
    page = (ROOT / "book/uptime/units.md").read_text(encoding="utf-8")
    hours = {
        (n, beta): 8_760 * (1 - units.k_of_n_common_cause(1, n, 0.99, beta))
        for n, beta in [(1, 0), (2, 0), (2, 0.1), (6, 0.1)]
    }
    assert [figures.duration(value) for value in hours.values()] == [
        "88 hours",
        "53 minutes",
        "9.5 hours",
        "8.8 hours",
    ]
    widths = [float(width) for width in re.findall(r'<rect x="2" y="\d+" width="([\d.]+)"', page)]
    scale = widths[0] / hours[1, 0]
    assert widths == pytest.approx([scale * value for value in hours.values()], abs=0.06)
    assert f"save {60 * (hours[2, 0.1] - hours[6, 0.1]):.0f} minutes" in page
    run = live.recorded()
    assert f"{len(run.lost)} of {len(run.requests)} requests" in page
    assert f"next {max(r.sent_ms for r in run.lost) - run.killed_ms:.0f} milliseconds" in page
    assert sum(r.sent_ms < run.killed_ms for r in run.lost) == 1
    paper = units.pair_downtime(1000, 10)
    real = units.pair_downtime(1000, 10, beta=0.02, coverage=0.95, switch_s=30)
    assert f"down for {525_600 * paper.total:.0f} minutes a year" in page
    assert 8_760 * real.total == pytest.approx(6, abs=0.05)
    assert 8_760 * real.stuck > 4
    assert f"{units.mean_time_to_failure(1000, 10):,.0f} hours" in page
    assert f"{units.mean_time_to_failure_unrepaired(1000):,.0f} hours, about nine weeks" in page
    half = proxy.bad_minute(proxy.forward_everywhere)
    assert (half.twice, half.felled) == (2, 3)
    assert half.lost < proxy.bad_minute(proxy.forward_weak).lost


PROCESSES = Path("/proc")


def children_of(group: int) -> set[int]:
    """The processes of a group that is this test's own."""
    found = set()
    for entry in PROCESSES.iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:  # it ended while it was being read
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.add(int(entry.name))
    return found


@pytest.mark.skipif(not PROCESSES.is_dir(), reason="reads the list of processes that Linux keeps")
@pytest.mark.sockets
def test_interrupting_the_cell_ends_every_process_that_it_started():
    code = "from labs.uptime.units import live; live.run(requests=500, every_ms=50, kill_at=0)"
    cell = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 20
        # The one that runs the cell, the proxy, and the two servers that were not killed.
        while len(children_of(cell.pid)) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        assert len(children_of(cell.pid)) >= 4
        os.killpg(cell.pid, signal.SIGINT)  # what JupyterLab does when a cell is stopped
        _, said = cell.communicate(timeout=10)
        assert "KeyboardInterrupt" in said
        assert said.count("Traceback") == 1
        assert children_of(cell.pid) == set()
    finally:
        if cell.poll() is None:
            cell.kill()
            cell.communicate()


def test_where_no_process_can_start_the_page_is_told_so(monkeypatch):
    def none(*_arguments, **_options):
        raise OSError(138, "emscripten does not support processes.")

    monkeypatch.setattr(subprocess, "Popen", none)
    with pytest.raises(RuntimeError, match="emscripten does not support processes") as caught:
        live.run()
    assert "recorded()" in str(caught.value)
    assert "JupyterLab" in units.LESSON.beyond_the_page
