"""What Kvittra says beside the page itself: headers, redirects, files and error messages."""

from __future__ import annotations

import posixpath
import traceback
from collections.abc import Mapping

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}


def content_policy_weak(nonce: str) -> Mapping[str, str]:
    """Headers that say which content a page may load and run."""
    del nonce
    return {}


def content_policy(nonce: str) -> Mapping[str, str]:
    """Headers that say which content a page may load and run.

    Scripts run only if they carry this response's ``nonce``, which no injected text can know.
    """
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self';"
            " connect-src 'self'; form-action 'self'; base-uri 'none'"
        )
    }


def framing_policy_weak() -> Mapping[str, str]:
    """Headers that say who may show a page inside their own."""
    return {}


def framing_policy() -> Mapping[str, str]:
    """Headers that say who may show a page inside their own: nobody.

    It is a policy of its own, beside ``content_policy``: a browser obeys both.
    """
    return {"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY"}


def landing_weak(target: str) -> str:
    """Where to go after signing in."""
    return target or "/"


def landing(target: str) -> str:
    r"""Where to go after signing in: a path on this site.

    ``//evil.example`` has no scheme and yet leads away, and browsers read ``\`` as ``/``.
    """
    own = target.startswith("/") and not target.startswith("//")
    return target if own and "\\" not in target and target.isprintable() else "/"


def attachment_path_weak(customer: str, name: str) -> str:
    """The path in the file store of a customer's attachment.

    Raises:
        ValueError: Never; a name that leads elsewhere leads there.
    """
    return posixpath.normpath(posixpath.join("attachments", customer, name))


def attachment_path(customer: str, name: str) -> str:
    """The path in the file store of a customer's attachment.

    Raises:
        ValueError: If the name leads out of the customer's own folder.
    """
    folder = f"attachments/{customer}/"
    path = posixpath.normpath(posixpath.join(folder, name))
    if "\0" in name or not path.startswith(folder):
        raise ValueError(f"name must stay in the customer's folder, not {name!r}")
    return path


def error_detail_weak(error: BaseException) -> str:
    """What an error page tells beside its one sentence."""
    return "".join(traceback.format_exception(error))


def error_detail(error: BaseException) -> str:
    """What an error page tells beside its one sentence: nothing about the inside."""
    del error
    return ""
