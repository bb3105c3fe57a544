"""The exercises and the pictures of the lesson on passwords."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import itertools
import math
import os
import re
import secrets
import signal
import unicodedata
from collections import Counter
from functools import cache

import argon2
import bcrypt
import pytest
from argon2.low_level import Type, hash_secret_raw
from contract import ROOT, Answers, Contract, matching
from werkzeug.security import check_password_hash, generate_password_hash

from labs.attacks import passwords
from labs.attacks.passwords import exercises, figures, leak, model, watching
from labs.teaching import Answer, Failed, Quiz, isolation
from labs.teaching.sliders import Slider, explore

SITE = b"kvittra-2009"
PEPPER = b"kept in the configuration"


def nfc(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode()


def keeps(derive, *, salt=lambda _user: secrets.token_bytes(16), same=hmac.compare_digest):
    """A pair of functions that write ``salt$hash``, as a learner might."""

    def store(user, password):
        own = salt(user)
        return f"{own.hex()}${derive(nfc(password), own).hex()}"

    def verify(record, _user, password):
        own, _, kept = record.partition("$")
        if not re.fullmatch("[0-9a-f]*", own):
            return False
        return same(kept, derive(nfc(password), bytes.fromhex(own)).hex())

    return store, verify


def hardened(password: bytes, salt: bytes, length: int = 32) -> bytes:
    """Argon2id at OWASP's cost, without the record: the quickest function that is slow enough.

    Of OWASP's choices this one needs the least memory, and therefore the least time.
    """
    memory, passes, lanes = model.ARGON2ID_COSTS[-1]
    return hash_secret_raw(password, salt.ljust(8), passes, memory, lanes, length, Type.ID)


def stretched(password: bytes, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, 600_000)


def iterated(rounds):
    def derive(password: bytes, salt: bytes) -> bytes:
        value = salt + password
        for _ in range(rounds):
            value = hashlib.sha256(value).digest()
        return value

    return derive


def peppered():
    def store(_user, password):
        return hmac.new(PEPPER, nfc(password), "sha256").hexdigest()

    return store, lambda record, user, password: hmac.compare_digest(record, store(user, password))


def every_byte(a: str, b: str) -> bool:
    difference = len(a) ^ len(b)
    for x, y in zip(a.encode(), b.encode(), strict=False):
        difference |= x ^ y
    return difference == 0


def early_exit(a: str, b: str) -> bool:
    return len(a) == len(b) and all(x == y for x, y in zip(a, b, strict=True))


def early_exit_over_the_record():
    """Makes the whole record again, so that the salt's letters are compared first."""
    store, _ = keeps(hardened)

    def verify(record, _user, password):
        own = record.partition("$")[0]
        if not re.fullmatch("[0-9a-f]*", own):
            return False
        return early_exit(record, f"{own}${hardened(nfc(password), bytes.fromhex(own)).hex()}")

    return store, verify


def truncated():
    return keeps(lambda password, salt: hardened(password, salt, length=4))


def bcrypted():
    def store(_user, password):
        # Cost 9 is the lowest that takes as long as Argon2id does.
        return bcrypt.hashpw(nfc(password)[:72], bcrypt.gensalt(9)).decode()

    def verify(record, _user, password):
        return bcrypt.checkpw(nfc(password)[:72], record.encode())

    return store, verify


def not_normalized():
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

    def verify(record, _user, password):
        try:
            return hasher.verify(record, password)
        except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
            return False

    return lambda _user, password: hasher.hash(password), verify


def cheap_argon2():
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1)

    def verify(record, _user, password):
        try:
            return hasher.verify(record, nfc(password))
        except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
            return False

    return lambda _user, password: hasher.hash(nfc(password)), verify


