"""Sessions: how Kvittra knows, from one request to the next, who is asking.

A session lives on the server. The browser holds its id in a cookie, and whoever has the id is the
user: so the id must be impossible to guess, must change when its power changes, and must end.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

Tokens = Callable[[int], bytes]
"""``n -> n`` unpredictable bytes; a lab may seed it to get the same ones again."""

ID_BYTES = 16
IDLE_S = 30 * 60.0
ABSOLUTE_S = 8 * 60 * 60.0
MOST_SESSIONS = 10_000


def seeded_tokens(seed: int) -> Tokens:
    """A source of bytes that repeats itself: for labs and tests, never for a real service.

    >>> seeded_tokens(1)(4) == seeded_tokens(1)(4)
    True
    """
    return random.Random(seed).randbytes


@dataclass
class Session:
    """What the server remembers about one browser. ``user`` is ``None`` before sign-in."""

    id: str
    started: float
    seen: float
    csrf_token: str
    user: str | None = None


@dataclass
class SessionStore:
    """All live sessions.

    Args:
        tokens: The source of random bytes.
        clock: The time, in seconds.
        new_id: Makes the id of a session from (tokens, serial number, now).
    """

    tokens: Tokens
    clock: Callable[[], float]
    new_id: Callable[[Tokens, int, float], str]
    live: dict[str, Session] = field(default_factory=dict)
    issued_tokens: set[str] = field(default_factory=set)
    serial: int = 0

    def start(self, user: str | None = None, *, id: str | None = None) -> Session:
        """A new session, under a new id unless one is given.

        When there are too many, sessions that nobody has signed in to are forgotten first.
        """
        while len(self.live) >= MOST_SESSIONS:
            anonymous = (key for key, session in self.live.items() if session.user is None)
            self.end(self.live[next(anonymous, next(iter(self.live)))])
        now = self.clock()
        if id is None:
            self.serial += 1
            id = self.new_id(self.tokens, self.serial, now)
        token = self.tokens(ID_BYTES).hex()
        self.issued_tokens.add(token)
        self.live[id] = Session(id, now, now, token, user)
        return self.live[id]

    def end(self, session: Session) -> None:
        """Forget a session: its id means nothing from now on."""
        self.live.pop(session.id, None)
        self.issued_tokens.discard(session.csrf_token)

    def of(self, user: str) -> list[Session]:
        """The sessions in which ``user`` is signed in, oldest first."""
        return [session for session in self.live.values() if session.user == user]


def new_session_id_weak(tokens: Tokens, serial: int, now: float) -> str:
    """The id of the next session: long, hexadecimal, and made of the time and a counter."""
    del tokens
    return f"{int(now * 1000):012x}{serial:08x}"


def new_session_id(tokens: Tokens, serial: int, now: float) -> str:
    """The id of the next session: 128 random bits."""
    del serial, now
    return tokens(ID_BYTES).hex()


def presented_id_weak(cookie: str | None, query: str | None) -> str | None:
    """The session id that a request brings, in its cookie or in its address."""
    return query or cookie


def presented_id(cookie: str | None, query: str | None) -> str | None:
    """The session id that a request brings. Only the cookie counts: anybody can write a link."""
    del query
    return cookie


def known_session_weak(store: SessionStore, id: str) -> Session | None:
    """The session with this id; an unknown id gets a session of its own."""
    return store.live.get(id) or store.start(id=id)


def known_session(store: SessionStore, id: str) -> Session | None:
    """The session with this id, if the server ever issued it."""
    return store.live.get(id)


def sign_in_session_weak(store: SessionStore, session: Session | None, user: str) -> Session:
    """The session in which ``user`` is signed in from now on."""
    session = session or store.start()
    session.user = user
    return session


def sign_in_session(store: SessionStore, session: Session | None, user: str) -> Session:
    """The session in which ``user`` is signed in from now on.

    A new id: whoever knew the old one, before it was worth anything, knows nothing.
    """
    if session:
        store.end(session)
    return store.start(user)


def sign_out_session_weak(store: SessionStore, session: Session) -> None:
    """End the session, by asking the browser to delete its cookie (which the caller does)."""
    del store, session


def sign_out_session(store: SessionStore, session: Session) -> None:
    """End the session, on the server too."""
    store.end(session)


def is_live_weak(session: Session, now: float) -> bool:
    """Whether the session may still be used."""
    del session, now
    return True


def is_live(session: Session, now: float) -> bool:
    """Whether the session may still be used: ``IDLE_S`` after the last request it is over.

    ``ABSOLUTE_S`` after sign-in it is over however busy it is, so a stolen id does not live on.
    """
    return now - session.seen < IDLE_S and now - session.started < ABSOLUTE_S


def end_other_sessions_weak(store: SessionStore, user: str) -> None:
    """What happens to a user's sessions when the password is replaced."""
    del store, user


def end_other_sessions(store: SessionStore, user: str) -> None:
    """What happens to a user's sessions when the password is replaced: they all end."""
    for session in store.of(user):
        store.end(session)


def cookie_same_site_weak() -> str | None:
    """The ``SameSite`` attribute of the session cookie."""
    return None


def cookie_same_site_none() -> str | None:
    """The ``SameSite`` attribute of the session cookie."""
    return "None"


def cookie_same_site() -> str | None:
    """The ``SameSite`` attribute of the session cookie.

    ``Lax``: other sites can link here, and the link is signed in; they cannot post here.
    """
    return "Lax"


def cookie_http_only_weak() -> bool:
    """Whether the session cookie is hidden from scripts."""
    return False


def cookie_http_only() -> bool:
    """Whether the session cookie is hidden from scripts."""
    return True


def cookie_secure_weak(scheme: str) -> bool:
    """Whether the session cookie stays off plain http."""
    del scheme
    return False


def cookie_secure(scheme: str) -> bool:
    """Whether the session cookie stays off plain http.

    It can then carry the name prefix ``__Host-``, which makes the browser insist on it.
    """
    return scheme == "https"
