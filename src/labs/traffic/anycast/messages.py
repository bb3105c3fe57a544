"""Real DNS messages, answered in this process: no socket is opened and nothing leaves.

Queries and answers are the bytes of RFC 1035, made and read by dnspython. Every site holds the
same zone, so that only one thing tells them apart: the name that a server gives itself, asked for
by the query ``id.server`` in class CH (RFC 4892) or the NSID option (RFC 5001).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

from labs.arguments import fraction, text, whole

ZONE_TEXT = """
$ORIGIN kvittra.example.
$TTL 300
@       IN SOA  a.ns hostmaster 2027020101 7200 900 1209600 300
@       IN NS   a.ns
@       IN NS   b.ns
@       IN A    198.18.0.10
@       IN AAAA 2001:db8::10
@       IN MX   10 mail
a.ns    IN A    198.18.53.1
b.ns    IN A    198.19.53.1
www     IN CNAME @
mail    IN A    198.18.0.25
app     IN A    198.18.0.11
"""
"""Kvittra's zone; the addresses are reserved for benchmarks and documentation."""

MOST_BYTES = 65_535

Server: TypeAlias = Callable[[bytes], bytes]


def query(name: str, kind: str = "A", *, nsid: bool = False, seed: int = 0) -> bytes:
    """A query as it goes over the wire.

    Args:
        name: The name asked for; ``id.server`` asks a server who it is.
        kind: The type of record, such as ``"A"`` or ``"MX"``.
        nsid: Whether to ask, besides, for the server's name.
        seed: Decides the message's id.

    Raises:
        ValueError: If the name or the type is none.

    >>> len(query("kvittra.example"))
    33
    """
    place = "CH" if text("name", name).rstrip(".").lower() in _IDENTITY else "IN"
    options: list[dns.edns.Option] | None = [dns.edns.NSIDOption(b"")] if nsid else None
    try:
        message = dns.message.make_query(name, kind, place, use_edns=nsid or None, options=options)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(
            f"name and kind must be a DNS name and type, not {name!r}, {kind!r}"
        ) from (error)
    message.id = random.Random(whole("seed", seed, low=0)).randrange(65_536)
    return message.to_wire()


_IDENTITY = ("id.server", "hostname.bind")


