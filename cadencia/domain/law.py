"""What the lawful-contact gate speaks of: profiles of rules, the facts it judges by, its verdict.

A profile is law, or what a creditor or the house asks beyond the law, as data; several are stacked and the most
restrictive of all holds. Nothing here decides anything: `cadencia.compliance` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from cadencia.domain.codes import Denial
from cadencia.domain.people import Phone, Role


class Channel(StrEnum):
    """How a person is reached."""

    VOICE = "voice"
    SMS = "sms"
    EMAIL = "email"
    WHATSAPP = "whatsapp"
    PUSH = "push"
    LETTER = "letter"
    VISIT = "visit"


class Purpose(StrEnum):
    """What a contact is for."""

    COLLECTION = "collection"
    REMINDER = "reminder"
    COMMERCIAL = "commercial"
    REQUESTED_INFO = "requested_info"  # what the person asked for, and only that
    OPERATION = "operation"  # confirming a payment or another operation
    FRAUD_ALERT = "fraud_alert"


class Reach(IntEnum):
    """How far a contact got. Each step includes the ones before."""

    ATTEMPT = 0  # started: busy, not in service, congestion, switched off
    RANG = 1  # rang at the person's, or a message was delivered
    CONNECTED = 2  # answered, by whomever or whatever
    TWO_WAY = 3  # the person and we spoke with each other, or the person wrote back: "contacto directo"


class Confidence(StrEnum):
    """How sure we are that the rule says what the profile says."""

    FIRM = "firm"
    INTERPRETIVE = "interpretive"
    LOW = "low"


class ConsentNeed(StrEnum):
    """What a channel needs before it may be used."""

    NONE = "none"
    OPT_OUT = "opt_out"  # allowed until revoked
    OPT_IN = "opt_in"  # denied until granted


class Period(StrEnum):
    """Over what a limit counts, up to the instant of the contact."""

    LOCAL_DAYS = "local_days"  # the last n dates where the person lives, today included
    WEEK = "week"  # the calendar week, Monday to Sunday, where the person lives (ISO 8601)
    ROLLING = "rolling"  # the last n hours


class Scope(StrEnum):
    """What a limit counts for."""

    PERSON = "person"
    PHONE = "phone"  # the number, also where contacts with others went to it
    DEBT = "debt"
    CREDITOR = "creditor"


class Trigger(StrEnum):
    """After what a cool-off begins."""

    ATTEMPT = "attempt"
    TWO_WAY = "two_way"
    ABANDONED = "abandoned"
    MACHINE = "machine"
    REFUSAL = "refusal"
    DISPUTE = "dispute"
    PAYMENT = "payment"


class Reaches(StrEnum):
    """Which channels a cool-off closes."""

    ALL = "all"
    SAME = "same_channel"
    OTHERS = "other_channels"


class Unless(StrEnum):
    """What lifts a cool-off."""

    NEVER = "never"
    LIVE_AGENT = "live_agent_guaranteed"
    REQUESTED = "debtor_requested"


class DateRule(StrEnum):
    """How a holiday's date is found."""

    FIXED = "fixed"  # that month and day
    MONDAY = "monday"  # that month and day, moved to the next Monday unless it is one
    EASTER = "easter"  # that many days after Easter Sunday (Gregorian)


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """One holiday of a calendar.

    Attributes:
        month, day: of `fixed` and `monday` rules.
        offset: days after Easter Sunday, of `easter` rules.
        from_year: the first year it is a holiday in; a law does not reach back.
        until_year: the last one.
    """

    name: str
    rule: DateRule
    month: int = 0
    day: int = 0
    offset: int = 0
    from_year: int = 0
    until_year: int = 9999
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """On which dates nobody works.

    Attributes:
        country: whose dates the `holidays` package gives ("MX", or a part: "ES-MD"); empty if `rules` are all there is.
        rules: our own.
        added, removed: what an operator knows better: dates that are holidays too, dates that are none.
    """

    id: str
    version: str
    country: str = ""
    rules: tuple[HolidayRule, ...] = ()
    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()
    citation: str = ""


