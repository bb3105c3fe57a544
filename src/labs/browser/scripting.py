"""What a running script can reach: the window, the document, the network, in the page's name.

Two doors lead to the same room. JavaScript that :mod:`labs.browser.javascript` reads sees a small
``window``; a Python function that a lab has bound to a name or to a whole script
(:meth:`labs.browser.Internet.bind`, :meth:`labs.browser.Internet.bind_script`) gets a
:class:`Script`. Both may do what the page may do, and no more: read its tree and the cookies that
are not ``HttpOnly``, send requests under CORS and the page's policies, go elsewhere.

The window knows ``canary``, ``document`` (cookie, forms, getElementById, querySelector,
querySelectorAll, createElement, write, body, title, URL, domain, referrer), elements (value,
innerHTML, textContent, getAttribute, setAttribute, appendChild, submit, click, remove and the
attributes that hold URLs), ``location``, ``fetch`` with ``then`` and ``catch``,
``XMLHttpRequest``, ``Image``, ``navigator.sendBeacon``, ``localStorage``, ``setTimeout``,
``eval``, ``encodeURIComponent``, ``decodeURIComponent``, ``URLSearchParams``,
``String.fromCharCode``, ``atob``, ``btoa``, ``JSON.stringify``, and ``alert`` and its kin, which
are written to the log. Everything else that a real browser knows is *not modelled*.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from labs.browser.cookies import CookieContext
from labs.browser.csp import eval_allowed
from labs.browser.fetching import Ask, Fetched, allowed_fields
from labs.browser.javascript import (
    UNDEFINED,
    Function,
    Native,
    NotModelled,
    Plain,
    Thing,
    Thrown,
    fit,
    to_int,
    to_text,
    truthy,
)
from labs.browser.markup import Element
from labs.browser.network import Response
from labs.browser.origins import same_site

if TYPE_CHECKING:
    from labs.browser.pages import Page

MAX_TIMERS = 100
"""Most timers of one page; a repeating timer fires once."""

_UNMODELLED = frozenset(
    (  # noqa: SIM905 - a list of words reads better as words
        "Array Boolean Date Error Event EventSource FormData History Map Math "
        "MutationObserver Number Object Promise Proxy Reflect RegExp Request Response Set "
        "Symbol TypeError URL WebSocket Worker addEventListener caches chrome close crypto "
        "cookieStore customElements dispatchEvent focus getComputedStyle history indexedDB "
        "innerHeight innerWidth matchMedia navigation open opener performance postMessage "
        "queueMicrotask requestAnimationFrame requestIdleCallback screen scroll scrollTo "
        "sessionStorage stop structuredClone trustedTypes DOMParser Blob File Option Audio"
    ).split()
)
_URL_ATTRIBUTES = frozenset({"href", "src", "action", "data"})
_KEPT = "-_.!~*'()"


class Script:
    """The authority of a running script, for a Python function that acts as the payload.

    Attributes:
        page: The page it runs in.
        code: The script's text.
        element: The element it came from, or ``None``.
    """

    def __init__(self, page: Page, code: str, element: Element | None) -> None:
        self.page = page
        self.code = code
        self.element = element

    @property
    def origin(self) -> str:
        """Whose authority it has."""
        return str(self.page.origin)

    @property
    def url(self) -> str:
        """The address of the page, fragment included."""
        return str(self.page.url)

    @property
    def markup(self) -> str:
        """The element it came from, written out: what a self-spreading script would copy."""
        return self.element.outer_html if self.element else ""

    @property
    def cookie(self) -> str:
        """``document.cookie``: the page's cookies without the ``HttpOnly`` ones."""
        if self.page.origin.opaque:
            return ""
        text, decisions = self.page.browser.jar.header(self._cookie_context(), from_script=True)
        for cookie, decision in decisions:
            self.page.browser.log.add(
                self.page.where,
                "cookie",
                cookie.name or cookie.value,
                "readable" if decision.sent else "not readable",
                f"a script asks; {decision.reason}",
            )
        return text

    @cookie.setter
    def cookie(self, line: str) -> None:
        if self.page.origin.opaque:
            return
        stored = self.page.browser.jar.receive(line, self._cookie_context(), from_script=True)
        self.page.browser.log.add(
            self.page.where,
            "cookie",
            stored.name or line.partition(";")[0],
            "kept" if stored.stored else "not kept",
            f"set by a script; {stored.reason}",
        )

    def _cookie_context(self) -> CookieContext:
        client = self.page.client
        url = self.page.base_url if not self.page.url.is_http else self.page.url
        tab = client.site_for_cookies
        inside = tab is not None and same_site(tab, self.page.origin)
        return CookieContext(url, same_site=inside, top_level=False, third_party=not inside)

    def canary(self, name: object) -> None:
        """Fire the canary: the proof that this code ran."""
        self.page.browser.fire_canary(self.page, str(name))

    def find(self, selector: str) -> Element | None:
        """The first element of the page that a selector names."""
        return self.page.find(selector)

    def find_all(self, selector: str) -> list[Element]:
        """Every element of the page that a selector names."""
        return self.page.find_all(selector)

    @property
    def storage(self) -> dict[str, str]:
        """``localStorage`` of the page's origin."""
        return self.page.browser.storage_of(self.page.origin)

    def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        fields: Mapping[str, str] | None = None,
        body: str | bytes = "",
        headers: Mapping[str, str] | None = None,
        mode: str = "cors",
        credentials: str = "same-origin",
    ) -> Fetched:
        """``fetch(url, …)``: a request in the page's name; read ``text`` only if ``readable``.

        Args:
            url: Where to.
            method: The HTTP method.
            fields: Form fields, sent urlencoded; instead of ``body``.
            body: The body.
            headers: Further header fields; those that only the browser may set are left out.
            mode: ``cors``, ``no-cors`` or ``same-origin``.
            credentials: ``omit``, ``same-origin`` or ``include``.

        Raises:
            ValueError: If ``mode`` or ``credentials`` is another word.
        """
        if mode not in ("cors", "no-cors", "same-origin"):
            raise ValueError(f"mode must be cors, no-cors or same-origin, not {mode!r}")
        if credentials not in ("omit", "same-origin", "include"):
            raise ValueError(
                f"credentials must be omit, same-origin or include, not {credentials!r}"
            )
        target = self.page.resolve(url)
        if target is None or not target.is_http:
            reason = f"{url!r} is not something to fetch"
            return Fetched("error", Response(0, error=reason), self.page.base_url, reason)
        given = dict(headers or {})
        if fields is not None:
            body = "&".join(
                f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields.items()
            )
            given.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif body and not any(name.lower() == "content-type" for name in given):
            given["Content-Type"] = "text/plain;charset=UTF-8"
        if mode == "no-cors" and method.upper() not in ("GET", "HEAD", "POST"):
            reason = f"mode no-cors does not take {method}"
            return Fetched("error", Response(0, error=reason), target, reason)
        if mode == "same-origin" and target.origin != self.page.origin:
            reason = "mode same-origin, and the target is another origin"
            return Fetched("error", Response(0, error=reason), target, reason)
        return self.page.browser.fetcher.fetch(
            Ask(
                url=target,
                method=method,
                body=body.encode("utf-8", "replace") if isinstance(body, str) else body,
                fields=allowed_fields(given),
                mode=mode,
                credentials=credentials,
                client=self.page.client,
                directive="connect-src",
            )
        )

    def image(self, url: str) -> bool:
        """``new Image().src = url``: ask for an image; whether one came."""
        return self.page.load_image(url)

    def navigate(self, url: str) -> None:
        """``location = url``: go there when the script is done."""
        target = self.page.resolve(url)
        if target is not None:
            self.page.ask_navigation(target)

    def submit(self, selector: str = "form", fields: Mapping[str, str] | None = None) -> None:
        """``form.submit()``, with some fields filled in.

        Raises:
            LookupError: If there is no such form or field.
        """
        form = self.page._target(selector, ("form",))
        for name, value in (fields or {}).items():
            self.page._fill(form, name, value)
        self.page._submit(form, None, user=False)

    def set_inner_html(self, selector: str, markup: str) -> None:
        """``element.innerHTML = markup``: the sink of many DOM-based attacks.

        Raises:
            LookupError: If nothing fits.
        """
        self.page.set_inner_html(self.page._target(selector, ()), markup)

    def write(self, markup: str) -> None:
        """``document.write(markup)``."""
        self.page.write(markup)

    def load_script(self, url: str) -> None:
        """Add ``<script src=url>`` to the page, as a script does (``'strict-dynamic'``)."""
        self.page.append(self.page.body, Element("script", attributes={"src": url}))

    def frame(self, which: str | int = 0) -> Page:
        """The page in a frame, if it is of the same origin.

        Raises:
            LookupError: If there is no such frame.
            PermissionError: If it is of another origin.
        """
        page = self.page.frame(which)
        if page.origin != self.page.origin:
            raise PermissionError(f"a page of {self.origin} may not read one of {page.origin}")
        return page


