"""The exercises of the lesson: questions for everyone, three repairs for builders.

Answers are judged by what happens to them: a list of common passwords is tried on the records,
guesses are timed, owners sign in from another keyboard.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import math
import random
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Literal, TypeVar

from argon2.exceptions import InvalidHashError, VerificationError

from labs.attacks.passwords import model, watching
from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz, matching

one_minute = Quiz(
    "attacks.passwords.one_minute",
    "The table holds 80 accounts as plain MD5 fingerprints. The thief has one graphics card, a "
    "list of 30,000 common passwords, and one minute. How many accounts fall?",
    [
        Option(
            "None: a fingerprint cannot be turned back",
            "It cannot, and nobody turns it back. The thief takes fingerprints of guesses and "
            "compares.",
        ),
        Option(
            "A handful, those with 123456",
            "Those fall with the first guess. The other 29,999 guesses take less than a blink.",
        ),
        Option(
            "Every account whose password is on the list",
            "The whole list is one moment's work. The next cells count the accounts.",
            correct=True,
        ),
        Option(
            "All 80",
            "Some passwords are on no list. A long random one, or a few words in a row, holds even "
            "under MD5.",
        ),
    ],
    prediction=True,
)

what_a_salt_ends = Quiz(
    "attacks.passwords.what_a_salt_ends",
    "Every user gets a salt of their own, stored beside the fingerprint, and the hash stays a "
    "single SHA-256. The thief has it all. What has become harder?",
    [
        Option(
            "Guessing the password of one chosen person",
            "The salt is in the table. One guess against one person is still one fast hash.",
        ),
        Option(
            "Testing one guess on everybody at once",
            "Each guess must now be hashed again for each account, and no table computed in "
            "advance fits.",
            correct=True,
        ),
        Option(
            "Nothing, because the salt was stolen too",
            "A salt is no secret and need not be one. It works by being different for each user.",
        ),
    ],
)

slow_and_common = Quiz(
    "attacks.passwords.slow_and_common",
    "The table is kept with Argon2id. Seven people use 123456. After the first guess on every "
    "account, how many of the 80 are open?",
    [
        Option(
            "None, because Argon2id is slow",
            "Slow is not never. The first guess is tried on everybody, and it takes seconds.",
        ),
        Option("Seven", "A slow hash buys time. It cannot save the first guess.", correct=True),
        Option(
            "All 80",
            "Each account has a salt of its own, and only seven people chose that password.",
        ),
    ],
    prediction=True,
)

which_vendor = Quiz(
    "attacks.passwords.which_vendor",
    "You ask four vendors how they keep passwords. Whose answer tells you that the promise holds?",
    [
        Option(
            "“All passwords are encrypted with AES-256.”",
            "What is encrypted can be decrypted by whoever has the key, a thief with the server "
            "included. Ask who has it, and why they would ever need it.",
        ),
        Option(
            "“We hash and salt, following industry standards.”",
            "A single salted SHA-256 fits that sentence. Ask for the function and its settings.",
        ),
        Option(
            "“Argon2id, 19 MiB, two passes, raised last year; old records renew at sign-in.”",
            "A function, its cost, a date, and what became of the old records: each of them can be "
            "checked.",
            correct=True,
        ),
        Option(
            "“For security reasons we cannot say.”",
            "The settings stand in every stolen record. Keeping them secret protects nobody.",
        ),
    ],
)

THREATS = {
    "a table of fingerprints that was computed last year": "a",
    "a billion guesses a second against one account": "b",
    "somebody chose 123456": "c",
    "a form on a false site that asks for the password": "d",
}
"""What the matching exercise asks, with the letter of the answer."""

match_defenses = matching(
    "attacks.passwords.match_defenses",
    "Match each threat with what stops it",
    part="defenses",
    choices=(
        "a salt for each user",
        "a hash that is slow and needs memory",
        "refusing the passwords on the list",
        "nothing in storage; a second factor helps",
    ),
    answers=THREATS,
    nudges=dict(
        zip(
            THREATS,
            (
                "A salt makes each record a case of its own: it makes work done in advance "
                "worthless.",
                "Against one account a salt does not help. What does a guess have to cost?",
                "It is the first guess of all, so no cost of guessing saves it.",
                "The false site receives the password itself, before anything is hashed.",
            ),
            strict=True,
        )
    ),
    item="threat",
    claim="A defense is found against: {}",
    missing="the defense that works against it",
    nudge="Each letter is used once. Begin with the one that has nothing to do with storage.",
    concept="A salt ends sharing, a slow hash ends speed, a list ends bad choices. A person "
    "who types the password into the wrong page gets past all three.",
    next_step="Builders go on below. Everybody else can jump to the questions for a vendor.",
)


def _weak_store(_user: str, password: str) -> str:
    return model.store_weak(password)


def _weak_verify(record: str, _user: str, password: str) -> bool:
    return model.verify_weak(record, password)


def _store(_user: str, password: str) -> str:
    return model.store(password)


def _verify(record: str, _user: str, password: str) -> bool:
    try:
        return model.verify(record, password)
    except ValueError:
        return False


_WEAK = {"store": _weak_store, "verify": _weak_verify}

store_and_verify = Exercise(
    "attacks.passwords.store_and_verify",
    "Keep passwords so that a stolen table stays shut",
    parts=[Part("store", returns=str), Part("verify", returns=bool)],
    starter='''import hashlib


def store(user, password):
    """Return the text to write down for this user's password."""
    return hashlib.md5(password.encode()).hexdigest()