def false_record():
    """Writes a record that claims Argon2id, around another hash."""
    store, verify = keeps(lambda password, salt: hardened(password, b"other" + salt))

    def claims(user, password):
        salt, _, tag = store(user, password).partition("$")
        parts = (model._base64(bytes.fromhex(part)) for part in (salt, tag))
        return "$argon2id$v=19$m=19456,t=2,p=1$" + "$".join(parts)

    def checks(record, user, password):
        if not record.startswith("$argon2id$v=19$m=19456,t=2,p=1$") or record.count("$") != 5:
            return False
        salt, tag = (
            base64.b64decode(part + "=" * (-len(part) % 4)) for part in record.split("$")[4:]
        )
        return verify(f"{salt.hex()}${tag.hex()}", user, password)

    return claims, checks


def of_werkzeug(method):
    def store(_user, password):
        return generate_password_hash(nfc(password).decode(), method=method)

    def verify(record, _user, password):
        return check_password_hash(record, nfc(password).decode())

    return store, verify


def fast(password: bytes, salt: bytes) -> bytes:
    return hashlib.sha256(salt + password).digest()


def wipes(record, password):
    if len(record) == 32:
        return False, ""
    return model.login(record, password)


def hashes_the_hash(record, password):
    if len(record) == 32:
        accepted = passwords.verify_weak(record, password)
        return accepted, passwords.store(record) if accepted else record
    return model.login(record, password)


def wraps(record, password):
    """Hashes the fingerprint, and takes a fingerprint for a password."""
    if len(record) == 32:
        accepted = passwords.verify_weak(record, password)
        return accepted, passwords.store(record) if accepted else record
    fingerprint = passwords.store_weak(password)
    if passwords.verify(record, fingerprint) or passwords.verify(record, password):
        return True, record
    return False, record


def renews_everybody(record, password):
    accepted, _ = model.login(record, password)
    return accepted, passwords.store(password)


def only_md5(record, password):
    if len(record) == 32:
        return model.login(record, password)
    return passwords.verify(record, password), record


def downgrades(record, password):
    accepted, kept = model.login(record, password)
    return accepted, passwords.store(password) if accepted else kept


def as_typed(record, password):
    if len(record) == 32:
        accepted = passwords.verify_weak(record, password)
        return accepted, passwords.store(password) if accepted else record
    return model.login(record, password)


def with_argon2_cffi(record, password):
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    if not record.startswith("$"):
        for form in ("NFD", "NFC", None):
            text = unicodedata.normalize(form, password) if form else password
            if hmac.compare_digest(record, hashlib.md5(text.encode()).hexdigest()):
                return True, hasher.hash(nfc(password))
        return False, record
    try:
        hasher.verify(record, nfc(password))
    except argon2.exceptions.VerifyMismatchError:
        return False, record
    has = argon2.extract_parameters(record)
    cheap = has.memory_cost < 19_456 or has.time_cost < 2
    return True, hasher.hash(nfc(password)) if cheap else record


def policy(*, shortest=15, second=8, longest=None, listed=True, cased=True, named=True, extra=None):
    common = set(passwords.common_passwords())

    def refusal(password, user, second_factor):
        letters = re.sub(r"[\W\d_]", "", password.lower())
        if extra and extra(password):
            return "not allowed here"
        if len(password) < (second if second_factor else shortest):
            return "too short"
        if longest and len(password) > longest:
            return "too long"
        if listed and (password.lower() if cased else password) in common:
            return "too common"
        if named and letters and re.fullmatch(f"(?:{user}|kvittra)+", letters):
            return "a name"
        return ""

    return refusal


