"""Two connections to a data centre: what they are worth, and what joins them unseen.

Availabilities are long-run fractions of time. Paths fail independently of one another, except
through what they share, which stands in series with both. Detection counts missed hello messages,
as VRRP and BFD do. The failover pair is a Markov chain, stated in
:func:`failover_unavailability`.

Sources: reliability block diagrams (standard); VRRP timers from RFC 9568, section 6.1; runs of
lost hellos from W. Feller, *An Introduction to Probability Theory*, vol. 1, XIII.7.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from labs.arguments import fraction, real, whole

if TYPE_CHECKING:
    import networkx


def two_paths(first: float, second: float, *, shared: float = 1.0) -> float:
    """The availability of a connection that works while either of two paths does.

    Args:
        first: Availability of one path.
        second: Availability of the other.
        shared: Availability of what both need: a duct, a building entry, a power feed.

    Raises:
        ValueError: If an availability is outside 0 to 1.

    >>> round(two_paths(0.995, 0.995), 9)
    0.999975
    >>> round(two_paths(0.995, 0.995, shared=0.9999), 9)  # the shared part sets the limit
    0.999875002
    """
    a, b = fraction("first", first), fraction("second", second)
    # a + b(1 - a) is 1 - (1 - a)(1 - b) without its cancellation when both are small.
    return fraction("shared", shared) * (a + b * (1 - a))


def skew_time(advertisement_s: float, priority: int) -> float:
    """Seconds that a VRRP backup router waits on top: less for a higher priority.

    Raises:
        ValueError: If the interval is not above 0 or the priority is outside 1 to 254.

    >>> skew_time(1, 100)
    0.609375
    """
    interval = real("advertisement_s", advertisement_s, above=0)
    return (256 - whole("priority", priority, low=1, high=254)) * interval / 256


def master_down_interval(advertisement_s: float, priority: int) -> float:
    """Seconds of silence after which a VRRP backup router takes over.

    Three advertisement intervals plus the skew time (RFC 9568, section 6.1).

    Args:
        advertisement_s: Seconds between two advertisements of the active router.
        priority: Priority of the backup router, 1 to 254.

    Raises:
        ValueError: If the interval is not above 0 or the priority is outside 1 to 254.

    >>> master_down_interval(1, 100)
    3.609375
    """
    return 3 * real("advertisement_s", advertisement_s, above=0) + skew_time(
        advertisement_s, priority
    )


def failover_unavailability(
    mtbf_h: float, mttr_h: float, *, coverage: float, switch_s: float
) -> float:
    """The long-run fraction of time that an active unit with a standby is down.

    Both units fail at rate λ = 1/MTBF and are repaired at µ = 1/MTTR, each by its own crew. When
    the active unit fails, the switch-over works with probability ``coverage`` and takes
    ``switch_s`` on average; otherwise the service is down until the repair. With r = λ/µ and the
    switching time f the balance equations give

        U = (cλf + (1 - c)r + r²) / (1 + 2r + r² + cλf + (1 - c)r).

    Args:
        mtbf_h: Mean time between failures of one unit, hours.
        mttr_h: Mean time to repair one unit, hours.
        coverage: Probability c that a failure of the active unit is noticed and switched.
        switch_s: Mean seconds that a switch-over takes, during which nothing is served.

    Raises:
        ValueError: If a mean time is not above 0, ``coverage`` is no fraction or ``switch_s`` is
            negative.

    >>> perfect = failover_unavailability(1000, 10, coverage=1, switch_s=30)
    >>> often = failover_unavailability(1000, 10, coverage=0.95, switch_s=30)
    >>> round(perfect * 525_600), round(often * 525_600)  # minutes a year
    (56, 313)
    """
    mtbf = real("mtbf_h", mtbf_h, above=0)
    mttr = real("mttr_h", mttr_h, above=0)
    c = fraction("coverage", coverage)
    switch = real("switch_s", switch_s, low=0) / 3600
    # Multiplying through by (up)² keeps every term finite, however unequal the two times are.
    up, down = 1 / (1 + mttr / mtbf), 1 / (1 + mtbf / mttr)
    lost = c * switch * up / (mtbf + mttr) + (1 - c) * up * down + down * down
    return 0.0 if lost == 0 else 1 / (1 + up * (1 + down) / lost)


def single_points_of_failure(
    graph: networkx.Graph[Any], source: Hashable, target: Hashable
) -> frozenset[Any]:
    """The nodes that every way from ``source`` to ``target`` passes, the ends left out.

    Args:
        graph: What is connected to what; a duct, a manhole or a power feed is a node too.
        source: One end.
        target: The other end.

    Raises:
        ValueError: If an end is not in the graph, or the ends are not connected at all.

    >>> import networkx
    >>> plan = networkx.Graph()
    >>> networkx.add_path(plan, ["hall", "router A", "duct", "carrier A", "internet"])
    >>> networkx.add_path(plan, ["hall", "router B", "duct", "carrier B", "internet"])
    >>> single_points_of_failure(plan, "hall", "internet")
    frozenset({'duct'})
    """
    import networkx

    _check_ends(graph, source, target)
    # A node on every way is on this one, so no other needs to be tried.
    suspects = networkx.shortest_path(graph, source, target)[1:-1]
    return frozenset(
        node
        for node in suspects
        if not networkx.has_path(networkx.restricted_view(graph, [node], []), source, target)
    )


def minimum_cut(graph: networkx.Graph[Any], source: Hashable, target: Hashable) -> frozenset[Any]:
    """A smallest set of nodes whose loss separates the ends: its size is the real redundancy.

    Raises:
        ValueError: If an end is not in the graph, the ends are unconnected, or they are the same
            or adjacent, so that no loss of other nodes separates them.

    >>> import networkx
    >>> ring = networkx.cycle_graph(["hall", "north", "internet", "south"])
    >>> sorted(minimum_cut(ring, "hall", "internet"))
    ['north', 'south']
    """
    import networkx

    _check_ends(graph, source, target)
    if source == target or graph.has_edge(source, target):
        raise ValueError(f"no loss of other nodes can separate {source!r} from {target!r}")
    return frozenset(networkx.minimum_node_cut(graph, source, target))


def disjoint_routes(
    graph: networkx.Graph[Any], source: Hashable, target: Hashable
) -> list[list[Any]]:
    """Two routes that share no node but their ends, or none if there are no two (Menger, 1927).

    Taking the shortest route first and looking for another one in what is left does not do: the
    shortest can lie across both of the others.

    Raises:
        ValueError: If an end is not in the graph, the ends are unconnected, or they are the same
            or adjacent.

    >>> import networkx
    >>> plan = networkx.Graph(["ha", "ab", "bn", "hc", "cd", "db", "ae", "ef", "fn"])
    >>> networkx.shortest_path(plan, "h", "n")  # once it is taken, no other is left
    ['h', 'a', 'b', 'n']
    >>> [" ".join(route) for route in disjoint_routes(plan, "h", "n")]
    ['h a e f n', 'h c d b n']
    """
    import networkx

    if len(minimum_cut(graph, source, target)) < 2:
        return []
    return sorted(map(list, networkx.node_disjoint_paths(graph, source, target, cutoff=2)))


def _check_ends(graph: networkx.Graph[Any], source: Hashable, target: Hashable) -> None:
    import networkx

    for name, node in (("source", source), ("target", target)):
        if node not in graph:
            raise ValueError(f"{name} must be a node of the graph, not {node!r}")
    if not networkx.has_path(graph, source, target):
        raise ValueError(f"{source!r} and {target!r} are not connected at all")


def detection_time(interval_s: float, missed: int) -> float:
    """Seconds from a break to the alarm: ``missed`` hello messages in a row that did not come.

    Raises:
        ValueError: If the interval is not above 0 or ``missed`` is below 1.

    >>> detection_time(0.3, 3)
    0.8999999999999999
    """
    return whole("missed", missed, low=1, high=1000) * real("interval_s", interval_s, above=0)


def false_alarms_per_day(interval_s: float, missed: int, hello_loss: float) -> float:
    """How often a day a *healthy* link is declared down, because hellos happened to get lost.

    With a loss probability p, ``missed`` = k losses in a row take (1 - pᵏ) / ((1 - p)pᵏ) hellos on
    average (Feller). The count starts anew after each alarm.

    Args:
        interval_s: Seconds between hellos.
        missed: Losses in a row that raise the alarm.
        hello_loss: Probability that one hello is lost, at least 0 and below 1.

    Raises:
        ValueError: If an argument is out of range.

    >>> round(false_alarms_per_day(0.1, 3, 0.01), 2)
    0.86
    >>> round(false_alarms_per_day(0.1, 2, 0.01), 1)
    85.5
    """
    interval = real("interval_s", interval_s, above=0)
    k = whole("missed", missed, low=1, high=1000)
    p = real("hello_loss", hello_loss, low=0, below=1)
    run = p**k
    # -expm1(k·log p) is 1 - pᵏ without cancellation for p near 1; log 0 needs no such care.
    rest = 1.0 if p == 0 else -math.expm1(k * math.log(p))
    return 86_400 / interval * (1 - p) * run / rest


def outage_loss(mean_outage_s: float, detection_s: float) -> float:
    """Mean seconds without service per outage, when traffic moves away after ``detection_s``.

    Outages last exponentially long. One that ends before the alarm costs its own length, a longer
    one costs the detection time: the mean of min(D, T) is d(1 - exp(-T/d)).

    Raises:
        ValueError: If the mean is not above 0 or the detection time is negative.

    >>> round(outage_loss(3600, 0.9), 4)
    0.8999
    """
    mean = real("mean_outage_s", mean_outage_s, above=0)
    return -mean * math.expm1(-real("detection_s", detection_s, low=0) / mean)


@dataclass(frozen=True, slots=True)
class Flapping:
    """What one cycle (an up and a down period) of a flapping link costs on average."""

    failovers: float
    lost_s: float
    in_use: float


def flapping(up_s: float, down_s: float, *, detection_s: float, hold_s: float) -> Flapping:
    """A link that keeps going up and down, seen through a detection time and a hold time.

    Up and down periods are exponential. A break shorter than ``detection_s`` goes unnoticed and
    costs its length; a longer one costs ``detection_s``, and traffic moves to the other link. It
    comes back only after the link has stayed up for ``hold_s``. With s = P(break unnoticed) and
    h = P(up period ≥ hold time), the link is in use at the start of a break with probability
    h / (1 - (1 - h)s).

    Args:
        up_s: Mean seconds of an up period.
        down_s: Mean seconds of a down period.
        detection_s: Seconds until a break is noticed.
        hold_s: Seconds of calm that are demanded before traffic returns.

    Returns:
        Failovers per cycle, seconds lost per cycle, and the probability that the link carries the
        traffic when a break begins.

    Raises:
        ValueError: If a mean is not above 0 or another time is negative.

    >>> eager = flapping(20, 5, detection_s=1, hold_s=0)
    >>> patient = flapping(20, 5, detection_s=1, hold_s=60)
    >>> patient.failovers < eager.failovers / 10
    True
    """
    up, down = real("up_s", up_s, above=0), real("down_s", down_s, above=0)
    detection = real("detection_s", detection_s, low=0)
    calm = math.exp(-real("hold_s", hold_s, low=0) / up)
    noticed = math.exp(-detection / down)
    # 1 - (1 - h)s with s = 1 - noticed, written as a sum so that nothing cancels.
    total = noticed + calm * -math.expm1(-detection / down)
    in_use = 0.0 if total == 0 else calm / total
    return Flapping(
        failovers=in_use * noticed, lost_s=in_use * outage_loss(down, detection), in_use=in_use
    )


def link_in_use(
    memory: dict[str, int], heard: bool, *, missed: int = 4, calm: int = 60
) -> Literal["first", "second"]:
    """Which of two links carries the traffic: the rule that :func:`flapping` describes.

    It is asked once for each hello that is due from the first link. After ``missed`` losses in a
    row traffic moves to the second link. It comes back with the first hello that arrives after
    ``calm`` of them were due without such a break; a single loss is no break.

    Args:
        memory: The rule's own notes, empty at first.
        heard: Whether the hello came.
        missed: Losses in a row that are a break.
        calm: Hellos due without a break before traffic returns.

    Raises:
        ValueError: If ``missed`` is below 1 or ``calm`` negative.

    >>> memory = {}
    >>> came = "|.||..|.|||..|||"
    >>> "".join(link_in_use(memory, one == "|", missed=2, calm=4)[0] for one in came)
    'fffffsssssffssss'
    """
    limit, wait = whole("missed", missed, low=1), whole("calm", calm, low=0)
    silent = 0 if heard else memory.get("silent", 0) + 1
    waited = 0 if silent >= limit else memory.get("waited", wait) + 1
    away = silent >= limit or (memory.get("away", 0) > 0 and not (heard and waited > wait))
    memory.update(silent=silent, waited=waited, away=int(away))
    return "second" if away else "first"
