"""The application: Kvittra's parts put together, and what happens around every request."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from flask import Flask, Response, current_app, g, render_template, request
from jinja2 import BytecodeCache, StrictUndefined
from jinja2.bccache import Bucket
from werkzeug.exceptions import Forbidden, HTTPException, InternalServerError
from werkzeug.routing import Map

from labs.kvittra import accounts, limits, responses, seed, sessions
from labs.kvittra.database import Database
from labs.kvittra.sessions import Session, SessionStore, Tokens
from labs.kvittra.weaknesses import Edition, Part

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_MAILS = 1_000
_COOKIE = "session"


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter that Kvittra has sent. It goes to ``Kvittra.outbox``, never to a network."""

    to: str
    subject: str
    body: str


class _InMemory(BytecodeCache):
    """Compiled templates, shared by all apps in a process: a test makes hundreds of them."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES = _InMemory()


class Kvittra(Flask):
    """The service, a WSGI application. Made by ``create_app``.

    Attributes:
        edition: The parts that it is built of.
        database: Its SQLite database in memory.
        sessions: Its live sessions.
        outbox: The mails it has sent, oldest first.
        files: Its attachments and settings, path to text. No real file is behind them.
        attempts: Failed sign-ins.
        origin: Its address as configured, ``scheme://host[:port]``.
        clock: The time, in seconds since 1970.
    """

    def __init__(
        self,
        edition: Edition,
        *,
        origin: str,
        clock: Callable[[], float],
        make_tokens: Callable[[], Tokens],
        profile: str,
    ) -> None:
        super().__init__("labs.kvittra", static_folder=None)
        self.edition = edition
        self.origin = origin
        self.clock = clock
        self._make_tokens = make_tokens
        self.database = Database(profile=profile)
        self._start_over()
        self.jinja_env.bytecode_cache = _TEMPLATES
        self.jinja_env.undefined = StrictUndefined

    def reset(self) -> None:
        """Bring everything back to where the story begins: rows, sessions, mails, files, tokens."""
        self.database.reset()
        self._start_over()

    def _start_over(self) -> None:
        self.tokens = self._make_tokens()
        self.sessions = SessionStore(self.tokens, self.clock, self.edition.new_session_id)
        self.attempts = accounts.Attempts()
        self.requested_resets = accounts.Attempts()
        self.outbox: deque[Mail] = deque(maxlen=_MOST_MAILS)
        self.files = dict(seed.FILES)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection to the database."""
        return self.database.connection


def create_app(
    weaknesses: Iterable[str] = (),
    *,
    replace: Mapping[str, Part] | None = None,
    origin: str = "https://kvittra.example",
    clock: Callable[[], float] = time.time,
    seed: int | None = None,
    profile: str = "lab",
) -> Kvittra:
    """Kvittra as a WSGI application: hardened, but for the weaknesses asked for.

    Args:
        weaknesses: Names from ``WEAKNESSES``, or ``{"all"}``.
        replace: Functions to use instead of Kvittra's own, by the name of the part, such as
            ``{"find_invoices": my_find_invoices}``.
        origin: The address it is configured with, used in mails.
        clock: The time in seconds since 1970.
        seed: Makes session ids, tokens and nonces repeat. Without it they are unpredictable.
        profile: The cost of password records: ``"lab"`` or ``"product"``.

    Raises:
        TypeError: If ``weaknesses`` is one text, or a replacement cannot be called.
        ValueError: If a weakness, a part or the profile has an unknown name.

    >>> create_app().test_client().get("/sign-in").status
    '200 OK'
    >>> create_app({"sql_injektion"})
    Traceback (most recent call last):
    ...
    ValueError: weaknesses must be names from labs.kvittra.WEAKNESSES or 'all', not 'sql_injektion'
    """

    def make_tokens() -> Tokens:
        if seed is None:
            import secrets

            return secrets.token_bytes
        return sessions.seeded_tokens(seed)

    app = Kvittra(
        Edition(weaknesses, replace=replace),
        origin=origin.rstrip("/"),
        clock=clock,
        make_tokens=make_tokens,
        profile=profile,
    )
    app.before_request(_open_request)
    app.after_request(_close_request)
    app.register_error_handler(Exception, _error_page)
    app.context_processor(_for_templates)
    app.jinja_env.filters["money"] = money
    url_map, views = _addresses()
    app.url_map = url_map
    app.view_functions = dict(views)
    return app


@lru_cache
def _addresses() -> tuple[Map, dict[str, Callable[..., Any]]]:
    """The addresses of the pages, compiled once: it takes longer than all the rest of an app."""
    from labs.kvittra.pages import pages

    pattern = Flask("labs.kvittra", static_folder=None)
    pattern.register_blueprint(pages)
    return pattern.url_map, pattern.view_functions


def kvittra() -> Kvittra:
    """The application that answers the current request."""
    return cast(Kvittra, current_app)


