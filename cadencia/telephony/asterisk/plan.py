"""What we ask of an Asterisk, as data: trunks, agents' telephones, the AMI account, the waits of the dialplan."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from cadencia.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_HOST = re.compile(r"[A-Za-z0-9.:/_-]{1,120}")
#: A semicolon begins a comment and a backslash quotes in Asterisk's files, so a secret holds neither.
_SECRET = re.compile(r"[A-Za-z0-9._~!@%^*()+=,-]{12,80}")
_SOUND = re.compile(r"[A-Za-z0-9._/-]{1,160}")
_CODEC = re.compile(r"[a-z0-9]{2,12}")

#: Events the engine acts on; the account's filter lets nothing else through (measured: 78 % fewer bytes).
#: Newchannel is not among them: DialBegin already joins channel and Uniqueid, and actions take a Uniqueid as Channel.
ENGINE_EVENTS = (
    "FullyBooted",
    "Shutdown",
    "OriginateResponse",
    "DialBegin",
    "DialState",
    "DialEnd",
    "Newstate",
    "Hangup",
    "BridgeEnter",
    "BridgeLeave",
    "UserEvent",
    "ChannelTalkingStart",
    "ChannelTalkingStop",
    "DeviceStateChange",
    "ContactStatus",
    "Status",
    "StatusComplete",
    "DeviceStateListComplete",
)

ENGINE_READ = "system,call,user,agent"
ENGINE_WRITE = "originate,call"


def _demand(ok: object, message: str, hint: str = "") -> None:
    if not ok:
        raise ConfigError(message, hint)


def _whole(value: object, least: int, what: str) -> None:
    """Refuses what Asterisk would cut or take for an error; a bool is an int to Python but not to a reader."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
    _demand(whole, f"{what} = {value!r} is not a whole number >= {least}.")


@dataclass(frozen=True)
class Trunk:
    """A way out to the public network.

    Attributes:
        name: endpoint's name; calls go to `PJSIP/number@name`.
        host: where INVITEs are sent.
        port: its SIP port.
        user: for outbound digest authentication, with `secret`; empty if the carrier knows us by address.
        secret: see `user`.
        match: addresses its own calls come from; by default `host`.
        rtp_timeout_s: seconds without a packet after which a debtor's line counts as dead (5 cuts people in silence).
        qualify_s: seconds between OPTIONS probes, 0 for none; without them a silent trunk holds each attempt 32 s.
        codecs: allowed ones, best first.
    """

    name: str
    host: str
    port: int = 5060
    user: str = ""
    secret: str = field(default="", repr=False)
    match: tuple[str, ...] = ()
    rtp_timeout_s: int = 15
    qualify_s: int = 30
    codecs: tuple[str, ...] = ("ulaw", "alaw")

    def __post_init__(self) -> None:
        _demand(_NAME.fullmatch(self.name), f"{self.name!r} cannot be a trunk's name.", "Use letters, digits, - and _.")
        for host in (self.host, *self.match):
            _demand(_HOST.fullmatch(host), f"{host!r} is not a host of trunk {self.name}.")
        _demand(0 < self.port < 65536, f"Port {self.port} of trunk {self.name} is not a port.")
        _demand(not self.user or _NAME.fullmatch(self.user), f"{self.user!r} cannot be the user of trunk {self.name}.")
        _demand(not self.user or _SECRET.fullmatch(self.secret), f"Trunk {self.name} needs a usable secret.")
        _demand(self.codecs and all(map(_CODEC.fullmatch, self.codecs)), f"Trunk {self.name} has no usable codecs.")
        _whole(self.rtp_timeout_s, 1, f"rtp_timeout_s of trunk {self.name}")
        _whole(self.qualify_s, 0, f"qualify_s of trunk {self.name}")


