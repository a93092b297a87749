"""Preview: an agent sees a person's file first, and says within a time whether to dial.

While the file is on the screen its lease lies with the agent: it is in nobody's hand and does not grow stale; at the
choice the gate is asked again. Whatever takes the file away gives the lease back. Once chosen, the call is that agent's
own (`Sender.launch_for`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from cadencia.clock import call_later
from cadencia.dialer.calls import Calls
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.context import Context
from cadencia.dialer.floor import Floor
from cadencia.dialer.live import Preview, Seat
from cadencia.dialer.sender import Sender
from cadencia.dialer.servers import Switch
from cadencia.domain.agents import PAUSE_PREVIEW_EXPIRED, SKIP_REASONS
from cadencia.domain.codes import Denial, label
from cadencia.domain.dialing import Lease
from cadencia.domain.events import Event
from cadencia.errors import Refused, Words
from cadencia.queue.routing import longest_idle


class Previews:
    """The files on the agents' screens.

    Args:
        runner: the campaign of an id.
        ranks: how each ready agent ranks for a campaign (id) on a server: the lower, the better, None for one it must
            not take.
    """

    def __init__(
        self,
        context: Context,
        floor: Floor,
        calls: Calls,
        sender: Sender,
        runner: Callable[[str], CampaignRunner],
        ranks: Callable[[str, Switch], Callable[[Seat], int | None]],
    ) -> None:
        self._c, self._floor, self._calls, self._sender = context, floor, calls, sender
        self._runner, self._ranks = runner, ranks
        floor.unchosen = self._unchosen

    def on(self, switch: Switch) -> int:
        """Files on the screens of a server's agents: each may become a call at any instant."""
        return sum(seat.preview is not None and seat.switch is switch for seat in self._floor.seats.values())

    def offer(self, runner: CampaignRunner, lease: Lease, switch: Switch) -> bool:
        """Show a file to the agent there who has waited longest; False if nobody is ready, or who is may be needed.

        Calls that no agent has chosen are in flight after a change of mode, or because a chooser's telephone fell.
        """
        skill, rank = runner.settings.skill, self._ranks(runner.campaign.id, switch)
        ready = self._floor.ready(switch)
        able = [seat for seat in ready if (not skill or skill in seat.skills) and rank(seat) is not None]
        seat = longest_idle(able, skill, rank)
        if seat is None or len(able) <= self._calls.for_anybody(runner.campaign.id, switch):
            return False
        seconds, now = runner.settings.preview_s, self._c.clock.now()
        timer = call_later(self._c.clock, seconds, lambda: self._time_is_over(seat))
        shown = Event(
            "attempt.previewed",
            now,
            campaign_id=lease.campaign_id,
            contact_id=lease.contact_id,
            attempt_id=lease.attempt_id,
            agent_id=seat.agent.id,
        )
        self._c.ledger.append(shown)
        self._floor.show_file(seat, Preview(lease, now + timedelta(seconds=seconds), timer))
        return True

    def dial(self, seat: Seat, attempt_id: str) -> None:
        """The agent wants this person called. Raises Refused with the reason if that may not be. Again is harmless."""
        if seat.call is not None and seat.call.attempt_id == attempt_id:
            return
        self._shown(seat, attempt_id)
        if not (self._c.may_dial and seat.switch.ready):
            raise Refused(
                Words("Nothing can be dialled at this moment.", "En este momento no se puede marcar."),
                Words("The file stays here: try again.", "La ficha sigue aquí: intente de nuevo."),
            )
        denial = self._dial(seat)
        if denial is not None:
            raise Refused(
                Words(
                    f"This person must not be called now: {label(denial, 'en')}.",
                    f"No se puede llamar ahora a esta persona: {label(denial, 'es')}.",
                ),
                Words("Go on with the next one.", "Siga con la siguiente."),
            )

    def skip(self, seat: Seat, attempt_id: str, reason: str) -> None:
        """The agent wants this person left out for now: due again after the campaign's `retry_minutes`."""
        if reason not in SKIP_REASONS:
            raise Refused(
                Words(f"There is no reason {reason!r} to skip.", f"No existe el motivo {reason!r} para saltar."),
                Words(f"Choose one of {', '.join(SKIP_REASONS)}.", f"Elija entre {', '.join(SKIP_REASONS)}."),
            )
        preview = self._shown(seat, attempt_id)
        self._floor.close_file(seat)
        again = timedelta(minutes=self._runner(preview.lease.campaign_id).settings.retry_minutes)
        self._give_back(preview.lease, f"skipped:{reason}", self._c.clock.now() + again)
        self._floor.next_file(seat)

    def withdraw(self, campaign_id: str | None = None) -> None:
        """The campaign pauses or stops (or, without one, the engine): its files are taken from the screens."""
        for seat in self._floor.seats.values():
            if seat.preview is not None and campaign_id in (None, seat.preview.lease.campaign_id):
                self._floor.take_file(seat)
                self._floor.next_file(seat)

    def _shown(self, seat: Seat, attempt_id: str) -> Preview:
        if seat.preview is None or seat.preview.lease.attempt_id != attempt_id:
            raise Refused(
                Words("This file is not on your screen any more.", "Esta ficha ya no está en su pantalla."),
                Words("Go on with the one that is.", "Siga con la que está."),
            )
        return seat.preview

    def _dial(self, seat: Seat) -> Denial | None:
        """Dial the person on the screen, unless the gate has turned against it since the file was shown."""
        preview = self._floor.close_file(seat)
        if preview is None:
            return None
        runner = self._runner(preview.lease.campaign_id)
        denied = runner.may_still(preview.lease)
        if denied is not None:
            self._give_back(preview.lease, "stale")
            self._floor.next_file(seat, denied)
            return denied
        self._sender.launch_for(runner, preview.lease, seat)
        return None

    def _time_is_over(self, seat: Seat) -> None:
        if seat.preview is None:
            return
        dials = self._runner(seat.preview.lease.campaign_id).settings.preview_auto_dial
        # Where no page shows the file, nobody would speak to whoever answers.
        if not dials or not self._c.hub.listened(f"agent/{seat.agent.id}"):
            self._floor.pause(seat, PAUSE_PREVIEW_EXPIRED)
        elif self._c.may_dial and seat.switch.ready:
            self._dial(seat)
        else:
            self._floor.take_file(seat)
            self._floor.next_file(seat)

    def _unchosen(self, preview: Preview) -> None:
        self._give_back(preview.lease, "not chosen")

    def _give_back(self, lease: Lease, reason: str, due_at: datetime | None = None) -> None:
        runner = self._runner(lease.campaign_id)
        self._c.spawn(runner.give_back([lease.attempt_id], reason, due_at))
