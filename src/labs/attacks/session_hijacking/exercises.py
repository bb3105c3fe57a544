"""The exercises of the lesson: questions for everyone, two repairs for builders.

Answers are judged by what happens to them. A session store is used by people who work all morning
and by a thief who counts, plants, copies and waits; the clock is the checker's. A cookie is given
to the model browser and taken to the places where cookies get lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from labs.attacks.session_hijacking import model, roads
from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz, matching

looks_random = Quiz(
    "attacks.session_hijacking.looks_random",
    "Somebody collects 200 ids of a service and measures how random they look. One of the four "
    "recipes is a plain counter, passed through a hash. What will the three measurements say?",
    [
        Option(
            "That it is a counter: the steps are all one",
            "The steps of the counter are. What comes out of the hash takes no steps at all.",
        ),
        Option(
            "That it is as good as 128 random bits",
            "And whoever knows the recipe needs one guess. A measurement can find weakness. It "
            "cannot show strength.",
            correct=True,
        ),
        Option(
            "Something between, because a hash adds some randomness",
            "A hash adds none: the same number gives the same fingerprint on every machine.",
        ),
    ],
    prediction=True,
)

signed_out = Quiz(
    "attacks.session_hijacking.signed_out",
    "Maja notices something odd, signs out, and her browser deletes the cookie. A thief copied the "
    "id this morning. What can he still do?",
    [
        Option(
            "Nothing, for the session is over",
            "Her browser forgot the id. The thief did not, and nobody has told the server.",
        ),
        Option(
            "Everything, unless the server ends the session too",
            "A cookie is a copy. What the server remembers is the session.",
            correct=True,
        ),
        Option(
            "Only read, not change",
            "The server sees the same id as before. It knows no second-class copies.",
        ),
    ],
    prediction=True,
)

first_seconds = Quiz(
    "attacks.session_hijacking.first_seconds",
    "A service signs people in over https, and the cookie has no Secure. Maja types "
    "`kvittra.example` without https, in a café. The service answers by sending her to https at "
    "once. Was her session seen?",
    [
        Option(
            "No, the page itself came over https",
            "The page did. The question that came before it went in the clear.",
        ),
        Option(
            "Yes, with the very first request",
            "The browser adds the cookie before it knows the answer. Secure is what tells it not "
            "to.",
            correct=True,
        ),
        Option(
            "Only if the café's Wi-Fi has no password",
            "Everybody in the café has the password, and so does the owner of the router.",
        ),
    ],
)

which_vendor = Quiz(
    "attacks.session_hijacking.which_vendor",
    "You ask four vendors what ends a session of yours. Whose answer can you check?",
    [
        Option(
            "“Our ids are 256 bits long and practically unbreakable.”",
            "Nobody breaks ids. They are stolen, planted and kept. What ends one?",
        ),
        Option(
            "“Half an hour of rest, eight hours at most, sign-out and a new password, on the "
            "server.”",
            "Sign out with a second browser open, wait for lunch, change your password: each part "
            "of it can be tried in a minute or an hour.",
            correct=True,
        ),
        Option(
            "“Users should always sign out.”",
            "They should, and it must then mean something. What happens at the server?",
        ),
        Option(
            "“All traffic is encrypted.”",
            "That closes one road of six.",
        ),
    ],
)

LETTERS = dict(
    zip(
        ("predict", "fixate", "steal by script", "steal over plain http", "replay after sign-out"),
        "abcde",
        strict=True,
    )
)
"""What the matching exercise asks, with the letter of the answer."""

match_roads = matching(
    "attacks.session_hijacking.match_roads",
    "Match each road with what closes it",
    part="closed_by",
    choices=(
        "128 random bits in each id",
        "a new id at sign-in",
        "HttpOnly on the cookie",
        "Secure on the cookie",
        "the server forgets the id",
    ),
    answers=LETTERS,
    nudges={
        "predict": "He has seen no id of hers. What keeps him from computing it?",
        "fixate": "He knows the id from the start, however random it is. When must it become "
        "another?",
        "steal by script": "The id is good and new, and a page hands it to a script.",
        "steal over plain http": "The cookie travels where everybody reads. Which mark keeps it "
        "home?",
        "replay after sign-out": "He has had a copy since this morning. Who must forget it?",
    },
    item="road",
    claim="It is known what closes this road: {}",
    missing="what closes this road",
    mismatch="{choice} does not close it",
    nudge="Each letter is used once. Where is the id when the thief gets it: in his head, in "
    "his link, in a page, in the air, in his drawer?",
    concept="What cannot be guessed can still be planted; what is new at sign-in can still be "
    "copied; what was copied works until the server forgets it.",
    next_step="Builders go on below. Everybody else can jump to the questions for a vendor.",
)


# Exercise: a session store.

_STORE = ("start", "sign_in", "find", "sign_out", "end_all")

sessions_that_end = Exercise(
    "attacks.session_hijacking.sessions_that_end",
    "Keep sessions that nobody can guess, plant, replay or keep",
    parts=[
        Part("start", returns=str),
        Part("sign_in", returns=str),
        Part("find", returns=(str, type(None))),
        Part("sign_out"),
        Part("end_all"),
    ],
    starter='''def start(sessions, now):
    """Begin a session for a visitor who has not signed in; return its id."""
    id = f"{int(now * 1000):012x}{len(sessions):08x}"
    sessions[id] = {"user": None, "started": now, "seen": now}
    return id


def sign_in(sessions, id, user, now):
    """Sign the user in; return the id that the browser sends from now on."""
    sessions.setdefault(id, {"started": now, "seen": now})["user"] = user
    return id


def find(sessions, id, now):
    """Return the user whose request brings this id, or None.

    30 minutes after the last request, or 8 hours after signing in, it is over.
    """
    return sessions[id]["user"] if id in sessions else None


def sign_out(sessions, id):
    """End this session."""


def end_all(sessions, user):
    """End all sessions of this user, who has chosen a new password."""''',
    weak={name: getattr(model, f"{name}_weak") for name in _STORE},
    reference={name: getattr(model, name) for name in _STORE},
    hints=Hints(
        nudge="`sessions` is a dictionary, and it is the server's memory. Which of the five "
        "functions never takes anything out of it?",
        concept="An id comes from the operating system's chance, 128 bits of it. Signing in is a "
        "new session, not a note in the old one. Over is over on the server, and time ends a "
        "session in two ways: by rest and by age.",
        place="`start`: the id. `sign_in`: forget the old id, start anew. `find`: compare `now` "
        "with two moments, then move one of them. The last two: delete.",
        solution="""import secrets


