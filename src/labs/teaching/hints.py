"""Hints in four levels, from a nudge to the solution."""

from __future__ import annotations

from dataclasses import dataclass

from labs.teaching.rendering import Shown, escaped, inline, plain

LEVELS = ("nudge", "concept", "place", "solution")


@dataclass(frozen=True)
class Hint(Shown):
    """One hint: its level (1 to 4), the level's name and the text; the solution is code."""

    level: int
    name: str
    hint: str

    def html(self) -> str:
        """The hint as a note."""
        body = (
            f"<pre>{escaped(self.hint)}</pre>"
            if self.name == "solution"
            else f"<p>{inline(self.hint)}</p>"
        )
        return (
            f'<aside class="labs-hint" aria-label="Hint {self.level} of {len(LEVELS)}">'
            f"<p><strong>Hint {self.level} of {len(LEVELS)}: {self.name}</strong></p>{body}</aside>"
        )

    def text(self) -> str:
        """The hint for a terminal."""
        body = self.hint if self.name == "solution" else plain(self.hint)
        return f"Hint {self.level} of {len(LEVELS)}, {self.name}:\n{body}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """The four hints of an exercise; only the last one may contain the solution.

    Args:
        nudge: A question or a case to try.
        concept: The idea that is missing.
        place: Where in the code to work.
        solution: The source of a solution.
    """

    nudge: str
    concept: str
    place: str
    solution: str

    def __len__(self) -> int:
        return len(LEVELS)

    def level(self, level: int) -> Hint:
        """The hint of ``level`` 1 to 4.

        Raises:
            ValueError: For any other level.
        """
        if level not in range(1, len(LEVELS) + 1):
            raise ValueError(f"hint levels are 1 to {len(LEVELS)}, not {level!r}")
        name = LEVELS[level - 1]
        return Hint(level, name, getattr(self, name))
