"""What we ask of an Asterisk, as data: trunks, agents' telephones, the AMI account, the waits of the dialplan."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from cadencia.config.names import CODEC, HOST, NAME, SECRET, SOUND
from cadencia.errors import ConfigError, Words

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
    "HangupRequest",
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


_SIGNS = Words("Use letters, digits, - and _.", "Use letras, dígitos, - y _.")
_SECRET_SIGNS = Words(
    "Use 12 to 80 letters, digits and ._~!@%^*()+=,- in it.", "Use en él de 12 a 80 letras, dígitos y ._~!@%^*()+=,-."
)
_SETTINGS = Words("Correct it in the settings file.", "Corríjalo en el archivo de configuración.")


def _demand(ok: object, en: str, es: str, hint: Words = _SETTINGS) -> None:
    if not ok:
        raise ConfigError(Words(en, es), hint)


def _whole(value: object, least: int, what: str) -> None:
    """Refuses what Asterisk would cut or take for an error; a bool is an int to Python but not to a reader."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
    _demand(
        whole,
        f"{what} = {value!r} is not a whole number >= {least}.",
        f"{what} = {value!r} no es un número entero >= {least}.",
    )


@dataclass(frozen=True)
class Trunk:
    """A way out to the public network.

    Attributes:
        name: endpoint's name; calls go to `PJSIP/number@name`.
        host: where INVITEs are sent; empty if the endpoint is the site's own, and then nothing is written for it.
        port: its SIP port.
        user: for outbound digest authentication, with `secret`; empty if the carrier knows us by address.
        secret: see `user`; empty if it is not known yet: then nothing can be generated.
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
        name = self.name
        _demand(
            NAME.fullmatch(name),
            f"{name!r} cannot be a trunk's name.",
            f"{name!r} no puede ser el nombre de una troncal.",
            _SIGNS,
        )
        for host in (*((self.host,) if self.host else ()), *self.match):
            _demand(HOST.fullmatch(host), f"{host!r} is not a host of trunk {name}.", f"{host!r} no es un servidor.")
        _demand(
            0 < self.port < 65536,
            f"Port {self.port} of trunk {name} is not a port.",
            f"El puerto {self.port} de la troncal {name} no es un puerto.",
        )
        _demand(
            not self.user or NAME.fullmatch(self.user),
            f"{self.user!r} cannot be the user of trunk {name}.",
            f"{self.user!r} no puede ser el usuario de la troncal {name}.",
            _SIGNS,
        )
        _demand(
            not self.secret or SECRET.fullmatch(self.secret),
            f"The secret of trunk {name} cannot be used.",
            f"La clave de la troncal {name} no sirve.",
            _SECRET_SIGNS,
        )
        _demand(
            self.codecs and all(map(CODEC.fullmatch, self.codecs)),
            f"Trunk {name} has no usable codecs.",
            f"La troncal {name} no tiene códecs que sirvan.",
        )
        _whole(self.rtp_timeout_s, 1, f"rtp_timeout_s of trunk {name}")
        _whole(self.qualify_s, 0, f"qualify_s of trunk {name}")

    @property
    def own(self) -> bool:
        """Whether the site's own pjsip.conf has it."""
        return not self.host


@dataclass(frozen=True)
class AgentPhone:
    """An agent's SIP telephone. A dead one is found by session timers: rtp_timeout would cut a muted agent.

    Attributes:
        name: endpoint's name and digest user, such as `a1001`.
        secret: digest password; empty if it is not known yet: then nothing can be generated.
        session_expires_s: seconds of a session-timer round; Asterisk takes no less than 90.
        qualify_s: seconds between OPTIONS probes, 0 for none; Asterisk waits 3 s for the answer.
        browser: it is the agent's page (WebRTC over a WebSocket), not a telephone.
        nailed: it stands connected through the shift; else it is rung for each call.
        own: the endpoint is the site's own, and nothing is written for it.
    """

    name: str
    secret: str = field(default="", repr=False)
    session_expires_s: int = 90
    qualify_s: int = 5
    browser: bool = False
    nailed: bool = True
    own: bool = False

    def __post_init__(self) -> None:
        name = self.name
        _demand(
            NAME.fullmatch(name),
            f"{name!r} cannot be a telephone's name.",
            f"{name!r} no puede ser el nombre de un teléfono.",
            _SIGNS,
        )
        _demand(
            not self.secret or SECRET.fullmatch(self.secret),
            f"The secret of telephone {name} cannot be used.",
            f"La clave del teléfono {name} no sirve.",
            _SECRET_SIGNS,
        )
        _whole(self.session_expires_s, 90, f"session_expires_s of {name}")


