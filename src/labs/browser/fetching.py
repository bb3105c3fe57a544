"""What happens between "the page wants this" and the answer: everything a browser adds or refuses.

Cookies (:mod:`labs.browser.cookies`), redirects and CORS (Fetch Standard, sections 4.4 to 4.9),
``Origin`` (3.1), ``Referer`` (W3C Referrer Policy), the ``Sec-Fetch-*`` headers (W3C Fetch
Metadata), mixed content (W3C Mixed Content), HSTS (RFC 6797) and the page's own policy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from labs.browser.cookies import CookieContext, CookieJar
from labs.browser.csp import Policy, load_allowed
from labs.browser.log import Log
from labs.browser.network import Headers, Internet, Request, Response
from labs.browser.origins import BadUrl, Origin, Url, is_address, parse_url, same_site

MAX_REDIRECTS = 20
"""Most redirects that are followed."""

REFERRER_POLICIES = frozenset(
    {
        "no-referrer",
        "no-referrer-when-downgrade",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    }
)
"""The values that count."""

DEFAULT_REFERRER_POLICY = "strict-origin-when-cross-origin"

MAX_REFERRER = 4096
"""A longer address is cut to its origin."""

_SAFELISTED_TYPES = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)
_SAFELISTED_FIELDS = frozenset({"accept", "accept-language", "content-language", "content-type"})
_SIMPLE_METHODS = frozenset({"GET", "HEAD", "POST"})
_FORBIDDEN_FIELDS = re.compile(
    r"(?i)accept-charset|accept-encoding|access-control-.*|connection|content-length|cookie2?|date"
    r"|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade"
    r"|via|proxy-.*|sec-.*"
)


@dataclass(frozen=True)
class Client:
    """The page that asks, as far as the request depends on it.

    Args:
        url: Its address, for ``Referer``; that of the parent for a ``srcdoc`` frame.
        origin: Its origin; an opaque one when sandboxed.
        policies: Its Content Security Policies.
        referrer_policy: Its own referrer policy, empty for the default.
        site_for_cookies: Origin of the tab's page if all pages on the way are of its site, else
            ``None`` (draft-ietf-httpbis-rfc6265bis, section 5.2.1).
    """

    url: Url
    origin: Origin
    policies: tuple[Policy, ...] = ()
    referrer_policy: str = ""
    site_for_cookies: Origin | None = None


@dataclass(frozen=True)
class Ask:
    """A wish for something from the network.

    Args:
        url: What is wanted.
        method: The HTTP method.
        body: The body.
        fields: Further header fields.
        destination: ``document``, ``iframe``, ``image``, ``script``, ``style``, ``empty``, ….
        mode: ``navigate``, ``no-cors``, ``cors`` or ``same-origin``.
        credentials: ``include``, ``same-origin`` or ``omit``.
        client: The page that asks; ``None`` when the user typed the address.
        container: For a frame, the page that holds it.
        user: Whether a click or a key stands behind it.
        directive: The policy directive that must let it through, empty for none.
        nonce: The nonce of the script element.
        parser_inserted: False for what a running script added.
        referrer_policy: That of the element, empty for the page's.
    """

    url: Url
    method: str = "GET"
    body: bytes = b""
    fields: tuple[tuple[str, str], ...] = ()
    destination: str = "empty"
    mode: str = "no-cors"
    credentials: str = "include"
    client: Client | None = None
    container: Client | None = None
    user: bool = False
    directive: str = ""
    nonce: str = ""
    parser_inserted: bool = True
    referrer_policy: str = ""

    @property
    def top_level(self) -> bool:
        """Whether it changes what the address bar shows."""
        return self.mode == "navigate" and self.destination == "document"


@dataclass(frozen=True)
class Fetched:
    """What came back, and how much of it the page may read.

    Args:
        kind: ``basic`` (same origin), ``cors`` (readable by consent), ``opaque`` (unreadable) or
            ``error``.
        response: The whole answer, which only the browser and the lab see.
        url: Where it came from in the end.
        reason: Why, in words.
    """

    kind: str
    response: Response
    url: Url
    reason: str = ""

    @property
    def readable(self) -> bool:
        """Whether the page may read status, headers and body."""
        return self.kind in ("basic", "cors")

    @property
    def status(self) -> int:
        """The status as the page sees it; 0 when it may not."""
        return self.response.status if self.readable else 0

    @property
    def text(self) -> str:
        """The body as the page sees it; empty when it may not."""
        return self.response.text if self.readable else ""


class Fetcher:
    """The part of a browser that talks to the network.

    Args:
        internet: Where requests go.
        jar: The cookies.
        log: Where decisions are written.
        clock: Seconds since 1970.
        address: The browser's IP address.
        spend: Called before each request; returns why it must not go out, or nothing.
    """

    def __init__(
        self,
        internet: Internet,
        jar: CookieJar,
        log: Log,
        clock: Callable[[], float],
        *,
        address: str,
        spend: Callable[[], str],
    ) -> None:
        self._internet = internet
        self._jar = jar
        self._log = log
        self._clock = clock
        self._address = address
        self._spend = spend
        self._encrypted_only: dict[str, tuple[float, bool]] = {}

    def fetch(self, ask: Ask) -> Fetched:
        """Ask, follow redirects, and return what came."""
        where = str(ask.client.url.without_fragment()) if ask.client else "the user"
        visited: list[Url] = []
        url, method, body, fields = ask.url, ask.method.upper(), ask.body, ask.fields
        while True:
            url, refusal = self._admit(ask, url, where, redirected=bool(visited))
            if refusal:
                return Fetched("error", Response(0, error=refusal), url, refusal)
            visited.append(url)
            response = self._once(ask, visited, method, body, fields, where)
            if response.error and response.status == 0:
                return Fetched("error", response, url, response.error)
            refusal = self._cors_refusal(ask, visited, response)
            if refusal:
                self._log.add(where, "cors", f"{method} {url}", "not readable", refusal)
                return Fetched("error", response, url, refusal)
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or not location:
                return self._answer(ask, visited, response, where)
            if len(visited) > MAX_REDIRECTS:
                return Fetched(
                    "error", Response(0, error="too many redirects"), url, "too many redirects"
                )
            try:
                following = parse_url(location, url)
            except BadUrl as error:
                return Fetched("error", Response(0, error=str(error)), url, str(error))
            if following.fragment is None:
                following = replace(following, fragment=url.fragment)
            if not following.is_http:
                reason = f"a redirect to {following.scheme}: is not followed"
                self._log.add(where, "redirect", str(following), "blocked", reason)
                return Fetched("error", Response(0, error=reason), url, reason)
            becomes_get = (response.status in (301, 302) and method == "POST") or (
                response.status == 303 and method not in ("GET", "HEAD")
            )
            if becomes_get:
                method, body = "GET", b""
                fields = tuple(f for f in fields if not f[0].lower().startswith("content-"))
            self._log.add(
                where, "redirect", str(following), "followed", f"{response.status} from {url}"
            )
            url = following

    def _admit(self, ask: Ask, url: Url, where: str, *, redirected: bool) -> tuple[Url, str]:
        """The URL that is really asked for, or the reason why none is."""
        url = self._upgrade(url, where)
        page = ask.client
        if page and ask.directive:
            holder = ask.container or page
            decision = load_allowed(
                holder.policies,
                ask.directive,
                url,
                holder.origin,
                nonce=ask.nonce,
                parser_inserted=ask.parser_inserted,
                redirected=redirected,
            )
            if holder.policies and not decision.allowed:
                self._log.add(where, "csp", str(url), "blocked", decision.reason)
                return url, f"Content-Security-Policy: {decision.reason}"
        holder_origin = (ask.container or page).origin if page else None
        if (
            holder_origin is not None
            and holder_origin.scheme == "https"
            and not url.trustworthy
            and not ask.top_level
        ):
            if ask.destination in ("image", "audio", "video") and url.port == 80:
                return replace(url, scheme="https", port=443), ""
            reason = "mixed content: an encrypted page does not load this over plain http"
            self._log.add(where, "request", str(url), "blocked", reason)
            return url, reason
        return url, ""

    def _upgrade(self, url: Url, where: str) -> Url:
        if url.scheme != "http" or is_address(url.host):
            return url
        labels = url.host.split(".")
        for start in range(len(labels)):
            host = ".".join(labels[start:])
            until, below = self._encrypted_only.get(host, (0.0, False))
            if until > self._clock() and (start == 0 or below):
                port = 443 if url.port == 80 else url.port
                upgraded = replace(url, scheme="https", port=port)
                reason = f"{host} asked for https only (Strict-Transport-Security)"
                self._log.add(where, "redirect", str(url), "upgraded", reason)
                return upgraded
        return url

    def _remember_encrypted_only(self, url: Url, response: Response) -> None:
        value = response.headers.get("Strict-Transport-Security")
        if not value or url.scheme != "https" or is_address(url.host):
            return
        parts = [part.strip().lower() for part in value.split(";")]
        age = next(
            (part.partition("=")[2].strip('" ') for part in parts if part.startswith("max-age")), ""
        )
        if age.isascii() and age.isdigit():
            self._encrypted_only[url.host] = (
                self._clock() + int(age[:12]),
                "includesubdomains" in parts,
            )

    def _once(
        self,
        ask: Ask,
        visited: list[Url],
        method: str,
        body: bytes,
        fields: tuple[tuple[str, str], ...],
        where: str,
    ) -> Response:
        url = visited[-1]
        own_fields = fields if ask.mode != "no-cors" else _only_safelisted(fields)
        if ask.mode == "cors" and self._needs_preflight(ask, url, method, own_fields):
            refusal = self._preflight(ask, visited, method, own_fields, where)
            if refusal:
                return Response(0, error=refusal)
        headers = [*own_fields, *self._browser_fields(ask, visited, method)]
        context = cookie_context(ask, url, method)
        self._log.add(where, "request", f"{method} {url.without_fragment()}", "sent", _about(ask))
        sends_cookies = _with_credentials(ask, visited)
        if sends_cookies:
            cookies, decisions = self._jar.header(context)
            for cookie, decision in decisions:
                self._log.add(
                    where,
                    "cookie",
                    cookie.name or cookie.value,
                    "sent" if decision.sent else "not sent",
                    f"{decision.reason}, to {url.origin}",
                )
            if cookies:
                headers.append(("Cookie", cookies))
        refusal = self._spend()
        if refusal:
            self._log.add(where, "request", f"{method} {url}", "not sent", refusal)
            return Response(0, error=refusal)
        request = Request(method, url.without_fragment(), Headers(tuple(headers)), body)
        response = self._internet.send(request, address=self._address)
        if response.status == 0:
            self._log.add(where, "request", f"{method} {url}", "failed", response.error)
            return response
        self._remember_encrypted_only(url, response)
        if sends_cookies:
            for line in response.headers.all("Set-Cookie"):
                stored = self._jar.receive(line, context)
                self._log.add(
                    str(url.origin),
                    "cookie",
                    stored.name or line.partition(";")[0],
                    "kept" if stored.stored else "not kept",
                    stored.reason,
                )
        return response

    def _browser_fields(self, ask: Ask, visited: list[Url], method: str) -> list[tuple[str, str]]:
        url = visited[-1]
        fields = []
        referrer = referrer_for(ask, visited)
        if referrer:
            fields.append(("Referer", referrer))
        origin = _origin_field(ask, visited, method)
        if origin:
            fields.append(("Origin", origin))
        if url.trustworthy:
            fields += [
                ("Sec-Fetch-Site", sec_fetch_site(ask, visited)),
                ("Sec-Fetch-Mode", ask.mode),
                ("Sec-Fetch-Dest", ask.destination),
            ]
            if ask.mode == "navigate" and (ask.user or ask.client is None):
                fields.append(("Sec-Fetch-User", "?1"))
        fields.append(("User-Agent", "Kvittra-Model-Browser/1"))
        return fields

    def _needs_preflight(
        self, ask: Ask, url: Url, method: str, fields: tuple[tuple[str, str], ...]
    ) -> bool:
        if ask.client is None or ask.client.origin == url.origin:
            return False
        return method not in _SIMPLE_METHODS or bool(_unsafe_fields(fields))

    def _preflight(
        self,
        ask: Ask,
        visited: list[Url],
        method: str,
        fields: tuple[tuple[str, str], ...],
        where: str,
    ) -> str:
        """Ask the other origin first; the reason why it refuses, or nothing (Fetch, 4.8)."""
        url = visited[-1]
        names = _unsafe_fields(fields)
        asked = [("Access-Control-Request-Method", method)]
        if names:
            asked.append(("Access-Control-Request-Headers", ",".join(names)))
        plain = replace(ask, credentials="omit")
        headers = Headers((*asked, *self._browser_fields(plain, visited, "OPTIONS")))
        refusal = self._spend()
        if refusal:
            return refusal
        self._log.add(
            where, "request", f"OPTIONS {url}", "sent", f"asks whether {method} may follow"
        )
        response = self._internet.send(
            Request("OPTIONS", url.without_fragment(), headers), address=self._address
        )
        refusal = _consent_refusal(ask, visited, response.headers)
        if not refusal and not 200 <= response.status <= 299:
            refusal = f"the preflight was answered {response.status}"
        with_credentials = ask.credentials == "include"
        methods = _listed(response.headers, "Access-Control-Allow-Methods", with_credentials)
        if not refusal and method not in _SIMPLE_METHODS and not ({method, "*"} & methods):
            refusal = f"Access-Control-Allow-Methods lacks {method}"
        allowed = {
            name.lower()
            for name in _listed(response.headers, "Access-Control-Allow-Headers", with_credentials)
        }
        for name in names:
            # The standard wants Authorization named; Chromium lets the star stand for it too.
            if not refusal and name not in allowed and "*" not in allowed:
                refusal = f"Access-Control-Allow-Headers lacks {name}"
        if refusal:
            self._log.add(where, "cors", f"{method} {url}", "not sent", refusal)
        return refusal

    def _cors_refusal(self, ask: Ask, visited: list[Url], response: Response) -> str:
        if ask.mode == "same-origin" and ask.client and visited[-1].origin != ask.client.origin:
            return "the mode is same-origin"
        if ask.mode != "cors" or not _crossed(ask, visited):
            return ""
        return _consent_refusal(ask, visited, response.headers)

    def _answer(self, ask: Ask, visited: list[Url], response: Response, where: str) -> Fetched:
        url = visited[-1]
        if ask.client is None or ask.mode == "navigate" or not _crossed(ask, visited):
            return Fetched("basic", response, url)
        if ask.mode == "cors":
            reason = "the other origin consents (Access-Control-Allow-Origin)"
            self._log.add(where, "cors", f"{ask.method} {url}", "readable", reason)
            return Fetched("cors", response, url, reason)
        return Fetched("opaque", response, url, "another origin, asked without CORS")


def cookie_context(ask: Ask, url: Url, method: str) -> CookieContext:
    """What the cookie rules see of a request."""
    target = url.origin
    if ask.client is None:
        return CookieContext(url, same_site=True, method=method, top_level=True)
    from_page = same_site(ask.client.origin, target)
    if ask.top_level:
        return CookieContext(url, same_site=from_page, method=method, top_level=True)
    holder = ask.container or ask.client
    tab = holder.site_for_cookies
    inside = tab is not None and same_site(tab, target)
    return CookieContext(
        url,
        same_site=inside and from_page,
        method=method,
        top_level=False,
        third_party=not inside,
    )


def sec_fetch_site(ask: Ask, visited: list[Url]) -> str:
    """The value of ``Sec-Fetch-Site``: the widest step on the way from the page to the target."""
    if ask.client is None:
        return "none"
    widest = 0
    for url in visited:
        if ask.client.origin == url.origin:
            step = 0
        else:
            step = 1 if same_site(ask.client.origin, url.origin) else 2
        widest = max(widest, step)
    return ("same-origin", "same-site", "cross-site")[widest]


def referrer_for(ask: Ask, visited: list[Url]) -> str:
    """The value of ``Referer``, or nothing (W3C Referrer Policy, section 8.3).

    What a redirect to another origin has cut off does not come back. A page with an opaque origin
    sends none. As in Chromium, "downgrade" means from https to anything else, also on this machine.
    """
    client = ask.client
    if client is None or not client.url.is_http or client.origin.opaque:
        return ""
    policy = ask.referrer_policy or client.referrer_policy or DEFAULT_REFERRER_POLICY
    whole = str(client.url.without_fragment())
    origin = f"{client.url.origin}/"
    shown = origin if len(whole) > MAX_REFERRER else whole
    for target in visited:
        if not shown:
            break
        same = client.url.origin == target.origin
        downgrade = client.url.scheme == "https" and target.scheme != "https"
        shown = {
            "no-referrer": "",
            "origin": origin,
            "unsafe-url": shown,
            "same-origin": shown if same else "",
            "strict-origin": "" if downgrade else origin,
            "no-referrer-when-downgrade": "" if downgrade else shown,
            "origin-when-cross-origin": shown if same else origin,
            "strict-origin-when-cross-origin": shown if same else "" if downgrade else origin,
        }[policy]
    return shown


def referrer_policy(values: list[str]) -> str:
    """The last known policy among the values of ``Referrer-Policy``, or nothing."""
    words = [word.strip().lower() for value in values for word in value.split(",")]
    return next((word for word in reversed(words) if word in REFERRER_POLICIES), "")


def allowed_fields(fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The header fields that a script may set (Fetch Standard, forbidden request-headers)."""
    return tuple(
        (name, value) for name, value in fields.items() if not _FORBIDDEN_FIELDS.fullmatch(name)
    )


