"""Measures what the budgets are about and writes the table of ``benchmarks/README.md``.

Run ``make bench``, on a machine that has nothing else to do. The book is built from a copy of its
sources, so that the book you read stays as it is; the parts of *Run here* that come over the
network are taken from ``build/``, where the first build of the book has left them. Exit status 1
when a budget is exceeded. It ends with the test command, which is by far the longest.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from labs import registry
from labs.site import chromium, notebooks
from labs.site.server import BookServer

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "benchmarks" / "README.md"
SOURCES = ("_config.yml", "_toc.yml", "book", "notebooks")
ASSETS = re.compile(r'<(?:script[^>]*\bsrc|link[^>]*\bhref|img[^>]*\bsrc)="([^"#]+)"')
BEGIN, END = "<!-- measured -->\n", "<!-- end -->"
# A first cell that asks for NumPy waits for the reader's consent, and counts as failed until then.
FIRST_OUTPUT = """async () => {
  const began = performance.now();
  document.querySelector("button[data-run-here]").click();
  await new Promise((done) => new MutationObserver(() => {
    if (document.querySelector("[data-run-state=done], [data-run-state=failed]")) done();
  }).observe(document.body, { subtree: true, attributeFilter: ["data-run-state"] }));
  return (performance.now() - began) / 1000;
}"""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement beside its budget, in the same unit; more is better where ``at_least``."""

    what: str
    measured: float
    budget: float
    unit: str
    at_least: bool = False

    @property
    def held(self) -> bool:
        """Whether the budget holds."""
        if self.at_least:
            return self.measured >= self.budget
        return self.measured <= self.budget

    def markdown(self) -> str:
        """The row of the table."""
        sign = "≥" if self.at_least else "≤"
        digits = ",.0f" if self.measured >= 100 else ",.2g" if self.measured < 10 else ",.1f"
        return (
            f"| {self.what} | {sign} {self.budget:,g} {self.unit} "
            f"| {self.measured:{digits}} {self.unit} | {'yes' if self.held else '**no**'} |"
        )


def seconds(*command: str, cwd: Path = ROOT) -> float:
    """How long a command takes, on the clock.

    Raises:
        SystemExit: If it fails.
    """
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise SystemExit(f"this failed: python {' '.join(command)}")
    return time.perf_counter() - start


def imports() -> Iterator[Row]:
    """Importing the package, and the slowest model of a lesson: the best of seven, on the clock."""

    def best_ms(module: str) -> float:
        script = (
            "import time; start = time.perf_counter(); "
            f"import {module}; print((time.perf_counter() - start) * 1000)"
        )
        command = [sys.executable, "-c", script]
        return min(float(subprocess.check_output(command, text=True)) for _ in range(7))

    yield Row("`import labs`", best_ms("labs"), 50, "ms")
    slowest = max(best_ms(f"labs.{entry.id}.model") for entry in registry.lessons())
    yield Row("import of one lesson's model, the slowest", slowest, 150, "ms")


def book(copy: Path) -> Iterator[Row]:
    """Building the book: from nothing, with frames drawn, after a change; and what pages weigh."""
    build = ("-m", "labs.site.build", "--source", str(copy))
    clean = seconds(*build, "--clean")
    yield Row("build the whole book, slider frames still to draw", clean, 150, "s")
    yield Row("the same, frames cached", seconds(*build, "--clean"), 45, "s")
    page = copy / registry.lessons()[0].page
    page.write_text(page.read_text(encoding="utf-8") + "\nOne more line.\n", encoding="utf-8")
    yield Row("the same, one page changed", seconds(*build), 8, "s")
    site = copy / "build" / "book"
    heaviest = max(weight(file, site) for file in site.rglob("*.html")) / 1e6
    yield Row("first load of the heaviest page, gzip", heaviest, 0.5, "MB")
    yield Row("*Run here* to the first output, the slowest lab", first_output_s(site), 4, "s")


def first_output_s(site: Path) -> float:
    """Seconds from the click to the first output, with nothing in the browser's cache."""
    from playwright.sync_api import sync_playwright

    program = chromium.without_windows()
    if program is None:
        raise SystemExit(f"Run here is measured in Chromium; {chromium.HOW_TO_GET_ONE}.")
    times: list[float] = []
    with BookServer(site, port=0) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for entry in registry.lessons():
            context = browser.new_context()
            page = context.new_page()
            page.goto(server.address + entry.notebook.replace(".ipynb", ".html"))
            page.locator("button[data-run-here]").wait_for()
            times.append(page.evaluate(FIRST_OUTPUT))
            context.close()
        browser.close()
    return max(times)


def weight(page: Path, site: Path) -> int:
    """Bytes of a page and of the site's own files that it loads at once, compressed."""
    text = page.read_text(encoding="utf-8")
    files = {page}
    for link in ASSETS.findall(text):
        file = (page.parent / unquote(urlsplit(link).path)).resolve()
        if file.is_file() and file.is_relative_to(site.resolve()) and file.suffix != ".html":
            files.add(file)
    return sum(len(gzip.compress(file.read_bytes(), 6)) for file in files)


def labs(copy: Path) -> Iterator[Row]:
    """Running every notebook, two at a time."""
    start = time.perf_counter()
    results = notebooks.run(notebooks.find(copy), jobs=2)
    failed = [result.reason for result in results if result.state == "failed"]
    if failed:
        raise SystemExit(f"a notebook failed: {failed[0]}")
    yield Row("execute every notebook, 2 workers", time.perf_counter() - start, 120, "s")


def simulation() -> Iterator[Row]:
    """The repairable pair beside SimPy; the worse of one and two repair crews."""
    command = [sys.executable, str(ROOT / "benchmarks" / "simulation.py"), "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    rows = json.loads(done.stdout)
    events = min(row["events_ratio"] for row in rows)
    interval = min(row["interval_ratio"] for row in rows)
    yield Row("events a second of a repairable pair, against SimPy", events, 30, "×", True)
    yield Row("time to the same confidence interval, against SimPy", interval, 100, "×", True)


def tests() -> Iterator[Row]:
    """The whole test command, with everything set up; the book has been built here before."""
    start = time.perf_counter()
    command = ["make", "--no-print-directory", "test", "JOBS=2"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit("the tests fail: run `make test` to see which")
    yield Row("`make test`, set up before, two at a time", time.perf_counter() - start, 300, "s")


def measure() -> Iterator[Row]:
    """Every measurement, one after the other."""
    yield from imports()
    yield from simulation()
    with tempfile.TemporaryDirectory(prefix="labs-") as folder:
        copy = Path(folder)
        for name in SOURCES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name)
            else:
                shutil.copy(source, copy / name)
        yield from labs(copy)
        yield from book(copy)
    if shutil.which("make"):  # which Windows has not
        yield from tests()


def main() -> int:
    """Measure, show each result as it comes, and write the table."""
    rows = []
    for row in measure():
        rows.append(row)
        print(row.markdown(), flush=True)
    machine = (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}."
    )
    lines = ["| what | budget | measured | held |", "| --- | --- | --- | --- |"]
    lines += [row.markdown() for row in rows]
    before, _, rest = TABLE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    table = f"Measured on {machine}\n\n" + "\n".join(lines) + "\n"
    TABLE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
