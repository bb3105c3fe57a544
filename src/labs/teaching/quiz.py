"""Questions with radio buttons: predictions before a reveal, and quizzes after it.

The HTML needs no script: feedback appears by a style rule when its option is chosen, so it works
in JupyterLab, in the book, and with scripts off, by keyboard and with a screen reader.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

from labs.teaching import progress
from labs.teaching.rendering import Shown, escaped, inline, plain


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its text, what choosing it teaches, and whether it is right."""

    label: str
    feedback: str
    correct: bool = False


@dataclass(frozen=True)
class Feedback(Shown):
    """What a chosen option says."""

    letter: str
    option: Option

    def html(self) -> str:
        """The feedback as a paragraph."""
        return (
            f'<p class="labs-feedback"><strong>{self.letter}. {inline(self.option.label)}</strong> '
            f"{inline(self.option.feedback)}</p>"
        )

    def text(self) -> str:
        """The feedback for a terminal."""
        return f"{self.letter}. {plain(self.option.label)}: {plain(self.option.feedback)}"


@dataclass(frozen=True)
class Quiz(Shown):
    """One question with options; ``prediction`` marks a guess made before the reveal.

    Args:
        id: ``part.lesson.name``, under which the answer is kept in the learner's progress.
        question: One question.
        options: Two to six options. Exactly one is correct.
        prediction: Whether it is asked before the learner can know.

    Raises:
        ValueError: If there are not two to six options, or not exactly one is correct.
    """

    id: str
    question: str
    options: Sequence[Option]
    prediction: bool = False

    def __post_init__(self) -> None:
        if not 2 <= len(self.options) <= 6:
            raise ValueError(f"{self.id}: a question has 2 to 6 options, not {len(self.options)}")
        if sum(option.correct for option in self.options) != 1:
            raise ValueError(f"{self.id}: exactly one option must be correct")

    def answer(self, letter: str) -> Feedback:
        """Choose an option by its letter; the choice counts in your progress.

        Raises:
            ValueError: If there is no such option.
        """
        letters = string.ascii_lowercase[: len(self.options)]
        chosen = letter.strip().lower() if isinstance(letter, str) else ""
        if len(chosen) != 1 or chosen not in letters:
            raise ValueError(f"choose one of {', '.join(letters)}, not {letter!r}")
        option = self.options[letters.index(chosen)]
        done = option.correct or self.prediction
        progress.record(self.id, "solved" if done else "tried")
        return Feedback(chosen, option)

    def html(self) -> str:
        """A fieldset of radio buttons, each with its feedback."""
        name = f"labs-{self.id.replace('.', '-').replace('_', '-')}"
        kind = "Predict" if self.prediction else "Question"
        rows = []
        for letter, option in zip(string.ascii_lowercase, self.options, strict=False):
            right = "right" if option.correct else "other"
            rows.append(
                f'<div class="labs-option"><input type="radio" name="{name}" id="{name}-{letter}" '
                f'value="{letter}" data-{right}>'
                f'<label for="{name}-{letter}">{inline(option.label)}</label>'
                f'<p class="labs-feedback" role="status">{inline(option.feedback)}</p></div>'
            )
        return (
            f'<fieldset class="labs-quiz" data-quiz="{escaped(self.id)}" '
            f'data-kind="{"prediction" if self.prediction else "quiz"}">'
            f"<legend><strong>{kind}.</strong> {inline(self.question)}</legend>"
            f"{''.join(rows)}</fieldset>"
        )

    def text(self) -> str:
        """The question for a terminal, with how to answer."""
        kind = "Predict" if self.prediction else "Question"
        lines = [f"{kind}: {plain(self.question)}"]
        lines += [
            f"  {letter}. {plain(option.label)}"
            for letter, option in zip(string.ascii_lowercase, self.options, strict=False)
        ]
        return "\n".join([*lines, 'Answer with .answer("a") and so on.'])