class TestExercises(Contract):
    answers = (
        matching(
            exercises.match_defenses,
            exercises.THREATS,
            wrong={
                "a salt for everything": ("aaaa", "What does a guess have to cost"),
                "a list against speed": ("acbd", "matched with the letter c"),
                "storage against phishing": ("dbca", "work done in advance worthless"),
            },
        ),
        Answers(
            exercises.store_and_verify,
            wrong={
                "plain text": (
                    [
                        lambda _user, password: password,
                        lambda record, _user, password: record == password,
                    ],
                    "holds the password itself",
                ),
                "site-wide salt": (
                    keeps(hardened, salt=lambda _user: SITE),
                    "same salt for everybody",
                ),
                "salt from the user name": (
                    keeps(hardened, salt=lambda user: user.encode().ljust(8)),
                    "salt from the user's name",
                ),
                "pepper only": (peppered(), "a pepper"),
                "salted fast hash": (keeps(fast), "one SHA256"),
                "fast hash iterated a little": (
                    keeps(iterated(1_000)),
                    "repeated a little is still fast",
                ),
                "home-made construction": (keeps(iterated(60_000)), "home-made loop"),
                "truncated hash": (truncated(), "the hash is cut short"),
                "== on hex": (
                    keeps(hardened, same=lambda a, b: a == b),
                    "stops at the first letter",
                ),
                "a loop that returns early": (
                    keeps(hardened, same=early_exit),
                    "stops at the first letter",
                ),
                "a loop over the record that returns early": (
                    early_exit_over_the_record(),
                    "stops at the first letter",
                ),
                "bcrypt's 72 bytes": (bcrypted(), "72 bytes"),
                "no normalization": (not_normalized(), "Unicode normalization"),
                "cheap Argon2id": (cheap_argon2(), "the cheapest of OWASP's choices"),
                "a false record": (false_record(), "says what was really done"),
            },
            other={
                "PBKDF2 with 600,000 rounds": keeps(stretched),
                "every byte compared": keeps(hardened, same=every_byte),
                "scrypt by werkzeug": of_werkzeug("scrypt"),
                "with os.urandom": keeps(hardened, salt=lambda _user: os.urandom(32)),
                "the lab's own": [
                    lambda _user, password: passwords.store(password),
                    lambda record, _user, password: passwords.verify(record, password),
                ],
            },
        ),
        Answers(
            exercises.upgrade_on_login,
            wrong={
                "asks for a new password": ([wipes], "at her first visit"),
                "hashes the hash": ([hashes_the_hash], "at her second visit"),
                "wraps and takes fingerprints": ([wraps], "typed as the password"),
                "renews after any password": (
                    [renews_everybody],
                    "now `attacker` opens the account",
                ),
                "leaves cheap Argon2": ([only_md5], "whatever has become too cheap"),
                "makes strong records cheap": ([downgrades], "replaced by a cheaper one"),
                "only as typed": ([as_typed], "another form of `å`"),
                "no renewal": ([model.login_weak], "reads it with one fast hash"),
            },
            other={"with argon2-cffi": [with_argon2_cffi]},
        ),
        Answers(
            exercises.choose_a_policy,
            wrong={
                "15 always": ([policy(second=15)], "8 characters where there is a second lock"),
                "8 always": ([policy(shortest=8)], "15 characters where the password"),
                "still a digit": (
                    [policy(extra=lambda p: not any(c.isdigit() for c in p))],
                    "no rule that asks for capitals",
                ),
                "no list": ([policy(listed=False)], "a look at the list of common passwords"),
                "the list by its letters only": ([policy(cased=False)], "whatever the capitals"),
                "at most 32": ([policy(longest=32)], "room for at least 64"),
                "ASCII only": (
                    [policy(extra=lambda p: not p.isascii())],
                    "passwords in any script",
                ),
                "names are fine": ([policy(named=False)], "names that an attacker tries"),
                "bytes": (
                    [
                        lambda p, u, s: (
                            policy()(p, u, s)
                            if len(p.encode()) < 15 or p.isascii() or " " in p
                            else ""
                        )
                    ],
                    "which take 18 bytes",
                ),
            },
            other={"by patterns": [policy()], "a longer limit": [policy(longest=128)]},
        ),
    )


def test_a_judgment_asks_for_no_record_twice_but_for_the_one_that_must_differ(monkeypatch):
    monkeypatch.setattr(isolation, "can_fork", lambda: False)
    exercise = exercises.store_and_verify
    stored, verified = Counter(), Counter()

    def counting(calls, part):
        return lambda *given: calls.update([given]) or part(*given)

    store, verify = keeps(hardened)
    answer = [counting(stored, store), counting(verified, verify)]
    assert exercise.judge(exercise.checks, answer, seed="book").accepted
    assert [given for given, times in stored.items() if times > 1] == [("siv", "123456")]
    assert stored.total() == 10
    assert verified.total() == 11  # one of them to time a guess, three with damaged records


