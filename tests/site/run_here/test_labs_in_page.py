"""Every lab in the reader's browser: the same verdicts as in CPython, and nothing asked elsewhere.

The verdicts to compare with are those of the committed notebook, which another test runs again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from labs import registry
from tests.site.run_here.page import LabPage

ROOT = Path(__file__).parents[3]
LONGEST_CELL_MS = 60_000
# A learner's limit of seconds holds in the page, where other tests may take the processor away.
TRIES_ON_A_BUSY_MACHINE = 4


def code_cells(notebook: str) -> list[dict[str, Any]]:
    cells = json.loads((ROOT / notebook).read_text(encoding="utf-8"))["cells"]
    return [
        cell
        for cell in cells
        if cell["cell_type"] == "code" and "instructor" not in cell["metadata"].get("tags", [])
    ]


def headline(cell: dict[str, Any]) -> str:
    text: str = "".join(cell["outputs"][-1]["data"]["text/plain"])
    return text.split("\n")[0].replace("`", "")  # code is marked up in the page


@pytest.mark.browser
@pytest.mark.parametrize("notebook", [entry.notebook for entry in registry.lessons()])
def test_a_lab_gives_the_same_verdicts_in_the_page(
    page: Page, book_address: str, notebook: str
) -> None:
    address = book_address.rstrip("/") + "/" + notebook.replace(".ipynb", ".html")
    cells = code_cells(notebook)
    lab = LabPage(page, address)
    lab.button("Run here").wait_for()
    lab.run_here()
    assert lab.cells.count() == len(cells)
    checked = 0
    for number, cell in enumerate(cells):
        if "exercise" not in cell["metadata"]:
            continue
        for _ in range(TRIES_ON_A_BUSY_MACHINE):
            lab.click(number, "Run")
            ran = lab.wait(number, LONGEST_CELL_MS)
            if "it was still running after" not in ran.text:
                break
        assert (ran.state, ran.verdicts) == ("done", (headline(cell),)), ran.text
        checked += 1
    assert checked >= 2
    assert lab.foreign == []
