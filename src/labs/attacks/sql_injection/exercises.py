"""The exercises of the lesson: questions for everyone, three repairs for builders.

Answers are judged by what happens to a database while some hundreds of hostile and honest texts
are handed to them: which rows came back, which tables were read, what was changed, and whether the
database refused the statement.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from labs.attacks.sql_injection import model
from labs.attacks.sql_injection.payloads import Place, payloads
from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz, matching
from labs.teaching.exercise import shown

without_password = Quiz(
    "attacks.sql_injection.without_password",
    "The sign-in page pastes what you type between two quotation marks. You type "
    "`aksel@kvittra.example' --` as the address, and any password. In SQL, two dashes begin a "
    "comment. What happens?",
    [
        Option(
            "The page says that address and password do not match",
            "It would, if the password were still asked for. The part of the query that asks "
            "stands behind the two dashes.",
        ),
        Option(
            "You are signed in as Aksel",
            "The quotation mark ends the address, the dashes switch off the rest, and the rest was "
            "the password.",
            correct=True,
        ),
        Option(
            "The database is deleted",
            "Films like that. Here the query only reads, and it reads one row: Aksel's.",
        ),
        Option(
            "Nothing, because the password is hashed",
            "Hashing protects a stolen table. Here nobody looks at the password at all.",
        ),
    ],
    prediction=True,
)

yes_and_no = Quiz(
    "attacks.sql_injection.yes_and_no",
    "One page of Kvittra only says whether an invoice number is taken: yes or no. How many "
    "questions does it take to read the choir's bank account, 29 characters long?",
    [
        Option(
            "It cannot be read: the page shows no text",
            "A yes or a no is one bit. Enough of them in a row are a text.",
        ),
        Option(
            "About 200",
            "A character is 7 bits, so 29 of them are 203 questions, and 7 more tell the length.",
            correct=True,
        ),
        Option(
            "About 1,400",
            "That is what trying one letter after another takes. Asking for bits is quicker.",
        ),
        Option(
            "Billions",
            "That would be guessing all characters at once. They can be asked for one by one.",
        ),
    ],
    prediction=True,
)

what_narrow_stops = Quiz(
    "attacks.sql_injection.what_narrow_stops",
    "The code stays weak, but the search page gets a database account that may only read the table "
    "of invoices. Which attack still works on it?",
    [
        Option(
            "Reading the passwords' table",
            "The database refuses: this account may not read that table.",
        ),
        Option(
            "Reading another customer's invoices",
            "They stand in the same table. The account may read the table, so it may read them.",
            correct=True,
        ),
        Option(
            "Reading a bank account bit by bit",
            "Bank accounts stand in another table, which this account may not read.",
        ),
    ],
    prediction=True,
)

which_vendor = Quiz(
    "attacks.sql_injection.which_vendor",
    "You ask four vendors how they keep typed text out of their queries. Whose answer tells you "
    "that the promise holds?",
    [
        Option(
            "“We have a firewall that blocks SQL injection.”",
            "A firewall knows some spellings of an attack. It is a second lock, and says nothing "
            "about the first.",
        ),
        Option(
            "“All input is cleaned before it reaches the database.”",
            "Cleaned for which place in which query? And do O'Brien and 100 % survive it?",
        ),
        Option(
            "“Every query takes its values as parameters, a check in our build fails otherwise, "
            "and the last test found none; here is its date and scope.”",
            "A rule that leaves nothing to remember, a machine that holds it, and a test with a "
            "date: each of them can be checked.",
            correct=True,
        ),
        Option(
            "“We have never had an incident.”",
            "How would they know? Reading through a query leaves no trace unless somebody looks.",
        ),
    ],
)

GAPS = {
    "every quotation mark is doubled": "a",
    "the words SELECT and UNION are refused": "b",
    "the form in the browser takes only digits": "c",
    "names are checked when they are typed, not when they are used": "d",
}
"""What the matching exercise asks, with the letter of the answer."""

match_gaps = matching(
    "attacks.sql_injection.match_gaps",
    "Match each half fix with what gets past it",
    part="gaps",
    choices=(
        "a number, which stands in the query without quotation marks",
        "the same thing said in other words",
        "a request that was written without the page",
        "a name that has been in the database since last year",
    ),
    answers=GAPS,
    nudges=dict(
        zip(
            GAPS,
            (
                "Doubling keeps a text between its quotation marks. Which values have none?",
                "A list knows some words. `OR 2>1` has none of them.",
                "The rule is part of the page. Who says that a request comes from the page?",
                "What was stored before the check existed has never been checked.",
            ),
            strict=True,
        )
    ),
    item="half fix",
    claim="A gap is found for: {}",
    missing="what gets past it",
    nudge="Each letter is used once. Begin with the half fix that runs on the attacker's own "
    "computer.",
    concept="Each of them guards one door: one sign, one spelling, one way to send, one "
    "moment. Ask which other door leads to the same query.",
    next_step="Builders go on below. Everybody else can jump to the questions for a vendor.",
)

_DOING = "a statement that is the same whatever is typed"
_PARAMETER = (
    "Write a question mark in the statement where the value goes, and hand the value to "
    "`execute` beside it."
)
_NUL = "Kafé\x00' OR 1=1 --"


@dataclass(frozen=True)
class _Case:
    """One call, with what a good answer returns; ``None`` where it may also refuse."""

    arguments: tuple[str, ...]
    given: str
    expected: Sequence[Any] | None = None


def _function(call: Any) -> Callable[..., Any]:
    """The learner's function itself.

    Watching every call for tampering takes longer than the call. The first call of a check is
    watched, and the exercise looks again when the check ends.
    """
    function: Callable[..., Any] = call._function
    return function


def _try_all(
    call: Any,
    books: model.Books,
    cases: Iterable[_Case],
    *,
    own: Sequence[Any],
    may_read: Callable[[str], bool],
    nudge: str,
) -> None:
    """Call a function with each case; the first harm is a finding.

    Args:
        call: The watched function of the answer.
        books: Its database.
        cases: What to call it with.
        own: All rows that may come back at all.
        may_read: Whether honest work reads a column.
        nudge: What to think of, where the text became code.

    Raises:
        Failed: If something leaked, changed, was refused, or is not what was asked for.
    """
    function = _function(call)
    for number, case in enumerate(cases):
        books.watch()
        if number == 0:
            outcome = call.outcome(books.connection, *case.arguments)
            value, error = outcome.value, outcome.raised
        else:
            value, error = None, None
            try:
                value = function(books.connection, *case.arguments)
            except Exception as raised:
                error = raised
        _judge(case, value, error, books, own=own, may_read=may_read, nudge=nudge)


def _judge(
    case: _Case,
    value: Any,
    error: Exception | None,
    books: model.Books,
    *,
    own: Sequence[Any],
    may_read: Callable[[str], bool],
    nudge: str,
) -> None:
    if error is not None:
        if isinstance(error, sqlite3.Error | sqlite3.Warning) or "null character" in str(error):
            raise Failed(
                given=case.given,
                happened=f"the database refused the statement: {_first_line(error)}",
                missing=_DOING,
                nudge=nudge,
            )
        if case.expected is None and isinstance(error, ValueError | TypeError):
            return
        raise Failed(
            given=case.given,
            happened=f"it raised {type(error).__name__}: {_first_line(error)}",
            missing="an answer to every text that can be typed",
            nudge="There is no text that must be refused here. Let it find what it finds.",
        )
    if books.changed:
        raise Failed(
            given=case.given,
            happened="rows of the database were changed",
            missing="a statement that only reads",
            nudge=nudge,
        )
    secret = sorted(column for column in books.read if not may_read(column))
    if secret:
        raise Failed(
            given=case.given,
            happened=f"the statement read {secret[0]}, which is none of its business",
            missing=_DOING,
            nudge=nudge,
        )
    rows = _rows(case, value)
    strangers = [row for row in rows if row not in own]
    if strangers:
        raise Failed(
            given=case.given,
            happened=f"what came back holds what is not this customer's: {shown(strangers[0])}",
            missing=_DOING,
            nudge=nudge,
        )
    if case.expected is not None and rows != list(case.expected):
        raise _not_what_was_asked(case, rows, nudge)


def _rows(case: _Case, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Failed(
            given=case.given,
            happened=f"it returned {shown(value)}",
            missing="a list",
            nudge="Return what `fetchall()` gives.",
        )
    return [tuple(row) if isinstance(row, tuple | list | sqlite3.Row) else row for row in value]


def _not_what_was_asked(case: _Case, rows: list[Any], nudge: str) -> Failed:
    expected = list(case.expected or ())
    lost = [row for row in expected if row not in rows]
    extra = [row for row in rows if row not in expected]
    if lost:
        return Failed(
            given=case.given,
            happened=f"{_count(len(lost))} missing, such as {shown(lost[0])}",
            missing="every row that fits",
            nudge="`LIKE` takes a sign as an escape only where the statement names it: `ESCAPE`."
            if any(sign in text for text in case.arguments for sign in "%_\\")
            else "Take nothing out of the text, and refuse none. It is only text.",
        )
    if extra:
        return Failed(
            given=case.given,
            happened=f"{_count(len(extra))} too many, such as {shown(extra[0])}",
            missing="only the rows that fit",
            nudge="To `LIKE`, `%` and `_` mean anything. Put a sign in front of them, and in front "
            "of that sign, and name it with `ESCAPE`.",
        )
    offered = case.arguments[-1] in model.ORDERS
    return Failed(
        given=case.given,
        happened="the rows came in another order, "
        + ", ".join(str(row[0]) if isinstance(row, tuple) else shown(row) for row in rows[:5]),
        missing="the order that was asked for"
        if offered
        else "the newest first, for what is not offered",
        nudge="A parameter is a value, and by a value all rows are equal. The statement itself has "
        "to name the column."
        if offered
        else nudge,
    )


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows} rows are"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:120]


def _hostile(
    place: Place, rng: random.Random, count: int, families: Sequence[str], *more: str
) -> list[str]:
    return [one.text for one in payloads(place, rng, count=count, families=families)] + list(more)


def _stocked(rng: random.Random) -> model.Books:
    """Books with a few invoices that nobody could know in advance."""
    books = model.Books()
    for number in rng.sample(range(600, 900), 4):
        books.connection.execute(
            "INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                model.CUSTOMER,
                rng.choice(("Domkyrkan", "Familjen Ek", "Saunaset Ky")),
                f"Visit {rng.randrange(100, 1000)}, {rng.choice(('pump', 'boiler', 'leak'))}",
                rng.randrange(200, 9_000),
                f"2026-11-{rng.randrange(10, 29)}",
                rng.randrange(100, 5_000),
            ),
        )
    books.connection.commit()
    return books


def _own(books: model.Books, order: str = "number") -> list[model.Row]:
    return books.connection.execute(
        f"SELECT number, buyer, description, amount FROM invoices WHERE customer = ?"
        f" ORDER BY {order}",
        (model.CUSTOMER,),
    ).fetchall()


def _fold(source: str) -> str:
    """Small letters as ``LIKE`` compares them: only those of English."""
    return "".join(c.lower() if c.isascii() else c for c in source)


def _fits(row: model.Row, search: str, minimum: int = 0) -> bool:
    return row[3] >= minimum and _fold(search) in _fold(f"{row[1]} {row[2]}")


_INVOICES_ONLY = "invoices."

find_invoices = Exercise(
    "attacks.sql_injection.find_invoices",
    "Search invoices, whatever is typed",
    parts=[Part("find_invoices", returns=list)],
    starter='''def find_invoices(connection, customer, search, minimum):
    """The customer's invoices of at least minimum whose buyer or description has the text."""
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        f" WHERE customer = '{customer}' AND amount >= {minimum}"
        f" AND buyer || ' ' || description LIKE '%{search}%' ORDER BY number"
    ).fetchall()''',
    weak={"find_invoices": model.find_invoices_weak},
    reference={"find_invoices": model.find_invoices},
    hints=Hints(
        nudge="Search for `O'Leary` and read the error. What did the apostrophe end?",
        concept="A parameter carries a value beside the statement, so nothing in it can end "
        "anything. That holds for numbers too. For `LIKE` the value is still a pattern: `%` and "
        "`_` must be told to mean themselves.",
        place="The three pairs of braces, and the word `LIKE`.",
        solution=r"""def find_invoices(connection, customer, search, minimum):
    pattern = search
    for sign in ("\\", "%", "_"):  # the escaping sign itself comes first
        pattern = pattern.replace(sign, "\\" + sign)
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        " WHERE customer = ? AND amount >= ?"
        " AND buyer || ' ' || description LIKE ? ESCAPE '\\' ORDER BY number",
        (customer, minimum, f"%{pattern}%"),
    ).fetchall()""",
    ),
    next_step="Now the order: a parameter cannot carry the name of a column.",
)


def _search(answer: Answer, rng: random.Random, searches: Iterable[str], nudge: str) -> None:
    books = _stocked(rng)
    own = _own(books)
    _try_all(
        answer.find_invoices,
        books,
        (
            _Case(
                (model.CUSTOMER, search, "0"),
                f"the search text {shown(search)}",
                [row for row in own if _fits(row, search)],
            )
            for search in searches
        ),
        own=own,
        may_read=lambda column: column.startswith(_INVOICES_ONLY),
        nudge=nudge,
    )
    books.close()


@find_invoices.honest("A word finds the invoices that hold it, in small letters and capitals")
def _(answer: Answer, rng: random.Random) -> None:
    words = ["pipes", "BATHROOM", "drain", "Saunaset", "visit", "Kafé Åström", "🌷", "no such word"]
    _search(answer, rng, rng.sample(words, len(words)), _PARAMETER)


@find_invoices.honest("An empty search lists everything of the customer, and nothing of others")
def _(answer: Answer, rng: random.Random) -> None:
    _search(answer, rng, [""], _PARAMETER)


@find_invoices.honest("The least amount counts")
def _(answer: Answer, rng: random.Random) -> None:
    books = _stocked(rng)
    own = _own(books)
    least = [rng.choice(own)[3] for _ in range(4)]
    _try_all(
        answer.find_invoices,
        books,
        (
            _Case(
                (model.CUSTOMER, "", str(minimum)),
                f"a least amount of `{minimum}`",
                [row for row in own if row[3] >= minimum],
            )
            for minimum in least
        ),
        own=own,
        may_read=lambda column: column.startswith(_INVOICES_ONLY),
        nudge=_PARAMETER,
    )
    books.close()


@find_invoices.attack("Apostrophes are found like any other sign")
def _(answer: Answer, rng: random.Random) -> None:
    _search(answer, rng, ["O'Leary", "o'leary & d", "'", "''", "O'Brien", '"', "`"], _PARAMETER)


@find_invoices.attack("The least amount is a number, or finds nothing")
def _(answer: Answer, rng: random.Random) -> None:
    books = _stocked(rng)
    own = _own(books)
    _try_all(
        answer.find_invoices,
        books,
        (
            _Case((model.CUSTOMER, "", minimum), f"the least amount {shown(minimum)}")
            for minimum in _hostile("number", rng, 80, ())
        ),
        own=own,
        may_read=lambda column: column.startswith(_INVOICES_ONLY),
        nudge="A number stands in the statement without quotation marks, so no quotation mark is "
        "needed to leave it. Hand it over as a parameter too.",
    )
    books.close()


@find_invoices.attack("No search text reaches the invoices of others")
def _(answer: Answer, rng: random.Random) -> None:
    _search(answer, rng, _hostile("text", rng, 80, ("tautology", "comment")), _PARAMETER)


@find_invoices.attack("No search text reads another table")
def _(answer: Answer, rng: random.Random) -> None:
    _search(answer, rng, _hostile("text", rng, 80, ("union", "subquery")), _PARAMETER)


@find_invoices.attack("No search text makes the database stumble")
def _(answer: Answer, rng: random.Random) -> None:
    searches = _hostile("text", rng, 60, ("stumble",), _NUL)
    _search(answer, rng, searches, _PARAMETER)


@find_invoices.attack("A search for 100 %, for _ or for a backslash means just that")
def _(answer: Answer, rng: random.Random) -> None:
    searches = ["100 %", "100%", "_", "%", "h_r", "Bath_room", "\\", "A\\B", "50 %", "%'", "\\%"]
    _search(answer, rng, searches, _PARAMETER)


@find_invoices.attack("The customer's id is data as well")
def _(answer: Answer, rng: random.Random) -> None:
    books = _stocked(rng)
    ids = _hostile("text", rng, 40, ("tautology",), "o'brien", "' OR 1=1 --")
    _try_all(
        answer.find_invoices,
        books,
        (_Case((id, "", "0"), f"the customer's id {shown(id)}", []) for id in ids),
        own=[],
        may_read=lambda column: column.startswith(_INVOICES_ONLY),
        nudge="The id comes from a session today. Whoever calls this tomorrow may take it from the "
        "address. Make it a parameter too.",
    )
    books.close()


list_invoices = Exercise(
    "attacks.sql_injection.list_invoices",
    "Sort by what the page asks for, and by nothing else",
    parts=[Part("list_invoices", returns=list)],
    starter='''ORDERS = {
    "newest": "issued DESC, number DESC",
    "oldest": "issued, number",
    "amount": "amount DESC, number",
    "buyer": "buyer, number",
}


