"""How many events a second an AMI client takes in: ours, and two published ones on the same recorded stream.

    python benchmarks/ami_decode.py [--events 60000] [--repeat 3] [--compare] [--json]

The stream is the recorded conversations of tests/transcripts, over and over. Each client reads it in one thread, from
bytes to a callback for each event. `--compare` makes a temporary virtual environment, installs asterisk-ami 0.1.7 and
panoramisk there (they are no dependencies of ours), measures them in it and removes it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
CHUNK = 65536
OTHERS = {"asterisk-ami": "asterisk-ami==0.1.7", "panoramisk": "panoramisk"}


def stream(events: int) -> bytes:
    """At least so many recorded events, and nothing else, after a banner."""
    from cadencia.testing.transcripts import read_folder

    folders = [ROOT / "tests/transcripts" / name for name in ("cad", "asterisk22")]
    told = [heard.raw for f in folders for one in read_folder(f) for heard in one.heard if heard.get("Event")]
    return BANNER + b"".join(told) * (events // len(told) + 1)


def chunks(data: bytes) -> list[bytes]:
    return [data[n : n + CHUNK] for n in range(0, len(data), CHUNK)]


def ours(wanted: bool) -> Callable[[bytes], int]:
    """The session itself, from `data_received` to the event handler."""
    import asyncio

    from cadencia.telephony.ami.session import AmiSession
    from cadencia.telephony.call import WANTED_EVENTS

    def run(data: bytes) -> int:
        async def main() -> int:
            heard = 0

            def count(event: Any) -> None:
                nonlocal heard
                heard += 1

            session = AmiSession(count, WANTED_EVENTS if wanted else None)
            for chunk in chunks(data):
                session.data_received(chunk)
            return heard + session._decoder.skipped

        return asyncio.run(main())

    return run


def asterisk_ami(data: bytes) -> int:
    """Its reading thread's own loop over a socket that has it all."""
    import threading

    from asterisk.ami import AMIClient  # type: ignore[import-not-found]

    class Socket:
        place = 0

        def recv(self, size: int) -> bytes:
            self.place += size
            return data[self.place - size : self.place]

        def close(self) -> None: ...

    heard = 0

    def count(event: Any, **_: Any) -> None:
        nonlocal heard
        heard += 1

    client = AMIClient(buffer_size=CHUNK)  # its own 1024 would cost it more
    client.add_event_listener(count)
    client._socket, client.finished = Socket(), threading.Event()
    client.listen()
    return heard


def panoramisk(data: bytes) -> int:
    """Its protocol and manager."""
    import logging
    from unittest.mock import Mock

    from panoramisk.ami_protocol import AMIProtocol  # type: ignore[import-not-found]
    from panoramisk.manager import Manager  # type: ignore[import-not-found]

    logging.disable(logging.CRITICAL)
    heard = 0

    def count(manager: Any, event: Any) -> None:
        nonlocal heard
        heard += 1

    manager = Manager(loop=Mock())
    manager.register_event("*", count)
    protocol = AMIProtocol()
    protocol.connection_made(Mock())
    protocol.factory, protocol.encoding = manager, "utf8"
    for chunk in chunks(data):
        protocol.data_received(chunk)
    return heard


def measure(read: Callable[[bytes], int], data: bytes, repeat: int) -> dict[str, float]:
    """The best of some runs, by CPU time of this process."""
    best_s, heard = float("inf"), 0
    for _ in range(repeat):
        began = time.process_time()
        heard = read(data)
        best_s = min(best_s, time.process_time() - began)
    return {"events": heard, "events_per_s": heard / best_s, "us_per_event": best_s / heard * 1e6}


def elsewhere(data: bytes, repeat: int) -> dict[str, dict[str, float]]:
    """The others, in an environment that is gone afterwards."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv/bin/python"
        source = Path(folder) / "stream"
        source.write_bytes(data)
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *OTHERS.values()]
        if subprocess.run(pip, capture_output=True, check=False).returncode:
            print("The other clients cannot be installed here (no package index?): only ours is measured.")
            return {}
        for name in OTHERS:
            words = [str(python), __file__, "--only", name, "--stream", str(source), "--repeat", str(repeat)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name} failed: {done.stderr.strip().splitlines()[-1]}")
            else:
                found[name] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=list(OTHERS), help=argparse.SUPPRESS)
    parser.add_argument("--stream", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        read = asterisk_ami if args.only == "asterisk-ami" else panoramisk
        print(json.dumps(measure(read, args.stream.read_bytes(), args.repeat)))
        return
    if importlib.util.find_spec("cadencia") is None:
        sys.path.insert(0, str(ROOT))
    data = stream(args.events)
    results = {
        "cadencia, events the engine wants": measure(ours(True), data, args.repeat),
        "cadencia, all headers": measure(ours(False), data, args.repeat),
    }
    if args.compare:
        results |= elsewhere(data, args.repeat)
    if args.json:
        print(json.dumps(results))
        return
    base = results["cadencia, all headers"]["events_per_s"]
    print(f"{len(data) / 1e6:.1f} MB, one thread, CPU time, best of {args.repeat}")
    print(f"{'client':36} {'events':>8} {'events/s':>10} {'us/event':>9} {'all headers is':>15}")
    for name, row in results.items():
        ratio = f"{base / row['events_per_s']:.1f} times"
        print(f"{name:36} {row['events']:8.0f} {row['events_per_s']:10,.0f} {row['us_per_event']:9.1f} {ratio:>15}")


if __name__ == "__main__":
    main()
