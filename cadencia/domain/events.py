"""The one event log: append-only, versioned, written in the transaction of the change it tells.

A kind never changes its meaning; a changed body gets a new version of the kind. Bodies hold codes, ids and numbers, and
no names, telephone numbers or document numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: kind -> current version of its body
KINDS: dict[str, int] = {
    # the gate's yes: {channel, purpose, phone_id, debts, profiles: [[id, version, sha256], ...], limits,
    # facts}; version 1: {}
    "attempt.leased": 2,
    "attempt.previewed": 1,  # {}  an agent was shown the file, to choose whether to dial
    "attempt.returned": 1,  # {reason}
    "attempt.sending": 2,  # {server}; version 1: {}
    "attempt.answered": 1,  # {}
    "attempt.connected": 1,  # {}
    "attempt.settled": 1,  # {outcome, charged, cause, tech_cause, talk_s}
    # what happened to the call, entry by entry: {at, entries: [[ms since the sending, code, {...}], ...], dropped}, and
    # what it ended with {server, trunk, outcome, ground, rule, sip, q850, rang, media, timeout}
    "attempt.traced": 1,
    "attempt.disposed": 1,  # {code, promise_minor, currency, promise_due}
    # {rule}  an agent's note shows a forbidden question or phrase, or the answer to one that was not volunteered
    "script.finding": 1,
    "attempt.file_shown": 1,  # {}  the amounts were shown after the right party was confirmed
    # at most one a second: what was launched and taken back since the last one, why, and the numbers it was made from;
    # {launch, cancel, reason, mode, ready, at_work, dialling, waiting, channels, rate, supply, wanted, answers,
    #  abandoned, month_answers, month_abandoned}, and where something was forecast {risk, threshold, budget_drops,
    #  answer_rate, free_10s, answers_10s}, and where the campaign runs on several servers {server}. Version 1: a row
    #  for every decision, with counts from the campaign's start.
    "pacing.decision": 2,
    # {code, retry_at, rule}, with `again` where the code is the last one's, else with the rest of attempt.leased;
    # version 1: {code, retry_at}
    "contact.denied": 2,
    # a contact that something else than the dialer makes: the gate's yes, like attempt.leased with `by`; the contact's
    # id is in `attempt_id`
    "contact.reserved": 1,
    "contact.refused": 1,  # the gate's no, like contact.denied with `by`
    "contact.outcome": 1,  # {person_id, outcome, code, reach, by}
    "contact.inbound": 1,  # {person_id, channel, purpose, code, by}  the person began it
    "person.consent": 1,  # {person_id, consent, granted, channel, purpose, effective, how, by}
    "person.preference": 1,  # {person_id, preference, effective, how, by}
    "person.exclusion": 1,  # {person_id, register, by}, and where it ends {lifted}
    "person.payment": 1,  # {person_id, payment, effective, by}
    # {person_id, request, kind, step: opened, extended or closed, due, by}
    "person.request": 1,
    "register.loaded": 1,  # {register, numbers, new}
    # a version of a legal profile: {id, version, sha256, step, by}; the step is shipped, proposed, approved, rejected
    # or retired (another one took its place)
    "law.profile": 1,
    "agent.state": 1,  # {state, reason}
    "campaign.state": 1,  # {state, by, reason}
    "campaign.setting": 1,  # {by, reason, changes: {name: [old, new]}}
    "person.hold": 1,  # {person_id, by, held}  a legal hold begins or ends
    # who the person was is gone; what stood for the person in evidence stays named here, and nowhere else
    "person.erased": 1,  # {surrogate, by, reason}
    # somebody read what is kept of a person: {person_id, by, what}, what: evidence or explain; a file on an agent's
    # screen: {by, what}, what: pop or preview, with the attempt; evidence of whole days: {by, what, from, to}
    "file.read": 1,
    # a local day's contacts judged again: {day, persons, contacts, violations, by_rule, first: [{rule, profile, at,
    # attempt, campaign, contact_id, es, en}, ...]}; version 1: without `first`
    "law.recheck": 2,
    "portfolio.imported": 1,  # {persons, obligations, phones, contacts}
    "engine.led": 1,  # {token, holder}
    "engine.clock_set": 1,  # {seconds}  the wall clock was set by so much while the engine ran
}


@dataclass(frozen=True)
class Event:
    """One line of the log; `seq` is given by the store, 0 before it is written."""

    kind: str
    at: datetime
    campaign_id: str | None = None
    contact_id: int | None = None
    attempt_id: str | None = None
    agent_id: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    seq: int = 0