def start(sessions, now):
    id = secrets.token_hex(16)
    sessions[id] = {"user": None, "started": now, "seen": now}
    return id


def sign_in(sessions, id, user, now):
    sessions.pop(id, None)
    new = start(sessions, now)
    sessions[new]["user"] = user
    return new


def find(sessions, id, now):
    session = sessions.get(id)
    if session is None:
        return None
    if now - session["seen"] >= 30 * 60 or now - session["started"] >= 8 * 60 * 60:
        del sessions[id]
        return None
    session["seen"] = now
    return session["user"]


def sign_out(sessions, id):
    sessions.pop(id, None)


def end_all(sessions, user):
    for id in [id for id, session in sessions.items() if session["user"] == user]:
        del sessions[id]""",
    ),
    next_step="The store is sound. Now the cookie that carries the id.",
    seconds=4.8,
)

_NOON = roads.NOON
_MINUTE = 60.0
_HOUR = 3_600.0


def _signed_in(answer: Answer, sessions: dict[str, Any], user: str, now: float) -> str:
    id: str = answer.sign_in(sessions, answer.start(sessions, now), user, now)
    return id


def _works(
    answer: Answer, sessions: dict[str, Any], id: str, user: str, now: float, *, given: str,
    nudge: str,
) -> None:  # fmt: skip
    found = answer.find(sessions, id, now)
    if found != user:
        raise Failed(
            given=given,
            happened=f"the service took {user.capitalize()} for "
            + (str(found) if found else "nobody: signed out in the middle of work"),
            missing="a session that lasts as long as honest work does",
            nudge=nudge,
        )


@sessions_that_end.honest("Maja works all morning, with breaks")
def _(answer: Answer, rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    now = _NOON
    id = _signed_in(answer, sessions, "maja", now)
    until = now + 7.8 * _HOUR
    while now < until:
        _works(
            answer, sessions, id, "maja", now,
            given=f"Maja, signed in for {(now - _NOON) / _HOUR:.1f} hours, with a break of at most "
            "29 minutes now and then",
            nudge="Each request moves the moment from which the 30 minutes count.",
        )  # fmt: skip
        now += rng.choice((5, 14, 29)) * _MINUTE


@sessions_that_end.honest("Maja works at the counter and on her phone")
def _(answer: Answer, _rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    ids = [_signed_in(answer, sessions, "maja", _NOON + n) for n in range(2)]
    olle = _signed_in(answer, sessions, "olle", _NOON + 2)
    for id, user in ((ids[0], "maja"), (ids[1], "maja"), (olle, "olle")):
        _works(
            answer, sessions, id, user, _NOON + 60,
            given="Maja on two devices and Olle on one, signed in within three seconds",
            nudge="A new session takes nothing from those that others, or other devices, have.",
        )  # fmt: skip
    answer.sign_out(sessions, ids[1])
    for id, user in ((ids[0], "maja"), (olle, "olle")):
        _works(
            answer, sessions, id, user, _NOON + 90,
            given=f"{user.capitalize()} at work, after Maja signed out on her phone",
            nudge="Signing out ends one session: the one with that id.",
        )  # fmt: skip
    answer.end_all(sessions, "maja")
    _works(
        answer, sessions, olle, "olle", _NOON + 120,
        given="Olle at work, after Maja chose a new password",
        nudge="End the sessions of that user and of nobody else.",
    )  # fmt: skip


@sessions_that_end.honest("Before signing in, nobody is signed in")
def _(answer: Answer, rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    id = answer.start(sessions, _NOON)
    unknown = f"{rng.getrandbits(128):032x}"
    for one in (id, unknown):
        found = answer.find(sessions, one, _NOON + 1)
        if found is not None:
            raise Failed(
                given="a visitor who has not signed in",
                happened=f"the service took the visitor for {found}",
                missing="None for everybody who has not signed in",
                nudge="An id alone says nothing. The user is what `sign_in` wrote beside it.",
            )
    answer.sign_out(sessions, unknown)  # somebody clicks twice: that must not raise
    answer.end_all(sessions, "nobody")


@sessions_that_end.honest("Somebody whose session has run out signs in again")
def _(answer: Answer, _rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    id = _signed_in(answer, sessions, "maja", _NOON)
    later = _NOON + 9 * _HOUR
    answer.find(sessions, id, later)
    again = answer.sign_in(sessions, id, "maja", later + 60)
    _works(
        answer, sessions, again, "maja", later + 120,
        given="Maja, signed in a minute ago, with a cookie of yesterday's in her browser",
        nudge="Signing in begins a session with moments of its own.",
    )  # fmt: skip


_SAMPLE = 48
_ENOUGH_BITS = 100
"""128 random bits measure as 110 to 123 in so small a sample."""


@sessions_that_end.attack("Nobody can guess the next id")
def _(answer: Answer, rng: random.Random) -> None:
    moments = [_NOON + 0.040 * n + rng.random() * 0.030 for n in range(_SAMPLE)]
    state = random.getstate()

    def run(seed: int, count: int) -> list[str]:
        random.seed(seed)
        sessions: dict[str, Any] = {}
        ids = [answer.start(sessions, now) for now in moments[:count]]
        return [*ids, answer.sign_in(sessions, ids[-1], "maja", moments[count - 1])]

    try:
        first, same, other = run(1, _SAMPLE), run(1, 4), run(2, 4)
    finally:
        random.setstate(state)
    if any(not id for id in first) or len(set(first[:-1])) < _SAMPLE:
        raise Failed(
            given=f"{_SAMPLE} visitors",
            happened="two of them got the same id, or an empty one",
            missing="an id of its own for each session",
            nudge="Draw each id anew.",
        )
    if first[:4] == other[:4]:
        raise Failed(
            given="your functions on the thief's own machine, at the same moments",
            happened=f"he computes the same ids: {first[0][:32]} and so on",
            missing="chance that nobody else can repeat",
            nudge="A time, a counter and a name can be known or tried, and a hash of them too. "
            "Ask the operating system for random bytes, with the module `secrets`.",
        )
    if first[:4] == same[:4]:
        raise Failed(
            given="the state of the module `random`, which 624 of its numbers give away",
            happened="the thief computes the ids that follow",
            missing="chance that is made for secrets",
            nudge="The module `random` is made for games and simulations. Use `secrets`.",
        )
    drawn = first[:_SAMPLE]
    bits = min(model.position_bits(drawn), model.difference_bits(drawn))
    if bits < _ENOUGH_BITS:
        raise Failed(
            given=f"{_SAMPLE} ids of yours in a row",
            happened=f"they differ by about {bits:.0f} bits from one to the next",
            missing="128 random bits in each id",
            nudge="Sixteen random bytes are 128 bits. Letters that follow from the time or from "
            "the id before do not count.",
        )


@sessions_that_end.attack("A planted id is worth nothing after sign-in")
def _(answer: Answer, rng: random.Random) -> None:
    for planted_by in ("start", "nobody", "siv"):
        sessions: dict[str, Any] = {}
        if planted_by == "nobody":
            planted = f"{rng.getrandbits(128):032x}"
        elif planted_by == "siv":
            planted = _signed_in(answer, sessions, "siv", _NOON)
        else:
            planted = answer.start(sessions, _NOON)
        id = answer.sign_in(sessions, planted, "maja", _NOON + 60)
        for moment in (61, 120):
            found = answer.find(sessions, planted, _NOON + moment)
            if found == "maja":
                said = {
                    "start": "an id that the service gave to the thief, planted in her browser",
                    "nobody": "an id that the thief has made up, planted in her browser",
                    "siv": "the browser in which Siv was signed in, and Siv's old id",
                }[planted_by]
                raise Failed(
                    given=f"{said}; then Maja signs in there",
                    happened="whoever knows the planted id is Maja now",
                    missing="a new id at sign-in, and an end for the old one",
                    nudge="Give out a new id, and take the old one out of `sessions`: two keys to "
                    "one session are one too many."
                    if id != planted
                    else "Signing in changes what an id is worth. So change the id.",
                )
            if found == "siv":
                raise Failed(
                    given="the browser in which Siv was signed in; then Maja signs in there",
                    happened="Siv's old id still opens Siv's account",
                    missing="an end for the session that was in this browser before",
                    nudge="Take the old id out of `sessions` when somebody signs in.",
                )


@sessions_that_end.attack("After sign-out a copied id opens nothing")
def _(answer: Answer, _rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    id = _signed_in(answer, sessions, "maja", _NOON)
    answer.sign_out(sessions, id)
    if answer.find(sessions, id, _NOON + 60) is not None:
        raise Failed(
            given="a copy of Maja's id, used a minute after she signed out",
            happened="the thief is Maja",
            missing="a sign-out that happens on the server",
            nudge="Her browser has forgotten the id. Now `sessions` must forget it too.",
        )


@sessions_that_end.attack("A session that rests is over after 30 minutes")
def _(answer: Answer, rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    id = _signed_in(answer, sessions, "maja", _NOON)
    answer.find(sessions, id, _NOON + 20 * _MINUTE)
    rest = (31 + rng.randrange(60)) * _MINUTE
    for more in (0, 60):
        if answer.find(sessions, id, _NOON + 20 * _MINUTE + rest + more) is not None:
            raise Failed(
                given=f"a copied id, after {rest / _MINUTE:.0f} minutes without a request",
                happened="the thief is Maja"
                + (", because he asked twice: being refused woke the session" if more else ""),
                missing="an end after 30 minutes of rest",
                nudge="Look at the last request first. Move that moment only if the session is "
                "still alive, and take a dead one out.",
            )


@sessions_that_end.attack("Even a busy session is over after 8 hours")
def _(answer: Answer, _rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    id = _signed_in(answer, sessions, "maja", _NOON)
    for step in range(1, 30):
        now = _NOON + step * 20 * _MINUTE
        if answer.find(sessions, id, now) is not None and now - _NOON > 8.1 * _HOUR:
            raise Failed(
                given="a copied id, with a request every 20 minutes",
                happened=f"after {(now - _NOON) / _HOUR:.1f} hours the thief is still Maja",
                missing="an end 8 hours after signing in",
                nudge="Requests move the moment of the last request. They must not move the "
                "moment of signing in.",
            )


@sessions_that_end.attack("A new password ends every session")
def _(answer: Answer, _rng: random.Random) -> None:
    sessions: dict[str, Any] = {}
    ids = [_signed_in(answer, sessions, "maja", _NOON + n) for n in range(3)]
    answer.end_all(sessions, "maja")
    open_still = [id for id in ids if answer.find(sessions, id, _NOON + 60) is not None]
    if open_still:
        raise Failed(
            given="three devices of Maja's, one of them the thief's, and a new password",
            happened=f"{len(open_still)} of the 3 sessions are still open",
            missing="an end for all of them",
            nudge="Go through all of `sessions`. Collect the ids first, then delete them.",
        )


# Exercise: the cookie.

cookie_line = Exercise(
    "attacks.session_hijacking.cookie_line",
    "Write a session cookie that stays where it belongs",
    parts=[Part("session_cookie", returns=str)],
    starter='''def session_cookie(value):
    """Return the Set-Cookie line that hands a browser its session id.

    It is sent over https, from /sign-in. Every page of Kvittra needs the cookie, and a
    link in a mail or on another site must find Maja signed in.
    """
    return f"session={value}"''',
    weak={"session_cookie": model.session_cookie_weak},
    reference={"session_cookie": model.session_cookie},
    hints=Hints(
        nudge="Run `roads.cookie_test(session_cookie('7'))` in a cell of your own, after "
        "`from labs.attacks.session_hijacking import roads`. Each field is one place where it "
        "got lost.",
        concept="A mark against scripts, one against plain http, one against other sites' forms. "
        "Against a sibling host no mark helps, but a name does: with the prefix `__Host-` a "
        "browser keeps the cookie only if it belongs to one host.",
        place="Behind the value, four attributes, parted by `; `. Before the name, the prefix, "
        "which insists on two of them.",
        solution="""def session_cookie(value):
    return f"__Host-session={value}; Path=/; Secure; HttpOnly; SameSite=Lax\"""",
    ),
    next_step="Two repairs hold. What is left are the questions for a vendor.",
)


