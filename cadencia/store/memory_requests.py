"""The store in memory: requests of persons about their data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from cadencia.domain.requests import DataRequest, RequestKind
from cadencia.store.memory_base import MemoryBase
from cadencia.store.refusals import no_person, no_request


class MemoryRequests(MemoryBase):
    """The requests of the port."""

    async def open_request(
        self, person_id: int, kind: RequestKind, received_on: date, due: date, by: str, now: datetime
    ) -> DataRequest:
        if person_id not in self._data.persons:
            raise no_person(person_id)
        new = DataRequest(self._data.next_id(), person_id, kind, received_on, due, extended=False, opened_by=by)
        return self._keep(new, "opened", by, now)

    async def extend_request(self, request_id: int, due: date, by: str, now: datetime) -> DataRequest:
        known = await self.data_request(request_id)
        if known.closed_at is not None or known.extended:
            raise no_request(request_id)
        return self._keep(replace(known, due=due, extended=True), "extended", by, now)

    async def close_request(self, request_id: int, outcome: str, by: str, now: datetime) -> DataRequest:
        known = await self.data_request(request_id)
        if known.closed_at is not None:
            raise no_request(request_id)
        return self._keep(replace(known, closed_at=now, outcome=outcome), "closed", by, now)

    async def data_request(self, request_id: int) -> DataRequest:
        known = self._data.requests.get(request_id)
        if known is None:
            raise no_request(request_id)
        return known

    async def data_requests(self, *, closed: bool = False) -> tuple[DataRequest, ...]:
        kept = [r for r in self._data.requests.values() if closed or r.closed_at is None]
        return tuple(sorted(kept, key=lambda r: (r.closed_at is not None, r.due, r.id)))

    def _keep(self, r: DataRequest, step: str, by: str, now: datetime) -> DataRequest:
        self._data.requests[r.id] = r
        body = {"person_id": r.person_id, "request": r.id, "kind": str(r.kind), "step": step, "due": r.due.isoformat()}
        self._log("person.request", now, body={**body, "by": by})
        return r
