"""A lab in Firefox, the other engine: Python runs, exercises are judged, nobody else is asked."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.site.run_here import firefox
from tests.site.run_here.test_labs_in_page import code_cells, headline

LAB = "notebooks/attacks/request_forgery.ipynb"

# In the page: the cells have become editors.
STARTED = """new Promise((resolve) => setInterval(
  () => document.querySelector(".cell_output[data-run-state]") && resolve(), 50))"""

# In the page: a cell's outcome, once it has one.
SETTLED = """new Promise((resolve) => {
  const cell = document.querySelectorAll(".cell_output[data-run-state]")[NUMBER];
  const tell = () => /^(done|failed)$/.test(cell.dataset.runState) && resolve({
    state: cell.dataset.runState,
    verdicts: [...cell.querySelectorAll(".labs-report > p:first-child")].map((p) => p.textContent),
  });
  new MutationObserver(tell).observe(cell, { attributes: true });
  tell();
})"""

CLICK_RUN = """[...document.querySelectorAll(".cell:has(.cell_output[data-run-state])")][NUMBER]
  .querySelectorAll("button").forEach((one) => one.textContent.trim() === "Run" && one.click())"""


@pytest.mark.sockets
def test_a_lab_runs_in_firefox_with_the_verdicts_of_cpython(
    book_address: str, tmp_path: Path
) -> None:
    program = firefox.find()
    if program is None:
        pytest.skip("there is no Firefox on this machine")
    cells = code_cells(LAB)
    tagged = [n for n, cell in enumerate(cells) if "exercise" in cell["metadata"]]
    with firefox.running(program, tmp_path) as tab:
        tab.open(book_address.rstrip("/") + "/" + LAB.replace(".ipynb", ".html"))
        tab.evaluate("document.querySelector('button[data-run-here]').click()")
        tab.evaluate(STARTED)
        assert tab.evaluate(SETTLED.replace("NUMBER", "0"))["state"] == "done"
        for number in tagged:
            tab.evaluate(CLICK_RUN.replace("NUMBER", str(number)))
            ran = tab.evaluate(SETTLED.replace("NUMBER", str(number)))
            assert ran == {"state": "done", "verdicts": [headline(cells[number])]}
        hosts = {urlsplit(address).hostname for address in tab.requested} - {None, ""}
    assert len(tagged) >= 2
    assert hosts == {urlsplit(book_address).hostname}
