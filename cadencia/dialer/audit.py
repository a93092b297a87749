"""What is really there: a server's own snapshot against our picture, after every link-up and every few seconds.

A channel that ends as the snapshot is made is not in it, and its Hangup may come after the snapshot's last row: two
snapshots have to lack a call. What differs still is an event that never came, a call of an engine before us, or a leg
we did not know.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from cadencia.dialer.calls import Calls
from cadencia.dialer.context import Context
from cadencia.dialer.floor import Floor
from cadencia.dialer.live import LiveCall, Seat
from cadencia.dialer.sender import Sender
from cadencia.dialer.servers import Mend, Switch
from cadencia.domain.agents import AgentState
from cadencia.errors import AmiLost
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import Action, AmiSession
from cadencia.telephony.call import Phase, Sign, Signal

#: A leg or call younger than this (clock seconds) may not have its channel yet.
_YOUNG_S = 2.0

#: A telephone that was called this long ago (clock seconds) and has no leg will not get one from that call.
_CALLED_S = 25.0

_VARIABLES = "CAD_KIND,CAD_ATTEMPT,CAD_AGENT,CAD_WITH"


@dataclass(frozen=True)
class Row:
    """One channel of the snapshot."""

    uniqueid: str
    channel: str
    kind: str
    agent_id: str
    state: int
    bridge: str
    seconds: int


def read_rows(messages: list[Message]) -> list[Row]:
    """The Status events as rows."""
    rows = []
    for message in messages:
        if message.name != "Status":
            continue
        variables = message.variables()
        rows.append(
            Row(
                message.get("Uniqueid"),
                message.get("Channel"),
                variables.get("CAD_KIND", ""),
                variables.get("CAD_AGENT", ""),
                message.number("ChannelState") or 0,
                message.get("BridgeID"),
                message.number("Seconds") or 0,
            )
        )
    return rows


class Audit:
    """Compares and mends."""

    def __init__(self, context: Context, floor: Floor, calls: Calls, sender: Sender) -> None:
        self._c, self._floor, self._calls, self._sender = context, floor, calls, sender

    async def run_once(self, switch: Switch, session: AmiSession) -> None:
        """Take one snapshot and mend what differs. Raises TelephonyError if the server does not answer."""
        began_s = self._c.clock.monotonic()
        known = frozenset(self._calls.live)
        rows = read_rows(await session.rows("Status", {"Variables": _VARIABLES}))
        by_id = {row.uniqueid: row for row in rows}
        self._agents(switch, rows, by_id, began_s, session)
        self._calls_there(switch, rows, known, session)
        self._calls_gone(switch, by_id, began_s)
        self._stuck()
        switch.restarted = False

    def _agents(
        self, switch: Switch, rows: list[Row], by_id: dict[str, Row], began_s: float, session: AmiSession
    ) -> None:
        for row in rows:
            if row.kind != "agent" or row.state != 6:
                continue
            seat = self._floor.by_name(row.agent_id)
            if seat is None or seat.switch is not switch or not self._may_keep(seat, row):
                self._drop(switch, row, session)
            elif seat.leg != row.uniqueid or not seat.leg_up:
                self._floor.adopt_leg(seat, row.uniqueid, row.channel)
        for seat in [seat for seat in self._floor.seats.values() if seat.switch is switch]:
            age_s = began_s - seat.leg_since_s
            young_s = 0.0 if switch.restarted else _YOUNG_S if seat.leg_up else _CALLED_S
            if seat.leg and seat.leg not in by_id and age_s > young_s:
                self._calls.mend(switch, Mend.LEG, seat.leg)
                self._floor.leg_ended(switch, seat.leg)
            elif not seat.leg and seat.state is not AgentState.OUT:
                self._floor.call_telephone(seat)

    def _may_keep(self, seat: Seat, row: Row) -> bool:
        """A telephone that is rung for each call may stand only for the call it was rung for."""
        if seat.state is AgentState.OUT or (seat.leg_up and seat.leg != row.uniqueid):
            return False
        return seat.nailed or seat.leg == row.uniqueid or (seat.call is not None and seat.call.adopted)

    def _calls_there(self, switch: Switch, rows: list[Row], known: frozenset[str], session: AmiSession) -> None:
        legs = {row.bridge: row for row in rows if row.kind == "agent" and row.bridge}
        for row in rows:
            live = self._calls.live.get(row.uniqueid)
            if live is None:
                # What was ours when we asked has ended while the snapshot was under way, and so may young ones have.
                if row.kind == "debtor" and row.seconds > _YOUNG_S and row.uniqueid not in known:
                    self._drop(switch, row, session)
                continue
            live.channel = row.channel
            switch.starting.discard(live.attempt_id)
            if row.state == 5 and live.call.ringing_s is None:
                self._calls.take(Signal(live.attempt_id, Sign.RINGING))
            elif row.state == 6:
                self._answered(switch, live, legs.get(row.bridge))

    def _answered(self, switch: Switch, live: LiveCall, leg: Row | None) -> None:
        if live.call.answered_s is None:
            self._calls.mend(switch, Mend.ANSWER, live.attempt_id)
            self._calls.take(Signal(live.attempt_id, Sign.ANSWERED))
        if leg is None:
            self._alone(switch, live)
            return
        seat = self._floor.by_leg(switch, leg.uniqueid)
        if live.call.phase is Phase.TALKING or seat is None:
            return
        if seat.call is live or (seat.call is None and live.seat is None):
            if seat.call is None:
                self._floor.reserve(seat, live)
            self._calls.mend(switch, Mend.BRIDGE, live.attempt_id)
            self._calls.take(Signal(live.attempt_id, Sign.TALKING))

    def _alone(self, switch: Switch, live: LiveCall) -> None:
        """Answered, and no agent in its bridge: it waits, whatever we believed."""
        answered_s = self._c.clock.monotonic() - (live.call.answered_s or 0.0)
        if live.call.phase is Phase.ANSWERED and (live.adopted or answered_s > _YOUNG_S):
            self._calls.mend(switch, Mend.OFFER, live.attempt_id)
            if live.seat is not None and live.chooser is None:
                self._floor.release(live.seat)
            self._calls.take(Signal(live.attempt_id, Sign.READY))
        elif live.call.phase is Phase.TALKING and live.adopted:
            self._calls.mend(switch, Mend.AGENT, live.attempt_id)
            if live.seat is not None:
                self._floor.release(live.seat)
            self._calls.take(Signal(live.attempt_id, Sign.REOFFERED))

    def _calls_gone(self, switch: Switch, by_id: dict[str, Row], began_s: float) -> None:
        for live in self._calls.on(switch):
            if live.attempt_id in by_id:
                live.missed = False
            elif self._proved(switch, live, began_s):
                # Its Hangup may still be under way, on a queue of its own: what is gone stays gone, so look once more.
                if live.missed or switch.restarted:
                    self._calls.mend(switch, Mend.CALL, live.attempt_id)
                    self._calls.take(Signal(live.attempt_id, Sign.GONE))
                else:
                    live.missed = True
                    switch.look.set()

    def _proved(self, switch: Switch, live: LiveCall, began_s: float) -> bool:
        """Whether a snapshot begun then would hold the call if it lived.

        A server that does not get round to it may have our Originate unread for long: only from its answer on (or from
        the loss of the link that carried the order) does a missing channel mean a missing call.
        """
        if live.adopted or switch.restarted:
            return True
        if live.call.channel_seen or live.call.answered_s is not None:
            return began_s - live.call.sent_s > _YOUNG_S
        return live.ordered_s is not None and began_s - live.ordered_s > _YOUNG_S

    def _stuck(self) -> None:
        """A seat that is in a call which is not there any more."""
        for seat in self._floor.seats.values():
            if seat.call is not None and not self._sender.knows(seat.call.attempt_id):
                self._calls.mend(seat.switch, Mend.SEAT, seat.call.attempt_id)
                self._floor.release(seat)

    def _drop(self, switch: Switch, row: Row, session: AmiSession) -> None:
        self._calls.mend(switch, Mend.ORPHAN, row.uniqueid)
        with contextlib.suppress(AmiLost):
            session.send([Action("Hangup", {"Channel": row.channel})])
