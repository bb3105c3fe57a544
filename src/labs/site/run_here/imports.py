"""Which packages a module of the labs brings along, so that a page loads these and no others."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping


def requirements(
    files: Mapping[str, bytes], packages: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The packages that each module of the labs needs, its own imports' needs included.

    Imports inside functions count, those for type checkers do not. A module whose names load
    lazily from a stub file counts as importing what the stub does.

    Args:
        files: The files of the labs by path, such as ``labs/teaching/quiz.py``.
        packages: Which package holds a top-level module, or a lesson.

    Returns:
        For each module that needs any, the packages, sorted.
    """
    modules = {_module(path) for path in files if path.endswith(".py")}
    direct: dict[str, set[str]] = {module: set() for module in modules}
    for path, source in files.items():
        if path.endswith((".py", ".pyi")):
            direct[_module(path)] |= set(_imports(source, path, modules))
    return {
        module: tuple(sorted(needed))
        for module in sorted(modules)
        if (needed := _closure(module, direct, packages))
    }


def _module(path: str) -> str:
    name = path.removesuffix(".pyi").removesuffix(".py").replace("/", ".")
    return name.removesuffix(".__init__")


def _closure(start: str, direct: Mapping[str, set[str]], packages: Mapping[str, str]) -> set[str]:
    seen: set[str] = set()
    needed: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in packages:
            needed.add(packages[name])
        if name in direct:
            waiting += direct[name]
            if "." in name:
                waiting.append(name.rpartition(".")[0])
        elif name.partition(".")[0] in packages:  # a part of a package from elsewhere
            needed.add(packages[name.partition(".")[0]])
    return needed


def _imports(source: bytes, path: str, modules: set[str]) -> Iterator[str]:
    package = _module(path)
    if not path.endswith(("/__init__.py", "/__init__.pyi")):
        package = package.rpartition(".")[0]
    for node in _run_time(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base] if base else parent)
            yield base
            for alias in node.names:
                if f"{base}.{alias.name}" in modules:
                    yield f"{base}.{alias.name}"


def _run_time(tree: ast.AST) -> Iterator[ast.AST]:
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.expr):
                continue  # holds no statement, and most of a module is expressions
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                continue
            yield node
            waiting.append(node)