def verify(record, user, password):
    """Return True if the password belongs to the record, and False if not."""
    return record == store(user, password)''',
    weak=_WEAK,
    reference={"store": _store, "verify": _verify},
    hints=Hints(
        nudge="Store 123456 twice and look at the two records. What does a thief learn?",
        concept="Let a library do it: a function made for passwords draws a salt for each record, "
        "costs memory and time, and brings its own check. Letters have several spellings in "
        "Unicode; choose one before hashing.",
        place="In store, replace the hash; in verify, replace the comparison. In both, normalize "
        "the password first, with unicodedata.",
        solution="""import unicodedata

import argon2

hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def store(user, password):
    return hasher.hash(unicodedata.normalize("NFC", password))


def verify(record, user, password):
    try:
        return hasher.verify(record, unicodedata.normalize("NFC", password))
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        return False""",
    ),
    next_step="Now the records of five years ago: make them strong without asking anybody.",
    seconds=4.5,
)

_PHRASE = ("kanel", "båt", "kör", "tulpan", "stuga", "bastu", "lyktor", "regn", "segel", "tolv")


def _phrase(rng: random.Random) -> str:
    return " ".join(rng.sample(_PHRASE, 4)) + f" {rng.randrange(100, 1000)}"


_Made = TypeVar("_Made")


def _once(answer: Answer, what: Hashable, make: Callable[[], _Made]) -> _Made:
    """What ``make`` came to, done once for each answer: a slow function is slow for us too.

    Each check judges what was done, whichever of them was the first to need it.
    """
    kept = vars(answer).setdefault("_made", {})
    if what not in kept:
        kept[what] = make()
    made: _Made = kept[what]
    return made


def _stored(answer: Answer, user: str, password: str) -> str:
    """The record of a password."""
    record: str = _once(answer, (user, password), lambda: answer.store(user, password))
    return record


def _stored_with_known_dice(answer: Answer, password: str) -> tuple[str, watching.Seen]:
    """Siv's record when the dice are known, and which functions were at work.

    Beside a record that was made with real dice it differs just when the salt comes from the dice.
    """

    def make() -> tuple[str, watching.Seen]:
        with watching.repeated_dice(), watching.functions() as seen:
            record = answer.store("siv", password)
        return record, seen

    return _once(answer, ("stored with known dice", password), make)


def _opened_by_more(answer: Answer, rng: random.Random) -> tuple[bool, watching.Seen]:
    """Whether one letter too many opens Siv's account, and which functions were at work."""
    record = _stored(answer, "siv", "123456")

    def try_it() -> tuple[bool, watching.Seen]:
        with watching.functions() as seen:
            opened = answer.verify(record, "siv", "123456" + rng.choice(".7a"))
        return opened, seen

    return _once(answer, "opened by more", try_it)


@store_and_verify.honest("The right password is accepted")
def _(answer: Answer, rng: random.Random) -> None:
    password = _phrase(rng)
    if not answer.verify(_stored(answer, "maja", password), "maja", password):
        raise Failed(
            given="Maja's password, stored and then typed again",
            happened="she was locked out",
            missing="a verify that accepts what store wrote down",
            nudge="Take the salt and the cost from the record, hash the password with them, and "
            "compare.",
        )


@store_and_verify.honest("A wrong password is refused")
def _(answer: Answer, rng: random.Random) -> None:
    opened, _ = _opened_by_more(answer, rng)
    if opened:
        raise Failed(
            given="Siv's password with one character too many",
            happened="it opened her account",
            missing="a verify that refuses what is not the password",
            nudge="The whole password must decide the answer.",
        )


@store_and_verify.attack("Two people with the same password have different records")
def _(answer: Answer, _rng: random.Random) -> None:
    first = _stored(answer, "siv", "123456")
    if first != _stored(answer, "otto", "123456"):
        return
    if first in {model.digest("123456", algorithm) for algorithm in model.ALGORITHMS}:
        happened = "both records are the same fingerprint, and it stands in every table on the web"
        missing = "a salt: a few random bytes in each record"
        nudge = (
            "Draw a new salt for each record, with `secrets.token_bytes(16)`, and keep it there."
        )
    elif _stored_with_known_dice(answer, "123456")[1].keyed:
        happened = "both records are the same, for a secret key went in and nothing else"
        missing = "a salt for each record; a secret key (a pepper) is the same for everybody"
        nudge = "Keep the pepper if you like, and draw a new salt for each record as well."
    else:
        happened = "both records are the same, so there is the same salt for everybody, or none"
        missing = "a salt of its own in each record"
        nudge = (
            "A thief signs up with 123456 and looks for equal records. Draw a new salt each time."
        )
    raise Failed(
        given="123456 as the password of Siv and of Otto",
        happened=happened,
        missing=missing,
        nudge=nudge,
    )


@store_and_verify.attack("A record cannot be foreseen, even when the user is known")
def _(answer: Answer, _rng: random.Random) -> None:
    again, _ = _stored_with_known_dice(answer, "123456")
    if _stored(answer, "siv", "123456") == again:
        raise Failed(
            given="123456 as Siv's password, stored twice",
            happened="the same record came out twice, so a table for `siv` can be made in advance",
            missing="a salt from the dice; a salt from the user's name or the password is known "
            "before",
            nudge="Names are public, and the same name exists on other sites. Use `secrets`.",
        )


@store_and_verify.attack("The 300 most common passwords, tried with ready-made tools, open nothing")
def _(answer: Answer, rng: random.Random) -> None:
    words = model.common_passwords()[:300]
    record = _stored(answer, "aksel", rng.choice(words[100:]))
    how = _cracked(record[:4_096], "aksel", words)
    if how:
        raise Failed(
            given="Aksel's record, whose password is among the 300 most common ones",
            happened=f"a ready-made tool opened his account: {how}",
            missing="a function that is slow on purpose",
            nudge="Let each guess cost time and memory: Argon2id, scrypt or PBKDF2.",
        )


_DIGEST_BYTES = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}


def _cracked(record: str, user: str, words: Sequence[str]) -> str:
    """How ready-made tools open a record: it can be read, or it is one fast hash with any salt."""
    parts = [part for part in re.split(r"[$:.,;|\s]+", record) if part]
    if len(parts) == 1:  # salt and digest may stand side by side with nothing in between
        for length in (2 * size for size in _DIGEST_BYTES):
            if len(record) > length:
                parts += [record[:length], record[length:], record[-length:], record[:-length]]
    known = {data for part in parts for data in _decoded(part)}
    salts = {b"", user.encode(), *(data for data in known if len(data) <= 64)}
    algorithms = {_DIGEST_BYTES[len(data)] for data in known if len(data) in _DIGEST_BYTES}
    for word in words:
        guess = word.encode()
        if guess in known or guess[::-1] in known:
            return "the record holds the password itself"
        for algorithm, salt in itertools.product(algorithms, salts):
            before = hashlib.new(algorithm, salt + guess, usedforsecurity=False).digest()
            after = hashlib.new(algorithm, guess + salt, usedforsecurity=False).digest()
            if before in known or after in known:
                return f"the record is one {algorithm.upper()}, with or without a salt"
    return ""


def _decoded(part: str) -> Iterator[bytes]:
    yield part.encode(errors="replace")
    padded = part + "=" * (-len(part) % 4)
    readings: tuple[tuple[Callable[[str], bytes], str], ...] = (
        (bytes.fromhex, part),
        (base64.b64decode, padded),
        (base64.urlsafe_b64decode, padded),
    )
    for decode, written in readings:
        with contextlib.suppress(ValueError):
            yield decode(written)


@store_and_verify.attack(
    "One guess costs at least what OWASP's profile costs: read from an Argon2 record, measured "
    "for any other"
)
def _(answer: Answer, _rng: random.Random) -> None:
    record = _stored(answer, "siv", "123456")
    try:
        has = model.read_record(record)
    except ValueError:
        _cost_by_clock(answer, record)
        return
    enough = has.variant == "argon2id" and any(
        has.memory_kib >= memory and has.passes >= passes
        for memory, passes, _ in model.ARGON2ID_COSTS
    )
    if not enough:
        raise Failed(
            given=f"a record of {has.variant} with {has.memory_kib:,} KiB and "
            f"{has.passes} pass{'' if has.passes == 1 else 'es'}",
            happened="a guess costs the attacker less than under the cheapest of OWASP's choices",
            missing="a cost such as Argon2id with 19,456 KiB and 2 passes",
            nudge="Set the memory and the passes yourself, and compare them with OWASP's list.",
        )
    if not model.verify(record, "123456"):
        raise Failed(
            given="a record that says Argon2id",
            happened="another program read it and refused the right password",
            missing="a record that says what was really done",
            nudge="Let the library write the record, or give yours a name of its own.",
        )


def _cost_by_clock(answer: Answer, record: str) -> None:
    # Clocks waver, and a machine that runs this has other work: half the cost still passes.
    theirs = ours = math.inf
    for _ in range(3):  # by turns: what slows the machine down slows both
        theirs = min(theirs, _seconds(lambda: answer.verify(record, "siv", "12345")))
        ours = min(ours, _seconds(lambda: model.store("12345")))
        if theirs >= ours / 2:
            return
        if theirs < ours / 100:  # as a single fast hash is: no clock wavers that much
            break
    raise Failed(
        given="a record that is not in Argon2's PHC form, so one guess was timed on this "
        "machine, beside Argon2id with OWASP's profile",
        happened="a guess takes less than half the time, and less still on special hardware",
        missing="more work in each guess; a fast hash repeated a little is still fast",
        nudge="PBKDF2 with SHA-256 needs 600,000 rounds, scrypt n = 2**17 with r = 8.",
    )


def _seconds(work: Callable[[], object]) -> float:
    """How long the processor works on it: other programs on the machine do not count."""
    # The processor's clock of Windows ticks too slowly for one guess.
    clock = time.perf_counter if sys.platform == "win32" else time.process_time
    start = clock()
    work()
    return clock() - start


@store_and_verify.attack("A standard function does the work, so an attacker has no faster way")
def _(answer: Answer, _rng: random.Random) -> None:
    _, seen = _stored_with_known_dice(answer, "123456")
    if not seen.derives:
        raise Failed(
            given="123456 to store, while watching which functions did the work",
            happened="no Argon2, scrypt, PBKDF2 or bcrypt was at work",
            missing="a standard function; a home-made loop is slow for you, and fast for an "
            "attacker's hardware",
            nudge="Replace your loop by one call of a library function.",
        )


@store_and_verify.attack(
    "The hash in the record is long enough that no second password fits",
    weak={
        "store": lambda _user, password: model.store_weak(password)[:8],
        "verify": lambda record, _user, password: record == model.store_weak(password)[:8],
    },
)
def _(answer: Answer, _rng: random.Random) -> None:
    first, second = (_stored_with_known_dice(answer, word)[0] for word in ("123456", "654321"))
    bits = _differing_bits(first, second)
    if bits < 112:
        raise Failed(
            given="two passwords, stored with the same salt, to see which part is the hash",
            happened="the records differ in too few letters: the hash is cut short",
            missing="a hash of 128 bits or more",
            nudge="Keep the whole hash. With a short one, other passwords open the account too.",
        )


def _differing_bits(first: str, second: str) -> int:
    """About how many bits of hash two records hold that share their salt."""
    same = min(len(first), len(second))
    start = next((i for i in range(same) if first[i] != second[i]), same)
    rest = same - start
    end = next((i for i in range(rest) if first[-1 - i] != second[-1 - i]), rest)
    letters = max(len(first), len(second)) - start - end
    middle = first[start : len(first) - end] + second[start : len(second) - end]
    return letters * (4 if re.fullmatch("[0-9a-fA-F]*", middle) else 6)


@store_and_verify.attack("The comparison takes no shortcut at the first difference")
def _(answer: Answer, rng: random.Random) -> None:
    _, seen = _opened_by_more(answer, rng)
    if seen.compares_in_constant_time:
        return
    record = _stored(answer, "siv", "123456")
    counts = []
    for place in (21, 3):  # counted from the end, where nearly every record has its hash
        with watching.comparisons() as counted:
            answer.verify.outcome(_altered(record, place), "siv", "123456")
        counts.append(counted.comparisons)
    # A loop over all bytes compares 16 times or more, and as often wherever the difference is.
    if min(counts) < 16 or counts[0] != counts[1]:
        raise Failed(
            given="two records, changed in one letter each, while watching how they are compared",
            happened="the comparison stops at the first letter that differs, as `==` does",
            missing="a comparison that takes as long wherever the difference is",
            nudge="Compare with `hmac.compare_digest`, or let the library verify.",
        )


def _altered(record: str, place: int) -> str:
    at = max(0, len(record) - place)
    return record[:at] + ("1" if record[at : at + 1] == "0" else "0") + record[at + 1 :]


@store_and_verify.attack("The same password opens from any keyboard")
def _(answer: Answer, rng: random.Random) -> None:
    password = "blåbär på ön " + str(rng.randrange(100, 1000))
    composed, decomposed = (unicodedata.normalize(form, password) for form in ("NFC", "NFD"))
    if not answer.verify(_stored(answer, "olle", composed), "olle", decomposed):
        raise Failed(
            given="Olle's password, stored from one keyboard and typed on another, which sends "
            "`å` as `a` and a ring",
            happened="he was locked out, with the right password",
            missing="one spelling for each letter before hashing (Unicode normalization)",
            nudge='In both functions: `unicodedata.normalize("NFC", password)`.',
        )


_LONG = "k" * 80


@store_and_verify.honest("A password of 81 characters is taken")
def _(answer: Answer, _rng: random.Random) -> None:
    if not answer.verify(_stored(answer, "leena", _LONG + "a"), "leena", _LONG + "a"):
        raise Failed(
            given="a password of 81 characters from Leena's password manager",
            happened="she was locked out",
            missing="room for at least 64 characters",
            nudge="Do not cut or refuse long passwords; a hash takes any length.",
        )


@store_and_verify.honest("Its last letter counts")
def _(answer: Answer, _rng: random.Random) -> None:
    if answer.verify(_stored(answer, "leena", _LONG + "a"), "leena", _LONG + "b"):
        raise Failed(
            given="Leena's 81 characters with another last letter",
            happened="they opened her account: the end was cut off",
            missing="every letter of a long password (bcrypt looks at 72 bytes only)",
            nudge="Use a function without that limit.",
        )


@store_and_verify.honest("An empty password is a password like any other")
def _(answer: Answer, _rng: random.Random) -> None:
    if answer.verify(_stored(answer, "sami", ""), "sami", "x"):
        raise Failed(
            given="an account with an empty password, and x typed",
            happened="x opened it",
            missing="the same care for an empty password; allowing one is a matter of policy",
            nudge="Treat the empty password like any other in both functions.",
        )


@store_and_verify.honest("What follows a NUL byte counts")
def _(answer: Answer, _rng: random.Random) -> None:
    if answer.verify(_stored(answer, "sami", "te\0a"), "sami", "te\0b"):
        raise Failed(
            given="two passwords that differ after a NUL byte",
            happened="one opened the other's account",
            missing="the letters after a NUL byte",
            nudge="Some old functions stop at NUL, as strings do in C. Use one that does not.",
        )


@store_and_verify.honest("A damaged record opens for nobody, and is refused clearly")
def _(answer: Answer, _rng: random.Random) -> None:
    whole = _stored(answer, "siv", "123456")
    for record in ("", "not a record", whole[: len(whole) // 2]):
        outcome = answer.verify.outcome(record, "siv", "123456")
        if outcome.value is True:
            raise Failed(
                given="a damaged record",
                happened="the account opened",
                missing="a verify that refuses what it cannot read",
                nudge="When a record has not the shape that store writes, answer False.",
            )
        if not isinstance(outcome.raised, ValueError | InvalidHashError | VerificationError | None):
            raise Failed(
                given="a damaged record",
                happened=f"it raised {type(outcome.raised).__name__}, by accident",
                missing="a clear refusal",
                nudge="Answer False, or raise ValueError with one sentence.",
            )


upgrade_on_login = Exercise(
    "attacks.passwords.upgrade_on_login",
    "Renew old records without locking anyone out",
    parts=[Part("login", returns=tuple)],
    starter='''from labs.attacks import passwords


