"""What importing costs, against the budgets; benchmarks/ measures the same on the clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labs import registry

RUNS = 5


def cost_ms(module: str) -> float:
    """The least processor time of several fresh interpreters, in milliseconds.

    Processor time, because other tests run beside this one; the least, because nothing makes an
    import faster than it is.
    """
    script = (
        "import time; start = time.process_time(); "
        f"import {module}; print((time.process_time() - start) * 1000)"
    )
    runs = (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(RUNS)
    )
    return min(float(run.stdout) for run in runs)


def test_importing_the_package_costs_next_to_nothing() -> None:
    assert cost_ms("labs") < 50


@pytest.mark.parametrize("entry", registry.lessons(), ids=lambda entry: entry.id)
def test_importing_a_lessons_model_is_quick(entry: registry.Entry) -> None:
    assert cost_ms(f"labs.{entry.id}.model") < 150


def test_the_command_line_starts_quickly() -> None:
    assert cost_ms("labs.cli") < 250


@pytest.mark.parametrize("heavy", ["numpy", "matplotlib", "sphinx", "jupyterlab", "flask"])
def test_the_command_line_loads_nothing_heavy_before_it_is_needed(heavy: str) -> None:
    script = f"import sys, labs.cli; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
