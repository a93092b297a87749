"""The legal profiles in force, their changes, and what a change would have changed yesterday."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog

from cadencia.compliance.hours import BOGOTA
from cadencia.compliance.judge import Judge
from cadencia.compliance.replay import Effect, Replay
from cadencia.config.profiles import Rulebook, load_profile
from cadencia.dialer.counts import local_day
from cadencia.domain.law import Profile
from cadencia.domain.profiles import ProfileState, ProfileText, ProfileVersion
from cadencia.errors import ConfigError, Refused, Words
from cadencia.store.port import Store
from cadencia.store.refusals import no_profile_version

log = structlog.get_logger(__name__)

#: So many questions of yesterday are read and answered at a time: by themselves, and where calls need the loop too
#: (one takes some 50 microseconds of it).
_PAGE, _SMALL_PAGE = 500, 50

_VERSION = re.compile(r"^version[ \t]*=[ \t]*\d+", re.MULTILINE)


class Law:
    """Reads what is in force. What cannot be read is left out, and then the gate denies whatever needs it.

    Args:
        book: what ships with the program and what a site's folder holds; its calendars are those that profiles name.
    """

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self._read: dict[tuple[str, int, str], Profile | None] = {}
        self._known: tuple[tuple[str, int, str], ...] | None = None

    async def take_up(self, store: Store, now: datetime) -> dict[str, Profile]:
        """The profiles in force, by id; what is new in the book is in force where nothing was kept, else a proposal.

        Raises StoreError.
        """
        texts = _new_texts(self.book, await store.profile_versions())
        if texts:
            await store.adopt_profiles(texts, now)
        versions = await store.profiles_in_force()
        self._known = _names(versions)
        return self._profiles(versions)

    async def changed(self, store: Store) -> dict[str, Profile] | None:
        """The profiles in force, None if they are those that were read last. Raises StoreError."""
        versions = await store.profiles_in_force()
        if _names(versions) == self._known:
            return None
        self._known = _names(versions)
        return self._profiles(versions)

    def profile(self, version: ProfileVersion) -> Profile | None:
        """A version as it is understood, None if it is not."""
        text = version.text
        key = (text.id, text.version, hashlib.sha256(text.source.encode()).hexdigest())
        if key not in self._read:
            self._read[key] = self._understood(text, key[2])
        return self._read[key]

    def _understood(self, text: ProfileText, sha256: str) -> Profile | None:
        if sha256 != text.sha256:
            log.error("law.profile_altered", profile=text.id, version=text.version)
            return None
        try:
            found = load_profile(text.source, name=f"{text.id}@{text.version}", calendars=self.book.calendars)
        except ConfigError as error:
            log.error("law.profile_unreadable", profile=text.id, version=text.version, why=str(error))
            return None
        if (found.id, found.version) != (text.id, text.version):
            log.error("law.profile_misnamed", profile=text.id, version=text.version)
            return None
        return found

    def _profiles(self, versions: tuple[ProfileVersion, ...]) -> dict[str, Profile]:
        read = {v.text.id: self.profile(v) for v in versions}
        return {id_: profile for id_, profile in read.items() if profile is not None}


def _names(versions: tuple[ProfileVersion, ...]) -> tuple[tuple[str, int, str], ...]:
    """What tells them apart, also where somebody wrote into the database by hand."""
    return tuple((v.text.id, v.text.version, hashlib.sha256(v.text.source.encode()).hexdigest()) for v in versions)


def _new_texts(book: Rulebook, known: tuple[ProfileVersion, ...]) -> list[ProfileText]:
    """What the book has and nobody kept yet.

    A site may have used the number for a version of its own; then the text gets the next one, and says at its end
    where it comes from, so that it is not taken for new again.
    """
    found = []
    for id_, source in sorted(book.texts.items()):
        own = [v for v in known if v.text.id == id_]
        profile = book.profiles[id_]
        origin = f"# {id_}@{profile.version} {profile.sha256}"
        if any(v.text.sha256 == profile.sha256 or origin in v.text.source for v in own):
            continue
        newest = max((v.text.version for v in own), default=0)
        if profile.version > newest:
            found.append(ProfileText(id_, profile.version, profile.sha256, source))
        else:
            found.append(_text(id_, newest + 1, f"{renumbered(source, newest + 1).rstrip()}\n\n{origin}\n"))
    return found


def renumbered(source: str, version: int) -> str:
    """The text of a profile's file with another version."""
    return _VERSION.sub(f"version = {version}", source, count=1)


