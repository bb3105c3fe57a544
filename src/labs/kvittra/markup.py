"""Text from people, on its way into a page. Each place in a page has its own rule.

Jinja escapes what it prints, unless it is told that a text is markup already (``Markup``). Every
weak function here tells it so too early, or escapes for another place than the one it prints in.
"""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape


def echo_weak(text: str) -> Markup:
    """What was searched for, to be repeated in a sentence."""
    return Markup(text)


def echo(text: str) -> Markup:
    """What was searched for, to be repeated in a sentence."""
    return escape(text)


def paragraphs_weak(text: str) -> Markup:
    """A note or a message, with its line breaks."""
    return Markup(text.replace("\n", "<br>"))


def paragraphs(text: str) -> Markup:
    """A note or a message, with its line breaks. Escaped first: the only tags are ours."""
    return escape(text).replace("\n", Markup("<br>"))


def value_attribute_weak(text: str) -> Markup:
    """The ``value`` attribute of a field that keeps what was typed."""
    # The mistake: escaping does not touch spaces, and without quotes a space ends the value.
    return Markup("value={}").format(text)


def value_attribute(text: str) -> Markup:
    """The ``value`` attribute of a field that keeps what was typed."""
    return Markup('value="{}"').format(text)


def link_target_weak(address: str) -> str:
    """Where the link to somebody's website leads."""
    return address


def link_target(address: str) -> str:
    """Where the link to somebody's website leads: to the web, or nowhere.

    Escaping does not help here: ``javascript:…`` needs no character that is escaped.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.hostname else ""


def json_for_script_weak(data: Any) -> Markup:
    """``data`` as JSON inside a ``script`` element."""
    # The mistake: valid JSON may contain "</script>", and the browser reads that first.
    return Markup(json.dumps(data, ensure_ascii=False))


def json_for_script(data: Any) -> Markup:
    """``data`` as JSON inside a ``script`` element: the same data, spelled without ``<``."""
    text = json.dumps(data, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def rich_text_weak(source: str) -> Markup:
    """The formatted text that somebody wrote about themselves."""
    return Markup(source)


def rich_text(source: str) -> Markup:
    """The formatted text that somebody wrote about themselves, built anew from an allow-list.

    Nothing of the source is passed on: each allowed tag is written again without its attributes
    (a link keeps a checked address), each text is escaped, and what was opened is closed.
    """
    builder = _RichText()
    builder.feed(source)
    builder.close()
    return builder.result()


class _RichText(HTMLParser):
    """Writes allowed tags and escaped text."""

    allowed = frozenset({"p", "b", "i", "strong", "em", "ul", "ol", "li", "blockquote", "a", "br"})
    dropped_with_content = frozenset({"script", "style", "template", "noscript", "iframe", "title"})
    deepest = 12

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._dropping: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping is None and tag in self.dropped_with_content:
            self._dropping = tag
        if self._dropping is not None or tag not in self.allowed:
            return
        if tag == "br":
            self._parts.append("<br>")
            return
        if len(self._open) >= self.deepest:
            return
        address = link_target(dict(attrs).get("href") or "") if tag == "a" else ""
        link = f' href="{escape(address)}" rel="noopener nofollow ugc"' if address else ""
        self._parts.append(f"<{tag}{link}>")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping is not None:
            if tag == self._dropping:
                self._dropping = None
            return
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self._parts.append(f"</{last}>")
            self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._dropping is None:
            self._parts.append(str(escape(data)))

    def result(self) -> Markup:
        """Everything written, and what is still open closed."""
        return Markup("".join(self._parts) + "".join(f"</{tag}>" for tag in reversed(self._open)))


def section_script_weak() -> str:
    """The script that shows which part of the invoice the address points to."""
    return """
const label = document.getElementById("section");
const show = () => {
  const name = decodeURIComponent(location.hash.slice(1));
  label.innerHTML = name ? "Showing: " + name : "";
};
show();
addEventListener("hashchange", show);
"""


def section_script() -> str:
    """The script that shows which part of the invoice the address points to."""
    return """
const label = document.getElementById("section");
const show = () => {
  const name = location.hash.slice(1);
  const known = document.getElementById(name);
  label.textContent = name && known ? "Showing: " + name : "";
};
show();
addEventListener("hashchange", show);
"""
