"""What the anycast formulas claim, against published and independently computed values.

Routing is held to its own rules on random networks, messages to RFC 1035 by reading the bytes, and
no path to less than the speed of light.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from labs.traffic.anycast import (
    any_answer,
    catchments,
    coastline,
    defend,
    floor_ms,
    great_circle_km,
    messages,
    position,
    round_trip_floor_ms,
    routing,
    served,
    total_queries,
    visits,
    world,
)
from labs.traffic.anycast.simulation import simulate_any_answer, simulate_served

STOCKHOLM = (59.3293, 18.0686)
GAVLE = (60.6749, 17.1413)
FRANKFURT = (50.1109, 8.6821)
LONDON = (51.5074, -0.1278)
SINGAPORE = (1.3521, 103.8198)
SYDNEY = (-33.8688, 151.2093)
NEW_YORK = (40.7128, -74.006)
SAO_PAULO = (-23.5505, -46.6333)


def close(value: float, *, tolerance: float = 1e-9) -> object:
    return pytest.approx(value, rel=tolerance, abs=0)


@pytest.mark.parametrize(
    ("place", "km", "ms"),
    [
        pytest.param(FRANKFURT, 1186.6249750654817, 11.874464584417415, id="haversine-Frankfurt"),
        pytest.param(LONDON, 1432.7784099956905, 14.337703018489783, id="haversine-London"),
        pytest.param(SINGAPORE, 9637.324097733675, 96.43995878375641, id="haversine-Singapore"),
        pytest.param(SYDNEY, 15596.197337958463, 156.06994360703828, id="haversine-Sydney"),
    ],
)
def test_no_answer_from_stockholm_is_faster_than_light_in_fiber(
    place: tuple[float, float], km: float, ms: float
) -> None:
    assert great_circle_km(STOCKHOLM, place) == close(km)
    assert great_circle_km(place, STOCKHOLM) == close(km)
    assert round_trip_floor_ms(STOCKHOLM, place) == close(ms)


def test_gavle_and_new_york_lie_as_far_as_the_fact_sheet_says() -> None:
    assert great_circle_km(STOCKHOLM, GAVLE) == close(158.252, tolerance=1e-5)
    assert round_trip_floor_ms(STOCKHOLM, NEW_YORK) == close(63.243, tolerance=1e-5)


def test_opposite_ends_of_the_earth_are_half_its_girth_apart() -> None:
    assert great_circle_km((30, 40), (-30, -140)) == close(math.pi * 6371, tolerance=1e-7)
    assert great_circle_km((90, 0), (90, 123)) == pytest.approx(0, abs=1e-9)


def test_the_date_line_is_no_wall() -> None:
    assert great_circle_km((0, 179.5), (0, -179.5)) == close(math.pi * 6371 / 180)


def test_a_hundred_kilometers_cost_a_millisecond() -> None:
    assert floor_ms(100) == close(1.0006922855944562)


SITES = {"Frankfurt": FRANKFURT, "NewYork": NEW_YORK, "Singapore": SINGAPORE}
CLIENTS = {
    "Stockholm": STOCKHOLM,
    "London": LONDON,
    "Sydney": SYDNEY,
    "SaoPaulo": SAO_PAULO,
    "Gavle": GAVLE,
}


def test_each_client_reaches_the_nearest_site() -> None:
    assert catchments(SITES, CLIENTS) == {
        "Stockholm": "Frankfurt",
        "London": "Frankfurt",
        "Sydney": "Singapore",
        "SaoPaulo": "NewYork",
        "Gavle": "Frankfurt",
    }


def test_a_withdrawn_site_hands_its_clients_to_the_next_nearest() -> None:
    moved = catchments(SITES, CLIENTS, withdrawn=["Frankfurt"])
    assert {moved[c] for c in ("Stockholm", "London", "Gavle")} == {"NewYork"}
    assert moved["Sydney"] == "Singapore"


def test_a_tie_goes_to_the_first_named() -> None:
    sites = {"west": (0.0, -10.0), "east": (0.0, 10.0)}
    assert catchments(sites, {"c": (0.0, 0.0)}) == {"c": "west"}
    assert catchments(dict(reversed(sites.items())), {"c": (0.0, 0.0)}) == {"c": "east"}


CAPACITY = {"A": 10, "B": 2, "C": 2}
LEGITIMATE = {"A": 3, "B": 1, "C": 1}


@pytest.mark.parametrize(
    ("attack", "policy", "by_site", "share"),
    [
        pytest.param(
            {"A": 3, "B": 9, "C": 0}, "absorb", {"A": 1, "B": 0.2, "C": 1}, 0.84, id="Moura-absorb"
        ),
        pytest.param(
            {"A": 3, "B": 4, "C": 0}, "absorb", {"A": 1, "B": 0.4, "C": 1}, 0.88, id="Moura-small"
        ),
        pytest.param(
            {"A": 3, "B": 9, "C": 0}, "withdraw", {"A": 0.625, "C": 1}, 0.7, id="Moura-withdraw"
        ),
        pytest.param(
            {"A": 3, "B": 4, "C": 0},
            "withdraw",
            {"A": 10 / 11, "C": 1},
            (4 * 10 / 11 + 1) / 5,
            id="Moura-small-withdraw",
        ),
    ],
)
def test_whether_to_absorb_or_withdraw_depends_on_the_attack(
    attack: dict[str, float], policy: str, by_site: dict[str, float], share: float
) -> None:
    result = served(CAPACITY, LEGITIMATE, attack, policy=policy)
    assert result.by_site == pytest.approx(by_site, rel=1e-9)
    assert result.share == close(share)


def test_when_every_site_drowns_all_absorb() -> None:
    flood = {"A": 100, "B": 100, "C": 100}
    assert served(CAPACITY, LEGITIMATE, flood, policy="withdraw") == served(
        CAPACITY, LEGITIMATE, flood, policy="absorb"
    )


def test_an_idle_site_answers_everything_and_a_tie_goes_to_the_first_named() -> None:
    result = served({"A": 1, "B": 5, "C": 5}, {"A": 2}, {}, policy="withdraw")
    assert result.by_site == {"B": 1, "C": 1}
    assert result.share == 1
    result = served({"A": 1, "B": 5, "C": 5}, {"A": 10}, {}, policy="withdraw")
    assert result.by_site == {"B": 0.5, "C": 1}


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        pytest.param([0.1, 0.1, 0.1], 0.2709999999999999, id="three-poor-name-servers"),
        pytest.param([0.01, 0.01, 0.01, 1], 1.0, id="one-that-always-answers"),
    ],
)
def test_a_resolver_succeeds_when_any_try_is_answered(
    probabilities: list[float], expected: float
) -> None:
    assert any_answer(probabilities) == close(expected)


def test_a_hopeless_resolver_keeps_its_digits() -> None:
    p = Fraction(1e-13)
    assert any_answer([1e-13] * 4) == close(float(1 - (1 - p) ** 4))
    assert any_answer([0, 0]) == 0


def test_a_flood_of_a_few_hours_is_tens_of_billions_of_queries() -> None:
    """The root servers in November 2015, with the rate and duration as reported."""
    assert total_queries(5e6, 160) == close(4.8e10)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: great_circle_km((91, 0), (0, 0)), ValueError, "latitude"),
        (lambda: great_circle_km((0, 0), (0, 181)), ValueError, "longitude"),
        (lambda: great_circle_km((0, math.nan), (0, 0)), ValueError, "longitude"),
        (lambda: great_circle_km((0,), (0, 0)), TypeError, "pair"),
        (lambda: round_trip_floor_ms("Oslo", (0, 0)), TypeError, "pair"),
        (lambda: position("home", 7), TypeError, "home"),
        (lambda: floor_ms(-1), ValueError, "path_km"),
        (lambda: catchments({}, CLIENTS), ValueError, "site"),
        (lambda: catchments(SITES, CLIENTS, withdrawn=SITES), ValueError, "site"),
        (lambda: catchments(SITES, CLIENTS, withdrawn=["Mars"]), ValueError, "Mars"),
        (lambda: catchments(SITES, CLIENTS, withdrawn="Frankfurt"), TypeError, "withdrawn"),
        (lambda: catchments(SITES, {"x": (99, 0)}), ValueError, "x"),
        (lambda: served({}, {}, {}, policy="absorb"), ValueError, "site"),
        (lambda: served({"A": 1}, {"B": 1}, {}, policy="absorb"), ValueError, "B"),
        (lambda: served({"A": 1}, {"A": 1}, {"Z": 1}, policy="absorb"), ValueError, "Z"),
        (lambda: served({"A": -1}, {"A": 1}, {}, policy="absorb"), ValueError, "capacity"),
        (lambda: served({"A": 1}, {"A": 0}, {}, policy="absorb"), ValueError, "traffic"),
        (lambda: served({"A": 1}, {"A": 1}, {}, policy="hide"), ValueError, "policy"),
        (lambda: any_answer([]), ValueError, "try"),
        (lambda: any_answer([0.5, 2]), ValueError, "probabilities"),
        (lambda: total_queries(-1, 5), ValueError, "queries_per_second"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_that_names_it(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def random_networks(seed: int) -> routing.Networks:
    """A hierarchy: whoever comes later buys from one or two who came earlier."""
    draw = random.Random(seed)
    names = [f"N{i:02}" for i in range(draw.randint(6, 24))]
    places = {name: (draw.uniform(-60, 60), draw.uniform(-180, 180)) for name in names}
    top = 3
    peers = {frozenset(pair) for pair in pairwise([*names[:top], names[0]])}
    providers = {}
    for i, name in enumerate(names[top:], start=top):
        providers[name] = tuple(draw.sample(names[:i], draw.choice([1, 1, 2])))
    for _ in range(len(names) // 2):
        a, b = draw.sample(names[top:], 2)
        if a not in providers[b] and b not in providers[a]:
            peers.add(frozenset((a, b)))
    return routing.Networks(places, providers, frozenset(peers))


def random_sites(networks: routing.Networks, seed: int) -> dict[str, str]:
    draw = random.Random(f"sites {seed}")
    return {f"S{i}": draw.choice(list(networks.places)) for i in range(4)}


SEEDS = range(25)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_network_carries_traffic_for_free(seed: int) -> None:
    networks = random_networks(seed)
    settled = routing.routes(networks, random_sites(networks, seed))
    assert set(settled) == set(networks.places), "every network buys from someone, up to the top"
    for route in settled.values():
        assert len(set(route.path)) == len(route.path)
        # From the site outward: up to providers, at most one step across, then down to customers.
        steps = [networks.neighbors(a)[b] for a, b in pairwise(route.path)]
        rank = [{"provider": 0, "peer": 1, "customer": 2}[step] for step in steps]
        assert rank == sorted(rank)
        assert rank.count(1) <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_every_network_uses_the_best_route_that_it_is_told(seed: int) -> None:
    networks = random_networks(seed)
    sites = random_sites(networks, seed)
    settled = routing.routes(networks, sites)
    opposite = {"customer": "provider", "provider": "customer", "peer": "peer"}
    worth = {"site": 3, "customer": 2, "peer": 1, "provider": 0}
    for name, route in settled.items():
        offers = [(3, -1)] if name in sites.values() else []
        for other, kind in networks.neighbors(name).items():
            told = settled[other]
            if name not in told.path and told.exported_to(opposite[kind]):
                offers.append((worth[kind], -len(told.path) - 1))
        assert (worth[route.learned_from], -len(route.path)) == max(offers)


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_withdrawal_routing_settles_where_it_would_have_begun_without_the_site(
    seed: int,
) -> None:
    networks = random_networks(seed)
    sites = random_sites(networks, seed)
    course = routing._Course(networks, sites, {"S0"}, 30.0, random.Random(seed))
    result = course.run()
    left = {site: host for site, host in sites.items() if site != "S0"}
    assert course.best == routing.routes(networks, left)
    before = routing.routes(networks, sites)
    assert set(result.gap_s) == {name for name, route in before.items() if route.site == "S0"}
    assert all(0 <= gap <= result.settled_s for gap in result.gap_s.values())


def test_a_withdrawal_leaves_a_gap_of_a_second_or_so() -> None:
    networks = world.networks()
    sites = world.announced(["Stockholm", "Frankfurt", "New York", "Singapore"])
    courses = [routing.withdrawal(networks, sites, ["Stockholm"], seed=seed) for seed in range(10)]
    assert all(0 < max(course.gap_s.values()) < 2 for course in courses)
    assert len({course.settled_s for course in courses}) == 10
    assert courses[4] == routing.withdrawal(networks, sites, ["Stockholm"], seed=4)


def test_the_timer_between_announcements_can_stretch_a_gap_to_half_a_minute() -> None:
    # In this hierarchy a network first hears of a detour that is being withdrawn as well.
    networks = random_networks(6)
    sites = random_sites(networks, 6)
    hasty = routing.withdrawal(networks, sites, ["S0"], timer_s=0, seed=1)
    patient = routing.withdrawal(networks, sites, ["S0"], timer_s=30, seed=1)
    assert max(hasty.gap_s.values()) < 2
    assert 20 < max(patient.gap_s.values()) <= 31
    assert patient.settled_s > 20


def test_where_all_sites_withdraw_the_gap_never_ends() -> None:
    """What happened to Facebook's name servers on 4 October 2021."""
    sites = world.announced(["Stockholm", "New York"])
    course = routing.withdrawal(world.networks(), sites, sites, seed=1)
    assert set(course.gap_s) == set(world.networks().places)
    assert set(course.gap_s.values()) == {math.inf}


