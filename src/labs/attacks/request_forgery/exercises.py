"""The exercises of the lesson: questions and a matrix for everyone, two repairs for builders.

A repair is put into Kvittra and visited in the model browser. What counts is whether a forged
request changed anything there, and whether honest people could still work.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labs.attacks.request_forgery import model
from labs.attacks.request_forgery.visits import (
    INVOICE,
    OLD_BROWSER,
    PAY,
    SILENT,
    SITES,
    Sites,
    World,
    attack_page,
)
from labs.kvittra import forgery
from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz

cake_recipe = Quiz(
    "attacks.request_forgery.cake_recipe",
    "Maja is signed in at Kvittra. In another tab she opens a cake recipe on `evil.example`. The "
    "page holds a form that points at Kvittra and sends itself. What can the page do?",
    [
        Option(
            "Nothing: a page can only send to its own site",
            "Forms and images have pointed at other sites since the web began. A search box on a "
            "blog does it.",
        ),
        Option(
            "Read Maja's invoices",
            "The browser shows the answer to Maja and keeps it from the page. Reading is guarded.",
        ),
        Option(
            "Make Kvittra do something in Maja's name",
            "The page sends blindly. It never sees the answer, and it does not need to.",
            correct=True,
        ),
        Option(
            "Steal Maja's cookie",
            "The cookie goes to Kvittra and to nobody else. The page uses it without seeing it.",
        ),
    ],
    prediction=True,
)

sibling = Quiz(
    "attacks.request_forgery.sibling",
    "The cookie says `SameSite=Strict`. Somebody takes over `status.kvittra.example`, an old "
    "status page, and puts the form there. Does Kvittra's cookie go along?",
    [
        Option(
            "No: it is another host",
            "Another host and another origin, yes. But the attribute asks about the site, and a "
            "site ends where somebody registered a name.",
        ),
        Option(
            "Yes: both belong to the site `kvittra.example`",
            "SameSite means what it says. Everything below one registered name is one site.",
            correct=True,
        ),
        Option(
            "Only with a link, not with a form",
            "That is the difference between Lax and Strict, for requests from another site.",
        ),
    ],
    prediction=True,
)

two_minutes = Quiz(
    "attacks.request_forgery.two_minutes",
    "A developer tests a form from another site against a cookie without `SameSite`. It works. She "
    "repeats it after lunch, without signing in again, and it fails. What happened?",
    [
        Option(
            "Somebody repaired the service over lunch",
            "Nothing was repaired. Sign in again and the attack works again.",
        ),
        Option(
            "The session had expired",
            "Then she would have to sign in. She is still signed in; only the cookie stayed away.",
        ),
        Option(
            "The cookie grew older than two minutes",
            "For the first two minutes Chromium lets such a cookie travel with a form. Then it "
            "treats it as Lax.",
            correct=True,
        ),
    ],
)

which_vendor = Quiz(
    "attacks.request_forgery.which_vendor",
    "You ask four vendors what keeps another site from acting in your name. Whose answer tells you "
    "that the promise holds?",
    [
        Option(
            "“Modern browsers prevent that.”",
            "They prevent a part of it, by a default that differs between browsers and that "
            "neighbors below the same name walk past.",
        ),
        Option(
            "“All traffic is encrypted with TLS.”",
            "A forged request is encrypted too. It comes from your own browser.",
        ),
        Option(
            "“We check the Referer header.”",
            "A page can leave it out or dress it up. Ask what happens when it is missing.",
        ),
        Option(
            "“Every form has a token for its session, the cookie is Lax, requests from other "
            "origins are refused, and a test tries each form without its token.”",
            "Three independent answers, and something that notices when a form forgets one.",
            correct=True,
        ),
    ],
)


def solution_row(sender: str) -> str:
    """The right marks for one row of the matrix, as the model browser decides."""
    marks = [
        "y" if model.travels(sender, way, attribute).sent else "n"
        for attribute, way in model.COLUMNS
    ]
    return "      ".join(f"{marks[at]}    {marks[at + 1]}" for at in range(0, len(marks), 2))


_HEAD = """#                                      Strict      Lax         None
#                                      link form   link form   link form
"""


def _matrix(rows: Mapping[str, str]) -> str:
    lines = [f'    "{sender}":'.ljust(38) + f'"{marks}",' for sender, marks in rows.items()]
    return _HEAD + "matrix = {\n" + "\n".join(lines) + "\n}"


_ALL_YES = dict.fromkeys(model.SENDERS, "y  y  y  y  y  y")
_ALL_NO = dict.fromkeys(model.SENDERS, "n  n  n  n  n  n")

_KEY = {sender: solution_row(sender) for sender in model.SENDERS}

fill_matrix = Exercise(
    "attacks.request_forgery.fill_matrix",
    "Say when the cookie goes along",
    parts=[Part("matrix", value=dict)],
    starter=_matrix(dict.fromkeys(model.SENDERS, "?    ?      ?    ?      ?    ?")),
    weak={"matrix": _ALL_NO},
    reference={"matrix": _KEY},
    hints=Hints(
        nudge="Which of the five are the same site as https://kvittra.example? Ask who registered "
        "the name, and compare the scheme too.",
        concept="Same site: it always goes along, whatever the attribute says. Another site: "
        "Strict never, None always, Lax only when the address bar changes and nothing is sent.",
        place="The first three rows are alike, and so are the last two. Neither the port nor the "
        "first label of the host counts.",
        solution=_matrix(_KEY),
    ),
    next_step="Show the reasons in the next cell. Builders then write the checks themselves.",
)


def _row_check(sender: str) -> Callable[[Answer, random.Random], None]:
    def check(answer: Answer, _rng: random.Random) -> None:
        marks = model.marks(answer.matrix.get(sender))
        for number, (attribute, way) in enumerate(model.COLUMNS):
            decision = model.travels(sender, way, attribute)
            mark = marks[number] if number < len(marks) else "?"
            said = {"y": True, "yes": True, "n": False, "no": False}.get(mark)
            if said is decision.sent:
                continue
            sent = "sent" if decision.sent else "did not send"
            raise Failed(
                given=f"{sender} ({model.SENDERS[sender]}), SameSite={attribute}, "
                f"{model.WAYS[way]}",
                happened=f"the model browser {sent} the cookie, and the reason it gave is: "
                f"{decision.reason}"
                if said is not None
                else "there is no y or n here yet",
                missing="the same answer in your matrix" if said is not None else "a mark",
                nudge=_ROW_NUDGES[sender],
            )

    return check


_ROW_NUDGES = {
    "https://kvittra.example": "The page and the target are one. What would SameSite mean here?",
    "https://kvittra.example:8443": "A site is a scheme and a registered name. No port is in it.",
    "https://status.kvittra.example": "A site is a scheme and a registered name. Who registered "
    "this one?",
    "http://kvittra.example": "The scheme belongs to the site. Anybody on the way can write a "
    "page that comes over plain http.",
    "https://evil.example": "Strict keeps it home, None lets it go. Lax lets it go with a link.",
}

for _sender in model.SENDERS:
    _other = sorted(set(_KEY[_sender].split()))
    fill_matrix.attack(
        f"The row is right: {_sender}",
        weak={"matrix": _ALL_NO if _other == ["y"] else _ALL_YES},
    )(_row_check(_sender))


@fill_matrix.honest("All five rows have six marks")
def _(answer: Answer, _rng: random.Random) -> None:
    for sender in model.SENDERS:
        count = len(model.marks(answer.matrix.get(sender)))
        if count != len(model.COLUMNS):
            raise Failed(
                given=f"the row {sender}",
                happened=f"it has {count} marks",
                missing="six marks",
                nudge="Write y or n six times, with spaces between them.",
            )


class _Watched:
    """A function of the answer as a part of Kvittra.

    Kvittra answers every exception with an error page, so what the answer raised is kept and
    raised again after the visit.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self.trouble: BaseException | None = None

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self._call(*arguments)
        except BaseException as error:
            self.trouble = self.trouble or error
            raise

    def settle(self) -> None:
        """Raise what the answer raised during the visit."""
        if self.trouble is not None:
            raise self.trouble


