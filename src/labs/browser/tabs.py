"""The browser itself: tabs, cookies, a log, a clock that a lab can move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from labs.arguments import real
from labs.browser.cookies import CookieJar
from labs.browser.fetching import Fetcher
from labs.browser.javascript import MAX_STEPS, Budget
from labs.browser.log import Log
from labs.browser.markup import Element
from labs.browser.network import Internet
from labs.browser.origins import Origin, Url, parse_url
from labs.browser.pages import Canary, Context, Executed, Page

MAX_TABS = 50
"""Most tabs of one browser."""

MAX_REQUESTS = 500
"""Most requests that one action of the user may cause."""

MAX_SCRIPTS = 1_000
"""Most scripts and handlers that one action of the user may cause to run."""

MAX_RECORDS = 10_000
"""The browser remembers this many executed scripts and canaries."""


class Clock:
    """Seconds since 1970 that move only when told; by default from 15 January 2027, 08:00 UTC.

    >>> clock = Clock()
    >>> clock.advance(131)
    >>> clock() - 1_800_000_000
    131.0
    """

    def __init__(self, start_s: float = 1_800_000_000.0) -> None:
        self._now = real("start_s", start_s, low=0)

    def __call__(self) -> float:
        """What time it is."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += real("seconds", seconds, low=0)


class Tab(Context):
    """A tab. What the user does to the page that it shows can be said to the tab."""

    page: Page

    def open(self, url: str) -> Page:
        """Type an address and press Enter."""
        self.browser.begin_action()
        self.navigate(parse_url(url))
        return self.page

    def click(self, target: str | Element) -> Page:
        """Click an element of the page; see :meth:`Page.click`."""
        self.page.click(target)
        return self.page

    def hover(self, target: str | Element) -> Page:
        """Move the pointer over an element; see :meth:`Page.hover`."""
        self.page.hover(target)
        return self.page

    def submit(
        self,
        target: str | Element = "form",
        fields: dict[str, str] | None = None,
        *,
        button: str | Element | None = None,
    ) -> Page:
        """Fill in and send a form of the page; see :meth:`Page.submit`."""
        self.page.submit(target, fields, button=button)
        return self.page

    def reload(self) -> Page:
        """Load the page again with GET."""
        return self.open(str(self.page.url))

    @property
    def url(self) -> Url:
        """What the address bar shows."""
        return self.page.url


class Browser:
    """A browser of one person.

    Args:
        internet: The sites it can reach.
        clock: Seconds since 1970; a :class:`Clock` of its own by default.
        third_party_cookies: Whether cookies travel with parts of pages of other sites at all.
            Chromium blocks them in private windows, and everywhere if it is set to.
        address: Its IP address, as applications see it.

    >>> from labs.browser.network import static_site
    >>> internet = Internet()
    >>> internet.add("https://kvittra.example",
    ...              static_site({"/": "<p id=hi>Hello<script>canary('ran')</script>"}))
    >>> browser = Browser(internet)
    >>> page = browser.open("https://kvittra.example/").page
    >>> page.text, [canary.id for canary in page.canaries]
    ('Hello', ['ran'])
    """

    def __init__(
        self,
        internet: Internet,
        *,
        clock: Callable[[], float] | None = None,
        third_party_cookies: bool = True,
        address: str = "192.0.2.10",
    ) -> None:
        if not isinstance(internet, Internet):
            raise TypeError(f"internet must be an Internet, not {internet!r}")
        self.internet = internet
        self.clock: Callable[[], float] = Clock() if clock is None else clock
        self.log = Log(self.clock)
        self.jar = CookieJar(self.clock, third_party=third_party_cookies)
        self.fetcher = Fetcher(
            internet, self.jar, self.log, self.clock, address=address, spend=self._spend_request
        )
        self.tabs: list[Tab] = []
        self.executed: list[Executed] = []
        self.canaries: list[Canary] = []
        self._storage: dict[Origin, dict[str, str]] = {}
        self.budget = Budget()
        self._requests = 0
        self._scripts = 0

    def open(self, url: str) -> Tab:
        """Type an address into a new tab and press Enter.

        Raises:
            ValueError: If it is not an address, or there are too many tabs.
        """
        target = parse_url(url)
        tab = self.new_tab()
        self.begin_action()
        tab.navigate(target)
        return tab

    def new_tab(self) -> Tab:
        """An empty tab.

        Raises:
            ValueError: If there are too many.
        """
        if len(self.tabs) >= MAX_TABS:
            raise ValueError(f"a browser has at most {MAX_TABS} tabs")
        tab = Tab(self)
        self.tabs.append(tab)
        return tab

    def close(self, tab: Tab) -> None:
        """Close a tab."""
        tab.page.leave()
        with suppress(ValueError):
            self.tabs.remove(tab)

    def restart(self) -> None:
        """Close the browser and start it again: tabs and session cookies are gone."""
        for tab in list(self.tabs):
            self.close(tab)
        self.jar.end_session()

    def __iter__(self) -> Iterator[Tab]:
        return iter(self.tabs)

    def fired(self, name: str, origin: str | None = None) -> bool:
        """Whether ``canary(name)`` was called, with the authority of ``origin`` if one is given."""
        return any(
            canary.id == name and (origin is None or canary.origin == origin)
            for canary in self.canaries
        )

    # For the parts of the browser.

    def begin_action(self) -> None:
        """The user acts: what follows is counted anew."""
        self._requests = self._scripts = 0
        self.budget.left = MAX_STEPS

    def _spend_request(self) -> str:
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            return f"one action of the user has caused {MAX_REQUESTS} requests"
        return ""

    def spend_script(self) -> str:
        """Count a script; why it must not run, or nothing."""
        self._scripts += 1
        if self._scripts > MAX_SCRIPTS:
            return f"one action of the user has run {MAX_SCRIPTS} scripts"
        if len(self.executed) > MAX_RECORDS:
            del self.executed[: MAX_RECORDS // 2]
        return ""

    def fire_canary(self, page: Page, name: str) -> None:
        """Write down that a canary fired."""
        self.canaries.append(Canary(name, str(page.origin), page.where))
        if len(self.canaries) > MAX_RECORDS:
            del self.canaries[: MAX_RECORDS // 2]
        self.log.add(
            page.where,
            "script",
            f"canary({name!r})",
            "fired",
            f"with the authority of {page.origin}",
        )

    def storage_of(self, origin: Origin) -> dict[str, str]:
        """``localStorage`` of an origin."""
        return self._storage.setdefault(origin, {})
