"""Exercises: the learner hands in an answer, attacks and honest use decide.

An exercise is a list of checks. An **attack** check must succeed against the weak version and
fail against a good fix; an **honest** check must hold on both. A check looks at effects (what
leaked, what changed, what was lost, who was locked out) and never at the text of an answer.

    >>> from labs.teaching import Exercise, Failed, Hints, Part
    >>> double = Exercise(
    ...     "example.double", "Double a number", parts=[Part("double", returns=int)],
    ...     starter="def double(n): ...", weak={"double": lambda n: n},
    ...     reference={"double": lambda n: 2 * n},
    ...     hints=Hints(nudge="Think of 3.", concept="Doubling adds a number to itself.",
    ...                 place="The `return` line.", solution="return 2 * n"))
    >>> @double.attack("Three becomes six")
    ... def _(answer, rng):
    ...     if answer.double(3) != 6:
    ...         raise Failed(given="3", happened=f"{answer.double(3)} came back",
    ...                      missing="doubling", nudge="What is 3 and 3?")
    >>> print(double.check(lambda n: n + 3))
    Double a number: holds. 1 of 1 checks hold.
      [holds] Three becomes six
"""

from __future__ import annotations

import os
import random
import reprlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from labs.teaching import isolation, progress
from labs.teaching.hints import Hint, Hints
from labs.teaching.report import Failed, Finding, Report

Kind = Literal["attack", "honest"]

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxtuple = 4


def learner() -> str:
    """Who is learning: ``LABS_LEARNER``, or ``"book"``. It seeds the random cases of checks."""
    return os.environ.get("LABS_LEARNER", "book")


def shown(value: object) -> str:
    """``value`` as a short code span for a report, whatever its ``repr`` does."""
    try:
        text = _SHORT.repr(value)
    except Exception:
        text = f"a {type(value).__name__} that cannot be shown"
    return f"`{text}`" if "`" not in text else text


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that an answer consists of: a function, or a value.

    Args:
        name: The name that the learner's code uses.
        returns: For a function, the type of what it must return; ``object`` for anything.
        value: For a value, the type that it must have; ``None`` for a function.
    """

    name: str
    returns: type | tuple[type, ...] = object
    value: type | tuple[type, ...] | None = None


class AnswerBroke(Exception):  # noqa: N818 - reads as what happened
    """The answer raised, or returned the wrong type: there is nothing to judge."""

    def __init__(self, *, given: str, happened: str, nudge: str) -> None:
        super().__init__(happened)
        self.given = given
        self.happened = happened
        self.nudge = nudge


@dataclass(frozen=True, slots=True)
class Outcome:
    """What calling a part came to: a value, or the exception it raised."""

    value: Any = None
    raised: Exception | None = None


class Call:
    """A function of the answer, watched: errors and wrong types become findings."""

    def __init__(self, part: Part, function: Callable[..., Any], guard: isolation.Guard) -> None:
        self._part = part
        self._function = function
        self._guard = guard

    def _given(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str:
        inside = [shown(a).strip("`") for a in arguments]
        inside += [f"{key}={shown(value).strip('`')}" for key, value in named.items()]
        text = f"{self._part.name}({', '.join(inside)})"
        return f"`{text}`" if "`" not in text else text

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function.

        Raises:
            AnswerBroke: If it raised or returned a value of the wrong type.
        """
        outcome = self.outcome(*arguments, **named)
        if outcome.raised is None:
            return outcome.value
        error = outcome.raised
        detail = _one_line(error)
        raise AnswerBroke(
            given=self._given(arguments, named),
            happened=f"it raised {type(error).__name__}" + (f": {detail}" if detail else ""),
            nudge="Call it with these arguments in a cell of your own and read the whole error.",
        ) from error

    def outcome(self, *arguments: Any, **named: Any) -> Outcome:
        """Call the function where raising may be right; errors come back in the outcome."""
        try:
            value = self._function(*arguments, **named)
        except (KeyboardInterrupt, isolation.DeadlineExceeded):
            raise
        except Exception as error:
            self._guard.check()
            return Outcome(raised=error)
        except BaseException as error:  # SystemExit, GeneratorExit: an answer may not end the lab
            self._guard.check()
            return Outcome(raised=RuntimeError(f"tried to end Python ({type(error).__name__})"))
        self._guard.check()
        wanted = self._part.returns
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is int):
            raise AnswerBroke(
                given=self._given(arguments, named),
                happened=f"it returned {shown(value)}, a `{type(value).__name__}`",
                nudge=f"Return a {_type_name(wanted)}.",
            )
        return Outcome(value=value)


