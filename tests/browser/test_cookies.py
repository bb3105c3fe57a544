"""Cookies: what the draft says, and the reasons that the browser gives."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.browser import Clock, CookieContext, CookieJar, cookie_sent, parse_url
from labs.browser.cookies import MAX_AGE_S, MAX_PER_DOMAIN, parse_date, path_match

KVITTRA = "https://kvittra.example"
EVIL = "https://evil.example"
DRAFT = "draft-ietf-httpbis-rfc6265bis 5.6.7 and 5.8.3"

CASES = [
    ("Strict", KVITTRA, "GET", False, 0, True, "same-site"),
    ("Strict", EVIL, "GET", True, 0, False, "cross-site link"),
    ("Strict", EVIL, "GET", False, 0, False, "cross-site frame, image, fetch"),
    ("Lax", KVITTRA, "GET", False, 0, True, "same-site"),
    ("Lax", EVIL, "POST", True, 0, False, "cross-site form"),
    ("Lax", EVIL, "GET", False, 0, False, "cross-site frame, image, fetch"),
    ("Lax", EVIL, "GET", True, 0, True, "cross-site link"),
    ("None", EVIL, "GET", True, 0, True, "cross-site link"),
    ("None", EVIL, "POST", True, 0, True, "cross-site form"),
    (None, EVIL, "POST", True, 100, True, "cross-site form, age 100 s"),
    (None, EVIL, "POST", True, 120, True, "cross-site form, age 120 s"),
    (None, EVIL, "POST", True, 121, False, "cross-site form, age 121 s"),
    (None, EVIL, "POST", False, 1, False, "cross-site form in a frame"),
]


def sent(**changes: Any) -> bool:
    arguments: dict[str, Any] = {
        "same_site": "Lax",
        "secure": True,
        "request_site": EVIL,
        "target_site": KVITTRA,
        "method": "GET",
        "top_level": True,
        "age_s": 0,
    }
    return cookie_sent(**(arguments | changes)).sent


@pytest.mark.parametrize(
    ("same_site", "site", "method", "top_level", "age_s", "expected"),
    [pytest.param(*case[:6], id=f"{case[0]}, {case[6]} ({DRAFT})") for case in CASES],
)
def test_the_same_site_matrix_of_the_draft(
    same_site: str | None, site: str, method: str, top_level: bool, age_s: float, expected: bool
) -> None:
    decision = cookie_sent(
        same_site=same_site,
        secure=True,
        request_site=site,
        target_site=KVITTRA,
        method=method,
        top_level=top_level,
        age_s=age_s,
    )
    assert decision.sent is expected
    assert decision.reason


def test_the_attribute_has_no_case_and_nonsense_counts_as_absent() -> None:
    assert not sent(same_site="sTRICT")
    assert sent(same_site="Sometimes", method="POST", age_s=1)
    assert not sent(same_site="Sometimes", method="POST", age_s=500)


def test_none_without_secure_is_never_sent_even_within_one_site() -> None:
    assert not sent(same_site="None", secure=False, request_site=KVITTRA)


def test_a_secure_cookie_never_goes_over_plain_http() -> None:
    site = "http://kvittra.example"
    assert not sent(request_site=site, target_site=site)
    assert sent(request_site=site, target_site=site, secure=False)


def test_http_and_https_of_one_name_are_two_sites() -> None:
    assert not sent(same_site="Strict", request_site="http://kvittra.example")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "get"])
def test_safe_methods_travel_with_lax(method: str) -> None:
    assert sent(method=method)
    assert not sent(method="PUT")


def test_the_reason_names_the_attribute_the_method_and_the_age() -> None:
    decision = cookie_sent(
        same_site=None,
        secure=False,
        request_site=EVIL,
        target_site=KVITTRA,
        method="POST",
        top_level=True,
        age_s=131,
    )
    assert decision.reason == "no SameSite, treated as Lax, cross-site POST, age 131 s, over 120 s"


@pytest.mark.parametrize(
    ("changes", "error", "names"),
    [
        ({"age_s": -1}, ValueError, "age_s"),
        ({"age_s": math.nan}, ValueError, "age_s"),
        ({"age_s": "1"}, TypeError, "age_s"),
        ({"secure": 1}, TypeError, "secure"),
        ({"top_level": None}, TypeError, "top_level"),
        ({"same_site": 7}, TypeError, "same_site"),
        ({"method": ""}, ValueError, "method"),
        ({"method": "GET /"}, ValueError, "method"),
        ({"request_site": "kvittra.example"}, ValueError, "request_site"),
        ({"target_site": "https://a/b"}, ValueError, "target_site"),
    ],
)
def test_bad_arguments_are_named(
    changes: dict[str, Any], error: type[Exception], names: str
) -> None:
    with pytest.raises(error, match=names):
        sent(**changes)


@given(
    same_site=st.sampled_from([None, "Strict", "Lax", "None"]),
    method=st.sampled_from(["GET", "POST"]),
    top_level=st.booleans(),
    age=st.floats(0, 1000),
)
def test_a_stricter_attribute_never_sends_more(
    same_site: str | None, method: str, top_level: bool, age: float
) -> None:
    def goes(attribute: str | None) -> bool:
        return sent(same_site=attribute, method=method, top_level=top_level, age_s=age)

    assert goes("Strict") <= goes("Lax") <= goes(None) <= goes("None")
    assert goes(same_site) <= goes("None")


def jar_at(clock: Clock) -> tuple[CookieJar, CookieContext]:
    return CookieJar(clock), CookieContext(parse_url(f"{KVITTRA}/"))


def test_no_cookie_outlives_400_days() -> None:
    clock = Clock()
    jar, page = jar_at(clock)
    jar.receive("a=1; Max-Age=99999999999", page)
    jar.receive("b=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", page)
    assert {cookie.expires_s for cookie in jar} == {clock() + MAX_AGE_S}
    clock.advance(34_560_000 - 1)
    assert jar.header(page)[0] == "a=1; b=1"
    clock.advance(1)
    assert jar.header(page)[0] == ""


def test_a_cookie_without_expiry_ends_with_the_browser() -> None:
    jar, page = jar_at(Clock())
    jar.receive("a=1", page)
    jar.receive("b=1; Max-Age=60", page)
    jar.end_session()
    assert [cookie.name for cookie in jar] == ["b"]


def test_setting_the_same_value_again_does_not_reopen_the_two_minutes() -> None:
    clock = Clock()
    jar, page = jar_at(clock)
    cross = CookieContext(page.url, same_site=False, method="POST")
    jar.receive("session=1", page)
    clock.advance(100)
    jar.receive("session=1", page)
    clock.advance(21)
    assert jar.header(cross)[0] == ""
    jar.receive("session=2", page)
    assert jar.header(cross)[0] == "session=2"


def test_too_many_cookies_push_out_the_oldest_insecure_one() -> None:
    jar, page = jar_at(Clock())
    jar.receive("first=1; Secure", page)
    for number in range(MAX_PER_DOMAIN):
        jar.receive(f"c{number}=1", page)
    names = [cookie.name for cookie in jar]
    assert len(names) == MAX_PER_DOMAIN
    assert "first" in names
    assert "c0" not in names


def test_a_cross_site_answer_inside_a_page_sets_only_none() -> None:
    jar, page = jar_at(Clock())
    inside = CookieContext(page.url, same_site=False, top_level=False, third_party=True)
    assert not jar.receive("a=1; SameSite=Lax", inside).stored
    assert not jar.receive("a=1", inside).stored
    assert jar.receive("a=1; SameSite=None; Secure", inside).stored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37+00:00"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37+00:00"),
        ("06 Nov 69 08:49:37", "2069-11-06T08:49:37+00:00"),
        ("06 Nov 1600 08:49:37", None),
        ("06 Nov 1994 25:00:00", None),
        ("06 Nov 1994", None),
        ("", None),
    ],
)
def test_dates_are_read_by_the_rules_of_the_draft(text: str, expected: str | None) -> None:
    found = parse_date(text)
    assert (found and found.isoformat()) == expected


@given(st.text(max_size=200), st.booleans())
def test_no_line_breaks_the_jar(line: str, from_script: bool) -> None:
    jar, page = jar_at(Clock())
    stored = jar.receive(line, page, from_script=from_script)
    assert stored.reason
    header, _ = jar.header(page)
    assert not any(letter in header for letter in "\r\n\0")


def test_a_path_matches_whole_segments() -> None:
    assert path_match("/a", "/a")
    assert path_match("/a/b", "/a")
    assert path_match("/a/b", "/a/")
    assert not path_match("/ab", "/a")
