"""Kvittra's two connections, drawn twice: as the contract shows them and as they lie in the ground.

Both drawings are graphs from the server hall to the internet. The physical one also has what the
logical one leaves out: building entries, ducts, manholes. Each node carries an ``availability``.

A graph answers what can be cut (:func:`availability` takes every node for a place where one may
change over). Two fibers in one duct share it and do not meet in it, so how long Kvittra is cut off
is asked of its ways: a way works while all of its parts do (:data:`WAYS`,
:func:`availability_of_ways`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain, combinations
from math import prod
from typing import TYPE_CHECKING, Any

from labs.arguments import fraction

if TYPE_CHECKING:
    import networkx

HALL = "server hall"
INTERNET = "internet"
MOST_CONTRACTED_PARTS = 16
MOST_WAYS = 12

_LOGICAL: tuple[tuple[str, ...], ...] = (
    (HALL, "router 1", "carrier Norra Nät", INTERNET),
    (HALL, "router 2", "carrier Kustfiber", INTERNET),
    ("router 1", "router 2"),
)

_PHYSICAL: tuple[tuple[str, ...], ...] = (
    (HALL, "router 1", "entry west", "manhole Skolgatan", "duct under the railway"),
    (HALL, "router 2", "entry east", "manhole Hamngatan", "duct under the railway"),
    ("duct under the railway", "exchange north", "carrier Norra Nät", INTERNET),
    ("duct under the railway", "exchange south", "carrier Kustfiber", INTERNET),
    ("router 1", "router 2"),
)

_SECOND_CROSSING = ("manhole Hamngatan", "duct under the river", "exchange south")
_THIRD_CARRIER = ("exchange north", "carrier Sjöband", INTERNET)

AVAILABILITY = {
    "router 1": 0.9995,
    "router 2": 0.9995,
    "entry west": 0.99999,
    "entry east": 0.99999,
    "manhole Skolgatan": 0.99998,
    "manhole Hamngatan": 0.99998,
    "duct under the railway": 0.9998,
    "duct under the river": 0.9998,
    "exchange north": 0.9999,
    "exchange south": 0.9999,
    "carrier Norra Nät": 0.9985,
    "carrier Kustfiber": 0.998,
    "carrier Sjöband": 0.9985,
    HALL: 1.0,
    INTERNET: 1.0,
}
"""What each part of the drawings is assumed to be worth; invented, of a plausible size."""


_CONTRACT = tuple(way[1:-1] for way in _LOGICAL[:2])
_WEST = (*_PHYSICAL[0][1:], *_PHYSICAL[2][1:-1])
_EAST = (*_PHYSICAL[1][1:], *_PHYSICAL[3][1:-1])
_THIRD = (*_PHYSICAL[0][1:], *_THIRD_CARRIER[:-1])
_MOVED = (*_PHYSICAL[1][1:3], *_SECOND_CROSSING, "carrier Kustfiber")

WAYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "in the contract": _CONTRACT,
    "in the ground": (_WEST, _EAST),
    "with a third carrier": (_WEST, _THIRD, _EAST),
    "with a second duct": (_WEST, _MOVED),
}
"""For each map the ways to the internet: all the parts that the fiber to one carrier needs."""


def logical() -> networkx.Graph[Any]:
    """The drawing in the contract: two routers, two carriers, nothing shared."""
    return _graph(_LOGICAL)


def physical(*, second_crossing: bool = False, third_carrier: bool = False) -> networkx.Graph[Any]:
    """What a surveyor finds: both fibers cross the railway in one duct.

    Args:
        second_crossing: Whether the eastern fiber has been moved to a duct of its own.
        third_carrier: Whether a third company has been hired, which uses the same duct.
    """
    ways = list(_PHYSICAL)
    if third_carrier:
        ways.append(_THIRD_CARRIER)
    if not second_crossing:
        return _graph(ways)
    ways[1] = (HALL, "router 2", "entry east", *_SECOND_CROSSING)
    graph = _graph(ways)
    # The old way to the southern exchange is given up with the move.
    graph.remove_edge("duct under the railway", "exchange south")
    return graph


def _graph(ways: Iterable[tuple[str, ...]]) -> networkx.Graph[Any]:
    import networkx

    graph: networkx.Graph[Any] = networkx.Graph()
    for way in ways:
        networkx.add_path(graph, way)
    for node in graph:
        graph.nodes[node]["availability"] = AVAILABILITY[node]
    return graph


def availability(
    graph: networkx.Graph[Any], source: Hashable = HALL, target: Hashable = INTERNET
) -> float:
    """The probability that the ends are connected, when nodes fail independently.

    Exact, by factoring: pick a node on a way, work out both worlds, with it for certain and
    without it (K. S. Trivedi, *Probability and Statistics*, "factoring").

    Args:
        graph: Nodes with an attribute ``availability``, 1 if it is missing.
        source: One end.
        target: The other end.

    Raises:
        ValueError: If an end is not in the graph, an availability is no fraction, or more than
            16 nodes can fail (the work doubles with each).

    >>> from labs.uptime.connections.model import single_points_of_failure
    >>> drawn, found = logical(), physical()
    >>> round(availability(drawn), 6), round(availability(found), 6)
    (0.999995, 0.999796)
    >>> single_points_of_failure(found, HALL, INTERNET)
    frozenset({'duct under the railway'})
    """
    import networkx

    for name, node in (("source", source), ("target", target)):
        if node not in graph:
            raise ValueError(f"{name} must be a node of the graph, not {node!r}")
    up = {
        node: fraction(f"availability of {node}", data.get("availability", 1.0))
        for node, data in graph.nodes(data=True)
    }
    if sum(value < 1 for value in up.values()) > MOST_CONTRACTED_PARTS:
        raise ValueError(
            f"graph must have at most {MOST_CONTRACTED_PARTS} nodes that can fail, "
            f"not {sum(value < 1 for value in up.values())}"
        )

    def connected(gone: frozenset[Hashable], sure: frozenset[Hashable]) -> float:
        left = networkx.restricted_view(graph, list(gone), [])
        if source in gone or target in gone or not networkx.has_path(left, source, target):
            return 0.0
        # Of the ways that are left, follow the one with the fewest doubtful nodes.
        way = networkx.shortest_path(
            left, source, target, weight=lambda _, node, __: 0 if node in sure else 1
        )
        doubtful = [node for node in way if node not in sure]
        if not doubtful:
            return 1.0
        node = doubtful[0]
        with_it = connected(gone, sure | {node})
        without = connected(gone | {node}, sure)
        return up[node] * with_it + (1 - up[node]) * without

    return connected(frozenset(), frozenset(node for node, value in up.items() if value == 1))


def worth_of_parts(
    ways: Sequence[Sequence[str]], part_availability: Mapping[str, float] = AVAILABILITY
) -> dict[str, float]:
    """The availability of every part that some way needs, each part once.

    Raises:
        ValueError: If there are no ways or more than 12, a way has no parts, a part is unknown or
            its availability is no fraction.
    """
    if not 1 <= len(ways) <= MOST_WAYS or not all(ways):
        raise ValueError(f"ways must be 1 to {MOST_WAYS} ways of one part or more, not {ways!r}")
    worth = {}
    for part in chain.from_iterable(ways):
        if part not in part_availability:
            raise ValueError(f"part_availability must have a value for {part!r}")
        worth[part] = fraction(f"availability of {part}", part_availability[part])
    return worth


def availability_of_ways(
    ways: Sequence[Sequence[str]], part_availability: Mapping[str, float] = AVAILABILITY
) -> float:
    """The probability that at least one way works, when parts fail independently.

    Exact, by inclusion and exclusion over the ways: some of them work together exactly if all
    the parts do that any of them needs.

    Args:
        ways: The parts of each way.
        part_availability: What each part is worth.

    Raises:
        ValueError: As :func:`worth_of_parts`.

    >>> from labs.uptime.connections.model import two_paths
    >>> worth = {"a": 0.995, "b": 0.995, "duct": 0.9999}
    >>> shared = availability_of_ways([("a", "duct"), ("b", "duct")], worth)
    >>> abs(shared - two_paths(0.995, 0.995, shared=0.9999)) < 1e-12
    True
    """
    worth = worth_of_parts(ways, part_availability)
    total = 0.0
    for size in range(1, len(ways) + 1):
        for some in combinations(ways, size):
            # In a fixed order, so that rounding is the same in every run.
            needed = dict.fromkeys(chain.from_iterable(some))
            total += (-1) ** (size + 1) * prod(worth[part] for part in needed)
    return total