@dataclass(frozen=True)
class _Forged:
    """A forged request, with what to say when it came through."""

    given: str
    sender: str
    nudge: str
    way: str = "form"
    path: str = "/"
    quiet: bool = False
    tells_all: bool = False
    missing: frozenset[str] = frozenset()


def _allows_world(
    answer: Answer, *, missing: frozenset[str] = frozenset(), sites: Sites = SITES
) -> tuple[World, _Watched]:
    watched = _Watched(answer.allows)
    world = World(
        {"csrf_token_missing", "cookie_same_site_none"},
        replace={
            "from_own_page": lambda method, headers, origin: watched(method, dict(headers), origin)
        },
        sites=sites,
        missing=missing,
    )
    return world, watched


def _try_forged(answer: Answer, case: _Forged) -> None:
    world, watched = _allows_world(answer, missing=case.missing)
    page = attack_page(
        case.way,
        world.sites.kvittra + PAY,
        {"paid": "yes"},
        quiet=case.quiet,
        tells_all=case.tells_all,
    )
    world.visit(case.sender, page, path=case.path)
    watched.settle()
    if world.paid:
        raise Failed(
            given=case.given,
            happened=f"invoice {INVOICE} now counts as paid, and Maja never touched it",
            missing="a refusal of what was not asked for on Kvittra's own pages",
            nudge=case.nudge,
        )


