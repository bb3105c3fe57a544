"""URLs, origins and sites: what a browser compares before it lets one page touch another.

A URL is read the way the WHATWG URL Standard (section 4.4) reads it where the difference matters
to security: tabs and line breaks vanish, backslashes are slashes, ``user@`` before a host is not
the host, letters of a scheme and a host are folded. An *origin* is scheme, host and port
(HTML Standard, section 7.1.1). A *site* is scheme and registrable domain ("schemelessly same
site" is not used: http and https differ), so it ignores the port and the subdomain.

The registrable domain needs the Public Suffix List in real life. The model knows a rule that is
enough for this book: the last label is a public suffix, and so are the names in
:data:`PUBLIC_SUFFIXES`. An address in digits, and a public suffix itself, is its own site.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import unquote_to_bytes

PUBLIC_SUFFIXES = frozenset(
    {"ac.uk", "co.uk", "gov.uk", "org.uk", "co.jp", "com.au", "com.br", "co.nz"}
    | {"github.io", "gitlab.io", "pages.dev", "herokuapp.com", "blogspot.com", "azurewebsites.net"}
)
"""Public suffixes of more than one label that the model knows, shared hosting among them."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The schemes that the in-process internet serves, with the port that is left out."""

MAX_URL = 65_536
"""Longest URL in characters that the model takes."""

_HOST_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_OPAQUE = count(1)


class BadUrl(ValueError):  # noqa: N818 - reads as what it says
    """Text that is not a URL; the page treats the link as dead."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port; or an opaque origin, which equals only itself.

    >>> str(Origin("https", "kvittra.example", 443))
    'https://kvittra.example'
    >>> str(opaque_origin())
    'null'
    """

    scheme: str
    host: str
    port: int
    opaque_id: int = 0

    @property
    def opaque(self) -> bool:
        """Whether the origin is opaque, as that of a ``data:`` page or a sandboxed frame."""
        return self.opaque_id > 0

    @property
    def site(self) -> str:
        """The site, ``scheme://registrable-domain``; an opaque origin's is ``null``."""
        return "null" if self.opaque else f"{self.scheme}://{registrable_domain(self.host)}"

    @property
    def trustworthy(self) -> bool:
        """Whether the origin is potentially trustworthy (W3C Secure Contexts, section 3.1)."""
        return not self.opaque and (self.scheme == "https" or is_loopback(self.host))

    def __str__(self) -> str:
        if self.opaque:
            return "null"
        shown = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{self.host}{shown}"


