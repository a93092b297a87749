"""The generated dialplan's steps, as the simulated switch walks them (see asterisk/data/extensions.conf.tmpl).

Context, extension and priority of each step are those of the real one, because its events carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadencia.clock import call_later
from cadencia.telephony.simulator.channels import Channel

if TYPE_CHECKING:
    from cadencia.telephony.simulator.switch import SimulatedSwitch

#: Contexts that an Originate may start in.
STARTS = frozenset({"cad-debtor", "cad-agent", "cad-consult"})

#: How long detection listens, and what it says of a person and of a machine (Status, Cause).
_DETECTION_S = 1.5
_DETECTED = {False: ("HUMAN", "HUMAN-800-800"), True: ("MACHINE", "LONGGREETING-1500-1500")}


@dataclass(frozen=True)
class Waits:
    """The generated dialplan's globals, in whole seconds."""

    wait_s: int = 2
    idle_s: int = 60
    idle_loops: int = 60
    once_s: int = 15
    reoffer_s: int = 8
    reoffer_max: int = 2
    hold_s: int = 120
    inbound_s: int = 20
    consult_s: int = 60
    message_s: float = 4.0


class Dialplan:
    """Walks channels through the steps.

    Args:
        switch: puts legs into rooms, tells events and ends legs.
        waits: the limits.
    """

    def __init__(self, switch: SimulatedSwitch, waits: Waits) -> None:
        self._switch, self.waits = switch, waits

    def start(self, channel: Channel, context: str) -> None:
        """An originated leg was answered."""
        if context == "cad-agent":
            self.agent(channel)
        elif context == "cad-consult":
            self._consult(channel)
        else:
            self._debtor(channel)

    # -- agents --------------------------------------------------------------------------------------------------------
    def agent(self, channel: Channel) -> None:
        """cad-agent,s: nailed up by us or by his own call."""
        channel.variables.setdefault("CAD_AGENT", channel.endpoint)
        channel.variables |= {"CAD_KIND": "agent", "CAD_LOOPS": "0"}
        self._idle(channel)

    def _idle(self, channel: Channel) -> None:
        talked_with, agent = channel.variable("CAD_WITH"), channel.variable("CAD_AGENT")
        loops = 1 if talked_with else int(channel.variable("CAD_LOOPS", "0")) + 1
        channel.variables["CAD_LOOPS"] = str(loops)
        if loops > self.waits.idle_loops:
            channel.at("cad-agent", "s", 13)
            self._switch.say(channel, "CadAgentReleased", [("Agent", agent)])
            return self._hang_up(channel)
        channel.at("cad-agent", "s", 9)
        self._switch.say(channel, "CadAgentIdle", [("Agent", agent), ("Loop", str(loops)), ("After", talked_with)])
        channel.variables["CAD_WITH"] = ""
        channel.priority = 11
        seconds = self.waits.once_s if channel.variable("CAD_ONCE") == "1" else self.waits.idle_s
        return self._room(channel, "a", "n", seconds, self._after_agent)

    def _after_agent(self, channel: Channel) -> None:
        if channel.variable("CAD_ONCE") != "1":
            return self._idle(channel)
        channel.priority = 15
        after = channel.variable("CAD_WITH")
        self._switch.say(channel, "CadAgentDone", [("Agent", channel.variable("CAD_AGENT")), ("After", after)])
        return self._hang_up(channel)

    # -- debtors -------------------------------------------------------------------------------------------------------
    def _debtor(self, channel: Channel) -> None:
        channel.variables |= {"CAD_KIND": "debtor", "CAD_ATTEMPT": channel.uniqueid}
        channel.at("cad-debtor", "s", 6)
        if channel.variable("CAD_AMD") == "1":
            channel.application = "AMD"
            channel.next_step = self._detected
            channel.wait = call_later(self._switch.clock, _DETECTION_S, lambda: self._detected(channel))
        else:
            self._offer(channel)

    def _detected(self, channel: Channel) -> None:
        status, cause = _DETECTED[channel.machine]
        channel.variables["AMDSTATUS"] = status
        attempt = [("Attempt", channel.variable("CAD_ATTEMPT"))]
        channel.priority = 7
        self._switch.say(channel, "CadDetected", [*attempt, ("Status", status), ("Cause", cause)])
        if not channel.machine:
            return self._offer(channel)
        channel.priority = 14
        self._switch.say(channel, "CadMachine", attempt)
        return self._hang_up(channel)

    def _offer(self, channel: Channel) -> None:
        channel.priority = 11
        detected = channel.variable("AMDSTATUS")
        self._switch.say(channel, "CadReady", [("Attempt", channel.variable("CAD_ATTEMPT")), ("Amd", detected)])
        channel.priority = 12
        seconds = int(channel.variable("CAD_WAIT_S") or self.waits.wait_s)
        self._room(channel, "d", channel.variable("CAD_WAIT_TONE") or "r", seconds, self.after)

    def after(self, channel: Channel) -> None:
        """cad-after,s: whatever ended, who left, and what is owed to the debtor now."""
        if channel.variable("CAD_WITH") == "":
            self.orphan(channel)
        elif channel.variable("CAD_AFTER") == "end":
            channel.at("cad-after", "end", 1)
            self._switch.end(channel, 16)
        else:
            self._reoffer(channel)

    def _reoffer(self, channel: Channel) -> None:
        lost = channel.variable("CAD_WITH")
        count = int(channel.variable("CAD_REOFFERS") or "0") + 1
        channel.variables |= {"CAD_LOST": lost, "CAD_WITH": "", "CAD_REOFFERS": str(count)}
        if count > self.waits.reoffer_max:
            return self.orphan(channel)
        channel.at("cad-after", "reoffer", 5)
        attempt = channel.variable("CAD_ATTEMPT")
        self._switch.say(channel, "CadReoffer", [("Attempt", attempt), ("Lost", lost), ("Count", str(count))])
        channel.priority = 6
        return self._room(channel, "d", "m", self.waits.reoffer_s, self.after)

    def orphan(self, channel: Channel) -> None:
        """cad-after,orphan: nobody came in time."""
        channel.at("cad-after", "orphan", 1)
        attempt, may_play = channel.variable("CAD_ATTEMPT"), channel.variable("CAD_MAY_PLAY")
        self._switch.say(channel, "CadOrphan", [("Attempt", attempt), ("Message", may_play)])
        if may_play != "1":
            return self._release(channel, "")
        channel.priority = 4
        channel.application, channel.data = "Playback", channel.variable("CAD_MESSAGE")
        channel.next_step = self.after  # a late order took the debtor out of the message
        channel.wait = call_later(self._switch.clock, self.waits.message_s, lambda: self._release(channel, "SUCCESS"))
        return None

    def _release(self, channel: Channel, played: str) -> None:
        channel.priority = 6
        attempt = channel.variable("CAD_ATTEMPT")
        self._switch.say(channel, "CadReleased", [("Attempt", attempt), ("Played", played)])
        self._hang_up(channel)

    # -- hold, third parties, callers ----------------------------------------------------------------------------------
    def hold(self, channel: Channel) -> None:
        """cad-hold,s: redirected there."""
        channel.variables |= {"CAD_LOST": channel.variable("CAD_WITH"), "CAD_WITH": ""}
        channel.at("cad-hold", "s", 3)
        self._switch.say(channel, "CadHeld", [("Attempt", channel.variable("CAD_ATTEMPT"))])
        channel.priority = 4
        self._room(channel, "h", "m", self.waits.hold_s, self._after_hold)

    def _after_hold(self, channel: Channel) -> None:
        if channel.variable("CAD_WITH") == "":
            self._reoffer(channel)
        else:
            self.after(channel)

    def _consult(self, channel: Channel) -> None:
        channel.variables["CAD_KIND"] = "consult"
        channel.at("cad-consult", "s", 3)
        self._switch.say(channel, "CadConsultReady", [("Attempt", channel.uniqueid)])
        channel.priority = 4
        self._room(channel, "k", "m", self.waits.consult_s, self._hang_up)

    def inbound(self, channel: Channel) -> None:
        """cad-in: a debtor calls back."""
        caller = "".join(c for c in channel.number if c.isdigit())
        channel.variables |= {"CAD_KIND": "inbound", "CAD_ATTEMPT": channel.uniqueid, "CAD_FROM": caller}
        told = [("Attempt", channel.uniqueid), ("From", caller), ("To", channel.exten)]
        channel.priority = 6
        self._switch.say(channel, "CadInbound", told)
        channel.priority = 7
        self._room(channel, "i", "r", self.waits.inbound_s, self.after)

    # -- inside --------------------------------------------------------------------------------------------------------
    def _room(self, channel: Channel, kind: str, tone: str, seconds: int, after: Callable[[Channel], None]) -> None:
        name = f"cad-{kind}-{channel.uniqueid}"
        channel.application, channel.data = "BridgeWait", f"{name},participant,e({tone})S({seconds})"
        self._switch.room(channel, name, seconds, after)

    def _hang_up(self, channel: Channel) -> None:
        channel.priority += 1
        self._switch.end(channel, 16)
