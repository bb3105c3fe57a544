"""What a request may look like. Everything else is refused before any page sees it.

The refusals are HTTP's own: 400 malformed, 413 body too large, 414 address too long, 415 kind of
body not taken, 431 headers too large.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Request
from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
    RequestURITooLarge,
    UnsupportedMediaType,
)

BODY_BYTES = 64 * 1024
ADDRESS_BYTES = 4 * 1024
HEADER_BYTES = 16 * 1024
FIELDS = 40
JSON_DEPTH = 20

# characters, by the name of the field; the forms' maxlength comes from the same table
LENGTHS = {
    "about": 4_000,
    "amount": 20,
    "buyer": 120,
    "body": 2_000,
    "description": 200,
    "email": 320,
    "iban": 34,
    "name": 80,
    "next": 500,
    "number": 200,
    "password": 128,
    "q": 500,
    "sort": 500,
    "subject": 120,
    "website": 300,
}
LONGEST = 4_000

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


def check(request: Request) -> None:
    """Refuse a request that is too large, not UTF-8, or holds control characters.

    Raises:
        werkzeug.exceptions.HTTPException: With the status that fits.
    """
    environ = request.environ
    if sum(len(name) + len(value) for name, value in request.headers) > HEADER_BYTES:
        raise RequestHeaderFieldsTooLarge("The headers of the request are too large.")
    query = environ.get("QUERY_STRING", "")
    if len(environ.get("PATH_INFO", "")) + len(query) > ADDRESS_BYTES:
        raise RequestURITooLarge("The address is too long.")
    _decoded(environ.get("PATH_INFO", "").encode("latin-1"), "address")
    _fields(query.encode("latin-1"), "address")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise BadRequest("The length of the request is not a number.")
    if len(length) > 9 or int(length) > BODY_BYTES:
        raise RequestEntityTooLarge(f"A request may hold {BODY_BYTES // 1024} KiB.")
    # One more than allowed: a body without a length is cut off there, without a word.
    request.max_content_length = BODY_BYTES + 1
    try:
        body = request.get_data(cache=True)
    except OSError:  # a chunked body that is not what it says
        raise BadRequest("The body of the request is broken.") from None
    if len(body) > BODY_BYTES:
        raise RequestEntityTooLarge(f"A request may hold {BODY_BYTES // 1024} KiB.")
    if not body:
        return
    if request.mimetype == _FORM:
        _fields(body, "form")
    elif request.mimetype != _JSON:
        raise UnsupportedMediaType("A request's body must be a form or JSON.")


def text(name: str, value: str) -> str:
    """The text of a field, without the blanks around it.

    Raises:
        BadRequest: If it is longer than the field takes.
    """
    if len(value) > LENGTHS.get(name, LONGEST):
        raise BadRequest(f"The field {name} takes at most {LENGTHS.get(name, LONGEST)} characters.")
    return value.strip()


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        BadRequest: If it is not JSON, not an object, or nested deeper than ``JSON_DEPTH``.
    """
    source = _decoded(body, "body", allowed="\t\n\r")
    if _depth(source) > JSON_DEPTH:
        raise BadRequest(f"JSON may be nested {JSON_DEPTH} deep.")
    try:
        data = json.loads(source, parse_constant=_refuse)
        json.dumps(data, ensure_ascii=False).encode()
    except ValueError:  # also lone surrogates, NaN and numbers of absurd length
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BadRequest("The body must be a JSON object.")
    return data


def _depth(source: str) -> int:
    """How deep brackets nest outside of strings."""
    deepest = depth = 0
    for mark in re.findall(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', source, re.DOTALL):
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _fields(source: bytes, place: str) -> None:
    pairs = re.split(b"[&]", source) if source else []
    if len(pairs) > FIELDS:
        raise BadRequest(f"A request may have {FIELDS} fields.")
    allowed = "\t\n\r" if place == "form" else ""
    for pair in pairs:
        plain = _decoded(unquote_to_bytes(pair.replace(b"+", b" ")), place, allowed=allowed)
        if len(plain) > LONGEST + 100:
            raise BadRequest(f"A field takes at most {LONGEST} characters.")


def _decoded(raw: bytes, place: str, *, allowed: str = "") -> str:
    try:
        plain = raw.decode()
    except UnicodeDecodeError:
        raise BadRequest(f"The {place} is not UTF-8 text.") from None
    if any(unicodedata.category(c) == "Cc" and c not in allowed for c in plain):
        raise BadRequest(f"The {place} holds control characters.")
    return plain
