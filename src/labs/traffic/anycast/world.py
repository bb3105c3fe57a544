"""A small world to place name servers in: networks, cities, resolvers, sites for rent, botnets.

Two dozen networks stand for tens of thousands; their contracts are invented, but of the usual
shape. Coordinates are those of the cities. Query rates are in thousands a second.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from labs.arguments import whole
from labs.traffic.anycast.model import LatLon, Served, catchments, round_trip_floor_ms
from labs.traffic.anycast.routing import Networks, Route, path_ms, routes

CITIES: Mapping[str, LatLon] = MappingProxyType(
    {
        "Stockholm": (59.3293, 18.0686),
        "Gävle": (60.6749, 17.1413),
        "Oslo": (59.9139, 10.7522),
        "Helsinki": (60.1699, 24.9384),
        "Copenhagen": (55.6761, 12.5683),
        "Frankfurt": (50.1109, 8.6821),
        "Amsterdam": (52.3676, 4.9041),
        "London": (51.5074, -0.1278),
        "Paris": (48.8566, 2.3522),
        "Madrid": (40.4168, -3.7038),
        "Warsaw": (52.2297, 21.0122),
        "Istanbul": (41.0082, 28.9784),
        "New York": (40.7128, -74.006),
        "Chicago": (41.8781, -87.6298),
        "Los Angeles": (34.0522, -118.2437),
        "Miami": (25.7617, -80.1918),
        "São Paulo": (-23.5505, -46.6333),
        "Johannesburg": (-26.2041, 28.0473),
        "Nairobi": (-1.2921, 36.8219),
        "Dubai": (25.2048, 55.2708),
        "Mumbai": (19.076, 72.8777),
        "Singapore": (1.3521, 103.8198),
        "Hong Kong": (22.3193, 114.1694),
        "Tokyo": (35.6762, 139.6503),
        "Sydney": (-33.8688, 151.2093),
    }
)

# Three networks that buy from nobody, and whose customers make up the rest of the world.
_BACKBONES = {"Atlas": "New York", "Baltica": "Frankfurt", "Coral": "Singapore"}

_TRANSIT: dict[str, tuple[str, tuple[str, ...]]] = {
    "Norrnet": ("Stockholm", ("Baltica",)),
    "Fjordnet": ("Oslo", ("Norrnet", "Atlas")),
    "Suomiverkko": ("Helsinki", ("Norrnet",)),
    "Beltnet": ("Copenhagen", ("Baltica", "Atlas")),
    "Rheinnetz": ("Frankfurt", ("Baltica",)),
    "Poldernet": ("Amsterdam", ("Baltica", "Atlas")),
    "Thamesnet": ("London", ("Atlas",)),
    "Seinenet": ("Paris", ("Baltica",)),
    "Mesetanet": ("Madrid", ("Atlas",)),
    "Wislanet": ("Warsaw", ("Baltica",)),
    "Bosphornet": ("Istanbul", ("Baltica",)),
    "Hudsonnet": ("New York", ("Atlas",)),
    "Lakenet": ("Chicago", ("Atlas",)),
    "Pacifica": ("Los Angeles", ("Atlas", "Coral")),
    "Caribnet": ("Miami", ("Atlas",)),
    "Paulistanet": ("São Paulo", ("Caribnet",)),
    "Randnet": ("Johannesburg", ("Thamesnet",)),
    "Savannanet": ("Nairobi", ("Thamesnet", "Gulfnet")),
    "Gulfnet": ("Dubai", ("Coral", "Baltica")),
    "Dekkannet": ("Mumbai", ("Atlas",)),
    "Straitsnet": ("Singapore", ("Coral",)),
    "Victorianet": ("Hong Kong", ("Coral",)),
    "Kantonet": ("Tokyo", ("Pacifica", "Coral")),
    "Harbournet": ("Sydney", ("Pacifica",)),
}

_PEERS = (
    ("Atlas", "Baltica"),
    ("Baltica", "Coral"),
    ("Atlas", "Coral"),
    ("Norrnet", "Beltnet"),
    ("Rheinnetz", "Poldernet"),
    ("Poldernet", "Thamesnet"),
    ("Thamesnet", "Hudsonnet"),
    ("Seinenet", "Poldernet"),
    ("Straitsnet", "Victorianet"),
    ("Kantonet", "Victorianet"),
    ("Hudsonnet", "Lakenet"),
)


@lru_cache(maxsize=1)
def networks() -> Networks:
    """The networks of this world and their contracts."""
    places = {name: CITIES[city] for name, city in _BACKBONES.items()}
    places |= {name: CITIES[city] for name, (city, _) in _TRANSIT.items()}
    return Networks(
        places=places,
        providers={name: providers for name, (_, providers) in _TRANSIT.items()},
        peers=frozenset(frozenset(pair) for pair in _PEERS),
    )


class Resolvers(NamedTuple):
    """The resolvers of one network's customers: where they are and how much they ask."""

    place: LatLon
    network: str
    load: float


