"""Kvittra's parts by themselves: the database's fence, and what each repaired function promises."""

from __future__ import annotations

import gc
import json
import re
import sqlite3
from urllib.parse import urljoin, urlsplit

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kvittra.visitor import World

from labs.kvittra import forgery, invoices, markup, responses, sessions
from labs.kvittra.database import Database
from labs.kvittra.hashing import hash_password, password_matches

FEW = settings(max_examples=50)

OUTSIDE = (
    "ATTACH 'kvittra.db' AS other",
    "VACUUM INTO 'kvittra.db'",
    "PRAGMA writable_schema = 1",
    "PRAGMA user_version",
    "SELECT * FROM pragma_database_list",
    "SELECT load_extension('evil')",
    "SELECT readfile('/etc/hostname')",
    "SELECT writefile('kvittra.txt', 'x')",
    "DROP TABLE users",
    "CREATE TEMP TABLE copy (x)",
    "CREATE TRIGGER later AFTER UPDATE ON users BEGIN SELECT 1; END",
    "ALTER TABLE users RENAME TO losers",
    "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)",
    "DELETE FROM sqlite_master",
)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.mark.parametrize("statement", OUTSIDE)
def test_no_statement_reaches_out_of_the_database(database: Database, statement: str) -> None:
    before = database.contents()
    with pytest.raises(sqlite3.DatabaseError, match=r"authori|prohibited|no such function|may not"):
        database.connection.execute(statement)
    assert database.contents() == before


def test_a_runaway_statement_is_stopped(database: Database) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    database.begin_request()
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        database.connection.execute(endless).fetchone()
    database.begin_request()
    assert database.connection.execute("SELECT count(*) FROM users").fetchone()[0] == 20


def test_a_giant_value_is_refused(database: Database) -> None:
    with pytest.raises(sqlite3.DataError, match="too big"):
        database.connection.execute("SELECT zeroblob(100000000)").fetchone()


def test_a_database_closes_its_connection_when_it_is_let_go() -> None:
    database = Database()
    connection = database.connection
    del database
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_two_databases_hold_the_same_bytes(database: Database) -> None:
    assert database.contents() == Database().contents()


def test_an_unknown_profile_of_hashing_is_refused() -> None:
    with pytest.raises(ValueError, match="profile must be one of product, lab"):
        World(profile="fast")


def test_passwords_are_compared_in_one_spelling() -> None:
    composed, decomposed = "sjösättning i maj", "sjo\u0308sa\u0308ttning i maj"
    assert password_matches(hash_password(composed), decomposed)
    assert not password_matches(hash_password(composed), "sjosattning i maj")
    assert not password_matches("no record", composed)


@FEW
@given(st.text(st.sampled_from("a%_\\'\" O'Bö🌷") | st.characters(codec="utf-8"), max_size=8))
def test_a_search_finds_what_contains_the_text_and_nothing_else(text: str) -> None:
    connection = _SHARED.connection
    found = {
        row["number"] for row in invoices.find_invoices(connection, "bergsbageri", text, "number")
    }
    rows = connection.execute("SELECT * FROM invoices WHERE customer = 'bergsbageri'").fetchall()
    contained = {
        row["number"] for row in rows if _ascii_lower(text) in _ascii_lower(_searched(row))
    }
    # SQLite ends a pattern at a NUL; a request with one never gets this far.
    assert "\0" in text or found == contained


_SHARED = Database()


def _searched(row: sqlite3.Row) -> str:
    return f"{row['buyer']} {row['description']}"


def _ascii_lower(text: str) -> str:
    """LIKE ignores the case of ASCII letters only."""
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), text)


PIECES = st.sampled_from(
    [
        "<",
        ">",
        '"',
        "'",
        "&",
        "/",
        "=",
        " ",
        "\n",
        "<script>",
        "</script>",
        "<img src=x onerror=c()>",
        "<svg/onload=c()>",
        "<a href=javascript:c()>",
        "<a href='java\tscript:c()'>",
        "</a>",
        "<b>",
        "<p",
        "<!--",
        "-->",
        "<![CDATA[",
        "<style>",
        "</style>",
        "<math><mtext>",
        "<table>",
        "<b onclick=c()>",
        "<iframe srcdoc='<script>c()</script>'>",
        "<a href=https://ok.example>",
        "&lt;script&gt;",
        "x",
        '<noscript><p title="</noscript><img src=x onerror=c()>">',
        "<title>",
        "<textarea>",
        "\u2028",
    ]
)
MARKUP = st.lists(PIECES, max_size=10).map("".join)
ALLOWED = {"html", "head", "body", "p", "b", "i", "strong", "em", "ul", "ol", "li", "blockquote"}
ALLOWED |= {"a", "br"}


@settings(max_examples=150)
@given(MARKUP)
def test_rich_text_holds_only_allowed_elements_and_web_links(source: str) -> None:
    tree = html5lib.parse(str(markup.rich_text(source)), namespaceHTMLElements=False)
    for element in tree.iter():
        assert element.tag in ALLOWED
        assert set(element.attrib) <= ({"href", "rel"} if element.tag == "a" else set())
        assert element.get("href", "https:").startswith("https:")


