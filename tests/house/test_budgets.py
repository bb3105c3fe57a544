"""What importing costs, against the budgets; benchmarks/ measures the same on the clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labs import registry

RUNS = 5


def within_ms(limit: float, module: str) -> bool:
    """Whether any of several fresh interpreters imports it in so much processor time.

    Processor time, because other tests run beside this one; any, because nothing makes an import
    faster than it is.
    """
    script = (
        "import time; start = time.process_time(); "
        f"import {module}; print((time.process_time() - start) * 1000)"
    )
    runs = (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(RUNS)
    )
    return any(float(run.stdout) < limit for run in runs)


def test_importing_the_package_costs_next_to_nothing() -> None:
    assert within_ms(50, "labs")


@pytest.mark.parametrize("entry", registry.lessons(), ids=lambda entry: entry.id)
def test_importing_a_lessons_model_is_quick(entry: registry.Entry) -> None:
    assert within_ms(150, f"labs.{entry.id}.model")


def test_the_command_line_starts_quickly() -> None:
    assert within_ms(250, "labs.cli")


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """The modules of a fresh interpreter that has imported the command line."""
    script = "import sys, labs.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("heavy", ["numpy", "matplotlib", "sphinx", "jupyterlab", "flask"])
def test_the_command_line_loads_nothing_heavy_before_it_is_needed(
    loaded: list[str], heavy: str
) -> None:
    assert "labs.cli" in loaded
    assert heavy not in loaded
