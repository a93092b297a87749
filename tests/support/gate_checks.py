"""What the gate's modules promise beside its verdicts, each as a check that a copy of the code can be put to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cadencia.config.profiles import builtin
from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import CampaignSettings, ContactFacts, Mode
from cadencia.domain.law import (
    Allow,
    Channel,
    Consent,
    CoolOff,
    Deny,
    Exclusion,
    Facts,
    Hours,
    Limit,
    Period,
    Person,
    Preference,
    Purpose,
    Reach,
    Scope,
    Touch,
    Trigger,
    Verdict,
)
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role
from tests.support.gate_code import Code
from tests.support.hours_checks import CALENDAR, HOURS
from tests.support.law_vectors import every_day, hm, profile, weekdays

#: A Monday, 10:00 in Bogotá.
AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
BOGOTA = ZoneInfo("America/Bogota")
NOTHING = timedelta()
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

PROFILES = builtin()

Check = Callable[[Code], None]


def person(**more: object) -> Person:
    return replace(Person(1, frozenset({Role.HOLDER}), ("America/Bogota",), frozenset({7})), **more)  # type: ignore[arg-type]


def phone(number: int, status: PhoneStatus = PhoneStatus.NEW, position: int = 0) -> Phone:
    return Phone(number, f"+5730011122{number:02}", LineType.MOBILE, position, status)


def touch(ago: timedelta, reach: Reach = Reach.RANG, code: str = "NOA", phone_id: int | None = 1) -> Touch:
    return Touch(AT - ago, Channel.VOICE, Purpose.COLLECTION, reach, code, phone_id, frozenset({7}))


GRANT = Consent(5, True, AT - 300 * DAY, Channel.VOICE)


def contact(*phones: Phone, facts: Facts | None = None, **more: object) -> ContactFacts:
    told = facts or Facts(consents=(GRANT,))
    return replace(ContactFacts(9, "c1", person(), told, phones or (phone(1),)), **more)  # type: ignore[arg-type]


# -- stack -------------------------------------------------------------------------------------------------------------
def look_back(code: Code) -> None:
    def hours(*limits: Limit, cooloffs: tuple[CoolOff, ...] = ()) -> float:
        return float(code.stack.stack([profile(limits=limits, cooloffs=cooloffs)]).look_back.hours)

    def limit(per: Period, n: int = 1, gap_h: float = 0.0) -> Limit:
        return Limit("x", Scope.PERSON, Reach.ATTEMPT, 1, per, n, gap_h=gap_h)

    assert hours() == 48
    assert hours(limit(Period.LOCAL_DAYS, 7)) == 7 * 24 + 48
    assert hours(limit(Period.WEEK)) == 168 + 48
    assert hours(limit(Period.ROLLING, 100)) == 148
    assert hours(limit(Period.ROLLING, 1, 500.0)) == 548
    assert hours(cooloffs=(CoolOff("x", Trigger.TWO_WAY, local_days=9),)) == 9 * 24 + 48
    assert hours(cooloffs=(CoolOff("x", Trigger.TWO_WAY, hours=50.0),)) == 98

    def phones(scope: Scope = Scope.PERSON, *, of_phone: bool = False) -> bool:
        limits = (replace(limit(Period.WEEK), scope=scope),)
        cooloffs = (CoolOff("x", Trigger.TWO_WAY, hours=1.0, phone=of_phone),)
        return bool(code.stack.stack([profile(limits=limits, cooloffs=cooloffs)]).look_back.phones)

    assert [scope for scope in Scope if phones(scope)] == [Scope.PHONE]
    assert phones(of_phone=True)


# -- counting ----------------------------------------------------------------------------------------------------------
def goes_on(code: Code) -> None:
    """A call without an outcome goes on, and not for ever."""
    calling, call = code.counting.calling, touch(HOUR, code="")
    assert calling((touch(2 * DAY), call), AT) is True
    assert calling((replace(call, at=AT - 2 * HOUR + SECOND),), AT) is True
    assert calling((replace(call, at=AT - 2 * HOUR),), AT) is False
    assert calling((call, touch(SECOND)), AT) is True
    for other in (touch(HOUR), replace(call, channel=Channel.SMS), replace(call, inbound=True)):
        assert calling((other,), AT) is False


def names(code: Code) -> None:
    assert code.stack.stack([profile(id="a", version=3)]).names == (("a", 3, "0" * 64),)


# -- rules -------------------------------------------------------------------------------------------------------------
def consents(code: Code) -> None:
    now, grant = AT, Consent(1, True, AT - DAY)
    revoked, later = Consent(2, False, AT - DAY), Consent(3, True, AT - HOUR)
    said = code.rules.standing_consent

    def newest(*lines: Consent) -> Consent | None:
        found: Consent | None = said(lines, Channel.VOICE, Purpose.COLLECTION, now)
        return found

    assert newest(grant, revoked) is revoked
    assert newest(revoked, grant) is revoked
    assert newest(grant, replace(grant, id=9)) is grant
    assert newest(later, revoked) is later
    assert newest(revoked, later) is later
    assert newest(replace(grant, at=AT + SECOND)) is None
    assert newest(replace(grant, until=AT)) is None
    ended = replace(later, until=AT)
    assert newest(revoked, ended) is newest(ended, revoked) is revoked
    assert newest(grant, ended) is newest(ended, grant) is None
    assert newest(later, replace(grant, until=AT)) is later
    assert newest(grant, replace(grant, id=9, until=AT)) is grant
    early = replace(grant, at=AT - 2 * DAY, until=AT)
    assert newest(grant, early, ended) is newest(grant, ended, early) is None
    assert newest(grant, replace(later, until=AT + SECOND)) == replace(later, until=AT + SECOND)


def granted_later(code: Code) -> None:
    """The next lawful instant is where a grant that is written down begins to hold, for that channel."""
    laid = code.stack.stack([PROFILES["co-ley2300"]])

    def retry(*lines: Consent) -> datetime | None:
        facts = Facts(consents=lines)
        said = code.gate.decide(person(), phone(1), Channel.VOICE, Purpose.COLLECTION, AT, facts, laid)
        assert isinstance(said, Deny)
        assert said.code is Denial.CONSENT
        return said.retry_at

    soon = Consent(1, True, AT + HOUR)
    assert retry(soon) == AT + HOUR
    assert retry(replace(soon, channel=Channel.VOICE)) == AT + HOUR
    assert retry(replace(soon, channel=Channel.SMS)) is None
    assert retry(replace(soon, granted=False)) is None
    assert retry(Consent(1, False, AT - DAY)) is None
    assert retry(Consent(1, False, AT), Consent(2, True, AT)) is None
    assert retry(Consent(1, False, AT - DAY), soon, replace(soon, at=AT + 2 * HOUR)) == AT + HOUR


def wishes(code: Code) -> None:
    """Of two wishes given at once the later line holds; none opens hours where nobody knows when the contract was."""
    laid = code.stack.stack([PROFILES["co-ley2300"]])
    evening = AT.replace(hour=0) + DAY + timedelta(minutes=30)  # 19:30 in Bogotá
    night = Preference(1, AT - DAY, weekdays((hm(19), hm(21))))
    morning = Preference(2, AT - DAY, weekdays((hm(8), hm(11))))

    def code_of(at: datetime, *wished: Preference, signed: datetime | None) -> Denial | None:
        facts = Facts(consents=(GRANT,), preferences=wished)
        who = person(contract_signed_at=signed)
        said = code.gate.decide(who, phone(1), Channel.VOICE, Purpose.COLLECTION, at, facts, laid)
        return said.code if isinstance(said, Deny) else None

    assert code_of(AT, night, morning, signed=AT - 9 * DAY) is None
    assert code_of(AT, morning, night, signed=AT - 9 * DAY) is Denial.PREFERENCE
    assert code_of(evening, night, signed=AT - 9 * DAY) is None
    assert code_of(evening, night, signed=None) is Denial.HOURS
    assert code_of(evening, night, signed=AT - DAY) is Denial.HOURS


def in_flight(code: Code) -> None:
    laid = code.stack.stack([profile()])
    said = code.gate.decide(person(), phone(1), Channel.VOICE, Purpose.COLLECTION, AT, Facts(in_flight=True), laid)
    assert said == Deny(Denial.IN_FLIGHT, AT + timedelta(minutes=1), "in_flight")


def validity(code: Code) -> None:
    from datetime import date

    laid = code.stack.stack([profile(valid_from=date(2026, 3, 4), valid_to=date(2026, 3, 5))])
    said = code.gate.decide(person(), phone(1), Channel.VOICE, Purpose.COLLECTION, AT, Facts(), laid)
    assert said == Deny(Denial.PROFILE, datetime(2026, 3, 4, 12, tzinfo=UTC), "validity")
    nowhere = code.gate.decide(person(zones=()), phone(1), Channel.VOICE, Purpose.COLLECTION, AT, Facts(), laid)
    assert isinstance(nowhere, Deny)
    assert nowhere.code is Denial.NO_DATA
    missing = code.stack.stack([profile()], ["one", "two"])
    said = code.gate.decide(person(), phone(1), Channel.VOICE, Purpose.COLLECTION, AT, Facts(), missing)
    assert said == Deny(Denial.PROFILE, None, "one:unknown")


def instants(code: Code) -> None:
    """What begins at the very instant is no later one; a contact dated later counts as one before."""
    laid = code.stack.stack([PROFILES["co-ley2300"]])

    def said(facts: Facts, at: datetime = AT, stack: object = laid, **more: object) -> Deny | None:
        asked = code.gate.decide(person(**more), phone(1), Channel.VOICE, Purpose.COLLECTION, at, facts, stack)
        return asked if isinstance(asked, Deny) else None

    tied = said(Facts(consents=(Consent(1, False, AT), Consent(2, True, AT), Consent(3, True, AT + HOUR))))
    assert tied is not None
    assert tied.retry_at == AT + HOUR
    wish = Preference(1, AT, weekdays((hm(14), hm(15))))
    late = said(Facts(consents=(GRANT,), preferences=(wish,)), contract_signed_at=AT - DAY)
    assert late is not None
    assert late.retry_at == AT + 4 * HOUR
    mixed = code.stack.stack([PROFILES["co-ley2300"], profile(id="x", hours=())])
    night = Preference(1, AT - DAY, weekdays((hm(19), hm(21))))
    evening = Facts(consents=(GRANT,), preferences=(night,))
    assert said(evening, AT + 10 * HOUR, mixed, contract_signed_at=AT - DAY) is not None
    assert said(evening, AT + 10 * HOUR, mixed, contract_signed_at=AT - 2 * DAY) is None
    ahead = Facts(touches=(touch(-HOUR),))
    two = profile(limits=(Limit("x", Scope.PERSON, Reach.ATTEMPT, 2, Period.ROLLING, 24),))
    assert said(ahead, stack=code.stack.stack([two])) is None
    one = profile(limits=(Limit("x", Scope.PERSON, Reach.ATTEMPT, 1, Period.ROLLING, 24),))
    assert said(ahead, stack=code.stack.stack([one])) is not None
    nobody = said(Facts(), stack=code.stack.stack([profile(parties={})]))
    assert nobody is not None
    assert nobody.code is Denial.REFERENCE
    assert not code.stack.stack([profile(parties={})]).parties[Role.HOLDER].share_debt_info
    tokyo = profile(valid_to=AT.date(), hours=(Hours(every_day((0, 1440)), zones=("Asia/Tokyo",)),))
    over = said(Facts(), stack=code.stack.stack([tokyo]))
    assert over is not None
    assert over.code is Denial.PROFILE


def longest(code: Code) -> None:
    """Of several limits or cool-offs the one that ends last holds; one that never ends, for good."""

    def said(*limits: Limit, cooloffs: tuple[CoolOff, ...] = ()) -> Deny:
        laid = code.stack.stack([profile(limits=limits, cooloffs=cooloffs)])
        facts = Facts(touches=(touch(HOUR, Reach.TWO_WAY, "SCP"),))
        verdict = code.gate.decide(person(), phone(1), Channel.VOICE, Purpose.COLLECTION, AT, facts, laid)
        assert isinstance(verdict, Deny)
        return verdict

    def limit(name: str, n: int, maximum: int = 1) -> Limit:
        return Limit(name, Scope.PERSON, Reach.ATTEMPT, maximum, Period.ROLLING, n)

    assert said(limit("a", 2), limit("b", 3)).rule == "built:b"
    assert said(limit("b", 3), limit("a", 2)).rule == "built:b"
    assert said(limit("a", 3), limit("b", 3)).rule == "built:a"
    never = said(limit("a", 2), limit("b", 3, maximum=0), limit("c", 4))
    assert (never.rule, never.retry_at) == ("built:b", None)
    cool = tuple(CoolOff(name, Trigger.TWO_WAY, hours=hours) for name, hours in (("a", 2.0), ("b", 3.0), ("c", 3.0)))
    assert said(cooloffs=cool).rule == "built:b"


# -- judge -------------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def _judge(code: Code) -> Any:
    return code.judge.Judge(PROFILES)


def _verdict(code: Code, asked: ContactFacts, settings: CampaignSettings | None = None, at: datetime = AT) -> object:
    return _judge(code).verdict(asked, settings or CampaignSettings(), at)


def turns(code: Code) -> None:
    one, two, three = phone(1), phone(2, position=1), phone(3, position=2)
    assert _verdict(code, contact(three, one, two)) == Allow(one)
    assert _verdict(code, contact(one, two, three, last_phone_id=1)) == Allow(two)
    assert _verdict(code, contact(one, two, three, last_phone_id=2)) == Allow(three)
    assert _verdict(code, contact(one, two, three, last_phone_id=3)) == Allow(one)
    assert _verdict(code, contact(one, last_phone_id=1)) == Allow(one)
    dead = replace(two, status=PhoneStatus.DEAD)
    assert _verdict(code, contact(one, dead, three, last_phone_id=1)) == Allow(three)
    assert _verdict(code, contact(replace(one, status=PhoneStatus.VERIFIED))) == Allow(
        replace(one, status=PhoneStatus.VERIFIED)
    )
    none = _verdict(code, contact(dead))
    assert isinstance(none, Deny)
    assert none.code is Denial.NO_PHONE


def other_number(code: Code) -> None:
    """A number on a list gives way to the next one; what is said of the person does not."""
    one, two = phone(1), phone(2, position=1)
    listed = Exclusion("house", AT - DAY, 1)
    facts = Facts(consents=(GRANT,), exclusions=(listed,))
    assert _verdict(code, contact(one, two, facts=facts)) == Allow(two)
    both = replace(facts, exclusions=(listed, replace(listed, phone_id=2, until=AT + HOUR)))
    said = _verdict(code, contact(one, two, facts=both))
    assert isinstance(said, Deny)
    assert (said.code, said.retry_at) == (Denial.EXCLUDED, AT + HOUR)
    swapped = replace(facts, exclusions=(replace(listed, until=AT + HOUR), replace(listed, phone_id=2)))
    said = _verdict(code, contact(one, two, facts=swapped))
    assert isinstance(said, Deny)
    assert said.retry_at == AT + HOUR
    sooner = replace(
        facts, exclusions=(replace(listed, until=AT + 2 * HOUR), replace(listed, phone_id=2, until=AT + HOUR))
    )
    said = _verdict(code, contact(one, two, facts=sooner))
    assert isinstance(said, Deny)
    assert said.retry_at == AT + HOUR
    later = replace(
        facts, exclusions=(replace(listed, until=AT + HOUR), replace(listed, phone_id=2, until=AT + 2 * HOUR))
    )
    said = _verdict(code, contact(one, two, facts=later))
    assert isinstance(said, Deny)
    assert said.retry_at == AT + HOUR


def caps(code: Code) -> None:
    settings = CampaignSettings(attempts_per_day=2, attempts_per_week=3)

    def allowed(*ago: float) -> bool:
        touches = tuple(sorted((touch(timedelta(hours=h)) for h in ago), key=lambda t: t.at))
        facts = Facts(consents=(GRANT,), touches=touches)
        return isinstance(_verdict(code, contact(facts=facts), settings), Allow)

    assert allowed(1)
    assert not allowed(1, 2)
    assert allowed(24, 25, 1) is False
    assert allowed(24, 25)
    assert not allowed(24, 48, 144)
    assert allowed(24, 48, 7 * 24)
    assert not allowed(24, 48, 6 * 24 + 9)


def stacks(code: Code) -> None:
    judge = code.judge.Judge(PROFILES)
    settings = CampaignSettings()
    assert judge.stack(settings) is judge.stack(CampaignSettings())
    assert [name for name, *_ in judge.stack(settings).names] == ["co-ley2300", "house"]
    unknown = judge.stack(CampaignSettings(profiles=("co-ley2300", "mars")))
    assert unknown.missing == ("mars",)
    said = judge.verdict(contact(), CampaignSettings(profiles=("mars",)), AT)
    assert said.code is Denial.PROFILE
    said = judge.verdict(contact(), CampaignSettings(profiles=()), AT)
    assert said.code is Denial.PROFILE
    assert judge.stack(CampaignSettings(profiles=())).profiles == ()
    opening = judge.opening(settings)
    assert opening.holds(AT, NOTHING)
    assert not opening.holds(AT + 12 * HOUR, NOTHING)
    own = code.judge.house(3, 9)
    assert [(x.max, x.n, x.per) for x in own.limits] == [(3, 1, Period.LOCAL_DAYS), (9, 7, Period.LOCAL_DAYS)]
    assert (own.id, own.version, own.channels) == ("house", 1, frozenset(Channel))
    assert all(p.dialable and p.share_debt_info for p in own.parties.values())


def as_the_call_would_be(code: Code) -> None:
    talk, agreed = touch(DAY, Reach.TWO_WAY, "SCP"), touch(DAY, Reach.TWO_WAY, "VLL")
    of = code.judge.situation
    settings = CampaignSettings(ring_s=33)
    assert of(Facts(), settings, AT) == Facts(ring_s=33.0)
    assert of(Facts(touches=(talk, agreed)), settings, AT).requested
    assert not of(Facts(touches=(agreed, talk)), settings, AT).requested
    assert of(Facts(), CampaignSettings(mode=Mode.PREVIEW), AT).agent_ready
    assert not of(Facts(), CampaignSettings(mode=Mode.PROGRESSIVE), AT).agent_ready
    assert of(Facts(in_flight=True), settings, AT).in_flight


def called_elsewhere(code: Code) -> None:
    """A call of somebody else's is under way until its outcome."""

    def busy(*touches: Touch) -> bool:
        found: bool = code.judge.situation(Facts(touches=touches), CampaignSettings(), AT).in_flight
        return found

    assert busy(touch(HOUR, code=""))
    assert not busy(touch(HOUR))


