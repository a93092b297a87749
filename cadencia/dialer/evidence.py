"""Seals the log into evidence, a second behind the engine. A store that fails is asked again; calls go on meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from cadencia.compliance.evidence import ZONE_NAME
from cadencia.compliance.signing import Signer
from cadencia.dialer.context import Context
from cadencia.errors import CadenciaError, LeadershipLost
from cadencia.store.evidence_port import Seal

log = structlog.get_logger(__name__)

#: Real seconds between two sealings, and after one that failed.
_EVERY_S = 1.0
_RETRY_S = 5.0

#: Real seconds between two batches while many wait: calls come first.
_BETWEEN_S = 0.01

#: Real seconds that the last sealing may take at a stop: what is left is sealed at the next start.
_LAST_S = 5.0


class Sealer:
    """Turns the log's events into evidence.

    Args:
        engine: whose chains they are.
        zone: whose date a chain has.
    """

    def __init__(self, c: Context, signer: Signer, engine: str = "main", zone: str = ZONE_NAME) -> None:
        self._c, self._signer, self._engine, self._zone = c, signer, engine, ZoneInfo(zone)
        self._failed = False
        self._sealed_at = c.clock.now()

    async def run(self) -> None:
        """Seal until cancelled, or until another engine leads."""
        while self._c.ledger.leading:
            try:
                await self._catch_up()
            except LeadershipLost:
                return  # the ledger finds out by itself, and tells
            except Exception as error:
                self._trouble(error)
            await asyncio.sleep(_RETRY_S if self._failed else _EVERY_S)

    async def last(self) -> None:
        """Seal what is left, at a stop; what cannot be sealed now is at the next start."""
        try:
            async with asyncio.timeout(_LAST_S):
                await self._catch_up()
        except Exception as error:
            self._trouble(error)

    async def _catch_up(self) -> None:
        """Batch by batch, until nothing waits. Raises StoreError."""
        more = True
        while more:
            now = self._c.clock.now()
            day = now.astimezone(self._zone).date()
            sealed = await self._c.store.seal(Seal(self._engine, day, now, self._c.token, self._signer))
            more = sealed.more
            self._sealed_at = now - timedelta(seconds=sealed.lag_s) if more else now
            self._c.observer.sealed(sealed.rows, sealed.behind, sealed.lag_s if more else 0.0)
            if more:
                await asyncio.sleep(_BETWEEN_S)
        if self._failed:
            self._failed = False
            log.info("evidence.sealing_again")

    def _trouble(self, error: BaseException) -> None:
        lag_s = (self._c.clock.now() - self._sealed_at).total_seconds()
        self._c.observer.sealed(0, 0, lag_s)
        if not self._failed:  # once, not every second
            self._failed = True
            kept = error if not isinstance(error, (CadenciaError, TimeoutError)) else None
            log.error("evidence.not_sealed", code=getattr(error, "code", type(error).__name__), exc_info=kept)
