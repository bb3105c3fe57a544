"""Building the book: what it refuses, what it makes again, what it says."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.site import data
from labs.site.build import BuildError
from labs.site.build import build as build_here
from labs.site.node import NodeError
from labs.site.run_here import pages
from tests.site import sample_book
from tests.site.conftest import build


@pytest.fixture(scope="module")
def kept(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample book, built in the place where its copies will stand: elsewhere all is made anew."""
    place = tmp_path_factory.mktemp("changed")
    shutil.copytree(sample.parents[1], place / "book")
    result = build("--source", place / "book")
    assert result.returncode == 0, result.stderr
    return (place / "book").rename(place / "kept")


@pytest.fixture
def copy(kept: Path) -> Iterator[Path]:
    """A built sample book of one's own to change."""
    folder = kept.with_name("book")
    shutil.copytree(kept, folder)
    yield folder
    shutil.rmtree(folder)


def page(folder: Path, name: str) -> Path:
    return folder / "build" / "book" / f"{name}.html"


def test_a_change_in_one_page_writes_that_page_again(copy: Path) -> None:
    source = copy / "book" / "attacks" / "sample.md"
    source.write_text(source.read_text(encoding="utf-8") + "\nA new sentence.\n", encoding="utf-8")
    untouched = page(copy, "book/promises").stat().st_mtime_ns
    result = build("--source", copy)
    assert result.returncode == 0, result.stderr
    assert "A new sentence." in page(copy, "book/attacks/sample").read_text(encoding="utf-8")
    assert page(copy, "book/promises").stat().st_mtime_ns == untouched


def test_a_changed_definition_reaches_the_pages_that_use_it(copy: Path) -> None:
    glossary = copy / "book" / "glossary.md"
    text = glossary.read_text(encoding="utf-8").replace("no way back", "no way home")
    glossary.write_text(text, encoding="utf-8")
    result = build("--source", copy)
    assert result.returncode == 0, result.stderr
    assert "no way home" in page(copy, "book/attacks/sample").read_text(encoding="utf-8")


@pytest.mark.sockets  # a library of Sphinx tries whether this machine has IPv6
def test_a_distribution_that_is_given_becomes_the_runtimes(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = copy / "_config.yml"
    text = config.read_text(encoding="utf-8").replace("run_here: false", "run_here: true")
    config.write_text(text, encoding="utf-8")
    given = []

    def prepare(**options: object) -> None:
        given.append(options["distribution"])
        raise NodeError("seen.")

    monkeypatch.setattr(data, "install", lambda _cache: None)
    monkeypatch.setattr(pages, "prepare", prepare)
    build_here(source=copy, distribution=tmp_path)
    assert given == [tmp_path]


FAULTS = {
    "nowhere/at-all": "See {doc}`nowhere/at-all`.",
    "word that nobody explains": "A {term}`word that nobody explains`.",
    "no-source": "As said {cite}`no-source`.",
    "no-such-thing": "```{no-such-thing}\n```",
    "nowhere.md": "[A link](nowhere.md)",
    "ExtraLeftOrMissingRightError": "$\\left( x$",
    "nosuch is unknown": "$\\nosuch{x}$",
}


def test_every_fault_stops_the_build_and_is_found_again_the_next_time(copy: Path) -> None:
    source = copy / "book" / "attacks" / "sample.md"
    text = "\n\n".join([source.read_text(encoding="utf-8"), *FAULTS.values()])
    source.write_text(text, encoding="utf-8")
    for _ in range(2):
        result = build("--source", copy)
        assert result.returncode == 1
        *faults, last = result.stderr.strip().splitlines()
        assert last.startswith(f"error: the book has {len(FAULTS)} faults; the first: ")
        assert all(fault.startswith("book/attacks/sample.md:") for fault in faults), faults
        for named in FAULTS:
            assert named in result.stderr
        assert "Traceback" not in result.stderr


def test_a_page_that_the_contents_name_and_nobody_wrote_is_a_fault(copy: Path) -> None:
    (copy / "book" / "promises.md").unlink()
    for _ in ("since the page was built", "from the beginning"):
        result = build("--source", copy)
        assert result.returncode == 1
        assert "book/promises" in result.stderr


def test_a_page_that_is_no_longer_listed_leaves_the_site(copy: Path) -> None:
    toc = copy / "_toc.yml"
    text = toc.read_text(encoding="utf-8").replace("  - file: book/progress\n", "")
    toc.write_text(text, encoding="utf-8")
    assert page(copy, "book/progress").is_file()
    result = build("--source", copy)
    assert result.returncode == 0, result.stderr
    assert not page(copy, "book/progress").exists()
    assert page(copy, "book/index").is_file()


def test_a_folder_without_a_book_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"there is no _config\.yml in "):
        build_here(source=tmp_path)


@pytest.mark.parametrize("text", ["title: [", "title: 3"])
def test_a_damaged_configuration_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "_toc.yml").write_text(sample_book.TOC, encoding="utf-8")
    (tmp_path / "_config.yml").write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match=r"^_config\.yml cannot be read: [^\n]+$"):
        build_here(source=tmp_path, progress=io.StringIO())


@pytest.mark.parametrize("jobs", [0, -1, 65])
def test_a_wrong_number_of_jobs_is_refused(jobs: int) -> None:
    with pytest.raises(ValueError, match="jobs must be a whole number from 1 to 64"):
        build_here(jobs=jobs)


def test_progress_is_told_and_the_end_says_where_the_book_is(copy: Path) -> None:
    result = build("--source", copy, "--clean")
    assert result.returncode == 0
    assert "reading sources" in result.stdout
    assert "The book is in " in result.stdout.splitlines()[-1]


def test_the_address_of_publication_becomes_the_canonical_link(copy: Path) -> None:
    result = build("--source", copy, "--base-url", "https://books.example/trust/")
    assert result.returncode == 0, result.stderr
    text = page(copy, "book/promises").read_text(encoding="utf-8")
    assert '<link rel="canonical" href="https://books.example/trust/book/promises.html">' in text


def test_the_downloaded_notebook_has_every_cell_but_the_instructors(sample: Path) -> None:
    lab = json.loads((sample / "notebooks/attacks/sample.ipynb").read_text(encoding="utf-8"))
    tags = [tag for cell in lab["cells"] for tag in cell["metadata"].get("tags", [])]
    assert "instructor" not in tags
    assert "solution" in tags
    assert len(lab["cells"]) == len(sample_book.notebook()["cells"]) - 2