def test_policy_beats_distance() -> None:
    seen = visits(["Stockholm", "Singapore"])
    assert (seen["Mumbai"].nearest, seen["Mumbai"].site) == ("Singapore", "Stockholm")
    strays = [visit for visit in seen.values() if visit.site != visit.nearest]
    assert strays
    assert all(visit.ms >= visit.nearest_ms for visit in strays)


@pytest.mark.parametrize("chosen", [["Stockholm"], ["Oslo", "Tokyo"], list(world.SITES)])
def test_no_path_is_faster_than_light_in_fiber_to_that_site(chosen: list[str]) -> None:
    for city, visit in visits(chosen).items():
        straight = round_trip_floor_ms(world.CITIES[city], world.SITES[visit.site].place)
        assert visit.ms >= straight - 1e-9
        assert visit.nearest_ms <= straight + 1e-9
        route = routing.Route(visit.site, visit.path, "provider")
        ends = (world.CITIES[city], world.SITES[visit.site].place)
        assert visit.ms == close(floor_ms(routing.path_km(world.networks(), route, *ends)))


def test_a_botnet_is_uneven_and_the_same_for_the_same_seed() -> None:
    loads = world.botnet(5)
    assert loads == world.botnet(5)
    assert loads != world.botnet(6)
    heavy = sorted(loads.values(), reverse=True)[:4]
    assert sum(heavy) / sum(loads.values()) == close(0.9)