def login(record, password):
    """Return whether the visitor is let in, and the record to keep."""
    if len(record) == 32:  # an MD5 fingerprint from the old days
        return passwords.verify_weak(record, password), record
    return passwords.verify(record, password), record''',
    weak={"login": model.login_weak},
    reference={"login": model.login},
    hints=Hints(
        nudge="At which moment does the site know Maja's password?",
        concept="A record cannot be made stronger without the password. Whoever signs in brings "
        "it, and only the right one may lead to a new record.",
        place="In both branches, after the password was found right. `needs_rehash` says whether "
        "a record is cheap. The old code hashed whatever form of å the keyboard sent.",
        solution="""import unicodedata

from labs.attacks import passwords


def login(record, password):
    if len(record) == 32:
        forms = (password, *(unicodedata.normalize(form, password) for form in ("NFC", "NFD")))
        accepted = any(passwords.verify_weak(record, form) for form in forms)
        return accepted, passwords.store(password) if accepted else record
    accepted = passwords.verify(record, password)
    if accepted and passwords.needs_rehash(record):
        record = passwords.store(password)
    return accepted, record""",
    ),
    next_step="Choose what a new password has to be.",
    seconds=4.5,
)


def _signed_in(answer: Answer, record: str, password: str) -> tuple[bool, str]:
    came = answer.login(record, password)
    if len(came) != 2 or not isinstance(came[0], bool) or not isinstance(came[1], str):
        raise Failed(
            given="a record and a password",
            happened="what came back is not a pair of True or False and a record",
            missing="both results",
            nudge="Return `accepted, record`.",
        )
    return bool(came[0]), str(came[1])


def _locked_out(given: str, when: str) -> Failed:
    return Failed(
        given=given,
        happened=f"she was locked out {when}",
        missing="a way in for everybody who knows the password",
        nudge="Check the old record as it was made. Store anew from the password itself, not from "
        "its fingerprint.",
    )


def _strong(record: str, *, memory_kib: int = 0) -> bool:
    """Whether a record is Argon2id at OWASP's cost, and with that much memory."""
    try:
        enough = model.read_record(record).memory_kib >= memory_kib
        return enough and not model.needs_rehash(record)
    except ValueError:
        return False


def _first_visit(answer: Answer, rng: random.Random) -> tuple[str, bool, str]:
    """Maja's password, whether it let her in with her MD5 record, and what was kept then."""

    def visit() -> tuple[str, bool, str]:
        password = _phrase(rng)
        return password, *_signed_in(answer, model.store_weak(password), password)

    return _once(answer, "first visit", visit)


def _strong_record(answer: Answer, rng: random.Random) -> tuple[str, str]:
    """A password and its record of Argon2id, with more memory than the profile asks for."""

    def make() -> tuple[str, str]:
        password = _phrase(rng)
        return password, _argon2_record(password, memory_kib=24_576, passes=2)

    return _once(answer, "strong record", make)


@upgrade_on_login.honest("The owner of an old record gets in")
def _(answer: Answer, rng: random.Random) -> None:
    _, accepted, _ = _first_visit(answer, rng)
    if not accepted:
        raise _locked_out("Maja's MD5 record and her password", "at her first visit")


@upgrade_on_login.honest("And gets in again, with what was kept")
def _(answer: Answer, rng: random.Random) -> None:
    password, _, kept = _first_visit(answer, rng)
    if not _signed_in(answer, kept, password)[0]:
        raise _locked_out("the record kept after Maja's first visit", "at her second visit")


@upgrade_on_login.honest("A wrong password is refused on old and new records")
def _(answer: Answer, rng: random.Random) -> None:
    password, strong = _strong_record(answer, rng)
    for record in (model.store_weak(password), strong):
        if _signed_in(answer, record, password + ".")[0]:
            raise Failed(
                given="a wrong password",
                happened="it was accepted",
                missing="a check before the renewal",
                nudge="Only the right password may be let in.",
            )


@upgrade_on_login.attack("Once everybody has signed in, no fast record is left to steal")
def _(answer: Answer, rng: random.Random) -> None:
    password = rng.choice(model.common_passwords()[300:1_000])
    _, kept = _signed_in(answer, model.store_weak(password), password)
    if not _strong(kept):
        raise Failed(
            given="an MD5 record whose owner has signed in",
            happened="what is kept afterwards is no record of Argon2id at OWASP's cost"
            if kept != model.store_weak(password)
            else "the MD5 fingerprint was kept, and a thief reads it with one fast hash",
            missing="a new record, made while the password is at hand",
            nudge="After a right password, return `passwords.store(password)` as the record.",
        )


@upgrade_on_login.attack("A cheap Argon2 record is renewed as well")
def _(answer: Answer, rng: random.Random) -> None:
    password = _phrase(rng)
    cheap = _argon2_record(password, memory_kib=4_096, passes=1)
    accepted, kept = _signed_in(answer, cheap, password)
    if not accepted:
        raise _locked_out("a record of Argon2id with 4,096 KiB, and its password", "at once")
    if not _strong(kept):
        raise Failed(
            given="a record of Argon2id with 4,096 KiB, less than a quarter of OWASP's profile",
            happened="it was kept as it is",
            missing="renewal of whatever has become too cheap",
            nudge="Ask `passwords.needs_rehash(record)` after a right password.",
        )


def _argon2_record(password: str, *, memory_kib: int, passes: int) -> str:
    from argon2.low_level import Type, hash_secret

    secret = unicodedata.normalize("NFC", password).encode()
    return hash_secret(secret, b"kvittra-2019-old", passes, memory_kib, 1, 32, Type.ID).decode()


@upgrade_on_login.attack(
    "A stronger record is not replaced by a cheaper one",
    weak={"login": lambda _record, password: (True, model.store(password))},
)
def _(answer: Answer, rng: random.Random) -> None:
    password, strong = _strong_record(answer, rng)
    _, kept = _signed_in(answer, strong, password)
    if not _strong(kept, memory_kib=24_576):
        raise Failed(
            given="a record of Argon2id with 24,576 KiB, more than the profile asks for",
            happened="it was replaced by a cheaper one",
            missing="a look at the record before it is replaced",
            nudge="Renew only what `passwords.needs_rehash(record)` calls weak.",
        )


def _renews_always(record: str, password: str) -> tuple[bool, str]:
    return model.login_weak(record, password).accepted, model.store(password)


@upgrade_on_login.attack(
    "A wrong password changes nothing in the table", weak={"login": _renews_always}
)
def _(answer: Answer, rng: random.Random) -> None:
    password = _phrase(rng)
    for record in (model.store_weak(password), _argon2_record(password, memory_kib=64, passes=1)):
        if _signed_in(answer, record, "attacker")[1] != record:
            raise Failed(
                given="the word `attacker` as a password, which is wrong",
                happened="the record was replaced: now `attacker` opens the account, and its owner "
                "is locked out",
                missing="renewal after a right password only",
                nudge="Store a new record only when the old one accepted the password.",
            )


def _takes_fingerprints(record: str, password: str) -> tuple[bool, str]:
    return password == record or model.login_weak(record, password).accepted, record


@upgrade_on_login.attack(
    "A stolen fingerprint is not accepted as the password", weak={"login": _takes_fingerprints}
)
def _(answer: Answer, rng: random.Random) -> None:
    password, _, kept = _first_visit(answer, rng)
    stolen = model.store_weak(password)
    for record in (stolen, kept):
        if _signed_in(answer, record, stolen)[0]:
            raise Failed(
                given="the MD5 fingerprint from last year's stolen table, typed as the password",
                happened="it opened the account",
                missing="a record of the password itself; one of its fingerprint makes the "
                "fingerprint the password",
                nudge="Hash what the visitor typed, in every branch.",
            )


@upgrade_on_login.attack("Old records open from any keyboard")
def _(answer: Answer, rng: random.Random) -> None:
    password = f"båtvarv på ön {rng.randrange(100, 1000)}"
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    for then, now in (forms, forms[::-1]):
        old = model.store_weak(unicodedata.normalize(then, password))
        if not _signed_in(answer, old, unicodedata.normalize(now, password))[0]:
            raise Failed(
                given="Olle's MD5 record from his old keyboard, and his password typed on the new "
                "one, which sends another form of `å`",
                happened="he was locked out, with the right password",
                missing="a try with each form of the letters, for records that were made from "
                "whatever came",
                nudge="For an old record, try the password as typed, in NFC and in NFD.",
            )


def _refusal_weak(password: str, user: str, second_factor: bool) -> str:
    return model.refusal_weak(password, user, second_factor=second_factor)


def _refusal(password: str, user: str, second_factor: bool) -> str:
    return model.refusal(password, user, second_factor=second_factor)


choose_a_policy = Exercise(
    "attacks.passwords.choose_a_policy",
    "Decide what a new password has to be",
    parts=[Part("refusal", returns=str)],
    starter='''from labs.attacks import passwords


