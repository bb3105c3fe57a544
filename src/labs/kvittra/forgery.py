"""Was this request made on our own pages? Three independent answers, all of which must be yes.

The session's token (here), the browser's own headers (here), and ``SameSite`` on the cookie
(``sessions.cookie_same_site``).
"""

from __future__ import annotations

import hmac
from collections.abc import Container, Mapping

from labs.kvittra.sessions import Session


def token_accepted_weak(sent: str, session: Session, issued: Container[str]) -> bool:
    """Whether a form carries the token that proves it is ours."""
    del sent, session, issued
    return True


def token_accepted_unbound(sent: str, session: Session, issued: Container[str]) -> bool:
    """Whether a form carries the token that proves it is ours."""
    # The mistake: it is one of our tokens, but the attacker has an account and a token too.
    del session
    return sent in issued


def token_accepted(sent: str, session: Session, issued: Container[str]) -> bool:
    """Whether a form carries the token that proves it is ours, for this very session."""
    del issued
    return hmac.compare_digest(sent.encode(), session.csrf_token.encode())


def from_own_page_weak(method: str, headers: Mapping[str, str], origin: str) -> bool:
    """Whether the browser says that the request comes from our own pages."""
    del method, headers, origin
    return True


def from_own_page_skipped(method: str, headers: Mapping[str, str], origin: str) -> bool:
    """Whether the browser says that the request comes from our own pages."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return True
    # The mistake: no origin to compare, no comparison. A page can make its forms send "null".
    sender = headers.get("Origin", "null")
    return sender in {"null", origin}


def from_own_page_sibling(method: str, headers: Mapping[str, str], origin: str) -> bool:
    """Whether the browser says that the request comes from our own pages."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return True
    # The mistake: every host below ours is trusted, and so is whoever takes one of them over.
    sender = headers.get("Origin", "")
    return sender == origin or sender.endswith("." + origin.partition("://")[2])


def from_own_page(method: str, headers: Mapping[str, str], origin: str) -> bool:
    """Whether the browser says that the request comes from our own pages.

    Reading is refused only to other sites that embed us (images, scripts, ``fetch``): a link from
    elsewhere must work. Changing something needs a browser that says where the request was made,
    in ``Sec-Fetch-Site`` or ``Origin``, and that says "here". No header is not a yes.
    """
    site = headers.get("Sec-Fetch-Site")
    if method in {"GET", "HEAD", "OPTIONS"}:
        return site != "cross-site" or headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    sender = headers.get("Origin")
    if site is None and sender is None:
        return False
    return site in {None, "same-origin", "none"} and sender in {None, origin}


def guards_sign_in_weak() -> bool:
    """Whether the sign-in form is checked like every other form."""
    # The mistake: nobody is signed in yet, so there seems to be nothing to protect.
    return False


def guards_sign_in() -> bool:
    """Whether the sign-in form is checked like every other form.

    Without it another site can sign a visitor in to the *attacker's* account, and read there what
    the visitor types in.
    """
    return True


def wants_change_weak(method: str, fields: Mapping[str, str]) -> bool:
    """Whether a request asks to change something, or only to look."""
    return method == "POST" or bool(fields)


def wants_change(method: str, fields: Mapping[str, str]) -> bool:
    """Whether a request asks to change something, or only to look. A link only looks."""
    del fields
    return method == "POST"
