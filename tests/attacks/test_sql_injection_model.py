"""The models of the lesson on SQL injection: pairs of functions, statements, payloads, visits."""

from __future__ import annotations

import random
import sqlite3

import pytest

from labs.attacks import sql_injection
from labs.attacks.sql_injection import model, visiting
from labs.attacks.sql_injection.payloads import FAMILIES, payloads
from labs.attacks.sql_injection.statements import pieces, statement, tokens
from labs.kvittra import accounts, create_app, invoices

SOURCE = "OWASP cheat sheets, run in SQLite"


@pytest.mark.parametrize(
    ("name", "password", "pasted", "beside"),
    [
        pytest.param("alice", "a1", [1], [1], id=f"honest: {SOURCE}"),
        pytest.param("alice' --", "x", [1], [], id=f"comment: {SOURCE}"),
        pytest.param("x", "' or '1'='1", [1, 2, 3], [], id=f"tautology: {SOURCE}"),
        pytest.param("o'brien", "c3", sqlite3.OperationalError, [3], id=f"O'Brien: {SOURCE}"),
        pytest.param("x' union select 99 --", "", [99], [], id=f"union: {SOURCE}"),
    ],
)
def test_a_sign_in_gives_the_published_rows(name, password, pasted, beside):
    connection = sql_injection.users_table()
    if isinstance(pasted, list):
        assert sql_injection.sign_in_weak(connection, name, password) == pasted
    else:
        with pytest.raises(pasted, match="syntax error"):
            sql_injection.sign_in_weak(connection, name, password)
    assert sql_injection.sign_in(connection, name, password) == beside
    connection.close()


def roles(function, typed, **others):
    return [(one.text, one.role) for one in pieces(statement(function, typed, **others))]


def test_an_honest_text_is_data_between_the_programs_quotation_marks():
    assert roles(model.sign_in_weak, {"name": "bob"}, password="x") == [
        ("SELECT id FROM users WHERE name = '", "program"),
        ("bob", "data"),
        ("' AND password = 'x'", "program"),
    ]


def test_a_quotation_mark_and_dashes_are_code_and_switch_off_what_follows():
    assert roles(model.sign_in_weak, {"name": "bob' --", "password": "typed too"})[1:] == [
        ("bob", "data"),
        ("' --", "code"),
        ("' AND password = 'typed too'", "off"),
    ]


def test_the_apostrophe_of_an_honest_name_is_code_too():
    assert roles(model.sign_in_weak, {"name": "o'brien"}, password="x")[1:3] == [
        ("o", "data"),
        ("'brien", "code"),
    ]


def test_program_text_that_is_swallowed_by_an_open_string_is_switched_off():
    typed = roles(model.find_invoices_weak, {"search": "O'Leary"}, customer="x", minimum="0")
    assert typed[-1] == (" ORDER BY number", "off")


def test_a_doubled_quotation_mark_stays_data_also_where_the_function_doubles_it():
    typed = roles(model.find_invoices_doubled, {"search": "O'Leary"}, customer="x", minimum="0")
    assert ("O''Leary", "data") in typed


def test_a_number_is_data_and_an_expression_in_its_place_is_code():
    for minimum in ("100", "-5", "1.5", "1e3"):
        assert (minimum, "data") in roles(
            model.find_invoices_weak, {"minimum": minimum}, customer="x", search=""
        )
    for minimum in ("0 OR 1=1", "amount", "(1)", "1)"):
        assert (minimum, "code") in roles(
            model.find_invoices_weak, {"minimum": minimum}, customer="x", search=""
        )


def test_the_name_of_a_column_is_code():
    assert ("number DESC", "code") in roles(
        model.list_invoices_weak, {"order": "number DESC"}, customer="x"
    )


def test_what_travels_beside_the_statement_is_not_in_it():
    sent = statement(model.find_invoices, {"search": "' OR 1=1 --"}, customer="x", minimum="0")
    assert sent.typed == ()
    assert sent.parameters == ("x", "0", "%' OR 1=1 --%")
    assert [piece.role for piece in pieces(sent)] == ["program"]


def test_kvittras_own_functions_can_be_followed():
    typed = {"email": "aksel@kvittra.example' --", "password": "x"}
    sent = statement(accounts.authenticate_weak, typed, profile="lab")
    assert sent.count("code") == 4
    assert statement(accounts.authenticate, typed, profile="lab").typed == ()
    name = {"name": "x' UNION SELECT email, password_hash FROM users --"}
    assert statement(invoices.activity_of_weak, name, customer="x").count("code") == 49