def elsewhere(code: Code) -> None:
    judge, settings = code.judge.Judge(builtin()), CampaignSettings()
    every = replace(GRANT, channel=None)
    fixed, one, two = replace(phone(1), line_type=LineType.FIXED), phone(2, position=1), phone(3, position=2)
    asked = contact(fixed, one, two, facts=Facts(consents=(every,)))

    def said(channel: Channel, e164: str = "", of: ContactFacts = asked, at: datetime = AT) -> Verdict:
        found: Verdict = judge.elsewhere(of, settings, channel, e164, at)
        return found

    for channel, chosen in ((Channel.VOICE, fixed), (Channel.SMS, one), (Channel.WHATSAPP, one), (Channel.EMAIL, None)):
        verdict = said(channel)
        assert verdict == Allow(chosen), channel
        assert verdict.basis["channel"] == str(channel)
        assert verdict.basis["facts"]["ring_s"] == (25.0 if channel is Channel.VOICE else 0.0)
    assert said(Channel.SMS, two.e164) == Allow(two)
    assert said(Channel.SMS, fixed.e164) == Allow(fixed)  # whoever names a number means it
    assert said(Channel.SMS, "+573009999999") == Deny(Denial.NO_PHONE, None, "phone")
    # At 18:59:50 in Bogotá a message may go, and a call would ring past seven.
    late = AT + 9 * HOUR - 10 * SECOND
    assert isinstance(said(Channel.SMS, at=late), Allow)
    assert isinstance(said(Channel.VOICE, at=late), Deny)
    # Only with an agent at hand may somebody be called who was abandoned: so by hand, whatever the campaign's mode.
    settings = CampaignSettings(profiles=("uk",))
    abandoned = replace(asked, facts=Facts(consents=(every,), touches=(touch(HOUR, Reach.CONNECTED, "ABN"),)))
    assert isinstance(said(Channel.VOICE, of=abandoned), Allow)
    assert isinstance(judge.verdict(abandoned, settings, AT), Deny)


