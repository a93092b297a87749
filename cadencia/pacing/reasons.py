"""Why a controller launches or does not: stable codes, as the pages and the log put them into words."""

from __future__ import annotations

from typing import Final

LAUNCHING: Final = "launching"
#: Nobody is signed in and at work.
NO_AGENTS: Final = "no-agents"
#: Progressive and ratio: everybody is busy.
NO_FREE_AGENT: Final = "no-free-agent"
#: Enough calls are on their way for the agents who are or will be free.
ENOUGH_IN_FLIGHT: Final = "enough-in-flight"
#: One more answer would find nobody, with a probability above the threshold.
LIMITED_BY_RISK: Final = "limited-by-risk"
LIMITED_BY_ABANDONMENT: Final = "limited-by-abandonment"
LIMITED_BY_CHANNELS: Final = "limited-by-channels"
LIMITED_BY_RATE: Final = "limited-by-rate"
LIMITED_BY_LIST: Final = "limited-by-list"
#: The trunk fails call after call: only probes go out.
LIMITED_BY_BREAKER: Final = "limited-by-breaker"
#: Preview: an agent looks at a file and has not chosen yet.
AGENT_CHOOSES: Final = "agent-chooses"

REASONS: Final = (
    LAUNCHING,
    NO_AGENTS,
    NO_FREE_AGENT,
    ENOUGH_IN_FLIGHT,
    LIMITED_BY_RISK,
    LIMITED_BY_ABANDONMENT,
    LIMITED_BY_CHANNELS,
    LIMITED_BY_RATE,
    LIMITED_BY_LIST,
    LIMITED_BY_BREAKER,
    AGENT_CHOOSES,
)
