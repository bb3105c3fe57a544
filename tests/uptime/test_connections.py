"""The exercises and the pictures of the lesson on connections."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import networkx
import pytest
from contract import ROOT, Answers, Contract

from labs.teaching import Quiz
from labs.teaching.sliders import Slider, explore
from labs.uptime import connections
from labs.uptime.connections import exercises, figures, model, network


def graph(lines):
    return networkx.Graph(list(lines))


def between(start, end, parts):
    return set(parts) - {start, end}


def in_two_ways(lines, start, end):
    """What two ways have in common, as somebody compares two drawings."""
    first = exercises._shortest(lines, start, end)
    used = [set(step) for step in pairwise(first)]
    second = exercises._shortest([line for line in lines if set(line) not in used], start, end)
    return between(start, end, set(first) & set(second or first))


def joints(lines, start, end):
    """Every part whose loss splits the map, whatever falls off."""
    return between(start, end, networkx.articulation_points(graph(lines)))


def with_ends(lines, start, end):
    return {start, end} | model.single_points_of_failure(graph(lines), start, end)


def only_the_first(lines, start, end):
    return sorted(model.single_points_of_failure(graph(lines), start, end))[:1]


def busy(lines, start, end):
    """Parts where more than two lines meet."""
    return between(start, end, (part for part, count in graph(lines).degree if count > 2))


def a_list_of_lists(lines, start, end):
    return [[part] for part in model.single_points_of_failure(graph(lines), start, end)]


def on_every_simple_path(lines, start, end):
    routes = [set(route) for route in networkx.all_simple_paths(graph(lines), start, end)]
    return between(start, end, set.intersection(*routes))


def dig(lines, start, end):
    parts = between(start, end, (part for line in lines for part in line))
    return [part for part in parts if end not in exercises._reached(lines, start, {part})]


def greedy(lines, start, end):
    """The shortest way first, then the shortest that avoids its parts."""
    first = exercises._shortest(lines, start, end)
    inner = set(first[1:-1])
    rest = [line for line in lines if not inner & set(line)]
    second = exercises._shortest(rest, start, end)
    return [first, second] if second else []


def the_same_twice(lines, start, end):
    return [exercises._shortest(lines, start, end)] * 2


def any_two(lines, start, end):
    routes = list(networkx.all_simple_paths(graph(lines), start, end))
    return sorted(routes, key=len)[:2] if len(routes) > 1 else []


def never_says_no(lines, start, end):
    return connections.disjoint_routes(graph(lines), start, end) or any_two(lines, start, end)


def without_ends(lines, start, end):
    found = connections.disjoint_routes(graph(lines), start, end)
    return [route[1:-1] for route in found]


def one_alone(lines, start, end):
    found = connections.disjoint_routes(graph(lines), start, end)
    return found or [exercises._shortest(lines, start, end)]


def jumps(lines, start, end):
    found = connections.disjoint_routes(graph(lines), start, end)
    return [[start, route[-2], end] for route in found]


def in_pairs(lines, start, end):
    for one, other in combinations(networkx.all_simple_paths(graph(lines), start, end), 2):
        if not set(one[1:-1]) & set(other[1:-1]):
            return [one, other]
    return []


def by_flow(lines, start, end):
    """Each part split into an entry and an exit that one unit of flow may pass."""
    flow = networkx.DiGraph()
    for part in {part for line in lines for part in line}:
        flow.add_edge((part, "in"), (part, "out"), capacity=2 if part in (start, end) else 1)
    for a, b in lines:
        flow.add_edge((a, "out"), (b, "in"), capacity=1)
        flow.add_edge((b, "out"), (a, "in"), capacity=1)
    value, used = networkx.maximum_flow(flow, (start, "in"), (end, "out"))
    if value < 2:
        return []
    routes = []
    for _number in range(2):
        route = [start]
        while route[-1] != end:
            leaving = used[(route[-1], "out")]
            step = next(other for other, amount in leaving.items() if amount > 0)
            leaving[step] -= 1
            route.append(step[0])
        routes.append(route)
    return routes


def rule(*, missed=4, calm=60, total=False, restart="break"):
    """A rule with one thing different."""

    def link_in_use(memory, heard):
        silent = 0 if heard else memory.get("silent", 0) + 1
        if total and heard:
            silent = memory.get("silent", 0)
        memory["silent"] = silent
        if silent >= missed:
            memory["away"] = True
            if restart != "never":
                memory["waited"] = 0
            if total:
                memory["silent"] = 0
        elif memory.get("away"):
            memory["waited"] = memory.get("waited", 0) + (heard or restart != "loss")
            if restart == "loss" and not heard:
                memory["waited"] = 0
            if memory["waited"] >= calm and heard:
                memory["away"] = False
        return "second" if memory.get("away") else "first"

    return link_in_use


def with_a_clock(memory, heard):
    """The same rule, kept as times."""
    now = memory["now"] = memory.get("now", 0) + 1
    if heard:
        memory["last"] = now
    if now - memory.get("last", 0) >= 4:
        memory["broken"] = now
    elif heard and now - memory.get("broken", -1_000) >= 61:
        memory.pop("broken", None)
    return "second" if "broken" in memory else "first"


def timers(interval_s, missed, hold_s):
    return [interval_s, missed, hold_s]


class TestExercises(Contract):
    answers = (
        Answers(
            exercises.choose_timers,
            wrong={
                "too slow": (timers(1.0, 4, 120), "silent for 4 seconds"),
                "the usual three misses": (timers(0.3, 3, 120), "One more miss makes it"),
                "as fast as can be": (timers(0.1, 2, 120), "was called dead"),
                "back at once": (timers(0.2, 5, 0), "a hold time that is long"),
                "a short hold": (timers(0.2, 5, 20), "traffic moved away from it about"),
                "an hour's hold": (timers(0.2, 5, 3600), "60 minutes more"),
                "a flood of hellos": (timers(0.02, 5, 120), "50 hellos a second"),
                "no interval": (timers(0, 5, 120), "interval_s must be a number above 0, not 0"),
                "no number": (timers(float("nan"), 5, 120), "the router refused them"),
                "a negative hold": (timers(0.2, 5, -1), "hold_s must be a number of at least 0"),
            },
            other={
                "four misses": timers(0.25, 4, 60),
                "ten hellos a second": timers(0.1, 10, 300),
                "a tenth of a second, five": timers(0.1, 5, 90.0),
            },
        ),
        Answers(
            exercises.find_shared,
            wrong={
                "compares two ways": ([in_two_ways], "to compare two ways"),
                "splits of the map": ([joints], "the camera is lost, the internet is not"),
                "with the ends": ([with_ends], "goes without saying"),
                "stops at the first": ([only_the_first], "Do not stop at the first part"),
                "where many lines meet": ([busy], "which nothing depends on"),
                "names in lists": ([a_list_of_lists], "no name of a part"),
            },
            other={
                "on every path": [on_every_simple_path],
                "digs": [dig],
                "frozen": [lambda *a: connections.single_points_of_failure(graph(a[0]), *a[1:])],
            },
        ),
        Answers(
            exercises.lay_routes,
            wrong={
                "avoids the lines": ([exercises._first_and_next], "other lines are not enough"),
                "the shortest first": ([greedy], "nothing was left beside it, and you gave up"),
                "the same twice": ([the_same_twice], "your two routes meet in"),
                "any two": ([any_two], "your two routes meet in"),
                "never says no": ([never_says_no], "you returned two routes, and both go through"),
                "without the ends": ([without_ends], "does not lead from `hall` to `internet`"),
                "one alone": ([one_alone], "A single route is no redundancy"),
                "jumps": ([jumps], "no line joins them"),
            },
            other={"tries all pairs": [in_pairs], "by maximum flow": [by_flow]},
        ),
        Answers(
            exercises.move_traffic,
            wrong={
                "at each lost hello": ([exercises.move_traffic.weak["link_in_use"]], "for nothing"),
                "two misses": ([rule(missed=2)], "several misses in a row"),
                "misses of the whole day": ([rule(total=True)], "not a sum over the day"),
                "back at once": ([rule(calm=1)], "a minute of calm in one piece"),
                "the wait goes on": ([rule(restart="never")], "Start the wait anew at each break"),
                "each loss starts anew": ([rule(restart="loss")], "not every lost hello"),
                "never back": ([rule(calm=10**9)], "a way back"),
                "too slow": ([rule(missed=8)], "a change over after four misses"),
                "another word": ([lambda _memory, _heard: "backup"], '"first" or "second"'),
            },
            other={
                "with a clock": [with_a_clock],
                "waits longer": [rule(calm=75)],
                "three misses": [rule(missed=3)],
            },
        ),
    )


def test_every_question_explains_every_option():
    questions = [thing for thing in vars(exercises).values() if isinstance(thing, Quiz)]
    assert len(questions) >= 4
    assert all(len(option.feedback) > 30 for question in questions for option in question.options)


def correct(question):
    return next(option.label for option in question.options if option.correct)


def test_the_answers_to_the_questions_are_what_the_model_computes():
    rows = {row[0]: row[2] for row in figures.links().rows}
    assert rows["Norra Nät alone"] == "17.5 hours"
    assert rows["Kustfiber alone"] == "21.9 hours"
    assert rows["either of the two"] == "2.6 minutes"
    assert correct(exercises.both_down) == "Under 3 minutes"
    ground = network.physical()
    assert model.single_points_of_failure(ground, network.HALL, network.INTERNET) == {
        "duct under the railway"
    }
    assert "railway" in correct(exercises.where_to_dig)
    minutes = {row[0]: row[2] for row in figures.compared().rows}
    assert round(minutes["in the ground"]) == 108
    saved = {name: minutes["in the ground"] - minutes[name] for name in figures.DRAWINGS}
    assert saved["with a second duct"] > 40 * saved["with a third carrier"] > 0
    assert "another duct" in correct(exercises.which_repair)


PICTURES = {
    "map": figures.network_map,
    "excavator": lambda: figures.excavator("duct under the railway", "in the ground"),
    "share": lambda: figures.shared_part(1, 20),
    "simulated": figures.simulated,
    "detection": lambda: figures.detection(300, 3, 1),
    "flapping": lambda: figures.flapping_link(60, 1),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_each_time_and_says_its_numbers(name):
    first, second = PICTURES[name](), PICTURES[name]()
    assert first == second
    assert re.search(r"\d", first.alt)
    assert len(first.svg) < 40_000


@pytest.mark.parametrize("name", figures.DRAWINGS)
def test_the_excavator_cuts_kvittra_off_exactly_at_single_points_of_failure(name):
    drawn = figures.drawing(name)
    alone = model.single_points_of_failure(drawn, network.HALL, network.INTERNET)
    assert {part for part in figures.PARTS if not figures.ways_left(name, part)} == alone


@pytest.mark.parametrize("name", figures.DRAWINGS)
def test_every_way_of_a_map_lies_on_its_drawing_and_the_ways_use_all_of_it(name):
    drawn = figures.drawing(name)
    ways = [(network.HALL, *way, network.INTERNET) for way in network.WAYS[name]]
    assert all(drawn.has_edge(*step) for way in ways for step in pairwise(way))
    assert {part for way in ways for part in way} == set(drawn)


def test_the_drawing_says_who_is_left():
    assert "cut off" in figures.excavator("duct under the railway", "in the ground").alt
    west = figures.excavator("entry west", "in the ground").alt
    assert "With entry west broken, Kvittra is connected, through Kustfiber." in west


def test_a_part_that_is_not_on_the_map_breaks_nothing():
    shown = figures.excavator("duct under the river", "in the ground")
    assert "There is no duct under the river on this map" in shown.svg
    assert "cut off" not in shown.alt


def test_an_unknown_map_is_refused():
    with pytest.raises(ValueError, match="in the contract, in the ground"):
        figures.drawing("on the moon")


def test_the_share_reaches_from_two_links_to_one():
    down = 20 * 60 / figures.MINUTES_A_YEAR
    assert figures.shared_minutes(20, 0) == pytest.approx(down**2 * figures.MINUTES_A_YEAR)
    assert figures.shared_minutes(20, 100) == pytest.approx(20 * 60)
    minutes = [figures.shared_minutes(20, share) for share in (0, 0.1, 1, 10, 50, 100)]
    assert minutes == sorted(minutes)


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_simulated_picture_covers_the_formula(seed):
    alt = figures.simulated(seed).alt
    found = re.findall(
        r"formula ([\d.]+) minutes a year, simulated with [\d,]+ moments [\d.]+, between ([\d.]+) "
        r"and (\d+\.\d)",
        alt,
    )
    assert len(found) == 2
    # One in twenty intervals misses the truth by design; a tenth of leeway allows for that.
    for exact, low, high in ((float(a), float(b), float(c)) for a, b, c in found):
        assert 0.9 * low <= exact <= 1.1 * high


def test_the_flapping_picture_counts_what_it_draws():
    eager, patient = figures.flapping_link(0, 1), figures.flapping_link(60, 1)
    assert "Traffic moved away 16 times, and 17.1 seconds" in eager.alt
    assert "Traffic moved away 4 times, and 4.7 seconds" in patient.alt
    assert "an hour of this has 117.9 failovers" in eager.alt


def test_a_failed_switch_in_20_costs_as_much_as_switching_by_hand():
    rows = {row[0]: row[1:] for row in figures.takeover().rows}
    assert rows["VRRP, 1 s, priority 100"] == [3.61, "100%", 52.0]
    assert rows["VRRP, 1 s, priority 254"][0] == 3.01
    assert rows["VRRP, 0.1 s, priority 100"][0] == 0.36
    by_hand, unlucky = rows["a phone call and a hand"][2], rows["VRRP, one in 20 fails"][2]
    assert by_hand == pytest.approx(unlucky, rel=0.01)


def test_the_sliders_fit_the_book():
    shown = explore(
        figures.excavator,
        part=Slider(figures.PARTS, start="router 1"),
        name=Slider(figures.DRAWINGS[1::2]),
    )
    assert len(shown.frames()) <= 60


def test_no_label_loses_digits_on_its_way_into_the_picture():
    """Numbers in a drawing are rounded to a tenth, so no label may need more than that."""
    for draw in PICTURES.values():
        for label in re.findall(r"<text[^>]*>([^<]*)</text>", draw().svg):
            assert not re.search(r"\d\.\d{2,}", label)
            assert label.strip() not in ("0.0", "-0")


@pytest.mark.parametrize("lines", [exercises._TWO_WAYS, exercises._chain("hall a b internet")])
def test_the_helper_of_the_checks_finds_what_the_model_finds(lines):
    assert exercises._cutting(list(lines)) == model.single_points_of_failure(
        graph(lines), *exercises.ENDS
    )


def page() -> str:
    return (ROOT / "book/uptime/connections.md").read_text(encoding="utf-8")


def test_the_numbers_on_the_page_are_those_of_the_lab():
    words = page()
    minutes = {row[0]: row[2] for row in figures.compared().rows}
    assert f"{minutes['in the contract']} minutes a year" in words
    assert f"as they lie, for {minutes['in the ground']:.0f} minutes" in words
    assert f"brings that to {minutes['with a third carrier']:.0f}." in words
    assert f"bring it to {minutes['with a second duct']} minutes" in words
    assert f"both together for {figures.shared_minutes(20, 0):.1f} minutes" in words
    assert f"down for {figures.shared_minutes(20, 1):.0f} minutes a year" in words
    assert round(figures.shared_minutes(20, 10) / 60) == 2
    assert "one in 438" in words
    assert 8_760 / 20 == 438


def test_the_timers_on_the_page_are_those_of_the_lab():
    words = page()
    assert round(connections.master_down_interval(1, 100), 1) == 3.6
    assert "3.6 seconds" in words
    assert "every 3.5 days" in figures.detection(300, 3, 1).alt
    assert "every three and a half days" in words
    assert "every 64 years" in figures.detection(200, 5, 1).alt
    assert "every 64 years" in words
    hours = [figures.flapping_link(hold, 1).alt for hold in (0, 60)]
    assert ["117.9 failovers" in hours[0], "7.1 failovers" in hours[1]] == [True, True]
    assert "turns 118 failovers an hour into 7" in words
