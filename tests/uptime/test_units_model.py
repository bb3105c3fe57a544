"""What the formulas for redundant units claim, against published and exact values."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest

from labs.uptime.units import (
    common_cause_unavailability,
    common_cause_union,
    k_of_n,
    mean_time_to_failure,
    mean_time_to_failure_unrepaired,
    pair_unavailability,
    steady_state,
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
