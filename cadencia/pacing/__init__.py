"""Pure mathematics of dialling: controllers behind one port, and the worlds they are proved in."""

from cadencia.domain.agents import AgentState
from cadencia.domain.dialing import Mode
from cadencia.pacing.budget import Budget, Count, Variant, rate, upper_bound
from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.learned import Learned
from cadencia.pacing.port import (
    AgentView,
    Controller,
    Decision,
    DialView,
    Forecast,
    PacingEvent,
    PacingEventKind,
    Snapshot,
)

__all__ = [
    "AgentState",
    "AgentView",
    "Budget",
    "Controller",
    "Count",
    "Decision",
    "DialView",
    "Forecast",
    "Learned",
    "Mode",
    "PacingEvent",
    "PacingEventKind",
    "Policy",
    "Snapshot",
    "Variant",
    "make_controller",
    "rate",
    "upper_bound",
]
