"""A call's trace and its timeline: bounded, without a debtor's data, and in the order of time."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cadencia.clock import SystemClock
from cadencia.dialer.servers import Mend
from cadencia.dialer.timeline import Timeline, assemble
from cadencia.dialer.trace import MOST, Trace
from cadencia.domain.events import Event
from cadencia.errors import AmiLost, AmiRefused, AmiTimeout
from cadencia.telephony.ami.codec import Decoder, Message
from cadencia.telephony.ami.session import Action
from cadencia.telephony.call import WANTED_EVENTS, Call, Sign, Signal, advance

SENT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


def message(text: str) -> Message:
    (read_back,) = Decoder().feed(b"banner\r\n" + text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    return read_back


def at(ms: float) -> datetime:
    return SENT + timedelta(milliseconds=ms)


def event(kind: str, ms: float, agent: str | None = None, **body: Any) -> Event:
    return Event(f"attempt.{kind}", at(ms), "c1", 7, "a1", agent, body)


# -- the trace --------------------------------------------------------------------------------------------------------
def test_of_an_event_only_the_headers_that_matter_are_kept() -> None:
    trace = Trace()
    trace.begin(SENT, 100.0)
    trace.heard(
        message("Event: DialState\nDestUniqueid: a1\nDialStatus: PROGRESS\nDestCallerIDNum: 573001234567\n"
                "DestChannel: PJSIP/trunk-00000001\nDestConnectedLineName: María Pérez"), 100.64,
    )  # fmt: skip
    trace.heard(message("Event: UserEvent\nUniqueid: a1\nUserEvent: SiteOwn\nStatus: María Pérez debe 3"), 101.0)
    body = trace.body()
    assert body["entries"][1:] == [
        [640, "event", {"event": "DialState", "DialStatus": "PROGRESS"}],
        [1000, "event", {"event": "UserEvent", "UserEvent": "SiteOwn"}],
    ]
    assert "573001234567" not in json.dumps(body) and "María" not in json.dumps(body, ensure_ascii=False)


def test_a_trace_is_bounded_and_says_what_it_left_out() -> None:
    trace = Trace()
    trace.begin(SENT, 0.0)
    for n in range(MOST + 50):
        trace.add(float(n), "mended", what="x")
    body = trace.body()
    assert (len(body["entries"]), body["dropped"]) == (MOST, 51)


async def test_orders_and_what_came_back_of_them() -> None:
    trace, clock = Trace(), SystemClock()
    trace.begin(clock.now(), clock.monotonic())
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[Message]] = [loop.create_future() for _ in range(4)]
    trace.ordered(
        [Action("Originate", {"Channel": "PJSIP/573001234567@trunk"}), *[Action("Bridge")] * 3], answers, clock
    )
    answers[0].set_result(message("Response: Success"))
    answers[1].set_exception(AmiRefused("Bridge: Channel1 does not exist: PJSIP/573001234567"))
    answers[2].set_exception(AmiTimeout("late"))
    answers[3].set_exception(AmiLost("gone"))
    await asyncio.sleep(0)
    told = [(code, entry.get("reply")) for _, code, entry in trace.body()["entries"][1:]]
    assert told == [("order", None)] * 4 + [
        ("reply", "ok"),
        ("reply", "refused"),
        ("reply", "timeout"),
        ("reply", "lost"),
    ]
    assert "573001234567" not in json.dumps(trace.body())


# -- the timeline -----------------------------------------------------------------------------------------------------
def traced() -> dict[str, Any]:
    trace = Trace()
    trace.begin(SENT, 0.0, server="sur", trunk="claro")
    before = Call("a1", 0.0)
    after = advance(before, Signal("a1", Sign.RINGING), 2.0)
    trace.heard(message("Event: Newstate\nUniqueid: a1\nChannelState: 5"), 2.0)
    trace.moved(before, after, Signal("a1", Sign.RINGING), 2.0)
    trace.heard(message("Event: Hangup\nUniqueid: a1\nCause: 19\nTechCause: 480"), 9.0004)
    return trace.body() | {
        "server": "sur", "trunk": "claro", "outcome": "NOA", "ground": "rule", "rule": "outcomes.toml:24",
        "sip": 480, "q850": 19, "rang": True, "media": False, "timeout": False,
    }  # fmt: skip


def log(**body: Any) -> list[Event]:
    return [
        event("leased", -300),
        event("sending", -5),
        event("settled", 9000.3, outcome="NOA", cause=19, tech_cause=480),
        event("traced", 9000.4, **body),
    ]


def whats(timeline: Timeline) -> list[str]:
    return [row.what for row in timeline.rows]


def test_log_and_trace_in_the_order_of_time_with_the_rule_that_decided() -> None:
    timeline = assemble(log(**traced()))
    assert whats(timeline) == [
        "attempt.leased", "attempt.sending", "event.Newstate", "phase.ringing", "event.Hangup", "attempt.settled",
    ]  # fmt: skip
    assert (timeline.live, timeline.outcome, timeline.traced) == (False, "NOA", True)
    end = timeline.rows[-1]
    assert end.words == "Ended: No answer (temporarily unavailable; it rang)"
    assert end.words.es == "Terminó: No contesta (no disponible temporalmente; timbró)"
    assert end.detail == "NOA: SIP 480, Q.850 19, rule outcomes.toml:24"
    assert timeline.rows[1].detail == "server sur, trunk claro"
    assert [row.ms for row in timeline.rows] == [-300, -5, 2000, 2000, 9000, 9000]


def test_codes_that_no_rule_knows_are_said_to_be_unknown() -> None:
    body = traced() | {"outcome": "DES", "ground": "no_rule", "rule": "", "sip": 499}
    events = log(**body)
    events[2] = event("settled", 9000.3, outcome="DES", cause=127, tech_cause=499)
    assert "no rule knows these codes" in assemble(events).rows[-1].words


def test_a_call_that_goes_on_is_told_from_memory() -> None:
    timeline = assemble(log()[:2], traced())
    assert timeline.live and timeline.traced and timeline.outcome == ""
    assert whats(timeline)[-1] == "event.Hangup"


def test_an_attempt_of_an_older_version_has_its_milestones() -> None:
    events = [*log()[:2], event("answered", 4000), event("connected", 4100, "ana"), log()[2]]
    timeline = assemble(events)
    assert not timeline.traced
    assert whats(timeline)[2:] == ["attempt.answered", "attempt.connected", "attempt.settled"]
    assert timeline.rows[3].detail == "ana"


def test_the_decision_that_launched_it_stands_before_the_sending_with_its_numbers() -> None:
    why = {"launch": 3, "cancel": 0, "reason": "launching", "ready": 2, "at_work": 9, "dialling": 1}
    trace = Trace()
    trace.begin(SENT, 0.0, server="sur", trunk="claro", why=why)
    timeline = assemble(log()[:2], trace.body())
    assert whats(timeline)[:3] == ["attempt.leased", "decision", "attempt.sending"]
    assert timeline.rows[1].words.startswith("Starts 3 calls: 2 of 9 agents are free")
    assert timeline.rows[1].detail.startswith("launch 3,")
    assert "decision" not in whats(assemble(log(**traced()))), "in preview an agent chose"


def test_a_call_taken_over_begins_with_that() -> None:
    trace = Trace()
    trace.begin(at(5000), 50.0, "adopted", phase="ringing")
    timeline = assemble(log()[:2], trace.body())
    assert whats(timeline) == ["attempt.leased", "attempt.sending", "adopted"]


def test_everything_told_about_a_call_has_words_in_both_languages() -> None:
    told = {"DialBegin", "DialEnd", "OriginateResponse", "Hangup", "HangupRequest", "BridgeEnter", "BridgeLeave"}
    assert told <= WANTED_EVENTS
    trace = Trace()
    trace.begin(SENT, 0.0)
    for name in sorted(told):
        more = "Response: Success" if name == "OriginateResponse" else "ChannelState: 6"
        trace.heard(message(f"Event: {name}\nUniqueid: a1\n{more}"), 1.0)
    for what in (Mend.ANSWER, Mend.BRIDGE, Mend.OFFER, Mend.AGENT, Mend.CALL, Mend.HANGUP):
        trace.add(2.0, "mended", what=str(what))
    shown = assemble([event("sending", 0), event("settled", 3000)], trace.body())
    rows = [row for row in shown.rows if row.what.startswith(("event.", "mended"))]
    assert len(rows) == len(told) + 6
    for row in rows:
        assert row.words.es != str(row.words), row.what
