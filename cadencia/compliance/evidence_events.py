"""Which events are evidence, and what evidence keeps of them: codes, numbers and surrogates, never who somebody is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cadencia.compliance.evidence import canonical, instant
from cadencia.domain.events import Event

#: What a surrogate stands for: kind and internal id.
Ref = tuple[str, int]

PERSON, CONTACT, PHONE, OBLIGATION = "person", "contact", "phone", "obligation"

#: A field of an event's body that holds an internal id -> what it is of; evidence drops the "_id".
_IDS: dict[str, str] = {
    "person_id": PERSON,
    "contact_id": CONTACT,
    "phone_id": PHONE,
    "obligation_id": OBLIGATION,
    "debt_id": OBLIGATION,
    "debts": OBLIGATION,
    "debt_ids": OBLIGATION,
    "phone_ids": PHONE,
}

#: What no body of evidence holds, whoever wrote the event: names, numbers, amounts, free text.
_NEVER = frozenset(
    {"name", "doc_type", "doc_number", "e164", "number", "phone", "phones", "address", "email"}
    | {"text", "note", "notes", "comment", "detail"}
    | {"amount", "amount_minor", "balance", "currency", "promise_minor", "promise_due"}
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is kept of a kind of event.

    Attributes:
        fields: of its body; None: all but what `_NEVER` names.
        decision: what the gate said, if it is one.
        unless: a field that makes it no evidence when it is true.
    """

    fields: frozenset[str] | None = None
    decision: str = ""
    unless: str = ""


def _only(*fields: str) -> _Rule:
    return _Rule(frozenset(fields))


_RULES: dict[str, _Rule] = {
    "attempt.leased": _Rule(decision="allow"),
    "contact.denied": _Rule(decision="deny", unless="again"),
    "contact.reserved": _Rule(decision="allow"),
    "contact.refused": _Rule(decision="deny", unless="again"),
    "contact.outcome": _only("person_id", "outcome", "code", "reach"),
    "contact.inbound": _only("person_id", "channel", "purpose", "code"),
    "attempt.returned": _only("reason"),
    "attempt.sending": _only("server"),
    "attempt.settled": _only("outcome", "charged", "cause", "tech_cause", "talk_s"),
    "attempt.disposed": _only("code"),
    "attempt.file_shown": _only(),
    "script.finding": _only("rule"),
    "person.consent": _Rule(),
    "person.exclusion": _Rule(),
    "person.preference": _Rule(),
    "person.payment": _Rule(),
    "person.request": _Rule(),
    "person.hold": _Rule(),
    "person.erased": _Rule(),
    "register.loaded": _only("register", "numbers", "new"),
    "file.read": _Rule(),
    "law.profile": _Rule(),
    "law.recheck": _Rule(),
}

#: The kinds of events that are evidence.
KINDS: frozenset[str] = frozenset(_RULES)


def is_evidence(event: Event) -> bool:
    """Whether the event becomes a row."""
    rule = _RULES.get(event.kind)
    return rule is not None and not (rule.unless and event.body.get(rule.unless) is True)


def subject(event: Event, person_of: Callable[[int], int | None]) -> int | None:
    """The internal id of whom the event is about, None if it is about nobody."""
    if event.contact_id is not None:
        person = person_of(event.contact_id)
        if person is not None:
            return person
    named = event.body.get("person_id")
    return named if isinstance(named, int) else None


def references(event: Event, person_of: Callable[[int], int | None]) -> set[Ref]:
    """Who and what a row about the event names.

    Args:
        person_of: whose list item it is.
    """
    found: set[Ref] = set()

    def take(kind: str, ref: int) -> None:
        found.add((kind, ref))

    _body(event, person_of, take)
    return found


def body_of(event: Event, person_of: Callable[[int], int | None], surrogates: Mapping[Ref, str]) -> bytes:
    """The row's body. What has no surrogate (the person was erased) is null."""
    return canonical(_body(event, person_of, lambda kind, ref: surrogates.get((kind, ref))))


def _body(
    event: Event, person_of: Callable[[int], int | None], named: Callable[[str, int], str | None]
) -> dict[str, Any]:
    rule = _RULES[event.kind]
    kept = {
        name: value
        for name, value in event.body.items()
        if (name in rule.fields if rule.fields is not None else name not in _NEVER)
    }
    told: dict[str, Any] = {
        "v": event.version,
        "kind": event.kind,
        "event": event.seq,
        "at": instant(event.at),
    }
    if rule.decision:
        told["decision"] = rule.decision
    for name, value in (("campaign", event.campaign_id), ("attempt", event.attempt_id), ("agent", event.agent_id)):
        if value is not None:
            told[name] = value
    if event.contact_id is not None:
        told[CONTACT] = named(CONTACT, event.contact_id)
        person = person_of(event.contact_id)
        if person is not None:
            told[PERSON] = named(PERSON, person)
    # Whom an event tells of by its body alone: a consent, a request, a reading.
    person = kept.pop("person_id", None)
    if isinstance(person, int):
        told[PERSON] = named(PERSON, person)
    surrogate = kept.pop("surrogate", None)
    if isinstance(surrogate, str):
        told[PERSON] = surrogate
    data = _mapped(kept, named)
    if data:
        told["data"] = data
    return told


def _mapped(told: Any, named: Callable[[str, int], str | None]) -> Any:
    """The same with surrogates in the place of ids, at whatever depth."""
    if isinstance(told, (list, tuple)):
        return [_mapped(value, named) for value in told]
    if not isinstance(told, Mapping):
        return told
    found: dict[str, Any] = {}
    for name, value in told.items():
        kind = _IDS.get(name)
        if kind is not None and isinstance(value, int):
            found[name.removesuffix("_id")] = named(kind, value)
        elif kind is not None and isinstance(value, (list, tuple)):
            found[name] = [named(kind, one) for one in value if isinstance(one, int)]
        elif name not in _NEVER:
            found[name] = _mapped(value, named)
    return found
