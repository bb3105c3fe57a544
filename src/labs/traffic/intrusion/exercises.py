"""The exercises of the lesson: questions and limits for everyone, two repairs for builders.

Answers are judged by what happens to them. A detector reads a log that it has never seen and is
graded by what it finds and whom it accuses; a brake is used by an owner, an office and a botnet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz
from labs.traffic.intrusion import detectors, log, prevention

one_alarm = Quiz(
    "traffic.intrusion.one_alarm",
    "A detector recognizes 99 of 100 hostile requests, and cries wolf over 1 of 100 honest ones. "
    "On a day with a million requests, 20 of them hostile, an alarm rings. How likely is it real?",
    [
        Option(
            "99 in 100",
            "That is how likely a hostile request rings. You were asked the other way round: how "
            "likely what rings is hostile.",
        ),
        Option(
            "About 1 in 2",
            "It would be, if as many honest requests rang as hostile ones. Count them: 1 in 100 of "
            "a million.",
        ),
        Option(
            "About 1 in 500",
            "20 alarms about the intruder drown in 10,000 about nothing. The detector is the same; "
            "the intruder is rare.",
            correct=True,
        ),
    ],
    prediction=True,
)

who_is_accused = Quiz(
    "traffic.intrusion.who_is_accused",
    "A detector counts failed logins for each address, and accuses whoever has 20 in a day. "
    "Nobody is attacking. Whom will it accuse?",
    [
        Option(
            "Nobody: honest people do not fail 20 times",
            "People seldom do. But not everything that signs in is a person.",
        ),
        Option(
            "A customer's script with last week's password",
            "It tries one account every half hour, day and night: 48 failures a day. An intruder "
            "fails at many accounts; the script fails at one.",
            correct=True,
        ),
        Option(
            "The office where 24 people share an address",
            "It comes second. A few of them slip on Monday morning, once each.",
        ),
    ],
    prediction=True,
)

locked_out = Quiz(
    "traffic.intrusion.locked_out",
    "After 5 failures an account is locked for 15 minutes, for everybody. Somebody who does not "
    "know Maja's password tries to get in 20 times a minute, all day. What happens?",
    [
        Option(
            "He gets a few hundred guesses, and Maja can work",
            "The first half is right. The lock does not ask who knocks.",
        ),
        Option(
            "He gets a few hundred guesses, and Maja is locked out most of the day",
            "He needs no password for that, only her name. What was built to protect her account "
            "closes it.",
            correct=True,
        ),
        Option(
            "He gets 28,800 guesses",
            "That is how many he makes. Most of them meet a closed door.",
        ),
    ],
    prediction=True,
)

which_vendor = Quiz(
    "traffic.intrusion.which_vendor",
    "You ask four vendors how they notice an intrusion. Whose answer tells you that somebody does?",
    [
        Option(
            "“Our AI blocks 99.9% of all attacks.”",
            "Of which attacks, and how many customers did it block? A rate without the other rate "
            "says nothing.",
        ),
        Option(
            "“We log everything and keep it for a year.”",
            "A log that nobody reads is a diary. Who looks, and when?",
        ),
        Option(
            "“About 12 alarms a day; two people read them. The last exercise was found in four "
            "hours.”",
            "A number that a person can read, somebody to read it, and a test with a result.",
            correct=True,
        ),
        Option(
            "“In ten years we have seen no intrusion.”",
            "None happened, or none was noticed. Ask what would have rung.",
        ),
    ],
)

DAYS = 7
QUIET_DAYS = 5
MOST_FALSE_ALARMS = 1.0

_LOOK: Mapping[str, str] = {
    "spraying": "Count the different accounts that fail: for each address, and for the whole "
    "service within an hour, since a botnet spends an address on each guess.",
    "stuffing": "Count the different accounts that fail: for each address, and for the whole "
    "service within an hour.",
    "scanning": "Read the path as the server does: decode it until nothing changes, then in lower "
    "case. `detectors.matches` does both.",
    "scraping": "Count the different invoices that one account has read in the last 24 hours. "
    "The address does not matter.",
    "insider": "Nothing fails here. Count the different customers that one member of support opens "
    "at night.",
}

_TRAPS: Mapping[str, str] = {
    "office": "People who share an address are not one person. How many of its accounts fail on a "
    "bad Monday?",
    "auditor": "Somebody reads 50 invoices for a reason. How many does a machine read?",
    "crawler": "It asks for pages that exist. What does a scanner ask for?",
    "status": "It is yours, and as regular as a clock.",
    "script": "It fails 48 times a day, at one account. Count different accounts, not failures.",
    "address": "That address is shared by all of support. Accuse the user.",
    "support": "Opening customers' accounts is their work. How many in one night?",
}


def _described(month: log.Log, name: str) -> str:
    return f"`{name}`, {month.people.get(name, 'a customer at ordinary work')}"


def _trap(month: log.Log, name: str) -> str:
    about = month.people.get(name, "")
    found = (nudge for word, nudge in _TRAPS.items() if word in about)
    return next(found, "Look at what this customer did that day, and count so that it stays below.")


def _graded(
    alert: Callable[[log.Window], Any],
    rng: random.Random,
    *,
    days: int = DAYS,
    evasion: Sequence[str] = (),
    kinds: Sequence[str] | None = None,
) -> tuple[log.Grade, log.Log]:
    seed = rng.randrange(10**6)

    def watched(window: log.Window) -> Any:
        answer = alert(window)
        if not isinstance(answer, bool):
            odd = [name for name in answer if not isinstance(name, str)]
            if odd:
                raise Failed(
                    given="one hour of the log",
                    happened=f"among the accused is a `{type(odd[0]).__name__}`",
                    missing="names: the address or the user of an entry",
                    nudge="Add `entry.address` or `entry.user`, not the whole entry.",
                )
        return answer

    result = log.grade(watched, seed, evasion=evasion, days=days, kinds=kinds)
    return result, log.month(seed, evasion=evasion, days=days, kinds=kinds)


def _must_find(result: log.Grade, given: str, look: Mapping[str, str] = _LOOK) -> None:
    if result.missed:
        kinds = sorted(set(result.missed), key=log.KINDS.index)
        count = len(result.missed)
        raise Failed(
            given=given,
            happened=f"{count} of {count + len(result.caught)} intrusions went unnoticed: "
            f"{', '.join(kinds)}",
            missing=f"an alarm that {kinds[0]} sets off",
            nudge=look[kinds[0]],
        )


def _must_be_readable(result: log.Grade, month: log.Log, given: str, noise: str) -> None:
    if result.accused:
        # Of several, name one with a story.
        name = max(result.accused, key=lambda one: (one in month.people, one))
        count = len(result.accused)
        raise Failed(
            given=given,
            happened=f"{count} honest name{'s were' if count > 1 else ' was'} accused"
            f"{', among them' if count > 1 else ':'} {_described(month, name)}",
            missing="a count that honest work does not reach",
            nudge=_trap(month, name),
        )
    if result.false_alarms_per_day > MOST_FALSE_ALARMS:
        raise Failed(
            given=given,
            happened=f"{result.false_alarms_per_day:.1f} alarms a day were about nothing",
            missing="alarms that a person still reads on Friday",
            nudge=noise,
        )


LIMITS = ("accounts", "accounts_an_hour", "invoices", "customers_at_night")

set_the_limits = Exercise(
    "traffic.intrusion.set_the_limits",
    "Set four limits",
    parts=[Part("limits", value=dict)],
    starter="""limits = {
    "accounts": 2,  # that fail from one address, in a day
    "accounts_an_hour": 2,  # that fail from anywhere
    "invoices": 20,  # that one account reads, in a day
    "customers_at_night": 1,  # that one of support opens
}""",
    weak={
        "limits": {
            "accounts": 2,
            "accounts_an_hour": 2,
            "invoices": 20,
            "customers_at_night": 1,
        }
    },
    reference={
        "limits": {
            "accounts": 16,
            "accounts_an_hour": 12,
            "invoices": 90,
            "customers_at_night": 7,
        }
    },
    hints=Hints(
        nudge="Each limit has two neighbors: the highest that honest work reaches, and the lowest "
        "that an intruder does.",
        concept="The table of the month gives both, for one month. Another month is a little "
        "different, so leave room on the honest side.",
        place="Take each row of the table: the number lies between *honest* and the intruder's "
        "columns. For accounts from one address only the hasty intruder can be had.",
        solution="""limits = {
    "accounts": 15,
    "accounts_an_hour": 13,
    "invoices": 95,
    "customers_at_night": 8,
}""",
    ),
    next_step="Builders write such a detector below. Everybody else can jump to *Ask*.",
)


def _watch(answer: Answer) -> detectors.Watch:
    given = answer.limits
    for name in LIMITS:
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise Failed(
                given=f'`"{name}"`',
                happened="it has no whole number of at least 1",
                missing="four limits",
                nudge="Copy the lines again and change only the numbers.",
            )
    return detectors.Watch(**{name: given[name] for name in LIMITS})


_LOWER: Mapping[str, str] = {
    "spraying": "A botnet fails at one account from each address. Which limit counts from "
    "anywhere? Lower it.",
    "stuffing": "A botnet fails at one account from each address. Which limit counts from "
    "anywhere? Lower it.",
    "scanning": "The signatures find it; no limit hides it.",
    "scraping": "Lower the limit for invoices. Whoever scrapes slowly reads about 130 a day.",
    "insider": "Lower the limit for customers at night. A patient insider opens about 20.",
}


_RAISE = (
    "Raise the limit for accounts in an hour: on a Monday some people slip, each at a place of "
    "their own."
)


@set_the_limits.honest("Whoever does not hide is found")
def _(answer: Answer, rng: random.Random) -> None:
    result, _ = _graded(_watch(answer), rng)
    _must_find(result, "a week with seven intrusions in a hurry", _LOWER)


@set_the_limits.attack("Quiet days stay quiet")
def _(answer: Answer, rng: random.Random) -> None:
    result, month = _graded(_watch(answer), rng, days=QUIET_DAYS, kinds=())
    _must_be_readable(
        result,
        month,
        "five days on which nobody attacked",
        _RAISE,
    )


_LAX = {"accounts": 400, "accounts_an_hour": 400, "invoices": 400, "customers_at_night": 30}


@set_the_limits.attack("Whoever is patient and has a botnet is found too", weak={"limits": _LAX})
def _(answer: Answer, rng: random.Random) -> None:
    result, month = _graded(_watch(answer), rng, evasion=log.EVASIONS)
    _must_find(result, "a week with seven intrusions that hide", _LOWER)
    _must_be_readable(result, month, "a week with seven intrusions that hide", _RAISE)


watch_the_log = Exercise(
    "traffic.intrusion.watch_the_log",
    "Write the detector",
    parts=[Part("alert", returns=(bool, set, frozenset, list, tuple))],
    starter='''from collections import Counter

from labs.traffic.intrusion import detectors


def alert(window):
    """Return the addresses and users to accuse, or an empty set."""
    failures = Counter()
    for entry in window.entries:  # window.day: the last 24 hours
        if entry.path == "/login" and entry.status == 401:
            failures[entry.address] += 1
    accused = {name for name, count in failures.items() if count >= 10}
    for entry in window.entries:
        if detectors.matches_weak(entry.path):
            accused.add(entry.address)
    return accused''',
    weak={"alert": detectors.alert_weak},
    reference={"alert": detectors.alert},
    hints=Hints(
        nudge="Two kinds never fail a login and match no signature. What do they do too much of?",
        concept="Count different things, not events: accounts for each address, invoices for each "
        "account, customers for each member of support. And one count for the whole service, for "
        "those who use every address once.",
        place="Fill sets in a `defaultdict(set)` from `window.day`. Replace `matches_weak` by "
        '`matches`. For the count from anywhere use `window.entries`, and add `"anybody"` to the '
        "accused: an alarm without a name.",
        solution="""from collections import defaultdict

