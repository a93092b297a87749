"""What people ask of the desk, on a floor under the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import pytest

from cadencia.compliance.evidence_events import body_of, is_evidence
from cadencia.dialer.servers import Telephone
from cadencia.dialer.views import AgentView
from cadencia.domain.dialing import CampaignSettings, CampaignState, Promise
from cadencia.domain.people import Money
from cadencia.errors import AmiRefused, LeadershipLost, Refused, StoreError, SwitchUnfit
from cadencia.pacing.worlds import World
from cadencia.store.memory import MemoryStore
from cadencia.telephony.call import Phase, Sign, Signal
from cadencia.telephony.simulator.server import LEAST_RIGHTS
from cadencia.testing.checker import RecordingStore
from cadencia.testing.floor import Floor, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

FORBIDDEN = "co-ley2300:co-12-motivo-de-la-mora"

#: Everybody answers, and talks for long.
TALKERS = World(live=1.0, machine=0.0, no_answer=0.0, busy=0.0, off=0.0, congestion=0.0, invalid_lines=0.0)


def on_a_floor(test: Callable[[Floor], Awaitable[None]], *, agents: int = 1, contacts: int = 50) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        floor = await make_floor(loop.clock(), agents=agents, contacts=contacts, world=TALKERS)
        await floor.engine.start()
        await floor.engine.ready_to_dial(5)
        await test(floor)
        await floor.engine.stop(drain_s=60, hang_up=True)

    run_virtual(run())


async def until(floor: Floor, agent_id: str, state: str) -> AgentView:
    for _ in range(6000):
        view = floor.engine.agent(agent_id)
        if view.state == state:
            return view
        await asyncio.sleep(0.05)
    raise AssertionError(f"{agent_id} is {view.state}, not {state}")


async def at_work(floor: Floor, *agent_ids: str) -> None:
    for agent_id in agent_ids:
        await floor.engine.sign_in(agent_id)
        await until(floor, agent_id, "paused")
        await floor.engine.ready(agent_id)


async def in_talk(floor: Floor, agent_id: str = "ag0001") -> AgentView:
    await at_work(floor, agent_id)
    return await until(floor, agent_id, "talking")


def test_amounts_are_hidden_until_the_right_party_is_confirmed_and_the_log_says_who_saw_them() -> None:
    async def test(floor: Floor) -> None:
        view = await in_talk(floor)
        assert view.pop is not None
        assert all(o.balance_minor is None and o.overdue_minor is None for o in view.pop.obligations)
        assert view.pop.script is not None
        assert any(said.es.startswith("No pregunte el motivo") for said in view.pop.script.dont)
        assert [said.en[:3] for said in view.pop.script.say] == ["Say", "Say"]
        assert "•" in view.pop.phone
        assert "•" in view.pop.document
        shown = await floor.engine.confirm("ag0001", view.pop.attempt_id)
        assert shown[0].balance_minor == 1_000_000_00
        (event,) = await floor.store.events(kinds=("attempt.file_shown",))
        assert (event.agent_id, event.attempt_id) == ("ag0001", view.pop.attempt_id)
        with pytest.raises(Refused):
            await floor.engine.confirm("ag0001", "another")

    on_a_floor(test)


def test_a_disposition_in_the_wrap_up_frees_the_agent_and_a_promise_needs_its_amount() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        view = await in_talk(floor)
        assert view.pop is not None
        attempt = view.pop.attempt_id
        await engine.finish("ag0001", attempt)
        await until(floor, "ag0001", "wrapup")
        with pytest.raises(Refused):
            await engine.dispose("ag0001", attempt, "PPT", "", None, None)
        with pytest.raises(Refused):
            await engine.dispose("ag0001", attempt, "NO-SUCH", "", None, None)
        await engine.pause("ag0001", "almuerzo")
        promise = Promise(Money(500_000_00, "COP"), "2026-12-01")
        await engine.dispose("ag0001", attempt, "PPT", "paga el lunes", promise, None)
        view = await until(floor, "ag0001", "paused")
        assert view.reason == "almuerzo"
        (event,) = await floor.store.events(kinds=("attempt.disposed",))
        assert event.body["code"] == "PPT"
        assert event.body["promise_minor"] == 500_000_00

    on_a_floor(test)


def test_a_disposition_chosen_while_talking_needs_no_wrap_up() -> None:
    async def test(floor: Floor) -> None:
        view = await in_talk(floor)
        assert view.pop is not None
        await floor.engine.dispose("ag0001", view.pop.attempt_id, "REN", "", None, None)
        assert floor.engine.agent("ag0001").state == "talking"
        await floor.engine.pause("ag0001", "descanso")
        await floor.engine.finish("ag0001", view.pop.attempt_id)
        await until(floor, "ag0001", "paused")
        assert floor.engine.agent("ag0001").overdue == ()
        assert await floor.store.awaiting_disposition() == ()

    on_a_floor(test)


def test_a_note_is_looked_at_before_it_is_saved_and_nothing_of_it_is_kept() -> None:
    async def test(floor: Floor) -> None:
        engine, view = floor.engine, await in_talk(floor)
        assert view.pop is not None
        attempt = view.pop.attempt_id
        (found,) = engine.check_note("ag0001", attempt, "Dice el motivo de la mora: desempleo", "es").findings
        assert (found.rule, found.said.lower(), found.question) == (FORBIDDEN, "motivo de la mora", True)
        assert found.told.startswith("No pregunte") and "Ley 2300" in found.citation
        assert engine.check_note("ag0001", attempt, "Motivo de la mora", "en").findings[0].told.startswith("Do not")
        assert engine.check_note("ag0001", attempt, "Espontáneo: motivo de la mora, viaje", "es").findings == ()
        with pytest.raises(Refused):
            engine.check_note("ag0001", "another", "hola", "es")
        await engine.context.ledger.flushed()
        assert await floor.store.events(kinds=("script.finding",)) == ()

    on_a_floor(test)


def test_a_note_is_saved_and_what_it_shows_of_a_forbidden_question_is_written_down() -> None:
    async def test(floor: Floor) -> None:
        view = await in_talk(floor)
        assert view.pop is not None
        attempt = view.pop.attempt_id
        await floor.engine.dispose("ag0001", attempt, "REN", "Espontáneo: motivo de la mora, desempleo", None, None)
        await floor.engine.dispose("ag0001", attempt, "REN", "Motivo de la mora: desempleo", None, None)
        await floor.engine.context.ledger.flushed()
        (event,) = await floor.store.events(kinds=("script.finding",))
        assert (event.attempt_id, event.agent_id) == (attempt, "ag0001")
        assert event.body == {"rule": FORBIDDEN}
        assert len(await floor.store.events(kinds=("attempt.disposed",))) == 2
        assert is_evidence(event)
        surrogates = {("person", 7): "p", ("contact", event.contact_id or 0): "c"}
        row = msgspec.json.decode(body_of(event, lambda contact: 7, surrogates))
        assert row["data"] == {"rule": FORBIDDEN}
        assert (row["attempt"], row["person"], row["contact"]) == (attempt, "p", "c")

    on_a_floor(test)


def test_a_wrap_up_that_runs_out_pauses_the_agent_and_keeps_the_debt_of_a_disposition() -> None:
    async def test(floor: Floor) -> None:
        view = await in_talk(floor)
        assert view.pop is not None
        await floor.engine.finish("ag0001", view.pop.attempt_id)
        await until(floor, "ag0001", "wrapup")
        await asyncio.sleep(46)
        view2 = floor.engine.agent("ag0001")
        assert (view2.state, view2.reason) == ("paused", "cierre_vencido")
        assert view2.overdue == (view.pop.attempt_id,)
        await floor.engine.dispose("ag0001", view.pop.attempt_id, "TMS", "", None, None)
        assert floor.engine.agent("ag0001").overdue == ()
        codes = [e.body["code"] for e in await floor.store.events(kinds=("attempt.disposed",))]
        assert codes == ["SIN", "TMS"]

    on_a_floor(test)


def test_an_agents_telephone_that_drops_in_a_call_gives_the_debtor_to_another_agent() -> None:
    async def test(floor: Floor) -> None:
        view = await in_talk(floor, "ag0001")
        assert view.pop is not None
        await floor.engine.pause_campaign("c1", "test", "one call is enough")
        await at_work(floor, "ag0002")
        floor.switch.drop_telephone("a1001")
        taken = await until(floor, "ag0002", "talking")
        assert taken.pop is not None
        assert taken.pop.attempt_id == view.pop.attempt_id
        back = await until(floor, "ag0001", "paused")
        assert (back.reason, back.phone_up) == ("telefono", True)

    on_a_floor(test, agents=2)


def test_a_hang_up_that_the_switch_forgets_keeps_neither_debtor_nor_agent_in_a_dead_call() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        view = await in_talk(floor)
        assert view.pop is not None
        await engine.pause_campaign("c1", "test", "one call is enough")
        await asyncio.sleep(5)
        floor.switch.faults.lose_hangup = 1.0
        floor.switch.hang_up_far_end(view.pop.attempt_id)
        await asyncio.sleep(1)
        view = floor.engine.agent("ag0001")
        assert view.state == "wrapup" and view.pop is not None
        events = await floor.store.attempt_events(view.pop.attempt_id)
        (settled,) = (event.body for event in events if event.kind == "attempt.settled")
        assert settled["outcome"] == "CON"
        (traced,) = (event.body for event in events if event.kind == "attempt.traced")
        assert ["mended", {"what": "hangup forgotten"}] in [entry[1:] for entry in traced["entries"]]

        await engine.dispose("ag0001", view.pop.attempt_id, "REN", "", None, None)
        seat = engine.staff.seat("ag0001")
        before = seat.leg
        floor.switch.drop_telephone("a1001")
        await asyncio.sleep(5)
        assert seat.leg_up and seat.leg != before

    on_a_floor(test, agents=1)


def test_the_dialplan_may_offer_a_debtor_again_before_his_agents_end_is_told() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        view = await in_talk(floor, "ag0001")
        assert view.pop is not None
        await engine.pause_campaign("c1", "test", "one call is enough")
        await at_work(floor, "ag0002", "ag0003")
        first, _, third = engine.staff.seats.values()
        engine.calls.take(Signal(view.pop.attempt_id, Sign.REOFFERED))
        engine.staff.leg_ended(first.switch, first.leg)
        assert third.state == "ready", "he has one agent already, and needs no second one"
        taken = await until(floor, "ag0002", "talking")
        assert taken.pop is not None and taken.pop.attempt_id == view.pop.attempt_id

    on_a_floor(test, agents=3)


def test_an_agent_whose_debtor_went_to_another_waits_again() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        view = await in_talk(floor, "ag0001")
        assert view.pop is not None
        await engine.pause_campaign("c1", "test", "one call is enough")
        await at_work(floor, "ag0002")
        engine.calls.take(Signal(view.pop.attempt_id, Sign.REOFFERED))  # told late: the bridge was made meanwhile
        taken = await until(floor, "ag0002", "talking")
        assert taken.pop is not None and taken.pop.attempt_id == view.pop.attempt_id
        await asyncio.sleep(0.5)
        assert engine.agent("ag0001").state == "ready"

    on_a_floor(test, agents=2)


def test_a_debtor_who_is_offered_again_before_the_bridge_is_refused_keeps_no_agent() -> None:
    async def test(floor: Floor) -> None:
        engine, seats = floor.engine, floor.engine.staff.seats.values()
        engine.calls._bridge = lambda live, seat: None  # type: ignore[method-assign]  # the order is on its way
        await at_work(floor, "ag0001", "ag0002")
        while not (offered := [c for c in engine.calls.live.values() if c.call.phase is Phase.OFFERED]):
            await asyncio.sleep(0.1)
        await engine.pause_campaign("c1", "test", "one call is enough")
        live = offered[0]
        engine.calls.take(Signal(live.attempt_id, Sign.REOFFERED))
        assert [seat for seat in seats if seat.call is live] == [live.seat]

    on_a_floor(test, agents=2)


def test_skills_decide_who_gets_a_call_and_the_longest_idle_goes_first() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        for agent_id in ("ag0001", "ag0002", "ag0003"):
            await engine.sign_in(agent_id)
            await until(floor, agent_id, "paused")
            await engine.pause_campaign("c1", "test", "wait for all")
        for agent_id in ("ag0002", "ag0003", "ag0001"):
            await engine.ready(agent_id)
            await asyncio.sleep(1)
        await engine.start_campaign("c1", "test", "go")
        order = []
        for _ in range(3000):
            order += [
                s.agent.id for s in engine.staff.seats.values() if s.state == "talking" and s.agent.id not in order
            ]
            if len(order) == 3:
                break
            await asyncio.sleep(0.02)
        assert order == ["ag0002", "ag0003", "ag0001"]

    on_a_floor(test, agents=3)


def test_settings_change_live_and_bad_ones_are_refused_with_what_would_be_right() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        await engine.set_campaign("c1", {"mode": "ratio", "ratio": 2.5}, "sup", "more")
        assert engine.floor().campaigns[0].ratio == 2.5
        for changes in (
            {"ratio": 9},
            {"ratio": "x"},
            {"mode": "magic"},
            {"speed": 1},
            {"ring_s": 20.5},
            {"caller_id": "a\nb"},
        ):
            with pytest.raises(Refused) as told:
                await engine.set_campaign("c1", changes, "sup", "no")
            assert told.value.hint
        await engine.stop_campaign("c1", "sup", "enough")
        assert (await floor.store.campaigns())[0].state is CampaignState.STOPPED
        kinds = [e.kind for e in await floor.store.events(kinds=("campaign.setting", "campaign.state"))]
        assert kinds[-2:] == ["campaign.setting", "campaign.state"]

    on_a_floor(test)


def test_campaigns_and_agents_that_are_added_while_it_runs_are_taken_up() -> None:
    async def test(floor: Floor) -> None:
        from cadencia.domain.agents import Agent
        from cadencia.domain.dialing import Campaign

        settings = CampaignSettings()
        await floor.store.create_campaign(
            Campaign("c2", "Dos", CampaignState.STOPPED, settings, floor.clock.now()), "t"
        )
        await floor.store.save_agent(Agent("new", "Nueva", "a1001"))
        await floor.engine.refresh()
        assert [c.id for c in floor.engine.floor().campaigns] == ["c1", "c2"]
        assert floor.engine.agent("new").state == "out"

    on_a_floor(test)


def test_what_was_not_saved_is_not_said_to_be_and_can_be_saved_when_the_store_is_back() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        store = RecordingStore(MemoryStore())
        floor = await make_floor(loop.clock(), agents=1, contacts=50, world=TALKERS, store=store)
        await floor.engine.start()
        await floor.engine.ready_to_dial(5)
        view = await in_talk(floor)
        assert view.pop is not None

        def fail() -> None:
            raise StoreError("gone", "wait")

        store.failing = fail
        await asyncio.sleep(1)
        await floor.engine.finish("ag0001", view.pop.attempt_id)
        await until(floor, "ag0001", "wrapup")
        with pytest.raises(StoreError, match="nothing was saved"):
            await floor.engine.dispose("ag0001", view.pop.attempt_id, "REN", "", None, None)
        assert floor.engine.agent("ag0001").state == "wrapup"
        store.failing = lambda: None
        await asyncio.sleep(2)
        await floor.engine.dispose("ag0001", view.pop.attempt_id, "REN", "", None, None)
        await until(floor, "ag0001", "ready")
        await floor.engine.stop(drain_s=60, hang_up=True)

    run_virtual(run())


def test_an_engine_that_was_replaced_dials_no_more_and_says_so() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        await engine.sign_in("ag0001")
        await until(floor, "ag0001", "paused")
        await floor.store.close()  # the connection that holds the lead is gone, and another engine takes it
        await floor.store.another().lead("other", floor.clock.now())  # type: ignore[attr-defined]
        await engine.ready("ag0001")
        async with asyncio.timeout(30):
            with pytest.raises(LeadershipLost):
                await engine.deposed()
        assert not engine.health()["leader"]
        await asyncio.sleep(60)
        assert not [c for c in floor.switch.channels.values() if c.context == "cad-debtor"]

    on_a_floor(test)


def test_a_second_engine_is_refused() -> None:
    async def test(floor: Floor) -> None:
        other = await make_floor(floor.clock, agents=0, contacts=0)
        other.store = floor.store.another()  # type: ignore[attr-defined]
        with pytest.raises(StoreError, match="engine"):
            await other.new_engine(99).start()

    on_a_floor(test)


@pytest.mark.parametrize(
    ("allowed", "word"),
    [((*LEAST_RIGHTS, "Command", "DBPut"), "Command"), (tuple(set(LEAST_RIGHTS) - {"Bridge"}), "Bridge")],
)
def test_an_account_with_too_many_or_too_few_rights_is_refused(allowed: tuple[str, ...], word: str) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        floor = await make_floor(loop.clock(), agents=1, contacts=5)
        floor.server.allowed = frozenset(allowed)
        await floor.engine.start()
        with pytest.raises(SwitchUnfit, match=word) as told:
            await floor.engine.ready_to_dial(5)
        assert "manager.conf" in told.value.hint
        await floor.engine.stop()
        assert not floor.switch.channels

    run_virtual(run())


def test_a_wrong_secret_is_refused_at_once() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        floor = await make_floor(loop.clock(), agents=1, contacts=5)
        floor.server.secret = "another"
        await floor.engine.start()
        with pytest.raises(AmiRefused):
            await floor.engine.ready_to_dial(5)
        await floor.engine.stop()

    run_virtual(run())


# -- a page that is the telephone --------------------------------------------------------------------------------------


def in_browsers(floor: Floor, *, nailed: bool = True) -> None:
    """The telephones of the floor are its agents' pages."""
    for switch in floor.engine.switches:
        phones = dict.fromkeys(floor.switch.endpoints, Telephone(nailed=nailed, browser=True))
        switch.server = replace(switch.server, telephones=phones, wss="wss://pbx.test/ws", phone_key="k" * 16)


