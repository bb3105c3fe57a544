"""URLs, origins and sites."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.browser import BadUrl, parse_url, registrable_domain, same_site
from labs.browser.origins import MAX_URL, is_public_suffix, opaque_origin

BASE = parse_url("https://kvittra.example/invoices/7?page=2#top")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "https://kvittra.example/invoices/7?page=2"),
        ("#x", "https://kvittra.example/invoices/7?page=2#x"),
        ("?q=1", "https://kvittra.example/invoices/7?q=1"),
        ("8", "https://kvittra.example/invoices/8"),
        ("../customers", "https://kvittra.example/customers"),
        ("/../../x", "https://kvittra.example/x"),
        ("//evil.example", "https://evil.example/"),
        ("/\\evil.example/x", "https://evil.example/x"),
        ("https:evil", "https://kvittra.example/invoices/evil"),
        ("https:/evil.example", "https://evil.example/"),
        ("http:evil.example", "http://evil.example/"),
        ("HTTPS://KVITTRA.EXAMPLE:443/", "https://kvittra.example/"),
        ("https://kvittra.example:8443/", "https://kvittra.example:8443/"),
        ("https://kvittra.example@evil.example/", "https://evil.example/"),
        ("https://a:b@c@evil.example/", "https://evil.example/"),
        ("https://kvittra.example\\@evil.example/", "https://kvittra.example/@evil.example/"),
        (" \t java\nscript:x ", "javascript:x"),
        ("\x01javascript:x", "javascript:x"),
        ("https://f\u00f6r.example/\u00e5 b", "https://xn--fr-fka.example/%C3%A5%20b"),
        ("/a/%2e%2E/b", "https://kvittra.example/b"),
        ("https://[::1]:8080/", "https://[::1]:8080/"),
        ("data:text/html,<b>?x#y", "data:text/html,<b>?x#y"),
    ],
)
def test_urls_are_read_as_browsers_read_them(text: str, expected: str) -> None:
    assert str(parse_url(text, BASE)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "https://a b/",
        "https://a:b/",
        "https://a:65536/",
        "https://a<b/",
        "https://[1]/",
        "https://%00/",
        "https://a/" + "x" * MAX_URL,
    ],
)
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(BadUrl):
        parse_url(text, BASE)


def test_a_relative_url_needs_a_base_with_paths() -> None:
    with pytest.raises(BadUrl, match="relative"):
        parse_url("x")
    with pytest.raises(BadUrl, match="relative"):
        parse_url("x", parse_url("javascript:1"))


@given(st.text(max_size=80))
def test_a_parsed_url_reads_the_same_again(text: str) -> None:
    try:
        url = parse_url(text, BASE)
    except BadUrl:
        return
    if url.is_http:
        assert parse_url(str(url)) == url


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("kvittra.example", "kvittra.example"),
        ("a.b.kvittra.example", "kvittra.example"),
        ("kvittra.co.uk", "kvittra.co.uk"),
        ("www.kvittra.co.uk", "kvittra.co.uk"),
        ("maja.github.io", "maja.github.io"),
        ("blog.kvittra.localhost", "kvittra.localhost"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_the_registrable_domain_is_one_label_more_than_the_suffix(host: str, expected: str) -> None:
    assert registrable_domain(host) == expected


def test_two_customers_of_one_hosting_service_are_two_sites() -> None:
    assert not same_site(
        parse_url("https://maja.github.io").origin, parse_url("https://evil.github.io").origin
    )
    assert is_public_suffix("github.io")


def test_sites_ignore_port_and_subdomain_but_not_the_scheme() -> None:
    one = parse_url("https://kvittra.example").origin
    assert same_site(one, parse_url("https://blog.kvittra.example:8443").origin)
    assert not same_site(one, parse_url("http://kvittra.example").origin)
    assert one != parse_url("https://kvittra.example:8443").origin


def test_an_opaque_origin_is_like_no_other() -> None:
    one, other = opaque_origin(), opaque_origin()
    assert one == one
    assert one != other
    assert not same_site(one, other)
    assert str(one) == "null"


def test_only_https_and_this_machine_are_trustworthy() -> None:
    trusted = [
        "https://kvittra.example",
        "http://localhost",
        "http://a.localhost:1",
        "http://127.0.0.9",
    ]
    assert all(parse_url(url).trustworthy for url in trusted)
    assert not any(
        parse_url(url).trustworthy
        for url in ["http://kvittra.example", "http://localhost.evil.example", "data:x"]
    )
