"""The exercises, the tables and the pictures of the lesson on session hijacking."""

from __future__ import annotations

import hashlib
import random
import secrets
import uuid

import pytest
from contract import Answers, Contract

from labs.attacks import session_hijacking as hijacking
from labs.attacks.session_hijacking import exercises, figures, model
from labs.teaching import Quiz
from labs.teaching.sliders import Slider, explore

HALF_HOUR, EIGHT_HOURS = 1_800, 28_800


def store(**changed):
    """The reference with some of its five functions replaced, in the exercise's order."""
    names = ("start", "sign_in", "find", "sign_out", "end_all")
    return [changed.get(name, getattr(model, name)) for name in names]


def starting(make):
    """A good store whose ids come from elsewhere."""

    def start(sessions, now):
        id = make(sessions, now)
        sessions[id] = {"user": None, "started": now, "seen": now}
        return id

    def sign_in(sessions, id, user, now):
        sessions.pop(id, None)
        new = start(sessions, now)
        sessions[new]["user"] = user
        return new

    return store(start=start, sign_in=sign_in)


def hashed_time(sessions, now):
    return hashlib.sha256(f"{now} {len(sessions)} kvittra".encode()).hexdigest()


def padded(sessions, _now):
    return f"{secrets.token_hex(6)}{len(sessions):020x}"


def rotates_and_keeps(sessions, id, user, now):
    new = model.start(sessions, now)
    if id in sessions:
        sessions[new] = sessions[id]
    sessions[new]["user"] = user
    return new


def keeps_known(sessions, id, user, now):
    """Refuses invented ids, and keeps those that the service gave out."""
    if id not in sessions:
        id = model.start(sessions, now)
    sessions[id].update(user=user, started=now, seen=now)
    return id


def leaves_the_old_one(sessions, _id, user, now):
    new = model.start(sessions, now)
    sessions[new]["user"] = user
    return new


def one_at_a_time(sessions, id, user, now):
    model.end_all(sessions, user)
    return model.sign_in(sessions, id, user, now)


def rests_only(sessions, id, now):
    session = sessions.get(id)
    if session is None or now - session["seen"] >= HALF_HOUR:
        sessions.pop(id, None)
        return None
    session["seen"] = now
    return session["user"]


def ages_only(sessions, id, now):
    session = sessions.get(id)
    return None if session is None or now - session["started"] >= EIGHT_HOURS else session["user"]


def from_sign_in(sessions, id, now):
    """Counts the 30 minutes from signing in."""
    session = sessions.get(id)
    return None if session is None or now - session["started"] >= HALF_HOUR else session["user"]


def woken_by_asking(sessions, id, now):
    session = sessions.get(id)
    if session is None:
        return None
    last, session["seen"] = session["seen"], now
    over = now - last >= HALF_HOUR or now - session["started"] >= EIGHT_HOURS
    return None if over else session["user"]


def leaves_the_user(sessions, id):
    if id in sessions:
        sessions[id]["signed_out"] = True


def everything(sessions, _id):
    sessions.clear()


def first_only(sessions, user):
    for id, session in sessions.items():
        if session["user"] == user:
            del sessions[id]
            return


def all_of_them(sessions, _user):
    sessions.clear()


def by_fingerprint():
    """The server keeps only a hash of each id, and counts when a user's sessions ended."""

    def key(id):
        return hashlib.sha256(id.encode()).hexdigest()

    def start(sessions, now):
        id = secrets.token_urlsafe(24)
        sessions[key(id)] = (None, now, now)
        return id

    def sign_in(sessions, id, user, now):
        sessions.pop(key(id), None)
        new = secrets.token_urlsafe(24)
        sessions[key(new)] = (user, now + EIGHT_HOURS, now + HALF_HOUR)
        return new

    def find(sessions, id, now):
        user, absolute, idle = sessions.get(key(id), (None, 0, 0))
        if user is None or now >= min(absolute, idle):
            sessions.pop(key(id), None)
            return None
        sessions[key(id)] = (user, absolute, now + HALF_HOUR)
        return user

    def sign_out(sessions, id):
        sessions.pop(key(id), None)

    def end_all(sessions, user):
        kept = {id: session for id, session in sessions.items() if session[0] != user}
        sessions.clear()
        sessions.update(kept)

    return [start, sign_in, find, sign_out, end_all]


