"""Figures for the tests of the sliders: one as labs draw them, others quick or broken."""

from __future__ import annotations

import os
import random
import time

from labs.teaching import Picture, axes, picture
from labs.teaching.pictures import MARKERS, SERIES


def decay(years: int, rate: float) -> Picture:
    """A line chart with a legend: what is left of three kinds of copies."""
    figure, chart = axes()
    times = [year / 2 for year in range(81)]
    for marker, (name, factor) in zip(
        MARKERS, {"Tape": 0.5, "Disk": 1.0, "Flash": 1.6}.items(), strict=False
    ):
        left = [(1 - rate * factor) ** (year * years / 20) for year in times]
        chart.plot(times, left, marker=marker, markevery=8, label=name)
    chart.axvline(years, color=SERIES[3])
    chart.set(xlabel="Years", ylabel="Share left", title=f"After {years} years")
    chart.legend()
    share = (1 - rate) ** years
    return picture(
        figure,
        alt=f"After {years} years at {rate:.0%} a year, {share:.3f} of the disks are left.",
        caption=f"Decay at *{rate:.0%}* a year",
    )


def circle(radius: int, word: str = "round") -> Picture:
    """A drawing that takes no time."""
    shape = f'<circle id="c{radius}" cx="50" cy="50" r="{radius}" style="fill: none"/>'
    svg = f'<svg width="100" height="100">{shape}<use href="#c{radius}"/></svg>'
    return Picture(svg, f'A "{word}" circle of radius {radius}.')


def breaks(radius: int) -> Picture:
    """Draws small circles only."""
    if radius > 2:
        raise ValueError(f"radius must be at most 2,\nnot {radius}")
    return circle(radius)


def hangs(radius: int) -> Picture:
    """Takes longer than any figure may."""
    time.sleep(30)
    return circle(radius)


def ends_its_process(radius: int) -> Picture:
    """Takes its process with it."""
    os._exit(radius)


def noise(seed: int, size: int) -> Picture:
    """A drawing of twice ``size`` characters that cannot be compressed to less than ``size``."""
    points = random.Random(seed).randbytes(size).hex()
    return Picture(f'<svg><path d="{points}"/></svg>', f"Noise number {seed}.")
