"""Content Security Policy: what a page has asked the browser not to load and not to run.

Content Security Policy Level 3 (W3C): parsing in section 2.2, directives in 6, the matching of
sources in 6.7.2, of inline code in 6.7.3. A page may carry several policies; each can only take
away. A policy in ``<meta>`` begins to hold where it stands, and there ``frame-ancestors``,
``sandbox`` and ``report-uri`` mean nothing. Report-only policies are not modelled: they block
nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from labs.browser.origins import DEFAULT_PORTS, Origin, Url

MAX_POLICY = 16_384
"""Longest policy in characters; what is beyond it is cut."""

MAX_POLICIES = 16
"""Most policies of one page."""

FALLBACK = {
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "script-src-attr": ("script-src-attr", "script-src", "default-src"),
    "script-src": ("script-src", "default-src"),
    "style-src-elem": ("style-src-elem", "style-src", "default-src"),
    "style-src-attr": ("style-src-attr", "style-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "worker-src": ("worker-src", "child-src", "script-src", "default-src"),
    "img-src": ("img-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "object-src": ("object-src", "default-src"),
    "media-src": ("media-src", "default-src"),
    "font-src": ("font-src", "default-src"),
    "manifest-src": ("manifest-src", "default-src"),
    "base-uri": ("base-uri",),
    "form-action": ("form-action",),
    "frame-ancestors": ("frame-ancestors",),
}
"""The directives that decide, the first that is present; section 6.8.3."""

META_IGNORED = frozenset({"frame-ancestors", "sandbox", "report-uri"})
"""Directives that mean nothing in ``<meta>`` (HTML Standard, section 4.2.5.3)."""

_HASH = re.compile(r"'(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_NONCE = re.compile(r"'nonce-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_HOST = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)"
    r"(?::(\d+|\*))?(/[^\s;,?#]*)?"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


@dataclass(frozen=True, slots=True)
class CspDecision:
    """Whether the policies let something through, and which of their words decided."""

    allowed: bool
    reason: str


NONE = "'none'"

FREE = CspDecision(True, "no policy speaks about it")


@dataclass(frozen=True)
class Policy:
    """One enforced policy: directive names to their lists of source expressions."""

    directives: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def governing(self, directive: str) -> tuple[str, tuple[str, ...]] | None:
        """The directive that decides about ``directive``, after fallback, with its sources."""
        for name in FALLBACK[directive]:
            if name in self.directives:
                return name, self.directives[name]
        return None


def source_list(value: str) -> tuple[str, ...]:
    """The source expressions in a directive's value."""
    return tuple(value.split())


def parse_policies(values: Iterable[str], *, meta: bool = False) -> tuple[Policy, ...]:
    """Read the values of ``Content-Security-Policy`` headers, or of one ``<meta>``.

    >>> parse_policies(["script-src 'self'; img-src *, default-src 'none'"])[1].directives
    {'default-src': ("'none'",)}
    """
    policies = []
    for value in values:
        for serialized in value[:MAX_POLICY].split(","):
            directives: dict[str, tuple[str, ...]] = {}
            for part in serialized.split(";"):
                words = part.split()
                if not words:
                    continue
                name = words[0].lower()
                if name not in directives and not (meta and name in META_IGNORED):
                    directives[name] = tuple(words[1:])
            if directives:
                policies.append(Policy(directives))
    return tuple(policies[:MAX_POLICIES])


def script_hash(script: str, algorithm: str = "sha256") -> str:
    """The hash that allows exactly this inline script, without quotes.

    >>> script_hash("doSubmit()")
    'sha256-jzgBGA4UWFFmpOBq0JpdsySukE1FrEN5bUpoK8Z29fY='
    """
    digest = hashlib.new(algorithm, script.encode("utf-8", "surrogatepass")).digest()
    return f"{algorithm}-{base64.b64encode(digest).decode('ascii')}"