class Answer:
    """The learner's answer: each part is an attribute, functions are watched."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:  # only for type checkers: parts are set above
        raise AttributeError(f"this exercise has no part called {name!r}")


@dataclass(frozen=True, slots=True)
class Check:
    """One claim about an answer, with the code that tests it."""

    claim: str
    kind: Kind
    run: Callable[[Answer, random.Random], None]
    weak: Mapping[str, Any]


class Exercise:
    """One exercise of a lab.

    Args:
        id: ``part.lesson.name``.
        title: Names the goal, in a few words.
        parts: What an answer consists of, in the order that :meth:`check` takes it.
        starter: The source that the learner starts from; it must run and not be accepted.
        weak: A weak version of every part: what attacks succeed against.
        reference: A good version of every part.
        hints: The four levels of help.
        next_step: What to do after success, one sentence.
        seconds: Longest time one call may take, in seconds.
        starting: Says, for the unchanged starter, what to do next.
    """

    def __init__(
        self,
        id: str,
        title: str,
        *,
        parts: Sequence[Part],
        starter: str,
        weak: Mapping[str, Any],
        reference: Mapping[str, Any],
        hints: Hints,
        next_step: str = "",
        seconds: float = 4.0,
    ) -> None:
        self.id = id
        self.title = title
        self.parts = tuple(parts)
        self.starter = starter
        self.weak = weak
        self.reference = reference
        self.hints = hints
        self.next_step = next_step
        self.seconds = seconds
        self.checks: list[Check] = []
        self._hint_level = 0
        names = {part.name for part in self.parts}
        for version in (weak, reference):
            if set(version) != names:
                raise ValueError(f"{id}: a version has the parts {sorted(version)}, not {names}")

    def attack(
        self, claim: str, *, weak: Mapping[str, Any] | None = None
    ) -> Callable[[Callable[[Answer, random.Random], None]], Callable[..., None]]:
        """Add a check that attacks the answer; ``claim`` is what holds when the attack fails.

        Args:
            claim: What is true of a good answer, in one sentence without a full stop.
            weak: The weak version that this attack succeeds against, if not the exercise's.
        """
        return self._add("attack", claim, self.weak if weak is None else weak)

    def honest(
        self, claim: str
    ) -> Callable[[Callable[[Answer, random.Random], None]], Callable[..., None]]:
        """Add a check of honest use, which must hold on weak and good versions alike."""
        return self._add("honest", claim, self.weak)

    def _add(
        self, kind: Kind, claim: str, weak: Mapping[str, Any]
    ) -> Callable[[Callable[[Answer, random.Random], None]], Callable[..., None]]:
        def keep(run: Callable[[Answer, random.Random], None]) -> Callable[..., None]:
            self.checks.append(Check(claim, kind, run, weak))
            return run

        return keep

    def check(self, *answer: Any, seed: str | None = None) -> Report:
        """Judge an answer. Never raises for what the answer does.

        Args:
            answer: The parts, in the exercise's order.
            seed: Seeds the random cases; by default it belongs to the learner and the exercise.

        Returns:
            The report. When it is accepted, the learner's progress says so.
        """
        report = self.judge(self.checks, answer, seed=seed)
        if report.accepted:
            progress.record(self.id, "solved")
        else:
            progress.record(self.id, "tried")
        return report

    def grade(self, *answer: Any) -> Report:
        """Judge an answer on a fresh seed that nobody could prepare for; records nothing."""
        return self.judge(self.checks, answer, seed=secrets.token_hex(16))

    def judge(
        self, checks: Sequence[Check], answer: Sequence[Any], *, seed: str | None = None
    ) -> Report:
        """Judge an answer by some of the checks, and record nothing."""
        problem = self._problem(answer)
        if problem:
            findings = [problem] + [Finding(check.claim, None) for check in checks]
            return self._report(findings)
        seed = learner() if seed is None else seed
        # Made out here: a child that looked at all modules would copy the memory they lie in.
        guard = isolation.guard(f"labs.{self.id.rpartition('.')[0]}")

        def work(send: isolation.Send) -> None:
            watched = Answer(
                {
                    part.name: Call(part, given, guard) if part.value is None else given
                    for part, given in zip(self.parts, answer, strict=True)
                }
            )
            for number, check in enumerate(checks):
                send({"event": "start", "check": number})
                finding = self._run(check, watched, guard, f"{seed}/{self.id}/{check.claim}")
                send({"event": "finding", **finding})
                if finding.get("stop"):
                    break

        messages, printed = isolation.run(work, seconds=self.seconds)
        return self._report(self._findings(checks, messages), printed)

    def _problem(self, answer: Sequence[Any]) -> Finding | None:
        """What keeps the answer from being run at all."""
        call = f"check({', '.join(part.name for part in self.parts)})"
        if len(answer) != len(self.parts):
            return Finding(
                "The answer is complete",
                False,
                given=f"{len(answer)} of {len(self.parts)} parts",
                happened="nothing was run",
                missing=f"an answer with {_count(len(self.parts), 'part')}",
                nudge=f"Hand in `{call}`.",
            )
        for part, given in zip(self.parts, answer, strict=True):
            wanted = "a function" if part.value is None else f"a {_type_name(part.value)}"
            fits = callable(given) if part.value is None else isinstance(given, part.value)
            if not fits:
                return Finding(
                    "The answer has the right shape",
                    False,
                    given=f"`{part.name}` = {shown(given)}",
                    happened="nothing was run",
                    missing=f"{wanted} called `{part.name}`",
                    nudge=f"Make `{part.name}` {wanted}, then run `{call}` again.",
                )
        return None

    @staticmethod
    def _run(check: Check, answer: Answer, guard: isolation.Guard, seed: str) -> dict[str, Any]:
        rng = random.Random(sha256(seed.encode()).digest())
        try:
            check.run(answer, rng)
            guard.check()
        except Failed as failed:
            return {
                "passed": False,
                "given": failed.given,
                "happened": failed.happened,
                "missing": failed.missing,
                "nudge": failed.nudge,
            }
        except AnswerBroke as broke:
            return {
                "passed": False,
                "given": broke.given,
                "happened": broke.happened,
                "missing": "an answer that comes back with a result",
                "nudge": broke.nudge,
                "stop": True,
            }
        except isolation.Tampering as tampering:
            return {
                "passed": False,
                "given": "your answer, run once",
                "happened": f"it replaced {', '.join(f'`{name}`' for name in tampering.names[:3])}",
                "missing": "an answer that leaves the checker alone",
                "nudge": "Solve it inside your own functions; the replaced parts were put back.",
                "stop": True,
            }
        return {"passed": True}

    def _findings(
        self, checks: Sequence[Check], messages: Sequence[Mapping[str, Any]]
    ) -> list[Finding]:
        findings: list[Finding] = []
        trouble = ""
        for message in messages:
            if message["event"] == "finding":
                known = {k: v for k, v in message.items() if k not in ("event", "stop")}
                findings.append(Finding(claim=checks[len(findings)].claim, **known))
            elif message["event"] in ("timeout", "died"):
                trouble = message["event"]
        if trouble and len(findings) < len(checks):
            happened, nudge = {
                "timeout": (
                    f"it was still running after {self.seconds:g} seconds and was stopped",
                    "Look for a loop that never ends, or a cost far above what is asked.",
                ),
                "died": (
                    "it ended the Python process that ran it",
                    "Let your functions return; do not end Python or use up its memory.",
                ),
            }[trouble]
            findings.append(
                Finding(
                    claim=checks[len(findings)].claim,
                    passed=False,
                    given="your answer, called by this check",
                    happened=happened,
                    missing="an answer that comes back with a result",
                    nudge=nudge,
                )
            )
        return findings + [Finding(check.claim, None) for check in checks[len(findings) :]]

    def _report(self, findings: Sequence[Finding], printed: str = "") -> Report:
        return Report(self.id, self.title, tuple(findings), self.next_step, printed)

    def hint(self, level: int | None = None) -> Hint:
        """The next hint, or the hint of a level: 1 nudge, 2 concept, 3 place, 4 solution.

        Raises:
            ValueError: If ``level`` is not 1 to 4.
        """
        if level is None:
            level = min(self._hint_level + 1, len(self.hints))
        hint = self.hints.level(level)
        self._hint_level = level
        progress.record(self.id, "hinted")
        return hint

    def reset(self) -> None:
        """Start over: the next hint is the first one again."""
        self._hint_level = 0


def _one_line(error: Exception) -> str:
    try:
        lines = str(error).splitlines()
    except Exception:
        return "an error that cannot be shown"
    return lines[0][:200] if lines else ""


def _type_name(types: type | tuple[type, ...]) -> str:
    names = {str: "text", bool: "`True` or `False`", int: "whole number", float: "number"}
    several = types if isinstance(types, tuple) else (types,)
    return " or ".join(names.get(one, f"`{one.__name__}`") for one in several)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
