"""The little JavaScript that the model follows."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.browser.javascript import (
    Interpreter,
    Native,
    NotModelled,
    SyntaxFault,
    Thing,
    Thrown,
    to_text,
)


class Window(Thing):
    def __init__(self) -> None:
        self.said: list[str] = []
        self.names: dict[str, object] = {"say": Native("say", self._say)}

    def _say(self, what: object = "") -> object:
        self.said.append(to_text(what))
        return what

    def get(self, name: str) -> object:
        return self.names[name]

    def put(self, name: str, value: object) -> None:
        self.names[name] = value


def said(source: str, *, handler: bool = False) -> list[str]:
    window = Window()
    Interpreter(window).run(source, as_handler=handler)
    return window.said


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("say('a'); say(\"b\"); say(`c`)", ["a", "b", "c"]),
        ("say('a' + 1 + true + null + undefined)", ["a1truenullundefined"]),
        ("say(1 + 2 * 3 - -4)", ["11"]),
        ("say(`1${1 + 1}${`3`}`)", ["123"]),
        ("say`x`", ["x"]),
        ("x = 1\nsay(x)", ["1"]),
        ("say('a')//x", ["a"]),
        ("say('a')<!-- x", ["a"]),
        ("\n--> x\nsay('a')", ["a"]),
        ("say(/* 'x' */'a')", ["a"]),
        ("var a = {b: ['c', {d: 'e'}]}; say(a.b[1].d)", ["e"]),
        ("(function(x){ say(x) })('a')", ["a"]),
        ("(x => say(x))('a')", ["a"]),
        ("((x, y) => { say(x + y) })('a', 'b')", ["ab"]),
        ("f(); function f() { say('a') }", ["a"]),
        ("if (0) say('a'); else say('b')", ["b"]),
        ("try { nothing() } catch (e) { say('a') } finally { say('b') }", ["a", "b"]),
        ("say(typeof nothing)", ["undefined"]),
        ("0 || say('a'); 1 && say('b'); null ?? say('c')", ["a", "b", "c"]),
        ("javascript:say('a')", ["a"]),
        ("['a', 'b'].map(say)", ["a", "b"]),
        ("say.call(null, 'a')", ["a"]),
        ("say('\\x41\\u{42}\\u0043')", ["ABC"]),
        ("s\\u0061y('a')", ["a"]),
        ("say('abc'.slice(1) + 'abc'.length)", ["bc3"]),
        ("var i = 1; i++; i += 2; say(i)", ["4"]),
        ("say(1 ? 'a' : 'b')", ["a"]),
    ],
)
def test_straight_code_is_followed(source: str, expected: list[str]) -> None:
    assert said(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "say('a'",
        "say('a')) ",
        'var a = "" say(\'a\') "";',
        "say('a'); '",
        "say('a'); `",
        "say('a'); /*",
        "say('a'); }",
        "say('a'); var x = ;",
        "say('a'); 1 = 2",
        "say('a'); return",
        "say\\u0028'a')",
        "say('a'); /x\n/",
        "say(&#39;a&#39;)",
        "const a; say('a')",
    ],
)
def test_a_syntax_error_anywhere_keeps_all_of_it_from_running(source: str) -> None:
    window = Window()
    with pytest.raises(SyntaxFault):
        Interpreter(window).run(source)
    assert window.said == []


def test_what_comes_before_an_error_has_run() -> None:
    window = Window()
    with pytest.raises(Thrown, match="ReferenceError: nothing"):
        Interpreter(window).run("say('a'); nothing; say('b')")
    assert window.said == ["a"]


def test_a_handler_may_return() -> None:
    assert said("say('a'); return false; say('b')", handler=True) == ["a"]


@pytest.mark.parametrize(
    "source",
    ["for (;;) {}", "class A {}", "import('x')", "async () => 1", "let [a] = 1", "f(...x)"],
)
def test_what_goes_too_far_is_called_not_modelled(source: str) -> None:
    with pytest.raises(NotModelled):
        Interpreter(Window()).run(source)


@pytest.mark.parametrize(
    "source",
    [
        "function f() { f() } f()",
        "(" * 500 + ")" * 500,
        "x=" + "[" * 500,
        "var a = 'x'; " + "a = a + a; " * 40,
        "1" + "+1" * 30_000,
    ],
)
def test_work_is_bounded(source: str) -> None:
    with pytest.raises((NotModelled, SyntaxFault)):
        Interpreter(Window()).run(source)


@given(st.text(alphabet="canary('k');\"`${}[]<!->/*\\\n =+,.:?x1", max_size=60))
def test_any_text_ends_in_one_of_four_ways(source: str) -> None:
    with suppress(SyntaxFault, Thrown, NotModelled):
        Interpreter(Window()).run(source)
