"""A visitor of Kvittra: a cookie jar, and the headers that a browser would send.

It models what these tests need: when a cookie goes along with a request from another page
(SameSite, and the two minutes in which a cookie without it is still sent), and which Origin and
Sec-Fetch headers come with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import html5lib
from werkzeug.datastructures import Headers
from werkzeug.http import parse_cookie
from werkzeug.test import EnvironBuilder, TestResponse

from labs.kvittra import create_app
from labs.kvittra.app import Kvittra, cookie_name
from labs.kvittra.cast import STAFF, USERS
from labs.kvittra.seed import PASSWORDS

HOME = "https://kvittra.example"
EVIL = "https://evil.example"
SIBLING = "https://status.kvittra.example"
NOON = 1_794_830_400.0  # 2026-11-16 12:00 UTC

EMAILS = {someone.id: someone.email for someone in (*USERS, *STAFF)}


class Clock:
    """The time, which passes only when told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Cookie:
    value: str
    same_site: str | None
    secure: bool
    http_only: bool
    set_at: float


class World:
    """One Kvittra, its clock, and the people who visit it."""

    def __init__(self, weaknesses: Any = (), **options: Any) -> None:
        self.clock = Clock()
        self.app: Kvittra = create_app(weaknesses, clock=self.clock, seed=7, **options)

    def visitor(self, user: str | None = None) -> Visitor:
        """Somebody with an empty cookie jar, signed in as ``user`` if one is named."""
        visitor = Visitor(self)
        if user is not None:
            assert visitor.sign_in(user).status_code == 302
        return visitor

    def value(self, statement: str, *parameters: Any) -> Any:
        """One value from the database."""
        return self.app.connection.execute(statement, parameters).fetchone()[0]


class Visitor:
    def __init__(self, world: World) -> None:
        self.world = world
        self.jar: dict[str, Cookie] = {}

    def request(
        self,
        method: str,
        path: str,
        data: Any = None,
        *,
        base: str = HOME,
        sender: str | None = HOME,
        origin: str | None = None,
        mode: str = "navigate",
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        """A request made on a page of ``sender`` (``None``: typed into the address bar)."""
        where = _relation(sender, base)
        sent = Headers(headers or {})
        sent["Sec-Fetch-Site"] = where
        sent["Sec-Fetch-Mode"] = mode
        if method not in ("GET", "HEAD"):
            sent["Origin"] = origin or sender or base
        cookies = [
            f"{name}={cookie.value}"
            for name, cookie in self.jar.items()
            if self._goes_along(cookie, method, where, mode, base)
        ]
        if cookies:
            sent["Cookie"] = "; ".join(cookies)
        client = self.world.app.test_client(use_cookies=False)
        response = client.open(
            path, method=method, base_url=base, data=data, headers=sent, **options
        )
        for line in response.headers.getlist("Set-Cookie"):
            self._keep(line)
        return response

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def submit(self, page: str, action: str | None = None, **fields: str) -> TestResponse:
        """Open ``page`` and submit its form to ``action``, token and all."""
        opened = self.get(page)
        assert opened.status_code == 200, opened.text
        return self.request("POST", action or page, {"csrf_token": token(opened), **fields})

    def sign_in(self, user: str, password: str | None = None) -> TestResponse:
        password = PASSWORDS[user] if password is None else password
        return self.submit("/sign-in", email=EMAILS[user], password=password)

    @property
    def session_id(self) -> str:
        return next(iter(self.jar.values())).value

    def plant(self, id: str) -> None:
        """Put a session id of somebody else's choice into this visitor's jar."""
        with self.world.app.test_request_context(base_url=HOME):
            name = cookie_name("https")
        self.jar = {name: Cookie(id, "Lax", True, True, self.world.clock())}

    def with_id(self, id: str) -> Visitor:
        """Somebody else who has got hold of a session id."""
        thief = Visitor(self.world)
        thief.plant(id)
        return thief

    def is_signed_in_as(self, user: str) -> bool:
        page = self.get("/profile", sender=None)
        return page.status_code == 200 and f"as {EMAILS[user]}." in page.text

    def _goes_along(self, cookie: Cookie, method: str, where: str, mode: str, base: str) -> bool:
        if cookie.secure and not base.startswith("https:"):
            return False
        if where != "cross-site":
            return True
        top_level_link = mode == "navigate" and method == "GET"
        if cookie.same_site is None:
            young = self.world.clock() - cookie.set_at <= 120
            return top_level_link or (mode == "navigate" and young)
        if cookie.same_site == "None":
            return cookie.secure
        return cookie.same_site == "Lax" and top_level_link

    def _keep(self, line: str) -> None:
        name, _, rest = line.partition("=")
        value = parse_cookie(line.split(";")[0])[name]
        if not value or "max-age=0" in rest.lower():
            self.jar.pop(name, None)
            return
        same_site = re.search(r"SameSite=(\w+)", rest)
        self.jar[name] = Cookie(
            value,
            same_site[1] if same_site else None,
            "; Secure" in rest,
            "; HttpOnly" in rest,
            self.world.clock(),
        )


def _relation(sender: str | None, base: str) -> str:
    if sender is None:
        return "none"
    if sender == base:
        return "same-origin"
    here, there = urlsplit(sender), urlsplit(base)
    same_site = here.scheme == there.scheme and (here.hostname or "").endswith("kvittra.example")
    return "same-site" if same_site else "cross-site"


def token(page: TestResponse) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="csrf_token" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


def elements(page: TestResponse, name: str) -> list[Any]:
    """The elements of this name that a browser finds in a page."""
    tree = html5lib.parse(page.text, namespaceHTMLElements=False)
    return [found for found in tree.iter() if str(found.tag).rpartition("}")[2] == name]


def scripts_run_anywhere(page: TestResponse) -> bool:
    """Whether no policy keeps injected scripts of a page from running."""
    return not any(
        "script-src" in value for value in page.headers.getlist("Content-Security-Policy")
    )


def call(app: Kvittra, **environ: Any) -> tuple[int, str]:
    """Call the WSGI application with an environment that no polite client would make."""
    status = 0

    def start_response(line: str, *_: object) -> Callable[[bytes], object]:
        nonlocal status
        status = int(line[:3])
        return bytes

    body = b"".join(app(EnvironBuilder(base_url=HOME).get_environ() | environ, start_response))
    return status, body.decode()