def recorded(code: Code) -> None:
    judge, settings = _judge(code), CampaignSettings()
    yes = judge.recorded(contact(), settings, AT)
    assert isinstance(yes, Allow)
    assert yes.basis["phone_id"] == 1
    assert yes.basis["debts"] == [7]
    assert (yes.basis["channel"], yes.basis["purpose"]) == ("voice", "collection")
    assert [name[0] for name in yes.basis["profiles"]] == ["co-ley2300", "house"]
    assert yes.basis["limits"] == {"attempts_per_day": 3, "attempts_per_week": 10}
    assert yes.basis["facts"]["ring_s"] == 25.0
    no = judge.recorded(contact(facts=Facts()), settings, AT)
    assert isinstance(no, Deny)
    assert no.basis["phone_id"] is None
    again = judge.recorded(contact(facts=Facts(), denied=Denial.CONSENT), settings, AT)
    assert again.basis == {}
    other = judge.recorded(contact(facts=Facts(), denied=Denial.HOURS), settings, AT)
    assert other.basis != {}


# -- reach -------------------------------------------------------------------------------------------------------------
def reaches(code: Code) -> None:
    def got(
        outcome: Outcome | None, disposition: str | None = None, answered: bool = False, put: bool = False
    ) -> Reach:
        found: Reach = code.reach.reach_of(outcome, disposition, AT if answered else None, AT if put else None)
        return found

    attempt = {Outcome.BUSY, Outcome.OFF, Outcome.NOT_IN_SERVICE, Outcome.CONGESTION, Outcome.TRUNK}
    talk, answered = (
        {Outcome.CONNECTED, Outcome.DROPPED},
        {Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE, Outcome.MACHINE, Outcome.HUNG_UP},
    )
    for outcome in Outcome:
        least = Reach.ATTEMPT if outcome in attempt else Reach.RANG
        want = Reach.TWO_WAY if outcome in talk else Reach.CONNECTED if outcome in answered else least
        assert got(outcome) is want, outcome
        assert got(outcome, put=True) is Reach.TWO_WAY
        assert got(outcome, answered=True) is max(want, Reach.CONNECTED)
        assert got(outcome, "TMS") is Reach.CONNECTED
        assert got(outcome, "SCP") is Reach.TWO_WAY
        assert got(outcome, "SIN", answered=True, put=True) is Reach.TWO_WAY
    assert got(None) is Reach.RANG
    assert got(None, answered=True) is Reach.CONNECTED
    assert got(Outcome.CONNECTED, "BUZ") is Reach.CONNECTED
    assert got(Outcome.NO_ANSWER, "nonsense") is Reach.RANG


CHECKS: dict[str, tuple[Check, ...]] = {
    "calendar": CALENDAR,
    "hours": HOURS,
    "counting": (instants, goes_on),
    "stack": (look_back, names, instants),
    "rules": (instants, consents, granted_later, wishes, in_flight, validity, longest),
    "judge": (turns, other_number, caps, stacks, as_the_call_would_be, called_elsewhere, elsewhere, recorded),
    "reach": (reaches,),
}
