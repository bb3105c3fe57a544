"""Cookies: which are kept, which travel with a request, and why.

Follows "Cookies: HTTP State Management Mechanism" (draft-ietf-httpbis-rfc6265bis): parsing in
section 5.6, storing in 5.7, retrieving in 5.8, the ``SameSite`` rules in 5.6.7 and 5.8.3, the name
prefixes in 4.1.3. Where the draft leaves the choice to the browser, the model does what Chromium
does and says so. ``Partitioned`` is accepted and has no effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from labs.arguments import real, text
from labs.browser.origins import (
    Url,
    is_address,
    is_public_suffix,
)

LAX_ALLOWING_UNSAFE_S = 120
"""Seconds for which a cookie without ``SameSite`` travels with a cross-site top-level POST."""

MAX_AGE_S = 34_560_000
"""Longest lifetime of a cookie, 400 days, in seconds."""

MAX_PAIR = 4096
"""Most octets of name and value together."""

MAX_ATTRIBUTE = 1024
"""Most octets of an attribute's value; a longer attribute is ignored."""

MAX_PER_DOMAIN = 180
"""Cookies kept for one host, as in Chromium (the draft asks for at least 50)."""

MAX_TOTAL = 3000
"""Cookies kept in all."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class CookieDecision:
    """Whether a cookie travels with a request, and the rule that decided."""

    sent: bool
    reason: str


@dataclass(frozen=True, slots=True)
class StoreDecision:
    """Whether a ``Set-Cookie`` line was obeyed, for which name, and why."""

    stored: bool
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cookie:
    """A stored cookie; times are seconds on the browser's clock.

    Without ``expires_s`` it lives until the browser closes. ``same_site`` is ``Strict``, ``Lax``
    or ``None`` as text, and ``None`` when the attribute is absent.
    """

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: str | None
    created_s: float
    expires_s: float | None
    order: int = 0

    def covers_host(self, host: str) -> bool:
        """Whether a host is the cookie's own, or below its ``Domain`` (section 5.1.3)."""
        return host == self.domain or (not self.host_only and domain_match(host, self.domain))

    def pair(self) -> str:
        """``name=value`` as it stands in a ``Cookie`` header; without a name the value alone."""
        return f"{self.name}={self.value}" if self.name else self.value


@dataclass(frozen=True, slots=True)
class CookieContext:
    """What the cookie rules ask about a request.

    Args:
        url: Where it goes.
        same_site: Whether the page that asked, and all pages around it, are of the target's site.
        method: The HTTP method.
        top_level: Whether it changes what the tab's address bar shows.
        third_party: Whether it is a part of a page of another site.
    """

    url: Url
    same_site: bool = True
    method: str = "GET"
    top_level: bool = True
    third_party: bool = False


def normalized_same_site(value: str | None) -> str | None:
    """``Strict``, ``Lax`` or ``None`` as text; ``None`` for an absent or an unknown attribute."""
    known = {"strict": "Strict", "lax": "Lax", "none": "None"}
    return None if value is None else known.get(value.strip().lower())


def cookie_sent(
    *,
    same_site: str | None,
    secure: bool,
    request_site: str,
    target_site: str,
    method: str,
    top_level: bool,
    age_s: float,
) -> CookieDecision:
    """Whether a cookie travels with a request, by its ``SameSite`` and ``Secure`` attributes.

    Args:
        same_site: The attribute, in any case; ``None`` if absent. Other text counts as absent.
        secure: Whether the cookie has ``Secure``.
        request_site: Site of the page that asks, ``scheme://registrable-domain``.
        target_site: Site that the request goes to. Sites are compared scheme included.
        method: The HTTP method; GET, HEAD, OPTIONS and TRACE are safe.
        top_level: Whether the request changes the address bar: a link, a form, a redirect.
        age_s: Seconds since the cookie was created.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If a site is not ``scheme://domain``, the method none, or the age negative.

    >>> print(cookie_sent(same_site="Lax", secure=True, request_site="https://evil.example",
    ...                   target_site="https://kvittra.example", method="POST", top_level=True,
    ...                   age_s=131).reason)
    SameSite=Lax, cross-site POST
    """
    if same_site is not None:
        text("same_site", same_site)
    for name, flag in (("secure", secure), ("top_level", top_level)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} must be True or False, not {flag!r}")
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text("method", method)):
        raise ValueError(f"method must be an HTTP method, not {method!r}")
    request, target = _site("request_site", request_site), _site("target_site", target_site)
    return _decide(
        same_site,
        secure=secure,
        same=request == target and request != "null",
        encrypted=not target.startswith("http:"),
        method=method,
        top_level=top_level,
        age_s=real("age_s", age_s, low=0),
    )


