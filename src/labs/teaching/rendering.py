"""Shows one thing in two ways: HTML for a screen, plain text for a terminal and for tests.

Everything that a lab displays is a :class:`Shown`. Its HTML is built from escaped text and from
the constant markup of this package only; text that an attacker wrote goes through
:func:`labs.teaching.frames.frame` instead.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib import resources
from typing import Any


@cache
def _markdown() -> Any:
    # Loaded when something is shown: a model that asks the browser shows nothing.
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default").disable(["image", "link", "autolink"])


def inline(text: str) -> str:
    """Render ``code``, *emphasis* and **strong** of one line as HTML; anything else is escaped.

    >>> inline("Use `hmac` & **not** `==`.")
    'Use <code>hmac</code> &amp; <strong>not</strong> <code>==</code>.'
    """
    return str(_markdown().renderInline(text))


def plain(text: str) -> str:
    """The same line for a terminal: the marks for emphasis go, code keeps its backticks."""
    return re.sub(r"(\*{1,2})(\S(?:.*?\S)?)\1", r"\2", text)


def style() -> str:
    """The style element that outputs carry outside the book (the book has the rules already)."""
    css = resources.files("labs.teaching").joinpath("outputs.css").read_text(encoding="utf-8")
    return f"<style data-labs>{css}</style>"


class Shown:
    """Base of everything that a lab displays.

    A subclass writes :meth:`html` (trusted markup around escaped text) and :meth:`text`.
    """

    def html(self) -> str:
        """The HTML for a screen, without the style element."""
        raise NotImplementedError

    def text(self) -> str:
        """The plain text for a terminal, with the same facts."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        return {"text/html": style() + self.html(), "text/plain": self.text()}

    def __str__(self) -> str:
        return self.text()


def escaped(value: object) -> str:
    """``value`` as text that is safe inside HTML, quotes included."""
    return escape(str(value), quote=True)
