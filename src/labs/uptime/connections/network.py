"""Kvittra's two connections, drawn twice: as the contract shows them and as they lie in the ground.

Both drawings are graphs from the server hall to the internet. The physical one also has what the
logical one leaves out: building entries, ducts, manholes, power feeds. Each node carries an
``availability``; a path works while all of its nodes do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from labs.arguments import fraction

if TYPE_CHECKING:
    import networkx

HALL = "server hall"
INTERNET = "internet"
MOST_CONTRACTED_PARTS = 16

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
    HALL: 1.0,
    INTERNET: 1.0,
}
"""What each part of the drawings is assumed to be worth; invented, of a plausible size."""


def logical() -> networkx.Graph[Any]:
    """The drawing in the contract: two routers, two carriers, nothing shared."""
    return _graph(_LOGICAL)


def physical(*, second_crossing: bool = False) -> networkx.Graph[Any]:
    """What a surveyor finds: both fibers cross the railway in one duct.

    Args:
        second_crossing: Whether the eastern fiber has been moved to a duct of its own.
    """
    ways = _PHYSICAL
    if second_crossing:
        east = (HALL, "router 2", "entry east", *_SECOND_CROSSING)
        ways = (_PHYSICAL[0], east, *_PHYSICAL[2:])
        graph = _graph(ways)
        # The old way to the southern exchange is given up with the move.
        graph.remove_edge("duct under the railway", "exchange south")
        return graph
    return _graph(ways)


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