def test_a_placement_is_judged_by_honest_answers_calm_days_and_money() -> None:
    one = defend(["Oslo"], seed=1)
    assert one.served.share < 0.3
    assert any("honest queries" in reason for reason in one.shortfalls())
    dear = defend(["Stockholm", "Frankfurt", "Amsterdam", "London"], seed=1)
    assert any("euro" in reason for reason in dear.shortfalls())
    far = defend(["Sydney"], seed=1)
    assert any("ms on average" in reason for reason in far.shortfalls())
    good = ["Amsterdam", "New York", "Los Angeles", "São Paulo"]
    assert all(defend(good, seed=seed).shortfalls() == () for seed in range(8))


def test_withdrawing_can_help_and_can_hurt() -> None:
    chosen = ["Stockholm", "Frankfurt", "New York", "Singapore"]

    def overloaded(situation: world.Situation) -> list[str]:
        worst = [n for n, load in situation.load.items() if load > situation.capacity[n]]
        return worst if len(worst) < len(situation.load) else []

    gains = []
    for seed in range(20):
        stay = defend(chosen, seed=seed)
        go = defend(chosen, seed=seed, withdraw=overloaded)
        assert set(go.served.by_site).isdisjoint(go.withdrawn)
        gains.append(go.served.share - stay.served.share)
    assert max(gains) > 0.01
    assert min(gains) < -0.01


