"""Markup as a browser reads it: a tree, and what in it may turn into running code.

Parsing is the HTML Standard's algorithm (section 13.2) as ``html5lib`` implements it, with
scripting on: broken markup is repaired the way browsers repair it, which is where many filters
are fooled. The tree is small on purpose: elements, attributes, text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from typing import Any

from labs.browser.parsing import BoundedParser

HTML = "http://www.w3.org/1999/xhtml"
"""Namespace of HTML elements."""

SVG = "http://www.w3.org/2000/svg"
"""Namespace of SVG elements."""

MATHML = "http://www.w3.org/1998/Math/MathML"
"""Namespace of MathML elements."""

VOID = frozenset(
    (  # noqa: SIM905 - a list of words reads better as words
        "area base br col embed hr img input link meta param source track wbr"
    ).split()
)
"""Elements without an end tag."""

RAW_TEXT = frozenset(
    ["style", "script", "xmp", "iframe", "noembed", "noframes", "plaintext", "noscript"]
)
"""Elements whose text is not escaped when they are written out, with scripting on."""

_XLINK = "{http://www.w3.org/1999/xlink}"


@dataclass(eq=False)
class Element:
    """An element of a page.

    Args:
        name: Its name; in lower case for HTML.
        namespace: :data:`HTML`, :data:`SVG` or :data:`MATHML`.
        attributes: Names to values, ``xlink:href`` as ``xlink:href``.
        children: Elements and text, in order.
        parent: The element around it.
    """

    name: str
    namespace: str = HTML
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    parent: Element | None = field(default=None, repr=False)

    def get(self, name: str, default: str = "") -> str:
        """The value of an attribute."""
        return self.attributes.get(name, default)

    def is_html(self, *names: str) -> bool:
        """Whether it is an HTML element of one of these names."""
        return self.namespace == HTML and self.name in names

    def walk(self) -> Iterator[Element]:
        """Itself and every element below, in document order."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack += [child for child in reversed(element.children) if isinstance(child, Element)]

    def ancestors(self) -> Iterator[Element]:
        """The elements around it, innermost first."""
        element = self.parent
        while element is not None:
            yield element
            element = element.parent

    @property
    def own_text(self) -> str:
        """The text directly inside, as a script's code is."""
        return "".join(child for child in self.children if isinstance(child, str))

    @property
    def text(self) -> str:
        """All text inside, without that of scripts and styles."""
        parts: list[str] = []
        stack: list[Element | str] = [self]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                parts.append(node)
            elif node.name.lower() not in ("script", "style", "template") or node is self:
                stack += reversed(node.children)
        return "".join(parts)

    @property
    def outer_html(self) -> str:
        """The element written out again (HTML Standard, section 13.3)."""
        parts: list[str] = []
        stack: list[tuple[Element | str, bool]] = [(self, False)]
        while stack:
            node, raw = stack.pop()
            if isinstance(node, str):
                parts.append(node if raw else escape(node, quote=False))
                continue
            attributes = "".join(
                f' {name}="{value.replace("&", "&amp;").replace(chr(34), "&quot;")}"'
                for name, value in node.attributes.items()
            )
            parts.append(f"<{node.name}{attributes}>")
            if node.namespace == HTML and node.name in VOID:
                continue
            raw_inside = node.namespace == HTML and node.name in RAW_TEXT
            end: tuple[str, bool] = (f"</{node.name}>", True)
            stack.append(end)
            stack += [(child, raw_inside) for child in reversed(node.children)]
        return "".join(parts)

    @property
    def inner_html(self) -> str:
        """What is inside, written out again."""
        outer = self.outer_html
        if self.namespace == HTML and self.name in VOID:
            return ""
        return outer[_start_tag_length(self) : len(outer) - len(self.name) - 3]

    def append(self, child: Element | str) -> None:
        """Add a child at the end."""
        if isinstance(child, Element):
            child.parent = self
        self.children.append(child)

    def find_all(self, selector: str) -> list[Element]:
        """The elements inside that a selector names.

        The selectors are a small part of CSS: ``tag``, ``#id``, ``.class``, ``[attribute]``,
        ``[attribute="value"]`` (also ``^=``, ``$=``, ``*=``), joined, and a space for "inside".

        Raises:
            ValueError: If the selector uses more than that.
        """
        steps = _selector(selector)
        return [element for element in self.walk() if element is not self and _fits(element, steps)]

    def find(self, selector: str) -> Element | None:
        """The first of :meth:`find_all`, or ``None``."""
        return next(iter(self.find_all(selector)), None)