def _cookie(answer: Answer, rng: random.Random) -> tuple[roads.CookieTest, str]:
    value = f"{rng.getrandbits(128):032x}"
    return roads.cookie_test(answer.session_cookie(value)), value


@cookie_line.honest("Every page of Kvittra gets the cookie")
def _(answer: Answer, rng: random.Random) -> None:
    test, value = _cookie(answer, rng)
    if not test.stored.stored:
        raise Failed(
            given="your line, sent to the browser",
            happened=f"it refused the cookie: {test.stored.reason}",
            missing="a line that a browser accepts",
            nudge="The browser says what it needs. A prefix is a promise, and the line has to "
            "keep it.",
        )
    for path, sent in test.paths.items():
        if f"={value}" not in sent:
            raise Failed(
                given=f"Maja on the page {path}",
                happened="the cookie was not sent",
                missing="a cookie for the whole service",
                nudge="Without `Path=/` a cookie belongs to the folder in which it was set. And "
                "its value must be the one that you were given.",
            )


@cookie_line.honest("A link on another site finds Maja signed in")
def _(answer: Answer, rng: random.Random) -> None:
    test, value = _cookie(answer, rng)
    if f"={value}" not in test.linked:
        raise Failed(
            given="a link to an invoice, in Maja's web mail",
            happened="Kvittra asked her to sign in, although she was",
            missing="a cookie that comes along when she follows a link",
            nudge="`SameSite=Strict` stays home even then. What is the milder word?",
        )


