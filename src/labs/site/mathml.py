"""Maths as MathML, made when the book is built: no script, no font, no other host."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

_LOG = logging.getLogger(__name__)


def mathml(latex: str, *, block: bool = False) -> str:
    """``latex`` as a ``math`` element.

    Raises:
        ValueError: If it is not understood.

    >>> mathml("x^2")[:48]
    '<math xmlns="http://www.w3.org/1998/Math/MathML"'
    >>> mathml(r"\\nosuch{x}")
    Traceback (most recent call last):
    ...
    ValueError: cannot read the formula '\\\\nosuch{x}': \\nosuch is unknown
    """
    try:
        drawn = str(convert(latex, display="block" if block else "inline"))
    except Exception as error:  # the converter has a dozen exceptions without a common base
        raise ValueError(f"cannot read the formula {latex!r}: {type(error).__name__}") from error
    unknown = re.search(r"<mi>(\\[A-Za-z]+)", drawn)
    if unknown:
        raise ValueError(f"cannot read the formula {latex!r}: {unknown[1]} is unknown")
    return drawn


def _visit(self: Any, node: nodes.Element, *, block: bool) -> None:
    try:
        drawn = mathml(node.astext(), block=block)
    except ValueError as error:
        _LOG.warning("%s", error, location=node)
        raise nodes.SkipNode from None
    if block:
        number = node.get("number")
        label = f'<span class="equation-number">({number})</span>' if number else ""
        ids = "".join(f' id="{name}"' for name in node["ids"][:1])
        drawn = f'<div class="math"{ids}>{drawn}{label}</div>\n'
    self.body.append(drawn)
    raise nodes.SkipNode


def _visit_inline(self: Any, node: nodes.Element) -> None:
    _visit(self, node, block=False)


def _visit_block(self: Any, node: nodes.Element) -> None:
    _visit(self, node, block=True)


def setup(app: Sphinx) -> None:
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
