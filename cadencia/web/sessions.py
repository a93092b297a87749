"""Who calls: cookies and bearer tokens, looked up in the store and remembered for a moment."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cadencia.clock import Clock
from cadencia.domain.access import User
from cadencia.web.signin import SESSION, SESSION_S, SignInStore, digest, issue

#: A looked-up credential is believed this long (real seconds). What another process ends, ends here after it at latest.
BELIEVE_S = 3.0
MAX_KEPT = 10_000
_SECRET_MAX = 128


@dataclass(frozen=True)
class Caller:
    """A signed-in user and the credential that let them in."""

    user: User
    kind: str
    digest: str


class Sessions:
    """Looks callers up, begins and ends sessions, and tells streams when theirs is over."""

    def __init__(self, store: SignInStore, clock: Clock, believe_s: float = BELIEVE_S) -> None:
        self._store = store
        self._clock = clock
        self._believe_s = believe_s
        self._known: OrderedDict[tuple[str, str], tuple[Caller, float]] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._watchers: dict[str, set[asyncio.Event]] = {}

    async def caller(self, kind: str, secret: str) -> Caller | None:
        """The owner of a secret; None if it lets nobody in."""
        if not secret or len(secret) > _SECRET_MAX:
            return None
        return await self.recheck(kind, digest(secret))

    async def recheck(self, kind: str, key: str) -> Caller | None:
        """The owner of a digest; from memory if it was looked up just now."""
        held = self._known.get((kind, key))
        if held and self._clock.wall() - held[1] < self._believe_s:
            return held[0]
        found = await self._store.credential(kind, key, self._clock.now())
        if found is None or key in self._gone:  # ended while the store was asked
            self._forget(kind, key)
            return None
        caller = Caller(found.user, kind, key)
        self._known[kind, key] = (caller, self._clock.wall())
        while len(self._known) > MAX_KEPT:
            self._known.popitem(last=False)
        return caller

    async def begin(self, user: User) -> str:
        """A new session; returns the cookie's secret."""
        return await issue(self._store, SESSION, user, self._clock, SESSION_S)

    async def end(self, caller: Caller) -> None:
        """End a session everywhere: here at once, in the store durably."""
        await self._store.take_credential(caller.kind, caller.digest, self._clock.now())
        self._gone[caller.digest] = None
        while len(self._gone) > MAX_KEPT:
            self._gone.popitem(last=False)
        self._forget(caller.kind, caller.digest)

    @contextmanager
    def watch(self, caller: Caller) -> Iterator[asyncio.Event]:
        """An event that is set when the caller's session ends."""
        over = asyncio.Event()
        watchers = self._watchers.setdefault(caller.digest, set())
        watchers.add(over)
        try:
            yield over
        finally:
            watchers.discard(over)
            if not watchers:
                self._watchers.pop(caller.digest, None)

    def _forget(self, kind: str, key: str) -> None:
        self._known.pop((kind, key), None)
        for over in self._watchers.get(key, ()):
            over.set()