def list_invoices(connection, customer, order):
    """The customer's invoices. An order that is not offered lists the newest first."""
    expression = ORDERS.get(order, order) or ORDERS["newest"]
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        f" WHERE customer = ? ORDER BY {expression}",
        (customer,),
    ).fetchall()''',
    weak={"list_invoices": model.list_invoices_weak},
    reference={"list_invoices": model.list_invoices},
    hints=Hints(
        nudge="Ask for the order `cost`. Nobody offers it, and yet the rows tell which job cost "
        "most.",
        concept="Names of columns are part of the statement, so no parameter can carry them. Let "
        "the visitor choose among texts that the program wrote: an allow-list.",
        place="The line that makes `expression`: what does it take when `order` is not in the "
        "table?",
        solution="""ORDERS = {
    "newest": "issued DESC, number DESC",
    "oldest": "issued, number",
    "amount": "amount DESC, number",
    "buyer": "buyer, number",
}


def list_invoices(connection, customer, order):
    expression = ORDERS.get(order, ORDERS["newest"])
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        f" WHERE customer = ? ORDER BY {expression}",
        (customer,),
    ).fetchall()""",
    ),
    next_step="Last, a text that comes from your own database.",
)


def _sorted(answer: Answer, rng: random.Random, orders: Iterable[str], nudge: str) -> None:
    books = _stocked(rng)
    own = _own(books)
    sorts = {name: _own(books, expression) for name, expression in model.ORDERS.items()}
    _try_all(
        answer.list_invoices,
        books,
        (
            _Case(
                (model.CUSTOMER, order),
                f"the order {shown(order)}",
                sorts.get(order, sorts["newest"]),
            )
            for order in orders
        ),
        own=own,
        may_read=lambda column: column.startswith(_INVOICES_ONLY),
        nudge=nudge,
    )
    books.close()


_CHOOSE = "Take the expression from the table, and the newest first for everything else."


@list_invoices.honest("The four orders that are offered work")
def _(answer: Answer, rng: random.Random) -> None:
    _sorted(answer, rng, rng.sample(list(model.ORDERS), 4), _CHOOSE)


@list_invoices.honest("Without an order the newest come first")
def _(answer: Answer, rng: random.Random) -> None:
    _sorted(answer, rng, [""], _CHOOSE)


@list_invoices.attack("A column that is not offered sorts nothing")
def _(answer: Answer, rng: random.Random) -> None:
    _sorted(answer, rng, _hostile("order", rng, 40, ("hidden",)), _CHOOSE)


@list_invoices.attack("No order reads another table")
def _(answer: Answer, rng: random.Random) -> None:
    _sorted(answer, rng, _hostile("order", rng, 60, ("subquery", "union")), _CHOOSE)


@list_invoices.attack("An order is a choice, not an expression")
def _(answer: Answer, rng: random.Random) -> None:
    _sorted(answer, rng, _hostile("order", rng, 60, ("expression", "stumble"), "a\x00b"), _CHOOSE)


def _pastes_the_customer(
    connection: sqlite3.Connection, customer: str, order: str
) -> list[model.Row]:
    expression = model.ORDERS.get(order, model.ORDERS["newest"])
    return connection.execute(
        "SELECT number, buyer, description, amount FROM invoices"
        f" WHERE customer = '{customer}' ORDER BY {expression}"
    ).fetchall()


@list_invoices.attack(
    "The customer's id is still data", weak={"list_invoices": _pastes_the_customer}
)
def _(answer: Answer, rng: random.Random) -> None:
    books = _stocked(rng)
    _try_all(
        answer.list_invoices,
        books,
        (
            _Case((id, "newest"), f"the customer's id {shown(id)}", [])
            for id in _hostile("text", rng, 20, ("tautology",))
        ),
        own=[],
        may_read=lambda column: column.startswith(_INVOICES_ONLY),
        nudge=_PARAMETER,
    )
    books.close()


keep_names = Exercise(
    "attacks.sql_injection.keep_names",
    "Use a stored name without trusting it",
    parts=[Part("rename"), Part("activity", returns=list)],
    starter='''def rename(connection, user, name):
    """Keep the name that the user has chosen."""
    connection.execute("UPDATE users SET name = ? WHERE id = ?", (name, user))


