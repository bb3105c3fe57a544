"""Maja, signed in at Kvittra, visits a page that somebody else has made.

Everything runs in the model browser: the pages, the cookies, the headers. What counts is what
Kvittra's database and its sessions say afterwards. The same pages are opened in Chromium by the
tests; therefore the addresses are a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import labs.browser as web

if TYPE_CHECKING:
    from labs.kvittra.app import Kvittra

INVOICE = 1049
"""An invoice of Maja's bakery that has not been paid."""

PAY = f"/invoices/{INVOICE}/pay"

NOON = 1_794_830_400.0
"""16 November 2026, 12:00 UTC, when every visit begins."""

_FETCH_METADATA = frozenset({"HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_DEST"})

OLD_BROWSER = _FETCH_METADATA | {"HTTP_SEC_FETCH_USER"}
"""What a browser from before Fetch Metadata does not send, as a WSGI server names it."""

SILENT = OLD_BROWSER | {"HTTP_ORIGIN", "HTTP_REFERER"}
"""What does not arrive where something on the way takes out every header that names a sender."""


@dataclass(frozen=True, slots=True)
class Sites:
    """The addresses of the story, each an origin.

    Args:
        kvittra: The service.
        evil: A site of somebody else.
        sibling: A host below Kvittra's own, which somebody else has taken over.
    """

    kvittra: str = "https://kvittra.example"
    evil: str = "https://evil.example"
    sibling: str = "https://status.kvittra.example"


SITES = Sites()


def attack_page(
    way: str,
    target: str,
    fields: Mapping[str, str] | None = None,
    *,
    method: str = "post",
    quiet: bool = False,
    tells_all: bool = False,
) -> str:
    """The HTML of a page that makes its visitor's browser send a request.

    Args:
        way: ``"form"`` (a form that sends itself), ``"image"``, ``"fetch"`` (a script), or
            ``"link"``, which waits for a click.
        target: Address of the request, without a query.
        fields: What the request carries.
        method: For a form, ``"post"`` or ``"get"``.
        quiet: The page asks that its address be kept secret: its forms then say ``Origin: null``.
        tells_all: The page asks that its whole address go along in ``Referer``.

    Raises:
        ValueError: If ``way`` is none of these.

    >>> attack_page("image", "https://kvittra.example/pay", {"paid": "yes"})
    '<!doctype html><title>Cakes</title><img src="https://kvittra.example/pay?paid=yes" alt="">'
    """
    fields = dict(fields or {})
    policy = "no-referrer" if quiet else "unsafe-url" if tells_all else ""
    head = "<!doctype html><title>Cakes</title>"
    if policy:
        head += f'<meta name="referrer" content="{policy}">'
    address = escape(f"{target}?{urlencode(fields)}" if fields else target)
    if way == "image":
        return head + f'<img src="{address}" alt="">'
    if way == "link":
        return head + f'<a href="{address}">The recipe</a>'
    if way == "fetch":
        return head + (
            f"<script>fetch('{target}', {{method: 'POST', mode: 'no-cors', "
            "credentials: 'include', headers: "
            "{'Content-Type': 'application/x-www-form-urlencoded'}, "
            f"body: '{urlencode(fields)}'}})</script>"
        )
    if way != "form":
        raise ValueError(f"way must be form, image, fetch or link, not {way!r}")
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return head + (
        f'<form method="{method}" action="{escape(target)}">{inputs}</form>'
        "<script>document.forms[0].submit()</script>"
    )