class Window(Thing):
    """The global object of a page."""

    shown = "[object Window]"

    def __init__(self, page: Page) -> None:
        self.page = page
        self.variables: dict[str, Any] = {}
        self._things: dict[int, ElementThing] = {}
        self._timers: list[tuple[Any, list[Any]]] = []
        self._scripts: list[Script] = []
        self._document = _Document(self)

    @contextmanager
    def running(self, script: Script) -> Iterator[None]:
        """While a script runs, it is the current one."""
        self._scripts.append(script)
        try:
            yield
        finally:
            self._scripts.pop()

    @property
    def script(self) -> Script:
        """The running script, or the page's own authority."""
        return self._scripts[-1] if self._scripts else Script(self.page, "", None)

    def get(self, name: str) -> Any:
        """A global; ``KeyError`` when there is none."""
        if name in self.variables:
            return self.variables[name]
        bound = self.page.browser.internet.bound_name(name)
        if bound is not None:
            return Native(name, _acting(bound, self), bound=True)
        maker = _GLOBALS.get(name)
        if maker is not None:
            return maker(self)
        if name in _UNMODELLED:
            raise NotModelled(name)
        if name.startswith("on"):
            return None
        found = self._named(name)
        if found is None:
            raise KeyError(name)
        return found

    def _named(self, name: str) -> ElementThing | None:
        for element in self.page.root.walk():
            if element.attributes.get("id") == name:
                return element_thing(self, element)
        return None

    def put(self, name: str, value: Any) -> None:
        """Set a global; ``location = …`` goes there."""
        if name == "location":
            self.script.navigate(to_text(value))
        else:
            self.variables[name] = value

    def listeners(self, element: Element, event: str) -> list[Any]:
        """The functions that scripts have set as handlers of an element."""
        thing = self._things.get(id(element))
        function = thing.handlers.get(event) if thing else None
        return [] if function is None else [function]

    def report(self, thrown: Thrown) -> None:
        """An uncaught error: ``window.onerror``, if a script has set it."""
        handler = self.variables.get("onerror")
        if isinstance(handler, Native | Function):
            self.page.call(handler, [f"Uncaught {thrown}"], "window.onerror")

    def set_timer(self, what: Any = UNDEFINED, *rest: Any) -> float:
        """``setTimeout``; it fires when the page has come to rest."""
        if isinstance(what, str):
            decision = eval_allowed(self.page.policies)
            if not decision.allowed:
                self.page.browser.log.add(
                    self.page.where, "script", what, "not run", decision.reason
                )
                return 0.0
        if len(self._timers) < MAX_TIMERS:
            self._timers.append((what, list(rest[1:])))
        return float(len(self._timers))

    def run_timers(self) -> None:
        """Let the timers fire, each once."""
        for _ in range(MAX_TIMERS):
            if not self._timers:
                return
            what, arguments = self._timers.pop(0)
            if isinstance(what, Native | Function):
                self.page.call(what, arguments, "a timer")
            else:
                self.page.execute(to_text(what), "timer")

    def evaluate(self, code: Any = UNDEFINED) -> Any:
        """``eval``."""
        if not isinstance(code, str):
            return code
        decision = eval_allowed(self.page.policies)
        if not decision.allowed:
            self.page.browser.log.add(self.page.where, "script", code, "not run", decision.reason)
            raise Thrown(f"EvalError: {decision.reason}")
        return self.page.execute(code, "eval")

    def function(self, *parts: Any) -> Any:
        """``Function``: a function from text, under the same policy as ``eval``."""
        *names, body = [to_text(part) for part in parts] or [""]
        return self.evaluate(f"(function({','.join(names)}){{{body}\n}})")

    def framed(self, page: Page) -> Thing:
        """Another page's window, as far as this page may touch it."""
        return page.window if page.origin == self.page.origin else _Foreign(page)


