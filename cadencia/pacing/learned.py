"""What a campaign's calls teach: estimators that learn on line, forget, and go from day to day."""

from __future__ import annotations

from typing import Any

from cadencia.pacing.port import PacingEvent


class Learned:
    """All estimators of one campaign.

    Args:
        prior: what `export` gave another day.
    """

    def __init__(self, prior: dict[str, Any] | None = None) -> None:
        self._prior = prior

    def tell(self, event: PacingEvent) -> None:
        """Learn of an event."""

    def export(self) -> dict[str, Any]:
        """What was learnt, as plain JSON values, for the next day."""
        return {}
