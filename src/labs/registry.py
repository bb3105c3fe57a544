"""Finds the lessons: every package ``labs.<part>.<lesson>`` that carries a ``LESSON``.

The table of contents, the command line, the schedule and the tests all read this list,
so a lesson is added by writing its package and nowhere else.
"""

from __future__ import annotations

import pkgutil
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from types import ModuleType

from labs.teaching.lesson import Lesson

PARTS = {
    "people": "People: who can see your information",
    "uptime": "Uptime: the service keeps running",
    "traffic": "Traffic: protected and watched",
    "attacks": "Attacks: the service withstands them",
    "premises": "Premises: the building is protected",
    "guarantees": "Guarantees: what you can hold the vendor to",
}
"""The parts of the book in reading order, with their titles."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One lesson in the registry, with the part and the name that all its paths share."""

    part: str
    name: str
    lesson: Lesson

    @property
    def id(self) -> str:
        """The lesson's identifier, such as ``attacks.passwords``."""
        return f"{self.part}.{self.name}"

    @property
    def page(self) -> str:
        """Path of the page to read, from the repository's root."""
        return f"book/{self.part}/{self.name}.md"

    @property
    def notebook(self) -> str:
        """Path of the lab's notebook, from the repository's root."""
        return f"notebooks/{self.part}/{self.name}.ipynb"

    @property
    def tests(self) -> str:
        """Path of the lesson's tests, from the repository's root."""
        return f"tests/{self.part}/test_{self.name}.py"

    def exercises(self) -> ModuleType:
        """The lesson's ``exercises`` module."""
        return import_module(f"labs.{self.id}.exercises")


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the page that the book follows, in the book's own words."""

    id: str
    part: str
    promise: str
    lessons: tuple[str, ...]
    evidence: str
    not_promised: str


@cache
def lessons() -> tuple[Entry, ...]:
    """Every lesson, part by part; within a part, lessons follow what they build on, then promises.

    >>> any(entry.id == "attacks.passwords" for entry in lessons())
    True
    """
    promised = [lesson for promise in promises() for lesson in promise.lessons]
    order = {lesson: place for place, lesson in reversed(list(enumerate(promised)))}
    found = []
    for part in PARTS:
        package = import_module(f"labs.{part}")
        for module in pkgutil.iter_modules(package.__path__):
            lesson = getattr(import_module(f"labs.{part}.{module.name}"), "LESSON", None)
            if isinstance(lesson, Lesson):
                found.append(Entry(part, module.name, lesson))
    parts = list(PARTS)
    return tuple(sorted(found, key=lambda e: (parts.index(e.part), order.get(e.id, len(promised)))))


def lesson(identifier: str) -> Entry:
    """The lesson called ``identifier``.

    Raises:
        ValueError: If there is none, naming those that exist.
    """
    for entry in lessons():
        if entry.id == identifier:
            return entry
    raise ValueError(
        f"there is no lesson {identifier!r}; there are {', '.join(e.id for e in lessons())}"
    )


@cache
def promises() -> tuple[Promise, ...]:
    """Every promise, in the order of the page.

    >>> [promise.id for promise in promises()][:4]
    ['P1', 'P2', 'P3', 'P4']
    """
    text = resources.files("labs").joinpath("promises.toml").read_text(encoding="utf-8")
    return tuple(
        Promise(
            id=name,
            part=row["part"],
            promise=row["promise"],
            lessons=tuple(row["lessons"]),
            evidence=row["evidence"],
            not_promised=row["not_promised"],
        )
        for name, row in tomllib.loads(text).items()
    )
