"""Matching exercises: each item gets the letter of what belongs to it. They need no programming."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping, Sequence

from labs.teaching.exercise import Answer, Exercise, Part
from labs.teaching.hints import Hints
from labs.teaching.report import Failed

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def matching(
    identifier: str,
    title: str,
    *,
    part: str,
    choices: Sequence[str],
    answers: Mapping[str, str],
    nudges: Mapping[str, str],
    item: str,
    claim: str,
    missing: str,
    nudge: str,
    concept: str,
    next_step: str,
    mismatch: str = "it was matched with the letter {letter}",
) -> Exercise:
    """Make an exercise in which each of a few items is matched with a letter, used once.

    Args:
        identifier: ``part.lesson.name``.
        title: Names the goal, in a few words.
        part: The name of the dictionary that the learner fills in.
        choices: What the letters a, b, c … stand for, in that order.
        answers: For each item the letter that belongs to it.
        nudges: For each item what helps when its letter is wrong.
        item: What an item is, in one word; its plural takes an s or, after x, es.
        claim: What holds when an item has its letter; ``{}`` stands for the item.
        missing: What an item lacks that has another letter.
        nudge: The first hint.
        concept: The second hint.
        next_step: What to do after success, one sentence.
        mismatch: What happened to an item with another letter; it may use ``{letter}`` and
            ``{choice}``.

    Raises:
        ValueError: If the letters do not fit the choices, or an item has no nudge.
    """
    letters = string.ascii_lowercase[: len(choices)]
    if sorted(answers.values()) != list(letters) or set(nudges) != set(answers):
        raise ValueError(f"{identifier}: each of {letters} must be used once, with a nudge")
    items = item + ("es" if item.endswith("x") else "s")
    count = _NUMBERS[len(answers)]
    # In the weak answer every item has the letter after its own, so that each is wrong.
    after = dict(zip(letters, letters[1:] + letters[0], strict=True))
    exercise = Exercise(
        identifier,
        title,
        parts=[Part(part, value=dict)],
        starter="\n".join(
            [
                *(f"# {letter}: {what}" for letter, what in zip(letters, choices, strict=True)),
                *_filled(part, dict.fromkeys(answers, "?")),
            ]
        ),
        weak={part: {name: after[letter] for name, letter in answers.items()}},
        reference={part: dict(answers)},
        hints=Hints(
            nudge=nudge,
            concept=concept,
            place="The letter between the last two quotation marks of each line.",
            solution="\n".join(_filled(part, answers)),
        ),
        next_step=next_step,
    )

    def one(name: str) -> Callable[[Answer, random.Random], None]:
        def check(answer: Answer, _rng: random.Random) -> None:
            chosen = getattr(answer, part).get(name)
            letter = chosen.strip().lower() if isinstance(chosen, str) else ""
            if letter != answers[name]:
                known = len(letter) == 1 and letter in letters
                choice = choices[letters.index(letter)] if known else ""
                raise Failed(
                    given=f"the {item} “{name}”",
                    happened=mismatch.format(letter=letter, choice=choice)
                    if known
                    else f"it has no letter from a to {letters[-1]} yet",
                    missing=missing,
                    nudge=nudges[name],
                )

        return check

    for name in answers:
        exercise.attack(claim.format(name))(one(name))

    @exercise.honest(f"All {count} {items} are there")
    def _(answer: Answer, _rng: random.Random) -> None:
        left_out = [name for name in answers if name not in getattr(answer, part)]
        if left_out:
            raise Failed(
                given="your answer",
                happened=f"it leaves out “{left_out[0]}”",
                missing=f"a letter for each of the {count} {items}",
                nudge=f"Copy the {count} lines again and change only the letters.",
            )

    return exercise


def _filled(part: str, letters: Mapping[str, str]) -> list[str]:
    return [f"{part} = {{", *(f'    "{name}": "{x}",' for name, x in letters.items()), "}"]
