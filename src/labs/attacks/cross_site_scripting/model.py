"""Where a page repeats what people wrote: the rule of each place, and what happens without it.

Weak and repaired versions stand side by side under one signature: :func:`render_note_weak` and
:func:`render_note`, :func:`render_link_weak` and :func:`render_link`, :func:`embed_json_weak` and
:func:`embed_json`, :func:`clean_profile_weak` and :func:`clean_profile`. :data:`PLACES` holds eight
places of a page, each with an attack of its own.

Nothing here looks for suspicious words. Whether text became code is decided by :func:`look`, which
opens the page in the model browser, clicks everything in it, and sees whether ``canary`` was
called.

Sources: HTML Standard, section 13.2 (parsing; ``html5lib`` implements it) and 4.12.1.3 (what may
stand in a script element); Content Security Policy Level 3, sections 6.7.3 and 8.1 (hashes and
nonces); OWASP Cross-Site Scripting Prevention cheat sheet (a rule for each place).
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

import labs.browser as web
from labs.arguments import real, whole
from labs.arguments import text as checked_text

HOME = "https://kvittra.example"
"""Where the pages of this lesson stand."""

MAX_PROFILE = 20_000
"""Longest profile in characters that :func:`clean_profile` reads; the rest is cut."""

ALLOWED = frozenset({"p", "b", "i", "strong", "em", "ul", "ol", "li", "blockquote", "a", "br"})
"""The tags that a profile may use."""

DROPPED = frozenset(
    {"script", "style", "template", "noscript", "iframe", "title", "textarea", "xmp", "noembed"}
    | {"noframes", "plaintext", "select", "object", "svg", "math"}
)
"""Tags of which nothing is kept, the text inside included: it was never meant to be read."""

_DEEPEST = 30

When = Literal["on load", "on a click", "under the pointer", "never"]


def csp_hash(script: str) -> str:
    """The hash by which a content security policy lets one inline script run, without quotes.

    The text is what stands between the tags, to the last space; line ends count as ``\\n``.

    Args:
        script: The text of the script.

    Raises:
        TypeError: If it is not text.
        ValueError: If it holds half of a surrogate pair, which has no UTF-8 form.

    >>> csp_hash("doSubmit()")
    'sha256-jzgBGA4UWFFmpOBq0JpdsySukE1FrEN5bUpoK8Z29fY='
    """
    try:
        octets = checked_text("script", script).encode()
    except UnicodeEncodeError:
        raise ValueError(
            "script must be text that has a UTF-8 form, not half of a surrogate pair"
        ) from None
    return f"sha256-{base64.b64encode(hashlib.sha256(octets).digest()).decode('ascii')}"


def render_note_weak(text: str) -> str:
    """A note as HTML, with its line breaks."""
    return text.replace("\n", "<br>")


def render_note(text: str) -> str:
    """A note as HTML, with its line breaks. Escaped first: the only tags are ours."""
    return html.escape(text).replace("\n", "<br>")


def render_link_weak(url: str, label: str) -> str:
    """A link to somebody's website as HTML."""
    return f'<a href="{url}">{label}</a>'


def render_link(url: str, label: str) -> str:
    """A link to somebody's website as HTML, or the bare label if the address is not of the web."""
    if not is_web_address(url):
        return html.escape(label)
    return f'<a href="{html.escape(url)}" rel="noopener nofollow">{html.escape(label)}</a>'


def is_web_address(url: str) -> bool:
    """Whether an address leads to the web: its scheme is http or https, and it names a host.

    >>> [is_web_address(url) for url in ("https://bergsbageri.example", "javascript:alert(1)")]
    [True, False]
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def embed_json_weak(value: Any) -> str:
    """Data for ``<script>var data = …;</script>``."""
    return json.dumps(value, ensure_ascii=False)


def embed_json(value: Any) -> str:
    """Data for ``<script>var data = …;</script>``: the same data, spelled without ``<``."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def clean_profile_weak(source: str) -> str:
    """The formatted text that somebody wrote about themselves."""
    return source


def clean_profile(source: str) -> str:
    """The formatted text that somebody wrote about themselves, built anew from an allow-list.

    It is read as a browser reads it. Then nothing of the source is passed on: an allowed tag is
    written again without its attributes (a link keeps a checked address), a text is escaped.
    """
    import html5lib  # for this function alone; the rest of the model needs no parser

    tree = html5lib.parseFragment(source[:MAX_PROFILE], namespaceHTMLElements=False)
    return "".join(_written(tree, 0))


