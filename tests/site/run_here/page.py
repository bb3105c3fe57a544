"""Drives a lab page in Chromium: clicks *Run here*, runs cells, tells what came of it.

``LabPage`` blocks and lists every request to another host. It works on the built book and on the
small sites that :func:`lab_site` writes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Route, TimeoutError

LONGEST_RUN_MS = 60_000
THEME = Path(__file__).parents[3] / "src" / "labs" / "site" / "theme" / "static"


_TIMED = """async () => {
  const began = performance.now();
  document.querySelector("button[data-run-here]").click();
  const settled = () => document.querySelector(
    "[data-run-state=done], [data-run-state=failed]");
  await new Promise((resolve) => {
    const observer = new MutationObserver(() => settled() && resolve());
    observer.observe(document.body,
      { subtree: true, attributes: true, attributeFilter: ["data-run-state"] });
  });
  return (performance.now() - began) / 1000;
}"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell of a page written by :func:`lab_site`."""

    source: str
    recorded: str = ""
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a cell came to: its state, its note if any, its text, and the verdicts of reports."""

    state: str
    note: str
    text: str
    verdicts: tuple[str, ...]


def lab_site(folder: Path, cells: Sequence[Cell]) -> None:
    """Write a page with these cells, in the markup of the book's theme and with its script."""
    body = "".join(
        f'<div class="cell" data-cell="{number}" data-tags="{escape(cell.tags)}">'
        f'<div class="cell_input"><div class="highlight"><pre>{escape(cell.source)}\n</pre></div>'
        f'</div><div class="cell_output"><div class="output text_plain"><pre>'
        f"{escape(cell.recorded)}</pre></div></div></div>"
        for number, cell in enumerate(cells)
    )
    (folder / "_static").mkdir(parents=True, exist_ok=True)
    for script in THEME.glob("*.js"):
        shutil.copy(script, folder / "_static")
    (folder / "lab.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A lab</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<script src="_run/run.js" defer></script>'
        '<script type="module" src="_static/book.js"></script></head>'
        '<body><button class="theme" hidden></button><main><h1>A lab</h1>'
        f'<div class="actions"><button type="button" data-run-here hidden>Run here</button></div>'
        f"{body}</main></body></html>",
        encoding="utf-8",
    )


class PlainServer:
    """Any static server: it sends files and no header that a page could count on."""

    def __init__(self, folder: Path) -> None:
        handler = partial(_Quiet, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> PlainServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output for the test."""


class LabPage:
    """A lab page in a browser, with every other host blocked and listed.

    Args:
        page: A fresh page of Playwright.
        address: The lab page's address.
        answer: Answers a request to another host in place of blocking it.
    """

    def __init__(
        self, page: Page, address: str, answer: Callable[[Route], None] | None = None
    ) -> None:
        self.page = page
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self._host = urlsplit(address).netloc
        self._answer = answer
        page.context.route("**/*", self._only_this_host)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._listen)
        page.goto(address)

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _only_this_host(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.netloc == self._host or address.scheme in ("data", "blob"):
            route.continue_()
            return
        self.foreign.append(route.request.url)
        if self._answer is not None:
            self._answer(route)
        else:
            route.abort()

    def run_here(self) -> float:
        """Click *Run here*; return the seconds until the first cell has its result."""
        self.button("Run here").wait_for()
        seconds: float = self.page.evaluate(_TIMED)
        self.wait(0)
        return seconds

    def processor_seconds(self) -> float:
        """Processor time that the browser's pages have used: it does not grow by waiting.

        The machine may be busy with other tests; seconds on the clock would then say little.
        """
        browser = self.page.context.browser
        assert browser is not None
        session = browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        return float(sum(one["cpuTime"] for one in processes if one["type"] == "renderer"))

    def open_editors(self) -> None:
        """Click *Run here* and wait for the editors, not for Python."""
        self.button("Run here").click()
        self.editor(0).wait_for()

    def button(self, name: str) -> Locator:
        """A button by its exact name."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def cells(self) -> Locator:
        """The code cells."""
        return self.page.locator(".cell:has(.cell_output[data-run-state])")

    def editor(self, number: int) -> Locator:
        """The editor of a cell, counted from 0."""
        return self.cells.nth(number).locator(".cm-content")

    def write(self, number: int, source: str) -> None:
        """Replace the text of a cell's editor."""
        self.editor(number).fill(source)

    def click(self, number: int, name: str) -> None:
        """Press a button of a cell, which is unfolded first.

        By keyboard: a page that is still growing cannot slip away under the pointer.
        """
        self.cells.nth(number).evaluate(
            "(cell) => cell.querySelectorAll('details').forEach((fold) => (fold.open = true))"
        )
        self.cells.nth(number).get_by_role("button", name=name, exact=True).press("Enter")

    def run(self, number: int, source: str | None = None) -> Ran:
        """Run a cell, with another source if one is given, to its end."""
        if source is not None:
            self.write(number, source)
        self.click(number, "Run")
        return self.wait(number)

    def run_all(self) -> list[Ran]:
        """Run every cell from the top, whatever becomes of the ones above."""
        return [self.run(number) for number in range(self.cells.count())]

    def output(self, number: int) -> Locator:
        """The output of a cell."""
        return self.cells.nth(number).locator(".cell_output")

    def wait(self, number: int, timeout_ms: int = LONGEST_RUN_MS) -> Ran:
        """Wait until a cell is done or has failed, and return what it came to."""
        output = self.page.locator(".cell_output[data-run-state]").nth(number)
        settled = output.locator(
            "xpath=self::*[@data-run-state='done' or @data-run-state='failed']"
        )
        try:
            settled.wait_for(state="attached", timeout=timeout_ms)
        except TimeoutError as error:
            states = [one.get_attribute("data-run-state") for one in self.outputs()]
            raise AssertionError(f"cell {number} does not end: {states}, {self.errors}") from error
        return self.result(number)

    def outputs(self) -> list[Locator]:
        """The outputs of all cells."""
        return self.page.locator(".cell_output[data-run-state]").all()

    def result(self, number: int) -> Ran:
        """What a cell shows now."""
        output = self.output(number)
        verdicts = output.locator(".labs-report > p:first-child").all_inner_texts()
        return Ran(
            state=output.get_attribute("data-run-state") or "",
            note=output.get_attribute("data-run-note") or "",
            text=output.inner_text(),
            verdicts=tuple(verdicts),
        )

    def note(self, number: int) -> str:
        """What a cell says about itself."""
        return self.cells.nth(number).locator(".labs-run-note").inner_text()
