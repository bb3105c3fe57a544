"""The conformance scenarios in the model browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from labs.browser import Browser, Clock, Internet, Page
from tests.browser import sites
from tests.browser.sites import Addresses, Sites

PARENTS = {
    "the same origin": ("kvittra", "direct"),
    "another port": ("port", "direct"),
    "a sibling subdomain": ("blog", "direct"),
    "another site": ("evil", "direct"),
    "the same origin inside another site": ("evil", "own"),
    "another site inside the same origin": ("kvittra", "evil"),
    "a srcdoc frame of the same origin": ("kvittra", "srcdoc"),
    "a sandboxed frame of the same origin": ("kvittra", "sandbox"),
}
"""Who frames: the page in the tab, and how it does so (``Sites._parent``)."""

Results = dict[str, dict[str, str]]
"""Scenario to what was observed: names to values."""


@dataclass
class Model:
    """One internet, and a new browser for each scenario."""

    addresses: Addresses = field(default_factory=Addresses)

    def __post_init__(self) -> None:
        self.sites = Sites(self.addresses)
        self.internet = Internet()
        for name in Addresses.__dataclass_fields__:
            self.internet.add(self.addresses[name], self.sites)

    def contexts(self) -> Results:
        return self._contexts("")

    def old_contexts(self) -> Results:
        """The contexts with cookies that are older than two minutes."""
        return self._contexts("old")

    def private_contexts(self) -> Results:
        """The contexts in a browser that blocks third-party cookies."""
        return self._contexts("private")

    def _contexts(self, which: str) -> Results:
        results: Results = {}
        for number, row in enumerate(sites.contexts()):
            if not sites.measured_again(row, which):
                continue
            clock = Clock()
            browser = Browser(self.internet, clock=clock, third_party_cookies=which != "private")
            target = self.addresses[row.get("to", "kvittra")]
            browser.open(f"{target}/empty?set=matrix")
            clock.advance(121 if which == "old" else 1)
            browser.open(first_address(self.addresses, row, number))
            results[row["name"]] = self.sites.seen.pop(f"c{number}", {"method": "none"})
        return results

    def cookies(self) -> Results:
        results: Results = {}
        for number, row in enumerate(sites.scenarios("cookies", "scenario")):
            browser = Browser(self.internet)
            for step, (address, path, _) in enumerate(row.get("set", [])):
                browser.open(f"{self.addresses[address]}{path}?set={number}.{step}")
            for address, path, lines in row.get("script", []):
                page = browser.open(f"{self.addresses[address]}{path}?read=script").page
                for line in lines:
                    page.window.script.cookie = sites.cookie_line(line)
            address, path = row.get("ask", ["kvittra", "/"])
            page = browser.open(f"{self.addresses[address]}{path}?read=ask").page
            results[row["name"]] = {"cookie": self.sites.seen["ask"]["cookie"]}
            if row.get("reads"):
                results[row["name"]]["document.cookie"] = page.window.script.cookie
        return results

    def framing(self) -> Results:
        answers = sites.scenarios("framing", "answer")
        results: Results = {answer["name"]: {} for answer in answers}
        for parent, (address, how) in PARENTS.items():
            browser = Browser(self.internet)
            browser.open(f"{self.addresses[address]}/parent?how={how}")
            shown = {canary.id for canary in browser.canaries}
            for number, answer in enumerate(answers):
                results[answer["name"]][parent] = "framed" if str(number) in shown else "not framed"
        return results

    def cors(self) -> Results:
        results: Results = {}
        for sender in dict.fromkeys(case["from"] for case in sites.scenarios("cors", "case")):
            self.sites.seen.clear()
            browser = Browser(self.internet)
            browser.open(f"{self.addresses[sender]}/ask?from={sender}")
            results |= cors_results(sender, [canary.id for canary in browser.canaries], self.sites)
        return results

    def scripting(self) -> Results:
        results: Results = {}
        for number, payload in enumerate(sites.payloads()):
            cells = results[f"{payload.group}: {payload.name}"] = {}
            for policy, policy_name in enumerate(sites.POLICIES):
                for context, context_name in enumerate(sites.CONTEXTS):
                    path = f"/cell/{policy}/{context}/{number}"
                    cells[f"{context_name}, {policy_name}"] = self._cell(path)
        return results

    def _cell(self, path: str) -> str:
        browser = Browser(self.internet)
        page = browser.open(self.addresses.kvittra + path).page
        origin = self.addresses.kvittra
        if any(canary.origin == origin for canary in browser.canaries):
            return "runs"
        click_everything(page)
        if any(canary.origin == origin for canary in browser.canaries):
            return "runs on a click"
        return "runs elsewhere" if browser.canaries else "does not run"


def click_everything(page: Page) -> None:
    """Click what can be clicked, without following links."""
    names = ("a", "area", "button", "input", "summary")
    for element in list(page.root.walk()):
        if element.name in names or "onclick" in element.attributes:
            page._click(element, user=True)
            page.context.pending = None
    page.window.run_timers()


def first_address(addresses: Addresses, row: dict[str, str], number: int) -> str:
    """The address that the user opens for a context."""
    target = f"{addresses[row.get('to', 'kvittra')]}/echo?id=c{number}"
    quoted = quote(target, safe="")
    if row["how"] == "typed":
        return target
    if row["how"] == "typed redirect":
        return f"{addresses[row['from']]}/redirect?code=302&to={quoted}"
    return f"{addresses[row['from']]}/act?how={quote(row['how'])}&to={quoted}"


def cors_results(sender: str, fired: list[str], seen: Sites) -> Results:
    """What the canaries and the server say about each case of one sender."""
    outcomes = dict(name.split(" ", 1) for name in fired)
    return {
        case["name"]: {
            "page": outcomes.get(str(n), "nothing"),
            "server": seen.seen.get(f"cors {n}", {}).get("method", "nothing"),
        }
        for n, case in enumerate(sites.scenarios("cors", "case"))
        if case["from"] == sender
    }
