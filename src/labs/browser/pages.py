"""Pages, the frames in them, and how one comes to life: what loads, what runs, what it may do.

Loading follows the HTML Standard: navigation (section 7.4), the preparation of scripts (4.12.1),
event handlers (8.1.8), ``javascript:`` URLs (7.4.2.3.2), frames and sandboxing (4.8.5, 7.1.5).
The model has no clock of its own inside a page: it reads the markup in order, loads the parts,
fires the events that need nobody's hand (a failed image, a finished load, an opened element,
the first autofocus), then follows the last navigation that was asked for.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from labs.browser.csp import (
    CspDecision,
    Policy,
    inline_allowed,
    load_allowed,
    parse_policies,
    sandbox_flags,
)
from labs.browser.fetching import Ask, Client, Fetched, referrer_policy
from labs.browser.forms import Field, encode_form, urlencoded
from labs.browser.framing import FramingDecision, framing_decision
from labs.browser.javascript import Interpreter, NotModelled, SyntaxFault, Thrown
from labs.browser.markup import (
    HTML,
    SVG,
    Element,
    empty_document,
    parse_document,
    parse_fragment,
)
from labs.browser.network import Headers, Response
from labs.browser.origins import BadUrl, Origin, Url, opaque_origin, parse_url, same_site
from labs.browser.scripting import Script, Window, act, element_thing

if TYPE_CHECKING:
    from labs.browser.tabs import Browser

MAX_FRAME_DEPTH = 6
"""Deepest frame within a frame."""

MAX_FRAMES = 200
"""Most frames of one page."""

MAX_HOPS = 20
"""Most navigations that a page may start by itself, one after another."""

SCRIPT_TYPES = frozenset(
    {
        "",
        "application/ecmascript",
        "application/javascript",
        "application/x-ecmascript",
        "application/x-javascript",
        "text/ecmascript",
        "text/javascript",
        "text/javascript1.0",
        "text/javascript1.1",
        "text/javascript1.2",
        "text/javascript1.3",
        "text/javascript1.4",
        "text/javascript1.5",
        "text/jscript",
        "text/livescript",
        "text/x-ecmascript",
        "text/x-javascript",
    }
)
"""The types of ``<script>`` that run (HTML Standard, "JavaScript MIME type essence match")."""

_BLANK = Url("about", path="blank")
_ANIMATIONS = ("animate", "animateMotion", "animateTransform", "set")
_IMAGE_STARTS = (b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"RIFF", b"<svg", b"<?xml")


@dataclass(frozen=True, slots=True)
class Executed:
    """A script that the browser ran, or began to run.

    Args:
        kind: ``inline script``, ``external script``, ``event handler onerror``,
            ``javascript: URL``, ….
        text: Its code.
        page: The page it ran in, as a URL.
        origin: The origin whose authority it had; ``null`` for an opaque one.
        outcome: ``ran``, or how it ended: ``syntax error: …``, ``threw …``, ``not modelled: …``.
    """

    kind: str
    text: str
    page: str
    origin: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Canary:
    """A call of ``canary('id')``: proof that injected code ran, and with whose authority."""

    id: str
    origin: str
    page: str


class Context:
    """A place that shows one page at a time: a tab, or a frame in a page.

    Args:
        browser: The browser it belongs to.
        parent: The page around it, for a frame.
        element: The element that makes the frame.
    """

    def __init__(
        self, browser: Browser, *, parent: Page | None = None, element: Element | None = None
    ) -> None:
        self.browser = browser
        self.parent = parent
        self.element = element
        self.name = element.get("name") if element else ""
        self.blocked: FramingDecision | None = None
        self.pending: tuple[Ask, Page] | None = None
        self.page = self._blank(parent)

    @property
    def depth(self) -> int:
        """How many pages are around it."""
        return 0 if self.parent is None else self.parent.context.depth + 1

    def _blank(self, creator: Page | None) -> Page:
        origin = creator.origin if creator else opaque_origin()
        return Page(self, _BLANK, Response(200), inherit=creator, origin=origin, markup="")

    def _sandbox(self) -> frozenset[str] | None:
        own = None
        if self.element is not None and "sandbox" in self.element.attributes:
            own = frozenset(self.element.get("sandbox").lower().split())
        outer = self.parent.sandbox if self.parent else None
        if own is None or outer is None:
            return own if outer is None else outer
        return own & outer

    def navigate(
        self,
        url: Url,
        *,
        initiator: Page | None = None,
        method: str = "GET",
        body: bytes = b"",
        fields: tuple[tuple[str, str], ...] = (),
        user: bool = False,
        directive: str = "",
        referrer: str = "",
    ) -> None:
        """Go somewhere, then wherever the new page goes by itself."""
        self._go(url, initiator, method, body, fields, user, directive, referrer)
        self.follow()

    def follow(self) -> None:
        """Go where the page has asked to go, if it has."""
        for _ in range(MAX_HOPS):
            if self.pending is None:
                return
            ask, page = self.pending
            self.pending = None
            if page is self.page:
                self._go(
                    ask.url, page, ask.method, ask.body, ask.fields, ask.user,
                    ask.directive, ask.referrer_policy,
                )  # fmt: skip
        self.pending = None
        reason = f"the page went on by itself more than {MAX_HOPS} times"
        self.browser.log.add(self.page.where, "navigate", str(self.page.url), "stopped", reason)

    def _go(
        self,
        url: Url,
        initiator: Page | None,
        method: str,
        body: bytes,
        fields: tuple[tuple[str, str], ...],
        user: bool,
        directive: str,
        referrer: str,
    ) -> None:
        where = initiator.where if initiator else "the user"
        log = self.browser.log
        if url.scheme == "javascript":
            if initiator is None:
                log.add(
                    where, "navigate", str(url), "blocked", "an address bar takes no javascript:"
                )
            else:
                self._run_url(url, initiator)
            return
        if url.scheme == "about":
            self.page = self._blank(initiator or self.parent)
            return
        if url.scheme == "data":
            if self.parent is None and initiator is not None:
                reason = "no page may send a tab to a data: URL"
                log.add(where, "navigate", str(url)[:80], "blocked", reason)
                return
            self._show_data(url, initiator)
            return
        if not url.is_http:
            log.add(
                where, "navigate", str(url), "not modelled", f"{url.scheme}: is for another program"
            )
            return
        current = self.page
        if (
            url.fragment is not None
            and method == "GET"
            and current.url.without_fragment() == url.without_fragment()
            and initiator is not None
        ):
            current.url = url
            log.add(where, "navigate", str(url), "same page", "only the fragment changed")
            return
        self.page.leave()
        self._load(url, initiator, method, body, fields, user, directive, referrer)

    def _load(
        self,
        url: Url,
        initiator: Page | None,
        method: str,
        body: bytes,
        fields: tuple[tuple[str, str], ...],
        user: bool,
        directive: str,
        referrer: str,
    ) -> None:
        framed = self.parent is not None
        ask = Ask(
            url=url,
            method=method,
            body=body,
            fields=fields,
            destination=(self.element.name if self.element else "iframe") if framed else "document",
            mode="navigate",
            client=initiator.client if initiator else None,
            container=self.parent.client if self.parent else None,
            user=user,
            directive=("object-src" if self._embedded else "frame-src") if framed else directive,
            referrer_policy=referrer,
        )
        fetched = self.browser.fetcher.fetch(ask)
        response = fetched.response
        if framed and response.status and self._framing_refused(fetched):
            self._show_error(fetched.url, "the page refused to be framed", initiator)
            return
        if fetched.kind == "error":
            self._show_error(fetched.url, fetched.reason, initiator)
            return
        if response.status == 204 or "attachment" in response.headers.get("Content-Disposition"):
            why = "saved as a file" if response.status != 204 else "the answer has no content"
            self.browser.log.add(str(fetched.url), "navigate", str(fetched.url), "no new page", why)
            return
        self._show(fetched.url, response)

    @property
    def _embedded(self) -> bool:
        return self.element is not None and self.element.name in ("object", "embed")

    def _framing_refused(self, fetched: Fetched) -> bool:
        response, ancestors = fetched.response, []
        page = self.parent
        while page is not None:
            ancestors.append(page.origin)
            page = page.parent
        policies = parse_policies(response.headers.all("Content-Security-Policy"))
        decision = framing_decision(
            x_frame_options=response.headers.all("X-Frame-Options"),
            frame_ancestors=[
                " ".join(policy.directives["frame-ancestors"])
                for policy in policies
                if "frame-ancestors" in policy.directives
            ],
            page=fetched.url,
            ancestors=ancestors,
        )
        assert self.parent is not None
        self.browser.log.add(
            self.parent.where,
            "frame",
            str(fetched.url),
            "framed" if decision.allowed else "not framed",
            decision.reason,
        )
        self.blocked = None if decision.allowed else decision
        return not decision.allowed

    def _show_error(self, url: Url, reason: str, initiator: Page | None) -> None:
        where = initiator.where if initiator else "the user"
        self.browser.log.add(where, "navigate", str(url), "not shown", reason)
        response = Response(0, error=reason)
        self.page = Page(self, url, response, origin=opaque_origin(), markup="")

    def _show(self, url: Url, response: Response) -> None:
        kind = _page_kind(response)
        markup = response.text if kind in ("html", "svg") else ""
        self.page = Page(
            self, url, response, origin=url.origin, markup=markup, is_svg=kind == "svg"
        )
        if kind == "text":
            self.page.body.append(response.text)
        self.browser.log.add(
            self.page.where, "navigate", str(url), "shown", f"status {response.status}, {kind}"
        )
        self.page.load()

    def _show_data(self, url: Url, initiator: Page | None) -> None:
        parent = self.parent
        if parent is not None:
            decision = load_allowed(parent.policies, "frame-src", url, parent.origin)
            if not decision.allowed:
                self.browser.log.add(parent.where, "csp", str(url)[:80], "blocked", decision.reason)
                return
        media_type, content = data_url(url)
        fields = Headers((("Content-Type", media_type),))
        response = Response(200, fields, content)
        kind = _page_kind(response)
        markup = response.text if kind in ("html", "svg") else ""
        self.page.leave()
        self.page = Page(
            self, url, response, inherit=initiator, origin=opaque_origin(), markup=markup,
            is_svg=kind == "svg",
        )  # fmt: skip
        self.page.load()

    def _run_url(self, url: Url, initiator: Page) -> None:
        """Run a ``javascript:`` URL with the authority of the page that is shown here."""
        code = unquote_to_bytes(str(url).partition(":")[2].encode("utf-8", "surrogatepass")).decode(
            "utf-8", "replace"
        )
        log = self.browser.log
        if initiator.origin != self.page.origin:
            reason = f"a page of {initiator.origin} does not run code in one of {self.page.origin}"
            log.add(initiator.where, "script", f"javascript:{code}", "blocked", reason)
            return
        if not initiator.admits("navigation", code, "javascript: URL"):
            return
        result = self.page.execute(code, "javascript: URL")
        if isinstance(result, str):
            self.page = Page(
                self, self.page.url, Response(200), inherit=self.page,
                origin=self.page.origin, markup=result,
            )  # fmt: skip
            self.page.load()


class Page:
    """A document in a tab or a frame.

    Its public attributes: ``url``, ``origin``, ``status``, ``headers``, ``root`` (the tree),
    ``frames``, ``policies``, ``parent``.
    """

    def __init__(
        self,
        context: Context,
        url: Url,
        response: Response,
        *,
        origin: Origin,
        markup: str,
        inherit: Page | None = None,
        is_svg: bool = False,
        srcdoc: bool = False,
    ) -> None:
        self.context = context
        self.browser = context.browser
        self.parent = context.parent
        self.url = url
        self.response = response
        self.status = response.status
        self.headers = response.headers
        self.srcdoc = srcdoc
        inherited = inherit.policies if inherit is not None else ()
        self.policies: tuple[Policy, ...] = inherited + parse_policies(
            response.headers.all("Content-Security-Policy")
        )
        flags, from_policy = context._sandbox(), sandbox_flags(self.policies)
        if flags is not None and from_policy is not None:
            flags = flags & from_policy
        self.sandbox = from_policy if flags is None else flags
        self.origin = origin
        if self.sandbox is not None and "allow-same-origin" not in self.sandbox:
            self.origin = opaque_origin()
        self._referrer_source = url
        if not url.is_http and inherit is not None:
            self._referrer_source = inherit._referrer_source
        self.base_url = url if url.is_http else self._referrer_source
        if inherit is not None and not url.is_http:
            self.base_url = inherit.base_url
        self.referrer_policy = referrer_policy(response.headers.all("Referrer-Policy"))
        if inherit is not None and not self.referrer_policy:
            self.referrer_policy = inherit.referrer_policy
        self.frames: list[Context] = []
        self.markup = markup
        self.root = empty_document()
        if markup:
            self.root = parse_svg(markup) if is_svg else parse_document(markup)
        self.window = Window(self)
        self._interpreter = Interpreter(self.window, self.browser.budget)
        self._events: list[tuple[Element, str]] = []
        self._later: list[Element] = []
        self._has_base = False
        self._focused = False
        self.left = False

    # What a lab looks at.

    @property
    def where(self) -> str:
        """The address as the log shows it; for a page without one, that of its maker."""
        if self.srcdoc:
            return f"{self._referrer_source} (srcdoc)"
        shown = str(self.url)
        return shown if len(shown) <= 100 else shown[:99] + "…"

    @property
    def text(self) -> str:
        """The visible text, spaces folded."""
        return " ".join(self.root.text.split())

    @property
    def html(self) -> str:
        """The tree written out again, after what scripts did to it."""
        return self.root.outer_html

    @property
    def source(self) -> str:
        """The body of the answer as text."""
        return self.response.text

    @property
    def title(self) -> str:
        """The text of ``<title>``."""
        element = self.root.find("title")
        return " ".join(element.text.split()) if element else ""

    @property
    def body(self) -> Element:
        """The ``body`` element, or the root of an image."""
        return self.root.find("body") or self.root

    @property
    def error(self) -> str:
        """Why there is no page, or the last line of the application's crash."""
        return self.response.error

    def find(self, selector: str) -> Element | None:
        """The first element that a selector names; :meth:`Element.find_all` says which it takes."""
        return self.root.find(selector)

    def find_all(self, selector: str) -> list[Element]:
        """Every element that a selector names."""
        return self.root.find_all(selector)

    @property
    def canaries(self) -> list[Canary]:
        """The canaries that fired with this page's authority, in frames of its origin too."""
        return [found for found in self.browser.canaries if found.origin == str(self.origin)]

    @property
    def client(self) -> Client:
        """The page as the fetcher sees it."""
        return Client(
            self._referrer_source, self.origin, self.policies, self.referrer_policy,
            self._site_for_cookies(),
        )  # fmt: skip

    def _site_for_cookies(self) -> Origin | None:
        chain = [self]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        top = chain[-1].origin
        inside = [page.origin for page in chain[:-1] if not page.srcdoc]
        if top.opaque or not all(same_site(origin, top) for origin in inside):
            return None
        return top

    @property
    def scripting(self) -> bool:
        """Whether scripts may run at all."""
        return self.sandbox is None or "allow-scripts" in self.sandbox

    # What the user does.

    def click(self, target: str | Element) -> None:
        """Click an element: its handlers, then what a click does to it.

        Args:
            target: A selector, the visible text of a link or button, or the element.

        Raises:
            LookupError: If nothing fits.
        """
        self.browser.begin_action()
        self._click(self._target(target, ("a", "area", "button", "input", "summary")), user=True)
        self.context.follow()

    def hover(self, target: str | Element) -> None:
        """Move the pointer over an element."""
        self.browser.begin_action()
        element = self._target(target, ())
        for event in (
            "onpointerover",
            "onpointerenter",
            "onmouseover",
            "onmouseenter",
            "onmousemove",
        ):
            self._fire(element, event)
        self.context.follow()

    def submit(
        self,
        target: str | Element = "form",
        fields: Mapping[str, str] | None = None,
        *,
        button: str | Element | None = None,
    ) -> None:
        """Fill in a form and send it.

        Args:
            target: A selector of the form, or the element.
            fields: Values for fields of these names; the others keep theirs.
            button: The button that is pressed: a selector, its text, or the element.

        Raises:
            LookupError: If there is no such form, field or button.
        """
        self.browser.begin_action()
        form = self._target(target, ("form",))
        for name, value in (fields or {}).items():
            self._fill(form, name, value)
        pressed = self._target(button, ("button", "input")) if button is not None else None
        if self._fire(form, "onsubmit") is not False:
            self._submit(form, pressed, user=True)
        self.context.follow()

    def _target(self, target: str | Element, texts: Sequence[str]) -> Element:
        if isinstance(target, Element):
            return target
        try:
            found = self.root.find(target)
        except ValueError:
            found = None
        if found is None:
            wanted = " ".join(target.split())
            for element in self.root.walk():
                shown = element.text if element.name != "input" else element.get("value")
                if element.name in texts and " ".join(shown.split()) == wanted:
                    found = element
                    break
        if found is None:
            raise LookupError(f"nothing on {self.where} fits {target!r}")
        return found

    def _fill(self, form: Element, name: str, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"the value of the field {name!r} must be text, not {value!r}")
        for element in form.walk():
            if element.get("name") != name:
                continue
            kind = element.get("type").lower()
            if element.is_html("textarea"):
                element.children = [value]
            elif element.is_html("select"):
                for option in element.find_all("option"):
                    option.attributes.pop("selected", None)
                    if option.attributes.get("value", option.text) == value:
                        option.attributes["selected"] = ""
            elif kind in ("radio", "checkbox"):
                chosen = element.attributes.get("value", "on") == value
                element.attributes.pop("checked", None)
                if chosen:
                    element.attributes["checked"] = ""
            elif element.is_html("input", "button"):
                element.attributes["value"] = value
            else:
                continue
            if kind != "radio":
                return
        if not any(element.get("name") == name for element in form.walk()):
            raise LookupError(f"the form on {self.where} has no field {name!r}")

    # Loading.

    def load(self) -> None:
        """Bring the page to life: load its parts, run its scripts, fire its events."""
        for element in _live(self.root):
            if self.left:
                return
            self._insert(element)
        for element in self._later:
            self._script(element, deferred=True)
        self._later = []
        self._settle()
        for element in self.root.walk():
            if element.is_html("body", "frameset"):
                self._fire(element, "onload")
                self._fire(element, "onpageshow")
                break
        self.window.run_timers()
        self._settle()

    def leave(self) -> None:
        """Make room for another page: nothing of this one runs any more."""
        self.left = True
        for frame in self.frames:
            frame.page.leave()

    def _settle(self) -> None:
        for _ in range(1000):
            if not self._events or self.left:
                break
            element, event = self._events.pop(0)
            self._fire(element, event)
        self._events = []

    def _insert(self, element: Element, *, parser: bool = True, scripts: bool = True) -> None:
        """An element has come into the page: do what its arrival does."""
        if element.namespace == HTML:
            handler = _ARRIVALS.get(element.name)
        elif element.namespace == SVG:
            handler = _SVG_ARRIVALS.get(element.name)
        else:
            handler = None
        if element.name == "script" and element.namespace in (HTML, SVG):
            if scripts:
                self._script(element, parser=parser)
        elif handler is not None:
            handler(self, element)
        if "autofocus" in element.attributes and _focusable(element) and not self._focused:
            self._focused = True
            self._events += [(element, "onfocus"), (element, "onfocusin")]

    def _on_base(self, element: Element) -> None:
        if "href" not in element.attributes or self._has_base:
            return
        self._has_base = True
        try:
            url = parse_url(element.get("href"), self.base_url)
        except BadUrl:
            return
        if url.scheme in ("data", "javascript"):
            return
        decision = load_allowed(self.policies, "base-uri", url, self.origin)
        self._note_csp(decision, f"<base href={url}>")
        if decision.allowed:
            self.base_url = url

    def _on_meta(self, element: Element) -> None:
        if element.get("name").lower() == "referrer":
            self.referrer_policy = referrer_policy([element.get("content")]) or self.referrer_policy
        kind = element.get("http-equiv").strip().lower()
        if kind == "content-security-policy" and any(
            a.is_html("head") for a in element.ancestors()
        ):
            self.policies += parse_policies([element.get("content")], meta=True)
        elif kind == "refresh":
            match = re.match(
                r"[\s]*[\d.]*[\s;,]*(?:url\s*=\s*)?(?:\"([^\"]*)|'([^']*)|(.*))",
                element.get("content"),
                re.IGNORECASE | re.DOTALL,
            )
            target = (
                next((group for group in match.groups() if group is not None), "") if match else ""
            )
            url = self._resolve(target)
            if url is None or url.scheme == "javascript":
                if url is not None:
                    reason = "a refresh does not run javascript:"
                    self.browser.log.add(self.where, "script", str(url), "blocked", reason)
                return
            if self.sandbox is None or "allow-scripts" in self.sandbox:
                self.ask_navigation(url)

    def _on_image(self, element: Element) -> None:
        source = element.attributes.get("src")
        sources = [element]
        if element.parent is not None and element.parent.is_html("picture"):
            sources = [*element.parent.find_all("source"), element]
        for offered in sources:
            if "srcset" in offered.attributes:
                source = offered.get("srcset").split(",")[0].strip().split(" ")[0]
                break
        if source is not None:
            self._events.append((element, "onload" if self.load_image(source) else "onerror"))

    def _on_input(self, element: Element) -> None:
        if element.get("type").lower() == "image" and "src" in element.attributes:
            self._on_image(element)

    def _on_svg_image(self, element: Element) -> None:
        source = element.attributes.get("href", element.attributes.get("xlink:href"))
        if source is not None:
            self._events.append((element, "onload" if self.load_image(source) else "onerror"))

    def load_image(self, source: str) -> bool:
        """Load an image and say whether it is one."""
        url = self._resolve(source) if source.strip() else None
        if url is None:
            return False
        if url.scheme == "data":
            decision = load_allowed(self.policies, "img-src", url, self.origin)
            self._note_csp(decision, f"{str(url)[:60]}")
            return (
                decision.allowed
                and data_url(url)[0].startswith("image/")
                and _is_image(data_url(url)[1])
            )
        if not url.is_http:
            return False
        fetched = self._part(url, "image", "img-src")
        return fetched.kind != "error" and _is_image(fetched.response.body)

    def _on_link(self, element: Element) -> None:
        relations = element.get("rel").lower().split()
        url = self._resolve(element.get("href")) if element.get("href").strip() else None
        if url is None:
            return
        if "stylesheet" in relations:
            if url.scheme == "data":
                good = load_allowed(self.policies, "style-src-elem", url, self.origin).allowed
                good = good and data_url(url)[0].startswith("text/css")
            else:
                fetched = self._part(url, "style", "style-src-elem")
                good = (
                    fetched.kind != "error"
                    and fetched.response.status < 400
                    and (fetched.response.media_type == "text/css")
                )
            self._events.append((element, "onload" if good else "onerror"))
        elif {"preload", "prefetch", "modulepreload"} & set(relations) and url.is_http:
            kinds = {"image": "img-src", "script": "script-src-elem", "style": "style-src-elem"}
            kind = element.get("as").lower()
            if kind in kinds or "preload" not in relations:
                fetched = self._part(url, kind or "empty", kinds.get(kind, "default-src"))
                good = fetched.kind != "error" and fetched.response.status < 400
                self._events.append((element, "onload" if good else "onerror"))

    def _on_style(self, element: Element) -> None:
        allowed = inline_allowed(self.policies, "style", element.own_text, nonce=_nonce_of(element))
        self._note_csp(allowed, "<style>")
        self._events.append((element, "onload" if allowed.allowed else "onerror"))

    def _on_media(self, element: Element) -> None:
        if "src" in element.attributes:
            self._media(element, element, element.get("src"))
            return
        for source in element.find_all("source"):
            self._media(element, source, source.get("src"))

    def _media(self, media: Element, failing: Element, source: str) -> None:
        self._events.append((media, "onloadstart"))
        url = self._resolve(source) if source.strip() else None
        if url is not None and url.is_http:
            fetched = self._part(url, media.name, "media-src")
            kind = fetched.response.media_type
            if fetched.kind != "error" and kind.startswith(("audio/", "video/")):
                self._events += [(media, "onloadedmetadata"), (media, "onloadeddata")]
                return
        self._events.append((failing, "onerror"))

    def _on_details(self, element: Element) -> None:
        if "open" in element.attributes:
            self._events.append((element, "ontoggle"))

    def _on_svg(self, element: Element) -> None:
        self._events.append((element, "onload"))

    def _on_animation(self, element: Element) -> None:
        self._events.append((element, "onbegin"))

    # Frames.

    def _on_frame(self, element: Element) -> None:
        if element.name == "frame" and not any(a.is_html("frameset") for a in element.ancestors()):
            return
        self._frame(element, element.get("src"), srcdoc=element.attributes.get("srcdoc"))
        self._events.append((element, "onload"))

    def _on_object(self, element: Element) -> None:
        source = element.get("data" if element.name == "object" else "src")
        url = self._resolve(source) if source.strip() else None
        if url is None or url.scheme == "javascript":
            return
        if (
            url.scheme == "data"
            and not load_allowed(self.policies, "object-src", url, self.origin).allowed
        ):
            self._events.append((element, "onerror"))
            return
        frame = self._frame(element, source)
        shown = frame is not None and (url.scheme == "data" or 200 <= frame.page.status < 400)
        self._events.append((element, "onload" if shown else "onerror"))

    def _frame(self, element: Element, source: str, *, srcdoc: str | None = None) -> Context | None:
        if len(self.frames) >= MAX_FRAMES or self.context.depth >= MAX_FRAME_DEPTH:
            self.browser.log.add(self.where, "frame", source, "not framed", "too many frames")
            return None
        frame = Context(self.browser, parent=self, element=element)
        self.frames.append(frame)
        if srcdoc is not None and element.name == "iframe":
            frame.page = Page(
                frame, Url("about", path="srcdoc"), Response(200), inherit=self,
                origin=self.origin, markup=srcdoc, srcdoc=True,
            )  # fmt: skip
            frame.page.load()
            frame.follow()
            return frame
        url = self._resolve(source) if source.strip() else None
        if url is not None:
            referrer = element.get("referrerpolicy").lower()
            frame.navigate(url, initiator=self, referrer=referrer)
        return frame

    def frame(self, which: str | int = 0) -> Page:
        """The page in a frame, by place or by name.

        Raises:
            LookupError: If there is no such frame.
        """
        for place, frame in enumerate(self.frames):
            if which in (place, frame.name):
                return frame.page
        raise LookupError(f"{self.where} has no frame {which!r}")

    # Scripts.

    def _script(self, element: Element, *, parser: bool = True, deferred: bool = False) -> None:
        kind = element.get("type").strip().lower() if "type" in element.attributes else ""
        if "type" not in element.attributes and element.get("language"):
            kind = "text/" + element.get("language").lower()
        module = kind == "module"
        if (kind not in SCRIPT_TYPES and not module) or (
            "nomodule" in element.attributes and not module
        ):
            return
        event = element.get("event").strip().lower()
        if {"for", "event"} <= element.attributes.keys() and (
            element.get("for").strip().lower() != "window" or event not in ("onload", "onload()")
        ):
            return
        if element.namespace == SVG:
            source = element.attributes.get("href", element.attributes.get("xlink:href"))
        else:
            source = element.attributes.get("src")
        delayed = module or (source is not None and "defer" in element.attributes)
        if delayed and parser and not deferred:
            self._later.append(element)
            return
        nonce = _nonce_of(element)
        if source is None:
            if element.own_text.strip() and self.admits(
                "script", element.own_text, "inline script", nonce, parser=parser
            ):
                self.execute(element.own_text, "inline script", element=element)
            return
        self._external_script(element, source, nonce, parser=parser, module=module)

    def _external_script(
        self, element: Element, source: str, nonce: str, *, parser: bool, module: bool
    ) -> None:
        url = self._resolve(source) if source.strip() else None
        code: str | None = None
        if url is not None and url.scheme == "data":
            decision = load_allowed(
                self.policies, "script-src-elem", url, self.origin,
                nonce=nonce, parser_inserted=parser,
            )  # fmt: skip
            self._note_csp(decision, str(url)[:60])
            if decision.allowed and (
                not module or data_url(url)[0].partition(";")[0] in SCRIPT_TYPES
            ):
                code = data_url(url)[1].decode("utf-8", "replace")
        elif url is not None and url.is_http:
            with_cors = module or "crossorigin" in element.attributes
            fetched = self._part(
                url, "script", "script-src-elem",
                nonce=nonce, parser=parser,
                mode="cors" if with_cors else "no-cors",
                credentials="include" if not with_cors else "same-origin",
            )  # fmt: skip
            if fetched.kind != "error" and 200 <= fetched.response.status < 300:
                refusal = _script_refusal(fetched.response, strict=module)
                if refusal:
                    self.browser.log.add(self.where, "script", str(url), "not run", refusal)
                else:
                    code = fetched.response.text
        if code is None:
            self._events.append((element, "onerror"))
            return
        self.execute(code, f"external script {str(url)[:80]}", element=element)
        self._events.append((element, "onload"))

    def admits(
        self, kind: str, code: str, what: str, nonce: str = "", *, parser: bool = True
    ) -> bool:
        """Whether sandbox and policies let inline code run; what they refuse is logged."""
        if not self.scripting:
            reason = "the sandbox lacks allow-scripts"
            self.browser.log.add(self.where, "script", code, "not run", reason)
            return False
        decision = inline_allowed(self.policies, kind, code, nonce=nonce, parser_inserted=parser)
        if not decision.allowed:
            self.browser.log.add(
                self.where, "script", code, "not run", f"{what}: {decision.reason}"
            )
        return decision.allowed

    def execute(
        self,
        code: str,
        kind: str,
        *,
        element: Element | None = None,
        handler: bool = False,
    ) -> Any:
        """Run code with the page's authority, write it down, and return its value.

        Code that a lab has bound (:meth:`Internet.bind_script`) is carried out by its Python
        function; other code is read by :mod:`labs.browser.javascript`.
        """
        log = self.browser.log
        refusal = self.browser.spend_script()
        if self.left or refusal:
            log.add(self.where, "script", code, "not run", refusal or "the page was left")
            return None
        script = Script(self, code, element)
        result: Any = None
        outcome = "ran"
        bound = self.browser.internet.bound_script(code)
        with self.window.running(script):
            try:
                if bound is not None:
                    act(bound, script)
                else:
                    this = element_thing(self.window, element) if handler and element else None
                    result = self._interpreter.run(code, this=this, as_handler=handler)
            except SyntaxFault as fault:
                outcome = f"syntax error: {fault}"
            except Thrown as thrown:
                outcome = f"threw {thrown}"
                self.window.report(thrown)
            except NotModelled as limit:
                outcome = f"not modelled: {limit}"
        self.browser.executed.append(Executed(kind, code, self.where, str(self.origin), outcome))
        log.add(self.where, "script", code, "runs" if outcome == "ran" else outcome, kind)
        return result

    def call(self, function: Any, arguments: list[Any], kind: str) -> Any:
        """Call a function that a script left behind (a timer, a callback)."""
        if self.left or self.browser.spend_script():
            return None
        try:
            return self._interpreter.call(function, arguments)
        except Thrown as thrown:
            self.window.report(thrown)
        except NotModelled as limit:
            self.browser.log.add(self.where, "script", kind, f"not modelled: {limit}", kind)
        return None

    def _fire(self, element: Element, event: str) -> Any:
        result = None
        for function in self.window.listeners(element, event):
            result = self.call(function, [], event)
        code = element.attributes.get(event)
        if (
            code is not None
            and code.strip()
            and self.admits("script attribute", code, f"event handler {event}")
        ):
            result = self.execute(code, f"event handler {event}", element=element, handler=True)
        return result

    # What scripts and the user make a page do.

    def _click(self, element: Element, *, user: bool) -> None:
        chain = [element, *element.ancestors()]
        prevented = False
        for part in chain:
            prevented = self._fire(part, "onclick") is False or prevented
        if prevented or self.left:
            return
        for part in chain:
            if part.is_html("a", "area") or (part.namespace == SVG and part.name == "a"):
                target = _link_target(part)
                if target is not None:
                    self._follow_link(part, target, user=user)
                    return
            if part.is_html("button", "input") and _submits(part):
                form = self._form_of(part)
                if form is not None and self._fire(form, "onsubmit") is not False:
                    self._submit(form, part, user=user)
                return
            if (
                part.is_html("summary")
                and part.parent is not None
                and part.parent.is_html("details")
            ):
                if "open" in part.parent.attributes:
                    del part.parent.attributes["open"]
                else:
                    part.parent.attributes["open"] = ""
                self._fire(part.parent, "ontoggle")
                return

    def _follow_link(self, element: Element, target: str, *, user: bool) -> None:
        url = self._resolve(target)
        if url is None:
            return
        relations = element.get("rel").lower().split()
        referrer = (
            "no-referrer" if "noreferrer" in relations else element.get("referrerpolicy").lower()
        )
        self.ask_navigation(url, user=user, target=element.get("target"), referrer=referrer)

    def _form_of(self, element: Element) -> Element | None:
        if "form" in element.attributes:
            return self.root.find(f'form[id="{element.get("form")}"]')
        return next((around for around in element.ancestors() if around.is_html("form")), None)

    def form_fields(self, form: Element, pressed: Element | None = None) -> list[Field]:
        """What a form would send, in order (HTML Standard, section 4.10.21.4)."""
        identity = form.get("id")
        found = []
        for element in self.root.walk():
            belongs = any(around is form for around in element.ancestors())
            if "form" in element.attributes:
                belongs = bool(identity) and element.get("form") == identity
            if not belongs or not element.get("name") or "disabled" in element.attributes:
                continue
            kind = element.get("type").lower()
            if element.is_html("textarea"):
                found.append(Field(element.get("name"), element.own_text, "textarea"))
            elif element.is_html("select"):
                options = element.find_all("option")
                chosen = [o for o in options if "selected" in o.attributes] or options[:1]
                found += [
                    Field(element.get("name"), o.attributes.get("value", o.text), "select")
                    for o in chosen
                ]
            elif element.is_html("input") and kind in ("radio", "checkbox"):
                if "checked" in element.attributes:
                    found.append(
                        Field(element.get("name"), element.attributes.get("value", "on"), kind)
                    )
            elif element.is_html("input", "button") and (
                kind in _BUTTONS or element.name == "button"
            ):
                if element is pressed:
                    found.append(Field(element.get("name"), element.get("value"), kind))
            elif element.is_html("input"):
                found.append(Field(element.get("name"), element.get("value"), kind or "text"))
        return found

    def _submit(self, form: Element, pressed: Element | None, *, user: bool) -> None:
        if self.sandbox is not None and "allow-forms" not in self.sandbox:
            reason = "the sandbox lacks allow-forms"
            self.browser.log.add(self.where, "form", form.get("action"), "not sent", reason)
            return

        def setting(name: str) -> str:
            override = pressed.attributes.get("form" + name) if pressed else None
            return override if override is not None else form.get(name)

        method = setting("method").strip().lower()
        if method == "dialog":
            return
        action = setting("action")
        url = (
            self._resolve(action)
            if action.strip()
            else self.url
            if self.url.is_http
            else self.base_url
        )
        if url is None:
            return
        pairs = [(field.name, field.value) for field in self.form_fields(form, pressed)]
        decision = load_allowed(self.policies, "form-action", url, self.origin)
        self._note_csp(decision, f"form to {url}")
        if not decision.allowed:
            self.browser.log.add(self.where, "form", str(url), "not sent", decision.reason)
            return
        target = setting("target")
        if url.scheme == "javascript":
            self.ask_navigation(url, user=user, target=target)
            return
        names = ", ".join(name for name, _ in pairs) or "no fields"
        verb = "POST" if method == "post" else "GET"
        self.browser.log.add(self.where, "form", str(url), "sent", f"{verb} with {names}")
        if method != "post":
            url = replace(url, query=urlencoded(pairs))
            self.ask_navigation(url, user=user, target=target, directive="form-action")
            return
        kind, body = encode_form(pairs, setting("enctype").strip().lower())
        self.ask_navigation(
            url, user=user, target=target, method="POST", body=body,
            fields=(("Content-Type", kind),), directive="form-action",
        )  # fmt: skip

    def ask_navigation(
        self,
        url: Url,
        *,
        user: bool = False,
        target: str = "",
        method: str = "GET",
        body: bytes = b"",
        fields: tuple[tuple[str, str], ...] = (),
        directive: str = "",
        referrer: str = "",
    ) -> None:
        """Ask to go somewhere once the page has come to rest; the last wish counts."""
        ask = Ask(
            url=url, method=method, body=body, fields=fields, mode="navigate", client=self.client,
            user=user, directive=directive, referrer_policy=referrer,
        )  # fmt: skip
        context = self._named(target)
        if context is None:
            reason = "the sandbox keeps it from other tabs and frames"
            self.browser.log.add(self.where, "navigate", str(url), "blocked", reason)
        elif context is self.context and url.scheme != "javascript":
            context.pending = (ask, self)
        elif context is self.context:
            context._run_url(url, self)
        else:
            context.navigate(
                url, initiator=self, method=method, body=body, fields=fields, user=user,
                directive=directive, referrer=referrer,
            )  # fmt: skip

    def _named(self, target: str) -> Context | None:
        name = target.strip()
        if name.lower() in ("", "_self"):
            return self.context
        if name.lower() == "_parent" and self.parent is not None:
            chosen: Context = self.parent.context
        elif name.lower() in ("_top", "_parent"):
            chosen = self.top.context
        else:
            frame = next((frame for frame in self.frames if frame.name == name), None)
            if frame is not None:
                return frame
            if self.sandbox is not None and "allow-popups" not in self.sandbox:
                return None
            return self.browser.new_tab()
        if (
            self.sandbox is not None
            and chosen is not self.context
            and "allow-top-navigation" not in self.sandbox
        ):
            return None
        return chosen

    @property
    def top(self) -> Page:
        """The page of the tab."""
        page = self
        while page.parent is not None:
            page = page.parent
        return page

    def set_inner_html(self, element: Element, markup: str) -> None:
        """``element.innerHTML = markup``: parts load and handlers fire, scripts do not run."""
        fragment = parse_fragment(markup, element.name if element.namespace == HTML else "div")
        element.children = []
        for child in fragment.children:
            element.append(child)
        for part in _live(element):
            if part is not element:
                self._insert(part, parser=False, scripts=False)
        self._settle()

    def write(self, markup: str) -> None:
        """``document.write(markup)``: it joins the page at the end of the body, scripts run."""
        for child in parse_fragment(markup, "body").children:
            self.body.append(child)
            if isinstance(child, Element):
                for part in _live(child):
                    self._insert(part)
        self._settle()

    def append(self, parent: Element, child: Element) -> None:
        """``parent.appendChild(child)`` by a script: a script element that is added runs."""
        parent.append(child)
        for part in _live(child):
            self._insert(part, parser=False)
        self._settle()

    def _resolve(self, text: str) -> Url | None:
        try:
            return parse_url(text, self.base_url)
        except BadUrl:
            return None

    def resolve(self, text: str) -> Url | None:
        """A URL as the page means it, ``None`` if it is none."""
        return self._resolve(text)

    def _part(
        self,
        url: Url,
        destination: str,
        directive: str,
        *,
        nonce: str = "",
        parser: bool = True,
        mode: str = "no-cors",
        credentials: str = "include",
    ) -> Fetched:
        return self.browser.fetcher.fetch(
            Ask(
                url=url,
                destination=destination,
                mode=mode,
                credentials=credentials,
                client=self.client,
                directive=directive,
                nonce=nonce,
                parser_inserted=parser,
            )
        )

    def _note_csp(self, decision: CspDecision, subject: str) -> None:
        if not decision.allowed:
            self.browser.log.add(self.where, "csp", subject, "blocked", decision.reason)


