"""The exercises of the lesson: questions and a placement for everyone, two repairs for builders.

Answers are judged by what customers get: how many honest questions are answered under attacks that
nobody has seen, and whether the answer is the right one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, islice

from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz, matching
from labs.traffic.anycast import messages, world

who_answers = Quiz(
    "traffic.anycast.who_answers",
    "Kvittra announces one address from Stockholm and from Singapore. A resolver in Mumbai asks. "
    "Mumbai is 3,900 km from Singapore and 6,200 km from Stockholm. Who answers?",
    [
        Option(
            "Singapore, because it is nearer",
            "The networks in between do not know how far away a site is. They know who pays whom.",
        ),
        Option(
            "Whichever site answers first",
            "Nobody asks both. The question is one packet, and it takes one way.",
        ),
        Option(
            "The site to which the contracts between networks lead, near or not",
            "Here they lead by way of New York and Frankfurt to Stockholm. The next cells show it.",
            correct=True,
        ),
        Option(
            "The one with less to do",
            "Routing does not see how busy a server is. That will matter once there is an attack.",
        ),
    ],
    prediction=True,
)

how_soon = Quiz(
    "traffic.anycast.how_soon",
    "A question goes from Gävle to Singapore and the answer comes back, through fiber laid in a "
    "straight line, by machines that lose no time. How long does it take?",
    [
        Option("About 1 millisecond", "Light in fiber makes 200 km in that time, one way."),
        Option("About 10 milliseconds", "Enough for Frankfurt and back, not for Singapore."),
        Option(
            "About 100 milliseconds",
            "A round trip costs a millisecond for each 100 km. Only a nearer site helps.",
            correct=True,
        ),
        Option(
            "About a second",
            "Light goes round the earth in a fifth of that, even in fiber.",
        ),
    ],
    prediction=True,
)

stay_or_go = Quiz(
    "traffic.anycast.stay_or_go",
    "A small site can answer 2 questions a second. 1 honest and 9 hostile ones arrive. The large "
    "site has room for 10 and receives 3 honest and 3 hostile ones; it would get all of the small "
    "site's. What should the small site do?",
    [
        Option(
            "Step aside, so that the large site answers for it",
            "Then the large one has 16 for its 10, and the honest questions of both suffer.",
        ),
        Option(
            "Stay, and answer what it can",
            "It drowns, and keeps the flood away from everyone else: it absorbs the attack.",
            correct=True,
        ),
        Option(
            "It makes no difference",
            "Work it out: 84 or 70 in a hundred honest questions. The next picture does.",
        ),
    ],
    prediction=True,
)

blind_check = Quiz(
    "traffic.anycast.blind_check",
    "Each site stops announcing when it cannot reach the data center. All name servers are in good "
    "order. Somebody's command cuts every site off from the data center. What do customers see?",
    [
        Option(
            "Nothing: the name servers still work",
            "They work, and nobody can reach them any more. Each has withdrawn its address.",
        ),
        Option(
            "Slower answers, from the sites that are left",
            "None is left. The same check, asked everywhere, gave the same verdict everywhere.",
        ),
        Option(
            "No answer from anywhere",
            "Each site did what it was told. Nobody had told them that one must stay.",
            correct=True,
        ),
    ],
)

which_vendor = Quiz(
    "traffic.anycast.which_vendor",
    "You ask four vendors what they have done about their name service. Whose answer is the best "
    "reason to trust it?",
    [
        Option(
            "“Our DNS runs on a global anycast network with more than 300 sites.”",
            "A number of sites. Whose command can take all of them off the air?",
        ),
        Option(
            "“Our DNS provider guarantees 100% uptime.”",
            "That is what you are paid when it fails. Ask what happens then.",
        ),
        Option(
            "“Two providers, run apart. In May we cut one off for an hour; customers saw nothing.”",
            "Two systems that share nothing, a drill, a date and its result: each can be checked.",
            correct=True,
        ),
        Option(
            "“Users are always routed to the nearest server.”",
            "Routing does not follow distance. Ask what they have measured, and from where.",
        ),
    ],
)

WEAKNESSES = {
    "a flood from networks that all lead to one small site": "c",
    "one command takes every site off the air": "d",
    "the company that runs all of your name servers is flooded": "a",
    "customers in Mumbai are answered from Stockholm": "b",
}
"""What the matching exercise asks, with the letter of the answer."""

match_limits = matching(
    "traffic.anycast.match_limits",
    "Match each trouble with what helps",
    part="remedies",
    choices=(
        "name servers at a second company as well",
        "measuring from customers' own networks, and other contracts",
        "room where it arrives, or stepping aside for those with room",
        "a rule that the last sites stay, whatever the check says",
    ),
    answers=WEAKNESSES,
    nudges=dict(
        zip(
            WEAKNESSES,
            (
                "This is about load and room. What could the small site do, and when is it wise?",
                "The sites themselves were in order. Which rule would have kept one of them?",
                "Anycast or not, it is one company with one control. What is not in its hands?",
                "Nothing is broken here. Somebody has to notice, and then change who pays whom.",
            ),
            strict=True,
        )
    ),
    item="trouble",
    claim="A remedy is found for: {}",
    missing="the remedy that works against it",
    nudge="Each letter is used once. Begin with the trouble in which nothing is broken.",
    concept="Anycast spreads load and survives the loss of a place. It does not choose the "
    "nearest site, it does not make room, and it does not survive what reaches all sites at once.",
    next_step="Now place your own sites.",
)

# So many that chance decides about no placement: the good ones hold in 158 and more of 200.
ATTACKS = 200
HELD = 130
ENOUGH = 0.9
CALM_MS = 40.0
_NORDIC = ["Stockholm", "Oslo", "Helsinki", "Copenhagen"]


def _racks() -> list[str]:
    """The racks for rent, as comments above the learner's line."""
    entries = [
        f"{name} {site.capacity:.0f}, {site.eur_a_month:,}" for name, site in world.SITES.items()
    ]
    rows = [entries[start : start + 3] for start in range(0, len(entries), 3)]
    return [
        "# Racks for rent: thousand questions a second, euro a month.",
        *(f"# {' · '.join(row)}" for row in rows),
        f"# At most {world.MOST_SITES} of them, for at most {world.BUDGET_EUR_A_MONTH:,} euro.",
    ]


