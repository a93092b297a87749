"""The Asterisk servers: how a site sets each of them, and what the engine knows of each while it runs.

An agent's telephone lives on one server, and the calls for that agent are dialled there: two servers share no legs, so
a person who was dialled on one can only be put through to somebody on the same one. A server that is lost takes its
own calls and agents with it, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import structlog
from phonenumbers import national_significant_number, parse

from cadencia.clock import Clock
from cadencia.dialer.lines import Starts
from cadencia.errors import AmiLost, TelephonyError, Words
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import Connector
from cadencia.telephony.ami.link import AmiLink
from cadencia.telephony.ami.session import Action, AmiSession
from cadencia.telephony.asterisk.fitness import Finding, Fitness
from cadencia.telephony.call import Bridges
from cadencia.telephony.trunks import TrunkLimits

log = structlog.get_logger(__name__)

#: The name of the only server of a site that has one.
MAIN = "main"

#: Originates that the switch has not shown a channel for yet: as many as a second's call starts may be on their way,
#: and never fewer than this. Its immediate "Success" says nothing (Asterisk 22 acknowledged every one while thousands
#: piled up), so an overloaded or frozen server is noticed by the channels that do not come.
_LEAST_STARTING = 10

#: Device states in which a trunk carries nothing.
_DEAD = frozenset({"UNAVAILABLE", "INVALID"})


@dataclass(frozen=True)
class Line:
    """A trunk of a server, as a site sets it.

    Attributes:
        channels: calls at once.
        rate_per_s: call starts a second.
        operator: whose it is, for the outcome table; empty: the trunk's own name.
        number: how its carrier wants a number: "e164" (573001234567), "plus" (+573001234567), "national" (3001234567).
        prefix: dialled before it.
    """

    channels: int = 1000
    rate_per_s: float = 100.0
    operator: str = ""
    number: str = "e164"
    prefix: str = ""

    def dialled(self, e164: str) -> str:
        """What is dialled for a number."""
        digits = "".join(c for c in e164 if c.isdigit())
        if self.number == "national":
            digits = national_significant_number(parse(f"+{digits}"))
        elif self.number == "plus":
            digits = f"+{digits}"
        return self.prefix + digits


@dataclass(frozen=True)
class Telephone:
    """An agent's telephone, as a site sets it.

    Attributes:
        nailed: called at sign-in and kept; else rung for each call.
        browser: the agent's page is the telephone (WebRTC).
    """

    nailed: bool = True
    browser: bool = False


@dataclass(frozen=True)
class Server:
    """An Asterisk server, as a site sets it.

    Attributes:
        connector: how to reach its manager interface.
        user, secret: the engine's account there.
        config: what the global CADENCIA_CONFIG of its dialplan must say.
        lines: trunks by name; empty: a trunk of any name, within the limits of the server.
        telephones: by endpoint; empty: an endpoint of any name, nailed up.
        channels: calls at once on all trunks together.
        rate_per_s: call starts a second on all trunks together.
        caller_name: shown as the caller's name.
        wss: where browsers reach it as telephones.
        phone_key: what the telephones' passwords are derived from.
    """

    name: str
    connector: Connector
    user: str
    secret: str = field(repr=False)
    config: str = ""
    lines: Mapping[str, Line] = field(default_factory=dict)
    telephones: Mapping[str, Telephone] = field(default_factory=dict)
    channels: int = 1000
    rate_per_s: float = 100.0
    caller_name: str = ""
    wss: str = ""
    phone_key: str = field(default="", repr=False)


class Trunk:
    """A trunk of a running server.

    Attributes:
        state: what DeviceStateList and DeviceStateChange say of it, "" while nothing was said.
    """

    def __init__(self, name: str, line: Line) -> None:
        self.name, self.line = name, line
        self.limits = TrunkLimits(line.channels, line.rate_per_s)
        self.state = ""
        self.starts = Starts()

    @property
    def operator(self) -> str:
        return self.line.operator or self.name

    @property
    def usable(self) -> bool:
        """Whether calls may go out by it, as far as the switch knows."""
        return self.state not in _DEAD


class Mend(StrEnum):
    """What was believed of a leg and was not so."""

    ANSWER = "answer missed"
    BRIDGE = "bridge missed"
    OFFER = "offer missed"
    AGENT = "agent lost"
    CALL = "call gone"
    LEG = "leg gone"
    SEAT = "seat stuck"
    ORPHAN = "orphan"
    HANGUP = "hangup forgotten"


class Switch:
    """A server while the engine runs.

    Attributes:
        session: the link, None while there is none.
        synced: our picture was compared with the server's since the link came up.
        trouble: why the link is down, None while it is up.
        bridges: who shares a bridge with whom there.
        starting: attempts whose Originate is out and whose channel was not seen yet.
        look: set to have the server's snapshot compared soon.
        up_since, down_since: when the link came up, or went down; `links` counts the ups, `events` what came.
        restarted: the server was started anew since the last link: no call of before can live.
        missing: trunks that are set for this server and that it does not know; `findings` say how to mend that.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.name = server.name
        self.link: AmiLink | None = None
        self.session: AmiSession | None = None
        self.synced = False
        self.trouble: TelephonyError | None = None
        self.bridges = Bridges()
        self.starting: set[str] = set()
        self.look = asyncio.Event()
        self.up_since: datetime | None = None
        self.down_since: datetime | None = None
        self.down_since_s: float | None = None
        self.links = self.events = self.mended = 0
        self.restarted = False
        self.missing: frozenset[str] = frozenset()
        self.findings: tuple[Finding, ...] = ()
        self._limits = TrunkLimits(server.channels, server.rate_per_s)
        self.trunks = {name: Trunk(name, line) for name, line in server.lines.items()}

    @property
    def ready(self) -> bool:
        """Whether it can be dialled on: the link stands and our picture is the server's."""
        return self.synced and self.session is not None and self.session.up

    def mend(self, what: Mend, ref: str) -> None:
        """Count and log that something was put right about a leg."""
        self.mended += 1
        log.info("switch.mended", server=self.name, kind=str(what), uniqueid=ref)

    def trunk(self, name: str) -> Trunk | None:
        """A trunk; None if the site has set none of that name here."""
        if name not in self.trunks and not self.server.lines:
            self.trunks[name] = Trunk(name, Line(self.server.channels, self.server.rate_per_s))
        return self.trunks.get(name)

    def carries(self, trunk: str) -> bool:
        """Whether calls can go out by that trunk here and now."""
        found = self.trunk(trunk)
        return self.ready and found is not None and found.usable and trunk not in self.missing

    def room(self, trunk: str, *, calls: int, calls_on_trunk: int, now_s: float) -> tuple[int, int]:
        """How many more calls fit, and how many may start at this instant.

        Args:
            calls: in progress on this server, those about to be sent included; `calls_on_trunk`: by that trunk.
        """
        found = self.trunk(trunk)
        if found is None:
            return 0, 0
        unseen = max(_LEAST_STARTING, int(self.server.rate_per_s)) - len(self.starting)
        channels = min(self._limits.room_channels(calls), found.limits.room_channels(calls_on_trunk), max(0, unseen))
        return channels, min(self._limits.room_rate(now_s), found.limits.room_rate(now_s))

    def started(self, trunk: str, calls: int, now_s: float) -> None:
        """That many calls go out."""
        self._limits.take(calls, now_s)
        found = self.trunk(trunk)
        if found is not None:
            found.limits.take(calls, now_s)
            found.starts.add(calls, now_s)

    def telephone(self, endpoint: str) -> Telephone:
        """How that telephone is used."""
        return self.server.telephones.get(endpoint, Telephone())

    def send(self, actions: Sequence[Action]) -> list[asyncio.Future[Message]]:
        """Send actions in one write. Raises AmiLost if there is no link."""
        if self.session is None:
            raise AmiLost(
                Words(f"there is no link to the server {self.name}", f"no hay enlace con el servidor {self.name}")
            )
        return self.session.send(actions)

    def know(self, fitness: Fitness) -> None:
        """What the server said of itself when the link came up."""
        self.missing = frozenset(finding.trunk for finding in fitness.findings if finding.trunk)
        self.findings = fitness.findings
        for name, state in fitness.devices.items():
            found = self.trunk(name)
            if found is not None:
                found.state = state

    def lost(self, clock: Clock) -> None:
        """The link went down: nothing is known of this server until the next snapshot."""
        self.session, self.synced, self.up_since = None, False, None
        self.down_since, self.down_since_s = clock.now(), clock.monotonic()
        self.bridges.clear()
        self.starting.clear()


