"""What the connection formulas claim, against published and independently computed values."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import networkx
import pytest

from labs.uptime.connections import (
    detection_time,
    failover_unavailability,
    false_alarms_per_day,
    flapping,
    master_down_interval,
    minimum_cut,
    outage_loss,
    single_points_of_failure,
    skew_time,
    two_paths,
)


def close(value: float, *, tolerance: float = 1e-9) -> object:
    return pytest.approx(value, rel=tolerance, abs=0)


@pytest.mark.parametrize(
    ("first", "second", "shared", "expected"),
    [
        pytest.param(0.995, 0.995, 1.0, 0.999975, id="two-equal-links"),
        pytest.param(0.995, 0.99, 1.0, 0.99995, id="two-unequal-links"),
        pytest.param(0.995, 0.995, 0.9999, 0.9998750025, id="behind-a-shared-duct"),
    ],
)
def test_two_links_are_only_as_good_as_what_they_share(
    first: float, second: float, shared: float, expected: float
) -> None:
    assert two_paths(first, second, shared=shared) == close(expected)


def test_two_paths_that_hardly_ever_work_keep_their_digits() -> None:
    a, b = Fraction(1e-12), Fraction(3e-13)
    assert two_paths(1e-12, 3e-13) == close(float(a + b - a * b))


@pytest.mark.parametrize(
    ("priority", "skew", "down"),
    [
        pytest.param(100, 0.609375, 3.609375, id="RFC-9568-6.1-priority-100"),
        pytest.param(254, 0.0078125, 3.0078125, id="RFC-9568-6.1-priority-254"),
        pytest.param(1, 0.99609375, 3.99609375, id="RFC-9568-6.1-priority-1"),
    ],
)
def test_a_vrrp_backup_waits_three_intervals_and_its_skew(
    priority: int, skew: float, down: float
) -> None:
    assert skew_time(1, priority) == close(skew)
    assert master_down_interval(1, priority) == close(down)


def test_vrrp_with_tenth_of_a_second_hellos_takes_over_ten_times_sooner() -> None:
    assert master_down_interval(0.1, 100) == close(0.3609375)


@pytest.mark.parametrize(
    ("coverage", "switch_s", "expected"),
    [
        pytest.param(1, 30, 0.00010619787114008754, id="30-s-switch"),
        pytest.param(1, 3.609375, 9.901235652680762e-05, id="VRRP-switch"),
        pytest.param(1, 300, 0.00017970626194623344, id="5-min-switch"),
    ],
)
def test_a_slow_switch_costs_minutes_a_year(
    coverage: float, switch_s: float, expected: float
) -> None:
    down = failover_unavailability(1000, 10, coverage=coverage, switch_s=switch_s)
    assert down == close(expected)


def test_one_failed_switch_in_twenty_costs_more_than_all_slow_ones() -> None:
    down = failover_unavailability(1000, 10, coverage=0.95, switch_s=30)
    assert down * 525_600 == close(313.069, tolerance=1e-5)


@pytest.mark.parametrize("coverage", [0, 0.3, 1])
@pytest.mark.parametrize("switch_s", [0, 1, 3600])
@pytest.mark.parametrize(("mtbf_h", "mttr_h"), [(1e9, 1e-3), (1000, 10), (5, 50)])
def test_failover_agrees_with_the_balance_equations_in_exact_arithmetic(
    coverage: float, switch_s: float, mtbf_h: float, mttr_h: float
) -> None:
    rate, repair = 1 / Fraction(mtbf_h), 1 / Fraction(mttr_h)
    c, f = Fraction(coverage), Fraction(switch_s) / 3600
    ok, one_up = Fraction(1), 2 * rate / repair
    switching, uncovered = c * rate * f, (1 - c) * rate / repair
    both_down = rate * one_up / (2 * repair)
    down = switching + uncovered + both_down
    # The balance of "one up" was not used above, so it checks the others.
    flow_in = c * rate * ok + repair * uncovered + rate * ok + 2 * repair * both_down
    assert flow_in == (repair + rate) * one_up
    computed = failover_unavailability(mtbf_h, mttr_h, coverage=coverage, switch_s=switch_s)
    assert computed == close(float(down / (ok + one_up + down)))


@pytest.mark.parametrize(("mtbf_h", "mttr_h"), [(1e308, 1e-308), (1e-308, 1e308), (1e308, 1e308)])
def test_failover_stays_a_fraction_at_the_edges_of_floats(mtbf_h: float, mttr_h: float) -> None:
    assert 0 <= failover_unavailability(mtbf_h, mttr_h, coverage=0.5, switch_s=1e308) <= 1


def wiring(*ways: str) -> networkx.Graph:
    graph: networkx.Graph = networkx.Graph()
    for way in ways:
        networkx.add_path(graph, way.split())
    return graph


def test_two_ways_through_one_duct_have_one_point_of_failure() -> None:
    graph = wiring("hall a duct x net", "hall b duct y net")
    assert single_points_of_failure(graph, "hall", "net") == {"duct"}
    assert minimum_cut(graph, "hall", "net") == {"duct"}


def test_two_ways_apart_have_none_and_a_cut_of_two() -> None:
    graph = wiring("hall a x net", "hall b y net")
    assert single_points_of_failure(graph, "hall", "net") == frozenset()
    assert len(minimum_cut(graph, "hall", "net")) == 2


def test_single_points_are_what_leaving_out_each_node_shows() -> None:
    for seed in range(40):
        graph = networkx.gnm_random_graph(12, 15, seed=seed)
        if not networkx.has_path(graph, 0, 11):
            continue
        by_hand = set()
        for node in range(1, 11):
            rest = graph.copy()
            rest.remove_node(node)
            if not networkx.has_path(rest, 0, 11):
                by_hand.add(node)
        assert single_points_of_failure(graph, 0, 11) == by_hand
        if not graph.has_edge(0, 11):
            assert (len(minimum_cut(graph, 0, 11)) == 1) == bool(by_hand)


def test_false_alarms_follow_the_mean_wait_for_a_run_of_losses() -> None:
    p, k = Fraction(1, 50), 3
    hellos = (1 - p**k) / ((1 - p) * p**k)
    assert false_alarms_per_day(0.1, 3, 0.02) == close(float(864_000 / hellos))


def test_a_link_that_loses_no_hello_raises_no_false_alarm() -> None:
    assert false_alarms_per_day(1, 1, 0) == 0


def test_a_link_that_loses_nearly_every_hello_alarms_every_time() -> None:
    p = 1 - 1e-13
    assert false_alarms_per_day(1, 3, p) == close(86_400 / 3, tolerance=1e-6)


def test_detection_takes_as_many_intervals_as_misses() -> None:
    assert detection_time(0.3, 3) == close(0.9)


def test_a_short_outage_costs_itself_and_a_long_one_the_detection_time() -> None:
    assert outage_loss(1e-3, 10) == close(1e-3)
    assert outage_loss(1e9, 10) == close(10, tolerance=1e-7)


def test_a_longer_hold_time_means_fewer_failovers() -> None:
    counts = [flapping(20, 5, detection_s=1, hold_s=hold).failovers for hold in (0, 10, 30, 120)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == close(math.exp(-1 / 5))


def test_a_hold_time_of_hours_does_not_divide_by_zero() -> None:
    assert flapping(1, 1, detection_s=0, hold_s=1e6).in_use == 0
    assert flapping(1, 1e-6, detection_s=1e3, hold_s=1e6).in_use == 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: two_paths(1.1, 0.9), ValueError, "first"),
        (lambda: two_paths(0.9, -0.1), ValueError, "second"),
        (lambda: two_paths(0.9, 0.9, shared=math.nan), ValueError, "shared"),
        (lambda: two_paths("a", 0.9), TypeError, "first"),
        (lambda: master_down_interval(0, 100), ValueError, "advertisement_s"),
        (lambda: master_down_interval(1, 0), ValueError, "priority"),
        (lambda: master_down_interval(1, 255), ValueError, "priority"),
        (lambda: master_down_interval(1, 100.0), TypeError, "priority"),
        (lambda: failover_unavailability(0, 1, coverage=1, switch_s=1), ValueError, "mtbf_h"),
        (lambda: failover_unavailability(1, -1, coverage=1, switch_s=1), ValueError, "mttr_h"),
        (lambda: failover_unavailability(1, 1, coverage=2, switch_s=1), ValueError, "coverage"),
        (lambda: failover_unavailability(1, 1, coverage=1, switch_s=-1), ValueError, "switch_s"),
        (lambda: single_points_of_failure(wiring("a b"), "a", "z"), ValueError, "target"),
        (lambda: single_points_of_failure(wiring("a b"), "q", "b"), ValueError, "source"),
        (lambda: single_points_of_failure(wiring("a b", "c d"), "a", "c"), ValueError, "connected"),
        (lambda: minimum_cut(wiring("a b"), "a", "b"), ValueError, "separate"),
        (lambda: detection_time(1, 0), ValueError, "missed"),
        (lambda: false_alarms_per_day(1, 3, 1), ValueError, "hello_loss"),
        (lambda: outage_loss(0, 1), ValueError, "mean_outage_s"),
        (lambda: flapping(0, 1, detection_s=1, hold_s=1), ValueError, "up_s"),
        (lambda: flapping(1, 1, detection_s=1, hold_s=-1), ValueError, "hold_s"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_that_names_it(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
