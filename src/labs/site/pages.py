"""Pages: where each lies, what stands around its text, and what the search knows of it."""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
from collections.abc import Iterator
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any, cast

from docutils import nodes  # type: ignore[import-untyped]
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util.osutil import relative_uri

from labs import registry
from labs.site import cells, terms
from labs.site.directives import facts

THEME = Path(__file__).parent / "theme"

_PROMISES = "book/promises"
_NO_WORDS = (nodes.section, nodes.title, nodes.raw, nodes.comment, addnodes.glossary)

# Made for other themes: search, highlighting and keyboard shortcuts that this theme does itself.
_NOT_OURS = ("documentation_options.js", "doctools.js", "sphinx_highlight.js")


class BookBuilder(StandaloneHTMLBuilder):
    """Sphinx's HTML builder with the title page at the root and a search of our own."""

    name = "html"
    search = False
    copysource = False

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """Where a page lies, from the site's root; the title page is ``index.html``."""
        if docname == self.config.root_doc:
            return "index.html"
        return super().get_target_uri(docname, typ)

    def get_outfilename(self, pagename: str) -> str:
        """The file that a page is written to."""
        if pagename == self.config.root_doc:
            pagename = "index"
        return super().get_outfilename(pagename)

    def create_pygments_style_file(self) -> None:
        """No file: the colors of code are in ``book.css``, for both themes."""

    def handle_finish(self) -> None:
        """No index of Sphinx's own search, and no inventory for other manuals."""

    def copy_theme_static_files(self, context: dict[str, Any]) -> None:
        """Copy this theme's files, and only these; one style sheet serves pages and outputs."""
        del context
        target = Path(self.outdir, "_static")
        for source in sorted((THEME / "static").iterdir()):
            if source.name == "book.css":
                text = style_sheet()
            else:
                text = source.read_text(encoding="utf-8")
            (target / source.name).write_text(text, encoding="utf-8")


def style_sheet() -> str:
    """The rules of the labs' outputs, then the theme's, which adapt them to the book."""
    outputs = resources.files("labs.teaching").joinpath("outputs.css").read_text(encoding="utf-8")
    theme = (THEME / "static" / "book.css").read_text(encoding="utf-8")
    # The page is read once and downloaded often.
    lean = re.sub(r"/\*.*?\*/", "", outputs + theme, flags=re.DOTALL)
    lean = re.sub(r"\s+", " ", lean)
    return re.sub(r" ?([{};,]) ?", r"\1", lean).replace(";}", "}").strip() + "\n"


def navigation(builder: StandaloneHTMLBuilder, page: str) -> str:
    """The table of contents as nested lists; a part is a ``details``, open where the reader is."""
    env = builder.env
    root = env.config.root_doc
    here = [page]
    parents = {child: docname for docname, found in env.toctree_includes.items() for child in found}
    while here[-1] in parents:
        here.append(parents[here[-1]])
    entries = "".join(_entry(builder, child, page, here, 1) for child in _children(env, root))
    return f"<ul>{_link(builder, root, page)}{entries}</ul>"


def _children(env: BuildEnvironment, docname: str) -> list[str]:
    return env.toctree_includes.get(docname, [])


def _title(env: BuildEnvironment, docname: str) -> str:
    return str(env.titles[docname].astext())


def _link(builder: StandaloneHTMLBuilder, docname: str, page: str, text: str = "") -> str:
    uri = relative_uri(builder.get_target_uri(page), builder.get_target_uri(docname)) or "#"
    current = ' aria-current="page"' if docname == page else ""
    label = escape(text or _title(builder.env, docname))
    return f'<li><a href="{escape(uri)}"{current}>{label}</a></li>'


def _entry(
    builder: StandaloneHTMLBuilder, docname: str, page: str, here: list[str], depth: int
) -> str:
    children = _children(builder.env, docname)
    if not children:
        text = "Lab" if docname.startswith("notebooks/") and depth > 2 else ""
        return _link(builder, docname, page, text)
    inner = "".join(_entry(builder, child, page, here, depth + 1) for child in children)
    if depth > 1:
        return _link(builder, docname, page).removesuffix("</li>") + f"<ul>{inner}</ul></li>"
    is_open = " open" if docname in here else ""
    title, _, explained = _title(builder.env, docname).partition(": ")
    note = f" <span>{escape(explained)}</span>" if explained else ""
    return (
        f"<li><details{is_open}><summary>{escape(title)}{note}</summary>"
        f"<ul>{_link(builder, docname, page, 'About this part')}{inner}</ul></details></li>"
    )


