"""Style, types and the direction of imports, as `make lint` checks them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(*command: str) -> None:
    """Run a checker in this environment; what it found is the failure's message."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"{done.stdout}{done.stderr}", pytrace=False)


def test_types_are_complete_and_right() -> None:
    check("-m", "mypy")
    check("-m", "mypy", "prepare.py", "benchmarks/run.py")


def test_imports_run_one_way() -> None:
    script = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    check("-c", script)


def test_code_follows_the_style() -> None:
    check("-m", "ruff", "check", ".")


def test_code_is_formatted() -> None:
    check("-m", "ruff", "format", "--check", ".")
