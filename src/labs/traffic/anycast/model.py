"""One address in many places: distance, catchments, and what is left under attack.

The earth is a sphere of 6,371 km; light in fiber travels at two thirds of its speed in vacuum, in
a straight line, so a round trip computed here is a floor that no network can beat. A site under
load answers a fraction min(1, capacity / load) of all queries, honest and hostile alike.

Sources: haversine formula (standard); absorption against withdrawal after G. C. M. Moura and
others, "Anycast vs. DDoS", IMC 2016, section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from labs.arguments import fraction, real, text

LatLon: TypeAlias = tuple[float, float]
"""Latitude and longitude in degrees; north and east are positive."""

EARTH_RADIUS_KM = 6371.0
LIGHT_KM_PER_S = 299_792.458


def position(name: str, value: Any) -> LatLon:
    """``value`` as a place on the globe.

    Raises:
        TypeError: If it is not a pair of numbers.
        ValueError: If it is off the globe: latitude -90 to 90, longitude -180 to 180.

    >>> position("site", (59.33, 190.0))
    Traceback (most recent call last):
    ...
    ValueError: longitude of site must be a number from -180 to 180, not 190.0
    """
    if isinstance(value, str | bytes) or not hasattr(value, "__len__") or len(value) != 2:
        raise TypeError(f"{name} must be a pair (latitude, longitude), not {value!r}")
    latitude, longitude = value
    return (
        real(f"latitude of {name}", latitude, low=-90, high=90),
        real(f"longitude of {name}", longitude, low=-180, high=180),
    )


def great_circle_km(a: LatLon, b: LatLon) -> float:
    """Kilometers from ``a`` to ``b`` over the surface of the globe.

    Raises:
        ValueError: If a place is off the globe.

    >>> round(great_circle_km((59.3293, 18.0686), (50.1109, 8.6821)))  # Stockholm to Frankfurt
    1187
    """
    return _distance(position("a", a), position("b", b))


def _distance(a: LatLon, b: LatLon) -> float:
    lat_a, lon_a = math.radians(a[0]), math.radians(a[1])
    lat_b, lon_b = math.radians(b[0]), math.radians(b[1])
    h = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    )
    # Rounding can push h a hair above 1 for places on opposite sides of the earth.
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, h)))


def round_trip_floor_ms(a: LatLon, b: LatLon) -> float:
    """Milliseconds below which no answer can come back through fiber, about 1 per 100 km.

    Raises:
        ValueError: If a place is off the globe.

    >>> round(round_trip_floor_ms((59.3293, 18.0686), (1.3521, 103.8198)))  # Stockholm, Singapore
    96
    """
    return floor_ms(great_circle_km(a, b))


def floor_ms(path_km: float) -> float:
    """Milliseconds that a round trip over ``path_km`` of fiber takes at least.

    Raises:
        ValueError: If the length is negative.

    >>> round(floor_ms(100), 4)
    1.0007
    """
    return 2 * real("path_km", path_km, low=0) / (LIGHT_KM_PER_S * 2 / 3) * 1000


def catchments(
    sites: Mapping[str, LatLon],
    clients: Mapping[str, LatLon],
    *,
    withdrawn: Iterable[str] = (),
) -> dict[str, str]:
    """Which site each client would reach if routing followed distance. It does not: see routing.

    Args:
        sites: The places that announce the address.
        clients: Who asks, and from where.
        withdrawn: Sites that have stopped announcing.

    Returns:
        The nearest announced site of each client; on a tie the first named.

    Raises:
        ValueError: If no site is left, a withdrawn site is unknown, or a place is off the globe.

    >>> sites = {"Oslo": (59.91, 10.75), "Rome": (41.90, 12.50)}
    >>> catchments(sites, {"bakery": (60.67, 17.14)})
    {'bakery': 'Oslo'}
    >>> catchments(sites, {"bakery": (60.67, 17.14)}, withdrawn=["Oslo"])
    {'bakery': 'Rome'}
    """
    gone = _known(withdrawn, sites, "withdrawn")
    places = {name: position(name, place) for name, place in sites.items()}
    announced = [name for name in places if name not in gone]
    if not announced:
        raise ValueError("sites must leave at least one announced site, not none")
    found = {}
    for client, value in clients.items():
        place = position(client, value)
        found[client] = min(announced, key=lambda name: _distance(place, places[name]))
    return found


@dataclass(frozen=True, slots=True)
class Served:
    """What honest clients get: the fraction answered at each announced site, and over all."""

    by_site: dict[str, float]
    share: float


def served(
    capacity: Mapping[str, float],
    legitimate: Mapping[str, float],
    attack: Mapping[str, float],
    *,
    policy: Literal["absorb", "withdraw"],
) -> Served:
    """How much honest traffic is answered under attack, when sites stand or step aside.

    A site answers the fraction min(1, capacity / load). With ``"withdraw"`` every site whose load
    exceeds its capacity withdraws once, and all of its traffic moves to the remaining site of
    largest capacity (first named on a tie), which may drown in it; if no site would remain, all
    absorb.

    Args:
        capacity: Queries a second (or any unit) that each site can answer.
        legitimate: Honest load at each site; a site left out has none.
        attack: Attack load at each site; a site left out has none.
        policy: ``"absorb"`` or ``"withdraw"``.

    Raises:
        ValueError: If there is no site, a load names an unknown site or is negative, there is no
            honest traffic at all, or the policy is unknown.

    >>> load = {"A": 3, "B": 1}, {"A": 3, "B": 9}
    >>> served({"A": 10, "B": 2}, *load, policy="absorb").share
    0.8
    >>> served({"A": 10, "B": 2}, *load, policy="withdraw").share
    0.625
    """
    if policy not in ("absorb", "withdraw"):
        raise ValueError(f"policy must be 'absorb' or 'withdraw', not {policy!r}")
    if not capacity:
        raise ValueError("capacity must name at least one site, not none")
    _known(legitimate, capacity, "legitimate")
    _known(attack, capacity, "attack")
    room = {site: real(f"capacity of {site}", value, low=0) for site, value in capacity.items()}
    honest = {s: real(f"legitimate load of {s}", legitimate.get(s, 0), low=0) for s in room}
    load = {s: honest[s] + real(f"attack load of {s}", attack.get(s, 0), low=0) for s in room}
    if not any(honest.values()):
        raise ValueError("legitimate must hold some traffic, not none")
    if policy == "withdraw":
        stay = [site for site in room if load[site] <= room[site]]
        leave = [site for site in room if load[site] > room[site]]
        if stay and leave:
            heir = max(stay, key=lambda site: room[site])
            honest[heir] += math.fsum(honest.pop(site) for site in leave)
            load[heir] += math.fsum(load.pop(site) for site in leave)
    by_site = {s: 1.0 if load[s] <= room[s] else room[s] / load[s] for s in load}
    answered = math.fsum(honest[site] * by_site[site] for site in by_site)
    return Served(by_site=by_site, share=answered / math.fsum(honest.values()))


def any_answer(probabilities: Iterable[float]) -> float:
    """The probability that at least one of several independent tries is answered.

    Raises:
        ValueError: If there is no try, or a probability is outside 0 to 1.

    >>> round(any_answer([0.1, 0.1, 0.1]), 3)
    0.271
    """
    chances = [fraction("probabilities", value) for value in probabilities]
    if not chances:
        raise ValueError("probabilities must hold at least one try, not none")
    if max(chances) == 1:
        return 1.0
    return -math.expm1(math.fsum(math.log1p(-p) for p in chances))


def total_queries(queries_per_second: float, minutes: float) -> float:
    """How many queries a flood of that rate and length brings.

    Raises:
        ValueError: If an argument is not above 0.

    >>> f"{total_queries(5e6, 160):.1e}"  # one root letter on 30 November 2015, as reported
    '4.8e+10'
    """
    rate = real("queries_per_second", queries_per_second, above=0)
    return rate * real("minutes", minutes, above=0) * 60


def _known(names: Iterable[str], sites: Mapping[str, Any], argument: str) -> frozenset[str]:
    if isinstance(names, str):
        raise TypeError(f"{argument} must be a collection of site names, not {names!r}")
    chosen = [text(argument, name) for name in names]
    for name in chosen:
        if name not in sites:
            raise ValueError(f"{argument} must name known sites ({', '.join(sites)}), not {name!r}")
    return frozenset(chosen)