def cookie(text):
    return [lambda value: text.replace("…", value)]


class TestExercises(Contract):
    answers = (
        Answers(
            exercises.match_roads,
            wrong={
                "HttpOnly against the café": (
                    [{**exercises.LETTERS, "steal over plain http": "c"}],
                    "The cookie travels where everybody reads.",
                ),
                "chance against a planted id": (
                    [{**exercises.LETTERS, "fixate": "a"}],
                    "When must it become another?",
                ),
                "rotation against a copy": (
                    [{**exercises.LETTERS, "replay after sign-out": "b"}],
                    "Who must forget it?",
                ),
                "one left out": (
                    [{k: v for k, v in exercises.LETTERS.items() if k != "predict"}],
                    "it has no letter from a to e yet",
                ),
            },
            other={
                "capitals": [{road: f" {x.upper()}" for road, x in exercises.LETTERS.items()}],
            },
        ),
        Answers(
            exercises.sessions_that_end,
            wrong={
                "a hash of time and counter": (starting(hashed_time), "a hash of them too"),
                "the module random": (
                    starting(lambda *_: f"{random.getrandbits(128):032x}"),
                    "made for games and simulations",
                ),
                "48 random bits and a counter": (starting(padded), "Sixteen random bytes"),
                "64 random bits": (
                    starting(lambda *_: secrets.token_hex(8)),
                    "128 random bits in each id",
                ),
                "the id stays at sign-in": (
                    store(sign_in=keeps_known),
                    "So change the id.",
                ),
                "two keys to one session": (
                    store(sign_in=rotates_and_keeps),
                    "two keys to one session are one too many",
                ),
                "the old session stays open": (
                    store(sign_in=leaves_the_old_one),
                    "Siv's old id still opens Siv's account",
                ),
                "one device for each user": (
                    store(sign_in=one_at_a_time),
                    "A new session takes nothing from those",
                ),
                "no absolute lifetime": (store(find=rests_only), "must not move the moment"),
                "no idle lifetime": (store(find=ages_only), "Look at the last request first."),
                "30 minutes after signing in": (
                    store(find=from_sign_in),
                    "Each request moves the moment",
                ),
                "a dead session is woken": (
                    store(find=woken_by_asking),
                    "being refused woke the session",
                ),
                "sign-out in name only": (
                    store(sign_out=leaves_the_user),
                    "must forget it too.",
                ),
                "sign-out for everybody": (
                    store(sign_out=everything),
                    "Signing out ends one session",
                ),
                "only one device": (store(end_all=first_only), "2 of the 3 sessions"),
                "a new password ends everybody": (
                    store(end_all=all_of_them),
                    "of that user and of nobody else",
                ),
            },
            other={
                "fingerprints of ids": by_fingerprint(),
                "a random UUID": starting(lambda *_: uuid.uuid4().hex + uuid.uuid4().hex),
                "letters for an address": starting(lambda *_: secrets.token_urlsafe(16)),
            },
        ),
        Answers(
            exercises.cookie_line,
            wrong={
                "no HttpOnly": (
                    cookie("__Host-session=…; Path=/; Secure; SameSite=Lax"),
                    "hides a cookie from scripts",
                ),
                "no Secure": (
                    cookie("session=…; Path=/; HttpOnly; SameSite=Lax"),
                    "keeps a cookie on https",
                ),
                "no SameSite": (
                    cookie("__Host-session=…; Path=/; Secure; HttpOnly"),
                    "leaves two minutes open",
                ),
                "SameSite=None": (
                    cookie("__Host-session=…; Path=/; Secure; HttpOnly; SameSite=None"),
                    "leaves everything open",
                ),
                "SameSite=Strict": (
                    cookie("__Host-session=…; Path=/; Secure; HttpOnly; SameSite=Strict"),
                    "What is the milder word?",
                ),
                "every mark and no prefix": (
                    cookie("session=…; Path=/; Secure; HttpOnly; SameSite=Lax"),
                    "prefix of the name",
                ),
                "the weaker prefix": (
                    cookie("__Secure-session=…; Path=/; Secure; HttpOnly; SameSite=Lax"),
                    "prefix of the name",
                ),
                "the prefix without Path": (
                    cookie("__Host-session=…; Secure; HttpOnly; SameSite=Lax"),
                    "__Host- needs Secure, Path=/ and no Domain",
                ),
                "for the whole domain": (
                    cookie(
                        "session=…; Domain=kvittra.example; Path=/; Secure; HttpOnly; SameSite=Lax"
                    ),
                    "makes a cookie wider",
                ),
                "for one folder": (
                    cookie("session=…; Path=/bank; Secure; HttpOnly; SameSite=Lax"),
                    "the cookie was not sent",
                ),
            },
            other={
                "another order, other capitals": cookie(
                    "__Host-id=…; secure; httponly; samesite=lax; path=/"
                ),
                "with an age": cookie(
                    "__Host-session=…; Max-Age=28800; Path=/; Secure; HttpOnly; SameSite=Lax"
                ),
            },
        ),
    )


