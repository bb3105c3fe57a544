"""Runs the code cells of a page, one at a time, and tells the page what came of it."""

from __future__ import annotations

import ast
import base64
import inspect
import io
import json
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

from . import display
from .formatting import mime_bundle
from .packages import NeedsAgreement, NotInBrowser, SiteFinder
from .streams import Stream

Message = dict[str, Any]

_OWN_FILES = (str(Path(__file__).parent), "<frozen importlib")
_LONGEST_TRACEBACK = 20_000

_NO_PROCESSES = ("can't start new thread", "emscripten does not support processes")


class Kernel:
    """Holds the variables of one page.

    Args:
        send: Takes one message as JSON text.
        namespace: Where the cells' variables live.
    """

    def __init__(self, send: Callable[[str], None], namespace: dict[str, Any]) -> None:
        self._send_text = send
        self._namespace = namespace
        self._cell = ""
        self._recording = False
        self._out = Stream(lambda text: self._stream("stdout", text))
        self._err = Stream(lambda text: self._stream("stderr", text))
        display.publish = self._publish
        namespace.setdefault("display", display.display)

    def _send(self, message: Message) -> None:
        self._send_text(json.dumps({"cell": self._cell, **message}))

    def _stream(self, name: str, text: str) -> None:
        self._send({"type": "stream", "name": name, "text": text})

    def _publish(self, message: Message) -> None:
        self._out.flush()
        self._err.flush()
        self._send(message)

    async def run(self, cell: str, source: str, finder: SiteFinder | None = None) -> str:
        """Run the source of a cell.

        Args:
            cell: The cell's name on its page; it stands in tracebacks.
            source: Python, with ``await`` allowed outside functions.
            finder: Knows which modules wait for the reader's agreement: a cell that imports one
                is not begun.

        Returns:
            JSON: ``outcome`` is ``done``, ``failed`` (with ``error`` and its ``kind``),
            ``absent`` or ``agreement`` (with ``module`` and ``reason``).
        """
        self._cell = cell
        with self._streams():
            try:
                tree = _parsed(source, f"<cell {cell}>")
                waiting = finder.missing(_imported(tree)) if finder else None
                if waiting is not None:
                    raise NeedsAgreement(f"`{waiting}` is not part of this site", name=waiting)
                await self._execute(tree, source, f"<cell {cell}>")
                self._show_figures()
            except BaseException as error:  # the worker must outlive whatever a cell raises
                return json.dumps(_outcome(error))
        return json.dumps({"outcome": "done"})

    @contextmanager
    def _streams(self) -> Iterator[None]:
        before = sys.stdout, sys.stderr
        self._out.begin()
        self._err.begin()
        sys.stdout, sys.stderr = self._out, self._err
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            self._out.flush()
            self._err.flush()

    async def _execute(self, tree: ast.Module, source: str, filename: str) -> None:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        last: ast.expr | None = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            end = tree.body.pop()
            if source.rstrip().endswith(";"):
                tree.body.append(end)
            else:
                last = end.value  # type: ignore[attr-defined]
        await self._evaluate(compile(tree, filename, "exec", flags))
        if last is not None:
            value = await self._evaluate(compile(ast.Expression(last), filename, "eval", flags))
            if value is not None:
                self._namespace["_"] = value
                self._publish(
                    {"type": "display", "data": mime_bundle(value), "update": False, "result": True}
                )
                self._forget_shown(value)

    async def _evaluate(self, code: CodeType) -> Any:
        value = eval(code, self._namespace)
        return await value if code.co_flags & inspect.CO_COROUTINE else value

    @staticmethod
    def _forget_shown(value: Any) -> None:
        """Close a figure that a cell ended in, so that it is not shown twice."""
        plots = sys.modules.get("matplotlib.pyplot")
        if plots is not None and isinstance(value, plots.Figure):
            plots.close(value)

    def _show_figures(self) -> None:
        plots = sys.modules.get("matplotlib.pyplot")
        if plots is None:
            return
        for number in plots.get_fignums():
            figure = plots.figure(number)
            picture = io.BytesIO()
            figure.savefig(picture, format="png", bbox_inches="tight", dpi=110)
            data = {
                "image/png": base64.b64encode(picture.getvalue()).decode("ascii"),
                "text/plain": figure.get_label() or f"Figure {number}",
            }
            self._publish({"type": "display", "data": data, "update": False})
        plots.close("all")


def _parsed(source: str, filename: str) -> ast.Module:
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
    tree = compile(source, filename, "exec", flags)
    assert isinstance(tree, ast.Module)
    return tree


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _outcome(error: BaseException) -> Message:
    for cause in _chain(error):
        if isinstance(cause, NotInBrowser):
            return {"outcome": "absent", "module": cause.name, "reason": str(cause)}
        if isinstance(cause, NeedsAgreement):
            return {"outcome": "agreement", "module": cause.name, "reason": str(cause)}
    if isinstance(error, KeyboardInterrupt):
        return {"outcome": "failed", "kind": "KeyboardInterrupt", "error": "Stopped."}
    if isinstance(error, RuntimeError | OSError) and any(s in str(error) for s in _NO_PROCESSES):
        reason = "threads and processes of its own"
        return {"outcome": "absent", "module": "threading", "reason": reason}
    return {"outcome": "failed", "kind": type(error).__name__, "error": readable(error)}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def readable(error: BaseException) -> str:
    """The traceback of ``error`` without the frames of the runner, as text."""
    try:
        told = traceback.TracebackException.from_exception(error, max_group_width=5)
        _trim(told)
        text = "".join(told.format())
    except Exception:  # an exception whose text raises
        text = f"{type(error).__name__} (its message cannot be shown)\n"
    if len(text) > _LONGEST_TRACEBACK:
        half = _LONGEST_TRACEBACK // 2
        text = f"{text[:half]}\n…\n{text[-half:]}"
    return text.rstrip()


def _trim(told: traceback.TracebackException | None) -> None:
    seen: set[int] = set()
    while told is not None and id(told) not in seen:
        seen.add(id(told))
        kept = [f for f in told.stack if not any(own in f.filename for own in _OWN_FILES)]
        told.stack[:] = kept
        told = told.__cause__ or told.__context__
