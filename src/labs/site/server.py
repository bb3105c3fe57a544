"""The local server of the book: on an origin of its own, apart from Jupyter's.

Model. A browser keeps origins apart by scheme, host and port, but cookies only by host. The book is
therefore read at ``http://localhost:<port>/`` and JupyterLab at ``http://127.0.0.1:<other port>/``:
another host, so that no page of the book shares an origin, a cookie or a site with Jupyter, whose
cookie and token open a kernel. What this server holds to:

- it listens on loopback addresses only, and answers only to the names ``localhost`` and
  ``127.0.0.1`` with its own port, so that a foreign name pointed at this machine gets nothing;
- the book is served under ``localhost`` only; ``127.0.0.1`` redirects there;
- the token leaves it in one place, a redirect from ``http://127.0.0.1:<port>/open/<notebook>``
  that only a top-level navigation gets. No script can read where a navigation to another origin
  was sent;
- every answer carries the site's content security policy, and the headers that isolate the page,
  which an interruptible Python in the page needs.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import re
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from labs.site.policy import content_security_policy

LOOPBACK = "127.0.0.1"
PORTS_TO_TRY = 200

# A table of our own: what the operating system says differs from machine to machine.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".ipynb": "application/x-ipynb+json",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".whl": "application/zip",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
_COMPRESSED_ALREADY = {".gif", ".jpg", ".pdf", ".png", ".webp", ".whl", ".woff", ".woff2", ".zip"}
_CACHE_BYTES = 64 * 2**20

_NOTEBOOK = re.compile(r"notebooks/(?:[a-z0-9_]+/)?[a-z0-9_]+\.ipynb")
_OPEN_HERE = re.compile(rf"<!--\s*labs:open\s+({_NOTEBOOK.pattern})\s*-->")


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes
    compressed: bytes | None
    etag: str
    content_type: str


class BookServer:
    """Serves a folder of built pages to the browsers of this machine.

    Args:
        folder: The built book.
        port: The port to listen on; if it is taken, the next free one is used. 0 takes any.
        open_notebook: Gives JupyterLab's address, token and all, for a notebook's path such as
            ``notebooks/attacks/passwords.ipynb``, or ``None`` where there is no such notebook.
            Left out, pages offer no *Open in JupyterLab*.

    Raises:
        OSError: If no port is free.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 8000,
        open_notebook: Callable[[str], str | None] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.open_notebook = open_notebook
        self._cache: OrderedDict[tuple[Path, int, int], _Answer] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"site": self})
        self._servers = _listen(port, handler)
        self.port: int = self._servers[0].server_address[1]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            for server in self._servers
        ]

    @property
    def address(self) -> str:
        """Where the book is read."""
        return f"http://localhost:{self.port}/"

    def start(self) -> None:
        """Answer requests, in the background."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop answering and give the port back."""
        for server, thread in zip(self._servers, self._threads, strict=True):
            if thread.is_alive():
                server.shutdown()
                thread.join()
            server.server_close()

    def __enter__(self) -> BookServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def file(self, path: str) -> Path | None:
        """The file that a request's path names, or ``None``: nothing outside the folder has a name.

        The path is decoded once; a folder stands for its ``index.html``.
        """
        parts = [part for part in path.split("/") if part]
        if any(part in (".", "..") or set(part) & set("\\:\0") for part in parts):
            return None
        try:
            found = self.folder.joinpath(*parts).resolve()
            if found.is_dir():
                found = (found / "index.html").resolve()
            inside = found.is_relative_to(self.folder)
            return found if inside and found.is_file() else None
        except (OSError, ValueError):
            return None

    def answer(self, file: Path) -> _Answer:
        """A file with everything that is sent about it, worked out once for each version of it."""
        status = file.stat()
        key = (file, status.st_mtime_ns, status.st_size)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        answer = self._prepare(file)
        size = len(answer.body) + len(answer.compressed or b"")
        with self._lock:
            if key not in self._cache and size <= _CACHE_BYTES:
                self._cache[key] = answer
                self._cached_bytes += size
                while self._cached_bytes > _CACHE_BYTES:
                    _, old = self._cache.popitem(last=False)
                    self._cached_bytes -= len(old.body) + len(old.compressed or b"")
        return answer

    def _prepare(self, file: Path) -> _Answer:
        body = file.read_bytes()
        suffix = file.suffix.lower()
        if suffix == ".html":
            text = body.decode("utf-8", errors="replace")
            if self.open_notebook is not None:
                text = _OPEN_HERE.sub(self._link, text)
            body = text.encode()
        compressed = None
        if suffix not in _COMPRESSED_ALREADY and len(body) > 500:
            ready = file.with_name(file.name + ".gz")
            # A file compressed when the book was built is right only for a body left as it was.
            if suffix != ".html" and ready.is_file() and ready.resolve().parent == file.parent:
                compressed = ready.read_bytes()
            else:
                compressed = gzip.compress(body, compresslevel=6, mtime=0)
        return _Answer(
            body=body,
            compressed=compressed,
            etag=hashlib.sha256(body).hexdigest()[:32],
            content_type=TYPES.get(suffix, "application/octet-stream"),
        )

    def _link(self, match: re.Match[str]) -> str:
        address = f"http://{LOOPBACK}:{self.port}/open/{match[1]}"
        return (
            f'<a class="labs-open" href="{html.escape(address)}" target="_blank" '
            'rel="noopener noreferrer">Open in JupyterLab</a>'
        )


