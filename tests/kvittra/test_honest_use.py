"""Honest use works on every edition, for people with real names."""

from __future__ import annotations

import re

import pytest
from kvittra.visitor import EMAILS, Visitor, World, elements

from labs.kvittra import WEAKNESSES
from labs.kvittra.cast import STAFF, USERS
from labs.kvittra.seed import PASSWORDS

EDITIONS = [(), *((name,) for name in WEAKNESSES), ("all",)]
PASTES_SEARCH = {"sql_injection_search", "all"}
PASTES_PASSWORD = {"sql_injection_sign_in", "all"}
PASTES_NAME = {"sql_injection_second_order", "all"}

BUYER = "O'Brien & Söner 🌷 ليلى 100 %"


def numbers(visitor: Visitor, search: str, sort: str = "newest") -> list[str]:
    page = visitor.get("/invoices", query_string={"q": search, "sort": sort})
    assert page.status_code == 200, page.text
    return re.findall(r">(\d{4})</a>", page.text)


@pytest.mark.parametrize(
    "edition", EDITIONS, ids=lambda edition: edition[0] if edition else "hardened"
)
def test_a_working_day_at_the_bakery(edition: tuple[str, ...]) -> None:
    world = World(edition)
    maja = Visitor(world)
    assert maja.sign_in("maja", "wrong").status_code == 401
    assert maja.sign_in("maja").headers["Location"] == "/"
    assert "Kafé Åström" in maja.get("/").text

    assert numbers(maja, "Åström") == ["1050", "1048", "1045", "1041"]
    assert numbers(maja, "", "oldest")[0] == "1041"
    assert numbers(maja, "🎂") == ["1047"]
    assert set(numbers(maja, "100 %")) == {"1046", "1053"}

    written = maja.submit("/invoices/new", buyer=BUYER, description="Limpa", amount="1 250,50")
    page = maja.get(written.headers["Location"])
    assert BUYER in [item.text for item in elements(page, "bdi")]
    assert "1\u00a0250,50 SEK" in page.text
    if PASTES_SEARCH.isdisjoint(edition):
        assert numbers(maja, "O'Brien") == ["1075"]
    else:  # the first sign that something is wrong
        assert maja.get("/invoices?q=O'Brien").status_code == 500

    maja.submit("/invoices/1075", "/invoices/1075/notes", body="Rings on\nMonday 🌷")
    otto = world.visitor("otto")
    assert "Rings on<br>Monday 🌷" in otto.get("/invoices/1075").text
    otto.submit("/invoices/1075", "/invoices/1075/pay", paid="yes")
    assert world.value("SELECT status FROM invoices WHERE number = 1075") == "paid"
    assert "taken" in otto.get("/invoices/number?number=1075").text
    assert "free" in otto.get("/invoices/number?number=1076").text

    maja.submit("/bank", iban="se12 3456 7890", password=PASSWORDS["maja"])
    assert "SE12 3456 7890" in otto.get("/bank").text
    maja.submit(
        "/profile",
        name="Maja Bergström",
        website="https://limpa.example/a?b=c&d",
        about="<b>Hi</b>",
    )
    profile = otto.get("/people/maja")
    assert [link.get("href") for link in elements(profile, "a") if link.get("id") == "website"] == [
        "https://limpa.example/a?b=c&d"
    ]
    assert "<b>Hi</b>" in profile.text
    assert "changed the bank account" in maja.get("/activity").text
    receipt = maja.get("/attachments", query_string={"name": "order 100 % Ull.txt"})
    assert receipt.text.startswith("Sixty loaves")

    maja.submit("/messages", subject="Tack!", body="It's 100 % right now.")
    noor = world.visitor("noor")
    assert "It" in noor.get("/support").text
    noor.submit("/support", "/support/4", body="Bra! 🌷")
    assert "Bra! 🌷" in maja.get("/messages").text
    assert "maja@bergsbageri.example" in world.visitor("jonas").get("/admin").text

    maja.submit("/profile", "/sign-out")
    assert maja.get("/").headers["Location"] == "/sign-in?next=/"
    world.clock.wait(60)
    maja.submit("/forgot", email=EMAILS["maja"])
    link = next(word for word in world.app.outbox[-1].body.split() if "/reset/" in word)
    maja.submit(link.partition(".example")[2], password="ett nytt långt lösenord")
    assert maja.sign_in("maja", "ett nytt långt lösenord").status_code == 302

    patrick = Visitor(world)
    if not PASTES_PASSWORD.isdisjoint(edition):  # there is an apostrophe in it
        assert patrick.sign_in("patrick").status_code == 500
        return
    assert patrick.sign_in("patrick").status_code == 302
    if PASTES_NAME.isdisjoint(edition):
        assert "signed in from Malmö" in patrick.get("/activity").text
    else:
        assert patrick.get("/activity").status_code == 500


