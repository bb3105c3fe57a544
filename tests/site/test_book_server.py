"""The book's server: one origin, one host, and no way from the book to the kernel."""

from __future__ import annotations

import gzip
import http.client
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from labs.site import server as served
from labs.site.policy import content_security_policy
from labs.site.server import BookServer

pytestmark = pytest.mark.sockets

TOKEN = "the-token"
NOTEBOOK = "notebooks/attacks/passwords.ipynb"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    book = tmp_path / "book"
    (book / "attacks").mkdir(parents=True)
    (book / "index.html").write_text("<h1>Trust, Tested</h1>" + " " * 600)
    (book / "404.html").write_text("<h1>No such page</h1>")
    (book / "attacks" / "index.html").write_text("<h1>Attacks</h1>")
    (book / "attacks" / "passwords.html").write_text(f"<!--labs:open {NOTEBOOK}--><p>Lab</p>")
    for name in ("run.mjs", "python.wasm", "labs.whl", "style.css", "data.unknown"):
        (book / name).write_bytes(b"x" * 1000)
    (tmp_path / "secret.txt").write_text("outside the book")
    return book


@pytest.fixture
def book(folder: Path) -> Iterator[BookServer]:
    def address(notebook: str) -> str | None:
        return (
            f"http://127.0.0.1:1/lab/tree/{notebook}?token={TOKEN}"
            if notebook == NOTEBOOK
            else None
        )

    with BookServer(folder, port=0, open_notebook=address) as server:
        yield server


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.read()

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    server: BookServer,
    path: str,
    *,
    host: str | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    connect: str = "127.0.0.1",
) -> Answer:
    connection = http.client.HTTPConnection(connect, server.port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"localhost:{server.port}" if host is None else host)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        return Answer(connection.getresponse())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/attacks/", "text/html; charset=utf-8"),
        ("/run.mjs", "text/javascript; charset=utf-8"),
        ("/python.wasm", "application/wasm"),
        ("/labs.whl", "application/zip"),
        ("/style.css?v=1", "text/css; charset=utf-8"),
        ("/data.unknown", "application/octet-stream"),
    ],
)
def test_each_file_is_served_with_its_type(book: BookServer, path: str, content_type: str) -> None:
    answer = ask(book, path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)


@pytest.mark.parametrize("path", ["/", "/no-such-page", "/run.mjs"])
def test_every_answer_carries_the_policy_and_isolates_the_page(book: BookServer, path: str) -> None:
    headers = ask(book, path).headers
    assert headers["Content-Security-Policy"] == content_security_policy()
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/attacks/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/....//secret.txt",
        "//etc/passwd",
        "/%00",
        "/index.html%00.png",
        "/C:/Windows/win.ini",
        "/link.txt",
        "/" + "a" * 5000,
    ],
)
def test_nothing_outside_the_book_has_an_address(book: BookServer, folder: Path, path: str) -> None:
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    answer = ask(book, path)
    assert answer.status == 404
    assert "No such page" in answer.text


@pytest.mark.parametrize("path", ["//evil.example/..", "//evil.example", "///evil.example/attacks"])
def test_no_address_leads_to_another_host(book: BookServer, folder: Path, path: str) -> None:
    (folder / "evil.example").mkdir()
    (folder / "evil.example" / "index.html").write_text("x")
    for host in (f"localhost:{book.port}", f"127.0.0.1:{book.port}"):
        location = ask(book, path, host=host).headers.get("Location", "/")
        assert location.startswith((book.address, "/"))
        assert not location.startswith("//")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "localhost", "localhost:1", "localhost.:{port}", ""],
)
def test_a_foreign_name_for_this_machine_gets_nothing(book: BookServer, host: str) -> None:
    for path in ("/", f"/open/{NOTEBOOK}"):
        answer = ask(book, path, host=host.format(port=book.port))
        assert answer.status == 421
        assert TOKEN not in str(answer.headers) + answer.text


def test_the_book_is_at_localhost_only(book: BookServer) -> None:
    answer = ask(book, "/attacks/passwords.html?q=1", host=f"127.0.0.1:{book.port}")
    assert answer.status == 302
    assert answer.headers["Location"] == f"http://localhost:{book.port}/attacks/passwords.html"


def test_it_listens_on_loopback_addresses_only(book: BookServer) -> None:
    addresses = {server.socket.getsockname()[0] for server in book._servers}
    assert addresses <= {"127.0.0.1", "::1"}


def test_localhost_is_answered_whichever_address_it_means(book: BookServer) -> None:
    for info in socket.getaddrinfo("localhost", book.port, type=socket.SOCK_STREAM):
        if info[0] == socket.AF_INET6 and not served._localhost_may_be_ipv6():
            continue
        assert ask(book, "/", connect=str(info[4][0])).status == 200


