"""Puts what the engine holds into the messages that pages show. Numbers are masked here, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cadencia.clock import Clock
from cadencia.compliance.script import Finding, Kind, phrases
from cadencia.compliance.stack import Stack
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.live import LiveCall, Seat
from cadencia.dialer.servers import Switch
from cadencia.dialer.timeline import Timeline
from cadencia.dialer.views import (
    AbandonmentView,
    AgentRow,
    AgentView,
    CallRow,
    CallView,
    CampaignView,
    FloorView,
    ForecastView,
    NoteFinding,
    NoteView,
    ObligationView,
    PastContactView,
    PopView,
    SaidView,
    ScriptView,
    TimelineRow,
)
from cadencia.dialer.why import SWITCH_DOWN, sentence
from cadencia.domain.codes import label
from cadencia.domain.dialing import Lease
from cadencia.domain.people import DebtorFile, Obligation
from cadencia.errors import Words
from cadencia.pacing.budget import Count, Variant, rate, upper_bound
from cadencia.pacing.port import Forecast
from cadencia.telephony.call import Phase

#: The rest of a word, perhaps nothing.
_WORD = re.compile(r"\A\w*")


def masked(text: str, shown: int) -> str:
    """The last characters of a number, the rest as dots."""
    return "•" * max(0, len(text) - shown) + text[-shown:] if len(text) > shown else "•" * len(text)


def obligation_view(obligation: Obligation, *, amounts: bool) -> ObligationView:
    """An obligation, with its amounts only when the right party is confirmed."""
    return ObligationView(
        id=obligation.id,
        product=obligation.product,
        creditor=obligation.creditor,
        number=masked(obligation.number, 4),
        role=obligation.role,
        days_past_due=obligation.days_past_due,
        due_date=obligation.due_date.isoformat() if obligation.due_date else None,
        balance_minor=obligation.balance.minor if amounts else None,
        overdue_minor=obligation.overdue.minor if amounts else None,
        currency=obligation.balance.currency if amounts else None,
    )


@lru_cache(maxsize=32)
def script_view(stack: Stack) -> ScriptView:
    """What the profiles of a campaign want said, and what they forbid."""
    say, dont = phrases(stack)
    return ScriptView(tuple(SaidView(p.es, p.en) for p in say), tuple(SaidView(p.es, p.en) for p in dont))


def note_view(note: str, findings: Iterable[Finding]) -> NoteView:
    """What was found in a note, each to the end of its last word."""
    return NoteView(
        tuple(
            NoteFinding(f.rule, f.said + _WORD.findall(note[f.end :])[0], f.told, f.citation, f.kind is Kind.QUESTION)
            for f in findings
        )
    )


def pop_view(seat: Seat, campaign: str, script: ScriptView | None = None) -> PopView | None:
    """The screen-pop: of the call, or of the file that waits for the agent's choice."""
    live = seat.shown
    if live is not None:
        return _pop(live, live.file, campaign, live.answered_at, script, confirmed=live.confirmed)
    if seat.preview is not None:
        return _pop(seat.preview.lease, seat.preview.lease.file, campaign, None, script, confirmed=False)
    return None


def _pop(
    of: LiveCall | Lease,
    file: DebtorFile,
    campaign: str,
    answered_at: datetime | None,
    script: ScriptView | None,
    *,
    confirmed: bool,
) -> PopView:
    return PopView(
        attempt_id=of.attempt_id,
        campaign_id=of.campaign_id,
        campaign=campaign,
        person=file.name,
        city=file.city,
        language=file.language,
        document=f"{file.doc_type} {masked(file.doc_number, 3)}",
        phone=masked(of.phone.e164, 4),
        obligations=tuple(obligation_view(o, amounts=confirmed) for o in file.obligations),
        history=tuple(
            PastContactView(h.at, h.outcome, h.disposition, h.agent_id, h.note if confirmed else "")
            for h in file.history
        ),
        confirmed=confirmed,
        answered_at=answered_at,
        script=script,
    )


def agent_view(seat: Seat, campaign: str, script: ScriptView | None = None) -> AgentView:
    """An agent's own present."""
    return AgentView(
        id=seat.agent.id,
        name=seat.agent.name,
        endpoint=seat.agent.endpoint,
        state=seat.state,
        since=seat.since,
        reason=seat.reason,
        phone_up=seat.reachable,
        pop=pop_view(seat, campaign, script),
        wrapup_until=seat.wrapup_until,
        next_pause=seat.next_pause,
        calls=seat.calls,
        talk_s=round(seat.talk_s, 1),
        overdue=tuple(seat.overdue),
        preview_until=seat.preview.until if seat.preview else None,
        hanging_up=seat.call is not None and seat.call.unwanted,
        came_of=seat.came_of,
        switch_up=seat.switch.ready,
        telephone=_telephone(seat),
        server=seat.switch.name,
        nailed=seat.nailed,
    )


def _telephone(seat: Seat) -> str:
    if seat.switch.telephone(seat.agent.endpoint).browser:
        return "browser"
    return "nailed" if seat.nailed else "rung"


