"""The in-process internet: any WSGI application, no socket, bounded both ways."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import flask
import pytest

from labs.browser import Browser, Headers, Internet, Request, Response, parse_url, static_site
from labs.browser.network import MAX_BODY

KVITTRA = "https://kvittra.example"


def send(app: Any, request: Request | None = None) -> Response:
    internet = Internet()
    internet.add(KVITTRA, app)
    return internet.send(request or Request("GET", parse_url(f"{KVITTRA}/")))


def answering(
    status: str = "200 OK", headers: Iterable[tuple[str, str]] = (), body: Iterable[bytes] = (b"",)
) -> Any:
    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, list(headers))
        return body

    return app


def test_a_flask_application_answers_as_behind_a_server() -> None:
    app = flask.Flask(__name__)

    @app.post("/in/<name>")
    def receive(name: str) -> str:
        form = flask.request.form["text"]
        return (
            f"{name} {form} {flask.request.host} {flask.request.scheme} {flask.request.remote_addr}"
        )

    request = Request(
        "POST",
        parse_url(f"{KVITTRA}/in/%C3%A5sa"),
        Headers((("Content-Type", "application/x-www-form-urlencoded"),)),
        b"text=hej",
    )
    assert send(app, request).text == "åsa hej kvittra.example https 192.0.2.10"


def test_an_application_that_crashes_answers_500_and_the_lab_sees_why() -> None:
    def app(*_arguments: object) -> Iterable[bytes]:
        raise RuntimeError("no such table")

    response = send(app)
    assert response.status == 500
    assert "no such table" not in response.text
    assert response.error == "RuntimeError: no such table"


@pytest.mark.parametrize(
    "headers",
    [
        [("X", "a\r\nSet-Cookie: b=1")],
        [("X\n", "a")],
        [("X Y", "a")],
        [("X", "a\0")],
        [(f"X{n}", "a") for n in range(300)],
    ],
)
def test_a_header_that_splits_the_answer_never_leaves_the_server(
    headers: list[tuple[str, str]],
) -> None:
    response = send(answering(headers=headers))
    assert response.status == 500
    assert "Set-Cookie" not in response.headers


def test_bodies_are_bounded_both_ways() -> None:
    endless = answering(body=(b"x" * 1_000_000 for _ in range(10**9)))
    assert "more than" in send(endless).error
    big = Request("POST", parse_url(f"{KVITTRA}/"), body=b"x" * (MAX_BODY + 1))
    assert "more than" in send(answering(), big).error


def test_the_answer_is_closed_as_wsgi_asks() -> None:
    closed = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    send(answering(body=Body([b"x"])))
    assert closed == [True]


def test_what_is_no_origin_or_no_application_is_refused() -> None:
    internet = Internet()
    for origin in ("https://kvittra.example/path", "ftp://kvittra.example", "javascript:1"):
        with pytest.raises(ValueError, match="origin"):
            internet.add(origin, static_site({}))
    with pytest.raises(TypeError, match="app"):
        internet.add(KVITTRA, "app")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name"):
        internet.bind("a b", print)
    with pytest.raises(TypeError, match="function"):
        internet.bind("a", "b")  # type: ignore[arg-type]


def test_only_plain_http_is_overheard() -> None:
    internet = Internet()
    for scheme in ("http", "https"):
        internet.add(f"{scheme}://kvittra.example", static_site({"/": "x"}))
    browser = Browser(internet)
    browser.jar.receive("session=7", _context())
    browser.open("http://kvittra.example/")
    browser.open("https://kvittra.example/")
    assert len(internet.exchanges) == 2
    (heard,) = internet.overheard
    assert heard.request.headers.get("Cookie") == "session=7"


def _context() -> Any:
    from labs.browser import CookieContext

    return CookieContext(parse_url("http://kvittra.example/"))


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    internet = Internet()
    internet.add(KVITTRA, static_site({"/": "<img src=https://elsewhere.example/x.png>"}))
    assert Browser(internet).open(f"{KVITTRA}/").page.status == 200
