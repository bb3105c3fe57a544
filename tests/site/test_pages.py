"""The book itself, every page of it: what each loads, where its links lead, how it looks to axe."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from labs import registry
from labs.site import contents
from tests.site.test_in_browser import OF_COLORS, findings, overflow
from tests.site.test_theme import EXTERNAL, Parsed

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPOSITORY = Path(__file__).parents[2]
LISTED = contents.files(REPOSITORY / "_toc.yml")
PAGES = ("index.html", "search.html", *(f"{name}.html" for name in LISTED[1:]))

BUDGET_BYTES = 500_000
"""First load of a page, gzip, before anything is pressed."""


def test_contents_pages_labs_and_registry_agree() -> None:
    assert contents.problems(REPOSITORY) == []


def test_every_word_that_a_lesson_explains_is_in_the_glossary() -> None:
    glossary = (REPOSITORY / "book" / "glossary.md").read_text(encoding="utf-8")
    entries = set(re.findall(r"^(?! )(?!```)(?!#)(.+)$", glossary, re.MULTILINE))
    missing = {
        f"{entry.id}: {term}"
        for entry in registry.lessons()
        for term in entry.lesson.terms
        if term not in entries
    }
    assert missing == set()


@pytest.mark.parametrize(
    "term",
    [
        "redundancy",
        "anycast network",
        "penetration testing",
        "hashing",
        "salting",
        "SQLi",
        "XSS",
        "CSRF",
        "session hijacking",
    ],
)
def test_the_glossary_has_every_term_of_the_vendors_page(term: str) -> None:
    glossary = (REPOSITORY / "book" / "glossary.md").read_text(encoding="utf-8")
    assert re.search(rf"^{term}$", glossary, re.MULTILINE)


@cache
def packed_size(file: Path) -> int:
    """Bytes of a file as a server sends it."""
    return len(gzip.compress(file.read_bytes()))


@cache
def parsed(file: Path) -> Parsed:
    return Parsed(file.read_text(encoding="utf-8"))


@pytest.mark.book
@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_from_its_own_site_only_and_every_link_leads_somewhere(
    book: Path, path: str
) -> None:
    file = book / path
    for tag, attributes in parsed(file).elements:
        loaded = attributes.get("src", "") or (attributes.get("href", "") if tag == "link" else "")
        if attributes.get("rel") != "canonical":
            assert not EXTERNAL.match(loaded) or loaded.startswith("data:image/"), loaded
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        address = loaded or attributes.get("href", "")
        if not address or EXTERNAL.match(address):
            assert tag != "script" or loaded, "an inline script"
            continue
        place, _, fragment = address.partition("#")
        target = (file.parent / unquote(place.partition("?")[0])).resolve() if place else file
        assert target.is_file(), address
        if fragment and target.suffix == ".html":
            ids = {a.get("id") for _, a in parsed(target).elements}
            assert unquote(fragment) in ids, address


@pytest.mark.book
@pytest.mark.parametrize("path", PAGES)
def test_every_picture_has_a_text_alternative(book: Path, path: str) -> None:
    for tag, attributes in parsed(book / path).elements:
        if tag == "img":
            assert attributes.get("alt"), attributes
        if tag == "svg" and attributes.get("role") == "img":
            assert attributes.get("aria-label"), attributes
        elif tag == "svg":
            assert attributes.get("aria-hidden") == "true", attributes
        if tag == "iframe":
            assert attributes.get("title"), attributes
            assert "allow-same-origin" not in attributes["sandbox"]


@pytest.mark.book
@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_silent_light_and_without_fault(
    page: Page, book: Path, book_address: str, axe: str, path: str
) -> None:
    foreign: list[str] = []
    said: list[str] = []
    loaded: list[Path] = []

    def came(response: Any) -> None:
        if response.url.startswith(book_address):
            loaded.append(book / unquote(urlsplit(response.url).path[1:]))
        elif not response.url.startswith(("data:", "blob:", "about:")):
            foreign.append(response.url)

    page.on("response", came)
    # What a framed attack asks for is refused by the frame's own policy, and should be.
    page.on(
        "requestfailed",
        lambda r: said.append(f"failed: {r.url}") if r.frame.url != "about:srcdoc" else None,
    )
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on(
        "console",
        lambda m: said.append(m.text) if m.location["url"] != "about:srcdoc" else None,
    )
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(book_address + path)
    page.evaluate(axe)  # which takes a while: what the page asks for after it has loaded counts too
    assert book / path in loaded
    assert sum(map(packed_size, loaded)) < BUDGET_BYTES
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    for element in page.locator("[data-labs-explore]").all():
        element.scroll_into_view_if_needed()
        element.locator("input[type=range]").first.wait_for()
    assert findings(page, axe) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert findings(page, axe, rules=OF_COLORS) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) <= 0
    assert foreign == []
    assert said == []
