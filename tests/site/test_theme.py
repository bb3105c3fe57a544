"""What the theme makes of a page, read from the files of the built sample book."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from labs.site import cells
from labs.teaching.rendering import style
from tests.site import sample_book

LESSON = "book/attacks/sample.html"
LAB = "notebooks/attacks/sample.html"
PAGES = (
    "index.html",
    "search.html",
    "book/attacks/index.html",
    LESSON,
    "book/glossary.html",
    "book/progress.html",
    "book/promises.html",
    "book/references.html",
    LAB,
)
EXTERNAL = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


class Parsed(HTMLParser):
    """The elements of a page, with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def read(site: Path, page: str) -> str:
    return (site / page).read_text(encoding="utf-8")


def test_the_list_of_pages_is_complete(sample: Path) -> None:
    found = {str(file.relative_to(sample)) for file in sample.rglob("*.html")}
    assert found - {"book/index.html"} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_from_another_host_and_nothing_by_absolute_path(
    sample: Path, page: str
) -> None:
    parsed = Parsed(read(sample, page))
    loaded = [a["src"] for a in parsed.all("script", "img", "iframe", "source") if "src" in a]
    loaded += [a["href"] for a in parsed.all("link") if a.get("rel") != "canonical"]
    loaded += [a["action"] for a in parsed.all("form")]
    loaded += [a["href"] for a in parsed.all("a") if not a["href"].startswith("https://")]
    for address in loaded:
        assert not EXTERNAL.match(address), address
        assert not address.startswith("/"), address


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_book_leads_to_something(sample: Path, page: str) -> None:
    ids = {
        other: {a["id"] for _, a in Parsed(read(sample, other)).elements if "id" in a}
        for other in PAGES
    }
    for link in Parsed(read(sample, page)).all("a", "link", "script"):
        address = link.get("href") or link.get("src", "")
        if not address or EXTERNAL.match(address):
            continue
        path, _, fragment = address.partition("#")
        file = (sample / page).parent / path.partition("?")[0] if path else sample / page
        assert file.resolve().is_file(), address
        if fragment:
            target = str(file.resolve().relative_to(sample))
            assert fragment in ids[target], address


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_an_inline_script_or_an_event_attribute(sample: Path, page: str) -> None:
    for tag, attributes in Parsed(read(sample, page)).elements:
        assert tag != "script" or attributes.get("src"), attributes
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert not attributes.get("href", "").startswith("javascript:")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_heading_of_the_first_level_and_skips_none(sample: Path, page: str) -> None:
    levels = [
        int(t[1]) for t, _ in Parsed(read(sample, page)).elements if re.fullmatch("h[1-6]", t)
    ]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("page", PAGES)
