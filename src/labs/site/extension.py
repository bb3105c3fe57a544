"""The Sphinx extension of the book, named in ``_config.yml``: it sets up all the others."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from labs import __version__, registry
from labs.site import cells, directives, mathml, pages, proof, terms

_OPTIONAL = ("labs.site.frames", "labs.site.run_here")
"""Slider frames and Python in the page: each has a ``setup`` of its own."""


def _remember(_app: Sphinx, config: Config) -> None:
    """Put what pages are made from into the configuration, so that a change is noticed."""
    code = pages.fingerprint(Path(__file__).parent, ".py")
    config.labs_sources = code + repr((registry.promises(), registry.lessons()))
    config.labs_look = pages.fingerprint(pages.THEME) + pages.style_sheet()


def _outputs_folder(app: Sphinx) -> None:
    # myst-nb keeps its files beside the output, where two books would share them.
    app.env.mystnb_config = app.env.mystnb_config.copy(  # type: ignore[attr-defined]
        output_folder=str(Path(app.doctreedir).parent / "outputs")
    )


def _above(
    _app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], removed: set[str]
) -> list[str]:
    """Read the pages anew that list a page which is gone: only reading tells that it is missing."""
    return [page for page, below in env.toctree_includes.items() if removed & {*below}]


def setup(app: Sphinx) -> dict[str, Any]:
    """Set up the book's extensions, and the optional ones that are there."""
    app.add_config_value("labs_sources", "", "env")
    app.add_config_value("labs_look", "", "html")
    app.connect("config-inited", _remember)
    app.connect("builder-inited", _outputs_folder, priority=900)
    app.connect("env-get-outdated", _above)
    app.setup_extension("sphinx_external_toc")
    # It brings an extension that numbers sections after reading, and does not say that this is
    # no obstacle to reading in parallel.
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True
    for extension in (pages, cells, terms, mathml, directives, proof):
        extension.setup(app)
    for name in _OPTIONAL:
        if find_spec(name) is not None and hasattr(import_module(name), "setup"):
            app.setup_extension(name)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