def at_first(good, afterwards):
    """A part that is good when it is called for the first time, and never again."""
    versions = itertools.chain([good], itertools.repeat(afterwards))
    return lambda *given: next(versions)(*given)


SALTED, UNSALTED = keeps(fast), keeps(fast, salt=lambda _user: SITE)
SHORTCUT = keeps(fast, same=lambda a, b: a == b)


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        pytest.param(
            exercises.store_and_verify,
            [at_first(SALTED[0], UNSALTED[0]), SALTED[1]],
            "same salt for everybody",
            id="a salt",
        ),
        pytest.param(
            exercises.store_and_verify,
            [at_first(keeps(hardened)[0], SALTED[0]), SALTED[1]],
            "one SHA256",
            id="a slow function",
        ),
        pytest.param(
            exercises.store_and_verify,
            [SALTED[0], at_first(SALTED[1], lambda *_: True)],
            "it opened her account",
            id="a look at the password",
        ),
        pytest.param(
            exercises.store_and_verify,
            [SALTED[0], at_first(SALTED[1], SHORTCUT[1])],
            "stops at the first letter",
            id="a comparison without a shortcut",
        ),
        pytest.param(
            exercises.upgrade_on_login,
            [at_first(model.login, model.login_weak)],
            "reads it with one fast hash",
            id="a renewal",
        ),
        pytest.param(
            exercises.upgrade_on_login,
            [at_first(model.login, lambda record, _password: (True, record))],
            "it was accepted",
            id="a sign-in",
        ),
    ],
)
def test_an_answer_that_is_good_only_the_first_time_is_refused(exercise, answer, words):
    report = exercise.judge(exercise.checks, answer, seed="book")
    assert not report.accepted
    assert words in report.text(), report.text()


def test_every_question_explains_every_option():
    questions = [thing for thing in vars(exercises).values() if isinstance(thing, Quiz)]
    assert len(questions) >= 4
    assert all(len(option.feedback) > 30 for question in questions for option in question.options)


def test_the_answers_to_the_questions_are_what_the_attacks_show():
    common = len(leak.falls("md5"))
    assert leak.fallen_after("md5", 60, passwords.PUBLISHED_RATES["md5"]) == common < 80
    assert "list" in next(o.label for o in exercises.one_minute.options if o.correct)
    with_it = sum(account.password == "123456" for account in passwords.accounts())
    assert with_it == 7
    assert next(o.label for o in exercises.slow_and_common.options if o.correct) == "Seven"


def test_a_record_with_a_salt_in_it_is_still_cracked_when_the_hash_is_fast():
    for record in (
        hashlib.sha256(b"saltdragon").hexdigest() + ":salt",
        "00ff$" + hashlib.sha1(b"dragon\x00\xff").hexdigest(),
        "aabb" + hashlib.md5(b"\xaa\xbbdragon").hexdigest(),
        base64.b64encode(b"dragon").decode(),
        hashlib.sha512(b"akseldragon").hexdigest(),
    ):
        assert exercises._cracked(record, "aksel", ["monkey", "dragon"]), record
    assert not exercises._cracked(passwords.store("dragon"), "aksel", ["monkey", "dragon"])


def test_an_even_loop_and_an_early_exit_can_be_told_apart():
    counts = {}
    for name, compare in (("even", every_byte), ("early", early_exit)):
        for other in ("b" + "a" * 31, "a" * 31 + "b"):
            with watching.comparisons() as seen:
                compare("a" * 32, other)
            counts.setdefault(name, []).append(seen.comparisons)
    assert counts["even"][0] == counts["even"][1] >= 32
    assert counts["early"][0] < counts["early"][1]