def inline_allowed(
    policies: Sequence[Policy],
    kind: str,
    source: str,
    *,
    nonce: str = "",
    parser_inserted: bool = True,
) -> CspDecision:
    """Whether inline code may run (section 6.7.3.3).

    Args:
        policies: The page's policies.
        kind: ``script``, ``script attribute`` (an event handler), ``navigation`` (a
            ``javascript:`` URL), ``style`` or ``style attribute``.
        source: The code, for hashes.
        nonce: The element's nonce, empty if it has none or must not use it.
        parser_inserted: False for a script that a running script added (``'strict-dynamic'``).
    """
    directive = {
        "script": "script-src-elem",
        "script attribute": "script-src-attr",
        "navigation": "script-src-elem",
        "style": "style-src-elem",
        "style attribute": "style-src-attr",
    }[kind]
    decision = FREE
    for policy in policies:
        found = policy.governing(directive)
        if found is None:
            continue
        dynamic = "'strict-dynamic'" in {word.lower() for word in found[1]}
        if kind == "script" and dynamic and not parser_inserted:
            reason = f"{found[0]} has 'strict-dynamic': added by a trusted script"
            decision = CspDecision(True, reason)
            continue
        decision = _inline(found[0], found[1], kind, source, nonce)
        if not decision.allowed:
            return decision
    return decision


def _inline(name: str, sources: tuple[str, ...], kind: str, source: str, nonce: str) -> CspDecision:
    words = {word.lower() for word in sources}
    takes_nonce = kind in ("script", "style")
    if takes_nonce and nonce and nonce in _nonces(sources):
        return CspDecision(True, f"{name} knows its nonce")
    if takes_nonce or "'unsafe-hashes'" in words:
        for algorithm, expected in _hashes(sources):
            actual = script_hash(source, algorithm).partition("-")[2]
            if actual == expected.replace("-", "+").replace("_", "/"):
                return CspDecision(True, f"{name} knows its hash")
    closed = bool(_nonces(sources) or _hashes(sources)) or (
        kind in ("script", "script attribute", "navigation") and "'strict-dynamic'" in words
    )
    if "'unsafe-inline'" in words:
        if not closed:
            return CspDecision(True, f"{name} has 'unsafe-inline'")
        return CspDecision(
            False, f"{name} names a nonce, a hash or 'strict-dynamic', so 'unsafe-inline' is off"
        )
    what = {"script attribute": "event handlers", "navigation": "javascript: URLs"}.get(
        kind, f"an inline {kind} without its nonce or hash"
    )
    return CspDecision(False, f"{name} does not allow {what}")


def load_allowed(
    policies: Sequence[Policy],
    directive: str,
    url: Url,
    page: Origin,
    *,
    nonce: str = "",
    parser_inserted: bool = True,
    redirected: bool = False,
) -> CspDecision:
    """Whether something may be loaded, framed or submitted to (sections 6.1, 6.3, 6.7.2).

    Args:
        policies: The page's policies.
        directive: A key of :data:`FALLBACK`, such as ``script-src-elem`` or ``form-action``.
        url: Where it would come from or go to.
        page: Origin of the page, which ``'self'`` means.
        nonce: The script element's nonce.
        parser_inserted: False for a script that a running script added (``'strict-dynamic'``).
        redirected: Whether redirects were followed; the path of a source then no longer counts.
    """
    decision = FREE
    for policy in policies:
        found = policy.governing(directive)
        if found is None:
            continue
        name, sources = found
        words = {word.lower() for word in sources}
        if directive == "script-src-elem":
            if nonce and nonce in _nonces(sources):
                decision = CspDecision(True, f"{name} knows its nonce")
                continue
            if "'strict-dynamic'" in words:
                if parser_inserted:
                    return CspDecision(
                        False, f"{name} has 'strict-dynamic', and the script has no nonce"
                    )
                decision = CspDecision(
                    True, f"{name} has 'strict-dynamic': added by a trusted script"
                )
                continue
        if not matches_any(sources, url, page, redirected=redirected):
            return CspDecision(
                False,
                f"{name} {' '.join(sources) or NONE} does not name {_shown(url)}",
            )
        decision = CspDecision(True, f"{name} names {_shown(url)}")
    return decision


