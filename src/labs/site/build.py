"""Builds the book: ``python -m labs.site.build`` or ``make book``.

``_config.yml`` and ``_toc.yml`` are read by Jupyter Book, which turns them into a configuration
of Sphinx; Sphinx then runs in this process, without the parts of Jupyter Book that load scripts
from other hosts. Warnings are errors, and every reference must lead somewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from labs.arguments import whole

# What Jupyter Book adds and this theme does itself, or that asks another host.
_LEFT_OUT = {
    "sphinx.ext.intersphinx",
    "sphinx_book_theme",
    "sphinx_comments",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_jupyterbook_latex",
    "sphinx_multitoc_numbering",
    "sphinx_thebe",
    "sphinx_togglebutton",
}

_SHOWN = re.compile(r"(reading sources|writing output|copying images|drawing frames)\.\.\. *(.*)")
_TOLD = ("Run here is left out",)
_COLORS = re.compile(r"\x1b\[[\d;]*m|\x1b\[K")


class BuildError(Exception):
    """The book could not be built; the message says why in one sentence."""


class _Progress(io.TextIOBase):
    """Passes on what Sphinx says about reading and writing pages, one line that is overwritten."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tty = stream.isatty()
        self._last = ""

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        for line in re.split(r"[\r\n]+", _COLORS.sub("", text)):
            if line.startswith(_TOLD):
                self.end()
                self._stream.write(f"{line}\n")
            match = _SHOWN.search(line)
            if match is None:
                continue
            step = f"{match[1]} {match[2]}".rstrip()
            if self._tty:
                width = shutil.get_terminal_size().columns - 1
                self._stream.write("\r" + step[:width].ljust(width))
            elif match[1] != self._last:
                self._stream.write(f"{match[1]} …\n")
            self._last = match[1]
            self._stream.flush()
        return len(text)

    def end(self) -> None:
        if self._tty and self._last:
            self._stream.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")


def repository() -> Path:
    """The folder of ``_config.yml``: the checkout that this package runs from, or the current one.

    Raises:
        BuildError: If neither has the book's sources.
    """
    for folder in (Path(__file__).resolve().parents[3], Path.cwd()):
        if (folder / "_config.yml").is_file():
            return folder
    raise BuildError("the book's sources are not here: run this in a checkout of the repository")


def build(
    *,
    out: str | Path | None = None,
    source: str | Path | None = None,
    clean: bool = False,
    jobs: int = 2,
    base_url: str | None = None,
    distribution: Path | None = None,
    progress: TextIO | None = None,
) -> Path:
    """Build the book's site; only what changed is made again.

    Args:
        out: The site's folder; by default ``build/book`` in the source folder.
        source: The folder of ``_config.yml`` and ``_toc.yml``; by default this checkout.
        clean: Whether to forget earlier builds first.
        jobs: Processes that read and write pages.
        base_url: The address where the site will be published, for canonical links.
        distribution: A folder with Pyodide's complete distribution, to be part of the site.
        progress: Where to say how far the build is.

    Returns:
        The site's folder.

    Raises:
        BuildError: If the book cannot be built, in one sentence; each warning has been printed.
    """
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    jobs = whole("jobs", jobs, low=1, high=64)
    root = Path(source).resolve() if source is not None else repository()
    site = Path(out).resolve() if out is not None else root / "build" / "book"
    state = site.with_name(f".{site.name}-state")
    if clean:
        shutil.rmtree(site, ignore_errors=True)
        shutil.rmtree(state, ignore_errors=True)
    config = _configuration(root, base_url)
    if distribution is not None:
        config["run_here_distribution"] = str(Path(distribution).resolve())
    status = _Progress(progress) if progress is not None else None
    warnings = _Warnings(root)
    environment = state / "doctrees" / "environment.pickle"
    try:
        with patch_docutils(str(root)), docutils_namespace():
            app = Sphinx(
                srcdir=root,
                confdir=None,
                outdir=site,
                doctreedir=state / "doctrees",
                buildername="html",
                confoverrides=config,
                status=cast(TextIO, status),
                warning=cast(TextIO, warnings),
                warningiserror=True,
                keep_going=True,
                parallel=jobs,
            )
            app.build()
    except SphinxError as error:
        environment.unlink(missing_ok=True)
        raise BuildError(f"the book could not be built: {_sentence(error)}") from error
    finally:
        if status is not None:
            status.end()
    if warnings.found:
        # A page is read once: kept, its warning would be silent in the next build.
        environment.unlink(missing_ok=True)
        for warning in warnings.found:
            print(warning, file=sys.stderr)
        number = len(warnings.found)
        raise BuildError(
            f"the book has {number} {'fault' if number == 1 else 'faults'}; the first: "
            f"{warnings.found[0]}"
        )
    return site


@contextlib.contextmanager
def _without(module: str) -> Iterator[None]:
    """Let an optional module seem missing.

    The check of configuration files would load a grammar of addresses, which no setting here
    needs, and which takes longer than building a page.
    """
    missing = module not in sys.modules
    if missing:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if missing:
            del sys.modules[module]


class _Warnings(io.TextIOBase):
    """Collects Sphinx's warnings, one a line, with paths from the source folder."""

    def __init__(self, root: Path) -> None:
        self.found: list[str] = []
        self._root = f"{root}{os.sep}"

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        for line in _COLORS.sub("", text).splitlines():
            if line.strip():
                self.found.append(line.strip().replace(self._root, ""))
        return len(text)


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _configuration(root: Path, base_url: str | None) -> dict[str, Any]:
    """Sphinx's configuration, as Jupyter Book makes it from ``_config.yml``."""
    import yaml

    with _without("rfc3987_syntax"):
        from jsonschema import ValidationError  # type: ignore[import-untyped]
        from jupyter_book.config import get_final_config  # type: ignore[import-untyped]

    file = root / "_config.yml"
    for needed in (file, root / "_toc.yml"):
        if not needed.is_file():
            raise BuildError(f"there is no {needed.name} in {root}")
    try:
        config, _ = get_final_config(
            user_yaml=file,
            cli_config={"latex_individualpages": False},
            sourcedir=None,
            raise_on_invalid=True,
        )
    except (yaml.YAMLError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise BuildError(f"_config.yml cannot be read: {first}") from error
    config["extensions"] = [name for name in config["extensions"] if name not in _LEFT_OUT]
    unused = (
        "comments_config",
        "html_theme_options",
        "use_jupyterbook_latex",
        "use_multitoc_numbering",
    )
    for name in unused:
        config.pop(name, None)
    config["html_baseurl"] = base_url or ""
    config["external_toc_path"] = "_toc.yml"
    return dict(config)


def main(arguments: list[str] | None = None) -> int:
    """Build the book from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m labs.site.build", description="Build the book."
    )
    parser.add_argument("--out", help="the site's folder (default: build/book)")
    parser.add_argument("--source", help="the folder of _config.yml (default: this checkout)")
    parser.add_argument("--clean", action="store_true", help="forget earlier builds first")
    parser.add_argument("--jobs", type=int, default=2, help="processes to use (default: 2)")
    parser.add_argument("--base-url", help="where the site will be published")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    try:
        site = build(
            out=options.out,
            source=options.source,
            clean=options.clean,
            jobs=options.jobs,
            base_url=options.base_url,
            progress=sys.stdout,
        )
    except (BuildError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    shown = site
    with contextlib.suppress(ValueError):
        shown = site.relative_to(Path.cwd())
    print(f"The book is in {shown} ({time.perf_counter() - began:.1f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