# Kvittra's customers are Nordic; the rest of the world asks for their invoices' links.
_LOADS = {
    "Norrnet": 30.0,
    "Fjordnet": 14.0,
    "Suomiverkko": 12.0,
    "Beltnet": 12.0,
    "Rheinnetz": 6.0,
    "Thamesnet": 5.0,
    "Hudsonnet": 3.0,
}
_LOAD_ELSEWHERE = 1.0

RESOLVERS: Mapping[str, Resolvers] = MappingProxyType(
    {
        city: Resolvers(CITIES[city], name, _LOADS.get(name, _LOAD_ELSEWHERE))
        for name, (city, _) in _TRANSIT.items()
    }
)


class Site(NamedTuple):
    """A rack for rent: where, in whose network, how much it can answer, and its price."""

    place: LatLon
    host: str
    capacity: float
    eur_a_month: int


SITES: Mapping[str, Site] = MappingProxyType(
    {
        city: Site(CITIES[city], host, capacity, price)
        for city, host, capacity, price in (
            ("Stockholm", "Norrnet", 120.0, 1_100),
            ("Oslo", "Fjordnet", 60.0, 700),
            ("Helsinki", "Suomiverkko", 60.0, 650),
            ("Copenhagen", "Beltnet", 90.0, 800),
            ("Frankfurt", "Rheinnetz", 300.0, 1_500),
            ("Amsterdam", "Poldernet", 300.0, 1_450),
            ("London", "Thamesnet", 200.0, 1_300),
            ("New York", "Hudsonnet", 250.0, 1_200),
            ("Los Angeles", "Pacifica", 200.0, 1_150),
            ("São Paulo", "Paulistanet", 60.0, 1_000),
            ("Johannesburg", "Randnet", 40.0, 900),
            ("Mumbai", "Dekkannet", 80.0, 750),
            ("Singapore", "Straitsnet", 200.0, 1_250),
            ("Tokyo", "Kantonet", 200.0, 1_300),
            ("Sydney", "Harbournet", 80.0, 1_050),
        )
    }
)
"""Where Kvittra could put a name server."""

MOST_SITES = 4
BUDGET_EUR_A_MONTH = 4_800


def checked_sites(chosen: Collection[str]) -> list[str]:
    """``chosen`` as a list of known sites.

    Raises:
        ValueError: If there is none, one is unknown, or one is named twice.
    """
    if isinstance(chosen, str):
        raise TypeError(f"sites must be a collection of names, not {chosen!r}")
    names = list(chosen)
    if not names:
        raise ValueError("sites must name at least one site, not none")
    for name in names:
        if name not in SITES:
            raise ValueError(f"sites must be among {', '.join(SITES)}, not {name!r}")
    if len(set(names)) < len(names):
        raise ValueError(f"sites must be named once each, not {names!r}")
    return names


@dataclass(frozen=True, slots=True)
class Visit:
    """Which site one city's resolvers reach, by policy, and which would be the nearest.

    ``site`` is ``""`` when routing leads to none.
    """

    city: str
    site: str
    nearest: str
    path: tuple[str, ...]
    ms: float
    nearest_ms: float


