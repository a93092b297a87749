"""Ten million bytes of damaged conversations through the codec, held against a second, slow reader.

    python benchmarks/ami_fuzz.py [--bytes 10000000] [--seed 1] [--json]

Each stream is a piece of the recorded conversations with up to forty faults. The codec reads it three times: at once,
as a network would cut it, and choosing the engine's events. The bound: not one exception, and not one message, key or
value that the slow reader (tests/support/reference_ami.py) does not find too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))

from codec_fuzz import fuzz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    began = time.perf_counter()
    report = fuzz(args.bytes, args.seed)
    seconds = time.perf_counter() - began
    if args.json:
        print(json.dumps({**asdict(report), "seconds": round(seconds, 1)}))
    else:
        print(
            f"{report.read:,} bytes in {report.streams:,} streams, {report.messages:,} messages, {report.malformed:,} "
            f"lines that are none; {seconds:.0f} s\nwrong: {len(report.wrong)} (bound: 0)",
            *report.wrong,
            sep="\n",
        )
    sys.exit(bool(report.wrong))


if __name__ == "__main__":
    main()
