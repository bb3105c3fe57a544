"""Chance at work on anycast: queries that are answered or lost, one by one, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from labs.arguments import fraction, real, whole
from labs.estimate import Estimate

MOST_DRAWS = 5_000_000


def simulate_any_answer(
    probabilities: Iterable[float], *, lookups: int = 200_000, seed: int
) -> Estimate:
    """The share of look-ups in which at least one try is answered.

    Raises:
        ValueError: If an argument is out of range.

    >>> 0.271 in simulate_any_answer([0.1, 0.1, 0.1], seed=1)
    True
    """
    chances = np.array([fraction("probabilities", value) for value in probabilities])
    if not 1 <= chances.size <= 20:
        raise ValueError(f"probabilities must hold 1 to 20 tries, not {chances.size}")
    size = whole("lookups", lookups, low=100, high=MOST_DRAWS // chances.size)
    random = np.random.default_rng(whole("seed", seed, low=0))
    answered = (random.random((size, chances.size)) < chances).any(axis=1)
    return Estimate.of_share(int(answered.sum()), size)


def simulate_served(
    capacity: Mapping[str, float],
    legitimate: Mapping[str, float],
    attack: Mapping[str, float],
    *,
    seconds: int = 2_000,
    seed: int,
) -> Estimate:
    """The share of honest queries answered by sites that absorb, second by second.

    Each second brings a Poisson number of honest and of hostile queries; a site answers as many as
    it can, picked blindly. Numbers are queries a second, so that a site's chance fluctuations are
    those of a real queue.

    Raises:
        ValueError: If an argument is out of range.

    >>> sites = {"A": 1000, "B": 200}, {"A": 300, "B": 100}, {"A": 300, "B": 900}
    >>> 0.8 in simulate_served(*sites, seed=1)
    True
    """
    length = whole("seconds", seconds, low=100, high=1_000_000)
    random = np.random.default_rng(whole("seed", seed, low=0))
    if not capacity:
        raise ValueError("capacity must name at least one site, not none")
    for name in (*legitimate, *attack):
        if name not in capacity:
            raise ValueError(f"loads must name known sites, not {name!r}")
    asked = np.zeros(length)
    answered = np.zeros(length)
    for site, most in capacity.items():
        room = int(real(f"capacity of {site}", most, low=0, high=1e8))
        honest = random.poisson(
            real(f"legitimate load of {site}", legitimate.get(site, 0), low=0, high=1e8), length
        )
        hostile = random.poisson(
            real(f"attack load of {site}", attack.get(site, 0), low=0, high=1e8), length
        )
        picked = np.minimum(room, honest + hostile)
        asked += honest
        answered += random.hypergeometric(honest, hostile, picked)
    if asked.sum() == 0:
        raise ValueError("legitimate must hold some traffic, not none")
    ratio = float(answered.sum() / asked.sum())
    spread = float((answered - ratio * asked).std(ddof=1))
    return Estimate.around(ratio, spread / (length**0.5 * float(asked.mean())))
