"""What a lesson says about itself: the one description that book, tests and schedule read."""

from __future__ import annotations

from dataclasses import dataclass

AUDIENCES = ("customers", "staff", "builders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """The metadata of one lesson, kept as ``LESSON`` in the lesson's package.

    Args:
        title: The title that page and notebook carry.
        promises: Ids of the promises in ``promises.toml`` that the lesson tests, such as ``"A2"``.
        minutes_to_teach: Minutes an instructor needs to present it.
        minutes_to_do: Minutes a newcomer needs for the lab.
        audience: Whom it is for: any of ``customers``, ``staff``, ``builders``.
        terms: Glossary entries that the lesson explains.
        builds_on: Lessons to do before, as ``"part.lesson"``.
        beyond_the_page: What a browser cannot run in this lab, in plain words; empty when
            everything runs in the page.

    Raises:
        ValueError: If minutes are not positive, or an audience is unknown.
    """

    title: str
    promises: tuple[str, ...]
    minutes_to_teach: int
    minutes_to_do: int
    audience: tuple[str, ...]
    terms: tuple[str, ...]
    builds_on: tuple[str, ...] = ()
    beyond_the_page: str = ""

    def __post_init__(self) -> None:
        if self.minutes_to_teach <= 0 or self.minutes_to_do <= 0:
            raise ValueError(f"minutes of {self.title!r} must be positive")
        unknown = set(self.audience) - set(AUDIENCES)
        if unknown:
            raise ValueError(f"unknown audience {sorted(unknown)}; known are {list(AUDIENCES)}")