def _text(id_: str, version: int, source: str) -> ProfileText:
    return ProfileText(id_, version, hashlib.sha256(source.encode()).hexdigest(), source)


def read_proposal(source: str, name: str, book: Rulebook) -> tuple[ProfileText, Profile]:
    """A file that somebody wants in force. Raises FileFaults."""
    profile = load_profile(source, name=name, calendars=book.calendars)
    return ProfileText(profile.id, profile.version, profile.sha256, source), profile


async def earlier(store: Store, law: Law, profile_id: str, version: int) -> tuple[ProfileText, Profile]:
    """The text of a version that was in force, under the next number, to be proposed again. Raises Refused."""
    versions = await store.profile_versions(profile_id)
    found = next((v for v in versions if v.text.version == version), None)
    if found is None:
        raise no_profile_version(profile_id, version)
    if found.state is not ProfileState.RETIRED:
        raise Refused(
            Words(
                f"Version {version} of {profile_id} was not in force before.",
                f"La versión {version} de {profile_id} no estuvo vigente antes.",
            ),
            Words("Choose one that was; see its history.", "Elija una que lo estuvo; vea su historial."),
        )
    number = versions[0].text.version + 1
    text = _text(profile_id, number, renumbered(found.text.source, number))
    profile = law.profile(ProfileVersion(text, ProfileState.PROPOSED, "", found.proposed_at, ""))
    if profile is None:
        raise Refused(
            Words(
                f"Version {version} of {profile_id} cannot be read any more.",
                f"La versión {version} de {profile_id} ya no se puede leer.",
            ),
            Words("Correct its text and propose it as a file.", "Corrija su texto y propóngalo como archivo."),
        )
    return text, profile


# -- yesterday ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Yesterday:
    """What a change would have changed on a day.

    Attributes:
        day: the local date in Colombia.
        campaigns: those that name the profile; without one nothing changes.
    """

    day: date
    campaigns: tuple[str, ...]
    effect: Effect


async def yesterday(
    store: Store,
    in_force: Mapping[str, Profile],
    new: Profile,
    now: datetime,
    told: Callable[[int, int], None] = lambda done, of: None,
    *,
    pause_s: float = 0.0,
) -> Yesterday:
    """Put yesterday's questions to the profiles in force and to those with the new one in its place.

    Args:
        told: is told after each page how many of how many questions are answered.
        pause_s: real seconds between two pages, for those who have something better to do.

    Raises:
        StoreError: the store cannot be used.
    """
    day = local_day(now) - timedelta(days=1)
    start, end = (datetime.combine(d, time(), BOGOTA) for d in (day, day + timedelta(days=1)))
    campaigns = [c for c in await store.campaigns() if new.id in c.settings.profiles]
    old_judge, new_judge = Judge(in_force), Judge({**in_force, new.id: new})
    replay = Replay(old_judge, new_judge)
    page_of = _SMALL_PAGE if pause_s else _PAGE
    of, done = sum([await store.asked_count(c.id, start, end) for c in campaigns]), 0
    told(done, of)
    for campaign in campaigns:
        settings, after = campaign.settings, None
        back = old_judge.stack(settings).look_back | new_judge.stack(settings).look_back
        while page := await store.asked(campaign.id, start, end, back, after, page_of):
            for asked in page:
                replay.ask(asked.contact, settings, asked.at)
            done += len(page)
            told(done, max(of, done))
            after = (page[-1].at, page[-1].contact.contact_id)
            await asyncio.sleep(pause_s)
    return Yesterday(day, tuple(c.id for c in campaigns), replay.effect)