def act(function: Callable[..., Any], script: Script, *arguments: Any) -> Any:
    """Let a lab's function act; what it asks for in vain ends it as an error ends a script."""
    try:
        return function(script, *arguments)
    except (LookupError, PermissionError, ValueError) as error:
        raise Thrown(f"{type(error).__name__}: {error}") from error


def _acting(function: Callable[..., Any], window: Window) -> Callable[..., Any]:
    """A lab's function as JavaScript sees it: it gets the running script's authority first."""

    def acting(*arguments: Any) -> Any:
        given = [_to_python(argument) for argument in arguments]
        given = [_to_python(a) for a in fit(function, given, given=1)]
        return _from_python(act(function, window.script, *given))

    return acting


class _Foreign(Thing):
    """The window of a page of another origin (HTML Standard, section 7.2.1.3)."""

    shown = "[object Window]"

    def __init__(self, page: Page) -> None:
        self._page = page

    def get(self, name: str) -> Any:
        if name in ("location", "postMessage", "frames", "length", "closed"):
            raise NotModelled(f"{name} of another window")
        raise Thrown("SecurityError: the frame is of another origin")

    def put(self, name: str, value: Any) -> None:  # noqa: ARG002 - as the base has it
        raise Thrown("SecurityError: the frame is of another origin")