QUIZZES = [value for value in vars(exercises).values() if isinstance(value, Quiz)]


def test_there_are_questions_before_and_after_the_reveal() -> None:
    assert sum(quiz.prediction for quiz in QUIZZES) >= 2
    assert sum(not quiz.prediction for quiz in QUIZZES) >= 1


def test_a_hashed_counter_measures_like_random_bits_and_has_none() -> None:
    rows = {row[1]: row[2:] for row in figures.estimates().rows}
    assert all(abs(a - b) <= 2 for a, b in zip(
        rows["hash of a counter"][:3], rows["128 random bits"][:3], strict=True
    ))  # fmt: skip
    assert rows["hash of a counter"][3] == 0
    assert rows["128 random bits"][3] == 128


def test_the_table_of_cookies_loses_one_place_less_in_each_row() -> None:
    lost = [list(row).count("lost") for row in figures.cookies().rows]
    assert lost == [4, 3, 2, 1, 0]


def test_the_table_of_roads_says_what_closes_each() -> None:
    found = [(road, road.name == "predict", False) for road in hijacking.ROADS]
    rows = figures.all_roads(found).rows
    assert [row[2] for row in rows].count("open") == 1
    assert {row[3] for row in rows} == {"closed"}
    assert all(row[4] for row in rows)


def test_the_cafe_reads_the_cookie_only_without_secure_and_without_strict_transport() -> None:
    table = figures.wire(
        [
            ("bare", hijacking.overheard({"cookie_plain_http"}, strict_transport=False)),
            ("Secure", hijacking.overheard((), strict_transport=False)),
            ("HSTS", hijacking.overheard({"cookie_plain_http"}, strict_transport=True)),
        ]
    )
    cookies = {(row[0], str(row[2]).partition("=")[0]) for row in table.rows}
    assert cookies == {("bare", "session"), ("Secure", "no cookie"), ("HSTS", "")}


@pytest.mark.parametrize(("bits", "said"), [(32, "4.3 seconds"), (64, "585 years")])
def test_the_picture_of_guessing_says_how_long(bits: int, said: str) -> None:
    assert f"With {bits} random bits: {said}." in figures.guess_time(bits, 10_000, 100_000).alt


def test_guessing_moves_under_sliders_to_their_ends() -> None:
    shown = explore(
        figures.guess_time,
        bits=Slider((20, 64, 128)),
        guesses_per_second=Slider((10, 10_000_000)),
        sessions=Slider((1, 100_000)),
    )
    for values in (shown.frames()[0], shown.frames()[-1]):
        assert "random bits" in shown.picture(**values).alt


def test_the_picture_of_positions_counts_what_never_changes() -> None:
    drawn = figures.positions()
    assert "time and counter: 20 characters, 13 of which never change" in drawn.alt
    assert "128 random bits: 32 characters, 0 of which never change" in drawn.alt
    assert len(drawn.svg) < 40_000
