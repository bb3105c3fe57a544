"""The Python side of the runner, in CPython: cells, streams, formats, packages, records."""

from __future__ import annotations

import asyncio
import json
import sys
from types import ModuleType
from typing import Any

import argon2
import pytest

from labs.site.run_here.in_page import argon2_bindings, derivation, display, packages, streams
from labs.site.run_here.in_page.formatting import mime_bundle
from labs.site.run_here.in_page.kernel import Kernel


class Room:
    """A kernel with its messages."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.names: dict[str, Any] = {"__name__": "cells"}
        self.kernel = Kernel(lambda text: self.messages.append(json.loads(text)), self.names)

    def run(self, source: str, finder: packages.SiteFinder | None = None) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(asyncio.run(self.kernel.run("1", source, finder)))
        return result

    def printed(self) -> str:
        return "".join(m["text"] for m in self.messages if m["type"] == "stream")

    def shown(self) -> list[str]:
        return [m["data"]["text/plain"] for m in self.messages if m["type"] == "display"]


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("1 + 1", ["2"]),
        ("1 + 1;", []),
        ("None", []),
        ("x = 1", []),
        ("import asyncio\nawait asyncio.sleep(0, 'later')", ["'later'"]),
        ("for n in (1, 2): display(n)\n3", ["1", "2", "3"]),
    ],
)
def test_the_last_expression_is_shown(room: Room, source: str, shown: list[str]) -> None:
    assert room.run(source) == {"outcome": "done"}
    assert room.shown() == shown


def test_variables_stay_from_cell_to_cell(room: Room) -> None:
    room.run("x = 20")
    room.run("def double(): return 2 * x")
    room.run("double()")
    room.run("_ + 2")
    assert room.shown() == ["40", "42"]


def test_prints_come_before_what_is_displayed_after_them(room: Room) -> None:
    room.run("for n in range(500): print(n)\ndisplay('end')\nprint('after')")
    kinds = [m["type"] for m in room.messages]
    at = kinds.index("display")
    assert "".join(m["text"] for m in room.messages[:at]).endswith("499\n")
    assert room.messages[at + 1]["text"] == "after\n"


def test_the_streams_of_the_process_come_back_after_an_error(room: Room) -> None:
    before = sys.stdout, sys.stderr
    assert room.run("print('a')\n1 / 0")["kind"] == "ZeroDivisionError"
    assert (sys.stdout, sys.stderr) == before
    assert room.printed() == "a\n"


def test_a_flood_of_prints_travels_in_few_messages_and_is_cut() -> None:
    sent: list[str] = []
    stream = streams.Stream(sent.append)
    for number in range(100_000):
        stream.write(f"{number}\n")
    stream.flush()
    assert len(sent) < 1_000
    text = "".join(sent)
    assert text.count("output cut") == 1
    assert len(text) < streams.LONGEST_OUTPUT + 100


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        ("1 +", "SyntaxError", "invalid syntax"),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "Stopped."),
        (
            "class E(Exception):\n    def __str__(self): 1 / 0\nraise E",
            "E",
            "exception str() failed",
        ),
        (
            "raise ExceptionGroup('several', [ValueError('one')])",
            "ExceptionGroup",
            "ValueError: one",
        ),
        ("def f(): f()\nf()", "RecursionError", "recursion"),
    ],
)
def test_every_error_becomes_text(room: Room, source: str, kind: str, says: str) -> None:
    result = room.run(source)
    assert (result["outcome"], result["kind"]) == ("failed", kind)
    assert says in result["error"]
    assert "in_page" not in result["error"]


def test_a_traceback_shows_the_cells_own_line(room: Room) -> None:
    error = room.run("x = 1\nraise ValueError('here')  # this line")["error"]
    assert 'File "<cell 1>", line 2' in error
    assert "# this line" in error


def test_a_missing_thread_counts_as_what_a_browser_lacks(room: Room) -> None:
    assert room.run('raise RuntimeError("can\'t start new thread")')["outcome"] == "absent"
    assert room.run("raise RuntimeError('another reason')")["outcome"] == "failed"


def test_a_value_whose_representation_fails_is_shown_all_the_same() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

        def _repr_html_(self) -> str:
            raise ValueError("no")

    assert mime_bundle(Broken()) == {"text/plain": "<Broken: its repr raised ValueError('no')>"}


def test_markup_inside_markdown_is_text() -> None:
    html = mime_bundle(display.Markdown("*a* <img src=x onerror=alert(1)>"))["text/html"]
    assert "<em>a</em>" in html
    assert "<img" not in html


def test_binary_pictures_are_base64() -> None:
    class Picture:
        def _repr_png_(self) -> bytes:
            return b"\x89PNG"

    assert mime_bundle(Picture())["image/png"] == "iVBORw=="


@pytest.mark.parametrize("wrong", [{}, {"data": b"GIF8", "filename": "a.gif"}])
def test_an_image_takes_data_or_a_file(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either data or filename"):
        display.Image(**wrong)


def test_an_alternative_text_cannot_end_its_attribute() -> None:
    bundle = display.Image(b"\x89PNG", alt='"><script>')._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"]


def finder(present: tuple[str, ...] = (), brought: list[str] | None = None) -> packages.SiteFinder:
    fetched = [] if brought is None else brought

    def bring(name: str) -> list[str]:
        fetched.append(name)
        return {"jinja2": ["markupsafe"]}.get(name, [])

    return packages.SiteFinder(
        {"jinja2": "jinja2", "markupsafe": "markupsafe"},
        {"numpy": "numpy"},
        bring,
        present,
        {"email": lambda module: setattr(module, "seen", True)},
    )


def test_a_package_is_brought_once_with_what_it_depends_on() -> None:
    brought: list[str] = []
    one = finder(brought=brought)
    assert one.find_spec("jinja2", None) is not None
    one.find_spec("jinja2", None)
    one.find_spec("markupsafe", None)
    assert brought == ["jinja2", "markupsafe"]
    assert one.find_spec("jinja2.runtime", ["somewhere"]) is None
    assert one.find_spec("json", None) is None


def test_what_needs_agreement_is_noticed_before_the_cell_begins(room: Room) -> None:
    result = room.run("print('begun')\nif False:\n    import numpy.random", finder())
    assert (result["outcome"], result["module"]) == ("agreement", "numpy")
    assert room.printed() == ""
    assert room.run("print('begun')", finder())["outcome"] == "done"


def test_a_display_that_needs_agreement_asks_for_it(room: Room) -> None:
    refused = packages.NeedsAgreement("`numpy` is not here", name="numpy")

    class Drawing:
        def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
            raise refused

    room.names["drawing"] = Drawing()
    assert room.run("drawing")["outcome"] == "agreement"
    assert room.shown() == []


def test_agreement_opens_the_way() -> None:
    one = finder()
    with pytest.raises(packages.NeedsAgreement):
        one.find_spec("numpy", None)
    one.present.add("numpy")
    assert one.find_spec("numpy", None) is None


def test_a_module_that_no_browser_has_is_named_with_its_reason(room: Room) -> None:
    with pytest.raises(packages.NotInBrowser, match="compiled") as caught:
        finder().find_spec("cryptography", None)
    assert caught.value.name == "cryptography"
    room.names["refusal"] = caught.value
    assert room.run("raise ValueError from refusal")["outcome"] == "absent"
    assert room.run("raise ValueError from None")["outcome"] == "failed"


def test_a_module_is_handed_over_after_its_import() -> None:
    spec = finder().find_spec("email", None)
    assert spec is not None
    assert spec.loader is not None
    module = ModuleType("email")
    module.__path__ = list(spec.submodule_search_locations or ())
    spec.loader.exec_module(module)
    assert module.__dict__["seen"]


class _FromCpython:
    """Argon2 of argon2-cffi's own C library behind the stand-in's interface."""

    def argon2(
        self, kind: int, version: int, password: bytes, salt: bytes, t: int, m: int, p: int, n: int
    ) -> bytes:
        return argon2.low_level.hash_secret_raw(
            password, salt, t, m, p, n, argon2.low_level.Type(kind), version
        )


@pytest.fixture
def bindings(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(derivation, "_primitives", [_FromCpython()])
    return argon2_bindings


def verified(library: Any, memory: Any, record: str, password: bytes, kind: int = 2) -> int:
    code: int = library.argon2_verify(
        memory.new("char[]", record.encode()),
        memory.new("uint8_t[]", password),
        len(password),
        kind,
    )
    return code


GOOD = argon2.low_level.hash_secret(b"pw", b"saltsalt", 1, 16, 2, 16, argon2.Type.ID).decode()
RECORDS = [
    GOOD,
    GOOD.replace("argon2id", "argon2i"),
    GOOD.replace("$v=19", ""),
    GOOD.replace("$v=19", "$v=16"),
    GOOD.replace("t=1", "t=2"),
    GOOD.replace("t=1", "t=0"),
    GOOD.replace("t=1", "t=01"),
    GOOD.replace("t=1", "t=99999999999"),
    GOOD.replace("m=16", "m=15"),
    GOOD.replace("m=16", "m=7"),
    GOOD.replace("p=2", "p=0"),
    GOOD.replace("c2FsdHNhbHQ", "c2FsdHNhbA"),
    GOOD.replace("c2FsdHNhbHQ", "c2FsdHNhbHR"),
    GOOD.replace("c2FsdHNhbHQ", "c2FsdHNhbHQ="),
    GOOD + "A",
    GOOD + "$",
    GOOD + "\n",
    GOOD[:-1],
    GOOD[: GOOD.rindex("$")],
    GOOD[1:],
    "",
    "$argon2id$v=19$m=16,t=1,p=2$$",
]


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("password", [b"pw", b"other"])
def test_a_record_gets_the_answer_of_the_c_library(
    bindings: Any, record: str, password: bytes
) -> None:
    from _argon2_cffi_bindings import ffi, lib  # type: ignore[import-untyped]

    theirs = verified(lib, ffi, record, password)
    assert verified(bindings.lib, bindings.ffi, record, password) == theirs


def test_error_codes_read_as_in_the_c_library(bindings: Any) -> None:
    from argon2.low_level import error_to_str

    for code in bindings.lib._SAID:
        assert bindings.lib.argon2_error_message(code).decode() == error_to_str(code)


@pytest.mark.parametrize("version", [16, 19])
def test_the_length_of_a_record_leaves_room_for_it(bindings: Any, version: int) -> None:
    from _argon2_cffi_bindings import lib

    for numbers in [(1, 8, 1, 8, 4), (12, 65_536, 16, 17, 33)]:
        assert bindings.lib.argon2_encodedlen(*numbers, 2) >= lib.argon2_encodedlen(*numbers, 2)
    size = bindings.lib.argon2_encodedlen(1, 8, 1, 8, 16, 2)
    room = bindings.ffi.new("char[]", size)
    code = bindings.lib.argon2_hash(
        1, 8, 1, b"pw", 2, b"saltsalt", 8, None, 16, room, size, 2, version
    )
    assert code == 0
    record = bindings.ffi.string(room).decode()
    assert argon2.low_level.verify_secret(record.encode(), b"pw", argon2.Type.ID)