def test_loads_are_shared_out_by_the_routes_that_lead_to_each_site() -> None:
    seen: list[world.Situation] = []
    chosen = ["Stockholm", "New York"]
    defend(chosen, seed=2, withdraw=lambda situation: seen.append(situation) or ())
    bots = world.botnet(2)
    for site in chosen:
        expected = sum(
            world.RESOLVERS[city].load + bots[city]
            for city, visit in visits(chosen).items()
            if visit.site == site
        )
        assert seen[0].load[site] == close(expected)


STOCKHOLM_SERVER = messages.NameServer("Stockholm")


def test_a_query_is_the_bytes_that_rfc_1035_describes() -> None:
    wire = messages.query("kvittra.example", "A", seed=3)
    # Header: id, recursion desired, one question; then the labels with their lengths, A, IN.
    assert wire[2:12] == bytes.fromhex("0100 0001 0000 0000 0000")
    assert wire[12:] == b"\x07kvittra\x07example\x00\x00\x01\x00\x01"
    answer = STOCKHOLM_SERVER(wire)
    assert answer[:2] == wire[:2]
    assert answer[2] & 0x84 == 0x84, "an answer, with authority"
    assert answer[-4:] == bytes([198, 18, 0, 10])


@pytest.mark.parametrize(
    ("name", "kind", "code", "records"),
    [
        ("kvittra.example", "AAAA", "NOERROR", 1),
        ("KVITTRA.EXAMPLE", "MX", "NOERROR", 1),
        ("kvittra.example", "NS", "NOERROR", 2),
        ("www.kvittra.example", "A", "NOERROR", 2),
        ("www.kvittra.example", "CNAME", "NOERROR", 1),
        ("app.kvittra.example", "AAAA", "NOERROR", 0),
        ("ns.kvittra.example", "A", "NOERROR", 0),
        ("nowhere.kvittra.example", "A", "NXDOMAIN", 0),
        ("other.example", "A", "REFUSED", 0),
        ("version.bind", "TXT", "REFUSED", 0),
    ],
)
def test_the_zone_is_answered_as_it_stands(name: str, kind: str, code: str, records: int) -> None:
    answer = messages.read(STOCKHOLM_SERVER(messages.query(name, kind)))
    assert (answer.code, len(answer.records)) == (code, records)
    assert answer.authoritative == (code != "REFUSED")


