"""What the formulas for redundant units claim, against published and exact values.

The simulations are held to the formulas, and the live lab to its promises: it loses what was on
its way to the killed server and nothing else, and leaves no process behind.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from labs.estimate import Estimate
from labs.uptime.units import (
    common_cause_unavailability,
    common_cause_union,
    k_of_n,
    live,
    mean_time_to_failure,
    mean_time_to_failure_unrepaired,
    pair_unavailability,
    simulate,
    steady_state,
)
from labs.uptime.units.simulation import (
    count_changes,
    history,
    simulate_k_of_n,
    simulate_time_to_failure,
)


def close(value: float, *, tolerance: float = 1e-9) -> object:
    return pytest.approx(value, rel=tolerance, abs=0)


@pytest.mark.parametrize(
    ("k", "n", "availability", "expected"),
    [
        pytest.param(1, 1, 0.99, 0.99, id="1-of-1"),
        pytest.param(1, 2, 0.99, 0.9999, id="1-of-2"),
        pytest.param(2, 3, 0.99, 0.9997020000000001, id="2-of-3"),
        pytest.param(2, 2, 0.99, 0.9801, id="2-of-2"),
        pytest.param(1, 2, 0.999, 0.9999990000000001, id="1-of-2-better-units"),
        pytest.param(4, 5, 0.995, 0.9997524906375, id="4-of-5"),
        pytest.param(3, 4, 0.99, 0.99940797, id="3-of-4"),
        pytest.param(2, 3, 0.9, 0.972, id="2-of-3-worse-units"),
    ],
)
def test_a_spare_unit_raises_availability(
    k: int, n: int, availability: float, expected: float
) -> None:
    assert k_of_n(k, n, availability) == close(expected)


@pytest.mark.parametrize(("k", "n"), [(1, 1), (3, 5), (7, 30), (30, 30), (60, 130)])
@pytest.mark.parametrize("availability", [1e-6, 0.3, 0.999999])
def test_k_of_n_is_exact_even_when_it_is_tiny(k: int, n: int, availability: float) -> None:
    up = Fraction(availability)
    exact = sum(math.comb(n, i) * up**i * (1 - up) ** (n - i) for i in range(k, n + 1))
    computed = k_of_n(k, n, availability)
    if exact > Fraction(10) ** -300:
        assert computed == close(float(exact))
    else:
        assert computed < 1e-300


def test_the_largest_system_allowed_neither_overflows_nor_leaves_the_probabilities() -> None:
    assert k_of_n(1, 10_000, 0.5) == 1
    assert k_of_n(5_000, 10_000, 0.5) == close(0.503989, tolerance=1e-5)
    assert k_of_n(10_000, 10_000, 0.5) == 0


@pytest.mark.parametrize("availability", [0, 1])
def test_units_that_never_or_always_work_decide_alone(availability: int) -> None:
    assert k_of_n(2, 3, availability) == availability


@pytest.mark.parametrize(
    ("q", "beta", "rare_event", "union", "independent"),
    [
        pytest.param(0.01, 0.1, 0.001081, 0.001080918999999958, 1e-4, id="Fleming-1975-0.1"),
        pytest.param(0.01, 0, 0.0001, 9.999999999998899e-05, 1e-4, id="Fleming-1975-0"),
        pytest.param(0.001, 0.05, 5.09025e-05, 5.090245487493483e-05, 1e-6, id="Fleming-1975-0.05"),
        pytest.param(0.01, 1, 0.01, 0.010000000000000009, 1e-4, id="Fleming-1975-1"),
    ],
)
def test_a_common_cause_eats_most_of_what_the_second_unit_buys(
    q: float, beta: float, rare_event: float, union: float, independent: float
) -> None:
    assert common_cause_unavailability(q, beta) == close(rare_event)
    assert 1 - common_cause_unavailability(q, beta) == close(1 - rare_event)
    assert common_cause_union(q, beta) == close(union, tolerance=1e-11)
    assert common_cause_unavailability(q, 0) == close(independent)


@pytest.mark.parametrize(
    ("mtbf_h", "mttr_h", "crews", "beta", "expected"),
    [
        pytest.param(1000, 10, 2, 0, 9.802960494095431e-05, id="Trivedi-two-crews"),
        pytest.param(1000, 10, 1, 0, 0.00019603999215945473, id="Trivedi-one-crew"),
        pytest.param(1000, 10, 2, 0.02, 0.00019509823048867117, id="common-cause-0.02"),
        pytest.param(1000, 10, 2, 0.1, 5.835650e-4, id="common-cause-0.1"),
        pytest.param(8760, 4, 2, 0, 2.08312e-7, id="good-units"),
    ],
)
def test_a_repaired_pair_is_down_as_the_balance_equations_say(
    mtbf_h: float, mttr_h: float, crews: int, beta: float, expected: float
) -> None:
    tolerance = 1e-9 if len(repr(expected)) > 12 else 5e-6  # the last two are printed rounded
    down = pair_unavailability(mtbf_h, mttr_h, repair_crews=crews, beta=beta)
    assert down == close(expected, tolerance=tolerance)


@pytest.mark.parametrize("crews", [1, 2])
@pytest.mark.parametrize("beta", [0, 1e-9, 0.2, 1])
@pytest.mark.parametrize(("mtbf_h", "mttr_h"), [(1e8, 1e-2), (1000, 10), (3, 40)])
def test_a_repaired_pair_agrees_with_exact_arithmetic(
    crews: int, beta: float, mtbf_h: float, mttr_h: float
) -> None:
    ratio, b = Fraction(mttr_h) / Fraction(mtbf_h), Fraction(beta)
    one_up = (2 - b) * ratio
    both_down = (b * ratio + (2 - b) * ratio**2) / crews
    # The balance of "one up" was not used above, so it checks the other two.
    assert 2 * (1 - b) * ratio + crews * both_down == (1 + ratio) * one_up
    computed = pair_unavailability(mtbf_h, mttr_h, repair_crews=crews, beta=beta)
    assert computed == close(float(both_down / (1 + one_up + both_down)))


@pytest.mark.parametrize(("mtbf_h", "mttr_h"), [(1e308, 1e-308), (1e-308, 1e308), (1e308, 1e308)])
def test_a_pair_stays_a_fraction_at_the_edges_of_floats(mtbf_h: float, mttr_h: float) -> None:
    assert 0 <= pair_unavailability(mtbf_h, mttr_h) <= 1
    assert 0 <= steady_state(mtbf_h, mttr_h) <= 1
    assert mean_time_to_failure(mtbf_h, mttr_h) > 0


def test_single_unit_availability_is_up_time_over_all_time() -> None:
    """Trivedi, and a second pair of values computed independently."""
    assert steady_state(1000, 10) == close(0.9900990099009901)
    assert steady_state(8760, 4) == close(0.9995435874, tolerance=1e-10)


def test_repair_multiplies_the_time_to_the_first_outage() -> None:
    assert mean_time_to_failure(1000, 10) == close(51500)
    assert mean_time_to_failure(8760, 4) == close(9_605_340)
    assert mean_time_to_failure_unrepaired(1000) == close(1500)


def test_a_second_crew_halves_the_time_that_both_are_down() -> None:
    one = pair_unavailability(100_000, 1, repair_crews=1)
    two = pair_unavailability(100_000, 1, repair_crews=2)
    assert one / two == close(2, tolerance=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: k_of_n(3, 2, 0.9), ValueError, "k must be a whole number from 1 to 2, not 3"),
        (lambda: k_of_n(0, 2, 0.9), ValueError, "k must"),
        (lambda: k_of_n(1, 0, 0.9), ValueError, "n must"),
        (lambda: k_of_n(1, 10_001, 0.9), ValueError, "n must"),
        (lambda: k_of_n(1.0, 2, 0.9), TypeError, "k must"),
        (lambda: k_of_n(True, 2, 0.9), TypeError, "k must"),
        (lambda: k_of_n(1, 2, 1.5), ValueError, "availability"),
        (lambda: k_of_n(1, 2, math.nan), ValueError, "availability"),
        (lambda: common_cause_unavailability(0.1, 1.1), ValueError, "beta"),
        (lambda: common_cause_unavailability(-0.1, 0.1), ValueError, "unavailability"),
        (lambda: common_cause_union(0.1, -0.1), ValueError, "beta"),
        (lambda: pair_unavailability(-1, 1), ValueError, "mtbf_h"),
        (lambda: pair_unavailability(1, 0), ValueError, "mttr_h"),
        (lambda: pair_unavailability(1, 1, repair_crews=3), ValueError, "repair_crews"),
        (lambda: pair_unavailability(1, 1, beta=2), ValueError, "beta"),
        (lambda: steady_state(math.inf, 1), ValueError, "mtbf_h"),
        (lambda: mean_time_to_failure(1, -1), ValueError, "mttr_h"),
        (lambda: mean_time_to_failure_unrepaired("1"), TypeError, "mtbf_h"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_that_names_it(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


PAIRS = [
    (mtbf_h, mttr_h, crews, beta)
    for mtbf_h, mttr_h in [(1000, 10), (8760, 4), (100, 50), (10, 100)]
    for crews in (1, 2)
    for beta in (0, 0.02, 0.3, 1)
]


BOOK_SEED = 1
PROCESSES = Path("/proc")


@pytest.mark.parametrize("failure_bias", [0.5, None])
def test_the_formula_lies_in_nineteen_of_twenty_simulated_intervals(
    failure_bias: float | None,
) -> None:
    pairs = PAIRS if failure_bias else [pair for pair in PAIRS if pair[0] / pair[1] < 1000]
    inside = []
    for seed, (mtbf_h, mttr_h, crews, beta) in enumerate(pairs * 10):
        exact = pair_unavailability(mtbf_h, mttr_h, repair_crews=crews, beta=beta)
        estimate = simulate(
            mtbf_h,
            mttr_h,
            repair_crews=crews,
            beta=beta,
            cycles=20_000,
            failure_bias=failure_bias,
            seed=seed,
        )
        inside.append(exact in estimate)
        assert abs(estimate.mean - exact) < 3 * estimate.half_width
    assert 0.92 <= sum(inside) / len(inside) <= 0.98


@pytest.mark.parametrize(("mtbf_h", "mttr_h", "crews", "beta"), PAIRS)
def test_the_simulation_of_the_book_contains_the_formula(
    mtbf_h: float, mttr_h: float, crews: int, beta: float
) -> None:
    exact = pair_unavailability(mtbf_h, mttr_h, repair_crews=crews, beta=beta)
    estimate = simulate(mtbf_h, mttr_h, repair_crews=crews, beta=beta, seed=BOOK_SEED)
    assert exact in estimate
    assert estimate.half_width < 0.05 * exact


def test_forcing_failures_narrows_the_interval_many_times() -> None:
    plain = simulate(8760, 4, cycles=1_000_000, failure_bias=None, seed=1)
    forced = simulate(8760, 4, cycles=1_000_000, seed=1)
    assert forced.half_width < plain.half_width / 10


def test_the_same_seed_gives_the_same_estimate_and_another_seed_another() -> None:
    assert simulate(1000, 10, seed=5) == simulate(1000, 10, seed=5)
    assert simulate(1000, 10, seed=5) != simulate(1000, 10, seed=6)


def test_the_simulated_time_to_the_first_outage_agrees_with_the_formula() -> None:
    inside = [
        mean_time_to_failure(mtbf, mttr) in simulate_time_to_failure(mtbf, mttr, seed=seed)
        for mtbf, mttr in [(1000, 10), (50, 25)]
        for seed in range(30)
    ]
    assert 0.88 <= sum(inside) / len(inside) <= 1


@pytest.mark.parametrize(("k", "n", "availability"), [(1, 2, 0.9), (2, 3, 0.99), (8, 10, 0.97)])
def test_looking_at_random_moments_agrees_with_k_of_n(k: int, n: int, availability: float) -> None:
    inside = [
        k_of_n(k, n, availability) in simulate_k_of_n(k, n, availability, trials=20_000, seed=seed)
        for seed in range(40)
    ]
    assert sum(inside) >= 35


def test_looking_at_random_moments_agrees_with_the_common_cause_formula() -> None:
    exact = 1 - common_cause_union(0.05, 0.2)
    inside = [exact in simulate_k_of_n(1, 2, 0.95, beta=0.2, seed=seed) for seed in range(40)]
    assert sum(inside) >= 35


def test_a_long_life_is_down_as_often_as_the_formula_says() -> None:
    life = history(100, 20, hours=400_000, seed=7)
    assert life.down_h / life.hours == pytest.approx(pair_unavailability(100, 20), rel=0.05)
    # Without a common cause, units fail and return one at a time.
    assert all(abs(after - before) == 1 for before, after in pairwise(life.units_up))


def test_changes_are_two_a_cycle_and_two_more_for_each_double_failure() -> None:
    cycles = 100_000
    expected = cycles * (2 + 2 * (1 / 101) / (1 - 1 / 101))
    assert count_changes(1000, 10, cycles=cycles, seed=1) == pytest.approx(expected, rel=0.002)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate(-1, 1, seed=0), "mtbf_h"),
        (lambda: simulate(1, 1e7, seed=0), "mttr_h"),
        (lambda: simulate(1, 1, beta=1.5, seed=0), "beta"),
        (lambda: simulate(1, 1, cycles=10, seed=0), "cycles"),
        (lambda: simulate(1, 1, cycles=10**9, seed=0), "cycles"),
        (lambda: simulate(1, 1, failure_bias=1, seed=0), "failure_bias"),
        (lambda: simulate(1, 1, seed=-1), "seed"),
        (lambda: simulate_k_of_n(3, 2, 0.9, seed=0), "k must"),
        (lambda: simulate_time_to_failure(1e15, 1e-300, seed=0), "second failure"),
        (lambda: history(1, 1, hours=1e9, seed=0), "hours"),
        (lambda: live.run(requests=0), "requests"),
        (lambda: live.run(kill="D"), "kill"),
        (lambda: live.run(check_ms=1), "check_ms"),
        (lambda: live.run(missed=0), "missed"),
    ],
)
def test_simulations_refuse_nonsense_too(call: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_an_estimate_knows_what_lies_in_it() -> None:
    estimate = Estimate.around(10, 1)
    assert 11.9 in estimate
    assert 12 not in estimate
    assert Estimate.of_share(100, 100).high == 1


def test_importing_the_lesson_does_not_load_numpy() -> None:
    code = "import sys, labs.uptime.units; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def own_processes_of_the_live_lab() -> set[str]:
    """Those that this process started: other tests may run the lab at the same time."""
    found = set()
    for entry in PROCESSES.iterdir():
        # A process may end while its entry is being read.
        with suppress(OSError):
            parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            command = (entry / "cmdline").read_bytes().split(b"\0")
            if int(parent) == os.getpid() and b"labs.uptime.units.live" in command:
                found.add(entry.name)
    return found


needs_proc = pytest.mark.skipif(
    not PROCESSES.is_dir(), reason="reads the list of processes that Linux keeps"
)


@needs_proc
@pytest.mark.sockets
def test_a_killed_server_loses_only_its_own_requests_and_leaves_no_process_behind() -> None:
    # The proxy takes turns, so that request 28 is at work on B when B is killed.
    result = live.run(requests=110, every_ms=10, kill="B", kill_at=29, check_ms=20, missed=2)
    assert own_processes_of_the_live_lab() == set()
    assert len(result.requests) == 110
    assert set(result.answered_by) == {"A", "B", "C"}
    assert result.lost
    for request in result.lost:
        assert request.sent_ms + request.took_ms > result.killed_ms, "none is lost before the kill"
    assert not any(request.lost for request in result.requests[-15:]), "it is noticed in time"
    answered = result.answered_by
    assert len(result.lost) <= len(result.requests) - answered["A"] - answered["C"]


@pytest.mark.sockets
def test_a_proxy_that_tries_the_next_server_loses_nothing() -> None:
    result = live.run(requests=50, every_ms=5, kill="C", kill_at=20, check_ms=60, retry=True)
    assert result.lost == ()


def test_the_recorded_run_is_one_that_the_command_makes() -> None:
    result = live.recorded()
    assert live.LiveRun.from_json(result.as_json()) == result
    assert result.killed in live.NAMES
    assert 0 < len(result.lost) < len(result.requests)


@needs_proc
@pytest.mark.sockets
def test_live_processes_listen_on_this_computer_only() -> None:
    with live._process("server", "A") as server:
        assert own_processes_of_the_live_lab() == {str(server.process.pid)}
        assert live._get(server.port, "/health") == (200, b"A")
        handles = (PROCESSES / str(server.process.pid) / "fd").iterdir()
        sockets = {str(handle.readlink()) for handle in handles}
        rows = [line.split() for line in (PROCESSES / "net/tcp").read_text().splitlines()[1:]]
        listening = [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
        assert [address.split(":")[0] for address in listening] == ["0100007F"]


def test_a_live_process_ends_with_the_one_who_started_it() -> None:
    with live._process("server", "A") as server:
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.process.wait(timeout=5) == 0