@dataclass(frozen=True)
class AgentPhone:
    """An agent's SIP telephone. A dead one is found by session timers: rtp_timeout would cut a muted agent.

    Attributes:
        name: endpoint's name and digest user, such as `a1001`.
        secret: digest password.
        session_expires_s: seconds of a session-timer round; Asterisk takes no less than 90.
    """

    name: str
    secret: str = field(repr=False)
    session_expires_s: int = 90

    def __post_init__(self) -> None:
        _demand(_NAME.fullmatch(self.name), f"{self.name!r} cannot be a telephone's name.", "Letters, digits, - and _.")
        _demand(
            _SECRET.fullmatch(self.secret),
            f"Telephone {self.name} needs a secret of 12 to 80 characters.",
            "Letters, digits and ._~!@%^*()+=,- are allowed.",
        )
        _whole(self.session_expires_s, 90, f"session_expires_s of {self.name}")


@dataclass(frozen=True)
class AmiAccount:
    """The engine's account on the manager interface: least rights, always filtered.

    Attributes:
        user: its name, a section of manager.conf.
        secret: its password.
        permit: networks it may come from; everything else is denied.
        write_timeout_ms: how long Asterisk waits for a slow reader before it cuts the connection.
    """

    user: str
    secret: str = field(repr=False)
    permit: tuple[str, ...] = ("127.0.0.1/255.255.255.255",)
    write_timeout_ms: int = 5000

    def __post_init__(self) -> None:
        _demand(_NAME.fullmatch(self.user), f"{self.user!r} cannot be an AMI user.", "Use letters, digits, - and _.")
        _demand(_SECRET.fullmatch(self.secret), "The AMI account needs a secret of 12 to 80 characters.")
        _demand(self.permit, "The AMI account needs at least one network it may come from.")
        for network in self.permit:
            _demand(_HOST.fullmatch(network), f"{network!r} is not a network.")
        _whole(self.write_timeout_ms, 100, "write_timeout_ms")


@dataclass(frozen=True)
class Waits:
    """Limits of all that waits in the dialplan, in whole seconds (BridgeWait cuts 1.5 to 1 and drops the call at 0).

    Attributes:
        idle_s: an idle agent's leg reports again after this (a heartbeat).
        idle_loops: idle reports without a call before the agent's leg is released.
        wait_s: an answered debtor waits this long for an agent.
        reoffer_s: a debtor whose agent vanished waits this long, on music, for another one.
        reoffer_max: how often that may happen in one call.
        hold_s: on hold; then offered again.
        inbound_s: a debtor who calls us.
        consult_s: a third party who was called and is not yet spoken to.
        tail_s: longest identifying message.
        call_max_s: longest call.
        spy_s: longest supervision.
    """

    idle_s: int = 60
    idle_loops: int = 60
    wait_s: int = 2
    reoffer_s: int = 8
    reoffer_max: int = 2
    hold_s: int = 120
    inbound_s: int = 20
    consult_s: int = 60
    tail_s: int = 30
    call_max_s: int = 7200
    spy_s: int = 14400

    def __post_init__(self) -> None:
        for each in fields(self):
            _whole(getattr(self, each.name), 0 if each.name == "reoffer_max" else 1, each.name)


@dataclass(frozen=True)
class SwitchPlan:
    """All that the generated configuration depends on.

    Attributes:
        account: the engine's AMI account.
        trunks: at least one.
        agents: their telephones.
        waits: limits of the dialplan.
        wait_tone: what an answered debtor hears until an agent is there: `r` ring-back, `m` music, `s` silent packets.
        message: identifying message, a sound file's name without its ending; whether it may be played is said per call.
        transport: name of the PJSIP transport, which the site's own pjsip.conf defines.
    """

    account: AmiAccount
    trunks: tuple[Trunk, ...]
    agents: tuple[AgentPhone, ...] = ()
    waits: Waits = Waits()
    wait_tone: str = "r"
    message: str = "cadencia/identify"
    transport: str = "udp"

    def __post_init__(self) -> None:
        names = [t.name for t in self.trunks] + [a.name for a in self.agents]
        _demand(self.trunks, "The plan has no trunk.")
        _demand(len(set(names)) == len(names), "Two trunks or telephones have the same name.")
        _demand(self.wait_tone in ("r", "m", "s"), f"{self.wait_tone!r} is not a wait tone.", "Use r, m or s.")
        _demand(_SOUND.fullmatch(self.message), f"{self.message!r} is not a sound file's name.")
        _demand(_NAME.fullmatch(self.transport), f"{self.transport!r} is not a transport's name.")
