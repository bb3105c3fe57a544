"""Which requests carry the cookie, and how a service can tell whose request it was.

The cookie rules are those of draft-ietf-httpbis-rfc6265bis (``SameSite``, sections 5.6.7 and
5.8.3), the headers those of the Fetch Standard (``Origin``) and of W3C Fetch Metadata
(``Sec-Fetch-Site``). The token follows the HMAC pattern: bound to the session, made with a secret
of the server.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import labs.browser as web
from labs.arguments import real
from labs.attacks.request_forgery.visits import PAY, SITES, Sites, World, attack_page
from labs.kvittra.cast import USERS
from labs.kvittra.seed import PASSWORDS

SENDERS: Mapping[str, str] = MappingProxyType(
    {
        "https://kvittra.example": "the same origin",
        "https://kvittra.example:8443": "another port",
        "https://status.kvittra.example": "a sibling host",
        "http://kvittra.example": "plain http",
        "https://evil.example": "another site",
    }
)
"""Where the page lies that asks, with how it is related to ``https://kvittra.example``."""

ATTRIBUTES = ("Strict", "Lax", "None")
"""What a ``SameSite`` attribute can say. The fourth case is that there is none."""

WAYS: Mapping[str, str] = MappingProxyType(
    {
        "link": "a link, clicked (GET)",
        "form": "a form (POST)",
        "image": "an image (GET)",
        "fetch": "a script's fetch (POST)",
    }
)
"""How a page can make a browser ask."""

COLUMNS = tuple((attribute, way) for attribute in ATTRIBUTES for way in ("link", "form"))
"""The columns of the reader's matrix, from left to right."""


@lru_cache(maxsize=1024)
def travels(sender: str, way: str, same_site: str | None, age_s: float = 0.0) -> web.CookieDecision:
    """Whether Kvittra's cookie goes along with a request, decided by the model browser.

    Args:
        sender: Origin of the page that asks, one of ``SENDERS``.
        way: One of ``WAYS``.
        same_site: ``"Strict"``, ``"Lax"``, ``"None"``; ``None`` for a cookie without the attribute.
        age_s: Age of the cookie in seconds.

    Returns:
        The decision and its reason in words.

    Raises:
        ValueError: If an argument is none of these, or the age is negative.

    >>> travels("https://evil.example", "form", "Lax")
    CookieDecision(sent=False, reason='SameSite=Lax, cross-site POST')
    >>> travels("https://status.kvittra.example", "form", "Strict")
    CookieDecision(sent=True, reason='same-site request')
    """
    if sender not in SENDERS:
        raise ValueError(f"sender must be one of {', '.join(SENDERS)}, not {sender!r}")
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, not {way!r}")
    if same_site not in (*ATTRIBUTES, None):
        raise ValueError(f"same_site must be Strict, Lax, None as text, or None, not {same_site!r}")
    age_s = real("age_s", age_s, low=0)
    clock = web.Clock()
    internet = web.Internet()
    browser = web.Browser(internet, clock=clock)
    attribute = f"; SameSite={same_site}" if same_site else ""
    cookie = {"Set-Cookie": f"session=7; Path=/; Secure{attribute}"}
    internet.add(SITES.kvittra, web.static_site({"/": ""}, headers=cookie))
    browser.open(f"{SITES.kvittra}/")
    clock.advance(age_s)
    page = attack_page(way, f"{SITES.kvittra}/pay", {"paid": "yes"})
    for origin in (SITES.kvittra, sender):  # from here on nobody sets the cookie anew
        internet.add(origin, web.static_site({"/page": page, "/pay": ""}))
    tab = browser.open(f"{sender}/page")
    if way == "link":
        tab.click("a")
    last = list(browser.log.only("cookie"))[-1]
    reason = last.reason.removesuffix(f", to {SITES.kvittra}")
    return web.CookieDecision(last.decision == "sent", reason)


def cookie_sent_with_form(same_site: str | None, age_s: float) -> web.CookieDecision:
    """Whether Kvittra's Secure cookie goes along with a form on another site, by the rule alone.

    Args:
        same_site: ``"Strict"``, ``"Lax"``, ``"None"``; ``None`` for a cookie without the attribute.
        age_s: Age of the cookie in seconds.
    """
    return web.cookie_sent(
        same_site=same_site,
        secure=True,
        request_site=SITES.evil,
        target_site=SITES.kvittra,
        method="POST",
        top_level=True,
        age_s=age_s,
    )


def from_own_page_by_referer(method: str, headers: Mapping[str, str], origin: str) -> bool:
    """Whether the browser says that the request comes from our own pages."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return True
    # The mistake: our name somewhere in the text, and "no text" counts as yes.
    return origin.partition("://")[2] in headers.get("Referer", origin)


def make_token_weak(session: str, secret: bytes) -> str:
    """The token for the forms of a session."""
    # The mistake: everybody gets the same one.
    del session
    return hmac.new(secret, b"form", hashlib.sha256).hexdigest()


def check_token_weak(token: str, session: str, secret: bytes) -> bool:
    """Whether a form's token belongs to the session that sends it."""
    # The mistake: without a token there is nothing to compare, so nothing is compared.
    return not token or token == make_token_weak(session, secret)