def _program(connection, sql):
    """What SQLite makes of a statement: its instructions, without the constants in them."""
    try:
        return [row[1] for row in connection.execute(f"EXPLAIN {sql}")]
    except (sqlite3.Error, ValueError):
        return None


def test_the_view_agrees_with_what_sqlite_compiles():
    connection = sqlite3.connect(":memory:")
    connection.executescript(model._SCHEMA)
    texts = [one.text for one in payloads("text", random.Random("view"), count=260)]
    texts += ["O''Leary", "100 %", "plain", "''''", "emoji 🌷", "''x''"]
    honest = statement(model.find_invoices_weak, {"search": "x"}, customer="c", minimum="0")
    compiled = _program(connection, honest.sql)
    only_data = 0
    for text in texts:
        sent = statement(model.find_invoices_weak, {"search": text}, customer="c", minimum="0")
        same = _program(connection, sent.sql) == compiled
        if sent.count("code") or sent.count("off"):
            # All that these can leave as it was: a constant that SQLite works out beforehand.
            assert not same or "||" in text, text
        else:
            only_data += 1
            assert same, text
    assert only_data >= 10
    connection.close()


def test_tokens_put_together_are_the_statement():
    for place in ("text", "number", "order"):
        for one in payloads(place, random.Random(place), count=120):
            split = list(tokens(one.text))
            assert "".join(one.text[t.start : t.end] for t in split) == one.text


def test_a_statement_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="sql must have at most 20,000 characters"):
        list(tokens("x" * 20_001))
    with pytest.raises(TypeError, match="sql must be text"):
        list(tokens(7))


def test_a_function_that_sends_nothing_cannot_be_followed():
    with pytest.raises(ValueError, match="must send a statement"):
        statement(lambda _connection, _name: None, {"_name": "x"})


def test_a_function_that_sends_another_statement_for_another_text_cannot_be_followed():
    def picks(connection, name):
        connection.execute("SELECT 1" if name == "a" else f"SELECT '{name}' AS {name}")

    with pytest.raises(ValueError, match="must build one statement"):
        statement(picks, {"name": "a"})


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH ':memory:' AS other",
        "PRAGMA writable_schema = 1",
        "DROP TABLE users",
        "CREATE TABLE x (y)",
        "SELECT load_extension('x')",
        "DELETE FROM sqlite_master",
        "VACUUM INTO 'x'",
    ],
)
def test_a_statement_cannot_leave_the_three_tables(sql):
    books = model.Books()
    with pytest.raises(sqlite3.Error):
        books.connection.execute(sql)
    books.close()


def test_a_statement_that_runs_on_and_on_is_stopped():
    books = model.Books()
    runaway = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        books.connection.execute(runaway).fetchall()
    books.watch()
    assert books.connection.execute("SELECT count(*) FROM users").fetchone() == (13,)
    books.close()


def test_books_note_what_is_read_and_changed():
    books = model.Books()
    books.connection.execute("SELECT name FROM users WHERE id = 'maja'").fetchall()
    assert books.read == {"users.name", "users.id"}
    assert books.changed == 0
    books.watch()
    model.rename(books.connection, "maja", "Maja B")
    assert books.changed == 1
    books.close()


def test_a_narrow_connection_limits_the_tables_and_not_the_rows():
    books = model.Books(may_read={"invoices"})
    rows = model.find_invoices_weak(books.connection, model.CUSTOMER, "%' OR 1=1 --", "0")
    assert len(rows) == 12
    with pytest.raises(sqlite3.DatabaseError, match=r"users\.\w+ is prohibited"):
        model.find_invoices_weak(
            books.connection,
            model.CUSTOMER,
            "zz' UNION SELECT 1, name, password_hash, 0 FROM users --",
            "0",
        )
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        books.connection.execute("DELETE FROM invoices")
    books.close()


@pytest.mark.parametrize("tables", [{"secrets"}, "invoices"])
def test_unknown_tables_are_refused(tables):
    with pytest.raises(ValueError, match="may_read must hold names"):
        model.Books(may_read=tables)