#: Opening hours of one weekday: half-open intervals [start, end) in minutes after local midnight, sorted, not touching.
Intervals = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """When contacts may happen.

    Attributes:
        weekly: Monday to Sunday.
        zones: IANA names, or "debtor" for each zone the person may be in; all of them must be open.
        calendar: on its dates all is closed; None knows no holidays.
        margin_s: the contact must have ended (a ring its last second) this long before closing time.
        preference_extends: a preference of the person replaces the weekly hours; else it only narrows them.
        channels: what the hours hold for; empty: all.
    """

    weekly: tuple[Intervals, Intervals, Intervals, Intervals, Intervals, Intervals, Intervals]
    zones: tuple[str, ...] = ("debtor",)
    calendar: Calendar | None = None
    margin_s: float = 0.0
    preference_extends: bool = False
    channels: frozenset[Channel] = frozenset()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many contacts over a period.

    Attributes:
        counts: the least reach that counts.
        channels: which contacts count, and which are limited; empty: all, counted together.
        max: this many are lawful, one more is not.
        n: local dates (LOCAL_DAYS) or hours (ROLLING); WEEK takes none.
        excludes: outcome or disposition codes that do not count.
        inbound_counts: a contact that the person began counts too.
        gap_h: hours that must lie between any two of them; 0: none.
    """

    id: str
    scope: Scope
    counts: Reach
    max: int
    per: Period
    n: int = 1
    channels: frozenset[Channel] = frozenset()
    excludes: frozenset[str] = frozenset()
    inbound_counts: bool = False
    gap_h: float = 0.0
    citation: str = ""
    confidence: Confidence = Confidence.FIRM


@dataclass(frozen=True, slots=True)
class CoolOff:
    """After something happened, some channels are closed for a while.

    Attributes:
        hours: for so long, from the instant the contact began; 0 with `local_days`.
        local_days: to the end of the n-th date where the person lives, the day itself being the first; 0 with `hours`.
        debt: closes only contacts about the same debts.
        phone: also begins with a contact with somebody else on the number that is to be used.
    """

    id: str
    after: Trigger
    reaches: Reaches = Reaches.ALL
    hours: float = 0.0
    local_days: int = 0
    unless: Unless = Unless.NEVER
    debt: bool = False
    phone: bool = False
    citation: str = ""
    confidence: Confidence = Confidence.FIRM


@dataclass(frozen=True, slots=True)
class Party:
    """What may be done with a person in a role."""

    dialable: bool
    share_debt_info: bool


@dataclass(frozen=True, slots=True)
class Abandonment:
    """What an answered person whom no agent took means.

    Attributes:
        cap: highest share, 0 to 1; None knows no cap.
        window_h: over so many hours; 24 for a day, 720 for 30 days.
        formula: "abandoned_over_live" (16 CFR 310.4(b)(4)) or "acr" (Ofcom, with estimated false positives).
        connect_within_s: seconds an agent may take, from `measured_from` ("answer" or "greeting_end").
        message: "required", "consent_gated" or "off".
        min_ring_s: an unanswered call rings at least this long.
    """

    cap: float | None = None
    window_h: int = 720
    scope: str = "campaign"
    formula: str = "abandoned_over_live"
    connect_within_s: float = 2.0
    measured_from: str = "answer"
    message: str = "off"
    min_ring_s: float = 0.0
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Machines:
    """Detection of answering machines."""

    allowed: bool = True
    false_positives_count: bool = True
    voicemail_message: str = "none"  # or "limited_content"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something said or not said, in both languages.

    Attributes:
        patterns: what a text is searched for, regular expressions without regard to case and accents; of a statement,
            one of them must be found.
        es, en: what a screen tells the agent.
    """

    id: str
    es: str
    en: str
    patterns: tuple[str, ...] = ()
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """What must and must not be said."""

    forbidden_questions: tuple[Phrase, ...] = ()
    forbidden_phrases: tuple[Phrase, ...] = ()
    mandatory_statements: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class CallerId:
    """What the debtor's telephone shows."""

    hidden_forbidden: bool = False
    must_be_returnable: bool = False
    attestation_min: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """What is demanded of recordings."""

    required: bool = False
    announce: bool = False
    pause_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days things are kept at least; 0: no term known."""

    attempts: int = 0
    recordings: int = 0
    consents: int = 0
    decisions: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """A set of rules with where they come from.

    Attributes:
        version: counts up; a change is a new version.
        sha256: of the file it was read from, hexadecimal; what evidence names.
        valid_from, valid_to: local dates it is in force on, both included; None is open.
        purposes: what contacts may be for at all; others are denied.
        exempt: purposes that limits and cool-offs do not hold for, and that are not counted.
        exempt_hours: purposes that the hours do not hold for.
        registers: exclusion registers that must be asked, by purpose ("rne").
        preference_after_contract: a preference counts only if it was given after the contract was signed.
    """

    id: str
    version: int
    jurisdiction: str
    language: str
    title: str
    sha256: str
    citations: tuple[str, ...]
    confidence: Confidence
    hours: tuple[Hours, ...]
    channels: frozenset[Channel]
    consent: dict[Channel, ConsentNeed]
    purposes: frozenset[Purpose]
    parties: dict[Role, Party]
    valid_from: date | None = None
    valid_to: date | None = None
    supersedes: str = ""
    exempt: frozenset[Purpose] = frozenset()
    exempt_hours: frozenset[Purpose] = frozenset()
    registers: dict[Purpose, tuple[str, ...]] = field(default_factory=dict)
    preference_after_contract: bool = False
    limits: tuple[Limit, ...] = ()
    cooloffs: tuple[CoolOff, ...] = ()
    abandonment: Abandonment = Abandonment()
    machines: Machines = Machines()
    script: Script = Script()
    recording: Recording = Recording()
    retention: Retention = Retention()
    caller_id: CallerId = CallerId()


# -- the facts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Who is to be contacted.

    Attributes:
        roles: in the obligations that the contact is about.
        zones: IANA names of every zone the person may be in; empty: unknown.
        debts, creditors: what the contact is about.
        blocked: why nobody may contact this person (a disposition code or "excluded"), None if nothing stands against.
        owes: something is overdue on these debts.
    """

    id: int
    roles: frozenset[Role]
    zones: tuple[str, ...]
    debts: frozenset[int] = frozenset()
    creditors: frozenset[str] = frozenset()
    blocked: str | None = None
    owes: bool = True
    contract_signed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A line of the consent ledger: a grant, or a revocation.

    Attributes:
        channel, purpose: None means all.
        until: a grant ends by itself then.
    """

    id: int
    granted: bool
    at: datetime
    channel: Channel | None = None
    purpose: Purpose | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """When a person wants to be contacted: weekly hours where the person lives, for the named channels (empty: all)."""

    id: int
    at: datetime
    weekly: tuple[Intervals, Intervals, Intervals, Intervals, Intervals, Intervals, Intervals]
    channels: frozenset[Channel] = frozenset()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Somebody or some number is on a list of those who may not be contacted.

    Attributes:
        register: "rne", "house" and so on.
        phone_id: None: the whole person.
        channels, purposes: empty: all.
        until: the first instant it no longer holds; None: for good.
    """

    register: str
    at: datetime
    phone_id: int | None = None
    channels: frozenset[Channel] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Touch:
    """A contact with a person, or the attempt of one, over any channel: a line of the contact ledger.

    Attributes:
        at: when it was reserved or sent.
        code: the newest outcome or disposition code; empty while it goes on.
        inbound: the person began it.
    """

    at: datetime
    channel: Channel
    purpose: Purpose
    reach: Reach
    code: str = ""
    phone_id: int | None = None
    debts: frozenset[int] = frozenset()
    creditors: frozenset[str] = frozenset()
    inbound: bool = False


