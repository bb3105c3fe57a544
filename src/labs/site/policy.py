"""The Content-Security-Policy that the site runs under, for whoever serves it.

No page has an inline script, an event attribute or an address of another host, so scripts need no
exception. Styles need one: pictures are inline SVG whose shapes carry ``style`` attributes.
Frames of untrusted HTML are ``srcdoc`` documents with an opaque origin; they inherit this policy,
so under it a script inside such a frame stays silent, and the page shows what is left.
(Content Security Policy Level 3, sections 6.1 and 7.8.)
"""

from __future__ import annotations

from collections.abc import Iterable

DIRECTIVES: dict[str, tuple[str, ...]] = {
    "default-src": ("'none'",),
    "script-src": ("'self'", "'wasm-unsafe-eval'"),
    "style-src": ("'self'", "'unsafe-inline'"),
    "img-src": ("'self'", "data:", "blob:"),
    "font-src": ("'self'",),
    "connect-src": ("'self'",),
    "worker-src": ("'self'",),
    "frame-src": ("'self'",),
    "manifest-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "object-src": ("'none'",),
    "frame-ancestors": ("'self'",),
}
"""Each directive with its sources; ``'wasm-unsafe-eval'`` is for Python in the page."""


def content_security_policy(*, connect: Iterable[str] = ()) -> str:
    """The header's value.

    Args:
        connect: Further origins that pages may fetch from, such as the one that a publisher
            lets readers download NumPy from.

    Raises:
        ValueError: If an entry is not an ``https://`` origin.

    >>> "script-src 'self' 'wasm-unsafe-eval';" in content_security_policy()
    True
    >>> content_security_policy(connect=["http://files.example"])
    Traceback (most recent call last):
    ...
    ValueError: connect must hold https:// origins, not 'http://files.example'
    """
    further = tuple(connect)
    for origin in further:
        if not origin.startswith("https://") or any(c in origin for c in " ;,'\""):
            raise ValueError(f"connect must hold https:// origins, not {origin!r}")
    parts = []
    for name, sources in DIRECTIVES.items():
        values = sources + further if name == "connect-src" else sources
        parts.append(f"{name} {' '.join(values)}")
    return "; ".join(parts)
