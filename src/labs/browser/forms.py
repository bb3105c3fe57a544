"""How the fields of a form travel: the three encodings of the HTML Standard, section 4.10.21."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form: what its name is and what would be sent."""

    name: str
    value: str
    kind: str


def urlencoded(pairs: Sequence[tuple[str, str]]) -> str:
    """``application/x-www-form-urlencoded``; line breaks become CR LF.

    >>> urlencoded([("text", "å b"), ("x", "~")])
    'text=%C3%A5+b&x=%7E'
    """
    return "&".join(
        f"{quote_plus(_newlines(name), safe='*-._')}={quote_plus(_newlines(value), safe='*-._')}"
        for name, value in pairs
    ).replace("~", "%7E")


def encode_form(pairs: Sequence[tuple[str, str]], kind: str) -> tuple[str, bytes]:
    """Content type and body of a form (HTML Standard, sections 4.10.21.7 and 4.10.21.8)."""
    pairs = [(_newlines(name), _newlines(value)) for name, value in pairs]
    if kind == "text/plain":
        lines = "".join(f"{name}={value}\r\n" for name, value in pairs)
        return "text/plain", lines.encode("utf-8", "replace")
    if kind == "multipart/form-data":
        boundary = "----KvittraModelBrowserBoundary"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
            f"\r\n\r\n{value}\r\n"
            for name, value in pairs
        ]
        body = "".join(parts) + f"--{boundary}--\r\n"
        return f"multipart/form-data; boundary={boundary}", body.encode("utf-8", "replace")
    return "application/x-www-form-urlencoded", urlencoded(pairs).encode("ascii")


def _newlines(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def _quoted(name: str) -> str:
    return name.replace("\r\n", "%0D%0A").replace('"', "%22")
