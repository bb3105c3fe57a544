"""Kvittra for a real browser, on this machine only.

The server listens on 127.0.0.1 and nowhere else. It answers only to names that lead to this
machine, so that a foreign name pointed at 127.0.0.1 gets nothing. It ends when nobody has asked
for anything for a while. Errors are answered by Kvittra's own pages; there is no debugger.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest
from werkzeug.serving import WSGIRequestHandler, make_server

from labs.arguments import real, whole
from labs.kvittra.app import Kvittra, create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost", "kvittra.localhost")
IDLE_S = 30 * 60.0

_LONGEST_IDLE_S = 24 * 60 * 60.0
_STALLED_S = 30
_SAY = partial(print, flush=True)  # whoever started it reads the first line at once


class _Handler(WSGIRequestHandler):
    """Handles one connection quietly, and does not wait for ever for a slow one."""

    timeout = _STALLED_S

    def version_string(self) -> str:
        return "Kvittra"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: a log would hold the session ids and tokens of the labs."""


class LocalServer:
    """Serves WSGI applications to the browsers of this machine.

    A context manager: inside it the server runs in the background.

    Args:
        sites: The application behind each host name. Names are 127.0.0.1, localhost, or end in
            ``.localhost``, which browsers never look up elsewhere.
        port: The port to listen on, or ``None`` for any that is free.
        address: 127.0.0.1. Any other is refused.
        idle_s: Seconds without a request after which ``run`` returns.

    Raises:
        OSError: If the port is in use.
        ValueError: If the address or a name leads elsewhere, or a number is out of range.

    >>> LocalServer({}, address="0.0.0.0")
    Traceback (most recent call last):
    ...
    ValueError: address must be 127.0.0.1, this machine alone, not '0.0.0.0'
    """

    def __init__(
        self,
        sites: Mapping[str, WSGIApplication],
        *,
        port: int | None = None,
        address: str = LOOPBACK,
        idle_s: float = IDLE_S,
    ) -> None:
        if address != LOOPBACK:
            raise ValueError(f"address must be {LOOPBACK}, this machine alone, not {address!r}")
        for name in sites:
            if name not in NAMES and not name.endswith(".localhost"):
                raise ValueError(f"sites must have names that end in .localhost, not {name!r}")
        self._sites = dict(sites)
        self._idle_s = real("idle_s", idle_s, above=0, high=_LONGEST_IDLE_S)
        self._lock = threading.Lock()
        self._closing = False
        with _bound(whole("port", port or 0, low=0, high=65_535)) as listener:
            self._server = make_server(
                LOOPBACK,
                listener.getsockname()[1],
                self._answer,
                threaded=True,
                request_handler=_Handler,
                fd=listener.fileno(),
            )
        self.port: int = self._server.server_address[1]
        self._server.timeout = 0.1
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        """Answer requests until nobody asks any more, or the server is closed."""
        try:
            while not self._closing and time.monotonic() - self._last < self._idle_s:
                self._server.handle_request()
        finally:
            self._server.server_close()

    def close(self) -> None:
        """Stop answering and give the port back."""
        self._closing = True
        if self._thread.is_alive():
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> LocalServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._last = time.monotonic()
        name, _, port = environ.get("HTTP_HOST", "").lower().partition(":")
        site = self._sites.get(name)
        if site is None or (port or "80") != str(self.port):
            refusal = BadRequest("This server answers only to its own names, on its own port.")
            return refusal(environ, start_response)
        with self._lock:  # the applications are written for one request at a time
            return list(site(environ, start_response))


def serve(
    weaknesses: Iterable[str] = (),
    port: int | None = None,
    *,
    sites: Mapping[str, WSGIApplication] | None = None,
    address: str = LOOPBACK,
    idle_s: float = IDLE_S,
    say: Callable[[str], None] = _SAY,
) -> None:
    """Serve Kvittra to this machine until it has been idle, or is interrupted.

    The first line said is the address. Mails that Kvittra sends are said too.

    Args:
        weaknesses: Names from ``WEAKNESSES``, or ``["all"]``; hardened without.
        port: The port, or ``None`` for any that is free.
        sites: Further applications, by a host name that ends in ``.localhost``.
        address: 127.0.0.1. Any other is refused.
        idle_s: Seconds without a request after which it ends.
        say: Where to write lines.

    Raises:
        OSError: If the port is in use.
        ValueError: If a weakness is unknown, or the address or a name leads elsewhere.
    """
    app = create_app(weaknesses)
    announced = _announcing(app, say)
    names = dict.fromkeys(NAMES, announced)
    server = LocalServer({**names, **(sites or {})}, port=port, address=address, idle_s=idle_s)
    app.origin = f"http://{LOOPBACK}:{server.port}"
    say(f"{app.origin}/")
    if app.edition.weaknesses:
        say(f"Weak on purpose: {', '.join(sorted(app.edition.weaknesses))}")
    say("For this machine only. Press Ctrl+C to stop.")
    try:
        server.run()
    except KeyboardInterrupt:
        say("Stopped.")
    else:
        say(f"Stopped: nobody asked for anything for {idle_s / 60:g} minutes.")


def _announcing(app: Kvittra, say: Callable[[str], None]) -> WSGIApplication:
    """``app``, which afterwards shows the mails that a request has sent."""

    def announced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = list(app(environ, start_response))
        while app.outbox:
            mail = app.outbox.popleft()
            say(f"Mail to {mail.to}: {mail.subject}\n{mail.body}")
        return answer

    return announced


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            reason = "is in use" if error.errno == errno.EADDRINUSE else "may not be used"
            raise OSError(error.errno, f"port {port} {reason}; choose another") from None
        raise
    return listener
