"""What the page of compliance shows of the law: what is in force, what is proposed, and what it would have changed."""

from __future__ import annotations

import asyncio
from datetime import date, datetime

import msgspec
import structlog

from cadencia.clock import Clock
from cadencia.config.difference import diff
from cadencia.config.profiles import Rulebook
from cadencia.dialer.law import Law, Yesterday, earlier, read_proposal, yesterday
from cadencia.dialer.nightly import nights
from cadencia.domain.access import User, UserRole
from cadencia.domain.codes import Denial, label
from cadencia.domain.law import Profile
from cadencia.domain.profiles import ProfileState, ProfileText, ProfileVersion
from cadencia.errors import ConfigError, Refused, StoreError
from cadencia.store.port import Store

log = structlog.get_logger("cadencia.web")

#: Who may propose and decide; others of the page only read.
DECIDERS = frozenset({UserRole.COMPLIANCE, UserRole.ADMIN})

#: Real seconds between two pages of yesterday's questions: calls are put through on the same loop.
_PAUSE_S = 0.05


class ChangeView(msgspec.Struct, frozen=True):
    """One field that differs; `effect` is loosens, tightens, neither or undecided."""

    path: str
    old: str
    new: str
    effect: str


class CodeCount(msgspec.Struct, frozen=True):
    """A reason of the gate, and how often."""

    code: str
    es: str
    en: str
    count: int


class CaseView(msgspec.Struct, frozen=True):
    """One question that would be answered otherwise; null is allowed."""

    campaign_id: str
    contact_id: int
    at: datetime
    before: str | None
    after: str | None
    rule: str


class YesterdayView(msgspec.Struct, frozen=True):
    """What a proposal would have changed on a day; `campaigns` name the profile."""

    day: date
    campaigns: tuple[str, ...]
    asked: int
    allowed: int
    now_denied: tuple[CodeCount, ...]
    now_allowed: tuple[CodeCount, ...]
    cases: tuple[CaseView, ...]


class LawVersionView(msgspec.Struct, frozen=True):
    """A version of a profile; `state` is proposed, active, retired or rejected."""

    id: str
    version: int
    sha256: str
    state: str
    proposed_by: str
    proposed_at: datetime
    reason: str
    decided_by: str
    decided_at: datetime | None
    decision: str


class InForceView(msgspec.Struct, frozen=True):
    """A profile in force. One that is not `readable` is missing to the gate, which denies whatever needs it."""

    version: LawVersionView
    readable: bool
    title: str
    jurisdiction: str
    confidence: str
    citations: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    campaigns: tuple[str, ...]


class ProposalView(msgspec.Struct, frozen=True):
    """A version that waits for a second person.

    `in_force` is the version that it would take the place of, `own` says that the caller proposed it. `yesterday` is
    null while it is being found out; `progress`, from 0 to 1, tells how far that is.
    """

    version: LawVersionView
    readable: bool
    title: str
    in_force: int | None
    own: bool
    changes: tuple[ChangeView, ...]
    progress: float
    yesterday: YesterdayView | None


class LawView(msgspec.Struct, frozen=True):
    """The law's page. `may_decide`: the caller may propose and decide. `history` is the newest first."""

    may_decide: bool
    proposals: tuple[ProposalView, ...]
    in_force: tuple[InForceView, ...]
    history: tuple[LawVersionView, ...]


class ViolationView(msgspec.Struct, frozen=True):
    """A contact that the re-check finds against; campaign and contact are null if nobody knows them any more."""

    rule: str
    profile: str
    at: datetime
    attempt: str
    campaign: str | None
    contact_id: int | None
    es: str
    en: str


class NightView(msgspec.Struct, frozen=True):
    """A local day's contacts, judged again at `at`; `first` are the first 20 violations."""

    day: date
    at: datetime
    persons: int
    contacts: int
    violations: int
    by_rule: dict[str, int]
    first: tuple[ViolationView, ...]


class NightsView(msgspec.Struct, frozen=True):
    """The last results of the nightly re-check, the newest first."""

    nights: tuple[NightView, ...]