def _origin_field(ask: Ask, visited: list[Url], method: str) -> str:
    """The value of ``Origin``, or nothing (Fetch Standard, section 3.1)."""
    if ask.client is None:
        return "null" if method not in ("GET", "HEAD") else ""
    origin = ask.client.origin
    shown = "null" if _tainted(origin, visited) else str(origin)
    if ask.mode == "navigate" and any(a.origin != b.origin for a, b in pairwise(visited)):
        shown = "null"  # Chromium is stricter here than the standard
    target = visited[-1].origin
    if ask.mode == "cors" and (_crossed(ask, visited) or method not in ("GET", "HEAD")):
        return shown
    if method in ("GET", "HEAD"):
        return ""
    policy = ask.referrer_policy or ask.client.referrer_policy or DEFAULT_REFERRER_POLICY
    downgrade = origin.scheme == "https" and visited[-1].scheme != "https"
    if policy == "no-referrer" or (policy == "same-origin" and origin != target):
        return "null"
    strict = ("no-referrer-when-downgrade", "strict-origin", "strict-origin-when-cross-origin")
    return "null" if policy in strict and downgrade else shown


def _tainted(origin: Origin, visited: list[Url]) -> bool:
    """Whether the way went from one foreign origin to another (Fetch, "redirect-tainted")."""
    return any(
        later.origin != earlier.origin and earlier.origin != origin
        for earlier, later in pairwise(visited)
    )


