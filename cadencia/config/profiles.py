"""Legal profiles as data: those that ship with the program, and over them a site's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from cadencia.config.calendars import builtin_calendars, load_calendar, load_dates
from cadencia.config.difference import Change, Effect, diff
from cadencia.config.rules import read_profile
from cadencia.config.tables import Fault, FileFaults, open_file, read_text
from cadencia.domain.law import Calendar, Profile
from cadencia.errors import ConfigError, Words

__all__ = ["DATES", "Change", "Effect", "Rulebook", "builtin", "check_file", "diff", "load_profile", "load_site"]

#: In a site's folder: its own dates, and its own calendars. All else in the folder that ends in .toml is a profile.
DATES = "holidays.toml"
CALENDARS = "calendars"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All that is known, by id.

    Attributes:
        texts: of the profiles' files, as they are.
    """

    profiles: Mapping[str, Profile]
    calendars: Mapping[str, Calendar]
    texts: Mapping[str, str]


def load_profile(text: str, *, name: str, calendars: Mapping[str, Calendar]) -> Profile:
    """Read a profile.

    Args:
        text: the file's, with its line ends as they are: `sha256` is of its bytes.
        name: the file's, for messages.
        calendars: those it may name.

    Raises:
        FileFaults: something in it is wrong; all faults, each with its line and what to do.
    """
    with open_file(text, name) as root:
        return read_profile(root, hashlib.sha256(text.encode()).hexdigest(), calendars)


def builtin() -> dict[str, Profile]:
    """The profiles that ship with the program, by id."""
    return dict(load_site(None).profiles)


def load_site(directory: Path | None) -> Rulebook:
    """The shipped profiles and calendars, and over them a site's own.

    Args:
        directory: holds the site's profiles (*.toml), its dates (holidays.toml) and calendars (calendars/*.toml), each
            if there is one; None where a site has nothing of its own.

    Raises:
        FileFaults: a file is wrong; all faults of all its profiles, or before that of its calendars.
        ConfigError: the directory, or a file in it, cannot be read.
    """
    if directory is None:
        return _with_own({}, builtin_calendars())
    if not directory.is_dir():
        raise ConfigError(
            Words(f"{directory} is no folder.", f"{directory} no es una carpeta."),
            Words("Name the folder with the site's profiles.", "Indique la carpeta con los perfiles propios."),
        )
    calendars = _own_calendars(directory)
    if (directory / DATES).exists():
        calendars = load_dates(read_text(directory / DATES), name=str(directory / DATES), calendars=calendars)
    own = {str(path): read_text(path) for path in sorted(directory.glob("*.toml")) if path.name != DATES}
    return _with_own(own, calendars)


def check_file(path: Path) -> None:
    """Read a file as `load_site` would: a profile, a site's dates or calendar, or all of a site's folder.

    Raises:
        FileFaults: something in it is wrong.
        ConfigError: it cannot be read.
    """
    if path.is_dir():
        load_site(path)
        return
    text, name = read_text(path), str(path)
    if path.parent.name == CALENDARS:
        load_calendar(text, name=name)
    elif path.name == DATES:
        load_dates(text, name=name, calendars=_own_calendars(path.parent))
    else:
        _with_own({name: text} if text not in _shipped().values() else {}, _own_calendars(path.parent))


def _own_calendars(directory: Path) -> dict[str, Calendar]:
    calendars = dict(builtin_calendars())
    faults: list[Fault] = []
    for path in sorted((directory / CALENDARS).glob("*.toml")):
        try:
            calendar = load_calendar(read_text(path), name=str(path))
        except FileFaults as error:
            faults += error.faults
            continue
        if calendar.id in calendars:
            faults.append(_twice(str(path), calendar.id))
        calendars[calendar.id] = calendar
    if faults:
        raise FileFaults(faults)
    return calendars


def _with_own(own: Mapping[str, str], calendars: Mapping[str, Calendar]) -> Rulebook:
    profiles: dict[str, Profile] = {}
    texts: dict[str, str] = {}
    for name, text in _shipped().items():  # again with these calendars: their dates may be a site's
        profile = load_profile(text, name=name, calendars=calendars)
        profiles[profile.id], texts[profile.id] = profile, text
    shipped = dict(profiles)
    faults: list[Fault] = []
    for name, text in own.items():
        try:
            profile = load_profile(text, name=name, calendars=calendars)
        except FileFaults as error:
            faults += error.faults
            continue
        if profile.id in shipped:
            faults += _not_newer(name, profile, shipped[profile.id])
        elif profile.id in profiles:
            faults.append(_twice(name, profile.id))
        profiles[profile.id], texts[profile.id] = profile, text
    if faults:
        raise FileFaults(faults)
    return Rulebook(profiles, dict(calendars), texts)


def _not_newer(name: str, profile: Profile, shipped: Profile) -> list[Fault]:
    """A rule of the house may take the place of a shipped one only if it says which one it knew."""
    now, mend = f"{shipped.id}@{shipped.version}", []
    what = Words(
        f"{profile.id} ships with the program, as version {shipped.version}",
        f"{profile.id} viene con el programa, como versión {shipped.version}",
    )
    if profile.version <= shipped.version:
        mend.append(
            Words(
                f"Give version {shipped.version + 1} or more, or another id.",
                f"Ponga version {shipped.version + 1} o más, u otro id.",
            )
        )
    if profile.supersedes != now:
        mend.append(
            Words(
                f'Compare the two, and write supersedes = "{now}" if it is meant to take that one\'s place.',
                f'Compare los dos, y escriba supersedes = "{now}" si debe reemplazarlo.',
            )
        )
    return [Fault(name, 1, "", what, each) for each in mend]


def _twice(name: str, id_: str) -> Fault:
    return Fault(
        name,
        1,
        "id",
        Words(f"is taken: {id_!r}", f"ya está en uso: {id_!r}"),
        Words("Give another id.", "Ponga otro id."),
    )


@cache
def _shipped() -> Mapping[str, str]:
    """The texts of the files that ship with the program, by their names."""
    folder = resources.files("cadencia.config").joinpath("data/profiles")
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    return {file.name: file.read_bytes().decode("utf-8") for file in sorted(files, key=lambda file: file.name)}