def make_token(session: str, secret: bytes) -> str:
    """The token for the forms of a session: only the server can make it, for this session only.

    Args:
        session: The session's id.
        secret: A key that never leaves the server.

    >>> make_token("4711", b"k") == make_token("4712", b"k")
    False
    """
    return hmac.new(secret, session.encode(), hashlib.sha256).hexdigest()


def check_token(token: str, session: str, secret: bytes) -> bool:
    """Whether a form's token belongs to the session that sends it.

    Args:
        token: What the form brought; empty if nothing.
        session: The id in the cookie that came with it.
        secret: The key that ``make_token`` used.
    """
    return hmac.compare_digest(token.encode(), make_token(session, secret).encode())


def marks(row: object) -> list[str]:
    """The marks of one row of the reader's matrix, in lower case; none if it is not text.

    >>> marks("y n,  Y  n")
    ['y', 'n', 'y', 'n']
    """
    return row.replace(",", " ").lower().split() if isinstance(row, str) else []


_OPEN = frozenset({"cookie_same_site_missing", "csrf_headers_unchecked", "csrf_token_missing"})


@dataclass(frozen=True)
class HalfFix:
    """One defense, used wrongly, and the page that gets past it.

    Args:
        name: What the service does.
        trick: What the other page does.
        weaknesses: The edition of Kvittra that does only this.
        page: Makes the page from (the addresses, a token of the attacker's own).
        sender: Makes the page's origin from the addresses.
        path: The page's path.
        replace: Parts of Kvittra that are replaced.
        age_s: Age of the session cookie in seconds.
        gain: ``"paid"`` if an invoice changes, ``"user"`` if Maja is signed in as somebody else.
    """

    name: str
    trick: str
    weaknesses: frozenset[str]
    page: Callable[[Sites, str], str]
    sender: Callable[[Sites], str] = lambda sites: sites.evil
    path: str = "/"
    replace: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    age_s: float = 0.0
    gain: str = "paid"

    def succeeds(self, *, hardened: bool = False) -> bool:
        """Whether the page gets what it is after.

        Args:
            hardened: Try it on the hardened edition.
        """
        world = World(
            () if hardened else self.weaknesses,
            replace={} if hardened else self.replace,
            age_s=self.age_s,
            signed_in=self.gain == "paid",
        )
        page = self.page(world.sites, world.token_of("siv"))
        world.visit(self.sender(world.sites), page, path=self.path)
        return world.paid if self.gain == "paid" else world.user == "siv"


def _form(sites: Sites, token: str, **options: Any) -> str:
    fields = {"paid": "yes", "csrf_token": token}
    return attack_page("form", sites.kvittra + PAY, fields, **options)


def _plain(sites: Sites, _token: str) -> str:
    return attack_page("form", sites.kvittra + PAY, {"paid": "yes"})


def _sign_in(sites: Sites, _token: str) -> str:
    siv = next(user for user in USERS if user.id == "siv")
    fields = {"email": siv.email, "password": PASSWORDS["siv"]}
    return attack_page("form", f"{sites.kvittra}/sign-in", fields)


HALF_FIXES: tuple[HalfFix, ...] = (
    HalfFix(
        "trust the browser's default, no SameSite",
        "a form, within two minutes",
        _OPEN,
        _plain,
        age_s=45.0,
    ),
    HalfFix(
        "SameSite=Lax and nothing else",
        "a form on a sibling host",
        _OPEN - {"cookie_same_site_missing"},
        _plain,
        sender=lambda sites: sites.sibling,
    ),
    HalfFix(
        "a token that is not tied to the session",
        "a form with the attacker's own token",
        _OPEN - {"csrf_token_missing"} | {"csrf_token_unbound"},
        _form,
    ),
    HalfFix(
        "Origin is checked, unless it says null",
        "a form on a page that keeps its address secret",
        _OPEN - {"csrf_headers_unchecked"} | {"csrf_check_skipped"},
        lambda sites, token: _form(sites, token, quiet=True),
    ),
    HalfFix(
        "every host below ours is trusted",
        "a form on a sibling host",
        frozenset({"csrf_token_missing", "csrf_sibling_trusted"}),
        _plain,
        sender=lambda sites: sites.sibling,
    ),
    HalfFix(
        "our name must stand in Referer",
        "our name in the address of the evil page",
        frozenset({"csrf_token_missing", "cookie_same_site_missing"}),
        lambda sites, token: _form(sites, token, tells_all=True),
        path="/cakes?from=kvittra.example",
        replace={"from_own_page": from_own_page_by_referer},
    ),
    HalfFix(
        "everything, but a GET may change something",
        "an address that opens by itself",
        frozenset({"csrf_get_changes_state"}),
        lambda sites, _token: attack_page(
            "form", sites.kvittra + PAY, {"paid": "yes"}, method="get"
        ),
    ),
    HalfFix(
        "everything, but not on the sign-in form",
        "a form that signs Maja in as the attacker",
        frozenset({"csrf_sign_in"}),
        _sign_in,
        gain="user",
    ),
)
"""Each defense defeated once. All of these pages fail on the hardened edition."""
