"""The exercises of the lesson: questions and a plan for everyone, two repairs for builders.

A proxy is judged by what its customers meet (lost, booked twice, kept waiting), a formula by an
exact count of all states, a plan by its downtime and its price.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from itertools import product
from typing import Any, Literal

from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz, matching
from labs.uptime.units import model, plans, proxy

second_server = Quiz(
    "uptime.units.second_server",
    "One server works 99% of the time, so it is down for 88 hours a year. Kvittra buys a second "
    "one like it. One is enough. If each fails by itself, how long is the service down?",
    [
        Option(
            "88 hours, as before",
            "Only if both always failed together. Here the second one serves while the first is "
            "down.",
        ),
        Option(
            "44 hours: two servers, half the time",
            "The service is down only while both are. In 1% of the time the first is down, and "
            "in 1% of *that* the second is down too.",
        ),
        Option(
            "Under an hour",
            "1% of 1% of a year is 53 minutes. The other designs follow in a table.",
            correct=True,
        ),
        Option(
            "Never: one of the two always works",
            "Now and then the second fails while the first is in repair.",
        ),
    ],
    prediction=True,
)

one_in_ten = Quiz(
    "uptime.units.one_in_ten",
    "Nine of ten failures hit one server. The tenth hits both: a power feed, an update, a wrong "
    "command. The 53 minutes a year become …",
    [
        Option(
            "58 minutes, a tenth more",
            "The tenth is not added to the 53 minutes. It is a tenth of the 88 hours that one "
            "server is down, and now both are.",
        ),
        Option(
            "106 minutes, twice as much",
            "A tenth of 88 hours is more than eight hours. These are hours in which the second "
            "server is no help.",
        ),
        Option(
            "more than nine hours",
            "8.8 hours in which both are down together, and 43 minutes in which each failed by "
            "itself.",
            correct=True,
        ),
    ],
    prediction=True,
)

killed = Quiz(
    "uptime.units.killed",
    "Three servers answer in turn, A, B, C, behind a proxy that asks each of them every 100 "
    "milliseconds whether it is well. While customers work, server B is killed. Which requests "
    "are lost?",
    [
        Option(
            "None, for A and C are there",
            "They are, and the proxy does not know yet that B is not. It goes on sending B its "
            "turn.",
        ),
        Option(
            "The one B was working on, and those it got until the proxy noticed",
            "Noticing takes time, and until then each third request goes to B.",
            correct=True,
        ),
        Option(
            "Each third one, until somebody starts B again",
            "So it would be without the health check. With it, the proxy soon leaves B out.",
        ),
        Option(
            "All of them, until the proxy has noticed",
            "A and C answer all along. Only what is sent to B gets no answer.",
        ),
    ],
    prediction=True,
)

which_vendor = Quiz(
    "uptime.units.which_vendor",
    "You ask four vendors about their doubled servers. Whose answer tells you that the promise "
    "holds?",
    [
        Option(
            "“Everything is fully redundant.”",
            "So it was wherever both failed at once. Ask what the two share.",
        ),
        Option(
            "“We run six servers where two would do.”",
            "The picture with the spares shows what the fourth to the sixth are worth when all "
            "get the same update at the same minute.",
        ),
        Option(
            "“Two rooms, two power feeds, updates a day apart. On 3 March we switched one off at "
            "noon; 41 requests failed in two seconds. A broken one is repaired within four hours.”",
            "What they share, a test with a date and a count, and how long the spare is missing: "
            "each of them can be checked.",
            correct=True,
        ),
        Option(
            "“Our calculated availability is 99.9999%.”",
            "Calculated how? Multiplied as if nothing were shared and every takeover worked, any "
            "pair looks like that.",
        ),
    ],
)

FAILURES = {
    "the disk of server B breaks": "a",
    "an update stops every server that gets it": "b",
    "the power feed of the rack trips": "c",
    "B never answers a request, but still answers ping": "d",
    "A broke on Friday, nobody noticed, and now B breaks": "e",
}
"""What the matching exercise asks, with the letter of the answer."""

match_remedies = matching(
    "uptime.units.match_remedies",
    "Match each failure with what keeps the service up",
    part="remedies",
    choices=(
        "a second server of the same kind beside it",
        "changing one server first, and the next a day later",
        "the second server in another room, on another feed",
        "a health check that asks for real work",
        "an alarm when the spare is gone, and a quick repair",
    ),
    answers=FAILURES,
    nudges=dict(
        zip(
            FAILURES,
            (
                "It hits one server and no other. What is the least that helps?",
                "A second server gets the same update, wherever it stands. What differs if it "
                "gets it later?",
                "What else hangs on that feed, and where would a server have to be that does not?",
                "The proxy asks, and the answer is good. What should it have asked for?",
                "The first failure cost nothing, because the spare took over. That is why nobody "
                "saw it.",
            ),
            strict=True,
        )
    ),
    item="failure",
    claim="The service stays up when this happens: {}",
    missing="the remedy that works against it",
    nudge="Each letter is used once. Begin with the failure that hits one server and no other.",
    concept="A spare helps against what hits one unit. Distance in space helps against what hits "
    "a place, distance in time against what is done to all, a check and an alarm against what "
    "nobody sees.",
    next_step="Now spend Kvittra's money: the next exercise is a plan.",
)


def _plan(plan: Mapping[str, Any]) -> dict[str, str]:
    """The plan with tidy names, whatever the capitals and spaces."""
    return {str(key).strip().lower(): str(value).strip().lower() for key, value in plan.items()}


def _source(plan: Mapping[str, str]) -> str:
    return "\n".join(
        ["plan = {", *(f'    "{key}": "{value}",' for key, value in plan.items()), "}"]
    )


_FIRST_PLAN = {
    "rooms": "two rooms",
    "updates": "both servers at once",
    "takeover": "never tested",
    "repair": "next working day",
}
_GOOD_PLAN = {
    "rooms": "one room",
    "updates": "one a day before the other",
    "takeover": "tested every month",
    "repair": "within four hours",
}
_EVERYTHING = {choice: list(offers)[-1] for choice, offers in plans.OFFERS.items()}

spend_the_budget = Exercise(
    "uptime.units.spend_the_budget",
    "Plan a pair of servers for 6,000 kronor a month",
    parts=[Part("plan", value=dict)],
    starter=_source(_FIRST_PLAN),
    weak={"plan": _FIRST_PLAN},
    reference={"plan": _GOOD_PLAN},
    hints=Hints(
        nudge="The second room is the most expensive offer. What is left of the budget without it?",
        concept="How long a repair takes stands in every line of the result but one, because each "
        "outage lasts until a repair. A takeover that fails makes a pair worth one server.",
        place="Change the choices one at a time. With `figures.plan_cost(plan)` in the last line "
        "you see where the minutes go.",
        solution=_source(_GOOD_PLAN),
    ),
    next_step="Builders go on below. Everybody else can jump to the questions for a vendor.",
)


def _minutes(answer: Answer, cause: str) -> float:
    try:
        return float(525_600 * getattr(plans.downtime(_plan(answer.plan)), cause))
    except ValueError as error:
        raise _not_offered(error) from None


def _not_offered(error: ValueError) -> Failed:
    return Failed(
        given="your plan",
        happened=str(error),
        missing="one of the offers for each of the four choices",
        nudge="Copy the words from the table of offers.",
    )


@spend_the_budget.honest("Each choice is on offer")
def _(answer: Answer, _rng: random.Random) -> None:
    try:
        plans.price(_plan(answer.plan))
    except ValueError as error:
        raise _not_offered(error) from None


@spend_the_budget.attack(
    f"It costs no more than {plans.BUDGET:,} kronor a month", weak={"plan": _EVERYTHING}
)
def _(answer: Answer, _rng: random.Random) -> None:
    try:
        price = plans.price(_plan(answer.plan))
    except ValueError as error:
        raise _not_offered(error) from None
    if price > plans.BUDGET:
        raise Failed(
            given="your plan",
            happened=f"it costs {price:,} kronor a month, and Ingrid signs for {plans.BUDGET:,}",
            missing="a plan within the budget",
            nudge="Which offer buys the fewest minutes for its price?",
        )


@spend_the_budget.attack("Takeovers that fail cost at most 30 minutes a year")
def _(answer: Answer, _rng: random.Random) -> None:
    minutes = _minutes(answer, "stuck")
    if minutes > 30:
        raise Failed(
            given="a year in which the serving server fails now and then",
            happened=f"the other did not take over every time: {minutes:,.0f} minutes down",
            missing="takeovers that work, and repairs that come soon when one does not",
            nudge="A takeover that nobody tests is a hope. Look at the takeover, then the repair.",
        )


@spend_the_budget.attack(
    "Causes that hit both servers cost at most 60 minutes a year",
)
def _(answer: Answer, _rng: random.Random) -> None:
    minutes = _minutes(answer, "together")
    if minutes > 60:
        raise Failed(
            given="a year of updates, tripped feeds and wrong commands",
            happened=f"both servers went down at the same moment: {minutes:,.0f} minutes down",
            missing="less that the two share, or a quicker repair",
            nudge="The cheapest distance between two servers is a day between their updates.",
        )


@spend_the_budget.attack("The second server rarely fails while the first is in repair")
def _(answer: Answer, _rng: random.Random) -> None:
    minutes = _minutes(answer, "apart")
    if minutes > 10:
        raise Failed(
            given="a year of ordinary failures, one server at a time",
            happened=f"the second failed before the first was repaired: {minutes:,.0f} minutes "
            "down",
            missing="a quick repair: until then there is no spare",
            nudge="How long is Kvittra without a spare, each time?",
        )


@spend_the_budget.attack(f"The service is down for at most {plans.GOAL_MIN} minutes a year")
def _(answer: Answer, _rng: random.Random) -> None:
    minutes = _minutes(answer, "total")
    if minutes > plans.GOAL_MIN:
        raise Failed(
            given="the whole year, all causes together",
            happened=f"{minutes:,.0f} minutes down",
            missing=f"{minutes - plans.GOAL_MIN:,.0f} minutes less",
            nudge="`figures.plan_cost(plan)` shows which cause costs most.",
        )


def _availability_weak(needed: int, present: int, unit: float, beta: float) -> float:  # noqa: ARG001
    return 1 - (1 - unit) ** present


def _availability(needed: int, present: int, unit: float, beta: float) -> float:
    return model.k_of_n_common_cause(needed, present, unit, beta)


honest_availability = Exercise(
    "uptime.units.honest_availability",
    "Count what a number of servers is worth",
    parts=[Part("availability", returns=(int, float))],
    starter='''def availability(needed, present, unit, beta):
    """Return the share of time in which the service works.

    needed, present: it needs that many of that many servers.
    unit: the share of time in which one server works.
    beta: the share of a server's time down that comes from causes
        which take all servers down together.
    """
    return 1 - (1 - unit) ** present''',
    weak={"availability": _availability_weak},
    reference={"availability": _availability},
    hints=Hints(
        nudge="Three servers, and all three are needed: what does the starter say, and what would "
        "you say?",
        concept="Take the time a server is down apart: `beta` of it is shared, the rest is its "
        "own. The service works while the shared cause is away *and* enough servers work. How "
        "many ways are there in which exactly i of n work?",
        place="Replace the last line: a sum over i from `needed` to `present`, times the time in "
        "which the shared cause is away.",
        solution="""from math import comb


