"""What a person's export says of the person in readable words; it holds personal data, and evidence itself does not."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

from cadencia.store.port import Store


async def dossier_of(store: Store, person_id: int) -> dict[str, Any]:
    """The person's file as it stands, and under `law` what `cadencia recheck` is told. Raises Refused if there is no
    such person."""
    file = dataclasses.asdict(await store.file(person_id))
    file["history"] = [past._asdict() for past in file["history"]]
    return file | {"law": await store.dossier(person_id, datetime(1970, 1, 1, tzinfo=UTC))}
