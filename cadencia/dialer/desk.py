"""The desk: what people may ask of the engine. The web talks to this port and to nothing else of the engine's."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from cadencia.clock import Clock
from cadencia.dialer.hub import Hub
from cadencia.dialer.people import People
from cadencia.dialer.views import (
    AgentView,
    BrowserTelephoneView,
    CallView,
    FloorView,
    NoteView,
    ObligationView,
    TelephonyView,
)
from cadencia.dialer.whatif import WhatIf
from cadencia.domain.dialing import Promise


class Desk(Protocol):
    """All methods raise `Refused` (with a message and a hint for the person) when the state does not allow them.

    Topics on `hub`: "floor" holds a FloorView, "agent/<agent id>" an AgentView, "telephony" a TelephonyView, each as
    JSON bytes; "floor" is published at most four times a second and at least once a second while anybody listens,
    "telephony" once a second.
    """

    hub: Hub
    clock: Clock
    people: People

    # -- an agent -----------------------------------------------------------------------------------------------------
    def agent(self, agent_id: str) -> AgentView:
        """The agent's own present."""
        ...

    async def sign_in(self, agent_id: str) -> None:
        """Bring the agent's telephone up; the agent is then paused ("inicio") until `ready`. Repeats are harmless."""

    async def ready(self, agent_id: str) -> None:
        """Ready for the next call; during a call or wrap-up: takes back a pause asked for."""

    async def pause(self, agent_id: str, reason: str) -> None:
        """Pause now, or after the present call and its wrap-up."""

    async def sign_out(self, agent_id: str) -> None:
        """Refused in a call."""

    async def dial(self, agent_id: str, attempt_id: str) -> None:
        """Preview: call the person whose file is on the screen. Repeats are harmless."""

    async def skip(self, agent_id: str, attempt_id: str, reason: str) -> None:
        """Preview: do not call this person now (`SKIP_REASONS`); the next file comes."""

    async def finish(self, agent_id: str, attempt_id: str) -> None:
        """Hang up the debtor; the agent stays in wrap-up until the disposition. A call that still rings (preview) is
        taken back at its minimum ring."""

    async def confirm(self, agent_id: str, attempt_id: str) -> tuple[ObligationView, ...]:
        """The right party is confirmed: the amounts, and a line in the log that they were shown."""
        ...

    async def dispose(
        self,
        agent_id: str,
        attempt_id: str,
        code: str,
        note: str,
        promise: Promise | None,
        callback_at: datetime | None,
    ) -> None:
        """Save the disposition: durable when this returns. In wrap-up it frees the agent for the next call."""

    def check_note(self, agent_id: str, attempt_id: str, note: str, language: str) -> NoteView:
        """What a note shows that the campaign's profiles forbid, before it is saved ("es" or "en"); it may be saved
        all the same."""
        ...

    def browser_telephone(self, agent_id: str) -> BrowserTelephoneView:
        """What the agent's page registers with. Refused if it is not the agent's telephone, or a setting is missing."""
        ...

    async def call_telephone(self, agent_id: str) -> None:
        """The agent's page is registered as the telephone and holds no call: call it. A leg that the switch still
        holds is hung up first; it was lost with an earlier page. Refused as `browser_telephone` is."""

    def browser_addresses(self) -> tuple[str, ...]:
        """The WebSocket addresses at which browsers are telephones: what the agent's page may connect to."""
        ...

    # -- a supervisor -------------------------------------------------------------------------------------------------
    def floor(self) -> FloorView:
        """The supervisor's present."""
        ...

    async def start_campaign(self, campaign_id: str, by: str, reason: str) -> None: ...

    async def pause_campaign(self, campaign_id: str, by: str, reason: str) -> None: ...

    async def stop_campaign(self, campaign_id: str, by: str, reason: str) -> None: ...

    async def set_campaign(self, campaign_id: str, changes: dict[str, Any], by: str, reason: str) -> None:
        """Change settings of a campaign (names of CampaignSettings), live. Unknown names and bad values are Refused."""

    def what_if(self, campaign_id: str, changes: dict[str, Any], agents: int | None = None) -> WhatIf:
        """The question what such a change would do, with `agents` instead of those at work; it is not made.

        Refused as the change would be; and while nobody is signed in, or where agents choose (preview).
        """
        ...

    # -- an engineer --------------------------------------------------------------------------------------------------
    def telephony(self) -> TelephonyView:
        """Servers, trunks and causes."""
        ...

    async def timeline(self, attempt_id: str) -> CallView | None:
        """The timeline of a call, going on or over; None if nobody knows it. Raises StoreError."""
        ...

    # -- health -------------------------------------------------------------------------------------------------------
    def health(self) -> dict[str, bool]:
        """{"switch": ..., "store": ..., "leader": ...}: ready to dial when all are true."""
        ...
