"""Notebooks as pages: which cells the book shows, and the markup of a code cell.

The markup is what the in-page runner starts from::

    <div class="cell" data-cell="3" data-tags="exercise">
      <div class="cell_input">…</div>
      <div class="cell_output">…</div>
    </div>

``data-cell`` is the cell's position in the committed notebook, counted from 0.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

EXPLORE = "application/vnd.labs.explore+json"
WIDGET = "application/vnd.jupyter.widget-view+json"

_STYLE = re.compile(r"<style data-labs>.*?</style>", re.DOTALL)
_LABELS = {"exercise": "Your turn", "builders": "For builders"}
_FOLDS = {
    "solution": "all",
    "hide-cell": "all",
    "hide-input": "input",
    "hide-output": "output",
}
_SUMMARIES = {"solution": "A solution", "all": "Show the cell", "input": "Show the code"}


def published(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook that a reader may download: the committed one without ``instructor`` cells."""
    kept = [cell for cell in notebook["cells"] if "instructor" not in _tags(cell)]
    return {**notebook, "cells": kept}


def prepared(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook as the book renders it.

    Instructor cells go; every cell remembers its position; outputs lose the style element that
    the book's own style sheet holds already, and the formats that a page has no use for.
    """
    cells = []
    for position, cell in enumerate(notebook["cells"]):
        tags = _tags(cell)
        if "instructor" in tags:
            continue
        metadata = {**cell.get("metadata", {}), "labs_cell": position}
        changed = {**cell, "metadata": metadata}
        if cell["cell_type"] == "code":
            changed["outputs"] = [_output(output) for output in cell.get("outputs", [])]
        elif cell["cell_type"] == "markdown":
            changed["source"] = _markdown(_joined(cell["source"]), tags)
        cells.append(changed)
    metadata = {k: v for k, v in notebook["metadata"].items() if k != "widgets"}
    return {**notebook, "metadata": metadata, "cells": cells}


def _tags(cell: dict[str, Any]) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _output(output: dict[str, Any]) -> dict[str, Any]:
    data = output.get("data")
    if data is None:
        return output
    kept = {kind: value for kind, value in data.items() if kind not in (EXPLORE, WIDGET)}
    if "text/html" in kept:
        kept["text/html"] = _STYLE.sub("", _joined(kept["text/html"]))
    return {**output, "data": kept}


def _markdown(source: str, tags: list[str]) -> str:
    if "solution" in tags:
        return f"::::::{{dropdown}} {_SUMMARIES['solution']}\n{source}\n::::::\n"
    if "builders" in tags:
        note = "{.for-builders}\nFor builders"
        heading, newline, rest = source.partition("\n")
        if heading.startswith("#"):
            return f"{heading}\n\n{note}\n{newline}{rest}"
        return f"{note}\n\n{source}"
    return source


def _read(app: Sphinx, docname: str, content: list[str]) -> None:
    if app.env.doc2path(docname).endswith(".ipynb"):
        content[0] = json.dumps(prepared(json.loads(content[0])))


class cell(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801 - a docutils node
    """A code cell with its input and its output."""


class fold(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801 - a docutils node
    """Something that the reader opens."""


class CellMarkup(SphinxPostTransform):
    """Replaces the cells of myst-nb with ours, folding what their tags ask for."""

    default_priority = 100
    formats = ("html",)

    def run(self, **_options: Any) -> None:
        """Replace every code cell of the page."""
        for old in list(self.document.findall(nodes.container)):
            if old.get("nb_element") != "cell_code":
                continue
            metadata = old["cell_metadata"]
            tags = metadata.get("tags", [])
            new = cell(position=metadata.get("labs_cell", old["cell_index"]), tags=tags)
            new.source, new.line = old.source, old.line
            new.extend(_folded(old.children, tags))
            old.replace_self(new)


def _folded(parts: list[nodes.Node], tags: list[str]) -> list[nodes.Node]:
    asked = [tag for tag in _FOLDS if tag in tags]
    whole = next((tag for tag in asked if _FOLDS[tag] == "all"), None)
    if whole:
        summary = _SUMMARIES.get(whole, _SUMMARIES["all"])
        return [fold("", *parts, summary=summary, kind=whole)]
    out = []
    for part in parts:
        kind = "input" if "cell_input" in part["classes"] else "output"
        if any(_FOLDS[tag] == kind for tag in asked):
            summary = "Show the code" if kind == "input" else "Show the output"
            out.append(fold("", part, summary=summary, kind=f"hide-{kind}"))
        else:
            out.append(part)
    return out


def _visit_cell(self: Any, node: cell) -> None:
    tags = " ".join(node["tags"])
    self.body.append(
        f'<div class="cell" data-cell="{node["position"]}" data-tags="{escape(tags)}">\n'
    )
    labels = [text for tag, text in _LABELS.items() if tag in node["tags"]]
    if labels:
        self.body.append(f'<p class="cell_label">{" · ".join(labels)}</p>\n')


def _depart_cell(self: Any, _node: cell) -> None:
    self.body.append("</div>\n")


def _visit_fold(self: Any, node: fold) -> None:
    self.body.append(
        f'<details class="fold {escape(node["kind"])}">'
        f"<summary>{escape(node['summary'])}</summary>\n"
    )


def _depart_fold(self: Any, _node: fold) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    """Connect the steps that turn a notebook into a page."""
    app.connect("source-read", _read)
    app.add_post_transform(CellMarkup)
    app.add_node(cell, html=(_visit_cell, _depart_cell))
    app.add_node(fold, html=(_visit_fold, _depart_fold))
