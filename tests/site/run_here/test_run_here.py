"""Python in the page, in real Chromium, under the site's own policy and every other host shut."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from argon2 import low_level
from playwright.sync_api import Browser, Page, Route, expect

from labs.site import node
from labs.site.run_here.builder import FRONTEND
from labs.site.server import BookServer
from tests.site.run_here.conftest import CACHE, built
from tests.site.run_here.page import LabPage, PlainServer

pytestmark = pytest.mark.browser


def computed(lab: LabPage, source: str) -> Any:
    """The JSON that the second cell prints when it runs ``source``."""
    ran = lab.run(1, source)
    assert ran.state == "done", ran.text
    return json.loads(ran.text)


def test_a_first_result_comes_under_the_sites_policy_and_asks_no_other_host(
    started: LabPage,
) -> None:
    assert started.output(0).inner_text().strip() == "Python 3"
    assert started.page.evaluate("crossOriginIsolated")
    assert started.foreign == []
    assert started.errors == []


def test_little_is_loaded_before_the_click(page: Page, address: str) -> None:
    lab = LabPage(page, address)
    everything = page.evaluate(
        "performance.getEntriesByType('resource').map((e) => [e.name, e.decodedBodySize])"
    )
    loaded = [(name, size) for name, size in everything if "/_run/" in name]
    assert [name.rpartition("/")[2] for name, _ in loaded] == ["run.js"]
    assert loaded[0][1] < 10_000
    expect(lab.button("Run here")).to_be_visible()


_BARE_WORKER = """
import { loadPyodide } from "./pyodide.mjs";
const python = await loadPyodide();
postMessage(python.runPython("1"));
"""
_BARE_START = """async () => {
  const worker = new Worker("../bare/bare.js", { type: "module" });
  await new Promise((done, broken) => { worker.onmessage = done; worker.onerror = broken; });
  worker.terminate();
}"""


def test_the_first_result_costs_less_than_the_runtime_alone_as_it_is_published(
    browser: Browser, site: Path
) -> None:
    """What is compiled when the book is built saves more than the labs need to start."""

    def bare(lab: LabPage) -> None:
        lab.page.evaluate(_BARE_START)

    runtime = next(site.glob("sub/_run/pyodide-*"))
    shutil.copytree(runtime, site / "bare")
    published = node.packages(FRONTEND, CACHE) / "pyodide"
    for name in ("pyodide-lock.json", "python_stdlib.zip"):
        shutil.copy(published / name, site / "bare")
    (site / "bare" / "bare.js").write_text(_BARE_WORKER, "utf-8")
    ratios = []
    with PlainServer(site) as server:
        for _ in range(3):
            seconds = []
            for start in (LabPage.run_here, bare):
                context = browser.new_context()
                lab = LabPage(context.new_page(), f"{server.address}sub/lab.html")
                before = lab.processor_seconds()
                start(lab)
                seconds.append(lab.processor_seconds() - before)
                context.close()
            ratios.append(seconds[0] / seconds[1])
            if ratios[-1] < 0.95:
                return
    raise AssertionError(f"the first result cost {ratios} times what the runtime does")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("1 + 1", "2"),
        ("1 + 1;", ""),
        ("x = 3", ""),
        ("import asyncio\nawait asyncio.sleep(0)\n'awaited'", "'awaited'"),
        ("import asyncio\nasync def f(): return 5\nasyncio.run(f())", "5"),
        ("import sys\nprint('out')\nprint('err', file=sys.stderr)\n7", "out\nerr\n7"),
        ("print('<b>not bold</b>')", "<b>not bold</b>"),
        ("class A:\n    def _repr_html_(self): return '<i>rich</i>'\nA()", "rich"),
    ],
)
def test_a_cell_shows_what_it_prints_and_its_last_value(
    started: LabPage, source: str, shown: str
) -> None:
    ran = started.run(1, source)
    assert ran.state == "done"
    assert re.sub(r"\n+", "\n", ran.text).strip() == shown


def test_displays_come_as_html_svg_picture_and_markdown(started: LabPage) -> None:
    started.run(
        1,
        "from IPython.display import HTML, SVG, Image, Markdown, display\n"
        "import zlib, struct\n"
        "def chunk(k, d):\n"
        "    return struct.pack('>I', len(d)) + k + d + struct.pack('>I', zlib.crc32(k + d))\n"
        "png = (b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB',1,1,8,0,0,0,0))\n"
        "       + chunk(b'IDAT', zlib.compress(b'\\0\\0')) + chunk(b'IEND', b''))\n"
        "display(HTML('<style data-labs>p{display:none}</style><p>a paragraph</p>'))\n"
        "display(SVG('<svg viewBox=\"0 0 1 1\"><title>A dot</title><rect/></svg>'))\n"
        "display(Image(png, alt='one black pixel'))\n"
        "Markdown('**strong** <script>no()</script>')",
    )
    output = started.output(1)
    expect(output.locator("p", has_text="a paragraph")).to_be_visible()
    assert output.locator("style").count() == 0
    assert output.locator("svg[role=img]").count() == 1
    picture = output.get_by_alt_text("one black pixel")
    assert picture.evaluate("(image) => image.naturalWidth") == 1
    assert output.locator("strong").inner_text() == "strong"
    assert output.locator("script").count() == 0


def test_a_display_can_be_updated_and_cleared(started: LabPage) -> None:
    ran = started.run(
        1,
        "from IPython.display import clear_output, display\n"
        "print('gone')\nclear_output()\n"
        "handle = display('first', display_id=True)\nhandle.update('second')",
    )
    assert ran.text.strip() == "'second'"


def test_a_keyboard_reaches_what_scrolls_sideways_in_a_display(started: LabPage) -> None:
    markup = (
        "<div style='overflow-x: auto; width: 9rem'><p style='width: 90rem'>wide</p></div>"
        "<div style='overflow-x: auto'>narrow</div>"
    )
    started.run(1, f"from IPython.display import HTML\nHTML({markup!r})")
    reached = started.output(1).locator("[tabindex='0']")
    assert reached.all_inner_texts() == ["wide"]


def test_a_script_in_a_display_does_not_run(started: LabPage) -> None:
    started.run(1, "from IPython.display import HTML\nHTML('<script>window.ran = 1</script>done')")
    assert started.page.evaluate("window.ran") is None


def test_markup_in_an_error_is_shown_as_text(started: LabPage) -> None:
    ran = started.run(1, "raise ValueError('<img src=x onerror=\"window.ran=1\">')")
    assert ran.state == "failed"
    assert '<img src=x onerror="window.ran=1">' in ran.text
    assert started.output(1).locator("img").count() == 0
    assert started.page.evaluate("window.ran") is None


def test_a_traceback_names_the_readers_line_and_no_line_of_the_runner(started: LabPage) -> None:
    ran = started.run(1, "def half(n):\n    return 1 / n\nhalf(0)")
    assert '"<cell 2>", line 2, in half' in ran.text
    assert "return 1 / n" in ran.text
    assert "labs_page" not in ran.text


def test_a_missing_name_points_to_the_cells_above(page: Page, address: str) -> None:
    lab = LabPage(page, address)
    lab.run_here()
    lab.write(1, "value = 'mine'")
    assert "Run all above" in lab.run(6).text
    lab.click(6, "Run all above")
    lab.wait(1)
    lab.wait(4)
    assert lab.run(6).text.strip() == "'mine'"  # not the solution's, which nobody asked for


def test_two_thousand_prints_are_quick(started: LabPage) -> None:
    started.run(1, "print(0)")
    seconds = started.page.evaluate(
        """async () => {
          const output = document.querySelectorAll(".cell_output")[1];
          const began = performance.now();
          [...output.parentElement.querySelectorAll("button")]
            .find((button) => button.textContent === "Run").click();
          while (output.dataset.runState === "running")
            await new Promise((next) => setTimeout(next, 5));
          return (performance.now() - began) / 1000;
        }"""
    )
    many = started.run(1, "for number in range(2000):\n    print('line', number)")
    assert many.text.count("line") == 2000
    assert many.text.strip().endswith("line 1999")
    assert seconds < 5


def test_endless_output_is_cut(started: LabPage) -> None:
    ran = started.run(1, "for _ in range(300_000):\n    print('0123456789')")
    assert "output cut" in ran.text
    assert len(ran.text) < 250_000


PBKDF2 = [
    pytest.param("sha1", b"password", b"salt", 1, 20, id="RFC 6070, 1"),
    pytest.param("sha1", b"password", b"salt", 4096, 20, id="RFC 6070, 3"),
    pytest.param("sha1", b"pass\0word", b"sa\0lt", 4096, 16, id="RFC 6070, 6"),
    pytest.param("sha256", b"passwd", b"salt", 1, 64, id="RFC 7914, section 11"),
    *(
        pytest.param(name, "lösenord".encode(), b"\xff" * 16, 7, None, id=name)
        for name in ("md5", "sha224", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
    ),
]


def test_pbkdf2_gives_the_digests_of_cpython(started: LabPage) -> None:
    cases: list[Any] = [tuple(case.values) for case in PBKDF2]
    here = [hashlib.pbkdf2_hmac(*case).hex() for case in cases]
    assert here[0] == "0c60c80f961f0e71f3a9b524af6012062fe037a6"  # RFC 6070
    there = computed(
        started,
        f"import hashlib, json\ncases = {cases!r}\n"
        "print(json.dumps([hashlib.pbkdf2_hmac(*case).hex() for case in cases]))",
    )
    assert there == here


SCRYPT: list[dict[str, Any]] = [
    {"password": b"", "salt": b"", "n": 16, "r": 1, "p": 1, "dklen": 64},
    {"password": b"password", "salt": b"NaCl", "n": 1024, "r": 8, "p": 16, "dklen": 64},
    {"password": b"pleaseletmein", "salt": b"SodiumChloride", "n": 16384, "r": 8, "p": 1}
    | {"dklen": 64, "maxmem": 2**26},
]


def test_scrypt_gives_the_digests_of_cpython(started: LabPage) -> None:
    here = [hashlib.scrypt(**case).hex() for case in SCRYPT]
    assert here[0].startswith("77d6576238657b203b19ca42c18a0497")  # RFC 7914, section 12
    there = computed(
        started,
        f"import hashlib, json\ncases = {SCRYPT!r}\n"
        "print(json.dumps([hashlib.scrypt(**case).hex() for case in cases]))",
    )
    assert there == here


RECORD = low_level.hash_secret(b"a", b"saltsalt", 1, 8, 1, 16, low_level.Type.ID).decode()
REFUSED = [
    "hashlib.pbkdf2_hmac('sha256', b'', b'', 0)",
    "hashlib.pbkdf2_hmac('sha256', b'', b'', 1, 0)",
    "hashlib.pbkdf2_hmac('no such hash', b'', b'', 1)",
    "hashlib.pbkdf2_hmac('sha256', 'text', b'', 1)",
    "hashlib.scrypt(b'', salt=b'', n=3, r=1, p=1)",
    "hashlib.scrypt(b'', salt=b'', n=2**20, r=8, p=1)",
    "hashlib.scrypt(b'', salt=b'', n=16, r=1, p=1, dklen=0)",
    "hashlib.scrypt('text', salt=b'', n=16, r=1, p=1)",
    "argon2.low_level.hash_secret_raw(b'', b'short', 1, 8, 1, 16, argon2.Type.ID)",
    "argon2.low_level.hash_secret_raw(b'', bytes(8), 1, 8, 2, 16, argon2.Type.ID)",
    "argon2.low_level.hash_secret_raw(b'', bytes(8), 0, 8, 1, 16, argon2.Type.ID)",
    "argon2.PasswordHasher().verify('$argon2id$v=19$m=8,t=1,p=1$AAAA', 'x')",
    "argon2.PasswordHasher().verify('$argon2id$v=19$m=8,t=01,p=1$c2FsdHNhbHQ$AAAAAAAA', 'x')",
    "argon2.PasswordHasher().verify('nothing', 'x')",
    f"argon2.PasswordHasher().verify({RECORD!r}, 'b')",
]

_ASK = """
import argon2, hashlib, json
def refusal(source):
    try:
        eval(source)
    except Exception as error:
        return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ != '_hashlib')
    return 'nothing raised'
