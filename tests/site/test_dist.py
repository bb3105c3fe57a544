"""What is packed for others is whole: every page, no dead link, nothing from another host."""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from labs import registry
from labs.site import chromium, contents, dist

REPOSITORY = Path(__file__).parents[2]
LOADS = re.compile(r'(?:src|srcset|poster|data)="(?:https?:)?//')


def pages_of(epub: Path) -> dict[str, str]:
    with zipfile.ZipFile(epub) as packed:
        return {
            name: packed.read(name).decode()
            for name in packed.namelist()
            if name.endswith((".xhtml", ".opf", ".xml"))
        }


def check_epub(epub: Path, expected: int) -> None:
    with zipfile.ZipFile(epub) as packed:
        first = packed.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert packed.read("mimetype") == b"application/epub+zip"
        names = set(packed.namelist())
    pages = pages_of(epub)
    for name, text in pages.items():
        tree = ElementTree.fromstring(text)
        assert not LOADS.search(text), name
        assert "<script" not in text
        assert "var(--" not in text, f"{name} needs variables that readers lack"
        for element in tree.iter():
            source = element.get("src")
            assert source is None or f"book/{source}" in names
    listed = re.findall(r'href="([^"]+\.xhtml)"', pages["book/book.opf"])
    assert {f"book/{name}" for name in listed} == {n for n in names if n.endswith(".xhtml")}
    assert len(listed) == expected + 1  # and the contents
    anchors = {
        name.removeprefix("book/"): set(re.findall(r' id="([^"]+)"', text))
        for name, text in pages.items()
    }
    for name, text in pages.items():
        for file, anchor in re.findall(r'href="([^"#:]*)#([^"]+)"', text):
            assert anchor in anchors[file or name.removeprefix("book/")], (name, file, anchor)


def test_an_epub_of_the_sample_holds_every_page_well_formed(sample: Path, tmp_path: Path) -> None:
    root = sample.parents[1]
    chapters = dist.read(root, sample)
    epub = dist.write_epub(chapters, sample, tmp_path / "sample.epub")
    check_epub(epub, len(contents.files(root / "_toc.yml")))


def test_the_same_site_packs_to_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        dist._archive(sample, tmp_path / name / "site.zip")
        chapters = dist.read(sample.parents[1], sample)
        dist.write_epub(chapters, sample, tmp_path / name / "book.epub")
    for file in ("site.zip", "book.epub"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_solutions_are_unfolded_and_terms_are_plain_words(sample: Path) -> None:
    chapters = dist.read(sample.parents[1], sample)
    text = "".join(dist._page(chapter, {}) for chapter in chapters)
    assert "The folded words" in text
    assert "<details" in text
    assert not re.search(r"<details(?![^>]* open=)", text)
    assert "<button" not in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('href="../promises.html', 'href="../promises.html#nowhere" x="', "nothing there"),
        ("<article>", '<article><img src="lost.png">', "image lost.png, which is missing"),
        ("</h1>", "</h2>", "has no title"),
    ],
    ids=["a dead link", "a missing image", "no title"],
)
def test_a_fault_is_named_in_one_sentence(
    sample: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    site = tmp_path / "site"
    shutil.copytree(sample, site, ignore=shutil.ignore_patterns("_run"))
    page = site / "book" / "attacks" / "sample.html"
    text = page.read_text(encoding="utf-8")
    if old.startswith("href"):
        text = text.replace("<article>", f'<article><p><a {old}.html">x</a></p>')
        text = text.replace(f"{old}.html", "../promises.html#nowhere".join(('href="', "")))
    else:
        text = text.replace("<h1>", "<h2>") if old == "</h1>" else text
        text = text.replace(old, new)
    page.write_text(text, encoding="utf-8")
    with pytest.raises(dist.DistError, match=message):
        dist.read(sample.parents[1], site)


def test_without_chromium_the_rest_is_made_and_one_sentence_says_what_is_missing(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "without_windows", lambda: None)
    with pytest.raises(dist.DistError, match="the PDF needs Chromium"):
        dist.pack(sample.parents[1], sample, tmp_path)
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert [line.rpartition(".")[2] for line in lines] == ["zip", "epub"]
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


@pytest.fixture(scope="module")
def chapters(book: Path) -> list[dist.Chapter]:
    """The pages of the book; writing a document changes none."""
    return dist.read(REPOSITORY, book)


@pytest.mark.book
def test_the_epub_of_the_book_is_whole(
    book: Path, chapters: list[dist.Chapter], tmp_path: Path
) -> None:
    epub = dist.write_epub(chapters, book, tmp_path / "book.epub")
    check_epub(epub, len(contents.files(REPOSITORY / "_toc.yml")))
    text = "".join(pages_of(epub).values())
    for entry in registry.lessons():
        assert entry.lesson.title in text


@pytest.mark.browser
def test_the_pdf_of_the_book_holds_every_lesson(
    book: Path, chapters: list[dist.Chapter], tmp_path: Path
) -> None:
    import pypdf

    file = dist.write_pdf(chapters, book, tmp_path / "book.pdf")
    reader = pypdf.PdfReader(file)
    listed = [(entry.title, entry) for entry in flat(reader.outline)]
    for entry in registry.lessons():
        places = [place for title, place in listed if title == entry.lesson.title]
        assert len(places) >= 2  # its page and its lab
        for place in places:
            number = reader.get_destination_page_number(place)
            assert entry.lesson.title in " ".join(reader.pages[number].extract_text().split())
    asked = [title for title, _ in listed if title == "Questions for a vendor"]
    assert len(asked) == len(registry.lessons())


def flat(outline: list[Any]) -> Iterator[Any]:
    """The entries of a PDF's outline, those below others too."""
    for entry in outline:
        if isinstance(entry, list):
            yield from flat(entry)
        else:
            yield entry


@pytest.mark.browser
def test_the_archive_works_on_a_plain_server_under_a_sub_path(
    sample: Path, tmp_path: Path, page
) -> None:
    import functools
    import http.server
    import threading

    dist._archive(sample, tmp_path / "site.zip")
    with zipfile.ZipFile(tmp_path / "site.zip") as packed:
        packed.extractall(tmp_path / "www" / "some" / "where")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        failed: list[str] = []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.on("response", lambda r: failed.append(r.url) if r.status >= 400 else None)
        page.goto(f"http://127.0.0.1:{server.server_port}/some/where/index.html")
        page.goto(page.locator("nav.contents a", has_text="Lab").first.evaluate("a => a.href"))
        assert page.locator("h1").inner_text()
        server.shutdown()
    assert failed == []