def now_text() -> str:
    """The time of the current request, as stored in the database: UTC, to the minute."""
    return datetime.fromtimestamp(kvittra().clock(), UTC).strftime("%Y-%m-%d %H:%M")


def cookie_name(scheme: str) -> str:
    """The name of the session cookie, with the prefix that Secure cookies can have."""
    return f"__Host-{_COOKIE}" if kvittra().edition.cookie_secure(scheme) else _COOKIE


def money(amount: object) -> str:
    """Hundredths as an amount of money.

    >>> money(1234567).replace(chr(0xA0), "·")
    '12·345,67'
    >>> money("not a number")
    'not a number'
    """
    if not isinstance(amount, int):
        return str(amount)  # only an injected query brings anything else here
    whole, cents = divmod(abs(amount), 100)
    grouped = f"{whole:,}".replace(",", "\u00a0")
    return f"{'−' if amount < 0 else ''}{grouped},{cents:02d}"


def current_session() -> Session:
    """The session of the current request; an anonymous one is started if there is none."""
    if g.session is None:
        g.session = kvittra().sessions.start()
    return cast(Session, g.session)


def _open_request() -> None:
    app = kvittra()
    g.session = g.user = None
    g.signed_out = False
    g.nonce = app.tokens(16).hex()
    app.database.begin_request()
    limits.check(request)
    if request.endpoint != "pages.asset":
        _find_session(app)
        _refuse_forgeries(app)


def _find_session(app: Kvittra) -> None:
    id = app.edition.presented_id(
        request.cookies.get(cookie_name(request.scheme)), request.args.get("session")
    )
    if not id or len(id) > 64 or not (id.isascii() and id.isalnum()):
        return
    session = app.edition.known_session(app.sessions, id)
    if session is None:
        return
    now = app.clock()
    if not app.edition.is_live(session, now):
        app.sessions.end(session)
        return
    session.seen = now
    g.session = session
    if session.user is not None:
        g.user = app.connection.execute(
            "SELECT users.*, customers.name AS customer_name, customers.currency, customers.iban"
            " FROM users LEFT JOIN customers ON customers.id = users.customer WHERE users.id = ?",
            (session.user,),
        ).fetchone()


def _refuse_forgeries(app: Kvittra) -> None:
    if request.endpoint == "pages.sign_in" and not app.edition.guards_sign_in():
        return
    own = f"{request.scheme}://{request.host}"
    if not app.edition.from_own_page(request.method, request.headers, own):
        raise Forbidden("This request was not made on a page of ours.")
    if request.method in SAFE_METHODS:
        return
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRF-Token", "")
    # Without a session there is nothing that a token could belong to: a blank one matches none.
    session = g.session or Session("", 0, 0, app.tokens(sessions.ID_BYTES).hex())
    if not app.edition.token_accepted(sent, session, app.sessions.issued_tokens):
        raise Forbidden("This form has expired. Go back, load the page again and retry.")


def _close_request(response: Response) -> Response:
    app = kvittra()
    if response.status_code < 400:
        app.connection.commit()
    else:
        app.connection.rollback()
    if request.endpoint != "pages.asset":
        _set_cookie(app, response)
    for name, value in responses.ALWAYS.items():
        response.headers.setdefault(name, value)
    # Two policies under one header name: a browser obeys both.
    for policy in (app.edition.content_policy(g.nonce), app.edition.framing_policy()):
        for name, value in policy.items():
            response.headers.add(name, value)
    if request.scheme == "https":
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _set_cookie(app: Kvittra, response: Response) -> None:
    name = cookie_name(request.scheme)
    flags: dict[str, Any] = {
        "path": "/",
        "secure": name.startswith("__Host-"),
        "httponly": app.edition.cookie_http_only(),
        "samesite": app.edition.cookie_same_site(),
    }
    if g.signed_out:
        response.delete_cookie(name, **flags)
    elif g.session is not None and g.session.id != request.cookies.get(name):
        response.set_cookie(name, g.session.id, **flags)


def _error_page(error: Exception) -> Response:
    app = kvittra()
    if not isinstance(error, HTTPException):
        http: HTTPException = InternalServerError("Something went wrong on our side. Try again.")
    else:
        http = error
    if http.response is not None:
        return cast(Response, http.response)
    code = http.code or 500
    detail = app.edition.error_detail(error)
    if request.path.startswith("/api/"):
        body = {"error": http.description} | ({"detail": detail} if detail else {})
        response = app.json.response(body)
    else:
        page = render_template(
            "error.html", code=code, title=http.name, sentence=http.description, detail=detail
        )
        response = app.make_response(page)
    response.status_code = code
    for header, value in http.get_headers():
        if header.lower() not in {"content-type", "content-length"}:
            response.headers[header] = value
    return cast(Response, response)


def _for_templates() -> dict[str, Any]:
    app = kvittra()
    return {
        "csrf_token": lambda: current_session().csrf_token,
        "lengths": limits.LENGTHS,
        "nonce": g.get("nonce", ""),
        "parts": app.edition,
        "user": g.get("user"),
    }
