"""The AMI side of the simulated switch: log-in, rights, orders in, events out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

from cadencia.telephony.ami.codec import Decoder, Message
from cadencia.telephony.simulator.channels import UNKNOWN, Channel, Headers
from cadencia.telephony.simulator.switch import SimulatedSwitch

BANNER = b"Asterisk Call Manager/11.0.0\r\n"

#: What an account with write=originate,call may do, as ListCommands of Asterisk 22.10.1 names it.
LEAST_RIGHTS = (
    "AbsoluteTimeout",
    "Atxfer",
    "BlindTransfer",
    "Bridge",
    "BridgeDestroy",
    "BridgeInfo",
    "BridgeKick",
    "BridgeList",
    "BridgeTechnologyList",
    "BridgeTechnologySuspend",
    "BridgeTechnologyUnsuspend",
    "CancelAtxfer",
    "Challenge",
    "DeviceStateList",
    "Events",
    "ExtensionState",
    "ExtensionStateList",
    "Getvar",
    "Hangup",
    "ListCommands",
    "LocalOptimizeAway",
    "Login",
    "Logoff",
    "MailboxCount",
    "MailboxStatus",
    "MixMonitorMute",
    "Originate",
    "Ping",
    "PJSIPHangup",
    "PlayDTMF",
    "PresenceState",
    "Redirect",
    "SendFlash",
    "SendText",
    "Setvar",
    "Status",
    "StopMixMonitor",
    "WaitEvent",
)

#: A log-in that fails is answered so late (real seconds), and then the connection is cut.
_SHUT_OUT_S = 1.0

#: Actions that this account may not use, as far as anybody would try.
_DENIED = frozenset(
    {
        "command",
        "coreshowchannels",
        "corestatus",
        "dbput",
        "dialplanextensionadd",
        "filter",
        "getconfig",
        "mixmonitor",
        "moduleload",
        "reload",
        "updateconfig",
        "userevent",
    }
)

_LIST = "Use Action: ListCommands to show available commands."

#: TIMEOUT(absolute) of a debtor's leg.
_CALL_MAX_S = 7200.0

Answer = tuple[str, str, Headers]  # Response, Message, more headers


class SwitchServer:
    """All connections of one switch.

    Args:
        switch: what carries the orders out.
        user, secret: the one account.
        allowed: names of the actions it may use; the least rights unless a test gives more or fewer.
        filtered: the account has its event filter.
    """

    def __init__(
        self,
        switch: SimulatedSwitch,
        user: str,
        secret: str,
        allowed: Collection[str] = LEAST_RIGHTS,
        *,
        filtered: bool = True,
    ) -> None:
        self.filtered = filtered
        self.locals = 0  # Local channels so far
        self.switch, self.user, self.secret = switch, user, secret
        self.allowed = tuple(allowed)
        self.may = frozenset(name.lower() for name in allowed)
        self.connections: set[SwitchConnection] = set()
        switch.subscribe(self._event)

    def connection(self) -> SwitchConnection:
        """A protocol for one new connection: pass this method to `loop.create_server`."""
        return SwitchConnection(self)

    def disconnect(self) -> None:
        """Cut every connection (the network failed; calls go on)."""
        for connection in list(self.connections):
            connection.cut()

    def _event(self, name: str, privilege: str, headers: Headers) -> None:
        if not self.connections:
            return
        if self.switch.faults.lose_event and self.switch.rng.random() < self.switch.faults.lose_event:
            return
        wire = _render("Event", name, privilege, self.switch.clock.now(), headers)
        for connection in self.connections:
            connection.send(wire)


class SwitchConnection(asyncio.Protocol):
    """One manager session. Bytes written in one turn of the loop leave together."""

    def __init__(self, server: SwitchServer) -> None:
        self._server = server
        self._switch = server.switch
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._logged_in = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        transport.write(BANNER)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            self._take(message)

    def cut(self) -> None:
        """End this connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def send(self, wire: bytes) -> None:
        """Queue bytes; they leave at the end of this turn of the loop."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(wire)

    def _flush(self) -> None:
        wire, self._out = b"".join(self._out), []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(wire)

    # -- actions -------------------------------------------------------------------------------------------------------
    def _take(self, message: Message) -> None:
        name = message.get("Action")
        if name.lower() == "login":
            return self._login(message)
        if not self._logged_in:
            return self._reply(message, ("Error", "Permission denied", []))
        if name.lower() in _DENIED and name.lower() not in self._server.may:
            return self._reply(message, ("Error", "Permission denied", []))
        handler = _ACTIONS.get(name.lower())
        if handler is None:
            return self._reply(message, ("Error", f"Invalid/unknown command: {name}. {_LIST}", []))
        if name.lower() not in self._server.may:
            return self._reply(message, ("Error", "Permission denied", []))
        answer = handler(self, message)
        faults = self._switch.faults
        if answer is None or (faults.lose_answer and self._switch.rng.random() < faults.lose_answer):
            return None
        return self._reply(message, answer)

    def _reply(self, message: Message, answer: Answer) -> None:
        response, text, headers = answer
        lines: Headers = [("Response", response)]
        if "ActionID" in message:
            lines.append(("ActionID", message["ActionID"]))
        lines += headers
        if text:
            lines.append(("Message", text))
        self.send(_join(lines))

    def _login(self, message: Message) -> None:
        server = self._server
        if message.get("Username") != server.user or message.get("Secret") != server.secret:
            self._reply(message, ("Error", "Authentication failed", []))
            asyncio.get_running_loop().call_later(_SHUT_OUT_S, self.cut)
            return
        self._logged_in = True
        self._reply(message, ("Success", "Authentication accepted", []))
        booted = [("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", "0"), ("LastReload", "0")]
        self.send(_join([*booted, ("Status", "Fully Booted")]))
        server.connections.add(self)
        return

    def _shut_out(self, message: Message) -> None:
        self._reply(message, ("Error", "Authentication failed", []))
        asyncio.get_running_loop().call_soon(self.cut)

    def _ping(self, message: Message) -> Answer:
        now = self._switch.clock.now().timestamp()
        return "Success", "", [("Ping", "Pong"), ("Timestamp", f"{now:.6f}")]

    def _logoff(self, message: Message) -> Answer:
        asyncio.get_running_loop().call_later(0, self.cut)
        return "Goodbye", "Thanks for all the fish.", []

    def _events(self, message: Message) -> Answer:
        return "Success", "", [("Events", "On")]

    def _list_commands(self, message: Message) -> Answer:
        return "Success", "", [(name, f"{name}.  (Priv: call,all)") for name in self._server.allowed]

    def _originate(self, message: Message) -> Answer:
        fields = {key: message[key] for key in message.keys() if key != "Variable"}  # noqa: SIM118
        variables = {}
        for line in message.all("Variable"):
            name, _, value = line.partition("=")
            variables[name.lstrip("_")] = _unquote(value)
        if fields.get("Channel", "").startswith("Local/"):
            return self._nobody(fields["Channel"])
        error = self._switch.originate(fields, variables)
        return ("Error", error, []) if error else ("Success", "Originate successfully queued", [])

    def _nobody(self, target: str) -> Answer:
        """A Local channel to an extension that is not there: two halves, made and dropped."""
        exten, _, context = target.removeprefix("Local/").partition("@")
        serial, first = self._server.locals, self._switch.new_id()
        self._server.locals += 1
        halves = [
            Channel(
                name=f"{target}-{serial:08x};{half}",
                uniqueid=first if half == 1 else self._switch.new_id(),
                number=UNKNOWN,
                caller_name=UNKNOWN,
                context=context,
                exten=exten,
                endpoint="",
                born_s=self._switch.clock.monotonic(),
                state=state,
                linkedid=first,
            )
            for half, state in ((1, 0), (2, 4))
        ]
        ended = [("Cause", "0"), ("Cause-txt", "Unknown")]
        told = [("Hangup", [*half.headers(), *ended]) for half in reversed(halves)]
        if not self._server.filtered:
            told = [*(("Newchannel", half.headers()) for half in halves), *told]
        for connection in self._server.connections:
            for name, headers in told:
                connection.send(_render("Event", name, "call,all", self._switch.clock.now(), headers))
        return "Error", "Originate failed", []

    def _bridge(self, message: Message) -> Answer:
        error = self._switch.bridge(message.get("Channel1"), message.get("Channel2"))
        return ("Error", error, []) if error else ("Success", "Channels have been bridged", [])

    def _with_channel(self, message: Message, act: Callable[[Channel], Answer]) -> Answer:
        channel = self._switch.find(message.get("Channel"))
        return act(channel) if channel else ("Error", "No such channel", [])

    def _hangup(self, message: Message) -> Answer:
        def act(channel: Channel) -> Answer:
            self._switch.hangup(channel, message.number("Cause") or 0)
            return "Success", "Channel Hungup", []

        return self._with_channel(message, act)

    def _redirect(self, message: Message) -> Answer:
        channel = self._switch.find(message.get("Channel"))
        if channel is None:
            return "Error", f"Channel does not exist: {message.get('Channel')}", []
        error = self._switch.redirect(channel, message.get("Context"))
        return ("Error", error, []) if error else ("Success", "Redirect successful", [])

    def _setvar(self, message: Message) -> Answer:
        if "Channel" not in message:
            self._switch.globals[message.get("Variable")] = message.get("Value").lstrip()
            return "Success", "Variable Set", []

        def act(channel: Channel) -> Answer:
            channel.variables[message.get("Variable")] = message.get("Value").lstrip()
            return "Success", "Variable Set", []

        return self._with_channel(message, act)

    def _getvar(self, message: Message) -> Answer:
        name = message.get("Variable")
        if "Channel" not in message:
            return "Success", "", [("Variable", name), ("Value", self._global(name))]
        return self._with_channel(message, lambda c: ("Success", "", [("Variable", name), ("Value", c.variable(name))]))

    def _global(self, name: str) -> str:
        function, bracket, arguments = name.partition("(")
        if not bracket:
            return self._switch.globals.get(name, "")
        endpoint = arguments.partition(",")[0]
        known = self._switch.trunks.get(endpoint, "INVALID") != "INVALID" or endpoint in self._switch.endpoints
        return "false" if function == "PJSIP_ENDPOINT" and known else ""

    def _status(self, message: Message) -> None:
        self._reply(message, ("Success", "Channel status will follow", [("EventList", "start")]))
        names = [name for name in message.get("Variables").split(",") if name]
        channels = list(self._switch.channels.values())
        action_id = [("ActionID", message["ActionID"])] if "ActionID" in message else []
        for channel in channels:
            self.send(
                _join([("Event", "Status"), ("Privilege", "Call"), *self._status_row(channel, names), *action_id])
            )
        items = str(len(channels))
        end = [("EventList", "Complete"), ("ListItems", items), ("Items", items)]
        self.send(_join([("Event", "StatusComplete"), *action_id, *end]))

    def _status_row(self, channel: Channel, names: list[str]) -> Headers:
        seconds = self._switch.clock.monotonic() - channel.born_s
        born = self._switch.clock.now().timestamp() - seconds
        limited = channel.state == 6 and channel.variable("CAD_KIND") != "agent"
        return [
            *channel.headers(),
            ("Type", "PJSIP"),
            ("DNID", ""),
            ("EffectiveConnectedLineNum", channel.connected_number),
            ("EffectiveConnectedLineName", channel.connected_name),
            ("TimeToHangup", f"{born + _CALL_MAX_S:.0f}" if limited else "0"),
            ("BridgeID", channel.bridge.id if channel.bridge else ""),
            ("Application", channel.application),
            ("Data", channel.data),
            ("Nativeformats", "(ulaw)"),
            ("Readformat", "ulaw"),
            ("Readtrans", ""),
            ("Writeformat", "ulaw"),
            ("Writetrans", ""),
            ("Callgroup", "0"),
            ("Pickupgroup", "0"),
            ("Seconds", str(int(seconds))),
            *(("Variable", f"{name}={channel.variables.get(name, '(null)')}") for name in names),
        ]

    def _device_states(self, message: Message) -> None:
        action_id = [("ActionID", message["ActionID"])] if "ActionID" in message else []
        self._reply(message, ("Success", "Device State Changes will follow", [("EventList", "start")]))
        devices = {**self._switch.trunks, **dict.fromkeys(sorted(self._switch.endpoints), "NOT_INUSE")}
        for name, state in devices.items():
            row = [("Event", "DeviceStateChange"), *action_id, ("Device", f"PJSIP/{name}"), ("State", state)]
            self.send(_join(row))
        end = [("EventList", "Complete"), ("ListItems", str(len(devices)))]
        self.send(_join([("Event", "DeviceStateListComplete"), *action_id, *end]))


_ACTIONS: dict[str, Callable[[SwitchConnection, Message], Answer | None]] = {
    "ping": SwitchConnection._ping,
    "logoff": SwitchConnection._logoff,
    "events": SwitchConnection._events,
    "listcommands": SwitchConnection._list_commands,
    "originate": SwitchConnection._originate,
    "bridge": SwitchConnection._bridge,
    "hangup": SwitchConnection._hangup,
    "redirect": SwitchConnection._redirect,
    "setvar": SwitchConnection._setvar,
    "getvar": SwitchConnection._getvar,
    "status": SwitchConnection._status,
    "devicestatelist": SwitchConnection._device_states,
}


def _render(kind: str, name: str, privilege: str, at: datetime, headers: Headers) -> bytes:
    return _join([(kind, name), ("Privilege", privilege), ("Timestamp", f"{at.timestamp():.6f}"), *headers])


def _join(headers: Headers) -> bytes:
    return ("\r\n".join([f"{key}: {value}" for key, value in headers]) + "\r\n\r\n").encode()


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return value
