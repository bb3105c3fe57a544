"""The books that Kvittra keeps when the story begins. All of it is invented.

Amounts are in hundredths (öre, øre, cents). Account numbers have the right form and wrong check
digits, so none can belong to anybody. The date of the story is ``TODAY``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from labs.kvittra.cast import CUSTOMERS, STAFF, USERS

TODAY = "2026-11-16"

PASSWORDS = {
    "maja": "surdeg-kanel-0430",
    "otto": "Bullar&Limpa1989",
    "olle": "akterspegel mahogny",
    "kerstin": "sjösättning i maj!",
    "siv": "sopran alt tenor bas",
    "elias": "stämgaffel-440-Hz",
    "patrick": "O'Briens rör & värme",
    "layla": "زعفران-وهيل-2026",
    "sami": "saffran-kardemumma",
    "signe": "tulpaner i april 🌷",
    "torbjorn": "hyttevakt-på-fjellet",
    "aino": "löyly-ja-koivu-77",
    "ingrid": "fjordgløtt 2018 hver dag",
    "aksel": "kylmaskin-rack-17",
    "leena": "indeksi-ja-taulu-5432",
    "asa": "grön bygge på fredag",
    "jonas": "Þingvellir norðurljós",
    "noor": "svarar inom en timme",
    "mikael": "O'Brien mäter tvåa",
    "freja": "kold gang varm gang",
}

ROLES = {"noor": "support", "mikael": "support", "jonas": "admin", "aksel": "admin"}

_CURRENCY = {"floraflora": "DKK", "hytteservice": "NOK", "saunaset": "EUR"}

_IBAN = {
    "bergsbageri": "SE00 5000 0000 0412 3456 7890",
    "vikensvarv": "SE00 6000 0000 0098 7654 3210",
    "korklang": "SE00 8000 0000 0001 2121 2121",
    "obrien": "SE00 3000 0000 0333 4445 5566",
    "alnoor": "SE00 9500 0000 0777 8889 9900",
    "floraflora": "DK00 0040 0440 1162 43",
    "hytteservice": "NO00 8601 1117 947",
    "saunaset": "FI00 1234 5600 0007 85",
}

_ABOUT = {
    "maja": "<p>Bakes from <b>four in the morning</b>, does the books at noon.</p>",
    "otto": "<p>Third generation. Ask me about <i>surdeg</i>.</p>",
    "olle": "<p>Wooden boats, <b>clinker built</b>. Slow to answer in May.</p>",
    "siv": "<p>Treasurer of a choir of 42:</p><ul><li>12 sopranos</li><li>too few tenors</li></ul>",
    "patrick": "<p>Pipes, drains &amp; apostrophes.</p>",
    "layla": "<p>زعفران وهيل وكمّون</p>",
    "signe": "<p>Tulips 🌷 and <b>net 14 days</b>.</p>",
    "aino": "<p>Sauna first, questions after.</p>",
    "noor": "<p>Customer support. <b>I never ask for your password.</b></p>",
    "jonas": "<p>Security engineer. Þ is for threat model.</p>",
}

# customer: (buyer, town, description, amount in hundredths, issued, status)
_INVOICES: dict[str, list[tuple[str, str, str, int, str, str]]] = {
    "bergsbageri": [
        ("Kafé Åström", "Gävle", "Rye loaves and buns, week 26", 418_500, "2026-06-29", "paid"),
        ("Gävle konserthus", "Gävle", "Cinnamon buns for 300", 675_000, "2026-07-06", "paid"),
        (
            "Kör & Klang",
            "Uppsala",
            "Saffron buns after the summer concert",
            126_000,
            "2026-08-03",
            "paid",
        ),
        (
            "O'Leary & Daughters",
            "Sandviken",
            "Soda bread, trial order",
            89_000,
            "2026-08-17",
            "paid",
        ),
        ("Kafé Åström", "Gävle", "Rye loaves and buns, week 35", 431_250, "2026-08-31", "paid"),
        (
            "100 % Ull AB",
            "Falun",
            "Lunch for the autumn market, 12 % VAT",
            204_000,
            "2026-09-14",
            "paid",
        ),
        (
            "Gävle konserthus",
            "Gävle",
            "Princess cakes 🎂 for the jubilee",
            540_000,
            "2026-09-28",
            "paid",
        ),
        ("Kafé Åström", "Gävle", "Rye loaves and buns, week 40", 409_800, "2026-10-05", "paid"),
        ("Hytteservice Ås", "Ås", "Crispbread for forty cabins", 318_000, "2026-10-12", "overdue"),
        ("Kafé Åström", "Gävle", "Rye loaves and buns, week 44", 447_100, "2026-11-02", "sent"),
        ("O'Leary & Daughters", "Sandviken", "Soda bread, October", 156_400, "2026-11-04", "sent"),
        ("Kör & Klang", "Uppsala", "Lucia buns, advance payment", 98_000, "2026-11-09", "sent"),
        ("100 % Ull AB", "Falun", "Christmas bread, order of 60", 372_000, "2026-11-13", "draft"),
    ],
    "vikensvarv": [
        (
            "Sjöräddarna Lysekil",
            "Lysekil",
            "New keel bolts, M/S Havsörn",
            2_340_000,
            "2026-07-13",
            "paid",
        ),
        ("Familjen Ek", "Fjällbacka", "Varnish, seven coats", 1_185_000, "2026-08-10", "paid"),
        ("Café Bryggan", "Lysekil", "Repair of a floating jetty", 860_000, "2026-09-07", "paid"),
        ("Familjen Ek", "Fjällbacka", "Winter storage 2026–27", 1_450_000, "2026-10-19", "overdue"),
        (
            "Sjöräddarna Lysekil",
            "Lysekil",
            "Engine overhaul, 50 % in advance",
            4_125_000,
            "2026-11-02",
            "sent",
        ),
        (
            "Kapten N. Þorsteinsson",
            "Grindavík",
            "Mast, Oregon pine",
            3_790_000,
            "2026-11-10",
            "sent",
        ),
    ],
    "korklang": [
        ("Uppsala kommun", "Uppsala", "National day concert", 1_200_000, "2026-06-08", "paid"),
        ("Domkyrkans vänner", "Uppsala", "Requiem, two evenings", 1_850_000, "2026-10-26", "sent"),
        ("Bergs Bageri", "Gävle", "Singing at the shop's 90 years", 250_000, "2026-11-09", "sent"),
    ],
    "obrien": [
        ("Brf Måsen 4", "Malmö", "New stack, stairwell B", 8_760_000, "2026-08-24", "paid"),
        ("Åkessons Tandvård", "Lund", "Leak under the surgery", 485_000, "2026-10-05", "paid"),
        ("Brf Måsen 4", "Malmö", "It's the same leak again", 312_500, "2026-11-03", "sent"),
    ],
    "alnoor": [
        ("Kryddboden", "Göteborg", "زعفران 500 g", 1_990_000, "2026-09-01", "paid"),
        ("Restaurang Öster", "Borås", "Cardamom, 20 kg هيل", 1_164_000, "2026-10-15", "sent"),
        ("Bergs Bageri", "Gävle", "Saffron for Lucia", 736_000, "2026-11-06", "sent"),
    ],
    "floraflora": [
        ("Hotel Ø", "Aarhus", "Lobby flowers 🌸, November", 520_000, "2026-11-02", "sent"),
        ("Skovs Begravelse", "Aarhus", "Wreaths", 184_000, "2026-11-11", "sent"),
    ],
    "hytteservice": [
        ("Lars & Liv Haug", "Oslo", "Snow clearing, season 26/27", 640_000, "2026-10-28", "sent"),
        ("Dr. Næss", "Bergen", "Burst pipe, emergency call-out", 415_000, "2026-11-12", "sent"),
    ],
    "saunaset": [
        ("Löyly Oy", "Tampere", "Barrel sauna no. 12", 489_000, "2026-09-21", "paid"),
        ("Hotelli Järvi", "Kuopio", "Two electric stoves", 356_000, "2026-11-05", "sent"),
    ],
}

FIRST_NUMBER = 1041

# invoice position within a customer (from 0), author, text, when
_NOTES = (
    ("bergsbageri", 8, "maja", "Called Torbjørn. He pays when the snow comes.", "2026-11-10 11:42"),
    ("bergsbageri", 8, "otto", "It has snowed. — O.", "2026-11-15 06:10"),
    (
        "bergsbageri",
        9,
        "maja",
        "Åström wants it split: rye < 50 %, buns > 50 %.",
        "2026-11-03 12:05",
    ),
    ("vikensvarv", 3, "kerstin", 'Ek says "after Christmas".', "2026-11-12 09:30"),
    ("alnoor", 2, "layla", "تم الإرسال بالبريد المسجل", "2026-11-07 15:20"),
)

_MESSAGES = (
    (
        "otto",
        "Round to whole kronor?",
        "Can an invoice be rounded to whole kronor? Our customers ask.",
        "2026-11-11 13:02",
        "Yes: Settings, then Rounding. It follows the rule for cash, also for transfers. /Noor",
    ),
    (
        "patrick",
        "My name in a letter",
        "Last week's reminder said O&#39;Brien. I am O'Brien.",
        "2026-11-12 08:15",
        "",
    ),
    (
        "signe",
        "Emoji in the name 🌷",
        "It prints as a box. Is that us or the printer?",
        "2026-11-13 10:44",
        "",
    ),
)

_ACTIVITY = (
    ("bergsbageri", "maja", "signed in from Gävle", "2026-11-16 11:58"),
    ("bergsbageri", "maja", "sent invoice 1052", "2026-11-09 12:20"),
    ("bergsbageri", "otto", "wrote a note on invoice 1049", "2026-11-15 06:10"),
    ("vikensvarv", "olle", "sent invoice 1059", "2026-11-10 16:31"),
    ("obrien", "patrick", "signed in from Malmö", "2026-11-14 20:12"),
)

_SECRET = "reset_signing_key = norr-om-polcirkeln-finns-inga-hemligheter"

FILES = {
    "attachments/bergsbageri/receipt-flour-november.txt": (
        "Kvarnen i Hedesunda\n2026-11-02\nRye flour 400 kg      SEK 5 200,00\n"
    ),
    "attachments/bergsbageri/order 100 % Ull.txt": "Sixty loaves. Delivery 18 December, by nine.\n",
    "attachments/vikensvarv/survey-havsörn.txt": "Keel bolts: replaced. Garboard: sound.\n",
    "attachments/alnoor/bill-of-lading.txt": "Saffron, 2.5 kg, insured at SEK 120 000.\n",
    "attachments/saunaset/drawing.txt": "Barrel sauna no. 12, inner diameter 1 900 mm.\n",
    "settings/kvittra.ini": f"[kvittra]\n{_SECRET}\n",
}


def rows(record: Callable[[str, str], str]) -> dict[str, list[tuple[Any, ...]]]:
    """The seeded rows of each table, in insertion order.

    Args:
        record: Makes the password record of a user (id, password).
    """
    names = {user.id: user.name for user in USERS}
    first: dict[str, int] = {}
    invoices: list[tuple[Any, ...]] = []
    for customer, books in _INVOICES.items():
        first[customer] = FIRST_NUMBER + len(invoices)
        for buyer, _town, description, amount, issued, status in books:
            number = FIRST_NUMBER + len(invoices)
            currency = _CURRENCY.get(customer, "SEK")
            due = _thirty_days_on(issued)
            invoices.append(
                (number, customer, buyer, description, issued, due, amount, currency, status)
            )
    buyers = dict.fromkeys(
        (customer, buyer, town)
        for customer, books in _INVOICES.items()
        for buyer, town, *_rest in books
    )
    return {
        "customers": [
            (c.id, c.name, c.trade, c.town, _CURRENCY.get(c.id, "SEK"), _IBAN[c.id])
            for c in CUSTOMERS
        ],
        "users": [
            (
                user.id,
                user.customer,
                "customer",
                user.email,
                record(user.id, PASSWORDS[user.id]),
                user.name,
                f"https://{user.customer}.example",
                _ABOUT.get(user.id, ""),
            )
            for user in USERS
        ]
        + [
            (
                staff.id,
                None,
                ROLES.get(staff.id, "staff"),
                staff.email,
                record(staff.id, PASSWORDS[staff.id]),
                staff.name,
                "",
                _ABOUT.get(staff.id, f"<p>{staff.role.capitalize()} at Kvittra.</p>"),
            )
            for staff in STAFF
        ],
        "buyers": [
            (place, customer, buyer, town, _address(buyer))
            for place, (customer, buyer, town) in enumerate(buyers, start=1)
        ],
        "invoices": invoices,
        "notes": [
            (place, first[customer] + position, author, body, written)
            for place, (customer, position, author, body, written) in enumerate(_NOTES, start=1)
        ],
        "messages": [(place, *message) for place, message in enumerate(_MESSAGES, start=1)],
        "activity": [
            (place, customer, names[actor], what, at)
            for place, (customer, actor, what, at) in enumerate(_ACTIVITY, start=1)
        ],
    }


def _thirty_days_on(issued: str) -> str:
    return (date.fromisoformat(issued) + timedelta(days=30)).isoformat()


def _address(name: str) -> str:
    plain = name.lower().translate(str.maketrans("åäöøéþð", "aaooetd"))
    letters = "".join(letter for letter in plain if "a" <= letter <= "z" or letter.isdigit())
    return f"invoice@{letters}.example"