class _Document(Thing):
    shown = "[object HTMLDocument]"

    def __init__(self, window: Window) -> None:
        self._window = window

    def get(self, name: str) -> Any:
        window, page = self._window, self._window.page
        if name == "cookie":
            return window.script.cookie
        if name == "location":
            return _Location(window)
        if name in ("URL", "documentURI", "baseURI"):
            return str(page.base_url if name == "baseURI" else page.url)
        if name == "domain":
            return page.origin.host
        if name == "referrer":
            return ""
        if name == "title":
            return page.title
        if name in ("body", "documentElement", "head", "currentScript"):
            element = {
                "body": page.body,
                "documentElement": page.root,
                "head": page.root.find("head"),
                "currentScript": window.script.element,
            }[name]
            return element_thing(window, element) if element else None
        if name == "defaultView":
            return window
        if name in ("forms", "images", "scripts", "links"):
            selector = {"forms": "form", "images": "img", "scripts": "script", "links": "a[href]"}
            return _Collection(window, page.find_all(selector[name]))
        if name in ("getElementById", "querySelector", "querySelectorAll", "getElementsByTagName",
                    "getElementsByName", "createElement", "write", "writeln"):  # fmt: skip
            return Native(name, getattr(self, f"_{name}"))
        raise NotModelled(f"document.{name}")

    def put(self, name: str, value: Any) -> None:
        if name == "cookie":
            self._window.script.cookie = to_text(value)
        elif name == "location":
            self._window.script.navigate(to_text(value))
        elif name == "title":
            element = self._window.page.root.find("title")
            if element:
                element.children = [to_text(value)]
        else:
            raise NotModelled(f"setting document.{name}")

    def _select(self, selector: str) -> list[Element]:
        try:
            return self._window.page.find_all(selector)
        except ValueError as error:
            raise NotModelled(str(error)) from None

    def _getElementById(self, name: Any = UNDEFINED) -> Any:  # noqa: N802
        for element in self._window.page.root.walk():
            if element.attributes.get("id") == to_text(name):
                return element_thing(self._window, element)
        return None

    def _querySelector(self, selector: Any = UNDEFINED) -> Any:  # noqa: N802
        found = self._select(to_text(selector))
        return element_thing(self._window, found[0]) if found else None

    def _querySelectorAll(self, selector: Any = UNDEFINED) -> list[Any]:  # noqa: N802
        return [element_thing(self._window, element) for element in self._select(to_text(selector))]

    def _getElementsByTagName(self, name: Any = UNDEFINED) -> list[Any]:  # noqa: N802
        return self._querySelectorAll(name)

    def _getElementsByName(self, name: Any = UNDEFINED) -> list[Any]:  # noqa: N802
        wanted = to_text(name)
        return [
            element_thing(self._window, element)
            for element in self._window.page.root.walk()
            if element.attributes.get("name") == wanted
        ]

    def _createElement(self, name: Any = UNDEFINED) -> Any:  # noqa: N802
        return element_thing(self._window, Element(to_text(name).lower()))

    def _write(self, *parts: Any) -> Any:
        self._window.page.write("".join(map(to_text, parts)))
        return UNDEFINED

    _writeln = _write


class _Collection(Thing):
    def __init__(self, window: Window, elements: list[Element]) -> None:
        self._window = window
        self._elements = elements

    def get(self, name: str) -> Any:
        if name == "length":
            return float(len(self._elements))
        if name.isdigit():
            place = int(name)
            if place >= len(self._elements):
                return UNDEFINED
            return element_thing(self._window, self._elements[place])
        for element in self._elements:
            if name in (element.get("id"), element.get("name")):
                return element_thing(self._window, element)
        return UNDEFINED


