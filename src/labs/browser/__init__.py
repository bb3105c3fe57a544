"""The model browser and the in-process internet: what a browser decides, and why.

An :class:`Internet` maps origins to WSGI applications. A :class:`Browser` opens them in tabs,
keeps cookies, frames and submits, runs a little JavaScript, and writes every decision with its
reason to :attr:`Browser.log`. No socket, thread or process is used. The same scenarios run in a
real Chromium in the tests, and both agree.

>>> internet = Internet()
>>> internet.add("https://kvittra.example", static_site(
...     {"/": "<h1>Kvittra</h1>"}, headers={"Set-Cookie": "session=7; Secure; SameSite=Lax"}))
>>> internet.add("https://evil.example", static_site(
...     {"/": "<form method=post action=https://kvittra.example/></form>"
...           "<script>document.forms[0].submit()</script>"}))
>>> browser = Browser(internet)
>>> _ = browser.open("https://kvittra.example/")
>>> mark = browser.log.mark
>>> _ = browser.open("https://evil.example/")
>>> print(next(iter(browser.log.since(mark).only("cookie"))))
cookie `session` not sent: SameSite=Lax, cross-site POST, to https://kvittra.example
"""

from labs.browser.cookies import (
    Cookie,
    CookieContext,
    CookieDecision,
    CookieJar,
    StoreDecision,
    cookie_sent,
)
from labs.browser.csp import CspDecision, Policy, parse_policies, script_hash
from labs.browser.fetching import Fetched
from labs.browser.framing import FramingDecision, may_frame
from labs.browser.log import Entry, Log
from labs.browser.markup import Element, parse_document, parse_fragment
from labs.browser.network import Exchange, Headers, Internet, Request, Response, static_site
from labs.browser.origins import (
    BadUrl,
    Origin,
    Url,
    parse_url,
    registrable_domain,
    same_site,
)
from labs.browser.pages import Canary, Executed, Page
from labs.browser.scripting import Script
from labs.browser.tabs import Browser, Clock, Tab

__all__ = [
    "BadUrl",
    "Browser",
    "Canary",
    "Clock",
    "Cookie",
    "CookieContext",
    "CookieDecision",
    "CookieJar",
    "CspDecision",
    "Element",
    "Entry",
    "Exchange",
    "Executed",
    "Fetched",
    "FramingDecision",
    "Headers",
    "Internet",
    "Log",
    "Origin",
    "Page",
    "Policy",
    "Request",
    "Response",
    "Script",
    "StoreDecision",
    "Tab",
    "Url",
    "cookie_sent",
    "may_frame",
    "parse_document",
    "parse_fragment",
    "parse_policies",
    "parse_url",
    "registrable_domain",
    "same_site",
    "script_hash",
    "static_site",
]
