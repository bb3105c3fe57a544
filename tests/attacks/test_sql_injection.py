"""The exercises and the pictures of the lesson on SQL injection."""

from __future__ import annotations

import contextlib
import random
import re
import sqlite3

import pytest
from contract import ROOT, Answers, Contract

from labs.attacks import sql_injection
from labs.attacks.sql_injection import exercises, figures, model
from labs.attacks.sql_injection.payloads import payloads
from labs.teaching import Quiz
from labs.teaching.sliders import Slider, explore

SELECT = "SELECT number, buyer, description, amount FROM invoices"
ORDERS = dict(model.ORDERS)


def found(connection, customer, search, minimum):
    """Pastes all three values, like the starter; wrong fixes clean them first."""
    return model.find_invoices_weak(connection, customer, search, minimum)


def doubles_everything(connection, *typed):
    return found(connection, *(one.replace("'", "''") for one in typed))


def doubles_and_counts(connection, customer, search, minimum):
    try:
        least = float(minimum)
    except ValueError:
        return []
    for sign in ("\\", "%", "_"):
        search = search.replace(sign, "\\" + sign)
    return connection.execute(
        f"{SELECT} WHERE customer = '{customer.replace(chr(39), chr(39) * 2)}'"
        f" AND amount >= {least} AND buyer || ' ' || description LIKE"
        f" '%{search.replace(chr(39), chr(39) * 2)}%' ESCAPE '\\' ORDER BY number"
    ).fetchall()


def refuses_words(connection, customer, search, minimum):
    if re.search(r"union|select|--|;|\bor\b", search + minimum, re.IGNORECASE):
        raise ValueError("this looks like an attack")
    return model.find_invoices(connection, customer, search, minimum)


def takes_quotes_out(connection, customer, search, minimum):
    return found(connection, *(re.sub("['\";-]", "", one) for one in (customer, search, minimum)))


def forgets_the_pattern(connection, customer, search, minimum):
    return connection.execute(
        f"{SELECT} WHERE customer = ? AND amount >= ?"
        " AND buyer || ' ' || description LIKE '%' || ? || '%' ORDER BY number",
        (customer, minimum, search),
    ).fetchall()


def forgets_escape(connection, customer, search, minimum):
    pattern = re.sub(r"([\\%_])", r"\\\1", search)
    return connection.execute(
        f"{SELECT} WHERE customer = ? AND amount >= ?"
        " AND buyer || ' ' || description LIKE ? ORDER BY number",
        (customer, minimum, f"%{pattern}%"),
    ).fetchall()


def forgets_the_number(connection, customer, search, minimum):
    pattern = re.sub(r"([\\%_])", r"\\\1", search)
    return connection.execute(
        f"{SELECT} WHERE customer = ? AND amount >= {minimum}"
        " AND buyer || ' ' || description LIKE ? ESCAPE '\\' ORDER BY number",
        (customer, f"%{pattern}%"),
    ).fetchall()


def forgets_the_customer(connection, customer, search, minimum):
    pattern = re.sub(r"([\\%_])", r"\\\1", search)
    return connection.execute(
        f"{SELECT} WHERE customer = '{customer}' AND amount >= ?"
        " AND buyer || ' ' || description LIKE ? ESCAPE '\\' ORDER BY number",
        (minimum, f"%{pattern}%"),
    ).fetchall()


def forgets_whose(connection, _customer, search, minimum):
    pattern = re.sub(r"([\\%_])", r"\\\1", search)
    return connection.execute(
        f"{SELECT} WHERE amount >= ? AND buyer || ' ' || description LIKE ? ESCAPE '\\'",
        (minimum, f"%{pattern}%"),
    ).fetchall()


def catches_errors(connection, customer, search, minimum):
    try:
        return found(connection, customer, search, minimum)
    except sqlite3.Error:
        return []


def without_like(connection, customer, search, minimum):
    if not minimum.isdecimal():
        raise ValueError("a least amount is digits")
    return connection.execute(
        f"{SELECT} WHERE customer = :customer AND amount >= :least"
        " AND instr(lower(buyer || ' ' || description), lower(:search)) ORDER BY number",
        {"customer": customer, "least": int(minimum), "search": search},
    ).fetchall()