place_sites = Exercise(
    "traffic.anycast.place_sites",
    "Place up to four sites before the attack",
    parts=[Part("sites", value=list)],
    starter="\n".join([*_racks(), f"sites = {json.dumps(_NORDIC)}"]),
    weak={"sites": _NORDIC},
    reference={"sites": ["Frankfurt", "New York", "Los Angeles", "Johannesburg"]},
    hints=Hints(
        nudge="Try your sites on a few nights with `figures.attack_map(sites, night=2)`. Which "
        "site is the first to drown?",
        concept="A site attracts what contracts lead to it, honest and hostile alike, and the "
        "nearest one attracts your customers. Where much arrives there has to be much room. A "
        "small site in front of a large one is no help; it is where your customers drown.",
        place="The names between the quotation marks. Begin with one large site in Europe and one "
        "in North America, and add what the money allows, far from both.",
        solution='sites = ["Frankfurt", "New York", "Los Angeles", "Johannesburg"]',
    ),
    next_step="Builders go on below. Everybody else can jump to the questions for a vendor.",
)


def _placement(answer: Answer) -> list[str]:
    sites: list[str] = answer.sites
    given = f"{len(sites)} names"
    strange = [name for name in sites if not isinstance(name, str) or name not in world.SITES]
    if strange:
        raise Failed(
            given=given,
            happened="there is no rack for rent by that name"
            if isinstance(strange[0], str)
            else "one of them is not a name",
            missing=f"names from the list: {', '.join(world.SITES)}",
            nudge="Copy the names from the table of racks, with their capitals and accents.",
        )
    if not 1 <= len(sites) <= world.MOST_SITES or len(set(sites)) < len(sites):
        raise Failed(
            given=given,
            happened="a site is named twice"
            if len(set(sites)) < len(sites)
            else "nothing was placed",
            missing=f"one to {world.MOST_SITES} different sites",
            nudge=f"Name at most {world.MOST_SITES} sites, each once.",
        )
    return sites


def _listed(sites: Iterable[str]) -> str:
    return ", ".join(sites)


@place_sites.honest("One to four racks from the list are rented")
def _(answer: Answer, _rng: random.Random) -> None:
    _placement(answer)


