"""The first step on a new machine: it does only what is needed, and says what is missing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, set to a checkout of its own that has this run's Python as its environment."""
    spec = importlib.util.spec_from_file_location("prepare", ROOT / "prepare.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "requirements.txt").write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOCK", tmp_path / "requirements.txt")
    monkeypatch.setattr(module, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "prepared")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    return module


def test_what_is_prepared_already_starts_no_process(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare.STAMP.write_text(prepare.fingerprint())
    monkeypatch.setattr(prepare.subprocess, "run", None)
    monkeypatch.setattr(prepare.subprocess, "Popen", None)
    prepare.prepare()


@pytest.mark.parametrize("file", ["requirements.txt", "pyproject.toml"])
def test_a_change_to_what_is_installed_is_noticed(prepare: ModuleType, file: str) -> None:
    before = prepare.fingerprint()
    (prepare.ROOT / file).write_text("changed")
    assert prepare.fingerprint() != before


def test_an_interrupted_set_up_is_not_taken_for_a_finished_one(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare.STAMP.write_text("of an older lock file")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "pip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare.prepare()
    assert not prepare.STAMP.exists()


def test_a_set_up_without_a_network_is_one_clear_sentence(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(sys, "argv", ["prepare.py"])
    assert prepare.main() == 1
    said = capsys.readouterr().err
    assert said.startswith("prepare: pip could not install the packages: ERROR:")
    assert "the first set-up needs a network" in said
    assert said.count("\n") == 1
    assert not prepare.STAMP.exists()


def test_an_old_python_is_told_what_to_do(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    with pytest.raises(prepare.PrepareError, match=r"Python 3\.11 or newer .* PYTHON=python3\.12"):
        prepare.prepare()


def test_a_python_without_ensurepip_is_told_what_to_install(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(prepare.PrepareError, match="python3-venv"):
        prepare.create()


def test_an_environment_whose_python_is_gone_is_made_anew(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "PYTHON", prepare.ENVIRONMENT / "bin" / "python")
    prepare.STAMP.write_text(prepare.fingerprint())
    made: list[str] = []
    monkeypatch.setattr(prepare, "create", lambda: made.append("environment"))
    monkeypatch.setattr(prepare, "pip", lambda *_args, **_kwargs: made.append("packages"))
    monkeypatch.setattr(prepare, "bring_data", lambda: made.append("data"))
    prepare.prepare()
    assert made == ["environment", "packages", "packages", "data"]