"""


def test_key_derivation_refuses_what_cpython_refuses(started: LabPage) -> None:
    scope: dict[str, Any] = {}
    exec(_ASK, scope)
    here = [scope["refusal"](source) for source in REFUSED]
    assert "nothing raised" not in here
    there = computed(
        started, f"{_ASK}\nprint(json.dumps([refusal(source) for source in {REFUSED!r}]))"
    )
    assert dict(zip(REFUSED, there, strict=True)) == dict(zip(REFUSED, here, strict=True))


ARGON2: list[Any] = [
    # secret, salt, time, memory, lanes, length, type, version
    (b"password", b"somesalt", 2, 256, 1, 32, 2, 19),
    (b"password", b"somesalt", 2, 256, 2, 24, 1, 19),
    (b"", b"\0" * 16, 1, 64, 4, 16, 0, 19),
    ("lösenord".encode(), b"\xff" * 12, 3, 100, 3, 64, 2, 16),
    (b"x" * 200, b"saltsaltsalt", 2, 19_456, 1, 32, 2, 19),
]


def test_argon2_gives_the_records_of_cpython(started: LabPage) -> None:
    here = []
    for secret, salt, time, memory, lanes, length, kind, version in ARGON2:
        numbers = (time, memory, lanes, length, low_level.Type(kind), version)
        here.append(low_level.hash_secret(secret, salt, *numbers).decode())
    there = computed(
        started,
        "import json\nfrom argon2 import low_level\n"
        f"cases = {ARGON2!r}\n"
        "print(json.dumps([low_level.hash_secret(*rest, low_level.Type(kind), version).decode()"
        " for *rest, kind, version in cases]))",
    )
    assert there == here


def test_a_hasher_in_the_page_and_one_in_cpython_accept_each_others_records(
    started: LabPage,
) -> None:
    import argon2

    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=4)
    theirs, rehash, profile = computed(
        started,
        "import argon2, json\n"
        "hasher = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=4)\n"
        f"assert hasher.verify({hasher.hash('åäö')!r}, 'åäö')\n"
        "record = hasher.hash('åäö')\n"
        "print(json.dumps([record, argon2.PasswordHasher().check_needs_rehash(record),"
        " argon2.profiles.get_default_parameters().parallelism]))",
    )
    assert hasher.verify(theirs, "åäö")
    assert rehash
    assert profile == argon2.DEFAULT_PARALLELISM


def test_600_000_rounds_of_pbkdf2_cost_as_much_as_a_few_million_steps_of_python(
    started: LabPage,
) -> None:
    loop = "sum(number * number for number in range(3_000_000))"
    derivation = "hashlib.pbkdf2_hmac('sha256', b'password', b'salt', 600_000).hex()"
    started.run(1, "import hashlib")

    def cost(source: str) -> float:
        before = started.processor_seconds()
        assert started.run(1, source).state == "done"
        return started.processor_seconds() - before

    costs = []
    for _ in range(3):
        costs.append((cost(derivation), cost(loop)))
        # On a quiet machine the loop takes 0.5 s, and the bound is 2 s. Both slow down alike.
        if costs[-1][0] < max(2.0, 3.5 * costs[-1][1]):
            return
    raise AssertionError(f"seconds of the derivation and of the loop: {costs}")


def test_what_a_browser_lacks_is_said_and_the_recorded_result_stays(started: LabPage) -> None:
    ran = started.run(2)
    assert (ran.state, ran.note) == ("failed", "needs-desktop")
    assert ran.text.strip() == "OpenSSL, as recorded"
    assert "ssl" in started.note(2)
    assert "JupyterLab" in started.note(2)


def test_a_cell_marked_for_the_desktop_is_not_run(started: LabPage) -> None:
    ran = started.run(4)
    assert ran.note == "needs-desktop"
    assert ran.text.strip() == "as recorded elsewhere"


def test_a_package_of_the_site_comes_when_it_is_first_imported(started: LabPage) -> None:
    ran = started.run(
        1,
        "import flask\napp = flask.Flask('x')\n@app.get('/')\ndef home(): return 'ok'\n"
        "app.test_client().get('/').text",
    )
    assert ran.text.strip() == "'ok'"
    names = started.run(1, "from zoneinfo import ZoneInfo\nZoneInfo('Europe/Stockholm').key")
    assert names.text.strip() == "'Europe/Stockholm'"
    lesson = started.run(1, "from labs.attacks import passwords\npasswords.LESSON.promises")
    assert lesson.text.strip() == "('A2',)"
    assert started.foreign == []


def test_stop_ends_a_loop_and_keeps_variables(started: LabPage) -> None:
    started.run(1, "kept = 'still here'")
    started.write(1, "while True:\n    pass")
    started.click(1, "Run")
    started.button("Stop").click()
    ran = started.wait(1)
    assert ran.state == "failed"
    assert "Stopped" in ran.text
    assert started.run(1, "kept").text.strip() == "'still here'"


def test_stop_ends_what_cannot_be_interrupted_and_restart_forgets_but_keeps_edits(
    page: Page, address: str
) -> None:
    lab = LabPage(page, address)
    lab.run_here()
    lab.write(1, "import time\ntime.sleep(50)")
    lab.click(1, "Run")
    lab.button("Stop").click()
    assert lab.wait(1, timeout_ms=20_000).state == "failed"
    expect(page.get_by_role("status")).to_contain_text("Variables are lost")

    assert lab.run(1, "forgotten = 1").state == "done"
    lab.button("Restart").click()
    assert lab.output(1).get_attribute("data-run-state") == "idle"
    assert "forgotten = 1" in lab.editor(1).inner_text()
    assert "NameError" in lab.run(1, "forgotten").text


def test_without_isolation_stop_says_that_variables_are_lost(page: Page, site: Path) -> None:
    with PlainServer(site) as server:
        lab = LabPage(page, f"{server.address}sub/lab.html")
        lab.run_here()
        assert not page.evaluate("crossOriginIsolated")
        lab.write(1, "while True:\n    pass")
        lab.click(1, "Run")
        lab.button("Stop").click()
        assert "Stopped" in lab.wait(1).text
        expect(page.get_by_role("status")).to_contain_text("Variables are lost")
        assert lab.run(1, "6 * 7").text.strip() == "42"


def test_the_sites_own_service_worker_isolates_its_pages(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = built(tmp_path_factory.mktemp("isolating") / "sub", isolate=True).parent
    with PlainServer(folder) as server:
        lab = LabPage(page, f"{server.address}sub/lab.html")
        lab.button("Run here").click()  # loads the page once more and goes on by itself
        lab.wait(0)
        assert page.evaluate("crossOriginIsolated")
        lab.run(1, "kept = 1")
        lab.write(1, "while True:\n    pass")
        lab.click(1, "Run")
        page.locator("[data-run-state=running]").wait_for(state="attached")
        lab.button("Stop").click()
        lab.wait(1)
        assert lab.run(1, "kept").text.strip() == "1"


def test_edits_stay_until_reset_and_a_changed_book_is_noticed(
    page: Page, address: str, site: Path
) -> None:
    lab = LabPage(page, address)
    lab.open_editors()
    lab.write(1, "6 * 70")
    page.wait_for_timeout(500)  # an edit is kept a moment after the last key
    page.reload()
    lab.open_editors()
    assert lab.editor(1).inner_text().strip() == "6 * 70"
    assert "your edit" in lab.note(1)

    page.route(
        "**/lab.html",
        lambda route: route.fulfill(
            body=(site / "sub" / "lab.html").read_text("utf-8").replace("6 * 7", "6 * 7.0"),
            content_type="text/html",
        ),
    )
    page.reload()
    lab.open_editors()
    assert "has changed this cell" in lab.note(1)
    lab.click(1, "Reset")
    assert lab.editor(1).inner_text().strip() == "6 * 7.0"
    assert lab.output(1).inner_text().strip() == "42"
    assert page.evaluate("localStorage.getItem('labs.edits')") == "{}"


def test_the_keyboard_runs_a_cell_indents_and_leaves_the_editor(started: LabPage) -> None:
    page, editor = started.page, started.editor(1)
    started.write(1, "5 + 5")
    editor.press("Shift+Enter")
    assert started.wait(1).text.strip() == "10"
    assert editor.inner_text().strip() == "5 + 5"

    editor.press("Home")
    editor.press("Tab")
    assert editor.inner_text().startswith("    5")
    assert editor.get_attribute("aria-label") == "Code of cell 2"
    editor.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Run"


def test_progress_goes_to_the_browser_and_solved_stays_solved(page: Page, address: str) -> None:
    solved: dict[str, Any] = {
        "version": 1,
        "done": {"a.b": {"state": "solved", "at": "2026-01-01T00:00:00Z"}},
    }
    page.add_init_script(
        f"if (!localStorage.getItem('labs.progress'))"
        f" localStorage.setItem('labs.progress', {json.dumps(json.dumps(solved))})"
    )
    lab = LabPage(page, address)
    lab.run_here()
    known = computed(
        lab,
        "import json\nfrom labs.teaching import progress\nbefore = progress.load()\n"
        "progress.record('a.b', 'tried')\nprogress.record('c.d', 'tried')\n"
        "progress.record('c.d', 'solved')\nprint(json.dumps(before))",
    )
    assert known == solved["done"]
    stored = json.loads(page.evaluate("localStorage.getItem('labs.progress')"))
    assert stored["version"] == 1
    assert {name: entry["state"] for name, entry in stored["done"].items()} == {
        "a.b": "solved",
        "c.d": "solved",
    }
    assert stored["done"]["a.b"] == solved["done"]["a.b"]


def test_a_slider_of_a_fresh_output_is_drawn_by_python(started: LabPage) -> None:
    ran = started.run(
        1,
        "import pathlib, sys\n"
        "pathlib.Path('drawings.py').write_text('''\n"
        "from labs.teaching import Picture\n"
        "def bars(count):\n"
        "    return Picture(f\"<svg viewBox='0 0 9 9'></svg>\", f\"{count} bars\")\n''')\n"
        "sys.path.insert(0, '')\nimport drawings\nfrom labs.teaching import explore\n"
        "explore(drawings.bars, count=range(1, 6))",
    )
    assert ran.state == "done", ran.text
    slider = started.output(1).get_by_role("slider", name="count")
    expect(started.output(1).get_by_role("img", name="3 bars")).to_be_visible()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    expect(started.output(1).get_by_role("img", name="5 bars")).to_be_attached()
    assert slider.get_attribute("aria-valuetext") == "5"


def test_numpy_is_asked_for_only_after_the_reader_agrees(
    page: Page, site: Path, tmp_path: Path
) -> None:
    folder, wheel = with_numpy(site, tmp_path)
    with BookServer(folder, port=0) as server:
        lab = LabPage(page, f"{server.address}sub/lab.html", lambda route: route.fulfill(**wheel))
        allow_host(page)
        lab.run_here()
        ran = lab.run(3)
        assert ran.note == "needs-consent"
        assert ran.text.strip() == "as recorded with NumPy"
        host = re.search(r"from (\S+) \(about (\d+) MB", lab.note(3))
        assert host
        assert int(host[2]) >= 3
        assert lab.foreign == []

        lab.button("Download numpy and run").click()
        assert lab.wait(3).text.strip() == "42"
        assert [address.split("/")[2] for address in lab.foreign] == [host[1]]
        lab.button("Restart").click()
        assert lab.run(3).text.strip() == "42"  # agreed once for this visit


def test_a_file_that_is_not_the_pinned_one_is_refused(
    page: Page, site: Path, tmp_path: Path
) -> None:
    folder, wheel = with_numpy(site, tmp_path)
    with BookServer(folder, port=0) as server:

        def other(route: Route) -> None:
            route.fulfill(**{**wheel, "body": wheel["body"] + b"\0"})

        lab = LabPage(page, f"{server.address}sub/lab.html", other)
        allow_host(page)
        lab.run_here()
        lab.run(3)
        lab.button("Download numpy and run").click()
        expect(lab.cells.nth(3).locator(".labs-run-note")).to_contain_text("could not be loaded")
        assert lab.result(3).text.strip() == "as recorded with NumPy"


def with_numpy(site: Path, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A copy of the site that pins a stand-in for NumPy, and the answer that carries it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("numpy/__init__.py", "answer = 42\n")
        archive.writestr("numpy-2.4.6.dist-info/METADATA", "Name: numpy\nVersion: 2.4.6\n")
        archive.writestr("numpy-2.4.6.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    folder = tmp_path / "site"
    shutil.copytree(site, folder)
    for file in (folder / "sub" / "_run").glob("*/pyodide-lock.json"):
        lock = json.loads(file.read_text("utf-8"))
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        lock["packages"]["numpy"]["sha256"] = digest
        file.write_text(json.dumps(lock), "utf-8")
        file.with_name("pyodide-lock.json.gz").unlink()
    headers = {"Access-Control-Allow-Origin": "*"}
    return folder, {"body": packed.getvalue(), "headers": headers, "status": 200}


def allow_host(page: Page) -> None:
    """Serve the page and the worker with a policy that lets readers fetch after they agree."""

    def answer(route: Route) -> None:
        if not route.request.url.startswith("http://localhost"):
            route.fallback()
            return
        response = route.fetch()
        headers = response.headers
        policy = headers["content-security-policy"]
        headers["content-security-policy"] = policy.replace(
            "connect-src 'self'", "connect-src 'self' https:"
        )
        route.fulfill(response=response, headers=headers)

    page.context.route(re.compile(r"(lab\.html|worker\.js)$"), answer)
    page.reload()


def test_from_a_file_the_page_says_that_a_server_is_needed(page: Page, site: Path) -> None:
    page.goto((site / "sub" / "lab.html").as_uri())
    page.get_by_role("button", name="Run here", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("from a server")


def test_axe_finds_nothing_in_any_state(browser: Browser, address: str, axe: str) -> None:
    context = browser.new_context(bypass_csp=True)
    lab = LabPage(context.new_page(), address)

    def faults() -> list[str]:
        found = []
        for scheme in ("light", "dark"):
            lab.page.emulate_media(color_scheme=scheme)
            lab.page.evaluate(axe)
            result = lab.page.evaluate("axe.run({ resultTypes: ['violations'] })")
            found += [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in result["violations"]]
        return found

    assert faults() == []
    lab.run_here()
    lab.run(1, "for n in range(60):\n    print(n)")
    lab.run(2)
    lab.run(3)
    assert faults() == []
    lab.run(1, "1 / 0")
    lab.write(0, "while True: pass")
    lab.click(0, "Run")
    expect(lab.button("Stop")).to_be_visible()
    assert faults() == []
    context.close()
