"""Draws, when the book is built, every picture that its sliders can show.

A notebook's stored output describes its sliders (MIME type ``application/vnd.labs.explore+json``).
This extension draws the picture at every position, in two processes, and puts them into one file
for each slider group, ``_frames/<hash>.json``, which the page loads when a reader comes near it::

    {"table": ["<svg width=\\"", "720", …],    pieces of markup, each once
     "frames": [[0, 412, 577, 3, …], …],       for each position: start, count, start, count, …
     "alts": ["After 1 year …", …],            the text alternatives
     "captions": ["…", …]}                     lines below, as HTML; absent if there are none

The last slider varies fastest. The pictures of one slider group share most of their markup, hence
the table. The file's name is a hash of all that a frame depends on: the description, the source of
the figure's module and of every module of ``labs`` that it imports, the data files beside it, the
version of matplotlib, this module and the one that draws. So a file is right for as long as its
name is asked for, in the cache (``build/frames``) as in a reader's browser.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import importlib.util
import json
import math
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import lru_cache
from html import unescape
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util.display import status_iterator
from sphinx.util.osutil import relative_uri

import labs
from labs.site import drawing
from labs.site.drawing import Failed
from labs.teaching.pictures import Picture
from labs.teaching.rendering import inline
from labs.teaching.sliders import MAX_FRAMES, MIME, Value

FOLDER = "_frames"
"""Where the frames lie in the site."""

MAX_BYTES = 250_000
"""Most bytes of one slider group's file over the wire, compressed with gzip."""

MAX_CHARACTERS = 50_000
"""Longest drawing: a browser needs about 0.25 ms a thousand characters to show it, and a step of a
slider has 16 ms."""

FRAME_TIMEOUT_S = 30.0
"""Longest time for one picture."""

MAX_UNUSED = 100
"""How many files the cache keeps that the last build did not ask for."""

Spec = Mapping[str, Any]
"""The description of a slider group, as :meth:`labs.teaching.sliders.Explore.spec` makes it."""

_LABS = Path(labs.__file__).parent
_NOT_ON_THE_PAGE = {"instructor", "remove-cell", "remove-output"}
_CODE = {".py", ".pyi", ".pyc"}
_ELEMENT = re.compile(r'data-labs-explore="([^"]*)"')


class FrameError(SphinxError):
    """A slider cannot be drawn; the message is one sentence that says which, where and why."""

    category = "Slider"


def described(notebook: Mapping[str, Any]) -> list[Spec]:
    """The descriptions of all slider groups that a notebook's page shows, in order.

    A figure without a slider has no other picture than the stored one and is left out.
    """
    return [
        output["data"][MIME]
        for cell in notebook["cells"]
        if _NOT_ON_THE_PAGE.isdisjoint(cell.get("metadata", {}).get("tags", ()))
        for output in cell.get("outputs", ())
        if output.get("data", {}).get(MIME, {}).get("sliders")
    ]


def arguments(spec: Spec) -> list[dict[str, Value]]:
    """The arguments of every frame; the last slider varies fastest.

    Raises:
        ValueError: If there are more than ``MAX_FRAMES`` frames.

    >>> arguments({"figure": "m:f", "sliders": [{"name": "copies", "values": [1, 2]},
    ...                                         {"name": "tested", "values": ["yes", "no"]}]})[1]
    {'copies': 1, 'tested': 'no'}
    """
    names = [slider["name"] for slider in spec["sliders"]]
    values = [slider["values"] for slider in spec["sliders"]]
    number = math.prod(len(choices) for choices in values)
    if number > MAX_FRAMES:
        raise ValueError(f"its sliders have {number} positions; at most {MAX_FRAMES} are drawn")
    return [dict(zip(names, chosen, strict=True)) for chosen in product(*values)]