class LawRoom:
    """Answers for the page, and finds out in the background what proposals would have changed.

    Args:
        stopping: set when the server stops.
    """

    def __init__(self, store: Store, clock: Clock, book: Rulebook, stopping: asyncio.Event) -> None:
        self._store, self._clock, self._stopping = store, clock, stopping
        self._law = Law(book)
        self._found: dict[object, Yesterday] = {}
        self._progress: dict[object, float] = {}
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def view(self, user: User) -> LawView:
        """What the caller sees. Raises StoreError."""
        in_force = await self._law.take_up(self._store, self._clock.now())
        versions = await self._store.profile_versions()
        campaigns = await self._store.campaigns()
        active = {v.text.id: v for v in versions if v.state is ProfileState.ACTIVE}
        using = {i: tuple(c.id for c in campaigns if i in c.settings.profiles) for i in active}
        return LawView(
            user.role in DECIDERS,
            tuple(self._proposal(v, active, in_force, user) for v in versions if v.state is ProfileState.PROPOSED),
            tuple(_in_force(v, in_force.get(i), using[i]) for i, v in active.items()),
            tuple(sorted(map(_version, versions), key=lambda v: v.decided_at or v.proposed_at, reverse=True)),
        )

    async def nights(self) -> NightsView:
        """Raises StoreError."""
        # Version 1 of the event lists no violations.
        found = [{"first": [], **event.body, "at": event.at} for event in await nights(self._store)]
        return NightsView(tuple(msgspec.convert(one, NightView) for one in found))

    async def propose(self, source: str, user: User, reason: str) -> None:
        """A file's text. Raises Refused."""
        try:
            text, _ = read_proposal(source, "TOML", self._law.book)
        except ConfigError as error:
            raise Refused(error.message, error.hint) from None
        await self._put(text, user, reason)

    async def roll_back(self, profile_id: str, version: int, user: User, reason: str) -> None:
        """An earlier version's text again. Raises Refused."""
        text, _ = await earlier(self._store, self._law, profile_id, version)
        await self._put(text, user, reason)

    async def _put(self, text: ProfileText, user: User, reason: str) -> None:
        now = self._clock.now()
        await self._law.take_up(self._store, now)
        await self._store.propose_profile(text, user.login, reason, now)

    async def decide(self, profile_id: str, version: int, user: User, reason: str, *, approve: bool) -> None:
        """Raises Refused."""
        now = self._clock.now()
        await self._store.decide_profile(profile_id, version, approve=approve, by=user.login, reason=reason, now=now)

    # -- one proposal --------------------------------------------------------------------------------------------------
    def _proposal(
        self, v: ProfileVersion, active: dict[str, ProfileVersion], in_force: dict[str, Profile], user: User
    ) -> ProposalView:
        new, old = self._law.profile(v), in_force.get(v.text.id)
        before = active.get(v.text.id)
        changes = diff(old, new) if old is not None and new is not None else ()
        key = (v.text.id, v.text.version, tuple((p.id, p.sha256) for p in in_force.values()), self._clock.now().date())
        if new is not None and key not in self._found and key not in self._progress:
            self._progress[key] = 0.0
            task = asyncio.get_running_loop().create_task(self._find_out(key, in_force, new))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        found = self._found.get(key)
        return ProposalView(
            _version(v),
            new is not None,
            new.title if new is not None else "",
            before.text.version if before is not None else None,
            v.proposed_by == user.login,
            tuple(ChangeView(c.path, c.old, c.new, str(c.effect)) for c in changes),
            1.0 if found is not None else self._progress.get(key, 0.0),
            _yesterday(found) if found is not None else None,
        )

    async def _find_out(self, key: object, in_force: dict[str, Profile], new: Profile) -> None:
        def told(done: int, of: int) -> None:
            if self._stopping.is_set():
                raise asyncio.CancelledError
            self._progress[key] = done / of if of else 1.0

        try:
            async with self._one:
                found = await yesterday(self._store, in_force, new, self._clock.now(), told, pause_s=_PAUSE_S)
            if len(self._found) > 100:  # of other days
                self._found.clear()
            self._found[key] = found
        except StoreError as error:
            log.warning("law.yesterday_failed", code=error.code)
        finally:
            self._progress.pop(key, None)


def _version(v: ProfileVersion) -> LawVersionView:
    t = v.text
    told = (v.proposed_by, v.proposed_at, v.reason, v.decided_by, v.decided_at, v.decision)
    return LawVersionView(t.id, t.version, t.sha256, str(v.state), *told)


def _in_force(v: ProfileVersion, p: Profile | None, campaigns: tuple[str, ...]) -> InForceView:
    if p is None:
        return InForceView(_version(v), False, "", "", "", (), None, None, campaigns)
    told = (p.title, p.jurisdiction, str(p.confidence), p.citations, p.valid_from, p.valid_to)
    return InForceView(_version(v), True, *told, campaigns)


def _yesterday(found: Yesterday) -> YesterdayView:
    effect = found.effect

    def counts(of: dict[Denial, int]) -> tuple[CodeCount, ...]:
        return tuple(CodeCount(str(c), label(c, "es"), label(c, "en"), n) for c, n in of.items())

    return YesterdayView(
        found.day,
        found.campaigns,
        effect.asked,
        effect.allowed,
        counts(effect.now_denied),
        counts(effect.now_allowed),
        tuple(
            CaseView(
                c.campaign_id,
                c.contact_id,
                c.at,
                str(c.before) if c.before is not None else None,
                str(c.after) if c.after is not None else None,
                c.rule,
            )
            for c in effect.cases
        ),
    )