#: Where a telephone lives that no server lists: there is never a link to it.
NOWHERE = ""


class Switches:
    """All servers of a site, in the order in which they are set.

    Raises:
        ValueError: none, two of one name, or several of which one lists no telephones.
    """

    def __init__(self, servers: Iterable[Server]) -> None:
        servers = tuple(servers)
        self._by_name = {server.name: Switch(server) for server in servers}
        if not servers or len(self._by_name) != len(servers) or NOWHERE in self._by_name:
            raise ValueError("the servers need names of their own, and there must be one at least")
        if len(servers) > 1 and not all(server.telephones for server in servers):
            raise ValueError("with several servers each must list its telephones")

        async def never(factory: object) -> object:
            raise OSError("no server lists this telephone")

        self._nowhere = Switch(Server(NOWHERE, never, "", ""))

    def __iter__(self) -> Iterator[Switch]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __getitem__(self, name: str) -> Switch:
        return self._by_name[name]

    @property
    def first(self) -> Switch:
        return next(iter(self))

    def named(self, name: str) -> Switch:
        """The server of that name; the first for one that is not set any more, or was not written down."""
        return self._by_name.get(name, self.first)

    def home(self, endpoint: str) -> Switch:
        """Where a telephone lives; a server without a link if none lists it."""
        for switch in self:
            if endpoint in switch.server.telephones or not switch.server.telephones:
                return switch
        return self._nowhere

    def line(self, trunk: str) -> Line:
        """What all trunks of that name carry together."""
        own = [(switch.server, found.line) for switch in self if (found := switch.trunk(trunk)) is not None]
        channels = sum(min(server.channels, line.channels) for server, line in own)
        return Line(channels, sum(min(server.rate_per_s, line.rate_per_s) for server, line in own))

    @property
    def any_ready(self) -> bool:
        return any(switch.ready for switch in self)
