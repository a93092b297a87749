"""What a change of a profile changes, field by field, and whether that loosens or tightens it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, IntEnum, StrEnum
from typing import Any

from cadencia.domain.law import (
    Calendar,
    ConsentNeed,
    Hours,
    Profile,
    Reach,
    Reaches,
    Trigger,
    Unless,
)


class Effect(StrEnum):
    """What a change means for those who dial."""

    LOOSENS = "loosens"  # more contacts are lawful after it
    TIGHTENS = "tightens"  # fewer
    NEITHER = "neither"  # no contact is judged otherwise
    UNDECIDED = "undecided"  # it depends: somebody has to think


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs.

    Attributes:
        path: such as `limits[us-regf-7].max`; limits, cool-offs and phrases by their ids, hours by their channels.
        old, new: as a person reads them; empty where there is none.
    """

    path: str
    old: str
    new: str
    effect: Effect


def diff(old: Profile, new: Profile) -> tuple[Change, ...]:
    """All fields that differ, in the order of the fields. `sha256` is none of them: a comment changes it too."""
    changes: list[Change] = []
    _compare("", "", old, new, changes)
    return tuple(_undecided_where_exchanged(changes))


def told_of(profile: Profile) -> Iterator[tuple[str, str]]:
    """Every field of a profile that says something, with its path, as a person reads it."""
    yield from _leaves("", "", profile)