@dataclass(frozen=True)
class AmiAccount:
    """The engine's account on the manager interface: least rights, always filtered.

    Attributes:
        user: its name, a section of manager.conf.
        secret: its password; empty if it is not known yet: then nothing can be generated.
        permit: networks it may come from; everything else is denied.
        write_timeout_ms: how long Asterisk waits for a slow reader before it cuts the connection. Whoever was cut
            comes back at once and asks for the state; one who lags decides on a past that nobody else sees.
    """

    user: str
    secret: str = field(default="", repr=False)
    permit: tuple[str, ...] = ("127.0.0.1/255.255.255.255",)
    write_timeout_ms: int = 100

    def __post_init__(self) -> None:
        _demand(
            NAME.fullmatch(self.user),
            f"{self.user!r} cannot be an AMI user.",
            f"{self.user!r} no puede ser un usuario de AMI.",
            _SIGNS,
        )
        _demand(
            not self.secret or SECRET.fullmatch(self.secret),
            f"The secret of the AMI account {self.user} cannot be used.",
            f"La clave de la cuenta de AMI {self.user} no sirve.",
            _SECRET_SIGNS,
        )
        _demand(
            self.permit,
            "The AMI account needs at least one network it may come from.",
            "La cuenta de AMI necesita al menos una red de la que pueda venir.",
        )
        for network in self.permit:
            _demand(HOST.fullmatch(network), f"{network!r} is not a network.", f"{network!r} no es una red.")
        _whole(self.write_timeout_ms, 100, "write_timeout_ms")


@dataclass(frozen=True)
class Waits:
    """Limits of all that waits in the dialplan, in whole seconds (BridgeWait cuts 1.5 to 1 and drops the call at 0).

    Attributes:
        idle_s: an idle agent's leg reports again after this (a heartbeat).
        idle_loops: idle reports without a call before the agent's leg is released.
        once_s: an agent who was rung for one conversation waits this long for it.
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
    once_s: int = 15
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
        twice = next((name for name in names if names.count(name) > 1), "") if len(set(names)) < len(names) else ""
        _demand(self.trunks, "The plan has no trunk.", "El plan no tiene troncal.")
        _demand(
            not twice,
            f"Two trunks or telephones are called {twice}.",
            f"Dos troncales o teléfonos se llaman {twice}.",
        )
        _demand(
            self.wait_tone in ("r", "m", "s"),
            f"{self.wait_tone!r} is not a wait tone.",
            f"{self.wait_tone!r} no es un tono de espera.",
            Words("Use r, m or s.", "Use r, m o s."),
        )
        _demand(
            SOUND.fullmatch(self.message),
            f"{self.message!r} is not a sound file's name.",
            f"{self.message!r} no es el nombre de un archivo de sonido.",
        )
        _demand(
            NAME.fullmatch(self.transport),
            f"{self.transport!r} is not a transport's name.",
            f"{self.transport!r} no es el nombre de un transporte.",
            _SIGNS,
        )

    def without_secret(self) -> tuple[str, ...]:
        """What is to be written and has no secret yet: the account, trunks that name a user, telephones."""
        missing = [] if self.account.secret else [self.account.user]
        missing += [t.name for t in self.trunks if not t.own and t.user and not t.secret]
        return (*missing, *(a.name for a in self.agents if not a.own and not a.secret))