def availability(needed, present, unit, beta):
    shared = beta * (1 - unit)
    own = (1 - beta) * (1 - unit)
    enough = sum(
        comb(present, i) * (1 - own) ** i * own ** (present - i)
        for i in range(needed, present + 1)
    )
    return (1 - shared) * enough""",
    ),
    next_step="Now the other half of the promise: a proxy that takes over.",
)


def _counted(needed: int, present: int, unit: float, beta: float) -> float:
    """The unavailability, from every state of every server written out one by one."""
    own = (1 - beta) * (1 - unit)
    failing = math.fsum(
        math.prod(1 - own if works else own for works in state)
        for state in product((True, False), repeat=present)
        if sum(state) < needed
    )
    shared = beta * (1 - unit)
    return shared + (1 - shared) * failing


def _hold_to(answer: Answer, case: tuple[int, int, float, float], missing: str, nudge: str) -> None:
    needed, present, unit, beta = case
    got = answer.availability(needed, present, unit, beta)
    down = _counted(*case)
    # Whether the two causes may meet is a matter of convention, and moves less than this.
    if not abs((1 - got) - down) <= 0.02 * down:
        raise Failed(
            given=f"{needed} needed of {present} servers that work {100 * unit:g}% of the time, "
            f"{100 * beta:g}% shared",
            happened=f"you say {_hours(1 - got)} down a year; counting every state gives "
            f"{_hours(down)}",
            missing=missing,
            nudge=nudge,
        )


def _hours(unavailability: float) -> str:
    return f"{8_760 * unavailability:,.4g} hours"


@honest_availability.honest("One needed of a few, and nothing shared")
def _(answer: Answer, rng: random.Random) -> None:
    _hold_to(
        answer,
        (1, rng.randrange(1, 4), rng.choice((0.97, 0.98, 0.99)), 0.0),
        "the plain case: down only while every server is",
        "Multiply the shares of time in which each of them is down.",
    )


@honest_availability.honest("Servers that never fail are never down")
def _(answer: Answer, rng: random.Random) -> None:
    if abs(answer.availability(1, rng.randrange(1, 5), 1.0, 0.0) - 1) > 1e-12:
        raise Failed(
            given="servers that work 100% of the time",
            happened="the service was down",
            missing="an availability of 1 when nothing fails",
            nudge="Try `availability(1, 2, 1.0, 0.0)` in a cell of your own.",
        )


@honest_availability.attack("Servers that are needed do not count as spares")
def _(answer: Answer, rng: random.Random) -> None:
    needed = rng.choice((2, 3))
    _hold_to(
        answer,
        (needed, needed, rng.choice((0.97, 0.98, 0.99)), 0.0),
        "a look at how many servers are needed: without a spare, any failure is an outage",
        "With 2 needed of 2, both must work: `unit * unit`.",
    )


@honest_availability.attack("One spare helps whichever server fails")
def _(answer: Answer, rng: random.Random) -> None:
    needed = rng.choice((2, 3, 4))
    _hold_to(
        answer,
        (needed, needed + rng.choice((1, 2)), rng.choice((0.97, 0.98, 0.99)), 0.0),
        "every way in which enough servers work, each counted as often as it occurs",
        "`math.comb(n, i)` says in how many ways exactly i of n servers work.",
    )


@honest_availability.attack("What all servers share is not multiplied away")
def _(answer: Answer, rng: random.Random) -> None:
    _hold_to(
        answer,
        (1, rng.choice((2, 3, 4)), rng.choice((0.98, 0.99)), rng.choice((0.05, 0.1, 0.2))),
        "the shared cause, which no number of servers makes rarer",
        "With probability `beta * (1 - unit)` all servers are down together.",
    )


def _twice(needed: int, present: int, unit: float, beta: float) -> float:
    return (1 - beta * (1 - unit)) * model.k_of_n(needed, present, unit)


@honest_availability.attack(
    "No failure is counted twice, as shared and as a server's own", weak={"availability": _twice}
)
def _(answer: Answer, rng: random.Random) -> None:
    needed = rng.choice((2, 3))
    _hold_to(
        answer,
        (needed, needed, rng.choice((0.97, 0.98)), rng.choice((0.4, 0.6))),
        "a server's own failures without the shared ones",
        "If `beta` of the time down is shared, only `1 - beta` of it is the server's own.",
    )


forward_requests = Exercise(
    "uptime.units.forward_requests",
    "Write the proxy that takes over",
    parts=[Part("forward", returns=(str, type(None)))],
    starter='''from labs.uptime.units import Refused, Silent


def forward(request, servers, resting, now):
    """Return a server's answer, or None if there is none.

    request: it has a `method`: GET reads, POST books.
    servers: whom to ask, in turn. Each has a `name` and an
        `answer(request)`, which may raise Refused (it did nothing)
        or Silent (nobody knows whether it did).
    resting: a dictionary for your notes between requests.
    now: seconds on the clock.
    """
    try:
        return servers[0].answer(request)
    except (Refused, Silent):
        return None''',
    weak={"forward": proxy.forward_weak},
    reference={"forward": proxy.forward},
    hints=Hints(
        nudge="When a server refuses, two others are standing beside it. When it stays silent, "
        "what may it have done already?",
        concept="A request that only reads may be sent again. One that books may be sent again "
        "only if it is certain that nothing was done. And a request that two servers have died "
        "of should not meet a third.",
        place="Make it a loop over the servers, those first that have not failed in the last "
        "seconds, and give Refused and Silent each a branch of its own.",
        solution="""from labs.uptime.units import Refused, Silent


