"""The pages: what a visitor can see and do."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from functools import lru_cache, wraps
from importlib import resources
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, g, jsonify, redirect, render_template, request
from werkzeug.exceptions import BadRequest, MethodNotAllowed, TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from labs.kvittra import accounts, hashing, limits, resets
from labs.kvittra.app import Mail, kvittra, now_text
from labs.kvittra.invoices import ORDERINGS

Page = str | AnyResponse
View = Callable[..., Page]

SHORTEST_PASSWORD = 12
ASSETS = {
    "kvittra.css": "text/css",
    "kvittra.js": "text/javascript",
    "mark.svg": "image/svg+xml",
}

pages = Blueprint("pages", __name__)


def _form(name: str) -> str:
    return limits.text(name, request.form.get(name, ""))


def _query(name: str) -> str:
    return limits.text(name, request.args.get(name, ""))


def _needed(name: str) -> str:
    value = _form(name)
    if not value:
        raise BadRequest(f"The field {name} is empty.")
    return value


def signed_in(view: View) -> View:
    """Send visitors who are not signed in to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(**arguments: Any) -> Page:
        if g.user is None:
            target = request.full_path.rstrip("?") if request.method == "GET" else "/"
            return redirect(f"/sign-in?next={quote(target, safe='/')}")
        return view(**arguments)

    return guarded


def for_customers(view: View) -> View:
    """Only for those who keep books here; Kvittra's own staff has none."""

    @signed_in
    @wraps(view)
    def guarded(**arguments: Any) -> Page:
        if g.user["customer"] is None:
            abort(403, "This page is for customers.")
        return view(**arguments)

    return guarded


def _log(what: str) -> None:
    kvittra().connection.execute(
        "INSERT INTO activity (customer, actor, what, at) VALUES (?, ?, ?, ?)",
        (g.user["customer"] or "kvittra", g.user["name"], what, now_text()),
    )


@pages.get("/")
@signed_in
def overview() -> Page:
    """The first page after signing in."""
    if g.user["role"] == "support":
        return redirect("/support")
    if g.user["role"] == "admin":
        return redirect("/admin")
    if g.user["customer"] is None:
        return redirect("/people")
    connection = kvittra().connection
    totals = {
        row["status"]: (row["amount"], row["count"])
        for row in connection.execute(
            "SELECT status, sum(amount) AS amount, count(*) AS count FROM invoices"
            " WHERE customer = ? GROUP BY status",
            (g.user["customer"],),
        )
    }
    largest = connection.execute(
        "SELECT buyer, sum(amount) AS amount FROM invoices WHERE customer = ?"
        " GROUP BY buyer ORDER BY amount DESC, buyer LIMIT 6",
        (g.user["customer"],),
    ).fetchall()
    latest = connection.execute(
        "SELECT * FROM invoices WHERE customer = ? ORDER BY issued DESC, number DESC LIMIT 5",
        (g.user["customer"],),
    ).fetchall()
    chart = {
        "currency": g.user["currency"],
        "buyers": [{"name": row["buyer"], "amount": row["amount"]} for row in largest],
    }
    return render_template("overview.html", totals=totals, latest=latest, chart=chart)


@pages.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Page:
    """The sign-in page."""
    app = kvittra()
    target = limits.text("next", request.values.get("next", ""))
    if request.method != "POST":
        if g.user is not None:
            return redirect(app.edition.landing(target))
        return render_template("sign_in.html", next=target, email="", sentence="")
    email, password = _form("email"), request.form.get("password", "")
    limits.text("password", password)
    address = request.remote_addr or "unknown"
    now = app.clock()
    if not app.edition.may_try(app.attempts, email, address, now):
        raise TooManyRequests(
            "Too many tries. Wait a quarter of an hour, or choose a new password.",
            retry_after=int(accounts.WINDOW_S),
        )
    user = app.edition.authenticate(app.connection, email, password, app.database.profile)
    if user is None:
        app.attempts.fail(f"account {email.casefold()}", now)
        app.attempts.fail(f"address {address}", now)
        problem = "The address and the password do not match."
        page = render_template("sign_in.html", next=target, email=email, sentence=problem)
        return Response(page, 401)
    app.attempts.forgive(f"account {email.casefold()}")
    g.session = app.edition.sign_in_session(app.sessions, g.session, user)
    return redirect(app.edition.landing(target))


@pages.post("/sign-out")
def sign_out() -> Page:
    """Sign out."""
    if g.session is not None:
        app = kvittra()
        app.edition.sign_out_session(app.sessions, g.session)
    g.session, g.signed_out = None, True
    return redirect("/sign-in")


