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
from cadencia.pacing.reasons import REASONS
from cadencia.pacing.simulator import Floor, Result, simulate
from cadencia.pacing.worlds import REALISTIC, World

__all__ = [
    "REALISTIC",
    "REASONS",
    "AgentState",
    "AgentView",
    "Budget",
    "Controller",
    "Count",
    "Decision",
    "DialView",
    "Floor",
    "Forecast",
    "Learned",
    "Mode",
    "PacingEvent",
    "PacingEventKind",
    "Policy",
    "Result",
    "Snapshot",
    "Variant",
    "World",
    "make_controller",
    "rate",
    "simulate",
    "upper_bound",
]
