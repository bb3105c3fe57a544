"""Progress survives crashes, damage and old files."""

import json

import pytest

from labs.teaching import progress


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    return tmp_path


def test_a_newcomer_has_no_progress():
    assert progress.load() == {}


def test_a_damaged_file_is_set_aside_and_nothing_is_deleted(home):
    (home / "progress.json").write_text('{"version": 1, "done": {"a": ', encoding="utf-8")
    assert progress.load() == {}
    aside = list(home.glob("progress.damaged-*.json"))
    assert [file.read_text("utf-8") for file in aside] == ['{"version": 1, "done": {"a": ']
    progress.record("a.b.c", "solved")
    assert progress.load()["a.b.c"]["state"] == "solved"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"version": 2, "done": {}}',
        '{"version": 1, "done": {"a": 1}}',
        "\xff",
        "[" * 9999,
    ],
)
def test_any_damage_is_survived(home, text):
    (home / "progress.json").write_text(text, encoding="latin-1")
    assert progress.load() == {}


def test_a_crash_while_writing_leaves_the_old_progress(home, monkeypatch):
    progress.record("a.b.c", "solved")
    before = (home / "progress.json").read_bytes()

    def crash(*_):
        raise OSError("disk full")

    monkeypatch.setattr(progress.os, "fsync", crash)
    progress.record("d.e.f", "solved")
    assert (home / "progress.json").read_bytes() == before
    assert [file.name for file in home.iterdir()] == ["progress.json"]


def test_export_then_import_elsewhere_keeps_everything(home, tmp_path, monkeypatch):
    progress.record("a.b.c", "solved")
    progress.record("a.b.d", "tried")
    file = progress.export(home / "mine.json")
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "other"))
    progress.record("a.b.d", "solved")
    assert progress.import_file(file) == 2
    assert {k: v["state"] for k, v in progress.load().items()} == {
        "a.b.c": "solved",
        "a.b.d": "solved",
    }


def test_importing_something_else_says_so_and_changes_nothing(home):
    progress.record("a.b.c", "solved")
    (home / "x.json").write_text(json.dumps({"version": 9}), encoding="utf-8")
    with pytest.raises(progress.ProgressError, match="does not say version 1"):
        progress.import_file(home / "x.json")
    with pytest.raises(progress.ProgressError, match="No such file"):
        progress.import_file(home / "missing.json")
    assert list(progress.load()) == ["a.b.c"]


def test_reset_keeps_the_old_progress_beside_the_new():
    progress.record("a.b.c", "solved")
    aside = progress.reset()
    assert progress.load() == {}
    assert aside is not None
    assert "a.b.c" in aside.read_text("utf-8")
    assert progress.reset() is None


def test_a_place_that_cannot_be_written_does_not_stop_a_lab(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("LABS_HOME", str(blocked))
    progress.record("a.b.c", "solved")


def test_listeners_hear_every_record():
    heard = []
    progress.on_record(lambda *event: heard.append(event[:2]))
    try:
        progress.record("a.b.c", "tried")
    finally:
        progress._listeners.clear()
    assert heard == [("a.b.c", "tried")]
