"""Attack × edition: every attack needs its weakness, and every layer that fails with it."""

from __future__ import annotations

import inspect

import pytest
from kvittra.attacks import ATTACKS
from kvittra.visitor import World

from labs.kvittra import WEAKNESSES

IN_CHROMIUM = {"xss_dom"}

# The sign-in form is checked like every other form: not at all, where no form is checked.
RELIES_ON = {"csrf_sign_in": {"token_accepted", "from_own_page"}}


def test_every_weakness_is_attacked() -> None:
    assert set(ATTACKS) | IN_CHROMIUM == set(WEAKNESSES)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_succeeds_where_its_weaknesses_are(name: str) -> None:
    assert ATTACKS[name](World(WEAKNESSES[name].together))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_fails_on_the_hardened_edition(name: str) -> None:
    assert not ATTACKS[name](World())


LAYERS = [
    (name, layer)
    for name in ATTACKS
    for layer in sorted(WEAKNESSES[name].together)
    if layer != name
]


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_closing_any_one_layer_stops_the_attack(name: str, layer: str) -> None:
    assert not ATTACKS[name](World(WEAKNESSES[name].together - {layer}))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_repair_alone_stops_the_attack_when_all_else_is_weak(name: str) -> None:
    parts = {WEAKNESSES[name].part} | RELIES_ON.get(name, set())
    others = {other for other, item in WEAKNESSES.items() if item.part not in parts}
    assert not ATTACKS[name](World(others))


@pytest.mark.parametrize("name", WEAKNESSES)
def test_weak_and_repaired_share_one_signature(name: str) -> None:
    weak, repaired = WEAKNESSES[name].weak, WEAKNESSES[name].repaired
    assert inspect.signature(weak) == inspect.signature(repaired)
    assert weak is not repaired
    assert inspect.getdoc(weak)


def test_each_weakness_names_its_class_and_its_place() -> None:
    for item in WEAKNESSES.values():
        assert item.cwe.startswith("CWE-")
        assert item.cwe[4:].isdigit()
        assert item.where.startswith("labs/kvittra/")
        assert "\n" not in item.description
        assert item.together <= set(WEAKNESSES)


def test_all_means_every_weakness() -> None:
    assert World({"all"}).app.edition.weaknesses == set(WEAKNESSES)


def test_a_weakness_by_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'sql_injektion'"):
        World({"sql_injektion"})


def test_one_text_is_not_taken_for_a_collection_of_names() -> None:
    with pytest.raises(TypeError, match="collection of names"):
        World("all")


def test_a_part_can_be_replaced_by_a_function_of_ones_own() -> None:
    def nothing(*_: object) -> list[object]:
        return []

    page = World(replace={"find_invoices": nothing}).visitor("maja").get("/invoices")
    assert "No invoices here." in page.text
    with pytest.raises(ValueError, match="'find_invoice'"):
        World(replace={"find_invoice": nothing})
    with pytest.raises(TypeError, match="functions"):
        World(replace={"find_invoices": "nothing"})
