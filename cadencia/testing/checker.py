"""Checks the house's promises after every event, from what the switch really does and what the store really took.

Written apart from the engine: it shares none of its rules, reads the hours from its own table, and learns of attempts
from a recording store and of calls from the switch itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from cadencia.clock import Clock
from cadencia.domain.agents import AgentChange
from cadencia.domain.dialing import Lease, Settlement
from cadencia.store.port import Claim, Store
from cadencia.telephony.simulator.channels import Channel, Headers
from cadencia.telephony.simulator.switch import SimulatedSwitch

#: Bogotá has no daylight saving time.
_BOGOTA = timezone(timedelta(hours=-5))

_AT_WORK = ("ready", "preview", "reserved", "talking", "wrapup")

#: The engine's picture of an agent may differ from the switch's for so long (promise 3).
_PICTURE_S = 5.0

#: No new dial so long after the last agent went (promise 4), and no ringing call after this or the minimum ring.
_NO_DIAL_S, _NO_RING_S = 0.25, 1.0


class RecordingStore:
    """Passes everything on and remembers what was made durable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.leases: dict[str, Lease] = {}
        self.sending: dict[str, int] = {}
        self.settled: dict[str, Settlement] = {}
        self.again: list[str] = []
        self.failing: Callable[[], None] = lambda: None
        self.failing_late: Callable[[], None] = lambda: None  # the commit went through, its answer is lost
        self.left_at: datetime | None = None  # when the last agent at work went, None while there is one
        self._states: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def claim(self, claim: Claim) -> Any:
        self.failing()
        claimed = await self._store.claim(claim)
        self.leases.update({lease.attempt_id: lease for lease in claimed.leases})
        return claimed

    async def mark_sending(
        self, attempt_ids: Sequence[str], token: int, now: datetime, server: str = ""
    ) -> frozenset[str]:
        self.failing()
        allowed = await self._store.mark_sending(attempt_ids, token, now, server)
        for attempt_id in allowed:
            self.sending[attempt_id] = self.sending.get(attempt_id, 0) + 1
        self.failing_late()
        return allowed

    async def save_agent_changes(self, changes: Sequence[AgentChange]) -> None:
        self.failing()
        await self._store.save_agent_changes(changes)
        for change in changes:
            self._states[change.agent_id] = change.state
            if any(state in _AT_WORK for state in self._states.values()):
                self.left_at = None
            elif self.left_at is None:
                self.left_at = change.at

    async def settle(self, settlements: Sequence[Settlement], token: int) -> None:
        self.failing()
        await self._store.settle(settlements, token)
        for settlement in settlements:
            if settlement.attempt_id in self.settled:
                self.again.append(settlement.attempt_id)
            self.settled[settlement.attempt_id] = settlement


