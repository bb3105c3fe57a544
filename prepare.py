"""Makes ``.venv`` hold exactly what ``requirements.txt`` locks, then runs ``labs`` in it.

    python3 prepare.py            make or update the environment
    python3 prepare.py start      the same, then: labs start

This is the one piece of code that runs before anything is installed, so it stands at the root and
uses the standard library only. What it did is noted in ``.venv/prepared`` by the content of the
files that it depends on; when nothing changed, it has nothing to do and needs no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import venv
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "requirements.txt"
STAMP = ENVIRONMENT / "prepared"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


class PrepareError(Exception):
    """The environment cannot be made; the message says why and what to do."""


def fingerprint() -> str:
    """What the environment depends on: the lock file, the package's description, the place."""
    digest = hashlib.sha256(str(ENVIRONMENT).encode())
    for file in (LOCK, ROOT / "pyproject.toml"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def runs() -> bool:
    """Whether the environment's Python starts (it does not once its base Python is gone)."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([PYTHON, "-c", check], capture_output=True).returncode == 0
    except OSError:
        return False


def create() -> None:
    """Make an empty ``.venv``."""
    if importlib.util.find_spec("ensurepip") is None:
        raise PrepareError(
            f"{sys.executable} cannot make virtual environments; "
            "on Debian or Ubuntu run: sudo apt-get install python3-venv"
        )
    print("Making .venv", flush=True)
    try:
        venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists())
    except (OSError, subprocess.CalledProcessError) as error:
        raise PrepareError(f"cannot make {ENVIRONMENT}: {error}") from error


def pip(*arguments: str, packages: int = 1) -> None:
    """Run pip in the environment and show how far it is, on one line where there is a terminal."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--no-deps", *arguments]
    last: deque[str] = deque(maxlen=200)
    done = 0
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            last.append(line.strip())
            found = re.match(
                r"(?:Collecting|Processing|Requirement already satisfied:) (\S+)", line
            )
            if found:
                done += 1
                name = re.split(r"==|-\d", Path(found[1]).name)[0]
                show(f"Packages: {min(done, packages)} of {packages}, {name}", done)
            elif packages > 1 and line.startswith("Installing collected packages"):
                show("Packages: all there, installing them (about a minute)", 0)
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)
    if process.returncode != 0:
        reasons = [line for line in last if line.upper().startswith("ERROR")] or list(last)[-1:]
        raise PrepareError(
            f"pip could not install the packages: {reasons[0] if reasons else 'it said nothing'} "
            "(the first set-up needs a network; run the command again to go on where it stopped)"
        )


def bring_data() -> None:
    """Bring what a lab draws with from npm; without it one map is plainer, which is said."""
    subprocess.run([PYTHON, "-m", "labs.site.data"], cwd=ROOT)


def show(text: str, count: int) -> None:
    """Replace the line on a terminal; elsewhere print every 25th, so that a log stays short."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif count % 25 == 0:
        print(text, flush=True)


def prepare() -> None:
    """Bring the environment up to date; returns at once when it already is."""
    # Asked of whatever Python runs this file, which may be too old for the package.
    if sys.version_info < (3, 11):  # noqa: UP036
        raise PrepareError(
            f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}; "
            "name a newer one: make start PYTHON=python3.12"
        )
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted and PYTHON.exists():
        return
    if not runs():
        create()
    STAMP.unlink(missing_ok=True)
    count = len(re.findall(r"^[\w.-]+==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    pip("--require-hashes", "-r", str(LOCK), packages=count)
    # The build backend is in the lock, so that this step never asks the network.
    pip("--no-build-isolation", "--no-index", "-e", str(ROOT))
    bring_data()
    STAMP.write_text(wanted, encoding="utf-8")
    print("The environment is ready.", flush=True)


def main() -> int:
    """Prepare, then hand over to the command line of the package, if there is one to run."""
    try:
        prepare()
    except PrepareError as error:
        print(f"prepare: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nprepare: stopped; run the command again to go on", file=sys.stderr)
        return 1
    if len(sys.argv) == 1:
        return 0
    command = [str(PYTHON), "-m", "labs.cli", *sys.argv[1:]]
    if os.name == "nt":  # where exec would return to the shell before the command has ended
        try:
            return subprocess.run(command).returncode
        except KeyboardInterrupt:
            return 0
    os.execv(command[0], command)
    raise AssertionError("exec does not return")


if __name__ == "__main__":
    sys.exit(main())