def campaign_view(runner: CampaignRunner, calls: Iterable[LiveCall]) -> CampaignView:
    """A campaign's present."""
    campaign, settings, counts, budget = runner.campaign, runner.settings, runner.counts, runner.budget
    pool = runner.shown
    row, forecast = pool.log.shown, pool.last.forecast
    if not pool.switch.ready:
        row, forecast = {**(row or {}), "reason": SWITCH_DOWN, "launch": 0}, None
    talking = sum(1 for live in calls if live.campaign_id == campaign.id and live.call.phase is Phase.TALKING)
    return CampaignView(
        id=campaign.id,
        name=campaign.name,
        state=campaign.state,
        mode=settings.mode,
        ratio=settings.ratio,
        abandonment_cap=settings.abandonment_cap,
        ring_s=settings.ring_s,
        wait_s=settings.wait_s,
        wrapup_s=settings.wrapup_s,
        reason=str(row["reason"]) if row else pool.last.reason,
        dialling=len(runner.dials),
        waiting=runner.waiting,
        talking=talking,
        attempts=counts.attempts,
        answered_live=counts.answered_live,
        connected=counts.connected,
        abandoned=counts.abandoned,
        abandonment_rate=counts.abandonment_rate,
        contacts=counts.contacts,
        contacts_touched=counts.contacts_touched,
        contacts_closed=counts.contacts_closed,
        outcomes=dict(counts.outcomes),
        denied=dict(counts.denied),
        abandonment_target=settings.abandonment_target,
        cancel_late=settings.cancel_late,
        weight=settings.weight,
        why=_said(sentence(row)) if row else None,
        forecast=_forecast(forecast) if forecast else None,
        abandonment_day=_abandonment(budget.day),
        abandonment_month=_abandonment(budget.month),
        budget_left=round(float(forecast.budget_drops if forecast else runner.budget_left), 2),
        profiles=settings.profiles,
        **lawful_time(runner),
    )


def lawful_time(runner: CampaignRunner) -> dict[str, Any]:
    """What is left of today's lawful calling time, for somebody in Colombia; nothing where a profile is missing."""
    opening, now = runner.opening, runner.now
    if opening is None:
        return {}
    window = opening.window(now)
    return {
        "lawful_left_s": round(opening.left_s(now), 1),
        "lawful_until": window[1] if window else None,
        "lawful_from": None if window else opening.next(now, timedelta(0)),
    }


def _said(words: Words) -> SaidView:
    return SaidView(words.es, str(words))


def _forecast(forecast: Forecast) -> ForecastView:
    return ForecastView(
        round(float(forecast.risk), 4),
        round(float(forecast.threshold), 4),
        round(float(forecast.answer_rate), 4),
        round(float(forecast.free_10s), 2),
        round(float(forecast.answers_10s), 2),
        round(float(forecast.answers_10s_low), 2),
        round(float(forecast.answers_10s_high), 2),
    )


@lru_cache(maxsize=256)
def _abandonment(count: Count) -> AbandonmentView:
    ofcom, without_machines = rate(count, Variant.OFCOM), rate(count, Variant.WITHOUT_MACHINES)
    return AbandonmentView(
        count.answers,
        count.abandoned,
        round(rate(count), 5),
        round(upper_bound(count), 5),
        round(ofcom, 5),
        round(without_machines, 5),
    )


def floor_view(
    clock: Clock,
    runners: Iterable[CampaignRunner],
    seats: Iterable[Seat],
    calls: Iterable[LiveCall],
    *,
    switches: Iterable[Switch],
    store_up: bool,
) -> FloorView:
    """The supervisor's present."""
    calls, switches = list(calls), list(switches)
    return FloorView(
        at=clock.now(),
        simulated=clock.simulated,
        speed=clock.speed,
        switch_up=any(switch.ready for switch in switches),
        store_up=store_up,
        campaigns=tuple(campaign_view(runner, calls) for runner in runners),
        agents=tuple(_agent_row(seat) for seat in seats),
        calls=tuple(
            CallRow(
                live.attempt_id,
                live.campaign_id,
                live.call.phase,
                live.since,
                live.seat.agent.id if live.seat else None,
            )
            for live in calls
        ),
        servers_down=tuple(switch.name for switch in switches if not switch.ready),
    )


def _agent_row(seat: Seat) -> AgentRow:
    return AgentRow(
        id=seat.agent.id,
        name=seat.agent.name,
        state=seat.state,
        since=seat.since,
        reason=seat.reason,
        phone_up=seat.reachable,
        campaign_id=seat.campaign_id,
        calls=seat.calls,
        talk_s=round(seat.talk_s, 1),
    )


def call_view(timeline: Timeline) -> CallView:
    """One call's timeline."""
    code = timeline.outcome
    return CallView(
        timeline.attempt_id,
        timeline.campaign_id,
        timeline.live,
        code,
        SaidView(label(code, "es"), label(code, "en")),
        timeline.traced,
        timeline.dropped,
        tuple(TimelineRow(row.at, row.ms, row.source, row.what, _said(row.words), row.detail) for row in timeline.rows),
    )
