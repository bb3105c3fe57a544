"""Sliders of the static book: frames drawn when it is built, and what moves them in the page."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labs.site import drawing, frames
from labs.site.server import BookServer
from labs.teaching import Slider, explore
from labs.teaching.sliders import MIME, Explore
from tests.site import forked, slider_figures

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "src" / "labs" / "site" / "theme" / "static" / "sliders.js"
OUTPUTS = REPOSITORY / "src" / "labs" / "teaching" / "outputs.css"
STEP_MS = 16

CIRCLES = explore(slider_figures.circle, radius=[1, 2, 3], word=["round", "open"]).spec()
DECAY = explore(
    slider_figures.decay,
    years=Slider(range(1, 16), label="Years", start=10),
    rate=Slider([0.02, 0.05], label="Yearly loss", start=0.02),
)


def decoded(content: dict[str, Any], frame: int) -> str:
    runs = iter(content["frames"][frame])
    pieces = (content["table"][at : at + count] for at, count in zip(runs, runs, strict=True))
    return "".join(piece for run in pieces for piece in run)


# What a frame's file depends on


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in the place of ``labs``."""
    root = tmp_path / "labs"
    lesson, teaching = root / "uptime" / "backups", root / "teaching"
    lesson.mkdir(parents=True)
    teaching.mkdir()
    for file, text in {
        root / "__init__.py": "",
        root / "arguments.py": "",
        root / "uptime" / "__init__.py": "",
        lesson / "__init__.py": "import lazy_loader\n"
        "__getattr__, *_ = lazy_loader.attach(__name__, submod_attrs={'simulation': ['run']})",
        lesson / "figures.py": "import json\nfrom labs.teaching import picture as draw\n"
        "def loss(copies):\n    from labs.uptime.backups import run\n    from . import model\n",
        lesson / "model.py": "from ...arguments import whole",
        lesson / "simulation.py": "",
        lesson / "exercises.py": "",
        lesson / "sites.csv": "Malmö,1",
        teaching / "__init__.py": "import lazy_loader\nlazy_loader.attach_stub(1, 2)",
        teaching / "__init__.pyi": "from .pictures import picture\nfrom .quiz import Quiz",
        teaching / "pictures.py": "",
        teaching / "quiz.py": "",
    }.items():
        file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(frames, "_LABS", root)
    return root


SPEC: dict[str, Any] = {
    "figure": "labs.uptime.backups.figures:loss",
    "sliders": [{"name": "copies", "label": "Copies", "values": [1, 2], "start": 0}],
}


@pytest.mark.parametrize(
    "file",
    [
        "uptime/backups/figures.py",
        "uptime/backups/model.py",
        "uptime/backups/__init__.py",
        "uptime/backups/simulation.py",
        "uptime/backups/sites.csv",
        "arguments.py",
        "teaching/pictures.py",
        "uptime/__init__.py",
    ],
)
def test_frames_are_drawn_again_when_a_source_that_they_use_changes(house: Path, file: str) -> None:
    before = frames.fingerprint(SPEC)
    with (house / file).open("a", encoding="utf-8") as source:
        source.write("\n\n")
    assert frames.fingerprint(SPEC) != before


@pytest.mark.parametrize("file", ["uptime/backups/exercises.py", "teaching/quiz.py"])
def test_frames_are_kept_when_a_source_that_they_do_not_use_changes(house: Path, file: str) -> None:
    before = frames.fingerprint(SPEC)
    (house / file).write_text("x = 1", encoding="utf-8")
    assert frames.fingerprint(SPEC) == before


def test_frames_are_drawn_again_with_another_matplotlib_or_other_sliders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = frames.fingerprint(CIRCLES)
    other = explore(slider_figures.circle, radius=[1, 2, 4], word=["round", "open"]).spec()
    assert frames.fingerprint(other) != before
    monkeypatch.setattr(frames, "version", lambda _: "0.0")
    assert frames.fingerprint(CIRCLES) != before