@pages.post("/sign-out-everywhere")
@signed_in
def sign_out_everywhere() -> Page:
    """End every session of this user, on all devices."""
    app = kvittra()
    for session in app.sessions.of(g.user["id"]):
        app.sessions.end(session)
    g.session, g.signed_out = None, True
    return redirect("/sign-in")


@pages.route("/forgot", methods=["GET", "POST"])
def forgot() -> Page:
    """Ask for a link to choose a new password."""
    if request.method != "POST":
        return render_template("forgot.html", answer="")
    app = kvittra()
    email, now = _needed("email"), app.clock()
    row = app.connection.execute(
        "SELECT id, email, name FROM users WHERE email = ?", (email,)
    ).fetchone()
    key = email.casefold()
    # A mailbox must not fill up because somebody keeps pressing the button.
    if row and app.requested_resets.count(key, now) < accounts.ATTEMPTS:
        app.requested_resets.fail(key, now)
        token = app.edition.new_reset_token(app.tokens, row["email"], now)
        resets.store_reset(app.connection, token, row["id"], now)
        link = app.edition.reset_link(app.origin, request.headers, token)
        body = (
            f"Hello {row['name']},\n\nchoose a new password here within half an hour:\n{link}\n\n"
            "If it was not you who asked, you need not do anything.\n\nKvittra"
        )
        app.outbox.append(Mail(row["email"], "Your new password", body))
    return render_template("forgot.html", answer=app.edition.reset_answer(row is not None))


@pages.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> Page:
    """Choose a new password, with the link from the mail."""
    app = kvittra()
    user = app.edition.find_reset(app.connection, token, app.clock())
    if user is None:
        abort(404, "This link is used up or too old. Ask for a new one.")
    if request.method != "POST":
        return render_template("reset.html", sentence="")
    password = request.form.get("password", "")
    limits.text("password", password)
    if len(password) < SHORTEST_PASSWORD:
        problem = f"A password needs at least {SHORTEST_PASSWORD} characters."
        return Response(render_template("reset.html", sentence=problem), 400)
    app.connection.execute(
        "UPDATE users SET password_hash = ? WHERE id = ?",
        (
            hashing.hash_password(password, salt=app.tokens(16), profile=app.database.profile),
            user,
        ),
    )
    app.edition.spend_reset(app.connection, token)
    app.edition.end_other_sessions(app.sessions, user)
    g.session = None
    return redirect("/sign-in")


@pages.get("/customers")
@for_customers
def customers() -> Page:
    """The buyers to whom invoices go."""
    rows = (
        kvittra()
        .connection.execute(
            "SELECT buyers.name, buyers.town, buyers.email, count(invoices.number) AS invoices,"
            " coalesce(sum(invoices.amount), 0) AS amount FROM buyers LEFT JOIN invoices"
            " ON invoices.customer = buyers.customer AND invoices.buyer = buyers.name"
            " WHERE buyers.customer = ? GROUP BY buyers.id ORDER BY buyers.name",
            (g.user["customer"],),
        )
        .fetchall()
    )
    return render_template("customers.html", rows=rows)


@pages.get("/invoices")
@for_customers
def invoices() -> Page:
    """The invoices, searched and sorted."""
    edition = kvittra().edition
    search, sort = _query("q"), _query("sort")
    rows = edition.find_invoices(
        kvittra().connection, g.user["customer"], search, edition.ordering(sort)
    )
    return render_template(
        "invoices.html", rows=rows, search=search, sort=sort, orderings=list(ORDERINGS)
    )


@pages.get("/invoices/number")
@for_customers
def invoice_number() -> Page:
    """Whether a number is taken: yes or no."""
    number = _query("number")
    taken = kvittra().edition.number_taken(kvittra().connection, g.user["customer"], number)
    return render_template("number.html", number=number, taken=taken)


@pages.route("/invoices/new", methods=["GET", "POST"])
@for_customers
def new_invoice() -> Page:
    """Write a new invoice."""
    connection = kvittra().connection
    if request.method != "POST":
        return render_template("new_invoice.html")
    buyer, description = _needed("buyer"), _needed("description")
    amount = _hundredths(_needed("amount"))
    day = now_text()[:10]
    number = connection.execute("SELECT max(number) + 1 FROM invoices").fetchone()[0]
    connection.execute(
        "INSERT INTO invoices VALUES (?, ?, ?, ?, ?, date(?, '+30 days'), ?, ?, 'draft')",
        (number, g.user["customer"], buyer, description, day, day, amount, g.user["currency"]),
    )
    known = connection.execute(
        "SELECT 1 FROM buyers WHERE customer = ? AND name = ?", (g.user["customer"], buyer)
    ).fetchone()
    if known is None:
        connection.execute(
            "INSERT INTO buyers (customer, name, town, email) VALUES (?, ?, '', '')",
            (g.user["customer"], buyer),
        )
    _log(f"wrote invoice {number}")
    return redirect(f"/invoices/{number}")


