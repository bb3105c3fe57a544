"""The checker itself is tested: what it accepts, refuses, survives and says."""

import gc
import hmac
import os
import re
import sys
import time
import types
from pathlib import Path

import pytest
from contract import HOSTILE, Answers, Contract

import labs
from labs import registry
from labs.attacks.passwords import model
from labs.browser.cookies import CookieJar
from labs.teaching import Exercise, Failed, Hints, Part, Report, isolation, matching, progress


def add_weak(a: int, b: int) -> int:
    return a + b if a < 1000 else a


def add(a: int, b: int) -> int:
    return a + b


SOLUTION = "def add(first_number, second_number):\n    return first_number + second_number"


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))


@pytest.fixture
def exercise() -> Exercise:
    made = Exercise(
        "example.sums.add",
        "Add two numbers",
        parts=[Part("add", returns=int)],
        starter="def add(a, b):\n    return 0\n",
        weak={"add": add_weak},
        reference={"add": add},
        hints=Hints(
            nudge="What is 1,000 and 1?",
            concept="Sums have no limit.",
            place="The `return` line.",
            solution=SOLUTION,
        ),
    )

    @made.honest("Small sums are right")
    def _(answer, rng):
        a, b = rng.randrange(9), rng.randrange(9)
        if answer.add(a, b) != a + b:
            raise Failed(
                given=f"`{a}` and `{b}`",
                happened="another sum came back",
                missing="adding",
                nudge="Start with one and one.",
            )

    @made.attack("Large sums are right")
    def _(answer, rng):
        a = rng.randrange(1000, 9999)
        if answer.add(a, 1) != a + 1:
            raise Failed(
                given=f"`{a}` and `1`",
                happened=f"`{answer.add(a, 1)}` came back",
                missing="sums above 1,000",
                nudge="Is there a limit?",
            )

    return made


def test_a_right_answer_is_accepted_and_counts_as_solved(exercise):
    assert exercise.check(add).accepted
    assert progress.load()["example.sums.add"]["state"] == "solved"


def test_a_wrong_answer_says_what_is_missing_and_counts_as_tried(exercise):
    report = exercise.check(add_weak)
    assert not report.accepted
    assert "missing:  sums above 1,000" in report.text()
    assert report.text().count("Try this:") == 1
    assert progress.load()["example.sums.add"]["state"] == "tried"


def test_solved_never_goes_back_to_tried(exercise):
    exercise.check(add)
    exercise.check(add_weak)
    assert progress.load()["example.sums.add"]["state"] == "solved"


def test_learners_get_different_cases_and_one_learner_the_same(exercise, monkeypatch):
    def cases(name):
        monkeypatch.setenv("LABS_LEARNER", name)
        return exercise.check(lambda _a, _b: 0).text()

    assert cases("maja") == cases("maja")
    assert cases("maja") != cases("olle")


def test_grading_draws_cases_that_nobody_could_prepare_for(exercise):
    reports = {exercise.grade(add_weak).findings[1].given for _ in range(4)}
    assert len(reports) > 1


