"""Run every scenario in Chromium and write what it did: ``python -m tests.browser.measure``.

The file goes to ``src/labs/browser/measured.toml``, which the book's tables are made from.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labs.browser.measured import OUTCOMES
from tests.browser import sites
from tests.browser.in_model import PARENTS, Model, Results

if TYPE_CHECKING:
    from tests.browser.in_chromium import Chromium

TARGET = Path(__file__).parents[2] / "src" / "labs" / "browser" / "measured.toml"

_HEAD = """\
# What a real Chromium did with the scenarios of tests/browser/scenarios, for the book's tables.
# Written by `python -m tests.browser.measure`; not edited by hand. `young` cookies are seconds old;
# `old` ones are older than the window of Lax-allowing-unsafe, which was shortened to 10 s by
# Chromium's own switch ShortLaxAllowUnsafeThreshold; everything else ran without it. `private` is a
# private window, which blocks third-party cookies.
"""


@dataclass
class Run:
    """All results of one run, of Chromium or of the model."""

    version: str
    young: Results
    old: Results
    private: Results
    cookies: Results
    framing: Results
    cors: Results
    scripting: Results

    def parts(self) -> dict[str, Results]:
        """The results by the name of their part."""
        return {name: value for name, value in vars(self).items() if name != "version"}

    def toml(self) -> str:
        """The whole as the text of the data file."""
        letters = {word: letter for letter, word in OUTCOMES.items()}
        lines = [_HEAD, f"chromium = {_quoted(self.version)}"]
        for part, results in (("young", self.young), ("old", self.old), ("private", self.private)):
            lines += ["", f"[{part}]"]
            lines += [f"{_quoted(n)} = {_table({**_WITHOUT, **row})}" for n, row in results.items()]
        lines += ["", "[cookies]"]
        for name, row in self.cookies.items():
            lines.append(f"{_quoted(name)} = {_table({k: _short(v) for k, v in row.items()})}")
        lines += ["", "[cors]"]
        lines += [f"{_quoted(name)} = {_table(row)}" for name, row in self.cors.items()]
        lines += [
            "",
            "[framing]",
            f"parents = {json.dumps(list(PARENTS))}",
            "",
            "[framing.answers]",
        ]
        for name, row in self.framing.items():
            marks = "".join("F" if row[parent] == "framed" else "." for parent in PARENTS)
            lines.append(f"{_quoted(name)} = {_quoted(marks)}")
        places = [f"{context}, {policy}" for policy in sites.POLICIES for context in sites.CONTEXTS]
        lines += ["", "[scripting]", f"places = {json.dumps(places)}", "", "[scripting.payloads]"]
        for name, row in self.scripting.items():
            lines.append(f"{_quoted(name)} = {_quoted(''.join(letters[row[p]] for p in places))}")
        return "\n".join(lines) + "\n"


_WITHOUT = dict.fromkeys(
    ("method", "cookies", "site", "mode", "dest", "user", "origin", "referer"), ""
)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(row: dict[str, str]) -> str:
    return (
        "{ " + ", ".join(f"{_quoted(key)} = {_quoted(value)}" for key, value in row.items()) + " }"
    )


def _short(value: str) -> str:
    for size in (4096, 4095, 1025, 1024):
        value = value.replace("x" * size, f"LONG{size}")
    return value


def in_chromium(real: Chromium) -> Run:
    """Everything in Chromium; the cookies that must grow old are set first and asked for last."""
    real.plant()
    return Run(
        version=real.version,
        scripting=real.scripting(),
        young=real.contexts(),
        private=real.private_contexts(),
        cookies=real.cookies(),
        framing=real.framing(),
        cors=real.cors(),
        old=real.old_contexts(),
    )


def in_model() -> Run:
    """Everything in the model."""
    model = Model()
    return Run(
        version="",
        scripting=model.scripting(),
        young=model.contexts(),
        private=model.private_contexts(),
        cookies=model.cookies(),
        framing=model.framing(),
        cors=model.cors(),
        old=model.old_contexts(),
    )


def main() -> int:
    """Measure and write."""
    from tests.browser.in_chromium import running

    with running() as real:
        run = in_chromium(real)
    TARGET.write_text(run.toml(), encoding="utf-8")
    print(f"{TARGET}: Chromium {run.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