class World:
    """One Kvittra, the internet around it, and the browser of Maja, who is signed in.

    Args:
        weaknesses: Kvittra's, by name.
        replace: Functions that take the place of Kvittra's own parts.
        sites: The addresses.
        missing: Header fields that never reach Kvittra, such as ``OLD_BROWSER``.
        age_s: Age of the session cookie, in seconds, when Maja visits the other page.
        make_token: Makes the token of a session from its id, in place of Kvittra's random one.
        signed_in: Whether Maja is signed in at all.

    >>> world = World({"csrf_token_missing", "csrf_headers_unchecked", "cookie_same_site_missing"})
    >>> target = f"{world.sites.kvittra}{PAY}"
    >>> _ = world.visit(world.sites.evil, attack_page("form", target, {"paid": "yes"}))
    >>> world.paid
    True
    """

    def __init__(
        self,
        weaknesses: Iterable[str] = (),
        *,
        replace: Mapping[str, Callable[..., Any]] | None = None,
        sites: Sites = SITES,
        missing: Iterable[str] = (),
        age_s: float = 0.0,
        make_token: Callable[[str], str] | None = None,
        signed_in: bool = True,
    ) -> None:
        self.sites = sites
        self.clock = web.Clock(NOON)
        from labs.kvittra import create_app  # it brings Flask along

        self.app: Kvittra = create_app(
            weaknesses, replace=replace, origin=sites.kvittra, clock=self.clock, seed=7
        )
        self._missing = frozenset(missing)
        self._make_token = make_token
        self._pages: dict[str, str] = {}
        self.answers: list[tuple[str, int]] = []
        self.internet = web.Internet()
        self.internet.add(sites.kvittra, self._answer)
        self.browser = web.Browser(self.internet, clock=self.clock)
        self.log: web.Log = self.browser.log
        if signed_in:
            self._sign_in("maja")
        self.clock.advance(age_s)

    def _sign_in(self, user: str) -> None:
        """Give the browser the cookie that signing in would have given it."""
        session = self.app.sessions.start(user)
        if self._make_token is not None:
            session.csrf_token = self._make_token(session.id)
        same_site = self.app.edition.cookie_same_site()
        line = f"__Host-session={session.id}; Path=/; Secure; HttpOnly"
        if same_site:
            line += f"; SameSite={same_site}"
        page = web.CookieContext(web.parse_url(f"{self.sites.kvittra}/"))
        assert self.browser.jar.receive(line, page).stored

    def token_of(self, user: str | None) -> str:
        """The token on the pages of somebody else, who has a session of their own.

        Args:
            user: Who, or ``None`` for a visitor who has not signed in.
        """
        session = self.app.sessions.start(user)
        return session.csrf_token if self._make_token is None else self._make_token(session.id)

    @property
    def own_token(self) -> str:
        """The token on Maja's own pages."""
        return self.app.sessions.of("maja")[0].csrf_token

    def visit(self, origin: str, html: str, *, path: str = "/", click: str = "") -> web.Tab:
        """Open a page that holds ``html`` at an origin, Kvittra's own included.

        Args:
            origin: Where the page lies.
            html: The page.
            path: Its path, with a query if it has one.
            click: A selector of what to click.
        """
        plain = path.partition("?")[0]
        if origin == self.sites.kvittra:
            self._pages[plain] = html
        else:
            self.internet.add(origin, web.static_site({plain: html}))
        tab = self.browser.open(origin + path)
        if click:
            tab.click(click)
        return tab

    @property
    def paid(self) -> bool:
        """Whether the invoice counts as paid."""
        row = self.app.connection.execute(
            "SELECT status FROM invoices WHERE number = ?", (INVOICE,)
        ).fetchone()
        return bool(row[0] == "paid")

    @property
    def user(self) -> str | None:
        """Who Kvittra takes this browser for."""
        cookie = self.browser.jar.get("__Host-session")
        session = self.app.sessions.live.get(cookie.value) if cookie else None
        return session.user if session else None

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Kvittra's answer, without the page: only what it does counts here."""
        own = self._pages.get(environ["PATH_INFO"])
        if own is not None:
            start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
            return [own.encode()]
        for name in self._missing:
            environ.pop(name, None)

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[..., Any]:
            self.answers.append((environ["REQUEST_METHOD"], int(status[:3])))
            kept = [field for field in headers if field[0] == "Set-Cookie"]
            start_response("204 No Content", kept)
            return lambda _: None

        answer = self.app(environ, start)
        getattr(answer, "close", lambda: None)()
        return []