def _always(method: str, headers: Mapping[str, str], origin: str) -> bool:
    return forgery.from_own_page_weak(method, headers, origin)


def _metadata_or_yes(_method: str, headers: Mapping[str, str], _origin: str) -> bool:
    return headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


who_asks = Exercise(
    "attacks.request_forgery.who_asks",
    "Let in only what Kvittra's own pages ask for",
    parts=[Part("allows", returns=bool)],
    starter='''def allows(method, headers, origin):
    """Return True if the request may go ahead.

    headers: a dict with names such as "Origin", "Referer" and "Sec-Fetch-Site".
    origin: Kvittra's own, such as "https://kvittra.example".
    """
    if method in ("GET", "HEAD", "OPTIONS"):
        return True
    host = origin.partition("://")[2]
    return host in headers.get("Referer", host)''',
    weak={"allows": model.from_own_page_by_referer},
    reference={"allows": forgery.from_own_page},
    hints=Hints(
        nudge="Which of the headers can a page leave out, and which can it not? What does your "
        "function say when there is none at all?",
        concept="Sec-Fetch-Site is the browser's own word: same-origin is us, none is the user. "
        "Browsers from before it send Origin with a POST; compare it whole. A header that is "
        "missing is no proof of anything.",
        place="The last two lines. Reading may stay allowed, so that links and bookmarks work.",
        solution="""def allows(method, headers, origin):
    if method in ("GET", "HEAD", "OPTIONS"):
        return True
    site = headers.get("Sec-Fetch-Site")
    sender = headers.get("Origin")
    if site is None and sender is None:
        return False
    return site in (None, "same-origin", "none") and sender in (None, origin)""",
    ),
    next_step="One more lock, of another kind: a token that only your own pages can know.",
)


def _forged(
    claim: str, *cases: _Forged, weak: Callable[..., bool] = model.from_own_page_by_referer
) -> None:
    @who_asks.attack(claim, weak={"allows": weak})
    def _(answer: Answer, _rng: random.Random) -> None:
        for case in cases:
            _try_forged(answer, case)


_SKIPPED = "No header is not a yes. Ask for one that says “here”, and refuse when there is none."
_WHOLE = (
    "Compare the whole of Origin, with == and with scheme and port. A piece of text can stand "
    "anywhere."
)
_NEIGHBOR = (
    "Same site is not same origin. Whoever takes over one host below yours may not act on yours."
)