@dataclass(frozen=True, slots=True)
class LookBack:
    """How much of what happened before matters to the rules.

    Attributes:
        hours: contacts of the last so many hours.
        phones: contacts with others on the person's numbers too.
    """

    hours: float = 0.0
    phones: bool = False

    def __or__(self, other: LookBack) -> LookBack:
        """What both want."""
        return LookBack(max(self.hours, other.hours), self.phones or other.phones)

    def since(self, at: datetime) -> datetime:
        """Contacts before it do not matter at that instant."""
        return at - timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gate judges by, read together.

    Attributes:
        touches: the person's contacts, oldest first, as far back as the profiles look.
        shared: contacts with others on the person's numbers, oldest first, the numbers named as the person's; only
            where the profiles ask for them (`LookBack.phones`), and without creditors.
        in_flight: a contact with this person is under way.
        paid_at: the newest payment on these debts.
        ring_s: how long the contact may take to reach the person: a ring time-out; 0 for a message.
        agent_ready: a live agent is guaranteed at the answer (preview and manual calls).
        requested: the person asked for this very contact (an agreed call-back, information asked for).
        registers: exclusion registers that were loaded and asked.
    """

    consents: tuple[Consent, ...] = ()
    preferences: tuple[Preference, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    touches: tuple[Touch, ...] = ()
    shared: tuple[Touch, ...] = ()
    in_flight: bool = False
    paid_at: datetime | None = None
    ring_s: float = 0.0
    agent_ready: bool = False
    requested: bool = False
    registers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Allow:
    """The gate's yes.

    Attributes:
        phone: the number it holds for; None: a channel without one.
        basis: what it was judged by, for the evidence: plain JSON values, ids and no personal data.
    """

    phone: Phone | None = None
    basis: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Deny:
    """The gate's no.

    Attributes:
        retry_at: the next lawful instant if nothing else happens; None if only a change of the facts could bring one.
        rule: which one said no, as "profile:rule".
        basis: as of `Allow`.
    """

    code: Denial
    retry_at: datetime | None
    rule: str = ""
    basis: dict[str, Any] = field(default_factory=dict, compare=False)


Verdict = Allow | Deny
