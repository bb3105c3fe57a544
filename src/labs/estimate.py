"""What a simulation hands back: a mean with its 95% confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Z95 = 1.959963984540054
"""The two-sided 95% point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A simulated mean and its 95% confidence interval, in the unit of what was measured.

    A true value lies outside such an interval once in twenty runs, by design.

    >>> 0.5 in Estimate(mean=0.49, low=0.47, high=0.51)
    True
    """

    mean: float
    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2

    @classmethod
    def around(cls, mean: float, standard_error: float) -> Estimate:
        """The normal interval around ``mean``."""
        return cls(mean, mean - Z95 * standard_error, mean + Z95 * standard_error)

    @classmethod
    def of_mean(cls, samples: NDArray[np.float64]) -> Estimate:
        """The mean of independent samples (at least two)."""
        return cls.around(
            float(samples.mean()), float(samples.std(ddof=1)) / math.sqrt(samples.size)
        )

    @classmethod
    def of_share(cls, hits: int, trials: int) -> Estimate:
        """The share of ``hits`` in ``trials``, with Wilson's interval, which is right near 0 and 1.

        Source: E. B. Wilson, "Probable inference, the law of succession, and statistical
        inference", JASA 22 (1927).

        >>> interval = Estimate.of_share(0, 100)
        >>> interval.low, round(interval.high, 4)
        (0.0, 0.037)
        """
        share = hits / trials
        scale = 1 + Z95**2 / trials
        center = (share + Z95**2 / (2 * trials)) / scale
        reach = Z95 * math.sqrt(share * (1 - share) / trials + (Z95 / (2 * trials)) ** 2) / scale
        low = 0.0 if hits == 0 else center - reach
        high = 1.0 if hits == trials else center + reach
        return cls(share, low, high)