@place_sites.attack(
    "The rent stays within the budget",
    weak={"sites": ["Stockholm", "Frankfurt", "Amsterdam", "London"]},
)
def _(answer: Answer, _rng: random.Random) -> None:
    sites = _placement(answer)
    rent = sum(world.SITES[name].eur_a_month for name in sites)
    if rent > world.BUDGET_EUR_A_MONTH:
        raise Failed(
            given=_listed(sites),
            happened=f"they cost {rent:,} euro a month",
            missing=f"a rent of at most {world.BUDGET_EUR_A_MONTH:,} euro a month",
            nudge="Three large sites may do more than four. Which one carries the least?",
        )


@place_sites.attack(
    f"On a calm day the floor of an answer is at most {CALM_MS:.0f} ms on average",
    weak={"sites": ["London", "Singapore"]},
)
def _(answer: Answer, rng: random.Random) -> None:
    sites = _placement(answer)
    calm_ms = world.defend(sites, seed=rng.randrange(2**32)).calm_ms
    if calm_ms > CALM_MS:
        raise Failed(
            given=_listed(sites),
            happened=f"an answer takes at least {calm_ms:.0f} ms on average",
            missing=f"an average of at most {CALM_MS:.0f} ms",
            nudge="Most questions come from Stockholm, Oslo, Helsinki and Copenhagen. Look where "
            "the contracts of their networks lead.",
        )


@place_sites.attack(
    f"In at least {HELD} of {ATTACKS} hidden attacks nine in ten honest questions are answered"
)
def _(answer: Answer, rng: random.Random) -> None:
    sites = _placement(answer)
    nights = [world.situation(sites, seed=rng.randrange(2**32)) for _ in range(ATTACKS)]
    held = sum(night.answered >= ENOUGH for night in nights)
    if held < HELD:
        lost = {
            name: sum(night.calm[name] * (1 - night.by_site[name]) for night in nights)
            for name in sites
        }
        worst = max(lost, key=lost.__getitem__)
        drowned = sum(night.by_site[worst] < ENOUGH for night in nights)
        raise Failed(
            given=f"{_listed(sites)}, and {ATTACKS} attacks that nobody has seen",
            happened=f"in {held} of them nine in ten honest questions were answered; most were "
            f"lost at {worst}, which drowned {drowned} times",
            missing="room where contracts lead both your customers and the attack",
            nudge=f"{worst} has room for {world.SITES[worst].capacity:.0f} thousand questions a "
            f"second, and {nights[0].calm[worst]:.0f} of {_asked():.0f} thousand honest ones lead "
            f"there. Who would answer them if there were no site in {worst}?",
        )


def _asked() -> float:
    return sum(resolvers.load for resolvers in world.RESOLVERS.values())


def _overloaded(now: world.Situation) -> list[str]:
    return [name for name, load in now.load.items() if load > now.capacity[name]]


def _worst(now: world.Situation) -> list[str]:
    """The site that drowns deepest, if another is left."""
    over = _overloaded(now) if len(now.load) > 1 else []
    return [max(over, key=lambda name: now.load[name] / now.capacity[name])] if over else []


def _where_there_is_spare_room(now: world.Situation) -> list[str]:
    """Counts the room of all sites together, wherever routing leads."""
    room = sum(max(0.0, now.capacity[name] - load) for name, load in now.load.items())
    gone: list[str] = []
    for name in _overloaded(now):
        if now.load[name] <= room and len(gone) < len(now.load) - 1:
            gone.append(name)
            room -= now.load[name]
    return gone


def _best(now: world.Situation) -> list[str]:
    """The withdrawal after which most honest questions are answered, the smallest on a tie."""
    choices = [gone for count in range(len(now.load)) for gone in combinations(now.load, count)]
    return list(max(choices, key=lambda gone: round(now.without(*gone).answered, 9)))


_HASTY: tuple[Callable[[world.Situation], list[str]], ...] = (
    _overloaded,
    _worst,
    _where_there_is_spare_room,
)
_PLACES = (
    ("Stockholm", "Frankfurt", "New York", "Singapore"),
    ("Copenhagen", "Amsterdam", "New York", "Los Angeles"),
)
_TOO_SMALL = (("Oslo", "Helsinki", "São Paulo"), ("Copenhagen", "Mumbai"), ("Johannesburg", "Oslo"))

