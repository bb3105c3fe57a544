"""Where this machine's Chromium is, for the tests that drive a real browser.

Run as a module, it installs one where there is none and the system's package manager may be used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOW_TO_GET_ONE = (
    "install Chromium (Debian: sudo apt-get install chromium; elsewhere: "
    "python -m playwright install chromium, in .venv), or name one in LABS_CHROMIUM"
)
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_WITHOUT_WINDOWS = "chromium-headless-shell"
_PATIENCE_SECONDS = 300
_PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
_PLAYWRIGHT = (
    "~/.cache/ms-playwright",
    "~/Library/Caches/ms-playwright",
    "~/AppData/Local/ms-playwright",
)


def find() -> str | None:
    """The path of a Chromium or Chrome: ``LABS_CHROMIUM``, the system's, or Playwright's own."""
    named = os.environ.get("LABS_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    for command in _COMMANDS:
        found = shutil.which(command)
        if found:
            return found
    for place in _PLACES:
        if Path(place).is_file():
            return place
    for folder in _PLAYWRIGHT:
        for name in ("chrome", "chrome.exe", "Chromium"):
            downloaded = sorted(Path(folder).expanduser().glob(f"chromium-*/**/{name}"))
            if downloaded:
                return str(downloaded[-1])
    return None


def without_windows() -> str | None:
    """The path of Debian's Chromium without windows, or of the one that :func:`find` finds.

    It shows pages with the same engine and has nothing of a desktop program around it, so that a
    test in it takes about two thirds of the time. What depends on the program, such as which
    cookies a private window lets through, needs the other.
    """
    if os.environ.get("LABS_CHROMIUM"):
        return find()
    return shutil.which(_WITHOUT_WINDOWS) or find()


def install() -> bool:
    """Install Debian's Chromium if this user may; answers whether there is one now."""
    if find():
        return True
    apt = shutil.which("apt-get")
    if apt is None or os.name == "nt":
        return False
    may: list[str] = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True).returncode:
            return False
        may = [sudo, "-n"]
    print("Installing Chromium", flush=True)
    # A system that has just started may still be at its own updates.
    patient = [*may, apt, "-q", "-o", f"DPkg::Lock::Timeout={_PATIENCE_SECONDS}"]
    new = ["install", "-y", "--no-install-recommends"]
    # One after the other: a system without the second still gets the first.
    for step in (["update"], [*new, "chromium"], [*new, _WITHOUT_WINDOWS]):
        subprocess.run([*patient, *step], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return find() is not None


if __name__ == "__main__":
    # Going on without one is for the tests to judge: they skip, or fail where it is required.
    if not install():
        print(f"There is no Chromium on this machine; {HOW_TO_GET_ONE}.", file=sys.stderr)