def _written(node: Any, depth: int) -> list[str]:
    parts = [html.escape(node.text or "")]
    for child in node:
        # Comments have no name; elements of SVG and MathML have one with a namespace in front.
        name = child.tag if isinstance(child.tag, str) else ""
        if name == "br":
            parts.append("<br>")
        elif name and name not in DROPPED and "}" not in name and depth < _DEEPEST:
            inside = _written(child, depth + 1)
            address = child.get("href", "")
            link = name == "a" and is_web_address(address)
            attributes = f' href="{html.escape(address)}" rel="noopener nofollow"' if link else ""
            if name in ALLOWED:
                inside = [f"<{name}{attributes}>", *inside, f"</{name}>"]
            parts += inside
        parts.append(html.escape(child.tail or ""))
    return parts


def strip_script_tags(text: str) -> str:
    """A half-fix: take ``<script>`` tags out, once."""
    return re.sub(r"</?script[^>]*>", "", text, flags=re.IGNORECASE)


def refuse_bad_words(text: str) -> str:
    """A half-fix: lower-case it, and take out what attacks are known to contain."""
    text = text.lower()
    for word in ("<script", "javascript:", "onerror", "onload", "onclick", "alert("):
        text = text.replace(word, "")
    return text


def remove_handlers(text: str) -> str:
    """A half-fix: take out scripts and every attribute that begins with ``on``, by pattern."""
    text = re.sub(r"<script.*?</script>", "", text, flags=re.IGNORECASE | re.DOTALL)
    return re.sub(r"\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", "", text, flags=re.IGNORECASE)


HALF_FIXES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "nothing": lambda text: text,
        "take out `<script>`": strip_script_tags,
        "lower-case, and a list of bad words": refuse_bad_words,
        "take out `on…=` by pattern": remove_handlers,
        "escape": html.escape,
    }
)
"""What people try on a text before it is repeated in a page."""


@dataclass(frozen=True)
class Outcome:
    """What became of a page in the model browser.

    Attributes:
        when: When the canary was first called, ``never`` if it was not.
        page: The page as it stood after loading.
        received: What the page's own script handed to ``received``, in order.
        refused: Why scripts of the page did not run, as the policy said it.
    """

    when: When
    page: web.Page
    received: tuple[Any, ...]
    refused: tuple[str, ...]

    @property
    def ran(self) -> bool:
        """Whether the injected code ran at all."""
        return self.when != "never"


def look(markup: str, *, policy: str = "", act: bool = True) -> Outcome:
    """Open a page in the model browser, click everything, point at everything.

    Args:
        markup: The whole page.
        policy: Its content security policy; empty for none.
        act: Whether to click and point as well, if nothing ran while the page loaded.

    >>> look("<p onclick=canary()>Hello</p>").when
    'on a click'
    """
    internet = web.Internet()
    received: list[Any] = []
    internet.bind("received", lambda _script, value=None: received.append(_joined(value)))
    headers = {"Content-Security-Policy": policy} if policy else {}
    internet.add(HOME, web.static_site({"/": markup}, headers=headers))
    browser = web.Browser(internet)
    tab = browser.open(f"{HOME}/")
    page = tab.page
    elements = list(page.root.walk()) if act else []
    when: When = "on load" if _fired(browser) else "never"
    gestures: tuple[tuple[When, Callable[[web.Element], None]], ...] = (
        ("under the pointer", page.hover),
        ("on a click", page.click),
    )
    for word, gesture in gestures:
        for element in elements:
            if when == "never" and not page.left and _answers(element):
                gesture(element)
                when = word if _fired(browser) else "never"
    refused = tuple(
        dict.fromkeys(
            entry.reason
            for entry in browser.log.only("script", "csp")
            if entry.decision in ("not run", "blocked")
        )
    )
    return Outcome(when, page, tuple(received), refused)