step_aside = Exercise(
    "traffic.anycast.step_aside",
    "Decide which sites step aside under attack",
    parts=[Part("withdraw", returns=(list, tuple, set))],
    starter='''def withdraw(situation):
    """Return the names of the sites that stop announcing."""
    load, room = situation.load, situation.capacity
    return [name for name in load if load[name] > room[name]]''',
    weak={"withdraw": _overloaded},
    reference={"withdraw": _best},
    hints=Hints(
        nudge="Where do the questions go when a site withdraws? Ask "
        "`situation.without(name)` and look at its `load`.",
        concept="Stepping aside moves the flood, it does not end it. It is right where those who "
        "inherit the flood have room, and only a drill can tell who inherits. With four sites "
        "there are few choices: look at what each would lead to, staying included.",
        place="Before returning names, compare `situation.without(...).answered` with "
        "`situation.answered`, for one name and for several.",
        solution="""from itertools import combinations, islice


def withdraw(situation):
    names = list(situation.load)
    best, most = [], situation.answered
    for count in range(1, len(names)):
        for gone in combinations(names, count):
            answered = situation.without(*gone).answered
            if answered > most + 0.001:
                best, most = list(gone), answered
    return best""",
    ),
    next_step="Decide which sites may announce at all, by the answers that they give.",
)


def _without(answer: Answer, now: world.Situation) -> world.Situation:
    """The situation after the learner's withdrawal."""
    gone = answer.withdraw(now)
    strange = [name for name in gone if name not in now.load]
    if strange:
        raise Failed(
            given=f"an attack on {_listed(now.load)}",
            happened="a name came back that is not one of these sites",
            missing="names of announced sites",
            nudge="Take the names from `situation.load`.",
        )
    return now.without(*set(gone))


def _attacks(rng: random.Random, places: Sequence[Sequence[str]]) -> Iterator[world.Situation]:
    """Attacks on some of these places, one after the other; the many are a bound, not a need."""
    for _ in range(2_000):
        yield world.situation(rng.choice(places), seed=rng.randrange(2**32))


def _told(now: world.Situation) -> str:
    loads = ", ".join(
        f"{name} {load:.0f} for {now.capacity[name]:.0f}" for name, load in now.load.items()
    )
    return f"an attack with these loads and capacities: {loads}"


@step_aside.honest("On a calm day nobody steps aside")
def _(answer: Answer, _rng: random.Random) -> None:
    for sites in _PLACES:
        now = world.situation(sites, seed=None)
        if len(_without(answer, now).load) < len(sites):
            raise Failed(
                given=f"a calm day at {_listed(sites)}",
                happened="a site was taken off the air, though every question was answered",
                missing="a reason to step aside",
                nudge="Where no site has more than it can carry, return an empty list.",
            )


@step_aside.attack("Where every site drowns, somebody stays")
def _(answer: Answer, rng: random.Random) -> None:
    cases = (now for now in _attacks(rng, _TOO_SMALL) if len(_overloaded(now)) == len(now.load))
    for now in islice(cases, 3):
        if not _without(answer, now).load:
            raise Failed(
                given=_told(now),
                happened="all of them withdrew, and no question was answered any more",
                missing="one site at least that stays and answers what it can",
                nudge="A drowning site still answers some. No site answers none.",
            )


@step_aside.attack("Customers are never worse off than if all had stayed")
def _(answer: Answer, rng: random.Random) -> None:
    for hasty in _HASTY:
        cases = (
            now
            for now in _attacks(rng, _PLACES)
            if now.without(*hasty(now)).answered < now.answered - 0.02
        )
        for now in islice(cases, 3):
            after = _without(answer, now)
            if after.answered < now.answered - 0.005:
                gone = [name for name in now.load if name not in after.load]
                flooded = [name for name in _overloaded(after) if name not in _overloaded(now)]
                raise Failed(
                    given=_told(now),
                    happened=f"{_listed(gone)} stepped aside; {now.answered:.0%} of the honest "
                    f"questions would have been answered, now it is {after.answered:.0%}"
                    + (
                        f", because {_listed(flooded)} drowned in what came over" if flooded else ""
                    ),
                    missing="a look at who inherits the flood, and whether they have room",
                    nudge="`situation.without(name)` says what a withdrawal would lead to. Use it "
                    "before you decide.",
                )


def _stays(_: world.Situation) -> list[str]:
    return []