class ElementThing(Thing):
    """An element as a script sees it."""

    def __init__(self, window: Window, element: Element) -> None:
        self.element = element
        self.handlers: dict[str, Any] = {}
        self._window = window

    @property
    def shown(self) -> str:
        """How it reads as text; a link reads as its address."""
        if self.element.is_html("a", "area") and "href" in self.element.attributes:
            return str(self._address("href"))
        return f"[object HTML{self.element.name.capitalize()}Element]"

    def _address(self, name: str) -> str:
        url = self._window.page.resolve(self.element.get(name))
        return str(url) if url else self.element.get(name)

    def get(self, name: str) -> Any:
        """A member of the element."""
        element, window = self.element, self._window
        if name in ("innerHTML", "outerHTML"):
            return element.inner_html if name == "innerHTML" else element.outer_html
        if name in ("textContent", "innerText", "text"):
            return element.own_text if element.name in ("script", "style") else element.text
        if name in ("tagName", "nodeName"):
            return element.name.upper()
        if name == "value":
            return element.own_text if element.is_html("textarea") else element.get("value")
        if name in _URL_ATTRIBUTES:
            return self._address(name) if name in element.attributes else ""
        if name in ("id", "name", "type", "title", "alt", "method", "target", "nonce", "rel"):
            return element.get(name)
        if name == "className":
            return element.get("class")
        if name in ("parentNode", "parentElement"):
            return element_thing(window, element.parent) if element.parent else None
        if name in ("style", "dataset"):
            return Plain()
        if name == "ownerDocument":
            return window.get("document")
        if name.startswith("on"):
            return self.handlers.get(name)
        if name == "elements":
            return _Collection(window, [e for e in element.walk() if e.get("name")])
        if name == "contentWindow":
            frame = next((f for f in window.page.frames if f.element is element), None)
            return window.framed(frame.page) if frame else None
        methods: dict[str, Callable[..., Any]] = {
            "submit": self._submit,
            "requestSubmit": self._submit,
            "click": self._click,
            "focus": lambda: UNDEFINED,
            "remove": self._remove,
            "appendChild": self._append,
            "append": self._append,
            "getAttribute": lambda key: element.attributes.get(to_text(key).lower()),
            "setAttribute": self._set_attribute,
        }
        if name in methods:
            return Native(name, methods[name])
        field = next(
            (e for e in element.walk() if e is not element and e.get("name") == name), None
        )
        if element.is_html("form") and field is not None:
            return element_thing(window, field)
        raise NotModelled(f"the member {name} of <{element.name}>")

    def put(self, name: str, value: Any) -> None:
        """Set a member of the element."""
        element, page = self.element, self._window.page
        if name == "innerHTML":
            page.set_inner_html(element, to_text(value))
        elif name in ("textContent", "innerText", "text"):
            element.children = [to_text(value)]
        elif name.startswith("on"):
            self.handlers[name] = value
        elif name == "className":
            element.attributes["class"] = to_text(value)
        elif name == "value" and element.is_html("textarea"):
            element.children = [to_text(value)]
        else:
            self._set_attribute(name, value)

    def _set_attribute(self, name: Any, value: Any) -> Any:
        key = to_text(name).lower()
        self.element.attributes[key] = to_text(value)
        page = self._window.page
        if key == "src" and self.element.is_html("img"):
            good = page.load_image(to_text(value))
            page._fire(self.element, "onload" if good else "onerror")
        return UNDEFINED

    def _submit(self, *_button: Any) -> Any:
        self._window.page._submit(self.element, None, user=False)
        return UNDEFINED

    def _click(self) -> Any:
        self._window.page._click(self.element, user=False)
        return UNDEFINED

    def _remove(self) -> Any:
        parent = self.element.parent
        if parent is not None:
            parent.children = [child for child in parent.children if child is not self.element]
            self.element.parent = None
        return UNDEFINED

    def _append(self, child: Any = UNDEFINED) -> Any:
        if isinstance(child, ElementThing):
            self._window.page.append(self.element, child.element)
        else:
            self.element.append(to_text(child))
        return child


def element_thing(window: Window, element: Element) -> ElementThing:
    """The one object that stands for an element."""
    things = window._things
    if id(element) not in things:
        things[id(element)] = ElementThing(window, element)
    return things[id(element)]