def test_ids_are_unique_within_a_page(sample: Path, page: str) -> None:
    ids = [a["id"] for _, a in Parsed(read(sample, page)).elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_contents_mark_where_the_reader_is(sample: Path) -> None:
    text = read(sample, LAB)
    menu = text[text.index('<nav id="contents"') : text.index("<main")]
    assert menu.count('aria-current="page"') == 1
    assert '<a href="#" aria-current="page">Lab</a>' in menu
    assert "<details open><summary>Attacks" in menu
    assert "<details open>" not in read(sample, "book/promises.html").partition("<main")[0]


def test_pages_follow_one_another_in_the_order_of_the_contents(sample: Path) -> None:
    page, seen = "index.html", []
    while page:
        seen.append(page)
        links = [a for a in Parsed(read(sample, page)).all("a") if a.get("rel") == "next"]
        follow = links[0]["href"] if links else ""
        page = (
            str(((sample / page).parent / follow).resolve().relative_to(sample)) if follow else ""
        )
    assert seen == [
        "index.html",
        "book/attacks/index.html",
        LESSON,
        LAB,
        "book/promises.html",
        "book/glossary.html",
        "book/references.html",
        "book/progress.html",
    ]


def test_the_title_page_is_at_the_root_and_its_source_path_leads_there(sample: Path) -> None:
    assert "<h1>A sample" in read(sample, "index.html")
    assert 'content="0; url=../index.html"' in read(sample, "book/index.html")


def test_a_cell_carries_its_place_in_the_notebook_and_its_tags(sample: Path) -> None:
    found = [a for a in Parsed(read(sample, LAB)).all("div") if a.get("class") == "cell"]
    cells_in_notebook = sample_book.notebook()["cells"]
    expected = [
        (str(number), " ".join(cell["metadata"]["tags"]))
        for number, cell in enumerate(cells_in_notebook)
        if cell["cell_type"] == "code" and "instructor" not in cell["metadata"]["tags"]
    ]
    assert [(a["data-cell"], a["data-tags"]) for a in found] == expected
    text = read(sample, LAB)
    assert text.count('class="cell_input') == len(expected)
    assert text.count('class="cell_output') == len(expected) - 1


def test_what_instructors_wrote_is_nowhere_in_the_site(sample: Path) -> None:
    for file in sample.rglob("*"):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            assert "A word to instructors" not in text, file
            assert "secret_of_instructors" not in text, file


def test_solutions_are_there_and_folded(sample: Path) -> None:
    text = read(sample, LAB)
    for solution in ("secret solution", "The same in words"):
        before = text[: text.index(solution)]
        opened = before.rindex("<details")
        assert "</details>" not in before[opened:]
        assert " open" not in before[opened : before.index(">", opened)]
        assert "<summary>A solution</summary>" in before[opened:]


def test_builders_are_told_which_part_is_theirs(sample: Path) -> None:
    text = read(sample, LAB)
    heading = text.index("<h2>Write the fix")
    assert 'class="for-builders">For builders' in text[heading : heading + 400]
    assert '<p class="cell_label">Your turn · For builders</p>' in text


def test_the_style_of_outputs_is_in_the_style_sheet_and_in_no_page(sample: Path) -> None:
    assert "<style" not in read(sample, LAB)
    assert ".labs-report" in read(sample, "_static/book.css")


def test_a_lab_offers_its_notebook_and_a_place_for_jupyterlab(sample: Path) -> None:
    text = read(sample, LAB)
    assert "<!--labs:open notebooks/attacks/sample.ipynb-->" in text
    links = [a for a in Parsed(text).all("a") if "download" in a]
    assert [a["href"] for a in links] == ["sample.ipynb"]
    assert (sample / "notebooks/attacks/sample.ipynb").is_file()
    assert "labs:open" not in read(sample, LESSON)


def test_formulas_are_mathml_and_no_script_draws_them(sample: Path) -> None:
    text = read(sample, LESSON)
    assert text.count("<math ") == 2
    assert 'display="block"' in text
    assert "(1)</span>" in text
    assert "mathjax" not in text.lower()


def test_a_page_carries_the_definitions_it_uses_and_no_others(sample: Path) -> None:
    text = read(sample, LESSON)
    notes = [a for a in Parsed(text).all("div") if "popover" in a]
    assert [a["id"] for a in notes] == ["def-term-hash-function", "def-term-salt"]
    assert "A few random bytes that are no secret." in text
    for note in notes:
        assert f'href="../glossary.html#{note["id"].removeprefix("def-")}"' in text
    assert "popover role" not in read(sample, "book/promises.html")


def test_every_promise_has_an_address_of_its_own(sample: Path) -> None:
    ids = {a.get("id") for _, a in Parsed(read(sample, "book/promises.html")).elements}
    assert {"P1", "U4", "T2", "A9", "L6", "G3", "people", "guarantees"} <= ids


def test_the_search_index_holds_sections_terms_and_code(sample: Path) -> None:
    text = read(sample, "search-index.js")
    rows = json.loads(text.removeprefix("self.labsSearchIndex=").rstrip(";\n"))
    by_address = {row[0]: row for row in rows}
    assert by_address["book/glossary.html#term-salt"][2] == "salt, salting"
    assert "birthday" in by_address["book/attacks/sample.html#formulas-and-code"][3]
    assert "def store()" in by_address["notebooks/attacks/sample.html#write-the-fix"][3]
    assert by_address["index.html"][1] == "A sample"


def test_an_ordinary_page_is_light(sample: Path) -> None:
    """First load, gzip: the page, its style sheet and its scripts; the budget is 0.5 MB."""
    shared = ("book.css", "book.js", "store.js", "theme.js", "mark.svg")
    files = [sample / LESSON, *(sample / "_static" / name for name in shared)]
    weight = sum(len(gzip.compress(file.read_bytes())) for file in files)
    assert weight < 30_000
    assert (sample / "_static" / "book.css").stat().st_size < 40_000
    assert (sample / "_static" / "book.js").stat().st_size < 15_000


def test_the_site_holds_no_file_of_other_themes(sample: Path) -> None:
    names = {file.name for file in (sample / "_static").iterdir()}
    assert not {"basic.css", "doctools.js", "jquery.js", "searchtools.js", "pygments.css"} & names
    assert not any(name.startswith(("mystnb", "fontawesome", "mathjax")) for name in names)


def test_preparing_a_notebook_keeps_the_given_one_and_drops_what_a_page_cannot_use() -> None:
    given = sample_book.notebook()
    given["metadata"]["widgets"] = {"state": {}}
    before = json.dumps(given)
    made = cells.prepared(given)
    assert json.dumps(given) == before
    assert "widgets" not in made["metadata"]
    kinds = {
        kind for c in made["cells"] for o in c.get("outputs", []) for kind in o.get("data", {})
    }
    assert kinds == {"text/html", "text/plain"}
    assert style() in before.encode().decode("unicode_escape")
    assert "<style data-labs>" not in json.dumps(made)


def test_source_and_outputs_may_be_lists_of_lines() -> None:
    cell = {
        "cell_type": "markdown",
        "metadata": {"tags": ["builders"]},
        "source": ["# Title\n", "Text"],
    }
    made = cells.prepared({"cells": [cell], "metadata": {}})
    assert made["cells"][0]["source"].startswith("# Title\n\n{.for-builders}\nFor builders\n")
