"""The exercises of the lesson: questions and three timers for everyone, three repairs for builders.

Answers are judged by what happens: every part of a map is dug up in turn, a link is flapped.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz
from labs.uptime.connections import model

both_down = Quiz(
    "uptime.connections.both_down",
    "One link is down about 17 hours a year, the other about 22. If they share nothing, how long "
    "are both down at the same time in an average year?",
    [
        Option(
            "About 10 hours",
            "That would be so if breaks kept each other company. Ones that know nothing of each "
            "other rarely meet.",
        ),
        Option(
            "About an hour",
            "Rarer still: the second link is down for one hour in 400, so it is down for one in "
            "400 of the first link's 17 hours.",
        ),
        Option(
            "Under 3 minutes",
            "The second link is down one hour in 400, also during the first link's 17 hours. "
            "A four-hundredth of 17 hours is about two and a half minutes.",
            correct=True,
        ),
        Option(
            "Never",
            "Chance brings them together now and then. Two links make it rare, not impossible.",
        ),
    ],
    prediction=True,
)

where_to_dig = Quiz(
    "uptime.connections.where_to_dig",
    "An excavator takes one part of this map. At which of the four does Kvittra lose both links?",
    [
        Option(
            "Entry west",
            "The western fiber is gone. Router 2 still reaches Kustfiber through the eastern "
            "entry.",
        ),
        Option(
            "Manhole Hamngatan",
            "That takes the eastern fiber. The western one comes through Skolgatan.",
        ),
        Option(
            "The duct under the railway",
            "Two entries, two manholes, two carriers, and one hole under the tracks.",
            correct=True,
        ),
        Option(
            "Exchange north",
            "Norra Nät is gone, and Kustfiber, which leaves from exchange south, is not.",
        ),
    ],
    prediction=True,
)

which_repair = Quiz(
    "uptime.connections.which_repair",
    "Kvittra has money for one repair. Which one saves most of the 108 minutes?",
    [
        Option(
            "A third carrier, whose cable goes through the same duct",
            "It helps when both other carriers fail together, which is rare. In the duct three "
            "cables break as easily as two.",
        ),
        Option(
            "The same two carriers, one of them moved to another duct",
            "Nothing new was bought but a hole in the ground, and no single part is left that "
            "both links need.",
            correct=True,
        ),
        Option(
            "Routers that notice a break in a tenth of a second",
            "They change over to a link that died with the first. Nothing is there to change "
            "over to.",
        ),
    ],
    prediction=True,
)

which_vendor = Quiz(
    "uptime.connections.which_vendor",
    "You ask four vendors whether their two connections are independent. Whose answer can you "
    "check?",
    [
        Option(
            "“Yes, we buy from two different carriers.”",
            "Two companies can rent fibers in one cable. Who sends the bill says nothing about "
            "where the cable lies.",
        ),
        Option(
            "“Yes, fully redundant, with 99.999% availability.”",
            "A number that is true if nothing is shared. Ask what went into it.",
        ),
        Option(
            "“The drawings show two entries and no common duct; in May we unplugged each link "
            "under load, and it took two seconds.”",
            "A drawing down to the ducts, and a test with a date and a duration.",
            correct=True,
        ),
        Option(
            "“Our carriers guarantee it in the contract.”",
            "Then the carrier owes money after the excavator. A guarantee moves no cable.",
        ),
    ],
)

# How Kvittra's carrier behaves: what it promises, with some room for the day's luck.
_MOST_DETECTION_S = 1.0
_MOST_FALSE_ALARMS_PER_DAY = 1 / 7
_MOST_FAILOVERS_PER_HOUR = 12
_LONGEST_HOLD_S = 300
_SHORTEST_INTERVAL_S = 0.1

choose_timers = Exercise(
    "uptime.connections.choose_timers",
    "Choose the timers of Kvittra's routers",
    parts=[
        Part("interval_s", value=(int, float)),
        Part("missed", value=int),
        Part("hold_s", value=(int, float)),
    ],
    starter="""interval_s = 1.0  # seconds between two hellos
