"""The theme in Chromium, on the sample book served under the site's own policy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labs.site.policy import content_security_policy
from labs.site.server import BookServer
from tests.site.test_theme import LAB, LESSON, PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

THEMES = ("light", "dark")
SEARCH = "search.html?q=salts"
KINDS = (SEARCH, *(page for page in PAGES if page != "search.html"))


class Watched:
    """A page whose requests, console and errors are written down."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.foreign: list[str] = []
        self.said: list[str] = []
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", "about:")):
            self.foreign.append(request.url)

    def _console(self, message: Any) -> None:
        # A script in an untrusted frame is barred by the policy, and the browser says so.
        if message.location["url"] != "about:srcdoc":
            self.said.append(f"{message.type}: {message.text}")

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture
def watched(page: Page, sample_address: str) -> Iterator[Watched]:
    watcher = Watched(page, sample_address)
    yield watcher
    assert watcher.foreign == []
    assert watcher.said == []


@pytest.fixture
def without_scripts(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=False)
    yield context
    context.close()


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("path", KINDS)
def test_a_page_is_silent_and_asks_no_other_host_under_the_sites_policy(
    watched: Watched, path: str
) -> None:
    response = watched.page.goto(watched.address + path)
    assert response
    assert response.headers["content-security-policy"] == content_security_policy()


@pytest.mark.parametrize("path", KINDS)
def test_axe_finds_nothing_in_either_theme(watched: Watched, axe: str, path: str) -> None:
    page = watched.page
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    watched.open(path)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert findings(page, axe, rules=(*WCAG, "best-practice")) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert findings(page, axe, rules=OF_COLORS) == []


WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
OF_COLORS = ("color-contrast", "link-in-text-block")
"""The rules whose answers can change with the theme: it changes colors and nothing else."""