_forged(
    "Another site's form and script change nothing",
    _Forged("a form on https://evil.example", SITES.evil, "Someone has to look at the headers."),
    _Forged(
        "a script's fetch on https://evil.example",
        SITES.evil,
        "A script's request has the same headers as a form's. Look at them.",
        way="fetch",
    ),
    weak=_always,
)
_forged(
    "Old browsers are guarded too",
    _Forged(
        "a form on https://evil.example, in a browser without Sec-Fetch headers",
        SITES.evil,
        "Where Sec-Fetch-Site is missing, Origin is there with every POST. Look at it.",
        missing=OLD_BROWSER,
    ),
    weak=_metadata_or_yes,
)
_forged(
    "A page that keeps its address secret changes nothing",
    _Forged(
        "a form on a page with the policy no-referrer: no Referer, and Origin says null",
        SITES.evil,
        _SKIPPED,
        quiet=True,
    ),
    _Forged(
        "the same form in a browser that sends no Sec-Fetch headers",
        SITES.evil,
        "null is what a page sends that will not say who it is. " + _SKIPPED,
        quiet=True,
        missing=OLD_BROWSER,
    ),
)
_forged(
    "A page with Kvittra's name in its address changes nothing",
    _Forged(
        "a form on https://evil.example/?from=kvittra.example, whole address in Referer",
        SITES.evil,
        _WHOLE,
        path="/?from=kvittra.example",
        tells_all=True,
    ),
    *(
        _Forged(
            f"a form on {origin}" + (", in a browser without Sec-Fetch headers" if old else ""),
            origin,
            _WHOLE,
            missing=OLD_BROWSER if old else frozenset(),
        )
        for origin in (
            "https://kvittra.example.evil.example",
            "https://notkvittra.example",
        )
        for old in (False, True)
    ),
)
_forged(
    "Neighbors change nothing: a sibling host, another port, plain http",
    *(
        _Forged(
            f"a form on {origin}" + (", in a browser without Sec-Fetch headers" if old else ""),
            origin,
            _NEIGHBOR if origin == SITES.sibling else _WHOLE,
            missing=OLD_BROWSER if old else frozenset(),
        )
        for origin in (SITES.sibling, "https://kvittra.example:8443", "http://kvittra.example")
        for old in (False, True)
    ),
    weak=forgery.from_own_page_sibling,
)
_forged(
    "A request without any of the headers changes nothing",
    _Forged(
        "a form on https://evil.example, and something on the way took out Origin, Referer and "
        "Sec-Fetch-Site",
        SITES.evil,
        _SKIPPED,
        missing=SILENT,
    ),
)


def _own_form(
    answer: Answer, given: str, nudge: str, *, way: str = "form", sites: Sites = SITES, **o: Any
) -> None:
    world, watched = _allows_world(answer, sites=sites, **o)
    page = attack_page(way, world.sites.kvittra + PAY, {"paid": "yes"})
    world.visit(world.sites.kvittra, page, path="/own")
    watched.settle()
    if not world.paid:
        raise Failed(
            given=given,
            happened="Kvittra refused, and the invoice stayed unpaid",
            missing="a yes to Kvittra's own forms",
            nudge=nudge,
        )


@who_asks.honest("Kvittra's own form and script work")
def _(answer: Answer, _rng: random.Random) -> None:
    nudge = "On its own pages the browser says `Sec-Fetch-Site: same-origin`."
    _own_form(answer, "Maja presses the button on Kvittra's own page", nudge)
    _own_form(answer, "a script of Kvittra's own page saves it with fetch", nudge, way="fetch")


@who_asks.honest("The own form works in an old browser")
def _(answer: Answer, _rng: random.Random) -> None:
    _own_form(
        answer,
        "Maja presses the button in a browser that sends no Sec-Fetch headers",
        "It sends `Origin` with every POST. Compare it with your own.",
        missing=OLD_BROWSER,
    )


@who_asks.honest("The own form works at another address")
def _(answer: Answer, rng: random.Random) -> None:
    home = f"https://books-{rng.randrange(100, 1000)}.example:{rng.randrange(2000, 9000)}"
    for missing in (frozenset[str](), OLD_BROWSER):
        _own_form(
            answer,
            f"the same form, with Kvittra at {home}",
            "Kvittra's address is handed to you as `origin`. Do not write it down.",
            missing=missing,
            sites=Sites(home),
        )


@who_asks.honest("A link from elsewhere and a bookmark open the page")
def _(answer: Answer, _rng: random.Random) -> None:
    path = f"/invoices/{INVOICE}"
    for given in ("a link to an invoice, in a mail that is open on another site", "a bookmark"):
        world, watched = _allows_world(answer)
        if given == "a bookmark":
            world.browser.open(world.sites.kvittra + path)
        else:
            page = attack_page("link", world.sites.kvittra + path)
            world.visit(world.sites.evil, page, click="a")
        watched.settle()
        if ("GET", 200) not in world.answers:
            raise Failed(
                given=given,
                happened="Kvittra refused to show the page",
                missing="a yes to reading",
                nudge="A GET changes nothing here. Allow it, or links and bookmarks end in a "
                "refusal.",
            )


