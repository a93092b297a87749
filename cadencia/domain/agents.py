"""Agents: who they are, and the states they pass through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AgentState(StrEnum):
    OUT = "out"  # signed out
    CONNECTING = "connecting"  # signed in, the telephone is not up yet (or fell)
    READY = "ready"
    PREVIEW = "preview"  # looks at a file, and has not said yet whether to dial
    RESERVED = "reserved"  # a debtor is on the way
    TALKING = "talking"
    WRAPUP = "wrapup"
    PAUSED = "paused"


#: States in which an agent is at work and may serve a call soon.
AT_WORK: frozenset[AgentState] = frozenset(
    {AgentState.READY, AgentState.PREVIEW, AgentState.RESERVED, AgentState.TALKING, AgentState.WRAPUP}
)

#: Reasons for a pause, as the pages offer them.
PAUSE_REASONS: tuple[str, ...] = ("descanso", "almuerzo", "bano", "capacitacion", "soporte")

#: Reasons for not dialling a person whose file was offered (preview), as the pages offer them.
SKIP_REASONS: tuple[str, ...] = ("ya_gestionado", "espera_pago", "dato_errado", "otro")

#: The engine's own reasons.
PAUSE_WRAPUP_EXPIRED = "cierre_vencido"
PAUSE_PREVIEW_EXPIRED = "previa_vencida"
PAUSE_AFTER_SIGN_IN = "inicio"
PAUSE_TELEPHONE = "telefono"  # it fell in a call, or nobody picked it up


@dataclass(frozen=True)
class Agent:
    """A person who talks to debtors.

    Attributes:
        endpoint: name of the telephone on the switch (PJSIP endpoint), for example a1001.
        skills: what the agent may be given; a campaign without a skill takes anybody.
    """

    id: str
    name: str
    endpoint: str
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AgentChange:
    """A change of an agent's state, as it is written down."""

    agent_id: str
    state: AgentState
    at: datetime
    reason: str = ""
    attempt_id: str | None = None


@dataclass(frozen=True)
class AgentSession:
    """An agent and the last state written down, which a new engine takes over."""

    agent: Agent
    state: AgentState
    since: datetime
    reason: str
    attempt_id: str | None
