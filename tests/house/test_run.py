"""The run of the tests itself: closed sockets, a home of its own, and browsers that are missed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TESTS = """
import os, socket
import pytest

def test_reaches_out():
    socket.create_connection(("192.0.2.1", 80), timeout=1)

def test_reaches_out_and_hides_it():
    try:
        socket.getaddrinfo("name.invalid", 80)
    except OSError:
        pass

def test_listens():
    socket.create_server(("127.0.0.1", 0)).close()

@pytest.mark.sockets
def test_listens_and_says_so():
    socket.create_server(("127.0.0.1", 0)).close()

def test_talks_between_its_own_processes():
    for end in socket.socketpair():
        end.close()

def test_has_a_home_of_its_own():
    assert "labs-tests-" in os.environ["LABS_HOME"]

@pytest.mark.browser
def test_needs_a_browser(page):
    page.goto("about:blank")
"""


def run(folder: Path, *, workers: str = "1", **environment: str) -> list[str]:
    """Run the tests above under this project's conftest; answers the lines that were printed."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_it.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        workers,
        "-rA",
        "--tb=no",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().splitlines()


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LABS_REQUIRE_BROWSER", raising=False)
    monkeypatch.setenv("LABS_CHROMIUM", str(tmp_path / "none"))


@pytest.mark.usefixtures("no_browser")
def test_a_socket_fails_a_test_that_does_not_say_so_and_a_missing_browser_is_said_last(
    tmp_path: Path,
) -> None:
    lines = run(tmp_path)
    outcomes = {
        line.split("::")[1].split(" ")[0]: line.split()[0] for line in lines if "::" in line
    }
    assert outcomes == {
        "test_reaches_out": "FAILED",
        "test_reaches_out_and_hides_it": "ERROR",
        "test_listens": "FAILED",
        "test_listens_and_says_so": "PASSED",
        "test_talks_between_its_own_processes": "PASSED",
        "test_has_a_home_of_its_own": "PASSED",
    }
    assert lines[-1].startswith("NOT TESTED IN A BROWSER: 1 tests were skipped")
    assert "install Chromium" in lines[-1]


@pytest.mark.usefixtures("no_browser")
def test_where_a_browser_is_required_a_missing_one_is_a_failure(tmp_path: Path) -> None:
    lines = run(tmp_path, workers="0", LABS_REQUIRE_BROWSER="1")
    assert any(line.startswith(("FAILED", "ERROR")) and "needs_a_browser" in line for line in lines)
    assert not any("NOT TESTED" in line for line in lines)