def test_all_sites_say_the_same_and_only_their_name_tells_them_apart() -> None:
    oslo = messages.NameServer("Oslo")
    plain = messages.query("kvittra.example")
    assert oslo(plain) == STOCKHOLM_SERVER(plain)
    named = messages.query("kvittra.example", nsid=True)
    assert messages.read(oslo(named)).server == "Oslo"
    assert messages.read(STOCKHOLM_SERVER(named)).server == "Stockholm"
    who = messages.read(oslo(messages.query("hostname.bind", "TXT")))
    assert who.records == ('hostname.bind. 0 CH TXT "Oslo"',)


def test_a_server_does_not_answer_an_answer_nor_noise() -> None:
    answer = STOCKHOLM_SERVER(messages.query("kvittra.example"))
    with pytest.raises(ValueError, match="not an answer"):
        STOCKHOLM_SERVER(answer)
    for noise in (b"", b"x", b"\x00" * 11, random.Random(1).randbytes(40)):
        with pytest.raises(ValueError, match="wire"):
            STOCKHOLM_SERVER(noise)
    with pytest.raises(ValueError, match="wire"):
        messages.read(b"noise")


@pytest.mark.parametrize("chances", [(0.1, 0.1, 0.1), (0.5, 0.9), (0.0, 1.0)])
def test_a_resolver_is_answered_as_often_as_the_formula_says(chances: tuple[float, ...]) -> None:
    servers = {f"ns{i}": (STOCKHOLM_SERVER, chance) for i, chance in enumerate(chances)}
    resolver = messages.Resolver(servers, seed=9)
    lookups = [resolver.look_up("kvittra.example") for _ in range(400)]
    share = sum(lookup.answer is not None for lookup in lookups) / 400
    assert share == pytest.approx(any_answer(chances), abs=0.06)
    assert all(1 <= lookup.tries <= len(chances) for lookup in lookups)


def test_an_answer_to_another_question_is_not_taken() -> None:
    def forger(wire: bytes) -> bytes:
        return bytes([wire[0] ^ 1]) + STOCKHOLM_SERVER(wire)[1:]

    lookup = messages.Resolver({"ns": (forger, 1.0)}, seed=1).look_up("kvittra.example")
    assert lookup.answer is None


@pytest.mark.parametrize("chances", [[0.1, 0.1, 0.1], [0.01, 0.3], [0.999]])
def test_simulated_lookups_agree_with_the_formula(chances: list[float]) -> None:
    exact = any_answer(chances)
    runs = [simulate_any_answer(chances, lookups=20_000, seed=seed) for seed in range(40)]
    assert sum(exact in run for run in runs) >= 35


def test_simulated_seconds_under_attack_agree_with_the_formula() -> None:
    scale = 1_000  # a site that is far from its limit or far beyond it hardly fluctuates
    sites = [{site: scale * load for site, load in loads.items()} for loads in (
        CAPACITY, LEGITIMATE, {"A": 3, "B": 9, "C": 0},
    )]  # fmt: skip
    exact = served(*sites, policy="absorb").share
    runs = [simulate_served(*sites, seconds=400, seed=seed) for seed in range(40)]
    assert sum(exact in run for run in runs) >= 34
    assert all(abs(run.mean - exact) < 1e-3 for run in runs)


