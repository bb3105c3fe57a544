"""What the anycast formulas claim, against published and independently computed values."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest

from labs.traffic.anycast import (
    any_answer,
    catchments,
    floor_ms,
    great_circle_km,
    position,
    round_trip_floor_ms,
    served,
    total_queries,
)

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