class Checker:
    """Listens to a switch.

    Args:
        seats: the engine's picture, agent id -> (state, id of the attempt the agent is in or waits for, or None).
        cap_per_day: attempts a telephone number may get on one local date.
        min_ring_s: a ringing call may be let ring this long after the last agent went.
        linked: whether the engine can see the switch at all; without a link nobody can know an agent's real state.
        preview: nobody may be dialled but for an agent who waits for this very person.
    """

    def __init__(
        self,
        clock: Clock,
        switch: SimulatedSwitch,
        store: RecordingStore,
        seats: Callable[[], dict[str, tuple[str, str | None]]],
        *,
        cap_per_day: int,
        min_ring_s: float,
        linked: Callable[[], bool] = lambda: True,
        preview: bool = False,
    ) -> None:
        self._clock, self._switch, self._store, self._seats = clock, switch, store, seats
        self._cap, self._min_ring_s, self._linked, self._preview = cap_per_day, min_ring_s, linked, preview
        self.violations: list[str] = []
        self.events = 0
        self.dialled: dict[str, str] = {}  # attempt -> number
        self._last: dict[str, str] = {}  # number -> its newest attempt
        self._per_day: dict[tuple[str, date], set[str]] = {}
        self._ringing: dict[str, float] = {}
        self._differs: dict[str, float] = {}
        self._swept_s = 0.0
        switch.subscribe(self._event)

    def _event(self, name: str, privilege: str, headers: Headers) -> None:
        self.events += 1
        fields = dict(headers)
        if name == "DialBegin" and "@" in fields["DialString"]:
            self._dial(fields)
        elif name == "DialState":
            self._ringing[fields["DestUniqueid"]] = self._clock.monotonic()
        elif (name == "Newstate" and fields["ChannelState"] == "6") or name == "Hangup":
            self._ringing.pop(fields["Uniqueid"], None)
        elif name == "BridgeEnter":
            self._bridge(fields)
        self.sweep()

    def _dial(self, fields: dict[str, str]) -> None:
        attempt, number = fields["DestUniqueid"], fields["DialString"].partition("@")[0]
        now = self._clock.now().astimezone(_BOGOTA)
        if self._store.sending.get(attempt) != 1:
            self._violate(2, f"{attempt} was dialled without a committed intent")
        if attempt in self.dialled:
            self._violate(2, f"{attempt} was dialled twice")
        self.dialled[attempt] = number
        before, self._last[number] = self._last.get(number), attempt
        if before in self._switch.channels:
            self._violate(1, f"a number is dialled twice at once ({attempt})")
        if not _lawful(now):
            self._violate(1, f"{attempt} was dialled at {now:%a %H:%M:%S}")
        today = self._per_day.setdefault((number, now.date()), set())
        today.add(attempt)
        charged = [a for a in today if (s := self._store.settled.get(a)) is None or s.charged]
        if len(charged) > self._cap:
            self._violate(1, f"{attempt} goes over the cap of {self._cap} a day")
        if self._preview and ("reserved", attempt) not in self._seats().values():
            self._violate(3, f"{attempt} was dialled, and no agent waits for it")
        if self._gone_s() > _NO_DIAL_S:
            self._violate(4, f"{attempt} was dialled with nobody there")

    def _bridge(self, fields: dict[str, str]) -> None:
        if fields["BridgeTechnology"] == "holding_bridge":
            return
        channel = self._switch.channels[fields["Uniqueid"]]
        kinds = Counter(_kind(member) for member in channel.bridge.members) if channel.bridge else Counter[str]()
        if kinds["debtor"] > 1 or kinds["agent"] > 1:
            self._violate(3, f"a bridge holds {dict(kinds)}")

    def sweep(self) -> None:
        """What is true at every instant; looked at with every event, in full once a second."""
        now_s = self._clock.monotonic()
        if now_s - self._swept_s < 1.0:
            return
        self._swept_s = now_s
        self._compare(self._seats(), now_s)
        gone_s = self._gone_s()
        for attempt, since_s in self._ringing.items() if gone_s > _NO_RING_S else ():
            # At once, or at the minimum ring if that is later; a second for the order, one for our looking.
            if attempt in self.dialled and now_s - since_s > self._min_ring_s + 2.0 * _NO_RING_S:
                self._violate(4, f"{attempt} still rings {gone_s:.1f} s after the last agent went")

    def _gone_s(self) -> float:
        """How long nobody has been at work."""
        if self._store.left_at is None or any(state in _AT_WORK for state, _ in self._seats().values()):
            return 0.0
        return (self._clock.now() - self._store.left_at).total_seconds()

    def _compare(self, seats: dict[str, tuple[str, str | None]], now_s: float) -> None:
        real: dict[str, str] = {}
        for channel in self._switch.channels.values():
            if _kind(channel) == "agent" and channel.bridge and not channel.bridge.holding:
                for other in channel.bridge.members:
                    if other is not channel:
                        real[channel.variable("CAD_AGENT")] = other.uniqueid
        if not self._linked():
            self._differs.clear()
            return
        for agent, (state, attempt) in seats.items():
            believed = attempt if state == "talking" else None
            if believed == real.get(agent):
                self._differs.pop(agent, None)
                continue
            since_s = self._differs.setdefault(agent, now_s)
            if now_s - since_s > _PICTURE_S:
                self._violate(3, f"{agent}: the engine says {believed}, the switch {real.get(agent)}")
                self._differs[agent] = now_s

    def finish(self) -> None:
        """At the end: every intent ended in exactly one settlement, every call belongs to one of them."""
        for attempt, times in self._store.sending.items():
            if times != 1:
                self._violate(2, f"{attempt} was committed {times} times")
            if attempt not in self._store.settled:
                self._violate(2, f"{attempt} never ended")
        for attempt in self._store.again:
            self._violate(2, f"{attempt} was settled twice")
        for attempt in self.dialled:
            if attempt not in self._store.sending:
                self._violate(2, f"{attempt} was dialled and never recorded")

    def _violate(self, promise: int, what: str) -> None:
        self.violations.append(f"promise {promise} at {self._clock.now():%F %T}: {what}")


def _kind(channel: Channel) -> str:
    return channel.variable("CAD_KIND")


def _lawful(local: datetime) -> bool:
    if local.weekday() == 6:
        return False
    opens, closes = (8, 15) if local.weekday() == 5 else (7, 19)
    return opens <= local.hour < closes
