"""The tables and pictures of the lesson; each text alternative is computed from what is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from math import log10

from labs.attacks.session_hijacking import model, roads
from labs.browser import Exchange
from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import INK, MUTED, SERIES


def first_ids(count: int = 3) -> Table:
    """The first ids of each recipe."""
    rows = [
        [letter, id]
        for letter, name in zip("ABCD", model.RECIPES, strict=True)
        for id in model.sample_ids(name, count)
    ]
    return Table(
        f"Four services, and the first {count} session ids that each of them gave us.",
        ["service", "session id"],
        rows,
    )


def estimates(count: int = 200) -> Table:
    """What three estimates say about each recipe, and what is true for somebody who knows it."""
    rows = []
    for letter, (name, recipe) in zip("ABCD", model.RECIPES.items(), strict=True):
        ids = model.sample_ids(name, count)
        found = model.estimate(ids)
        rows.append(
            [
                letter,
                name,
                round(found.positions),
                round(found.differences),
                round(found.compression),
                round(recipe.bits),
            ]
        )
    return Table(
        f"Bits of chance in an id, estimated from {count} ids, and for somebody who knows the "
        "recipe.",
        ["", "recipe", "by position", "by difference", "by compression", "recipe known"],
        rows,
    )


def positions() -> Picture:
    """How much each character of an id varies: time and counter above, random bits below."""
    names = ("time and counter", "128 random bits")
    figure, both = axes(2, 1, height=3.4, sharex=True, sharey=True)
    told = []
    for number, (name, one) in enumerate(zip(names, both, strict=True)):
        bits = model.position_entropies(model.sample_ids(name))
        one.bar(range(1, len(bits) + 1), bits, color=SERIES[number], width=0.75)
        one.set_title(name, loc="left", fontsize=10, color=INK)
        one.set_ylim(0, 4.3)
        one.set_yticks([0, 2, 4])
        still = sum(value < 0.05 for value in bits)
        told.append(
            f"{name}: {len(bits)} characters, {still} of which never change, "
            f"{sum(bits):.0f} bits in all"
        )
    both[1].set_xlabel("Position in the id")
    figure.supylabel("Bits", fontsize=10, color=INK)
    return picture(
        figure,
        alt="How much each character varies in 200 session ids, from 0 to 4 bits. "
        + "; ".join(told)
        + ".",
        caption="200 ids of two services, character by character.",
    )


def guess_time(bits: int, guesses_per_second: int, sessions: int) -> Picture:
    """How long until the first hit, for every length of id, with the chosen one marked."""
    lengths = [16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128]

    def years(length: int) -> float:
        return model.years_to_guess(
            length, guesses_per_second=guesses_per_second, sessions=min(sessions, 2**length)
        )

    chosen = years(bits)
    figure, one = axes(height=3.3)
    # Powers of ten on a plain axis: a logarithmic one of 50 decades is slow to draw.
    one.plot(lengths, [log10(years(length)) for length in lengths], color=SERIES[0])
    one.plot([bits], [log10(chosen)], marker="o", markersize=9, color=SERIES[1], linestyle="none")
    one.set_ylim(-16, 38)
    one.set_yticks([-10, 0, 10, 20, 30], ["10⁻¹⁰", "1", "10¹⁰", "10²⁰", "10³⁰"])
    for at, name in ((1 / model.SECONDS_A_YEAR, "a second"), (1e6, "a million years")):
        one.axhline(log10(at), color=MUTED, linewidth=0.8, linestyle=":")
        one.text(16, log10(at) + 0.8, name, color=MUTED, fontsize=9)
    one.set_xlabel("Random bits in the id")
    one.set_ylabel("Years to the first hit")
    said = model.span(chosen)
    one.set_title(f"{bits} bits: {said}", loc="left", fontsize=11, color=INK)
    return picture(
        figure,
        alt=f"Mean time to guess one of {sessions:,} live session ids at {guesses_per_second:,} "
        f"guesses a second. With {bits} random bits: {said}. With 128: {model.span(years(128))}.",
        caption="One more bit doubles the time. A thousand times as many sessions divide it by "
        "about a thousand.",
    )


def all_roads(found: Iterable[tuple[roads.Road, bool, bool]]) -> Table:
    """Where each road leads, and what closes it."""
    return Table(
        "Eight things a thief tries, at an edition of Kvittra that is weak for it and at the "
        "hardened one.",
        ["road", "what the thief does", "weak", "hardened", "what closes it"],
        [
            [road.name, road.how, _word(weak), _word(hardened), road.repair]
            for road, weak, hardened in found
        ],
    )


def _word(leads: bool) -> str:
    return "open" if leads else "closed"


def wire(editions: Iterable[tuple[str, Iterable[Exchange]]]) -> Table:
    """What a stranger in the café read of Maja's visit to the address without https."""
    rows: list[list[object]] = []
    for name, exchanges in editions:
        pages = [one for one in exchanges if not one.request.url.path.startswith("/static/")]
        if not pages:
            rows.append([name, "nothing: the browser went to https by itself", "", ""])
        for one in pages:
            cookie = one.request.headers.get("Cookie")
            rows.append(
                [
                    name,
                    f"{one.request.method} {one.request.url.path}",
                    f"{cookie[:20]}…" if cookie else "no cookie",
                    one.response.status,
                ]
            )
    return Table(
        "Maja signs in over https. Then she types http://kvittra.example/invoices.",
        ["edition", "read in the café", "cookie in it", "answer"],
        rows,
    )


def cookies() -> Table:
    """Five ways to write the session cookie, and where each gets lost."""
    rows = []
    for name, line in roads.session_cookies().items():
        test = roads.cookie_test(line)
        rows.append(
            [
                name,
                *(
                    "lost" if lost else "kept"
                    for lost in (
                        "=7" in test.read,
                        "=7" in test.heard,
                        "=7" in test.posted,
                        roads.PLANTED in test.overwritten,
                    )
                ),
            ]
        )
    return Table(
        "The session cookie, one attribute more in each row, and four places.",
        ["the cookie", "a script reads", "plain http", "a form elsewhere", "a sibling host"],
        rows,
    )
