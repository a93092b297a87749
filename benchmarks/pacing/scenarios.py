"""Who is compared, where, and for how long: the policies by name, the cells, and one simulated floor."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from benchmarks.pacing.optimum import OptimumController, Problem, solve
from benchmarks.pacing.peers import (
    Adapt,
    IdleTimesFactor,
    Issabel,
    IssabelController,
    Vicidial,
    VicidialController,
    Webitel,
    WebitelController,
)
from benchmarks.pacing.results import Cell, Row
from cadencia.domain.dialing import Mode
from cadencia.pacing.budget import Count
from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.port import Controller, Decision, PacingEvent, Snapshot
from cadencia.pacing.simulator import Floor, Result, simulate
from cadencia.pacing.worlds import CLASSES as WITH_CLASSES
from cadencia.pacing.worlds import DETECTOR, EXPONENTIAL, HOSTILE, MOVING, NO_DETECTOR, REALISTIC, World

TEAMS = (3, 5, 10, 20, 50, 100, 300)
RATES = (0.10, 0.25, 0.45)

CLASSES = "predictive+classes+choose+cancel"

#: Ours that look ahead; the first is compared with each peer.
OURS: tuple[str, ...] = ("predictive+cancel", "predictive", CLASSES)

OWN: dict[str, Policy] = {
    "predictive+cancel": Policy(Mode.PREDICTIVE, cancel_late=True, choose=False),
    "predictive": Policy(Mode.PREDICTIVE, cancel_late=False, choose=False),
    CLASSES: Policy(Mode.PREDICTIVE, cancel_late=True, choose=True),
    # What each is worth by itself: knowing the classes, and then choosing among them.
    "predictive+classes": Policy(Mode.PREDICTIVE, cancel_late=False, choose=False),
    "predictive+classes+choose": Policy(Mode.PREDICTIVE, cancel_late=False, choose=True),
    "progressive": Policy(Mode.PROGRESSIVE),
    "ratio 2": Policy(Mode.RATIO, ratio=2.0),
}


def _vicidial(agents: int, method: Adapt = Adapt.RATIO, **settings: float) -> Controller:
    """VICIdial in a shift from 9:00 to 17:00, on as many servers as its makers advise: one for 25 agents.

    Each places 5 calls a second. TAPERED brakes by the hours left until a closing time that the campaign names; with
    the default of 21:00 it does not brake at all before 11:00, so the shift's end is the setting that favours it.
    """
    servers = max(1, -(-agents // 25))
    return VicidialController(Vicidial(method, latest_hhmm=1700, calls_per_s=5.0 * servers, **settings))


PEERS: dict[str, Callable[[int], Controller]] = {
    "VICIdial ratio 1.5": lambda agents: _vicidial(agents, level=1.5),
    "VICIdial ratio 3, available only": lambda agents: _vicidial(agents, level=3.0, available_only=True),
    "VICIdial hard limit": lambda agents: _vicidial(agents, Adapt.HARD_LIMIT),
    "VICIdial average": lambda agents: _vicidial(agents, Adapt.AVERAGE),
    "VICIdial tapered": lambda agents: _vicidial(agents, Adapt.TAPERED),
    "VICIdial hard limit, available only": lambda agents: _vicidial(agents, Adapt.HARD_LIMIT, available_only=True),
    "Issabel": lambda agents: IssabelController(Issabel()),
    "Issabel overcommit": lambda agents: IssabelController(Issabel(overcommit=True)),
    "Webitel": lambda agents: WebitelController(Webitel()),
}

#: Only where it is exact: the exponential world, as a check of simulator and programme against each other.
OPTIMUM = "optimum"

TUNED: dict[str, Callable[[int, float], Controller]] = {
    "idle": lambda agents, factor: IdleTimesFactor(factor),
    "vicidial-available": lambda agents, factor: _vicidial(agents, level=factor, available_only=True),
}

ORDER: tuple[str, ...] = (*OWN, *PEERS, OPTIMUM)

#: Unmeasured, from a cold start. Days and the first 30 minutes count from the start.
WARMUP_S = 1800.0

WORLDS: dict[str, World] = {
    "realistic": REALISTIC,
    "exponential": EXPONENTIAL,
    "moving": MOVING,
    "detector": DETECTOR,
    "no-detector": NO_DETECTOR,
    "hostile": HOSTILE,
}

#: What a list whose past answers are known tells of each debtor: share of the list, factor of the answer rate.
KNOWN_CLASSES = WITH_CLASSES.classes

ROOT = Path(__file__).resolve().parents[2]


def controller(policy: str, cell: Cell) -> Controller:
    """A policy by its name; `family:factor` is a family's with that factor.

    Raises:
        KeyError: no such policy.
    """
    if policy in OWN:
        return make_controller(OWN[policy])
    if policy in PEERS:
        return PEERS[policy](cell.agents)
    if policy == OPTIMUM:
        return OptimumController(solve(Problem(cell.agents, cell.answer_rate)))
    name, _, factor = policy.partition(":")
    return TUNED[name](cell.agents, float(factor))


def applies(policy: str, cell: Cell) -> bool:
    """The optimum is known in the exponential world only."""
    return policy != OPTIMUM or cell.world == "exponential"


def world_of(policy: str, cell: Cell) -> World:
    """The world of a cell; a policy that is told classes has them known, from the same debtors' mixture.

    The classes' answer rates average to the cell's, so that an answer costs as many dials as without the hint.
    """
    world = WORLDS[cell.world]
    if policy in OWN and "classes" in policy and not world.classes:
        world = replace(world, classes=KNOWN_CLASSES)
    return replace(world, live=cell.answer_rate)


def floor_of(policy: str, cell: Cell) -> Floor:
    """6 lines an agent and 3.0 %; in the exponential world no limit of the floor's cuts a phase short."""
    if cell.world == "exponential":
        return Floor(cell.agents, wait_s=math.inf, ring_s=math.inf)
    return Floor(cell.agents)


