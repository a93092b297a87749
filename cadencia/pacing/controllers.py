"""The one place that makes controllers.

What is learnt (`Learned`) does not belong to a policy: it goes from one controller to the next, so that a change of
mode or of a setting while calls are in flight loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from cadencia.domain.dialing import Mode
from cadencia.pacing.learned import Learned
from cadencia.pacing.port import Controller
from cadencia.pacing.predictive import PredictiveController
from cadencia.pacing.simple import PreviewController, RatioController


@dataclass(frozen=True, slots=True)
class Policy:
    """How a campaign is to be paced.

    Attributes:
        ratio: calls per free agent in ratio mode, >= 1.
        cancel_late: take late ringing calls back while no agent is free (predictive; never before the minimum ring).
        choose: choose the propensity class of each call (predictive); else the list's order decides.
    """

    mode: Mode = Mode.PREDICTIVE
    ratio: float = 1.0
    cancel_late: bool = True
    choose: bool = True

    def __post_init__(self) -> None:
        if not self.ratio >= 1.0:
            raise ValueError("a ratio below one call per free agent leaves agents without calls")


def make_controller(policy: Policy, learned: Learned | None = None) -> Controller:
    """The controller of a policy.

    Args:
        learned: what the controller before it had learnt.
    """
    learned = Learned() if learned is None else learned
    if policy.mode is Mode.PREVIEW:
        return PreviewController(learned)
    if policy.mode is Mode.PREDICTIVE:
        return PredictiveController(learned, cancel_late=policy.cancel_late, choose=policy.choose)
    return RatioController(policy.ratio if policy.mode is Mode.RATIO else 1.0, learned)
