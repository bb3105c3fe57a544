"""Shows untrusted HTML without letting it near anything: the only way a lab displays it live.

The frame is sandboxed without ``allow-same-origin``, so its document has an opaque origin: it can
read neither the page around it nor a cookie, and Jupyter refuses its requests. A policy in the
document keeps it from loading anything. (HTML Standard, section 4.8.5; Content Security Policy
Level 3.) A document can still navigate *itself*; the sandbox keeps it inside its frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from labs.teaching.rendering import Shown, escaped

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'"
)
"""The Content-Security-Policy of every framed document."""

MAX_CHARACTERS = 100_000
"""Longest document that a frame shows."""


@dataclass(frozen=True)
class Frame(Shown):
    """Untrusted HTML in a sandboxed frame; in a terminal, its source.

    Args:
        source: The untrusted document.
        title: What the frame shows, for people who cannot see it.
        height: Height in pixels.

    Raises:
        ValueError: If the document is longer than ``MAX_CHARACTERS``.
    """

    source: str
    title: str
    height: int = 160

    def __post_init__(self) -> None:
        if len(self.source) > MAX_CHARACTERS:
            raise ValueError(
                f"a framed document has at most {MAX_CHARACTERS:,} characters, "
                f"not {len(self.source):,}"
            )

    def html(self) -> str:
        """An ``iframe`` whose document is the source behind its policy."""
        document = (
            f'<!doctype html><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{escaped(POLICY)}">'
            f"{self.source}"
        )
        return (
            f'<iframe class="labs-frame" sandbox="allow-scripts" referrerpolicy="no-referrer" '
            f'loading="lazy" title="{escaped(self.title)}" height="{int(self.height)}" '
            f'srcdoc="{escaped(document)}"></iframe>'
        )

    def text(self) -> str:
        """The title and the source."""
        return f"[{self.title}]\n{self.source}"


def frame(source: str, *, title: str, height: int = 160) -> Frame:
    """Show untrusted HTML in a sandboxed frame.

    >>> "allow-same-origin" in frame("<script>alert(1)</script>", title="A test").html()
    False
    """
    return Frame(source, title, height)