@pytest.mark.parametrize("search", ["O'Leary", "100 %", "_", "🌷", "A\\B", "Kafé Åström", "%", "'"])
def test_the_repaired_search_finds_exactly_what_holds_the_text(search):
    books = model.Books()
    rows = books.connection.execute(
        "SELECT number, buyer, description, amount FROM invoices WHERE customer = ?",
        (model.CUSTOMER,),
    ).fetchall()
    expected = [row for row in rows if search in f"{row[1]} {row[2]}"]
    assert model.find_invoices(books.connection, model.CUSTOMER, search, "0") == expected
    books.close()


def test_the_form_takes_digits_and_says_so():
    assert model.form_sends("120") == "120"
    assert model.form_sends("") == "0"
    with pytest.raises(ValueError, match="minimum must be digits, not '0 OR 1=1'"):
        model.form_sends("0 OR 1=1")


@pytest.mark.parametrize("secret", ["", "surdeg", "SE00 8000", "a" * 127])
def test_a_secret_is_read_bit_by_bit_with_the_questions_that_were_foreseen(secret):
    connection = sqlite3.connect(":memory:")
    asked = []

    def ask(condition):
        asked.append(condition)
        return bool(connection.execute(f"SELECT {condition}").fetchone()[0])

    read = sql_injection.extract(ask, f"'{secret}'")
    assert read.text == secret
    assert read.questions == len(asked) == sql_injection.questions_by_bit(len(secret))
    connection.close()


def test_letters_of_every_script_are_read_with_21_bits():
    connection = sqlite3.connect(":memory:")

    def ask(condition):
        return bool(connection.execute(f"SELECT {condition}").fetchone()[0])

    assert sql_injection.extract(ask, "'ليلى 🌷'", bits=21).text == "ليلى 🌷"
    connection.close()


def test_letter_by_letter_takes_as_many_questions_as_counting_says():
    rng = random.Random(5)
    tries = [rng.randrange(95) + 1 for _ in range(20_000)]
    assert sum(tries) / len(tries) == pytest.approx(sql_injection.questions_by_letter(1), rel=0.02)


@pytest.mark.parametrize("bits", [0, 22])
def test_bits_are_bounded(bits):
    with pytest.raises(ValueError, match="bits must be"):
        sql_injection.extract(lambda _: False, "''", bits=bits)


@pytest.mark.parametrize("place", FAMILIES)
def test_every_family_is_drawn_and_no_text_comes_twice(place):
    made = payloads(place, random.Random(3), count=180)
    assert len(made) >= 180
    assert {one.family for one in made} == set(FAMILIES[place])
    assert len({one.text for one in made}) == len(made)
    assert len({one.disguise for one in made}) > 8


def test_unknown_places_and_families_are_refused():
    with pytest.raises(ValueError, match="place must be one of"):
        payloads("column", random.Random(1), count=10)
    with pytest.raises(ValueError, match="families must be of"):
        payloads("text", random.Random(1), count=10, families=("hidden",))
    with pytest.raises(ValueError, match="count must be"):
        payloads("text", random.Random(1), count=0)


@pytest.mark.parametrize("name", visiting.ATTACKS)
def test_an_attack_gets_through_the_weak_edition_only(name):
    assert visiting.attempt(name).succeeded
    assert not visiting.attempt(name, "repaired").succeeded


def test_unknown_attacks_and_editions_are_refused():
    with pytest.raises(ValueError, match="name must be one of"):
        visiting.attempt("nothing")
    with pytest.raises(ValueError, match="edition must be one of"):
        visiting.attempt("blind", "hardened")


def test_honest_work_goes_on_with_narrow_connections():
    parts = {
        name: visiting.narrowed(getattr(create_app().edition, name), tables)
        for name, tables in (
            ("find_invoices", ("invoices",)),
            ("number_taken", ("invoices",)),
            ("activity_of", ("activity",)),
            ("authenticate", ("users",)),
        )
    }
    service = create_app(clock=lambda: visiting.NOON, seed=1, replace=parts)
    otto = visiting.Visitor(service, "otto")
    own = otto.numbers()
    assert len(own) == 13
    assert len(otto.numbers(q="O'Leary")) == 2
    assert "Yes, it is taken" in otto.get("/invoices/number", number=str(own[0]))
    assert "No, it is free" in otto.get("/invoices/number", number="9999")
    otto.submit(f"/invoices/{own[0]}/notes", body="paid in buns")
    assert "Activity" in otto.get("/activity")
