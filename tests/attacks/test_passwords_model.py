"""The model of the lesson on passwords: vectors, records, the leak, rainbow tables, policy."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import math
import subprocess
import sys
import time
import unicodedata
from fractions import Fraction
from pathlib import Path

import argon2
import bcrypt
import pytest
from argon2.low_level import Type, hash_secret, hash_secret_raw
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.attacks import passwords
from labs.attacks.passwords import leak, model

SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
SHA256_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SOMESALT = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"


def phc(tag: bytes, salt: bytes, *, variant="argon2id", version="$v=19", m=32, t=3, p=4) -> str:
    parts = (model._base64(salt), model._base64(tag))
    return f"${variant}{version}$m={m},t={t},p={p}${parts[0]}${parts[1]}"


@pytest.mark.parametrize(
    ("password", "algorithm", "wanted"),
    [
        pytest.param("", "sha256", SHA256_EMPTY, id="FIPS 180-4 SHA-256 empty"),
        pytest.param("abc", "sha256", SHA256_ABC, id="FIPS 180-4 SHA-256 abc"),
        pytest.param(
            b"a" * 1_000_000,
            "sha256",
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            id="FIPS 180-4 SHA-256 a million a",
        ),
        pytest.param(
            "abc", "sha1", "a9993e364706816aba3e25717850c26c9cd0d89d", id="FIPS SHA-1 abc"
        ),
        pytest.param("", "sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", id="FIPS SHA-1 empty"),
        pytest.param("", "md5", "d41d8cd98f00b204e9800998ecf8427e", id="RFC 1321 A.5 empty"),
        pytest.param("abc", "md5", "900150983cd24fb0d6963f7d28e17f72", id="RFC 1321 A.5 abc"),
        pytest.param(
            "password", "sha1", "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", id="LinkedIn-style"
        ),
    ],
)
def test_digest_gives_the_published_fingerprint(password, algorithm, wanted):
    assert passwords.digest(password, algorithm) == wanted


@pytest.mark.parametrize("algorithm", passwords.ALGORITHMS)
def test_digest_of_text_is_that_of_its_utf8_bytes(algorithm):
    word = "blåbær 🌷"
    assert passwords.digest(word, algorithm) == hashlib.new(algorithm, word.encode()).hexdigest()
    assert passwords.digest(word, algorithm) == passwords.digest(word.encode(), algorithm)


@pytest.mark.parametrize(
    ("algorithm", "password", "salt", "iterations", "wanted"),
    [
        pytest.param("sha1", b"password", b"salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6",
                     id="RFC 6070 1"),
        pytest.param("sha1", b"password", b"salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
                     id="RFC 6070 2"),
        pytest.param("sha1", b"password", b"salt", 4096,
                     "4b007901b765489abead49d926f721d065a429c1", id="RFC 6070 3"),
        pytest.param("sha1", b"passwordPASSWORDpassword", b"saltSALTsaltSALTsaltSALTsaltSALTsalt",
                     4096, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038", id="RFC 6070 5"),
        pytest.param("sha1", b"pass\0word", b"sa\0lt", 4096, "56fa6aa75548099dcc37d7f03425e0c3",
                     id="RFC 6070 6, NUL inside"),
        pytest.param("sha256", b"password", b"salt", 2,
                     "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43",
                     id="RFC 6070's inputs with SHA-256, 2"),
        pytest.param("sha256", b"password", b"salt", 4096,
                     "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a",
                     id="RFC 6070's inputs with SHA-256, 4096"),
        pytest.param("sha256", b"passwd", b"salt", 1,
                     "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                     "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
                     id="RFC 7914 section 11"),
    ],
)  # fmt: skip
def test_pbkdf2_gives_the_published_key(algorithm, password, salt, iterations, wanted):
    key = passwords.pbkdf2(
        password, salt, iterations=iterations, length=len(wanted) // 2, algorithm=algorithm
    )
    assert key.hex() == wanted


@pytest.mark.parametrize(
    ("password", "salt", "n", "r", "p", "wanted"),
    [
        pytest.param(b"", b"", 16, 1, 1,
                     "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                     "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
                     id="RFC 7914 section 12, 1"),
        pytest.param(b"password", b"NaCl", 1024, 8, 16,
                     "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                     "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
                     id="RFC 7914 section 12, 2"),
        pytest.param(b"pleaseletmein", b"SodiumChloride", 16384, 8, 1,
                     "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                     "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
                     id="RFC 7914 section 12, 3"),
    ],
)  # fmt: skip
def test_scrypt_gives_the_published_key(password, salt, n, r, p, wanted):
    assert passwords.scrypt(password, salt, n=n, r=r, p=p, length=64).hex() == wanted


@pytest.mark.parametrize("file", ["rfc-6070-PBKDF2-SHA1.txt", "scrypt.txt"])
def test_the_vectors_of_the_package_cryptography_agree(file):
    tried = 0
    for case in _vectors(file):
        password, salt = (_unescaped(case[name]) for name in ("PASSWORD", "SALT"))
        length, wanted = int(case["LENGTH"]), case["DERIVED_KEY"]
        if "N" in case and int(case["N"]) <= 2**14:
            n, r, p = (int(case[name]) for name in "Nrp")
            key = passwords.scrypt(password, salt, n=n, r=r, p=p, length=length)
        elif "ITERATIONS" in case and int(case["ITERATIONS"]) <= 4096:
            key = passwords.pbkdf2(
                password, salt, iterations=int(case["ITERATIONS"]), length=length, algorithm="sha1"
            )
        else:
            continue  # seconds of work each; the same code path as the others
        assert key.hex() == wanted
        tried += 1
    assert tried >= 3


@pytest.mark.parametrize("variant", ["argon2id", "argon2i", "argon2d"])
def test_records_made_of_the_argon2_vectors_of_cryptography_verify(variant):
    tried = 0
    for case in _vectors(f"{variant}.txt"):
        if "secret" in case or "ad" in case:
            continue  # a record in PHC form has no place for them
        record = phc(
            bytes.fromhex(case["output"]),
            bytes.fromhex(case["salt"]),
            variant=variant,
            m=int(case["memcost"]),
            t=int(case["iter"]),
            p=int(case["lanes"]),
        )
        word = bytes.fromhex(case["pass"]).decode()
        assert passwords.verify(record, word)
        assert not passwords.verify(record, word + "!")
        tried += 1
    assert tried >= 2


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        pytest.param(Type.D, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb",
                     id="RFC 9106 section 5.1"),
        pytest.param(Type.I, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8",
                     id="RFC 9106 section 5.2"),
        pytest.param(Type.ID, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
                     id="RFC 9106 section 5.3"),
    ],
)  # fmt: skip
def test_the_engine_under_the_records_gives_the_vectors_of_rfc_9106(kind, wanted):
    from argon2.low_level import core, ffi, lib

    out = ffi.new("uint8_t[]", 32)
    parts = [
        ffi.new("uint8_t[]", bytes([n]) * size) for n, size in ((1, 32), (2, 16), (3, 8), (4, 12))
    ]
    context = ffi.new(
        "argon2_context *",
        {
            "version": 19, "out": out, "outlen": 32,
            "pwd": parts[0], "pwdlen": 32, "salt": parts[1], "saltlen": 16,
            "secret": parts[2], "secretlen": 8, "ad": parts[3], "adlen": 12,
            "t_cost": 3, "m_cost": 32, "lanes": 4, "threads": 1,
            "allocate_cbk": ffi.NULL, "free_cbk": ffi.NULL,
            "flags": lib.ARGON2_DEFAULT_FLAGS,
        },
    )  # fmt: skip
    assert core(context, kind.value) == 0
    assert bytes(ffi.buffer(out)).hex() == wanted


@pytest.mark.parametrize(
    ("m", "wanted"),
    [
        pytest.param(65_536, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
                     id="phc-winner-argon2 test.c, 64 MiB"),
        pytest.param(256, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
                     id="phc-winner-argon2 test.c, 256 KiB"),
    ],
)  # fmt: skip
def test_records_of_the_reference_implementation_verify(m, wanted):
    record = phc(bytes.fromhex(wanted), b"somesalt", m=m, t=2, p=1)
    assert passwords.verify(record, "password")
    assert not passwords.verify(record, "Password")


def test_other_tools_read_the_records():
    record = passwords.store("kanel i alla bullar")
    assert argon2.PasswordHasher().verify(record, "kanel i alla bullar")
    assert argon2.extract_parameters(record) == argon2.Parameters(Type.ID, 19, 16, 32, 2, 19456, 1)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(record, "kanel i alla bulla")


@settings(max_examples=20, deadline=None)
@given(
    word=st.text(max_size=40),
    salt=st.binary(min_size=8, max_size=64),
    size=st.integers(4, 64),
    kind=st.sampled_from([Type.ID, Type.I, Type.D]),
    version=st.sampled_from([16, 19]),
)
def test_records_of_other_tools_verify(word, salt, size, kind, version):
    secret = unicodedata.normalize("NFC", word).encode()
    record = hash_secret(secret, salt, 1, 16, 2, size, kind, version).decode()
    assert passwords.verify(record, word)
    assert not passwords.verify(record, word + "x")


def test_a_record_without_a_version_is_of_version_16():
    tag = hash_secret_raw(b"sauna", b"somesalt", 2, 64, 1, 32, Type.I, version=16)
    assert passwords.verify(
        phc(tag, b"somesalt", variant="argon2i", version="", m=64, t=2, p=1), "sauna"
    )


@pytest.mark.parametrize(
    ("profile", "m", "t", "p"),
    [
        pytest.param("owasp", 19_456, 2, 1, id="OWASP Password Storage 2026-08-17"),
        pytest.param("rfc9106-low-memory", 65_536, 3, 4, id="RFC 9106 section 4, second"),
        pytest.param("rfc9106-high-memory", 2_097_152, 1, 4, id="RFC 9106 section 4, first"),
    ],
)
def test_profiles_are_the_published_ones(profile, m, t, p):
    assert passwords.PROFILES[profile] == passwords.Profile(m, t, p, 16, 32)


def test_the_low_memory_profile_writes_its_parameters():
    record = passwords.store("x", profile="rfc9106-low-memory")
    assert record.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.verify(record, "x")


def test_owasp_constants_are_the_published_ones():
    assert dict(passwords.PBKDF2_ITERATIONS) == {
        "sha256": 600_000, "sha512": 220_000, "sha1": 1_400_000,
    }  # fmt: skip
    assert passwords.ARGON2ID_COSTS == (
        (47104, 1, 1), (19456, 2, 1), (12288, 3, 1), (9216, 4, 1), (7168, 5, 1),
    )  # fmt: skip
    assert passwords.SCRYPT_COSTS == (
        (131072, 8, 1), (65536, 8, 2), (32768, 8, 3), (16384, 8, 5), (8192, 8, 10),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("n", "mib"), [(131072, 128), (65536, 64), (16384, 16), (8192, 8)], ids="RFC 7914 {}".format
)
def test_scrypt_needs_128_n_r_bytes(n, mib):
    assert passwords.scrypt_memory(n, 8) == mib * 2**20


@pytest.mark.parametrize("cost", passwords.SCRYPT_COSTS[-2:])
def test_scrypt_raises_the_memory_limit_to_what_its_parameters_need(cost):
    n, r, p = cost
    limit = 2**31 - 1
    wanted = hashlib.scrypt(b"x", salt=b"y", n=n, r=r, p=p, maxmem=limit, dklen=16)
    assert passwords.scrypt(b"x", b"y", n=n, r=r, p=p, length=16) == wanted


def test_the_strongest_scrypt_choice_of_owasp_runs():
    n, r, p = passwords.SCRYPT_COSTS[0]
    assert len(passwords.scrypt(b"x", b"y", n=n, r=r, p=p, length=32)) == 32


def test_equal_passwords_give_different_records_and_all_verify():
    records = [passwords.store("123456") for _ in range(3)]
    assert len(set(records)) == 3
    assert len({passwords.read_record(record).salt for record in records}) == 3
    assert all(passwords.verify(record, "123456") for record in records)


def test_composed_and_decomposed_letters_are_the_same_password():
    composed, decomposed = (
        unicodedata.normalize(form, "båtvarvet på ön") for form in ("NFC", "NFD")
    )
    assert composed != decomposed
    assert passwords.verify(passwords.store(composed), decomposed)
    assert passwords.verify(passwords.store(decomposed), composed)


@pytest.mark.parametrize("word", ["", "\0", "a\0b", " ", "🌷" * 20, "قهوة بالهيل", "a" * 10_000])
def test_any_text_can_be_a_password(word):
    record = passwords.store(word)
    assert passwords.verify(record, word)
    assert not passwords.verify(record, word + "\0")
    assert not passwords.verify(record, word + "a")


def test_nothing_is_cut_at_72_bytes_as_bcrypt_would():
    long, other = "a" * 72 + "b", "a" * 72 + "c"
    cut = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4))
    assert bcrypt.checkpw(other.encode()[:72], cut)
    assert not passwords.verify(passwords.store(long), other)


@pytest.mark.parametrize(
    ("word", "setting", "wanted"),
    [
        pytest.param(b"U*U", b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.",
                     b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                     id="crypt_blowfish"),
        pytest.param(b"", b"$2a$06$DCq7YPn5Rq63x1Lad4cll.",
                     b"$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.", id="jBCrypt"),
    ],
)  # fmt: skip
def test_the_bcrypt_that_the_wrong_fix_uses_is_bcrypt(word, setting, wanted):
    assert bcrypt.hashpw(word, setting) == wanted


def test_the_weak_pair_works_for_honest_users_and_shares_records():
    record = passwords.store_weak("sauna")
    assert passwords.verify_weak(record, "sauna")
    assert not passwords.verify_weak(record, "bastu")
    assert passwords.store_weak("sauna") == record


@pytest.mark.parametrize(
    "record",
    [
        "", "hunter2", "123456", SOMESALT[1:], SOMESALT + "$", SOMESALT + "\n", " " + SOMESALT,
        SOMESALT.replace("argon2id", "argon2x"), SOMESALT.replace("argon2id", "ARGON2ID"),
        SOMESALT.replace("v=19", "v=20"), SOMESALT.replace("m=256", "m=0256"),
        SOMESALT.replace("m=256,", ""), SOMESALT.replace("t=2", "t=-2"),
        SOMESALT.replace("t=2", "t=٢"), SOMESALT.replace("p=1", "p=1,p=1"),
        SOMESALT.replace("m=256", "m=7"), SOMESALT.replace("m=256", "m=99999999"),
        SOMESALT.replace("t=2", "t=999999999"), SOMESALT.replace("p=1", "p=65"),
        SOMESALT.replace("c29tZXNhbHQ", "c29tZXNhbHR"), SOMESALT.replace("c29tZXNhbHQ", "c29t"),
        SOMESALT.replace("c29tZXNhbHQ", "c29tZXNhbHQ="), SOMESALT.replace("nf65", "nf-_"),
        SOMESALT[: SOMESALT.rindex("$")], SOMESALT[:-2],
        "$2b$12$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.", "a" * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("function", [lambda r: passwords.verify(r, "x"), passwords.needs_rehash])
def test_a_malformed_record_is_refused_in_one_sentence_that_does_not_repeat_it(function, record):
    with pytest.raises(ValueError, match=r"^record must ") as caught:
        function(record)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 250
    if len(record) > 6 and not record.startswith("$argon2"):
        assert record not in message


@pytest.mark.parametrize(
    ("change", "weaker"),
    [
        ({}, False),
        ({"m": 65_536, "t": 3, "p": 4}, False),
        ({"m": 19_455}, True),
        ({"t": 1}, True),
        ({"variant": "argon2i"}, True),
        ({"variant": "argon2d"}, True),
        ({"version": "$v=16"}, True),
        ({"version": ""}, True),
        ({"salt": bytes(15)}, True),
        ({"tag": bytes(31)}, True),
        ({"salt": bytes(32), "tag": bytes(64)}, False),
        ({"m": 47_104, "t": 1}, True),
    ],
)
def test_a_record_needs_rehash_when_any_parameter_is_weaker(change, weaker):
    made = {"tag": bytes(32), "salt": bytes(16), "m": 19_456, "t": 2, "p": 1, **change}
    assert passwords.needs_rehash(phc(**made)) is weaker


def test_fewer_lanes_than_the_profile_need_a_rehash():
    record = phc(bytes(32), bytes(16), m=65_536, t=3, p=1)
    assert passwords.needs_rehash(record, profile="rfc9106-low-memory")
    assert not passwords.needs_rehash(record)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: passwords.digest("x", "md4"), ValueError, "algorithm must be one of md5"),
        (lambda: passwords.digest("x", None), TypeError, "algorithm"),
        (lambda: passwords.digest(b"x", "SHA256"), ValueError, "algorithm"),
        (lambda: passwords.digest(5, "md5"), TypeError, "password must be text or bytes"),
        (lambda: passwords.digest("\ud800", "md5"), ValueError, "UTF-8"),
        (
            lambda: passwords.pbkdf2("x", b"", iterations=1, length=1),
            TypeError,
            "password must be bytes",
        ),
        (
            lambda: passwords.pbkdf2(b"x", "y", iterations=1, length=1),
            TypeError,
            "salt must be bytes",
        ),
        (lambda: passwords.pbkdf2(b"x", b"", iterations=0, length=1), ValueError, "iterations"),
        (lambda: passwords.pbkdf2(b"x", b"", iterations=1.0, length=1), TypeError, "iterations"),
        (lambda: passwords.pbkdf2(b"x", b"", iterations=True, length=1), TypeError, "iterations"),
        (lambda: passwords.pbkdf2(b"x", b"", iterations=10**9, length=1), ValueError, "iterations"),
        (lambda: passwords.pbkdf2(b"x", b"", iterations=1, length=0), ValueError, "length"),
        (
            lambda: passwords.pbkdf2(b"x", b"", iterations=1, length=1, algorithm="no"),
            ValueError,
            "algorithm",
        ),
        (lambda: passwords.scrypt(b"x", b"", n=15, r=8, p=1, length=1), ValueError, "power of two"),
        (lambda: passwords.scrypt(b"x", b"", n=1, r=8, p=1, length=1), ValueError, "n must"),
        (lambda: passwords.scrypt(b"x", b"", n=2**21, r=8, p=1, length=1), ValueError, "1 GiB"),
        (
            lambda: passwords.scrypt(b"x", b"", n=2**20, r=8, p=4, length=1),
            ValueError,
            r"n \* r \* p",
        ),
        (lambda: passwords.scrypt(b"x", b"", n=16, r=0, p=1, length=1), ValueError, "r must"),
        (
            lambda: passwords.scrypt("x", b"", n=16, r=1, p=1, length=1),
            TypeError,
            "password must be bytes",
        ),
        (lambda: passwords.store(b"x"), TypeError, "password must be text"),
        (lambda: passwords.store(None), TypeError, "password must be text"),
        (lambda: passwords.store("x", profile="best"), ValueError, "profile must be one of owasp"),
        (lambda: passwords.store("\udfff"), ValueError, "UTF-8"),
        (lambda: passwords.store("x" * (2**20 + 1)), ValueError, "1,048,576"),
        (lambda: passwords.verify(SOMESALT, b"x"), TypeError, "password must be text"),
        (lambda: passwords.verify(SOMESALT.encode(), "x"), TypeError, "record must be text"),
        (lambda: passwords.needs_rehash(None), TypeError, "record must be text"),
        (lambda: passwords.needs_rehash(SOMESALT, profile=""), ValueError, "profile"),
        (lambda: passwords.record_with_salt("x", b"short"), ValueError, "salt must be 8 to 64"),
        (lambda: passwords.rainbow_success(0, chains=1, length=1), ValueError, "space"),
        (lambda: passwords.rainbow_success(math.nan, chains=1, length=1), ValueError, "space"),
        (lambda: passwords.rainbow_success(10, chains=11, length=1), ValueError, "chains"),
        (lambda: passwords.rainbow_success(10, chains=0, length=1), ValueError, "chains"),
        (lambda: passwords.rainbow_success(10, chains=1, length=0), ValueError, "length"),
        (lambda: passwords.rainbow_success(10, chains=1, length=2.0), TypeError, "length"),
        (lambda: passwords.rainbow_success(10, chains=1, length=1, tables=0), ValueError, "tables"),
        (lambda: passwords.collision_probability(-1, 5), ValueError, "items"),
        (lambda: passwords.collision_probability(5, 0), ValueError, "space"),
        (lambda: passwords.collision_probability(5.0, 9), TypeError, "items"),
        (lambda: passwords.collision_probability(5, 2**512 + 1), ValueError, "space"),
        (lambda: passwords.search_time(0, 8, 1), ValueError, "alphabet"),
        (lambda: passwords.search_time(26, 0, 1), ValueError, "length"),
        (lambda: passwords.search_time(26, 8, 0), ValueError, "guesses_per_second"),
        (lambda: passwords.search_time(26, 8, math.inf), ValueError, "guesses_per_second"),
        (lambda: passwords.search_time(26, 8, "fast"), TypeError, "guesses_per_second"),
        (lambda: passwords.search_time(95, 4000, 1e-300), ValueError, "1e308"),
        (lambda: passwords.LeakedTable("rot13"), ValueError, "scheme must be one of plain"),
        (lambda: passwords.falls("rot13"), ValueError, "scheme"),
        (lambda: passwords.measure("plain"), ValueError, "nothing to guess"),
        (lambda: passwords.measure("md5", seconds=31), ValueError, "seconds"),
        (lambda: passwords.fallen_after("md5", -1, 1), ValueError, "seconds"),
        (
            lambda: passwords.dictionary_attack(passwords.LeakedTable("md5"), ["x"], budget=0),
            ValueError,
            "budget",
        ),
        (
            lambda: passwords.RainbowTable("aa", 2, chains=1, chain_length=1),
            ValueError,
            "different letters",
        ),
        (lambda: passwords.RainbowTable("ab", 2, chains=5, chain_length=1), ValueError, "chains"),
        (lambda: passwords.RainbowTable("ab", 13, chains=5, chain_length=1), ValueError, "length"),
        (
            lambda: passwords.RainbowTable(
                "abcdefghijklmnopqrstuvwxyz", 12, chains=5, chain_length=1
            ),
            ValueError,
            "2\\*\\*48",
        ),
        (
            lambda: passwords.RainbowTable("abcdefghij", 6, chains=100_000, chain_length=1_000),
            ValueError,
            "10,000,000",
        ),
        (
            lambda: passwords.RainbowTable("ab", 2, chains=1, chain_length=1, algorithm="x"),
            ValueError,
            "algorithm",
        ),
        (
            lambda: passwords.RainbowTable("ab", 2, chains=1, chain_length=1).lookup("xyz"),
            ValueError,
            "hex",
        ),
        (lambda: passwords.refusal(None, "maja"), TypeError, "password"),
        (lambda: passwords.login(None, "x"), TypeError, "record"),
    ],
)
def test_bad_values_are_refused_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_a_machine_without_the_memory_says_so_in_one_sentence(monkeypatch):
    def refuses(*_arguments, **_named):
        raise argon2.exceptions.HashingError("Memory allocation error")

    monkeypatch.setattr(model, "hash_secret_raw", refuses)
    with pytest.raises(MemoryError, match="cannot spare the 19,456 KiB"):
        passwords.store("x")


def test_comparison_in_verify_takes_the_same_path_for_every_wrong_tag(monkeypatch):
    compared = []
    monkeypatch.setattr(
        model.hmac, "compare_digest", lambda a, b: compared.append((a, b)) is not None
    )
    for word in ("password", "x"):
        passwords.verify(SOMESALT, word)
    assert [len(a) == len(b) == 32 for a, b in compared] == [True, True]


@pytest.mark.parametrize(
    ("space", "chains", "length", "tables", "wanted"),
    [
        pytest.param(80_603_140_212, 38_223_872, 4_666, 1, 0.7746885652666107,
                     id="Oechslin 2003, table 1: predicts 77.5 %"),
        pytest.param(80_603_140_212, 35_000_000, 4_666, 5, 0.9990863251673664,
                     id="Oechslin 2003, abstract: 99.9 %"),
        pytest.param(1_000_000, 2_000, 1_000, 1, 0.7503496276208801, id="toy, 2000 chains"),
        pytest.param(1_000_000, 1_000, 1_000, 4, 0.961056297622929, id="toy, 4 tables"),
    ],
)  # fmt: skip
def test_rainbow_success_is_oechslins_formula(space, chains, length, tables, wanted):
    found = passwords.rainbow_success(space, chains=chains, length=length, tables=tables)
    assert found == pytest.approx(wanted, rel=1e-9)


def test_rainbow_success_keeps_tiny_chances_and_stops_at_certainty():
    assert passwords.rainbow_success(1e30, chains=1, length=3) == pytest.approx(3e-30, rel=1e-9)
    assert passwords.rainbow_success(10, chains=10, length=5) == 1.0


@pytest.mark.parametrize(
    ("items", "space", "wanted"),
    [
        pytest.param(23, 365, 0.5072972343239854, id="birthdays, 23"),
        pytest.param(22, 365, 0.4756953076625501, id="birthdays, 22"),
        pytest.param(77_163, 2**32, 0.49999989051734894, id="salts of 32 bits, one below half"),
        pytest.param(1_000_000, 2**32, 1.0, id="a million salts of 32 bits"),
        pytest.param(10**9, 2**64, 0.0267410, id="a billion salts of 64 bits"),
        pytest.param(10**9, 2**128, 1.4693679385278594e-21, id="a billion salts of 128 bits"),
        pytest.param(366, 365, 1.0, id="more people than days"),
        pytest.param(0, 365, 0.0, id="nobody"),
        pytest.param(1, 1, 0.0, id="one alone"),
    ],
)
def test_collision_probability_is_the_birthday_bound(items, space, wanted):
    assert passwords.collision_probability(items, space) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("items", [2, 5, 60, 4_096, 4_097, 4_500, 9_000])
@pytest.mark.parametrize("space", [9_001, 100_003, 10**7, 2**64])
def test_collision_probability_agrees_with_the_exact_product(items, space):
    if items > space:
        return
    none = Fraction(1)
    log_none = math.fsum(math.log1p(-i / space) for i in range(items))
    if items <= 60:
        for i in range(items):
            none *= Fraction(space - i, space)
        assert passwords.collision_probability(items, space) == pytest.approx(
            float(1 - none), rel=1e-9
        )
    assert passwords.collision_probability(items, space) == pytest.approx(
        -math.expm1(log_none), rel=1e-9
    )


def test_collision_probability_is_fast_for_any_size():
    started = time.perf_counter()
    for bits in range(1, 129):
        for items in (2 ** (bits // 2), 2 ** (bits - 1), 2**bits):
            assert 0 <= passwords.collision_probability(items, 2**bits) <= 1
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("alphabet", "length", "rate", "wanted"),
    [
        pytest.param(26, 8, 164.1e9, 1.272559808507008, id="26^8 MD5, one RTX 4090"),
        pytest.param(26, 8, 1_437.5, 145271001.4441739, id="26^8 bcrypt cost 12"),
        pytest.param(62, 8, 50_638.7e6, 4311.72414743854, id="62^8 SHA-1"),
        pytest.param(95, 8, 164.1e9, 40427.814216274375, id="95^8 MD5"),
        pytest.param(26, 15, 184_000.0, 9115539903726772.0, id="26^15 bcrypt cost 5"),
    ],
)
def test_search_time_is_the_space_over_the_rate(alphabet, length, rate, wanted):
    assert passwords.search_time(alphabet, length, rate) == pytest.approx(wanted, rel=1e-9)


def test_search_time_survives_spaces_beyond_any_float():
    assert passwords.search_time(2, 2_000, 1e300) == pytest.approx(
        2.0**1000 / 1e300 * 2.0**1000, rel=1e-9
    )


@pytest.mark.parametrize(
    ("key", "wanted"),
    [("bcrypt-10", 5750.0), ("bcrypt-12", 1437.5), ("pbkdf2-sha256-600000", 14761.3905)],
)
def test_derived_rates_follow_from_the_published_benchmark(key, wanted):
    assert passwords.DERIVED_RATES[key] == pytest.approx(wanted, rel=1e-9)


def test_no_rate_is_printed_for_argon2id():
    assert not any(
        "argon2" in key for key in (*passwords.PUBLISHED_RATES, *passwords.DERIVED_RATES)
    )


def test_a_published_popularity_shows_how_many_accounts_the_first_guesses_open():
    rockyou = [290731, 79078, 76790, 61958, 51622, 35231, 22588, 21726, 20553, 17542]
    assert passwords.share_opened(rockyou[:1], 32_603_388) == pytest.approx(
        0.008917202101818376, rel=1e-9
    )
    assert passwords.share_opened(rockyou, 32_603_388) == pytest.approx(
        0.020789833252912244, rel=1e-9
    )
    assert passwords.hashes_for(1_000_000, 10_000_000, salted=False) == 10_000_000
    assert passwords.hashes_for(1_000_000, 10_000_000, salted=True) == 10**13


def test_the_list_of_common_passwords_is_the_ranked_30_000_of_zxcvbn():
    words = passwords.common_passwords()
    assert len(words) == len(set(words)) == 30_000
    assert words[:5] == ("123456", "password", "12345678", "qwerty", "123456789")


@pytest.mark.parametrize("damage", [None, "empty", "short", "numbers", "raises"])
def test_a_missing_or_damaged_wordlist_gives_one_clear_sentence(damage, monkeypatch):
    class Raises:
        def __getitem__(self, key):
            raise SyntaxError("half a file")

    module = type(sys)("zxcvbn.frequency_lists")
    lists = {
        "empty": {},
        "short": {"passwords": ["123456"]},
        "numbers": {"passwords": list(range(30_000))},
        "raises": Raises(),
    }
    if damage:
        module.FREQUENCY_LISTS = lists[damage]
    monkeypatch.setitem(sys.modules, "zxcvbn.frequency_lists", module if damage else None)
    passwords.common_passwords.cache_clear()
    with pytest.raises(
        passwords.WordlistUnavailable, match=r"zxcvbn.*python -m pip install"
    ) as caught:
        passwords.common_passwords()
    assert "\n" not in str(caught.value)


@pytest.fixture(autouse=True)
def _fresh_wordlist():
    yield
    passwords.common_passwords.cache_clear()


def test_the_story_has_eighty_accounts_and_is_the_same_each_time():
    everyone = passwords.accounts()
    assert len(everyone) == len({account.email for account in everyone}) == 80
    leak.accounts.cache_clear()
    assert passwords.accounts() == everyone
    assert passwords.accounts(7)[30:] != everyone[30:]
    assert sum(account.password == "123456" for account in everyone) == 7


def test_the_same_password_shows_in_the_table_until_each_user_has_a_salt():
    rows = [row for row, account in enumerate(passwords.accounts()) if account.password == "123456"]
    shared = {
        key: len({table.record(row) for row in rows[:3]}) == 1
        for key in passwords.SCHEMES
        for table in [passwords.LeakedTable(key)]
    }
    assert shared == {
        "plain": True, "md5": True, "sha256": True, "site_salt": True,
        "user_salt": False, "argon2id": False,
    }  # fmt: skip


def test_a_site_salt_still_sells_one_guess_for_all_accounts():
    attacks = {
        key: passwords.dictionary_attack(passwords.LeakedTable(key), passwords.common_passwords())
        for key in ("md5", "sha256", "site_salt")
    }
    assert {attack.hashes for attack in attacks.values()} == {30_000}
    assert len({attack.opened for attack in attacks.values()}) == 1


def test_a_salt_for_each_user_makes_every_guess_cost_one_hash_for_each_account():
    table = passwords.LeakedTable("user_salt")
    words = passwords.common_passwords()[:40]
    attack = passwords.dictionary_attack(table, words)
    weak = passwords.dictionary_attack(passwords.LeakedTable("sha256"), words)
    assert {one.user for one in attack.opened} == {one.user for one in weak.opened}
    assert attack.hashes > 20 * weak.hashes


def test_the_attack_opens_exactly_the_accounts_whose_password_was_guessed():
    words = passwords.common_passwords()[:300]
    for key in ("md5", "site_salt", "user_salt"):
        attack = passwords.dictionary_attack(passwords.LeakedTable(key), words)
        truth = {account.user: account.password for account in passwords.accounts()}
        assert {one.user for one in attack.opened} == {u for u, w in truth.items() if w in words}
        assert all(truth[one.user] == one.password for one in attack.opened)


def test_the_budget_ends_the_attack():
    for key in ("md5", "user_salt"):
        assert (
            passwords.dictionary_attack(
                passwords.LeakedTable(key), itertools.repeat("x"), budget=7
            ).hashes
            == 7
        )


def test_plain_text_needs_no_hash_at_all():
    attack = passwords.dictionary_attack(passwords.LeakedTable("plain"), [])
    assert (attack.hashes, len(attack.opened)) == (0, 80)


@pytest.mark.parametrize("key", ["md5", "site_salt", "user_salt"])
@pytest.mark.parametrize("seed", [leak.SEED, 1, 2])
def test_the_schedule_of_falls_agrees_with_the_attack(key, seed):
    schedule = passwords.falls(key, seed=seed)
    cut = passwords.common_passwords()[:1_000]
    attack = passwords.dictionary_attack(passwords.LeakedTable(key, seed=seed), cut)
    assert tuple(one.hashes for one in attack.opened) == schedule[: len(attack.opened)]
    assert len(attack.opened) > 15


def test_argon2id_falls_as_salted_records_do_only_later_in_time():
    assert passwords.falls("argon2id") == passwords.falls("user_salt")
    fast = passwords.fallen_after("user_salt", 60, passwords.PUBLISHED_RATES["sha256"])
    slow = passwords.fallen_after("argon2id", 60, 10)
    assert fast == 49 > slow


def test_argon2id_gives_up_only_the_most_common_password_to_one_guess_each(monkeypatch):
    cheap = {"owasp": model.Profile(64, 1, 1)}
    monkeypatch.setattr(model, "PROFILES", cheap)
    attack = passwords.dictionary_attack(passwords.LeakedTable("argon2id"), ["123456"])
    assert attack.hashes == 80
    assert len(attack.opened) == 7


def test_a_measurement_counts_what_was_done_in_its_time():
    ticks = itertools.count()
    measured = passwords.measure("md5", seconds=3, clock=lambda: next(ticks), guesses=["a", "b"])
    assert (measured.hashes, measured.seconds) == (3 * 256, 3)
    assert measured.per_second == 256


def test_argon2id_is_slower_than_sha256_by_orders_of_magnitude():
    fast, slow = (passwords.measure(key, seconds=0.05) for key in ("sha256", "argon2id"))
    assert fast.per_second > 500 * slow.per_second


def test_a_real_rainbow_table_finds_what_oechslins_formula_says():
    tables = [
        passwords.RainbowTable("0123456789", 4, chains=100, chain_length=100, seed=seed)
        for seed in range(12)
    ]
    expected = passwords.rainbow_success(10_000, chains=100, length=100)
    mean = sum(table.covered for table in tables) / len(tables)
    assert mean == pytest.approx(expected, abs=0.015)


def test_a_lookup_succeeds_exactly_for_the_covered_passwords():
    table = passwords.RainbowTable("abcd", 4, chains=12, chain_length=12)
    found = 0
    for number in range(table.space):
        word = table.password(number)
        answer = table.lookup(passwords.digest(word, "md5"))
        assert answer in (None, word)
        found += answer == word
    assert found / table.space == table.covered
    assert 0 < found < table.space


def test_a_rainbow_table_is_worth_nothing_against_a_salt():
    table = passwords.RainbowTable("0123456789", 3, chains=200, chain_length=30)
    assert table.covered > 0.9
    known = [table.password(number) for number in range(0, 1000, 25)]
    plain = [table.lookup(passwords.digest(word, "md5")) for word in known]
    salted = [table.lookup(passwords.salted_fingerprint(word, b"\x8f\x02")) for word in known]
    assert sum(answer == word for answer, word in zip(plain, known, strict=True)) > 30
    assert salted == [None] * len(known)


def test_signing_in_renews_an_old_record_and_asks_nobody_for_anything():
    old = passwords.store_weak("sunshine")
    accepted, renewed = passwords.login(old, "sunshine")
    assert accepted
    assert not passwords.needs_rehash(renewed)
    assert passwords.verify(renewed, "sunshine")
    assert passwords.login(renewed, "sunshine") == (True, renewed)


def test_a_wrong_password_leaves_the_record_alone():
    for record in (passwords.store_weak("sunshine"), passwords.store("sunshine")):
        assert passwords.login(record, "moonshine") == (False, record)


def test_the_old_fingerprint_is_no_password():
    old = passwords.store_weak("sunshine")
    assert not passwords.login(old, old).accepted


@pytest.mark.parametrize("then", ["NFC", "NFD"])
@pytest.mark.parametrize("now", ["NFC", "NFD"])
def test_an_old_record_of_either_form_of_a_letter_lets_its_owner_in(then, now):
    old = passwords.store_weak(unicodedata.normalize(then, "båtvarvet"))
    accepted, renewed = passwords.login(old, unicodedata.normalize(now, "båtvarvet"))
    assert accepted
    assert passwords.verify(renewed, "båtvarvet")


def test_a_cheap_argon2_record_is_renewed():
    cheap = hash_secret(b"sauna", b"somesalt", 1, 64, 1, 32, Type.ID).decode()
    accepted, renewed = passwords.login(cheap, "sauna")
    assert accepted
    assert not passwords.needs_rehash(renewed)


def test_a_stronger_record_is_never_made_cheaper():
    strong = hash_secret(b"sauna", bytes(16), 3, 19_456, 1, 32, Type.ID).decode()
    assert passwords.login(strong, "sauna") == (True, strong)


def test_the_weak_login_keeps_the_old_record():
    old = passwords.store_weak("sunshine")
    assert passwords.login_weak(old, "sunshine") == (True, old)
    assert passwords.login_weak(old, "x") == (False, old)
    record = passwords.store("sunshine")
    assert passwords.login_weak(record, "sunshine") == (True, record)


def test_the_policy_is_that_of_nist_sp_800_63b_4():
    nist = passwords.NIST
    assert (nist.shortest, nist.shortest_with_second_factor, nist.longest_at_least) == (15, 8, 64)
    assert (nist.blocklist, nist.composition_rules, nist.periodic_change) == (True, False, False)
    assert (nist.salt_bits, nist.failures) == (32, 100)


@pytest.mark.parametrize(
    ("password", "user", "second_factor", "words"),
    [
        ("kanel i alla bullar", "maja", False, ""),
        ("a" * 14, "maja", False, "at least 15"),
        ("zyxwvutsrqponmq", "maja", False, ""),
        ("Sommar2026!", "maja", False, "at least 15"),
        ("Sommar2026!", "maja", True, ""),
        ("letmein", "maja", True, "at least 8"),
        ("baseball", "maja", True, "attackers try first"),
        ("BASEBALL", "maja", True, "attackers try first"),
        ("1qaz2wsx3edc4rfv", "maja", False, "attackers try first"),
        ("kvittra1234567890", "maja", False, "name"),
        ("MajaMajaMaja-2026", "maja", False, "name"),
        ("kvittra sköter min bokföring", "maja", False, ""),
        ("394857 203948 5720", "maja", False, ""),
        ("x" * 4096, "maja", False, ""),
        ("قهوة بالهيل كل صباح", "layla", False, ""),
        (unicodedata.normalize("NFD", "åäöåäöåä"), "maja", False, "at least 15"),
        ("blåbær på vaffel", "", False, ""),
    ],
)
def test_the_policy_refuses_what_is_guessed_and_nothing_else(password, user, second_factor, words):
    reason = passwords.refusal(password, user, second_factor=second_factor)
    assert (words in reason) if words else reason == ""


def test_the_old_rules_take_a_guessable_password_and_refuse_a_good_one():
    assert passwords.refusal_weak("Password1!", "maja") == ""
    assert passwords.refusal_weak("kanel i alla bullar", "maja") != ""
    assert passwords.refusal_weak("kanelbulle", "maja") != ""


def test_importing_the_lesson_is_quick_and_loads_no_drawing_library():
    code = (
        "import time, sys; start = time.process_time(); import labs.attacks.passwords as p; "
        "p.store; "
        "print(time.process_time() - start, 'numpy' in sys.modules or 'matplotlib' in sys.modules)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    assert min(float(seconds) for seconds, _ in runs) < 0.15
    assert {heavy for _, heavy in runs} == {"False"}


def _vectors(file: str) -> list[dict[str, str]]:
    root = Path(importlib.util.find_spec("cryptography_vectors").origin).parent
    cases: list[dict[str, str]] = []
    for line in (root / "KDF" / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("COUNT"):
            cases.append({})
        elif "=" in line and not line.startswith("#") and cases:
            name, _, value = line.partition("=")
            cases[-1][name.strip()] = value.strip()
    return cases


def _unescaped(value: str) -> bytes:
    return value.replace("\\0", "\0").encode()