def _loses(claim: str, where: Callable[[roads.CookieTest], str], happened: str, nudge: str) -> None:
    @cookie_line.attack(claim)
    def _(answer: Answer, rng: random.Random) -> None:
        test, value = _cookie(answer, rng)
        if value in where(test):
            raise Failed(
                given=f"a session cookie with the value {value[:8]}…",
                happened=happened,
                missing=claim[0].lower() + claim[1:],
                nudge=nudge,
            )


_loses(
    "A cookie that no script can read",
    lambda test: test.read,
    "`document.cookie` showed it to a script in the page",
    "There is an attribute that hides a cookie from scripts.",
)
_loses(
    "A cookie that never goes over plain http",
    lambda test: test.heard,
    "it went over plain http, where the whole café reads along",
    "There is an attribute that keeps a cookie on https.",
)
_loses(
    "A cookie that no other site can send with a form",
    lambda test: test.posted,
    "a form on evil.example sent itself, and the cookie came along",
    "Say with `SameSite` which visits count. Saying nothing leaves two minutes open, and "
    "`None` leaves everything open.",
)


@cookie_line.attack(
    "A cookie that no sibling host receives",
    weak={"session_cookie": lambda value: f"session={value}; Domain={roads.HOST}"},
)
def _(answer: Answer, rng: random.Random) -> None:
    value = f"{rng.getrandbits(128):032x}"
    if value in roads.sent_to_sibling(answer.session_cookie(value)):
        raise Failed(
            given="Maja, who opens a page on status.kvittra.example",
            happened="her session cookie went there",
            missing="a cookie for one host",
            nudge="`Domain` makes a cookie wider, never narrower. Leave it out.",
        )


@cookie_line.attack("A cookie that no sibling host can cover")
def _(answer: Answer, rng: random.Random) -> None:
    test, _value = _cookie(answer, rng)
    if roads.PLANTED in test.overwritten:
        raise Failed(
            given="a page on status.kvittra.example, which somebody has taken over",
            happened="it set a cookie of that name for all of kvittra.example, and the bank page "
            "got that one first",
            missing="a name that only the host itself can use",
            nudge="No attribute helps here, since the other cookie brings its own. Look for a "
            "prefix of the name that browsers accept from one host alone.",
        )
