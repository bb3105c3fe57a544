"""A failover proxy in miniature: who is asked next when a server does not answer.

Three servers write into one ledger, on a pretended clock, in one process. A server that is down
*refuses*: nothing was done, and another may be asked. A server that hangs stays *silent*, and so
does one that ends in the middle of its work: whether anything was done, nobody knows. That
difference is HTTP's between requests that may be sent again and those that may not (RFC 9110,
section 9.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

PATIENCE_S = 2.0
"""Seconds that a proxy waits before a server counts as silent."""

REST_S = 10.0
"""Seconds for which :func:`forward` asks others first after a server has failed."""

CRASHES = "/report/2100"
"""A page whose computation ends every server that tries it."""

State = Literal["up", "refuses", "hangs", "mute"]


class Refused(Exception):  # noqa: N818 - says what the server did
    """The server took no connection: nothing was done."""


class Silent(Exception):  # noqa: N818 - says what the server did
    """No answer came in time: the work may be done, or not."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a customer asks for: ``GET`` reads, ``POST`` enters something in the books."""

    method: Literal["GET", "POST"]
    path: str


class Answers(Protocol):
    """What a proxy can see of a server."""

    @property
    def name(self) -> str:
        """The server's name."""
        ...

    def answer(self, request: Request) -> str:
        """The answer, or :class:`Refused` or :class:`Silent`."""
        ...


Servers = Sequence[Answers]
"""The servers to ask, in the order of their turn."""

Notes = MutableMapping[str, float]
"""What a proxy remembers from one request to the next: a number for each server's name."""

Forward = Callable[[Request, Servers, Notes, float], str | None]
"""A proxy: from a request, servers, notes and the seconds on the clock to an answer, if any."""


def forward_weak(request: Request, servers: Servers, _resting: Notes, _now: float) -> str | None:
    """Ask the server whose turn it is."""
    try:
        return servers[0].answer(request)
    except (Refused, Silent):
        return None


def forward_everywhere(
    request: Request, servers: Servers, _resting: Notes, _now: float
) -> str | None:
    """Ask one server after the other until one answers: the half-fix."""
    for server in servers:
        try:
            return server.answer(request)
        except (Refused, Silent):
            continue
    return None


def forward(request: Request, servers: Servers, resting: Notes, now: float) -> str | None:
    """Ask those first that answered last time, and ask again only what is safe to repeat."""

    def rests(server: Answers) -> bool:
        return resting.get(server.name, now) > now

    silent = 0
    for server in sorted(servers, key=rests):
        try:
            return server.answer(request)
        except Refused:
            resting[server.name] = now + REST_S
        except Silent:
            resting[server.name] = now + REST_S
            silent += 1
            if request.method != "GET" or silent == 2:
                return None
    return None


@dataclass
class Server:
    """One of the pretended servers.

    Args:
        name: Its name.
        ledger: Where all servers enter bookings.
        state: ``up``; ``refuses`` connections; ``hangs`` without doing anything; or is ``mute``: it
            works, and its answers are lost.
    """

    name: str
    ledger: list[str]
    state: State = "up"
    asked: int = field(default=0, init=False)
    waited_s: float = field(default=0.0, init=False)

    def answer(self, request: Request) -> str:
        """Do what the request asks for, as far as the state allows.

        Raises:
            Refused: If nothing was done, for certain.
            Silent: If the one who asked cannot know.
        """
        self.asked += 1
        if self.state == "refuses":
            raise Refused(self.name)
        if request.path == CRASHES and self.state != "hangs":
            self.state = "refuses"
            raise self._silent()
        if self.state == "hangs":
            raise self._silent()
        if request.method == "POST":
            self.ledger.append(request.path)
        if self.state == "mute":
            raise self._silent()
        known = not request.path.endswith("/0")
        return f"200 {request.path}" if known else f"404 no invoice {request.path}"

    def _silent(self) -> Silent:
        self.waited_s += PATIENCE_S
        return Silent(self.name)


@dataclass
class House:
    """Three servers, one ledger, a proxy, and a clock that moves a tenth of a second a request."""

    proxy: Forward
    ledger: list[str] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.servers = [Server(name, self.ledger) for name in "ABC"]
        self._resting: dict[str, float] = {}
        self._turn = 0

    def server(self, name: str) -> Server:
        """The server of that name."""
        return self.servers["ABC".index(name)]

    def ask(self, method: Literal["GET", "POST"], path: str) -> str | None:
        """Hand one request to the proxy; whose turn it is moves on by one."""
        at = self._turn % 3
        self._turn += 1
        self.now = round(self.now + 0.1, 1)
        in_turn = [*self.servers[at:], *self.servers[:at]]
        return self.proxy(Request(method, path), in_turn, self._resting, self.now)

    @property
    def waited_s(self) -> float:
        """Seconds that customers have waited for silent servers, all together."""
        return sum(server.waited_s for server in self.servers)


@dataclass(frozen=True, slots=True)
class Minute:
    """What one bad minute cost behind a proxy.

    Args:
        lost: Reads that nobody answered.
        twice: Bookings that stand in the ledger twice.
        felled: Servers that one request stopped.
        waited_s: Seconds that customers waited for silent servers, all together.
    """

    lost: int
    twice: int
    felled: int
    waited_s: float


SCRIPT: Mapping[int, tuple[str, State]] = {
    100: ("B", "refuses"),
    250: ("B", "up"),
    260: ("C", "hangs"),
    360: ("C", "up"),
    480: ("A", "mute"),
    500: ("A", "up"),
}
"""At which request which server changes, and into what."""

CRASHING, REPAIRED = 560, 590
"""The request that crashes servers, and the one before which they are up again."""


def bad_minute(proxy: Forward) -> Minute:
    """Send 600 requests in a minute in which one thing after the other goes wrong.

    Every fifth request is a booking. Server B refuses for 15 seconds, C hangs for 10, A goes mute
    for 2, and then a page is asked for that ends every server that computes it.

    >>> bad_minute(forward)
    Minute(lost=1, twice=0, felled=2, waited_s=8.0)
    """
    house = House(proxy)
    lost = felled = 0
    for number in range(600):
        if number in SCRIPT:
            name, state = SCRIPT[number]
            house.server(name).state = state
        if number == REPAIRED:
            for server in house.servers:
                server.state = "up"
        if number == CRASHING:
            answer = house.ask("GET", CRASHES)
            felled = sum(server.state == "refuses" for server in house.servers)
        elif number % 5 == 0:
            house.ask("POST", f"/invoices/{number + 1}")
            continue
        else:
            answer = house.ask("GET", f"/invoices/{number + 1}")
        lost += answer is None
    twice = sum(house.ledger.count(path) > 1 for path in set(house.ledger))
    return Minute(lost, twice, felled, house.waited_s)
