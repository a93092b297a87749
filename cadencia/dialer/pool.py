"""The part of a campaign that lives on one server: its agents there, and the calls dialled for them."""

from __future__ import annotations

from typing import Any

from cadencia.dialer.decisions import DecisionLog
from cadencia.dialer.servers import Switch
from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.learned import Learned
from cadencia.pacing.port import Decision, DialView
from cadencia.pacing.reasons import NO_AGENTS


class Pool:
    """What is decided together: a person who answers here can only be put through to an agent who is here.

    Attributes:
        dials: launched and unanswered, the unsent included.
        waiting: answered, and no agent has them.
        last: the newest decision; `log` gathers them.
        launching: the numbers of the decision that is being carried out, for the calls it starts.
    """

    def __init__(self, switch: Switch, policy: Policy, learned: Learned) -> None:
        self.switch = switch
        self.controller = make_controller(policy, learned)
        self.dials: dict[str, DialView] = {}
        self.waiting: set[str] = set()
        self.last = Decision(0, (), NO_AGENTS)
        self.log = DecisionLog()
        self.launching: dict[str, Any] | None = None
        self._shown: tuple[DialView, ...] = ()

    def views(self) -> tuple[DialView, ...]:
        """The calls in flight; the same object while nothing changed, so that the controller saves its work."""
        dials = tuple(self.dials.values())
        if dials != self._shown:
            self._shown = dials
        return self._shown
