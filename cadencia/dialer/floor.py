"""The agents: their states, their telephones, their wrap-ups.

A seat's state changes in one place, `_to`, which writes it down, shows it, and makes the campaigns look again. The
telephone is a leg that the engine calls at sign-in and keeps nailed up; a leg that falls is brought back, and while it
is down nobody is put through to it. A telephone that cannot be nailed up is rung for each call instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from cadencia.clock import call_later
from cadencia.dialer.context import Context
from cadencia.dialer.live import LiveCall, Preview, Seat
from cadencia.dialer.servers import NOWHERE, Mend, Switch
from cadencia.domain.agents import (
    PAUSE_AFTER_SIGN_IN,
    PAUSE_TELEPHONE,
    PAUSE_WRAPUP_EXPIRED,
    Agent,
    AgentChange,
    AgentState,
)
from cadencia.errors import AmiLost, AmiRefused, Refused, TelephonyError, Words
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import Action
from cadencia.telephony.call import HANGUP_S

#: Clock seconds a telephone may take to answer our call before it counts as not there.
_PICK_UP_S = 20

#: Clock seconds that a telephone which is rung for each call may ring: somebody waits on the line meanwhile.
RING_EACH_S = 12

#: Clock seconds that a telephone may leave the switch's probes unanswered, which come every 5 s, before its leg is
#: given up: whoever talks on it hears silence.
_DEAD_S = 8.0

#: Weight of the newest time to pick up.
_NEWEST = 0.2

#: Clock seconds before the telephone is called again, by number of tries in vain.
_RETRY_S = (0.2, 1.0, 2.0, 5.0)

_SIGNED_OUT = (Words("You are signed out.", "No ha iniciado turno."), Words("Sign in first.", "Inicie turno primero."))

_SPEAKING = (AgentState.RESERVED, AgentState.TALKING)


class Floor:
    """All seats.

    Args:
        context: shared parts.
        on_ready: called when somebody became ready.
        on_lost_agent: called with the call whose agent's telephone fell.
        on_wrapup_expired: called with a call whose wrap-up ran out without a disposition.
    """

    def __init__(
        self,
        context: Context,
        on_ready: Callable[[], None],
        on_lost_agent: Callable[[LiveCall], None],
        on_wrapup_expired: Callable[[Seat, LiveCall], None],
    ) -> None:
        self._c = context
        self._on_ready, self._on_lost_agent, self._on_wrapup_expired = on_ready, on_lost_agent, on_wrapup_expired
        self.seats: dict[str, Seat] = {}
        self._legs: dict[tuple[str, str], Seat] = {}  # by server and Uniqueid: two servers may give the same one
        self._ready: dict[str, Seat] = {}  # in order of waiting
        self.shown: Callable[[Seat], None] = lambda seat: None
        self.moved: Callable[[Seat], None] = lambda seat: None
        self.unchosen: Callable[[Preview], None] = lambda preview: None  # a file was taken away from its agent
        self.picked_up: Callable[[Seat], None] = lambda seat: None  # a telephone that was rung for a call stands

    # -- looking -------------------------------------------------------------------------------------------------------
    def seat(self, agent_id: str) -> Seat:
        """Raises Refused if there is no such agent."""
        try:
            return self.seats[agent_id]
        except KeyError:
            raise Refused(
                Words("There is no such agent.", "Ese agente no existe."),
                Words("Ask a supervisor to create it.", "Pida a supervisión que lo cree."),
            ) from None

    def by_leg(self, switch: Switch, leg: str) -> Seat | None:
        """The seat whose telephone's leg has this Uniqueid on that server."""
        return self._legs.get((switch.name, leg))

    def by_name(self, name: str) -> Seat | None:
        """By the agent's id, or by the telephone's: a telephone that dials in itself knows only its own name."""
        return self.seats.get(name) or next((s for s in self.seats.values() if s.agent.endpoint == name), None)

    def ready(self, switch: Switch | None = None) -> Iterable[Seat]:
        """Agents who can be put through now, on that server or anywhere, longest idle first."""
        seats = self._ready.values()
        return seats if switch is None or len(self._c.switches) == 1 else (s for s in seats if s.switch is switch)

    def add(self, agent: Agent, state: AgentState, since: datetime) -> Seat:
        """An agent's seat, restored or new, on the server where the telephone lives."""
        home = self._c.switches.home(agent.endpoint)
        seat = self.seats[agent.id] = Seat(agent, home, state, since, self._c.clock.monotonic())
        return seat

    # -- what people ask -----------------------------------------------------------------------------------------------
    def sign_in(self, seat: Seat) -> None:
        """Bring the telephone up; the agent is then paused until ready. Raises Refused if it lives nowhere."""
        if seat.state is not AgentState.OUT:
            return None
        if seat.switch.name == NOWHERE:
            raise Refused(
                Words(
                    f"No Asterisk server lists the telephone {seat.agent.endpoint}.",
                    f"Ningún servidor Asterisk tiene el teléfono {seat.agent.endpoint}.",
                ),
                Words(
                    "An engineer has to add it under [[servers.NAME.phones]].",
                    "Ingeniería debe agregarlo en [[servers.NOMBRE.phones]].",
                ),
            )
        seat.resume = (AgentState.PAUSED, PAUSE_AFTER_SIGN_IN)
        seat.leg_tries = 0
        if not seat.nailed:
            return self._to(seat, *seat.resume)
        self._to(seat, AgentState.CONNECTING)
        return self.call_telephone(seat)

    def make_ready(self, seat: Seat) -> None:
        """Ready now, or after the call and wrap-up in progress. Raises Refused when signed out."""
        if seat.state is AgentState.OUT:
            raise Refused(*_SIGNED_OUT)
        seat.next_pause = None
        if seat.state is AgentState.CONNECTING:
            seat.resume = (AgentState.READY, "")
        elif seat.state is AgentState.PAUSED:
            self._to(seat, AgentState.READY)
        self.shown(seat)

    def pause(self, seat: Seat, reason: str) -> None:
        """Pause now, or after the call and wrap-up in progress. Raises Refused when signed out."""
        if seat.state is AgentState.OUT:
            raise Refused(*_SIGNED_OUT)
        if seat.state in _SPEAKING or seat.state is AgentState.WRAPUP:
            seat.next_pause = reason
        elif seat.state is AgentState.CONNECTING:
            seat.resume = (AgentState.PAUSED, reason)
        else:
            self.take_file(seat)
            self._to(seat, AgentState.PAUSED, reason)
        self.shown(seat)

    def sign_out(self, seat: Seat) -> None:
        """Raises Refused in a call, or while a disposition is due."""
        if seat.state in _SPEAKING:
            raise Refused(
                Words("You are in a call.", "Está en una llamada."), Words("Finish it first.", "Termínela primero.")
            )
        if seat.state is AgentState.WRAPUP:
            raise Refused(
                Words("The disposition of the last call is missing.", "Falta la tipificación de la última llamada."),
                Words("Choose one first.", "Elija una primero."),
            )
        if seat.state is AgentState.OUT:
            return
        self.take_file(seat)
        self._hang_up_telephone(seat)
        self._to(seat, AgentState.OUT)

    # -- files to choose from ------------------------------------------------------------------------------------------
    def show_file(self, seat: Seat, preview: Preview) -> None:
        """The agent decides whether this person is dialled."""
        self._c.observer.waited(self._c.clock.monotonic() - seat.since_s)
        seat.preview = preview
        self._to(seat, AgentState.PREVIEW, attempt_id=preview.lease.attempt_id)

    def close_file(self, seat: Seat) -> Preview | None:
        """The agent has chosen: what lay there."""
        preview, seat.preview = seat.preview, None
        if preview is not None:
            preview.timer.cancel()
        return preview

    def take_file(self, seat: Seat) -> None:
        """The agent goes, or the campaign does: the file was not chosen."""
        preview = self.close_file(seat)
        if preview is not None:
            self.unchosen(preview)

    def next_file(self, seat: Seat, came_of: str = "") -> None:
        """This person is not dialled: the agent waits for the next one."""
        seat.came_of = came_of
        self._settle_down(seat)

    # -- what the calls ask --------------------------------------------------------------------------------------------
    def reserve(self, seat: Seat, call: LiveCall) -> None:
        """A person is on the way to this agent: nobody else may be."""
        if seat.state is AgentState.READY:
            self._c.observer.waited(self._c.clock.monotonic() - seat.since_s)
        seat.call = call
        call.seat = seat
        seat.came_of = ""
        self._to(seat, AgentState.RESERVED, attempt_id=call.attempt_id)

    def talking(self, seat: Seat) -> None:
        """Both are in one bridge."""
        if seat.state is not AgentState.TALKING and seat.call is not None:
            self._to(seat, AgentState.TALKING, attempt_id=seat.call.attempt_id)

    def release(self, seat: Seat, came_of: str = "") -> None:
        """The person on the way never arrived: the agent waits again."""
        self._detach(seat)
        seat.came_of = came_of
        if not seat.nailed:
            self._hang_up_telephone(seat)  # it may still ring for the person who is gone
        if seat.reachable:
            self._settle_down(seat)
        else:
            self._telephone_lost(seat, (AgentState.READY, ""))

    def wrap_up(self, seat: Seat, call: LiveCall, talk_s: float) -> None:
        """The conversation is over: the disposition is due within the campaign's time."""
        self._detach(seat)
        seat.calls += 1
        seat.talk_s += talk_s
        if call.disposed:
            self._settle_down(seat)
        else:
            self.begin_wrap_up(seat, call, call.settings.wrapup_s)

    def begin_wrap_up(self, seat: Seat, call: LiveCall, seconds: float) -> None:
        """Wait for the disposition of a call that has ended."""
        seat.wrapping = call
        seat.wrapup_until = self._c.clock.now() + timedelta(seconds=seconds)
        self._cancel_wrapup(seat)
        seat.wrapup_timer = call_later(self._c.clock, seconds, lambda: self._wrapup_over(seat))
        self._to(seat, AgentState.WRAPUP, attempt_id=call.attempt_id)

    def disposed(self, seat: Seat, attempt_id: str) -> None:
        """A disposition was saved."""
        seat.overdue.pop(attempt_id, None)
        if seat.call is not None and seat.call.attempt_id == attempt_id:
            seat.call.disposed = True
        if seat.wrapping is not None and seat.wrapping.attempt_id == attempt_id:
            self._cancel_wrapup(seat)
            seat.wrapping, seat.wrapup_until = None, None
            self._settle_down(seat)
        self.shown(seat)

    def _settle_down(self, seat: Seat) -> None:
        """Nothing is owed any more: the pause asked for, or the next call."""
        if not seat.reachable:
            reason, seat.next_pause = seat.next_pause, None
            resume = (AgentState.PAUSED, reason) if reason else (AgentState.READY, "")
            return self._telephone_lost(seat, resume)
        if seat.next_pause is not None:
            reason, seat.next_pause = seat.next_pause, None
            return self._to(seat, AgentState.PAUSED, reason)
        return self._to(seat, AgentState.READY)

    def _wrapup_over(self, seat: Seat) -> None:
        call, seat.wrapping, seat.wrapup_until = seat.wrapping, None, None
        if call is None:
            return
        seat.overdue[call.attempt_id] = call
        self._on_wrapup_expired(seat, call)
        # Nobody chose anything: perhaps nobody is there, and the next person would find silence.
        seat.next_pause = seat.next_pause or PAUSE_WRAPUP_EXPIRED
        self._settle_down(seat)

    # -- telephones ----------------------------------------------------------------------------------------------------
    def call_telephone(self, seat: Seat) -> None:
        """Call the agent's telephone, to be nailed up, unless it is up or being called."""
        if seat.state is AgentState.OUT or seat.leg or self._c.stopping or not seat.nailed:
            return
        self._call(seat, _PICK_UP_S)

    def call_anew(self, seat: Seat) -> None:
        """The telephone is there and holds no call: call it now. A leg of ours that the switch still holds belonged to
        a page that is gone; it is hung up, and its end brings the call.
        """
        if not seat.leg:
            return self.call_telephone(seat)
        if not seat.nailed:
            return None  # it rings now, or holds the call it was rung for
        return self._end_leg(seat)

    def ring(self, seat: Seat) -> None:
        """Ring the telephone for the call the agent is reserved for; `picked_up` or `leg_ended` follows."""
        self._call(seat, RING_EACH_S, {"CAD_ONCE": 1})

    def _call(self, seat: Seat, seconds: int, variables: Mapping[str, str | int] = MappingProxyType({})) -> None:
        seat.leg = self._c.ids.leg()
        seat.channel = seat.leg
        seat.leg_since_s = self._c.clock.monotonic()
        self._legs[seat.switch.name, seat.leg] = seat
        action = Action(
            "Originate",
            {
                "Channel": f"PJSIP/{seat.agent.endpoint}",
                "ChannelId": seat.leg,
                "Context": "cad-agent",
                "Exten": "s",
                "Priority": 1,
                "Timeout": seconds * 1000,
                "Async": "true",
            },
            {"CAD_AGENT": seat.agent.id, **variables},
        )
        self._c.spawn(self._order(seat, seat.leg, action))

    async def _order(self, seat: Seat, leg: str, action: Action) -> None:
        try:
            await seat.switch.send([action])[0]
        except (AmiRefused, AmiLost):
            self.leg_ended(seat.switch, leg)
        except TelephonyError:
            pass  # unknown: the next snapshot of the switch tells

    def leg_idle(self, switch: Switch, message: Message) -> None:
        """The dialplan says that an agent's leg waits (again)."""
        seat = self.by_leg(switch, message.get("Uniqueid"))
        if seat is None:
            own = self.by_name(message.get("Agent"))
            wanted = own is not None and own.switch is switch and own.nailed and own.state is not AgentState.OUT
            if own is not None and wanted and not own.leg_up:
                self.adopt_leg(own, message.get("Uniqueid"), message.get("Channel"))
            return
        seat.channel = message.get("Channel") or seat.channel
        if seat.call is not None and seat.call.seat is not seat:
            self.release(seat)  # somebody else has the debtor
        self.leg_stands(seat)

    def leg_stands(self, seat: Seat) -> None:
        """The telephone is up."""
        seat.leg_tries = 0
        if seat.leg_up:
            return
        seat.leg_up = True
        if seat.state is AgentState.CONNECTING:
            state, reason = seat.resume
            self._to(seat, state, reason)
        elif not seat.nailed:
            took_s = self._c.clock.monotonic() - seat.leg_since_s
            seat.pickup_s += _NEWEST * (took_s - seat.pickup_s)
            self.picked_up(seat)
        self.shown(seat)

    def adopt_leg(self, seat: Seat, leg: str, channel: str) -> None:
        """A leg that stood on the switch before we knew it."""
        self._legs.pop((seat.switch.name, seat.leg), None)
        seat.leg, seat.channel, seat.leg_since_s = leg, channel, self._c.clock.monotonic()
        self._legs[seat.switch.name, leg] = seat
        self.leg_stands(seat)

    def probed(self, switch: Switch, endpoint: str, status: str) -> None:
        """What the switch's probes say of a telephone. An unregistered one is another matter: its leg still works."""
        seat = next((s for s in self.seats.values() if s.agent.endpoint == endpoint and s.switch is switch), None)
        if seat is None or status == "Removed" or seat.answers is (status != "Unreachable"):
            return
        seat.answers = status != "Unreachable"
        if seat.answers:
            if seat.state is AgentState.CONNECTING and seat.reachable:
                self._to(seat, *seat.resume)
        else:
            self.take_file(seat)
            if seat.state in (AgentState.READY, AgentState.PAUSED, AgentState.PREVIEW):
                resume = (AgentState.PAUSED, seat.reason) if seat.state is AgentState.PAUSED else (AgentState.READY, "")
                self._telephone_lost(seat, resume)
            call_later(self._c.clock, _DEAD_S, lambda: self._give_up_leg(seat))
        self.shown(seat)

    def _give_up_leg(self, seat: Seat) -> None:
        """The dialplan offers the debtor on it to somebody else."""
        if not seat.answers and seat.leg:
            self._end_leg(seat)

    def left(self, switch: Switch, leg: str) -> None:
        """The telephone hung up, and its leg's end is due."""
        seat = self.by_leg(switch, leg)
        if seat is not None:
            call_later(self._c.clock, HANGUP_S, lambda: self._forgotten(seat, leg))

    def _forgotten(self, seat: Seat, leg: str) -> None:
        if seat.leg == leg:
            seat.switch.mend(Mend.HANGUP, leg)
            self._end_leg(seat)

    def _end_leg(self, seat: Seat) -> None:
        """Have the leg hung up; its Hangup does the rest."""
        if seat.switch.session is not None:
            with contextlib.suppress(AmiLost):
                seat.switch.send([Action("Hangup", {"Channel": seat.channel})])

    def leg_ended(self, switch: Switch, leg: str) -> None:
        """The telephone hung up, or never answered."""
        seat = self._legs.pop((switch.name, leg), None)
        if seat is None or seat.leg != leg:
            return None
        seat.leg, seat.channel, seat.leg_up = "", "", False
        if not seat.nailed:
            return self._rung_ended(seat)
        lost = seat.call
        self.take_file(seat)
        if seat.state in (AgentState.READY, AgentState.PAUSED):
            self._telephone_lost(seat, (seat.state, seat.reason))
        elif seat.state is AgentState.PREVIEW:
            self._telephone_lost(seat, (AgentState.READY, ""))
        elif lost is not None:
            # The debtor is offered to another agent; this one is out until the leg is back.
            reached, held = seat.state is AgentState.TALKING, lost.seat is seat
            self._detach(seat)
            self._telephone_lost(seat, (AgentState.PAUSED, PAUSE_TELEPHONE) if reached else (AgentState.READY, ""))
            if held:  # else the dialplan was faster, and somebody else has the debtor already
                self._on_lost_agent(lost)
        elif seat.state is not AgentState.OUT:
            self._call_again(seat)
        return self.shown(seat)

    def _rung_ended(self, seat: Seat) -> None:
        """A telephone that is rung for each call: its end is the end of the conversation, as the agent means it (the
        dialplan then releases the person). Before that nobody picked up: the next person would ring in vain.
        """
        lost = seat.call
        if seat.state is AgentState.RESERVED and lost is not None:
            self._detach(seat)
            self._to(seat, AgentState.PAUSED, PAUSE_TELEPHONE)
            self._on_lost_agent(lost)
        self.shown(seat)

    def lost_link(self, switch: Switch) -> None:
        """Nothing is known of that server's legs until the next snapshot; nobody there is put through meanwhile."""
        self._ready = {name: seat for name, seat in self._ready.items() if seat.switch is not switch}
        self._show_all(switch)

    def back(self, switch: Switch) -> None:
        """The link is resynchronised: who is ready there may be put through again."""
        self._ready = {
            seat.agent.id: seat
            for seat in sorted(self.seats.values(), key=lambda seat: seat.since_s)
            if seat.state is AgentState.READY and seat.reachable and seat.switch.ready
        }
        self._show_all(switch)

    def _show_all(self, switch: Switch) -> None:
        for seat in self.seats.values():
            if seat.switch is switch:
                self.shown(seat)

    def _telephone_lost(self, seat: Seat, resume: tuple[AgentState, str]) -> None:
        seat.resume = resume
        self._to(seat, AgentState.CONNECTING)
        self._call_again(seat)

    def _call_again(self, seat: Seat) -> None:
        wait_s = _RETRY_S[min(seat.leg_tries, len(_RETRY_S) - 1)]
        seat.leg_tries += 1
        call_later(self._c.clock, wait_s, lambda: self.call_telephone(seat))

    def _hang_up_telephone(self, seat: Seat) -> None:
        leg, channel = seat.leg, seat.channel
        seat.leg, seat.channel, seat.leg_up = "", "", False
        self._legs.pop((seat.switch.name, leg), None)
        if leg and seat.switch.session is not None:
            with contextlib.suppress(AmiLost):
                seat.switch.send([Action("Hangup", {"Channel": channel})])

    # -- inside --------------------------------------------------------------------------------------------------------
    def _detach(self, seat: Seat) -> None:
        if seat.call is not None:
            seat.call.last_agent_id = seat.agent.id
            if seat.call.seat is seat:
                seat.call.seat = None
            seat.call = None

    def _cancel_wrapup(self, seat: Seat) -> None:
        if seat.wrapup_timer is not None:
            seat.wrapup_timer.cancel()
            seat.wrapup_timer = None

    def _to(self, seat: Seat, state: AgentState, reason: str = "", attempt_id: str | None = None) -> None:
        self._ready.pop(seat.agent.id, None)
        if (seat.state, seat.reason) != (state, reason):
            now, now_s = self._c.clock.now(), self._c.clock.monotonic()
            seat.spent_s[seat.state] = seat.spent_s.get(seat.state, 0.0) + now_s - seat.since_s
            seat.state, seat.reason, seat.since, seat.since_s = state, reason, now, now_s
            self._c.ledger.agent(AgentChange(seat.agent.id, state, now, reason, attempt_id))
            self.moved(seat)
        self.shown(seat)
        self._c.changed()
        if state is AgentState.READY and seat.reachable and seat.switch.ready:
            self._ready[seat.agent.id] = seat
            self._on_ready()
