"""Chance in the spreading of a self-copying profile: many populations at once.

Each run is the Markov chain of :func:`model.spread_expected`, which gives the exact mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labs.arguments import whole
from labs.attacks.cross_site_scripting.model import infection_probability


@dataclass(frozen=True)
class Runs:
    """Carriers after each visit, over many runs.

    Attributes:
        mean: The mean of all runs, before the first visit and after each one.
        low: What 5% of the runs stay below.
        high: What 5% of the runs go above.
    """

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def spread(
    people: int, visits: int, *, bound: int | None = None, runs: int = 1_000, seed: int
) -> Runs:
    """Let a self-copying profile spread in many populations.

    Args:
        people: People with a profile, 2 to 1,000.
        visits: Visits, 0 to 2,000.
        bound: The script stops copying itself when so many carry it; ``None`` for no bound.
        runs: Populations, 1 to 10,000.
        seed: Seeds the visits.

    Raises:
        TypeError: If an argument is no whole number.
        ValueError: If one is out of range.
    """
    whole("people", people, low=2, high=1_000)
    whole("visits", visits, low=0, high=2_000)
    whole("runs", runs, low=1, high=10_000)
    most = people if bound is None else whole("bound", bound, low=1, high=people)
    chances = np.array([infection_probability(people, n) for n in range(people + 1)])
    chances[most:] = 0.0
    generator = np.random.default_rng(whole("seed", seed, low=0))
    carriers = np.ones(runs, dtype=np.int64)
    history = [carriers]
    for _ in range(visits):
        carriers = carriers + (generator.random(runs) < chances[carriers])
        history.append(carriers)
    table = np.stack(history)
    low, high = np.quantile(table, (0.05, 0.95), axis=1)
    return Runs(tuple(table.mean(axis=1).tolist()), tuple(low.tolist()), tuple(high.tolist()))