def visits(chosen: Collection[str]) -> dict[str, Visit]:
    """Where the resolvers of every city are led when those sites announce the address.

    Raises:
        ValueError: If there is no site or one is unknown.

    >>> seen = visits(["Stockholm", "Singapore"])
    >>> seen["Mumbai"].nearest, seen["Mumbai"].site  # the contract leads west
    ('Singapore', 'Stockholm')
    """
    return dict(_visits(tuple(checked_sites(chosen))))


@lru_cache(maxsize=256)
def _visits(names: tuple[str, ...]) -> Mapping[str, Visit]:
    net = networks()
    settled = routes(net, {name: SITES[name].host for name in names})
    ideal = catchments(
        {name: SITES[name].place for name in names},
        {city: resolvers.place for city, resolvers in RESOLVERS.items()},
    )
    found = {}
    for city, resolvers in RESOLVERS.items():
        nearest = ideal[city]
        nearest_ms = round_trip_floor_ms(resolvers.place, SITES[nearest].place)
        route = settled.get(resolvers.network)
        if route is None:
            found[city] = Visit(city, "", nearest, (), float("inf"), nearest_ms)
            continue
        ms = path_ms(net, route, resolvers.place, SITES[route.site].place)
        found[city] = Visit(city, route.site, nearest, route.path, ms, nearest_ms)
    return found


def botnet(seed: int) -> dict[str, float]:
    """The hidden attack of that seed: thousands of queries a second from each city's network.

    Nine tenths come from four cities, as infected devices are not spread evenly.

    >>> 300 < sum(botnet(1).values()) < 500
    True
    """
    draw = random.Random(f"botnet {whole('seed', seed, low=0)}")
    total = draw.uniform(300, 500)
    cities = list(RESOLVERS)
    heavy = draw.sample(cities, 4)
    shares = {city: draw.random() for city in cities}
    loads = {}
    for city in cities:
        group = heavy if city in heavy else [c for c in cities if c not in heavy]
        part = 0.9 if city in heavy else 0.1
        loads[city] = total * part * shares[city] / sum(shares[c] for c in group)
    return loads


@dataclass(frozen=True, slots=True)
class Situation:
    """What an operator sees under attack, and what drills on calm days have taught.

    Args:
        load: Thousands of queries a second at each announced site, honest and hostile together.
        capacity: How many of them each site can answer.
        calm: How many of them are honest, as known from calm days.
        drill: What the situation becomes when sites withdraw and routing leads everyone on.
    """

    load: dict[str, float]
    capacity: dict[str, float]
    calm: dict[str, float]
    drill: Callable[[tuple[str, ...]], Situation] = field(repr=False, compare=False)

    @property
    def by_site(self) -> dict[str, float]:
        """The fraction of its queries that each site answers."""
        return {
            name: 1.0 if load <= self.capacity[name] else self.capacity[name] / load
            for name, load in self.load.items()
        }

    @property
    def answered(self) -> float:
        """The share of all honest queries that is answered; 0 if no site is announced."""
        asked = sum(resolvers.load for resolvers in RESOLVERS.values())
        return sum(self.calm[name] * share for name, share in self.by_site.items()) / asked

    def without(self, *names: str) -> Situation:
        """What the situation would be if these sites withdrew.

        Raises:
            ValueError: If a name is not an announced site.

        >>> now = situation(["Stockholm", "New York"], seed=1)
        >>> list(now.without("Stockholm").load)
        ['New York']
        """
        for name in names:
            if name not in self.load:
                raise ValueError(f"names must be announced sites, not {name!r}")
        return self.drill(tuple(name for name in self.load if name not in names))


def situation(chosen: Collection[str], *, seed: int | None) -> Situation:
    """The situation at these sites under the attack of that seed, or on a calm day.

    Args:
        chosen: The sites.
        seed: Which attack; ``None`` for a calm day.

    Raises:
        ValueError: If there is no site or one is unknown.

    >>> calm = situation(["Stockholm", "New York"], seed=None)
    >>> calm.load == calm.calm, calm.answered
    (True, 1.0)
    """
    bots = dict.fromkeys(RESOLVERS, 0.0) if seed is None else botnet(seed)
    return _situation(tuple(checked_sites(chosen)), bots)


