"""Shows the source of the code that runs, alone or the weak and the repaired side by side."""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from labs.teaching.rendering import Shown, escaped


def _source(thing: Callable[..., Any] | type) -> str:
    try:
        source = textwrap.dedent(inspect.getsource(thing)).rstrip("\n")
    except (OSError, TypeError):
        name = getattr(thing, "__name__", repr(thing))
        raise ValueError(f"there is no source to show for {name}; pass a function") from None
    return _without_docstring(source)


def _without_docstring(source: str) -> str:
    """The code alone: beside each other, two versions differ more in their words than in it."""
    definition = ast.parse(source).body[0]
    body = getattr(definition, "body", [])
    if len(body) < 2 or ast.get_docstring(definition, clean=False) is None:  # type: ignore[arg-type]
        return source
    lines = source.split("\n")
    first, last = body[0].lineno - 1, body[0].end_lineno
    while last < len(lines) and not lines[last].strip():
        last += 1
    return "\n".join(lines[:first] + lines[last:])


def _lines(source: str) -> list[str]:
    """The highlighted lines; each is complete markup of its own."""
    html = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    return str(html).rstrip("\n").split("\n")


@dataclass(frozen=True)
class Source(Shown):
    """The source of one function or class, or of a weak and a repaired one."""

    name: str
    source: str
    repaired_name: str = ""
    repaired: str = ""

    def html(self) -> str:
        """Highlighted source; a pair as a table whose changed lines carry − and +."""
        if not self.repaired:
            code = "\n".join(_lines(self.source))
            return (
                f'<div class="labs-source"><pre tabindex="0" '
                f'aria-label="Source of {escaped(self.name)}"><code>{code}</code></pre></div>'
            )
        old, new = _lines(self.source), _lines(self.repaired)
        rows = []
        matcher = difflib.SequenceMatcher(
            None, self.source.split("\n"), self.repaired.split("\n"), autojunk=False
        )
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            same = tag == "equal"
            left = _cell(old[i1:i2], "" if same else "gone")
            right = _cell(new[j1:j2], "" if same else "came")
            rows.append(f"<tr>{left}{right}</tr>")
        return (
            f'<div class="labs-source"><table><thead><tr>'
            f'<th scope="col">Weak: <code>{escaped(self.name)}</code></th>'
            f'<th scope="col">Repaired: <code>{escaped(self.repaired_name)}</code></th>'
            f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )

    def text(self) -> str:
        """The source, or a unified diff."""
        if not self.repaired:
            return self.source
        return "\n".join(
            difflib.unified_diff(
                self.source.split("\n"),
                self.repaired.split("\n"),
                f"weak: {self.name}",
                f"repaired: {self.repaired_name}",
                lineterm="",
                n=100,
            )
        )


def _cell(lines: list[str], change: str) -> str:
    if not lines:
        return "<td></td>"
    mark = {"gone": "− ", "came": "+ ", "": "  "}[change]
    kind = f' class="labs-{change}"' if change else ""
    return (
        f"<td{kind}><pre><code>" + "\n".join(mark + line for line in lines) + "</code></pre></td>"
    )


def show_source(
    weak: Callable[..., Any] | type, repaired: Callable[..., Any] | type | None = None
) -> Source:
    """Show the source of ``weak``, or of ``weak`` and ``repaired`` side by side.

    What is shown is read from the very code that runs and is tested, without its docstring.

    Raises:
        ValueError: If there is no source to show.
    """
    if repaired is None:
        return Source(weak.__name__, _source(weak))
    return Source(weak.__name__, _source(weak), repaired.__name__, _source(repaired))