def test_the_coast_of_a_small_island_is_read_from_shared_arcs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topology = {
        "transform": {"scale": [0.5, 0.25], "translate": [-10, 40]},
        "arcs": [[[0, 0], [4, 0], [0, 4]], [[4, 4], [-4, 0], [0, -4]]],
        "objects": {
            "land": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "arcs": [[0, 1]]},
                    {"type": "MultiPolygon", "arcs": [[[-1, -2]]]},
                ],
            }
        },
    }
    there, back = coastline.decode(topology)
    assert there == ((40, -10), (40, -8), (41, -8), (41, -10), (40, -10))
    assert back == ((41, -8), (40, -8), (40, -10), (41, -10), (41, -8))
    with pytest.raises(ValueError, match="Point"):
        coastline.decode({**topology, "objects": {"land": {"type": "Point"}}})

    monkeypatch.setattr(coastline, "HOME", tmp_path / coastline.NAME)
    with pytest.raises(FileNotFoundError, match=r"labs\.site\.data"):
        coastline.coastline()
    other = tmp_path / "other.json"
    other.write_text(json.dumps(topology))
    with pytest.raises(ValueError, match="SHA-256"):
        coastline.install(other)
    assert not coastline.HOME.exists()


def test_the_coastlines_of_the_world_are_closed_and_on_the_globe() -> None:
    rings = coastline.coastline()
    assert len(rings) > 100
    for ring in rings:
        assert ring[0] == pytest.approx(ring[-1])
        for place in ring:
            position("coast", tuple(round(number, 6) for number in place))
    # Natural Earth draws Iceland: a ring of its own around 65 north, 18 west.
    assert any(
        all(63 < latitude < 67 and -25 < longitude < -13 for latitude, longitude in ring)
        for ring in rings
    )


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: routing.Networks({"A": (0, 200)}), ValueError, "longitude"),
        (lambda: routing.Networks({"A": (0, 0)}, {"A": ("B",)}), ValueError, "B"),
        (lambda: routing.Networks({"A": (0, 0)}, {"A": ("A",)}), ValueError, "back"),
        (
            lambda: routing.Networks({"A": (0, 0), "B": (0, 0)}, {"A": ("B",), "B": ("A",)}),
            ValueError,
            "back",
        ),
        (
            lambda: routing.Networks({"A": (0, 0)}, {}, frozenset({frozenset("A")})),
            ValueError,
            "pairs",
        ),
        (lambda: routing.routes(world.networks(), {"x": "Nowhere"}), ValueError, "Nowhere"),
        (
            lambda: routing.withdrawal(world.networks(), {"x": "Atlas"}, ["y"], seed=0),
            ValueError,
            "y",
        ),
        (
            lambda: routing.withdrawal(world.networks(), {}, [], timer_s=-1, seed=0),
            ValueError,
            "timer_s",
        ),
        (lambda: visits([]), ValueError, "at least one site"),
        (lambda: visits("Oslo"), TypeError, "collection"),
        (lambda: visits(["Mars"]), ValueError, "Mars"),
        (lambda: visits(["Oslo", "Oslo"]), ValueError, "once"),
        (lambda: defend(list(world.SITES), seed=0), ValueError, "at most 4"),
        (lambda: defend(["Oslo"], seed=-1), ValueError, "seed"),
        (lambda: defend(["Oslo"], seed=0, withdraw=lambda _: ["Oslo"]), ValueError, "on the air"),
        (lambda: defend(["Oslo"], seed=0, withdraw=lambda _: ["Rome"]), ValueError, "Rome"),
        (lambda: messages.query("a" * 70), ValueError, "name"),
        (lambda: messages.query("kvittra.example", "NOTYPE"), ValueError, "type"),
        (lambda: messages.Resolver({}, seed=0), ValueError, "name server"),
        (
            lambda: messages.Resolver({"a": (STOCKHOLM_SERVER, 2)}, seed=0),
            ValueError,
            "probability",
        ),
        (lambda: simulate_any_answer([], seed=0), ValueError, "probabilities"),
        (lambda: simulate_served({}, {}, {}, seed=0), ValueError, "site"),
        (lambda: simulate_served({"A": 1}, {"B": 1}, {}, seed=0), ValueError, "B"),
        (lambda: simulate_served({"A": 1}, {}, {}, seed=0), ValueError, "traffic"),
    ],
)
def test_the_richer_parts_refuse_nonsense_too(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call()


def test_importing_the_lesson_loads_neither_numpy_nor_dnspython() -> None:
    code = (
        "import sys, labs.traffic.anycast; sys.exit('numpy' in sys.modules or 'dns' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