class _Location(Thing):
    def __init__(self, window: Window) -> None:
        self._window = window

    @property
    def shown(self) -> str:
        return str(self._window.page.url)

    def get(self, name: str) -> Any:
        url = self._window.page.url
        values = {
            "href": str(url),
            "hash": f"#{url.fragment}" if url.fragment else "",
            "search": f"?{url.query}" if url.query else "",
            "pathname": url.path,
            "protocol": f"{url.scheme}:",
            "hostname": url.host,
            "host": str(url.origin).partition("//")[2],
            "origin": str(self._window.page.origin),
        }
        if name in values:
            return values[name]
        if name in ("assign", "replace"):
            return Native(name, lambda target: self._go(target))
        if name == "toString":
            return Native(name, lambda: self.shown)
        raise NotModelled(f"location.{name}")

    def _go(self, target: Any) -> Any:
        self._window.script.navigate(to_text(target))
        return UNDEFINED

    def put(self, name: str, value: Any) -> None:
        if name == "href":
            self._go(value)
        elif name == "hash":
            self._go("#" + to_text(value).removeprefix("#"))
        else:
            raise NotModelled(f"setting location.{name}")


class _Settled(Thing):
    """A promise that is already kept or broken."""

    shown = "[object Promise]"

    def __init__(self, window: Window, value: Any, *, kept: bool = True) -> None:
        self._window, self._value, self._kept = window, value, kept

    def get(self, name: str) -> Any:
        if name not in ("then", "catch", "finally"):
            raise NotModelled(f"the member {name} of a promise")
        return Native(name, getattr(self, f"_{name}"))

    def _step(self, function: Any, arguments: list[Any]) -> _Settled:
        if not isinstance(function, Native | Function):
            return self
        try:
            result = self._window.page._interpreter.call(function, arguments)
        except Thrown as thrown:
            return _Settled(self._window, thrown.value, kept=False)
        return result if isinstance(result, _Settled) else _Settled(self._window, result)

    def _then(self, kept: Any = UNDEFINED, broken: Any = UNDEFINED) -> _Settled:
        return self._step(kept if self._kept else broken, [self._value])

    def _catch(self, broken: Any = UNDEFINED) -> _Settled:
        return self if self._kept else self._step(broken, [self._value])

    def _finally(self, function: Any = UNDEFINED) -> _Settled:
        self._step(function, [])
        return self


def _fetch(window: Window) -> Native:
    def fetch(url: Any = UNDEFINED, options: Any = UNDEFINED) -> Any:
        chosen = options.members if isinstance(options, Plain) else {}
        body = chosen.get("body", "")
        headers = chosen.get("headers")
        try:
            fetched = window.script.fetch(
                to_text(url),
                method=to_text(chosen.get("method", "GET")),
                body="" if body is None or body is UNDEFINED else to_text(body),
                headers=_search_headers(body, headers),
                mode=to_text(chosen.get("mode", "cors")),
                credentials=to_text(chosen.get("credentials", "same-origin")),
            )
        except ValueError as error:
            return _Settled(window, f"TypeError: {error}", kept=False)
        if fetched.kind == "error":
            return _Settled(window, "TypeError: Failed to fetch", kept=False)
        return _Settled(window, _answer(window, fetched))

    return Native("fetch", fetch)


