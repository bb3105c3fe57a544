"""May this page be shown inside a frame of that page?

Sources: HTML Standard, section 7.4.2.2 ("check a navigation response's adherence to
``X-Frame-Options``"), and Content Security Policy Level 3, section 6.4.2 (``frame-ancestors``).
Both speak about every ancestor, not only the nearest one. An enforced ``frame-ancestors``
replaces ``X-Frame-Options``; ``default-src`` says nothing about framing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labs.arguments import text
from labs.browser.csp import matches_any, source_list
from labs.browser.origins import Origin, Url, parse_url


@dataclass(frozen=True, slots=True)
class FramingDecision:
    """Whether a page may be framed, and the rule that decided."""

    allowed: bool
    reason: str


def may_frame(
    *, x_frame_options: str | None, frame_ancestors: str | None, page: str, ancestor: str
) -> FramingDecision:
    """Whether ``page`` may be shown in a frame of ``ancestor``.

    Args:
        x_frame_options: The header's value, ``None`` if absent.
        frame_ancestors: The value of an enforced directive, ``None`` if absent; empty means
            ``'none'``.
        page: Origin of the framed page, ``scheme://host[:port]``.
        ancestor: Origin of the framing page.

    Raises:
        TypeError: If an origin is not text.
        ValueError: If an origin is not http or https.

    >>> may_frame(x_frame_options="DENY", frame_ancestors="'self'",
    ...           page="https://kvittra.example", ancestor="https://kvittra.example")
    FramingDecision(allowed=True, reason="frame-ancestors 'self' names https://kvittra.example")
    """
    urls = []
    for name, value in (("page", page), ("ancestor", ancestor)):
        url = parse_url(text(name, value))
        if not url.is_http:
            raise ValueError(f"{name} must be an origin as https://host[:port], not {value!r}")
        urls.append(url)
    return framing_decision(
        x_frame_options=[] if x_frame_options is None else [x_frame_options],
        frame_ancestors=[] if frame_ancestors is None else [frame_ancestors],
        page=urls[0],
        ancestors=[urls[1].origin],
    )


def framing_decision(
    *,
    x_frame_options: Sequence[str],
    frame_ancestors: Sequence[str],
    page: Url,
    ancestors: Sequence[Origin],
) -> FramingDecision:
    """The decision for all ancestors, innermost first, with every header and policy that came.

    Args:
        x_frame_options: The values of the ``X-Frame-Options`` headers.
        frame_ancestors: The value of the directive in each enforced policy that has it.
        page: URL of the framed page.
        ancestors: Origins of the pages around it.
    """
    if frame_ancestors:
        for value in frame_ancestors:
            sources = source_list(value)
            shown = value.strip() or "'none'"
            for ancestor in ancestors:
                if ancestor.opaque or not matches_any(sources, _as_url(ancestor), page.origin):
                    return FramingDecision(
                        False, f"frame-ancestors {shown} does not name {ancestor}"
                    )
        names = ", ".join(dict.fromkeys(str(ancestor) for ancestor in ancestors))
        return FramingDecision(True, f"frame-ancestors {shown} names {names}")
    values = {part.strip().lower() for header in x_frame_options for part in header.split(",")}
    known = values & {"deny", "allowall", "sameorigin"}
    if len(values) > 1 and known:
        return FramingDecision(False, "X-Frame-Options contradicts itself")
    if values == {"deny"}:
        return FramingDecision(False, "X-Frame-Options: DENY")
    if values == {"sameorigin"}:
        for ancestor in ancestors:
            if ancestor != page.origin:
                return FramingDecision(
                    False, f"X-Frame-Options: SAMEORIGIN, and {ancestor} is another origin"
                )
        return FramingDecision(True, "X-Frame-Options: SAMEORIGIN, and all around it is one origin")
    if values:
        shown = ", ".join(x_frame_options)
        return FramingDecision(True, f"browsers ignore X-Frame-Options: {shown}")
    return FramingDecision(True, "neither X-Frame-Options nor frame-ancestors forbids it")


def _as_url(origin: Origin) -> Url:
    return Url(origin.scheme, origin.host, origin.port, "/")
