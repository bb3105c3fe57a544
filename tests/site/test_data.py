"""The data that npm brings for the labs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labs.site import data, node
from labs.traffic.anycast import coastline


def test_the_coastlines_that_npm_brings_are_put_where_the_lesson_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "world-atlas" / coastline.NAME
    given.parent.mkdir()
    shutil.copyfile(coastline.HOME, given)
    monkeypatch.setattr(node, "packages", lambda _described, _cache: tmp_path)
    monkeypatch.setattr(coastline, "HOME", tmp_path / "lesson.json")
    data.install(tmp_path)
    assert coastline.HOME.read_bytes() == given.read_bytes()


def test_coastlines_that_are_there_need_no_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "packages", None)
    data.install(tmp_path)


def test_without_npm_one_sentence_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(coastline, "HOME", tmp_path / "missing.json")
    with pytest.raises(node.NodeError, match=r"^npm is missing; install [^.]+ or Node\.js\.$"):
        data.install(tmp_path)
    assert not coastline.HOME.exists()