def filters_in_python(connection, customer, search, minimum):
    rows = connection.execute(f"{SELECT} WHERE customer = ? ORDER BY number", (customer,))
    least = int(minimum) if minimum.isdecimal() else 0
    return [
        list(row)
        for row in rows
        if row[3] >= least and search.lower() in f"{row[1]} {row[2]}".lower()
    ]


def counts_with_pasted_text(connection, customer, search, minimum):
    """Shows only what is right, and still asks the database what the visitor wrote."""
    with contextlib.suppress(sqlite3.Error, ValueError):
        found(connection, customer, search, minimum)
    return filters_in_python(connection, customer, search, minimum)


def sorts(expression):
    def list_invoices(connection, customer, order):
        return connection.execute(
            f"{SELECT} WHERE customer = ? ORDER BY {expression(order)}", (customer,)
        ).fetchall()

    return list_invoices


def order_as_parameter(connection, customer, order):
    return connection.execute(
        f"{SELECT} WHERE customer = ? ORDER BY ?", (customer, ORDERS.get(order, order))
    ).fetchall()


def names_only(order):
    return ORDERS.get(order) or (order if order.isidentifier() else ORDERS["newest"])


def quoted(order):
    return ORDERS.get(order) or '"' + order.replace('"', '""') + '"'


def no_bad_words(order):
    bad = re.search(r"select|union|--|;", order, re.IGNORECASE)
    return ORDERS["newest"] if bad else ORDERS.get(order, order) or ORDERS["newest"]


def begins_well(order):
    return ORDERS.get(order, order) if order.startswith(tuple(ORDERS)) else ORDERS["newest"]


def sorts_in_python(connection, customer, order):
    rows = connection.execute(
        f"{SELECT.replace('amount', 'amount, issued')} WHERE customer = ?", (customer,)
    ).fetchall()
    keys = {
        "oldest": lambda row: (row[4], row[0]),
        "amount": lambda row: (-row[3], row[0]),
        "buyer": lambda row: (row[1].encode(), row[0]),
    }
    if order in keys:
        return [row[:4] for row in sorted(rows, key=keys[order])]
    return [row[:4] for row in sorted(rows, key=lambda row: (row[4], row[0]), reverse=True)]


def chooses_statement(connection, customer, order):
    match order:
        case "oldest":
            tail = "issued, number"
        case "amount":
            tail = "amount DESC, number"
        case "buyer":
            tail = "buyer, number"
        case _:
            tail = "issued DESC, number DESC"
    return connection.execute(
        f"{SELECT} WHERE customer = ? ORDER BY {tail}", (customer,)
    ).fetchall()


def renames_doubled(connection, user, name):
    model.rename(connection, user, name.replace("'", "''"))


def renames_without_quotes(connection, user, name):
    if "'" in name:
        raise ValueError("a name has no quotation marks")
    model.rename(connection, user, name)


def activity_cleaned(clean):
    def activity(connection, user):
        (name,) = connection.execute("SELECT name FROM users WHERE id = ?", (user,)).fetchone()
        rows = connection.execute(
            f"SELECT what FROM activity WHERE actor = '{clean(name)}' ORDER BY id"
        )
        return [row[0] for row in rows]

    return activity


def activity_of_the_customer(connection, _user):
    return [row[0] for row in connection.execute("SELECT what FROM activity ORDER BY id")]


def activity_joined(connection, user):
    rows = connection.execute(
        "SELECT what FROM activity JOIN users ON users.name = actor WHERE users.id = ?"
        " ORDER BY activity.id",
        (user,),
    )
    return [row["what"] if isinstance(row, sqlite3.Row) else row[0] for row in rows]


def renames_by_name(connection, user, name):
    connection.execute("UPDATE users SET name = :n WHERE id = :u", {"n": name, "u": user})
    connection.commit()