def forward(request, servers, resting, now):
    def rests(server):
        return resting.get(server.name, 0) > now

    silent = 0
    for server in sorted(servers, key=rests):
        try:
            return server.answer(request)
        except Refused:
            resting[server.name] = now + 10
        except Silent:
            resting[server.name] = now + 10
            silent += 1
            if request.method == "POST" or silent == 2:
                return None
    return None""",
    ),
    next_step="Read the questions for a vendor, and ask when a server was last switched off at "
    "noon.",
)


def _house(answer: Answer) -> proxy.House:
    return proxy.House(answer.forward)


def _invoice(rng: random.Random) -> str:
    return f"/invoices/{rng.randrange(1, 90_000)}"


Method = Literal["GET", "POST"]


def _lost(house: proxy.House, count: int, rng: random.Random, method: Method = "GET") -> int:
    """How many of ``count`` requests nobody answered."""
    paths = [f"/invoices/{number}" for number in rng.sample(range(1, 90_000), count)]
    return sum(house.ask(method, path) is None for path in paths)


@forward_requests.honest("While every server works, each request is answered and booked once")
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    for number in range(30):
        method: Method = "POST" if number % 3 else "GET"
        path = f"/invoices/{rng.randrange(1, 9_000) * 100 + number + 1}"
        came = house.ask(method, path)
        entered = house.ledger.count(path)
        if came != f"200 {path}" or entered != (method == "POST"):
            raise Failed(
                given=f"`{method} {path}`, with every server up",
                happened=f"entered {entered} times" if came else "no answer came back",
                missing="the plain case: the server whose turn it is answers",
                nudge="Return what `answer(request)` returns, and ask nobody else then.",
            )


@forward_requests.honest("A server that says no has answered")
def _(answer: Answer, _rng: random.Random) -> None:
    house = _house(answer)
    came = house.ask("GET", "/invoices/0")
    asked = sum(server.asked for server in house.servers)
    if came is None or not came.startswith("404") or asked != 1:
        raise Failed(
            given="a question for an invoice that does not exist",
            happened=f"{asked} servers were asked" if came else "the answer was thrown away",
            missing="passing on every answer, a no as well",
            nudge="Only Refused and Silent mean that a server failed.",
        )


@forward_requests.attack("When a server refuses, another answers")
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    house.server(rng.choice("ABC")).state = "refuses"
    lost = _lost(house, 30, rng)
    if lost:
        raise Failed(
            given="30 reads, with one server of three down",
            happened=f"{lost} got no answer, and two servers were up all the time",
            missing="asking the next server",
            nudge="Go through `servers` until one answers.",
        )


@forward_requests.attack("A booking that was refused at the door is entered elsewhere, once")
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    house.server(rng.choice("ABC")).state = "refuses"
    lost = _lost(house, 12, rng, "POST")
    if lost or len(house.ledger) != 12:
        raise Failed(
            given="12 bookings, with one server of three down",
            happened=f"{len(house.ledger)} were entered and {lost} got no answer",
            missing="a second try where nothing can have been done: a refusal is certain",
            nudge="After Refused even a POST may go to the next server.",
        )


@forward_requests.attack("When a server hangs, another answers, and few customers wait for it")
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    house.server(rng.choice("ABC")).state = "hangs"
    lost = _lost(house, 60, rng)
    if lost:
        raise Failed(
            given="60 reads in 6 seconds, with one server of three hanging",
            happened=f"{lost} got no answer",
            missing="a second try for what only reads: reading twice does no harm",
            nudge="After Silent, a GET may go to one more server.",
        )
    waits = house.waited_s / proxy.PATIENCE_S
    if waits > 4:
        raise Failed(
            given="60 reads in 6 seconds, with one server of three hanging",
            happened=f"{waits:.0f} customers waited {proxy.PATIENCE_S:g} seconds each for a server "
            "that had been silent before",
            missing="a memory: a server that failed is asked last for a few seconds",
            nudge="Write `resting[server.name] = now + 10`, and ask those last that are resting.",
        )


@forward_requests.attack(
    "A booking is never entered twice", weak={"forward": proxy.forward_everywhere}
)
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    house.server(rng.choice("ABC")).state = "mute"
    _lost(house, 12, rng, "POST")
    twice = len(house.ledger) - len(set(house.ledger))
    if twice:
        raise Failed(
            given="12 bookings, while one server works and its answers get lost",
            happened=f"{twice} stood in the books twice: the first server had entered them already",
            missing="no second try where the first may have worked",
            nudge="After Silent, a POST goes nowhere else: return None, and let the customer look.",
        )


def _keeps_out(
    request: proxy.Request, servers: Any, resting: dict[str, float], now: float
) -> str | None:
    """Never asks again a server that has failed once."""
    fit = [server for server in servers if server.name not in resting]
    before = set(resting)
    came = proxy.forward(request, fit, resting, now)
    resting.update(dict.fromkeys(set(resting) - before, math.inf))
    return came


@forward_requests.attack("A repaired server gets work again", weak={"forward": _keeps_out})
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    broken = house.server(rng.choice("ABC"))
    broken.state = "refuses"
    _lost(house, 30, rng)
    broken.state = "up"
    house.now += 120
    before = broken.asked
    _lost(house, 30, rng)
    if broken.asked == before:
        raise Failed(
            given=f"30 reads, two minutes after {broken.name} was repaired",
            happened=f"{broken.name} was never asked: the pair that is left has no spare",
            missing="an end to the rest",
            nudge="Note until when a server rests, and compare that with `now`.",
        )


def _only_the_fit(
    request: proxy.Request, servers: Any, resting: dict[str, float], now: float
) -> str | None:
    """Gives up when every server rests."""
    fit = [server for server in servers if resting.get(server.name, now) <= now]
    return proxy.forward(request, fit, resting, now)


@forward_requests.attack(
    "When all have failed for a moment, the service is back as soon as they are",
    weak={"forward": _only_the_fit},
)
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    for server in house.servers:
        server.state = "refuses"
    _lost(house, 6, rng)
    for server in house.servers:
        server.state = "up"
    lost = _lost(house, 10, rng)
    if lost:
        raise Failed(
            given="a network switch that started again within a second; all servers were up",
            happened=f"{lost} of the next 10 reads got no answer, because every server was resting",
            missing="a try at the resting ones when nobody else is left",
            nudge="Ask the resting servers last, rather than never.",
        )


@forward_requests.attack(
    "A request that servers die of takes at most two with it",
    weak={"forward": proxy.forward_everywhere},
)
def _(answer: Answer, rng: random.Random) -> None:
    house = _house(answer)
    _lost(house, rng.randrange(4), rng)
    house.ask("GET", proxy.CRASHES)
    felled = sum(server.state == "refuses" for server in house.servers)
    if felled > 2:
        raise Failed(
            given=f"`GET {proxy.CRASHES}`, a page whose computation ends the server that tries it",
            happened="the proxy carried it from one server to the next until none was left",
            missing="a limit: taking over must not spread what did the harm",
            nudge="After two servers have been silent about the same request, give up.",
        )
