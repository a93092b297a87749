"""What a campaign's hours taught its controller: from the store at the start, back to it while it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import structlog

from cadencia.compliance.hours import BOGOTA
from cadencia.dialer.context import Context
from cadencia.domain.dialing import Prior
from cadencia.errors import StoreError
from cadencia.pacing.learned import Learned

log = structlog.get_logger(__name__)

#: Clock seconds after which what was learnt is saved again.
SAVE_S = 600.0

#: A campaign has one list today.
ONE_LIST = ""


def nearest(priors: Iterable[Prior], hour: int) -> Prior | None:
    """The prior of that hour, else of the hour nearest to it round the clock, the newer one of two; None of none."""

    def distance(prior: Prior) -> tuple[int, float]:
        apart = abs(prior.hour - hour)
        return min(apart, 24 - apart), -prior.saved_at.timestamp()

    return min(priors, key=distance, default=None)


def local_hour(at: datetime) -> int:
    """The campaign's local hour of the day."""
    return at.astimezone(BOGOTA).hour


def plain(exported: Mapping[str, Any]) -> dict[str, Any]:
    """What was learnt, in plain numbers: estimators are full of numpy's."""
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(exported, enc_hook=float))
    return body


class Hours:
    """A campaign's estimators through the hours of the day.

    Args:
        kept: what the store holds of other days.
    """

    def __init__(self, context: Context, campaign_id: str, kept: Iterable[Prior]) -> None:
        self._c, self._campaign_id = context, campaign_id
        self._kept = {prior.hour: prior for prior in kept}
        self._hour = local_hour(context.clock.now())
        self._saved_s = context.clock.monotonic()
        self._told = False
        self.learned = _learned(nearest(self._kept.values(), self._hour))

    def told(self) -> None:
        """Something was learnt that is not saved yet."""
        self._told = True

    def pass_on(self) -> None:
        """To be called once a second or so: saves every ten minutes, and turns over at the change of the hour."""
        now, now_s = self._c.clock.now(), self._c.clock.monotonic()
        hour = local_hour(now)
        if hour == self._hour and now_s - self._saved_s < SAVE_S:
            return
        known = self._kept.get(hour)  # before today's is put among them
        if (prior := self._due(now)) is not None:
            self._c.spawn(self._save(prior))
        self._saved_s = now_s
        if hour != self._hour:
            self._hour = hour
            if known is not None:
                self.learned.rebase(known.body)

    async def save(self) -> None:
        """Save what was learnt since the last time; if the store fails, it is lost."""
        if (prior := self._due(self._c.clock.now())) is not None:
            await self._save(prior)

    def _due(self, now: datetime) -> Prior | None:
        body = plain(self.learned.export()) if self._told else {}
        self._told = False
        if not body:
            return None
        prior = self._kept[self._hour] = Prior(self._campaign_id, ONE_LIST, self._hour, body, now)
        return prior

    async def _save(self, prior: Prior) -> None:
        if not self._c.ledger.leading:
            return
        try:
            await self._c.store.save_prior(prior)
        except StoreError as error:
            log.warning("priors.not_saved", campaign_id=self._campaign_id, code=error.code)


def _learned(prior: Prior | None) -> Learned:
    if prior is None:
        return Learned()
    try:
        return Learned(prior.body)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        # Of a version that is not understood any more: what was learnt is learnt again.
        log.warning("priors.not_understood", campaign_id=prior.campaign_id, hour=prior.hour, reason=str(error))
        return Learned()