def fingerprint(spec: Spec) -> str:
    """A hash of all that the frames of ``spec`` depend on; 20 hexadecimal digits."""
    module = spec["figure"].partition(":")[0]
    files = sources(module)
    for own in (__file__, drawing.__file__):
        files[f"labs.site.{Path(own).stem}"] = Path(own)
    if module.startswith("labs.") and module in files:
        folder = files[module].parent
        for data in folder.rglob("*"):
            if data.suffix not in _CODE and data.is_file():
                files[str(data.relative_to(folder))] = data
    digest = hashlib.sha256(f"{_canonical(spec)}\n{version('matplotlib')}\n".encode())
    for name, file in sorted(files.items()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()[:20]


def _canonical(spec: Spec) -> str:
    return json.dumps(spec, sort_keys=True, ensure_ascii=False)


def sources(module: str) -> dict[str, Path]:
    """The source files of ``module`` and of every module of ``labs`` that it imports.

    Imports inside functions count, and so do names that a package loads when they are asked for
    (with ``lazy_loader``): for those, the submodule that defines the name.

    Returns:
        Dotted names with their files; empty if there is no such module.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = None if name in found else _file(name)
        if file is None:
            continue
        found[name] = file
        waiting.extend(_imports(name, file, file.stat().st_mtime_ns))
        waiting.extend(_parents(name))
    return found


def _file(module: str) -> Path | None:
    if module == "labs" or module.startswith("labs."):
        # Looking it up by way of the import system would run the lesson's package.
        place = _LABS.joinpath(*module.split(".")[1:])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return file
        return None
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))] if parts[0] == "labs" else []


@lru_cache(maxsize=1024)
def _imports(module: str, file: Path, _changed: int) -> frozenset[str]:
    tree = _parsed(file)
    package = module if file.stem == "__init__" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names.update({alias.name, *_lazy(alias.name, "*")})
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            names.add(base)
            for alias in node.names:
                names.add(f"{base}.{alias.name}")
                names.update(_lazy(base, alias.name))
    return frozenset(name for name in names if name == "labs" or name.startswith("labs."))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _lazy(package: str, name: str) -> set[str]:
    """The submodules from which a package of ``labs`` loads ``name`` (``*``: any name) late."""
    file = _file(package) if package.startswith("labs.") else None
    if file is None or file.stem != "__init__" or "lazy_loader" not in file.read_text("utf-8"):
        return set()
    stub = file.with_suffix(".pyi")
    if not stub.is_file():
        # The names stand in literals, so every submodule that one of them names may be meant.
        words = {n.value for n in ast.walk(_parsed(file)) if isinstance(n, ast.Constant)}
        return {f"{package}.{word}" for word in words if isinstance(word, str)}
    return {
        _absolute(node, package)
        for node in ast.walk(_parsed(stub))
        if isinstance(node, ast.ImportFrom)
        and any(name in ("*", alias.asname or alias.name) for alias in node.names)
    }


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except SyntaxError:
        return ast.Module([], [])  # drawing says what is wrong with it


def draw_all(wanted: Iterable[tuple[str, Spec]], cache: Path, *, verbosity: int = 0) -> list[Path]:
    """Draw the frames of every slider group that the cache does not have.

    Args:
        wanted: For each group the notebook that shows it, and its description.
        cache: The folder with the frames drawn so far; made if it is missing.
        verbosity: Sphinx's, for the line that says how far this is.

    Returns:
        For each group its file in the cache.

    Raises:
        FrameError: If a figure fails, takes too long or is too large.
    """
    files: list[Path] = []
    missing: dict[Path, tuple[str, Spec, list[dict[str, Value]]]] = {}
    for notebook, spec in wanted:
        file = cache / f"{fingerprint(spec)}.json"
        files.append(file)
        if file not in missing and not file.is_file():
            try:
                missing[file] = notebook, spec, arguments(spec)
            except ValueError as error:
                raise FrameError(f"{notebook}: {spec['figure']} cannot be drawn: {error}") from None
    if not missing:
        return files
    cache.mkdir(parents=True, exist_ok=True)
    tasks = [
        (spec["figure"], json.dumps(values))
        for _, spec, frames in missing.values()
        for values in frames
    ]
    # Closed when a frame fails, so that the processes end before the failure is told.
    with closing(drawing.pictures(tasks, FRAME_TIMEOUT_S)) as results:
        drawn = iter(
            status_iterator(
                results,
                "drawing frames... ",
                length=len(tasks),
                verbosity=verbosity,
                stringify_func=lambda _: "",
            )
        )
        for file, (notebook, spec, frames) in missing.items():
            pictures = [_next(drawn, notebook, spec, values) for values in frames]
            content = encoded(pictures, prefix=f"f{file.stem[:8]}-")
            _check_size(
                f"{notebook}: the {len(frames)} frames of {spec['figure']}", pictures, content
            )
            _write(file, content)
    return files


def _check_size(what: str, pictures: Sequence[Picture], content: bytes) -> None:
    longest = max(len(one.svg) for one in pictures)
    size = len(gzip.compress(content, 6))
    if longest > MAX_CHARACTERS:
        raise FrameError(
            f"{what} have up to {longest:,} characters each, but a picture with more than "
            f"{MAX_CHARACTERS:,} cannot follow a slider: draw fewer shapes"
        )
    if size > MAX_BYTES:
        raise FrameError(
            f"{what} have {size:,} bytes when compressed, but at most {MAX_BYTES:,} are allowed: "
            "use fewer positions or draw fewer shapes"
        )


def _next(
    drawn: Iterator[Picture | Failed], notebook: str, spec: Spec, values: Mapping[str, Value]
) -> Picture:
    try:
        result = next(drawn)
    except BrokenProcessPool:
        result = Failed("its process ended without a word")
    if isinstance(result, Picture):
        return result
    shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
    raise FrameError(f"{notebook}: {spec['figure']}({shown}) cannot be drawn: {result.reason}")


def encoded(pictures: Sequence[Picture], *, prefix: str) -> bytes:
    """The file of a slider group.

    Args:
        pictures: The frames, in order.
        prefix: What the identifiers inside the drawings begin with, so that they differ from
            those of every other picture on the page.
    """
    table: dict[str, int] = {}
    frames: list[list[int]] = []
    for one in pictures:
        runs: list[int] = []
        following = -1
        for piece in re.findall(r'[^"]+"?|"', _renamed(one.svg, prefix)):
            place = table.setdefault(piece, len(table))
            if place == following:
                runs[-1] += 1
            else:
                runs += [place, 1]
            following = place + 1
        frames.append(runs)
    content: dict[str, Any] = {
        "table": list(table),
        "frames": frames,
        "alts": [one.alt for one in pictures],
    }
    if any(one.caption for one in pictures):
        content["captions"] = [inline(one.caption) for one in pictures]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _renamed(svg: str, prefix: str) -> str:
    """Number the identifiers in order: matplotlib's depend on coordinates and change each time."""
    names: dict[str, str] = {}
    for name in re.findall(r' id="([^"]+)"', svg):
        names.setdefault(name, f"{prefix}{len(names)}")
    return re.sub(r'( id="|href="#|url\(#)([^")]+)', lambda m: m[1] + names.get(m[2], m[2]), svg)


def _write(file: Path, content: bytes) -> None:
    # A build that is interrupted must not leave half a file under a name that is trusted.
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
        part.write(content)
    Path(part.name).chmod(0o644)
    Path(part.name).replace(file)


def _cache(app: Sphinx) -> Path:
    return Path(app.srcdir, app.config.labs_frames_cache)


def _makes_pages(app: Sphinx) -> bool:
    return app.builder.name in ("html", "dirhtml")


def _draw(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Draw what is missing; the pages to write again are those whose frames have new names."""
    if not _makes_pages(app):
        return []
    found: list[tuple[str, str, Spec]] = []
    for docname in sorted(env.found_docs):
        file = Path(env.doc2path(docname))
        text = file.read_text("utf-8") if file.suffix == ".ipynb" else ""
        if MIME in text:
            notebook = file.relative_to(app.srcdir).as_posix()
            found.extend((docname, notebook, spec) for spec in described(json.loads(text)))
    files = draw_all(
        [(notebook, spec) for _, notebook, spec in found], _cache(app), verbosity=app.verbosity
    )
    before = getattr(env, "labs_frames", {})
    now: dict[str, dict[str, str]] = {}
    for (docname, _, spec), file in zip(found, files, strict=True):
        now.setdefault(docname, {})[_canonical(spec)] = file.name
    env.labs_frames = now  # type: ignore[attr-defined]
    return [name for name in env.found_docs if now.get(name) != before.get(name)]


def _link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Tell each slider on the page where its frames are."""
    if not _makes_pages(app):
        return
    names: Mapping[str, str] = getattr(app.env, "labs_frames", {}).get(docname, {})
    page = app.builder.get_target_uri(docname)

    def linked(match: re.Match[str]) -> str:
        name = names.get(_canonical(json.loads(unescape(match[1]))))
        if name is None:
            return match[0]
        return f'data-frames="{relative_uri(page, f"{FOLDER}/{name}")}" {match[0]}'

    for raw in doctree.findall(nodes.raw):
        if "data-labs-explore" in (text := raw.astext()):
            raw[:] = [nodes.Text(_ELEMENT.sub(linked, text))]


def _publish(app: Sphinx, exception: Exception | None) -> None:
    """Copy the frames in use into the site; forget those that nobody asks for any more."""
    if exception is not None or not _makes_pages(app):
        return
    cache, folder = _cache(app), Path(app.outdir) / FOLDER
    used = {name for names in app.env.labs_frames.values() for name in names.values()}  # type: ignore[attr-defined]
    if used:
        folder.mkdir(exist_ok=True)
    for name in used - {file.name for file in folder.glob("*.json")}:
        _write(folder / name, (cache / name).read_bytes())
    for file in folder.glob("*.json"):
        if file.name not in used:
            file.unlink()
    unused = [file for file in cache.glob("*.json") if file.name not in used]
    unused.sort(key=lambda file: file.stat().st_mtime, reverse=True)
    for file in unused[MAX_UNUSED:]:
        file.unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect drawing and linking; ``labs_frames_cache`` names the cache's folder."""
    app.add_config_value("labs_frames_cache", "build/frames", "", types=[str])
    app.connect("env-updated", _draw)
    app.connect("doctree-resolved", _link)
    app.connect("build-finished", _publish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
