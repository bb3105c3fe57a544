"""Where packets really go: routing by policy between networks, and what happens on a withdrawal.

Networks (autonomous systems) buy transit from providers and exchange traffic with peers. A network
prefers a route through a customer (it earns) over one through a peer (it costs nothing) over one
through a provider (it pays), then the shorter path, then, by convention here, the name that comes
first. It tells everyone about its customers' routes, and only its customers about all others
("valley-free": nobody carries traffic for free). Distance plays no part.

Sources: L. Gao and J. Rexford, "Stable Internet routing without global coordination", IEEE/ACM
Transactions on Networking 9(6), 2001, which also shows that such rules always settle; the timer
between announcements is that of RFC 4271, section 9.2.1.1.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeAlias

from labs.arguments import real, whole
from labs.traffic.anycast.model import LatLon, floor_ms, great_circle_km, position

Kind: TypeAlias = Literal["site", "customer", "peer", "provider"]
_PREFERENCE: dict[Kind, int] = {"site": 3, "customer": 2, "peer": 1, "provider": 0}

# What a network is to the neighbor that is this to it.
_SEEN_FROM: dict[Kind, Kind] = {"customer": "provider", "provider": "customer", "peer": "peer"}

MOST_EVENTS = 200_000


@dataclass(frozen=True)
class Networks:
    """Who connects to whom.

    Args:
        places: Where each network's main exchange stands.
        providers: From whom each network buys transit.
        peers: Pairs that exchange their customers' traffic.

    Raises:
        ValueError: If a name is unknown, a network is its own provider (also in a roundabout way),
            or a place is off the globe.
    """

    places: Mapping[str, LatLon]
    providers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    peers: frozenset[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        for name, place in self.places.items():
            position(name, place)
        for customer, providers in self.providers.items():
            for name in (customer, *providers):
                self._check(name)
        for pair in self.peers:
            if len(pair) != 2:
                raise ValueError(f"peers must be pairs of two networks, not {set(pair)!r}")
            for name in pair:
                self._check(name)
        for name in self.places:
            above, seen = list(self.providers.get(name, ())), set()
            while above:
                one = above.pop()
                if one == name:
                    raise ValueError(f"providers must not lead back to {name!r}")
                if one not in seen:
                    seen.add(one)
                    above += self.providers.get(one, ())

    def _check(self, name: str) -> None:
        if name not in self.places:
            raise ValueError(f"providers and peers must name known networks, not {name!r}")

    def neighbors(self, name: str) -> dict[str, Kind]:
        """The networks next to ``name``, and what each is to it."""
        found: dict[str, Kind] = {}
        for other in self.places:
            if name in self.providers.get(other, ()):
                found[other] = "customer"
            elif other in self.providers.get(name, ()):
                found[other] = "provider"
            elif frozenset((name, other)) in self.peers:
                found[other] = "peer"
        return found


@dataclass(frozen=True, slots=True)
class Route:
    """How a network reaches the address: through which networks, and to which site.

    ``path`` begins with the network itself and ends with the one that hosts the site.
    """

    site: str
    path: tuple[str, ...]
    learned_from: Kind

    def beats(self, other: Route | None) -> bool:
        """Whether a network would rather use this route."""
        return other is None or self._rank() > other._rank()

    def _rank(self) -> tuple[int, int, tuple[int, ...]]:
        # Names compare backwards, so that the first in the alphabet wins.
        letters = "|".join((*self.path, self.site))
        return (
            _PREFERENCE[self.learned_from],
            -len(self.path),
            tuple(-ord(letter) for letter in letters),
        )

    def exported_to(self, what_it_is: Kind) -> bool:
        """Whether the network tells that kind of neighbor about this route."""
        return what_it_is == "customer" or self.learned_from in ("site", "customer")


def routes(networks: Networks, announced: Mapping[str, str]) -> dict[str, Route]:
    """The route that each network settles on; networks that reach no site are left out.

    Args:
        networks: Who connects to whom.
        announced: The network that hosts each announced site.

    Raises:
        ValueError: If a site's host is unknown.

    >>> networks = Networks(
    ...     places={"A": (0, 0), "B": (0, 10), "C": (0, 20)},
    ...     providers={"A": ("B",)},
    ...     peers=frozenset({frozenset({"B", "C"})}),
    ... )
    >>> routes(networks, {"east": "C"})["A"].path
    ('A', 'B', 'C')
    """
    neighbors = {name: networks.neighbors(name) for name in networks.places}
    best: dict[str, Route] = {}
    for site, host in announced.items():
        _known_host(networks, site, host)
        here = Route(site, (host,), "site")
        if here.beats(best.get(host)):
            best[host] = here
    own = dict(best)
    # Gao and Rexford: this settles, in at most as many rounds as there are networks, twice over.
    for _ in range(2 * len(networks.places) + 1):
        after = {
            name: route
            for name in networks.places
            if (route := _choose(name, neighbors[name], best, own.get(name))) is not None
        }
        if after == best:
            return best
        best = after
    raise AssertionError("valley-free routing has not settled")


def _choose(
    name: str, neighbors: Mapping[str, Kind], heard: Mapping[str, Route], own: Route | None
) -> Route | None:
    best = own
    for other, kind in neighbors.items():
        route = heard.get(other)
        if route is None or name in route.path or not route.exported_to(_SEEN_FROM[kind]):
            continue
        candidate = Route(route.site, (name, *route.path), kind)
        if candidate.beats(best):
            best = candidate
    return best


def _known_host(networks: Networks, site: str, host: str) -> None:
    if host not in networks.places:
        raise ValueError(f"the host of {site} must be a known network, not {host!r}")


def path_km(networks: Networks, route: Route, client: LatLon, site: LatLon) -> float:
    """Kilometers that a packet travels along a route, from the client's door to the site's."""
    stops = [client, *(networks.places[name] for name in route.path), site]
    return math.fsum(great_circle_km(a, b) for a, b in pairwise(stops))


def path_ms(networks: Networks, route: Route, client: LatLon, site: LatLon) -> float:
    """The least round-trip time along a route: light in fiber, and nothing else."""
    return floor_ms(path_km(networks, route, client, site))


@dataclass(frozen=True, slots=True)
class Convergence:
    """What a withdrawal does until routing has settled again.

    Args:
        settled_s: Seconds until the last network changed its mind.
        messages: How many announcements and withdrawals were sent.
        gap_s: Seconds for which each network that had used the site reached none; infinite where
            it stays that way.
    """

    settled_s: float
    messages: int
    gap_s: dict[str, float]


def withdrawal(
    networks: Networks,
    announced: Mapping[str, str],
    gone: Iterable[str],
    *,
    timer_s: float = 30.0,
    seed: int,
) -> Convergence:
    """Take sites off the air at time 0, and follow every message until nothing changes any more.

    A message takes 0.02 to 0.3 seconds to be worked through. Between two announcements to the same
    neighbor a network waits ``timer_s``, less up to a quarter at random; withdrawals go out at
    once.

    Args:
        networks: Who connects to whom.
        announced: The network that hosts each announced site.
        gone: The sites that withdraw.
        timer_s: Least seconds between two announcements to a neighbor, 0 to 120.
        seed: The same seed gives the same course.

    Raises:
        ValueError: If a site is unknown or an argument out of range.
    """
    lost = set(gone)
    for site in lost:
        if site not in announced:
            raise ValueError(f"gone must name announced sites, not {site!r}")
    wait = real("timer_s", timer_s, low=0, high=120)
    return _Course(networks, announced, lost, wait, random.Random(whole("seed", seed, low=0))).run()


class _Course:
    """The state of every network between the withdrawal and the new calm."""

    def __init__(
        self,
        networks: Networks,
        announced: Mapping[str, str],
        gone: set[str],
        wait: float,
        draw: random.Random,
    ) -> None:
        self.networks, self.wait, self.draw = networks, wait, draw
        self.neighbors = {name: networks.neighbors(name) for name in networks.places}
        self.best: dict[str, Route] = routes(networks, announced)
        self.own: dict[str, Route] = routes_at_hosts(networks, announced, gone)
        self.alive = {site: host for site, host in announced.items() if site not in gone}
        # What each network last heard from, and last told, each neighbor.
        self.heard: dict[str, dict[str, Route]] = {name: {} for name in networks.places}
        self.told: dict[tuple[str, str], Route | None] = {}
        for name, route in self.best.items():
            for other, kind in self.neighbors[name].items():
                if route.exported_to(kind):
                    self.heard[other][name] = route
                    self.told[name, other] = route
        self.next_at: dict[tuple[str, str], float] = {}
        self.due: set[tuple[str, str]] = set()
        self.arrived_until: dict[tuple[str, str], float] = {}
        self.events: list[tuple[float, int, str, str, str, Route | None]] = []
        self.count = self.messages = 0
        self.affected = [name for name, route in self.best.items() if route.site in gone]
        self.hosts = sorted({announced[site] for site in gone})

    def run(self) -> Convergence:
        now = settled = 0.0
        reaching = dict.fromkeys(self.affected, True)
        since: dict[str, float] = {}
        gap = dict.fromkeys(self.affected, 0.0)

        def look(at: float) -> None:
            for name in self.affected:
                reaches = self._reaches(name)
                if reaching[name] and not reaches:
                    since[name] = at
                elif not reaching[name] and reaches:
                    gap[name] += at - since[name]
                reaching[name] = reaches

        for host in self.hosts:
            self._decide(host, now)
        look(now)
        while self.events:
            now, _, what, name, other, route = heapq.heappop(self.events)
            if what == "send":
                self.due.discard((name, other))
                self._tell(name, other, now)
                continue
            if route is None:
                self.heard[name].pop(other, None)
            else:
                self.heard[name][other] = route
            if self._decide(name, now):
                settled = now
                look(now)
        for name in self.affected:
            if not reaching[name]:
                gap[name] = math.inf
        return Convergence(settled, self.messages, gap)

    def _decide(self, name: str, now: float) -> bool:
        """Choose anew; tell the neighbors if the choice has changed."""
        chosen = _choose(name, self.neighbors[name], self.heard[name], self.own.get(name))
        if chosen == self.best.get(name):
            return False
        if chosen is None:
            del self.best[name]
        else:
            self.best[name] = chosen
        for other in self.neighbors[name]:
            self._tell(name, other, now)
        return True

    def _tell(self, name: str, other: str, now: float) -> None:
        route = self.best.get(name)
        if route is not None and not route.exported_to(self.neighbors[name][other]):
            route = None
        if route == self.told.get((name, other)):
            return
        if route is not None and now < self.next_at.get((name, other), 0.0):
            if (name, other) not in self.due:
                self.due.add((name, other))
                self._push(self.next_at[name, other], "send", name, other, None)
            return
        if route is not None:
            self.next_at[name, other] = now + self.wait * self.draw.uniform(0.75, 1)
        self.told[name, other] = route
        self.messages += 1
        # Messages between two networks do not overtake one another.
        arrives = max(now + self.draw.uniform(0.02, 0.3), self.arrived_until.get((name, other), 0))
        self.arrived_until[name, other] = arrives
        self._push(arrives, "hear", other, name, route)

    def _push(self, at: float, what: str, name: str, other: str, route: Route | None) -> None:
        self.count += 1
        if self.count > MOST_EVENTS:
            raise AssertionError("routing has not settled")
        heapq.heappush(self.events, (at, self.count, what, name, other, route))

    def _reaches(self, name: str) -> bool:
        """Whether a packet handed from network to network arrives at a site that is there."""
        here = name
        for _ in range(len(self.networks.places) + 1):
            route = self.best.get(here)
            if route is None:
                return False
            if len(route.path) == 1:
                return route.site in self.alive
            here = route.path[1]
        return False


def routes_at_hosts(
    networks: Networks, announced: Mapping[str, str], gone: Iterable[str] = ()
) -> dict[str, Route]:
    """What the hosts of the sites that remain know at first hand."""
    left: dict[str, Route] = {}
    for site, host in announced.items():
        _known_host(networks, site, host)
        here = Route(site, (host,), "site")
        if site not in set(gone) and here.beats(left.get(host)):
            left[host] = here
    return left