def _crossed(ask: Ask, visited: list[Url]) -> bool:
    return ask.client is not None and any(url.origin != ask.client.origin for url in visited)


def _with_credentials(ask: Ask, visited: list[Url]) -> bool:
    if ask.credentials == "same-origin":
        return not _crossed(ask, visited)
    return ask.credentials == "include"


def _consent_refusal(ask: Ask, visited: list[Url], headers: Headers) -> str:
    """Why the answer does not let the asking origin read it, or nothing (Fetch, 4.10)."""
    assert ask.client is not None
    own = "null" if _tainted(ask.client.origin, visited) else str(ask.client.origin)
    values = headers.all("Access-Control-Allow-Origin")
    if len(values) != 1:
        return (
            "no Access-Control-Allow-Origin"
            if not values
            else "several Access-Control-Allow-Origin"
        )
    value = values[0].strip()
    if ask.credentials != "include" and value == "*":
        return ""
    if value == "*":
        return "Access-Control-Allow-Origin: * does not count for a request with credentials"
    if value != own:
        return f"Access-Control-Allow-Origin is {value}, not {own}"
    if ask.credentials == "include" and headers.get("Access-Control-Allow-Credentials") != "true":
        return "Access-Control-Allow-Credentials is not true"
    return ""


def _listed(headers: Headers, name: str, with_credentials: bool) -> set[str]:
    words = {word.strip() for value in headers.all(name) for word in value.split(",")}
    return words - {"*"} if with_credentials else words


def _unsafe_fields(fields: tuple[tuple[str, str], ...]) -> list[str]:
    found = set()
    for name, value in fields:
        lower = name.lower()
        media_type = value.partition(";")[0].strip().lower()
        simple = lower in _SAFELISTED_FIELDS and len(value) <= 128
        if not simple or (lower == "content-type" and media_type not in _SAFELISTED_TYPES):
            found.add(lower)
    return sorted(found)


def _only_safelisted(fields: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    unsafe = set(_unsafe_fields(fields))
    return tuple(field for field in fields if field[0].lower() not in unsafe)


def _about(ask: Ask) -> str:
    if ask.client is None:
        return "the user opened it"
    kinds = {
        "document": "the page goes there",
        "iframe": "a frame",
        "empty": f"fetch, mode {ask.mode}, credentials {ask.credentials}",
    }
    about = kinds.get(ask.destination, f"a part of the page: {ask.destination}")
    return about + (", after a click" if ask.user else "")
