"""Slowing guessing down, and what each brake does to the customer it is meant to protect.

Brakes with the same face: ``admit`` says whether an attempt is looked at, ``record`` tells
the brake how it ended. A trial lets one attacker guess at one account while its owner goes about
the day.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from labs.arguments import real, whole
from labs.traffic.intrusion.model import TokenBucket

DAY_S = 86_400


class Brake(Protocol):
    """Decides which login attempts are looked at."""

    def admit(self, account: str, address: str, at: float) -> bool:
        """Whether an attempt at that moment is looked at."""

    def record(self, account: str, address: str, at: float, *, success: bool) -> None:
        """How an admitted attempt ended."""


class NoBrake:
    """Every attempt is looked at."""

    def admit(self, account: str, address: str, at: float) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def record(self, account: str, address: str, at: float, *, success: bool) -> None:
        """Nothing to remember."""


class AccountLockout:
    """After so many failures in a row an account is closed for a while, for everyone.

    Anyone who knows the account's name can close it: the brake is also a weapon.

    Args:
        limit: Failures in a row that close the account.
        minutes: How long it stays closed.

    >>> brake = AccountLockout(limit=2, minutes=15)
    >>> for second in (0, 1):
    ...     brake.record("maja", "198.18.0.66", second, success=False)
    >>> brake.admit("maja", "198.18.0.1", 60)  # Maja herself, from her own address
    False
    """

    def __init__(self, limit: int, minutes: float) -> None:
        self.limit = whole("limit", limit, low=1)
        self.seconds = real("minutes", minutes, above=0) * 60
        self._failures: defaultdict[str, int] = defaultdict(int)
        self._closed_until: dict[str, float] = {}

    def admit(self, account: str, address: str, at: float) -> bool:  # noqa: ARG002
        """Whether the account is open."""
        return at >= self._closed_until.get(account, 0.0)

    def record(self, account: str, address: str, at: float, *, success: bool) -> None:  # noqa: ARG002
        """Count failures in a row; a success forgets them."""
        if success:
            self._failures[account] = 0
            return
        self._failures[account] += 1
        if self._failures[account] >= self.limit:
            self._failures[account] = 0
            self._closed_until[account] = at + self.seconds


class GrowingDelay:
    """Each failure doubles the wait, for that account from that address only.

    Args:
        first_s: Seconds to wait after the first failure.
        most_s: The longest wait.

    >>> brake = GrowingDelay(first_s=1, most_s=900)
    >>> brake.record("maja", "198.18.0.66", 0, success=False)
    >>> brake.admit("maja", "198.18.0.66", 0.5), brake.admit("maja", "198.18.0.1", 0.5)
    (False, True)
    """

    def __init__(self, first_s: float = 1.0, most_s: float = 900.0) -> None:
        self.first_s = real("first_s", first_s, above=0)
        self.most_s = real("most_s", most_s, low=self.first_s)
        self._failures: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._wait_until: dict[tuple[str, str], float] = {}

    def admit(self, account: str, address: str, at: float) -> bool:
        """Whether the wait of that pair is over."""
        return at >= self._wait_until.get((account, address), 0.0)

    def record(self, account: str, address: str, at: float, *, success: bool) -> None:
        """Double the wait, or forget it."""
        pair = account, address
        if success:
            self._failures.pop(pair, None)
            self._wait_until.pop(pair, None)
            return
        # Past sixty doublings the longest wait has long been reached.
        wait = self.first_s * 2.0 ** min(self._failures[pair], 60)
        self._failures[pair] += 1
        self._wait_until[pair] = at + min(wait, self.most_s)


class AddressLimit:
    """A token bucket for each address.

    Args:
        per_minute: Attempts that an address gets back each minute.
        burst: Attempts that it may make at once.
    """

    def __init__(self, per_minute: float, burst: float) -> None:
        self.rate = real("per_minute", per_minute, above=0) / 60
        self.burst = real("burst", burst, low=1)
        self._buckets: dict[str, TokenBucket] = {}

    def admit(self, account: str, address: str, at: float) -> bool:  # noqa: ARG002
        """Whether the address has a token left."""
        bucket = self._buckets.setdefault(address, TokenBucket(self.rate, self.burst))
        return bucket.allow(at)

    def record(self, account: str, address: str, at: float, *, success: bool) -> None:
        """Nothing to remember: tokens are taken when an attempt is admitted."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a service knows about an attempt to sign in, from the last 24 hours.

    Args:
        account: Failures at this account, from unknown devices.
        device: Failures at this account from this device, if it is known.
        address: Failures from this address, at any account, from unknown devices.
    """

    account: int = 0
    device: int = 0
    address: int = 0


def may_try_weak(known: bool, past: Past) -> bool:  # noqa: ARG001
    """Whether an attempt is looked at: five failures, whoever made them, close the account.

    >>> may_try_weak(True, Past(account=5))  # Maja, after a stranger's five failures
    False
    """
    return past.account + past.device < 5


def may_try(known: bool, past: Past) -> bool:
    """Whether an attempt is looked at: strangers and known devices are counted apart.

    >>> may_try(True, Past(account=5_000)), may_try(False, Past(account=5_000))
    (True, False)
    """
    if known:
        return past.device < 20
    return past.account < 50 and past.address < 80


class KnownDevices:
    """A limit for each account that counts strangers and known devices apart.

    A device is known once its owner has signed in from it: the server leaves a signed cookie
    there. Strangers can use up the strangers' share of an account and no more. (Here the address
    stands for the device.)

    Args:
        strangers: Failures a day after which no unknown device may try.
        own: Failures a day after which a known device may try no longer.
        known: Pairs of account and device that are known from before.

    >>> brake = KnownDevices(strangers=2, own=10, known=[("maja", "laptop")])
    >>> for second in (0, 1):
    ...     brake.record("maja", "198.18.0.66", second, success=False)
    >>> brake.admit("maja", "198.18.0.67", 60), brake.admit("maja", "laptop", 60)
    (False, True)
    """

    def __init__(
        self, *, strangers: int = 50, own: int = 20, known: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.strangers = whole("strangers", strangers, low=1)
        self.own = whole("own", own, low=1)
        self._known = set(known)
        self._failures: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def _counter(self, account: str, address: str) -> tuple[tuple[str, str], int]:
        pair = account, address
        return (pair, self.own) if pair in self._known else ((account, ""), self.strangers)

    def admit(self, account: str, address: str, at: float) -> bool:
        """Whether that counter has room; a day later each failure is forgotten."""
        counter, limit = self._counter(account, address)
        failures = self._failures[counter]
        while failures and failures[0] <= at - DAY_S:
            failures.popleft()
        return len(failures) < limit

    def record(self, account: str, address: str, at: float, *, success: bool) -> None:
        """Count a failure; a success makes the device known."""
        if success:
            self._known.add((account, address))
            return
        counter, _ = self._counter(account, address)
        self._failures[counter].append(at)


@dataclass(frozen=True, slots=True)
class Trial:
    """A day of guessing at one account: what the attacker got, and what its owner got."""

    guesses_admitted: int
    guesses: int
    owner_logins: int
    owner_refused: int


def trial(
    brake: Brake,
    *,
    guesses_per_minute: float = 20,
    addresses: int = 1,
    owner_attempts: int = 12,
    hours: float = 24,
    seed: int,
) -> Trial:
    """Let someone guess at an account while its owner logs in now and then.

    Args:
        brake: A fresh brake.
        guesses_per_minute: How fast the attacker guesses, at most 600.
        addresses: From how many addresses, in turn.
        owner_attempts: How often the owner wants to log in, from one address; one time in ten
            with a slip first. Who is refused tries again ten minutes later, five times at most.
        hours: How long it goes on, at most 72.
        seed: The same seed gives the same day.

    Raises:
        ValueError: If an argument is out of range.

    >>> day = trial(AccountLockout(limit=5, minutes=15), seed=1)
    >>> day.guesses_admitted < 500, day.owner_refused > day.owner_logins
    (True, True)
    >>> day = trial(GrowingDelay(), seed=1)
    >>> day.guesses_admitted < 500, day.owner_refused
    (True, 0)
    """
    per_minute = real("guesses_per_minute", guesses_per_minute, above=0, high=600)
    bots = whole("addresses", addresses, low=1, high=100_000)
    visits = whole("owner_attempts", owner_attempts, low=0, high=1000)
    end = real("hours", hours, above=0, high=72) * 3600
    draw = random.Random(whole("seed", seed, low=0))
    step = 60 / per_minute
    guesses = [(i * step, i % bots) for i in range(int(end / step))]
    owner = sorted(draw.uniform(0, end) for _ in range(visits))
    # The owner's moments, mixed into the guesses; -1 is the owner's own address.
    moments = sorted([*guesses, *((at, -1) for at in owner)])
    again: list[tuple[float, int]] = []
    admitted = logins = refused = 0

    def owner_tries(at: float, left: int) -> None:
        nonlocal logins, refused
        if not brake.admit("maja", "own", at):
            refused += 1
            if left:
                again.append((at + 600, left - 1))
            return
        if draw.random() < 0.1:
            brake.record("maja", "own", at, success=False)
            again.append((at + 20, left))
            return
        brake.record("maja", "own", at, success=True)
        logins += 1

    for at, who in moments:
        while again and again[0][0] <= at:
            moment, left = again.pop(0)
            owner_tries(moment, left)
            again.sort()
        if who == -1:
            owner_tries(at, 5)
            again.sort()
        elif brake.admit("maja", f"bot{who}", at):
            admitted += 1
            brake.record("maja", f"bot{who}", at, success=False)
    return Trial(admitted, len(guesses), logins, refused)
