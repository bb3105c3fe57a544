"""The people and the companies of the book: the one list that every lesson takes its names from.

All of it is invented. Addresses end in ``.example``, a domain that is reserved for
documentation (RFC 2606). Names with apostrophes, accents, an emoji and right-to-left text are
there because real customers have them, and because software breaks on them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Staff:
    """Someone who works at Kvittra."""

    id: str
    name: str
    role: str

    @property
    def email(self) -> str:
        """The work address."""
        return f"{self.id}@kvittra.example"


@dataclass(frozen=True, slots=True)
class Customer:
    """A company that keeps its books with Kvittra."""

    id: str
    name: str
    trade: str
    town: str


@dataclass(frozen=True, slots=True)
class User:
    """Someone who signs in at Kvittra for a customer."""

    id: str
    name: str
    customer: str

    @property
    def email(self) -> str:
        """The address that the user signs in with."""
        return f"{self.id}@{self.customer}.example"


STAFF = (
    Staff("ingrid", "Ingrid Solberg", "managing director"),
    Staff("aksel", "Aksel Lindqvist", "head of operations"),
    Staff("leena", "Leena Virtanen", "database administrator"),
    Staff("asa", "Åsa Bergström", "developer"),
    Staff("jonas", "Jónas Þórsson", "security engineer"),
    Staff("noor", "Noor Haddad", "customer support"),
    Staff("mikael", "Mikael O'Brien", "technical support"),
    Staff("freja", "Freja Madsen", "data centre technician"),
)

CUSTOMERS = (
    Customer("bergsbageri", "Bergs Bageri", "bakery", "Gävle"),
    Customer("vikensvarv", "Vikens Båtvarv", "boatyard", "Lysekil"),
    Customer("korklang", "Kör & Klang", "choir", "Uppsala"),
    Customer("obrien", "O'Brien Rör", "plumber", "Malmö"),
    Customer("alnoor", "النور للاستيراد", "spice importer", "Göteborg"),
    Customer("floraflora", "Flora Flora 🌷", "florist", "Aarhus"),
    Customer("hytteservice", "Hytteservice Ås", "cabin caretaker", "Ås"),
    Customer("saunaset", "Saunaset Ky", "sauna builder", "Tampere"),
)

USERS = (
    User("maja", "Maja Berg", "bergsbageri"),
    User("otto", "Otto Berg", "bergsbageri"),
    User("olle", "Olle Öhman", "vikensvarv"),
    User("kerstin", "Kerstin Wiken", "vikensvarv"),
    User("siv", "Siv Dahl", "korklang"),
    User("elias", "Elias Nyström", "korklang"),
    User("patrick", "Patrick O'Brien", "obrien"),
    User("layla", "ليلى منصور", "alnoor"),
    User("sami", "Sami Mansour", "alnoor"),
    User("signe", "Signe Holm 🌷", "floraflora"),
    User("torbjorn", "Torbjørn Aasen", "hytteservice"),
    User("aino", "Aino Mäkelä", "saunaset"),
)
