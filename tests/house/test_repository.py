"""The files at the root: the lock, the two commands, the papers."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import labs
from labs.site import notebooks

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked() -> dict[str, tuple[str, list[str]]]:
    """Each locked package with its version and hashes."""
    found: dict[str, tuple[str, list[str]]] = {}
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            pin = re.match(r"([\w.-]+)==([\w.!+]+)", line)
            assert pin, f"not an exact version: {line[:80]}"
            # A package that has lost its hashes would run into the next line's package.
            assert len(re.findall(r"==", line.partition(";")[0])) == 1, line[:80]
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}", line)
            found[canonicalize_name(pin[1])] = (pin[2], hashes)
    return found


def test_every_locked_package_has_a_version_and_hashes() -> None:
    lock = locked()
    assert len(lock) > 100
    assert [name for name, (_, hashes) in lock.items() if not hashes] == []


def test_the_lock_names_no_host_and_no_place() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|index-url|find-links|@ ", text)


def test_the_lock_holds_everything_that_the_project_asks_for() -> None:
    lock = locked()
    extras = PROJECT["optional-dependencies"].values()
    asked = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    for requirement in map(Requirement, asked):
        version, _ = lock[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_the_build_backend_is_in_the_lock_so_that_installing_asks_no_network() -> None:
    assert "hatchling" in locked()


@pytest.mark.skipif(os.name == "nt", reason="bash is not part of Windows")
def test_ci_calls_make_test_and_requires_a_browser() -> None:
    run = ROOT / ".ci" / "run"
    text = run.read_text(encoding="utf-8")
    assert os.access(run, os.X_OK)
    assert subprocess.run(["bash", "-n", run], check=False).returncode == 0
    assert re.search(r"^exec make .*\btest\b", text, re.MULTILINE)
    assert "export LABS_REQUIRE_BROWSER=1" in text


@pytest.mark.skipif(os.name == "nt", reason="make is not part of Windows")
def test_make_alone_lists_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^make (\w+)", done.stdout, re.MULTILINE))
    assert listed == set(phony[1].split()) - {"environment"}
    assert {"start", "test", "book", "notebooks", "lint", "bench", "help"} <= listed


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PROJECT["version"] == labs.__version__ == citation["version"]
    assert f"## {labs.__version__}" in changes


def test_both_licenses_are_stated() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "MIT License" in text
    assert "creativecommons.org/licenses/by/4.0" in text


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [*re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text), *re.findall(r'src="([^":]+)"', text)]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_fits_one_screen_before_the_first_scroll() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    above = text.split("\n## ")[0]
    assert len(above.splitlines()) <= 40
    for needed in ("make start", "make test", "<img", "Read", "Do", "Teach"):
        assert needed in above


def test_contributing_says_why_each_dependency_was_chosen() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").lower()
    extras = PROJECT["optional-dependencies"].values()
    asked = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    names = {canonicalize_name(Requirement(line).name) for line in asked}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_sanitizing_touches_addresses_and_no_result() -> None:
    """A rule that hides a number of a lab would let a wrong number pass."""
    text = (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    rules = re.findall(r"^regex: (.*)$\n^replace: (.*)$", text, re.MULTILINE)
    assert rules

    def sanitized(output: str) -> str:
        for pattern, replacement in rules:
            output = re.sub(pattern, replacement, output)
        return output

    assert sanitized("<labs.X object at 0x7f3a>") == sanitized("<labs.X object at 0x1b2c>")
    styled = "<style data-labs>p {color: red}</style><p>12 of 40</p>"
    assert sanitized(styled) == "<style data-labs></style><p>12 of 40</p>"
    for result in ("12 of 40 accounts fell", "0.9999", "$argon2id$v=19$m=19456", "0x7f3a", "3.2 s"):
        assert sanitized(result) == result


def test_notebooks_run_in_an_environment_that_is_not_the_learners() -> None:
    given = notebooks.environment("somewhere")
    assert given["LABS_HOME"] == "somewhere"
    assert given["LABS_LEARNER"] == "book"