_BUTTONS = ("button", "file", "image", "reset", "submit")

_ARRIVALS = {
    "audio": Page._on_media,
    "base": Page._on_base,
    "details": Page._on_details,
    "embed": Page._on_object,
    "frame": Page._on_frame,
    "iframe": Page._on_frame,
    "img": Page._on_image,
    "input": Page._on_input,
    "link": Page._on_link,
    "meta": Page._on_meta,
    "object": Page._on_object,
    "style": Page._on_style,
    "video": Page._on_media,
}
"""What the arrival of an HTML element does."""

_SVG_ARRIVALS = {
    "svg": Page._on_svg,
    "image": Page._on_svg_image,
    "style": Page._on_style,
    **dict.fromkeys(_ANIMATIONS, Page._on_animation),
}
"""What the arrival of an SVG element does."""


def _live(root: Element) -> Iterator[Element]:
    """The elements in document order, without those in templates, which are inert.

    A template with ``shadowrootmode`` is no template but a part of the page (HTML Standard,
    section 4.12.3).
    """
    stack = [root]
    found = []
    while stack:
        element = stack.pop()
        found.append(element)
        shadow = element.get("shadowrootmode").lower() in ("open", "closed")
        if element.is_html("template") and not shadow:
            continue
        stack += [child for child in reversed(element.children) if isinstance(child, Element)]
    return iter(found)


