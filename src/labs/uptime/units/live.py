"""Three real servers and a failover proxy on this computer: one is killed, requests are counted.

Everything is an operating-system process of its own, bound to 127.0.0.1 on a port that the system
picks. A process ends when its lifetime is over, when whoever started it goes away, or when it is
ended by its process id; there is no option that names another host.

``python -m labs.uptime.units.live --record FILE`` makes the recorded run that the book shows where
a reader's browser cannot start processes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler
from importlib import resources
from itertools import count
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any

from labs.arguments import real, whole

LOOPBACK = "127.0.0.1"
NAMES = ("A", "B", "C")
LIFETIME_S = 30.0
WORK_S = 0.02
PATIENCE_S = 2.0
RECORDED = "recorded_run.json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a client: when it was sent, who answered, and whether anyone did."""

    number: int
    sent_ms: float
    took_ms: float
    status: int
    server: str

    @property
    def lost(self) -> bool:
        """Whether the client got no proper answer."""
        return self.status != 200


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What happened to every request while a server was killed behind the proxy."""

    requests: tuple[Request, ...]
    killed: str
    killed_ms: float
    check_ms: float
    missed: int
    retry: bool

    @property
    def lost(self) -> tuple[Request, ...]:
        """The requests without a proper answer."""
        return tuple(request for request in self.requests if request.lost)

    @property
    def answered_by(self) -> dict[str, int]:
        """How many requests each server answered."""
        names = sorted({request.server for request in self.requests if not request.lost})
        return {name: sum(r.server == name for r in self.requests if not r.lost) for name in names}

    def as_json(self) -> str:
        """The run as text that :func:`recorded` reads back."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> LiveRun:
        """The run that :meth:`as_json` wrote."""
        fields = json.loads(text)
        fields["requests"] = tuple(Request(**request) for request in fields["requests"])
        return cls(**fields)


def recorded() -> LiveRun:
    """A run made earlier by ``python -m labs.uptime.units.live --record``.

    >>> recorded().killed
    'B'
    """
    return LiveRun.from_json(
        resources.files(__package__).joinpath(RECORDED).read_text(encoding="utf-8")
    )


def run(
    *,
    requests: int = 120,
    every_ms: float = 10,
    kill: str = "B",
    kill_at: int = 41,
    check_ms: float = 100,
    missed: int = 2,
    retry: bool = False,
) -> LiveRun:
    """Start three servers and a proxy, send requests, kill one server, and report.

    Args:
        requests: How many requests to send, 1 to 500.
        every_ms: Milliseconds between two requests, 2 to 50.
        kill: The server to kill: ``"A"``, ``"B"`` or ``"C"``.
        kill_at: The request before which it is killed.
        check_ms: Milliseconds between two health checks of the proxy, 20 to 2,000.
        missed: Failed checks in a row after which a server gets no more requests, 1 to 10.
        retry: Whether the proxy asks the next server when one fails. That is safe for reading; for
            a booking it could enter the same invoice twice.

    Raises:
        ValueError: If an argument is out of range or no server has that name.
        RuntimeError: If this Python cannot start processes, as in a browser, or they do not start.
    """
    number = whole("requests", requests, low=1, high=500)
    pace_s = real("every_ms", every_ms, low=2, high=50) / 1000
    kill_before = whole("kill_at", kill_at, low=0, high=number)
    check_s = real("check_ms", check_ms, low=20, high=2000) / 1000
    whole("missed", missed, low=1, high=10)
    if kill not in NAMES:
        raise ValueError(f"kill must be one of {', '.join(NAMES)}, not {kill!r}")
    with ExitStack() as running:
        servers = {name: running.enter_context(_process("server", name)) for name in NAMES}
        proxy = running.enter_context(
            _process(
                "proxy",
                *(f"{name}:{server.port}" for name, server in servers.items()),
                *("--check", str(check_s), "--missed", str(missed)),
                *(["--retry"] if retry else []),
            )
        )
        start = time.perf_counter()
        killed_ms = 0.0
        with ThreadPoolExecutor(max_workers=32) as clients:
            answers = []
            for i in range(number):
                # After a pause of the whole machine nothing is caught up: a burst of requests
                # would all be sent before the proxy could notice anything.
                time.sleep(pace_s if i else 0.0)
                if i == kill_before:
                    servers[kill].process.kill()
                    killed_ms = (time.perf_counter() - start) * 1000
                answers.append(clients.submit(_ask, i, start, proxy.port))
            done = tuple(answer.result() for answer in answers)
    return LiveRun(done, kill, round(killed_ms, 1), check_s * 1000, missed, retry)


