"""The exercises and the pictures of the lesson on request forgery."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

import pytest
from contract import Answers, Contract

from labs.attacks.request_forgery import exercises, figures, model
from labs.kvittra import forgery
from labs.teaching import Quiz
from labs.teaching.sliders import Slider, explore

SAFE = ("GET", "HEAD", "OPTIONS")


def posts(decides):
    """A function that lets everything be read and decides about the rest."""
    return lambda method, headers, origin: method in SAFE or decides(headers, origin)


def matrix(**rows):
    names = {"port": "https://kvittra.example:8443", "sibling": "https://status.kvittra.example"}
    names |= {"plain": "http://kvittra.example", "evil": "https://evil.example"}
    changed = {names[key]: marks for key, marks in rows.items()}
    return [dict(exercises.fill_matrix.reference["matrix"]) | changed]


def mac(session: str, secret: bytes) -> str:
    return hmac.new(secret, session.encode(), hashlib.sha256).hexdigest()


def exact(make):
    return make, lambda token, session, secret: token == make(session, secret)


def carries_its_session():
    """The token names a session of its own and proves that it was made; nobody compares."""

    def make(session, secret):
        name = hashlib.sha256(session.encode()).hexdigest()
        return f"{name}.{mac(name, secret)}"

    def check(token, _session, secret):
        name, _, proof = token.partition(".")
        return hmac.compare_digest(proof.encode(), mac(name, secret).encode())

    return make, check


def remembered():
    made = set()

    def make(_session, _secret):
        token = secrets.token_hex(16)
        made.add(token)
        return token

    return make, lambda token, _session, _secret: token in made


def salted():
    def make(session, secret):
        salt = secrets.token_hex(8)
        return f"{salt}.{mac(salt + session, secret)}"

    def check(token, session, secret):
        salt, _, proof = token.partition(".")
        return hmac.compare_digest(proof.encode(), mac(salt + session, secret).encode())

    return make, check


def once():
    made = {}

    def make(session, _secret):
        made[session] = secrets.token_hex(16)
        return made[session]

    return make, lambda token, session, _secret: bool(token) and made.pop(session, "") == token


def keyed(session, secret):
    return hashlib.blake2b(session.encode(), key=secret).hexdigest()


def origin_or_metadata(method, headers, origin):
    if method in SAFE:
        return True
    if "Sec-Fetch-Site" in headers:
        return headers["Sec-Fetch-Site"] in ("same-origin", "none")
    return headers.get("Origin") == origin


class TestExercises(Contract):
    answers = (
        Answers(
            exercises.fill_matrix,
            wrong={
                "a port makes a site": (matrix(port="n n y n y y"), "No port is in it."),
                "a host makes a site": (matrix(sibling="n n y n y y"), "Who registered this one?"),
                "the scheme does not count": (
                    matrix(plain="y y y y y y"),
                    "The scheme belongs to the site.",
                ),
                "Lax lets forms go": (matrix(evil="n n y y y y"), "SameSite=Lax, cross-site POST"),
                "None stays home": (matrix(evil="n n y n n n"), "None lets it go."),
                "a mark is missing": (matrix(evil="n n y n y"), "it has 5 marks"),
            },
            other={
                "in words, with commas": [
                    {
                        sender: ", ".join({"y": "Yes", "n": "no"}[mark] for mark in row.split())
                        for sender, row in exercises.fill_matrix.reference["matrix"].items()
                    }
                ],
            },
        ),
        Answers(
            exercises.who_asks,
            wrong={
                "everything": ([lambda *_: True], "Someone has to look at the headers."),
                "only forms are looked at": (
                    [posts(lambda h, _: h.get("Sec-Fetch-Mode") != "navigate")],
                    "A script's request has the same headers as a form's.",
                ),
                "skipped where Origin is null": (
                    [forgery.from_own_page_skipped],
                    "No header is not a yes.",
                ),
                "Referer begins with our name": (
                    [posts(lambda h, o: h.get("Referer", "").startswith(o))],
                    "Compare the whole of Origin",
                ),
                "Origin ends with our name": (
                    [posts(lambda h, o: h.get("Origin", "").endswith(o.partition("://")[2]))],
                    "Compare the whole of Origin",
                ),
                "siblings are trusted": (
                    [forgery.from_own_page_sibling],
                    "Same site is not same origin.",
                ),
                "same-site is enough": (
                    [posts(lambda h, _: h.get("Sec-Fetch-Site") in ("same-origin", "same-site"))],
                    "Same site is not same origin.",
                ),
                "neither port nor scheme": (
                    [
                        posts(
                            lambda h, o: (
                                urlsplit(h.get("Origin", "")).hostname == urlsplit(o).hostname
                            )
                        )
                    ],
                    "with scheme and port",
                ),
                "old browsers are let in": (
                    [
                        posts(
                            lambda h, _: h.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
                        )
                    ],
                    "Origin is there with every POST",
                ),
                "old browsers are locked out": (
                    [posts(lambda h, _: h.get("Sec-Fetch-Site") == "same-origin")],
                    "It sends `Origin` with every POST.",
                ),
                "our address is written down": (
                    [posts(lambda h, _: h.get("Origin") == "https://kvittra.example")],
                    "Do not write it down.",
                ),
                "links are refused": (
                    [lambda _, h, o: h.get("Origin") == o or h.get("Sec-Fetch-Site") == "none"],
                    "links and bookmarks end in a refusal",
                ),
                "no headers at all are let in": (
                    [posts(lambda h, o: h.get("Origin", o) == o)],
                    "No header is not a yes.",
                ),
            },
            other={
                "Origin alone, compared whole": [posts(lambda h, o: h.get("Origin") == o)],
                "Fetch Metadata, then Origin": [origin_or_metadata],
            },
        ),
        Answers(
            exercises.bind_token,
            wrong={
                "the same for everybody": (
                    exact(lambda _session, secret: mac("form", secret)),
                    "Let the session's id go into the token",
                ),
                "skipped where it is missing": (
                    (
                        mac,
                        lambda token, session, secret: not token or token == mac(session, secret),
                    ),
                    "It must not skip the check.",
                ),
                "any text will do": (
                    (mac, lambda token, _session, _secret: len(token) == 64),
                    "Compute the token again",
                ),
                "proves itself, for any session": (
                    carries_its_session(),
                    "Let the session's id go into the token",
                ),
                "remembered, for any session": (
                    remembered(),
                    "Let the session's id go into the token",
                ),
                "cut to two signs": (
                    exact(lambda session, secret: mac(session, secret)[:2]),
                    "Keep the whole result",
                ),
                "the session itself": (
                    exact(lambda session, _secret: session),
                    "the id of her session can be read",
                ),
                "the session in front": (
                    exact(lambda session, secret: f"{session}.{mac(session, secret)}"),
                    "the id of her session can be read",
                ),
                "no secret": (
                    exact(lambda session, _secret: hashlib.sha256(session.encode()).hexdigest()),
                    "a plain hash has no secret in it",
                ),
                "compared as text": (
                    (
                        mac,
                        lambda token, session, secret: hmac.compare_digest(
                            token, mac(session, secret)
                        ),
                    ),
                    "Encode both sides to bytes.",
                ),
                "good once": (once(), "Kvittra refused one of them"),
            },
            other={
                "compared with ==": exact(mac),
                "a keyed BLAKE2": exact(keyed),
                "with a salt": salted(),
            },
        ),
    )


QUIZZES = [value for value in vars(exercises).values() if isinstance(value, Quiz)]


def test_there_are_questions_before_and_after_the_reveal() -> None:
    assert sum(quiz.prediction for quiz in QUIZZES) >= 2
    assert sum(not quiz.prediction for quiz in QUIZZES) >= 1


def test_the_table_of_variants_says_which_pages_pay_the_invoice() -> None:
    found = {row[0]: row[1:] for row in figures.variants().rows}
    assert found == {
        "an image": ["–", "–", "–", "paid"],
        "an address that opens by itself": ["paid", "paid", "paid", "paid"],
        "a form that sends itself": ["paid", "–", "–", "paid"],
        "a script's fetch": ["–", "–", "–", "paid"],
    }


def test_the_decisions_give_the_reason_for_the_forms_cookie() -> None:
    shown = figures.decisions(None, age_s=131.0).text()
    assert "not sent" in shown
    assert "age 131 s, over 120 s" in shown
    assert "age 45 s of at most 120 s" in figures.decisions().text()
    with pytest.raises(ValueError, match="same_site must be Lax"):
        figures.decisions("Strict")


def test_the_table_of_half_fixes_ends_in_refusals() -> None:
    rows = figures.half_fixes().rows
    assert [row[2:] for row in rows] == [["got through", "refused"]] * len(model.HALF_FIXES)


def test_a_confirmed_matrix_has_a_reason_for_every_cell_and_marks_the_wrong_ones() -> None:
    wrong = matrix(evil="y n y n y y")[0]
    rows = figures.confirmed(wrong).rows
    assert len(rows) == 30
    assert all(row[5] for row in rows)
    assert [row[:5] for row in rows if "✗" in row[4]] == [
        ["https://evil.example", "Strict", "link", "y", "n ✗"]
    ]
    assert all("✗" in row[4] for row in figures.confirmed({}).rows)


@pytest.mark.parametrize(("age_s", "sent"), [(0, "sent"), (120, "sent"), (121, "not sent")])
def test_the_picture_of_the_window_says_when_it_closes(age_s: int, sent: str) -> None:
    drawn = figures.window(age_s)
    assert f"no attribute: {sent};" in drawn.alt
    assert "Strict: not sent; Lax: not sent" in drawn.alt
    assert "None: sent" in drawn.alt


def test_the_window_moves_under_a_slider() -> None:
    shown = explore(figures.window, age_s=Slider((0, 60, 120, 121, 180), "Age (s)", start=60))
    assert "60 seconds after" in shown.text()