def activity(connection, user):
    """What the user has done, oldest first."""
    row = connection.execute("SELECT name FROM users WHERE id = ?", (user,)).fetchone()
    rows = connection.execute(f"SELECT what FROM activity WHERE actor = '{row[0]}' ORDER BY id")
    return [what for (what,) in rows]''',
    weak={"rename": model.rename, "activity": model.activity_weak},
    reference={"rename": model.rename, "activity": model.activity},
    hints=Hints(
        nudge="Patrick O'Brien has had his name for years. Why does his page show an error?",
        concept="Where a text was kept says nothing about who wrote it. Each statement that a text "
        "goes into must take it as a parameter, the second as well as the first.",
        place="In `activity`, the second statement. `rename` is right as it is.",
        solution="""def rename(connection, user, name):
    connection.execute("UPDATE users SET name = ? WHERE id = ?", (name, user))


def activity(connection, user):
    row = connection.execute("SELECT name FROM users WHERE id = ?", (user,)).fetchone()
    rows = connection.execute("SELECT what FROM activity WHERE actor = ? ORDER BY id", (row[0],))
    return [what for (what,) in rows]""",
    ),
    next_step="Read the questions for a vendor, and ask one this week.",
)

_STORED = (
    "The name was in the database before your check existed. Make it a parameter of the statement "
    "that reads the activity."
)
_NAMES = ("Patrick O'Brien", "100 % Signe", "Åsa_Bergström", "Signe Holm 🌷", "ليلى منصور", "\\")
_RAISES = (
    "x', role = 'admin",
    "x', role = 'admin' --",
    "x' WHERE 1=1 --",
    "x' OR '1'='1",
    "' || (SELECT password_hash FROM users WHERE id = 'leena') || '",
)


def _may_read(column: str) -> bool:
    return column.startswith("activity.") or column in ("users.id", "users.name")


def _done_by(books: model.Books, name: str) -> list[str]:
    rows = books.connection.execute(
        "SELECT what FROM activity WHERE actor = ? ORDER BY id", (name,)
    )
    return [row[0] for row in rows]


def _activity_of(answer: Answer, rng: random.Random, names: Iterable[str], nudge: str) -> None:
    """Somebody has each of these names, and has done something under it."""
    books = model.Books()
    write = books.connection.execute
    function = _function(answer.activity)
    for number, name in enumerate(names):
        did = f"wrote invoice {rng.randrange(1000, 9999)}"
        write("UPDATE users SET name = ? WHERE id = 'maja'", (name,))
        write("INSERT INTO activity (customer, actor, what) VALUES ('x', ?, ?)", (name, did))
        own = _done_by(books, name)
        case = _Case(("maja",), f"a user whose stored name is {shown(name)}", own)
        books.watch()
        value, error = None, None
        if number == 0:
            outcome = answer.activity.outcome(books.connection, "maja")
            value, error = outcome.value, outcome.raised
        else:
            try:
                value = function(books.connection, "maja")
            except Exception as raised:
                error = raised
        _judge(case, value, error, books, own=own, may_read=_may_read, nudge=nudge)
    books.close()


@keep_names.honest("Everybody with a plain name reads what they have done")
def _(answer: Answer, rng: random.Random) -> None:
    _activity_of(answer, rng, ["Maja Berg", "Signe Holm 🌷", "Åsa Bergström"], _STORED)


@keep_names.honest("A new plain name is kept")
def _(answer: Answer, rng: random.Random) -> None:
    _renamed(answer, [f"Maja Berg {rng.randrange(100)}", "Signe Holm 🌷"])


@keep_names.attack("Patrick O'Brien can read what he has done")
def _(answer: Answer, rng: random.Random) -> None:
    _activity_of(answer, rng, ["Patrick O'Brien", "Mikael O'Brien", "'"], _STORED)


@keep_names.attack("No stored name reaches another table, or what others did")
def _(answer: Answer, rng: random.Random) -> None:
    _activity_of(answer, rng, _hostile("text", rng, 100, ()), _STORED)


@keep_names.attack("No stored name makes the database stumble")
def _(answer: Answer, rng: random.Random) -> None:
    _activity_of(answer, rng, [*_NAMES, *_hostile("text", rng, 60, ("stumble",), _NUL)], _STORED)


def _doubles(connection: sqlite3.Connection, user: str, name: str) -> None:
    model.rename(connection, user, name.replace("'", "''"))


def _renamed(answer: Answer, names: Iterable[str]) -> None:
    """Each name is kept as typed, for this user, and nothing else changes."""
    books = model.Books()
    everybody = books.connection.execute("SELECT * FROM users ORDER BY id").fetchall()
    function = _function(answer.rename)
    for number, name in enumerate(names):
        given = f"Maja's new name {shown(name)}"
        error: Exception | None = None
        if number == 0:
            error = answer.rename.outcome(books.connection, "maja", name).raised
        else:
            try:
                function(books.connection, "maja", name)
            except Exception as raised:
                error = raised
        if error is not None:
            refused = isinstance(error, sqlite3.Error | sqlite3.Warning)
            raise Failed(
                given=given,
                happened=f"the database refused the statement: {_first_line(error)}"
                if refused
                else f"it was refused with {type(error).__name__}: {_first_line(error)}",
                missing="room for every name",
                nudge=_PARAMETER
                if refused
                else "People are called O'Brien. A name that is only ever data needs no refusing.",
            )
        rows = books.connection.execute("SELECT * FROM users ORDER BY id").fetchall()
        for before, after in zip(everybody, rows, strict=False):
            own = before[0] == "maja"
            if (before[0], *before[2:]) != (after[0], *after[2:]) or (
                not own and before[1] != after[1]
            ):
                raise Failed(
                    given=given,
                    happened=f"another field of the table was changed: {shown(after)}",
                    missing="a change of one name and of nothing else",
                    nudge=_PARAMETER,
                )
            if own and after[1] != name:
                raise Failed(
                    given=given,
                    happened=f"{shown(after[1])} was kept",
                    missing="the name as it was typed",
                    nudge="Store what was typed. Making it safe is the business of each statement "
                    "that uses it.",
                )
    books.close()


@keep_names.attack(
    "A name is kept as it was typed",
    weak={"rename": _doubles, "activity": model.activity_weak},
)
def _(answer: Answer, _rng: random.Random) -> None:
    _renamed(answer, _NAMES)


@keep_names.attack(
    "A new name changes one name and nothing else",
    weak={"rename": model.rename_weak, "activity": model.activity},
)
def _(answer: Answer, rng: random.Random) -> None:
    _renamed(answer, [*_RAISES, *_hostile("text", rng, 30, ("tautology", "comment"))])