def _ask(number: int, start: float, port: int) -> Request:
    sent = time.perf_counter()
    status, body = _get(port, "/invoices")
    took = time.perf_counter() - sent
    return Request(
        number, round((sent - start) * 1000, 1), round(took * 1000, 1), status, body.decode()
    )


def _get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body from a process of this lab; status 0 when it does not answer."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[str]
    port: int


@contextmanager
def _process(role: str, *arguments: str) -> Iterator[_Running]:
    """A process of this module that has said which port it listens on."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "labs.uptime.units.live", role, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        # The page recognizes by the system's own words what a browser cannot do.
        raise RuntimeError(
            f"this Python cannot start processes ({error}); recorded() has a run made earlier"
        ) from error
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {role} process ended before it could listen")
        yield _Running(process, int(line))
    finally:
        process.kill()
        process.wait(timeout=5)
        process.stdin.close()
        process.stdout.close()


class _Listener(ThreadingTCPServer):
    """A listener on the loopback address alone, on a port that the system picks."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((LOOPBACK, 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Be silent: the first line of output is the port."""

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _serve(name: str) -> None:
    class Server(_Handler):
        def do_GET(self) -> None:
            if self.path != "/health":
                time.sleep(WORK_S)
            self.reply(200, name.encode())

    _listen(Server)


def _proxy(servers: dict[str, int], check_s: float, missed: int, retry: bool) -> None:
    failed_checks = dict.fromkeys(servers, 0)
    turns = count()

    def check(name: str) -> None:
        while True:
            status, _ = _get(servers[name], "/health")
            failed_checks[name] = 0 if status == 200 else failed_checks[name] + 1
            time.sleep(check_s)

    class Proxy(_Handler):
        def do_GET(self) -> None:
            healthy = [name for name in servers if failed_checks[name] < missed]
            turn = next(turns)
            for i in range(len(healthy) if retry else min(1, len(healthy))):
                name = healthy[(turn + i) % len(healthy)]
                status, body = _get(servers[name], self.path)
                if status == 200:
                    self.reply(200, body)
                    return
            self.reply(502, b"")

    for name in servers:
        threading.Thread(target=check, args=(name,), daemon=True).start()
    _listen(Proxy)


def _listen(handler: type[BaseHTTPRequestHandler]) -> None:
    # JupyterLab interrupts a cell and everything that it started. Whoever started this process
    # ends it in order, so that requests on their way are not counted as lost.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_the_one_who_started_it() -> None:
        # The pipe closes when that process ends, however it ends.
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_the_one_who_started_it, daemon=True).start()
    lifetime = threading.Timer(LIFETIME_S, os._exit, (0,))
    lifetime.daemon = True
    lifetime.start()
    with _Listener(handler) as listener:
        print(listener.server_address[1], flush=True)
        listener.serve_forever()


def main(arguments: list[str] | None = None) -> None:
    """The command: one of the lab's processes, or a whole run that is printed or recorded."""
    parser = argparse.ArgumentParser(prog="python -m labs.uptime.units.live", description=__doc__)
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the run to this file")
    roles = parser.add_subparsers(dest="role")
    roles.add_parser("server").add_argument("name", choices=NAMES)
    proxy = roles.add_parser("proxy")
    proxy.add_argument("servers", nargs="+", metavar="NAME:PORT")
    proxy.add_argument("--check", type=float, default=0.1)
    proxy.add_argument("--missed", type=int, default=2)
    proxy.add_argument("--retry", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.role == "server":
        _serve(chosen.name)
    elif chosen.role == "proxy":
        pairs = (server.split(":") for server in chosen.servers)
        ports = {name: int(port) for name, port in pairs}
        _proxy(ports, chosen.check, chosen.missed, chosen.retry)
    else:
        result = run()
        if chosen.record:
            chosen.record.write_text(result.as_json(), encoding="utf-8")
        print(f"{len(result.lost)} of {len(result.requests)} requests lost")


if __name__ == "__main__":
    main()