missed = 3  # hellos missed in a row that count as a break
hold_s = 0  # calm seconds before traffic returns""",
    weak={"interval_s": 1.0, "missed": 3, "hold_s": 0},
    reference={"interval_s": 0.2, "missed": 5, "hold_s": 120},
    hints=Hints(
        nudge="Multiply the interval by the number of misses. How long is Kvittra silent?",
        concept="A shorter interval notices sooner and cries wolf more often. One more miss makes "
        "false alarms about a hundred times rarer, at the cost of one interval. The hold time "
        "has nothing to do with either: it is about coming back.",
        place="Find interval and misses on the slider of false alarms, the hold time on the one "
        "with the flapping link.",
        solution="interval_s = 0.2\nmissed = 5\nhold_s = 120",
    ),
    next_step="Builders go on below. Everybody else can jump to the questions for a vendor.",
)


def _timers(answer: Answer) -> tuple[float, int, float]:
    """The three values, if they can be timers at all."""
    try:
        model.detection_time(answer.interval_s, answer.missed)
        model.flapping(1, 1, detection_s=0, hold_s=answer.hold_s)
    except (TypeError, ValueError) as error:
        raise Failed(
            given="your three values",
            happened=f"the router refused them: {error}",
            missing="an interval above 0, at least one miss, a hold time of 0 or more",
            nudge="Give seconds as numbers and misses as a whole number.",
        ) from None
    return float(answer.interval_s), answer.missed, float(answer.hold_s)


@choose_timers.attack("When a link dies, traffic is on the other one within a second")
def _(answer: Answer, _rng: random.Random) -> None:
    interval, missed, _hold = _timers(answer)
    took = model.detection_time(interval, missed)
    if took > _MOST_DETECTION_S + 1e-9:
        raise Failed(
            given=f"a link that dies in the middle of a working day, watched with {missed} "
            f"misses at {interval:g} s",
            happened=f"Kvittra was silent for {took:.3g} seconds before anything moved",
            missing="interval times misses of at most one second",
            nudge="Send hellos more often, or miss fewer of them.",
        )


@choose_timers.attack(
    "A healthy link is called dead less than once a week",
    weak={"interval_s": 0.3, "missed": 3, "hold_s": 0},
)
def _(answer: Answer, rng: random.Random) -> None:
    interval, missed, _hold = _timers(answer)
    loss = rng.uniform(0.009, 0.011)
    a_day = model.false_alarms_per_day(interval, missed, loss)
    if a_day > _MOST_FALSE_ALARMS_PER_DAY:
        raise Failed(
            given=f"a healthy link on which {loss:.1%} of the hellos get lost",
            happened=f"with {missed} misses it was called dead {a_day * 7:,.3g} times a week",
            missing="enough misses in a row that bad luck alone hardly ever fills them",
            nudge="One more miss makes it about a hundred times rarer. Shorten the interval to "
            "pay for it.",
        )


@choose_timers.attack("An hour of flapping moves the traffic at most a dozen times")
def _(answer: Answer, rng: random.Random) -> None:
    interval, missed, hold = _timers(answer)
    up, down = rng.uniform(17, 20), rng.uniform(4, 6)
    # Whatever the answer's detection time is, this check is about coming back.
    detection = min(model.detection_time(interval, missed), 1.0)
    cost = model.flapping(up, down, detection_s=detection, hold_s=hold)
    an_hour = cost.failovers * 3_600 / (up + down)
    if an_hour > _MOST_FAILOVERS_PER_HOUR:
        raise Failed(
            given=f"a link that is up {up:.0f} seconds and down {down:.0f}, again and again",
            happened=f"traffic moved away from it about {an_hour:.0f} times an hour",
            missing="a hold time that is long beside the calm between two breaks",
            nudge="Try the hold time on the slider with the flapping link.",
        )


@choose_timers.honest("After a repair traffic is back within five minutes")
def _(answer: Answer, _rng: random.Random) -> None:
    _interval, _missed, hold = _timers(answer)
    if hold > _LONGEST_HOLD_S:
        raise Failed(
            given="a link that was repaired, and has been calm ever since",
            happened=f"traffic stayed on the other link for {hold / 60:,.3g} minutes more",
            missing="a hold time of at most five minutes; Kustfiber is paid by volume",
            nudge="Long beside the calm between two flaps is a minute or two. It needs no hour.",
        )