def test_the_timer_that_ends_endless_loops_does_not_count_as_a_comparison():
    counts = []
    for rings in (0, 5):
        with isolation._timed([math.inf]), watching.comparisons() as seen:
            every_byte("a" * 32, "b" * 32)
            for _ in range(rings):
                signal.raise_signal(signal.SIGALRM)
        counts.append(seen.comparisons)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", ["argon2_hash", "scrypt", "pbkdf2_hmac"])
def test_the_functions_that_stand_in_for_c_in_a_page_are_seen(name):
    page = {"__name__": "labs_page.somewhere"}
    exec(f"def {name}(): pass", page)
    own = {"__name__": "__main__"}
    exec(f"def {name}(): pass", own)
    for where, expected in ((page, True), (own, False)):
        with watching.functions() as seen:
            where[name]()
        assert seen.derives is expected


def test_watching_leaves_nothing_behind():
    import random
    import sys

    before = (os.urandom, vars(random.SystemRandom)["randbytes"], sys.getprofile(), sys.gettrace())
    with watching.repeated_dice(), watching.functions(), watching.comparisons():
        assert secrets.token_bytes(8) == secrets.token_bytes(8) == os.urandom(8)
    after = (os.urandom, vars(random.SystemRandom)["randbytes"], sys.getprofile(), sys.gettrace())
    assert before == after
    assert secrets.token_bytes(8) != secrets.token_bytes(8)


def test_cost_by_the_clock_accepts_what_is_slow_and_refuses_what_is_fast():
    def seconds(pair):
        store, verify = pair
        record = store("siv", "123456")
        return min(exercises._seconds(lambda: verify(record, "siv", "x")) for _ in range(3))

    profile = min(exercises._seconds(lambda: passwords.store("x")) for _ in range(3))
    assert seconds(keeps(iterated(1_000))) < profile / 2 < seconds(keeps(hardened))


@pytest.mark.parametrize(
    ("took", "accepted"),
    [
        pytest.param([10, 30, 12, 18], True, id="the profile's turn was held up at first"),
        pytest.param([10, 30, 10, 30, 10, 30], False, id="a third of the profile, three times"),
        pytest.param([0.2, 30], False, id="far too little, which one turn shows"),
    ],
)
def test_half_the_cost_of_the_profile_is_enough_at_any_of_three_turns(took, accepted, monkeypatch):
    clock = iter(took)
    monkeypatch.setattr(exercises, "_seconds", lambda _work: next(clock))
    with contextlib.nullcontext() if accepted else pytest.raises(Failed):
        exercises._cost_by_clock(Answer({}), "a record")
    assert list(clock) == []


PICTURES = {
    "fallen": lambda: figures.accounts_fallen(100),
    "rates": figures.guess_rates,
    "rainbow": figures.rainbow,
    "cost": lambda: figures.argon2id_cost(64, 3, 4),
    "birthday": figures.birthday,
}


@cache
def drawn(name):
    """A picture, drawn once for all tests that read it."""
    return PICTURES[name]()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_each_time_and_says_its_numbers(name):
    first, second = drawn(name), PICTURES[name]()
    assert first == second
    assert len(re.findall(r"\d[\d,.]*", first.alt)) >= 4
    assert len(first.svg) < 40_000


def test_the_text_alternatives_give_the_numbers_of_the_model():
    assert "49 after a minute" in figures.accounts_fallen().alt
    assert "164,100,000,000" in drawn("rates").alt
    assert "1,438 (computed)" in drawn("rates").alt
    assert "53.9 times the work" in figures.argon2id_cost(2048, 1, 4).alt
    assert "1.5e-21" in drawn("birthday").alt
    assert "77,164 users" in drawn("birthday").caption
    assert passwords.collision_probability(77_163, 2**32) < 0.5
    assert passwords.collision_probability(77_164, 2**32) >= 0.5


def test_a_setting_weaker_than_every_choice_of_owasp_is_called_so():
    assert "less than OWASP's cost" in figures.argon2id_cost(19, 1, 1).alt
    assert "at least OWASP's cost" in figures.argon2id_cost(46, 1, 1).alt


