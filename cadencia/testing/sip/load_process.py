"""The load carrier in a process of its own.

    python -m cadencia.testing.sip.load_process --port 5080 --log calls.jsonl --mix answer=60,busy=20,noanswer=20

It prints one line of JSON (`port`, `pid`) when it listens. Lines on its standard input switch it while it runs:

    normal               answers by its mix
    silent               the cable is out: takes nothing in and sends nothing
    503                  refuses every new call
    flapping 5 [silent]  5 s normal and 5 s of 503 (or silent) by turns
    stats                nothing but the line that follows each of these: `mode`, and calls by what became of them

It ends when its input does, or on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Self

from cadencia.testing.sip.load import KINDS, LoadCarrier, parse_mix


class LoadProcess:
    """A `LoadCarrier` in a process of its own; `async with LoadProcess(port, log) as carrier`.

    Args:
        options: further words of its command line, such as `--mix`, "answer=1".

    Attributes:
        pid: of the process.
    """

    def __init__(self, port: int, log: Path, *options: str) -> None:
        self._words = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
        self._words += ["--port", str(port), "--log", str(log), *options]
        self.log = log
        self.pid = 0
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        self.pid = (await self._said())["pid"]
        return self

    async def __aexit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5.0)
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def tell(self, command: str) -> dict[str, Any]:
        """A line on its input, and the line it says: `mode`, `begun`, `live`, `ended`."""
        assert self._process is not None and self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(f"{command}\n".encode())
        return await self._said()

    async def _said(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101
        said: dict[str, Any] = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 10.0))
        return said

    def calls(self) -> list[dict[str, Any]]:
        """Its log so far: calls that have ended, up to a quarter of a second ago."""
        return read_log(self.log)


def read_log(log: Path) -> list[dict[str, Any]]:
    """The calls in a log, in the order they ended; a line that is not whole yet is left out."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def _serve(args: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with LoadCarrier(
        args.port,
        log=args.log,
        seed=args.seed,
        mix=args.mix,
        ring_s=args.ring,
        talk_s=args.talk,
        gone_s=args.gone,
    ) as carrier:
        # With no more input there is nobody who wants us.
        loop.add_signal_handler(signal.SIGTERM, reader.feed_eof)
        _say(port=carrier.port, pid=os.getpid())
        while line := (await reader.readline()).decode():
            try:
                if line.strip() != "stats":
                    carrier.switch(line.strip())
            except ValueError as error:
                _say(error=str(error))
                continue
            _say(mode=carrier.mode, begun=carrier.begun, live=carrier.live, ended=dict(carrier.ended))


def _span(text: str) -> tuple[float, float]:
    low, _, high = text.partition(":")
    return float(low), float(high or low)


def main() -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mix", type=parse_mix, default="answer=1", help=f"weights of {', '.join(KINDS)}")
    parser.add_argument("--ring", type=_span, default="0.2:1", help="seconds from:to")
    parser.add_argument("--talk", type=_span, default="1:3", help="seconds from:to")
    parser.add_argument("--gone", type=_span, default="0", help="seconds from:to")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
