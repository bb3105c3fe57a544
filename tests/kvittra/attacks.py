"""One real attack for each weakness, judged by what it got: data, a session, a change.

Each function attacks the Kvittra of a ``World`` and says whether it got through. The table says
what must be weak for it to. The weakness that works on a script of the page is attacked in
Chromium (``test_in_chromium.py``), because only a browser runs scripts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from kvittra.visitor import (
    EMAILS,
    EVIL,
    HOME,
    SIBLING,
    Visitor,
    World,
    elements,
    scripts_run_anywhere,
    token,
)
from werkzeug.test import TestResponse

from labs.kvittra.seed import PASSWORDS

Attack = Callable[[World], bool]

ATTACKS: dict[str, Attack] = {}

INJECTED = "<img src=x onerror=canary()>"


def attack(function: Attack) -> Attack:
    """Register the attack on the weakness of the same name."""
    ATTACKS[function.__name__] = function
    return function


@attack
def sql_injection_sign_in(world: World) -> bool:
    visitor = Visitor(world)
    visitor.submit("/sign-in", email="maja@bergsbageri.example' --", password="unknown")
    return visitor.is_signed_in_as("maja")


@attack
def sql_injection_search(world: World) -> bool:
    union = "zz' UNION SELECT 1, email, password_hash, '', '', 0, '', '' FROM users --"
    page = world.visitor("otto").get("/invoices", query_string={"q": union})
    return "leena@kvittra.example" in page.text and "$argon2id$" in page.text


@attack
def sql_injection_order_by(world: World) -> bool:
    otto = world.visitor("otto")

    def says_yes(first: str) -> bool:
        guess = f"(SELECT substr(password_hash, 1, 9) FROM users WHERE id = 'leena') = '{first}'"
        sort = f"CASE WHEN {guess} THEN number ELSE -number END"
        page = otto.get("/invoices", query_string={"sort": sort})
        return page.text.find(">1041</a>") < page.text.find(">1053</a>")

    return says_yes("$argon2id") and not says_yes("$argon2iq")


@attack
def sql_injection_blind(world: World) -> bool:
    otto = world.visitor("otto")

    def says_yes(letter: str, place: int) -> bool:
        secret = f"(SELECT substr(email, {place}, 1) FROM users WHERE role = 'admin' ORDER BY id)"
        number = f"' OR {secret} = '{letter}' --"
        return "it is taken" in otto.get("/invoices/number", query_string={"number": number}).text

    found = ""
    for place in range(1, 4):
        found += next((c for c in "abcdefghijklmnopqrstuvwxyz" if says_yes(c, place)), "?")
    return found == "aks"


@attack
def sql_injection_second_order(world: World) -> bool:
    otto = world.visitor("otto")
    otto.submit("/profile", name="x' UNION SELECT email, password_hash FROM users --")
    return "$argon2id$" in otto.get("/activity").text


def _injected(page: TestResponse) -> bool:
    images = elements(page, "img")
    return any("onerror" in image.attrib for image in images) and scripts_run_anywhere(page)


@attack
def xss_reflected(world: World) -> bool:
    return _injected(world.visitor("maja").get("/invoices", query_string={"q": INJECTED}))


@attack
def xss_stored(world: World) -> bool:
    otto = world.visitor("otto")
    otto.submit("/invoices/1049", "/invoices/1049/notes", body=INJECTED)
    otto.submit("/messages", subject="Hello", body=INJECTED)
    colleague = world.visitor("maja").get("/invoices/1049")
    support = world.visitor("noor").get("/support")
    return _injected(colleague) and _injected(support)


@attack
def xss_attribute(world: World) -> bool:
    typed = "x onfocus=canary() autofocus"
    page = world.visitor("maja").get("/invoices", query_string={"q": typed})
    fields = elements(page, "input")
    return any("onfocus" in field.attrib for field in fields) and scripts_run_anywhere(page)


@attack
def xss_link(world: World) -> bool:
    otto = world.visitor("otto")
    otto.submit("/profile", name="Otto", website="javascript:canary()")
    page = world.visitor("maja").get("/people/otto")
    links = [link.get("href", "") for link in elements(page, "a")]
    return "javascript:canary()" in links and scripts_run_anywhere(page)


@attack
def xss_json(world: World) -> bool:
    buyer = f"</script>{INJECTED}"
    world.visitor("otto").submit(
        "/invoices/new", buyer=buyer, description="Cake", amount="999999999"
    )
    return _injected(world.visitor("maja").get("/"))


@attack
def xss_rich_text(world: World) -> bool:
    world.visitor("otto").submit("/profile", name="Otto", about=f"<b>Hello</b>{INJECTED}")
    return _injected(world.visitor("maja").get("/people/otto"))


@attack
def csp_missing(world: World) -> bool:
    return xss_stored(world)


def _paid(world: World) -> bool:
    status = world.value("SELECT status FROM invoices WHERE number = 1049")
    return bool(status == "paid")


def _forge(
    victim: Visitor, *, sender: str = EVIL, origin: str | None = None, sent: str = ""
) -> bool:
    """A form on another page, submitted by itself in the victim's browser."""
    fields = {"paid": "yes", "csrf_token": sent}
    victim.request("POST", "/invoices/1049/pay", fields, sender=sender, origin=origin)
    return _paid(victim.world)


