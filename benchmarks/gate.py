"""How long the gate takes to decide, on one core.

    python benchmarks/gate.py [--rounds 200] [--json]

The mix is a floor's in Colombia: a person with two telephones and eight contacts in the last ten days, under Ley 2300
and the campaign's caps; seven of ten may be called, the others are outside the hours, at the cap, in a cool-off, or
revoked. Times one decision, the choice among a person's telephones, and the same with its grounds as evidence keeps
them. Ends with 1 if the mean of a decision is above 20 microseconds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cadencia.compliance.gate import decide
from cadencia.compliance.judge import Judge, situation
from cadencia.config.profiles import builtin
from cadencia.domain.dialing import CampaignSettings, ContactFacts
from cadencia.domain.law import Allow, Channel, Consent, Facts, Person, Purpose, Reach, Touch
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role

#: Microseconds a decision may take in the mean.
BOUND_US = 20.0

#: A Tuesday, 10:00 in Bogotá.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def contacts(seed: int, n: int) -> list[tuple[ContactFacts, datetime]]:
    """Persons as a claim reads them, each with the instant it is asked at."""
    dice = random.Random(seed)
    return [_contact(dice, number) for number in range(n)]


def _contact(dice: random.Random, number: int) -> tuple[ContactFacts, datetime]:
    at = NOW + timedelta(seconds=dice.randrange(6 * 3600))
    kind = dice.choices(("free", "hours", "cap", "talk", "revoked"), (70, 10, 10, 7, 3))[0]
    if kind == "hours":
        at = NOW.replace(hour=0) + timedelta(seconds=dice.randrange(6 * 3600))
    days = sorted((dice.uniform(1.0, 10.0) for _ in range(8)), reverse=True)
    if kind == "cap":
        days[-3:] = [0.12, 0.08, 0.05]
    touches = [
        Touch(at - timedelta(days=d), Channel.VOICE, Purpose.COLLECTION, Reach.RANG, "NOA", 2 * number + i % 2)
        for i, d in enumerate(days)
    ]
    if kind == "talk":
        touches[-1] = replace(touches[-1], at=at - timedelta(hours=1), reach=Reach.TWO_WAY, code="SCP")
    consents = [Consent(1, True, NOW - timedelta(days=300), Channel.VOICE)]
    if kind == "revoked":
        consents.append(Consent(2, False, NOW - timedelta(days=3), Channel.VOICE))
    person = Person(number, frozenset({Role.HOLDER}), ("America/Bogota",), frozenset({number}), frozenset({"banco"}))
    phones = tuple(Phone(2 * number + i, f"+57300{number:07d}", LineType.MOBILE, i, PhoneStatus.NEW) for i in range(2))
    return ContactFacts(number, "c1", person, Facts(tuple(consents), touches=tuple(touches)), phones), at


def timed(work: list[Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Microseconds of one call. The mean is of whole rounds; percentiles are of calls, with the clock's own time."""
    means: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        for one in work:
            one()
        means.append((time.perf_counter() - start) / len(work) * 1e6)
    each = []
    for _ in range(max(1, rounds // 10)):
        for one in work:
            start = time.perf_counter()
            one()
            each.append((time.perf_counter() - start) * 1e6)
    each.sort()
    means.sort()
    return {
        "mean_us": round(means[len(means) // 2], 2),
        "p50_us": round(each[len(each) // 2], 2),
        "p95_us": round(each[int(len(each) * 0.95)], 2),
        "p99_us": round(each[int(len(each) * 0.99)], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    settings, judge = CampaignSettings(), Judge(builtin())
    stack, asked = judge.stack(settings), contacts(1, 1000)
    gc.freeze()
    facts = [(c, situation(c.facts, settings, at), at) for c, at in asked]
    one: list[Callable[[], Any]] = [
        lambda c=c, f=f, at=at: decide(c.person, c.phones[0], Channel.VOICE, settings.purpose, at, f, stack)  # type: ignore[misc]
        for c, f, at in facts
    ]
    allowed = sum(isinstance(call(), Allow) for call in one)
    told: dict[str, Any] = {
        "allowed": round(allowed / len(one), 3),
        "decide": timed(one, args.rounds),
        "verdict": timed([lambda c=c, at=at: judge.verdict(c, settings, at) for c, at in asked], args.rounds),  # type: ignore[misc]
        "recorded": timed([lambda c=c, at=at: judge.recorded(c, settings, at) for c, at in asked], args.rounds),  # type: ignore[misc]
        "bound_mean_us": BOUND_US,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(told, indent=None if args.json else 2))
    raise SystemExit(int(told["decide"]["mean_us"] > BOUND_US))


if __name__ == "__main__":
    main()