def _situation(names: tuple[str, ...], bots: Mapping[str, float]) -> Situation:
    honest, load = _loads(names, bots) if names else ({}, {})
    return Situation(
        load,
        {name: SITES[name].capacity for name in names},
        honest,
        lambda left: _situation(left, bots),
    )


@dataclass(frozen=True, slots=True)
class Defense:
    """How a placement held.

    Args:
        served: Fraction of queries answered at each announced site, and of all honest ones.
        calm_ms: The honest queries' mean least round-trip time without an attack.
        withdrawn: The sites that stepped aside.
        eur_a_month: What the sites cost.
    """

    served: Served
    calm_ms: float
    withdrawn: tuple[str, ...]
    eur_a_month: int

    def shortfalls(self, *, share: float = 0.9, calm_ms: float = 40.0) -> tuple[str, ...]:
        """Why the placement is not good enough, in plain sentences; none if it is."""
        reasons = []
        if self.served.share < share:
            reasons.append(
                f"under attack {self.served.share:.0%} of the honest queries were answered, "
                f"{share:.0%} are needed"
            )
        if self.calm_ms > calm_ms:
            reasons.append(
                f"on a calm day an answer takes at least {self.calm_ms:.0f} ms on average, "
                f"{calm_ms:.0f} are wanted"
            )
        if self.eur_a_month > BUDGET_EUR_A_MONTH:
            reasons.append(
                f"the sites cost {self.eur_a_month:,} euro a month, "
                f"{BUDGET_EUR_A_MONTH:,} are there"
            )
        return tuple(reasons)


def absorb(_: Situation) -> Collection[str]:
    """The policy of staying where one is."""
    return ()


def defend(
    chosen: Collection[str],
    *,
    seed: int,
    withdraw: Callable[[Situation], Collection[str]] = absorb,
) -> Defense:
    """Put name servers at up to four sites and meet the hidden attack of that seed.

    Args:
        chosen: The sites.
        seed: Which attack.
        withdraw: Gets the situation and hands back the sites that stop announcing; routing then
            leads everyone, honest or not, to those that are left.

    Raises:
        ValueError: If there is no site, more than four, an unknown one, or all withdraw.

    >>> defense = defend(["Stockholm", "Frankfurt", "New York"], seed=1)
    >>> 0 < defense.served.share <= 1
    True
    """
    names = checked_sites(chosen)
    if len(names) > MOST_SITES:
        raise ValueError(f"sites must be at most {MOST_SITES}, not {len(names)}")
    calm = visits(names)
    total = sum(resolvers.load for resolvers in RESOLVERS.values())
    calm_ms = sum(RESOLVERS[city].load * visit.ms for city, visit in calm.items()) / total
    before = situation(names, seed=seed)
    gone = list(withdraw(before))
    for name in gone:
        if name not in names:
            raise ValueError(f"withdraw must name announced sites, not {name!r}")
    if set(gone) == set(names):
        raise ValueError("withdraw must leave at least one site on the air, not none")
    after = before.without(*gone)
    return Defense(
        Served(after.by_site, after.answered),
        calm_ms,
        tuple(gone),
        sum(SITES[name].eur_a_month for name in names),
    )


def _loads(
    names: Collection[str], bots: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Honest load and all load at each site, by the routes that lead there."""
    honest = dict.fromkeys(names, 0.0)
    load = dict.fromkeys(names, 0.0)
    for city, visit in visits(names).items():
        if visit.site:
            honest[visit.site] += RESOLVERS[city].load
            load[visit.site] += RESOLVERS[city].load + bots[city]
    return honest, load


def announced(chosen: Collection[str]) -> dict[str, str]:
    """The network that hosts each of those sites, as :mod:`routing` wants to know it.

    >>> announced(["Oslo"])
    {'Oslo': 'Fjordnet'}
    """
    return {name: SITES[name].host for name in checked_sites(chosen)}


__all__ = [
    "BUDGET_EUR_A_MONTH",
    "CITIES",
    "MOST_SITES",
    "RESOLVERS",
    "SITES",
    "Defense",
    "Resolvers",
    "Route",
    "Site",
    "Situation",
    "Visit",
    "absorb",
    "announced",
    "botnet",
    "defend",
    "networks",
    "situation",
    "visits",
]
