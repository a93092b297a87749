"""The link: it comes back by itself, never in a hurry, and notices a peer that has gone silent."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from fake_switch import FakeServer

from cadencia.errors import AmiLost, AmiRefused, SwitchUnfit, TelephonyError
from cadencia.telephony.ami.link import AmiLink, backoff_s
from cadencia.telephony.ami.session import AmiSession
from cadencia.testing.virtual import run_virtual


class Watcher:
    """A link under the virtual clock, and what it told."""

    def __init__(self, server: FakeServer, *, right: bool = True, seed: int = 1, ping_s: float = 5.0) -> None:
        self.ups: list[AmiSession] = []
        self.downs = 0
        self.troubles: list[TelephonyError] = []
        self.fail: Callable[[], None] = lambda: None
        self.link = AmiLink(
            server.memory(),
            "u",
            "s" if right else "wrong",
            lambda event: None,
            on_up=self._up,
            on_down=self._down,
            on_trouble=self.troubles.append,
            ping_s=ping_s,
            rng=random.Random(seed),
        )
        self.task = asyncio.get_running_loop().create_task(self.link.run())

    async def _up(self, session: AmiSession) -> None:
        self.ups.append(session)
        self.fail()

    def _down(self) -> None:
        self.downs += 1

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        loop = asyncio.get_running_loop()
        assert [handle for handle in loop._scheduled if not handle.cancelled()] == []  # type: ignore[attr-defined]


def test_a_lost_link_comes_back() -> None:
    async def main() -> None:
        server = FakeServer()
        watcher = Watcher(server)
        await asyncio.sleep(1)
        assert watcher.link.session is watcher.ups[0]
        for times in range(1, 4):
            server.last.cut()
            await asyncio.sleep(1)
            assert watcher.downs == times
            assert watcher.link.session is watcher.ups[-1]
            assert watcher.ups[-1].up
        assert len(watcher.ups) == 4
        assert watcher.troubles == []
        await watcher.stop()
        assert watcher.downs == 4
        assert all(connection.lost for connection in server.connections)

    run_virtual(main())


@pytest.mark.parametrize("seed", range(5))
def test_a_host_that_is_down_is_asked_ever_less_often(seed: int) -> None:
    async def tries() -> list[float]:
        server = FakeServer()
        server.refuse = True
        watcher = Watcher(server, seed=seed)
        await asyncio.sleep(120)
        assert len(server.tries) == len(watcher.troubles)
        assert all(isinstance(error, AmiLost) for error in watcher.troubles)
        server.refuse = False
        await asyncio.sleep(5.1)
        assert watcher.link.session is not None
        await watcher.stop()
        return server.tries

    made = run_virtual(tries())
    gaps = [later - earlier for earlier, later in pairwise(made)]
    assert all(0.05 <= gap <= min(5.0, 0.1 * 2.0**n) + 1e-6 for n, gap in enumerate(gaps))
    assert 25 <= len(made) <= 90
    assert len({round(gap, 6) for gap in gaps[7:]}) > 10
    assert made == run_virtual(tries())


def test_back_off_grows_is_capped_and_is_never_nothing() -> None:
    highest = [backoff_s(attempt, lambda low, high: high) for attempt in range(-1, 50)]
    lowest = [backoff_s(attempt, lambda low, high: low) for attempt in range(-1, 50)]
    assert highest[:7] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert set(highest[7:]) == {5.0}
    assert set(lowest) == {0.05}


def test_a_resynchronisation_that_fails_closes_the_session_and_is_tried_again() -> None:
    async def main() -> None:
        server = FakeServer()
        watcher = Watcher(server)

        def unfit() -> None:
            raise SwitchUnfit("the account lacks Originate.")

        watcher.fail = unfit
        await asyncio.sleep(20)
        assert watcher.link.session is None
        assert len(watcher.ups) == len(watcher.troubles) > 5
        assert all(connection.lost for connection in server.connections)
        assert watcher.downs == 0  # it never counted as up
        watcher.fail = lambda: None
        await asyncio.sleep(6)
        assert watcher.link.session is not None
        await watcher.stop()

    run_virtual(main())


def test_a_bug_in_the_resynchronisation_does_not_end_the_link() -> None:
    async def main() -> None:
        server = FakeServer()
        watcher = Watcher(server)

        def bug() -> None:
            raise KeyError("a bug of ours")

        watcher.fail = bug
        await asyncio.sleep(2)
        assert not watcher.task.done()
        assert isinstance(watcher.troubles[0], AmiLost)
        watcher.fail = lambda: None
        await asyncio.sleep(6)
        assert watcher.link.session is not None
        await watcher.stop()

    run_virtual(main())


def test_a_wrong_secret_is_trouble_and_is_tried_again() -> None:
    async def main() -> None:
        server = FakeServer()
        watcher = Watcher(server, right=False)
        await asyncio.sleep(10)
        assert len(watcher.troubles) > 3
        assert all(isinstance(error, AmiRefused) for error in watcher.troubles)
        assert watcher.ups == []
        await watcher.stop()

    run_virtual(main())


def test_a_silent_peer_is_noticed_within_two_pings() -> None:
    async def main() -> None:
        server = FakeServer()
        watcher = Watcher(server, ping_s=5.0)
        await asyncio.sleep(60)
        assert server.actions().count("Ping") >= 10  # a quiet link is kept by pings, and lives
        assert watcher.downs == 0
        server.mute = True
        silent_s = asyncio.get_running_loop().time()
        while not watcher.downs:
            await asyncio.sleep(0.1)
        assert asyncio.get_running_loop().time() - silent_s <= 10.2
        server.mute = False
        await asyncio.sleep(12)
        assert watcher.link.session is not None
        await watcher.stop()

    run_virtual(main())


def test_a_busy_link_is_not_pinged() -> None:
    async def main() -> None:
        server = FakeServer()
        watcher = Watcher(server, ping_s=5.0)
        for _ in range(100):
            await asyncio.sleep(1)
            server.last.say("Event: Newstate")
        assert server.actions().count("Ping") == 0
        await watcher.stop()

    run_virtual(main())


def test_actions_of_a_session_that_is_lost_end_while_the_link_goes_on() -> None:
    async def main() -> None:
        server = FakeServer(lambda message: None if message["Action"] == "Lost" else "Response: Success")
        watcher = Watcher(server)
        await asyncio.sleep(1)
        waiting = asyncio.ensure_future(watcher.ups[0].action("Lost", timeout_s=1000))
        await asyncio.sleep(1)
        server.last.cut()
        with pytest.raises(AmiLost):
            await waiting
        await asyncio.sleep(1)
        await watcher.ups[1].action("Ping")
        await watcher.stop()

    run_virtual(main())