def refusal(password, user, second_factor):
    """Return why the password is refused, or an empty text if it is taken."""
    if not 8 <= len(password) <= 16:
        return "use 8 to 16 characters"
    if not any(letter.isupper() for letter in password):
        return "use an upper-case letter"
    if not any(letter.isdigit() for letter in password):
        return "use a digit"
    if password.isalnum():
        return "use a symbol"
    return ""''',
    weak={"refusal": _refusal_weak},
    reference={"refusal": _refusal},
    hints=Hints(
        nudge="Which of these would you guess first: `P@ssw0rd`, or four words in a row?",
        concept="Length and not being on a list make a password hard to guess. Rules about kinds "
        "of letters make everybody add the same capital and the same digit.",
        place="Replace all four tests. The list is `passwords.common_passwords()`, in lower case; "
        "the names to refuse are the user's and kvittra.",
        solution='''from labs.attacks import passwords

common = set(passwords.common_passwords())


def refusal(password, user, second_factor):
    shortest = 8 if second_factor else 15
    if len(password) < shortest:
        return f"use at least {shortest} characters"
    if password.casefold() in common:
        return "this one is on every attacker's list"
    letters = "".join(letter for letter in password.casefold() if letter.isalpha())
    for name in (user, "kvittra"):
        if letters and not letters.replace(name, ""):
            return "this is little more than a name"
    return ""''',
    ),
    next_step="Read the questions for a vendor, and ask one this week.",
)


def _refused(answer: Answer, password: str, *, user: str = "maja", second: bool = False) -> str:
    return str(answer.refusal(password, user, second))


def _must_take(
    answer: Answer, password: str, why: str, nudge: str, *, second: bool = False
) -> None:
    reason = _refused(answer, password, second=second)
    if reason:
        raise Failed(
            given=f"`{password}`" if len(password) < 40 else f"{len(password)} random characters",
            happened=f"it was refused: “{reason[:100]}”",
            missing=why,
            nudge=nudge,
        )


def _must_refuse(
    answer: Answer, password: str, why: str, nudge: str, *, user: str = "maja", second: bool = False
) -> None:
    if not _refused(answer, password, user=user, second=second):
        raise Failed(
            given=f"`{password}` for the user `{user}`"
            + (", with a second factor" if second else ""),
            happened="it was taken",
            missing=why,
            nudge=nudge,
        )


@choose_a_policy.honest("A long password of all kinds of letters is taken")
def _(answer: Answer, rng: random.Random) -> None:
    password = f"Kanel-bulle-{rng.randrange(1000, 10_000)}"
    _must_take(answer, password, "room for a good password", "Refuse only for a reason of NIST's.")


@choose_a_policy.honest("An empty password is refused")
def _(answer: Answer, _rng: random.Random) -> None:
    for second in (False, True):
        _must_refuse(answer, "", "a shortest length", "Count the characters first.", second=second)


@choose_a_policy.attack("Without a second factor, fewer than 15 characters are refused")
def _(answer: Answer, rng: random.Random) -> None:
    for password in (f"Sommar{rng.randrange(2000, 2030)}!", "Kanel-bulle-26"):
        _must_refuse(
            answer,
            password,
            "15 characters where the password is the only lock",
            "The shortest length depends on `second_factor`.",
        )


@choose_a_policy.attack("With a second factor, eight characters are enough")
def _(answer: Answer, rng: random.Random) -> None:
    password = "".join(rng.sample("bdfghjklmnprstvz", 8))
    _must_take(
        answer,
        password,
        "8 characters where there is a second lock, with no rule about kinds of letters",
        "The shortest length depends on `second_factor`.",
        second=True,
    )


@choose_a_policy.attack("A few plain words in a row are taken")
def _(answer: Answer, rng: random.Random) -> None:
    _must_take(
        answer,
        " ".join(rng.sample(("tulips", "harbor", "cinnamon", "choir", "ladder", "winter"), 4)),
        "no rule that asks for capitals, digits or symbols, and spaces allowed",
        "Drop the rules about kinds of letters; they make passwords alike.",
    )


@choose_a_policy.attack("64 characters from a password manager are taken")
def _(answer: Answer, rng: random.Random) -> None:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%&"
    _must_take(
        answer,
        "".join(rng.choices(letters, k=64)),
        "room for at least 64 characters",
        "A hash takes any length. Drop the upper limit, or set it far above 64.",
    )


@choose_a_policy.attack("Every script is taken")
def _(answer: Answer, _rng: random.Random) -> None:
    for password in ("قهوة بالهيل كل صباح", "kahvia ja pullaa äidille 🌷"):
        _must_take(
            answer,
            password,
            "passwords in any script",
            "Count characters, and do not ask what kind they are.",
        )


def _counts_bytes(password: str, _user: str, _second_factor: bool) -> str:
    return "" if len(password.encode()) >= 15 else "use at least 15 characters"


@choose_a_policy.attack("Characters are counted, not bytes", weak={"refusal": _counts_bytes})
def _(answer: Answer, _rng: random.Random) -> None:
    _must_refuse(
        answer,
        "åäöåäöåäö",
        "15 characters; these are 9, which take 18 bytes",
        "`len(password)` counts characters, `len(password.encode())` bytes.",
    )


@choose_a_policy.attack("Passwords from the list are refused, with capitals too")
def _(answer: Answer, rng: random.Random) -> None:
    why = "a look at the list of common passwords, whatever the capitals"
    nudge = "Compare `password.casefold()` with `passwords.common_passwords()`."
    long = [word for word in model.common_passwords() if len(word) >= 15]
    for password in ("P@ssw0rd", "Pa$$w0rd", "baseball"):
        _must_refuse(answer, password, why, nudge, second=True)
    for password in rng.sample(long, 3):
        _must_refuse(answer, password, why, nudge)


@choose_a_policy.attack("The names of the user and of the service are refused, digits or not")
def _(answer: Answer, _rng: random.Random) -> None:
    for password in ("Kvittra-2026-!!", "Maja-Maja-2026!"):
        _must_refuse(
            answer,
            password,
            "a look at the names that an attacker tries for this user",
            "Leave out everything that is no letter, then remove the name: is anything left?",
        )