class Patience:
    """Tells a controller how long a caller waits where no limit of the floor's ends the wait: the mean patience."""

    def __init__(self, controller: Controller, wait_s: float) -> None:
        self.controller, self.wait_s = controller, wait_s

    def tell(self, event: PacingEvent) -> None:
        self.controller.tell(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        return self.controller.decide(replace(snapshot, wait_s=self.wait_s))


def play(
    policy: str,
    cell: Cell,
    seed: int,
    hours: float,
    warmup_s: float,
    agent: Controller,
    month: Count = Count(),  # noqa: B008 - frozen
) -> Result:
    """One day of a controller on the floor of a cell.

    Args:
        month: the campaign's account of the days before.
    """
    world, floor = world_of(policy, cell), replace(floor_of(policy, cell), month=month)
    if math.isinf(floor.wait_s):
        agent = Patience(agent, world.patience_s)
    return simulate(world, floor, agent, hours=hours, seed=seed, warmup_s=warmup_s)


def hours_for(agents: int) -> float:
    """Small floors are measured longer: an hour of theirs says less."""
    return 8.0 if agents <= 10 else 4.0 if agents <= 100 else 2.0


def seeds(words: str) -> tuple[int, ...]:
    """`A-B`, or one number."""
    first, _, last = words.partition("-")
    return tuple(range(int(first), int(last or first) + 1))


@cache
def version(policy: str) -> str:
    """A fingerprint of the code that a policy's figures depend on, so that old rows are not taken for new ones."""
    pacing = sorted((ROOT / "cadencia/pacing").glob("*.py"))
    shared = [path for path in pacing if path.name in ("simulator.py", "worlds.py", "budget.py", "port.py")]
    own = pacing if policy in OWN else [*shared, ROOT / "benchmarks/pacing/peers.py"]
    files = [*own, Path(__file__)]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def measure(policy: str, cell: Cell, seed: int, hours: float) -> Row:
    """Simulate one floor: `WARMUP_S` from a cold start, then `hours`."""
    begin = time.process_time()
    result = play(policy, cell, seed, hours, WARMUP_S, controller(policy, cell))
    return Row(
        policy=policy,
        cell=cell,
        seed=seed,
        hours=hours,
        version=version(policy),
        utilisation=result.utilisation,
        wait_mean_s=result.wait_mean_s,
        wait_p95_s=result.wait_p95_s,
        answers=result.answers,
        abandoned=result.abandoned,
        dials=result.dials,
        contacts=result.contacts,
        first_half_hour=(result.first_half_hour.answers, result.first_half_hour.abandoned),
        days=tuple((day.answers, day.abandoned) for day in result.days),
        took_s=round(time.process_time() - begin, 3),
    )
