"""What the lesson on session hijacking computes, and the roads that it takes at Kvittra."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from labs.attacks.session_hijacking import model, roads
from labs.browser import static_site
from labs.kvittra import WEAKNESSES

if TYPE_CHECKING:
    from playwright.sync_api import Page

SOURCE = "OWASP Session Management cheat sheet, mean without replacement"


@pytest.mark.parametrize(
    ("bits", "sessions", "guesses", "years"),
    [
        pytest.param(64, 100_000, 184_465_596_081_134.72, 584.5362007286192, id=f"64: {SOURCE}"),
        pytest.param(32, 100_000, 42_949.24347756522, 1.3609793988631968e-07, id=f"32: {SOURCE}"),
        pytest.param(64, 1, 9.223372036854776e18, 29_227_102.30453132, id=f"one: {SOURCE}"),
    ],
)
def test_guessing_takes_as_long_as_published(
    bits: int, sessions: int, guesses: float, years: float
) -> None:
    assert model.mean_guesses(bits, sessions) == pytest.approx(guesses, rel=1e-12)
    found = model.years_to_guess(bits, guesses_per_second=10_000, sessions=sessions)
    assert found == pytest.approx(years, rel=1e-12)


def test_the_mean_agrees_with_every_order_of_guessing_counted_out() -> None:
    from itertools import combinations

    for sessions in (1, 2, 5):
        first_hits = [min(live) + 1 for live in combinations(range(16), sessions)]
        assert model.mean_guesses(4, sessions) == sum(first_hits) / len(first_hits)


def test_when_every_id_is_live_the_first_guess_hits() -> None:
    assert model.mean_guesses(3, 8) == 1.0


@pytest.mark.parametrize(
    ("bits", "rate", "sessions", "error", "words"),
    [
        (0, 1.0, 1, ValueError, "bits"),
        (513, 1.0, 1, ValueError, "bits"),
        (64.0, 1.0, 1, TypeError, "bits"),
        (64, 0.0, 1, ValueError, "guesses_per_second"),
        (64, float("nan"), 1, ValueError, "guesses_per_second"),
        (64, float("inf"), 1, ValueError, "guesses_per_second"),
        (64, 1.0, 0, ValueError, "sessions"),
        (3, 1.0, 9, ValueError, "sessions"),
        (64, 1.0, True, TypeError, "sessions"),
    ],
)
def test_bad_arguments_of_guessing_are_named(
    bits: Any, rate: Any, sessions: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"^{words}"):
        model.years_to_guess(bits, guesses_per_second=rate, sessions=sessions)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.05, "less than a tenth of a second"),
        (4.3, "4.3 seconds"),
        (90, "1.5 minutes"),
        (5_400, "1.5 hours"),
        (86_400 * 3, "3.0 days"),
        (model.SECONDS_A_YEAR * 2, "2.0 years"),
        (model.SECONDS_A_YEAR * 585.2, "585 years"),
        (model.SECONDS_A_YEAR * 3e9, "3e+09 years"),
    ],
)
def test_a_time_is_said_in_its_unit(seconds: float, said: str) -> None:
    assert model.span(seconds / model.SECONDS_A_YEAR) == said


def test_no_estimate_exceeds_what_a_known_source_has_by_more_than_its_overhead() -> None:
    for name in ("32 random bits", "128 random bits"):
        found = model.estimate(model.sample_ids(name, 1_000))
        bits = model.RECIPES[name].bits
        assert found.positions <= bits
        assert found.differences <= bits
        assert found.positions == pytest.approx(bits, rel=0.01)
        assert found.compression == pytest.approx(bits, rel=0.06)


def test_differences_see_the_clock_that_positions_take_for_chance() -> None:
    found = model.estimate(model.sample_ids("time and counter"))
    assert found.differences < 10 < found.positions


def test_a_counter_in_letters_has_steps_of_no_entropy() -> None:
    assert model.difference_bits([chr(65 + n % 26) + "z" for n in range(26)]) == 0


def test_an_id_that_repeats_compresses_away() -> None:
    assert model.compression_bits(["cafe" * 8] * 200) < 1


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ("abcd", TypeError),
        ([1, 2, 3], TypeError),
        (["a"], ValueError),
        (["", ""], ValueError),
        (["a" * 257, "b"], ValueError),
        (["a"] * 5_001, ValueError),
    ],
)
def test_bad_samples_are_named(ids: Any, error: type[Exception]) -> None:
    for function in (model.position_bits, model.difference_bits, model.compression_bits):
        with pytest.raises(error, match=r"^ids must"):
            function(ids)


def test_differences_need_three_ids() -> None:
    with pytest.raises(ValueError, match=r"^ids must be at least 3"):
        model.difference_bits(["a", "b"])


def test_a_sample_repeats_and_its_arguments_are_checked() -> None:
    assert model.sample_ids("128 random bits") == model.sample_ids("128 random bits")
    assert model.sample_ids("128 random bits", seed=1) != model.sample_ids("128 random bits")
    with pytest.raises(ValueError, match=r"^recipe must be one of time and counter, "):
        model.sample_ids("dice")
    with pytest.raises(ValueError, match=r"^count"):
        model.sample_ids("128 random bits", 0)


def test_the_pairs_have_the_same_signature() -> None:
    for name in ("start", "sign_in", "find", "sign_out", "end_all", "session_cookie"):
        weak, repaired = getattr(model, f"{name}_weak"), getattr(model, name)
        assert inspect.signature(weak) == inspect.signature(repaired)
        assert weak.__doc__ == repaired.__doc__


@pytest.mark.parametrize("road", roads.ROADS, ids=lambda road: road.name)
def test_a_road_is_open_where_kvittra_is_weak_for_it_and_nowhere_else(road: roads.Road) -> None:
    assert road.weaknesses <= set(WEAKNESSES)
    assert roads.take_road(road, road.weaknesses)
    assert not roads.take_road(road, ())


def test_fixing_only_the_link_or_only_the_sign_in_closes_the_road_of_the_planted_id() -> None:
    road = next(road for road in roads.ROADS if road.name == "fixate")
    for one in road.weaknesses:
        assert not roads.take_road(road, road.weaknesses - {one})


def test_each_cookie_is_sent_to_honest_pages_and_lost_in_the_places_of_its_row() -> None:
    for line in roads.session_cookies().values():
        test = roads.cookie_test(line)
        assert test.stored.stored
        assert set(test.paths.values()) == {line.partition(";")[0]}
        assert test.linked == line.partition(";")[0]


def test_a_cookie_with_a_domain_goes_to_siblings() -> None:
    assert "7" in roads.sent_to_sibling("session=7; Domain=kvittra.example")
    assert roads.sent_to_sibling("session=7") == ""


LINES = {
    **roads.session_cookies(),
    "Strict": "session=7; Path=/; Secure; HttpOnly; SameSite=Strict",
    "None": "session=7; Path=/; Secure; HttpOnly; SameSite=None",
    "__Secure-": "__Secure-session=7; Path=/; Secure; HttpOnly; SameSite=Lax",
    "__Host- without Path": "__Host-session=7; Secure; HttpOnly; SameSite=Lax",
}


def in_model(line: str) -> tuple[bool, ...]:
    test = roads.cookie_test(line)
    return (
        "=7" in test.paths["/bank"],
        "=7" in test.read,
        "=7" in test.posted,
        "=7" in test.linked,
        roads.PLANTED in test.overwritten,
    )


class Chromium:
    """The same visits with hosts below localhost, where Chromium takes plain http for safe.

    What goes over plain http can therefore not be seen here; the conformance tests of the model
    browser have a host with a certificate for that.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.line = self.planted = self.cookie = ""
        pages: dict[str, str] = dict.fromkeys(("/sign-in", "/bank", "/invoices/1049"), "<h1>K</h1>")
        self.elsewhere: dict[str, str] = {"/plant": "<h1>Status</h1>"}
        own, other = static_site(pages), static_site(self.elsewhere)

        def kvittra(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            self.cookie = environ.get("HTTP_COOKIE", "")
            return own(environ, _setting(start, [self.line] * (environ["PATH_INFO"] == "/sign-in")))

        def status(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            lines = [
                f"{self.planted}={roads.PLANTED}; Domain=kvittra.localhost; Path={path}; Secure"
                for path in ("/", "/bank")
            ]
            return other(environ, _setting(start, lines))

        from labs.kvittra.server import LocalServer

        self.server = LocalServer(
            {
                "kvittra.localhost": kvittra,
                "status.kvittra.localhost": status,
                "evil.localhost": other,
            }
        )

    def verdict(self, line: str) -> tuple[bool, ...]:
        """Sent at all, read by a script, posted by another site, linked, covered by a sibling."""
        self.line, self.planted = line, line.partition("=")[0]
        at = f"localhost:{self.server.port}"
        home, evil = f"http://kvittra.{at}", f"http://evil.{at}"
        self.elsewhere["/"] = (
            f"<form method=post action={home}/bank></form>"
            "<script>document.forms[0].submit()</script>"
        )
        self.elsewhere["/link"] = f"<a href={home}/invoices/1049>An invoice</a>"
        self.page.context.clear_cookies()
        self.page.goto(f"{home}/sign-in")
        self.page.goto(f"{home}/bank")
        sent, read = self.cookie, str(self.page.evaluate("document.cookie"))
        self.page.goto(evil, wait_until="commit")
        self.page.wait_for_url(f"{home}/bank")
        posted = self.cookie
        self.page.goto(f"{evil}/link")
        self.page.click("a")
        self.page.wait_for_url(f"{home}/**")
        linked = self.cookie
        self.page.goto(f"http://status.kvittra.{at}/plant")
        self.page.goto(f"{home}/bank")
        return (
            "=7" in sent, "=7" in read, "=7" in posted, "=7" in linked,
            roads.PLANTED in self.cookie,
        )  # fmt: skip


def _setting(start: Callable[..., Any], lines: list[str]) -> Callable[..., Any]:
    def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start(status, [*headers, *(("Set-Cookie", line) for line in lines)], *more)

    return started


@pytest.mark.browser
def test_chromium_keeps_and_loses_each_cookie_in_the_same_places(page: Page) -> None:
    chromium = Chromium(page)
    with chromium.server:
        for name, line in LINES.items():
            assert chromium.verdict(line) == in_model(line), name
