"""A server's own command line, and what it prints made into data. Only on the server itself, by who may run it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from cadencia.config.system import reason
from cadencia.errors import SwitchUnfit, Words

_MEND = Words(
    "Run this on the server of Asterisk, as root, while it runs; --asterisk-command names another program.",
    "Ejecute esto en el servidor de Asterisk, como root, con él andando; --asterisk-command nombra otro programa.",
)
#: One step of `dialplan show`: its extension, label and priority, what it does, and where that is written.
_STEP = re.compile(
    r"\s+(?:'(?P<exten>[^']+)' =>\s+)?(?:\[(?P<label>[^\]]+)\]\s+)?(?P<priority>\d+)\. (?P<what>.*?)\s+\[[^\[\]]*\]"
)

#: Extension, priority, label, and application with its arguments.
Step = tuple[str, int, str, str]


class Console:
    """Asks a running server by `asterisk -rx`.

    Args:
        command: the words that start the program; options may follow the first.
        timeout_s: real seconds that one answer may take.
    """

    def __init__(self, command: Sequence[str] = ("asterisk",), timeout_s: float = 20.0) -> None:
        self._command, self._timeout_s = tuple(command), timeout_s

    def ask(self, line: str) -> str:
        """What the server prints on one command; a command that fails there prints that.

        Raises:
            SwitchUnfit: the program is not there, or no server runs behind it.
        """
        try:
            # the words come from the command line's own user
            done = subprocess.run(  # noqa: S603
                [*self._command, "-rx", line],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._timeout_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = (
                reason(error)
                if isinstance(error, OSError)
                else Words("it does not answer in time", "no responde a tiempo")
            )
            program = self._command[0]
            raise SwitchUnfit(
                Words(f"{program} cannot be asked: {why}.", f"No se puede preguntar a {program}: {why.es}."), _MEND
            ) from None
        if "Unable to connect to remote asterisk" in done.stdout + done.stderr:
            raise SwitchUnfit(
                Words("No Asterisk answers on this machine.", "Ningún Asterisk responde en esta máquina."), _MEND
            )
        return done.stdout


def values(text: str) -> dict[str, str]:
    """The `name : value` lines of an answer."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def steps_shown(text: str) -> frozenset[Step]:
    """What `dialplan show CONTEXT` prints."""
    found, exten = set(), ""
    for line in text.splitlines():
        step = _STEP.fullmatch(line)
        if step is None:
            other = re.match(r"\s+(Include|Ignore pattern|Switch|Alt\. Switch) =>", line)
            if other:  # somebody put more into the context
                found.add(("", 0, "", line.strip()))
            continue
        exten = step["exten"] or exten
        found.add((exten, int(step["priority"]), step["label"] or "", step["what"]))
    return frozenset(found)


def steps_written(text: str) -> dict[str, frozenset[Step]]:
    """The contexts of an extensions.conf in the plain style that Cadencia generates: name -> steps."""
    found: dict[str, set[Step]] = {}
    context = exten = ""
    priority = 0
    for line in (line.partition(";")[0].strip() for line in text.splitlines()):
        if line.startswith("["):
            context = line.partition("]")[0][1:]
            continue
        kind, arrow, rest = line.partition(" => ")
        if not arrow:
            continue
        if kind == "exten":
            exten, _, rest = rest.partition(",")
        number, _, what = rest.partition(",")
        place, _, label = number.rstrip(")").partition("(")
        priority = priority + 1 if place == "n" else int(place)
        found.setdefault(context, set()).add((exten, priority, label, what))
    return {name: frozenset(steps) for name, steps in found.items()}


def settings_in(folder: Path, name: str, section: str) -> list[tuple[str, str]]:
    """Keys and values of a section in one of Asterisk's files and in what it includes, in order.

    Raises:
        OSError: the file cannot be read. One that is included and is not there is left out, as Asterisk does.
    """
    inside, found = False, []
    for line in _lines(folder, folder / name, 0):
        if line.startswith("["):
            inside = line.partition("]")[0][1:].strip() == section
        elif inside and "=" in line:
            key, _, value = line.partition("=")
            found.append((key.strip().lower(), value.removeprefix(">").strip()))
    return found


def _lines(folder: Path, path: Path, depth: int) -> Iterator[str]:
    for raw in path.read_text("utf-8", "replace").splitlines():
        line = raw.partition(";")[0].strip()
        included = re.fullmatch(r'#(?:try)?include\s+[<"]?([^>"]+)[>"]?', line)
        if included is None:
            yield line
            continue
        pattern = Path(included[1])
        places = sorted(Path("/").glob(str(pattern)[1:])) if pattern.is_absolute() else sorted(folder.glob(included[1]))
        for place in places:
            if depth < 5:
                yield from _lines(folder, place, depth + 1)
