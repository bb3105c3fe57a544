"""A small site with the runtime, served as the book is, and one started lab page to share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from labs.site import node
from labs.site.run_here import build
from labs.site.server import BookServer
from tests.site.run_here.page import Cell, LabPage, lab_site

ROOT = Path(__file__).parents[3]
CACHE = ROOT / node.CACHE

CELLS = (
    Cell("import sys\nprint('Python', sys.version_info.major)", recorded="Python 3"),
    Cell("6 * 7", recorded="42"),
    Cell("import ssl\nssl.OPENSSL_VERSION", recorded="OpenSSL, as recorded"),
    Cell("import numpy\nnumpy.answer", recorded="as recorded with NumPy"),
    Cell("print('never run here')", recorded="as recorded elsewhere", tags="needs-desktop"),
    Cell("value = 'the solution'", tags="solution"),
    Cell("value", recorded="yours"),
)


def built(folder: Path, *, isolate: bool = False) -> Path:
    """Build the runtime into a folder, or skip where npm cannot."""
    try:
        build(folder, cache=CACHE, isolate=isolate)
    except node.NodeError as reason:
        if os.environ.get("LABS_REQUIRE_BROWSER"):
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(f"the runtime cannot be built: {reason}")
    lab_site(folder, CELLS)
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose part ``sub`` is a site: nothing may count on lying at a host's root."""
    return built(tmp_path_factory.mktemp("site") / "sub").parent


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The lab page, served with the book's policy and isolation headers."""
    with BookServer(site, port=0) as server:
        yield f"{server.address}sub/lab.html"


@pytest.fixture(scope="module")
def started(browser: Browser, address: str) -> Iterator[LabPage]:
    """A lab page in which Python runs, for tests that leave it running."""
    context = browser.new_context()
    lab = LabPage(context.new_page(), address)
    lab.run_here()
    yield lab
    context.close()