class NameServer:
    """One site's name server: bytes in, bytes out.

    Args:
        site: The name that it gives itself.
        zone: What it knows, as a zone file (RFC 1035, section 5).

    Raises:
        ValueError: If the zone cannot be read.

    >>> server = NameServer("Stockholm")
    >>> read(server(query("www.kvittra.example"))).records
    ('www.kvittra.example. 300 IN CNAME kvittra.example.', 'kvittra.example. 300 IN A 198.18.0.10')
    >>> read(server(query("id.server", "TXT"))).records
    ('id.server. 0 CH TXT "Stockholm"',)
    """

    def __init__(self, site: str, zone: str = ZONE_TEXT) -> None:
        self.site = text("site", site)
        try:
            self._zone = dns.zone.from_text(text("zone", zone), relativize=False)
        except dns.exception.DNSException as error:
            raise ValueError(f"zone must be a zone file, not {zone[:40]!r}") from error

    def __call__(self, wire: bytes) -> bytes:
        """The answer to a query.

        Raises:
            ValueError: If the bytes are no DNS query at all, so that no answer can be addressed.
        """
        try:
            asked = dns.message.from_wire(wire)
        except dns.exception.DNSException as error:
            raise ValueError("wire must be a DNS message") from error
        if asked.flags & dns.flags.QR:
            # Two servers that answer each other's answers would never stop.
            raise ValueError("wire must be a query, not an answer")
        answer = dns.message.make_response(asked)
        if asked.opcode() != dns.opcode.QUERY:
            answer.set_rcode(dns.rcode.NOTIMP)
        elif len(asked.question) != 1:
            answer.set_rcode(dns.rcode.FORMERR)
        elif asked.question[0].rdclass == dns.rdataclass.CH:
            self._identify(asked, answer)
        else:
            self._look_up(asked, answer)
        if any(option.otype == dns.edns.OptionType.NSID for option in asked.options):
            answer.use_edns(0, options=[dns.edns.NSIDOption(self.site.encode())])
        return answer.to_wire()

    def _identify(self, asked: dns.message.Message, answer: dns.message.Message) -> None:
        name = asked.question[0].name
        if name.to_text(omit_final_dot=True).lower() not in _IDENTITY:
            answer.set_rcode(dns.rcode.REFUSED)
            return
        quoted = '"' + self.site.replace("\\", "\\\\").replace('"', '\\"') + '"'
        answer.answer.append(dns.rrset.from_text(name, 0, "CH", "TXT", quoted))

    def _look_up(self, asked: dns.message.Message, answer: dns.message.Message) -> None:
        name, kind = asked.question[0].name, asked.question[0].rdtype
        origin = self._zone.origin
        assert origin is not None
        if not name.is_subdomain(origin) or asked.question[0].rdclass != dns.rdataclass.IN:
            answer.set_rcode(dns.rcode.REFUSED)
            return
        answer.flags |= dns.flags.AA
        for _ in range(8):  # aliases that point at each other must not go round for ever
            found = self._zone.get_rrset(name, kind)
            alias = self._zone.get_rrset(name, dns.rdatatype.CNAME)
            if found is not None:
                answer.answer.append(found)
                return
            if alias is None or kind == dns.rdatatype.CNAME:
                break
            answer.answer.append(alias)
            name = alias[0].target
        if self._zone.get_node(name) is None and not answer.answer and not self._above(name):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        authority = self._zone.get_rrset(origin, dns.rdatatype.SOA)
        assert authority is not None
        answer.authority.append(authority)

    def _above(self, name: dns.name.Name) -> bool:
        """Whether other names lie below this one, which makes it exist (RFC 8020)."""
        return any(other.is_subdomain(name) for other in self._zone.nodes)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer taken apart: its code, its records as text, and who says it answered."""

    code: str
    records: tuple[str, ...]
    authoritative: bool
    server: str


def read(wire: bytes) -> Answer:
    """Take an answer apart.

    Raises:
        ValueError: If the bytes are no DNS message.
    """
    try:
        message = dns.message.from_wire(wire)
    except dns.exception.DNSException as error:
        raise ValueError("wire must be a DNS message") from error
    records = tuple(line for records in message.answer for line in records.to_text().splitlines())
    named = [option for option in message.options if option.otype == dns.edns.OptionType.NSID]
    server = named[0].to_wire() if named else b""
    return Answer(
        code=dns.rcode.to_text(message.rcode()),
        records=records,
        authoritative=bool(message.flags & dns.flags.AA),
        server=(server or b"").decode(errors="replace"),
    )


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a resolver fared: the answer, if any, and how many tries it took."""

    answer: Answer | None
    tries: int


class Resolver:
    """Asks one name server after another until one answers.

    Args:
        servers: The name servers that it knows, each with the probability that an answer comes
            back; what the network loses, it never hears of.
        seed: Decides the order of the servers and what is lost.

    Raises:
        ValueError: If there is no server or a probability is outside 0 to 1.

    >>> servers = {"a.ns": (NameServer("Oslo"), 0.0), "b.ns": (NameServer("Rome"), 1.0)}
    >>> lookup = Resolver(servers, seed=1).look_up("kvittra.example")
    >>> lookup.answer.server, lookup.tries <= 2
    ('Rome', True)
    """

    def __init__(self, servers: Mapping[str, tuple[Server, float]], *, seed: int) -> None:
        if not servers:
            raise ValueError("servers must name at least one name server, not none")
        self._servers = {
            name: (server, fraction(f"probability of {name}", probability))
            for name, (server, probability) in servers.items()
        }
        self._draw = random.Random(whole("seed", seed, low=0))

    def look_up(self, name: str, kind: str = "A") -> Lookup:
        """Ask each server once, in random order, until an answer comes back."""
        order = self._draw.sample(list(self._servers), len(self._servers))
        for tries, which in enumerate(order, start=1):
            server, probability = self._servers[which]
            sent = query(name, kind, nsid=True, seed=self._draw.randrange(2**31))
            came = server(sent)
            if self._draw.random() < probability and came[:2] == sent[:2]:
                return Lookup(read(came), tries)
        return Lookup(None, len(order))