@choose_timers.honest("The routers send at most ten hellos a second")
def _(answer: Answer, _rng: random.Random) -> None:
    interval, _missed, _hold = _timers(answer)
    if interval < _SHORTEST_INTERVAL_S:
        raise Failed(
            given=f"an interval of {interval:g} seconds",
            happened=f"the routers were busy with {1 / interval:,.0f} hellos a second, on each "
            "link",
            missing="an interval of at least a tenth of a second",
            nudge="A second has room for five hellos with time to spare.",
        )


Lines = list[tuple[str, str]]

ENDS = ("hall", "internet")


def _one(parts: Iterable[Any]) -> str:
    """One of the parts, always the same: a set has no order of its own."""
    return min(map(str, parts))


def _shuffled(lines: Iterable[Sequence[str]], rng: random.Random, ends: Collection[str]) -> Lines:
    """The same map with other names, in another order: nobody can know a part by its name."""
    kept = list(lines)
    parts = sorted({part for line in kept for part in line} - set(ends))
    numbers = rng.sample(range(100, 1_000), len(parts))
    names = {part: f"part {number}" for part, number in zip(parts, numbers, strict=True)}
    named = [tuple(names.get(part, part) for part in line) for line in kept]
    out = [(a, b) if rng.random() < 0.5 else (b, a) for a, b in named]
    rng.shuffle(out)
    return out


