"""What holds for every test: a home of its own, no socket unless it says so, a browser if it asks.

A test that talks to a server on this machine is marked ``sockets``; one that drives Chromium is
marked ``browser`` and takes the fixture ``page``. Where there is no Chromium, browser tests are
skipped and the last line of the run says how to get one; with ``LABS_REQUIRE_BROWSER=1`` they fail.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import proof
import pytest
from hypothesis import settings

from labs.site import chromium
from labs.site.notebooks import environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_NO_BROWSER = "there is no Chromium on this machine"
_MAY_USE_SOCKETS = ("browser", "notebook", "sockets")
_SOCKET_EVENTS = frozenset(
    {
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
    }
)
_HOME = pytest.StashKey[str]()

settings.register_profile("book", derandomize=True, deadline=None)
settings.load_profile("book")


class _Sockets:
    """Refuses to name, bind or reach an address on a network while ``closed``.

    An audit hook sees every way to a socket, also one that was imported before the test began, and
    it cannot be taken out again; hence the switch.
    """

    def __init__(self) -> None:
        self.closed = False
        self.opened: list[str] = []
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.closed or event not in _SOCKET_EVENTS:
            return
        first = arguments[0]
        if isinstance(first, socket.socket) and first.family not in (
            socket.AF_INET,
            socket.AF_INET6,
        ):
            return  # between two processes of this machine, without a network
        self.opened.append(f"{event}{arguments[1:] or arguments}")
        raise PermissionError(f"{event} in a test that is not marked 'sockets'")


_sockets = _Sockets()
_collector = proof.Collector()


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that opens a socket, even if the code under test hid the refusal."""
    if any(request.node.get_closest_marker(name) for name in _MAY_USE_SOCKETS):
        yield
        return
    _sockets.opened.clear()
    _sockets.closed = True
    try:
        yield
    finally:
        _sockets.closed = False
    assert not _sockets.opened


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a home, so that nobody's own progress is touched, and fix what varies."""
    home = config.stash[_HOME] = tempfile.mkdtemp(prefix="labs-tests-")
    os.environ.update(environment(home))
    # A run in the background ignores Ctrl-C, and so would each process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, and let each report say what it stands for on the proof page."""
    in_browser = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in in_browser)
    for item in items:
        fact = proof.stands_for(item)
        if fact:
            item.user_properties.append(("proof", fact))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take in what a test proved; a skipped one proved nothing."""
    if report.when == "call" and report.outcome in ("passed", "failed"):
        for name, fact in report.user_properties:
            if name == "proof":
                _collector.add(fact, report.outcome == "passed")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was proved, once, where all reports come together."""
    if not hasattr(session.config, "workerinput"):
        _collector.write()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a browser test where there is no browser, or fail it where one is required."""
    if item.get_closest_marker("browser") and chromium.find() is None:
        if os.environ.get("LABS_REQUIRE_BROWSER"):
            pytest.fail(f"{_NO_BROWSER}; {chromium.HOW_TO_GET_ONE}", pytrace=False)
        pytest.skip(_NO_BROWSER)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the run's home, and say as the last thing what was not tested and how to test it."""
    shutil.rmtree(config.stash[_HOME], ignore_errors=True)
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    skipped = [r for r in reporter.stats.get("skipped", []) if _NO_BROWSER in str(r.longrepr)]
    if skipped:
        reporter.write_line(
            f"NOT TESTED IN A BROWSER: {len(skipped)} tests were skipped, because {_NO_BROWSER}; "
            f"{chromium.HOW_TO_GET_ONE}.",
            red=True,
            bold=True,
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """This machine's Chromium, the one without windows where there is one, for one file of tests.

    Not for the whole run: while it is open, no other test in the process can use asyncio.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium.without_windows(), args=list(CHROMIUM_ARGUMENTS)
        )
        yield running
        running.close()


@pytest.fixture
def whole_browser(browser: Browser) -> Iterator[Browser]:
    """The Chromium that people use, for the little that its engine alone does otherwise."""
    running = browser.browser_type.launch(
        executable_path=chromium.find(), args=list(CHROMIUM_ARGUMENTS)
    )
    yield running
    running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser context of its own: no cookie, no storage, no cache."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
