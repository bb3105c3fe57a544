"""Checks of arguments, so that every lab refuses bad input in the same clear sentence.

Rules: an ``int`` argument takes what has ``__index__`` but not ``bool``; a ``float`` argument takes
any real number but not ``bool``; not a number and infinity are out of domain.
"""

from __future__ import annotations

import math
from numbers import Real
from operator import index
from typing import Any


def _sentence(name: str, got: object, takes: str) -> str:
    return f"{name} must be {takes}, not {got!r}"


def whole(name: str, value: Any, *, low: int | None = None, high: int | None = None) -> int:
    """``value`` as an ``int`` within ``low`` to ``high``, both included.

    Raises:
        TypeError: If it is not a whole number (``bool`` and ``3.0`` are not).
        ValueError: If it is out of range.

    >>> whole("people", 3, low=0)
    3
    >>> whole("people", -1, low=0)
    Traceback (most recent call last):
    ...
    ValueError: people must be a whole number of at least 0, not -1
    """
    takes = "a whole number" + _range(low, high)
    if isinstance(value, bool):
        raise TypeError(_sentence(name, value, takes))
    try:
        number = index(value)
    except TypeError:
        raise TypeError(_sentence(name, value, takes)) from None
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(_sentence(name, value, takes))
    return number


def real(
    name: str,
    value: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """``value`` as a finite ``float``: ``low``/``high`` included, ``above``/``below`` excluded.

    Raises:
        TypeError: If it is not a real number (``bool`` is not).
        ValueError: If it is NaN, infinite or out of range.

    >>> real("rate", 0, above=0)
    Traceback (most recent call last):
    ...
    ValueError: rate must be a number above 0, not 0
    """
    takes = "a number" + _range(low, high, above, below)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(_sentence(name, value, takes))
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(_sentence(name, value, takes)) from None
    out = (
        not math.isfinite(number)
        or (low is not None and number < low)
        or (high is not None and number > high)
        or (above is not None and number <= above)
        or (below is not None and number >= below)
    )
    if out:
        raise ValueError(_sentence(name, value, takes))
    return number


def fraction(name: str, value: Any) -> float:
    """``value`` as a probability or availability, 0 to 1, both included.

    Raises:
        TypeError: If it is not a real number.
        ValueError: If it is outside 0 to 1.
    """
    return real(name, value, low=0, high=1)


def text(name: str, value: Any) -> str:
    """``value`` as ``str``.

    Raises:
        TypeError: If it is anything else.
    """
    if not isinstance(value, str):
        raise TypeError(_sentence(name, value, "text"))
    return value


def _range(
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    words = [
        f"{word} {bound}"
        for word, bound in (
            ("of at least", low),
            ("above", above),
            ("of at most", high),
            ("below", below),
        )
        if bound is not None
    ]
    return " " + " and ".join(words) if words else ""