def eval_allowed(policies: Sequence[Policy]) -> CspDecision:
    """Whether text may be turned into code by ``eval`` and its kin (section 4.3)."""
    for policy in policies:
        found = policy.governing("script-src")
        if found and "'unsafe-eval'" not in {word.lower() for word in found[1]}:
            return CspDecision(False, f"{found[0]} lacks 'unsafe-eval'")
    return FREE


def sandbox_flags(policies: Sequence[Policy]) -> frozenset[str] | None:
    """What a ``sandbox`` directive leaves allowed; ``None`` without one."""
    allowed: frozenset[str] | None = None
    for policy in policies:
        if "sandbox" in policy.directives:
            flags = frozenset(word.lower() for word in policy.directives["sandbox"])
            allowed = flags if allowed is None else allowed & flags
    return allowed


def _shown(url: Url) -> str:
    return str(url.origin) if url.is_http else f"{url.scheme}:"


def _nonces(sources: Sequence[str]) -> set[str]:
    return {found[1] for word in sources if (found := _NONCE.fullmatch(word))}


def _hashes(sources: Sequence[str]) -> list[tuple[str, str]]:
    return [(m[1].lower(), m[2]) for word in sources if (m := _HASH.fullmatch(word))]


def matches_any(
    sources: Sequence[str], url: Url, page: Origin, *, redirected: bool = False
) -> bool:
    """Whether one of the source expressions names the URL (section 6.7.2.6)."""
    return any(_matches(word, url, page, redirected) for word in sources)


def _matches(word: str, url: Url, page: Origin, redirected: bool) -> bool:
    if word == "*":
        # A star is the network schemes and the page's own, not data: or blob:.
        return url.is_http or url.scheme in ("ws", "wss") or url.scheme == page.scheme
    if word.lower() == "'self'":
        return _is_self(url, page)
    if word.startswith("'"):
        return False
    if scheme := _SCHEME.fullmatch(word):
        return _scheme_fits(scheme[1].lower(), url.scheme)
    host = _HOST.fullmatch(word)
    if not host or not url.host:
        return False
    wanted_scheme = host[1].lower() if host[1] else page.scheme
    if (host[1] or not page.opaque) and not _scheme_fits(wanted_scheme, url.scheme):
        return False
    return (
        _host_fits(host[2].lower(), url.host)
        and _port_fits(host[3], wanted_scheme, url)
        and (redirected or _path_fits(host[4], url.path))
    )


def _is_self(url: Url, page: Origin) -> bool:
    if page.opaque or not url.is_http:
        return False
    if url.origin == page:
        return True
    default = page.port == DEFAULT_PORTS.get(page.scheme) and url.port == DEFAULT_PORTS[url.scheme]
    return (
        url.host == page.host
        and (url.port == page.port or default)
        and _scheme_fits(page.scheme, url.scheme)
    )


def _scheme_fits(wanted: str, actual: str) -> bool:
    upgrades = {
        "http": {"http", "https"},
        "ws": {"ws", "wss", "http", "https"},
        "wss": {"wss", "https"},
    }
    return actual in upgrades.get(wanted, {wanted})


def _host_fits(wanted: str, actual: str) -> bool:
    if wanted == "*":
        return True
    if wanted.startswith("*."):
        return actual.endswith(wanted[1:]) and len(actual) > len(wanted) - 1
    return wanted == actual


def _port_fits(wanted: str | None, scheme: str, url: Url) -> bool:
    if wanted == "*":
        return True
    default = DEFAULT_PORTS.get(url.scheme)
    if wanted is None:
        return url.port == default
    number = int(wanted[:6])
    return number == url.port or (number == 80 and scheme == "http" and url.port == 443)


def _path_fits(wanted: str | None, actual: str) -> bool:
    if not wanted or (wanted == "/" and not actual):
        return True
    wanted, actual = unquote(wanted), unquote(actual)
    return actual.startswith(wanted) if wanted.endswith("/") else actual == wanted