def test_a_lab_page_leads_to_its_notebook_without_the_token(book: BookServer) -> None:
    page = ask(book, "/attacks/passwords.html").text
    assert f'href="http://127.0.0.1:{book.port}/open/{NOTEBOOK}"' in page
    assert "Open in JupyterLab" in page
    assert "<!--labs:open" not in page
    assert TOKEN not in page


def test_without_jupyterlab_the_page_offers_nothing_to_open(folder: Path) -> None:
    with BookServer(folder, port=0) as server:
        assert "Open in JupyterLab" not in ask(server, "/attacks/passwords.html").text
        host = f"127.0.0.1:{server.port}"
        assert ask(server, f"/open/{NOTEBOOK}", host=host).status == 404


NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("headers", [{}, NAVIGATION], ids=["old browser", "new browser"])
def test_a_click_is_sent_to_the_notebook_with_the_token(
    book: BookServer, headers: dict[str, str]
) -> None:
    answer = ask(book, f"/open/{NOTEBOOK}", host=f"127.0.0.1:{book.port}", headers=headers)
    assert answer.status == 302
    assert answer.headers["Location"] == f"http://127.0.0.1:1/lab/tree/{NOTEBOOK}?token={TOKEN}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("mode", "destination"),
    [
        ("cors", "empty"),
        ("no-cors", "empty"),
        ("no-cors", "image"),
        ("no-cors", "script"),
        ("navigate", "iframe"),
        ("navigate", "embed"),
        ("navigate", "object"),
    ],
)
def test_a_script_or_a_frame_is_not_sent_anywhere(
    book: BookServer, mode: str, destination: str
) -> None:
    answer = ask(
        book,
        f"/open/{NOTEBOOK}",
        host=f"127.0.0.1:{book.port}",
        headers={"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination},
    )
    assert answer.status == 403
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "notebook",
    [
        "notebooks/attacks/nothing.ipynb",
        "notebooks/../README.md",
        "notebooks/attacks/passwords.ipynb?token=1#x",
        "https://evil.example/x.ipynb",
        "/evil.example/x.ipynb",
        "",
    ],
)
def test_only_the_books_notebooks_open(book: BookServer, notebook: str) -> None:
    answer = ask(book, f"/open/{notebook.replace('?', '%3f')}", host=f"127.0.0.1:{book.port}")
    assert answer.status == 404
    assert "Location" not in answer.headers


def test_localhost_does_not_open_notebooks(book: BookServer) -> None:
    answer = ask(book, f"/open/{NOTEBOOK}", headers=NAVIGATION)
    assert answer.status == 404
    assert "Location" not in answer.headers


def test_a_page_is_compressed_for_who_takes_it(book: BookServer) -> None:
    plain = ask(book, "/index.html")
    packed = ask(book, "/index.html", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_a_file_compressed_beforehand_is_sent_as_it_is(book: BookServer, folder: Path) -> None:
    ready = gzip.compress(b"x" * 1000, compresslevel=9, mtime=12345)
    (folder / "python.wasm.gz").write_bytes(ready)
    assert ask(book, "/python.wasm", headers={"Accept-Encoding": "gzip"}).body == ready


def test_an_unchanged_page_is_not_sent_again_and_a_changed_one_is(
    book: BookServer, folder: Path
) -> None:
    etag = ask(book, "/").headers["ETag"]
    again = ask(book, "/", headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    (folder / "index.html").write_text("<h1>Changed</h1>")
    changed = ask(book, "/", headers={"If-None-Match": etag})
    assert (changed.status, changed.text) == (200, "<h1>Changed</h1>")


def test_a_folder_without_its_slash_redirects_so_that_links_in_it_work(book: BookServer) -> None:
    answer = ask(book, "/attacks")
    assert (answer.status, answer.headers["Location"]) == (302, "/attacks/")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(book: BookServer, method: str) -> None:
    assert ask(book, "/", method=method).status == 501


def test_head_sends_the_headers_alone(book: BookServer) -> None:
    answer = ask(book, "/", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 600


def test_a_port_in_use_means_the_next_free_one(folder: Path) -> None:
    with BookServer(folder, port=0) as first, BookServer(folder, port=first.port) as second:
        assert first.port < second.port <= first.port + served.PORTS_TO_TRY
        assert ask(second, "/").status == 200


def test_no_free_port_is_one_clear_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "PORTS_TO_TRY", 1)
    with (
        BookServer(folder, port=0) as first,
        pytest.raises(OSError, match=f"^no free port from {first.port} on"),
    ):
        BookServer(folder, port=first.port)


def test_closing_gives_the_port_back(folder: Path) -> None:
    with BookServer(folder, port=0) as server:
        port = server.port
    with BookServer(folder, port=port) as again:
        assert again.port == port
