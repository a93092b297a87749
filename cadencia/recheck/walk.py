"""Walking dossiers: every outbound contact of a period against every rule of every profile it was made under."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cadencia.errors import Words
from cadencia.recheck.cases import Case, Finding
from cadencia.recheck.dossier import Contact, Dossier, read
from cadencia.recheck.laws import ALWAYS, LAWS

#: What is recorded has so long to reach the dialling; a contact within it is counted as raced, not held against us.
GRACE = timedelta(milliseconds=250)

#: How many violations a report keeps in full.
KEPT = 20


@dataclass(frozen=True, slots=True)
class Violation:
    """A contact that a rule forbids.

    Attributes:
        rule: the rule's id ("CO-3").
        profile: the profile it belongs to; empty: it holds under every one.
        at: the contact's instant, UTC.
        what: what was wrong.
        facts: what it was judged by; values that JSON knows.
    """

    contact: str
    person: str
    rule: str
    profile: str
    at: datetime
    what: Words
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Report:
    """What a walk found. `first` holds the first violations; `by_rule` counts all.

    Attributes:
        contacts: outbound contacts judged.
        raced: of these, contacts so close behind a revocation, exclusion, payment or block that it could not act yet.
    """

    persons: int = 0
    contacts: int = 0
    raced: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    first: list[Violation] = field(default_factory=list)

    @property
    def violations(self) -> int:
        return self.by_rule.total()


def recheck(dossier: Mapping[str, Any], since: datetime, until: datetime) -> list[Violation]:
    """The violations of one person's outbound contacts with since <= at < until, oldest contact first.

    Raises ConfigError if the dossier is not one.
    """
    return [found for _, violations, _ in _judged(read(dossier), since, until) for found in violations]


def recheck_all(dossiers: Iterable[Mapping[str, Any]], since: datetime, until: datetime, *, kept: int = KEPT) -> Report:
    """Walk dossiers one by one, holding none of them. Raises ConfigError at the first that is not one."""
    report = Report()
    for dossier in dossiers:
        report.persons += 1
        for _, violations, raced in _judged(read(dossier), since, until):
            report.contacts += 1
            report.raced += raced
            report.by_rule.update(found.rule for found in violations)
            report.first.extend(violations[: kept - len(report.first)])
    return report


def _judged(dossier: Dossier, since: datetime, until: datetime) -> Iterator[tuple[Contact, list[Violation], bool]]:
    for index, contact in enumerate(dossier.contacts):
        if contact.inbound or not since <= contact.at < until:
            continue
        earlier = dossier.contacts[:index]
        found = _findings(Case(dossier, contact, earlier, contact.at))
        # What could not act yet is left out of a second judgement; both must find against the contact.
        sure = set(_findings(Case(dossier, contact, earlier, contact.at - GRACE))) if found else set()
        violations = [
            Violation(contact.id, dossier.person, rule, profile, contact.at, finding.what, finding.facts)
            for (profile, rule), finding in found.items()
            if (profile, rule) in sure
        ]
        yield contact, violations, len(violations) < len(found)


def _findings(case: Case) -> dict[tuple[str, str], Finding]:
    found: dict[tuple[str, str], Finding] = {}
    for profile, rules in (("", ALWAYS), *((name, LAWS.get(name, ())) for name in case.contact.profiles)):
        for rule in rules:
            for finding in rule(case):
                found.setdefault((profile, finding.rule), finding)
    return found
