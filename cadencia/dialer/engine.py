"""The engine: what people ask of it, on top of its core."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from cadencia.compliance.script import Finding, lint_note
from cadencia.dialer.browser import browser_telephone
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.core import EngineCore
from cadencia.dialer.live import LiveCall
from cadencia.dialer.present import note_view, obligation_view
from cadencia.dialer.settings import changed_settings
from cadencia.dialer.views import BrowserTelephoneView, NoteView, ObligationView
from cadencia.dialer.whatif import WhatIf, what_if
from cadencia.domain.agents import PAUSE_REASONS
from cadencia.domain.codes import DISPOSITIONS
from cadencia.domain.dialing import CampaignState, Promise
from cadencia.domain.events import Event
from cadencia.errors import Refused, Words

_NOBODY_THERE = (
    Words("Nobody has been put through yet.", "Todavía no hay nadie en la línea."),
    Words("Wait for the call.", "Espere la llamada."),
)


class Engine(EngineCore):
    """The desk (`cadencia.dialer.desk.Desk`, which says what each of these does) over a running core."""

    # -- an agent --------------------------------------------------------------------------------------------
    async def sign_in(self, agent_id: str) -> None:
        self.staff.sign_in(self.staff.seat(agent_id))

    async def ready(self, agent_id: str) -> None:
        self.staff.make_ready(self.staff.seat(agent_id))

    async def pause(self, agent_id: str, reason: str) -> None:
        if reason not in PAUSE_REASONS:
            raise Refused(
                Words(f"There is no pause reason {reason!r}.", f"No existe el motivo de pausa {reason!r}."),
                Words(f"Choose one of {', '.join(PAUSE_REASONS)}.", f"Elija entre {', '.join(PAUSE_REASONS)}."),
            )
        self.staff.pause(self.staff.seat(agent_id), reason)

    async def sign_out(self, agent_id: str) -> None:
        self.staff.sign_out(self.staff.seat(agent_id))

    async def finish(self, agent_id: str, attempt_id: str) -> None:
        live = self._on_screen(agent_id, attempt_id)
        if live.answered_at is None:
            self.calls.take_back(live)
            self.show_agent(self.staff.seat(agent_id))
        elif live.attempt_id in self.calls.live:
            self.calls.release(live)

    async def dial(self, agent_id: str, attempt_id: str) -> None:
        self.previews.dial(self.staff.seat(agent_id), attempt_id)

    async def skip(self, agent_id: str, attempt_id: str, reason: str) -> None:
        self.previews.skip(self.staff.seat(agent_id), attempt_id, reason)

    async def confirm(self, agent_id: str, attempt_id: str) -> tuple[ObligationView, ...]:
        live = self._on_screen(agent_id, attempt_id)
        if live.answered_at is None:
            raise Refused(*_NOBODY_THERE)
        if not live.confirmed:
            shown = Event(
                "attempt.file_shown",
                self.clock.now(),
                campaign_id=live.campaign_id,
                contact_id=live.contact_id,
                attempt_id=attempt_id,
                agent_id=agent_id,
            )
            await self.store.append([shown])  # first the line in the log, then the amounts
            live.confirmed = True
            self.show_agent(self.staff.seat(agent_id))
        return tuple(obligation_view(obligation, amounts=True) for obligation in live.file.obligations)

    def _on_screen(self, agent_id: str, attempt_id: str) -> LiveCall:
        seat = self.staff.seat(agent_id)
        if seat.preview is not None and seat.preview.lease.attempt_id == attempt_id:
            raise Refused(*_NOBODY_THERE)
        shown = seat.shown
        if shown is None or shown.attempt_id != attempt_id:
            raise Refused(
                Words("This call is not on your screen any more.", "Esta llamada ya no está en su pantalla."),
                Words("Go on with the one that is.", "Siga con la que está."),
            )
        return shown

    async def dispose(
        self,
        agent_id: str,
        attempt_id: str,
        code: str,
        note: str,
        promise: Promise | None,
        callback_at: datetime | None,
    ) -> None:
        seat = self.staff.seat(agent_id)
        live = self._owed(agent_id, attempt_id)
        leaf = DISPOSITIONS.get(code)
        if leaf is None:
            raise Refused(
                Words(f"There is no disposition {code!r}.", f"No existe la tipificación {code!r}."),
                Words("Choose one from the list.", "Elija una de la lista."),
            )
        if live.connected_at is None:
            raise Refused(*_NOBODY_THERE)
        if leaf.needs_promise and (promise is None or promise.amount.minor <= 0):
            raise Refused(
                Words("A promise needs an amount and a date.", "Una promesa necesita valor y fecha."),
                Words("Fill both in.", "Complete los dos."),
            )
        if callback_at is not None and callback_at <= self.clock.now():
            raise Refused(
                Words("The callback lies in the past.", "La hora de volver a llamar ya pasó."),
                Words("Choose a later time.", "Elija una hora posterior."),
            )
        await self.save_disposition(agent_id, live, code, note, promise, callback_at)
        self.staff.disposed(seat, attempt_id)
        self._look_at_note(agent_id, live, note)

    def _owed(self, agent_id: str, attempt_id: str) -> LiveCall:
        """A call that the agent may dispose of."""
        return self.staff.seat(agent_id).overdue.get(attempt_id) or self._on_screen(agent_id, attempt_id)

    def check_note(self, agent_id: str, attempt_id: str, note: str, language: str) -> NoteView:
        return note_view(note, self._lint(self._owed(agent_id, attempt_id), note, language))

    def _lint(self, live: LiveCall, note: str, language: str) -> tuple[Finding, ...]:
        return lint_note(note, self.judge.stack(self._runner(live.campaign_id).campaign.settings), language)

    def _look_at_note(self, agent_id: str, live: LiveCall, note: str) -> None:
        """A note is no question, and is saved whatever it says; what it shows of a forbidden one is written down."""
        now = self.clock.now()
        for rule in dict.fromkeys(finding.rule for finding in self._lint(live, note, "es")):
            at = (live.campaign_id, live.contact_id, live.attempt_id, agent_id)
            self.context.ledger.append(Event("script.finding", now, *at, body={"rule": rule}))

    def browser_telephone(self, agent_id: str) -> BrowserTelephoneView:
        return browser_telephone(self.staff.seat(agent_id))

    async def call_telephone(self, agent_id: str) -> None:
        seat = self.staff.seat(agent_id)
        browser_telephone(seat)
        self.staff.call_anew(seat)

    def browser_addresses(self) -> tuple[str, ...]:
        addresses = (
            switch.server.wss
            for switch in self.switches
            if switch.server.wss and any(phone.browser for phone in switch.server.telephones.values())
        )
        return tuple(dict.fromkeys(addresses))

    # -- a supervisor ----------------------------------------------------------------------------------------
    async def start_campaign(self, campaign_id: str, by: str, reason: str) -> None:
        await self._set_state(campaign_id, CampaignState.RUNNING, by, reason)

    async def pause_campaign(self, campaign_id: str, by: str, reason: str) -> None:
        await self._set_state(campaign_id, CampaignState.PAUSED, by, reason)

    async def stop_campaign(self, campaign_id: str, by: str, reason: str) -> None:
        await self._set_state(campaign_id, CampaignState.STOPPED, by, reason)

    async def _set_state(self, campaign_id: str, state: CampaignState, by: str, reason: str) -> None:
        runner = self._runner(campaign_id)
        if runner.campaign.state is state:
            return
        changed = replace(runner.campaign, state=state)
        if state is not CampaignState.RUNNING:
            runner.change(changed)  # stop first: the store may be slow
            self.previews.withdraw(campaign_id)
        await self.store.set_campaign_state(campaign_id, state, by, reason, self.clock.now())
        runner.change(changed)
        if state is CampaignState.STOPPED:
            runner.cancel_all()
        self.changed()

    async def set_campaign(self, campaign_id: str, changes: dict[str, Any], by: str, reason: str) -> None:
        runner = self._runner(campaign_id)
        settings = changed_settings(runner.settings, changes)
        await self.store.set_campaign(campaign_id, settings, by, reason, self.clock.now())
        runner.change(replace(runner.campaign, settings=settings))
        self.changed()

    def what_if(self, campaign_id: str, changes: dict[str, Any], agents: int | None = None) -> WhatIf:
        runner = self._runner(campaign_id)
        serving = tuple(a for switch in self.switches for a in self._serving(campaign_id, switch))
        return what_if(runner, changes, serving, self.switches.line(runner.settings.trunk), agents)

    def _runner(self, campaign_id: str) -> CampaignRunner:
        try:
            return self.runners[campaign_id]
        except KeyError:
            raise Refused(
                Words("There is no such campaign.", "Esa campaña no existe."),
                Words("Look at the list of campaigns.", "Vea la lista de campañas."),
            ) from None