def _hundredths(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", re.sub(r"\s", "", text), re.ASCII)
    if not match:
        raise BadRequest("The amount must be a number such as 1250 or 1250,50.")
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def _invoice(number: int) -> sqlite3.Row:
    app = kvittra()
    row: sqlite3.Row | None = app.edition.read_invoice(app.connection, g.user["customer"], number)
    if row is None:
        abort(404, "There is no such invoice in your books.")
    return row


@pages.get("/invoices/<int(max=999999999):number>")
@for_customers
def invoice(number: int) -> Page:
    """One invoice, with its notes."""
    row = _invoice(number)
    notes = (
        kvittra()
        .connection.execute(
            "SELECT notes.body, notes.written, notes.author, users.name FROM notes"
            " JOIN users ON users.id = notes.author WHERE invoice = ? ORDER BY notes.id",
            (number,),
        )
        .fetchall()
    )
    return render_template("invoice.html", invoice=row, notes=notes)


@pages.post("/invoices/<int(max=999999999):number>/notes")
@for_customers
def add_note(number: int) -> Page:
    """Write a note on an invoice."""
    _invoice(number)
    _write_note(number, _needed("body"))
    return redirect(f"/invoices/{number}#notes")


def _write_note(number: int, body: str) -> None:
    kvittra().connection.execute(
        "INSERT INTO notes (invoice, author, body, written) VALUES (?, ?, ?, ?)",
        (number, g.user["id"], body, now_text()),
    )
    _log(f"wrote a note on invoice {number}")


@pages.route("/invoices/<int(max=999999999):number>/pay", methods=["GET", "POST"])
@for_customers
def pay(number: int) -> Page:
    """Mark an invoice as paid."""
    if not kvittra().edition.wants_change(request.method, request.values):
        raise MethodNotAllowed(["POST"], "An invoice is marked as paid with its button.")
    _invoice(number)
    kvittra().connection.execute("UPDATE invoices SET status = 'paid' WHERE number = ?", (number,))
    _log(f"marked invoice {number} as paid")
    return redirect(f"/invoices/{number}")


@pages.post("/api/notes")
@for_customers
def api_add_note() -> Page:
    """The same for a program: ``{"invoice": 1049, "body": "…"}``."""
    data = limits.json_object(request.get_data())
    number, body = data.get("invoice"), data.get("body")
    if type(number) is not int or not 0 < number < 10**9 or not isinstance(body, str):
        raise BadRequest("The object needs an invoice (a number) and a body (a text).")
    body = limits.text("body", body)
    if not body:
        raise BadRequest("The body is empty.")
    _invoice(number)
    _write_note(number, body)
    response = jsonify({"invoice": number, "body": body})
    response.status_code = 201
    return response


@pages.route("/bank", methods=["GET", "POST"])
@for_customers
def bank() -> Page:
    """The account to which buyers pay."""
    app = kvittra()
    if request.method != "POST":
        return render_template("bank.html", iban=g.user["iban"], sentence="", saved=False)
    iban = _needed("iban").upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{8,30}", iban, re.ASCII):
        problem = "An IBAN begins with two letters and two digits."
    elif not app.edition.proves_presence(g.user, request.form.get("password", "")):
        problem = "That is not your password. The account was not changed."
    else:
        app.connection.execute(
            "UPDATE customers SET iban = ? WHERE id = ?", (iban, g.user["customer"])
        )
        _log("changed the bank account")
        return render_template("bank.html", iban=iban, sentence="", saved=True)
    page = render_template("bank.html", iban=g.user["iban"], sentence=problem, saved=False)
    return Response(page, 400)


@pages.route("/messages", methods=["GET", "POST"])
@for_customers
def messages() -> Page:
    """Messages to Kvittra's support, and its answers."""
    connection = kvittra().connection
    if request.method == "POST":
        connection.execute(
            "INSERT INTO messages (author, subject, body, written, reply) VALUES (?, ?, ?, ?, '')",
            (g.user["id"], _needed("subject"), _needed("body"), now_text()),
        )
        return redirect("/messages")
    rows = connection.execute(
        "SELECT messages.*, users.name FROM messages JOIN users ON users.id = messages.author"
        " WHERE users.customer = ? ORDER BY messages.id DESC",
        (g.user["customer"],),
    ).fetchall()
    return render_template("messages.html", rows=rows)


@pages.get("/support")
@signed_in
def support() -> Page:
    """All customers' messages, for the support team."""
    _only_support()
    rows = (
        kvittra()
        .connection.execute(
            "SELECT messages.*, users.name, customers.name AS customer FROM messages"
            " JOIN users ON users.id = messages.author"
            " JOIN customers ON customers.id = users.customer ORDER BY messages.id DESC"
        )
        .fetchall()
    )
    return render_template("support.html", rows=rows)


@pages.post("/support/<int(max=999999999):number>")
@signed_in
def reply(number: int) -> Page:
    """Answer a message."""
    _only_support()
    changed = kvittra().connection.execute(
        "UPDATE messages SET reply = ? WHERE id = ?", (_needed("body"), number)
    )
    if not changed.rowcount:
        abort(404, "There is no such message.")
    return redirect("/support")


def _only_support() -> None:
    if g.user["role"] != "support":
        abort(403, "This page is for the support team.")


@pages.get("/admin")
@signed_in
def admin() -> Page:
    """All users, for administrators."""
    app = kvittra()
    if not app.edition.may_administer(g.user):
        abort(403, "This page is for administrators.")
    rows = app.connection.execute(
        "SELECT users.id, users.name, users.email, users.role, customers.name AS customer"
        " FROM users LEFT JOIN customers ON customers.id = users.customer"
        " ORDER BY customers.name IS NULL DESC, customers.name, users.name"
    ).fetchall()
    live = {row["id"]: len(app.sessions.of(row["id"])) for row in rows}
    return render_template("admin.html", rows=rows, live=live)


@pages.route("/profile", methods=["GET", "POST"])
@signed_in
def profile() -> Page:
    """One's own name, website and text."""
    app = kvittra()
    if request.method == "POST":
        name, website, about = _needed("name"), _form("website"), _form("about")
        app.connection.execute(
            "UPDATE users SET name = ?, website = ?, about = ? WHERE id = ?",
            (name, website, about, g.user["id"]),
        )
        app.connection.execute(
            "UPDATE activity SET actor = ? WHERE customer = ? AND actor = ?",
            (name, g.user["customer"] or "kvittra", g.user["name"]),
        )
        return redirect("/profile")
    return render_template("profile.html", sessions=len(app.sessions.of(g.user["id"])))


@pages.get("/people")
@signed_in
def people() -> Page:
    """Everybody who keeps books here, and who works here."""
    rows = (
        kvittra()
        .connection.execute(
            "SELECT users.id, users.name, users.role, customers.name AS customer, customers.trade,"
            " customers.town FROM users LEFT JOIN customers ON customers.id = users.customer"
            " ORDER BY customers.name IS NULL, customers.name, users.name"
        )
        .fetchall()
    )
    return render_template("people.html", rows=rows)


@pages.get("/people/<id>")
@signed_in
def person(id: str) -> Page:
    """Somebody's public profile."""
    row = (
        kvittra()
        .connection.execute(
            "SELECT users.*, customers.name AS customer_name, customers.trade, customers.town"
            " FROM users LEFT JOIN customers ON customers.id = users.customer WHERE users.id = ?",
            (id,),
        )
        .fetchone()
    )
    if row is None:
        abort(404, "Nobody here has that name.")
    return render_template("person.html", person=row)


@pages.get("/activity")
@for_customers
def activity() -> Page:
    """What the user has done lately."""
    app = kvittra()
    rows = app.edition.activity_of(app.connection, g.user["customer"], g.user["name"])
    return render_template("activity.html", rows=rows)


@pages.get("/attachments")
@for_customers
def attachments() -> Page:
    """The customer's receipts and other papers, or one of them by name."""
    app = kvittra()
    name = limits.text("name", request.args.get("name", ""))
    folder = f"attachments/{g.user['customer']}/"
    if not name:
        names = [path.removeprefix(folder) for path in app.files if path.startswith(folder)]
        return render_template("attachments.html", names=sorted(names))
    try:
        path = app.edition.attachment_path(g.user["customer"], name)
    except ValueError:
        abort(404, "There is no such attachment.")
    if path not in app.files:
        abort(404, "There is no such attachment.")
    response = Response(app.files[path], mimetype="text/plain")
    filename = quote(path.rpartition("/")[2])
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{filename}"
    return response


@pages.get("/section.js")
def section_script() -> Page:
    """The script of the invoice page."""
    return Response(kvittra().edition.section_script(), mimetype="text/javascript")


@pages.get("/static/<name>")
def asset(name: str) -> Page:
    """The style sheet, the script and the mark."""
    if name not in ASSETS:
        abort(404)
    response = Response(_read_asset(name), mimetype=ASSETS[name])
    response.headers["Cache-Control"] = "max-age=300"
    return response


@lru_cache
def _read_asset(name: str) -> bytes:
    return resources.files("labs.kvittra").joinpath("static", name).read_bytes()