def _site(name: str, value: str) -> str:
    if text(name, value).strip().lower() == "null":
        return "null"
    match = re.fullmatch(r"([a-z][a-z0-9+.-]*)://([^\s/?#@]+?)/?", value.strip().lower())
    if not match:
        raise ValueError(f"{name} must be a site as scheme://registrable-domain, not {value!r}")
    return f"{match[1]}://{match[2]}"


def _decide(
    attribute: str | None,
    *,
    secure: bool,
    same: bool,
    encrypted: bool,
    method: str,
    top_level: bool,
    age_s: float,
) -> CookieDecision:
    same_site = normalized_same_site(attribute)
    shown = "no SameSite, treated as Lax" if same_site is None else f"SameSite={same_site}"
    if same_site == "None" and not secure:
        return CookieDecision(False, "SameSite=None needs Secure")
    if secure and not encrypted:
        return CookieDecision(False, "Secure, and the request goes over plain http")
    if same:
        return CookieDecision(True, "same-site request")
    asked = f"cross-site {method.upper()}" + ("" if top_level else " inside a page")
    if same_site == "None":
        return CookieDecision(True, f"SameSite=None, {asked}")
    if same_site == "Strict" or not top_level:
        return CookieDecision(False, f"{shown}, {asked}")
    if method.upper() in SAFE_METHODS:
        return CookieDecision(True, f"{shown}, {asked} at top level")
    if same_site == "Lax":
        return CookieDecision(False, f"{shown}, {asked}")
    young = age_s <= LAX_ALLOWING_UNSAFE_S
    comparison = f"age {age_s:.0f} s of at most {LAX_ALLOWING_UNSAFE_S} s"
    if not young:
        comparison = f"age {_seconds(age_s)} s, over {LAX_ALLOWING_UNSAFE_S} s"
    return CookieDecision(young, f"{shown}, {asked}, {comparison}")


def _seconds(value: float) -> str:
    return f"{value:.0f}" if value >= LAX_ALLOWING_UNSAFE_S + 1 else f"{value:.3f}".rstrip("0")


def domain_match(host: str, domain: str) -> bool:
    """Whether ``domain`` covers ``host`` (section 5.1.3): equal, or a parent of a host name.

    >>> domain_match("blog.kvittra.example", "kvittra.example")
    True
    >>> domain_match("evilkvittra.example", "kvittra.example")
    False
    """
    return host == domain or (host.endswith("." + domain) and not is_address(host))


def path_match(request: str, path: str) -> bool:
    """Whether a cookie's path covers a request's path (section 5.1.4).

    >>> path_match("/invoices/7", "/invoices"), path_match("/invoices-old", "/invoices")
    (True, False)
    """
    return request == path or (
        request.startswith(path) and (path.endswith("/") or request[len(path)] == "/")
    )


def default_path(path: str) -> str:
    """The path of a cookie without ``Path``: the directory of the request (section 5.1.4)."""
    return path.rpartition("/")[0] or "/"