@pytest.mark.parametrize("user", [someone.id for someone in (*USERS, *STAFF)])
def test_everybody_can_sign_in_and_read_their_pages(user: str) -> None:
    visitor = World().visitor(user)
    for path in ("/", "/people", f"/people/{user}", "/profile"):
        page = visitor.request("GET", path, follow_redirects=False)
        assert page.status_code in (200, 302)
    assert visitor.is_signed_in_as(user)


def test_a_search_for_a_percent_sign_finds_percent_signs_only() -> None:
    maja = World().visitor("maja")
    assert set(numbers(maja, "%")) == {"1046", "1053"}
    assert numbers(maja, "_") == []
    assert numbers(maja, "\\") == []


def test_after_signing_in_the_visitor_lands_where_the_link_led() -> None:
    visitor = Visitor(World())
    link = visitor.get("/invoices?q=Åström&sort=oldest").headers["Location"]
    form = visitor.get(link)
    target = next(e.get("value") for e in elements(form, "input") if e.get("name") == "next")
    signed_in = visitor.submit(
        link, "/sign-in", email=EMAILS["maja"], password=PASSWORDS["maja"], next=target
    )
    assert "sort=oldest" in signed_in.headers["Location"]
    assert len(elements(visitor.get(signed_in.headers["Location"]), "tr")) == 5


def test_one_customer_never_sees_another() -> None:
    world = World()
    siv = world.visitor("siv")
    for path in ("/invoices/1049", "/attachments?name=receipt-flour-november.txt"):
        assert siv.get(path).status_code == 404
    assert siv.submit("/profile", "/invoices/1049/pay", paid="yes").status_code == 404
    assert siv.submit("/profile", "/invoices/1049/notes", body="Hello").status_code == 404
    assert siv.get("/support").status_code == siv.get("/admin").status_code == 403
    assert world.visitor("noor").get("/invoices").status_code == 403


def test_a_session_ends_when_idle_and_after_a_day_of_work() -> None:
    world = World()
    maja = world.visitor("maja")
    for _ in range(23):
        world.clock.wait(20 * 60)
        assert maja.is_signed_in_as("maja")
    world.clock.wait(20 * 60)
    assert not maja.is_signed_in_as("maja")
    otto = world.visitor("otto")
    world.clock.wait(30 * 60)
    assert not otto.is_signed_in_as("otto")


def test_signing_out_everywhere_ends_the_other_session_too() -> None:
    world = World()
    phone, desk = world.visitor("maja"), world.visitor("maja")
    assert "on 2 devices" in desk.get("/profile").text
    desk.submit("/profile", "/sign-out-everywhere")
    assert not phone.is_signed_in_as("maja")


def test_too_many_tries_are_refused_for_a_quarter_of_an_hour() -> None:
    world = World()
    visitor = Visitor(world)
    for _ in range(5):
        assert visitor.sign_in("maja", "wrong").status_code == 401
    refused = visitor.sign_in("maja")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert visitor.sign_in("otto").status_code == 302
    world.clock.wait(15 * 60)
    assert Visitor(world).sign_in("maja").status_code == 302


def test_the_session_cookie_is_host_only_over_https_and_plain_over_http() -> None:
    visitor = Visitor(World())
    cookie = visitor.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    plain = Visitor(visitor.world).get("/sign-in", base="http://localhost", sender=None)
    assert plain.headers["Set-Cookie"].startswith("session=")
    assert "Secure" not in plain.headers["Set-Cookie"]


def test_a_session_id_has_128_bits_and_changes_at_sign_in() -> None:
    visitor = Visitor(World())
    visitor.get("/sign-in")
    before = visitor.session_id
    visitor.sign_in("maja")
    assert len(bytes.fromhex(visitor.session_id)) == 16
    assert visitor.session_id != before
    assert before not in visitor.world.app.sessions.live


def test_without_a_seed_two_kvittras_share_no_token() -> None:
    from labs.kvittra import create_app

    ids = {create_app().sessions.start().id for _ in range(3)}
    assert len(ids) == 3


def test_a_new_nonce_comes_with_every_page() -> None:
    visitor = Visitor(World())
    policies = [visitor.get("/sign-in").headers["Content-Security-Policy"] for _ in range(2)]
    assert policies[0] != policies[1]