def _on_this_page(doctree: nodes.document | None) -> str:
    top = next(doctree.findall(nodes.section), None) if doctree is not None else None
    if top is None:
        return ""
    sections = [child for child in top.children if isinstance(child, nodes.section)]
    if len(sections) < 2:
        return ""
    items = []
    for section in sections:
        title = next(section.findall(nodes.title)).astext()
        items.append(f'<li><a href="#{escape(section["ids"][0])}">{escape(title)}</a></li>')
    return f"<ul>{''.join(items)}</ul>"


def _adapted(body: str) -> str:
    """The text with tables that scroll by themselves, and without roles that are withdrawn."""
    body = re.sub(r' role="(?:doc-biblioentry|doc-backlink|list)"', "", body)
    return re.sub(
        r'<table class="docutils.*?</table>',
        r'<div class="table-wrap">\g<0></div>',
        body,
        flags=re.S,
    )


def _description(title: str, doctree: nodes.document | None) -> str:
    """What a list of search results says of a page: its first paragraph, shortened."""
    first = next(doctree.findall(nodes.paragraph), None) if doctree is not None else None
    words = " ".join(first.astext().split()) if first is not None else ""
    return textwrap.shorten(words, 160, placeholder=" …") or title


def _entry_of(docname: str) -> registry.Entry | None:
    for entry in registry.lessons():
        if docname in (entry.page.removesuffix(".md"), entry.notebook.removesuffix(".ipynb")):
            return entry
    return None


def _is_notebook(env: BuildEnvironment, page: str) -> bool:
    return page in env.all_docs and env.doc2path(page).endswith(".ipynb")


def _linked_facts(builder: StandaloneHTMLBuilder, page: str, entry: registry.Entry) -> str:
    """A lesson's facts, each promise leading to what the book says about it."""
    text = escape(facts(entry))
    if _PROMISES in builder.env.all_docs:
        uri = relative_uri(builder.get_target_uri(page), builder.get_target_uri(_PROMISES))
        for promise in entry.lesson.promises:
            text = re.sub(rf"\b{promise}\b", f'<a href="{uri}#{promise}">{promise}</a>', text)
    return text


