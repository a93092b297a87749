"""What a change of settings would do, asked before it is made: the question, put together from the campaign as it is.

Nothing is simulated here: that takes seconds of a processor, and this is the loop on which calls are put through.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cadencia.dialer.campaign import CampaignRunner, policy_of
from cadencia.dialer.priors import plain
from cadencia.dialer.servers import Line
from cadencia.dialer.settings import changed_settings
from cadencia.domain.agents import AT_WORK
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.errors import Refused, Words
from cadencia.pacing.change import Question, Terms
from cadencia.pacing.port import AgentView

#: Settings that the simulator knows; the others change nothing in it.
_SIMULATED: Final = frozenset(
    {
        "mode", "ratio", "abandonment_cap", "abandonment_target", "cancel_late", "weight", "wait_s", "ring_s",
        "min_ring_s",
    }
)  # fmt: skip


@dataclass(frozen=True)
class WhatIf:
    """A question, and the names of the changes that it cannot take into account."""

    question: Question
    without_effect: tuple[str, ...]


def what_if(
    runner: CampaignRunner,
    changes: dict[str, Any],
    serving: Iterable[AgentView],
    trunks: Line,
    agents: int | None = None,
) -> WhatIf:
    """The question whether a campaign should be run with these changes.

    Args:
        serving: the agents who may serve the campaign, as its controller sees them.
        trunks: what all trunks of the campaign carry together.
        agents: at work, instead of those who are.

    Raises:
        Refused: the changes would be refused, nobody is there, or agents choose whom to call.
    """
    present = runner.settings
    settings = changed_settings(present, changes)
    if Mode.PREVIEW in (present.mode, settings.mode):
        raise Refused(
            Words("In preview the agents set the pace.", "En vista previa el ritmo lo ponen los agentes."),
            Words("Ask about a change between the other modes.", "Pregunte por un cambio entre los otros modos."),
        )
    now, then = (agents, agents) if agents else _crew(list(serving), present.weight, settings.weight)
    budget = runner.budget
    question = Question(
        _terms(present, now),
        _terms(settings, then),
        plain(runner.hours.learned.export()),
        trunks.channels,
        trunks.rate_per_s,
        budget.day,
        budget.month,
    )
    return WhatIf(question, tuple(name for name in changes if name not in _SIMULATED))


def _terms(settings: CampaignSettings, agents: int) -> Terms:
    return Terms(
        policy_of(settings),
        agents,
        settings.abandonment_cap,
        settings.abandonment_target,
        float(settings.wait_s),
        float(settings.ring_s),
        float(settings.min_ring_s),
    )


def _crew(serving: Sequence[AgentView], weight: float, new_weight: float) -> tuple[int, int]:
    """How many agents work for the campaign, and how many would with another weight.

    Those at work, else those signed in; of agents whom it shares, its part; all of them while it does not run.
    """
    shares = [agent.share for agent in serving if agent.state in AT_WORK] or [agent.share for agent in serving]
    if not shares:
        raise Refused(
            Words("No agent of this campaign is signed in.", "Ningún agente de esta campaña está en turno."),
            Words("Ask when somebody is, or say for how many.", "Pregunte cuando haya alguien, o diga para cuántos."),
        )
    part = sum(shares) / len(shares)
    if part <= 0.0:
        return len(shares), len(shares)
    others = weight * (1.0 - part) / part
    changed = new_weight / (new_weight + others)
    return max(1, round(len(shares) * part)), max(1, round(len(shares) * changed))