class TestExercises(Contract):
    answers = (
        Answers(
            exercises.match_gaps,
            wrong={
                "doubling is thought to be beaten by a request without the page": (
                    [dict(exercises.GAPS) | {"every quotation mark is doubled": "c"}],
                    "Which values have none?",
                ),
                "a list of words is thought to know all of them": (
                    [dict(exercises.GAPS) | {"the words SELECT and UNION are refused": "d"}],
                    "A list knows some words.",
                ),
                "the form is thought to be on the server": (
                    [dict(exercises.GAPS) | {"the form in the browser takes only digits": "b"}],
                    "Who says that a request comes from the page?",
                ),
                "one is left out": ([{"every quotation mark is doubled": "a"}], "it leaves out"),
            },
            other={
                "capitals and blanks": [{fix: f" {x.upper()}" for fix, x in exercises.GAPS.items()}]
            },
        ),
        Answers(
            exercises.find_invoices,
            wrong={
                "doubles every quotation mark": (
                    [doubles_everything],
                    "no quotation mark is needed to leave it",
                ),
                "doubles, and reads the number": ([doubles_and_counts], "null character"),
                "refuses the words of an attack": (
                    [refuses_words],
                    "There is no text that must be refused here",
                ),
                "takes the signs of an attack out": ([takes_quotes_out], "Take nothing out"),
                "a parameter, and a pattern nevertheless": ([forgets_the_pattern], "`ESCAPE`"),
                "escapes, and names no sign for it": (
                    [forgets_escape],
                    "only where the statement names it",
                ),
                "leaves the number": (
                    [forgets_the_number],
                    "Hand it over as a parameter too",
                ),
                "leaves the customer's id": (
                    [forgets_the_customer],
                    "Whoever calls this tomorrow",
                ),
                "forgets whose invoices they are": (
                    [forgets_whose],
                    "what is not this customer's",
                ),
                "filters what a pasted statement brings": (
                    [counts_with_pasted_text],
                    "which is none of its business",
                ),
                "hides the errors": ([catches_errors], "what is not this customer's"),
            },
            other={
                "instr instead of LIKE, named parameters": [without_like],
                "the search in Python": [filters_in_python],
            },
        ),
        Answers(
            exercises.list_invoices,
            wrong={
                "the order as a parameter": (
                    [order_as_parameter],
                    "by a value all rows are equal",
                ),
                "any name is taken": ([sorts(names_only)], "the newest first for everything else"),
                "the name in quotation marks": ([sorts(quoted)], "the order `'cost'`"),
                "some words are refused": ([sorts(no_bad_words)], "the order `'cost'`"),
                "only the beginning is looked at": (
                    [sorts(begins_well)],
                    "the order `'buyer, cost'`",
                ),
                "an order that is not offered ends in an error": (
                    [sorts(lambda order: ORDERS[order or "newest"])],
                    "it raised KeyError",
                ),
            },
            other={
                "the statement is chosen": [chooses_statement],
                "sorted in Python": [sorts_in_python],
            },
        ),
        Answers(
            exercises.keep_names,
            wrong={
                "the name is doubled when it is kept": (
                    [renames_doubled, model.activity],
                    "Making it safe is the business of each statement",
                ),
                "names with quotation marks are refused": (
                    [renames_without_quotes, model.activity],
                    "People are called O'Brien",
                ),
                "only new names are cleaned": (
                    [renames_doubled, model.activity_weak],
                    "The name was in the database before your check existed",
                ),
                "the name is doubled when it is used": (
                    [model.rename, activity_cleaned(lambda name: name.replace("'", "''"))],
                    "null character",
                ),
                "quotation marks are left out when it is used": (
                    [model.rename, activity_cleaned(lambda name: name.replace("'", ""))],
                    "missing, such as",
                ),
                "everybody's activity": (
                    [model.rename, activity_of_the_customer],
                    "what is not this customer's",
                ),
                "the new name is pasted": (
                    [model.rename_weak, model.activity],
                    "the database refused the statement",
                ),
            },
            other={
                "one statement that joins": [model.rename, activity_joined],
                "named parameters": [renames_by_name, model.activity],
            },
        ),
    )


@pytest.mark.parametrize(
    ("place", "weak"),
    [("text", model.find_invoices_weak), ("order", model.list_invoices_weak)],
)
def test_at_least_150_payloads_have_an_effect_on_the_weak_version(place, weak):
    made = [one.text for one in payloads(place, random.Random("effects"), count=220)]
    books = model.Books()
    arguments = {
        "text": lambda text: (model.CUSTOMER, text, "0"),
        "order": lambda text: (model.CUSTOMER, text),
    }[place]
    good = {"text": model.find_invoices, "order": model.list_invoices}[place]

    def effect(text):
        books.watch()
        try:
            rows = weak(books.connection, *arguments(text))
        except (sqlite3.Error, ValueError):
            return True
        read = {column for column in books.read if not column.startswith("invoices.")}
        return bool(read) or rows != good(books.connection, *arguments(text))

    assert sum(map(effect, made)) >= 150