def _token_world(answer: Answer, secret: bytes) -> tuple[World, _Watched, _Watched]:
    makes, checks = _Watched(answer.make_token), _Watched(answer.check_token)
    world = World(
        {"csrf_headers_unchecked", "cookie_same_site_none"},
        replace={"token_accepted": lambda sent, session, _issued: checks(sent, session.id, secret)},
        make_token=lambda session: str(makes(session, secret)),
    )
    return world, makes, checks


def _send_token(answer: Answer, rng: random.Random, token_of: Callable[[World], str | None]) -> Any:
    """Send the payment form with a token in Maja's browser; the world afterwards."""
    world, makes, checks = _token_world(answer, rng.randbytes(32))
    token = token_of(world)
    fields = {"paid": "yes"} | ({} if token is None else {"csrf_token": token})
    world.visit(world.sites.evil, attack_page("form", world.sites.kvittra + PAY, fields))
    makes.settle()
    checks.settle()
    return world


bind_token = Exercise(
    "attacks.request_forgery.bind_token",
    "Make a token that is worth something in one session only",
    parts=[Part("make_token", returns=str), Part("check_token", returns=bool)],
    starter='''import hashlib
import hmac


def make_token(session, secret):
    """Return the token for the forms of a session. session is its id, a text; secret is bytes."""
    return hmac.new(secret, b"form", hashlib.sha256).hexdigest()


def check_token(token, session, secret):
    """Return True if the token belongs to the session. token is an empty text if none came."""
    return not token or token == make_token(session, secret)''',
    weak={"make_token": model.make_token_weak, "check_token": model.check_token_weak},
    reference={"make_token": model.make_token, "check_token": model.check_token},
    hints=Hints(
        nudge="The attacker is a customer too and reads the token on their own pages. What is it "
        "worth in Maja's browser?",
        concept="Let the session go into the computation, and let the check compute again. Nobody "
        "without the secret can make the token for a session that is not theirs.",
        place="In make_token, what is put into the HMAC; in check_token, the part before `or`.",
        solution="""import hashlib
import hmac


def make_token(session, secret):
    return hmac.new(secret, session.encode(), hashlib.sha256).hexdigest()


def check_token(token, session, secret):
    expected = make_token(session, secret)
    return hmac.compare_digest(token.encode(), expected.encode())""",
    ),
    next_step="That was the last lock. The questions for a vendor are below.",
)

_CHANGED = f"invoice {INVOICE} now counts as paid, and Maja never touched it"


@bind_token.attack("A form without a token changes nothing")
def _(answer: Answer, rng: random.Random) -> None:
    for given, token in (
        ("a form on https://evil.example without a token", None),
        ("a form on https://evil.example with an empty token", ""),
        ("a form on https://evil.example with an invented token", "a" * 64),
    ):
        if _send_token(answer, rng, lambda _world, token=token: token).paid:  # type: ignore[misc]
            raise Failed(
                given=given,
                happened=_CHANGED,
                missing="a no where the token is not the session's own",
                nudge="A missing token is the first thing an attacker tries. It must not skip the "
                "check."
                if not token
                else "Compute the token again and compare all of it.",
            )


@bind_token.attack("The attacker's own token is worth nothing in Maja's session")
def _(answer: Answer, rng: random.Random) -> None:
    for given, user in (
        ("a form with the token that the attacker reads on their own pages, signed in", "siv"),
        ("a form with the token of the sign-in page, which everybody gets", None),
    ):
        if _send_token(answer, rng, lambda world, user=user: world.token_of(user)).paid:  # type: ignore[misc]
            raise Failed(
                given=given,
                happened=_CHANGED,
                missing="a token that is tied to its session",
                nudge="Let the session's id go into the token, and into the check.",
            )


