"""Malformed requests get a clear 4xx: no stack trace, and nothing has changed."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kvittra.visitor import HOME, Visitor, World, call, token

from labs.kvittra import limits

FEW = settings(max_examples=60, suppress_health_check=list(HealthCheck))

PATHS = (
    "/sign-in",
    "/forgot",
    "/reset/none",
    "/invoices",
    "/invoices/new",
    "/invoices/1049/notes",
    "/invoices/1049/pay",
    "/bank",
    "/messages",
    "/profile",
    "/support/1",
    "/api/notes",
    "/people/x",
    "/attachments",
    "/invoices/number",
    "/static/kvittra.css",
    "/nowhere",
)
FIELDS = tuple(limits.LENGTHS)


class Doorstep:
    """A signed-in visitor, whose requests are sent as raw as they are."""

    def __init__(self) -> None:
        self.world = World()
        self.maja: Visitor = self.world.visitor("maja")
        self.token = token(self.maja.get("/profile"))

    def send(self, **environ: Any) -> int:
        name, cookie = next(iter(self.maja.jar.items()))
        polite = {
            "HTTP_COOKIE": f"{name}={cookie.value}",
            "HTTP_ORIGIN": HOME,
            "HTTP_SEC_FETCH_SITE": "same-origin",
            "HTTP_X_CSRF_TOKEN": self.token,
        }
        body = environ.pop("body", b"")
        before = self.world.app.database.contents()
        if body:
            environ.setdefault("CONTENT_LENGTH", str(len(body)))
        status, page = call(self.world.app, **(polite | {"wsgi.input": io.BytesIO(body)} | environ))
        assert status < 500, page
        assert "Traceback" not in page
        if status >= 400:
            assert self.world.app.database.contents() == before
        return status


@pytest.fixture(scope="module")
def door() -> Doorstep:
    return Doorstep()


def form(**fields: str | bytes) -> bytes:
    return "&".join(
        f"{name}={quote_from_bytes(value if isinstance(value, bytes) else value.encode())}"
        for name, value in fields.items()
    ).encode()


def post(door: Doorstep, path: str, body: bytes, kind: str = "form", **environ: Any) -> int:
    types = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
    return door.send(
        REQUEST_METHOD="POST",
        PATH_INFO=path,
        CONTENT_TYPE=types.get(kind, kind),
        body=body,
        **environ,
    )


@FEW
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "TRACE", "BREW"]),
    path=st.sampled_from(PATHS)
    | st.binary(max_size=40).map(lambda raw: "/" + raw.decode("latin-1")),
    query=st.binary(max_size=60),
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "", "\xff"]
    ),
)
def test_arbitrary_bytes_are_answered_without_a_trace(
    door: Doorstep, method: str, path: str, query: bytes, body: bytes, kind: str
) -> None:
    door.send(
        REQUEST_METHOD=method,
        PATH_INFO=path,
        QUERY_STRING=query.decode("latin-1"),
        CONTENT_TYPE=kind,
        body=body,
    )


@FEW
@given(
    name=st.sampled_from(
        [
            "HOST",
            "COOKIE",
            "ORIGIN",
            "SEC_FETCH_SITE",
            "X_FORWARDED_HOST",
            "TRANSFER_ENCODING",
            "RANGE",
        ]
    ),
    value=st.text(st.characters(max_codepoint=255), max_size=20),
    method=st.sampled_from(["GET", "POST"]),
    path=st.sampled_from(PATHS),
)
def test_any_bytes_in_a_header_are_answered_without_a_trace(
    door: Doorstep, name: str, value: str, method: str, path: str
) -> None:
    shown = f"__Host-session={value}" if name == "COOKIE" else value
    door.send(REQUEST_METHOD=method, PATH_INFO=path, **{f"HTTP_{name}": shown})


@FEW
@given(
    path=st.sampled_from(PATHS),
    name=st.sampled_from(FIELDS),
    value=st.text(max_size=60) | st.sampled_from(["'", "%00", "../" * 9, "\u202e", "9" * 400]),
)
def test_any_text_in_any_field_is_stored_or_refused_but_never_a_server_error(
    door: Doorstep, path: str, name: str, value: str
) -> None:
    fields = dict.fromkeys(("name", "body", "subject", "buyer", "description"), "x")
    fields |= {"amount": "1", name: value}
    post(door, path, form(**fields))


@FEW
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    )
)
def test_json_of_any_shape_is_refused_if_it_is_not_a_note(door: Doorstep, data: Any) -> None:
    assert post(door, "/api/notes", json.dumps(data).encode(), "json") == 400
    wrapped = json.dumps({"invoice": 1049, "body": data}).encode()
    proper = isinstance(data, str) and data.strip() and data.isprintable()
    assert post(door, "/api/notes", wrapped, "json") in ((201,) if proper else (201, 400))


@pytest.mark.parametrize("bad", [b"\xff", b"%ff", b"%C3", b"%ed%a0%80", b"%00", b"%0d%0aX: y"])
def test_bytes_that_are_no_text_are_400_wherever_they_stand(door: Doorstep, bad: bytes) -> None:
    raw = bad.decode("latin-1")
    assert door.send(PATH_INFO="/invoices", QUERY_STRING=f"q={raw}") == 400
    assert door.send(PATH_INFO="/invoices", QUERY_STRING=f"{raw}=q") == 400
    if bad != b"%0d%0aX: y":  # in a form, a line break is text
        assert post(door, "/messages", b"subject=x&body=" + bad) == 400
    assert door.send(PATH_INFO="/people/" + unquote_to_bytes(bad).decode("latin-1")) == 400


@pytest.mark.parametrize(
    ("status", "environ"),
    [
        (413, {"CONTENT_LENGTH": str(10 * 2**20)}),
        (413, {"CONTENT_LENGTH": "9" * 400}),
        (400, {"CONTENT_LENGTH": "-1"}),
        (400, {"CONTENT_LENGTH": "many"}),
        (400, {"CONTENT_LENGTH": "²"}),
        (414, {"QUERY_STRING": "q=" + "x" * 5_000}),
        (414, {"PATH_INFO": "/" + "x" * 5_000}),
        (431, {"HTTP_X_LONG": "x" * 20_000}),
        (400, {"QUERY_STRING": "&".join(f"f{n}=1" for n in range(50))}),
        (404, {"PATH_INFO": "/invoices/" + "9" * 500}),
        (404, {"PATH_INFO": "/invoices/-1"}),
    ],
)
def test_what_is_too_large_is_named_so(
    door: Doorstep, status: int, environ: dict[str, str]
) -> None:
    method = "POST" if "CONTENT_LENGTH" in environ else "GET"
    polite = {"REQUEST_METHOD": method, "PATH_INFO": "/messages"}
    assert door.send(**(polite | environ)) == status


def test_a_body_without_a_length_is_bounded_while_it_is_read(door: Doorstep) -> None:
    class Endless(io.RawIOBase):
        read_bytes = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.read_bytes += len(buffer)
            buffer[:] = b"a" * len(buffer)
            return len(buffer)

    endless = Endless()
    environ = {
        "wsgi.input": endless,
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
    }
    assert post(door, "/messages", b"", **environ) == 413
    assert endless.read_bytes < 4 * limits.BODY_BYTES


@pytest.mark.parametrize(
    "body",
    [
        b'{"invoice": 1049, "body": ' + b"[" * 30 + b"]" * 30 + b"}",
        b"[" * 60_000,
        b'{"invoice": NaN, "body": "x"}',
        b'{"invoice": 1049, "body": "\\ud800"}',
        b'{"invoice": ' + b"9" * 5_000 + b', "body": "x"}',
        b'{"invoice": 1049, "body": 3}',
        b'{"invoice": true, "body": "x"}',
        b'{"invoice": 1049, "body": " "}',
        b'{"invoice": 1049, "body": "' + b"x" * 2_001 + b'"}',
        b"",
        b"null",
        b"\xff",
    ],
    ids=range(12),
)
def test_json_that_is_no_note_is_400(door: Doorstep, body: bytes) -> None:
    assert post(door, "/api/notes", body, "json") == 400


def test_brackets_inside_a_text_do_not_count_as_depth(door: Doorstep) -> None:
    body = json.dumps({"invoice": 1049, "body": "[" * 50 + '\\"{'}).encode()
    assert post(door, "/api/notes", body, "json") == 201


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "text/xml"])
def test_only_forms_and_json_are_taken(door: Doorstep, kind: str) -> None:
    assert post(door, "/messages", b"subject=x&body=y", kind) == 415


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_too_long_is_refused(door: Doorstep, name: str) -> None:
    fields = dict.fromkeys(("subject", "body", "buyer", "description", "name"), "x")
    fields |= {"amount": "1", name: "x" * (limits.LENGTHS[name] + 1)}
    path = {
        "q": "/invoices",
        "sort": "/invoices",
        "number": "/invoices/number",
        "email": "/sign-in",
        "password": "/sign-in",
        "next": "/sign-in",
        "buyer": "/invoices/new",
        "iban": "/bank",
        "amount": "/invoices/new",
        "description": "/invoices/new",
        "name": "/profile",
        "website": "/profile",
        "about": "/profile",
    }.get(name, "/messages")
    if name in ("q", "sort", "number"):
        assert door.send(PATH_INFO=path, QUERY_STRING=form(**fields).decode()) == 400
    else:
        assert post(door, path, form(**fields)) == 400


def test_a_line_break_cannot_add_a_header() -> None:
    for edition in ((), {"open_redirect"}, {"all"}):
        visitor = World(edition).visitor("maja")
        answer = visitor.get("/sign-in?next=/%0d%0aSet-Cookie:%20a=b", sender=None)
        assert answer.status_code == 400
        assert "a=b" not in answer.headers.get("Set-Cookie", "")


def test_a_broken_form_token_changes_nothing(door: Doorstep) -> None:
    for sent in ("", "0" * 32, "é", door.token.upper() + "x"):
        environ = {"HTTP_X_CSRF_TOKEN": ""}
        body = form(subject="x", body="y", csrf_token=sent)
        assert post(door, "/messages", body, **environ) == 403
