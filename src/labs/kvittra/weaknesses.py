"""The register of Kvittra's weaknesses: each has a name, a CWE id, and its repair beside it.

Kvittra is built of parts. A part is a function, and it is named after its repaired version, such
as ``find_invoices``. A weakness is another function under the same signature. The service takes
the weak one where it was asked for, and the repaired one everywhere else::

    create_app({"sql_injection_search"})

CWE ids and their titles: MITRE, Common Weakness Enumeration, version 4.18.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from labs.kvittra import accounts, forgery, invoices, markup, resets, responses, sessions

Part = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Weakness:
    """One planted mistake.

    Attributes:
        name: How to ask for it.
        cwe: Its class in the Common Weakness Enumeration, such as ``"CWE-89"``.
        description: What is wrong, in one line.
        weak: The function with the mistake.
        repaired: The function without it, under the same signature.
        with_these: Other weaknesses, without which a second layer of defense still stops the
            attack in a browser. An attack works when all of them are there.
    """

    name: str
    cwe: str
    description: str
    weak: Part
    repaired: Part
    with_these: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """The part of Kvittra that it replaces. Two weaknesses may replace the same part."""
        return str(self.repaired.__name__)

    @property
    def where(self) -> str:
        """The place in the code: file and line of the weak version."""
        file = PurePath(inspect.getsourcefile(self.weak) or "")
        line = inspect.getsourcelines(self.weak)[1]
        return f"labs/{file.parent.name}/{file.name}:{line}"

    @property
    def together(self) -> frozenset[str]:
        """Everything that must be weak for an attack to come through: this and ``with_these``."""
        return frozenset({self.name, *self.with_these})


_NO_CSP = ("csp_missing",)
_NO_HEADERS_NO_SAME_SITE = ("csrf_headers_unchecked", "cookie_same_site_missing")

_ALL = (
    # SQL injection
    Weakness(
        "sql_injection_sign_in",
        "CWE-89",
        "The sign-in form's address and password become part of the query.",
        accounts.authenticate_weak,
        accounts.authenticate,
    ),
    Weakness(
        "sql_injection_search",
        "CWE-89",
        "The search text becomes part of the LIKE pattern's query, and can read every table.",
        invoices.find_invoices_weak,
        invoices.find_invoices,
    ),
    Weakness(
        "sql_injection_order_by",
        "CWE-89",
        "The column to sort by is pasted into ORDER BY.",
        invoices.ordering_weak,
        invoices.ordering,
    ),
    Weakness(
        "sql_injection_blind",
        "CWE-89",
        "A page that only answers yes or no pastes its question into the query.",
        invoices.number_taken_weak,
        invoices.number_taken,
    ),
    Weakness(
        "sql_injection_second_order",
        "CWE-89",
        "A display name, stored safely, is pasted into a later query.",
        invoices.activity_of_weak,
        invoices.activity_of,
    ),
    # Cross-site scripting
    Weakness(
        "xss_reflected",
        "CWE-79",
        "The search text is repeated in the page as markup.",
        markup.echo_weak,
        markup.echo,
        _NO_CSP,
    ),
    Weakness(
        "xss_stored",
        "CWE-79",
        "Notes and messages are shown as markup.",
        markup.paragraphs_weak,
        markup.paragraphs,
        _NO_CSP,
    ),
    Weakness(
        "xss_dom",
        "CWE-79",
        "A script writes the address's fragment into the page as markup.",
        markup.section_script_weak,
        markup.section_script,
        _NO_CSP,
    ),
    Weakness(
        "xss_attribute",
        "CWE-83",
        "The search field keeps its text in an attribute without quotes.",
        markup.value_attribute_weak,
        markup.value_attribute,
        _NO_CSP,
    ),
    Weakness(
        "xss_link",
        "CWE-84",
        "A website link may be a javascript: address.",
        markup.link_target_weak,
        markup.link_target,
        _NO_CSP,
    ),
    Weakness(
        "xss_json",
        "CWE-79",
        "JSON in a script element can end the element.",
        markup.json_for_script_weak,
        markup.json_for_script,
        _NO_CSP,
    ),
    Weakness(
        "xss_rich_text",
        "CWE-79",
        "The formatted text of a profile is shown without being sanitized.",
        markup.rich_text_weak,
        markup.rich_text,
        _NO_CSP,
    ),
    Weakness(
        "csp_missing",
        "CWE-693",
        "No content security policy says which scripts are the page's own.",
        responses.content_policy_weak,
        responses.content_policy,
        ("xss_stored",),
    ),
    # Cross-site request forgery
    Weakness(
        "csrf_token_missing",
        "CWE-352",
        "Forms are accepted without a token.",
        forgery.token_accepted_weak,
        forgery.token_accepted,
        _NO_HEADERS_NO_SAME_SITE,
    ),
    Weakness(
        "csrf_token_unbound",
        "CWE-352",
        "A token is accepted whichever session it was made for.",
        forgery.token_accepted_unbound,
        forgery.token_accepted,
        _NO_HEADERS_NO_SAME_SITE,
    ),
    Weakness(
        "csrf_headers_unchecked",
        "CWE-346",
        "Nobody looks at Origin and Sec-Fetch-Site.",
        forgery.from_own_page_weak,
        forgery.from_own_page,
        ("csrf_token_missing", "cookie_same_site_missing"),
    ),
    Weakness(
        "csrf_check_skipped",
        "CWE-636",
        "A request whose Origin is missing or null is not checked.",
        forgery.from_own_page_skipped,
        forgery.from_own_page,
        ("csrf_token_missing", "cookie_same_site_missing"),
    ),
    Weakness(
        "csrf_sibling_trusted",
        "CWE-346",
        "A request from any host below our own is trusted.",
        forgery.from_own_page_sibling,
        forgery.from_own_page,
        ("csrf_token_missing",),
    ),
    Weakness(
        "csrf_get_changes_state",
        "CWE-352",
        "An address alone, as in a link or an image, marks an invoice as paid.",
        forgery.wants_change_weak,
        forgery.wants_change,
    ),
    Weakness(
        "csrf_sign_in",
        "CWE-352",
        "Another site can sign a visitor in, to the attacker's account.",
        forgery.guards_sign_in_weak,
        forgery.guards_sign_in,
    ),
    Weakness(
        "cookie_same_site_missing",
        "CWE-1275",
        "The session cookie has no SameSite attribute.",
        sessions.cookie_same_site_weak,
        sessions.cookie_same_site,
        ("csrf_token_missing", "csrf_headers_unchecked"),
    ),
    Weakness(
        "cookie_same_site_none",
        "CWE-1275",
        "The session cookie says SameSite=None: every site may send it.",
        sessions.cookie_same_site_none,
        sessions.cookie_same_site,
        ("csrf_token_missing", "csrf_headers_unchecked"),
    ),
    # Sessions
    Weakness(
        "session_predictable",
        "CWE-340",
        "Session ids are made of the time and a counter.",
        sessions.new_session_id_weak,
        sessions.new_session_id,
    ),
    Weakness(
        "session_kept_at_sign_in",
        "CWE-384",
        "The session keeps its id when somebody signs in.",
        sessions.sign_in_session_weak,
        sessions.sign_in_session,
    ),
    Weakness(
        "session_from_address",
        "CWE-598",
        "A session id in the address counts like the cookie.",
        sessions.presented_id_weak,
        sessions.presented_id,
    ),
    Weakness(
        "session_id_adopted",
        "CWE-384",
        "A session id that the server never issued is accepted.",
        sessions.known_session_weak,
        sessions.known_session,
        ("session_kept_at_sign_in",),
    ),
    Weakness(
        "cookie_script_readable",
        "CWE-1004",
        "Scripts can read the session cookie: no HttpOnly.",
        sessions.cookie_http_only_weak,
        sessions.cookie_http_only,
        ("xss_stored", "csp_missing"),
    ),
    Weakness(
        "cookie_plain_http",
        "CWE-614",
        "The session cookie also travels over plain http: no Secure.",
        sessions.cookie_secure_weak,
        sessions.cookie_secure,
    ),
    Weakness(
        "session_survives_sign_out",
        "CWE-613",
        "Signing out deletes the cookie, and leaves the session alive on the server.",
        sessions.sign_out_session_weak,
        sessions.sign_out_session,
    ),
    Weakness(
        "session_never_expires",
        "CWE-613",
        "A session has no idle and no absolute lifetime.",
        sessions.is_live_weak,
        sessions.is_live,
    ),
    Weakness(
        "session_survives_reset",
        "CWE-613",
        "Replacing the password leaves other sessions signed in.",
        sessions.end_other_sessions_weak,
        sessions.end_other_sessions,
    ),
    Weakness(
        "no_reauthentication",
        "CWE-306",
        "Bank details change without asking for the password again.",
        accounts.proves_presence_weak,
        accounts.proves_presence,
    ),
    # Signing in and resetting
    Weakness(
        "no_rate_limit",
        "CWE-307",
        "Passwords can be tried without end.",
        accounts.may_try_weak,
        accounts.may_try,
    ),
    Weakness(
        "reset_token_predictable",
        "CWE-640",
        "The reset token follows from the address and the second.",
        resets.new_reset_token_weak,
        resets.new_reset_token,
    ),
    Weakness(
        "reset_token_reusable",
        "CWE-640",
        "A reset link works again after it has been used.",
        resets.spend_reset_weak,
        resets.spend_reset,
    ),
    Weakness(
        "reset_token_never_expires",
        "CWE-613",
        "A reset link works for ever.",
        resets.find_reset_weak,
        resets.find_reset,
    ),
    Weakness(
        "reset_link_poisoned",
        "CWE-640",
        "The host in the reset link is the one that the request names.",
        resets.reset_link_weak,
        resets.reset_link,
    ),
    Weakness(
        "user_enumeration",
        "CWE-204",
        "The reset page tells whether an address has an account.",
        resets.reset_answer_weak,
        resets.reset_answer,
    ),
    # Access
    Weakness(
        "invoice_of_another",
        "CWE-639",
        "An invoice opens for everybody who knows its number.",
        invoices.read_invoice_weak,
        invoices.read_invoice,
    ),
    Weakness(
        "admin_unchecked",
        "CWE-862",
        "The administration page opens for everybody who is signed in.",
        accounts.may_administer_weak,
        accounts.may_administer,
    ),
    # Everything else
    Weakness(
        "open_redirect",
        "CWE-601",
        "After signing in, the visitor is sent wherever the address says.",
        responses.landing_weak,
        responses.landing,
    ),
    Weakness(
        "path_traversal",
        "CWE-22",
        "The name of an attachment can lead out of its folder.",
        responses.attachment_path_weak,
        responses.attachment_path,
    ),
    Weakness(
        "clickjacking",
        "CWE-1021",
        "Other sites can show Kvittra inside their own page.",
        responses.framing_policy_weak,
        responses.framing_policy,
    ),
    Weakness(
        "verbose_errors",
        "CWE-209",
        "Error pages show where in the code it went wrong.",
        responses.error_detail_weak,
        responses.error_detail,
    ),
)

WEAKNESSES: Mapping[str, Weakness] = MappingProxyType({item.name: item for item in _ALL})

_PARTS = {item.part: item.repaired for item in _ALL}


class Edition:
    """The parts that one Kvittra is built of: ``edition.find_invoices(…)`` calls the chosen one.

    Args:
        weaknesses: Names from ``WEAKNESSES``, or ``"all"``. Where two replace the same part, the
            one that is registered first is taken: it is the weaker one.
        replace: Functions to use instead, by the name of the part; a learner's own repair, say.

    Raises:
        TypeError: If ``weaknesses`` is one text instead of a collection of names, or a replacement
            cannot be called.
        ValueError: If a weakness or a part has an unknown name.
    """

    def __init__(
        self, weaknesses: Iterable[str] = (), *, replace: Mapping[str, Part] | None = None
    ) -> None:
        self.weaknesses = frozenset(_names(weaknesses))
        self._parts = dict(_PARTS)
        for item in reversed(_ALL):
            if item.name in self.weaknesses:
                self._parts[item.part] = item.weak
        for part, function in (replace or {}).items():
            if part not in _PARTS:
                raise ValueError(
                    f"replace must name a part of Kvittra ({', '.join(_PARTS)}), not {part!r}"
                )
            if not callable(function):
                raise TypeError(f"replace must hold functions, not {function!r} for {part}")
            self._parts[part] = function

    def __getattr__(self, part: str) -> Part:
        try:
            return self.__dict__["_parts"][part]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"Kvittra has no part {part!r}") from None


def _names(weaknesses: Iterable[str]) -> Iterator[str]:
    if isinstance(weaknesses, str):
        raise TypeError(
            f"weaknesses must be a collection of names, such as {{{weaknesses!r}}}, not one text"
        )
    for name in weaknesses:
        if name == "all":
            yield from WEAKNESSES
        elif name in WEAKNESSES:
            yield name
        else:
            raise ValueError(
                f"weaknesses must be names from labs.kvittra.WEAKNESSES or 'all', not {name!r}"
            )
