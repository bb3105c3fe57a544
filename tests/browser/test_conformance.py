"""The model, what Chromium was measured to do, and Chromium itself agree, cell by cell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from labs.browser.measured import OUTCOMES, cookie_table, framing_table, measured
from tests.browser import measure, sites

Cell = tuple[str, str, str]


def cells(text: str) -> dict[Cell, str]:
    """Every value in a data file, by part, scenario and cell."""
    return dict(_cells(tomllib.loads(text)))


def _cells(data: dict[str, Any]) -> Iterator[tuple[Cell, str]]:
    for part in ("young", "old", "private", "cookies", "cors"):
        for name, row in data[part].items():
            for key, value in row.items():
                yield (part, name, key), value
    for part, rows, columns in (
        ("framing", "answers", "parents"),
        ("scripting", "payloads", "places"),
    ):
        for name, marks in data[part][rows].items():
            for column, mark in zip(data[part][columns], marks, strict=True):
                yield (part, name, column), mark


def listed() -> set[Cell]:
    return {
        (item["part"], item["scenario"], cell)
        for item in sites.scenarios("disagreements", "disagreement")
        for cell in item["cells"]
    }


@pytest.fixture(scope="module")
def model() -> dict[Cell, str]:
    return cells(measure.in_model().toml())


@pytest.fixture(scope="module")
def recorded() -> dict[Cell, str]:
    return cells(measure.TARGET.read_text(encoding="utf-8"))


def test_the_model_does_what_chromium_was_measured_to_do(
    model: dict[Cell, str], recorded: dict[Cell, str]
) -> None:
    assert model.keys() == recorded.keys()
    different = {cell for cell in model if model[cell] != recorded[cell]}
    unlisted = {cell: (model[cell], recorded[cell]) for cell in different - listed()}
    assert unlisted == {}, "cells that differ (model, Chromium) and are not listed"
    assert listed() - different == set(), "cells that are listed and agree again"


def test_every_listed_disagreement_has_a_reason() -> None:
    for item in sites.scenarios("disagreements", "disagreement"):
        assert len(item["reason"].split()) >= 5
        assert item["cells"]


def test_the_suite_is_as_large_as_promised(recorded: dict[Cell, str]) -> None:
    scripting = [cell for cell in recorded if cell[0] == "scripting"]
    assert len(sites.payloads()) >= 120
    assert (len(sites.CONTEXTS), len(sites.POLICIES)) == (6, 4)
    assert len(scripting) == len(sites.payloads()) * 6 * 4
    assert len(recorded) > 5_000


def test_every_outcome_every_place_and_every_policy_is_met(recorded: dict[Cell, str]) -> None:
    """A suite in which nothing ran somewhere would agree about nothing."""
    marks = {mark for (part, _, _), mark in recorded.items() if part == "scripting"}
    assert marks == set(OUTCOMES)
    runs = {
        cell for (part, _, cell), mark in recorded.items() if part == "scripting" and mark in "RC"
    }
    for context in sites.CONTEXTS:
        assert f"{context}, no policy" in runs
    for policy in sites.POLICIES:
        assert any(cell.endswith(f", {policy}") for cell in runs)


def test_the_tables_of_the_book_come_from_the_file() -> None:
    table = cookie_table("link, another site", "form with POST, another site")
    assert [line.split() for line in table.text().splitlines()[2:]] == [
        ["link,", "another", "site", "sent", "sent", "–", "sent"],
        ["form", "with", "POST,", "another", "site", "sent", "–", "–", "sent"],
    ]
    old = cookie_table("form with POST, another site", old=True)
    assert old.rows == [("form with POST, another site", [False, False, False, True])]
    private = dict(cookie_table(private=True).rows)
    assert private["frame, another site"] == [False] * 4
    assert not any(framing_table().rows[1][1])
    assert measured().chromium in framing_table().html()
    with pytest.raises(ValueError, match="names"):
        cookie_table("carrier pigeon")


@pytest.mark.browser
def test_chromium_does_what_the_file_says(recorded: dict[Cell, str]) -> None:
    from tests.browser.in_chromium import running

    with running() as real:
        now = cells(measure.in_chromium(real).toml())
    assert now.keys() == recorded.keys()
    different = {cell: (recorded[cell], now[cell]) for cell in now if now[cell] != recorded[cell]}
    assert different == {}, "measured before, and now; run python -m tests.browser.measure"