def as_data(value: Any) -> Any:
    """A profile in the words of its file, for JSON."""
    if isinstance(value, Calendar):
        return {"id": value.id, "version": value.version}
    if isinstance(value, Hours):
        days = {day: [_interval(each) for each in open_] for day, open_ in zip(_WEEKDAYS, value.weekly, strict=True)}
        rest = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name != "weekly"}
        return {**days, **{name: as_data(held) for name, held in rest.items()}}
    if dataclasses.is_dataclass(value):
        return {field.name: as_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {as_data(key): as_data(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(as_data, value))
    if isinstance(value, tuple):
        return [as_data(each) for each in value]
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


#: Says of two values whether going from the first to the second loosens.
_Judge = Callable[[Any, Any], Effect]


def _more(effect: Effect) -> _Judge:
    """Of numbers and sets: growing has this effect, shrinking the opposite."""

    def judge(old: Any, new: Any) -> Effect:
        if old <= new:
            return effect
        return _OPPOSITE[effect] if new <= old else Effect.UNDECIDED

    return judge


_OPPOSITE = {Effect.LOOSENS: Effect.TIGHTENS, Effect.TIGHTENS: Effect.LOOSENS}
_LOOSER, _TIGHTER = _more(Effect.LOOSENS), _more(Effect.TIGHTENS)


def _ranked(*groups: Iterable[Any]) -> _Judge:
    """Of words in groups from the loosest to the tightest; two of one group cannot be compared."""
    rank = {word: place for place, group in enumerate(groups) for word in group}

    def judge(old: Any, new: Any) -> Effect:
        if rank[old] == rank[new]:
            return Effect.UNDECIDED
        return Effect.TIGHTENS if rank[old] < rank[new] else Effect.LOOSENS

    return judge


def _neither(old: Any, new: Any) -> Effect:
    return Effect.NEITHER


def _open_minutes(old: Any, new: Any) -> Effect:
    return _LOOSER(*({minute for start, end in day for minute in range(start, end)} for day in (old, new)))


def _trigger(old: Trigger, new: Trigger) -> Effect:
    if new is Trigger.ATTEMPT:  # each of the others begins with one, save the two below
        return Effect.UNDECIDED if old in (Trigger.DISPUTE, Trigger.PAYMENT) else Effect.TIGHTENS
    return _OPPOSITE.get(_trigger(new, old), Effect.UNDECIDED) if old is Trigger.ATTEMPT else Effect.UNDECIDED


def _limited(old: frozenset[Any], new: frozenset[Any]) -> Effect:
    """Of the channels that a rule is about: none named means all."""
    if not old or not new:
        return Effect.TIGHTENS if old else Effect.LOOSENS
    return _TIGHTER(old, new)


def _calendar(old: Calendar | None, new: Calendar | None) -> Effect:
    if old is None or new is None:
        return Effect.TIGHTENS if old is None else Effect.LOOSENS
    return Effect.UNDECIDED


def _cap(old: float | None, new: float | None) -> Effect:
    return _LOOSER(1.0 if old is None else old, 1.0 if new is None else new)


def _from(old: date | None, new: date | None) -> Effect:
    return _LOOSER(old or date.min, new or date.min)


def _to(old: date | None, new: date | None) -> Effect:
    return _TIGHTER(old or date.max, new or date.max)


#: By path without ids. What is not named here is undecided.
_JUDGES: dict[str, _Judge] = {
    **dict.fromkeys(("id", "version", "language", "title", "citations", "confidence", "supersedes"), _neither),
    "valid_from": _from,
    "valid_to": _to,
    "hours.weekly": _open_minutes,
    "hours.zones": lambda old, new: _TIGHTER(set(old), set(new)),
    "hours.calendar": _calendar,
    "hours.margin_s": _TIGHTER,
    "hours.preference_extends": _LOOSER,
    "channels": _LOOSER,
    "consent": _ranked((ConsentNeed.NONE,), (ConsentNeed.OPT_OUT,), (ConsentNeed.OPT_IN,)),
    "purposes": _LOOSER,
    "parties.dialable": _LOOSER,
    "parties.share_debt_info": _LOOSER,
    "exempt": _LOOSER,
    "exempt_hours": _LOOSER,
    "registers": lambda old, new: _TIGHTER(set(old), set(new)),
    "preference_after_contract": _TIGHTER,
    "limits.counts": _ranked(*((reach,) for reach in reversed(Reach))),
    "limits.max": _LOOSER,
    "limits.n": _TIGHTER,
    "limits.channels": _limited,
    "limits.excludes": _LOOSER,
    "limits.inbound_counts": _TIGHTER,
    "limits.gap_h": _TIGHTER,
    "limits.citation": _neither,
    "limits.confidence": _neither,
    "cooloffs.after": _trigger,
    "cooloffs.reaches": _ranked((Reaches.SAME, Reaches.OTHERS), (Reaches.ALL,)),
    "cooloffs.hours": _TIGHTER,
    "cooloffs.local_days": _TIGHTER,
    "cooloffs.unless": _ranked((Unless.LIVE_AGENT, Unless.REQUESTED), (Unless.NEVER,)),
    "cooloffs.debt": _LOOSER,
    "cooloffs.phone": _TIGHTER,
    "cooloffs.citation": _neither,
    "cooloffs.confidence": _neither,
    "abandonment.cap": _cap,
    "abandonment.connect_within_s": _LOOSER,
    "abandonment.min_ring_s": _TIGHTER,
    "abandonment.citation": _neither,
    "machines.allowed": _LOOSER,
    "machines.false_positives_count": _TIGHTER,
    "machines.voicemail_message": _ranked(("limited_content",), ("none",)),
    "script.forbidden_questions.patterns": lambda old, new: _TIGHTER(set(old), set(new)),
    "script.forbidden_phrases.patterns": lambda old, new: _TIGHTER(set(old), set(new)),
    "script.mandatory_statements.patterns": lambda old, new: _LOOSER(set(old), set(new)),
    **{
        f"script.{kind}.{key}": _neither
        for kind in ("forbidden_questions", "forbidden_phrases", "mandatory_statements")
        for key in ("es", "en", "citation")
    },
    "recording.required": _TIGHTER,
    "recording.announce": _TIGHTER,
    "recording.pause_on": lambda old, new: _TIGHTER(set(old), set(new)),
    **{f"retention.{key}": _TIGHTER for key in ("attempts", "recordings", "consents", "decisions")},
    "caller_id.hidden_forbidden": _TIGHTER,
    "caller_id.must_be_returnable": _TIGHTER,
    "caller_id.attestation_min": _ranked(("",), ("C",), ("B",), ("A",)),
}

#: Lists of sections: one more of them tightens.
_SECTIONS = ("hours", "limits", "cooloffs")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _compare(path: str, kind: str, old: Any, new: Any, changes: list[Change]) -> None:
    """Note what differs between two values.

    Args:
        path: of the field, with ids.
        kind: the same without ids.
    """
    if old == new:
        return
    if kind == "hours.weekly":
        for day, before, after in zip(_WEEKDAYS, old, new, strict=True):
            _note(path.removesuffix("weekly") + day, kind, before, after, changes)
    elif dataclasses.is_dataclass(old) and type(old) is type(new) and not isinstance(old, Calendar):
        for each in dataclasses.fields(old):
            if each.name != "sha256":
                name = f"{path}.{each.name}" if path else each.name
                below = f"{kind}.{each.name}" if kind else each.name
                _compare(name, below, getattr(old, each.name), getattr(new, each.name), changes)
    elif (before := _keyed(kind, old)) is not None and (after := _keyed(kind, new)) is not None:
        for key in (*before, *(key for key in after if key not in before)):
            if key in before and key in after:
                _compare(f"{path}[{key}]", kind, before[key], after[key], changes)
            else:
                _one_sided(f"{path}[{key}]", kind, before.get(key), after.get(key), changes)
    else:
        _note(path, kind, old, new, changes)


def _leaves(path: str, kind: str, value: Any) -> Iterator[tuple[str, str]]:
    if kind == "hours.weekly":
        for day, open_ in zip(_WEEKDAYS, value, strict=True):
            yield path.removesuffix("weekly") + day, _shown(open_) or "-"
    elif dataclasses.is_dataclass(value) and not isinstance(value, Calendar):
        for each in dataclasses.fields(value):
            name, below = (f"{part}.{each.name}" if part else each.name for part in (path, kind))
            yield from _leaves(name, below, getattr(value, each.name))
    elif (members := _keyed(kind, value)) is not None:
        for key, member in members.items():
            yield from _leaves(f"{path}[{key}]", kind, member)
    elif _shown(value):
        yield path, _shown(value)


def _keyed(kind: str, value: Any) -> dict[str, Any] | None:
    """The members of a list of sections or of a table, by what people call them."""
    if isinstance(value, Mapping):
        return {_shown(key): each for key, each in value.items()}
    if kind not in (*_SECTIONS, *(f"script.{key}" for key in _SCRIPT)):
        return None
    found: dict[str, Any] = {}
    for each in value:
        name = (_shown(each.channels) or "all") if isinstance(each, Hours) else each.id
        same, key = 1, name
        while key in found:
            same += 1
            key = f"{name} {same}"
        found[key] = each
    return found


_SCRIPT = ("forbidden_questions", "forbidden_phrases", "mandatory_statements")


def _one_sided(path: str, kind: str, old: Any, new: Any, changes: list[Change]) -> None:
    """A member that only one of them has."""
    if kind == "consent":  # the channel itself is told of by `channels`
        effect = Effect.NEITHER
    elif kind == "parties":
        effect = Effect.LOOSENS if (new or old).dialable else Effect.NEITHER
    else:
        effect = Effect.TIGHTENS
    if new is None:
        effect = _OPPOSITE.get(effect, effect)
    changes.append(Change(path, _shown(old), _shown(new), effect))


def _note(path: str, kind: str, old: Any, new: Any, changes: list[Change]) -> None:
    if old != new:
        judge = _JUDGES.get(kind)
        effect = Effect.UNDECIDED if judge is None else judge(old, new)
        changes.append(Change(path, _shown(old), _shown(new), effect))


def _undecided_where_exchanged(changes: list[Change]) -> Iterable[Change]:
    """Hours of a cool-off that are days now, or a limit over another period: the numbers do not say which is more."""
    paths = {change.path for change in changes}
    for change in changes:
        rule, _, key = change.path.rpartition(".")
        other = {"hours": "local_days", "local_days": "hours", "n": "per"}.get(key)
        if other is not None and f"{rule}.{other}" in paths:
            yield dataclasses.replace(change, effect=Effect.UNDECIDED)
        else:
            yield change


def _shown(value: Any) -> str:
    """A value as a person reads it."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Calendar):
        return f"{value.id} {value.version}"
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(_shown, value)))
    if isinstance(value, tuple):
        return ", ".join(map(_interval, value)) if _is_day(value) else ", ".join(map(_shown, value))
    if dataclasses.is_dataclass(value):
        return "; ".join(_fields(value))
    return str(value)


def _fields(value: Any) -> Iterable[str]:
    """The fields that are not as they would be if nothing was said."""
    for each in dataclasses.fields(value):
        held = getattr(value, each.name)
        if each.name == "weekly":
            yield from (f"{day} {_shown(hours) or '-'}" for day, hours in zip(_WEEKDAYS, held, strict=True))
        elif held != each.default and each.name not in ("id", "citation"):
            yield f"{each.name} {_shown(held)}"


def _is_day(value: tuple[Any, ...]) -> bool:
    return bool(value) and all(isinstance(each, tuple) for each in value)


def _interval(interval: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in interval)
