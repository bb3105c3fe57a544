"""html5lib's parser with bounds: markup that is built to be slow stays quick to read.

html5lib follows the HTML Standard, section 13.2, and takes time that grows with the square of
some sizes: the depth of open elements, the formatting elements that are open at once, the
attributes of one element. Each is bounded here, far above what honest pages have. Chromium too
stops nesting, at 512 elements, but goes on beside them; the model leaves deeper elements out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from html5lib import HTMLParser, getTreeBuilder
from html5lib._tokenizer import HTMLTokenizer
from html5lib.constants import tokenTypes
from html5lib.treebuilders.base import ActiveFormattingElements

MAX_MARKUP = 256 * 1024
"""Longest document in characters; what is beyond it is not read."""

MAX_TAGS = 20_000
"""Most tags of one document, start and end, and most elements; what comes later is not read."""

MAX_DEPTH = 256
"""Most elements within one another."""

MAX_ATTRIBUTES = 200
"""Most attributes of one element."""

MAX_FORMATTING = 20
"""Most formatting elements (``b``, ``i``, ``a``, …) that are open at once."""

_STARTS = (tokenTypes["StartTag"], tokenTypes["EmptyTag"])
_TAGS = (*_STARTS, tokenTypes["EndTag"])


class _Formatting(ActiveFormattingElements):  # type: ignore[misc]
    def append(self, node: Any) -> None:
        if len(self) >= MAX_FORMATTING:
            del self[0]
        super().append(node)


class _Tree(getTreeBuilder("etree")):  # type: ignore[misc]
    def reset(self) -> None:
        super().reset()
        self.activeFormattingElements = _Formatting()
        self.made = 0

    def insertElementNormal(self, token: Any) -> Any:  # noqa: N802 - the base's name
        self.made += 1
        return super().insertElementNormal(token)


class _Tokenizer(HTMLTokenizer):  # type: ignore[misc]
    def __iter__(self) -> Iterator[Any]:
        count = 0
        for token in super().__iter__():
            count += token["type"] in _TAGS
            if max(count, self.parser.tree.made) > MAX_TAGS:
                return
            deep = len(self.parser.tree.openElements) >= MAX_DEPTH
            if not (deep and token["type"] in _STARTS):
                yield token

    def _bound(self) -> None:
        attributes = self.currentToken["data"]
        if len(attributes) > MAX_ATTRIBUTES:
            del attributes[MAX_ATTRIBUTES:]

    def beforeAttributeNameState(self) -> Any:  # noqa: N802 - the base's name
        self._bound()
        return super().beforeAttributeNameState()

    def afterAttributeNameState(self) -> Any:  # noqa: N802 - the base's name
        self._bound()
        return super().afterAttributeNameState()


class BoundedParser(HTMLParser):  # type: ignore[misc]
    """A parser for documents and fragments, to be used again and again."""

    def __init__(self) -> None:
        super().__init__(tree=_Tree)

    def _parse(
        self,
        stream: str,
        innerHTML: bool = False,  # noqa: N803 - the base's name
        container: str = "div",
        scripting: bool = True,
        **_options: Any,
    ) -> None:
        self.innerHTMLMode = innerHTML
        self.container = container
        self.scripting = scripting
        self.tokenizer = _Tokenizer(stream[:MAX_MARKUP], parser=self)
        self.reset()
        self.mainLoop()
