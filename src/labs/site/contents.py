"""Holds the table of contents to the registry: every lesson's page, with its lab directly below."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from labs import registry


def files(toc: Path) -> list[str]:
    """Every entry of ``_toc.yml`` in reading order, without suffixes.

    Raises:
        ValueError: If the file is no table of contents.
    """
    data = yaml.safe_load(toc.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or "root" not in data:
        raise ValueError(f"{toc.name} must be a table of contents with a root")
    return [data["root"], *_below(data)]


def _below(item: dict[str, Any]) -> Iterator[str]:
    for key in ("parts", "chapters", "sections"):
        for child in item.get(key, []):
            if "file" in child:
                yield child["file"]
            yield from _below(child)


def problems(root: Path) -> list[str]:
    """What is wrong between ``_toc.yml``, the pages on disk and the registry; best is nothing.

    Args:
        root: The repository's root.
    """
    listed = files(root / "_toc.yml")
    found = [
        f"{name} is listed twice" for name in sorted({n for n in listed if listed.count(n) > 1})
    ]
    for name in listed:
        if not any((root / f"{name}{suffix}").is_file() for suffix in (".md", ".ipynb")):
            found.append(f"{name} is listed, but there is no such file")
    last = -1
    for entry in registry.lessons():
        page, lab = entry.page.removesuffix(".md"), entry.notebook.removesuffix(".ipynb")
        if page not in listed:
            found.append(f"the lesson {entry.id} is not listed: add {page}")
            continue
        place = listed.index(page)
        if place + 1 >= len(listed) or listed[place + 1] != lab:
            found.append(f"{lab} must stand directly below {page}")
        if place < last:
            found.append(f"{page} stands out of the registry's order")
        last = place
    known = {entry.notebook.removesuffix(".ipynb") for entry in registry.lessons()}
    found += [
        f"{name} belongs to no lesson"
        for name in listed
        if name.startswith("notebooks/") and name not in known
    ]
    return found