@step_aside.attack(
    "A site that drowns steps aside where the others have room", weak={"withdraw": _stays}
)
def _(answer: Answer, rng: random.Random) -> None:
    cases = (
        now
        for now in _attacks(rng, _PLACES)
        if now.answered < 0.85
        and any(now.without(name).answered > 0.99 for name in _overloaded(now))
    )
    for now in islice(cases, 6):
        after = _without(answer, now)
        if after.answered < 0.97:
            saved = next(name for name in _overloaded(now) if now.without(name).answered > 0.99)
            raise Failed(
                given=_told(now),
                happened=f"{after.answered:.0%} of the honest questions were answered; without "
                f"{saved} it would have been nearly all",
                missing="a withdrawal that helps",
                nudge="Try each drowning site: what would be answered if it alone stepped aside?",
            )


PROBE = "kvittra.example"


def _announce_weak(
    _expected: Sequence[str], answers: Mapping[str, bytes | None]
) -> Collection[str]:
    return [site for site, answer in answers.items() if answer is not None]


def _announce(expected: Sequence[str], answers: Mapping[str, bytes | None]) -> Collection[str]:
    right = [site for site, answer in answers.items() if _is_right(expected, answer)]
    return right or list(answers)


def _is_right(expected: Sequence[str], answer: bytes | None) -> bool:
    if answer is None:
        return False
    try:
        seen = messages.read(answer)
    except ValueError:
        return False
    return seen.code == "NOERROR" and seen.records == tuple(expected)


announce = Exercise(
    "traffic.anycast.announce",
    "Decide which sites stay on the air, by what they answer",
    parts=[Part("announce", returns=(list, tuple, set))],
    starter='''from labs.traffic.anycast import messages


def announce(expected, answers):
    """Return the names of the sites that announce the address.

    expected: the records that the zone holds for kvittra.example.
    answers: for each site the bytes that came back, or None.
    """
    return [site for site in answers if answers[site] is not None]''',
    weak={"announce": _announce_weak},
    reference={"announce": _announce},
    hints=Hints(
        nudge="Take an answer apart with `messages.read(answer)` and look at its code and records. "
        "Is every answer a good one?",
        concept="A check looks at what customers get: the right records, not just any bytes. And a "
        "check can be blind. When it says that everybody is sick, the likeliest patient is "
        "the check.",
        place="Read each answer inside a try, compare its records with `expected`, and decide "
        "what to return when nobody passed.",
        solution="""from labs.traffic.anycast import messages


def announce(expected, answers):
    expected, good = tuple(expected), []
    for site, answer in answers.items():
        try:
            if answer and messages.read(answer).records == expected:
                good.append(site)
        except ValueError:
            pass  # these bytes are no DNS message
    return good or list(answers)""",
    ),
    next_step="Both repairs hold. Now the questions for a vendor.",
)


@lru_cache(maxsize=64)
def _server(site: str, zone: str) -> messages.NameServer:
    return messages.NameServer(site, zone)


def _zone(address: str) -> str:
    return messages.ZONE_TEXT.replace("198.18.0.10", address)


def _emptied() -> str:
    return "\n".join(line for line in messages.ZONE_TEXT.splitlines() if "198.18.0.10" not in line)


def _elsewhere() -> str:
    return messages.ZONE_TEXT.replace("kvittra.example", "other.example")


def _failing(wire: bytes) -> bytes:
    """The server's answer when it cannot get at its zone: code 2, SERVFAIL."""
    good = _server("x", messages.ZONE_TEXT)(wire)
    return good[:3] + bytes([good[3] & 0xF0 | 2]) + good[4:6] + bytes(6) + wire[12:]