def opaque_origin() -> Origin:
    """A new origin that equals no other."""
    return Origin("", "", 0, next(_OPAQUE))


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed URL. Outside http and https everything after the scheme is in ``path``."""

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    query: str | None = None
    fragment: str | None = None

    @property
    def is_http(self) -> bool:
        """Whether the scheme is http or https."""
        return self.scheme in DEFAULT_PORTS

    @property
    def origin(self) -> Origin:
        """The origin; a new opaque one outside http and https."""
        return Origin(self.scheme, self.host, self.port) if self.is_http else opaque_origin()

    @property
    def site(self) -> str:
        """The site of the origin."""
        return self.origin.site

    @property
    def trustworthy(self) -> bool:
        """Whether the origin is potentially trustworthy."""
        return self.is_http and self.origin.trustworthy

    @property
    def target(self) -> str:
        """Path and query, as a request line carries them."""
        return self.path + ("" if self.query is None else f"?{self.query}")

    def without_fragment(self) -> Url:
        """The same URL without its fragment, which never leaves the browser."""
        return replace(self, fragment=None)

    def __str__(self) -> str:
        start = f"{self.origin}{self.path}" if self.is_http else f"{self.scheme}:{self.path}"
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return start + query + fragment


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by name or number: ``localhost``, ``*.localhost``, 127/8, ::1.

    >>> is_loopback("kvittra.localhost"), is_loopback("kvittra.example")
    (True, False)
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether a host is an IP address in its usual form, which has no parent domain."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def registrable_domain(host: str) -> str:
    """The part of a host that somebody registered: a public suffix and one label before it.

    >>> registrable_domain("blog.kvittra.example"), registrable_domain("maja.github.io")
    ('kvittra.example', 'maja.github.io')
    >>> registrable_domain("127.0.0.1"), registrable_domain("localhost")
    ('127.0.0.1', 'localhost')
    """
    host = host.rstrip(".")
    if is_address(host):
        return host
    labels = host.split(".")
    suffix = 2 if ".".join(labels[-2:]) in PUBLIC_SUFFIXES else 1
    return ".".join(labels[-suffix - 1 :])


def is_public_suffix(host: str) -> bool:
    """Whether anybody may register a name below this one, so that no cookie may cover it.

    >>> is_public_suffix("example"), is_public_suffix("github.io"), is_public_suffix("127.0.0.1")
    (True, True, False)
    """
    return not is_address(host) and ("." not in host or host in PUBLIC_SUFFIXES)


def same_site(one: Origin, other: Origin) -> bool:
    """Whether two origins are same-site, scheme included; an opaque origin is so only to itself.

    >>> same_site(parse_url("https://blog.kvittra.example").origin,
    ...           parse_url("https://kvittra.example:8443").origin)
    True
    >>> same_site(parse_url("http://kvittra.example").origin,
    ...           parse_url("https://kvittra.example").origin)
    False
    """
    if one.opaque or other.opaque:
        return one == other
    return one.site == other.site


def parse_url(text: str, base: Url | None = None) -> Url:
    r"""Read a URL as a browser does, relative to ``base`` if it is relative.

    Raises:
        BadUrl: If it is not a URL, or relative without a base.
        TypeError: If it is not text.

    >>> str(parse_url("java\nscript:x", None))
    'javascript:x'
    >>> str(parse_url("\\\\evil.example\\a", parse_url("https://kvittra.example/in/")))
    'https://evil.example/a'
    >>> parse_url("https://kvittra.example@evil.example/").host
    'evil.example'
    """
    if not isinstance(text, str):
        raise TypeError(f"url must be text, not {text!r}")
    if len(text) > MAX_URL:
        raise BadUrl(f"url must have at most {MAX_URL} characters, not {len(text)}")
    text = text.strip("".join(map(chr, range(0x21)))).translate({9: None, 10: None, 13: None})
    match = _SCHEME.match(text)
    if not match:
        if base is None:
            raise BadUrl(f"{text!r} is relative, and there is no base")
        return _relative(text, base)
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme not in DEFAULT_PORTS:
        rest, fragment = _cut(rest, "#")
        rest, query = _cut(rest, "?")
        return Url(scheme, path=rest, query=query, fragment=fragment)
    slashed = rest.replace("\\", "/")
    if base is not None and base.scheme == scheme and not slashed.startswith("/"):
        return _relative(rest, base)
    return _absolute(scheme, rest)


def _cut(text: str, mark: str) -> tuple[str, str | None]:
    head, found, tail = text.partition(mark)
    return head, tail if found else None


def _absolute(scheme: str, rest: str) -> Url:
    rest, fragment = _cut(rest, "#")
    rest, query = _cut(rest, "?")
    authority, slash, path = rest.replace("\\", "/").lstrip("/").partition("/")
    host_port = authority.rpartition("@")[2]
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:]*)(?::(\d*))?", host_port)
    if not match:
        raise BadUrl(f"{host_port!r} is not a host and port")
    port = int(match[2][:6]) if match[2] else DEFAULT_PORTS[scheme]
    if port > 65_535:
        raise BadUrl(f"port {match[2]} is above 65535")
    return Url(
        scheme,
        _host(match[1]),
        port,
        _escape(remove_dots("/" + path if slash else "/"), ' "<>`{}'),
        None if query is None else _escape(query, " \"<>'"),
        fragment if fragment is None else _escape(fragment, ' "<>`'),
    )


def _relative(text: str, base: Url) -> Url:
    if not text or text.startswith("#"):
        _, fragment = _cut(text, "#")
        return replace(base, fragment=None if fragment is None else _escape(fragment, ' "<>`'))
    if not base.is_http:
        raise BadUrl(f"{text!r} is relative, and {base.scheme}: has no paths")
    slashed = text.replace("\\", "/")
    if slashed.startswith("//"):
        return _absolute(base.scheme, text)
    path, fragment = _cut(text, "#")
    path, query = _cut(path, "?")
    path = path.replace("\\", "/")
    if not path:
        path = base.path
    elif not path.startswith("/"):
        path = base.path.rpartition("/")[0] + "/" + path
    return replace(
        base,
        path=_escape(remove_dots(path), ' "<>`{}'),
        query=None if query is None else _escape(query, " \"<>'"),
        fragment=None if fragment is None else _escape(fragment, ' "<>`'),
    )


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1]).compressed}]"
        except ValueError:
            raise BadUrl(f"{text!r} is not an IPv6 address") from None
    try:
        name = unquote_to_bytes(text).decode("utf-8")
        folded = name.lower() if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadUrl(f"{text!r} is not a host") from None
    if not folded or len(folded) > 253 or _HOST_FORBIDDEN.search(folded):
        raise BadUrl(f"{text!r} is not a host")
    return folded


def remove_dots(path: str) -> str:
    """Resolve ``.`` and ``..`` (also as ``%2e``) in an absolute path.

    >>> remove_dots("/a/b/../%2e/c")
    '/a/c'
    """
    kept: list[str] = []
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        plain = segment.lower().replace("%2e", ".")
        last = position == len(segments) - 1
        if plain == "..":
            if kept:
                kept.pop()
            if last:
                kept.append("")
        elif plain == ".":
            if last:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)


def _escape(text: str, marks: str) -> str:
    return "".join(
        "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "replace"))
        if letter in marks or not "\x20" <= letter <= "\x7e"
        else letter
        for letter in text
    )
