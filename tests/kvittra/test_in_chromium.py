"""What only a real browser can decide: whether an injected script runs, and what it can reach.

Chromium's requests are answered by the application in process. No server runs, and a request to
any other host fails the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from kvittra.attacks import INJECTED
from kvittra.visitor import EVIL, HOME, World

from labs.kvittra import WEAKNESSES

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

FRAMING_PAGE = f"<!doctype html><iframe src='{HOME}/sign-in'></iframe>"


class Tab:
    """A tab of Chromium, in which the world's Kvittra and one hostile page are all there is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.world = World()
        self.ran: list[str] = []
        page.expose_function("canary", lambda *seen: self.ran.append(str(seen)))
        page.route("**/*", self._answer)

    def open(self, weaknesses: Any) -> None:
        """Start afresh, as Maja, signed in at the edition with these weaknesses."""
        self.page.goto("about:blank")
        self.world = World(weaknesses)
        self.ran.clear()
        cookies = [
            {
                "name": name,
                "value": cookie.value,
                "url": HOME,
                "secure": cookie.secure,
                "httpOnly": cookie.http_only,
            }
            for name, cookie in self.world.visitor("maja").jar.items()
        ]
        self.page.context.clear_cookies()
        self.page.context.add_cookies(cookies)  # type: ignore[arg-type]

    def go(self, path: str) -> None:
        """Visit a page and let its scripts run."""
        self.page.goto(HOME + path)
        self.page.wait_for_timeout(30)

    def _answer(self, route: Route) -> None:
        request = route.request
        url = urlsplit(request.url)
        if f"{url.scheme}://{url.netloc}" == EVIL:
            route.fulfill(body=FRAMING_PAGE, content_type="text/html")
            return
        assert f"{url.scheme}://{url.netloc}" == HOME, request.url
        # Asking for all headers, cookies among them, is slow; the assets need none.
        sent = request.headers if "/static/" in url.path else request.all_headers()
        headers = {
            name: value
            for name, value in sent.items()
            if not name.startswith(":") and name != "content-length"
        }
        response = self.world.app.test_client(use_cookies=False).open(
            url.path,
            method=request.method,
            base_url=HOME,
            query_string=url.query,
            data=request.post_data_buffer,
            headers=headers,
        )
        merged = {
            name: ", ".join(response.headers.getlist(name)) for name in set(response.headers.keys())
        }
        route.fulfill(status=response.status_code, headers=merged, body=response.get_data())


@pytest.fixture
def tab(page: Page) -> Tab:
    return Tab(page)


def _stored(tab: Tab) -> None:
    otto = tab.world.visitor("otto")
    otto.submit("/invoices/1049", "/invoices/1049/notes", body=INJECTED)
    tab.go("/invoices/1049")


def _reflected(tab: Tab) -> None:
    tab.go("/invoices?q=%3Cimg src=x onerror=canary()%3E")


def _dom(tab: Tab) -> None:
    tab.go("/invoices/1049#%3Cimg src=x onerror=canary()%3E")


def _attribute(tab: Tab) -> None:
    tab.go("/invoices?q=x+onfocus=canary()+autofocus")


def _link(tab: Tab) -> None:
    tab.world.visitor("otto").submit("/profile", name="Otto", website="javascript:canary()")
    tab.go("/people/otto")
    for link in tab.page.locator("#website").all():
        link.click()
    tab.page.wait_for_timeout(30)


def _json(tab: Tab) -> None:
    tab.world.visitor("otto").submit(
        "/invoices/new",
        buyer="</script><script>canary()</script>",
        description="x",
        amount="9999999",
    )
    tab.go("/")


def _rich_text(tab: Tab) -> None:
    tab.world.visitor("otto").submit("/profile", name="Otto", about=INJECTED)
    tab.go("/people/otto")


SCRIPTS: dict[str, Callable[[Tab], None]] = {
    "xss_stored": _stored,
    "xss_reflected": _reflected,
    "xss_dom": _dom,
    "xss_attribute": _attribute,
    "xss_link": _link,
    "xss_json": _json,
    "xss_rich_text": _rich_text,
}


SCRIPTED = frozenset(name for name in WEAKNESSES if name.startswith("xss_"))


def test_injected_scripts_run_only_where_the_page_and_its_policy_are_weak(tab: Tab) -> None:
    assert set(SCRIPTS) == SCRIPTED
    for edition, runs in (
        (SCRIPTED | {"csp_missing"}, SCRIPTED),
        (SCRIPTED, set()),
        ({"csp_missing"}, set()),
    ):
        tab.open(edition)
        ran = set()
        for name, attack in SCRIPTS.items():
            tab.ran.clear()
            attack(tab)
            if tab.ran:
                ran.add(name)
        assert ran == runs


def test_a_fragment_runs_no_script_where_all_but_that_script_is_weak(tab: Tab) -> None:
    tab.open(set(WEAKNESSES) - {"xss_dom"})
    _dom(tab)
    assert tab.ran == []


def test_the_repaired_script_still_shows_the_section(tab: Tab) -> None:
    tab.open(())
    tab.go("/invoices/1049#notes")
    assert tab.page.inner_text("#section") == "Showing: notes"


def test_the_overview_draws_its_chart_and_no_page_breaks_its_own_policy(tab: Tab) -> None:
    complaints: list[str] = []
    tab.page.on("console", lambda message: complaints.append(message.text))
    tab.page.on("pageerror", lambda error: complaints.append(str(error)))
    tab.open(())
    tab.go("/")
    assert tab.page.locator(".bar-row").count() == 6
    for path in ("/invoices", "/invoices/1049#notes", "/profile", "/bank", "/people/layla"):
        tab.go(path)
    assert complaints == []


def test_ctrl_enter_saves_a_note(tab: Tab) -> None:
    tab.open(())
    tab.go("/invoices/1049")
    tab.page.fill("#body", "Snow on Friday, says the forecast ❄️")
    tab.page.press("#body", "Control+Enter")
    tab.page.wait_for_selector("text=Snow on Friday, says the forecast ❄️")
    notes = tab.world.value("SELECT count(*) FROM notes WHERE invoice = 1049")
    assert notes == 3


def test_a_script_reads_the_session_cookie_only_where_httponly_is_missing(tab: Tab) -> None:
    for edition, readable in (({"cookie_script_readable"}, True), ((), False)):
        tab.open(edition)
        tab.go("/bank")
        assert ("session=" in tab.page.evaluate("document.cookie")) is readable


def test_another_site_can_frame_kvittra_only_where_the_policy_is_missing(tab: Tab) -> None:
    for edition, framed in (({"clickjacking"}, True), ((), False)):
        tab.open(edition)
        tab.page.goto(EVIL)
        tab.page.wait_for_timeout(50)
        frame = tab.page.frames[1]
        assert (frame.locator("text=Sign in").count() > 0) is framed