def _search_headers(body: Any, headers: Any) -> dict[str, str]:
    given = {}
    if isinstance(headers, Plain):
        given = {name: to_text(value) for name, value in headers.members.items()}
    if isinstance(body, _SearchParams):
        given.setdefault("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
    return given


def _answer(window: Window, fetched: Fetched) -> Plain:
    def read_json() -> _Settled:
        try:
            return _Settled(window, _from_python(json.loads(fetched.text)))
        except ValueError:
            return _Settled(window, "SyntaxError: not JSON", kept=False)

    return Plain(
        {
            "status": float(fetched.status),
            "ok": 200 <= fetched.status < 300,
            "type": fetched.kind,
            "url": str(fetched.url) if fetched.readable else "",
            "text": Native("text", lambda: _Settled(window, fetched.text)),
            "json": Native("json", read_json),
        }
    )


class _Request(Thing):
    """``XMLHttpRequest``, which here is always done when ``send`` returns."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._members: dict[str, Any] = {"status": 0.0, "responseText": "", "readyState": 0.0}
        self._asked: tuple[str, str] = ("GET", "")
        self._headers: dict[str, str] = {}

    def get(self, name: str) -> Any:
        if name in ("open", "send", "setRequestHeader"):
            return Native(name, getattr(self, f"_{name}"))
        if name == "response":
            return self._members["responseText"]
        return self._members.get(name, UNDEFINED)

    def put(self, name: str, value: Any) -> None:
        self._members[name] = value

    def _open(self, method: Any, url: Any, *_rest: Any) -> Any:
        self._asked = (to_text(method), to_text(url))
        return UNDEFINED

    def _setRequestHeader(self, name: Any, value: Any) -> Any:  # noqa: N802
        self._headers[to_text(name)] = to_text(value)
        return UNDEFINED

    def _send(self, body: Any = UNDEFINED) -> Any:
        method, url = self._asked
        fetched = self._window.script.fetch(
            url,
            method=method,
            body="" if body is None or body is UNDEFINED else to_text(body),
            headers=_search_headers(body, Plain(dict(self._headers))),
            credentials="include"
            if truthy(self._members.get("withCredentials"))
            else "same-origin",
        )
        self._members |= {
            "status": float(fetched.status),
            "responseText": fetched.text,
            "readyState": 4.0,
        }
        failed = fetched.kind == "error"
        for name in ("onreadystatechange", "onerror" if failed else "onload"):
            handler = self._members.get(name)
            if isinstance(handler, Native | Function):
                self._window.page._interpreter.call(handler, [Plain()], self)
        return UNDEFINED


class _Storage(Thing):
    def __init__(self, window: Window) -> None:
        if window.page.origin.opaque:
            raise Thrown("SecurityError: an opaque origin has no storage")
        self._items = window.script.storage

    def get(self, name: str) -> Any:
        if name == "getItem":
            return Native(name, lambda key: self._items.get(to_text(key)))
        if name == "setItem":
            return Native(name, self._set)
        if name == "removeItem":
            return Native(name, lambda key: self._items.pop(to_text(key), None) and UNDEFINED)
        return self._items.get(name, UNDEFINED)

    def _set(self, key: Any, value: Any) -> Any:
        if len(self._items) >= 1000 or len(to_text(value)) > 100_000:
            raise Thrown("QuotaExceededError")
        self._items[to_text(key)] = to_text(value)
        return UNDEFINED

    def put(self, name: str, value: Any) -> None:
        self._set(name, value)


class _SearchParams(Thing):
    def __init__(self, given: Any = UNDEFINED) -> None:
        self._pairs: list[tuple[str, str]] = []
        if isinstance(given, Plain):
            self._pairs = [(name, to_text(value)) for name, value in given.members.items()]
        elif isinstance(given, str):
            for part in given.removeprefix("?").split("&"):
                name, _, value = part.partition("=")
                if part:
                    self._pairs.append(
                        (unquote(name.replace("+", " ")), unquote(value.replace("+", " ")))
                    )

    @property
    def shown(self) -> str:
        return "&".join(
            f"{quote(name, safe='*-._')}={quote(value, safe='*-._')}" for name, value in self._pairs
        )

    def get(self, name: str) -> Any:
        if name == "get":
            return Native(name, lambda key: dict(reversed(self._pairs)).get(to_text(key)))
        if name == "toString":
            return Native(name, lambda: self.shown)
        if name in ("append", "set"):
            return Native(
                name, lambda key, value: self._pairs.append((to_text(key), to_text(value)))
            )
        raise NotModelled(f"URLSearchParams.{name}")


def _from_python(value: Any) -> Any:
    if value is None:
        return UNDEFINED
    if isinstance(value, bool | str | float | Thing | Native | Function):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, list | tuple):
        return [_from_python(item) for item in value]
    if isinstance(value, Mapping):
        return Plain({str(key): _from_python(item) for key, item in value.items()})
    return str(value)


def _to_python(value: Any) -> Any:
    if value is UNDEFINED:
        return None
    if isinstance(value, Plain):
        return {name: _to_python(item) for name, item in value.members.items()}
    if isinstance(value, list):
        return [_to_python(item) for item in value]
    if isinstance(value, ElementThing):
        return value.element
    return value


def _dialog(name: str) -> Callable[[Window], Native]:
    def maker(window: Window) -> Native:
        def show(message: Any = "") -> Any:
            window.page.browser.log.add(
                window.page.where, "script", f"{name}({to_text(message)})", "shown", "a dialog"
            )
            return True if name == "confirm" else UNDEFINED

        return Native(name, show)

    return maker


def _decode(_window: Window) -> Native:
    def decode(text: Any = UNDEFINED) -> str:
        try:
            return unquote(to_text(text), errors="strict")
        except UnicodeDecodeError:
            raise Thrown("URIError: malformed") from None

    return Native("decodeURIComponent", decode)


def _atob(_window: Window) -> Native:
    def atob(text: Any = UNDEFINED) -> str:
        try:
            return base64.b64decode(to_text(text) + "==").decode("latin-1")
        except (binascii.Error, ValueError):
            raise Thrown("InvalidCharacterError") from None

    return Native("atob", atob)


def _canary(window: Window) -> Native:
    def canary(name: Any = UNDEFINED, *_more: Any) -> Any:
        window.script.canary(to_text(name))
        return UNDEFINED

    return Native("canary", canary, makes=True)


def _image(window: Window) -> Native:
    return Native("Image", lambda *_: element_thing(window, Element("img")), makes=True)


def _console(_window: Window) -> Plain:
    silent = Native("log", lambda *_: UNDEFINED)
    return Plain(dict.fromkeys(("log", "info", "warn", "error", "debug"), silent))


def _navigator(window: Window) -> Plain:
    def send_beacon(url: Any = UNDEFINED, body: Any = "") -> bool:
        fetched = window.script.fetch(
            to_text(url), method="POST", body=to_text(body), mode="no-cors", credentials="include"
        )
        return fetched.kind != "error"

    return Plain(
        {
            "sendBeacon": Native("sendBeacon", send_beacon),
            "userAgent": "Kvittra-Model-Browser/1",
            "cookieEnabled": True,
        }
    )


def _from_char_code(*codes: Any) -> str:
    return "".join(chr(to_int(code) & 0xFFFF) for code in codes)


def _string(_window: Window) -> Native:
    return _Static("String", lambda value="": to_text(value), {
        "fromCharCode": Native("fromCharCode", _from_char_code),
    })  # fmt: skip


class _Static(Native, Thing):
    """A function with members of its own."""

    def __init__(self, name: str, function: Callable[..., Any], members: dict[str, Any]) -> None:
        super().__init__(name, function)
        self._members = members

    def get(self, name: str) -> Any:
        if name in self._members:
            return self._members[name]
        raise NotModelled(f"{self.name}.{name}")


def _json(_window: Window) -> Plain:
    def parse(text: Any = UNDEFINED) -> Any:
        try:
            return _from_python(json.loads(to_text(text)))
        except (ValueError, RecursionError):
            raise Thrown("SyntaxError: not JSON") from None

    return Plain(
        {
            "stringify": Native("stringify", lambda value=None: json.dumps(_to_python(value))),
            "parse": Native("parse", parse),
        }
    )


def _parent(window: Window) -> Thing:
    parent = window.page.parent
    return window if parent is None else window.framed(parent)


def _own_origin(window: Window) -> str:
    return str(window.page.origin)


def _own_name(window: Window) -> str:
    return window.page.context.name


_GLOBALS: dict[str, Callable[[Window], Any]] = {
    "canary": _canary,
    **dict.fromkeys(("window", "self", "globalThis", "frames"), lambda window: window),
    "parent": _parent,
    "top": lambda window: window.framed(window.page.top),
    "document": lambda window: window._document,
    "location": _Location,
    "origin": _own_origin,
    "name": _own_name,
    "console": _console,
    "navigator": _navigator,
    "localStorage": _Storage,
    "fetch": _fetch,
    "XMLHttpRequest": lambda window: Native(
        "XMLHttpRequest", lambda *_: _Request(window), makes=True
    ),
    "Image": _image,
    "URLSearchParams": lambda _window: Native("URLSearchParams", _SearchParams, makes=True),
    "setTimeout": lambda window: Native("setTimeout", window.set_timer),
    "setInterval": lambda window: Native("setInterval", window.set_timer),
    **dict.fromkeys(
        ("clearTimeout", "clearInterval"), lambda _window: Native("clear", lambda *_: UNDEFINED)
    ),
    "eval": lambda window: Native("eval", window.evaluate),
    "Function": lambda window: Native("Function", window.function, makes=True),
    "encodeURIComponent": lambda _window: Native(
        "encodeURIComponent", lambda text=UNDEFINED: quote(to_text(text), safe=_KEPT)
    ),
    "encodeURI": lambda _window: Native(
        "encodeURI", lambda text=UNDEFINED: quote(to_text(text), safe=_KEPT + ";,/?:@&=+$#")
    ),
    "decodeURIComponent": _decode,
    "decodeURI": _decode,
    "unescape": _decode,
    "escape": lambda _window: Native(
        "escape", lambda text=UNDEFINED: quote(to_text(text), safe="@*_+-./")
    ),
    "atob": _atob,
    "btoa": lambda _window: Native(
        "btoa",
        lambda text=UNDEFINED: base64.b64encode(
            to_text(text).encode("latin-1", "replace")
        ).decode(),
    ),
    "String": _string,
    "JSON": _json,
    "NaN": lambda _window: float("nan"),
    "Infinity": lambda _window: float("inf"),
    **{name: _dialog(name) for name in ("alert", "confirm", "prompt", "print")},
}
"""The globals of a page, each made when it is asked for."""
