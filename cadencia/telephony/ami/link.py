"""Keeps a session to one server alive."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection

import structlog

from cadencia.errors import AmiLost, TelephonyError, Words
from cadencia.telephony.ami.connect import Connector
from cadencia.telephony.ami.session import Action, AmiSession, EventHandler

log = structlog.get_logger(__name__)

_SILENT = Words("the switch does not answer any more", "el conmutador ya no responde")


def backoff_s(attempt: int, uniform: Callable[[float, float], float], cap_s: float = 5.0) -> float:
    """Seconds before reconnection number `attempt` (0 the first): exponential from 0.1 s, full jitter, capped."""
    return uniform(0.05, min(cap_s, 0.1 * 2.0 ** min(attempt, 10)))


class AmiLink:
    """Keeps a session to one server: connects, hands it over, notices its loss, tries again.

    Args:
        on_up: awaited with each new session before it counts as up; it resynchronises. If it raises, the session is
            closed and the link tries again later.
        on_down: called when a session that was up is lost.
        on_trouble: called with each failed try.
        ping_s: a link that has been silent for so long (real seconds) is probed; still silent for `ping_s` more, and it
            is lost.

    Attributes:
        session: the one that is up, None while there is none.
        reconnects: how often it came up again after it was lost.
        up_since_s: when it came up, seconds of the loop's clock; None while it is down.
        lost_reason: why the last session that was up ended, None before that.
    """

    def __init__(
        self,
        connector: Connector,
        user: str,
        secret: str,
        on_event: EventHandler,
        *,
        on_up: Callable[[AmiSession], Awaitable[None]],
        on_down: Callable[[], None],
        on_trouble: Callable[[TelephonyError], None] = lambda error: None,
        wanted: Collection[str] | None = None,
        ping_s: float = 2.0,
        rng: random.Random | None = None,
    ) -> None:
        self._connector, self._user, self._secret = connector, user, secret
        self._on_event, self._on_up, self._on_down, self._on_trouble = on_event, on_up, on_down, on_trouble
        self._wanted = wanted
        self._ping_s = ping_s
        self._rng = rng or random.Random()
        self.session: AmiSession | None = None
        self.reconnects = 0
        self.up_since_s: float | None = None
        self.lost_reason: Words | None = None
        self._was_up = False

    async def run(self) -> None:
        """Keep the link until cancelled."""
        attempt = 0
        while True:
            try:
                attempt = await self._once(attempt)
            except TelephonyError as error:
                self._on_trouble(error)
            except Exception as error:
                # Whatever it was (the store, a bug in resynchronising), a link that nobody keeps is worse.
                log.exception("ami.link_failed")
                self._on_trouble(AmiLost(f"the link could not be brought up ({error})"))
            await asyncio.sleep(backoff_s(attempt, self._rng.uniform))
            attempt += 1

    async def _once(self, attempt: int) -> int:
        session = await AmiSession.connect(
            self._connector, self._user, self._secret, self._on_event, wanted=self._wanted
        )
        # Beside the resynchronisation: a switch that falls silent in it is noticed as soon as at any other time.
        watch = asyncio.get_running_loop().create_task(self._watch(session))
        try:
            await self._on_up(session)
            self.session, self.up_since_s = session, asyncio.get_running_loop().time()
            self.reconnects += self._was_up
            self._was_up = True
            await watch
        finally:
            was_up, self.session = self.session is session, None
            session.close()
            watch.cancel()
            if was_up:
                self.up_since_s, self.lost_reason = None, session.lost_reason
                self._on_down()
            await asyncio.gather(watch, return_exceptions=True)
        return -1

    async def _watch(self, session: AmiSession) -> None:
        """Returns when the session is lost; loses it if the switch falls silent.

        Any byte is a sign of life: the answer to one ping may be lost on the way, so a second one follows half-way.
        """
        loop = asyncio.get_running_loop()
        pinged_s, pings, seen = 0.0, 0, 0
        while session.up:
            if session.bytes_in != seen:
                pings = 0
            due_s = pinged_s + pings * self._ping_s / 2 if pings else session.heard_s + self._ping_s
            if loop.time() >= due_s and pings == 2:
                return session.lose(_SILENT)
            if loop.time() >= due_s:
                pinged_s, pings = (pinged_s if pings else loop.time()), pings + 1
                seen = session.bytes_in
                with contextlib.suppress(AmiLost):
                    session.send([Action("Ping")], timeout_s=self._ping_s)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await asyncio.shield(session.lost)
        return None