@attack
def csrf_token_missing(world: World) -> bool:
    return _forge(world.visitor("maja"))


@attack
def csrf_token_unbound(world: World) -> bool:
    attackers_own = token(world.visitor("siv").get("/profile"))
    return _forge(world.visitor("maja"), sent=attackers_own)


@attack
def csrf_headers_unchecked(world: World) -> bool:
    return _forge(world.visitor("maja"))


@attack
def csrf_check_skipped(world: World) -> bool:
    # A page with the referrer policy no-referrer sends "Origin: null" with its forms.
    return _forge(world.visitor("maja"), origin="null")


@attack
def csrf_sibling_trusted(world: World) -> bool:
    return _forge(world.visitor("maja"), sender=SIBLING)


@attack
def csrf_get_changes_state(world: World) -> bool:
    world.visitor("maja").get("/invoices/1049/pay?paid=yes", sender=EVIL)
    return _paid(world)


@attack
def csrf_sign_in(world: World) -> bool:
    victim = Visitor(world)
    fields = {"email": EMAILS["siv"], "password": PASSWORDS["siv"]}
    victim.request("POST", "/sign-in", fields, sender=EVIL)
    return victim.is_signed_in_as("siv")


@attack
def cookie_same_site_missing(world: World) -> bool:
    return _forge(world.visitor("maja"))


@attack
def cookie_same_site_none(world: World) -> bool:
    maja = world.visitor("maja")
    world.clock.wait(10 * 60)  # the two minutes of a cookie without SameSite are over
    return _forge(maja)


@attack
def session_predictable(world: World) -> bool:
    attacker = Visitor(world)
    attacker.get("/sign-in")
    own = attacker.session_id
    world.clock.wait(0.017)
    world.visitor("maja")
    at, serial = int(own[:12], 16), int(own[12:20], 16)
    guesses = (
        f"{at + later:012x}{serial + more:08x}" for later in range(20) for more in range(1, 4)
    )
    return any(attacker.with_id(guess).is_signed_in_as("maja") for guess in guesses)


@attack
def session_kept_at_sign_in(world: World) -> bool:
    attacker = Visitor(world)
    attacker.get("/sign-in")
    victim = Visitor(world)
    victim.plant(attacker.session_id)
    victim.sign_in("maja")
    return attacker.is_signed_in_as("maja")


@attack
def session_from_address(world: World) -> bool:
    attackers_own = world.visitor("siv").session_id
    victim = Visitor(world)
    victim.get(f"/?session={attackers_own}", sender=EVIL)
    return victim.is_signed_in_as("siv")


@attack
def session_id_adopted(world: World) -> bool:
    invented = "cafe" * 8
    victim = Visitor(world)
    victim.plant(invented)
    victim.sign_in("maja")
    return victim.with_id(invented).is_signed_in_as("maja")


@attack
def cookie_script_readable(world: World) -> bool:
    runs = xss_stored(world)
    victim = world.visitor("maja")
    readable = [cookie for cookie in victim.jar.values() if not cookie.http_only]
    return runs and bool(readable) and victim.with_id(readable[0].value).is_signed_in_as("maja")


@attack
def cookie_plain_http(world: World) -> bool:
    victim = world.visitor("maja")
    on_the_wire = [cookie for cookie in victim.jar.values() if not cookie.secure]
    return bool(on_the_wire) and victim.with_id(on_the_wire[0].value).is_signed_in_as("maja")


@attack
def session_survives_sign_out(world: World) -> bool:
    maja = world.visitor("maja")
    stolen = maja.session_id
    assert maja.submit("/profile", "/sign-out").status_code == 302
    return maja.with_id(stolen).is_signed_in_as("maja")


@attack
def session_never_expires(world: World) -> bool:
    maja = world.visitor("maja")
    world.clock.wait(2 * 24 * 3600)
    return maja.with_id(maja.session_id).is_signed_in_as("maja")


@attack
def session_survives_reset(world: World) -> bool:
    stolen = world.visitor("maja").session_id
    _replace_password(world, "a brand new password")
    return Visitor(world).with_id(stolen).is_signed_in_as("maja")


@attack
def no_reauthentication(world: World) -> bool:
    thief = Visitor(world).with_id(world.visitor("maja").session_id)
    thief.submit("/bank", iban="SE99 0000 0000 0666 0666 0666")
    iban = world.value("SELECT iban FROM customers WHERE id = 'bergsbageri'")
    return bool(iban == "SE99 0000 0000 0666 0666 0666")


