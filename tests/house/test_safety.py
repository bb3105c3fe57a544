"""Rules for the whole repository: no raw HTML of somebody else, no socket, no foreign path."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SELF = Path(__file__).resolve()

# Jupyter shows these with the page's own rights: markup in them can start a kernel.
RAW = {"HTML", "Javascript", "SVG"}


def raw_displays(source: str) -> Iterator[int]:
    """Lines that display HTML, script or SVG that is not a constant of the program."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name in RAW and any(not isinstance(value, ast.Constant) for value in given):
            yield node.lineno


def sources() -> Iterator[tuple[str, str]]:
    """Every piece of Python that a learner can run: the package, and the cells of the labs."""
    for file in (ROOT / "src").rglob("*.py"):
        yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")
    for file in (ROOT / "notebooks").rglob("*.ipynb"):
        if ".ipynb_checkpoints" in file.parts:
            continue
        for number, cell in enumerate(json.loads(file.read_text(encoding="utf-8"))["cells"], 1):
            if cell["cell_type"] == "code":
                code = "".join(cell["source"])
                lines = [line for line in code.split("\n") if not re.match(r"\s*[%!]", line)]
                yield f"{file.relative_to(ROOT)} cell {number}", "\n".join(lines)


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in names.split("\0") if name]
    return [file for file in files if file.is_file() and file != SELF]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("HTML(comment)", True),
        ("display(HTML(f'<p>{name}</p>'))", True),
        ("IPython.display.HTML(data=page)", True),
        ("HTML('<p>' + text)", True),
        ("Javascript(code)", True),
        ("SVG(drawing)", True),
        ("HTML('<p>constant</p>')", False),
        ("frame(comment, title='A comment')", False),
    ],
)
def test_the_rule_about_raw_html_finds_what_it_is_for(code: str, found: bool) -> None:
    assert bool(list(raw_displays(code))) == found


def test_nothing_displays_raw_html_that_is_not_constant() -> None:
    found = [f"{where}:{line}" for where, code in sources() for line in raw_displays(code)]
    assert found == []


def test_importing_the_package_opens_no_socket() -> None:
    script = """
import pkgutil, sys
opened = []
sys.addaudithook(lambda event, args: event in WATCHED and opened.append((event, args[1:])))
WATCHED = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"}
import labs
names = [module.name for module in pkgutil.walk_packages(labs.__path__, "labs.")]
for name in names:
    __import__(name)
assert len(names) > 20, names
assert not opened, opened
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a package registry", r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com"),
        ("a folder of one machine", r"/work/(?:main|shared|\.)|/root/\.pyenv|/opt/(?:pypi|wheels)"),
        ("work that is not done", r"\b(?:TODO|FIXME|XXX)\b"),
    ],
)
def test_no_tracked_file_names(what: str, pattern: str) -> None:
    found = []
    for file in tracked():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {match[0]}" for match in re.finditer(pattern, text)]
    assert found == [], what


def test_no_built_file_is_tracked() -> None:
    folders = {"build", "dist", "node_modules", ".venv", "__pycache__", ".ipynb_checkpoints"}
    assert [file for file in tracked() if folders & set(file.relative_to(ROOT).parts)] == []
