"""Whoever knows one path of a lesson knows the others: registry, files, contents and promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from labs import registry
from labs.registry import PARTS, Entry

ROOT = Path(__file__).resolve().parents[2]
PROMISES = (
    *("P1", "P2", "P3", "P4"),
    *("U1", "U2", "U3", "U4"),
    *("T1", "T2"),
    *("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9"),
    *("L1", "L2", "L3", "L4", "L5", "L6"),
    *("G1", "G2", "G3"),
)

LESSONS = registry.lessons()
NAMES = {(entry.part, entry.name) for entry in LESSONS}

lesson = pytest.mark.parametrize("entry", LESSONS, ids=lambda entry: entry.id)


def contents() -> list[str]:
    """Every file that the table of contents names, in reading order."""

    def files(entry: dict[str, Any]) -> Iterator[str]:
        if "file" in entry:
            yield entry["file"].removesuffix(".md").removesuffix(".ipynb")
        for key in ("parts", "chapters", "sections"):
            for below in entry.get(key, []):
                yield from files(below)

    table = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [table["root"], *files(table)]


def test_there_is_a_lesson() -> None:
    assert LESSONS


@lesson
def test_a_lesson_has_its_page_notebook_package_and_tests(entry: Entry) -> None:
    places = [entry.page, entry.notebook, entry.tests, f"src/labs/{entry.part}/{entry.name}"]
    assert [place for place in places if not (ROOT / place).exists()] == []


@lesson
def test_the_notebook_stands_directly_below_its_page_in_the_contents(entry: Entry) -> None:
    order = contents()
    at = order.index(entry.page.removesuffix(".md"))
    assert order[at + 1] == entry.notebook.removesuffix(".ipynb")


@lesson
def test_page_and_notebook_carry_the_lessons_title(entry: Entry) -> None:
    page = (ROOT / entry.page).read_text(encoding="utf-8")
    assert f"# {entry.lesson.title}\n" in page


@lesson
def test_a_lesson_and_its_promises_name_each_other(entry: Entry) -> None:
    naming = {promise.id for promise in registry.promises() if entry.id in promise.lessons}
    assert set(entry.lesson.promises) == naming


@lesson
def test_what_a_lesson_builds_on_exists_and_comes_before_it(entry: Entry) -> None:
    before = [other.id for other in LESSONS[: LESSONS.index(entry)]]
    assert set(entry.lesson.builds_on) <= set(before)


@pytest.mark.parametrize(
    ("folder", "pattern"), [("book", "{part}/*.md"), ("notebooks", "{part}/*.ipynb")]
)
def test_no_page_and_no_notebook_is_without_a_lesson(folder: str, pattern: str) -> None:
    found = {
        (part, file.stem)
        for part in PARTS
        for file in (ROOT / folder).glob(pattern.format(part=part))
        if file.stem != "index"
    }
    assert found <= NAMES


def test_no_package_is_a_lesson_that_no_promise_asks_for() -> None:
    asked = {tuple(name.split(".")) for promise in registry.promises() for name in promise.lessons}
    found = {
        (part, file.parent.name)
        for part in PARTS
        for file in (ROOT / "src" / "labs" / part).glob("*/__init__.py")
    }
    assert found <= asked


def test_no_test_file_is_about_a_lesson_that_is_not_there() -> None:
    for part in PARTS:
        packages = {file.parent.name for file in (ROOT / "src/labs" / part).glob("*/__init__.py")}
        for file in (ROOT / "tests" / part).glob("test_*.py"):
            name = file.stem.removeprefix("test_")
            assert any(name == p or name.startswith(f"{p}_") for p in packages), file


def test_the_contents_name_every_page_once() -> None:
    order = contents()
    pages = {
        file.relative_to(ROOT).with_suffix("").as_posix()
        for top in ("book", "notebooks")
        for file in (ROOT / top).rglob("*")
        if file.suffix in (".md", ".ipynb") and ".ipynb_checkpoints" not in file.parts
    }
    assert sorted(order) == sorted(pages)


def test_every_promise_of_the_page_is_there_in_its_order() -> None:
    assert tuple(promise.id for promise in registry.promises()) == PROMISES


@pytest.mark.parametrize("promise", registry.promises(), ids=lambda promise: promise.id)
def test_a_promise_says_all_that_the_book_needs(promise: registry.Promise) -> None:
    assert promise.part in PARTS
    assert promise.lessons
    assert {name.split(".")[0] for name in promise.lessons} == {promise.part}
    for text in (promise.promise, promise.evidence, promise.not_promised):
        assert text == text.strip()
        assert text.endswith((".", ")."))
