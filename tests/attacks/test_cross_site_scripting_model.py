"""The models of the lesson on cross-site scripting, against published values and each other."""

from __future__ import annotations

import html
import random

import pytest

from labs.attacks import cross_site_scripting as xss
from labs.attacks.cross_site_scripting import model, payloads, simulation
from labs.browser import script_hash


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "alert('Hello, world.');",
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=",
            id="W3C Content Security Policy Level 2",
        ),
        pytest.param(
            "doSubmit()",
            "sha256-jzgBGA4UWFFmpOBq0JpdsySukE1FrEN5bUpoK8Z29fY=",
            id="W3C Content Security Policy Level 3",
        ),
    ],
)
def test_a_script_has_the_hash_that_the_standard_prints(script, expected):
    assert xss.csp_hash(script) == script_hash(script) == expected


@pytest.mark.parametrize("script", ["", "received('Þ🌷')", "/* spaces count */ "])
def test_the_browser_lets_a_script_with_its_hash_run_and_no_other(script):
    script = f"canary();{script}"
    policy = f"script-src '{xss.csp_hash(script)}'"
    assert xss.look(f"<script>{script}</script>", policy=policy).ran
    assert not xss.look(f"<script>{script} </script>", policy=policy).ran


def test_a_script_that_is_no_text_has_no_hash():
    with pytest.raises(TypeError, match="script must be text"):
        xss.csp_hash(b"doSubmit()")
    with pytest.raises(ValueError, match="script must be text that has a UTF-8 form"):
        xss.csp_hash("\ud800")


def test_escaping_gives_the_published_text():
    """OWASP Cross-Site Scripting Prevention cheat sheet."""
    source = "<script>alert(1)</script>\"'&"
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;"
    assert xss.render_note(source) == html.escape(source) == escaped


def test_the_nonce_of_the_lab_has_128_bits():
    import base64

    assert len(base64.b64decode(xss.NONCE)) * 8 == 128
    assert len(xss.NONCE) == 24


NOTE = "<!doctype html><main><article>{}</article></main>"


@pytest.mark.parametrize("group", sorted({item.group for item in payloads.IN_TEXT}))
def test_every_payload_and_every_mutation_runs_where_nothing_is_done(group):
    rng = random.Random(group)
    for text in payloads.variations(payloads.texts(group), rng, 60):
        assert xss.look(NOTE.format(text)).ran, text


@pytest.mark.parametrize("address", [*payloads.ADDRESSES, *payloads.QUOTES])
def test_every_address_runs_in_the_weak_link(address):
    page = NOTE.format(xss.render_link_weak(address, "website"))
    assert xss.look(page).ran


@pytest.mark.parametrize("text", payloads.IN_JSON)
def test_every_text_ends_the_weak_script(text):
    assert xss.look(f"<script>var data = {xss.embed_json_weak([text])};</script>").ran


def test_the_split_tags_are_harmless_until_something_is_taken_out():
    fixes = [fix for name, fix in xss.HALF_FIXES.items() if name not in ("nothing", "escape")]
    broken = 0
    for text in payloads.SPLIT_TAGS:
        assert not xss.look(NOTE.format(text)).ran
        broken += any(xss.look(NOTE.format(fix(text))).ran for fix in fixes)
    assert broken >= 6


def test_the_gesture_that_it_took_is_told():
    assert xss.look("<p onclick=canary()>x</p>").when == "on a click"
    assert xss.look("<p onmouseover=canary()>x</p>").when == "under the pointer"
    assert xss.look("<script>canary()</script>").when == "on load"
    assert xss.look("<p onclick=canary()>x</p>", act=False).when == "never"
    assert (
        xss.look("<iframe sandbox=allow-scripts srcdoc='<script>canary()</script>'>").ran is False
    )


@pytest.mark.parametrize(
    ("address", "web"),
    [
        ("https://bergsbageri.example", True),
        (" HTTP://Vikensvarv.Example/båtar ", True),
        ("//evil.example", False),
        ("/invoices", False),
        ("javascript:canary()", False),
        ("java\nscript:canary()", False),
        ("\x01javascript:canary()", False),
        ("https:", False),
        ("http://[", False),
        ("data:text/html,x", False),
    ],
)
def test_an_address_of_the_web_has_a_known_scheme_and_a_host(address, web):
    assert xss.is_web_address(address) is web