def _focusable(element: Element) -> bool:
    if "disabled" in element.attributes:
        return False
    if element.is_html("input"):
        return element.get("type").lower() != "hidden"
    if element.is_html("a", "area"):
        return "href" in element.attributes or "tabindex" in element.attributes
    editable = element.attributes.get("contenteditable", "false").lower() != "false"
    plain = element.is_html("button", "select", "textarea", "iframe", "summary")
    return plain or editable or "tabindex" in element.attributes


def _nonce_of(element: Element) -> str:
    """The nonce, unless an attribute looks as if markup had been swallowed (CSP3, 6.7.3.1)."""
    for name, value in element.attributes.items():
        swallowed = (name + value).lower()
        if "<script" in swallowed or "<style" in swallowed:
            return ""
    return element.get("nonce")


def _link_target(element: Element) -> str | None:
    href = element.attributes.get("href", element.attributes.get("xlink:href"))
    for child in element.children:
        if isinstance(child, Element) and child.name in ("animate", "set"):
            changed = child.get("attributeName") or child.get("attributename")
            if changed in ("href", "xlink:href"):
                value = child.get("values").split(";")[0] or child.get("to") or child.get("from")
                href = value or href
    return href


def _submits(element: Element) -> bool:
    kind = element.get("type").lower()
    return kind in ("", "submit") if element.name == "button" else kind in ("submit", "image")