class _LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True
    # A port that another program listens on must count as taken, on Windows too.
    allow_reuse_address = hasattr(socket, "SO_REUSEPORT")

    def server_bind(self) -> None:
        """Bind, without the look-up of this machine's name that the standard library makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that hangs up in the middle of an answer is no fault."""


class _LoopbackServer6(_LoopbackServer):
    address_family = socket.AF_INET6


def _listen(port: int, handler: type[BaseHTTPRequestHandler]) -> list[_LoopbackServer]:
    """Listen on 127.0.0.1, and on ::1 as well where ``localhost`` may mean it."""
    for candidate in [port] if port == 0 else range(port, min(port + PORTS_TO_TRY, 65_536)):
        servers: list[_LoopbackServer] = []
        try:
            servers.append(_LoopbackServer((LOOPBACK, candidate), handler))
            if _localhost_may_be_ipv6():
                servers.append(_LoopbackServer6(("::1", servers[0].server_address[1]), handler))
        except OSError:
            for server in servers:
                server.server_close()
        else:
            return servers
    raise OSError(f"no free port from {port} on; end another program that listens there")


def _localhost_may_be_ipv6() -> bool:
    try:
        if "::1" not in {info[4][0] for info in socket.getaddrinfo("localhost", None)}:
            return False
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:  # IPv6 is named in the machine's files but switched off
        return False
    return True


class _Handler(BaseHTTPRequestHandler):
    site: BookServer
    protocol_version = "HTTP/1.1"
    server_version = "labs"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """Answer a request for a page, a file or a way into JupyterLab."""
        site = self.site
        host = self.headers.get_all("Host") or []
        if host not in ([f"localhost:{site.port}"], [f"{LOOPBACK}:{site.port}"]):
            self._say(HTTPStatus.MISDIRECTED_REQUEST, f"This server is {site.address}")
            return
        try:
            target = urlsplit(self.path)
        except ValueError:
            self._say(HTTPStatus.BAD_REQUEST, "This address cannot be read.")
            return
        path = unquote(target.path)
        if host == [f"localhost:{site.port}"]:
            self._send_file(path)
        elif path.startswith("/open/"):
            self._open(path.removeprefix("/open/"))
        else:
            self._redirect(site.address + target.path.lstrip("/"))

    do_HEAD = do_GET  # noqa: N815 - the name that the standard library calls

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal for what the reader asked to see."""

    def _open(self, notebook: str) -> None:
        # Absent in an old browser; there, reading across origins is refused all the same.
        mode = self.headers.get("Sec-Fetch-Mode", "navigate")
        destination = self.headers.get("Sec-Fetch-Dest", "document")
        if (mode, destination) != ("navigate", "document"):
            self._say(HTTPStatus.FORBIDDEN, "A lab is opened by a click, not from within a page.")
            return
        address = None
        if self.site.open_notebook is not None and _NOTEBOOK.fullmatch(notebook):
            address = self.site.open_notebook(notebook)
        if address is None:
            self._say(HTTPStatus.NOT_FOUND, "There is no such notebook here.")
        else:
            self._redirect(address)

    def _send_file(self, path: str) -> None:
        file = self.site.file(path)
        status = HTTPStatus.OK
        if file is None:
            file = self.site.file("404.html")
            status = HTTPStatus.NOT_FOUND
            if file is None:
                self._say(status, "There is no such page in the book.")
                return
        elif file.name == "index.html" and not path.endswith(("/", "index.html")):
            # One slash, whatever was asked for: two would lead to another host.
            self._redirect(quote("/" + path.strip("/") + "/"))
            return
        try:
            answer = self.site.answer(file)
        except OSError:  # the book is being built anew at this moment
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, "This page is being built. Reload it.")
            return
        packed = answer.compressed if "gzip" in self.headers.get("Accept-Encoding", "") else None
        etag = f'"{answer.etag}{"-gz" if packed is not None else ""}"'
        if status is HTTPStatus.OK and etag in self.headers.get("If-None-Match", ""):
            status, body = HTTPStatus.NOT_MODIFIED, b""
        else:
            body = packed if packed is not None else answer.body
        self._head(status)
        self.send_header("ETag", etag)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Vary", "Accept-Encoding")
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            if packed is not None:
                self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _redirect(self, address: str) -> None:
        self._head(HTTPStatus.FOUND)
        self.send_header("Location", address)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        body = f"{sentence}\n".encode()
        self._head(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Security-Policy", content_security_policy())
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
