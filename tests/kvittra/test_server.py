"""Kvittra for a real browser: this machine only, by its own names, and not for ever."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterator

import pytest

from labs.kvittra import create_app
from labs.kvittra.server import LocalServer, serve

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    def other(_environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])  # type: ignore[operator]
        return [b"evil"]

    names = ("127.0.0.1", "localhost", "kvittra.localhost")
    sites = dict.fromkeys(names, create_app()) | {"evil.localhost": other}
    with LocalServer(sites) as running:
        yield running


def ask(
    server: LocalServer,
    host: str | None = None,
    method: str = "GET",
    body: bytes = b"",
    **headers: str,
) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    host = f"127.0.0.1:{server.port}" if host is None else host
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, "/sign-in", body=body or None, headers={"Host": host, **named})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, dict(answer.headers)


def test_it_answers_by_its_own_names(server: LocalServer) -> None:
    for name in ("127.0.0.1", "localhost", "kvittra.localhost", "KVITTRA.localhost"):
        status, text, headers = ask(server, f"{name}:{server.port}")
        assert status == 200
        assert "Your books, in order." in text
        assert headers["Server"] == "Kvittra"
    assert ask(server, f"evil.localhost:{server.port}")[1] == "evil"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "kvittra.example:{}",
        "127.0.0.1",
        "127.0.0.1:1",
        "",
        "[::1]:{}",
        "other.localhost:{}",
    ],
)
def test_a_foreign_name_gets_nothing(server: LocalServer, host: str) -> None:
    status, text, _ = ask(server, host.format(server.port))
    assert status == 400
    assert "books" not in text


def test_it_listens_on_the_loopback_address_only(server: LocalServer) -> None:
    assert server._server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("address", ["0.0.0.0", "", "::", "192.0.2.1", "localhost"])
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"address must be 127\.0\.0\.1, this machine alone"):
        serve(address=address)


def test_a_name_that_leads_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must have names that end in \.localhost"):
        LocalServer({"evil.example": create_app()})


def test_a_port_in_use_is_told_in_one_sentence(server: LocalServer) -> None:
    with pytest.raises(OSError, match=f"port {server.port} is in use; choose another") as refusal:
        serve(port=server.port)
    assert refusal.value.strerror == f"port {server.port} is in use; choose another"


@pytest.mark.parametrize(
    ("port", "error"), [(-1, ValueError), (70_000, ValueError), ("8", TypeError)]
)
def test_a_port_that_is_none_is_refused(port: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="port must be a whole number"):
        LocalServer({}, port=port)


def test_a_body_of_ten_megabytes_is_413(server: LocalServer) -> None:
    head = (
        f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Length: {10 * 2**20}\r\nConnection: close\r\n\r\n"
    )
    assert _raw(server, head.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_broken_chunk_is_400_without_a_trace(server: LocalServer) -> None:
    head = (
        f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    answer = _raw(server, head.encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Traceback" not in answer


def _raw(server: LocalServer, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        return answer


def test_it_says_its_address_first_then_its_mails_and_ends_when_idle() -> None:
    said: list[str] = []
    spoken = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        spoken.set()

    thread = threading.Thread(
        target=serve, args=(["csrf_token_missing"],), kwargs={"say": say, "idle_s": 0.6}
    )
    thread.start()
    assert spoken.wait(5)
    address = said[0]
    port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", address)[1])  # type: ignore[index]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {
        "Origin": address.rstrip("/"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", "/forgot", "email=maja@bergsbageri.example", headers)
    assert connection.getresponse().status == 200
    connection.close()
    thread.join(5)
    assert not thread.is_alive()
    assert "csrf_token_missing" in said[1]
    assert any(f"{address}reset/" in line for line in said)
    assert said[-1].startswith("Stopped: nobody asked")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
