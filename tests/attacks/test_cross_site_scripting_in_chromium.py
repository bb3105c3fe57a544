"""The weak and the repaired functions of the lesson in a real Chromium: the same verdicts.

Each output stands in a frame of its own, hundreds in one page. Everything in the frames is clicked
and pointed at, as in the model browser; what fires, which data arrive and what text shows must be
what the model browser says. Requests are answered in process, to no other host.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from labs.attacks import cross_site_scripting as xss
from labs.attacks.cross_site_scripting import payloads
from labs.attacks.cross_site_scripting.exercises import data_page, text_page

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

_WATCH = """
(() => {
  const cell = () => {
    let view = window
    while (view !== top && view.parent !== top) view = view.parent
    return view === top ? '' : view.frameElement.id
  }
  if (window === top) { window.fired = new Set(); window.got = {} }
  window.canary = () => { top.fired.add(cell()) }
  window.received = value => { top.got[cell()] = JSON.stringify(value) ?? null }
})()
"""

_ACT = """
() => {
  for (const frame of document.querySelectorAll('body > iframe')) {
    let page = null
    try { page = frame.contentDocument } catch { continue }
    if (!page || !page.defaultView) continue
    const view = page.defaultView
    // Only what leads to code may be followed; the rest would take the frame away.
    view.addEventListener('click', event => {
      const link = event.target.closest('a, area, button, input')
      if (link && link.href !== undefined && link.protocol !== 'javascript:')
        event.preventDefault()
    }, true)
    view.addEventListener('submit', event => {
      const button = event.submitter
      const action = button && button.hasAttribute('formaction')
        ? button.formAction : event.target.action
      if (!String(action).startsWith('javascript:')) event.preventDefault()
    }, true)
    for (const element of page.querySelectorAll('*')) {
      const options = {bubbles: true, cancelable: true, composed: true, view}
      const acts = element.matches('a, area, button, input, summary')
        || element.getAttributeNames().some(name => name.startsWith('on'))
      if (!acts) continue
      element.dispatchEvent(new view.MouseEvent('mouseover', options))
      element.dispatchEvent(new view.MouseEvent('click', options))
    }
  }
}
"""

_SHOWN = """
() => [...document.querySelectorAll('body > iframe')].map(frame => {
  try { return frame.contentDocument.getElementById('here').textContent } catch { return null }
})
"""


class Cells:
    """Pages side by side in one page of Chromium."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.markup = ""
        page.add_init_script(_WATCH)
        page.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        if route.request.url == f"{xss.HOME}/" and route.request.is_navigation_request():
            route.fulfill(body=self.markup, content_type="text/html; charset=utf-8")
        else:
            route.abort()

    def open(self, cells: list[str], expected: set[int]) -> set[int]:
        """The numbers of the pages whose canary was called."""
        self.markup = "<!doctype html><meta charset=utf-8><title>cells</title>" + "".join(
            f'<iframe id="{number}" srcdoc="{escape(cell)}"></iframe>'
            for number, cell in enumerate(cells)
        )
        self.page.goto(f"{xss.HOME}/")
        self.page.wait_for_timeout(200)
        self.page.evaluate(_ACT)
        waiting = [str(number) for number in sorted(expected)]
        try:
            # What should run is waited for; what should not gets the same time and a little more.
            self.page.wait_for_function(
                "waiting => waiting.every(id => fired.has(id))", arg=waiting, timeout=10_000
            )
        except Exception as error:
            if type(error).__name__ != "TimeoutError":
                raise
        self.page.wait_for_timeout(200)
        return {int(number) for number in self.page.evaluate("[...fired]") if number}

    def received(self) -> dict[int, Any]:
        """What the scripts of the pages handed on."""
        got = self.page.evaluate("got")
        return {int(number): json.loads(value) for number, value in got.items() if value}

    def shown(self) -> list[str | None]:
        """The text around the answers."""
        texts: list[str | None] = self.page.evaluate(_SHOWN)
        return texts


def _texts(seed: str) -> list[str]:
    rng = random.Random(seed)
    varied = payloads.variations(payloads.texts(), rng, 56)
    return [*varied, *payloads.SPLIT_TAGS]


def _links(render: Callable[[str, str], str]) -> list[str]:
    addresses = (*payloads.ADDRESSES, *payloads.QUOTES, *payloads.HONEST_ADDRESSES)
    pages = [text_page(render(address, "website")) for address in addresses]
    return pages + [text_page(render(xss.HOME, label)) for label in payloads.texts()[::4]]


def _values() -> list[Any]:
    texts = [*payloads.IN_JSON, *payloads.IN_STRINGS, *payloads.SWALLOWING, *payloads.texts()[::2]]
    return [*payloads.HONEST_DATA, *([text] for text in texts), *({t: 1} for t in texts[:12])]


def test_chromium_gives_every_weak_and_every_repaired_function_the_models_verdict(
    page: Page,
) -> None:
    cells = Cells(page)
    notes, profiles, values = _texts("notes"), _texts("profiles"), _values()
    subjects: dict[str, list[str]] = {
        "weak note": [text_page(xss.render_note_weak(text)) for text in notes],
        "note": [text_page(xss.render_note(text)) for text in (*notes, *payloads.MARKUP)],
        "weak link": _links(xss.render_link_weak),
        "link": _links(xss.render_link),
        "weak data": [data_page(xss.embed_json_weak(value)) for value in values],
        "data": [data_page(xss.embed_json(value)) for value in values],
        "weak profile": [text_page(xss.clean_profile_weak(text)) for text in profiles],
        "profile": [text_page(xss.clean_profile(text)) for text in (*profiles, *payloads.MARKUP)],
    }
    assert all(len(pages) >= 40 for pages in subjects.values())
    disagreements = []
    for name, pages in subjects.items():
        model = {number for number, markup in enumerate(pages) if xss.look(markup).ran}
        assert bool(model) is name.startswith("weak")
        chromium = cells.open(pages, model)
        disagreements += [(name, n in chromium, pages[n]) for n in sorted(model ^ chromium)]
        if name == "data":
            assert [cells.received().get(n) for n in range(len(values))] == values
        if name == "note":
            # A line break is a tag there, which has no text.
            shown = ["".join(str(text).split()) for text in cells.shown()]
            wanted = ["".join(text.split()) for text in (*notes, *payloads.MARKUP)]
            assert shown == wanted
    assert not disagreements, "\n".join(map(str, disagreements))


def test_chromium_shows_what_honest_people_write(page: Page) -> None:
    cells = Cells(page)
    sources = payloads.HONEST_PROFILES
    pages = [text_page(xss.render_note(text)) for text in payloads.HONEST_TEXTS]
    pages += [text_page(xss.clean_profile(source)) for source in sources]
    pages += [text_page(source) for source in sources]
    assert cells.open(pages, set()) == set()
    shown = [" ".join(str(text).split()) for text in cells.shown()]
    count = len(payloads.HONEST_TEXTS)
    assert shown[:count] == [" ".join(text.split()) for text in payloads.HONEST_TEXTS]
    assert shown[count : count + len(sources)] == shown[count + len(sources) :]