def test_a_real_figure_depends_on_the_pictures_module_and_not_on_the_quizzes() -> None:
    found = frames.sources("labs.teaching.pictures")
    assert "labs.teaching.rendering" in found
    assert "labs.teaching.quiz" not in found


# Drawing


def test_frames_come_in_the_order_of_the_sliders_with_the_last_one_fastest(tmp_path: Path) -> None:
    (file,) = frames.draw_all([("lab.ipynb", CIRCLES)], tmp_path)
    content = json.loads(file.read_bytes())
    explored = explore(slider_figures.circle, radius=[1, 2, 3], word=["round", "open"])
    pictures = [slider_figures.circle(**values) for values in explored.frames()]  # type: ignore[arg-type]
    assert content["alts"] == [one.alt for one in pictures]
    assert "captions" not in content
    for number, one in enumerate(pictures):
        svg = decoded(content, number)
        (name,) = set(re.findall(r'(?: id="|href="#)([^"]+)', svg))
        assert name == f"f{file.stem[:8]}-0"
        assert svg.replace(name, f"c{number // 2 + 1}") == one.svg


def test_what_the_cache_holds_is_not_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = frames.draw_all([("a.ipynb", CIRCLES), ("b.ipynb", CIRCLES)], tmp_path)
    drawn: list[int] = []
    monkeypatch.setattr(drawing, "pictures", lambda tasks, _: drawn.append(len(tasks)))
    assert frames.draw_all([("a.ipynb", CIRCLES), ("b.ipynb", CIRCLES)], tmp_path) == first
    assert first[0] == first[1]
    assert drawn == []


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        ("breaks", "ValueError: radius must be at most 2, not 3"),
        ("hangs", "TimeoutError: it takes more than 0.2 s"),
        ("ends_its_process", "its process ended without a word"),
        (
            "missing",
            f"AttributeError: module '{slider_figures.__name__}' has no attribute 'missing'",
        ),
    ],
)
def test_a_figure_that_fails_ends_the_build_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: str, reason: str
) -> None:
    monkeypatch.setattr(frames, "FRAME_TIMEOUT_S", 0.2)
    name = f"{slider_figures.__name__}:{figure}"
    spec = {"figure": name, "sliders": [{"name": "radius", "values": [3, 4]}]}
    with pytest.raises(frames.FrameError) as told:
        frames.draw_all([("notebooks/lab.ipynb", spec)], tmp_path)
    assert str(told.value) == f"notebooks/lab.ipynb: {name}(radius=3) cannot be drawn: {reason}"
    assert list(tmp_path.glob("*.json")) == []


