"""The in-process internet: origins, each answered by a WSGI application. No socket is opened.

Requests and responses are HTTP messages (RFC 9110) handed over as a server would hand them to a
WSGI application (PEP 3333). What crosses the wire is kept, so that a lesson can show what a
stranger on the same network reads: everything that went over plain http.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import unquote_to_bytes

from labs.arguments import text
from labs.browser.origins import Origin, Url, parse_url

MAX_BODY = 16 * 1024 * 1024
"""Most octets of a body, either way."""

MAX_EXCHANGES = 5_000
"""The internet remembers this many exchanges; the oldest go first."""

MAX_HEADERS = 200
"""Most header fields of one message."""

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application (PEP 3333)."""

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_FORBIDDEN = re.compile(r"[\x00\r\n]")


@dataclass(frozen=True)
class Headers:
    """Header fields in order; names compare without case, and may repeat."""

    items: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field."""
        return next(iter(self.all(name)), default)

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        return [value for key, value in self.items if key.lower() == name.lower()]

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items)


@dataclass(frozen=True)
class Request:
    """A request as the server sees it."""

    method: str
    url: Url
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """An answer. Status 0 is a network error; ``error`` then says which.

    A server whose application crashed answers 500, and ``error`` holds the exception's last line.
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    error: str = ""

    @property
    def text(self) -> str:
        """The body in the charset of ``Content-Type``, else UTF-8; bad bytes become U+FFFD."""
        match = re.search(r"charset\s*=\s*\"?([\w-]+)", self.headers.get("Content-Type"), re.I)
        try:
            return self.body.decode(match[1] if match else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("Content-Type").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as they crossed the wire."""

    request: Request
    response: Response

    @property
    def encrypted(self) -> bool:
        """Whether a stranger on the way sees only that it happened."""
        return self.request.url.scheme == "https"


class Internet:
    """Origins and the applications that answer for them.

    >>> internet = Internet()
    >>> internet.add("https://kvittra.example", static_site({"/": "<h1>Kvittra</h1>"}))
    >>> internet.send(Request("GET", parse_url("https://kvittra.example/"))).text
    '<h1>Kvittra</h1>'
    >>> internet.send(Request("GET", parse_url("https://elsewhere.example/"))).error
    'no site answers at https://elsewhere.example'
    """

    def __init__(self) -> None:
        self._apps: dict[Origin, WsgiApp] = {}
        self._names: dict[str, Callable[..., Any]] = {}
        self._scripts: dict[str, Callable[..., Any]] = {}
        self.exchanges: deque[Exchange] = deque(maxlen=MAX_EXCHANGES)

    def add(self, origin: str, app: WsgiApp) -> None:
        """Let ``app`` answer for an origin, in place of what answered there.

        Args:
            origin: ``scheme://host[:port]``, http or https.
            app: Any WSGI application.

        Raises:
            TypeError: If ``app`` cannot be called.
            ValueError: If it is not such an origin.
        """
        url = parse_url(origin)
        if not url.is_http or url.target != "/" or url.fragment is not None:
            raise ValueError(f"origin must be as https://host[:port], not {origin!r}")
        self._apps[url.origin] = _callable("app", app)

    def bind(self, name: str, function: Callable[..., Any]) -> None:
        """Give every page a function: a script's ``name(…)`` calls ``function(script, …)``.

        Args:
            name: A JavaScript name, such as ``spread``.
            function: Gets the :class:`~labs.browser.Script`, which carries the page's authority,
                and the arguments as Python values.

        Raises:
            TypeError: If ``function`` cannot be called.
            ValueError: If ``name`` is no name.
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"name must be a JavaScript name, not {name!r}")
        self._names[name] = _callable("function", function)

    def bind_script(self, code: str, function: Callable[..., Any]) -> None:
        """Let ``function(script)`` stand for a whole script, known by its exact text.

        White space around the text does not count. It holds for inline scripts, for files, for
        handlers and for ``javascript:`` URLs alike.
        """
        self._scripts[text("code", code).strip()] = _callable("function", function)

    def bound_name(self, name: str) -> Callable[..., Any] | None:
        """What :meth:`bind` has bound to a name."""
        return self._names.get(name)

    def bound_script(self, code: str) -> Callable[..., Any] | None:
        """What :meth:`bind_script` has bound to a script."""
        return self._scripts.get(code.strip())

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that answer."""
        return tuple(map(str, self._apps))

    @property
    def overheard(self) -> list[Exchange]:
        """What a stranger on the same network can read: the exchanges over plain http."""
        return [exchange for exchange in self.exchanges if not exchange.encrypted]

    def send(self, request: Request, *, address: str = "192.0.2.10") -> Response:
        """Hand a request to its origin's application and return the answer.

        Args:
            request: The request; its URL must be http or https.
            address: The sender's IP address, as the application sees it.
        """
        app = self._apps.get(request.url.origin)
        if app is None:
            return Response(0, error=f"no site answers at {request.url.origin}")
        if len(request.body) > MAX_BODY:
            return Response(0, error=f"the body has more than {MAX_BODY} octets")
        response = _call(app, _environ(request, address))
        if request.method == "HEAD":
            response = Response(response.status, response.headers, b"", response.error)
        self.exchanges.append(Exchange(request, response))
        return response


def _callable(name: str, value: Callable[..., Any]) -> Callable[..., Any]:
    if not callable(value):
        raise TypeError(f"{name} must be something to call, not {value!r}")
    return value


def _environ(request: Request, address: str) -> dict[str, Any]:
    url = request.url
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query or "",
        "REQUEST_URI": url.target,
        "SERVER_NAME": url.host,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": address,
        "HTTP_HOST": str(url.origin).partition("//")[2],
        "CONTENT_LENGTH": str(len(request.body))
        if request.body or request.method == "POST"
        else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in ("CONTENT_LENGTH", "HOST"):
            known = environ.get(f"HTTP_{key}")
            environ[f"HTTP_{key}"] = value if known is None else f"{known}, {value}"
    return environ


def _call(app: WsgiApp, environ: dict[str, Any]) -> Response:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if started and exc_info is None:
            raise AssertionError("start_response was called twice")
        started[:] = [(status, headers)]
        return written.append

    try:
        result = app(environ, start_response)
        try:
            size = sum(map(len, written))
            for part in result:
                size += len(part)
                if size > MAX_BODY:
                    return Response(0, error=f"the answer has more than {MAX_BODY} octets")
                written.append(part)
        finally:
            if hasattr(result, "close"):
                result.close()
        status, headers = started[0]
        return Response(int(status[:3]), _checked(headers), b"".join(written))
    except Exception as error:  # the application's own crash, whatever it is
        last = f"{type(error).__name__}: {error}"
        body = b"<!doctype html><title>500</title><h1>Internal Server Error</h1>"
        kind = (("Content-Type", "text/html; charset=utf-8"),)
        return Response(500, Headers(kind), body, error=last[:500])


def _checked(headers: list[tuple[str, str]]) -> Headers:
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"an answer must have at most {MAX_HEADERS} header fields")
    for name, value in headers:
        if not _FIELD_NAME.fullmatch(name) or _FIELD_FORBIDDEN.search(value):
            raise ValueError(f"the header field {name!r} holds a character that must not be there")
    return Headers(tuple(headers))


def static_site(
    pages: Mapping[str, str | bytes | Response], *, headers: Mapping[str, str] | None = None
) -> WsgiApp:
    """A site of fixed pages, such as an attacker needs; any method, any query.

    Args:
        pages: From path to HTML text, to bytes (``.js`` paths are scripts, ``.svg`` and ``.png``
            images), or to a whole :class:`Response`.
        headers: Header fields to add to every page.
    """
    extra = tuple((headers or {}).items())

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        page = pages.get(path)
        if page is None:
            page = Response(404, Headers((("Content-Type", "text/plain"),)), b"not found")
        elif not isinstance(page, Response):
            body = page.encode() if isinstance(page, str) else page
            page = Response(200, Headers((("Content-Type", _media_type(path)),)), body)
        fields = [*page.headers, *extra]
        if not any(name.lower() == "content-length" for name, _ in fields):
            fields.append(("Content-Length", str(len(page.body))))
        start_response(f"{page.status} {'OK' if page.status < 400 else 'Error'}", fields)
        return [page.body]

    return app


def _media_type(path: str) -> str:
    suffix = path.rpartition(".")[2]
    known = {
        "js": "text/javascript; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "svg": "image/svg+xml",
        "png": "image/png",
        "txt": "text/plain; charset=utf-8",
        "json": "application/json",
    }
    return known.get(suffix, "text/html; charset=utf-8")