def _joined(value: Any) -> Any:
    """JavaScript's text is made of halves of surrogate pairs; in Python they belong together."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, list):
        return [_joined(item) for item in value]
    if isinstance(value, dict):
        return {_joined(name): _joined(item) for name, item in value.items()}
    return value


def _fired(browser: web.Browser) -> bool:
    return any(canary.origin == HOME for canary in browser.canaries)


def _answers(element: web.Element) -> bool:
    """Whether a click or the pointer could start something: asking the others costs time.

    A plain link to the web only leads away from the page, and from all that is still to be clicked.
    """
    names = element.attributes
    if any(name.startswith("on") for name in names):
        return True
    if is_web_address(names.get("href", "")):
        return False
    links = any(name.endswith("href") for name in names)
    return links or element.name in ("a", "area", "button", "input", "summary")


@dataclass(frozen=True)
class Place:
    """A place of a page where text from people stands.

    Attributes:
        name: What it is called.
        write: Puts prepared text in its place.
        attack: A text that becomes code there, if nothing is done.
        honest: A text that must come through unchanged.
        rule: What to do with text that goes there, in words.
        prepare: The same as code.
        read: What of the text has come through.
    """

    name: str
    write: Callable[[str], str]
    attack: str
    honest: str
    rule: str
    prepare: Callable[[str], str]
    read: Callable[[Outcome], object]

    def page(self, text: str, prepare: Callable[[str], str]) -> str:
        """The whole page around a text."""
        return (
            f'<!doctype html><meta charset="utf-8"><title>Kvittra</title>'
            f"<main>{self.write(prepare(text))}</main><footer>Kvittra</footer>"
        )

    def verdict(self, prepare: Callable[[str], str]) -> Literal["runs", "spoiled", "holds"]:
        """What a preparation does here: attacks run, honest text is spoiled, or it holds."""
        if look(self.page(self.attack, prepare)).ran:
            return "runs"
        arrived = self.read(look(self.page(self.honest, prepare), act=False))
        return "holds" if arrived == self.honest else "spoiled"


def _shown(outcome: Outcome) -> str:
    main = outcome.page.find("main")
    return main.text if main else ""


def _attribute(selector: str, name: str) -> Callable[[Outcome], str]:
    def read(outcome: Outcome) -> str:
        element = outcome.page.find(selector)
        return element.get(name) if element else ""

    return read


def _said(outcome: Outcome) -> object:
    return outcome.received[0] if outcome.received else None


def _titled(outcome: Outcome) -> str:
    button = outcome.page.find("button")
    if button is None:
        return ""
    outcome.page.click(button)
    return button.get("title")


def _colored(outcome: Outcome) -> str:
    style = outcome.page.find("style")
    return style.own_text.removeprefix("p { color: ").removesuffix(" }") if style else ""


def _identity(text: str) -> str:
    return text


def _quoted(text: str) -> str:
    return f'"{html.escape(text)}"'


def _web_only(text: str) -> str:
    return html.escape(text) if is_web_address(text) else ""


def _known_color(text: str) -> str:
    return text if text in ("seagreen", "navy", "crimson") else "black"


def _script_text(text: str) -> str:
    # Without its own quotes, which the place already has.
    return embed_json(text)[1:-1]


NAME = "O'Brien & Söner"
"""A customer whose name has to come through everywhere."""

PLACES: Mapping[str, Place] = MappingProxyType(
    {
        place.name: place
        for place in (
            Place(
                "text",
                lambda text: f"<p>{text}</p>",
                "<img src=x onerror=canary()>",
                NAME,
                "escape `& < > \" '`",
                html.escape,
                _shown,
            ),
            Place(
                "attribute in quotes",
                lambda text: f'<input value="{text}">',
                '"><img src=x onerror=canary()>',
                NAME,
                "escape, inside quotes",
                html.escape,
                _attribute("input", "value"),
            ),
            Place(
                "attribute without quotes",
                lambda text: f"<input value={text}>",
                "x type=image src=x onerror=canary()",
                NAME,
                "write the quotes, then escape",
                _quoted,
                _attribute("input", "value"),
            ),
            Place(
                "address of a link",
                lambda text: f'<a href="{text}">website</a>',
                "javascript:canary()",
                "https://obrien.example/?q=rör&page=2",
                "take http and https only, then escape",
                _web_only,
                _attribute("a", "href"),
            ),
            Place(
                "event handler",
                lambda text: f"<button onclick=\"this.title='{text}'\">?</button>",
                "';canary();'",
                NAME,
                "best no text at all; else JSON, its quotes spelled out, then escaped",
                lambda text: html.escape(_script_text(text).replace("'", "\\u0027")),
                _titled,
            ),
            Place(
                "text in a script",
                lambda text: f'<script>var name = "{text}"; received(name)</script>',
                '";canary();//',
                NAME,
                "JSON, spelled without `<`",
                _script_text,
                _said,
            ),
            Place(
                "style",
                lambda text: f"<style>p {{ color: {text} }}</style>",
                "red }</style><img src=x onerror=canary()>",
                "seagreen",
                "choose from a list of your own",
                _known_color,
                _colored,
            ),
            Place(
                "JSON in a script",
                lambda text: f"<script>var data = {text}; received(data)</script>",
                "</script><img src=x onerror=canary()>",
                NAME,
                "JSON, spelled without `<`",
                embed_json,
                _said,
            ),
        )
    }
)
"""Eight places of a page, each with its own attack and its own rule."""


def as_json(text: str) -> str:
    """Text as JSON, with nothing more done to it: how it usually gets into a script."""
    return json.dumps(text, ensure_ascii=False)


def careless(place: Place) -> Callable[[str], str]:
    """What is done to text in a place when nobody thinks of attacks: JSON becomes JSON."""
    return as_json if place.name == "JSON in a script" else _identity


def escaped_everywhere(place: Place) -> Callable[[str], str]:
    """HTML escaping, whatever the place: in JSON, the JSON is escaped."""
    if place.name == "JSON in a script":
        return lambda text: html.escape(as_json(text))
    return html.escape


@cache
def predictions() -> Mapping[str, str]:
    """For each place, what ``html.escape`` does there: the model browser's answers."""
    return MappingProxyType(
        {name: place.verdict(escaped_everywhere(place)) for name, place in PLACES.items()}
    )


