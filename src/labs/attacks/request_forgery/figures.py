"""The tables and the picture of the lesson; all of it is computed from what the browser decides."""

from __future__ import annotations

from collections.abc import Mapping

from labs.attacks.request_forgery import model
from labs.attacks.request_forgery.visits import PAY, World, attack_page
from labs.browser import Log
from labs.browser.cookies import LAX_ALLOWING_UNSAFE_S
from labs.teaching import Picture, Table, axes, picture
from labs.teaching.pictures import INK, MUTED, SERIES

_COOKIES = (
    ("no SameSite, new", "cookie_same_site_missing", 0.0),
    ("no SameSite, 3 minutes old", "cookie_same_site_missing", 180.0),
    ("Lax", "", 0.0),
    ("None", "cookie_same_site_none", 0.0),
)

_VARIANTS = (
    ("an image", "image", "post", True),
    ("an address that opens by itself", "form", "get", True),
    ("a form that sends itself", "form", "post", False),
    ("a script's fetch", "fetch", "post", False),
)

_UNGUARDED = frozenset({"csrf_token_missing", "csrf_headers_unchecked", "csrf_get_changes_state"})


def _attack(way: str, method: str, weakness: str, age_s: float) -> World:
    world = World(_UNGUARDED | ({weakness} if weakness else set()), age_s=age_s)
    page = attack_page(way, world.sites.kvittra + PAY, {"paid": "yes"}, method=method)
    world.visit(world.sites.evil, page)
    return world


def variants() -> Table:
    """What four kinds of pages on another site achieve, for four kinds of cookies."""
    rows = [
        [name, *("paid" if _attack(way, method, w, age).paid else "–" for _, w, age in _COOKIES)]
        for name, way, method, _ in _VARIANTS
    ]
    return Table(
        "Maja visits a page on evil.example. Is her invoice marked as paid? Kvittra has no other "
        "defense than its cookie here.",
        ["the page holds", *(name for name, _, _ in _COOKIES)],
        rows,
    )


def decisions(same_site: str | None = None, age_s: float = 45.0) -> Log:
    """What the browser decided while Maja visited the form on another site.

    Args:
        same_site: What the session cookie says: ``"Lax"``, ``"None"``, or ``None`` for nothing.
        age_s: Its age in seconds.
    """
    weakness = {"Lax": "", "None": "cookie_same_site_none", None: "cookie_same_site_missing"}
    if same_site not in weakness:
        raise ValueError(f"same_site must be Lax, None as text, or None, not {same_site!r}")
    return _attack("form", "post", weakness[same_site], age_s).log.only("form", "request", "cookie")


def half_fixes() -> Table:
    """Each defense used wrongly, the page that gets past it, and the same page on the repaired."""
    said = {True: "got through", False: "refused"}
    return Table(
        "Every defense, defeated once by being used wrongly. The last column is the same page "
        "against the hardened Kvittra.",
        ["Kvittra's defense", "the other page", "result", "hardened"],
        [
            [one.name, one.trick, said[one.succeeds()], said[one.succeeds(hardened=True)]]
            for one in model.HALF_FIXES
        ],
    )


def confirmed(matrix: Mapping[str, str]) -> Table:
    """A filled matrix beside what the model browser did, with its reason for every cell.

    Args:
        matrix: From each sender to six marks, ``y`` or ``n``.
    """
    rows = []
    for sender in model.SENDERS:
        marks = model.marks(matrix.get(sender))
        for number, (attribute, way) in enumerate(model.COLUMNS):
            decision = model.travels(sender, way, attribute)
            mark = marks[number][:1] if number < len(marks) else "?"
            browser = "y" if decision.sent else "n"
            rows.append(
                [
                    sender,
                    attribute,
                    way,
                    mark,
                    browser + ("" if mark == browser else " ✗"),
                    decision.reason,
                ]
            )
    return Table(
        "Your matrix, cell by cell. A ✗ marks where the browser decided otherwise.",
        ["the page lies at", "SameSite", "asks by", "you", "browser", "its reason"],
        rows,
    )


def window(age_s: int = 45) -> Picture:
    """Which cookies travel with a form from another site, by their age.

    Args:
        age_s: Age of the cookie, in seconds.
    """
    figure, ax = axes(height=2.8)
    longest = 240
    names: list[str] = []
    said: list[str] = []
    for row, attribute in enumerate(("Strict", "Lax", None, "None")):
        name = "no attribute" if attribute is None else attribute
        names.append(name)
        sent = [
            at
            for at in range(longest + 1)
            if model.cookie_sent_with_form(attribute, float(at)).sent
        ]
        ax.barh(row, longest, color="none", edgecolor=MUTED, height=0.5)
        if sent:
            ax.barh(row, sent[-1], color=SERIES[0], height=0.5)
        decision = model.cookie_sent_with_form(attribute, float(age_s))
        said.append(f"{name}: {'sent' if decision.sent else 'not sent'}")
        ax.text(longest + 4, row, "sent" if decision.sent else "not sent", va="center", color=INK)
    ax.axvline(age_s, color=SERIES[1], linewidth=2)
    ax.axvline(LAX_ALLOWING_UNSAFE_S, color=MUTED, linestyle=":")
    ax.set_yticks(range(len(names)), names)
    ax.set_xticks(range(0, longest + 1, 60))
    ax.set_xlim(0, longest + 46)
    ax.set_xlabel("Age of the cookie, in seconds")
    ax.grid(False, axis="y")
    return picture(
        figure,
        alt=f"A form on another site, {age_s} seconds after the cookie was set. By SameSite: "
        + "; ".join(said)
        + f". Without the attribute the cookie is sent up to an age of {LAX_ALLOWING_UNSAFE_S} "
        "seconds.",
        caption="The bar shows at which ages the cookie travels with a form on another site; the "
        "line is the age that you chose.",
    )
