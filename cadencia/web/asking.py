"""Asks a what-if in a process of its own: the simulator would hold up the loop on which calls are put through."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

import msgspec
import structlog

from cadencia.pacing.change import Answer, Question
from cadencia.web.errors import WebError

log = structlog.get_logger("cadencia.web")

#: Real seconds for an answer. A floor of 20 is answered in about 4 s, one of 300 in about 12 s; three times as much
#: without the compiled kernel, and more where the processors are busy with calls.
DEADLINE_S = 60.0


class Asker:
    """One question at a time: it takes a processor, and calls need the others.

    Args:
        deadline_s: real seconds for an answer.
        command: the process that answers; it reads a `Question` as JSON and writes an `Answer`.
    """

    def __init__(
        self, deadline_s: float = DEADLINE_S, command: Sequence[str] = (sys.executable, "-m", "cadencia.web.asked")
    ) -> None:
        self._deadline_s, self._command = deadline_s, command
        self._asking = False

    async def ask(self, question: Question) -> Answer:
        """Simulate it.

        Raises:
            WebError: another question is being answered, this one took too long, or the process failed.
        """
        if self._asking:
            raise WebError(409, "CAD-WEB-ASKING", retry_after_s=5)
        self._asking = True
        try:
            return await self._ask(question)
        finally:
            self._asking = False

    async def _ask(self, question: Question) -> Answer:
        try:
            process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        except OSError as error:
            log.warning("whatif.not_started", reason=str(error))
            raise WebError(503, "CAD-WEB-SIMULATION") from error
        try:
            async with asyncio.timeout(self._deadline_s):
                told, trouble = await process.communicate(msgspec.json.encode(question))
        except TimeoutError:
            log.warning("whatif.too_slow", deadline_s=self._deadline_s)
            raise WebError(504, "CAD-WEB-SLOW") from None
        finally:
            await _end(process)
        try:
            return msgspec.json.decode(told, type=Answer)
        except msgspec.DecodeError:
            last = trouble.decode("utf-8", errors="replace").strip().rpartition("\n")[2]
            log.warning("whatif.failed", status=process.returncode, reason=last[:300])
            raise WebError(500, "CAD-WEB-SIMULATION") from None


async def _end(process: Process) -> None:
    """No process is left behind, also where the asking was cancelled."""
    if process.returncode is None:
        process.kill()
        await process.communicate()
