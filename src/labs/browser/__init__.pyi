from .cookies import (
    Cookie,
    CookieContext,
    CookieDecision,
    CookieJar,
    StoreDecision,
    cookie_sent,
)
from .csp import CspDecision, Policy, parse_policies, script_hash
from .fetching import Fetched
from .framing import FramingDecision, may_frame
from .log import Entry, Log
from .markup import Element, parse_document, parse_fragment
from .network import Exchange, Headers, Internet, Request, Response, static_site
from .origins import (
    BadUrl,
    Origin,
    Url,
    parse_url,
    registrable_domain,
    same_site,
)
from .pages import Canary, Executed, Page
from .scripting import Script
from .tabs import Browser, Clock, Tab

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
