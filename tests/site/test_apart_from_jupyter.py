"""A script on a page of the book, in a real browser, against JupyterLab as ``labs start`` runs it.

The pages of the book allow no script but their own, and may connect nowhere else. That policy is
switched off here, so that what is tested is the wall behind it: another host, another port, and a
token that only a navigation gets.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from labs.site.server import BookServer
from labs.site.start import Lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

NOTEBOOK = "notebooks/attacks/passwords.ipynb"

# Everything a script can try: each attempt answers with whatever it could read.
ATTEMPTS = """
async ({book, lab, notebook}) => {
  const seen = {};
  const attempt = async (name, action) => {
    try { seen[name] = String(await action()); } catch (error) { seen[name] = `refused: ${error}`; }
  };
  const read = async (url, options) => {
    const answer = await fetch(url, options);
    return `${answer.type} ${answer.url} ${answer.headers.get("location")} ${await answer.text()}`;
  };
  const frame = url => new Promise(resolve => {
    const element = document.createElement("iframe");
    element.src = url;
    element.onload = () => {
      try { resolve(element.contentWindow.location.href + element.contentDocument.body.innerHTML); }
      catch (error) { resolve(`refused: ${error}`); }
    };
    document.body.append(element);
    setTimeout(() => resolve("nothing came"), 2000);
  });
  const open = `${book.replace("localhost", "127.0.0.1")}open/${notebook}`;
  for (const mode of ["cors", "no-cors"])
    for (const redirect of ["follow", "manual"])
      await attempt(`open ${mode} ${redirect}`, () =>
        read(open, {mode, redirect, credentials: "include"}));
  await attempt("open at localhost", () => read(`${book}open/${notebook}`));
  await attempt("open in a frame", () => frame(open));
  await attempt("kernels", () => read(`${lab}api/kernels`, {credentials: "include"}));
  await attempt("start a kernel", () => read(`${lab}api/kernels`, {
    method: "POST", mode: "no-cors", credentials: "include", body: '{"name": "python3"}'}));
  await attempt("kernels at localhost", () => read(
    `${lab.replace("127.0.0.1", "localhost")}api/kernels`, {credentials: "include"}));
  await attempt("lab in a frame", () => frame(`${lab}lab`));
  await attempt("terminal", () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${lab.replace("http", "ws")}terminals/websocket/1`);
    socket.onopen = () => resolve("open");
    socket.onerror = () => reject("closed");
  }));
  await attempt("another window", async () => {
    const other = window.open(open);
    for (let left = 200; left && other.location.href === "about:blank"; left--)
      await new Promise(resolve => setTimeout(resolve, 50));
    return other.location.href;
  });
  await attempt("the page itself", () => document.documentElement.outerHTML);
  await attempt("cookies", () => document.cookie);
  await attempt("history of requests", () =>
    performance.getEntries().map(entry => entry.name).join(" "));
  return seen;
}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BookServer, Lab]]:
    root = tmp_path_factory.mktemp("checkout")
    notebook = root / NOTEBOOK
    notebook.parent.mkdir(parents=True)
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    (root / "book").mkdir()
    (root / "book" / "index.html").write_text(f"<h1>Lab</h1><!--labs:open {NOTEBOOK}-->")
    with (
        Lab(root, tmp_path_factory.mktemp("runtime"), 8888) as lab,
        BookServer(root / "book", port=0, open_notebook=lab.notebook_address) as book,
    ):
        lab.wait(threading.Event())
        yield book, lab


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(bypass_csp=True)
    yield context.new_page()
    context.close()


def kernels(lab: Lab) -> list[Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.port}/api/kernels", headers={"Authorization": f"token {lab.token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[Any] = json.load(answer)
    return found


def test_a_script_in_the_book_reads_no_token_and_reaches_no_kernel(
    reader: Page, running: tuple[BookServer, Lab]
) -> None:
    book, lab = running
    reader.goto(book.address)
    with reader.expect_popup() as opened:
        reader.get_by_text("Open in JupyterLab").click()
    opened.value.wait_for_url(f"http://127.0.0.1:{lab.port}/lab/tree/{NOTEBOOK}**")
    opened.value.wait_for_selector(".jp-LabShell", state="attached")
    # From here on the browser is signed in to JupyterLab: the best moment for an attack.
    cookies = reader.context.cookies(f"http://127.0.0.1:{lab.port}/")
    assert any(cookie["name"].startswith("username-") for cookie in cookies)
    opened.value.close()
    before = {kernel["id"] for kernel in kernels(lab)}

    seen = reader.evaluate(
        ATTEMPTS,
        {"book": book.address, "lab": f"http://127.0.0.1:{lab.port}/", "notebook": NOTEBOOK},
    )

    assert len(seen) == 15
    for name, result in seen.items():
        assert lab.token not in result, name
        assert "python3" not in result, name
    for name in ("open cors follow", "kernels", "kernels at localhost", "another window"):
        assert seen[name].startswith("refused"), name
    for name in ("open in a frame", "lab in a frame"):
        assert seen[name].startswith(("refused", "nothing came")), name
    assert seen["terminal"] == "refused: closed"
    assert seen["cookies"] == ""
    assert {kernel["id"] for kernel in kernels(lab)} == before


def test_the_same_attempts_succeed_where_book_and_jupyter_share_an_origin(
    reader: Page, running: tuple[BookServer, Lab]
) -> None:
    """The attempts are real ones: on Jupyter's own origin they list kernels and cookies."""
    _, lab = running
    reader.route("**/*.js*", lambda route: route.abort())  # its own scripts have no part in this
    reader.goto(lab.address)
    listed = reader.evaluate(
        "async lab => (await fetch(`${lab}api/kernels`)).status", f"http://127.0.0.1:{lab.port}/"
    )
    assert listed == 200
    assert "_xsrf" in reader.evaluate("document.cookie")


def test_jupyterlab_does_not_answer_to_the_books_host(running: tuple[BookServer, Lab]) -> None:
    _, lab = running
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.port}/api/status",
        headers={"Authorization": f"token {lab.token}", "Host": f"localhost:{lab.port}"},
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)


def test_jupyterlab_asks_for_its_token(running: tuple[BookServer, Lab]) -> None:
    _, lab = running
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{lab.port}/api/kernels", timeout=10)
