"""Content Security Policy and framing: single rules, beside the run in Chromium."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.browser import may_frame, parse_policies, parse_url, script_hash
from labs.browser.csp import MAX_POLICIES, inline_allowed, load_allowed

PAGE = parse_url("https://kvittra.example/")
EVIL = "https://evil.example"
KVITTRA = "https://kvittra.example"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "alert('Hello, world.');",
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=",
            id="CSP2, published example",
        ),
        pytest.param(
            "doSubmit()",
            "sha256-jzgBGA4UWFFmpOBq0JpdsySukE1FrEN5bUpoK8Z29fY=",
            id="CSP3, published example",
        ),
    ],
)
def test_the_hash_is_that_of_the_standard(script: str, expected: str) -> None:
    assert script_hash(script) == expected


@pytest.mark.parametrize(
    ("x_frame_options", "frame_ancestors", "ancestor", "allowed"),
    [
        pytest.param("DENY", None, KVITTRA, False, id="HTML Standard 7.4.2.2, DENY"),
        pytest.param("SAMEORIGIN", None, KVITTRA, True, id="HTML Standard 7.4.2.2, SAMEORIGIN"),
        pytest.param("SAMEORIGIN", None, EVIL, False, id="HTML Standard 7.4.2.2, another origin"),
        pytest.param(f"ALLOW-FROM {EVIL}", None, EVIL, True, id="ALLOW-FROM is ignored"),
        pytest.param(None, "'none'", KVITTRA, False, id="CSP3 6.4.2, none"),
        pytest.param(None, "", KVITTRA, False, id="CSP3 6.4.2, empty"),
        pytest.param("DENY", "'self'", KVITTRA, True, id="CSP3 6.4.2, overrides DENY"),
        pytest.param(None, None, EVIL, True, id="nothing said"),
        pytest.param(None, "https://*.example", EVIL, True, id="CSP3 6.7.2, star"),
        pytest.param(None, "*.evil.example", EVIL, False, id="CSP3 6.7.2, a star is not the name"),
    ],
)
def test_framing_follows_the_table(
    x_frame_options: str | None, frame_ancestors: str | None, ancestor: str, allowed: bool
) -> None:
    decision = may_frame(
        x_frame_options=x_frame_options,
        frame_ancestors=frame_ancestors,
        page=KVITTRA,
        ancestor=ancestor,
    )
    assert decision.allowed is allowed
    assert decision.reason


def test_framing_refuses_what_is_no_origin() -> None:
    with pytest.raises(ValueError, match="page"):
        may_frame(x_frame_options=None, frame_ancestors=None, page="data:x", ancestor=EVIL)
    with pytest.raises(TypeError, match="ancestor"):
        may_frame(x_frame_options=None, frame_ancestors=None, page=KVITTRA, ancestor=7)  # type: ignore[arg-type]


def runs(policy: str, *, kind: str = "script", code: str = "x", nonce: str = "") -> bool:
    return inline_allowed(parse_policies([policy]), kind, code, nonce=nonce).allowed


def test_inline_code_needs_a_word_that_lets_it_run() -> None:
    assert runs("img-src 'none'")
    assert not runs("script-src 'self'")
    assert not runs("default-src 'self'")
    assert runs("default-src 'unsafe-inline'")
    assert runs("script-src 'nonce-abc'", nonce="abc")
    assert not runs("script-src 'nonce-abc'", nonce="ABC")
    assert not runs("script-src 'nonce-abc' 'unsafe-inline'")
    assert not runs("script-src 'strict-dynamic' 'unsafe-inline'")


def test_a_nonce_is_not_for_handlers_and_a_hash_only_with_unsafe_hashes() -> None:
    known = f"'{script_hash('x')}'"
    assert not runs("script-src 'nonce-abc'", kind="script attribute", nonce="abc")
    assert runs(f"script-src {known}")
    assert not runs(f"script-src {known}", kind="script attribute")
    assert runs(f"script-src {known} 'unsafe-hashes'", kind="script attribute")


def test_the_first_of_two_equal_directives_counts_and_every_policy_must_agree() -> None:
    assert not runs("script-src 'self'; script-src 'unsafe-inline'")
    assert not runs("script-src 'unsafe-inline', default-src 'none'")


def loads(policy: str, url: str, directive: str = "script-src-elem", **more: Any) -> bool:
    policies = parse_policies([policy])
    return load_allowed(policies, directive, parse_url(url), PAGE.origin, **more).allowed


@pytest.mark.parametrize(
    ("source", "url", "expected"),
    [
        ("'self'", "https://kvittra.example/x.js", True),
        ("'self'", "https://kvittra.example:8443/x.js", False),
        ("'self'", "https://blog.kvittra.example/x.js", False),
        ("*", "https://evil.example/x.js", True),
        ("*", "data:text/javascript,1", False),
        ("data:", "data:text/javascript,1", True),
        ("https:", "http://evil.example/", False),
        ("http:", "https://evil.example/", True),
        ("evil.example", "http://evil.example/", False),
        ("http://evil.example", "https://evil.example/", True),
        ("*.example", "https://a.b.example/", True),
        ("evil.example:*", "https://evil.example:1/", True),
        ("evil.example:443", "https://evil.example/", True),
        ("https://evil.example/lib/", "https://evil.example/lib/x.js", True),
        ("https://evil.example/lib", "https://evil.example/lib/x.js", False),
        ("EVIL.example", "https://evil.example/", True),
        ("'unsafe-inline'", "https://evil.example/", False),
    ],
)
def test_a_source_names_what_the_standard_says(source: str, url: str, expected: bool) -> None:
    assert loads(f"script-src {source}", url) is expected


def test_after_a_redirect_the_path_no_longer_counts() -> None:
    source, url = "script-src https://evil.example/lib/", "https://evil.example/other"
    assert not loads(source, url)
    assert loads(source, url, redirected=True)


def test_strict_dynamic_trusts_what_a_trusted_script_adds() -> None:
    policy = "script-src 'nonce-abc' 'strict-dynamic' https://kvittra.example"
    assert not loads(policy, "https://kvittra.example/x.js")
    assert loads(policy, "https://evil.example/x.js", parser_inserted=False)


def test_only_named_directives_limit_forms_bases_and_frames_around() -> None:
    for directive in ("form-action", "base-uri", "frame-ancestors"):
        assert loads("default-src 'none'", EVIL, directive)
        assert not loads(f"{directive} 'self'", EVIL, directive)


def test_a_meta_element_cannot_forbid_framing() -> None:
    policies = parse_policies(["frame-ancestors 'none'; script-src 'self'"], meta=True)
    assert [set(policy.directives) for policy in policies] == [{"script-src"}]


@given(st.text(max_size=300))
def test_any_text_is_read_as_a_policy_without_fail(text: str) -> None:
    policies = parse_policies([text])
    assert len(policies) <= MAX_POLICIES
    assert inline_allowed(policies, "script", "x").reason
    assert load_allowed(policies, "img-src", PAGE, PAGE.origin).reason
