"""The Sphinx extension: the button's script on lab pages, the runtime in the built site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _JavaScript
from sphinx.config import Config
from sphinx.util import logging

from labs.site import data, node
from labs.site.run_here.builder import copy, prepare

_log = logging.getLogger(__name__)


def _prepare(app: Sphinx, config: Config) -> None:
    """Build the runtime, or say in one sentence why there is none."""
    config.run_here_ready = False
    config.run_here_folder = ""
    if not config.run_here:
        return
    folder = config.run_here_distribution
    cache = Path(app.srcdir, node.CACHE)
    try:
        data.install(cache)
        built = prepare(
            cache=cache,
            distribution=Path(app.srcdir, folder) if folder else None,
            isolate=config.run_here_isolate,
        )
    except node.NodeError as reason:
        # Not a warning: the book is whole without it, and warnings end a strict build.
        _log.info("Run here is left out: %s", reason)
        return
    config.run_here_ready = True
    config.run_here_folder = str(built.folder)


def _copy(app: Sphinx) -> None:
    """Put the runtime beside the pages, before a page refers to it."""
    if app.config.run_here_ready and app.builder.format == "html" and app.builder.name != "epub":
        copy(Path(app.config.run_here_folder), Path(app.outdir))


def _mark(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Give lab pages, and only these, the small script that makes the button work."""
    lab = page in app.env.all_docs and app.env.doc2path(page).endswith(".ipynb")
    context["run_here"] = bool(lab and app.config.run_here_ready)
    if context["run_here"]:
        script = _JavaScript("_run/run.js", priority=900, defer="defer")
        context["script_files"] = [*context["script_files"], script]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the configuration values and connect the three steps."""
    app.add_config_value("run_here", True, "html", [bool])
    app.add_config_value("run_here_distribution", "", "html", [str])
    app.add_config_value("run_here_isolate", False, "html", [bool])
    # Pages change when the button comes or goes, not whenever the labs behind it change.
    app.add_config_value("run_here_ready", False, "html", [bool])
    app.add_config_value("run_here_folder", "", "", [str])
    app.connect("config-inited", _prepare)
    app.connect("builder-inited", _copy)
    app.connect("html-page-context", _mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