def findings(page: Page, axe: str, *, rules: tuple[str, ...] = WCAG) -> list[str]:
    """What axe-core finds, by rule and place; a sandboxed frame cannot be looked into."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(
        """async (rules) => (await axe.run(document, {
            iframes: false,
            runOnly: rules,
        })).violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}`))""",
        list(rules),
    )
    return list(found)


@pytest.mark.parametrize("path", KINDS)
def test_at_400_percent_zoom_nothing_scrolls_sideways(watched: Watched, path: str) -> None:
    watched.page.set_viewport_size({"width": 320, "height": 640})
    page = watched.open(path)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert overflow(page) <= 0


@pytest.mark.parametrize("path", KINDS)
def test_with_more_space_between_letters_and_lines_nothing_is_cut(
    watched: Watched, path: str
) -> None:
    """WCAG 2.2, success criterion 1.4.12."""
    watched.page.set_viewport_size({"width": 1024, "height": 700})
    page = watched.open(path)
    page.evaluate(
        """() => { for (const e of document.querySelectorAll('body, body *:not(svg *)'))
            e.style.cssText += 'letter-spacing:.12em !important; word-spacing:.16em !important;'
                + 'line-height:1.5 !important' }"""
    )
    assert overflow(page) <= 0
    cut = page.evaluate(
        """() => [...document.querySelectorAll('p, li, summary, button, label, th, td')]
            .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1
                && getComputedStyle(e).overflowX !== 'visible').map((e) => e.outerHTML)"""
    )
    assert cut == []


def test_the_keyboard_reaches_the_text_first_and_everything_else_in_order(watched: Watched) -> None:
    page = watched.open(LESSON)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the text"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.tagName, (e.textContent || e.value || '').trim().slice(0, 60),
                    s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2] }"""
            )
        )
        if reached[-1][0] == "BODY":
            break
    assert all(visible for tag, _, visible in reached if tag != "BODY"), reached
    names = [text for _, text, _ in reached]
    assert "salt" in names
    assert "Something folded" in names
    assert names.index("salt") < names.index("Something folded")
    assert any("The lab with everything" in name for name in names)


def test_what_has_focus_is_not_hidden_under_the_header(
    whole_browser: Browser, sample_address: str
) -> None:
    """In the whole program: its engine alone does not scroll to a frame that takes the focus."""
    own = whole_browser.new_page(viewport={"width": 1200, "height": 500}, reduced_motion="reduce")
    watched = Watched(own, sample_address)
    page = watched.open(LAB)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        hidden = page.evaluate(
            """() => { const e = document.activeElement;
            if (!e.closest('article')) return false;
            const box = e.getBoundingClientRect();
            return box.bottom <= document.querySelector('.top').getBoundingClientRect().bottom }"""
        )
        assert not hidden
    assert watched.foreign == []
    assert watched.said == []


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_a_chosen_theme_holds_on_the_next_page_from_the_first_paint(
    watched: Watched, chosen: str
) -> None:
    page = watched.page
    page.emulate_media(color_scheme="dark" if chosen == "light" else "light")
    watched.open(LESSON)
    button = page.locator("button.theme")
    while page.evaluate("document.documentElement.dataset.theme") != chosen:
        button.click()
    assert button.get_attribute("aria-label") == f"Colors: {chosen}"
    page.route("**/book.js*", lambda route: route.abort())
    page.goto(watched.address + LAB)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(252, 251, 248)", "dark": "rgb(18, 24, 27)"}[chosen]
    watched.said.clear()  # the blocked script is this test's doing


def test_the_theme_follows_the_device_until_one_is_chosen(watched: Watched) -> None:
    page = watched.open(LESSON)
    grounds = set()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_a_picture_changes_its_ink_with_the_theme(watched: Watched) -> None:
    page = watched.open(LAB)
    inks = set()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        inks.add(
            page.evaluate("getComputedStyle(document.querySelector('.labs-picture text')).fill")
        )
    assert len(inks) == 2


def test_a_term_explains_itself_on_hover_and_on_focus_and_escape_closes_it(
    watched: Watched,
) -> None:
    page = watched.open(LESSON)
    term, note = page.locator("a.term").first, page.locator("#def-term-salt")
    assert term.get_attribute("aria-describedby") == "def-term-salt"
    assert not note.is_visible()
    term.hover()
    note.wait_for(state="visible")
    note.hover()
    page.wait_for_timeout(400)
    assert note.is_visible()
    page.keyboard.press("Escape")
    assert not note.is_visible()
    page.mouse.move(0, 0)
    page.keyboard.press("Tab")
    term.focus()
    page.locator("#main").focus()
    while page.evaluate("document.activeElement.className") != term.get_attribute("class"):
        page.keyboard.press("Tab")
    note.wait_for(state="visible")
    page.keyboard.press("Escape")
    assert not note.is_visible()
    assert page.evaluate("document.activeElement.classList.contains('term')")


def test_a_tap_explains_a_term_and_a_second_tap_leads_to_the_glossary(
    browser: Browser, sample_address: str
) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(sample_address + LESSON)
    page.locator("a.term").first.tap()
    note = page.locator("#def-term-salt")
    note.wait_for(state="visible")
    box = note.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.url.endswith(LESSON)
    page.locator("a.term").first.tap()
    page.wait_for_url("**/book/glossary.html#term-salt")
    context.close()


def test_an_answer_is_kept_in_the_browser_and_counts_toward_progress(watched: Watched) -> None:
    page = watched.open(LAB)
    wrong, right = "#labs-attacks-sample-first-a", "#labs-attacks-sample-first-b"
    page.locator(wrong).check()
    assert stored(page) == {"attacks.sample.first": "tried"}
    page.locator(right).check()
    assert stored(page) == {"attacks.sample.first": "solved"}
    page.locator(wrong).check()
    assert stored(page) == {"attacks.sample.first": "solved"}
    page.locator("#labs-attacks-sample-guess-a").check()
    assert stored(page)["attacks.sample.guess"] == "solved"
    watched.open(LESSON)
    watched.open(LAB)
    assert page.locator(wrong).is_checked()
    assert page.get_by_text("A salt is no secret.").is_visible()


def stored(page: Page) -> dict[str, str]:
    data = json.loads(page.evaluate("localStorage.getItem('labs.progress')"))
    assert data["version"] == 1
    assert all(datetime.fromisoformat(entry["at"]) for entry in data["done"].values())
    return {name: entry["state"] for name, entry in data["done"].items()}


def test_an_answer_can_be_given_by_keyboard_alone(watched: Watched) -> None:
    page = watched.open(LAB)
    page.locator("#labs-attacks-sample-first-a").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.locator("#labs-attacks-sample-first-b").is_checked()
    assert page.get_by_text("Yes, for each user.").is_visible()


def test_progress_leaves_as_a_file_and_comes_back_and_never_goes_down(
    watched: Watched, tmp_path: Path
) -> None:
    page = watched.open("book/progress.html")
    entry = {"version": 1, "done": {"a.b.c": {"state": "solved", "at": "2026-01-01T00:00:00Z"}}}
    file = tmp_path / "progress.json"
    file.write_text(json.dumps(entry), encoding="utf-8")
    page.set_input_files("input[type=file]", file)
    page.get_by_text("1 entries were read").wait_for()
    entry["done"]["a.b.c"]["state"] = "tried"  # type: ignore[index]
    file.write_text(json.dumps(entry), encoding="utf-8")
    page.set_input_files("input[type=file]", file)
    page.wait_for_timeout(200)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    saved = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert saved["done"]["a.b.c"]["state"] == "solved"
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget everything").click()
    assert page.evaluate("localStorage.getItem('labs.progress')") is None


def test_progress_exported_by_the_labs_is_read_in_the_page(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labs.teaching import progress

    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    progress.record("attacks.sample.first", "solved")
    file = progress.export(tmp_path / "exported.json")
    page = watched.open("book/progress.html")
    page.set_input_files("input[type=file]", file)
    page.get_by_text("1 entries were read").wait_for()
    assert stored(page) == {"attacks.sample.first": "solved"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no json", "it is not JSON"),
        ('{"version": 2, "done": {}}', "unknown version"),
        ('{"version": 1, "done": []}', "has no entries"),
        ('{"version": 1, "done": {"x": {"state": "won", "at": "2026-01-01"}}}', "cannot be read"),
        ('{"version": 1, "done": {"x": {"state": "constructor", "at": "2026"}}}', "cannot be read"),
    ],
)
def test_a_damaged_progress_file_is_refused_and_nothing_is_lost(
    watched: Watched, tmp_path: Path, text: str, sentence: str
) -> None:
    page = watched.open(LAB)
    page.locator("#labs-attacks-sample-first-b").check()
    watched.open("book/progress.html")
    file = tmp_path / "progress.json"
    file.write_text(text, encoding="utf-8")
    page.set_input_files("input[type=file]", file)
    page.get_by_text(sentence).wait_for()
    assert "Nothing was changed." in page.locator(".progress-status").inner_text()
    assert stored(page) == {"attacks.sample.first": "solved"}


def test_damaged_storage_does_not_stop_a_page(watched: Watched) -> None:
    page = watched.open(LESSON)
    page.evaluate(
        """() => { for (const key of ['labs.progress', 'labs.answers', 'labs.theme'])
            localStorage.setItem(key, '{broken') }"""
    )
    watched.open(LAB)
    page.locator("#labs-attacks-sample-first-b").check()
    assert stored(page) == {"attacks.sample.first": "solved"}


def test_search_finds_other_forms_of_a_word_and_leads_to_the_place(watched: Watched) -> None:
    page = watched.open("index.html")
    page.get_by_role("searchbox", name="Search the book").fill("salts")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=salts")
    assert "Found" in page.locator("#search-status").inner_text()
    first = page.locator("#search-results a").first
    assert first.inner_text() == "salt, salting"
    assert page.locator("#search-results mark").first.inner_text().lower().startswith("salt")
    first.click()
    page.wait_for_url("**/book/glossary.html#term-salt")


def test_search_says_when_there_is_nothing_and_treats_words_as_text(watched: Watched) -> None:
    page = watched.open("search.html?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    assert "Nothing was found for “<img src=x onerror=alert(1)>”" in page.content().replace(
        "&lt;", "<"
    ).replace("&gt;", ">")
    assert page.locator("#search-status img").count() == 0


def test_code_can_be_copied(browser: Browser, sample_address: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(sample_address + LESSON)
    page.locator("div.highlight").first.hover()
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("def store(password: str)")
    context.close()


def test_on_a_phone_the_contents_open_and_close_without_a_script(
    browser: Browser, sample_address: str
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(sample_address + LESSON)
    menu = page.get_by_role("navigation", name="Contents of the book")
    assert not menu.is_visible()
    page.get_by_role("button", name="Contents").click()
    assert menu.is_visible()
    menu.get_by_role("link", name="Glossary").click()
    page.wait_for_url("**/book/glossary.html")
    context.close()


def test_with_scripts_off_text_pictures_and_solutions_are_there(
    without_scripts: BrowserContext, sample_address: str
) -> None:
    page = without_scripts.new_page()
    page.goto(sample_address + LAB)
    assert page.get_by_text("Only on systems that you own.").is_visible()
    assert page.get_by_role("img", name="Six lines that rise by 1").is_visible()
    page.get_by_text("A solution").first.click()
    assert page.get_by_text("secret solution").is_visible()
    page.locator("#labs-attacks-sample-first-b").check()
    assert page.get_by_text("Yes, for each user.").is_visible()
    assert not page.locator("button.theme").is_visible()
    page.goto(sample_address + "index.html")
    page.get_by_label("As text").check()
    assert page.locator("[data-scheme='0'] code").first.inner_text() == "123456"
    assert not page.locator("[data-scheme='1']").is_visible()
    page.goto(sample_address + SEARCH)
    assert page.get_by_text("Searching needs scripts.").is_visible()


def test_the_site_works_under_a_sub_path(page: Page, sample: Path, tmp_path: Path) -> None:
    shutil.copytree(sample, tmp_path / "a" / "deep er" / "path")
    with BookServer(tmp_path, port=0) as server:
        missing: list[str] = []
        page.on("response", lambda r: missing.append(r.url) if r.status >= 400 else None)
        page.goto(f"{server.address}a/deep%20er/path/{LAB}")
        assert (
            page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgba(0, 0, 0, 0)"
        )
        page.get_by_role("searchbox", name="Search the book").fill("birthday")
        page.keyboard.press("Enter")
        page.locator("#search-results a").first.click()
        page.wait_for_url("**/a/deep%20er/path/book/attacks/sample.html#formulas-and-code")
        page.locator("a.brand").click()
        page.wait_for_url("**/a/deep%20er/path/index.html")
        assert missing == []


def test_search_and_pages_work_from_a_folder_on_disk(page: Page, sample: Path) -> None:
    page.goto(f"{(sample / 'search.html').as_uri()}?q=birthday")
    page.locator("#search-results a").first.click()
    assert page.get_by_role("heading", name="Formulas and code").is_visible()


def test_printed_folds_are_open_menus_are_gone_and_links_show_their_address(
    watched: Watched,
) -> None:
    page = watched.open(LAB)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("header.top").is_visible()
    assert not page.locator("#contents").is_visible()
    solution = page.locator(".fold.solution pre").first
    box = solution.bounding_box()
    assert box
    assert box["height"] > 20
    watched.open("book/references.html")
    after = page.evaluate(
        "getComputedStyle(document.querySelector('article a[href^=http]'), '::after').content"
    )
    assert "source.example" in after


def test_a_reader_who_wants_little_motion_gets_none(watched: Watched) -> None:
    watched.page.emulate_media(reduced_motion="reduce")
    page = watched.open(LESSON)
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((e) => { const s = getComputedStyle(e);
            return s.transitionDuration !== '0s' || s.animationName !== 'none'
                || s.scrollBehavior === 'smooth' }).length"""
    )
    assert moving == 0


def test_an_untrusted_frame_is_shown_and_cannot_reach_the_page(watched: Watched) -> None:
    page = watched.open(LAB)
    frame = page.locator("iframe.labs-frame")
    frame.scroll_into_view_if_needed()
    assert frame.get_attribute("sandbox") == "allow-scripts"
    assert page.frame_locator("iframe.labs-frame").get_by_text("Hello").is_visible()
