"""The end of a call, for those who look at the lines: the trunks' book, the unknown codes, and the trace in the log."""

from __future__ import annotations

from cadencia.dialer.context import Context
from cadencia.dialer.live import LiveCall
from cadencia.dialer.trunkbook import End, Ended
from cadencia.domain.codes import Outcome
from cadencia.domain.events import Event
from cadencia.telephony.call import Ground, Judged, Phase, ending, judge
from cadencia.telephony.outcomes import OutcomeTable


def operator_of(live: LiveCall) -> str:
    """The operator that rules of the table may name: the one set for the trunk, else the trunk's own name."""
    trunk = live.switch.trunk(live.settings.trunk)
    return trunk.operator if trunk is not None else live.settings.trunk


def close(c: Context, live: LiveCall, result: Outcome, table: OutcomeTable) -> None:
    """Take a call into the books as it is settled, once.

    Args:
        result: what is settled; usually what `judge` says, but an order that the switch refused has ended no call.
    """
    now, now_s = c.clock.now(), c.clock.monotonic()
    call, trunk = live.call, live.settings.trunk
    end = ending(call, operator_of(live))
    judged = judge(call, table, operator_of(live))
    if judged.outcome is not result:
        judged = Judged(result, Ground.NO_CHANNEL)
    sent = result is not Outcome.CANCELLED or call.phase is Phase.ENDED
    codes = (end.sip, end.q850, end.rang, end.media, end.timeout)
    known = judged.ground is not Ground.NO_RULE
    rule = str(judged.rule or "")
    if sent:
        broke = call.answered_s is None or result is Outcome.DROPPED
        shown = End(live.switch.name, trunk, *codes, result, known, rule) if broke else None
        up_s = None if call.answered_s is None else (call.ended_s or now_s) - call.answered_s
        ended = Ended(live.switch.name, trunk, result, now, shown, _pdd_s(live), up_s, live.attempt_id)
        c.book.take(ended, now_s)
    if not known:
        c.observer.unknown_cause(live.switch.name, trunk, end.sip, end.q850)
    told = {
        "server": live.switch.name,
        "trunk": trunk,
        "outcome": str(result),
        "ground": str(judged.ground),
        "rule": rule,
        **dict(zip(("sip", "q850", "rang", "media", "timeout"), codes, strict=True)),
        **live.trace.body(),
    }
    agent_id = live.seat.agent.id if live.seat else live.last_agent_id
    c.ledger.append(
        Event("attempt.traced", now, live.campaign_id, live.contact_id, live.attempt_id, agent_id, body=told)
    )


def _pdd_s(live: LiveCall) -> float | None:
    """Post-dial delay: from the sending to the first sign of life from the far end."""
    call = live.call
    first = [at for at in (call.progress_s, call.ringing_s, call.answered_s) if at is not None]
    return min(first) - call.sent_s if first and not live.adopted else None
