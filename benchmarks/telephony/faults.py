"""Faults under load on a private Asterisk, each many times, checked by a witness with an account of its own.

    python -m benchmarks.telephony.faults [--rounds N] [--only NAME,NAME] [--agents N] [--json FILE]

The engine is a process with a database of its own, and stands behind a proxy; eight telephones are nailed up; the
carrier logs every call. Reported: faults, calls, violations of the promises (0 is the bound), conversations that a
killed engine cut (0), and from the start of an engine to its first new call p50 / p99 (5 s).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from pathlib import Path

from cadencia.dialer.tally import percentile
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.telephony.asterisk import ensure_asterisk
from cadencia.testing.rough import FAULTS, RoughFloor

#: From the start of an engine or a server to the first new call, p99.
RESTART_S = 5.0


async def run(args: argparse.Namespace, url: str, folder: Path) -> bool:
    """All rounds on one floor; whether nothing was wrong."""
    names = args.only.split(",") if args.only else list(FAULTS)
    order = names * args.rounds
    random.Random(args.seed).shuffle(order)
    began_s = time.monotonic()
    contacts = args.contacts
    async with RoughFloor(
        ensure_asterisk(), url, folder, agents=args.agents, contacts=contacts, seed=args.seed
    ) as floor:
        shown = 0
        for number, name in enumerate(order, 1):
            await floor.do(name)
            found = [*floor.wrong, *floor.witness.violations]
            at_s = time.monotonic() - began_s
            print(f"{at_s:7.1f} s  {number:4d}/{len(order)}  {name:16s} wrong so far: {len(found)}", flush=True)
            for what in found[shown:]:
                print(f"           {what}", flush=True)
            shown = len(found)
        wrong = await floor.verdict()
    told = {
        "faults": dict(floor.done),
        "total": sum(floor.done.values()),
        "calls": floor.calls,
        "attempts": floor.attempts,
        "answered": floor.answered,
        "violations": wrong,
        "conversations_at_engine_kills": floor.spoken_at_crash,
        "cut_by_engine_kills": floor.cut_by_crash,
        "engine_restart_to_first_dial_s": _quantiles(floor.restarts_s),
        "server_restart_to_first_dial_s": _quantiles(floor.server_restarts_s),
        "link_cut_to_reconciled_s": _quantiles(floor.relinks_s),
        "bye_races_bridge": floor.races,
        "wall_s": round(time.monotonic() - began_s, 1),
    }
    print(json.dumps(told, indent=2))
    if args.json:
        args.json.write_text(json.dumps(told, indent=2) + "\n")
    late = [s for s in floor.restarts_s + floor.server_restarts_s if s > RESTART_S]
    print(f"from a restart to the first new call: {len(late)} over {RESTART_S:g} s")
    return not wrong and not late


def _quantiles(seconds: list[float]) -> dict[str, float | None]:
    return {name: percentile(seconds, share) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}


def main() -> None:
    """The command line. Exit 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="of each fault")
    parser.add_argument("--only", default="", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--contacts", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cadencia-faults-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg")
    try:
        fine = asyncio.run(run(args, server.start("faults"), folder))
    finally:
        server.stop()
    if fine:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"logs: {folder}")
    raise SystemExit(not fine)


if __name__ == "__main__":
    main()