@FEW
@given(MARKUP)
def test_rich_text_closes_what_it_opens(source: str) -> None:
    shown = str(markup.rich_text(source))
    page = html5lib.parse(f"<div>{shown}</div><hr>", namespaceHTMLElements=False)
    body = page.find("body")
    assert [child.tag for child in body][-1] == "hr"


def test_rich_text_is_balanced_and_of_bounded_depth() -> None:
    assert markup.rich_text("<b>bold <i>both") == "<b>bold <i>both</i></b>"
    assert markup.rich_text("<b>bold <i>both</b> neither</i>") == "<b>bold <i>both</i></b> neither"
    assert markup.rich_text("a<script>b</script><style>c</style>d") == "ad"
    assert str(markup.rich_text("<b>" * 50)).count("<b>") == 12


def test_rich_text_keeps_honest_formatting() -> None:
    source = "<p>Rye &amp; <b>wheat</b>, <a href='https://limpa.example'>here</a></p>"
    assert markup.rich_text(source) == (
        '<p>Rye &amp; <b>wheat</b>, <a href="https://limpa.example" '
        'rel="noopener nofollow ugc">here</a></p>'
    )


@FEW
@given(MARKUP)
def test_a_text_in_a_sentence_or_an_attribute_stays_text(text: str) -> None:
    sentence = html5lib.parse(f"<i>{markup.echo(text)}</i>", namespaceHTMLElements=False)
    field = html5lib.parse(f"<input {markup.value_attribute(text)}>", namespaceHTMLElements=False)
    assert len(list(sentence.find("body").iter())) == 2
    assert set(field.find("body/input").attrib) == {"value"}


@FEW
@given(st.dictionaries(st.text(max_size=5), MARKUP | st.integers()))
def test_json_in_a_script_is_the_same_data_and_never_ends_the_script(
    data: dict[str, object],
) -> None:
    shown = str(markup.json_for_script(data))
    assert json.loads(shown) == data
    assert "<" not in shown


@pytest.mark.parametrize(
    "address",
    [
        "javascript:c()",
        "JaVaScRiPt:c()",
        " javascript:c()",
        "java\nscript:c()",
        "\x01javascript:c()",
        "data:text/html,<script>c()</script>",
        "vbscript:c()",
        "//evil.example",
        "/path",
        "",
        "http://",
        "https:evil",
        "http://[",
        "blob:https://x/1",
        "javascript://https://x/%0ac()",
    ],
)
def test_a_website_that_is_not_on_the_web_gets_no_link(address: str) -> None:
    assert markup.link_target(address) == ""


@pytest.mark.parametrize("address", ["https://bergsbageri.example", "http://x.example/a?b=c#d"])
def test_a_website_gets_its_link(address: str) -> None:
    assert markup.link_target(address) == address


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "///evil.example",
        "javascript:c()",
        "evil",
        "",
        "/a\nb",
        "/\t/evil.example",
        "http:evil.example",
        "\\\\evil.example",
    ],
)
def test_nobody_is_sent_away_after_signing_in(target: str) -> None:
    landed = responses.landing(target)
    as_browsers_read_it = landed.replace("\\", "/").replace("\t", "").replace("\n", "")
    where = urlsplit(urljoin("https://kvittra.example/sign-in", as_browsers_read_it))
    assert (where.scheme, where.netloc) == ("https", "kvittra.example")


@FEW
@given(st.lists(st.sampled_from(["..", ".", "/", "//", "a", "\\", "%2e", "attachments", ""])))
def test_no_name_leads_out_of_the_customers_folder(parts: list[str]) -> None:
    name = "/".join(parts)
    try:
        path = responses.attachment_path("siv", name)
    except ValueError:
        return
    assert path.startswith("attachments/siv/")
    assert ".." not in path.split("/")


HOME = "https://kvittra.example"


@pytest.mark.parametrize(
    ("expected", "method", "headers"),
    [
        (True, "POST", {"Sec-Fetch-Site": "same-origin", "Origin": HOME}),
        (True, "POST", {"Sec-Fetch-Site": "same-origin"}),
        (True, "POST", {"Origin": HOME}),
        (True, "POST", {"Sec-Fetch-Site": "none"}),
        (False, "POST", {}),
        (False, "POST", {"Origin": "null"}),
        (False, "POST", {"Origin": "http://kvittra.example"}),
        (False, "POST", {"Origin": "https://kvittra.example.evil.example"}),
        (False, "POST", {"Sec-Fetch-Site": "same-site", "Origin": HOME}),
        (False, "POST", {"Sec-Fetch-Site": "cross-site"}),
        (False, "POST", {"Sec-Fetch-Site": "same-origin", "Origin": "null"}),
        (True, "GET", {}),
        (True, "GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}),
        (True, "GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}),
        (False, "GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
    ],
)
def test_where_a_request_was_made_decides(
    expected: bool, method: str, headers: dict[str, str]
) -> None:
    assert forgery.from_own_page(method, headers, HOME) is expected


def test_the_store_of_sessions_is_bounded_and_drops_strangers_first() -> None:
    store = sessions.SessionStore(sessions.seeded_tokens(1), lambda: 0.0, sessions.new_session_id)
    maja = store.start("maja")
    for _ in range(sessions.MOST_SESSIONS + 5):
        store.start()
    assert len(store.live) == sessions.MOST_SESSIONS
    assert len(store.issued_tokens) == sessions.MOST_SESSIONS
    assert store.live[maja.id] is maja
