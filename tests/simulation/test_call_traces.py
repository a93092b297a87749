"""Traces on a floor under the virtual clock: every call has one, and the view of the lines counts the same calls."""

from __future__ import annotations

import asyncio
from collections import Counter

from cadencia.dialer.views import TelephonyView
from cadencia.domain.codes import ANSWERED
from cadencia.pacing.worlds import Fate, Nature
from cadencia.store.memory import MemoryStore
from cadencia.telephony.simulator import Refusal
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual


class Strange:
    """Every other number ends with a status that no table knows."""

    def fate(self, number: str, attempt_id: str) -> Fate:
        known = int(number[-1]) % 2
        return Refusal(Nature.OFF, 1.0, 4.0, cause=19 if known else 127, tech_cause=480 if known else 499, speaks=True)


async def floor_of(agents: int, contacts: int) -> Floor:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    floor = await make_floor(loop.clock(), agents=agents, contacts=contacts, store=MemoryStore(keep_events=100_000))
    await floor.engine.start()
    await floor.engine.ready_to_dial(5)
    return floor


def test_every_settled_call_has_one_trace_with_its_end() -> None:
    async def run() -> None:
        floor = await floor_of(8, 400)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(400)
        view: TelephonyView = floor.engine.telephony()
        live = next(iter(floor.engine.calls.live))
        going = await floor.engine.timeline(live)
        assert going is not None and going.live and going.traced
        assert going.rows[-1].what != "attempt.settled"
        await floor.stop_agents()
        await floor.engine.stop(drain_s=120, hang_up=True)
        settled = await floor.store.events(kinds=["attempt.settled"], limit=100_000)
        traces = await floor.store.events(kinds=["attempt.traced"], limit=100_000)
        assert len(settled) > 50
        assert Counter(e.attempt_id for e in settled) == Counter(e.attempt_id for e in traces)
        assert {e.attempt_id: e.body["outcome"] for e in settled} == {e.attempt_id: e.body["outcome"] for e in traces}
        written = {(e.attempt_id, e.kind): e.seq for e in (*settled, *traces)}
        for trace in traces:
            assert written[trace.attempt_id, "attempt.settled"] < trace.seq
            found = await floor.engine.timeline(trace.attempt_id or "")
            assert found is not None and not found.live and found.traced and not found.dropped
            whats = [row.what for row in found.rows]
            assert whats.count("attempt.settled") == 1 and "decision" in whats
            assert [row.ms for row in found.rows] == sorted(row.ms or 0 for row in found.rows)
            if found.outcome == "CON":
                assert {"order.Originate", "order.Bridge", "event.BridgeEnter", "offered", "phase.talking"} <= set(
                    whats
                )
        (trunk,) = view.trunks
        assert trunk.attempts == view.calls > 20
        assert trunk.answered == sum(e.body["outcome"] in ANSWERED for e in settled if e.at <= view.at)
        assert sum(row.count for row in view.causes) + trunk.answered == view.calls
        (server,) = view.servers
        assert server.up and server.legs_up == 8 and server.calls == trunk.channels_used
        assert await floor.engine.timeline("nobody's") is None

    run_virtual(run())


def test_codes_that_no_rule_knows_are_counted_and_shown() -> None:
    async def run() -> None:
        floor = await floor_of(3, 60)
        floor.switch.population = Strange()
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(60)
        view = floor.engine.telephony()
        unknown = [row for row in view.causes if not row.known]
        assert [(row.sip, row.q850, row.outcome) for row in unknown] == [(499, 127, "DES")]
        assert view.unknown == unknown[0].count > 0
        line = f'cadencia_unknown_causes_total{{q850="127",server="main",sip="499",trunk="trunk"}} {unknown[0].count}.0'
        assert line in floor.tally.metrics.render().decode()
        await floor.stop_agents()
        await floor.engine.stop(drain_s=60, hang_up=True)

    run_virtual(run())


def test_a_call_taken_over_says_so() -> None:
    async def run() -> None:
        floor = await floor_of(4, 200)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(60)
        await floor.engine.stop()
        left = set(floor.engine.calls.live)
        assert left
        engine = floor.new_engine(2)
        await engine.start()
        await engine.ready_to_dial(5)
        adopted = await engine.timeline(next(iter(left & set(engine.calls.live))))
        assert adopted is not None and "adopted" in [row.what for row in adopted.rows]
        await floor.stop_agents()
        await engine.stop(drain_s=120, hang_up=True)

    run_virtual(run())
