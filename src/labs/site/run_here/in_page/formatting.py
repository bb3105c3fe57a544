"""One value in the formats that a page can show, by the methods that Jupyter knows."""

from __future__ import annotations

import base64
import io
from typing import Any

from .packages import NotHere

Bundle = dict[str, str]

_METHODS = {
    "_repr_html_": "text/html",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_markdown_": "text/markdown",
}

LONGEST_TEXT = 100_000
"""Characters of a plain representation that are kept."""

_LINE_WIDTH = 79


def plain(value: object) -> str:
    """``repr(value)``; a container that does not fit a line is spread over several."""
    text = repr(value)
    if len(text) > _LINE_WIDTH and type(value) in (list, dict, tuple, set, frozenset):
        import pprint  # an import that most cells never need

        text = pprint.pformat(value, width=_LINE_WIDTH, sort_dicts=False)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"


def mime_bundle(value: Any) -> Bundle:
    """The formats of ``value`` by media type; binary ones as base64.

    A format whose method fails is left out, as in Jupyter; the plain text is always there.

    >>> mime_bundle([1, 2])
    {'text/plain': '[1, 2]'}
    """
    found: dict[str, Any] = {}
    if not isinstance(value, type):
        found = _from_methods(value)
        if _is_figure(value):
            found.setdefault("image/png", _drawn(value))
    bundle = {mime: _as_text(data) for mime, data in found.items() if data is not None}
    if "text/markdown" in bundle and "text/html" not in bundle:
        bundle["text/html"] = rendered_markdown(bundle["text/markdown"])
    if "text/plain" not in bundle:
        try:
            bundle["text/plain"] = plain(value)
        except Exception as error:
            bundle["text/plain"] = f"<{type(value).__name__}: its repr raised {error!r}>"
    return bundle


def _from_methods(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    whole = getattr(value, "_repr_mimebundle_", None)
    if callable(whole):
        try:
            made = whole(include=None, exclude=None)
            found.update(made[0] if isinstance(made, tuple) else made or {})
        except NotHere:
            raise  # the reader is asked, or told, in place of a poorer display
        except Exception:
            found = {}
    for method, mime in _METHODS.items():
        maker = None if mime in found else getattr(value, method, None)
        if callable(maker):
            try:
                made = maker()
            except NotHere:
                raise
            except Exception:
                continue
            found[mime] = made[0] if isinstance(made, tuple) else made
    return found


def _as_text(data: Any) -> str:
    if isinstance(data, bytes | bytearray):
        return base64.b64encode(data).decode("ascii")
    return data if isinstance(data, str) else str(data)


def _is_figure(value: Any) -> bool:
    return any(
        kind.__name__ == "Figure" and kind.__module__.startswith("matplotlib.")
        for kind in type(value).__mro__
    )


def _drawn(figure: Any) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", bbox_inches="tight", dpi=110)
    return picture.getvalue()


def rendered_markdown(text: str) -> str:
    """``text`` as HTML; HTML inside it is shown, not obeyed."""
    from markdown_it import MarkdownIt

    return str(MarkdownIt("js-default").render(text))