def test_a_page_that_comes_back_is_called_at_once_and_a_leg_that_nobody_holds_is_hung_up() -> None:
    async def test(floor: Floor) -> None:
        in_browsers(floor)
        view = await in_talk(floor)
        assert (view.telephone, view.nailed) == ("browser", True)
        assert floor.engine.browser_addresses() == ("wss://pbx.test/ws",)
        dead = floor.engine.staff.seat("ag0001").leg
        await floor.engine.call_telephone("ag0001")
        view = await until(floor, "ag0001", "paused")  # the person went to somebody else, and nobody stays in silence
        assert view.reason == "telefono"
        seat = floor.engine.staff.seat("ag0001")
        assert seat.leg_up
        assert seat.leg != dead
        await floor.engine.sign_out("ag0001")
        await floor.engine.call_telephone("ag0001")
        assert not seat.leg

    on_a_floor(test)


def test_a_page_that_is_rung_for_each_call_keeps_the_call_it_has() -> None:
    async def test(floor: Floor) -> None:
        in_browsers(floor, nailed=False)
        await in_talk(floor)
        leg = floor.engine.staff.seat("ag0001").leg
        await floor.engine.call_telephone("ag0001")
        await asyncio.sleep(1)
        assert (floor.engine.agent("ag0001").state, floor.engine.staff.seat("ag0001").leg) == ("talking", leg)

    on_a_floor(test)


def test_a_desk_telephone_has_nothing_to_tell_the_page() -> None:
    async def test(floor: Floor) -> None:
        assert floor.engine.browser_addresses() == ()
        with pytest.raises(Refused):
            floor.engine.browser_telephone("ag0001")
        with pytest.raises(Refused):
            await floor.engine.call_telephone("ag0001")

    on_a_floor(test)