@pytest.fixture
def no_collector():
    """No collection where the stack is full: Hypothesis is called at each, and would not fit."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("way", ["in a child", "under a timer", "watched"])
@pytest.mark.parametrize("name", [n for n in HOSTILE if n not in ("loops in C", "dies")])
def test_hostile_answers_are_reported_in_every_way_of_running(exercise, name, way, monkeypatch):
    monkeypatch.setattr(isolation, "can_fork", lambda: way == "in a child")
    if way == "watched":
        monkeypatch.setattr(isolation, "has_timer", lambda: False)
    monkeypatch.setattr(exercise, "seconds", 0.4)
    started = time.monotonic()
    report = exercise.judge(exercise.checks, [HOSTILE[name]])
    assert time.monotonic() - started < 3
    assert not report.accepted
    assert report.findings[1].passed is None


@pytest.mark.skipif(not isolation.can_fork(), reason="needs a forked child")
@pytest.mark.parametrize("name", ["loops in C", "dies"])
def test_a_child_that_hangs_in_c_or_dies_is_reported(exercise, name, monkeypatch):
    monkeypatch.setattr(exercise, "seconds", 0.4)
    report = exercise.judge(exercise.checks, [HOSTILE[name]])
    assert not report.accepted


def test_a_sleeping_answer_is_ended_without_a_child(exercise, monkeypatch):
    monkeypatch.setattr(isolation, "can_fork", lambda: False)
    monkeypatch.setattr(exercise, "seconds", 0.3)
    started = time.monotonic()
    assert not exercise.judge(exercise.checks, [lambda _a, _b: time.sleep(30)]).accepted
    assert time.monotonic() - started < 3


def test_a_patched_checker_is_put_back(exercise, monkeypatch):
    monkeypatch.setattr(isolation, "can_fork", lambda: False)
    before = Exercise._run
    report = exercise.judge(exercise.checks, [HOSTILE["patches the checker"]])
    assert "leaves the checker alone" in report.text()
    assert Exercise._run is before


@pytest.mark.skipif(not isolation.can_fork(), reason="needs a forked child")
def test_what_an_answer_changes_in_a_child_stays_there(exercise):
    def patient(a, b):
        os.environ["LABS_CHANGED"] = "yes"
        return a + b

    assert exercise.judge(exercise.checks, [patient]).accepted
    assert "LABS_CHANGED" not in os.environ


def test_what_an_answer_prints_is_kept_up_to_a_bound(exercise):
    def loud(a, b):
        print("x" * 100_000)
        return a + b

    report = exercise.judge(exercise.checks, [loud])
    assert report.accepted
    assert 0 < len(report.printed) <= isolation.PRINTED_CHARACTERS


def test_true_is_not_a_whole_number(exercise):
    report = exercise.judge(exercise.checks, [lambda _a, _b: True])
    assert "Return a whole number." in report.text()


def test_hints_go_up_one_level_at_a_time_and_stay_at_the_last(exercise):
    assert [exercise.hint().name for _ in range(5)] == [
        "nudge", "concept", "place", "solution", "solution",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="1 to 4, not 5"):
        exercise.hint(5)


def test_reports_escape_what_comes_from_the_answer(exercise):
    report = exercise.judge(exercise.checks, [lambda _a, _b: "<img src=x onerror=alert(1)>"])
    assert "<img" not in report.html()


class TestTheHarnessOnAnExample:
    def test_it_fails_an_exercise_whose_weak_version_withstands_the_attack(self, exercise):
        table = Answers(exercise, wrong={}, other={})
        attack = exercise.checks[1]
        Contract().test_1_this_attack_succeeds_against_the_weak_version(table, attack)
        strong = type(attack)(attack.claim, "attack", attack.run, {"add": add})
        with pytest.raises(AssertionError, match="withstands"):
            Contract().test_1_this_attack_succeeds_against_the_weak_version(table, strong)

    def test_it_fails_when_a_wrong_fix_is_accepted(self, exercise):
        table = Answers(exercise, wrong={"right": ([add], "sum")}, other={})
        with pytest.raises(AssertionError):
            Contract().test_4_this_wrong_fix_is_rejected_with_its_own_message(table, "right")

    def test_it_fails_when_an_early_hint_gives_the_solution_away(self, exercise):
        exercise.hints = Hints(nudge=SOLUTION, concept="c", place="p", solution=SOLUTION)
        with pytest.raises(AssertionError):
            Contract().test_8_only_the_last_hint_contains_the_solution(
                Answers(exercise, wrong={}, other={})
            )


class TestMatching:
    def made(self, **changes):
        given = {
            "part": "pairs",
            "choices": ("hot", "cold"),
            "answers": {"sauna": "a", "sea": "b"},
            "nudges": {"sauna": "Think of steam.", "sea": "Think of ice."},
            "item": "place",
            "claim": "It is known how this is: {}",
            "missing": "how it is",
            "nudge": "Begin with the steam.",
            "concept": "Water has degrees.",
            "next_step": "Swim.",
        }
        return matching("example.heat.match", "Match", **(given | changes))

    def test_the_starter_shows_every_choice_and_every_item(self):
        assert self.made().starter == (
            '# a: hot\n# b: cold\npairs = {\n    "sauna": "?",\n    "sea": "?",\n}'
        )

    def test_each_wrong_letter_gets_the_nudge_of_its_own_item(self):
        report = self.made().judge(self.made().checks, [{"sauna": " A", "sea": "a"}])
        assert [finding.passed for finding in report.findings] == [True, False, True]
        assert report.first_failure.nudge == "Think of ice."
        assert report.first_failure.happened == "it was matched with the letter a"

    def test_an_item_that_is_left_out_is_named(self):
        report = self.made().judge(self.made().checks, [{"sauna": "a"}])
        assert "it leaves out “sea”" in report.text()

    def test_letters_that_do_not_fit_the_choices_are_refused(self):
        with pytest.raises(ValueError, match="must be used once"):
            self.made(answers={"sauna": "a", "sea": "a"})
        with pytest.raises(ValueError, match="with a nudge"):
            self.made(nudges={"sauna": "Think of steam."})


class TestGuard:
    """What an answer replaces is put back, however it hides."""

    @pytest.fixture
    def guard(self):
        return isolation.Guard("labs.attacks.passwords")

    def noticed(self, guard):
        with pytest.raises(isolation.Tampering) as caught:
            guard.check()
        guard.check()  # put back
        return caught.value.names

    def test_nothing_is_noticed_where_nothing_was_replaced(self, guard):
        guard.check()

    def test_what_claims_to_be_equal_is_noticed(self, guard):
        class Equal:
            def __call__(self, *_):
                return True

            def __eq__(self, _other):
                return True

            __hash__ = None

        before = hmac.compare_digest
        hmac.compare_digest = Equal()
        assert self.noticed(guard) == ["hmac.compare_digest"]
        assert hmac.compare_digest is before

    def test_what_is_gone_is_noticed_and_comes_back(self, guard):
        before = Report.html
        del Report.html
        assert [name.split(".")[-2:] for name in self.noticed(guard)] == [["Report", "html"]]
        assert Report.html is before

    def test_all_that_lessons_import_from_outside_the_lessons_is_watched(self):
        lessons = [entry.id for entry in registry.lessons()]
        root = Path(labs.__file__).parent
        sources = [f for one in lessons for f in root.joinpath(*one.split(".")).rglob("*.py")]
        assert len(sources) > 30
        text = "\n".join(file.read_text("utf-8") for file in sources)
        imported = set(re.findall(r"^(?:from|import) labs\.(\w+)", text, re.MULTILINE))
        assert imported - {one.split(".")[0] for one in lessons} == set(isolation._SHARED)

    def test_the_lesson_and_the_model_browser_are_watched(self, guard):
        for owner, name in ((model, "verify"), (CookieJar, "header")):
            before = vars(owner)[name]
            setattr(owner, name, lambda *_: None)
            assert any(found.endswith(f".{name}") for found in self.noticed(guard))
            assert vars(owner)[name] is before

    @pytest.mark.parametrize("change", ["function added", "function replaced", "module added"])
    def test_a_guard_is_kept_until_something_changes(self, change, monkeypatch):
        first = isolation.guard("labs.attacks.passwords")
        assert isolation.guard("labs.attacks.passwords") is first
        assert isolation.guard("labs.attacks.sql_injection") is not first
        module = types.ModuleType("labs.attacks.passwords.late")
        module.late = lambda: None
        owner, name = {
            "function added": (model, "late"),
            "function replaced": (model, "verify"),
            "module added": (module, "late"),
        }[change]
        if owner is module:
            monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(owner, name, lambda: None, raising=False)
        second = isolation.guard("labs.attacks.passwords")
        assert second is not first
        here = vars(owner)[name]
        setattr(owner, name, None)
        assert any(found.endswith(f".{name}") for found in self.noticed(second))
        assert vars(owner)[name] is here
