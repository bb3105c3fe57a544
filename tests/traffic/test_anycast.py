"""The exercises and the pictures of the lesson on anycast."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import dns.message
import pytest
from contract import ROOT, Answers, Contract, matching

from labs.teaching import Quiz, explore
from labs.teaching.sliders import Slider
from labs.traffic.anycast import (
    any_answer,
    atlas,
    coastline,
    exercises,
    figures,
    great_circle_km,
    messages,
    round_trip_floor_ms,
    served,
    situation,
    visits,
    world,
)


def overloaded(situation):
    return [name for name, load in situation.load.items() if load > situation.capacity[name]]


def most_overloaded(situation):
    over = overloaded(situation)
    if not over or len(situation.load) == 1:
        return []
    return [max(over, key=lambda name: situation.load[name] / situation.capacity[name])]


def spare_room_anywhere(situation):
    """Adds up the room of all sites, as if questions could go to any of them."""
    room = sum(max(0, situation.capacity[n] - load) for n, load in situation.load.items())
    gone = []
    for name in overloaded(situation):
        if situation.load[name] <= room and len(gone) < len(situation.load) - 1:
            gone.append(name)
            room -= situation.load[name]
    return gone


def smallest_first(situation):
    """Takes small sites off the air even on a calm day."""
    return [name for name in situation.load if situation.capacity[name] < 150]


def one_at_a_time(situation):
    """A good answer written differently: withdraw the most useful site, and look again."""
    gone = []
    while True:
        now = situation.without(*gone)
        if len(now.load) == 1:
            return gone
        best = max(now.load, key=lambda name: now.without(name).answered)
        if now.without(best).answered <= now.answered:
            return tuple(gone)
        gone.append(best)


def by_fear_of_load(situation):
    """Another good answer: the choice that leaves the fewest honest questions lost."""

    def lost(gone):
        after = situation.without(*gone)
        return sum(
            after.calm[n] * (1 - min(1, after.capacity[n] / after.load[n])) for n in after.load
        )

    names = list(situation.load)
    choices = [g for count in range(len(names)) for g in combinations(names, count)]
    return set(min(choices, key=lambda gone: (round(lost(gone), 6), len(gone))))


def records_of(answer):
    """Reads an answer with dnspython alone."""
    try:
        message = dns.message.from_wire(answer)
    except Exception:
        return None
    return tuple(line for rrset in message.answer for line in rrset.to_text().splitlines())


def with_dnspython(expected, answers):
    good = {
        site for site, a in answers.items() if a is not None and records_of(a) == tuple(expected)
    }
    return good if good else set(answers)


def never_the_last(expected, answers):
    """Also good: keeps two sites whenever the check would leave none."""
    good = with_dnspython(expected, answers)
    return tuple(sorted(good))


def anything_but_silence(_expected, answers):
    return [site for site, answer in answers.items() if answer] or list(answers)


def by_its_code(_expected, answers):
    good = []
    for site, answer in answers.items():
        try:
            if answer and messages.read(answer).code == "NOERROR":
                good.append(site)
        except ValueError:
            continue
    return good or list(answers)


def any_records(_expected, answers):
    good = []
    for site, answer in answers.items():
        try:
            if answer and messages.read(answer).records:
                good.append(site)
        except ValueError:
            continue
    return good or list(answers)


def all_go(expected, answers):
    return [site for site, a in answers.items() if a is not None and records_of(a) == expected]


def does_not_catch(expected, answers):
    good = [
        site
        for site, answer in answers.items()
        if answer is not None and messages.read(answer).records == tuple(expected)
    ]
    return good or list(answers)


def one_sick_all_sick(expected, answers):
    good = with_dnspython(expected, answers)
    return good if len(good) in (0, len(answers)) else set(list(answers)[:1]) & good


class TestExercises(Contract):
    answers = (
        matching(
            exercises.match_limits,
            exercises.WEAKNESSES,
            wrong={
                "a second company for everything": ("aaaa", "What could the small site do"),
                "contracts against one command": ("cbad", "Which rule would have kept one of them"),
                "contracts against the flood of a provider": ("cdba", "What is not in its hands"),
            },
        ),
        Answers(
            exercises.place_sites,
            wrong={
                "close to the customers": (
                    [["Stockholm", "Helsinki", "Oslo", "Copenhagen"]],
                    "most were lost at Copenhagen",
                ),
                "one on each continent": (
                    [["Stockholm", "New York", "Singapore"]],
                    "most were lost at Stockholm, which drowned",
                ),
                "two large ones and no more": ([["Frankfurt", "New York"]], "most were lost at"),
                "a small site before two large ones": (
                    [["Stockholm", "Frankfurt", "New York"]],
                    "if there were no site in Stockholm",
                ),
                "the largest ones, all in Europe": (
                    [["Frankfurt", "Amsterdam", "London"]],
                    "an answer takes at least 59 ms on average",
                ),
                "too dear": (
                    [["Stockholm", "Frankfurt", "New York", "Singapore"]],
                    "they cost 5,050 euro a month",
                ),
                "the largest alone": ([["Frankfurt"]], "most were lost at Frankfurt"),
                "a city without a rack": (
                    [["Stockholm", "Paris"]],
                    "no rack for rent by that name",
                ),
                "a number": ([["Stockholm", 7]], "one of them is not a name"),
                "five": ([list(world.SITES)[:5]], "one to 4 different sites"),
                "one twice": ([["Frankfurt", "Frankfurt"]], "a site is named twice"),
                "none": ([[]], "nothing was placed"),
            },
            other={
                "without the fourth": [["Frankfurt", "New York", "Los Angeles"]],
                "Amsterdam instead": [["Amsterdam", "New York", "Los Angeles"]],
                "with a small one in the south": [
                    ["São Paulo", "Los Angeles", "New York", "Amsterdam"]
                ],
                "Tokyo instead": [["Frankfurt", "New York", "Tokyo"]],
            },
        ),
        Answers(
            exercises.step_aside,
            wrong={
                "whatever is overloaded": ([overloaded], "drowned in what came over"),
                "the worst one": ([most_overloaded], "who inherits the flood"),
                "room anywhere": ([spare_room_anywhere], "who inherits the flood"),
                "never": ([lambda _: []], "it would have been nearly all"),
                "small ones at any time": ([smallest_first], "though every question was answered"),
                "all": ([lambda now: list(now.load)], "taken off the air"),
                "a stranger": ([lambda _: ["Rome"]], "not one of these sites"),
            },
            other={"one at a time": [one_at_a_time], "fewest lost": [by_fear_of_load]},
        ),
        Answers(
            exercises.announce,
            wrong={
                "anything but silence": ([anything_but_silence], "yesterday's address"),
                "by its code": ([by_its_code], "no such record"),
                "any records": ([any_records], "stayed on the air"),
                "all go": ([all_go], "all customers lost the name service"),
                "all stay": ([lambda _, answers: list(answers)], "sent nothing"),
                "bytes that are no message": ([does_not_catch], "raised ValueError"),
                "one sick, all sick": ([one_sick_all_sick], "which answered rightly, went off"),
                "a stranger": ([lambda *_: ["Rome"]], "not one of these sites"),
            },
            other={"with dnspython": [with_dnspython], "sorted": [never_the_last]},
        ),
    )


def test_every_question_explains_every_option():
    questions = [thing for thing in vars(exercises).values() if isinstance(thing, Quiz)]
    assert len(questions) == 5
    assert all(len(option.feedback) > 30 for question in questions for option in question.options)


def answer_to(question):
    return next(option.label for option in question.options if option.correct)


def test_the_answers_to_the_questions_are_what_the_models_say():
    mumbai = visits(["Stockholm", "Singapore"])["Mumbai"]
    assert (mumbai.site, mumbai.nearest) == ("Stockholm", "Singapore")
    homes = [world.networks().places[name] for name in mumbai.path[1:3]]
    assert homes == [world.CITIES["New York"], world.CITIES["Frankfurt"]]
    assert "New York and Frankfurt" in exercises.who_answers.options[2].feedback
    km = [
        great_circle_km(world.CITIES["Mumbai"], world.CITIES[c]) for c in ("Singapore", "Stockholm")
    ]
    assert [round(one, -2) for one in km] == [3_900, 6_200]
    assert "3,900 km from Singapore and 6,200 km" in exercises.who_answers.question
    floor = round_trip_floor_ms(world.CITIES["Gävle"], world.CITIES["Singapore"])
    assert 95 < floor < 105
    assert answer_to(exercises.how_soon) == "About 100 milliseconds"
    shares = [
        served({"A": 10, "B": 2}, {"A": 3, "B": 1}, {"A": 3, "B": 9}, policy=policy).share
        for policy in ("absorb", "withdraw")
    ]
    assert shares[0] > shares[1]
    assert answer_to(exercises.stay_or_go).startswith("Stay")


def test_what_the_drill_foretells_is_what_a_withdrawal_does():
    sites = ["Stockholm", "Frankfurt", "New York", "Singapore"]
    for seed in range(5):
        now = situation(sites, seed=seed)
        done = world.defend(sites, seed=seed, withdraw=lambda _: ["Stockholm"])
        assert now.without("Stockholm").answered == pytest.approx(done.served.share)
        assert now.without("Stockholm").load == situation(sites[1:], seed=seed).load
    assert now.without(*sites).answered == 0
    with pytest.raises(ValueError, match="Rome"):
        now.without("Rome")
    with pytest.raises(ValueError, match="at least one site"):
        situation([], seed=1)


def test_on_a_calm_day_all_that_arrives_is_honest():
    calm = situation(["Stockholm", "New York"], seed=None)
    assert calm.load == calm.calm
    assert sum(calm.load.values()) == pytest.approx(99)


def test_a_server_with_another_zone_gives_another_answer():
    other = messages.NameServer("Oslo", messages.ZONE_TEXT.replace("198.18.0.10", "198.18.0.99"))
    wire = messages.query("kvittra.example")
    assert messages.read(other(wire)).records == ("kvittra.example. 300 IN A 198.18.0.99",)
    with pytest.raises(ValueError, match="zone must be a zone file"):
        messages.NameServer("Oslo", "no zone at all")


@pytest.mark.parametrize("kind", exercises._SICK)
def test_each_sickness_is_what_it_is_called(kind):
    import random

    day = exercises._Day(random.Random(3), {"a": kind})
    (sick,) = day.sick
    answer = day.answers[sick]
    assert all(
        messages.read(day.answers[site]).records == day.expected
        for site in day.sites
        if site != sick
    )
    if kind == "silent":
        assert answer is None
    elif kind == "garbled":
        with pytest.raises(ValueError, match="wire"):
            messages.read(answer)
    else:
        seen = messages.read(answer)
        codes = {"old": "NOERROR", "empty": "NOERROR", "refusing": "REFUSED", "failing": "SERVFAIL"}
        assert seen.code == codes[kind]
        assert seen.records != day.expected
        assert bool(seen.records) == (kind == "old")
    assert 0 < day.lost(day.sites) < 1
    assert day.lost([site for site in day.sites if site != sick]) == 0
    assert day.lost([]) == 1


PICTURES = {
    "by distance": lambda: figures.catchment_map(3, "distance"),
    "by contracts": lambda: figures.catchment_map(6, "contracts"),
    "attack": lambda: figures.attack_map("Stockholm, Frankfurt, New York", 2),
    "latency": figures.latency_by_sites,
    "gap": figures.withdrawal_gap,
    "no end": lambda: figures.withdrawal_gap("all three", 5),
    "absorb": figures.absorb_or_withdraw,
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_each_time_and_says_its_numbers(name):
    first, second = PICTURES[name](), PICTURES[name]()
    assert first == second
    assert len(re.findall(r"\d[\d,.]*", first.alt)) >= 4
    assert len(first.svg) < 40_000
    ET.fromstring(first.svg)


@pytest.mark.parametrize("name", ["by contracts", "attack"])
def test_without_the_coastlines_a_map_still_draws_its_frame(name, monkeypatch, tmp_path):
    atlas._ground.cache_clear()
    with_coast = PICTURES[name]()
    monkeypatch.setattr(coastline, "HOME", tmp_path / coastline.NAME)
    atlas._ground.cache_clear()
    try:
        without = PICTURES[name]()
    finally:
        atlas._ground.cache_clear()
    assert without.alt == with_coast.alt
    assert without.svg.count("<rect") == with_coast.svg.count("<rect") == 3
    ET.fromstring(without.svg)


SQUARE = [(-50.0, -50.0), (900.0, -50.0), (900.0, 900.0), (-50.0, 900.0)]


def test_a_coast_is_cut_at_the_edge_of_its_panel():
    panel = atlas.EUROPE
    cut = atlas._clipped(panel, SQUARE)
    assert atlas._area(cut) == pytest.approx(panel.width * panel.height)
    inside = [(10.0, 310.0), (60.0, 310.0), (10.0, 360.0)]
    assert sorted(atlas._clipped(panel, inside)) == sorted(inside)
    assert atlas._clipped(panel, [(x - 5_000, y) for x, y in inside]) == []


def test_an_island_on_the_date_line_is_not_drawn_around_the_world():
    island = [(-17.0, 179.0), (-16.0, -179.0), (-18.0, -179.5), (-17.0, 179.0)]
    assert [longitude for _, longitude in atlas._unwrapped(island)] == [179, 181, 180.5, 179]
    assert atlas._unwrapped([(0.0, -179.0), (1.0, 178.0)]) == [(0, -179), (1, -182)]


@pytest.mark.skipif(not coastline.HOME.exists(), reason="the coastlines are not installed")
def test_land_is_drawn_where_there_is_land():
    atlas._ground.cache_clear()
    land = re.search(r'<path d="([^"]*)"', atlas._ground(atlas.WORLD))
    assert land
    shapes = [
        [tuple(map(float, point.split())) for point in ring.strip("M").split("L")]
        for ring in land[1].split("Z")[:-1]
    ]
    assert max(map(atlas._area, shapes)) < 0.3 * atlas.WORLD.width * atlas.WORLD.height

    def on_land(place):
        x, y = atlas.WORLD.at(place)
        crossings = 0
        for shape in shapes:
            for (ax, ay), (bx, by) in zip(shape, [*shape[1:], shape[0]], strict=True):
                if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
                    crossings += 1
        return crossings % 2 == 1

    dry = [
        (48.0, 10.0),
        (-19.0, 25.0),
        (-17.0, -55.0),
        (65.0, 100.0),
        (-25.0, 135.0),
        (69.5, 140.0),
    ]
    wet = [(0.0, -30.0), (-17.0, -100.0), (-30.0, 80.0), (50.0, -40.0), (-18.0, 0.0)]
    assert all(on_land(place) for place in dry)
    assert not any(on_land(place) for place in wet)


def test_a_line_is_cut_at_the_edge_of_its_panel():
    panel = atlas.Panel(0, 0, 0, 10, 10, 0, 1)
    assert atlas._cut(panel, (-5, 5), (15, 5)) == ((0, 5), (10, 5))
    assert atlas._cut(panel, (2, 2), (3, 4)) == ((2, 2), (3, 4))
    assert atlas._cut(panel, (-5, 20), (15, 20)) is None
    assert atlas._cut(panel, (-4, 3), (3, -4)) is None


def test_simplifying_keeps_what_the_eye_sees():
    wave = [(float(x), 0.3 * (x % 2)) for x in range(50)]
    assert atlas._simplified(wave) == [wave[0], wave[-1]]
    corner = [(0.0, 0.0), (5.0, 0.1), (10.0, 0.0), (10.0, 10.0)]
    assert atlas._simplified(corner) == [corner[0], corner[2], corner[3]]


def test_places_are_drawn_where_they_are():
    x, y = atlas.WORLD.at((0.0, 15.0))
    assert x == pytest.approx(1 + 718 / 2)
    assert atlas.WORLD.at((10.0, 15.0))[1] < y
    assert all(atlas.WORLD.shows(place) for place in world.CITIES.values())
    assert sum(atlas.EUROPE.shows(place) for place in world.CITIES.values()) == 12


def test_the_map_says_what_routing_does():
    said = figures.catchment_map(6, "contracts").alt
    assert "London (Johannesburg instead of Frankfurt)" in said
    assert visits(figures.ORDER)["London"].site == "Johannesburg"
    assert "All reach the nearest site" in figures.catchment_map(6, "distance").alt
    seen = visits(figures.ORDER[:3])
    mean = sum(world.RESOLVERS[c].load * v.ms for c, v in seen.items()) / 99
    assert f"at least {mean:.1f} ms" in figures.catchment_map(3, "contracts").alt


def test_the_sixth_site_makes_answers_slower():
    assert "Site 6, Johannesburg, makes it longer" in figures.latency_by_sites().alt


def test_the_picture_of_the_gap_tells_a_detour_from_the_end():
    assert "0 of 24 cities meet a gap" in figures.withdrawal_gap("Stockholm", 30).alt
    half_a_minute = figures.withdrawal_gap("Stockholm and Helsinki", 30).alt
    assert "Helsinki 30.3 s" in half_a_minute
    assert "Stockholm 5." in figures.withdrawal_gap("Stockholm and Helsinki", 5).alt
    assert "24 of 24 cities" in figures.withdrawal_gap("all three", 30).alt


def test_the_picture_of_the_flood_says_where_the_better_choice_changes():
    better = [figures.absorb_or_withdraw(b).caption for b in (1, 4, 5, 9)]
    verdicts = ["No difference", "Better: step aside", "No difference", "Better: stay"]
    assert all(words in caption for words, caption in zip(verdicts, better, strict=True))


def test_the_map_of_an_attack_says_what_the_model_says():
    said = figures.attack_map(["Stockholm", "Frankfurt", "New York"], 2).alt
    now = situation(["Stockholm", "Frankfurt", "New York"], seed=2)
    assert f"{now.answered:.0%} of the honest questions" in said
    assert f"Stockholm: load {now.load['Stockholm']:.0f}, room 120" in said


def test_retries_are_counted_as_the_formula_says():
    for tries, formula, counted, sent in figures.retries().rows:
        exact = any_answer([0.1] * tries)
        assert formula == f"{exact:.0%}"
        assert float(counted.rstrip("%")) / 100 == pytest.approx(exact, abs=0.05)
        assert float(sent) == pytest.approx(sum(0.9**k for k in range(tries)), abs=0.11)


def test_the_table_of_answers_is_made_of_real_messages():
    rows = figures.who_answers(["Mumbai", "Sydney"], ["Stockholm", "Singapore"]).rows
    assert [row[:4] for row in rows] == [
        ["Mumbai", "198.18.0.10", "Stockholm", "Singapore"],
        ["Sydney", "198.18.0.10", "Singapore", "Singapore"],
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: figures.catchment_map(7), "sites"),
        (lambda: figures.catchment_map(2, "luck"), "led_by"),
        (lambda: figures.withdrawal_gap("Rome"), "gone"),
        (lambda: figures.withdrawal_gap("Stockholm", -1), "timer_s"),
        (lambda: figures.absorb_or_withdraw(17), "attack_on_b"),
        (lambda: figures.attack_map("Rome", 1), "Rome"),
        (lambda: figures.attack_map("Oslo", -1), "night"),
        (lambda: figures.who_answers(["Rome"], ["Oslo"]), "Rome"),
    ],
)
def test_a_picture_refuses_nonsense_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_sliders_fit_the_book():
    shown = explore(
        figures.attack_map,
        sites=Slider(("Stockholm, Oslo, Helsinki, Copenhagen", "Frankfurt, New York, Los Angeles")),
        night=Slider(range(1, 7)),
    )
    pictures = [shown.picture(**frame) for frame in shown.frames()]
    assert max(len(one.svg) for one in pictures) < 40_000
    # The land is most of a drawing, and the same in each: the book keeps it once.
    land = re.findall(r'<path d="M[^"]*Z" fill="var\(--labs-grid', pictures[0].svg)
    assert len(land) == 2 * coastline.HOME.exists()
    assert all(part in one.svg for one in pictures for part in land)


def test_the_numbers_in_the_lab_are_those_of_the_models():
    cells = json.loads((ROOT / "notebooks/traffic/anycast.ipynb").read_text("utf-8"))["cells"]
    prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    nordic = situation(["Stockholm", "Oslo", "Helsinki", "Copenhagen"], seed=None)
    assert "on none of forty nights" in prose
    nights = [situation(list(nordic.load), seed=night) for night in range(1, 41)]
    assert not any(night.answered >= figures.ENOUGH for night in nights)
    design = situation(["Stockholm", "Frankfurt", "New York"], seed=None)
    assert design.calm["Stockholm"] / 99 == pytest.approx(0.73, abs=0.01)
    assert "almost three quarters of the honest questions" in prose
    assert "five hours and 26 minutes" in prose
    assert (21 * 60 + 5) - (15 * 60 + 39) == 5 * 60 + 26
    assert math.isclose(world.BUDGET_EUR_A_MONTH, 4_800)


def test_the_numbers_on_the_page_are_those_of_the_lab():
    page = (ROOT / "book/traffic/anycast.md").read_text("utf-8")
    mumbai = visits(["Stockholm", "Singapore"])["Mumbai"]
    assert f"as contracts lead: {mumbai.ms:.0f} ms" in page
    assert f"by distance: {mumbai.nearest_ms:.0f} ms" in page
    floor = round_trip_floor_ms(world.CITIES["Gävle"], world.CITIES["Singapore"])
    assert f"From Gävle to Singapore that is {floor:.0f} ms" in page
    shares = {
        hostile: [
            served(
                figures.CAPACITY, figures.HONEST, {"A": figures.ON_A, "B": hostile}, policy=policy
            ).share
            for policy in ("absorb", "withdraw")
        ]
        for hostile in (4, 9)
    }
    assert [f"{100 * share:.0f}" for share in shares[4] + shares[9]] == ["88", "93", "84", "70"]
    assert (
        "answers 88 of 100 honest ones and stepping aside 93. With nine it is 84 against 70" in page
    )
    assert f"{100 * any_answer([0.1] * 3):.0f} of 100" in page
    assert f"{1 + 0.9 + 0.81:.1f} times" in page
