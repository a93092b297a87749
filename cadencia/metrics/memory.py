"""What a program that must not stand still does about its memory."""

from __future__ import annotations

import gc


def settle_memory() -> None:
    """Call it once, when everything is loaded: modules, the API's description and the list are never looked at again.

    A full collection stops the event loop for as long as it takes to walk over all that lives (0.3 s measured with a
    list in memory); what is frozen is not walked over. What is young is looked at less often than Python does by
    itself: each look at 700 new objects finds nearly all of them alive, in calls that are going on.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
