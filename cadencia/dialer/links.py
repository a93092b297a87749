"""The links to the servers: up, down, compared again and again, and every event to where it belongs."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

import structlog

from cadencia.clock import sleep
from cadencia.dialer.audit import Audit
from cadencia.dialer.calls import Calls
from cadencia.dialer.context import Context
from cadencia.dialer.floor import Floor
from cadencia.dialer.sender import Sender
from cadencia.dialer.servers import Switch
from cadencia.errors import TelephonyError
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.link import AmiLink
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.asterisk.fitness import Expected, demand_fit
from cadencia.telephony.call import WANTED_EVENTS, Sign, Signal, read

log = structlog.get_logger(__name__)

#: Clock seconds after the resynchronisation for a second look: what was too young to be missed in the first.
_SECOND_LOOK_S = 2.5

_TRUNK = "PJSIP/"


class Links:
    """Keeps a link to every server.

    Args:
        rng: of the back-off; seeded in tests.
    """

    def __init__(
        self,
        context: Context,
        floor: Floor,
        calls: Calls,
        sender: Sender,
        rng: random.Random,
    ) -> None:
        self._c, self._floor, self._calls = context, floor, calls
        self._audit = Audit(context, floor, calls, sender)
        self.up = asyncio.Event()  # at least one is
        for switch in context.switches:
            switch.link = AmiLink(
                switch.server.connector,
                switch.server.user,
                switch.server.secret,
                partial(self._event, switch),
                on_up=partial(self._link_up, switch),
                on_down=partial(self._link_down, switch),
                on_trouble=partial(self._trouble, switch),
                wanted=WANTED_EVENTS,
                rng=random.Random(rng.random()),
            )

    def work(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What has to run until the engine is stopped."""
        for switch in self._c.switches:
            if switch.link is not None:
                yield switch.link.run()
            yield self._looks(switch)

    # -- up and down ---------------------------------------------------------------------------------------------------
    async def _link_up(self, switch: Switch, session: AmiSession) -> None:
        server = switch.server
        fitness = await demand_fit(session, Expected(server.user, server.config, tuple(server.lines)))
        switch.know(fitness)
        switch.session = session
        switch.restarted = _restarted(session, switch, self._c.clock.monotonic())
        try:
            await self._audit.run_once(switch, session)
        except TelephonyError:
            switch.session = None
            raise
        switch.synced, switch.trouble = True, None
        switch.up_since, switch.links = self._c.clock.now(), switch.links + 1
        self._floor.back(switch)
        self._calls.back(switch)
        self.up.set()
        self._c.changed()
        log.info("link.up", server=switch.name, calls=len(self._calls.on(switch)), mended=switch.mended)

    def _link_down(self, switch: Switch) -> None:
        switch.lost(self._c.clock)
        if not self._c.switches.any_ready:
            self.up.clear()
        self._floor.lost_link(switch)
        self._calls.lost_link(switch)
        self._c.changed()
        log.warning("link.down", server=switch.name, calls=len(self._calls.on(switch)))

    def _trouble(self, switch: Switch, error: TelephonyError) -> None:
        known, switch.trouble = switch.trouble, error
        if known is None or known.message != error.message:  # it is tried again every few seconds
            log.warning("link.trouble", server=switch.name, code=error.code, reason=error.message, hint=error.hint)

    async def _looks(self, switch: Switch) -> None:
        """A snapshot every few seconds, sooner if somebody asks: it catches the event that never came."""
        looked = 0
        while True:
            second = switch.links != looked
            looked = switch.links
            wait_s = _SECOND_LOOK_S if second else self._c.options.audit_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s / self._c.clock.speed):
                    await switch.look.wait()
                    await sleep(self._c.clock, 0.2)  # what was asked for may be settled by an event on its way
            switch.look.clear()
            session = switch.session
            if session is None or not switch.synced:
                continue
            try:
                await self._audit.run_once(switch, session)
            except TelephonyError as error:
                log.warning("audit.failed", server=switch.name, code=error.code)
                switch.look.set()  # without it nobody knows what is really there

    # -- events --------------------------------------------------------------------------------------------------------
    def _event(self, switch: Switch, message: Message) -> None:
        name = message.name
        switch.events += 1
        self._c.observer.event(name)
        self._calls.note_event(message)
        if name == "BridgeEnter":
            self._entered(switch, message)
        elif name == "BridgeLeave":
            switch.bridges.leave(message)
        elif name == "UserEvent" and message.get("UserEvent") == "CadAgentIdle":
            self._floor.leg_idle(switch, message)
        elif name == "Hangup":
            switch.bridges.leave(message)
        elif name == "HangupRequest":
            self._calls.left(switch, message.get("Uniqueid"))
            self._floor.left(switch, message.get("Uniqueid"))
        elif name == "DeviceStateChange":
            self._device(switch, message)
        elif name == "ContactStatus":
            self._floor.probed(switch, message.get("EndpointName"), message.get("ContactStatus"))
        signal = read(message)
        if signal is None or self._calls.hear(switch, message, signal):
            return
        if signal.sign in (Sign.ENDED, Sign.FAILED):
            self._floor.leg_ended(switch, signal.ref)

    def _entered(self, switch: Switch, message: Message) -> None:
        members = switch.bridges.enter(message)
        if len(members) < 2:
            return
        for ref in members:
            live = self._calls.live.get(ref)
            # Only our own pair is a conversation of ours: the agent leased for this very call.
            if live is not None and live.switch is switch and live.seat is not None and live.seat.leg in members:
                self._calls.take(Signal(ref, Sign.TALKING))

    def _device(self, switch: Switch, message: Message) -> None:
        device = message.get("Device")
        trunk = switch.trunks.get(device.removeprefix(_TRUNK)) if device.startswith(_TRUNK) else None
        if trunk is None or trunk.state == message.get("State"):
            return
        was, trunk.state = trunk.usable, message.get("State")
        if trunk.usable is not was:
            log.warning("trunk.state", server=switch.name, trunk=trunk.name, state=trunk.state)
        self._c.changed()


def _restarted(session: AmiSession, switch: Switch, now_s: float) -> bool:
    """Whether the server was started anew since the link went down: then nothing of before lives."""
    uptime_s = session.booted.number("Uptime") if session.booted is not None else None
    if uptime_s is None or switch.down_since_s is None:
        return False
    return uptime_s + 1 < now_s - switch.down_since_s