def test_this_machines_rates_are_drawn_only_when_nothing_is_recorded(monkeypatch):
    own = [leak.Measured("md5", 1_234_567, 1.0), leak.Measured("argon2id", 28, 1.0)]
    monkeypatch.delenv("LABS_RECORD", raising=False)
    assert "This machine: MD5 1,200,000; Argon2id 28" in figures.guess_rates(own).alt
    monkeypatch.setenv("LABS_RECORD", "1")
    assert figures.guess_rates(own) == drawn("rates")


def test_the_rainbow_picture_shows_that_a_salt_leaves_nothing_to_find():
    assert "each table found 0" in drawn("rainbow").alt


def test_the_leaked_table_shows_who_shares_a_password():
    tables = [passwords.LeakedTable(key) for key in ("plain", "md5", "user_salt")]
    rows = {row[0]: row[1:] for row in figures.leaked(tables, ["maja", "otto", "olle"]).rows}
    assert rows["MD5"][0] == rows["MD5"][1] != rows["MD5"][2]
    assert len(set(rows["SHA-256, a salt for each user"])) == 3


def test_this_machines_time_is_said_only_where_a_person_watches(monkeypatch):
    assert "On this machine" not in figures.argon2id_cost(19, 2, 1).alt
    monkeypatch.setattr(figures, "_live", lambda: True)
    assert re.search(r"a sign-in takes about \d", figures.argon2id_cost(19, 2, 1).alt)


def test_every_scheme_that_hashes_is_measured(monkeypatch):
    monkeypatch.setattr(leak, "measure", lambda key, **_: leak.Measured(key, 10, 2.0))
    rates = {one.scheme: one.per_second for one in figures.measure_rates()}
    assert rates == dict.fromkeys(["md5", "sha256", "site_salt", "user_salt", "argon2id"], 5.0)


@pytest.mark.parametrize(("recorded", "seconds"), [("", 0.25), ("1", 0.01)])
def test_rates_that_nobody_sees_are_measured_for_a_moment(recorded, seconds, monkeypatch):
    asked = []
    monkeypatch.setenv("LABS_RECORD", recorded)
    monkeypatch.setattr(leak, "measure", lambda _key, *, seconds: asked.append(seconds))
    figures.measure_rates()
    assert asked == [seconds] * 5


def test_progress_is_shown_where_a_person_watches(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "_live", lambda: True)
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setattr("IPython.display.clear_output", lambda wait: shown.append(wait))
    monkeypatch.setattr(leak, "measure", lambda key, **_: leak.Measured(key, 10, 2.0))
    figures.measure_rates()
    assert shown[1].text() == "Measuring MD5: ....."
    assert "<progress" in shown[1].html()
    assert shown[-1] is False


def test_the_cost_sliders_fit_the_book():
    shown = explore(
        figures.argon2id_cost,
        memory_mib=Slider((7, 9, 12, 19, 46, 64, 2048), start=19),
        passes=Slider((1, 2, 3, 4, 5), start=2),
        lanes=Slider((1, 4), start=1),
    )
    assert len(shown.frames()) == 70
    assert "as much work as 19 MiB" in shown.text()


def test_the_numbers_on_the_page_are_those_of_the_lab():
    page = (ROOT / "book/attacks/passwords.md").read_text(encoding="utf-8")
    common = passwords.common_passwords()
    each, site = (
        passwords.dictionary_attack(passwords.LeakedTable(key), common)
        for key in ("user_salt", "site_salt")
    )
    assert f"{site.hashes:,} hashes, a salt for each user {each.hashes:,}" in page
    assert len(each.opened) == len(site.opened)
    assert f"The same {len(each.opened)} accounts" in page
    assert f"{round(passwords.PUBLISHED_RATES['sha256'], -9) / 1e6:,.0f} million SHA-256" in page
    first = passwords.dictionary_attack(passwords.LeakedTable("user_salt"), common[:1])
    assert (first.hashes, len(first.opened)) == (80, 7)
    assert "hashed 80 times, once for each account, and opens the same 7" in page