def _page_kind(response: Response) -> str:
    kind = response.media_type
    if kind in ("text/html", "application/xhtml+xml"):
        return "html"
    if kind == "image/svg+xml":
        return "svg"
    if not kind and response.headers.get("X-Content-Type-Options").strip().lower() != "nosniff":
        start = response.body[:1024].lstrip().lower()
        if re.match(
            rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br"
            rb"|p|!--)[ >-]",
            start,
        ):
            return "html"
    return "text" if not kind or kind.startswith("text/") or kind.endswith("json") else "other"


def _script_refusal(response: Response, *, strict: bool) -> str:
    kind = response.media_type
    if kind.startswith(("image/", "audio/", "video/")) or kind == "text/csv":
        return f"{kind} is no script"
    nosniff = response.headers.get("X-Content-Type-Options").strip().lower() == "nosniff"
    if (nosniff or strict) and (kind not in SCRIPT_TYPES or not kind):
        return f"{kind or 'no type'} is no script type" + (", and nosniff holds" if nosniff else "")
    return ""


def _is_image(body: bytes) -> bool:
    return body.lstrip().startswith(_IMAGE_STARTS)


def parse_svg(markup: str) -> Element:
    """An SVG image as a page of its own, read leniently."""
    document = parse_document(markup)
    return document.find("svg") or document


def data_url(url: Url) -> tuple[str, bytes]:
    """Media type and content of a ``data:`` URL (Fetch Standard, section 6)."""
    rest = url.path + ("" if url.query is None else f"?{url.query}")
    head, _, content = rest.partition(",")
    body = unquote_to_bytes(content.encode("utf-8", "surrogatepass"))
    if re.search(r";\s*base64\s*$", head, re.IGNORECASE):
        head = head.rpartition(";")[0]
        try:
            body = base64.b64decode(re.sub(rb"\s", b"", body) + b"==")
        except binascii.Error:
            body = b""
    return (head.strip() or "text/plain;charset=US-ASCII").lower(), body
