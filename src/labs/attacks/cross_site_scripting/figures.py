"""The tables and pictures of the lesson; each text alternative is computed from what is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from importlib import import_module
from math import log
from typing import Any

from labs.attacks.cross_site_scripting import model, payloads
from labs.teaching import Picture, Table, axes, frame, picture
from labs.teaching.frames import Frame
from labs.teaching.pictures import DASHES, MUTED, SERIES


def arrivals(found: Iterable[Any]) -> Table:
    """The three ways, and what came of each."""
    return Table(
        "One text, three ways into Maja's page.",
        ["way", "what carries it", "what the victim does", "sent to the server", "ran"],
        [
            [one.way, one.carried, one.victim, _yes(one.seen_by_server), _yes(one.ran)]
            for one in found
        ],
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def misused(editions: Iterable[tuple[str, dict[str, bool]]]) -> Table:
    """What a script in somebody's profile could do, in several editions of Kvittra."""
    columns = list(editions)
    deeds = list(columns[0][1])
    return Table(
        "What a script in Siv's profile does when Maja opens it.",
        ["it tries to", *(name for name, _ in columns)],
        [[deed, *(_yes(done[deed]) for _, done in columns)] for deed in deeds],
    )


def places() -> Table:
    """The eight places: their attacks, and what becomes of them with three preparations."""
    rows = []
    for place in model.PLACES.values():
        verdicts = (
            place.verdict(prepare)
            for prepare in (
                model.careless(place),
                model.escaped_everywhere(place),
                place.prepare,
            )
        )
        rows.append([place.name, place.attack, *verdicts, place.rule.replace("`", "")])
    return Table(
        "Eight places of a page, and what becomes of an attack made for each.",
        ["place", "the attack", "nothing done", "html.escape", "its own rule", "the rule"],
        rows,
    )


_STYLE = "<style>body { font-family: sans-serif; margin: 8px } output { color: #b3261e }</style>"


def live(texts: Mapping[str, str], *, title: str) -> Frame:
    """Texts in one sandboxed frame, each with a line that tells whether it ran as code.

    Args:
        texts: Names to the markup that is shown.
        title: What the frame shows.
    """
    parts = [
        f"<h4>{escape(name)}</h4><section>{text.replace('canary()', f'canary({number})')}</section>"
        f"<output id=told{number}>It did not run.</output>"
        for number, (name, text) in enumerate(texts.items())
    ]
    script = (
        "<script>function canary(number) {"
        " document.getElementById('told' + number).textContent = 'It ran as code.' }</script>"
    )
    return frame(_STYLE + script + "".join(parts), title=title, height=190)


@cache
def _half_fixes() -> tuple[tuple[str, int, int], ...]:
    rows = []
    for name, fix in model.HALF_FIXES.items():
        attacks = (*payloads.texts(), *payloads.SPLIT_TAGS)
        ran = sum(model.look(_note(fix(text))).ran for text in attacks)
        spoiled = sum(
            _main(model.look(_note(fix(text)), act=False)) != " ".join(text.split())
            for text in payloads.HONEST_TEXTS
        )
        rows.append((name, ran, spoiled))
    return tuple(rows)


def _note(text: str) -> str:
    return f"<!doctype html><main>{text}</main>"


def _main(outcome: model.Outcome) -> str:
    main = outcome.page.find("main")
    return " ".join(main.text.split()) if main else ""


def half_fixes() -> Table:
    """What people try before they escape, counted on the payloads and on honest texts."""
    attacks = len(payloads.texts()) + len(payloads.SPLIT_TAGS)
    return Table(
        f"What is done to a note before it is shown: {attacks} attacks and "
        f"{len(payloads.HONEST_TEXTS)} honest texts.",
        ["done to the text", "attacks that run", "honest texts spoiled"],
        [[name.replace("`", ""), ran, spoiled] for name, ran, spoiled in _half_fixes()],
    )


@cache
def _policies() -> tuple[tuple[str, str, int, bool], ...]:
    rows = []
    for name, policy in model.POLICIES.items():
        outcomes = [model.look(model.policy_page(text), policy=policy) for text in payloads.texts()]
        own = model.look(model.policy_page("Hello"), policy=policy)
        rows.append((name, policy, sum(one.ran for one in outcomes), bool(own.received)))
    return tuple(rows)