def test_nothing_is_loaded_from_another_host() -> None:
    world = World()
    maja = world.visitor("maja")
    for path in ("/", "/invoices", "/invoices/1049", "/profile", "/messages"):
        page = maja.get(path)
        for tag, attribute in (("link", "href"), ("script", "src"), ("img", "src")):
            for element in elements(page, tag):
                assert (element.get(attribute) or "/").startswith("/")
    for path in ("/static/kvittra.css", "/static/kvittra.js", "/static/mark.svg"):
        source = maja.get(path)
        assert source.status_code == 200
        assert "//" not in source.text.replace("// ", "").replace("http://www.w3.org/2000/svg", "")


def test_reset_brings_back_the_same_bytes() -> None:
    world = World()
    before = world.app.database.contents()
    first = world.visitor("maja").session_id
    world.visitor("otto").submit("/profile", name="Somebody Else")
    world.visitor("otto").submit("/forgot", email=EMAILS["siv"])
    assert world.app.database.contents() != before
    world.app.reset()
    assert world.app.database.contents() == before
    assert not world.app.outbox
    assert not world.app.sessions.live
    assert world.visitor("maja").session_id == first


def test_a_password_is_stored_as_an_argon2id_record_only() -> None:
    contents = World().app.database.contents()
    assert b"$argon2id$v=19$" in contents
    for password in PASSWORDS.values():
        assert password.encode() not in contents


def test_what_fails_halfway_changes_nothing() -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the disk is full")

    world = World(replace={"spend_reset": fails})
    visitor = Visitor(world)
    visitor.submit("/forgot", email=EMAILS["maja"])
    link = next(word for word in world.app.outbox[-1].body.split() if "/reset/" in word)
    before = world.app.database.contents()
    failed = visitor.submit(link.partition(".example")[2], password="ett nytt långt lösenord")
    assert failed.status_code == 500
    assert "disk" not in failed.text
    assert world.app.database.contents() == before
    assert world.visitor("maja").is_signed_in_as("maja")


def test_a_request_that_ran_away_does_not_use_up_the_next_ones_work() -> None:
    otto = World({"sql_injection_search"}).visitor("otto")

    def counting(up_to: int) -> int:
        count = f"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {up_to})"
        union = (
            f"zz' UNION SELECT max(x), '', '', '', '', 0, '', '' FROM ({count} SELECT x FROM n) --"
        )
        return otto.get("/invoices", query_string={"q": union}).status_code

    assert counting(10_000_000) == 500
    assert counting(20_000) == 200


def test_a_mailbox_gets_five_reset_links_in_a_quarter_of_an_hour_at_most() -> None:
    world = World()
    visitor = Visitor(world)
    for _ in range(8):
        visitor.submit("/forgot", email=EMAILS["maja"])
    assert len(world.app.outbox) == 5
    links = [word for mail in world.app.outbox for word in mail.body.split() if "/reset/" in word]
    pages = [visitor.get(link.partition(".example")[2]).status_code for link in links]
    assert pages == [404, 404, 404, 404, 200]


def test_a_short_new_password_is_refused_and_the_link_stays_good() -> None:
    world = World()
    visitor = Visitor(world)
    visitor.submit("/forgot", email=EMAILS["maja"])
    link = next(word for word in world.app.outbox[-1].body.split() if "/reset/" in word)
    path = link.partition(".example")[2]
    refused = visitor.submit(path, password="elva tecken")
    assert refused.status_code == 400
    assert "at least 12 characters" in refused.text
    assert visitor.submit(path, password="tolv tecken.").status_code == 302


def test_a_browser_that_tries_many_accounts_is_stopped_too() -> None:
    world = World()
    visitor = Visitor(world)
    answers = [
        visitor.submit("/sign-in", email=f"user{n}@bergsbageri.example", password="password1")
        for n in range(51)
    ]
    assert [answer.status_code for answer in answers] == [401] * 50 + [429]


def test_the_other_headers_of_every_answer() -> None:
    visitor = World().visitor("maja")
    for path in ("/", "/nowhere", "/static/kvittra.css"):
        headers = visitor.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert visitor.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("id", ["a b", "x" * 65, "é", "a;b", "../x", "a,b"])
def test_an_adopted_session_id_is_at_least_a_plain_word(id: str) -> None:
    world = World({"session_id_adopted", "session_from_address"})
    world.visitor().get("/sign-in", query_string={"session": id})
    assert id not in world.app.sessions.live
