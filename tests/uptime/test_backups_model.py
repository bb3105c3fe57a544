"""What the backup formulas claim, against published and independently computed values."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

import pytest

from labs.uptime.backups import (
    DataLoss,
    data_loss,
    loss_probability,
    loss_window_h,
    restore_time,
    unnoticed_failure,
)


def close(value: float, *, tolerance: float = 1e-9) -> object:
    return pytest.approx(value, rel=tolerance, abs=0)


@pytest.mark.parametrize(
    ("interval_h", "run_h", "expected"),
    [
        pytest.param(24, 0, DataLoss(12, 24), id="nightly"),
        pytest.param(24 / 4, 0, DataLoss(3, 6), id="four-a-day"),
        pytest.param(6, 1, DataLoss(4, 7), id="four-a-day-that-run-an-hour"),
    ],
)
def test_half_an_interval_is_lost_on_average_and_a_whole_one_at_worst(
    interval_h: float, run_h: float, expected: DataLoss
) -> None:
    assert data_loss(interval_h, run_h) == expected


def test_gitlab_lost_six_hours_and_forty_minutes() -> None:
    """GitLab's postmortem of 2017-01-31: last usable copy 17:20, failure at midnight (UTC)."""
    lost_h = loss_window_h(datetime(2017, 1, 31, 17, 20), datetime(2017, 2, 1))
    assert lost_h * 60 == close(400)


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        pytest.param([3, 0], 0.001124875, id="three-copies-on-one-site"),
        pytest.param([2, 1], 0.00017819762500000005, id="the-same-three-on-two-sites"),
    ],
)
def test_copies_on_one_site_share_its_disaster(copies: list[int], expected: float) -> None:
    assert loss_probability(copies, copy_failure=0.05, site_disaster=0.001) == close(expected)


def test_a_tiny_loss_probability_keeps_its_digits() -> None:
    p, s = 1e-9, 1e-12
    exact = (Fraction(s) + (1 - Fraction(s)) * Fraction(p) ** 2) ** 5
    computed = loss_probability([2] * 5, copy_failure=p, site_disaster=s)
    assert computed == close(float(exact))


def test_data_that_has_no_copy_is_surely_lost() -> None:
    assert loss_probability([0, 0], copy_failure=0.1, site_disaster=0.1) == 1


@pytest.mark.parametrize(
    ("rate", "interval_y", "expected"),
    [
        pytest.param(0.5, 1, 0.21306131942526685, id="tested-yearly-IEC-61508"),
        pytest.param(0.5, 1 / 12, 0.020546970619315985, id="tested-monthly-IEC-61508"),
    ],
)
def test_a_backup_that_is_tested_seldom_is_likely_broken(
    rate: float, interval_y: float, expected: float
) -> None:
    assert unnoticed_failure(rate, interval_y) == close(expected)


@pytest.mark.parametrize("x", [1e-15, 1e-9, 1e-4, 0.0099, 0.0101, 0.3, 5, 50])
def test_an_unnoticed_failure_is_exact_for_rare_and_for_frequent_breaks(x: float) -> None:
    exact, term = Fraction(0), Fraction(-1)
    for k in range(1, 260):
        term *= -Fraction(x) / (k + 1)
        exact += term
    assert unnoticed_failure(x, 1) == close(float(exact), tolerance=1e-12)


@pytest.mark.parametrize("x", [1e-308, 1e308])
def test_an_unnoticed_failure_stays_a_probability_at_the_edges_of_floats(x: float) -> None:
    assert 0 <= unnoticed_failure(x, x) <= 1


@pytest.mark.parametrize(
    ("size_bytes", "bits_per_second", "seconds"),
    [
        pytest.param(300 * 10**9, 60e6, 40_000, id="GitLab-2017-300-GB-at-60-Mbit"),
        pytest.param(10**12, 1e9, 8_000, id="1-TB-at-1-Gbit"),
    ],
)
def test_a_restore_takes_as_long_as_the_line_needs(
    size_bytes: int, bits_per_second: float, seconds: float
) -> None:
    assert restore_time(size_bytes, bits_per_second) == close(seconds)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: data_loss(0), ValueError, "interval_h"),
        (lambda: data_loss(6, -1), ValueError, "run_h"),
        (lambda: data_loss(True), TypeError, "interval_h"),
        (lambda: data_loss(math.nan), ValueError, "interval_h"),
        (lambda: loss_probability([], copy_failure=0.1, site_disaster=0), ValueError, "site"),
        (lambda: loss_probability([-1], copy_failure=0.1, site_disaster=0), ValueError, "copies"),
        (lambda: loss_probability([1.0], copy_failure=0.1, site_disaster=0), TypeError, "copies"),
        (
            lambda: loss_probability([10**400], copy_failure=0.1, site_disaster=0),
            ValueError,
            "copi",
        ),
        (lambda: loss_probability([1], copy_failure=1.1, site_disaster=0), ValueError, "copy_fail"),
        (lambda: loss_probability([1], copy_failure=0, site_disaster=-1), ValueError, "site_dis"),
        (lambda: unnoticed_failure(0, 1), ValueError, "failures_per_year"),
        (lambda: unnoticed_failure(1, -1), ValueError, "test_interval_y"),
        (lambda: restore_time(-1, 1), ValueError, "size_bytes"),
        (lambda: restore_time(10**400, 1), ValueError, "size_bytes"),
        (lambda: restore_time(1, 0), ValueError, "bits_per_second"),
        (lambda: restore_time(1.5, 1), TypeError, "size_bytes"),
        (
            lambda: loss_window_h(datetime(2027, 1, 2), datetime(2027, 1, 1)),
            ValueError,
            "last_good_copy",
        ),
        (lambda: loss_window_h(1, datetime(2027, 1, 1)), TypeError, "last_good_copy"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_that_names_it(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