class _Day:
    """One day at four sites: what the zone holds, and how each site's server is."""

    def __init__(self, rng: random.Random, sick: Mapping[str, str]) -> None:
        self.sites = list(rng.choice(_PLACES))
        # Few addresses, so that a zone once read serves many days.
        today, yesterday = rng.sample(range(20, 28), 2)
        wire = messages.query(PROBE, seed=rng.randrange(2**32))
        right = _server("x", _zone(f"198.18.0.{today}"))
        self.expected = messages.read(right(wire)).records
        kinds: dict[str, Callable[[], bytes | None]] = {
            "silent": lambda: None,
            "old": lambda: _server("x", _zone(f"198.18.0.{yesterday}"))(wire),
            "empty": lambda: _server("x", _emptied())(wire),
            "refusing": lambda: _server("x", _elsewhere())(wire),
            "failing": lambda: _failing(wire),
            "garbled": lambda: wire[:2] + rng.randbytes(9),
        }
        names = rng.sample(self.sites, len(self.sites))
        self.sick = dict(zip(names, sick.values(), strict=False))
        self.answers = {
            site: kinds[self.sick[site]]() if site in self.sick else right(wire)
            for site in self.sites
        }

    def lost(self, announced: Collection[str]) -> float:
        """The share of honest questions that get no answer, or a wrong one."""
        if not announced:
            return 1.0
        wrong = sum(
            world.RESOLVERS[city].load
            for city, visit in world.visits([s for s in self.sites if s in announced]).items()
            if visit.site in self.sick
        )
        return wrong / _asked()


_SICK = {
    "silent": "sent nothing",
    "old": "answered with yesterday's address",
    "empty": "answered that there is no such record",
    "refusing": "refused, because it did not have the zone",
    "failing": "answered that it had failed",
    "garbled": "sent bytes that are no DNS message",
}


def _chosen(answer: Answer, day: _Day) -> set[str]:
    outcome = answer.announce.outcome(day.expected, dict(day.answers))
    if outcome.raised is not None:
        raise Failed(
            given=f"probes of {_listed(day.sites)}",
            happened=f"`announce` raised {type(outcome.raised).__name__}, and the sites were left "
            "as they were",
            missing="a decision, whatever a server sends",
            nudge="`messages.read` raises ValueError for bytes that are no message. Catch it.",
        )
    chosen = set(outcome.value)
    if not chosen <= set(day.sites):
        raise Failed(
            given=f"probes of {_listed(day.sites)}",
            happened="a name came back that is not one of these sites",
            missing="names of sites",
            nudge="Take the names from `answers`.",
        )
    return chosen


@announce.honest("Where every answer is right, every site is on the air")
def _(answer: Answer, rng: random.Random) -> None:
    for _ in range(4):
        day = _Day(rng, {})
        off = [site for site in day.sites if site not in _chosen(answer, day)]
        if off:
            raise Failed(
                given=f"right answers from {_listed(day.sites)}",
                happened=f"{_listed(off)} went off the air",
                missing="room for all who answer rightly",
                nudge="Print `messages.read(answer).records` and `expected` side by side.",
            )


def _keeps_all(_expected: Sequence[str], answers: Mapping[str, bytes | None]) -> Collection[str]:
    return list(answers)


def _goes(kind: str) -> Callable[[Answer, random.Random], None]:
    def check(answer: Answer, rng: random.Random) -> None:
        for count in (1, 3):
            day = _Day(rng, dict.fromkeys("abc"[:count], kind))
            chosen = _chosen(answer, day)
            kept = [site for site in day.sick if site in chosen]
            gone = [site for site in day.sites if site not in day.sick and site not in chosen]
            if kept or gone:
                raise Failed(
                    given=f"a day on which {_listed(day.sick)} {_SICK[kind]}",
                    happened=f"{_listed(kept)} stayed on the air, and {day.lost(chosen):.0%} of "
                    "the questions were led there"
                    if kept
                    else f"{_listed(gone)}, which answered rightly, went off the air",
                    missing="a look at what customers would get",
                    nudge="A site is good if its records are the expected ones, and only then."
                    if kept
                    else "Judge each site by its own answer.",
                )

    return check


for _kind, _words in _SICK.items():
    announce.attack(
        f"A site goes off the air that {_words}",
        weak={"announce": _keeps_all} if _kind == "silent" else None,
    )(_goes(_kind))


@announce.attack("When the check sees nobody, the sites stay")
def _(answer: Answer, rng: random.Random) -> None:
    for _ in range(3):
        day = _Day(rng, {})
        day.answers = dict.fromkeys(day.sites)
        chosen = _chosen(answer, day)
        if not chosen:
            raise Failed(
                given=f"no answer from any of {_listed(day.sites)}, because the line of the probe "
                "was cut; the servers are in order",
                happened="every site withdrew, and all customers lost the name service",
                missing="doubt in a check that calls everybody sick",
                nudge="If nobody passes, keep all that there are.",
            )