def test_a_profile_of_great_depth_is_written_flat_and_in_time():
    deep = "<b>" * 3_000 + "x"
    assert xss.clean_profile(deep).count("<b>") <= 30
    assert len(xss.clean_profile("x" * 50_000)) == model.MAX_PROFILE


OPEN = xss.UNESCAPED


@pytest.mark.parametrize(
    ("edition", "ran"),
    [(OPEN, {"reflected", "stored", "DOM-based"}), (OPEN - {"csp_missing"}, set()), ((), set())],
    ids=["weak", "weak behind a policy", "hardened"],
)
def test_the_three_ways_are_open_only_where_nothing_is_escaped_and_no_policy_holds(edition, ran):
    assert {one.way for one in xss.arrivals(edition) if one.ran} == ran


@pytest.mark.parametrize(
    ("way", "weakness"),
    [("reflected", "xss_reflected"), ("stored", "xss_stored"), ("DOM-based", "xss_dom")],
)
def test_each_way_is_closed_by_its_own_repair(way, weakness):
    assert [one.way for one in xss.arrivals(OPEN - {weakness}) if not one.ran] == [way]


def test_http_only_saves_the_cookie_and_a_password_saves_the_account():
    cookie, account = xss.DEEDS[0], xss.DEEDS[6]
    done = xss.misuse(xss.PROFILES)
    assert [deed for deed in xss.DEEDS if not done[deed]] == [cookie, account]
    assert xss.misuse(xss.PROFILES | {"cookie_script_readable"})[cookie]
    assert xss.misuse(xss.PROFILES | {"no_reauthentication"})[account]


@pytest.mark.parametrize("edition", [{"xss_rich_text"}, {"csp_missing"}, ()])
def test_either_net_alone_stops_the_script_in_a_profile(edition):
    assert not any(xss.misuse(edition).values())
    assert xss.spread_profile(12, weaknesses=edition).carriers[-1] == 1


def test_the_copying_profile_spreads_by_visits_alone_and_stops_at_its_bound():
    run = xss.spread_profile(70, bound=6)
    assert run.carriers[0] == 1
    assert run.carriers[-1] == 6
    again = xss.spread_profile(30, bound=6)
    assert (again.visits, again.carriers) == (run.visits[:30], run.carriers[:31])
    carrying = {run.first}
    for (visitor, host), before, after in zip(
        run.visits, run.carriers[:-1], run.carriers[1:], strict=True
    ):
        grows = host in carrying and visitor not in carrying and before < 6
        assert (after - before == 1) is grows
        carrying |= {visitor} if grows else set()


def test_a_thousand_runs_agree_with_the_exact_mean():
    exact = xss.spread_expected(20, 120, bound=15)
    many = simulation.spread(20, 120, bound=15, runs=4_000, seed=3)
    assert many.mean[0] == exact[0] == 1
    for at in (1, 20, 60, 120):
        assert many.mean[at] == pytest.approx(exact[at], abs=0.2)
    assert max(many.high) == 15


def test_the_first_steps_of_the_chain_are_those_counted_by_hand():
    assert xss.spread_expected(2, 3) == pytest.approx((1, 1.5, 1.75, 1.875), rel=1e-12)
    assert xss.spread_expected(20, 5, bound=1) == (1.0,) * 6


def test_the_logistic_curve_is_the_chain_for_many_people():
    """From a tenth of the people on, the mean-field curve follows the exact mean."""
    exact = xss.spread_expected(400, 400 * 12)
    assert xss.spread_logistic(400, 0) == 1
    for each in (2, 12):
        assert exact[400 * each] == pytest.approx(xss.spread_logistic(400, each), rel=0.15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: xss.spread_expected(1, 5), "people must be"),
        (lambda: xss.spread_expected(20, -1), "visits must be"),
        (lambda: xss.spread_expected(20, 5, bound=21), "bound must be"),
        (lambda: xss.spread_logistic(20, float("nan")), "visits_each must be"),
        (lambda: xss.spread_profile(401), "visits must be"),
        (lambda: xss.spread_profile(5, bound=0), "bound must be"),
        (lambda: simulation.spread(20, 5, runs=0, seed=1), "runs must be"),
    ],
)
def test_a_value_out_of_range_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