def _start_tag_length(element: Element) -> int:
    bare = Element(element.name, element.namespace, element.attributes)
    return len(bare.outer_html) - len(element.name) - 3


@dataclass(frozen=True, slots=True)
class _Step:
    tag: str
    tests: tuple[tuple[str, str, str], ...]


_SIMPLE = re.compile(
    r"(?P<tag>\*|[A-Za-z][\w-]*)|#(?P<id>[\w-]+)|\.(?P<class>[\w-]+)"
    r"|\[(?P<name>[\w:-]+)(?:(?P<op>[\^$*]?=)(?P<value>\"[^\"]*\"|'[^']*'|[^\]\"']+))?\]"
)


@lru_cache(maxsize=256)
def _selector(selector: str) -> tuple[_Step, ...]:
    steps = []
    for part in re.findall(r"(?:\[[^\]]*\]|\S)+", selector):
        tag, tests, position = "*", [], 0
        while position < len(part):
            match = _SIMPLE.match(part, position)
            if not match or (match["tag"] and position):
                raise ValueError(f"selector {selector!r} is more than the model reads")
            position = match.end()
            if match["tag"]:
                tag = match["tag"].lower()
            elif match["id"]:
                tests.append(("id", "=", match["id"]))
            elif match["class"]:
                tests.append(("class", "~", match["class"]))
            else:
                value = (match["value"] or "").strip("\"'")
                tests.append((match["name"].lower(), match["op"] or "", value))
        steps.append(_Step(tag, tuple(tests)))
    if not steps:
        raise ValueError("selector must not be empty")
    return tuple(steps)


def _fits(element: Element, steps: tuple[_Step, ...]) -> bool:
    if not _fits_step(element, steps[-1]):
        return False
    rest = list(steps[:-1])
    for ancestor in element.ancestors():
        if rest and _fits_step(ancestor, rest[-1]):
            rest.pop()
    return not rest


def _fits_step(element: Element, step: _Step) -> bool:
    if step.tag not in ("*", element.name.lower()):
        return False
    for name, operator, wanted in step.tests:
        actual = element.attributes.get(name)
        if actual is None:
            return False
        holds = {
            "": True,
            "=": actual == wanted,
            "~": wanted in actual.split(),
            "^=": bool(wanted) and actual.startswith(wanted),
            "$=": bool(wanted) and actual.endswith(wanted),
            "*=": bool(wanted) and wanted in actual,
        }[operator]
        if not holds:
            return False
    return True


def parse_document(markup: str) -> Element:
    """The tree of a whole document; its root is the ``html`` element.

    >>> parse_document("<p>one<p>two").find_all("p")[1].text
    'two'
    """
    return _convert(_parser().parse(_cut(markup), scripting=True))


def empty_document() -> Element:
    """The tree of an empty document: ``html`` with ``head`` and ``body``."""
    root = Element("html")
    root.append(Element("head"))
    root.append(Element("body"))
    return root


def parse_fragment(markup: str, container: str = "div") -> Element:
    """The tree that ``innerHTML = markup`` makes inside a container element."""
    root = _convert(_parser().parseFragment(_cut(markup), container=container, scripting=True))
    return Element(container, children=root.children)


@lru_cache(maxsize=1)
def _parser() -> BoundedParser:
    # Making one costs more than parsing a small page with it; each parse starts afresh.
    return BoundedParser()


def _cut(markup: str) -> str:
    # A lone surrogate cannot be in a document; html5lib would refuse it.
    return re.sub(r"[\ud800-\udfff]", "\ufffd", markup)


def _convert(root: Any) -> Element:
    """From html5lib's tree to ours, without recursion, which deep nesting would exhaust."""
    top = Element("#root")
    stack: list[tuple[Any, Element]] = [(root, top)]
    while stack:
        source, parent = stack.pop()
        if isinstance(source, str):
            parent.children.append(source)
            continue
        if not isinstance(source.tag, str):
            continue
        namespace, _, name = source.tag.rpartition("}")
        element = Element(
            name,
            namespace[1:] or HTML,
            {_attribute(key): value for key, value in source.attrib.items()},
        )
        parent.append(element)
        inside: list[tuple[Any, Element]] = []
        if source.text:
            inside.append((source.text, element))
        for child in source:
            inside.append((child, element))
            if child.tail:
                inside.append((child.tail, element))
        stack += reversed(inside)
    elements = [child for child in top.children if isinstance(child, Element)]
    result = elements[-1] if elements else Element("html")
    result.parent = None
    return result


def _attribute(key: str) -> str:
    if key.startswith(_XLINK):
        return "xlink:" + key[len(_XLINK) :]
    return key.rpartition("}")[2]
