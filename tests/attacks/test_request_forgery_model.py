"""Which requests carry the cookie, what a forged one changes, and that Chromium agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from labs.attacks import request_forgery
from labs.attacks.request_forgery import model, visits
from labs.browser import static_site
from labs.kvittra import WEAKNESSES, create_app, forgery
from labs.kvittra.seed import PASSWORDS

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVIL = "https://evil.example"
HOME = "https://kvittra.example"
SIBLING = "https://status.kvittra.example"

REFERENCE = [  # draft-ietf-httpbis-rfc6265bis, sections 5.6.7 and 5.8.3
    (HOME, "image", "Strict", 0, True),
    (EVIL, "link", "Strict", 0, False),
    (EVIL, "image", "Strict", 0, False),
    (EVIL, "fetch", "Strict", 0, False),
    (HOME, "image", "Lax", 0, True),
    (EVIL, "form", "Lax", 0, False),
    (EVIL, "image", "Lax", 0, False),
    (EVIL, "fetch", "Lax", 0, False),
    (EVIL, "link", "None", 0, True),
    (EVIL, "form", "None", 0, True),
    (EVIL, "form", None, 100, True),
    (EVIL, "form", None, 121, False),
]


@pytest.mark.parametrize(
    ("sender", "way", "same_site", "age_s", "sent"),
    [
        pytest.param(*row, id=f"samesite: {row[0]} {row[1]} {row[2]} {row[3]} s (rfc6265bis)")
        for row in REFERENCE
    ],
)
def test_the_cookie_travels_as_in_the_reference(
    sender: str, way: str, same_site: str | None, age_s: float, sent: bool
) -> None:
    assert model.travels(sender, way, same_site, float(age_s)).sent is sent


def test_the_whole_matrix_is_what_chromium_156_did() -> None:
    """Ports and sibling hosts are the same site; the scheme belongs to the site."""
    found = {
        sender: "".join(
            "y" if model.travels(sender, way, attribute).sent else "n"
            for attribute, way in model.COLUMNS
        )
        for sender in model.SENDERS
    }
    assert found == {
        HOME: "yyyyyy",
        f"{HOME}:8443": "yyyyyy",
        SIBLING: "yyyyyy",
        "http://kvittra.example": "nnynyy",
        EVIL: "nnynyy",
    }


@pytest.mark.parametrize("age_s", [0.0, 119.0, 120.0, 120.001, 121.0, 3_600.0])
@pytest.mark.parametrize("same_site", ["Strict", "Lax", "None", None])
def test_the_rule_alone_and_the_browser_agree(same_site: str | None, age_s: float) -> None:
    assert model.travels(EVIL, "form", same_site, age_s) == model.cookie_sent_with_form(
        same_site, age_s
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("https://else.example", "form", "Lax"), "sender must be one of"),
        ((EVIL, "post", "Lax"), "way must be one of link, form"),
        ((EVIL, "form", "lax"), "same_site must be Strict"),
        ((EVIL, "form", None, -1.0), "age_s"),
        ((EVIL, "form", None, float("nan")), "age_s"),
    ],
)
def test_bad_arguments_are_named(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        model.travels(*arguments)


def test_an_attack_page_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="way must be form, image, fetch or link, not 'mail'"):
        visits.attack_page("mail", HOME)


def test_what_a_page_sends_is_escaped_in_it() -> None:
    page = visits.attack_page("form", HOME, {'a"b': '"><script>canary()</script>'})
    assert "<script>canary" not in page


@pytest.mark.parametrize("half_fix", model.HALF_FIXES, ids=lambda one: one.name)
def test_each_defense_used_wrongly_is_defeated_and_the_hardened_edition_is_not(
    half_fix: model.HalfFix,
) -> None:
    assert half_fix.weaknesses <= set(WEAKNESSES)
    assert half_fix.succeeds()
    assert not half_fix.succeeds(hardened=True)


@pytest.mark.parametrize("half_fix", model.HALF_FIXES, ids=lambda one: one.name)
def test_each_half_fix_stops_a_plainer_page(half_fix: model.HalfFix) -> None:
    """It does defend against something: the plain form of evil.example with an older cookie."""
    world = visits.World(half_fix.weaknesses, replace=half_fix.replace, age_s=600.0)
    page = visits.attack_page("form", f"{HOME}{visits.PAY}", {"paid": "yes"})
    world.visit(EVIL, page)
    assert not world.paid


def test_an_honest_form_works_on_the_hardened_edition_in_the_pages_own_browser() -> None:
    world = visits.World()
    fields = {"paid": "yes", "csrf_token": world.own_token}
    world.visit(HOME, visits.attack_page("form", f"{HOME}{visits.PAY}", fields), path="/own")
    assert world.paid


def test_an_honest_person_signs_in_and_pays_on_kvittras_real_pages() -> None:
    from labs.browser import Browser, Clock, Internet

    clock = Clock(visits.NOON)
    app = create_app(clock=clock, seed=7)
    internet = Internet()
    internet.add(HOME, app)
    tab = Browser(internet, clock=clock).open(f"{HOME}/sign-in")
    tab.submit("form", {"email": "maja@bergsbageri.example", "password": PASSWORDS["maja"]})
    tab.open(f"{HOME}/invoices/{visits.INVOICE}")
    pay = tab.page.find(f'form[action="{visits.PAY}"]')
    assert pay is not None
    tab.submit(pay)
    status = app.connection.execute("SELECT status FROM invoices WHERE number = 1049").fetchone()
    assert status[0] == "paid"


def test_without_being_signed_in_nothing_can_be_forged() -> None:
    everything = {name for name in WEAKNESSES if name.startswith("csrf_")}
    world = visits.World(everything | {"cookie_same_site_none"}, signed_in=False)
    world.visit(EVIL, visits.attack_page("form", f"{HOME}{visits.PAY}", {"paid": "yes"}))
    assert not world.paid
    assert world.user is None


def test_headers_that_never_arrive_are_never_seen() -> None:
    seen: list[dict[str, str]] = []

    def note(method: str, headers: Any, origin: str) -> bool:
        seen.append(dict(headers))
        return forgery.from_own_page_weak(method, headers, origin)

    world = visits.World(
        {"csrf_token_missing"}, replace={"from_own_page": note}, missing=visits.SILENT
    )
    world.visit(EVIL, visits.attack_page("form", f"{HOME}{visits.PAY}", {"paid": "yes"}))
    assert seen
    assert not {"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode"} & set(seen[0])


def test_the_pairs_have_the_same_signature() -> None:
    for weak, repaired in (
        (model.make_token_weak, model.make_token),
        (model.check_token_weak, model.check_token),
        (model.from_own_page_by_referer, forgery.from_own_page),
    ):
        assert (
            weak.__code__.co_varnames[: weak.__code__.co_argcount]
            == (repaired.__code__.co_varnames[: repaired.__code__.co_argcount])
        )


def test_the_public_names_are_there() -> None:
    for name in request_forgery.__all__:
        assert getattr(request_forgery, name) is not None


class Chromium:
    """The story's three hosts on this machine, and Maja in a tab of Chromium."""

    def __init__(self, page: Page, half_fix: model.HalfFix, *, hardened: bool) -> None:
        from labs.kvittra.server import LocalServer

        self.page = page
        self.half_fix = half_fix
        self.app = create_app(
            () if hardened else half_fix.weaknesses, replace={} if hardened else half_fix.replace
        )
        self.pages: dict[str, str] = {}
        elsewhere = static_site(self.pages)
        self.server = LocalServer(
            {
                "kvittra.localhost": self.app,
                "status.kvittra.localhost": elsewhere,
                "evil.localhost": elsewhere,
            }
        )

    def succeeds(self) -> bool:
        """Visit the page as Maja; whether it got what it was after."""
        with self.server:
            at = f"localhost:{self.server.port}"
            sites = visits.Sites(
                f"http://kvittra.{at}", f"http://evil.{at}", f"http://status.kvittra.{at}"
            )
            self.app.origin = sites.kvittra
            if self.half_fix.gain == "paid":
                self.page.goto(f"{sites.kvittra}/sign-in")
                self.page.fill("input[name=email]", "maja@bergsbageri.example")
                self.page.fill("input[name=password]", PASSWORDS["maja"])
                self.page.press("input[name=password]", "Enter")
                self.page.wait_for_url(f"{sites.kvittra}/")
            attackers_own = self.app.sessions.start("siv").csrf_token
            path = self.half_fix.path.replace("kvittra.example", f"kvittra.{at}")
            self.pages[urlsplit(path).path] = self.half_fix.page(sites, attackers_own)
            self.page.goto(self.half_fix.sender(sites) + path, wait_until="commit")
            self.page.wait_for_url(f"{sites.kvittra}/**")
            self.page.wait_for_load_state()
            if self.half_fix.gain == "user":
                self.page.goto(f"{sites.kvittra}/profile")
                return "siv@korklang.example" in self.page.inner_text("body")
            row = self.app.connection.execute(
                "SELECT status FROM invoices WHERE number = ?", (visits.INVOICE,)
            ).fetchone()
            return bool(row[0] == "paid")


@pytest.mark.browser
def test_chromium_gives_the_same_verdict_on_every_half_fix(page: Page) -> None:
    context = page.context
    for half_fix in model.HALF_FIXES:
        for hardened in (False, True):
            context.clear_cookies()
            verdict = Chromium(page, half_fix, hardened=hardened).succeeds()
            assert verdict is half_fix.succeeds(hardened=hardened), (half_fix.name, hardened)