def _reached(lines: Iterable[tuple[str, str]], start: str, gone: Collection[str] = ()) -> set[str]:
    """Every part that is still connected to the start."""
    beside: dict[str, list[str]] = {}
    for a, b in lines:
        if a not in gone and b not in gone:
            beside.setdefault(a, []).append(b)
            beside.setdefault(b, []).append(a)
    found, waiting = {start}, deque([start])
    while waiting:
        for other in beside.get(waiting.popleft(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _chain(*ways: str) -> Lines:
    return [step for way in ways for step in pairwise(way.split())]


def _random_map(rng: random.Random, parts: int, lines: int) -> Lines:
    """A random map in which hall and internet are connected, and are no neighbors."""
    names = ["hall", "internet", *(f"p{number}" for number in range(parts))]
    while True:
        made: set[tuple[str, str]] = set()
        while len(made) < lines:
            a, b = sorted(rng.sample(names, 2))
            if (a, b) != ("hall", "internet"):
                made.add((a, b))
        if "internet" in _reached(made, "hall"):
            return _shuffled(sorted(made), rng, ENDS)


_SHAPES = (
    ("hall a b internet", "hall c d b", "a e f internet"),
    ("hall a duct b internet", "hall c duct d internet"),
    ("hall a b c d internet", "hall e b", "d f internet", "b g d"),
    ("hall a b internet", "hall c d internet", "a d", "c b"),
)


def _stretched_map(rng: random.Random) -> Lines:
    """One of a few shapes, with parts put into some of its lines and dead ends hung on it."""
    lines = _chain(*rng.choice(_SHAPES))
    for number in range(rng.randrange(2, 6)):
        a, b = lines.pop(rng.randrange(len(lines)))
        lines += [(a, f"x{number}"), (f"x{number}", b)]
    for number in range(2):
        lines.append((rng.choice(lines)[1].replace("internet", "hall"), f"y{number}"))
    return _shuffled(lines, rng, ENDS)


def _cutting(lines: Lines) -> set[str]:
    """What separates hall and internet when it is dug up, found by digging."""
    parts = {part for line in lines for part in line} - set(ENDS)
    return {part for part in parts if "internet" not in _reached(lines, "hall", {part})}


find_shared = Exercise(
    "uptime.connections.find_shared",
    "Find what every way to the internet needs",
    parts=[Part("shared_parts", returns=(set, frozenset, list, tuple))],
    starter='''def shared_parts(lines, start, end):
    """Return the parts that every way from start to end needs.

    The ends themselves are left out. A line is a pair of parts
    that are joined, such as ("router 1", "entry west").
    """
    return set()  # the contract says: two independent links''',
    weak={"shared_parts": lambda _lines, _start, _end: set()},
    reference={
        "shared_parts": lambda lines, start, end: model.single_points_of_failure(
            _graph(lines), start, end
        )
    },
    hints=Hints(
        nudge="Take a pencil and strike out one part. Can you still get from start to end?",
        concept="A part is shared by all ways exactly if nothing gets through without it. Try "
        "them one after the other: leave the part out, and look how far you come.",
        place="Instead of the empty set: a loop over all parts, and in it a search from start "
        "that never enters the part that is left out.",
        solution="""def shared_parts(lines, start, end):
    def reached(without):
        found, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for line in lines:
                if here in line and without not in line:
                    other = line[0] if line[1] == here else line[1]
                    if other not in found:
                        found.add(other)
                        waiting.append(other)
        return found

    parts = {part for line in lines for part in line}
    inner = parts - {start, end}
    return {part for part in inner if end not in reached(part)}""",
    ),
    next_step="You know where it breaks. Now lay two routes that share nothing.",
)


def _graph(lines: Iterable[tuple[str, str]]) -> Any:
    import networkx

    return networkx.Graph(list(lines))


def _shared(answer: Answer, lines: Lines) -> set[Any]:
    found = answer.shared_parts(list(lines), *ENDS)
    try:
        return set(found)
    except TypeError:
        raise Failed(
            given="a map",
            happened="what came back holds something that is no name of a part",
            missing="the names of the parts, and nothing else",
            nudge="Put the names into a set, as they stand in the lines.",
        ) from None


_TWO_WAYS = _chain("hall r1 west m1 duct x1 c1 internet", "hall r2 east m2 duct x2 c2 internet")


@find_shared.attack("The duct that both links go through is found, whatever it is called")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled([*_TWO_WAYS, ("r1", "r2")], rng, ENDS)
    missed = _cutting(lines) - _shared(answer, lines)
    if missed:
        raise Failed(
            given="the map of Kvittra's two links, with other names",
            happened=f"an excavator took `{_one(missed)}`, which you had not named, and both "
            "links were gone",
            missing="every part without which nothing gets through",
            nudge="Leave out one part after the other, and look whether the end can be reached.",
        )


@find_shared.attack("Where two parts are shared one after the other, both are found")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled(
        _chain("hall r1 entry a bridge x internet", "hall r2 entry b bridge y internet"), rng, ENDS
    )
    missed = _cutting(lines) - _shared(answer, lines)
    if missed:
        raise Failed(
            given="two links that share the entry to the building and, far from it, a bridge",
            happened=f"`{_one(missed)}` was left out",
            missing="all of them; when the first one is repaired the second still waits",
            nudge="Do not stop at the first part that you find.",
        )


@find_shared.honest("A duct that both links use but a third one avoids is not called shared")
def _(answer: Answer, rng: random.Random) -> None:
    duct = "duct"
    lines = _shuffled(
        [*_TWO_WAYS, *_chain("hall r3 mast n1 n2 n3 n4 n5 n6 internet")], rng, (*ENDS, duct)
    )
    found = _shared(answer, lines)
    if found & {duct}:
        raise Failed(
            given="two links through one duct, and a third by radio",
            happened="you named the duct, and when it was dug up the radio link still worked",
            missing="parts on every way, not on two of them",
            nudge="It does not do to compare two ways. There may be others.",
        )


@find_shared.honest("A part that only a dead end hangs on is not called shared")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled(
        _chain("hall r1 a internet", "hall r2 b internet", "a shed camera"), rng, ENDS
    )
    found = _shared(answer, lines)
    if found - set(ENDS):
        raise Failed(
            given="two separate links, and a camera that hangs on one of them",
            happened=f"you named `{_one(found)}`; without it the camera is lost, the internet is "
            "not",
            missing="a question about these two ends, not about the whole map",
            nudge="What counts is whether start still reaches end, whatever else falls off.",
        )


@find_shared.honest("The two ends themselves are not named")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled(_chain("hall r1 a internet", "hall r2 b internet"), rng, ENDS)
    named = _shared(answer, lines) & set(ENDS)
    if named:
        raise Failed(
            given="two links that share nothing",
            happened=f"you named `{_one(named)}`",
            missing="the parts between the ends; that the ends are needed goes without saying",
            nudge="Take start and end out of what you return.",
        )


@find_shared.attack("On 40 maps made at random, digging agrees with you")
def _(answer: Answer, rng: random.Random) -> None:
    for _number in range(40):
        lines = _random_map(rng, 9, 13)
        right, found = _cutting(lines), _shared(answer, lines)
        if found != right:
            extra, missed = sorted(map(str, found - right)), sorted(right - found)
            raise Failed(
                given=f"a random map of {len(lines)} lines, on which digging shows "
                f"{len(right)} such part{'' if len(right) == 1 else 's'}",
                happened=f"you named `{extra[0]}`, which nothing depends on"
                if extra
                else f"you did not name `{missed[0]}`",
                missing="an answer that holds on any map, not on ones that look like Kvittra's",
                nudge="Check your answer by digging: leave the part out and search.",
            )


def _first_and_next(lines: Lines, start: str, end: str) -> list[list[str]]:
    """The starter's way: the shortest route, and one that uses none of its lines."""
    first = _shortest(lines, start, end)
    used = [set(step) for step in pairwise(first or [])]
    second = _shortest([line for line in lines if set(line) not in used], start, end)
    return [first, second] if first and second else []


def _shortest(lines: Iterable[tuple[str, str]], start: str, end: str) -> list[str] | None:
    ways, seen = deque([[start]]), {start}
    kept = list(lines)
    while ways:
        way = ways.popleft()
        if way[-1] == end:
            return way
        for a, b in kept:
            for here, other in ((a, b), (b, a)):
                if here == way[-1] and other not in seen:
                    seen.add(other)
                    ways.append([*way, other])
    return None


lay_routes = Exercise(
    "uptime.connections.lay_routes",
    "Lay two routes that share nothing",
    parts=[Part("two_routes", returns=(list, tuple))],
    starter='''from collections import deque


def shortest(lines, start, end):
    """Return the shortest route as a list of parts, or None."""
    ways, seen = deque([[start]]), {start}
    while ways:
        way = ways.popleft()
        if way[-1] == end:
            return way
        for a, b in lines:
            for here, other in ((a, b), (b, a)):
                if here == way[-1] and other not in seen:
                    seen.add(other)
                    ways.append([*way, other])
    return None


def two_routes(lines, start, end):
    """Return two routes that share only the ends, or []."""
    first = shortest(lines, start, end)
    used = [set(step) for step in zip(first, first[1:])]
    rest = [line for line in lines if set(line) not in used]
    second = shortest(rest, start, end)
    return [first, second] if second else []''',
    weak={"two_routes": _first_and_next},
    reference={
        "two_routes": lambda lines, start, end: model.disjoint_routes(_graph(lines), start, end)
    },
    hints=Hints(
        nudge="Two routes can use different lines and still meet in one manhole. What must the "
        "second route avoid?",
        concept="Avoiding the parts of the shortest route is not enough either: the shortest can "
        "lie across both of the others. The two have to be chosen together. Compare pairs of "
        "routes, or let a library find them; the field calls them node-disjoint paths.",
        place="In two_routes, replace the choice of the first route. In networkx, look for "
        "node_disjoint_paths; on maps this small you may also try all pairs of simple paths.",
        solution="""from itertools import combinations

import networkx


def two_routes(lines, start, end):
    graph = networkx.Graph(lines)
    routes = list(networkx.all_simple_paths(graph, start, end))
    for one, other in combinations(routes, 2):
        if not set(one[1:-1]) & set(other[1:-1]):
            return [one, other]
    return []""",
    ),
    next_step="The routes are laid. Left is the rule that moves the traffic between them.",
)


def _laid(answer: Answer, lines: Lines) -> list[list[Any]]:
    """The routes of an answer, checked to be routes."""
    given = answer.two_routes(list(lines), *ENDS)
    known = {frozenset(line) for line in lines}
    routes = [list(route) if isinstance(route, list | tuple) else [] for route in given]
    for route in routes:
        if len(route) < 3 or (route[0], route[-1]) != ENDS:
            raise Failed(
                given="a map",
                happened="a route does not lead from `hall` to `internet`",
                missing="routes that begin at start, end at end and name every part between",
                nudge="Return the whole list of parts, both ends included.",
            )
        missing = [step for step in pairwise(route) if frozenset(map(str, step)) not in known]
        if missing:
            raise Failed(
                given="a map",
                happened=f"a route goes from `{missing[0][0]}` to `{missing[0][1]}`, and no line "
                "joins them",
                missing="routes along the lines of the map",
                nudge="A route may step only from a part to one that it is joined with.",
            )
    if len(routes) not in (0, 2):
        raise Failed(
            given="a map",
            happened=f"{len(routes)} routes came back",
            missing="two routes, or an empty list when there are no two",
            nudge="A single route is no redundancy; say so with an empty list.",
        )
    return routes


def _common(routes: list[list[Any]]) -> set[Any]:
    return set(routes[0][1:-1]) & set(routes[1][1:-1]) if routes else set()


@lay_routes.attack("No single excavator reaches both routes")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled(
        _chain("hall a duct c internet", "hall b duct d internet", "hall e f g h i internet"),
        rng,
        ENDS,
    )
    routes = _laid(answer, lines)
    common = _common(routes)
    if common:
        raise Failed(
            given="a town with a duct in the middle, and a long way round",
            happened=f"your two routes meet in `{_one(common)}`, and one excavator took both",
            missing="routes without a common part; other lines are not enough",
            nudge="Keep the second route away from the parts of the first, not only its lines.",
        )
    if not routes:
        raise Failed(
            given="a town with a duct in the middle, and a long way round",
            happened="you said that there are no two routes, and there are",
            missing="the long way; a detour costs milliseconds, a shared duct hours",
            nudge="The second route may be much longer than the first.",
        )


@lay_routes.attack("A shortcut that lies across both routes is not taken")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled(_chain("hall a b internet", "hall c d b", "a e f internet"), rng, ENDS)
    routes = _laid(answer, lines)
    if not routes or _common(routes):
        raise Failed(
            given="a map on which the shortest way uses one part of each of the two routes",
            happened="your routes meet, and one excavator took both"
            if routes
            else "you took the shortest way first, nothing was left beside it, and you gave up",
            missing="two routes that are chosen together",
            nudge="Draw it: hall–a–b–internet, with a way round on each side. Which two fit?",
        )


@lay_routes.attack("Where there are no two routes, you say so")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled([*_TWO_WAYS, ("r1", "r2"), ("c1", "c2")], rng, ENDS)
    if _laid(answer, lines):
        raise Failed(
            given="Kvittra's map, on which every way goes through one duct",
            happened="you returned two routes, and both go through it",
            missing="an empty list; a promise of two would be the mistake that this lab is about",
            nudge="Look at what you return when every second route touches the first.",
        )


@lay_routes.honest("On a plain ring both ways round are found")
def _(answer: Answer, rng: random.Random) -> None:
    lines = _shuffled(_chain("hall a b internet", "hall c d e internet"), rng, ENDS)
    routes = _laid(answer, lines)
    if not routes or _common(routes):
        raise Failed(
            given="a ring with hall and internet on opposite sides",
            happened="the same way round was returned twice"
            if routes
            else "you said that there are no two routes",
            missing="one route each way round",
            nudge="Try it on the ring first. There are only two routes.",
        )


@lay_routes.attack("On 40 maps made at random, there are two routes whenever two exist")
def _(answer: Answer, rng: random.Random) -> None:
    for number in range(40):
        lines = _stretched_map(rng) if number % 2 else _random_map(rng, 8, 14)
        possible = not _cutting(lines)
        routes = _laid(answer, lines)
        if bool(routes) != possible or _common(routes):
            raise Failed(
                given=f"a random map of {len(lines)} lines with "
                f"{'two separate routes' if possible else 'a part that all routes share'}",
                happened="you found none"
                if possible and not routes
                else f"your routes share {_common(routes) and 'a part'}",
                missing="an answer that holds on any map",
                nudge="If your first route is chosen before the second is known, it can be in the "
                "way.",
            )


move_traffic = Exercise(
    "uptime.connections.move_traffic",
    "Move the traffic, and not too often",
    parts=[Part("link_in_use", returns=str)],
    starter='''def link_in_use(memory, heard):
    """Return "first" or "second": the link for the traffic now.

    Called every second, when a hello from the first link is due.
    `heard` says whether it came. `memory` is a dictionary for
    your notes, empty at first.
    """
    return "first" if heard else "second"''',
    weak={"link_in_use": lambda _memory, heard: "first" if heard else "second"},
    reference={"link_in_use": model.link_in_use},
    hints=Hints(
        nudge="Of 100 hellos one gets lost on a healthy link. How often do you move an hour?",
        concept="Two counts are needed. How many hellos in a row were missed: four are a break. "
        "And how many have been due since the last break: after 60 of them, a minute, traffic may "
        "return. A single lost hello is no break and starts nothing anew.",
        place="Keep both counts and the link in use in memory. Decide about leaving first, about "
        "coming back after it.",
        solution="""def link_in_use(memory, heard):
    memory["silent"] = 0 if heard else memory.get("silent", 0) + 1
    if memory["silent"] >= 4:
        memory["away"], memory["waited"] = True, 0
    elif memory.get("away"):
        memory["waited"] += 1
        if memory["waited"] >= 60 and heard:
            memory["away"] = False
    return "second" if memory.get("away") else "first\"""",
    ),
    next_step="You have what the timers of the sliders do. The questions for a vendor are below.",
)


def _run(answer: Answer, hellos: Iterable[bool]) -> list[str]:
    """What the rule answers to a row of hellos."""
    memory: dict[Any, Any] = {}
    said = []
    for heard in hellos:
        link = answer.link_in_use(memory, heard)
        if link not in ("first", "second"):
            raise Failed(
                given="a hello that was due",
                happened="your rule named a link that does not exist",
                missing='"first" or "second"',
                nudge="Return one of the two words, in small letters.",
            )
        said.append(link)
    return said


def _moves(said: list[str]) -> int:
    return sum(before != after for before, after in pairwise(["first", *said]))


@move_traffic.attack("Single lost hellos move nothing, however many there are in a day")
def _(answer: Answer, rng: random.Random) -> None:
    hellos: list[bool] = []
    for _number in range(8):
        hellos += [True] * rng.randrange(12, 25) + [False] * rng.choice((1, 1, 2))
    moves = _moves(_run(answer, [*hellos, True]))
    if moves:
        raise Failed(
            given="a healthy link on which a hello gets lost now and then",
            happened=f"the traffic moved {moves} time{'' if moves == 1 else 's'} for nothing",
            missing="a break that is several misses in a row, not one, and not a sum over the day",
            nudge="Count the misses since the last hello that came, and start anew with each "
            "that comes.",
        )


@move_traffic.attack("A link that flaps keeps the traffic away until it has been calm for a minute")
def _(answer: Answer, rng: random.Random) -> None:
    hellos = [True] * 20
    for _number in range(4):
        hellos += [False] * rng.randrange(8, 12) + [True] * rng.randrange(25, 40)
    moves = _moves(_run(answer, hellos))
    if moves > 1:
        raise Failed(
            given="a link that breaks four times, with less than 40 calm seconds in between",
            happened=f"the traffic moved {moves} times",
            missing="a minute of calm in one piece before traffic returns",
            nudge="Start the wait anew at each break. Calm seconds before it do not count.",
        )


@move_traffic.honest(
    "When the link dies, traffic is away after four hellos, and again the next time"
)
def _(answer: Answer, rng: random.Random) -> None:
    calm = [True] * rng.randrange(20, 40)
    hellos = [*calm, *[False] * 10, *[True] * 100, *[False] * 10]
    said = _run(answer, hellos)
    for place, which in ((len(calm), "first"), (len(hellos) - 10, "second")):
        if said[place + 3] != "second":
            raise Failed(
                given=f"a link that dies for the {which} time",
                happened="four hellos later traffic still went into it",
                missing="a change over after four misses in a row, whenever they come",
                nudge="After a return the rule must work as it did on the first day. What stands "
                "in `memory` then?",
            )


@move_traffic.honest(
    "Within three minutes of a repair traffic is back, although a hello gets lost now and then"
)
def _(answer: Answer, rng: random.Random) -> None:
    after = [True] * 180
    for place in range(rng.randrange(20, 30), len(after) - 1, 31):
        after[place] = False
    said = _run(answer, [*[True] * 5, *[False] * 8, *after])
    if said[-1] != "first":
        raise Failed(
            given="a link that was repaired three minutes ago and has lost "
            f"{after.count(False)} hellos since, one at a time",
            happened="the traffic is still on the other link",
            missing="a way back; every healthy link loses a hello now and then",
            nudge="Let only a break start the wait anew, not every lost hello.",
        )
