"""The command line: its exit statuses, its one-line reasons, and what it serves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from labs import cli
from labs.kvittra.weaknesses import WEAKNESSES
from labs.site import doctor
from labs.teaching import progress


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ([], 2, "Missing command"),
        (["fly"], 2, "No such command 'fly'"),
        (["progress"], 2, "Missing command"),
        (["kvittra", "--weakness", "rust"], 2, "there is no weakness 'rust'"),
        (["kvittra", "--port", "70000"], 2, "65535"),
        (["kvittra", "--host", "0.0.0.0"], 2, "No such option"),
        (["start", "--port", "many"], 2, "port"),
        (["progress", "export"], 2, "Missing argument"),
        (["dist", "--distribution", "nowhere"], 2, "nowhere' does not exist"),
        (["notebooks", "attacks.alchemy"], 2, "there is no notebook attacks.alchemy"),
        (["progress", "import", "no-such-file.json"], 1, "cannot read no-such-file.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_command_that_cannot_be_done_gives_its_status_and_one_line(
    arguments: list[str], status: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("labs: ")
    assert said.err.count("\n") == 1
    assert reason in said.err


@pytest.mark.parametrize("arguments", [["--help"], ["kvittra", "--help"], ["progress", "--help"]])
def test_help_is_a_success(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 0
    assert "Usage: labs" in capsys.readouterr().out


def test_an_unforeseen_failure_is_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("the disk\nis full")

    monkeypatch.setattr(progress, "load", fail)
    assert cli.run(["progress", "show"]) == 1
    assert capsys.readouterr().err == "labs: RuntimeError: the disk is full\n"
    monkeypatch.setenv("LABS_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.run(["progress", "show"])


def test_ctrl_c_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(progress, "load", interrupted)
    assert cli.run(["progress", "show"]) == 1
    assert capsys.readouterr().err == ""


def test_progress_travels_by_export_and_import(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["progress", "show"]) == 0
    assert "Nothing yet" in capsys.readouterr().out
    progress.record("attacks.passwords.store", "solved")
    file = str(tmp_path / "mine.json")
    assert cli.run(["progress", "export", file]) == 0
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "another machine"))
    assert cli.run(["progress", "import", file]) == 0
    capsys.readouterr()
    assert cli.run(["progress", "show"]) == 0
    assert re.search(r"^solved .*attacks\.passwords\.store$", capsys.readouterr().out, re.MULTILINE)


def test_a_reset_starts_over_and_keeps_what_was(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.record("attacks.passwords.store", "solved")
    assert cli.run(["progress", "reset"]) == 0
    assert str(home) in capsys.readouterr().out
    assert progress.load() == {}
    assert any("store" in file.read_text() for file in home.glob("*.json"))
    assert cli.run(["progress", "reset"]) == 0
    assert "nothing to reset" in capsys.readouterr().out


def test_something_that_is_not_an_export_is_refused_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.record("attacks.passwords.store", "solved")
    before = progress.load()
    (tmp_path / "photo.json").write_bytes(b"\xff\xd8\xff")
    assert cli.run(["progress", "import", str(tmp_path / "photo.json")]) == 1
    assert "not an exported progress" in capsys.readouterr().err
    assert progress.load() == before


def test_kvittra_lists_every_weakness_with_its_cwe(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["kvittra", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[w.name, w.cwe] for w in WEAKNESSES.values()]


@pytest.mark.sockets
@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_kvittra_says_its_address_first_and_ctrl_c_ends_it() -> None:
    command = [sys.executable, "-m", "labs.cli", "kvittra", "--weakness", "xss_stored"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.status == 200
        taken = subprocess.run(
            [*command, "--port", address.rstrip("/").rsplit(":", 1)[1]],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (taken.returncode, taken.stdout) == (1, "")
        assert "in use" in taken.stderr
        assert taken.stderr.count("\n") == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_a_reader_that_has_seen_enough_is_no_failure_to_talk_about() -> None:
    command = f"'{sys.executable}' -m labs.cli kvittra --list | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_the_doctor_finds_what_differs_from_the_lock() -> None:
    lock = (
        "typer==0.0.1 \\\n    --hash=sha256:00\n"
        "no-such-package==1.0 \\\n    --hash=sha256:00\n"
        "appnope==1.0 ; sys_platform == 'no-such-system' \\\n    --hash=sha256:00\n"
    )
    different, missing = doctor._differences(lock)
    assert re.fullmatch(r"typer is [\d.]+, not 0\.0\.1", different)
    assert missing == "no-such-package is missing"


def test_the_doctor_says_what_to_do_about_a_home_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "file"))
    finding = doctor._home()
    assert finding.state == "problem"
    assert "LABS_HOME" in finding.advice


def test_the_doctor_says_what_to_do_about_a_missing_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_CHROMIUM", str(tmp_path / "gone"))
    finding = doctor._browser()
    assert finding.state == "note"
    assert "install" in finding.advice


@pytest.mark.sockets
def test_the_doctor_ends_with_1_and_names_the_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_differences", lambda _lock: iter(["typer is missing"]))
    assert cli.run(["doctor"]) == 1
    said = capsys.readouterr()
    assert re.search(r"^problem  packages: typer is missing$", said.out, re.MULTILINE)
    assert re.search(r"^ok       kernel: ", said.out, re.MULTILINE)
    assert said.err == "labs: 1 problem found\n"


@pytest.mark.parametrize("command", ["book", "dist"])
def test_a_publishers_distribution_reaches_the_build(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.setattr(
        "labs.site.build.build", lambda **options: given.append(options) or tmp_path
    )
    monkeypatch.setattr("labs.site.dist.pack", lambda *_: [])
    assert cli.run([command, "--distribution", str(tmp_path)]) == 0
    assert given[0]["distribution"] == tmp_path