NONCE = "R3ZpdHRyYSBub25jZTE2IQ=="
"""The nonce of one response, as if drawn for it: 16 bytes, in base64."""

OWN_SCRIPT = "received('the page works')"
"""The inline script that belongs to the page of :func:`policy_page`."""

POLICIES: Mapping[str, str] = MappingProxyType(
    {
        "none": "",
        "own files and inline": "script-src 'self' 'unsafe-inline'",
        "own files": "script-src 'self'",
        "hash": f"script-src '{csp_hash(OWN_SCRIPT)}'; base-uri 'none'",
        "nonce": f"script-src 'nonce-{NONCE}'; base-uri 'none'",
    }
)
"""Policies for a page that forgot to escape, from none to one that names the page's own script."""


def policy_page(text: str) -> str:
    """A page with one script of its own that repeats a text as it came."""
    return (
        f'<!doctype html><meta charset="utf-8"><title>Kvittra</title>'
        f'<main>{text}</main><script nonce="{NONCE}">{OWN_SCRIPT}</script>'
    )


def spread_expected(people: int, visits: int, *, bound: int | None = None) -> tuple[float, ...]:
    """People who carry a self-copying profile, on average, before the first visit and after each.

    At each visit somebody, drawn evenly, opens the profile of somebody else, drawn evenly. If that
    profile carries the script, the visitor's does from then on. One person carries it at first.
    The number of carriers is then a Markov chain, and this is its exact mean.

    Args:
        people: People with a profile, 2 to 1,000.
        visits: Visits, 0 to 10,000.
        bound: The script stops copying itself when so many carry it; ``None`` for no bound.

    Raises:
        TypeError: If an argument is no whole number.
        ValueError: If one is out of range.

    >>> [round(mean, 3) for mean in spread_expected(20, 2)]
    [1.0, 1.05, 1.102]
    """
    whole("people", people, low=2, high=1_000)
    whole("visits", visits, low=0, high=10_000)
    most = people if bound is None else whole("bound", bound, low=1, high=people)
    chance = [0.0] * (most + 1)
    chance[1] = 1.0
    means = [1.0]
    for _ in range(visits):
        for carriers in range(most - 1, 0, -1):
            moved = chance[carriers] * infection_probability(people, carriers)
            chance[carriers] -= moved
            chance[carriers + 1] += moved
        means.append(sum(carriers * share for carriers, share in enumerate(chance)))
    return tuple(means)


def infection_probability(people: int, carriers: int) -> float:
    """The chance that one visit brings one more carrier."""
    return (people - carriers) / people * carriers / (people - 1)


def spread_logistic(people: int, visits_each: float) -> float:
    """About how many of many people carry it when each has paid some visits, on average.

    The logistic curve: the mean-field limit of :func:`spread_expected`, beginning with one.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If ``people`` is below 2 or above 10**9, or ``visits_each`` below 0 or not
            finite.

    >>> round(spread_logistic(1_000_000, 20))
    997943
    """
    whole("people", people, low=2, high=10**9)
    grown = math.exp(-min(real("visits_each", visits_each, low=0), 700.0))
    return people / (1 + (people - 1) * grown)