def test_a_whole_check_hands_more_than_150_texts_to_an_answer():
    calls = []

    def counting(connection, *typed):
        calls.append(typed)
        return model.find_invoices(connection, *typed)

    checks = exercises.find_invoices.checks
    answer = type("A", (), {})()
    answer.find_invoices = type("C", (), {"_function": staticmethod(counting)})()
    answer.find_invoices.outcome = lambda *a: type(
        "O", (), {"value": counting(*a), "raised": None}
    )()
    for number, check in enumerate(checks):
        check.run(answer, random.Random(number))
    assert len(set(calls)) >= 150


def test_the_corpus_is_the_same_for_a_seed_and_different_for_another():
    one, same, other = (
        payloads("text", random.Random(seed), count=200) for seed in ("a", "a", "b")
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize("quiz", [q for q in vars(exercises).values() if isinstance(q, Quiz)])
def test_every_option_of_a_question_says_something_of_its_own(quiz):
    feedback = [option.feedback for option in quiz.options]
    assert len(set(feedback)) == len(feedback)
    assert all(len(words) > 30 for words in feedback)


def test_the_predictions_come_true():
    attempt = sql_injection.attempt("blind")
    assert attempt.got == ("SE00 8000 0000 0001 2121 2121",)
    assert len(attempt.got[0]) == 29
    assert attempt.questions == 210 == 29 * 7 + 7
    assert round(sql_injection.questions_by_letter(29), -2) == 1_400
    assert sql_injection.attempt("sign-in bypass").got == ("signed in as aksel@kvittra.example",)


def test_the_matrix_shows_what_a_narrow_connection_stops_and_what_it_does_not():
    rows = {row[0]: row[1:] for row in figures.matrix().rows}
    assert {row[0] for row in rows.values()} == {"got through"}
    assert {row[2] for row in rows.values()} == {"stopped"}
    through = {name for name, row in rows.items() if row[1] == "got through"}
    assert through == {"sign-in bypass", "others' invoices"}


def test_every_half_fix_leaks_or_fails_somebody_honest():
    for row in figures.half_fixes().rows:
        assert row[2] >= 4, row
    assert [row[3] for row in figures.half_fixes().rows] == [
        "100 %: 1 of 1 found",
        "O'Leary: 0 of 2 found",
        "Union: 8 of 1 found",
        "O'Leary: an error page",
    ]


def test_a_pattern_that_is_not_escaped_finds_too_much():
    assert {row[0]: row[1:] for row in figures.wildcards().rows} == {
        "100 %": [1, 1],
        "100%": [2, 0],
        "_": [8, 1],
        "O'Leary": [2, 2],
        "🌷": [1, 1],
    }


def test_the_picture_of_the_cost_gives_its_numbers_and_fits_the_book():
    first, second = figures.blind_cost(29, 10), figures.blind_cost(29, 10)
    assert first == second
    assert "210 questions, 21 seconds" in first.alt
    assert "1,392 questions, 2.32 minutes" in first.alt
    assert len(first.svg) < 40_000
    shown = explore(
        figures.blind_cost,
        length=Slider((4, 8, 16, 29, 64, 97, 127), start=29),
        per_second=Slider((1, 10, 100, 1_000), start=10),
    )
    assert len(shown.frames()) == 28


def test_the_picture_of_the_page_is_the_one_that_the_code_draws():
    page = (ROOT / "book/attacks/sql_injection.md").read_text(encoding="utf-8")
    assert figures.two_readings() in page


def test_the_numbers_on_the_page_are_those_of_the_lab():
    page = (ROOT / "book/attacks/sql_injection.md").read_text(encoding="utf-8")
    read = sql_injection.attempt("blind")
    assert f"{read.questions} questions" in page
    assert f"{len(read.got[0])} characters" in page
    assert f"{len(sql_injection.attempt('password table').got)} records" in page
