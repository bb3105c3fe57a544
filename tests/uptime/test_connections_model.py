"""What the connection formulas claim, against published and independently computed values.

The simulations are held to the formulas, the drawings of the network to every combination of
broken parts.
"""

from __future__ import annotations

import itertools
import math
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import networkx
import pytest

from labs.uptime.connections import (
    detection_time,
    disjoint_routes,
    failover_unavailability,
    false_alarms_per_day,
    flapping,
    link_in_use,
    master_down_interval,
    minimum_cut,
    network,
    outage_loss,
    single_points_of_failure,
    skew_time,
    two_paths,
)
from labs.uptime.connections.simulation import (
    episode,
    simulate_failover,
    simulate_false_alarms,
    simulate_flapping,
    simulate_two_paths,
    simulate_ways,
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


def by_every_combination(graph: networkx.Graph) -> float:
    """The availability of the network, summed over all sets of broken parts."""
    parts = [node for node in graph if graph.nodes[node]["availability"] < 1]
    total = 0.0
    for working in itertools.product((True, False), repeat=len(parts)):
        chance = math.prod(
            graph.nodes[part]["availability"] if up else 1 - graph.nodes[part]["availability"]
            for part, up in zip(parts, working, strict=True)
        )
        rest = graph.copy()
        rest.remove_nodes_from(part for part, up in zip(parts, working, strict=True) if not up)
        if networkx.has_path(rest, network.HALL, network.INTERNET):
            total += chance
    return total


@pytest.mark.parametrize(
    "graph",
    [network.logical(), network.physical(), network.physical(second_crossing=True)],
    ids=["in-the-contract", "in-the-ground", "with-a-second-crossing"],
)
def test_the_availability_of_a_drawing_is_exact(graph: networkx.Graph) -> None:
    assert network.availability(graph) == close(by_every_combination(graph), tolerance=1e-12)


def test_the_contract_shows_no_shared_part_and_the_ground_has_one() -> None:
    ends = (network.HALL, network.INTERNET)
    assert single_points_of_failure(network.logical(), *ends) == frozenset()
    assert single_points_of_failure(network.physical(), *ends) == {"duct under the railway"}
    assert len(minimum_cut(network.physical(), *ends)) == 1
    assert len(minimum_cut(network.physical(second_crossing=True), *ends)) == 2


def test_the_shared_duct_costs_a_hundred_minutes_a_year() -> None:
    shared = network.availability(network.physical())
    apart = network.availability(network.physical(second_crossing=True))
    assert 90 < (apart - shared) * 525_600 < 120
    assert shared < network.AVAILABILITY["duct under the railway"] < apart


def test_two_equal_paths_in_a_graph_are_two_paths_in_the_formula() -> None:
    graph = wiring("hall a net", "hall b net")
    graph.nodes["a"]["availability"], graph.nodes["b"]["availability"] = 0.9, 0.8
    assert network.availability(graph, "hall", "net") == close(two_paths(0.9, 0.8))


SHARES = 35 / 40  # of 40 intervals at 95 %, fewer that contain the truth is no bad luck


@pytest.mark.parametrize(
    ("first", "second", "shared"), [(0.9, 0.8, 1), (0.995, 0.99, 0.999), (0.3, 0.3, 0.5)]
)
def test_simulated_paths_agree_with_the_formula(first: float, second: float, shared: float) -> None:
    exact = two_paths(first, second, shared=shared)
    inside = [
        exact in simulate_two_paths(first, second, shared=shared, moments=50_000, seed=seed)
        for seed in range(40)
    ]
    assert sum(inside) / 40 >= SHARES


@pytest.mark.parametrize(
    ("mtbf_h", "mttr_h", "coverage", "switch_s"),
    [(1000, 10, 1, 30), (1000, 10, 0.95, 300), (100, 50, 0.5, 0), (10, 20, 0, 60)],
)
def test_a_simulated_failover_agrees_with_the_formula(
    mtbf_h: float, mttr_h: float, coverage: float, switch_s: float
) -> None:
    exact = failover_unavailability(mtbf_h, mttr_h, coverage=coverage, switch_s=switch_s)
    inside = [
        exact
        in simulate_failover(
            mtbf_h, mttr_h, coverage=coverage, switch_s=switch_s, cycles=100_000, seed=seed
        )
        for seed in range(40)
    ]
    assert sum(inside) / 40 >= SHARES


@pytest.mark.parametrize(("missed", "loss"), [(3, 0.05), (2, 0.02), (1, 0.3), (2, 0.5)])
def test_simulated_false_alarms_agree_with_the_formula(missed: int, loss: float) -> None:
    exact = false_alarms_per_day(0.1, missed, loss)
    inside = [
        exact in simulate_false_alarms(0.1, missed, loss, hellos=200_000, seed=seed)
        for seed in range(40)
    ]
    assert sum(inside) / 40 >= SHARES


@pytest.mark.parametrize(
    ("up_s", "down_s", "detection_s", "hold_s"),
    [(20, 5, 1, 0), (20, 5, 1, 30), (20, 5, 4, 60), (5, 20, 1, 2)],
)
def test_a_simulated_flapping_link_agrees_with_the_formula(
    up_s: float, down_s: float, detection_s: float, hold_s: float
) -> None:
    exact = flapping(up_s, down_s, detection_s=detection_s, hold_s=hold_s)
    runs = [
        simulate_flapping(
            up_s,
            down_s,
            detection_s=detection_s,
            hold_s=hold_s,
            links=800,
            cycles=100,
            seed=seed,
        )
        for seed in range(40)
    ]
    assert sum(exact.failovers in run.failovers for run in runs) / 40 >= SHARES
    assert sum(exact.lost_s in run.lost_s for run in runs) / 40 >= SHARES
    assert sum(exact.in_use in run.in_use for run in runs) / 40 >= SHARES


def test_one_long_episode_agrees_with_the_formula_too() -> None:
    shown = episode(20, 5, detection_s=1, hold_s=30, length_s=240_000, seed=1)
    exact = flapping(20, 5, detection_s=1, hold_s=30)
    cycles = 240_000 / 25
    assert shown.failovers / cycles == pytest.approx(exact.failovers, rel=0.06)
    assert shown.lost_s / cycles == pytest.approx(exact.lost_s, rel=0.06)
    assert list(shown.changes_s) == sorted(shown.changes_s)
    # Traffic over a dead link lasts no longer than its detection takes.
    ends = (*shown.changes_s[1:], 240_000)
    for start, end, up, used in zip(
        shown.changes_s, ends, shown.link_up, shown.in_use, strict=True
    ):
        assert up or not used or end - start <= 1 + 1e-9


def test_two_routes_share_nothing_and_exist_exactly_if_no_node_cuts_them() -> None:
    seen = set()
    for seed in range(60):
        graph = networkx.gnm_random_graph(11, 15, seed=seed)
        if graph.has_edge(0, 10) or not networkx.has_path(graph, 0, 10):
            continue
        routes = disjoint_routes(graph, 0, 10)
        seen.add(len(routes))
        assert bool(routes) == (not single_points_of_failure(graph, 0, 10))
        for route in routes:
            assert (route[0], route[-1]) == (0, 10)
            assert networkx.is_simple_path(graph, route)
        if routes:
            assert not set(routes[0][1:-1]) & set(routes[1][1:-1])
    assert seen == {0, 2}


def test_the_shortest_route_may_lie_across_both_others() -> None:
    graph = wiring("hall a b net", "hall c d b", "a e f net")
    assert disjoint_routes(graph, "hall", "net") == [
        ["hall", "a", "e", "f", "net"],
        ["hall", "c", "d", "b", "net"],
    ]


def links(hellos: str, **settings: int) -> str:
    memory: dict[str, int] = {}
    return "".join(link_in_use(memory, hello == "|", **settings)[0] for hello in hellos)


def test_single_losses_move_no_traffic() -> None:
    assert set(links("|||.|..|...|" * 9)) == {"f"}


def test_a_new_break_starts_the_wait_anew_and_a_single_loss_does_not() -> None:
    assert links("...." + "|" * 61).count("s") == 1 + 60
    assert links("...." + "|" * 30 + "." + "|" * 30).count("s") == 1 + 60
    again = links("...." + "|" * 30 + "...." + "|" * 61)
    assert again[3:].rstrip("f") == "s" * (1 + 30 + 4 + 60)


def test_the_rule_that_moves_traffic_is_the_one_of_the_flapping_formula() -> None:
    dice = random.Random(3)
    up, down, cycles = 100, 20, 1_500
    memory: dict[str, int] = {}
    before, failovers = "first", 0
    for _ in range(cycles):
        for mean, heard in ((up, True), (down, False)):
            for _ in range(round(dice.expovariate(1 / mean))):
                now = link_in_use(memory, heard)
                failovers += (before, now) == ("first", "second")
                before = now
    exact = flapping(up, down, detection_s=4, hold_s=60).failovers
    assert failovers / cycles == pytest.approx(exact, rel=0.08)


def by_every_state(ways: Sequence[Sequence[str]], worth: Mapping[str, float]) -> Fraction:
    parts = sorted({part for way in ways for part in way})
    total = Fraction(0)
    for states in itertools.product((True, False), repeat=len(parts)):
        up = dict(zip(parts, states, strict=True))
        if any(all(up[part] for part in way) for way in ways):
            chances = (
                Fraction(worth[part]) if up[part] else 1 - Fraction(worth[part]) for part in parts
            )
            total += math.prod(chances, start=Fraction(1))
    return total


@pytest.mark.parametrize("name", network.WAYS)
def test_the_availability_of_ways_is_exact(name: str) -> None:
    ways = network.WAYS[name]
    exact = by_every_state(ways, network.AVAILABILITY)
    assert network.availability_of_ways(ways) == close(float(exact), tolerance=1e-12)


def test_two_fibers_in_one_duct_are_two_paths_with_a_shared_part() -> None:
    (*west, duct, north, norra), (*east, _duct, south, kust) = network.WAYS["in the ground"]
    assert duct == _duct == "duct under the railway"
    worth = network.AVAILABILITY
    first, second = (
        math.prod(worth[part] for part in way)
        for way in ((*west, north, norra), (*east, south, kust))
    )
    assert network.availability_of_ways(network.WAYS["in the ground"]) == close(
        two_paths(first, second, shared=worth[duct])
    )


@pytest.mark.parametrize("name", ["in the ground", "with a third carrier", "with a second duct"])
def test_simulated_ways_agree_with_the_formula(name: str) -> None:
    # Worse parts than Kvittra's, so that there is something to count.
    worth = {part: 1 - 40 * (1 - value) for part, value in network.AVAILABILITY.items()}
    ways = network.WAYS[name]
    exact = network.availability_of_ways(ways, worth)
    inside = [exact in simulate_ways(ways, worth, moments=20_000, seed=seed) for seed in range(40)]
    assert sum(inside) / 40 >= SHARES


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: network.availability_of_ways([]), "1 to 12"),
        (lambda: network.availability_of_ways([("router 1",), ()]), "one part or more"),
        (lambda: network.availability_of_ways([("moon",)]), "'moon'"),
        (lambda: network.availability_of_ways([("a",)], {"a": 1.5}), "availability of a"),
        (lambda: simulate_ways([], seed=0), "1 to 12"),
        (lambda: simulate_ways([("router 1",)], moments=1, seed=0), "moments"),
        (lambda: link_in_use({}, True, missed=0), "missed"),
        (lambda: link_in_use({}, True, calm=-1), "calm"),
        (lambda: disjoint_routes(wiring("a b"), "a", "b"), "separate"),
        (lambda: disjoint_routes(wiring("a b c"), "a", "z"), "target"),
        (lambda: simulate_two_paths(2, 1, seed=0), "first"),
        (lambda: simulate_failover(1, 1e9, coverage=1, switch_s=0, seed=0), "mttr_h"),
        (lambda: simulate_failover(1, 1, coverage=1, switch_s=0, cycles=1, seed=0), "cycles"),
        (lambda: simulate_false_alarms(1, 1, 1, seed=0), "hello_loss"),
        (
            lambda: simulate_flapping(
                1, 1, detection_s=0, hold_s=0, links=10**6, cycles=10**5, seed=0
            ),
            "links",
        ),
        (
            lambda: episode(1, 1, detection_s=0, hold_s=0, length_s=1e9, seed=0),
            "length_s",
        ),
        (lambda: network.availability(network.logical(), "moon"), "source"),
        (lambda: network.availability(networkx.path_graph(3), 0, 9), "target"),
    ],
)
def test_simulations_and_drawings_refuse_nonsense_too(
    call: Callable[[], object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_a_drawing_with_too_many_doubtful_parts_is_refused() -> None:
    graph = networkx.path_graph(40)
    networkx.set_node_attributes(graph, 0.9, "availability")
    with pytest.raises(ValueError, match="at most 16"):
        network.availability(graph, 0, 39)


def test_importing_the_lesson_loads_neither_numpy_nor_networkx() -> None:
    code = (
        "import sys, labs.uptime.connections;"
        "sys.exit('numpy' in sys.modules or 'networkx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