from labs.traffic.intrusion import detectors


def alert(window):
    failing, reading, opening = defaultdict(set), defaultdict(set), defaultdict(set)
    for entry in window.day:
        if entry.status == 401:
            failing[entry.address].add(entry.user)
        elif entry.path.startswith("/invoices/"):
            reading[entry.user].add(entry.path)
        elif entry.path.startswith("/admin/") and not 6 <= entry.time / 3600 % 24 < 20:
            opening[entry.user].add(entry.path)
    accused = set()
    for seen, limit in ((failing, 16), (reading, 90), (opening, 9)):
        accused |= {name for name, things in seen.items() if len(things) >= limit}
    accused |= {e.address for e in window.entries if detectors.matches(e.path)}
    if len({e.user for e in window.entries if e.status == 401}) >= 12:
        accused.add("anybody")  # an alarm without a name
    return accused""",
    ),
    next_step="Slow the guessing down without locking Maja out.",
)


@watch_the_log.honest("Five quiet days bring at most one false alarm a day")
def _(answer: Answer, rng: random.Random) -> None:
    result, month = _graded(answer.alert, rng, days=QUIET_DAYS, kinds=())
    _must_be_readable(result, month, "five days on which nobody attacked", _QUIETER)


_QUIETER = "Raise the limit that rings most. Ask of each alarm what a person could do about it."


@watch_the_log.attack("While nobody hides, every intrusion is found and no customer accused")
def _(answer: Answer, rng: random.Random) -> None:
    result, month = _graded(answer.alert, rng)
    given = "a week with seven intrusions, none of which hides"
    _must_find(result, given)
    _must_be_readable(result, month, given, _QUIETER)


@watch_the_log.attack("Whoever hides in every way at once is found")
def _(answer: Answer, rng: random.Random) -> None:
    result, _ = _graded(answer.alert, rng, evasion=log.EVASIONS)
    _must_find(result, "a week with seven intrusions: disguised, slow, from many addresses")


slow_the_guessing = Exercise(
    "traffic.intrusion.slow_the_guessing",
    "Slow guessing down without locking the owner out",
    parts=[Part("may_try", returns=bool)],
    starter='''def may_try(known, past):
    """Return True if this attempt to sign in is looked at.

    known: whether this device has signed in to this account before
    past: failures in the last 24 hours, to be counted in three ways:
      past.account  at this account, from unknown devices
      past.device   at this account, from this device, if it is known
      past.address  at any account, from this address, unknown devices
    """
    return past.account + past.device < 5''',
    weak={"may_try": prevention.may_try_weak},
    reference={"may_try": prevention.may_try},
    hints=Hints(
        nudge="Who can close Maja's account now, and what does it take?",
        concept="A device that has signed in before is no stranger: give it a count of its own. "
        "Then strangers can use up only the strangers' share.",
        place="Begin with `if known:` and look at `past.device`. For the others, `past.account` "
        "stops a botnet and `past.address` stops whoever tries one password on everybody.",
        solution="""def may_try(known, past):
    if known:
        return past.device < 25
    return past.account < 40 and past.address < 60""",
    ),
    next_step="Read the questions for a vendor, and ask one this week.",
)

MOST_GUESSES = 100


def _must_get_in(answer: Answer, known: bool, past: prevention.Past, **why: str) -> None:
    if not answer.may_try(known, past):
        raise Failed(**why)


def _must_stop(
    answer: Answer,
    rng: random.Random,
    past: Callable[[int], prevention.Past],
    given: str,
    missing: str,
    nudge: str,
    *,
    known: bool = False,
) -> None:
    """Guess on where a hundred guesses have failed; a refused guess leaves the counts alone."""
    for failures in (MOST_GUESSES, rng.randrange(MOST_GUESSES + 1, 5_000)):
        if answer.may_try(known, past(failures)):
            raise Failed(
                given=given,
                happened=f"after {failures:,} failures in a day the next guess was looked at; "
                f"NIST's limit is {MOST_GUESSES}",
                missing=missing,
                nudge=nudge,
            )


def _after(slips: int, known: bool) -> prevention.Past:
    """What has been counted when somebody alone has mistyped: a known device is counted apart."""
    if known:
        return prevention.Past(device=slips)
    return prevention.Past(account=slips, address=slips)


@slow_the_guessing.honest("Maja gets in, and after two slips too")
def _(answer: Answer, _rng: random.Random) -> None:
    for slips in range(3):
        for known in (True, False):
            _must_get_in(
                answer,
                known,
                _after(slips, known),
                given=f"Maja, after {slips} slips on {'her laptop' if known else 'a new phone'}",
                happened="she was refused",
                missing="room for people who mistype",
                nudge="Nobody has attacked yet. Let a few failures pass.",
            )


@slow_the_guessing.attack("Maja gets in on her laptop while strangers guess at her account")
def _(answer: Answer, rng: random.Random) -> None:
    for failures in (5, 60, rng.randrange(500, 5_000)):
        _must_get_in(
            answer,
            True,
            prevention.Past(account=failures, device=rng.randrange(2), address=0),
            given=f"Maja on her laptop, after {failures:,} failures of strangers at her account",
            happened="she was refused, and anybody who knows her name can do that to her",
            missing="a count for known devices that strangers cannot fill",
            nudge="Look at `known` first, and then at `past.device` alone.",
        )


@slow_the_guessing.attack(
    "Hundreds of addresses get no more than a hundred guesses together",
    weak={"may_try": lambda _known, past: past.device < 5 and past.address < 5},
)
def _(answer: Answer, rng: random.Random) -> None:
    _must_stop(
        answer,
        rng,
        lambda failures: prevention.Past(account=failures),
        "guesses at Maja's account, each from another address",
        "a count for the account, wherever the guesses come from",
        "Each address has few failures, the account has many: `past.account`.",
    )


@slow_the_guessing.attack(
    "One password tried on everybody is stopped at its address",
    weak={"may_try": lambda known, past: (past.device if known else past.account) < 50},
)
def _(answer: Answer, rng: random.Random) -> None:
    _must_stop(
        answer,
        rng,
        lambda failures: prevention.Past(address=failures),
        "one common password, tried from one address on account after account",
        "a count for the address, whatever the account",
        "Each account has one failure, the address has many: `past.address`.",
    )


@slow_the_guessing.attack(
    "A known device that guesses is stopped as well",
    weak={"may_try": lambda known, past: known or (past.account < 50 and past.address < 80)},
)
def _(answer: Answer, rng: random.Random) -> None:
    _must_stop(
        answer,
        rng,
        lambda failures: prevention.Past(device=failures),
        "Maja's stolen laptop, and guesses on it",
        "a limit for known devices too",
        "Known is not the same as harmless. Give `past.device` a limit.",
        known=True,
    )


@slow_the_guessing.attack("Somebody who slips eight times still gets in")
def _(answer: Answer, rng: random.Random) -> None:
    slips = rng.randrange(7, 9)
    for known in (True, False):
        _must_get_in(
            answer,
            known,
            _after(slips, known),
            given=f"Olle with his new keyboard, after {slips} slips",
            happened="he was refused until tomorrow",
            missing="patience: eight guesses in a day are no attack",
            nudge="Against guessing, 50 tries are nearly as good as 5. For people they are not.",
        )


@slow_the_guessing.attack(
    "A whole office behind one address can start work",
    weak={"may_try": lambda _known, past: past.account + past.device < 20 and past.address < 5},
)
def _(answer: Answer, rng: random.Random) -> None:
    failures = rng.randrange(15, 25)
    _must_get_in(
        answer,
        False,
        prevention.Past(account=1, address=failures),
        given=f"Siv on a new computer, in an office whose address has {failures} failures today",
        happened="she was refused for what her colleagues mistyped",
        missing="room for people who share an address",
        nudge="Raise the limit for `past.address`; a hundred guesses are still few.",
    )