@bind_token.attack(
    "A token cannot be guessed",
    weak={
        "make_token": lambda session, secret: model.make_token(session, secret)[:1],
        "check_token": lambda token, session, secret: (
            token == model.make_token(session, secret)[:1]
        ),
    },
)
def _(answer: Answer, rng: random.Random) -> None:
    secret = rng.randbytes(32)
    made = {str(answer.make_token(rng.randbytes(16).hex(), secret)) for _ in range(64)}
    if len(made) < 64:
        raise Failed(
            given="the tokens of 64 sessions",
            happened=f"they share {len(made)} between them, so a token that fits is soon found",
            missing="a token with enough bits that nobody meets another's by chance",
            nudge="Keep the whole result of the HMAC, and put the whole session id in.",
        )


@bind_token.attack(
    "The token does not give the session away",
    weak={
        "make_token": lambda session, _secret: session,
        "check_token": lambda token, session, _secret: token == session,
    },
)
def _(answer: Answer, rng: random.Random) -> None:
    session = rng.randbytes(16).hex()
    if session in str(answer.make_token(session, rng.randbytes(32))):
        raise Failed(
            given="a page of Maja's with the token in its forms",
            happened="the id of her session can be read in the token",
            missing="a token that says nothing about the id",
            nudge="Scripts can read a form and cannot read the cookie. Put in the HMAC of the id, "
            "and not the id.",
        )


@bind_token.attack(
    "A new secret ends the old tokens",
    weak={
        "make_token": lambda session, _secret: model.make_token(session, b""),
        "check_token": lambda token, session, _secret: model.check_token(token, session, b""),
    },
)
def _(answer: Answer, rng: random.Random) -> None:
    session, old, new = rng.randbytes(16).hex(), rng.randbytes(32), rng.randbytes(32)
    if answer.check_token(str(answer.make_token(session, old)), session, new):
        raise Failed(
            given="a token that was made before Kvittra changed its secret",
            happened="it still counted, so anybody who knows the code can make one",
            missing="a token that only the holder of the secret can make",
            nudge="Use `hmac.new(secret, …)`: a plain hash has no secret in it.",
        )


@bind_token.attack(
    "Strange letters are a no, and no crash",
    weak={
        "make_token": model.make_token,
        "check_token": lambda token, session, secret: (
            model.make_token(session, secret) in {token, ""} or not token.isascii()
        ),
    },
)
def _(answer: Answer, rng: random.Random) -> None:
    session, secret = rng.randbytes(16).hex(), rng.randbytes(32)
    for token in ("åäö", "\u202eabc", "🌷" * 64, "\x00"):
        outcome = answer.check_token.outcome(token, session, secret)
        if outcome.raised is None and not outcome.value:
            continue
        name = type(outcome.raised).__name__ if outcome.raised else ""
        raise Failed(
            given=f"a form whose token is {token[:6]!a}",
            happened=f"the check raised {name}, and Kvittra showed an error page"
            if name
            else "it was accepted",
            missing="a plain no",
            nudge="`hmac.compare_digest` takes text only where it is ASCII. Encode both sides to "
            "bytes.",
        )


@bind_token.honest("Maja's own form works, twice and in two tabs")
def _(answer: Answer, rng: random.Random) -> None:
    world, makes, checks = _token_world(answer, rng.randbytes(32))
    fields = {"paid": "yes", "csrf_token": world.own_token}
    page = attack_page("form", world.sites.kvittra + PAY, fields)
    for _ in range(2):
        world.visit(world.sites.kvittra, page, path="/own")
    makes.settle()
    checks.settle()
    if [status for method, status in world.answers if method == "POST"] != [302, 302]:
        raise Failed(
            given="Maja's own form, sent from two tabs",
            happened="Kvittra refused one of them",
            missing="a yes to the token that it made for this session",
            nudge="The check must come to the same token as make_token, each time it is asked.",
        )


@bind_token.honest("The form works after Kvittra has restarted")
def _(answer: Answer, rng: random.Random) -> None:
    session, secret = rng.randbytes(16).hex(), rng.randbytes(32)
    token = str(answer.make_token(session, secret))
    for _ in range(3):  # others open pages in between
        answer.make_token(rng.randbytes(16).hex(), secret)
    if not answer.check_token(token, session, secret):
        raise Failed(
            given="a form that was opened a while ago",
            happened="its token was refused",
            missing="a token that lives as long as its session",
            nudge="Compute it from the session and the secret; nothing has to be remembered.",
        )