def test_frames_that_are_too_many_or_too_large_end_the_build(tmp_path: Path) -> None:
    name = f"{slider_figures.__name__}:noise"
    many = {"figure": name, "sliders": [{"name": "seed", "values": list(range(121))}]}
    with pytest.raises(frames.FrameError, match=r"lab: .*noise .* 121 positions; at most 120"):
        frames.draw_all([("lab", many)], tmp_path)
    heavy = explore(slider_figures.noise, seed=range(12), size=[20_000, 24_000]).spec()
    with pytest.raises(frames.FrameError, match=r"lab: the 24 frames of .* at most 250,000"):
        frames.draw_all([("lab", heavy)], tmp_path)
    large = explore(slider_figures.noise, seed=[1, 2], size=[26_000, 10]).spec()
    with pytest.raises(frames.FrameError, match=r"lab: the 4 frames of .* more than 50,000"):
        frames.draw_all([("lab", large)], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_sliders_of_cells_that_the_page_does_not_show_are_not_drawn() -> None:
    def cell(*tags: str, spec: dict[str, Any] = CIRCLES) -> dict[str, Any]:
        outputs = [{"output_type": "display_data", "data": {MIME: spec}}, {"text": "one line"}]
        return {"cell_type": "code", "metadata": {"tags": list(tags)}, "outputs": outputs}

    shown = frames.described({"cells": [cell("exercise"), {"cell_type": "markdown"}]})
    assert shown == [CIRCLES]
    for hidden in (cell("instructor"), cell("remove-output"), cell(spec={"sliders": []})):
        assert frames.described({"cells": [hidden]}) == []


# In a book


def write_book(folder: Path, explored: Explore) -> None:
    """A book with one lab, whose figures stand beside it in ``drawn.py``."""
    (folder / "labs").mkdir(parents=True, exist_ok=True)
    shutil.copy(slider_figures.__file__, folder / "drawn.py")
    (folder / "conf.py").write_text(
        'extensions = ["myst_nb", "labs.site.cells", "labs.site.frames"]\n'
        'nb_execution_mode = "off"\nhtml_theme = "basic"\nexclude_patterns = ["build"]\n',
        encoding="utf-8",
    )
    (folder / "index.rst").write_text(
        "A book\n======\n\n.. toctree::\n\n   labs/lab\n", encoding="utf-8"
    )
    page = explored.html().replace(slider_figures.__name__, "drawn")
    spec = json.loads(json.dumps(explored.spec()).replace(slider_figures.__name__, "drawn"))
    output = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": page, MIME: spec, "text/plain": "x"},
    }
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "metadata": {}, "source": "# A lab"},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "source": "explore()",
            "outputs": [output],
        },
    ]
    metadata = {"language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}
    (folder / "labs" / "lab.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def build_book(folder: Path) -> subprocess.CompletedProcess[str]:
    options = ("-q", "-W", "-j", "2")
    return forked.run("sphinx", *options, folder, folder / "build" / "html", cwd=folder)


def test_a_book_points_each_slider_to_its_frames_and_follows_their_source(tmp_path: Path) -> None:
    write_book(tmp_path, explore(slider_figures.circle, radius=[1, 2, 3]))
    source = tmp_path / "drawn.py"
    for word in ("circle", "ring"):
        source.write_text(source.read_text("utf-8").replace("circle of", f"{word} of"), "utf-8")
        result = build_book(tmp_path)
        assert result.returncode == 0, result.stderr
        page = (tmp_path / "build" / "html" / "labs" / "lab.html").read_text(encoding="utf-8")
        (address,) = re.findall(r'<div class="labs-explore" data-frames="([^"]+)"', page)
        file = (tmp_path / "build" / "html" / "labs" / address).resolve()
        assert [*file.parent.iterdir()] == [file]
        assert file.parent == tmp_path / "build" / "html" / frames.FOLDER
        assert json.loads(file.read_bytes())["alts"][2] == f'A "round" {word} of radius 3.'
        assert (tmp_path / "build" / "frames" / file.name).read_bytes() == file.read_bytes()
    assert len([*(tmp_path / "build" / "frames").iterdir()]) == 2


def test_a_book_whose_figure_fails_is_not_built_and_says_why(tmp_path: Path) -> None:
    explored = explore(slider_figures.breaks, radius=Slider([1, 2, 3], start=1))
    write_book(tmp_path, explored)
    result = build_book(tmp_path)
    assert result.returncode == 2
    sentence = "labs/lab.ipynb: drawn:breaks(radius=3) cannot be drawn: "
    assert f"{sentence}ValueError: radius must be at most 2, not 3" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "build" / "html" / "labs").exists()


# In the page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a slider below much text, under a sub-path, with frames as a lab has them."""
    folder = tmp_path_factory.mktemp("site")
    place = folder / "a" / "book"
    place.mkdir(parents=True)
    (file,) = frames.draw_all([("lab", DECAY.spec())], folder)
    shutil.copy(file, place / "frames.json")
    shutil.copy(SCRIPT, place)
    shutil.copy(OUTPUTS, place)
    element = DECAY.html().replace("<div ", '<div data-frames="frames.json" ', 1)
    for name, before in {"lab": "", "below": '<div class="gap"></div>'}.items():
        (place / f"{name}.html").write_text(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A lab</title>'
            '<meta name="viewport" content="width=device-width">'
            '<link rel="stylesheet" href="outputs.css"><style>.gap { height: 4000px }</style>'
            '<link rel="icon" href="data:,"><script type="module" src="start.js"></script></head>'
            f"<body><main><h1>A lab</h1>{before}{element}</main></body></html>",
            encoding="utf-8",
        )
    (place / "start.js").write_text(
        'import { start } from "./sliders.js";\nwindow.startSliders = start;\nstart(document);\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def content(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site / "a" / "book" / "frames.json").read_bytes())
    return found


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with BookServer(site, port=0) as server:
        yield f"{server.address}a/book/lab.html"


@pytest.fixture
def lab(page: Page, address: str) -> Iterator[Page]:
    """The page with its frames loaded; no request leaves the host and no policy is violated."""
    with watched(page, address):
        with page.expect_response("**/frames.json"):
            page.goto(address)
        yield page


class watched:  # noqa: N801 - reads as what it does
    def __init__(self, page: Page, address: str) -> None:
        self.page, self.host = page, address.partition("/a/")[0]
        self.foreign: list[str] = []
        self.faults: list[str] = []

    def __enter__(self) -> watched:
        self.page.on("request", lambda request: self._request(request.url))
        self.page.on("console", lambda line: line.type == "error" and self.faults.append(line.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        return self

    def _request(self, url: str) -> None:
        if not url.startswith((self.host, "data:")):
            self.foreign.append(url)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            assert self.foreign == []
            assert self.faults == []


def slider(page: Page, label: str = "Years") -> Locator:
    return page.get_by_role("slider", name=label)


def alt(page: Page) -> str | None:
    return page.locator(".labs-picture svg").get_attribute("aria-label")


def until(page: Page, claim: str, argument: object = None) -> None:
    page.wait_for_function(claim, arg=argument, timeout=5_000)


IS_SHOWN = "(alt) => document.querySelector('.labs-picture svg').getAttribute('aria-label') === alt"
IS_SAID = "(alt) => document.querySelector('[role=status]').textContent === alt"


def test_a_realistic_slider_is_well_within_its_size(site: Path) -> None:
    file = (site / "a" / "book" / "frames.json").read_bytes()
    drawings = sum(len(decoded(json.loads(file), frame)) for frame in range(30))
    assert len(gzip.compress(file, 6)) < frames.MAX_BYTES / 2
    assert len(file) < drawings / 2


def test_frames_are_the_same_bytes_every_time(content: dict[str, Any]) -> None:
    explored = explore(slider_figures.decay, years=[1, 2], rate=[0.02, 0.05])
    again = [slider_figures.decay(**values) for values in explored.frames()]  # type: ignore[arg-type]
    for number, one in enumerate(again):
        found = json.loads(frames.encoded([one], prefix="x"))
        same = re.sub(r"f[0-9a-f]{8}-", "x", decoded(content, number))
        assert decoded(found, 0) == same
        assert one.alt == content["alts"][number]
    assert content["captions"][1] == "Decay at <em>5%</em> a year"


@pytest.mark.browser
def test_keys_move_the_picture_and_its_text(lab: Page, content: dict[str, Any]) -> None:
    lab.emulate_media(reduced_motion="reduce")
    lab.keyboard.press("Tab")
    assert slider(lab).evaluate("(input) => input === document.activeElement")
    for key, years in {"ArrowRight": 11, "Home": 1, "ArrowLeft": 1, "End": 15}.items():
        lab.keyboard.press(key)
        until(lab, IS_SHOWN, content["alts"][2 * (years - 1)])
        assert slider(lab).get_attribute("aria-valuetext") == str(years)
        assert lab.locator(".labs-slider output").first.text_content() == str(years)
        assert lab.locator(".labs-picture svg").text_content(timeout=1_000) is not None
        assert f"After {years} years" in (lab.locator(".labs-picture svg").text_content() or "")
    lab.keyboard.press("Tab")
    lab.keyboard.press("ArrowRight")
    until(lab, IS_SHOWN, content["alts"][29])
    assert lab.locator("figcaption").inner_html() == content["captions"][29]
    assert lab.locator(".labs-positions").text_content() == "Years: 15, Yearly loss: 0.05"
    assert lab.evaluate("document.getAnimations().length") == 0


# From the input's event to the end of the frame in which the new picture is painted, without the
# wait for the screen's next frame; every picture is shown for the first time.
STEPS = """async () => {
  const [years, rate] = document.querySelectorAll("input[type=range]");
  const times = [];
  const channel = new MessageChannel();
  for (let step = 0; step < 30; step++) {
    await new Promise((resolve) => requestAnimationFrame(() => {
      const began = performance.now();
      channel.port1.onmessage = () => {
        times.push(performance.now() - began);
        resolve();
      };
      years.value = step >> 1; // there and back with the other slider: one moves at a time
      rate.value = ((step + 1) >> 1) & 1;
      (step & 1 ? rate : years).dispatchEvent(new Event("input", { bubbles: true }));
      channel.port2.postMessage(0);
    }));
  }
  return times;
}"""


@pytest.mark.browser
def test_a_step_takes_at_most_16_ms(lab: Page, content: dict[str, Any]) -> None:
    # The shortest of some rounds: what else runs on this machine is not the slider's doing.
    rounds = []
    for _ in range(4):
        rounds.append(lab.evaluate(STEPS))
        assert alt(lab) == content["alts"][29]
        times = sorted(map(min, zip(*rounds, strict=True)))
        assert len(times) == 30
        if times[28] <= STEP_MS:
            return
        with lab.expect_response("**/frames.json"):
            lab.reload()
    pytest.fail(f"a step takes longer: {times}")


@pytest.mark.browser
def test_the_text_is_announced_once_the_slider_rests_and_not_before(
    lab: Page, content: dict[str, Any]
) -> None:
    lab.evaluate(
        """() => {
          window.said = [];
          const status = document.querySelector("[role=status]");
          new MutationObserver(() => window.said.push(status.textContent))
            .observe(status, { childList: true, characterData: true, subtree: true });
        }"""
    )
    slider(lab).focus()
    for _ in range(4):
        lab.keyboard.press("ArrowRight")
    until(lab, IS_SAID, content["alts"][26])
    assert lab.evaluate("window.said") == [content["alts"][26]]
    assert lab.locator(".labs-slider output").first.get_attribute("aria-live") == "off"


@pytest.mark.browser
def test_a_mouse_drags_the_slider(lab: Page, content: dict[str, Any]) -> None:
    box = slider(lab).bounding_box()
    assert box is not None
    lab.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    lab.mouse.down()
    lab.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=5)
    lab.mouse.up()
    until(lab, IS_SHOWN, content["alts"][28])


@pytest.mark.browser
def test_a_finger_moves_the_slider(browser: Browser, address: str, content: dict[str, Any]) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 640})
    page = context.new_page()
    with watched(page, address), page.expect_response("**/frames.json"):
        page.goto(address)
    box = slider(page).bounding_box()
    assert box is not None
    assert box["height"] >= 24
    page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    until(page, IS_SHOWN, content["alts"][28])
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


@pytest.mark.browser
def test_frames_are_loaded_when_the_reader_comes_near(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address.replace("lab.html", "below.html"))
    slider(page).wait_for()
    page.wait_for_timeout(300)
    assert [url for url in asked if "frames" in url] == []
    with page.expect_response("**/frames.json"):
        page.mouse.wheel(0, 3_200)


@pytest.mark.browser
def test_a_slider_that_is_used_before_it_is_near_loads_its_frames(
    page: Page, address: str, content: dict[str, Any]
) -> None:
    page.goto(address.replace("lab.html", "below.html"))
    slider(page).evaluate(
        "(input) => { input.value = 0; input.dispatchEvent(new Event('input')); }"
    )
    until(page, IS_SHOWN, content["alts"][0])


@pytest.mark.browser
def test_without_scripts_the_first_picture_and_its_positions_stay(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".labs-positions").inner_text() == "Years: 10, Yearly loss: 0.02"
    assert alt(page) == DECAY.picture().alt
    assert page.locator("input").count() == 0
    context.close()


@pytest.mark.browser
def test_on_paper_the_positions_stand_in_the_place_of_the_sliders(lab: Page) -> None:
    assert not lab.locator(".labs-positions").is_visible()
    lab.emulate_media(media="print")
    assert lab.locator(".labs-positions").is_visible()
    assert not slider(lab).is_visible()


@pytest.mark.browser
def test_frames_that_do_not_load_are_said_to_be_missing_and_asked_for_again(
    page: Page, address: str, content: dict[str, Any]
) -> None:
    page.route("**/frames.json", lambda route: route.abort())
    page.goto(address)
    slider(page).press("Home")
    trouble = page.locator(".labs-trouble")
    trouble.wait_for()
    assert "could not be shown" in trouble.inner_text()
    assert alt(page) == DECAY.picture().alt
    page.unroute("**/frames.json")
    slider(page).press("ArrowRight")
    until(page, IS_SHOWN, content["alts"][2])
    assert trouble.count() == 0


LATER = """([html, works]) => {
  window.asked = [];
  const output = document.createElement("div");
  output.id = "output";
  output.innerHTML = html;
  document.querySelector("main").append(output);
  window.startSliders(output, async (figure, values) => {
    window.asked.push([figure, values]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (!works) throw new Error("NumPy is missing");
    return { svg: "<svg><text>live</text></svg>", alt: `Live at ${values.years}` };
  });
}"""
FIGURE = "tests.site.slider_figures:decay"
LATER_IS_SHOWN = """(alt) =>
  document.querySelector("#output svg").getAttribute("aria-label") === alt"""


@pytest.mark.browser
def test_an_output_that_python_shows_later_is_drawn_by_python(lab: Page) -> None:
    lab.evaluate(LATER, [DECAY.html(), True])
    later = lab.locator("#output").get_by_role("slider", name="Years")
    later.focus()
    for _ in range(3):
        lab.keyboard.press("ArrowRight")
    until(lab, LATER_IS_SHOWN, "Live at 13")
    asked = lab.evaluate("window.asked")
    assert asked[0] == [FIGURE, {"years": 11, "rate": 0.02}]
    assert asked[-1] == [FIGURE, {"years": 13, "rate": 0.02}]
    until(lab, "() => document.querySelector('#output .labs-said').textContent === 'Live at 13'")
    names: Callable[[str], int] = partial(_count, lab)
    assert names("input[type=range]") == names("label") == 4
    lab.evaluate("window.startSliders(document)")
    assert names("input[type=range]") == 4


@pytest.mark.browser
def test_where_python_fails_the_last_picture_stays_and_it_is_said(lab: Page) -> None:
    lab.evaluate(LATER, [DECAY.html(), False])
    lab.locator("#output").get_by_role("slider", name="Years").press("Home")
    lab.locator("#output .labs-trouble").wait_for()
    assert lab.evaluate(LATER_IS_SHOWN, DECAY.picture().alt)


def _count(page: Page, selector: str) -> int:
    identifiers = page.locator(selector).evaluate_all("(all) => all.map((e) => e.id || e.htmlFor)")
    assert len(set(identifiers)) == len(identifiers)
    return len(identifiers)