def parse_date(value: str) -> datetime | None:
    """Read an ``Expires`` date leniently (section 5.1.1); ``None`` if it is none.

    >>> parse_date("Wed, 09-Jun-2027 10:18:14 GMT").isoformat()
    '2027-06-09T10:18:14+00:00'
    """
    clock: tuple[int, int, int] | None = None
    day = month = year = None
    for token in re.split(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+", value):
        if clock is None and (found := re.match(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)", token)):
            clock = int(found[1]), int(found[2]), int(found[3])
        elif day is None and (found := re.match(r"(\d{1,2})(?!\d)", token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := re.match(r"(\d{2,4})(?!\d)", token)):
            year = int(found[1])
    if clock is None or day is None or month is None or year is None:
        return None
    year += 1900 if 70 <= year <= 99 else 2000 if year <= 69 else 0
    if year < 1601:
        return None
    try:
        return datetime(year, month, day, *clock, tzinfo=UTC)
    except ValueError:
        return None


class CookieJar:
    """The cookies of one browser.

    Args:
        clock: Seconds since 1970, as ``time.time`` gives them.
        third_party: Whether a cookie may travel with a part of a page of another site at all.

    >>> from labs.browser.origins import parse_url
    >>> jar = CookieJar(clock=lambda: 0.0)
    >>> page = CookieContext(parse_url("https://kvittra.example/"))
    >>> jar.receive("session=7; Secure; HttpOnly; SameSite=Lax", page).stored
    True
    >>> jar.header(page)[0]
    'session=7'
    """

    def __init__(self, clock: Callable[[], float], *, third_party: bool = True) -> None:
        self._clock = clock
        self._third_party = third_party
        self._cookies: dict[tuple[str, bool, str, str], Cookie] = {}
        self._order = 0

    def __iter__(self) -> Iterator[Cookie]:
        self._drop_expired()
        return iter(list(self._cookies.values()))

    def get(self, name: str, host: str | None = None) -> Cookie | None:
        """The first cookie of that name, of that host if one is given."""
        self._drop_expired()
        for cookie in self._cookies.values():
            if cookie.name == name and (host is None or cookie.covers_host(host)):
                return cookie
        return None

    def clear(self) -> None:
        """Forget every cookie."""
        self._cookies.clear()

    def end_session(self) -> None:
        """Close the browser: cookies without an expiry go."""
        self._cookies = {
            key: cookie for key, cookie in self._cookies.items() if cookie.expires_s is not None
        }

    def receive(
        self, line: str, context: CookieContext, *, from_script: bool = False
    ) -> StoreDecision:
        """Obey a ``Set-Cookie`` line, or ``document.cookie = line``, or refuse and say why."""
        cookie, refusal = self._parse(line, context.url)
        if cookie is None:
            return StoreDecision(False, "", refusal)
        refusal = self._refusal(cookie, line, context, from_script)
        if refusal:
            return StoreDecision(False, cookie.name, refusal)
        return self._store(cookie, from_script)

    def header(
        self, context: CookieContext, *, from_script: bool = False
    ) -> tuple[str, list[tuple[Cookie, CookieDecision]]]:
        """The ``Cookie`` header for a request, and the decision on each cookie of that host.

        Longer paths come first, then older cookies (section 5.8.3). With ``from_script`` it is
        what ``document.cookie`` shows: the same without ``HttpOnly``.
        """
        self._drop_expired()
        now = self._clock()
        decisions = []
        for cookie in sorted(
            self._cookies.values(), key=lambda kept: (-len(kept.path), kept.order)
        ):
            if not cookie.covers_host(context.url.host):
                continue
            decisions.append((cookie, self._judge(cookie, context, now, from_script)))
        pairs = [cookie.pair() for cookie, decision in decisions if decision.sent]
        return "; ".join(pairs), decisions

    def _judge(
        self, cookie: Cookie, context: CookieContext, now: float, from_script: bool
    ) -> CookieDecision:
        if not path_match(context.url.path, cookie.path):
            return CookieDecision(False, f"Path={cookie.path} does not cover {context.url.path}")
        if from_script and cookie.http_only:
            return CookieDecision(False, "HttpOnly: scripts cannot read it")
        if context.third_party and not self._third_party:
            return CookieDecision(False, "this browser blocks third-party cookies")
        return _decide(
            cookie.same_site,
            secure=cookie.secure,
            same=context.same_site,
            encrypted=context.url.trustworthy,
            method=context.method,
            top_level=context.top_level,
            age_s=max(0.0, now - cookie.created_s),
        )

    def _parse(self, line: str, url: Url) -> tuple[Cookie | None, str]:
        if _CONTROL.search(line):
            return None, "a control character in the line"
        pair, *rest = line.split(";")
        name, found, value = pair.partition("=")
        if not found:
            name, value = "", pair
        name, value = name.strip(" \t"), value.strip(" \t")
        if not name and not value:
            return None, "neither name nor value"
        if "\t" in name + value:
            return None, "a tab inside, which the draft allows and Chromium does not"
        if len(name.encode()) + len(value.encode()) > MAX_PAIR:
            return None, f"name and value have more than {MAX_PAIR} octets"
        attributes: dict[str, str] = {}
        for part in rest:
            key, _, content = part.partition("=")
            content = content.strip(" \t")
            if len(content.encode()) <= MAX_ATTRIBUTE:
                attributes[key.strip(" \t").lower()] = content
        domain = attributes.get("domain", "").lower().removeprefix(".")
        path = attributes.get("path", "")
        now = self._clock()
        return (
            Cookie(
                name=name,
                value=value,
                domain=domain or url.host,
                host_only=not domain,
                path=path if path.startswith("/") else default_path(url.path),
                secure="secure" in attributes,
                http_only="httponly" in attributes,
                same_site=normalized_same_site(attributes.get("samesite")),
                created_s=now,
                expires_s=_expiry(attributes, now),
            ),
            "",
        )

    def _refusal(self, cookie: Cookie, line: str, context: CookieContext, from_script: bool) -> str:
        url = context.url
        if not cookie.host_only:
            if is_public_suffix(cookie.domain) and cookie.domain != url.host:
                return f"Domain={cookie.domain} is a public suffix"
            if not domain_match(url.host, cookie.domain):
                return f"Domain={cookie.domain} does not cover {url.host}"
        if from_script and cookie.http_only:
            return "a script cannot set HttpOnly"
        if cookie.secure and not url.trustworthy:
            return "Secure cannot be set over plain http"
        if cookie.same_site == "None" and not cookie.secure:
            return "SameSite=None needs Secure"
        if context.third_party and not self._third_party:
            return "this browser blocks third-party cookies"
        if cookie.same_site != "None" and not context.same_site and not context.top_level:
            shown = cookie.same_site or "absent"
            return f"SameSite is {shown}, and a cross-site answer inside a page sets only None"
        refusal = _prefix_refusal(cookie, line)
        if refusal:
            return refusal
        if not cookie.secure and not url.trustworthy and self._overlays_secure(cookie):
            return "a Secure cookie of that name stands, and plain http must not cover it"
        return ""

    def _overlays_secure(self, cookie: Cookie) -> bool:
        return any(
            kept.secure
            and kept.name == cookie.name
            and (
                domain_match(kept.domain, cookie.domain) or domain_match(cookie.domain, kept.domain)
            )
            and path_match(cookie.path, kept.path)
            for kept in self._cookies.values()
        )

    def _store(self, cookie: Cookie, from_script: bool) -> StoreDecision:
        if not cookie.host_only and is_public_suffix(cookie.domain):
            cookie = replace(cookie, host_only=True)
        key = (cookie.domain, cookie.host_only, cookie.path, cookie.name)
        self._drop_expired()
        old = self._cookies.get(key)
        if old is not None and old.http_only and from_script:
            return StoreDecision(False, cookie.name, "HttpOnly: a script cannot replace it")
        if cookie.expires_s is not None and cookie.expires_s <= self._clock():
            self._cookies.pop(key, None)
            return StoreDecision(False, cookie.name, "the expiry has passed: deleted")
        if old is not None and old.value == cookie.value:
            cookie = replace(cookie, created_s=old.created_s, order=old.order)
        else:
            self._order += 1
            cookie = replace(cookie, order=self._order)
        self._cookies[key] = cookie
        self._make_room(cookie.domain)
        span = "until the browser closes"
        if cookie.expires_s is not None:
            span = f"for {cookie.expires_s - self._clock():.0f} s"
        reach = f"{cookie.domain} only" if cookie.host_only else f"{cookie.domain} and below"
        return StoreDecision(True, cookie.name, f"kept {span}, for {reach}, Path={cookie.path}")

    def _drop_expired(self) -> None:
        now = self._clock()
        for key in [
            k for k, c in self._cookies.items() if c.expires_s is not None and c.expires_s <= now
        ]:
            del self._cookies[key]

    def _make_room(self, domain: str) -> None:
        own = [key for key in self._cookies if key[0] == domain]
        if len(own) > MAX_PER_DOMAIN:
            # Chromium drops insecure cookies before secure ones, the oldest first.
            oldest = min(own, key=lambda key: (self._cookies[key].secure, self._cookies[key].order))
            del self._cookies[oldest]
        if len(self._cookies) > MAX_TOTAL:
            del self._cookies[min(self._cookies, key=lambda key: self._cookies[key].order)]


def _prefix_refusal(cookie: Cookie, line: str) -> str:
    name = cookie.name.lower()
    bare_host = cookie.host_only and cookie.path == "/"
    has_path = re.search(r";\s*path\s*=\s*/\s*(;|$)", line, re.IGNORECASE) is not None
    if not cookie.name and cookie.value.lower().startswith(("__secure-", "__host-")):
        return "a value without a name must not look like a prefixed name"
    if name.startswith("__secure-") and not cookie.secure:
        return "__Secure- needs Secure"
    if name.startswith("__host-") and not (cookie.secure and bare_host and has_path):
        return "__Host- needs Secure, Path=/ and no Domain"
    return ""


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?\d+", age):
        seconds = int(age[:12])
        return now + min(seconds, MAX_AGE_S) if seconds > 0 else float("-inf")
    date = parse_date(attributes.get("expires", ""))
    if date is None:
        return None
    return min(date.timestamp(), now + MAX_AGE_S)