def policies() -> Table:
    """What a content security policy still catches when a page has forgotten to escape."""
    return Table(
        f"A page that forgot to escape, under five policies, and {len(payloads.texts())} attacks.",
        ["policy", "in the header", "attacks that run", "the page's own script"],
        [
            [name, _cut(policy) or "none", ran, "runs" if own else "is blocked"]
            for name, policy, ran, own in _policies()
        ],
    )


def _cut(policy: str) -> str:
    return policy if len(policy) <= 48 else policy[:47] + "…"


def spread_in_kvittra(run: Any) -> Picture:
    """The carriers of a self-copying profile, visit by visit, beside what is expected.

    Args:
        run: What :func:`visits.spread_profile` returned.
    """
    simulation: Any = import_module("labs.attacks.cross_site_scripting.simulation")
    visits = len(run.visits)
    expected = model.spread_expected(run.people, visits, bound=run.bound)
    many = simulation.spread(run.people, visits, bound=run.bound, runs=1_000, seed=1)
    figure, ax = axes(height=3.2)
    steps = range(visits + 1)
    ax.fill_between(steps, many.low, many.high, color=SERIES[0], alpha=0.18, linewidth=0,
                    label="nine of ten runs")  # fmt: skip
    ax.plot(steps, expected, color=SERIES[0], linestyle=DASHES[1], label="expected")
    ax.step(steps, run.carriers, where="post", color=SERIES[1], linestyle="-", label="in Kvittra")
    ax.axhline(run.bound, color=MUTED, linewidth=1)
    ax.text(visits, run.bound + 0.3, "here it stops itself", color=MUTED, fontsize=9, ha="right")
    ax.set(
        xlim=(0, visits), ylim=(0, run.people), xlabel="visits to somebody's profile",
        ylabel=f"profiles that carry it, of {run.people}",
        yticks=range(0, run.people + 1, 5),
    )  # fmt: skip
    ax.legend(fontsize=9, loc="upper left")
    marks = [at for at in (20, 40, 60, 80, 100, 120) if at <= visits]
    said = "; ".join(
        f"after {at} visits {run.carriers[at]} (expected {expected[at]:.1f})" for at in marks
    )
    return picture(
        figure,
        alt=f"Profiles that carry the copying script, of {run.people}, beginning with one: {said}. "
        f"At {run.bound} it stops itself.",
        caption="One run in Kvittra, beside a thousand runs of the model and its exact mean.",
    )


def spread_over_time(people: int = 1_000_000, visits_an_hour: float = 1.0) -> Picture:
    """How many carry a self-copying profile over a day, if nobody stops it.

    Args:
        people: People with a profile.
        visits_an_hour: Profiles that each of them opens in an hour, on average.
    """
    hours = [step / 8 for step in range(24 * 8 + 1)]
    shares = [100 * model.spread_logistic(people, visits_an_hour * h) / people for h in hours]
    half = log(people - 1) / visits_an_hour
    figure, ax = axes(height=3.2)
    ax.plot(hours, shares, color=SERIES[0], linestyle="-")
    if half <= 24:
        ax.axvline(half, color=MUTED, linewidth=1)
        ax.text(half + 0.3, 4, f"half after {half:.1f} h", color=MUTED, fontsize=9)
    ax.set(
        xlim=(0, 24), ylim=(0, 103), xticks=range(0, 25, 4),
        xlabel="hours since the first profile", ylabel="carriers, percent",
    )  # fmt: skip
    at = {h: model.spread_logistic(people, visits_an_hour * h) for h in (4, 8, 12, 20)}
    said = ", ".join(f"{carriers:,.0f} after {hour} hours" for hour, carriers in at.items())
    each = f"{visits_an_hour:g} visit{'' if visits_an_hour == 1 else 's'} an hour each"
    return picture(
        figure,
        alt=f"{people:,} people, {each}, one carrier at first: "
        f"{said}. Half of all carry it after {half:.1f} hours.",
        caption="Everybody is taken to visit everybody alike. Real circles of friends are slower "
        "to leave, and faster inside.",
    )
