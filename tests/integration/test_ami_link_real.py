"""The link on a real server: frozen, shut down, restarted, and behind a bad network."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from cadencia.errors import TelephonyError
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.link import AmiLink
from cadencia.telephony.ami.session import Action, AmiSession
from cadencia.telephony.asterisk import Installation, Lab
from cadencia.telephony.call import WANTED_EVENTS
from cadencia.testing.proxy import FaultProxy, Faults

pytestmark = pytest.mark.asterisk


class Kept:
    """A link that is kept to a lab; `async with Kept(lab) as kept`."""

    def __init__(self, lab: Lab, port: int = 0) -> None:
        self.ups: list[AmiSession] = []
        self.rows: list[list[Message]] = []
        self.downs: list[float] = []
        self.heard: list[Message] = []
        self.troubles: list[TelephonyError] = []
        account = lab.plan.account
        self.link = AmiLink(
            tcp("127.0.0.1", port or lab.ami_port),
            account.user,
            account.secret,
            self.heard.append,
            on_up=self._up,
            on_down=lambda: self.downs.append(asyncio.get_running_loop().time()),
            on_trouble=self.troubles.append,
            wanted=WANTED_EVENTS,
        )

    async def _up(self, session: AmiSession) -> None:
        self.rows.append(await session.rows("Status"))
        self.ups.append(session)

    async def __aenter__(self) -> Kept:
        self.task = asyncio.get_running_loop().create_task(self.link.run())
        await until(lambda: self.link.session, 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(true: Callable[[], object], timeout_s: float) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_frozen_server_is_noticed_and_gets_no_pile_of_orders(asterisk_lab: Lab) -> None:
    async with Kept(asterisk_lab) as kept:
        session = kept.ups[0]
        await asyncio.sleep(0.5)
        asterisk_lab.freeze()
        try:
            waiting = session.send([Action("Getvar", {"Variable": "CADENCIA_CONFIG"})] * 50, timeout_s=60)
            await until(lambda: kept.downs, 20)
        finally:
            asterisk_lab.thaw()
        assert str(session.lost_reason) == "the switch does not answer any more"
        assert session.waiting == 0
        assert all(answer.done() and answer.exception() for answer in waiting)
        await until(lambda: len(kept.ups) == 2, 10)
        assert kept.link.reconnects == 1
        again = await kept.ups[1].full_boot()
        assert again is not None and again.number("Uptime") is not None


async def test_a_quiet_server_is_kept(asterisk_lab: Lab) -> None:
    async with Kept(asterisk_lab) as kept:
        await asyncio.sleep(7)
        assert kept.downs == []
        session = kept.ups[0]
        assert session.round_trip_ms is not None
        assert (session.late_answers, session.stray_answers, session.malformed) == (0, 0, 0)


async def test_a_shutdown_is_felt_at_once_and_a_restart_shows_in_the_uptime(
    asterisk_installation: Installation,
) -> None:
    async with Lab(asterisk_installation, agents=1) as lab, Kept(lab) as kept:
        booted = await kept.ups[0].full_boot()
        assert booted is not None and (booted.number("Uptime") or 0) < 30
        os.kill(lab.pid, signal.SIGTERM)
        await until(lambda: kept.downs, 20)
        assert any(message.name == "Shutdown" for message in kept.heard)
        assert str(kept.link.lost_reason) == "the switch shuts down"
        await until(lambda: kept.troubles, 5)


async def test_through_a_bad_network_everything_ends_and_lists_are_whole(asterisk_lab: Lab) -> None:
    async with FaultProxy(asterisk_lab.ami_port, seed=3) as proxy, Kept(asterisk_lab, proxy.port) as kept:
        session = kept.ups[0]
        proxy.faults = Faults(lose_answer=0.1, duplicate=0.1, reorder=0.1, delay_s=0.005, jitter_s=0.01)
        answers = session.send([Action("Getvar", {"Variable": "CADENCIA_CONFIG"})] * 300, timeout_s=1.0)
        done = await asyncio.gather(*answers, return_exceptions=True)
        values = {one["Value"] for one in done if isinstance(one, Message)}
        lost = sum(isinstance(one, TelephonyError) for one in done)
        assert len(values) == 1
        assert 5 <= lost <= 80
        assert (session.waiting, session.malformed) == (0, 0)
        proxy.faults = Faults(duplicate=0.5, reorder=0.5)
        for _ in range(20):
            rows = await session.rows("DeviceStateList")
            assert len({row["Device"] for row in rows}) == len(rows) >= 12
        assert session.stray_answers > 0
        proxy.faults = Faults()
        proxy.refuse_for(0.5)
        proxy.cut()
        await until(lambda: len(kept.downs) == 1, 10)
        await until(lambda: len(kept.ups) == 2, 8)
        proxy.stall()
        await until(lambda: len(kept.downs) == 2, 20)
        proxy.resume()
        await until(lambda: len(kept.ups) == 3, 15)