def _context(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    builder = cast(StandaloneHTMLBuilder, app.builder)
    context["script_files"] = [
        script
        for script in context["script_files"]
        if script.filename
        and "://" not in str(script.filename)
        and Path(str(script.filename)).name not in _NOT_OURS
    ]
    context["css_files"] = [
        style
        for style in context["css_files"]
        if "mystnb" not in str(style.filename) and "pygments" not in str(style.filename)
    ]
    if "body" in context:
        context["body"] = _adapted(context["body"])
    context["navigation"] = navigation(builder, page)
    context["on_this_page"] = _on_this_page(doctree)
    context["popovers"] = terms.popovers(doctree)
    context["is_title_page"] = page == app.config.root_doc
    context.setdefault("run_here", False)
    context["notebook"] = f"{page}.ipynb" if _is_notebook(app.env, page) else ""
    # A lesson and its lab share a title; whoever turns pages should know which is which.
    for side, place in ((1, "prev"), (2, "next")):
        other = builder.relations.get(page, (None, None, None))[side]
        if other and _is_notebook(app.env, other) and context.get(place):
            context[place] = {**context[place], "title": f"Lab: {context[place]['title']}"}
    entry = _entry_of(page)
    context["facts"] = _linked_facts(builder, page, entry) if entry else ""
    context["description"] = _description(app.config.html_title, doctree)


def _copy_notebooks(app: Sphinx, error: Exception | None) -> None:
    """Put each notebook beside its page, to download."""
    if error or app.builder.format != "html":
        return
    for docname in sorted(app.env.all_docs):
        source = Path(app.env.doc2path(docname))
        if source.suffix != ".ipynb":
            continue
        text = source.read_text(encoding="utf-8")
        notebook = json.loads(text)
        reader = cells.published(notebook)
        if len(reader["cells"]) != len(notebook["cells"]):
            text = json.dumps(reader, indent=1, ensure_ascii=False) + "\n"
        target = Path(app.outdir, f"{docname}.ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _drop_strays(app: Sphinx, error: Exception | None) -> None:
    """Remove pages that are no longer listed, and the style sheet that myst-nb always adds."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    strays = list(site.glob("_static/mystnb.*.css"))
    for folder in ("book", "notebooks"):
        for file in [*site.glob(f"{folder}/**/*.html"), *site.glob(f"{folder}/**/*.ipynb")]:
            if file.relative_to(site).with_suffix("").as_posix() not in app.env.all_docs:
                strays.append(file)
    for file in strays:
        file.unlink()


def _known_texts(env: BuildEnvironment) -> dict[str, list[tuple[str, str, str]]]:
    if not hasattr(env, "labs_texts"):
        env.labs_texts = {}  # type: ignore[attr-defined]
    return env.labs_texts  # type: ignore[attr-defined,no-any-return]


def _collect_text(app: Sphinx, doctree: nodes.document) -> None:
    sections = []
    for section in doctree.findall(nodes.section):
        title = next(section.findall(nodes.title)).astext()
        words = " ".join(_words(section)).split()
        sections.append((section["ids"][0], title, " ".join(words)))
        for item in _glossary_items(section):
            names = [term.astext() for term in item.findall(nodes.term)]
            words = " ".join(c.astext() for c in item.findall(nodes.definition)).split()
            anchor = next(item.findall(nodes.term))["ids"][0]
            sections.append((anchor, ", ".join(names), " ".join(words)))
    _known_texts(app.env)[app.env.docname] = sections


def _glossary_items(section: nodes.section) -> Iterator[nodes.definition_list_item]:
    for child in section.children:
        if isinstance(child, addnodes.glossary):
            yield from child.findall(nodes.definition_list_item)


def _words(section: nodes.section) -> Iterator[str]:
    for child in section.children:
        if isinstance(child, _NO_WORDS):
            continue
        if isinstance(child, nodes.container) and child.get("nb_element"):
            # Of a cell the reader searches the code; outputs repeat what the text says.
            child = child.children[0] if child.children else child
        yield child.astext().replace("\n", " ")


def _purge_text(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _known_texts(env).pop(docname, None)


def _merge_text(
    _app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
) -> None:
    _known_texts(env).update({k: v for k, v in _known_texts(other).items() if k in docnames})


def _write_search(app: Sphinx, error: Exception | None) -> None:
    """Write every section's text where the search page finds it, also from a local file."""
    if error or app.builder.format != "html":
        return
    rows = []
    for docname, sections in sorted(_known_texts(app.env).items()):
        uri = app.builder.get_target_uri(docname)
        page = app.env.titles[docname].astext()
        if _is_notebook(app.env, docname):
            page = f"Lab: {page}"
        for number, (anchor, title, text) in enumerate(sections):
            rows.append([uri + (f"#{anchor}" if number else ""), page, title, text])
    data = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    Path(app.outdir, "search-index.js").write_text(f"self.labsSearchIndex={data};\n", "utf-8")


def _pages(_app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "search", {"title": "Search"}, "search.html"


def _address_of_title_page(app: Sphinx, error: Exception | None) -> None:
    """Lead from the title page's source path to the title page."""
    root = app.config.root_doc
    if error or app.builder.format != "html" or root == "index":
        return
    up = "../" * root.count("/") + "index.html"
    target = Path(app.outdir, f"{root}.html")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(app.config.project)}'
        f'</title><meta http-equiv="refresh" content="0; url={up}">'
        f'<main><h1><a href="{up}">{escape(app.config.project)}</a></h1></main></html>\n',
        encoding="utf-8",
    )


def fingerprint(folder: Path, suffix: str = "") -> str:
    """A digest of the files in ``folder``: when it changes, pages are made anew."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob(f"*{suffix}")):
        if file.is_file() and not {"__pycache__", "node_modules"} & set(file.parts):
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def setup(app: Sphinx) -> None:
    """Register the builder, the theme and what surrounds a page."""
    app.add_builder(BookBuilder, override=True)
    app.add_html_theme("trust-tested", str(THEME))
    app.add_js_file("book.js", type="module")
    app.connect("html-page-context", _context)
    app.connect("html-collect-pages", _pages)
    app.connect("doctree-read", _collect_text)
    app.connect("env-purge-doc", _purge_text)
    app.connect("env-merge-info", _merge_text)
    app.connect("build-finished", _copy_notebooks)
    app.connect("build-finished", _drop_strays, priority=900)
    app.connect("build-finished", _write_search)
    app.connect("build-finished", _address_of_title_page)
