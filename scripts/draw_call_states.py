#!/usr/bin/env python3
"""Draws the states of a call into docs/call-states.md, from the table the engine works by.

With --check it writes nothing and exits 1 if the page shows something else than the table.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cadencia.telephony.call import TABLE, Phase, Sign

PAGE = Path(__file__).resolve().parent.parent / "docs/call-states.md"
FENCE = "```mermaid\n", "```\n"


def diagram() -> str:
    """Mermaid's text: one arrow for each pair of phases, labelled with the signs that lead from one to the other."""
    signs: dict[tuple[Phase, Phase], list[Sign]] = {}
    for (phase, sign), after in TABLE.items():
        signs.setdefault((phase, after), []).append(sign)
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.SENT}"]
    for phase in Phase:
        for after in Phase:
            told = sorted(signs.get((phase, after), ()), key=list(Sign).index)
            if told:
                lines.append(f"    {phase} --> {after} : {', '.join(told)}")
    lines.append(f"    {Phase.ENDED} --> [*]")
    return "".join(f"{line}\n" for line in lines)


def drawn(page: str) -> str:
    """The diagram that a page holds. Raises ValueError if it holds none, or several."""
    before, opened, rest = page.partition(FENCE[0])
    text, closed, after = rest.partition(FENCE[1])
    if not opened or not closed or FENCE[0] in before + after:
        raise ValueError("the page must hold exactly one mermaid diagram")
    return text


def main(arguments: list[str]) -> int:
    page = PAGE.read_text("utf-8")
    held, wanted = drawn(page), diagram()
    if held == wanted:
        return 0
    if "--check" in arguments:
        print(f"{PAGE.name} differs from the table; run scripts/draw_call_states.py", file=sys.stderr)
        return 1
    PAGE.write_text(page.replace(FENCE[0] + held, FENCE[0] + wanted), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
