"""Displays for cells that run in the page: HTML, SVG, Image, Markdown, display, clear_output."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from .formatting import Bundle, mime_bundle

__all__ = ["HTML", "SVG", "DisplayHandle", "Image", "Markdown", "clear_output", "display"]


def _nowhere(_message: dict[str, Any]) -> None:
    """Take a message outside a running cell: there is nowhere to show it."""


publish: Callable[[dict[str, Any]], None] = _nowhere
"""Takes what is displayed; the kernel puts its own function here."""


class _Text:
    """Text of one media type, from a string or a file."""

    mime: ClassVar[str]

    def __init__(self, data: str | None = None, *, filename: str | Path | None = None) -> None:
        if (data is None) == (filename is None):
            raise ValueError(f"{type(self).__name__} takes either data or filename")
        self.data = Path(str(filename)).read_text(encoding="utf-8") if data is None else data

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {self.mime: self.data, "text/plain": f"<{type(self).__name__}>"}


class HTML(_Text):
    """Markup that the page shows as it is; for text of others, escape it or use a frame."""

    mime = "text/html"

    def _repr_html_(self) -> str:
        return self.data


class SVG(_Text):
    """A drawing in SVG."""

    mime = "image/svg+xml"


class Markdown(_Text):
    """Text in Markdown."""

    mime = "text/markdown"


class Image:
    """A PNG, JPEG or GIF picture from bytes or a file.

    Args:
        data: The bytes of the picture.
        filename: A file to read instead.
        alt: What the picture shows, for readers who do not see it.
        width: Width in pixels.
        height: Height in pixels.
    """

    def __init__(
        self,
        data: bytes | None = None,
        *,
        filename: str | Path | None = None,
        alt: str = "",
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        if (data is None) == (filename is None):
            raise ValueError("Image takes either data or filename")
        self.data = Path(str(filename)).read_bytes() if data is None else bytes(data)
        self.alt = alt
        self.width = width
        self.height = height

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from html import escape

        kinds = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg", b"GIF8": "image/gif"}
        kind = next((mime for magic, mime in kinds.items() if self.data.startswith(magic)), None)
        if kind is None:
            raise ValueError("Image takes PNG, JPEG or GIF data")
        size = "".join(
            f' {name}="{int(value)}"'
            for name, value in (("width", self.width), ("height", self.height))
            if value is not None
        )
        source = f"data:{kind};base64,{base64.b64encode(self.data).decode('ascii')}"
        return {
            "text/html": f'<img src="{source}" alt="{escape(self.alt)}"{size}>',
            "text/plain": self.alt or "<Image>",
        }


class DisplayHandle:
    """Names one display, so that it can be drawn again."""

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id

    def update(self, value: Any) -> None:
        """Show ``value`` in place of what the display showed."""
        _send(mime_bundle(value), display_id=self.display_id, update=True)


def _send(bundle: Bundle, *, display_id: str | None = None, update: bool = False) -> None:
    publish({"type": "display", "data": bundle, "display_id": display_id, "update": update})


def display(
    *values: Any, display_id: str | bool | None = None, raw: bool = False, **_options: Any
) -> DisplayHandle | None:
    """Show ``values`` below the cell, one after another.

    Args:
        display_id: A name for the display, or ``True`` to be given one.
        raw: Take each value as a dictionary from media type to data.

    Returns:
        A handle that updates the display, when it has a name.
    """
    name: str | None = None
    if display_id:
        import uuid

        name = uuid.uuid4().hex if display_id is True else str(display_id)
    for value in values:
        _send(dict(value) if raw else mime_bundle(value), display_id=name)
    return DisplayHandle(name) if name else None


def clear_output(wait: bool = False) -> None:
    """Clear what the cell has shown; with ``wait``, when the next output comes."""
    publish({"type": "clear", "wait": bool(wait)})