@attack
def no_rate_limit(world: World) -> bool:
    attacker = Visitor(world)
    for guess in [f"surdeg-kanel-{day:04d}" for day in range(424, 431)]:
        attacker.sign_in("maja", guess)
    return attacker.is_signed_in_as("maja")


def _links(world: World) -> list[str]:
    return [line for mail in world.app.outbox for line in mail.body.split() if "/reset/" in line]


def _replace_password(world: World, password: str, link: str | None = None) -> bool:
    visitor = Visitor(world)
    if link is None:
        visitor.submit("/forgot", email=EMAILS["maja"])
        link = _links(world)[-1]
    path = "/" + link.split("/", 3)[3]
    if visitor.get(path).status_code != 200:
        return False
    return visitor.submit(path, password=password).status_code == 302


@attack
def reset_token_predictable(world: World) -> bool:
    Visitor(world).submit("/forgot", email=EMAILS["maja"])
    guess = hashlib.sha256(f"{EMAILS['maja']} {int(world.clock.now)}".encode()).hexdigest()[:32]
    _replace_password(world, "chosen by the attacker", f"{HOME}/reset/{guess}")
    return Visitor(world).sign_in("maja", "chosen by the attacker").status_code == 302


@attack
def reset_token_reusable(world: World) -> bool:
    assert _replace_password(world, "chosen by Maja herself")
    _replace_password(world, "chosen by the attacker", _links(world)[-1])
    return Visitor(world).sign_in("maja", "chosen by the attacker").status_code == 302


@attack
def reset_token_never_expires(world: World) -> bool:
    Visitor(world).submit("/forgot", email=EMAILS["maja"])
    world.clock.wait(2 * 24 * 3600)
    _replace_password(world, "chosen by the attacker", _links(world)[-1])
    return Visitor(world).sign_in("maja", "chosen by the attacker").status_code == 302


@attack
def reset_link_poisoned(world: World) -> bool:
    attacker = Visitor(world)
    form = attacker.get("/forgot", base=EVIL, sender=EVIL)
    fields = {"csrf_token": token(form), "email": EMAILS["maja"]}
    attacker.request("POST", "/forgot", fields, base=EVIL, sender=EVIL)
    attacker.request(
        "POST",
        "/forgot",
        {"csrf_token": token(attacker.get("/forgot")), "email": EMAILS["maja"]},
        headers={"X-Forwarded-Host": "evil.example"},
    )
    links = _links(world)
    assert len(links) == 2
    return all(link.startswith(EVIL) for link in links)


@attack
def user_enumeration(world: World) -> bool:
    known = Visitor(world).submit("/forgot", email=EMAILS["maja"])
    unknown = Visitor(world).submit("/forgot", email="nobody@bergsbageri.example")
    said = [[p.text for p in elements(page, "p")] for page in (known, unknown)]
    return said[0] != said[1]


@attack
def invoice_of_another(world: World) -> bool:
    return "Crispbread" in world.visitor("siv").get("/invoices/1049").text


@attack
def admin_unchecked(world: World) -> bool:
    return "leena@kvittra.example" in world.visitor("siv").get("/admin").text


@attack
def open_redirect(world: World) -> bool:
    target = "https://evil.example/sign-in"
    link = f"/sign-in?next={target}"
    signed_in = world.visitor("maja").get(link, sender=EVIL)
    fresh = Visitor(world).submit(
        link, "/sign-in", email=EMAILS["siv"], password=PASSWORDS["siv"], next=target
    )
    return signed_in.headers["Location"] == fresh.headers["Location"] == target


@attack
def path_traversal(world: World) -> bool:
    siv = world.visitor("siv")
    names = ("../bergsbageri/receipt-flour-november.txt", "../../settings/kvittra.ini")
    texts = [siv.get("/attachments", query_string={"name": name}).text for name in names]
    return "Rye flour" in texts[0] and "reset_signing_key" in texts[1]


@attack
def clickjacking(world: World) -> bool:
    page = world.visitor("maja").get("/invoices/1049", sender=EVIL, mode="navigate")
    policies = page.headers.getlist("Content-Security-Policy")
    return "X-Frame-Options" not in page.headers and not any(
        "frame-ancestors" in policy for policy in policies
    )


@attack
def verbose_errors(world: World) -> bool:
    maja = world.visitor("maja")
    refused = maja.request(
        "POST",
        "/api/notes",
        "{",
        content_type="application/json",
        headers={"X-CSRF-Token": token(maja.get("/profile"))},
    )
    missing = maja.get("/nothing/here")
    return all("Traceback" in page.text and ".py" in page.text for page in (refused, missing))
