"""What is displayed: the same facts for a screen and a terminal, and nothing that can hurt."""

import asyncio
import re
from html import unescape

import html5lib
import pytest

from labs.teaching import (
    Option,
    Quiz,
    Slider,
    Table,
    axes,
    explore,
    frame,
    picture,
    progress,
    show_source,
)

ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&"


def parse(shown):
    return html5lib.parse(shown.html(), namespaceHTMLElements=False)


def squares(top=3, color=0):
    figure, one = axes()
    one.plot(range(top), [n * n for n in range(top)], label="squares")
    one.legend()
    return picture(figure, alt=f"Squares up to {(top - 1) ** 2}, color {color}.")


def test_a_picture_has_its_numbers_as_text_and_no_color_of_its_own():
    drawn = squares()
    assert (
        parse(drawn).find(".//{http://www.w3.org/2000/svg}svg").get("aria-label")
        == "Squares up to 4, color 0."
    )
    assert "#0102" not in drawn.svg
    assert "#0103" not in drawn.svg
    assert "<style" not in drawn.svg


def test_a_picture_is_the_same_bytes_every_time():
    assert squares().svg == squares().svg


def test_a_picture_without_numbers_in_its_text_is_refused():
    figure, _ = axes()
    with pytest.raises(ValueError, match="must give its numbers"):
        picture(figure, alt="A curve that goes up.")


def test_sliders_describe_every_frame_and_start_where_they_say():
    shown = explore(squares, top=Slider([2, 3, 4], label="Top", start=4), color=[0, 1])
    assert shown.spec()["sliders"][0] == {
        "name": "top", "label": "Top", "values": [2, 3, 4], "shown": ["2", "3", "4"], "start": 2,
    }  # fmt: skip
    assert len(shown.frames()) == 6
    assert "Squares up to 9" in shown.text()
    assert shown.picture(top=2).alt.startswith("Squares up to 1")


def test_sliders_refuse_what_they_cannot_draw_again():
    with pytest.raises(ValueError, match="positions; at most"):
        explore(squares, top=range(2, 100), color=range(9))
    with pytest.raises(ValueError, match="do not fit"):
        explore(squares, size=[1, 2])
    with pytest.raises(ValueError, match="function of a module"):
        explore(lambda top: squares(top), top=[2, 3])
    with pytest.raises(ValueError, match="starts at one of its values"):
        Slider([1, 2], start=3)


def test_live_sliders_redraw_and_can_be_left_out_of_stored_outputs(monkeypatch):
    shown = explore(squares, top=Slider([2, 3, 4], start=2))
    box = shown._widget()
    slider, canvas = box.children
    slider.value = 4
    assert "Squares up to 9" in canvas.value
    monkeypatch.setenv("LABS_RECORD", "1")
    assert "application/vnd.jupyter.widget-view+json" not in shown._repr_mimebundle_()


def test_a_step_is_drawn_before_it_is_taken(monkeypatch):
    drawn = []
    shown = explore(squares, top=Slider([2, 3, 4, 5], start=3), color=Slider([1, 2]))
    monkeypatch.setattr(type(shown), "picture", lambda _self, **values: drawn.append(values))
    asyncio.run(shown._draw_ahead({"top": 3, "color": 1}))
    assert drawn == [{"top": 4, "color": 1}, {"top": 2, "color": 1}, {"top": 3, "color": 2}]


def test_a_step_ends_the_drawing_ahead_of_the_one_before(monkeypatch):
    shown = explore(squares, top=Slider([2, 3, 4, 5], start=3))
    drawn = []
    own = shown.picture
    monkeypatch.setattr(
        type(shown), "picture", lambda _self, **values: drawn.append(values["top"]) or own(**values)
    )

    async def steps():
        slider = shown._widget().children[0]
        slider.value = 5
        await asyncio.sleep(0.3)

    asyncio.run(steps())
    assert drawn == [3, 5, 4]


def test_framed_html_cannot_reach_the_page_or_the_network():
    element = parse(frame(ATTACK, title="An attack")).find(".//iframe")
    assert element.get("sandbox") == "allow-scripts"
    assert "default-src 'none'" in unescape(element.get("srcdoc").split(">")[2])
    assert element.get("srcdoc").endswith(ATTACK)
    with pytest.raises(ValueError, match="at most"):
        frame("x" * 200_000, title="Too long")


@pytest.mark.parametrize(
    "shown",
    [
        Table(ATTACK, [ATTACK], [[ATTACK]]),
        Quiz("a.b.c", ATTACK, [Option(ATTACK, ATTACK, True), Option("b", ATTACK)]),
        frame(ATTACK, title=ATTACK),
    ],
    ids=["table", "quiz", "frame"],
)
def test_text_never_becomes_markup(shown):
    tree = parse(shown)
    assert tree.find(".//img") is None
    assert tree.find(".//script") is None


def test_a_table_lines_up_wide_letters_and_separates_thousands():
    table = Table("Guesses.", ["who", "n"], [["ليلى", 1234567], ["中", 2]])
    assert table.text().splitlines()[-2:] == ["  ليلى  1,234,567", "  中            2"]
    with pytest.raises(ValueError, match="has 1 values, not 2"):
        Table("x", ["a", "b"], [[1]])


def test_a_quiz_is_real_radio_buttons_with_feedback_for_each(tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    quiz = Quiz(
        "a.b.guess", "How many?",
        [Option("One", "Too few."), Option("Two", "Yes: `1 + 1`.", correct=True)],
    )  # fmt: skip
    tree = parse(quiz)
    assert tree.find(".//fieldset/legend") is not None
    buttons = tree.findall(".//input[@type='radio']")
    assert len({button.get("name") for button in buttons}) == 1
    labels = {label.get("for") for label in tree.findall(".//label")}
    assert labels == {button.get("id") for button in buttons}
    assert "Yes: `1 + 1`." in quiz.answer("B").text()
    assert progress.load()["a.b.guess"]["state"] == "solved"
    with pytest.raises(ValueError, match="one of a, b, not 'c'"):
        quiz.answer("c")


def test_a_quiz_needs_exactly_one_right_option():
    with pytest.raises(ValueError, match="exactly one"):
        Quiz("a.b.c", "?", [Option("a", "x"), Option("b", "y")])
    with pytest.raises(ValueError, match="2 to 6"):
        Quiz("a.b.c", "?", [Option("a", "x", True)])


def weak(a, b):
    """Whether they are equal."""

    return a == b


def only_words():
    """Nothing but this."""


def repaired(a, b):
    same = len(a) == len(b)
    return same and all(x == y for x, y in zip(a, b, strict=True))


def test_a_pair_of_sources_stands_side_by_side_with_marked_changes():
    shown = show_source(weak, repaired)
    assert len(parse(shown).findall(".//th")) == 2
    assert "labs-gone" in shown.html()
    assert "labs-came" in shown.html()
    assert "-    return a == b" in shown.text()
    assert "+    same = len(a) == len(b)" in shown.text()
    assert show_source(weak).text() == "def weak(a, b):\n    return a == b"
    assert '"""Nothing but this."""' in show_source(only_words).text()
    with pytest.raises(ValueError, match="no source to show for len"):
        show_source(len)


def test_powers_on_a_logarithmic_axis_are_letters() -> None:
    figure, ax = axes()
    ax.loglog([0.001, 1_000], [0.1, 10])
    svg = picture(figure, alt="From 0.001 to 1,000.").svg
    shown = re.findall(r">([^<>]+)</text>", svg)
    assert {"10⁻³", "10³"} <= set(shown)
    assert "mathdefault" not in svg
    assert "<tspan" not in svg
