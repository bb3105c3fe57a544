"""Glossary terms: each page carries the definitions of the terms that it uses.

A ``{term}`` stays an ordinary link to the glossary. The definition waits in a native popover at
the end of the page; ``book.js`` shows it when the link is hovered, focused or tapped.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

Definitions = dict[str, tuple[str, str]]


def _known(env: BuildEnvironment) -> dict[str, Definitions]:
    if not hasattr(env, "labs_definitions"):
        env.labs_definitions = {}  # type: ignore[attr-defined]
    return env.labs_definitions  # type: ignore[attr-defined,no-any-return]


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    found: Definitions = {}
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            paragraph = next(item.findall(nodes.paragraph), None)
            if paragraph is None:
                continue
            for term in item.findall(nodes.term):
                for name in term["ids"]:
                    found[name] = (_text(term), _text(paragraph))
    if found:
        _known(app.env)[app.env.docname] = found


def _text(node: nodes.Element) -> str:
    # An index entry inside a term has text of its own, which nobody should read aloud.
    parts = [
        t.astext() for t in node.findall(nodes.Text) if not isinstance(t.parent, addnodes.index)
    ]
    return " ".join("".join(parts).split())


def _purge(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _known(env).pop(docname, None)


def _merge(
    _app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
) -> None:
    _known(env).update({name: page for name, page in _known(other).items() if name in docnames})


def _all(env: BuildEnvironment) -> Definitions:
    return {name: entry for page in _known(env).values() for name, entry in page.items()}


def _changed(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages to write again when a definition has changed: all, since any may use it."""
    now = _all(env)
    before = getattr(env, "labs_definitions_written", now)
    env.labs_definitions_written = now  # type: ignore[attr-defined]
    return sorted(env.found_docs) if before != now else []


def _resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    definitions = _all(app.env)
    used: Definitions = {}
    for reference in doctree.findall(nodes.reference):
        if not any("std-term" in child.get("classes", ()) for child in _elements(reference)):
            continue
        name = (reference.get("refuri", "").partition("#")[2]) or reference.get("refid", "")
        if name in definitions and docname not in _known(app.env):
            used[name] = definitions[name]
            reference["classes"].append("term")
    doctree["labs_terms"] = used


def _elements(node: nodes.Element) -> list[nodes.Element]:
    return [child for child in node.children if isinstance(child, nodes.Element)]


def popovers(doctree: nodes.document | None) -> str:
    """The definitions of the terms that a page uses, as popovers."""
    used: dict[str, Any] = doctree.get("labs_terms", {}) if doctree is not None else {}
    return "".join(
        f'<div class="definition" popover role="note" id="def-{escape(name)}">'
        f"<strong>{escape(term)}</strong> {escape(definition)}</div>\n"
        for name, (term, definition) in sorted(used.items())
    )


def setup(app: Sphinx) -> None:
    """Connect collecting and using definitions."""
    app.connect("doctree-read", _collect)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _changed)
    app.connect("doctree-resolved", _resolve)
