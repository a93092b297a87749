"""Taking over what an engine before us left: agents' states, calls on the line, dispositions still owed.

A mere lease is given back with its counters. An attempt in `sending` is taken up as a call whose fate only the switch
knows: the first snapshot either finds its channel, and the call goes on, or does not, and the attempt ends with what
was written down of it ("outcome unknown" if nothing was).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import structlog

from cadencia.dialer.calls import Calls
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.context import Context
from cadencia.dialer.floor import Floor
from cadencia.dialer.live import LiveCall
from cadencia.domain.agents import AgentSession, AgentState
from cadencia.domain.dialing import AttemptState, OpenAttempt
from cadencia.pacing.port import DialView
from cadencia.telephony.call import Call, Phase

log = structlog.get_logger(__name__)


async def restore(c: Context, floor: Floor, calls: Calls, runners: dict[str, CampaignRunner]) -> None:
    """Rebuild the engine's picture from the store, before the first link. Raises StoreError."""
    sessions = await c.store.agent_sessions()
    opened = [attempt for attempt in await c.store.open_attempts() if attempt.campaign_id in runners]
    leased = [attempt.attempt_id for attempt in opened if attempt.state is AttemptState.LEASED]
    if leased:
        await c.store.give_back(leased, c.token, "engine restarted", c.clock.now())
    owed = {attempt.attempt_id: attempt for attempt in await c.store.awaiting_disposition()}
    told: list[tuple[float, Callable[[], None]]] = []
    for attempt in opened:
        if attempt.state is AttemptState.SENDING:
            told += _take_up(c, calls, runners[attempt.campaign_id], attempt)
    for _, tell in sorted(told, key=lambda pair: pair[0]):
        tell()
    for session in sessions:
        _seat(c, floor, calls, runners, owed, session)
    log.info("engine.restored", calls=len(calls.live), leases_returned=len(leased), dispositions_owed=len(owed))


def _live(c: Context, runner: CampaignRunner, attempt: OpenAttempt, call: Call) -> LiveCall:
    live = LiveCall(
        attempt.attempt_id,
        attempt.campaign_id,
        attempt.contact_id,
        attempt.person_id,
        attempt.phone,
        attempt.file,
        runner.settings,
        call,
        c.switches.named(attempt.server),
        attempt.attempt_id,
        c.clock.now(),
        last_agent_id=attempt.agent_id,
        answered_at=attempt.answered_at,
        connected_at=attempt.connected_at,
        answered_wall_s=c.clock.wall(),
        adopted=True,
    )
    live.trace.begin(c.clock.now(), c.clock.monotonic(), "adopted", phase=str(call.phase))
    return live


def _take_up(
    c: Context, calls: Calls, runner: CampaignRunner, attempt: OpenAttempt
) -> Iterator[tuple[float, Callable[[], None]]]:
    """An attempt that was sent: as far as was written down. What the controller is to be told of it, and of when."""
    phase = Phase.SENT
    if attempt.connected_at is not None:
        phase = Phase.TALKING
    elif attempt.answered_at is not None:
        phase = Phase.ANSWERED
    call = Call(
        attempt.attempt_id,
        _clock_s(c, attempt.leased_at),
        phase,
        answered_s=_clock_s(c, attempt.answered_at) if attempt.answered_at else None,
        talking_s=_clock_s(c, attempt.connected_at) if attempt.connected_at else None,
    )
    calls.live[attempt.attempt_id] = live = _live(c, runner, attempt, call)
    pool = runner.pool(live.switch)
    ref, story = attempt.attempt_id, runner.story
    yield call.sent_s, partial(story.launched, ref, call.sent_s)
    if call.answered_s is not None:
        yield call.answered_s, partial(story.answered, ref, call.answered_s)
    if call.talking_s is not None:
        yield call.talking_s, partial(story.connected, ref, call.talking_s)
    if phase is Phase.SENT:
        pool.dials[attempt.attempt_id] = DialView(attempt.attempt_id, call.sent_s)
    elif phase is Phase.ANSWERED:
        pool.waiting.add(attempt.attempt_id)


def _clock_s(c: Context, at: datetime) -> float:
    """A written instant on the monotonic scale of this process."""
    return c.clock.monotonic() - max(0.0, (c.clock.now() - at).total_seconds())  # the clock may have been set back


def _seat(
    c: Context,
    floor: Floor,
    calls: Calls,
    runners: dict[str, CampaignRunner],
    owed: dict[str, OpenAttempt],
    session: AgentSession,
) -> None:
    now, now_s = c.clock.now(), c.clock.monotonic()
    if session.state is AgentState.OUT:
        floor.add(session.agent, AgentState.OUT, session.since)
        return
    seat = floor.add(session.agent, AgentState.CONNECTING, now)
    live = calls.live.get(session.attempt_id or "")
    if session.state in (AgentState.TALKING, AgentState.RESERVED) and live is not None:
        # The leg is looked for on the switch; if the call is gone too, the snapshot ends it and the wrap-up begins.
        seat.state, seat.call, live.seat = session.state, live, seat
        live.chosen = live.answered_at is None  # only in preview has an agent a call that nobody answered yet
    elif session.state in (AgentState.TALKING, AgentState.WRAPUP) and session.attempt_id in owed:
        attempt = owed[session.attempt_id]
        runner = runners[attempt.campaign_id]
        elapsed_s = (now - session.since).total_seconds() if session.state is AgentState.WRAPUP else 0.0
        done = _live(c, runner, attempt, Call(attempt.attempt_id, now_s, Phase.ENDED))
        floor.begin_wrap_up(seat, done, max(5.0, runner.settings.wrapup_s - elapsed_s))
    elif session.state is AgentState.PAUSED:
        seat.resume = (AgentState.PAUSED, session.reason)
    elif session.state is not AgentState.CONNECTING:
        seat.resume = (AgentState.READY, "")
    if seat.state is AgentState.CONNECTING and not seat.nailed:
        seat.state, seat.reason = seat.resume  # there is no leg to wait for
