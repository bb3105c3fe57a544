"""The repaired pair of units, simulated by this package and, event by event, by SimPy.

Two ratios, measured side by side in one process: events a second, when both play the same model as
it happens; and the time to the same 95 % confidence interval, for which this package may also
force the rare second failure. Exit status 1 when a ratio is below its budget.

Run ``python benchmarks/simulation.py``; ``--json`` prints the numbers for a machine to read.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import simpy

from labs.estimate import Z95
from labs.uptime.units.model import pair_unavailability
from labs.uptime.units.simulation import count_changes, simulate

MTBF_H, MTTR_H = 1000.0, 10.0
EVENTS_BUDGET = 30
INTERVAL_BUDGET = 100
SIMPY_CYCLES = 30_000
CYCLES = 1_000_000


@dataclass(frozen=True)
class Comparison:
    """What both simulations needed for one model."""

    repair_crews: int
    exact: float
    simpy_mean: float
    mean: float
    simpy_events_per_s: float
    events_per_s: float
    events_ratio: float
    simpy_seconds_to_one_percent: float
    seconds_to_one_percent: float
    interval_ratio: float


def with_simpy(repair_crews: int, cycles: int, seed: int) -> tuple[list[float], list[float], int]:
    """Up hours and down hours of each cycle from "both up" to "both up", and all changes."""
    chance = random.Random(seed)
    env = simpy.Environment()
    crews = simpy.Resource(env, capacity=repair_crews)
    done = env.event()
    working = 2
    changed = 0
    since = 0.0
    up_h, down_h = 0.0, 0.0
    ups: list[float] = []
    downs: list[float] = []

    def note(step: int) -> None:
        nonlocal working, changed, since, up_h, down_h
        if working:
            up_h += env.now - since
        else:
            down_h += env.now - since
        since = env.now
        working += step
        changed += 1
        if working == 2:
            ups.append(up_h)
            downs.append(down_h)
            up_h = down_h = 0.0
            if len(ups) == cycles:
                done.succeed()

    def unit() -> Generator[simpy.Event, Any, None]:
        while not done.triggered:
            yield env.timeout(chance.expovariate(1 / MTBF_H))
            note(-1)
            with crews.request() as crew:
                yield crew
                yield env.timeout(chance.expovariate(1 / MTTR_H))
            note(+1)

    env.process(unit())
    env.process(unit())
    env.run(until=done)
    return ups, downs, changed


def seconds(work: Callable[[], object], *, repeats: int) -> float:
    """The median time of several runs, after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare(repair_crews: Literal[1, 2]) -> Comparison:
    """Both simulations of the pair with one or two repair crews."""
    exact = pair_unavailability(MTBF_H, MTTR_H, repair_crews=repair_crews)

    start = time.perf_counter()
    ups, downs, changes = with_simpy(repair_crews, SIMPY_CYCLES, seed=1)
    simpy_s = time.perf_counter() - start
    lengths = [up + down for up, down in zip(ups, downs, strict=True)]
    simpy_mean = sum(downs) / sum(lengths)
    rest = [down - simpy_mean * length for down, length in zip(downs, lengths, strict=True)]
    simpy_half_width = (
        Z95 * statistics.stdev(rest) / (math.sqrt(len(rest)) * statistics.mean(lengths))
    )

    def as_it_happens() -> object:
        return simulate(
            MTBF_H,
            MTTR_H,
            repair_crews=repair_crews,
            cycles=CYCLES,
            failure_bias=None,
            seed=1,
        )

    def forced() -> Any:
        return simulate(MTBF_H, MTTR_H, repair_crews=repair_crews, cycles=CYCLES, seed=1)

    plain_s = seconds(as_it_happens, repeats=5)
    forced_s = seconds(forced, repeats=5)
    estimate = forced()

    # An interval shrinks with the square root of the work, so time scales with its square.
    def to_one_percent(spent: float, half_width: float) -> float:
        return spent * (half_width / (0.01 * exact)) ** 2

    simpy_rate = changes / simpy_s
    rate = count_changes(MTBF_H, MTTR_H, cycles=CYCLES, seed=1) / plain_s
    simpy_to = to_one_percent(simpy_s, simpy_half_width)
    to = to_one_percent(forced_s, estimate.half_width)
    return Comparison(
        repair_crews=repair_crews,
        exact=exact,
        simpy_mean=simpy_mean,
        mean=estimate.mean,
        simpy_events_per_s=simpy_rate,
        events_per_s=rate,
        events_ratio=rate / simpy_rate,
        simpy_seconds_to_one_percent=simpy_to,
        seconds_to_one_percent=to,
        interval_ratio=simpy_to / to,
    )


def main() -> int:
    """Compare, print, and say whether the budgets hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json = parser.parse_args().json
    rows = [compare(2), compare(1)]
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        for row in rows:
            print(
                f"pair, {row.repair_crews} repair crew(s): unavailability {row.exact:.6g} "
                f"(SimPy {row.simpy_mean:.3g}, here {row.mean:.6g})\n"
                f"  events a second: SimPy {row.simpy_events_per_s:,.0f}, "
                f"here {row.events_per_s:,.0f}: {row.events_ratio:,.0f} times "
                f"(budget {EVENTS_BUDGET})\n"
                f"  seconds to an interval of ±1 %: SimPy {row.simpy_seconds_to_one_percent:,.1f}, "
                f"here {row.seconds_to_one_percent:.3f}: {row.interval_ratio:,.0f} times "
                f"(budget {INTERVAL_BUDGET})"
            )
    held = all(
        row.events_ratio >= EVENTS_BUDGET and row.interval_ratio >= INTERVAL_BUDGET for row in rows
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
