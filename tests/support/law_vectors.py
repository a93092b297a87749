"""Test vectors of lawful contact: one contact, what is known, and what the gate must say of it.

Written from the rules and not from the gate. Each vector is denied for exactly one reason, or allowed, and stands one
second, one count or one day from another that goes the other way, so that a rule which is missing or shifted by one is
caught by some vector. `COUNTRIES` names shipped profiles by their id; `BUILT` brings profiles of its own, one per kind
of rule, because a kind that no shipped profile uses today is a promise all the same.

Instants are wall time with a zone, or UTC with a Z. `rests` says on which decision of ours a vector rests, where the
law does not say it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cadencia.domain.codes import Denial
from cadencia.domain.law import (
    Calendar,
    Channel,
    Confidence,
    Consent,
    ConsentNeed,
    CoolOff,
    DateRule,
    Exclusion,
    Facts,
    HolidayRule,
    Hours,
    Intervals,
    Limit,
    Party,
    Period,
    Person,
    Preference,
    Profile,
    Purpose,
    Reach,
    Reaches,
    Scope,
    Touch,
    Trigger,
    Unless,
)
from cadencia.domain.people import PhoneStatus, Role

CO, CO_STRICT = "co-ley2300", "co-estricto"
MX, MX_STRICT = "mx", "mx-estricto"
PE, CL, ES, US, TSR, UK, AR = "pe", "cl", "es", "us-regf", "us-tsr", "uk", "ar"

BOGOTA, LIMA, SANTIAGO, MADRID = "America/Bogota", "America/Lima", "America/Santiago", "Europe/Madrid"
MEXICO, TIJUANA, CANCUN = "America/Mexico_City", "America/Tijuana", "America/Cancun"
NEW_YORK, LOS_ANGELES, PHOENIX = "America/New_York", "America/Los_Angeles", "America/Phoenix"
LONDON, TOKYO, CANARY = "Europe/London", "Asia/Tokyo", "Atlantic/Canary"
BUENOS_AIRES = "America/Argentina/Buenos_Aires"

#: The telephone that a vector's contact goes to, and another of the same person's.
PHONE, OTHER_PHONE = 11, 12
DEBT, OTHER_DEBT = 1, 2
CREDITOR, OTHER_CREDITOR = "norte", "sur"

Weekly = tuple[Intervals, Intervals, Intervals, Intervals, Intervals, Intervals, Intervals]

_DEFAULT_CODE = {Reach.ATTEMPT: "CEL", Reach.RANG: "NOA", Reach.CONNECTED: "TMS", Reach.TWO_WAY: "SCP"}


def instant(text: str, zone: str) -> datetime:
    """Wall time in a zone, or with a Z in UTC, as an instant in UTC."""
    if text.endswith("Z"):
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Vector:
    """One contact that is asked about.

    Attributes:
        profiles: ids of shipped ones, or profiles built here.
        at: the instant of dialling or sending, as wall time in `zone`.
        deny: the codes that are right; empty: the contact is lawful.
        next_at: the next lawful instant, as wall time in `zone`; None: not asserted.
        never: no instant of its own will do: `retry_at` is None.
        phone_id: the number it goes to; None: there is none.
        phone_status: what is known of that number.
        registers: those that were loaded; None: all.
        rests: on which decision of ours, where the law is open; empty: on the law's own words.
    """

    name: str
    profiles: tuple[str | Profile, ...]
    at: str
    zone: str
    person: Person
    facts: Facts
    channel: Channel = Channel.VOICE
    purpose: Purpose = Purpose.COLLECTION
    deny: frozenset[Denial] = frozenset()
    next_at: str | None = None
    never: bool = False
    phone_id: int | None = PHONE
    rests: str = ""
    phone_status: PhoneStatus = PhoneStatus.NEW
    registers: frozenset[str] | None = None

    @property
    def instant(self) -> datetime:
        return instant(self.at, self.zone)

    @property
    def next_instant(self) -> datetime | None:
        return None if self.next_at is None else instant(self.next_at, self.zone)

    @property
    def allowed(self) -> bool:
        return not self.deny


# -- making them -------------------------------------------------------------------------------------------------------


@dataclass
class _Table:
    """Collects vectors that share their country."""

    profiles: tuple[str | Profile, ...]
    zone: str
    rows: list[Vector] = field(default_factory=list)

    def add(
        self,
        name: str,
        at: str,
        *deny: Denial,
        next_at: str | None = None,
        never: bool = False,
        zone: str | None = None,
        zones: tuple[str, ...] | None = None,
        roles: Iterable[Role] = (Role.HOLDER,),
        channel: Channel = Channel.VOICE,
        purpose: Purpose = Purpose.COLLECTION,
        consents: tuple[Consent, ...] | None = None,
        preferences: tuple[Preference, ...] = (),
        exclusions: tuple[Exclusion, ...] = (),
        touches: Iterable[Touch] = (),
        ring_s: float = 0.0,
        profiles: tuple[str | Profile, ...] | None = None,
        person: dict[str, Any] | None = None,
        facts: dict[str, Any] | None = None,
        phone_id: int | None = PHONE,
        phone_status: PhoneStatus = PhoneStatus.NEW,
        registers: frozenset[str] | None = None,
        rests: str = "",
    ) -> None:
        where = zone or self.zone
        self.rows.append(
            Vector(
                name=name,
                profiles=self.profiles if profiles is None else profiles,
                at=at,
                zone=where,
                person=Person(
                    **{
                        "id": 1,
                        "roles": frozenset(roles),
                        "zones": (where,) if zones is None else zones,
                        "debts": frozenset({DEBT}),
                        "creditors": frozenset({CREDITOR}),
                        "contract_signed_at": datetime(2024, 1, 15, 15, tzinfo=UTC),
                        **(person or {}),
                    }
                ),
                facts=Facts(
                    **{
                        "consents": (GRANT,) if consents is None else consents,
                        "preferences": preferences,
                        "exclusions": exclusions,
                        "touches": tuple(sorted(touches, key=lambda touch: touch.at)),
                        "ring_s": ring_s,
                        **(facts or {}),
                    }
                ),
                channel=channel,
                purpose=purpose,
                deny=frozenset(deny),
                next_at=next_at,
                never=never,
                phone_id=phone_id,
                phone_status=phone_status,
                registers=registers,
                rests=rests,
            )
        )


#: Everything over every channel, long ago.
GRANT = Consent(1, True, datetime(2024, 2, 1, 15, tzinfo=UTC))


def touch(
    at: str,
    zone: str = BOGOTA,
    reach: Reach = Reach.TWO_WAY,
    code: str | None = None,
    channel: Channel = Channel.VOICE,
    purpose: Purpose = Purpose.COLLECTION,
    phone: int | None = PHONE,
    debts: Iterable[int] = (DEBT,),
    creditors: Iterable[str] = (CREDITOR,),
    inbound: bool = False,
) -> Touch:
    """A line of the contact ledger: by default a call in which the debtor spoke with us."""
    number = phone if channel in (Channel.VOICE, Channel.SMS, Channel.WHATSAPP) else None
    said = _DEFAULT_CODE[reach] if code is None else code
    return Touch(
        instant(at, zone), channel, purpose, reach, said, number, frozenset(debts), frozenset(creditors), inbound
    )


def every_day(*intervals: tuple[int, int]) -> Weekly:
    """The same hours on all seven days; minutes after midnight."""
    day: Intervals = tuple(intervals)
    return (day, day, day, day, day, day, day)


def weekdays(*intervals: tuple[int, int]) -> Weekly:
    """Monday to Friday only."""
    day: Intervals = tuple(intervals)
    return (day, day, day, day, day, (), ())


def hm(hour: int, minute: int = 0) -> int:
    return hour * 60 + minute


def profile(**changed: Any) -> Profile:
    """A profile that allows everything, every day from 07:00 to 21:00 where the person lives; then what is changed."""
    plain: dict[str, Any] = {
        "id": "built",
        "version": 1,
        "jurisdiction": "XX",
        "language": "es",
        "title": "Built for a test",
        "sha256": "0" * 64,
        "citations": (),
        "confidence": Confidence.FIRM,
        "hours": (Hours(every_day((hm(7), hm(21)))),),
        "channels": frozenset(Channel),
        "consent": dict.fromkeys(Channel, ConsentNeed.NONE),
        "purposes": frozenset(Purpose),
        "parties": dict.fromkeys(Role, Party(dialable=True, share_debt_info=True)),
    }
    return Profile(**{**plain, **changed})


_D = Denial
_C = Channel
_P = Purpose
_SAME_DAY = "CO-5 may be a cool-off or a limit: both codes are right"


# A vector is read as a row of a table.
# fmt: off

# -- Colombia ----------------------------------------------------------------------------------------------------------


def _colombia_hours(t: _Table) -> None:
    for name, day in (("monday", "2026-03-02"), ("wednesday", "2026-03-04"), ("friday", "2026-03-06")):
        t.add(f"co {name} second before opening", f"{day}T06:59:59", _D.HOURS, next_at=f"{day}T07:00:00")
        t.add(f"co {name} opening", f"{day}T07:00:00")
        t.add(f"co {name} last second without a ring", f"{day}T18:59:59")
        t.add(f"co {name} ring ends at closing", f"{day}T18:59:30", ring_s=30)
    t.add("co monday midnight", "2026-03-02T00:00:00", _D.HOURS, next_at="2026-03-02T07:00:00")
    t.add("co monday ring past closing", "2026-03-02T18:59:31", _D.MARGIN, ring_s=30, next_at="2026-03-03T07:00:00")
    t.add("co friday ring past closing", "2026-03-06T18:59:59", _D.MARGIN, ring_s=25, next_at="2026-03-07T08:00:00")
    t.add("co monday at closing", "2026-03-02T19:00:00", _D.HOURS, next_at="2026-03-03T07:00:00")
    t.add("co monday at closing with a ring", "2026-03-02T19:00:00", _D.HOURS, ring_s=30, next_at="2026-03-03T07:00:00")
    t.add("co friday at closing", "2026-03-06T19:00:00", _D.HOURS, next_at="2026-03-07T08:00:00")
    t.add("co opening with a ring", "2026-03-02T07:00:00", ring_s=30)
    t.add("co saturday second before opening", "2026-03-07T07:59:59", _D.HOURS, next_at="2026-03-07T08:00:00")
    t.add("co saturday opening", "2026-03-07T08:00:00")
    t.add("co saturday last second", "2026-03-07T14:59:59")
    t.add("co saturday ring ends at closing", "2026-03-07T14:59:35", ring_s=25)
    t.add("co saturday ring past closing", "2026-03-07T14:59:36", _D.MARGIN, ring_s=25, next_at="2026-03-09T07:00:00")
    t.add("co saturday at closing", "2026-03-07T15:00:00", _D.HOURS, next_at="2026-03-09T07:00:00")
    t.add("co sunday noon", "2026-03-08T12:00:00", _D.HOLIDAY, next_at="2026-03-09T07:00:00")
    for channel in (_C.SMS, _C.EMAIL, _C.WHATSAPP):
        t.add(f"co {channel} at closing", "2026-03-02T19:00:00", _D.HOURS, channel=channel)
        t.add(f"co {channel} last second", "2026-03-02T18:59:59", channel=channel)
    t.add("co reminder at closing", "2026-03-02T19:00:00", _D.HOURS, purpose=_P.REMINDER)
    t.add("co commercial at closing", "2026-03-02T19:00:00", _D.HOURS, purpose=_P.COMMERCIAL)


_HOLIDAYS_CO = {
    2025: "01-01 01-06 03-24 04-17 04-18 05-01 06-02 06-23 06-30 07-20 08-07 08-18 10-13 11-03 11-17 12-08 12-25",
    2026: "01-01 01-12 03-23 04-02 04-03 05-01 05-18 06-08 06-15 06-29 07-13 07-20 08-07 08-17 10-12 11-02 11-16 "
    "12-08 12-25",
    2027: "01-01 01-11 03-22 03-25 03-26 05-01 05-10 05-31 06-07 07-05 07-12 07-20 08-07 08-16 10-18 11-01 11-15 "
    "12-08 12-25",
}

#: Saints' days that were moved away to a Monday, eves and the Monday of Ley 2578 before that law: all open.
_WORKING_CO = (
    "2025-03-19 2025-04-16 2025-07-14 2025-07-09 2025-08-15 2026-01-06 2026-03-19 2026-04-01 2026-04-06 2026-05-14 "
    "2026-06-04 2026-06-12 2026-07-09 2026-07-14 2026-10-13 2026-11-11 2027-01-06 2027-03-24 2027-03-29 2027-06-29 "
    "2027-07-09 2024-07-08"
)


def _colombia_holidays(t: _Table) -> None:
    for year, days in _HOLIDAYS_CO.items():
        for day in days.split():
            t.add(f"co holiday {year}-{day}", f"{year}-{day}T10:00:00", _D.HOLIDAY)
    for day in _WORKING_CO.split():
        t.add(f"co working day {day}", f"{day}T10:00:00")
    t.add("co 9 july 2029 is itself a monday", "2029-07-09T10:00:00", _D.HOLIDAY, next_at="2029-07-10T07:00:00")
    t.add("co monday of ley 2578", "2026-07-13T07:00:00", _D.HOLIDAY, next_at="2026-07-14T07:00:00")
    t.add("co eve of the monday of ley 2578", "2026-07-11T14:59:59")
    t.add("co saturday closing before a monday holiday", "2026-07-11T15:00:00", _D.HOURS, next_at="2026-07-14T07:00:00")
    t.add("co holy thursday leads to saturday", "2026-04-02T12:00:00", _D.HOLIDAY, next_at="2026-04-04T08:00:00")
    t.add("co holy saturday is a saturday", "2026-04-04T14:59:59")
    t.add("co easter monday is none", "2026-04-06T07:00:00")
    t.add(
        "co christmas on a friday leads to saturday", "2026-12-25T08:00:00", _D.HOLIDAY, next_at="2026-12-26T08:00:00"
    )
    t.add(
        "co wednesday evening before holy week's rest", "2026-04-01T19:00:00", _D.HOURS, next_at="2026-04-04T08:00:00"
    )


def _colombia_direct_contact(t: _Table) -> None:
    monday = touch("2026-03-02T09:00:00")
    over = _D.COOL_OFF, _D.FREQUENCY
    t.add(
        "co call again the same day", "2026-03-02T15:00:00", *over, touches=[monday], next_at="2026-03-03T07:00:00",
        rests=_SAME_DAY,
    )
    t.add("co call again in the last second", "2026-03-02T18:59:59", *over, touches=[monday], rests=_SAME_DAY)
    t.add("co call again right after", "2026-03-02T09:00:01", *over, touches=[monday], rests=_SAME_DAY)
    t.add("co reminder by call the same day", "2026-03-02T15:00:00", *over, touches=[monday], purpose=_P.REMINDER)
    t.add("co call the first second of the next day", "2026-03-03T07:00:00", touches=[monday])
    t.add("co call on wednesday after monday", "2026-03-04T10:00:00", touches=[monday])
    t.add(
        "co sms the same day", "2026-03-02T15:00:00", *over, _D.CHANNEL, touches=[monday], channel=_C.SMS,
        next_at="2026-03-09T09:00:00", rests="CO-4 and CO-5 both deny it",
    )
    for channel in (_C.SMS, _C.EMAIL, _C.WHATSAPP):
        t.add(
            f"co {channel} on wednesday after a call on monday", "2026-03-04T10:00:00", _D.CHANNEL, touches=[monday],
            channel=channel, next_at="2026-03-09T09:00:00", rests="week: rolling 168 h",
        )
    t.add("co sms one second before the week ends", "2026-03-09T08:59:59", _D.CHANNEL, touches=[monday],
          channel=_C.SMS, next_at="2026-03-09T09:00:00", rests="week: rolling 168 h")
    t.add("co sms when the week has ended", "2026-03-09T09:00:00", touches=[monday], channel=_C.SMS)
    t.add("co sms one second after the week", "2026-03-09T09:00:01", touches=[monday], channel=_C.SMS)
    t.add("co week that ends on a holiday", "2026-03-20T10:00:00", _D.CHANNEL, touches=[touch("2026-03-16T10:00:00")],
          channel=_C.SMS, next_at="2026-03-24T07:00:00", rests="week: rolling 168 h")
    t.add("co week that ends at night", "2026-03-07T10:00:00", _D.CHANNEL, touches=[touch("2026-03-02T18:59:00")],
          channel=_C.SMS, next_at="2026-03-09T18:59:00", rests="week: rolling 168 h")
    wrote = touch("2026-03-02T09:00:00", channel=_C.WHATSAPP)
    t.add("co call after the debtor wrote back", "2026-03-04T10:00:00", _D.CHANNEL, touches=[wrote])
    t.add("co whatsapp after the debtor wrote back", "2026-03-04T10:00:00", touches=[wrote], channel=_C.WHATSAPP)
    for reach in (Reach.ATTEMPT, Reach.RANG, Reach.CONNECTED):
        before = touch("2026-03-02T09:00:00", reach=reach)
        t.add(f"co call again after {reach.name.lower()}", "2026-03-02T15:00:00", touches=[before])
        t.add(f"co sms after {reach.name.lower()}", "2026-03-02T15:00:00", touches=[before], channel=_C.SMS)
    t.add("co sms after a delivered sms", "2026-03-02T15:00:00", channel=_C.SMS,
          touches=[touch("2026-03-02T09:00:00", reach=Reach.RANG, code="", channel=_C.SMS)])
    t.add("co call about another debt the same day", "2026-03-02T15:00:00", *over,
          touches=[touch("2026-03-02T09:00:00", debts=[OTHER_DEBT], creditors=[OTHER_CREDITOR])],
          rests="counters are the person's (CO-10)")
    t.add("co call on another telephone the same day", "2026-03-02T15:00:00", *over,
          touches=[touch("2026-03-02T09:00:00", phone=OTHER_PHONE)], rests=_SAME_DAY)
    for channel in (_C.VOICE, _C.EMAIL, _C.SMS):
        t.add(f"co what was asked for by {channel} the same day", "2026-03-02T15:00:00", touches=[monday],
              channel=channel, purpose=_P.REQUESTED_INFO, facts={"requested": True})
    t.add("co what was asked for, in the same week", "2026-03-04T10:00:00", touches=[monday], channel=_C.EMAIL,
          purpose=_P.REQUESTED_INFO, facts={"requested": True})
    t.add("co what was asked for, without consent", "2026-03-02T15:00:00", _D.CONSENT, touches=[monday],
          channel=_C.EMAIL, purpose=_P.REQUESTED_INFO, consents=(replace(GRANT, channel=_C.VOICE),),
          facts={"requested": True}, never=True)
    t.add("co what nobody asked for, the same day", "2026-03-02T15:00:00", *over, _D.PURPOSE, touches=[monday],
          purpose=_P.REQUESTED_INFO, rests="requested_info needs the request (CO-7)")
    for purpose in (_P.OPERATION, _P.FRAUD_ALERT):
        t.add(f"co {purpose} the same day", "2026-03-02T15:00:00", touches=[monday], purpose=purpose, rests="CO-14")
        t.add(f"co {purpose} over another channel", "2026-03-04T15:00:00", touches=[monday], purpose=purpose,
              channel=_C.SMS, rests="CO-14")
    asked = touch("2026-03-02T09:00:00", purpose=_P.REQUESTED_INFO, channel=_C.EMAIL)
    t.add("co call after an exempt contact", "2026-03-02T15:00:00", touches=[asked], rests="exempt is not counted")


def _colombia_strict(t: _Table) -> None:
    only = (CO_STRICT,)
    codes = _D.COOL_OFF, _D.FREQUENCY
    monday = touch("2026-03-02T09:00:00")
    t.add("co strict clean call", "2026-03-02T09:00:00", profiles=only)
    t.add("co strict before opening", "2026-03-02T06:59:59", _D.HOURS, profiles=only, next_at="2026-03-02T07:00:00")
    t.add("co strict at closing", "2026-03-02T19:00:00", _D.HOURS, profiles=only, next_at="2026-03-03T07:00:00")
    t.add("co strict holiday", "2026-07-13T10:00:00", _D.HOLIDAY, profiles=only)
    t.add("co strict call on tuesday after monday", "2026-03-03T09:00:00", *codes, profiles=only, touches=[monday],
          next_at="2026-03-09T09:00:00")
    t.add("co strict one second before the week ends", "2026-03-09T08:59:59", *codes, profiles=only, touches=[monday],
          next_at="2026-03-09T09:00:00")
    t.add("co strict when the week has ended", "2026-03-09T09:00:00", profiles=only, touches=[monday])
    rang = touch("2026-03-02T09:00:00", reach=Reach.RANG)
    t.add("co strict second ring the same day", "2026-03-02T15:00:00", *codes, profiles=only, touches=[rang],
          rests="CO-6 strict: any attempt is a contact")
    t.add("co strict ring on the next day", "2026-03-03T07:00:00", profiles=only, touches=[rang])
    t.add("co strict sms after a ring", "2026-03-03T10:00:00", _D.CHANNEL, *codes, profiles=only, touches=[rang],
          channel=_C.SMS, rests="CO-6 strict: any attempt is a contact")
    t.add("co and strict stacked", "2026-03-04T09:00:00", *codes, profiles=(CO, CO_STRICT), touches=[monday])
    t.add("co strict what was asked for", "2026-03-02T15:00:00", profiles=only, touches=[monday], channel=_C.EMAIL,
          purpose=_P.REQUESTED_INFO, facts={"requested": True})
    t.add("co strict without consent", "2026-03-02T15:00:00", _D.CONSENT, profiles=only, consents=())


def _colombia_consent(t: _Table) -> None:
    noon = "2026-03-04T12:00:00"
    now = instant(noon, BOGOTA)
    second = timedelta(seconds=1)

    def grant(at: datetime = GRANT.at, **kw: Any) -> Consent:
        return Consent(10, True, at, **kw)

    def revoke(at: datetime, **kw: Any) -> Consent:
        return Consent(20, False, at, **kw)

    t.add("consent none", noon, _D.CONSENT, consents=(), never=True)
    for channel in (_C.SMS, _C.EMAIL, _C.WHATSAPP):
        t.add(f"consent none for {channel}", noon, _D.CONSENT, consents=(), channel=channel, never=True)
        t.add(f"consent for {channel} only, call", noon, _D.CONSENT, consents=(grant(channel=channel),))
        t.add(f"consent for {channel} only, {channel}", noon, consents=(grant(channel=channel),), channel=channel)
    t.add("consent for voice only, call", noon, consents=(grant(channel=_C.VOICE),))
    t.add("consent granted one second later", noon, _D.CONSENT, consents=(grant(now + second),))
    t.add("consent granted at that instant", noon, consents=(grant(now),))
    t.add("consent ends at that instant", noon, _D.CONSENT, consents=(grant(until=now),))
    t.add("consent ends one second later", noon, consents=(grant(until=now + second),))
    t.add("consent revoked at that instant", noon, _D.CONSENT, consents=(grant(), revoke(now)))
    t.add("consent revoked one second earlier", noon, _D.CONSENT, consents=(grant(), revoke(now - second)))
    t.add("consent revoked one second later", noon, consents=(grant(), revoke(now + second)))
    t.add("consent revoked for sms, call", noon, consents=(grant(), revoke(now - second, channel=_C.SMS)))
    t.add("consent revoked for voice, call", noon, _D.CONSENT,
          consents=(grant(), revoke(now - second, channel=_C.VOICE)))
    t.add("consent for voice, all revoked", noon, _D.CONSENT,
          consents=(grant(channel=_C.VOICE), revoke(now - second)))
    t.add("consent given again after a revocation", noon,
          consents=(grant(), revoke(now - 2 * second), Consent(30, True, now - second)))
    t.add("consent for sms given again, call", noon, _D.CONSENT,
          consents=(grant(), revoke(now - 2 * second), Consent(30, True, now - second, _C.SMS)))
    t.add("consent for another purpose", noon, _D.CONSENT, consents=(grant(purpose=_P.COMMERCIAL),))
    t.add("consent for this purpose", noon, consents=(grant(purpose=_P.COLLECTION),))
    t.add("consent for collection, commercial call", noon, _D.CONSENT, consents=(grant(purpose=_P.COLLECTION),),
          purpose=_P.COMMERCIAL)
    t.add("consent revoked for another purpose", noon,
          consents=(grant(), revoke(now - second, purpose=_P.COMMERCIAL)))
    t.add("consent revoked for this purpose", noon, _D.CONSENT,
          consents=(grant(), revoke(now - second, purpose=_P.COLLECTION)))


def _colombia_people(t: _Table) -> None:
    noon = "2026-03-04T12:00:00"
    now = instant(noon, BOGOTA)
    second = timedelta(seconds=1)
    t.add("party reference", noon, _D.REFERENCE, roles=[Role.REFERENCE], never=True)
    t.add("party reference with consent, sms", noon, _D.REFERENCE, roles=[Role.REFERENCE], channel=_C.SMS, never=True)
    for role in (Role.HOLDER, Role.CODEBTOR, Role.GUARANTOR, Role.JOINT_DEBTOR):
        t.add(f"party {role}", noon, roles=[role])
    t.add("party codeudor without own consent", noon, _D.CONSENT, roles=[Role.CODEBTOR], consents=())
    t.add("party codeudor has own counters", noon, _D.COOL_OFF, _D.FREQUENCY, roles=[Role.CODEBTOR],
          touches=[touch("2026-03-04T09:00:00")], rests=_SAME_DAY)
    for code in ("DIS", "FRD", "PQR", "NOC", "ABG", "FAL"):
        t.add(f"blocked {code}", noon, _D.BLOCKED, person={"blocked": code}, never=True)
    t.add("blocked excluded", noon, _D.EXCLUDED, _D.BLOCKED, person={"blocked": "excluded"}, never=True)
    t.add("in flight", noon, _D.IN_FLIGHT, facts={"in_flight": True})
    t.add("no zone known", noon, _D.NO_DATA, zones=(), never=True)
    t.add("paid", noon, _D.PAID, person={"owes": False}, never=True)
    t.add("paid, reminder", noon, _D.PAID, person={"owes": False}, purpose=_P.REMINDER, never=True)
    t.add("paid, the paz y salvo that was asked for", noon, person={"owes": False}, purpose=_P.REQUESTED_INFO,
          channel=_C.EMAIL, facts={"requested": True})
    t.add("visit", noon, _D.CHANNEL, channel=_C.VISIT, never=True)
    t.add("no profile at all", noon, _D.PROFILE, profiles=())
    t.add("day before ley 2300", "2023-10-09T10:00:00", _D.PROFILE, rests="valid_from 2023-10-10",
          consents=(replace(GRANT, at=datetime(2023, 1, 2, 15, tzinfo=UTC)),))
    t.add("first day of ley 2300", "2023-10-10T10:00:00", rests="valid_from 2023-10-10",
          consents=(replace(GRANT, at=datetime(2023, 1, 2, 15, tzinfo=UTC)),))
    long_ago = datetime(2025, 5, 1, tzinfo=UTC)

    def listed(register: str, **kw: Any) -> tuple[Exclusion, ...]:
        return (Exclusion(register, kw.pop("at", long_ago), **kw),)

    t.add("rne and a commercial call", noon, _D.REGISTER, purpose=_P.COMMERCIAL, exclusions=listed("rne"))
    t.add("rne by number", noon, _D.REGISTER, purpose=_P.COMMERCIAL, exclusions=listed("rne", phone_id=PHONE))
    t.add("rne of another number", noon, purpose=_P.COMMERCIAL, exclusions=listed("rne", phone_id=OTHER_PHONE))
    t.add("rne and a collection call", noon, exclusions=listed("rne"))
    t.add("rne and a reminder", noon, purpose=_P.REMINDER, exclusions=listed("rne"))
    t.add("rne for sms, commercial call", noon, purpose=_P.COMMERCIAL,
          exclusions=listed("rne", channels=frozenset({_C.SMS})))
    t.add("rne for sms, commercial sms", noon, _D.REGISTER, purpose=_P.COMMERCIAL, channel=_C.SMS,
          exclusions=listed("rne", channels=frozenset({_C.SMS})))
    t.add("rne from that instant", noon, _D.REGISTER, purpose=_P.COMMERCIAL, exclusions=listed("rne", at=now))
    t.add("rne one second later", noon, purpose=_P.COMMERCIAL, exclusions=listed("rne", at=now + second))
    t.add("rne until one second later", noon, _D.REGISTER, purpose=_P.COMMERCIAL,
          exclusions=listed("rne", until=now + second))
    t.add("rne until that instant", noon, purpose=_P.COMMERCIAL, exclusions=listed("rne", until=now))
    t.add("house list", noon, _D.EXCLUDED, exclusions=listed("house"))
    t.add("house list by number", noon, _D.EXCLUDED, exclusions=listed("house", phone_id=PHONE))
    t.add("house list of another number", noon, exclusions=listed("house", phone_id=OTHER_PHONE))
    t.add("house list for sms, call", noon, exclusions=listed("house", channels=frozenset({_C.SMS})))
    t.add("house list for sms, sms", noon, _D.EXCLUDED, channel=_C.SMS,
          exclusions=listed("house", channels=frozenset({_C.SMS})))
    t.add("house list for commercial, collection", noon,
          exclusions=listed("house", purposes=frozenset({_P.COMMERCIAL})))
    t.add("house list for collection", noon, _D.EXCLUDED,
          exclusions=listed("house", purposes=frozenset({_P.COLLECTION})))
    t.add("house list from that instant", noon, _D.EXCLUDED, exclusions=listed("house", at=now))
    t.add("house list one second later", noon, exclusions=listed("house", at=now + second))
    t.add("house list until that instant", noon, exclusions=listed("house", until=now))
    t.add("house list until one second later", noon, _D.EXCLUDED, exclusions=listed("house", until=now + second))


def _colombia_preferences(t: _Table) -> None:
    signed = datetime(2024, 1, 15, 15, tzinfo=UTC)
    second = timedelta(seconds=1)

    def asked(weekly: Weekly, at: datetime = signed + second, **kw: Any) -> tuple[Preference, ...]:
        return (Preference(1, at, weekly, **kw),)

    evening = weekdays((hm(19), hm(21)))
    morning = weekdays((hm(8), hm(10)))
    t.add("preference opens the evening", "2026-03-04T19:00:00", preferences=asked(evening))
    t.add("preference last second", "2026-03-04T20:59:59", preferences=asked(evening))
    t.add("preference ring ends with it", "2026-03-04T20:59:35", preferences=asked(evening), ring_s=25)
    t.add("preference has ended", "2026-03-04T21:00:00", _D.HOURS, _D.PREFERENCE, preferences=asked(evening),
          next_at="2026-03-05T19:00:00", rests="neither law nor preference is open: both codes are right")
    t.add("preference ring past its end", "2026-03-04T20:59:36", _D.MARGIN, _D.PREFERENCE, preferences=asked(evening),
          ring_s=25, next_at="2026-03-05T19:00:00", rests="margin of a preference")
    t.add("preference closes the morning", "2026-03-04T10:00:00", _D.PREFERENCE, preferences=asked(evening),
          next_at="2026-03-04T19:00:00")
    t.add("preference second before it opens", "2026-03-04T18:59:59", _D.PREFERENCE, preferences=asked(evening),
          next_at="2026-03-04T19:00:00")
    t.add("preference at signing is in the contract", "2026-03-04T20:00:00", _D.HOURS,
          preferences=asked(evening, signed), next_at="2026-03-05T07:00:00")
    t.add("preference before signing does not open", "2026-03-04T20:00:00", _D.HOURS,
          preferences=asked(evening, signed - second), next_at="2026-03-05T07:00:00")
    t.add("preference before signing does not close", "2026-03-04T10:00:00",
          preferences=asked(evening, signed - second))
    t.add("preference given later does not open", "2026-03-04T20:00:00", _D.HOURS,
          preferences=asked(evening, instant("2026-03-04T20:00:01", BOGOTA)))
    t.add("preference given at that instant opens", "2026-03-04T20:00:00",
          preferences=asked(evening, instant("2026-03-04T20:00:00", BOGOTA)))
    t.add("preference narrows, second before", "2026-03-04T07:59:59", _D.PREFERENCE, preferences=asked(morning),
          next_at="2026-03-04T08:00:00")
    t.add("preference narrows, opening", "2026-03-04T08:00:00", preferences=asked(morning))
    t.add("preference narrows, last second", "2026-03-04T09:59:59", preferences=asked(morning))
    t.add("preference narrows, closing", "2026-03-04T10:00:00", _D.PREFERENCE, preferences=asked(morning),
          next_at="2026-03-05T08:00:00")
    t.add("preference leaves saturday out", "2026-03-07T09:00:00", _D.PREFERENCE, preferences=asked(morning),
          next_at="2026-03-09T08:00:00")
    t.add("preference for sms leaves calls alone", "2026-03-04T12:00:00",
          preferences=asked(morning, channels=frozenset({_C.SMS})))
    t.add("preference for sms closes sms", "2026-03-04T12:00:00", _D.PREFERENCE, channel=_C.SMS,
          preferences=asked(morning, channels=frozenset({_C.SMS})), next_at="2026-03-05T08:00:00")
    both = (*asked(evening), Preference(2, signed + 2 * second, morning))
    t.add("preference the newest holds", "2026-03-04T09:00:00", preferences=both, rests="newest preference wins")
    t.add("preference the older is gone", "2026-03-04T20:00:00", _D.HOURS, _D.PREFERENCE, preferences=both,
          rests="newest preference wins")


def _colombia_zones(t: _Table) -> None:
    # Madrid is six hours ahead of Bogotá in winter, seven in summer: open is 13 to 19 there, then 14 to 19.
    abroad: dict[str, Any] = {"zones": (MADRID,), "zone": MADRID}
    t.add("madrid winter second before bogota opens", "2026-03-02T12:59:59", _D.HOURS,
          next_at="2026-03-02T13:00:00", **abroad)
    t.add("madrid winter bogota opens", "2026-03-02T13:00:00", **abroad)
    t.add("madrid winter morning", "2026-03-02T09:00:00", _D.HOURS, next_at="2026-03-02T13:00:00", **abroad)
    t.add("madrid winter last second", "2026-03-02T18:59:59", **abroad)
    t.add("madrid winter ring past madrid's closing", "2026-03-02T18:59:36", _D.MARGIN, ring_s=25,
          next_at="2026-03-03T13:00:00", **abroad)
    t.add("madrid winter closing", "2026-03-02T19:00:00", _D.HOURS, next_at="2026-03-03T13:00:00", **abroad)
    t.add("madrid winter saturday second before", "2026-03-07T13:59:59", _D.HOURS,
          next_at="2026-03-07T14:00:00", **abroad)
    t.add("madrid winter saturday opening", "2026-03-07T14:00:00", **abroad)
    t.add("madrid winter saturday last second", "2026-03-07T14:59:59", **abroad)
    t.add("madrid winter saturday closing", "2026-03-07T15:00:00", _D.HOURS, next_at="2026-03-09T13:00:00", **abroad)
    t.add("madrid summer second before bogota opens", "2026-06-02T13:59:59", _D.HOURS,
          next_at="2026-06-02T14:00:00", **abroad)
    t.add("madrid summer bogota opens", "2026-06-02T14:00:00", **abroad)
    t.add("madrid summer closing", "2026-06-02T19:00:00", _D.HOURS, next_at="2026-06-03T14:00:00", **abroad)
    t.add("madrid summer saturday never opens", "2026-05-30T14:30:00", _D.HOURS, next_at="2026-06-01T14:00:00",
          **abroad)
    t.add("madrid friday before the clock changes", "2026-03-27T13:00:00", **abroad)
    t.add("madrid monday after the clock changed", "2026-03-30T13:00:00", _D.HOURS, next_at="2026-03-30T14:00:00",
          **abroad)
    t.add("madrid on a colombian holiday", "2026-07-13T15:00:00", _D.HOLIDAY, next_at="2026-07-14T14:00:00", **abroad)
    t.add("both zones listed, in both", "2026-03-02T13:00:00", zone=MADRID, zones=(BOGOTA, MADRID))
    t.add("both zones listed, in one", "2026-03-02T12:59:59", _D.HOURS, zone=MADRID, zones=(MADRID, BOGOTA))
    # Los Angeles opens three hours after Bogotá in winter and closes after it: 10:00 to 19:00 in Bogotá.
    west: dict[str, Any] = {"zones": (LOS_ANGELES,), "zone": BOGOTA}
    t.add("los angeles second before it opens", "2026-03-02T09:59:59", _D.HOURS, next_at="2026-03-02T10:00:00", **west)
    t.add("los angeles opens", "2026-03-02T10:00:00", **west)
    t.add("los angeles bogota closes", "2026-03-02T19:00:00", _D.HOURS, next_at="2026-03-03T10:00:00", **west)
    # Tokyo's Tuesday 16:00 is Bogotá's Tuesday 02:00; Tokyo's Wednesday 07:30 is still Bogotá's Tuesday.
    t.add("tokyo another date there, the same in bogota", "2026-03-04T07:30:00", _D.COOL_OFF, _D.FREQUENCY, zone=TOKYO,
          touches=[touch("2026-03-03T16:00:00", TOKYO)], rests="CO-5: the union of both dates is denied")
    t.add("tokyo another date in both", "2026-03-04T07:30:00", zone=TOKYO,
          touches=[touch("2026-03-03T07:30:00", TOKYO)])


def _colombia() -> list[Vector]:
    table = _Table((CO,), BOGOTA)
    for part in (
        _colombia_hours,
        _colombia_holidays,
        _colombia_direct_contact,
        _colombia_strict,
        _colombia_consent,
        _colombia_people,
        _colombia_preferences,
        _colombia_zones,
    ):
        part(table)
    return table.rows


# -- the other countries -----------------------------------------------------------------------------------------------


def _day_edges(t: _Table, name: str, day: str, opens: str, closes: str, next_day: str, **kw: Any) -> None:
    """Opening and closing second of one day; `next_day` is when it opens next."""
    start, end = datetime.fromisoformat(f"{day}T{opens}"), datetime.fromisoformat(f"{day}T{closes}")
    second = timedelta(seconds=1)
    first = start.isoformat()
    t.add(f"{name} second before opening", (start - second).isoformat(), _D.HOURS, next_at=first, **kw)
    t.add(f"{name} opening", first, **kw)
    t.add(f"{name} last second", (end - second).isoformat(), **kw)
    ring = timedelta(seconds=25)
    t.add(f"{name} ring ends at closing", (end - ring).isoformat(), ring_s=25, **kw)
    t.add(f"{name} ring past closing", (end - ring + second).isoformat(), _D.MARGIN, ring_s=25, next_at=next_day, **kw)
    t.add(f"{name} closing", end.isoformat(), _D.HOURS, next_at=next_day, **kw)


_NO_SATURDAY = "a weekday that is never open: both codes are right"


def _mexico() -> list[Vector]:
    t = _Table((MX,), MEXICO)
    _day_edges(t, "mx monday", "2026-03-02", "07:00", "22:00", "2026-03-03T07:00:00")
    _day_edges(t, "mx saturday", "2026-03-07", "07:00", "22:00", "2026-03-08T07:00:00")
    _day_edges(t, "mx sunday", "2026-03-01", "07:00", "22:00", "2026-03-02T07:00:00")
    _day_edges(t, "mx tijuana winter", "2026-03-02", "07:00", "22:00", "2026-03-03T07:00:00", zone=TIJUANA)
    _day_edges(t, "mx tijuana sunday of the change", "2026-03-08", "07:00", "22:00", "2026-03-09T07:00:00",
               zone=TIJUANA)
    _day_edges(t, "mx tijuana end of summer time", "2026-11-01", "07:00", "22:00", "2026-11-02T07:00:00",
               zone=TIJUANA)
    _day_edges(t, "mx cancun", "2026-07-01", "07:00", "22:00", "2026-07-02T07:00:00", zone=CANCUN)
    t.add("mx city has no summer time since 2022", "2026-07-01T13:00:00Z")
    t.add("mx city has no summer time since 2022, before", "2026-07-01T12:59:59Z", _D.HOURS)
    t.add("mx holiday is a day", "2026-09-16T12:00:00", rests="all days: the other reading is mx-estricto")
    # Where it is not known in which of two zones: the later opening, the earlier closing.
    both = (MEXICO, TIJUANA)
    t.add("mx two zones, opening of the later", "2026-02-02T09:00:00", zones=both)
    t.add("mx two zones, second before", "2026-02-02T08:59:59", _D.HOURS, zones=both, next_at="2026-02-02T09:00:00")
    t.add("mx two zones, last second of the earlier", "2026-02-02T21:59:59", zones=both)
    t.add("mx two zones, closing of the earlier", "2026-02-02T22:00:00", _D.HOURS, zones=both)
    t.add("mx reference", "2026-03-02T12:00:00", _D.REFERENCE, roles=[Role.REFERENCE], never=True)
    t.add("mx guarantor", "2026-03-02T12:00:00", roles=[Role.GUARANTOR])
    t.add("mx joint debtor", "2026-03-02T12:00:00", roles=[Role.JOINT_DEBTOR])
    t.add("mx no frequency rule", "2026-03-02T12:00:00", touches=[touch("2026-03-02T09:00:00", MEXICO)])
    t.add("mx no channel rule", "2026-03-02T12:00:00", touches=[touch("2026-03-02T09:00:00", MEXICO)], channel=_C.SMS)
    s: dict[str, Any] = {"profiles": (MX_STRICT,)}
    _day_edges(t, "mx strict monday", "2026-03-02", "07:00", "22:00", "2026-03-03T07:00:00", **s)
    t.add("mx strict friday closing", "2026-03-06T22:00:00", _D.HOURS, next_at="2026-03-09T07:00:00", **s)
    t.add("mx strict saturday", "2026-03-07T12:00:00", _D.HOURS, _D.HOLIDAY, next_at="2026-03-09T07:00:00",
          rests=_NO_SATURDAY, **s)
    t.add("mx strict sunday", "2026-03-08T12:00:00", _D.HOURS, _D.HOLIDAY, next_at="2026-03-09T07:00:00",
          rests=_NO_SATURDAY, **s)
    t.add("mx strict independence day", "2026-09-16T12:00:00", _D.HOLIDAY, next_at="2026-09-17T07:00:00", **s)
    t.add("mx strict constitution day", "2026-02-02T12:00:00", _D.HOLIDAY, next_at="2026-02-03T07:00:00", **s)
    t.add("mx strict 5 february is a day in 2026", "2026-02-05T12:00:00", **s)
    return t.rows


def _peru() -> list[Vector]:
    t = _Table((PE,), LIMA)
    _day_edges(t, "pe monday", "2026-03-02", "07:00", "20:00", "2026-03-03T07:00:00")
    _day_edges(t, "pe friday", "2026-03-06", "07:00", "20:00", "2026-03-09T07:00:00")
    t.add("pe saturday", "2026-03-07T12:00:00", _D.HOURS, _D.HOLIDAY, next_at="2026-03-09T07:00:00", rests=_NO_SATURDAY)
    t.add("pe sunday", "2026-03-08T12:00:00", _D.HOURS, _D.HOLIDAY, next_at="2026-03-09T07:00:00", rests=_NO_SATURDAY)
    t.add("pe 28 july", "2026-07-28T12:00:00", _D.HOLIDAY, next_at="2026-07-30T07:00:00")
    t.add("pe 29 july", "2026-07-29T12:00:00", _D.HOLIDAY, next_at="2026-07-30T07:00:00")
    t.add("pe 27 july", "2026-07-27T12:00:00")
    t.add("pe 8 december", "2026-12-08T12:00:00", _D.HOLIDAY, next_at="2026-12-10T07:00:00")
    t.add("pe reference", "2026-03-02T12:00:00", _D.REFERENCE, roles=[Role.REFERENCE], never=True)
    t.add("pe no frequency rule", "2026-03-02T12:00:00", touches=[touch("2026-03-02T09:00:00", LIMA)])
    return t.rows


def _chile() -> list[Vector]:
    t = _Table((CL,), SANTIAGO)
    _day_edges(t, "cl monday", "2026-03-02", "08:00", "20:00", "2026-03-03T08:00:00")
    _day_edges(t, "cl saturday", "2026-03-07", "08:00", "20:00", "2026-03-09T08:00:00")
    _day_edges(t, "cl monday after summer time ended", "2026-04-06", "08:00", "20:00", "2026-04-07T08:00:00")
    _day_edges(t, "cl monday after summer time began", "2026-09-07", "08:00", "20:00", "2026-09-08T08:00:00")
    t.add("cl opening in winter is noon utc", "2026-04-06T12:00:00Z")
    t.add("cl opening in summer is eleven utc", "2026-09-07T11:00:00Z")
    t.add("cl sunday", "2026-03-08T12:00:00", _D.HOLIDAY, next_at="2026-03-09T08:00:00")
    t.add("cl 18 september", "2026-09-18T12:00:00", _D.HOLIDAY, next_at="2026-09-21T08:00:00")
    t.add("cl 19 september is a saturday", "2026-09-19T12:00:00", _D.HOLIDAY, next_at="2026-09-21T08:00:00")
    t.add("cl 21 may", "2026-05-21T12:00:00", _D.HOLIDAY, next_at="2026-05-22T08:00:00")
    t.add("cl reference", "2026-03-02T12:00:00", _D.REFERENCE, roles=[Role.REFERENCE], never=True)
    call = touch("2026-03-02T10:00:00", SANTIAGO)
    codes = _D.FREQUENCY, _D.COOL_OFF
    t.add("cl second call in the week", "2026-03-04T10:00:00", *codes, touches=[call])
    t.add("cl second call on the saturday", "2026-03-07T19:59:59", *codes, touches=[call])
    t.add("cl call when both kinds of week are over", "2026-03-09T10:00:00", touches=[call])
    t.add("cl call after a visit", "2026-03-04T10:00:00", *codes,
          touches=[touch("2026-03-02T10:00:00", SANTIAGO, channel=_C.VISIT)])
    t.add("cl sms after a call", "2026-03-04T10:00:00", touches=[call], channel=_C.SMS)
    sent = touch("2026-03-02T10:00:00", SANTIAGO, Reach.RANG, "", _C.SMS)
    t.add("cl call after an sms", "2026-03-04T10:00:00", touches=[sent])
    t.add("cl second sms one second too early", "2026-03-04T09:59:59", *codes, touches=[sent], channel=_C.SMS,
          next_at="2026-03-04T10:00:00", rests="two days are 48 h")
    t.add("cl second sms after two days", "2026-03-04T10:00:00", touches=[sent], channel=_C.SMS)
    later = touch("2026-03-04T10:00:00", SANTIAGO, Reach.RANG, "", _C.SMS)
    t.add("cl third sms in the week", "2026-03-06T12:00:00", *codes, touches=[sent, later], channel=_C.SMS)
    t.add("cl sms in the next week", "2026-03-09T12:00:00", touches=[sent, later], channel=_C.SMS)
    mail = touch("2026-03-04T10:00:00", SANTIAGO, Reach.RANG, "", _C.EMAIL)
    t.add("cl third message in the week over any of them", "2026-03-06T12:00:00", *codes, touches=[sent, mail],
          channel=_C.SMS, rests="other channels are counted together")
    return t.rows


def _spain() -> list[Vector]:
    t = _Table((ES,), MADRID)
    _day_edges(t, "es monday", "2026-03-02", "09:00", "21:00", "2026-03-03T09:00:00")
    _day_edges(t, "es friday", "2026-03-06", "09:00", "21:00", "2026-03-09T09:00:00")
    _day_edges(t, "es monday after summer time began", "2026-03-30", "09:00", "21:00", "2026-03-31T09:00:00")
    _day_edges(t, "es monday after summer time ended", "2026-10-26", "09:00", "21:00", "2026-10-27T09:00:00")
    _day_edges(t, "es canary islands", "2026-03-02", "09:00", "21:00", "2026-03-03T09:00:00", zone=CANARY)
    t.add("es saturday", "2026-03-07T12:00:00", _D.HOURS, _D.HOLIDAY, next_at="2026-03-09T09:00:00", rests=_NO_SATURDAY)
    t.add("es sunday", "2026-03-08T12:00:00", _D.HOURS, _D.HOLIDAY, next_at="2026-03-09T09:00:00", rests=_NO_SATURDAY)
    t.add("es 12 october", "2026-10-12T12:00:00", _D.HOLIDAY, next_at="2026-10-13T09:00:00")
    t.add("es 8 december", "2026-12-08T12:00:00", _D.HOLIDAY, next_at="2026-12-09T09:00:00")
    t.add("es reference", "2026-03-02T12:00:00", _D.REFERENCE, roles=[Role.REFERENCE], never=True)
    t.add("es no frequency rule", "2026-03-02T12:00:00", touches=[touch("2026-03-02T10:00:00", MADRID)])
    return t.rows


def _united_states() -> list[Vector]:
    t = _Table((US,), NEW_YORK)
    _day_edges(t, "us monday", "2026-03-02", "08:00", "21:00", "2026-03-03T08:00:00")
    _day_edges(t, "us sunday", "2026-03-01", "08:00", "21:00", "2026-03-02T08:00:00")
    _day_edges(t, "us sunday summer time begins", "2026-03-08", "08:00", "21:00", "2026-03-09T08:00:00")
    _day_edges(t, "us sunday summer time ends", "2026-11-01", "08:00", "21:00", "2026-11-02T08:00:00")
    _day_edges(t, "us phoenix in summer", "2026-07-01", "08:00", "21:00", "2026-07-02T08:00:00", zone=PHOENIX)
    t.add("us opening in summer is noon utc", "2026-03-08T12:00:00Z")
    t.add("us opening in winter is one utc", "2026-11-01T13:00:00Z")
    coasts = (NEW_YORK, LOS_ANGELES)
    t.add("us both coasts, second before", "2026-03-02T10:59:59", _D.HOURS, zones=coasts, next_at="2026-03-02T11:00:00")
    t.add("us both coasts, opening of the west", "2026-03-02T11:00:00", zones=coasts)
    t.add("us both coasts, last second of the east", "2026-03-02T20:59:59", zones=coasts)
    t.add("us both coasts, closing of the east", "2026-03-02T21:00:00", _D.HOURS, zones=coasts,
          next_at="2026-03-03T11:00:00")
    t.add("us attorney", "2026-03-02T12:00:00", _D.BLOCKED, person={"blocked": "ABG"}, never=True)
    t.add("us revoked", "2026-03-02T12:00:00", _D.CONSENT,
          consents=(GRANT, Consent(2, False, instant("2026-03-02T11:59:59", NEW_YORK))))
    # 12 CFR 1006.14(b)(2): seven in seven days, Monday 1 June to Sunday 7 June.
    week = [f"2026-06-0{day}T10:00:00" for day in range(1, 8)]

    def rang(days: list[str], **kw: Any) -> list[Touch]:
        return [touch(day, NEW_YORK, kw.get("reach", Reach.RANG), **{k: v for k, v in kw.items() if k != "reach"})
                for day in days]

    t.add("us seventh call in seven days", "2026-06-07T12:00:00", touches=rang(week[:6]))
    t.add("us eighth call in seven days", "2026-06-07T12:00:00", _D.FREQUENCY, touches=rang(week))
    t.add("us eighth call on one day", "2026-06-02T12:00:00", _D.FREQUENCY,
          touches=rang([f"2026-06-02T08:1{n}:00" for n in range(7)]))
    t.add("us eighth call on the eighth day", "2026-06-08T12:00:00", touches=rang(week))
    t.add("us eighth call, seven about another debt", "2026-06-07T12:00:00", touches=rang(week, debts=[OTHER_DEBT]))
    t.add("us eighth call, one was busy", "2026-06-07T12:00:00",
          touches=[*rang(week[:6]), *rang(week[6:], reach=Reach.ATTEMPT, code="OCU")])
    t.add("us eighth call, one was not in service", "2026-06-07T12:00:00",
          touches=[*rang(week[:6]), *rang(week[6:], reach=Reach.ATTEMPT, code="FDS")])
    t.add("us eighth call, one met a machine", "2026-06-07T12:00:00", _D.FREQUENCY,
          touches=[*rang(week[:6]), *rang(week[6:], reach=Reach.CONNECTED, code="AMD")])
    t.add("us eighth call, one was the consumer's", "2026-06-07T12:00:00",
          touches=[*rang(week[:6]), *rang(week[6:], inbound=True)])
    t.add("us call after seven sms", "2026-06-07T12:00:00", touches=rang(week, channel=_C.SMS, code=""))
    talk = touch("2026-03-04T10:00:00", NEW_YORK)
    codes = _D.COOL_OFF, _D.FREQUENCY
    t.add("us second after a conversation", "2026-03-04T10:00:01", *codes, touches=[talk],
          next_at="2026-03-11T08:00:00")
    t.add("us seventh day of a conversation", "2026-03-10T20:59:59", *codes, touches=[talk],
          next_at="2026-03-11T08:00:00")
    t.add("us eighth day of a conversation", "2026-03-11T08:00:00", touches=[talk])
    inbound = touch("2026-03-04T10:00:00", NEW_YORK, inbound=True)
    t.add("us the consumer called us", "2026-03-10T20:59:59", *codes, touches=[inbound], next_at="2026-03-11T08:00:00")
    t.add("us the consumer called us eight days ago", "2026-03-11T08:00:00", touches=[inbound])
    t.add("us conversation about another debt", "2026-03-10T20:59:59",
          touches=[touch("2026-03-04T10:00:00", NEW_YORK, debts=[OTHER_DEBT])],
          rests="the cool-off is per debt, like the seven")
    t.add("us somebody else answered", "2026-03-05T10:00:00",
          touches=[touch("2026-03-04T10:00:00", NEW_YORK, Reach.CONNECTED)])
    return t.rows


def _united_kingdom() -> list[Vector]:
    t = _Table((UK,), LONDON)
    t.add("uk weekday", "2026-03-04T11:00:00")
    for code in ("ABN", "ABM"):
        left = [touch("2026-03-03T11:00:00", LONDON, Reach.CONNECTED, code)]
        t.add(f"uk {code} one second before 72 h", "2026-03-06T10:59:59", _D.COOL_OFF, touches=left,
              next_at="2026-03-06T11:00:00")
        t.add(f"uk {code} after 72 h", "2026-03-06T11:00:00", touches=left)
        t.add(f"uk {code} with an agent ready", "2026-03-04T11:00:00", touches=left, facts={"agent_ready": True})
        t.add(f"uk {code} without an agent ready", "2026-03-04T11:00:00", _D.COOL_OFF, touches=left)
    machine = [touch("2026-03-03T11:00:00", LONDON, Reach.CONNECTED, "AMD")]
    t.add("uk machine one second before 24 h", "2026-03-04T10:59:59", _D.COOL_OFF, touches=machine,
          next_at="2026-03-04T11:00:00")
    t.add("uk machine after 24 h", "2026-03-04T11:00:00", touches=machine)
    t.add("uk machine with an agent ready", "2026-03-03T15:00:00", touches=machine, facts={"agent_ready": True})
    # Over the last Sunday of March three days are 73 hours on the wall.
    spring = [touch("2026-03-27T11:00:00", LONDON, Reach.CONNECTED, "ABN")]
    t.add("uk 72 h over the change of clocks, before", "2026-03-30T11:59:59", _D.COOL_OFF, touches=spring,
          next_at="2026-03-30T12:00:00")
    t.add("uk 72 h over the change of clocks", "2026-03-30T12:00:00", touches=spring)
    t.add("uk no answer is no abandonment", "2026-03-03T15:00:00",
          touches=[touch("2026-03-03T11:00:00", LONDON, Reach.RANG)])
    return t.rows


def _argentina() -> list[Vector]:
    """Argentina has no national rule on hours or frequency: an ordinary call is lawful."""
    t = _Table((AR,), BUENOS_AIRES)
    before = [touch("2026-03-03T11:00:00", BUENOS_AIRES)]
    t.add("ar weekday", "2026-03-04T11:00:00")
    t.add("ar no frequency rule", "2026-03-03T15:00:00", touches=before)
    return t.rows


# -- every law, word for word ------------------------------------------------------------------------------------------

_MARKET = (_P.COLLECTION, _P.REMINDER, _P.REQUESTED_INFO, _P.OPERATION, _P.FRAUD_ALERT)
_ON_REQUEST = (_P.REQUESTED_INFO, _P.OPERATION, _P.FRAUD_ALERT)
_HOUSE_HOURS = "no law names hours: the house's prudence"


@dataclass(frozen=True, slots=True)
class _Law:
    """What one profile says, in a line.

    Attributes:
        week: "HH-HH" Monday to Friday, Saturday, Sunday; empty: closed.
        shut: channels that nobody may use; `granted`: those that need a grant.
        exempt: purposes that are neither limited nor counted.
        register: asked for commercial contacts.
        since: the first day in force.
        wishes: a wish opens other hours, and only one from after the contract counts.
        closed: a holiday.
    """

    id: str
    zone: str
    week: tuple[str, str, str]
    purposes: tuple[Purpose, ...] = _MARKET
    shut: tuple[Channel, ...] = (_C.VISIT,)
    granted: tuple[Channel, ...] = ()
    exempt: tuple[Purpose, ...] = ()
    register: str = ""
    since: str = ""
    wishes: bool = False
    closed: str = ""
    rests: str = ""


_NO_PUSH = (_C.WHATSAPP, _C.PUSH, _C.VISIT)
_LAWS = (
    *(
        _Law(name, BOGOTA, ("07-19", "08-15", ""), tuple(_P), granted=tuple(_C), exempt=_ON_REQUEST, register="rne",
             since="2023-10-10", wishes=True, closed="2026-03-23")
        for name in (CO, CO_STRICT)
    ),
    _Law(MX, MEXICO, ("07-22", "07-22", "07-22"), since="2014-10-08"),
    _Law(MX_STRICT, MEXICO, ("07-22", "", ""), since="2014-10-08", closed="2026-09-16"),
    _Law(PE, LIMA, ("07-20", "", ""), closed="2026-07-28"),
    _Law(CL, SANTIAGO, ("08-20", "08-20", ""), shut=(), since="2021-04-20", closed="2026-05-21"),
    _Law(ES, MADRID, ("09-21", "", ""), closed="2026-10-12"),
    _Law(US, NEW_YORK, ("08-21", "08-21", "08-21"), shut=_NO_PUSH, since="2021-11-30"),
    _Law(TSR, NEW_YORK, ("08-21", "08-21", "08-21"), tuple(_P), _NO_PUSH, (_C.VOICE, _C.SMS), register="dnc"),
    _Law(UK, LONDON, ("09-20", "09-17", ""), shut=_NO_PUSH, since="2017-03-01", closed="2026-12-25",
         rests=_HOUSE_HOURS),
    _Law(AR, BUENOS_AIRES, ("09-20", "", ""), closed="2026-05-25", rests=_HOUSE_HOURS),
)


def _words() -> list[Vector]:
    rows: list[Vector] = []
    for law in _LAWS:
        t = _Table((law.id,), law.zone)
        _week_of(t, law)
        _channels_of(t, law)
        _people_of(t, law)
        _wishes_of(t, law)
        rows += t.rows
    return rows


def _week_of(t: _Table, law: _Law) -> None:
    weekday, saturday, sunday = law.week
    for day, told in enumerate((*(weekday,) * 5, saturday, sunday)):
        date_, name = f"2026-03-0{2 + day}", f"{law.id} day {day + 1}"
        if not told:
            t.add(f"{name} is closed", f"{date_}T12:00:30", _D.HOURS, _D.HOLIDAY, rests=law.rests)
            continue
        opens, closes = (datetime.fromisoformat(f"{date_}T{hour}:00:00") for hour in told.split("-"))
        second, ring = timedelta(seconds=1), timedelta(seconds=25)
        t.add(f"{name} second before", (opens - second).isoformat(), _D.HOURS, rests=law.rests)
        t.add(f"{name} opens", opens.isoformat(), rests=law.rests)
        t.add(f"{name} last second", (closes - second).isoformat(), rests=law.rests)
        t.add(f"{name} last ring", (closes - ring).isoformat(), ring_s=25, rests=law.rests)
        t.add(f"{name} closes", closes.isoformat(), _D.HOURS, rests=law.rests)
    if law.closed:
        t.add(f"{law.id} a holiday", f"{law.closed}T12:00:00", _D.HOLIDAY, rests=law.rests)


def _channels_of(t: _Table, law: _Law) -> None:
    noon = "2026-03-04T12:00:00"
    for channel in Channel:
        name, rule = f"{law.id} {channel}", {"channel": channel, "rests": law.rests}
        if channel in law.shut:
            t.add(f"{name} is shut", noon, _D.CHANNEL, never=True, **rule)
            continue
        t.add(f"{name} granted", noon, **rule)
        if channel in law.granted:
            t.add(f"{name} not granted", noon, _D.CONSENT, consents=(), **rule)
        else:
            t.add(f"{name} not revoked", noon, consents=(), **rule)
        t.add(f"{name} revoked", noon, _D.CONSENT, consents=(GRANT, Consent(2, False, instant(noon, law.zone))), **rule)
    for purpose in Purpose:
        name = f"{law.id} for {purpose}"
        rule = {"purpose": purpose, "facts": {"requested": purpose is _P.REQUESTED_INFO}, "rests": law.rests}
        if purpose not in law.purposes:
            t.add(name, noon, _D.PURPOSE, never=True, **rule)
            continue
        t.add(name, noon, **rule)
        t.add(f"{name} at night", "2026-03-04T03:00:00", _D.HOURS, **rule)
        if law.register:
            long_ago = Exclusion(law.register, datetime(2025, 5, 1, tzinfo=UTC), PHONE)
            listed = (_D.REGISTER,) if purpose is _P.COMMERCIAL else ()
            t.add(f"{name} on the register", noon, *listed, exclusions=(long_ago,), **rule)
            t.add(f"{name} register not loaded", noon, *listed, registers=frozenset(), **rule)
        else:
            t.add(f"{name} without a register", noon, registers=frozenset(), **rule)


def _people_of(t: _Table, law: _Law) -> None:
    noon = "2026-03-04T12:00:00"
    for role in Role:
        wrong = (_D.REFERENCE,) if role is Role.REFERENCE else ()
        t.add(f"{law.id} to a {role}", noon, *wrong, roles=[role], rests=law.rests)
    t.add(f"{law.id} a telephone that is dead", noon, _D.NO_PHONE, phone_status=PhoneStatus.DEAD)
    t.add(f"{law.id} a telephone that is wrong", noon, _D.NO_PHONE, phone_status=PhoneStatus.WRONG)
    t.add(f"{law.id} a telephone that is excluded", noon, _D.EXCLUDED, phone_status=PhoneStatus.EXCLUDED)
    t.add(f"{law.id} a telephone that is verified", noon, phone_status=PhoneStatus.VERIFIED)
    t.add(f"{law.id} no telephone", noon, _D.NO_PHONE, phone_id=None, never=True)
    t.add(f"{law.id} a letter needs no telephone", noon, channel=_C.LETTER, phone_id=None)
    if law.since:
        before = (date.fromisoformat(law.since) - timedelta(days=1)).isoformat()
        old = (replace(GRANT, at=datetime(2010, 1, 4, tzinfo=UTC)),)
        t.add(f"{law.id} the day before", f"{before}T12:00:00", _D.PROFILE, consents=old)
        t.add(f"{law.id} the first day", f"{law.since}T12:00:00", consents=old)


def _wishes_of(t: _Table, law: _Law) -> None:
    signed, second = datetime(2024, 1, 15, 15, tzinfo=UTC), timedelta(seconds=1)
    late = (Preference(1, signed + second, weekdays((hm(22, 30), hm(23)))),)
    early = (Preference(1, signed - second, weekdays((hm(9), hm(10)))),)
    t.add(f"{law.id} a wish for the night", "2026-03-04T22:30:00", *(() if law.wishes else (_D.HOURS,)),
          preferences=late)
    t.add(f"{law.id} a wish in the contract", "2026-03-04T12:00:00", *(() if law.wishes else (_D.PREFERENCE,)),
          preferences=early)
    t.add(f"{law.id} a wish after it", "2026-03-04T12:00:00", _D.PREFERENCE,
          preferences=(replace(early[0], at=signed + second),))


def _abroad() -> list[Vector]:
    """Fixed zones of a law and the debtor's own: both must be open."""
    t = _Table((CO,), MADRID)
    for name, opens in ((CO, "13:00:00"), (CO_STRICT, "13:00:00"), (PE, "13:00:00"), (AR, "13:00:00")):
        only = (name,)
        t.add(f"{name} madrid, before it opens at home", "2026-03-02T12:59:59", _D.HOURS, profiles=only)
        t.add(f"{name} madrid, opens at home", f"2026-03-02T{opens}", profiles=only)
        t.add(f"{name} madrid, late there", "2026-03-02T21:30:00", _D.HOURS, profiles=only)
    t.add("uk summer opens", "2026-06-03T09:00:00", profiles=(UK,), zone=LONDON, rests=_HOUSE_HOURS)
    t.add("uk summer second before", "2026-06-03T08:59:59", _D.HOURS, profiles=(UK,), zone=LONDON, rests=_HOUSE_HOURS)
    return t.rows


def _exemptions() -> list[Vector]:
    """What was asked for, confirmations and alerts, after a contact that closes all others."""
    talk, left = touch("2026-03-04T10:00:00", BOGOTA), "2026-03-04T10:00:00"
    rows: list[Vector] = []
    over = _D.COOL_OFF, _D.FREQUENCY
    for law in _LAWS:
        if law.id not in (CO, CO_STRICT, CL, US, UK):
            continue
        before = touch(left, law.zone, Reach.CONNECTED, "ABN") if law.id == UK else touch(left, law.zone)
        if law.zone == BOGOTA:
            before = talk
        t = _Table((law.id,), law.zone)
        for purpose in law.purposes:
            for ready in (False, True):
                facts = {"requested": purpose is _P.REQUESTED_INFO or ready}
                t.add(f"{law.id} {purpose} after a contact, {'asked for' if ready else 'unasked'}",
                      "2026-03-04T15:00:00", *(() if purpose in law.exempt else over), purpose=purpose,
                      touches=[before], facts=facts)
            told = replace(before, purpose=purpose)
            t.add(f"{law.id} after a contact for {purpose}", "2026-03-04T15:00:00",
                  *(() if purpose in law.exempt else over), touches=[told])
        if law.id != UK:
            t.add(f"{law.id} an agent is ready", "2026-03-04T15:00:00", *over, touches=[before],
                  facts={"agent_ready": True})
        rows += t.rows
    return rows


def _counting() -> list[Vector]:
    """Edges of weeks and of counts."""
    t = _Table((CO,), BOGOTA)
    week_on, second_before = "2026-03-09T10:00:00", "2026-03-09T09:59:59"
    ten = "2026-03-02T10:00:00"
    over = _D.COOL_OFF, _D.FREQUENCY
    for facts in ({"agent_ready": True}, {"requested": True}):
        t.add(f"co sms in the week, {next(iter(facts))}", "2026-03-04T10:00:00", _D.CHANNEL, channel=_C.SMS,
              touches=[touch(ten)], facts=facts)
    about = touch(ten, debts=[OTHER_DEBT], creditors=[OTHER_CREDITOR])
    t.add("co sms in the week, another debt", "2026-03-04T10:00:00", _D.CHANNEL, channel=_C.SMS, touches=[about])
    s: dict[str, Any] = {"profiles": (CO_STRICT,)}
    rang = touch(ten, reach=Reach.RANG)
    t.add("co strict sms a second before", second_before, _D.CHANNEL, channel=_C.SMS, touches=[rang], **s)
    t.add("co strict sms a week on", week_on, channel=_C.SMS, touches=[rang], **s)
    other = touch(ten, reach=Reach.RANG, debts=[OTHER_DEBT])
    t.add("co strict ring about another debt", "2026-03-02T15:00:00", *over, touches=[other], **s)
    t.add("co strict sms after a ring about another debt", "2026-03-04T10:00:00", _D.CHANNEL, channel=_C.SMS,
          touches=[other], **s)
    for facts in ({"agent_ready": True}, {"requested": True}):
        t.add(f"co strict second ring, {next(iter(facts))}", "2026-03-02T15:00:00", *over, touches=[rang],
              facts=facts, **s)
        t.add(f"co strict sms in the week, {next(iter(facts))}", "2026-03-04T10:00:00", _D.CHANNEL, touches=[rang],
              channel=_C.SMS, facts=facts, **s)
    t.add("co strict a third party yesterday", "2026-03-03T10:00:00", touches=[touch(ten, reach=Reach.CONNECTED)], **s)
    for name, changed in (("telephone", {"phone": OTHER_PHONE}), ("debt", {"debts": [OTHER_DEBT]}),
                          ("creditor", {"creditors": [OTHER_CREDITOR]}), ("call to us", {"inbound": True})):
        t.add(f"co strict another {name} yesterday", "2026-03-03T10:00:00", *over, touches=[touch(ten, **changed)],
              rests="counters are the person's (CO-10)", **s)
    _counting_cl(t)
    _counting_us_uk(t)
    return t.rows


def _counting_cl(t: _Table) -> None:
    c: dict[str, Any] = {"profiles": (CL,), "zone": SANTIAGO}
    ten, wednesday, second_before, week_on = (
        "2026-03-02T10:00:00", "2026-03-04T12:00:00", "2026-03-09T09:59:59", "2026-03-09T10:00:00"
    )
    over = _D.COOL_OFF, _D.FREQUENCY
    call = touch(ten, SANTIAGO, Reach.RANG)
    t.add("cl call a second before the week is over", second_before, *over, touches=[call], rests="168 h", **c)
    t.add("cl call when it is over", week_on, touches=[call], rests="168 h", **c)
    t.add("cl call after a busy line", wednesday, touches=[touch(ten, SANTIAGO, Reach.ATTEMPT, "OCU")],
          rests="what did not ring is none", **c)
    t.add("cl call after a ring", wednesday, *over, touches=[call], rests="a ring is one: the stricter reading", **c)
    for name, changed in (("telephone", {"phone": OTHER_PHONE}), ("debt", {"debts": [OTHER_DEBT]}),
                          ("creditor", {"creditors": [OTHER_CREDITOR]})):
        t.add(f"cl call after one about another {name}", wednesday, *over, touches=[touch(ten, SANTIAGO, **changed)],
              rests="per person", **c)
        two = [touch(at, SANTIAGO, Reach.RANG, "", _C.SMS, **changed) for at in (ten, "2026-03-04T10:00:00")]
        t.add(f"cl third message, another {name}", "2026-03-06T12:00:00", *over, touches=two, channel=_C.SMS,
              rests="per person", **c)
    t.add("cl call after the person's own", wednesday, touches=[touch(ten, SANTIAGO, inbound=True)], **c)
    means = (_C.SMS, _C.EMAIL, _C.WHATSAPP, _C.PUSH, _C.LETTER)
    for channel in means:
        sent = [touch(at, SANTIAGO, Reach.RANG, "", channel) for at in (ten, "2026-03-04T10:00:00")]
        t.add(f"cl call after {channel}", "2026-03-06T12:00:00", touches=sent, **c)
        t.add(f"cl sms after two by {channel}", "2026-03-06T12:00:00", *over, touches=sent, channel=_C.SMS, **c)
        t.add(f"cl {channel} after a ring", wednesday, touches=[call], channel=channel, **c)
        t.add(f"cl {channel} after a visit", wednesday, channel=channel,
              touches=[touch(ten, SANTIAGO, channel=_C.VISIT), touch("2026-03-03T10:00:00", SANTIAGO)], **c)
        t.add(f"cl visit after {channel}", "2026-03-06T12:00:00", touches=sent, channel=_C.VISIT, **c)
        t.add(f"cl {channel} again too soon", "2026-03-04T09:59:59", *over, touches=sent[:1], channel=channel, **c)
    failed = [touch(at, SANTIAGO, Reach.ATTEMPT, "", _C.SMS) for at in (ten, "2026-03-04T10:00:00")]
    t.add("cl third message, two undelivered", "2026-03-06T12:00:00", *over, touches=failed, channel=_C.SMS,
          rests="sent is one: the stricter reading", **c)
    theirs = [touch(at, SANTIAGO, channel=_C.SMS, inbound=True) for at in (ten, "2026-03-04T10:00:00")]
    t.add("cl message after two of the person's", "2026-03-06T12:00:00", touches=theirs, channel=_C.SMS, **c)
    two = [touch(at, SANTIAGO, Reach.RANG, "", _C.SMS) for at in (ten, "2026-03-05T10:00:00")]
    t.add("cl third message a second before the week is over", second_before, *over, touches=two, channel=_C.SMS,
          rests="168 h", **c)
    t.add("cl third message when it is over", week_on, touches=two, channel=_C.SMS, rests="168 h", **c)


def _counting_us_uk(t: _Table) -> None:
    u: dict[str, Any] = {"profiles": (US,), "zone": NEW_YORK}
    over = _D.COOL_OFF, _D.FREQUENCY
    days = [f"2026-06-0{day}T10:00:00" for day in range(1, 8)]
    six, seventh, noon = days[:6], days[6], "2026-06-07T12:00:00"
    for code in ("OCU", "FDS"):
        t.add(f"us eighth call, one rang as {code}", noon,
              touches=[*(touch(d, NEW_YORK, Reach.RANG) for d in six), touch(seventh, NEW_YORK, Reach.RANG, code)], **u)
    t.add("us eighth call, one did not ring", noon, rests="placed: it rang",
          touches=[*(touch(d, NEW_YORK, Reach.RANG) for d in six), touch(seventh, NEW_YORK, Reach.ATTEMPT)], **u)
    for channel in (_C.EMAIL, _C.LETTER):
        sent = [touch(d, NEW_YORK, Reach.RANG, "", channel) for d in days]
        t.add(f"us call after seven by {channel}", noon, touches=sent, **u)
    talk = [touch("2026-03-04T10:00:00", NEW_YORK)]
    t.add("us sms after a conversation", "2026-03-05T10:00:00", touches=talk, channel=_C.SMS, **u)
    for facts in ({"agent_ready": True}, {"requested": True}):
        t.add(f"us call after a conversation, {next(iter(facts))}", "2026-03-05T10:00:00", *over, touches=talk,
              facts=facts, rests="prior consent is not relied on", **u)
    k: dict[str, Any] = {"profiles": (UK,), "zone": LONDON}
    for code in ("ABN", "AMD"):
        left = touch("2026-03-03T11:00:00", LONDON, Reach.CONNECTED, code)
        t.add(f"uk sms after {code}", "2026-03-04T10:00:00", touches=[left], channel=_C.SMS, **k)
        t.add(f"uk {code} about another debt", "2026-03-04T10:00:00", _D.COOL_OFF,
              touches=[replace(left, debts=frozenset({OTHER_DEBT}))], rests="per person, not per number", **k)


# -- kinds of rules, each in a profile of its own ----------------------------------------------------------------------


def _built_hours() -> list[Vector]:
    t = _Table((profile(),), BOGOTA)
    lunch = profile(hours=(Hours(weekdays((hm(8), hm(12)), (hm(14), hm(18)))),))
    _day_edges(t, "built morning", "2026-03-02", "08:00", "12:00", "2026-03-02T14:00:00", profiles=(lunch,))
    _day_edges(t, "built afternoon", "2026-03-02", "14:00", "18:00", "2026-03-03T08:00:00", profiles=(lunch,))
    margin = profile(hours=(Hours(every_day((hm(7), hm(21))), margin_s=60.0),))
    t.add("built margin kept", "2026-03-02T20:58:30", profiles=(margin,), ring_s=30)
    t.add("built margin broken", "2026-03-02T20:58:31", _D.MARGIN, profiles=(margin,), ring_s=30,
          next_at="2026-03-03T07:00:00")
    t.add("built margin kept without a ring", "2026-03-02T20:59:00", profiles=(margin,))
    t.add("built margin broken without a ring", "2026-03-02T20:59:01", _D.MARGIN, profiles=(margin,))
    voice = profile(hours=(Hours(every_day((hm(9), hm(18))), channels=frozenset({_C.VOICE})),
                           Hours(every_day((hm(7), hm(21))), channels=frozenset({_C.SMS}))))
    t.add("built hours of voice", "2026-03-02T18:00:00", _D.HOURS, profiles=(voice,), next_at="2026-03-03T09:00:00")
    t.add("built hours of sms", "2026-03-02T18:00:00", profiles=(voice,), channel=_C.SMS)
    t.add("built hours of sms end too", "2026-03-02T21:00:00", _D.HOURS, profiles=(voice,), channel=_C.SMS)
    fixed = profile(hours=(Hours(every_day((hm(7), hm(21))), zones=(MADRID,)),))
    t.add("built fixed zone, its last second", "2026-03-02T20:59:59", profiles=(fixed,), zone=MADRID, zones=(BOGOTA,))
    t.add("built fixed zone, its closing", "2026-03-02T21:00:00", _D.HOURS, profiles=(fixed,), zone=MADRID,
          zones=(BOGOTA,))
    rules = (
        HolidayRule("fixed from 2027", DateRule.FIXED, 6, 10, from_year=2027),
        HolidayRule("fixed until 2026", DateRule.FIXED, 6, 11, until_year=2026),
        HolidayRule("moved", DateRule.MONDAY, 7, 1),
        HolidayRule("good friday", DateRule.EASTER, offset=-2),
        HolidayRule("pentecost monday", DateRule.EASTER, offset=50),
    )
    calendar = Calendar("built", "1", rules=rules, added=frozenset({date(2026, 6, 16)}),
                        removed=frozenset({date(2026, 4, 3)}))
    closed = (profile(hours=(Hours(every_day((hm(7), hm(21))), calendar=calendar),)),)
    for day, holiday in (
        ("2026-06-10", False), ("2027-06-10", True), ("2028-06-10", True), ("2026-06-11", True), ("2027-06-11", False),
        ("2026-07-01", False), ("2026-07-06", True), ("2024-07-01", True), ("2026-04-03", False), ("2027-03-26", True),
        ("2026-05-25", True), ("2026-05-24", False), ("2026-06-16", True), ("2027-06-16", False), ("2038-06-14", True),
        ("2035-03-23", True), ("2019-06-10", True), ("2026-06-15", False),
    ):
        t.add(f"built calendar {day}", f"{day}T12:00:00", *([_D.HOLIDAY] if holiday else []), profiles=closed)
    t.add("built holiday leads to the next day", "2027-06-10T12:00:00", _D.HOLIDAY, profiles=closed,
          next_at="2027-06-11T07:00:00")
    house = profile(id="house", hours=(Hours(every_day((hm(9), hm(17)))),))
    for at, open_ in (("08:59:59", False), ("09:00:00", True), ("16:59:59", True), ("17:00:00", False)):
        t.add(f"built stack of two hours {at}", f"2026-03-02T{at}", *([] if open_ else [_D.HOURS]),
              profiles=(profile(), house))
        t.add(f"built stack in the other order {at}", f"2026-03-02T{at}", *([] if open_ else [_D.HOURS]),
              profiles=(house, profile()))
    t.add("built stack with the law", "2026-03-02T08:59:59", _D.HOURS, profiles=(CO, house),
          next_at="2026-03-02T09:00:00")
    t.add("built stack with the law on a holiday", "2026-07-13T10:00:00", _D.HOLIDAY, profiles=(CO, house),
          next_at="2026-07-14T09:00:00")
    dated = profile(valid_from=date(2026, 3, 2), valid_to=date(2026, 3, 4))
    for day, holds in (("2026-03-01", False), ("2026-03-02", True), ("2026-03-04", True), ("2026-03-05", False)):
        t.add(f"built in force on {day}", f"{day}T20:00:00", *([] if holds else [_D.PROFILE]), profiles=(dated,))
    return t.rows


def _built_limits() -> list[Vector]:
    t = _Table((profile(),), BOGOTA)

    def limited(**kw: Any) -> tuple[Profile, ...]:
        plain: dict[str, Any] = {"id": "cap", "scope": Scope.PERSON, "counts": Reach.ATTEMPT, "max": 2}
        return (profile(limits=(Limit(**{**plain, **kw}),)),)

    def rang(*at: str, **kw: Any) -> list[Touch]:
        return [touch(each, BOGOTA, kw.get("reach", Reach.RANG), **{k: v for k, v in kw.items() if k != "reach"})
                for each in at]

    noon = "2026-03-04T12:00:00"
    today = limited(max=3, per=Period.LOCAL_DAYS)
    t.add("limit a day, third", noon, profiles=today, touches=rang("2026-03-04T07:00:00", "2026-03-04T08:00:00"))
    t.add("limit a day, fourth", noon, _D.FREQUENCY, profiles=today, next_at="2026-03-05T07:00:00",
          touches=rang("2026-03-04T00:00:00", "2026-03-04T08:00:00", "2026-03-04T11:59:59"))
    t.add("limit a day, one was yesterday", noon, profiles=today,
          touches=rang("2026-03-03T23:59:59", "2026-03-04T08:00:00", "2026-03-04T11:59:59"))
    t.add("limit a day, the next morning", "2026-03-05T07:00:00", profiles=today,
          touches=rang("2026-03-04T20:00:00", "2026-03-04T20:30:00", "2026-03-04T20:45:00"))
    t.add("limit a day, the last second", "2026-03-04T20:59:59", _D.FREQUENCY, profiles=today,
          touches=rang("2026-03-04T07:00:00", "2026-03-04T07:30:00", "2026-03-04T07:45:00"))
    week = limited(max=3, per=Period.LOCAL_DAYS, n=7)
    t.add("limit of seven days, first day counts", noon, _D.FREQUENCY, profiles=week, next_at="2026-03-05T07:00:00",
          touches=rang("2026-02-26T00:00:00", "2026-03-02T08:00:00", "2026-03-03T08:00:00"))
    t.add("limit of seven days, the day before does not", noon, profiles=week,
          touches=rang("2026-02-25T23:59:59", "2026-03-02T08:00:00", "2026-03-03T08:00:00"))
    t.add("limit of seven days, one less", noon, profiles=week,
          touches=rang("2026-03-02T08:00:00", "2026-03-03T08:00:00"))
    iso = limited(max=2, per=Period.WEEK)
    t.add("limit a week, monday to sunday", "2026-03-08T20:00:00", _D.FREQUENCY, profiles=iso,
          touches=rang("2026-03-02T00:00:00", "2026-03-05T10:00:00"), next_at="2026-03-09T07:00:00")
    t.add("limit a week, sunday was another week", "2026-03-08T20:00:00", profiles=iso,
          touches=rang("2026-03-01T23:59:59", "2026-03-05T10:00:00"))
    t.add("limit a week, monday is a new week", "2026-03-09T07:00:00", profiles=iso,
          touches=rang("2026-03-08T20:00:00", "2026-03-08T20:30:00"))
    day = limited(max=2, per=Period.ROLLING, n=24)
    t.add("limit of 24 h, one second before", noon, _D.FREQUENCY, profiles=day, next_at="2026-03-04T12:00:01",
          touches=rang("2026-03-03T12:00:01", "2026-03-04T08:00:00"))
    t.add("limit of 24 h, expired now", noon, profiles=day, touches=rang("2026-03-03T12:00:00", "2026-03-04T08:00:00"))
    t.add("limit of 24 h, one less", noon, profiles=day, touches=rang("2026-03-04T08:00:00"))
    t.add("limit of 24 h, two must expire", noon, _D.FREQUENCY, profiles=day, next_at="2026-03-05T08:00:00",
          touches=rang("2026-03-03T16:00:00", "2026-03-04T08:00:00", "2026-03-04T09:00:00"))
    t.add("limit of 24 h, expires at night", "2026-03-03T20:30:00", _D.FREQUENCY, next_at="2026-03-04T07:00:00",
          profiles=limited(max=1, per=Period.ROLLING, n=8), touches=rang("2026-03-03T20:00:00"))
    once: dict[str, Any] = {"max": 1, "per": Period.LOCAL_DAYS}
    morning = "2026-03-04T08:00:00"
    for scope, other in ((Scope.PHONE, {"phone": OTHER_PHONE}), (Scope.DEBT, {"debts": [OTHER_DEBT]}),
                         (Scope.CREDITOR, {"creditors": [OTHER_CREDITOR]})):
        t.add(f"limit per {scope}, the same", noon, _D.FREQUENCY, profiles=limited(scope=scope, **once),
              touches=rang(morning))
        t.add(f"limit per {scope}, another", noon, profiles=limited(scope=scope, **once),
              touches=rang(morning, **other))
        t.add(f"limit per person, another {scope}", noon, _D.FREQUENCY, profiles=limited(**once),
              touches=rang(morning, **other))
    two = limited(scope=Scope.DEBT, max=2, per=Period.LOCAL_DAYS)
    t.add("limit per debt, one each", noon, profiles=two,
          touches=[*rang(morning), *rang("2026-03-04T09:00:00", debts=[OTHER_DEBT])],
          person={"debts": frozenset({DEBT, OTHER_DEBT})})
    t.add("limit per debt, both on one of two", noon, _D.FREQUENCY, profiles=two,
          touches=rang(morning, "2026-03-04T09:00:00", debts=[OTHER_DEBT]),
          person={"debts": frozenset({DEBT, OTHER_DEBT})})
    reached = (Reach.ATTEMPT, Reach.RANG, Reach.CONNECTED, Reach.TWO_WAY)
    for least in reached:
        for got in reached:
            denied = [_D.FREQUENCY] if got >= least else []
            t.add(f"limit counts {least.name.lower()}, {got.name.lower()}", noon, *denied,
                  profiles=limited(counts=least, **once), touches=rang(morning, reach=got))
    texts = limited(channels=frozenset({_C.SMS, _C.EMAIL}), **once)
    t.add("limit of sms, call after sms", noon, profiles=texts, touches=rang(morning, channel=_C.SMS, code=""))
    t.add("limit of sms, sms after call", noon, profiles=texts, touches=rang(morning), channel=_C.SMS)
    t.add("limit of sms, sms after e-mail", noon, _D.FREQUENCY, profiles=texts, channel=_C.SMS,
          touches=rang(morning, channel=_C.EMAIL, code=""))
    t.add("limit of all, call after sms", noon, _D.FREQUENCY, profiles=limited(**once),
          touches=rang(morning, channel=_C.SMS, code=""))
    busy = limited(excludes=frozenset({"OCU", "CNG"}), **once)
    t.add("limit without busy", noon, profiles=busy, touches=rang(morning, reach=Reach.ATTEMPT, code="OCU"))
    t.add("limit with what is not excluded", noon, _D.FREQUENCY, profiles=busy,
          touches=rang(morning, reach=Reach.ATTEMPT, code="CEL"))
    t.add("limit with a contact still open", noon, _D.FREQUENCY, profiles=busy,
          touches=rang(morning, reach=Reach.ATTEMPT, code=""))
    none = limited(max=0, per=Period.LOCAL_DAYS)
    t.add("limit of none at all", noon, _D.FREQUENCY, profiles=none, never=True)
    t.add("limit of none at all, after one", noon, _D.FREQUENCY, profiles=none, touches=rang(morning), never=True)
    gap = limited(max=9, per=Period.LOCAL_DAYS, n=7, gap_h=48.0)
    t.add("limit with a gap after the newer of two", "2026-03-05T07:00:00", _D.FREQUENCY, profiles=gap,
          touches=rang("2026-03-02T08:00:00", "2026-03-04T08:00:00"), next_at="2026-03-06T08:00:00")
    t.add("limit without the person's own", noon, profiles=limited(**once), touches=rang(morning, inbound=True))
    t.add("limit with the person's own", noon, _D.FREQUENCY, profiles=limited(inbound_counts=True, **once),
          touches=rang(morning, inbound=True))
    gap = limited(max=9, per=Period.WEEK, gap_h=48.0)
    t.add("gap one second short", noon, _D.FREQUENCY, profiles=gap, touches=rang("2026-03-02T12:00:01"),
          next_at="2026-03-04T12:00:01")
    t.add("gap kept", noon, profiles=gap, touches=rang("2026-03-02T12:00:00"))
    t.add("gap holds over the end of the week", "2026-03-09T12:00:00", _D.FREQUENCY, profiles=gap,
          touches=rang("2026-03-08T12:00:00"), next_at="2026-03-10T12:00:00")
    exempt = (replace(limited(**once)[0], exempt=frozenset({_P.REQUESTED_INFO})),)
    t.add("limit and an exempt purpose", noon, profiles=exempt, touches=rang(morning), purpose=_P.REQUESTED_INFO,
          facts={"requested": True})
    t.add("limit after an exempt purpose", noon, profiles=exempt, touches=rang(morning, purpose=_P.REQUESTED_INFO))
    t.add("limit after another purpose", noon, _D.FREQUENCY, profiles=exempt,
          touches=rang(morning, purpose=_P.REMINDER))
    loose, tight = limited(max=2, per=Period.LOCAL_DAYS)[0], limited(**once)[0]
    t.add("two limits, the tighter", noon, _D.FREQUENCY, profiles=(loose, replace(tight, id="house")),
          touches=rang(morning))
    t.add("two limits, the tighter first", noon, _D.FREQUENCY, profiles=(replace(tight, id="house"), loose),
          touches=rang(morning))
    t.add("limit of the house with the law", noon, _D.FREQUENCY, profiles=(CO, tight), touches=rang(morning),
          next_at="2026-03-05T07:00:00")
    # 00:30 in New York is 21:30 of the day before in Los Angeles.
    t.add("limit a day in two zones", "2026-03-04T12:00:00", _D.FREQUENCY, profiles=limited(**once), zone=NEW_YORK,
          zones=(NEW_YORK, LOS_ANGELES), touches=[touch("2026-03-04T00:30:00", NEW_YORK, Reach.RANG)],
          rests="the same date in any zone")
    t.add("limit a day in the western zone", "2026-03-04T12:00:00", profiles=limited(**once), zone=LOS_ANGELES,
          touches=[touch("2026-03-04T00:30:00", NEW_YORK, Reach.RANG)])
    t.add("limit a week in two zones", "2026-03-02T12:00:00", _D.FREQUENCY, zone=NEW_YORK,
          profiles=limited(max=1, per=Period.WEEK), zones=(NEW_YORK, LOS_ANGELES),
          touches=[touch("2026-03-02T00:30:00", NEW_YORK, Reach.RANG)], rests="the same week in any zone")
    t.add("limit a week in the western zone", "2026-03-02T12:00:00", zone=LOS_ANGELES,
          profiles=limited(max=1, per=Period.WEEK), touches=[touch("2026-03-02T00:30:00", NEW_YORK, Reach.RANG)])
    # The day after 5 September 2026 has no midnight in Santiago.
    t.add("limit a day over a midnight that is not", "2026-09-05T12:00:00", _D.FREQUENCY, profiles=limited(**once),
          zone=SANTIAGO, touches=[touch("2026-09-05T08:00:00", SANTIAGO, Reach.RANG)],
          next_at="2026-09-06T07:00:00")
    t.add("limit of 24 h over a change of clocks, before", "2026-03-08T12:59:59", _D.FREQUENCY, zone=NEW_YORK,
          profiles=limited(max=1, per=Period.ROLLING, n=24), next_at="2026-03-08T13:00:00",
          touches=[touch("2026-03-07T12:00:00", NEW_YORK, Reach.RANG)])
    t.add("limit of 24 h over a change of clocks", "2026-03-08T13:00:00", zone=NEW_YORK,
          profiles=limited(max=1, per=Period.ROLLING, n=24),
          touches=[touch("2026-03-07T12:00:00", NEW_YORK, Reach.RANG)])
    return t.rows


def _built_cooloffs() -> list[Vector]:
    t = _Table((profile(),), BOGOTA)

    def cooling(after: Trigger, **kw: Any) -> tuple[Profile, ...]:
        return (profile(cooloffs=(CoolOff("pause", after, **kw),)),)

    began = "2026-03-03T12:00:00"
    before, end = "2026-03-04T11:59:59", "2026-03-04T12:00:00"
    for after, reach, code in (
        (Trigger.ATTEMPT, Reach.ATTEMPT, "OCU"), (Trigger.ATTEMPT, Reach.RANG, "NOA"),
        (Trigger.ATTEMPT, Reach.TWO_WAY, "SCP"), (Trigger.TWO_WAY, Reach.TWO_WAY, "SCP"),
        (Trigger.ABANDONED, Reach.CONNECTED, "ABN"), (Trigger.ABANDONED, Reach.CONNECTED, "ABM"),
        (Trigger.MACHINE, Reach.CONNECTED, "AMD"), (Trigger.MACHINE, Reach.CONNECTED, "BUZ"),
        (Trigger.REFUSAL, Reach.TWO_WAY, "REN"), (Trigger.DISPUTE, Reach.TWO_WAY, "DIS"),
    ):
        was = [touch(began, BOGOTA, reach, code)]
        t.add(f"cool-off after {after} {code}, before its end", before, _D.COOL_OFF, next_at=end, touches=was,
              profiles=cooling(after, hours=24.0))
        t.add(f"cool-off after {after} {code}, at its end", end, touches=was, profiles=cooling(after, hours=24.0))
    for after, reach, code in (
        (Trigger.TWO_WAY, Reach.CONNECTED, "TMS"), (Trigger.ABANDONED, Reach.RANG, "NOA"),
        (Trigger.ABANDONED, Reach.CONNECTED, "AMD"), (Trigger.MACHINE, Reach.CONNECTED, "ABN"),
        (Trigger.MACHINE, Reach.TWO_WAY, "SCP"), (Trigger.REFUSAL, Reach.TWO_WAY, "SCP"),
        (Trigger.DISPUTE, Reach.TWO_WAY, "REN"),
    ):
        t.add(f"no cool-off after {after} by {code}", before, touches=[touch(began, BOGOTA, reach, code)],
              profiles=cooling(after, hours=24.0))
    theirs = [touch(began, inbound=True)]
    t.add("no cool-off after the person's own", before, touches=theirs, profiles=cooling(Trigger.ATTEMPT, hours=24.0))
    t.add("no cool-off after a payment that never was", before, profiles=cooling(Trigger.PAYMENT, hours=24.0))
    paid = {"paid_at": instant(began, BOGOTA)}
    t.add("cool-off after a payment, before its end", before, _D.COOL_OFF, facts=paid, next_at=end,
          profiles=cooling(Trigger.PAYMENT, hours=24.0))
    t.add("cool-off after a payment, at its end", end, facts=paid, profiles=cooling(Trigger.PAYMENT, hours=24.0))
    talk = [touch(began)]
    for reaches, voice, sms in (
        (Reaches.ALL, _D.COOL_OFF, _D.COOL_OFF), (Reaches.SAME, _D.COOL_OFF, None), (Reaches.OTHERS, None, _D.CHANNEL),
    ):
        rules = cooling(Trigger.TWO_WAY, reaches=reaches, hours=24.0)
        for channel, denied in ((_C.VOICE, voice), (_C.SMS, sms)):
            t.add(f"cool-off closes {reaches}, {channel}", before, *([denied] if denied else []), profiles=rules,
                  touches=talk, channel=channel, next_at=end if denied else None)
            t.add(f"cool-off closed {reaches}, {channel}", end, profiles=rules, touches=talk, channel=channel)
    for days, last, first in ((1, "2026-03-03T20:59:59", "2026-03-04T07:00:00"),
                              (2, "2026-03-04T20:59:59", "2026-03-05T07:00:00"),
                              (7, "2026-03-09T20:59:59", "2026-03-10T07:00:00")):
        rules = cooling(Trigger.TWO_WAY, local_days=days)
        t.add(f"cool-off of {days} dates, last second", last, _D.COOL_OFF, profiles=rules, touches=talk, next_at=first)
        t.add(f"cool-off of {days} dates, over", first, profiles=rules, touches=talk)
    t.add("cool-off that ends at night", "2026-03-03T20:59:59", _D.COOL_OFF, next_at="2026-03-04T07:00:00",
          profiles=cooling(Trigger.TWO_WAY, hours=10.0), touches=talk)
    t.add("cool-off over a midnight that is not", "2026-09-05T20:00:00", _D.COOL_OFF, zone=SANTIAGO,
          profiles=cooling(Trigger.TWO_WAY, local_days=1), touches=[touch("2026-09-05T08:00:00", SANTIAGO)],
          next_at="2026-09-06T07:00:00")
    night = [touch("2026-03-04T00:30:00", NEW_YORK)]
    for order in ((NEW_YORK, LOS_ANGELES), (LOS_ANGELES, NEW_YORK)):
        t.add(f"cool-off of a date in {order[0]} and another zone", "2026-03-04T12:00:00", _D.COOL_OFF, zone=NEW_YORK,
              zones=order, profiles=cooling(Trigger.TWO_WAY, local_days=1), touches=night,
              rests="the same date in any zone")
    t.add("cool-off of a date in the western zone", "2026-03-04T12:00:00", zone=LOS_ANGELES, touches=night,
          profiles=cooling(Trigger.TWO_WAY, local_days=1))
    live = cooling(Trigger.TWO_WAY, hours=24.0, unless=Unless.LIVE_AGENT)
    asked = cooling(Trigger.TWO_WAY, hours=24.0, unless=Unless.REQUESTED)
    never = cooling(Trigger.TWO_WAY, hours=24.0)
    agent, wanted = {"agent_ready": True}, {"requested": True}
    t.add("cool-off unless an agent is ready, ready", before, profiles=live, touches=talk, facts=agent)
    t.add("cool-off unless an agent is ready, not", before, _D.COOL_OFF, profiles=live, touches=talk)
    t.add("cool-off unless an agent is ready, asked for", before, _D.COOL_OFF, profiles=live, touches=talk,
          facts=wanted)
    t.add("cool-off unless asked for, asked for", before, profiles=asked, touches=talk, facts=wanted)
    t.add("cool-off unless asked for, not", before, _D.COOL_OFF, profiles=asked, touches=talk)
    t.add("cool-off unless asked for, agent ready", before, _D.COOL_OFF, profiles=asked, touches=talk, facts=agent)
    t.add("cool-off without exception", before, _D.COOL_OFF, profiles=never, touches=talk,
          facts={**agent, **wanted})
    about = cooling(Trigger.TWO_WAY, hours=24.0, debt=True)
    other = [touch(began, debts=[OTHER_DEBT])]
    t.add("cool-off of a debt, the same", before, _D.COOL_OFF, profiles=about, touches=talk)
    t.add("cool-off of a debt, another", before, profiles=about, touches=other)
    t.add("cool-off of a debt, one of both", before, _D.COOL_OFF, profiles=about, touches=other,
          person={"debts": frozenset({DEBT, OTHER_DEBT})})
    t.add("cool-off of the person, another debt", before, _D.COOL_OFF, profiles=never, touches=other)
    exempt = (replace(never[0], exempt=frozenset({_P.OPERATION})),)
    t.add("cool-off and an exempt purpose", before, profiles=exempt, touches=talk, purpose=_P.OPERATION)
    t.add("cool-off after an exempt purpose", before, profiles=exempt, touches=[touch(began, purpose=_P.OPERATION)])
    older = [touch("2026-03-03T08:00:00"), touch(began)]
    t.add("cool-off from the newest of two", before, _D.COOL_OFF, profiles=never, touches=older, next_at=end)
    short = replace(cooling(Trigger.TWO_WAY, hours=1.0)[0], id="house")
    t.add("two cool-offs, the longer", before, _D.COOL_OFF, profiles=(short, never[0]), touches=talk, next_at=end)
    return t.rows


def _built_shared() -> list[Vector]:
    """Contacts with others on the person's number."""
    t = _Table((profile(),), BOGOTA)

    def add(name: str, at: str, *deny: Denial, shared: Iterable[Touch], **kw: Any) -> None:
        t.add(f"shared number, {name}", at, *deny, facts={"shared": tuple(shared)}, **kw)

    def counted(scope: Scope = Scope.PHONE, most: int = 2) -> tuple[Profile, ...]:
        return (profile(limits=(Limit("x", scope, Reach.ATTEMPT, most, Period.ROLLING, 24),)),)

    eight, nine, noon = "2026-03-04T08:00:00", "2026-03-04T09:00:00", "2026-03-04T12:00:00"
    own, others = touch(eight), touch(nine)
    add("one of each is two", noon, _D.FREQUENCY, touches=[own], shared=[others], profiles=counted(),
        next_at="2026-03-05T08:00:00")
    add("the older of the two is the other's", noon, _D.FREQUENCY, touches=[others], shared=[own],
        profiles=counted(), next_at="2026-03-05T08:00:00")
    add("on another number", noon, touches=[own], shared=[replace(others, phone_id=OTHER_PHONE)], profiles=counted())
    add("only the other's", noon, _D.FREQUENCY, shared=[others], profiles=counted(most=1),
        next_at="2026-03-05T09:00:00")
    for scope in (Scope.PERSON, Scope.DEBT, Scope.CREDITOR):
        add(f"a limit per {scope}", noon, shared=[others], profiles=counted(scope, most=1))
    left = touch(eight, reach=Reach.CONNECTED, code="ABN")

    def cooling(**kw: Any) -> tuple[Profile, ...]:
        return (profile(cooloffs=(CoolOff("pause", Trigger.ABANDONED, hours=24.0, **kw),)),)

    add("abandoned", noon, _D.COOL_OFF, shared=[left], profiles=cooling(phone=True), next_at="2026-03-05T08:00:00")
    add("abandoned, a cool-off of the person", noon, shared=[left], profiles=cooling())
    add("abandoned on another number", noon, shared=[replace(left, phone_id=OTHER_PHONE)], profiles=cooling(phone=True))
    add("abandoned, about another debt", noon, shared=[replace(left, debts=frozenset({OTHER_DEBT}))],
        profiles=cooling(phone=True, debt=True))
    later = replace(left, at=instant(nine, BOGOTA))
    for mine, theirs in ((left, later), (later, left)):
        add(f"abandoned twice, the other's {'last' if theirs is later else 'first'}", noon, _D.COOL_OFF,
            touches=[mine], shared=[theirs], profiles=cooling(phone=True), next_at="2026-03-05T09:00:00")
    add("answered between", noon, _D.COOL_OFF, shared=[left, others], profiles=cooling(phone=True),
        next_at="2026-03-05T08:00:00")
    now = touch("2026-03-04T11:59:00", reach=Reach.ATTEMPT, code="")
    add("in a call, no rule about numbers", noon, shared=[now])
    for asking in (cooling(phone=True), counted()):
        of = "limit" if asking[0].limits else "pause"
        add(f"in a call, {of}", noon, _D.IN_FLIGHT, shared=[now], profiles=asking, next_at="2026-03-04T12:01:00")
        add(f"in a call, {of}, its other number", noon, shared=[now], phone_id=OTHER_PHONE, profiles=asking)
        add(f"in a call, {of}, a message", noon, shared=[now], channel=_C.SMS, profiles=asking)
        add(f"in a call, {of}, a letter", noon, shared=[replace(now, phone_id=None)], channel=_C.LETTER, phone_id=None,
            profiles=asking)
        add(f"a message under way, {of}", noon, shared=[replace(now, channel=_C.SMS)], profiles=asking)
        add(f"in a call after hours, {of}", "2026-03-04T23:00:00", _D.IN_FLIGHT, profiles=asking,
            shared=[replace(now, at=instant("2026-03-04T22:59:00", BOGOTA))], next_at="2026-03-05T07:00:00")
    k: dict[str, Any] = {"profiles": (UK,), "zone": LONDON}
    for code, last, over in (("ABN", "2026-03-06T10:59:59", "2026-03-06T11:00:00"),
                             ("AMD", "2026-03-04T10:59:59", "2026-03-04T11:00:00")):
        gone = touch("2026-03-03T11:00:00", LONDON, Reach.CONNECTED, code)
        add(f"uk, {code}", last, _D.COOL_OFF, shared=[gone], next_at=over, **k)
        add(f"uk, {code}, over", over, shared=[gone], **k)
        add(f"uk, {code} on another number", last, shared=[replace(gone, phone_id=OTHER_PHONE)], **k)
    return t.rows


def _built_permissions() -> list[Vector]:
    t = _Table((profile(),), BOGOTA)
    noon = "2026-03-04T12:00:00"
    now = instant(noon, BOGOTA)
    second = timedelta(seconds=1)
    t.add("built all is allowed", noon, consents=())
    voice = profile(id="house", channels=frozenset({_C.VOICE}))
    t.add("channel allowed", noon, profiles=(voice,))
    t.add("channel not allowed", noon, _D.CHANNEL, profiles=(voice,), channel=_C.SMS, never=True)
    t.add("channel not allowed by one of two", noon, _D.CHANNEL, profiles=(profile(), voice), channel=_C.SMS)
    t.add("channel not allowed by the first of two", noon, _D.CHANNEL, profiles=(voice, profile()), channel=_C.SMS)
    collect = profile(id="house", purposes=frozenset({_P.COLLECTION}))
    t.add("purpose allowed", noon, profiles=(collect,))
    t.add("purpose not allowed", noon, _D.PURPOSE, profiles=(collect,), purpose=_P.REMINDER, never=True)
    t.add("purpose not allowed by one of two", noon, _D.PURPOSE, profiles=(profile(), collect), purpose=_P.REMINDER)
    for role in Role:
        shut = {**dict.fromkeys(Role, Party(True, True)), role: Party(False, False)}
        t.add(f"party {role} shut out", noon, _D.REFERENCE, profiles=(profile(parties=shut),), roles=[role], never=True)
        open_ = {**dict.fromkeys(Role, Party(False, False)), role: Party(True, False)}
        t.add(f"party {role} let in", noon, profiles=(profile(parties=open_),), roles=[role])
    for need, lines, allowed in (
        (ConsentNeed.NONE, (), True),
        (ConsentNeed.NONE, (Consent(1, False, now),), False),
        (ConsentNeed.NONE, (Consent(1, True, now - second),), True),
        (ConsentNeed.OPT_OUT, (), True),
        (ConsentNeed.OPT_OUT, (Consent(1, False, now),), False),
        (ConsentNeed.OPT_OUT, (Consent(1, False, now + second),), True),
        (ConsentNeed.OPT_OUT, (Consent(1, False, now - 2 * second), Consent(2, True, now - second)), True),
        (ConsentNeed.OPT_OUT, (Consent(1, True, now - 2 * second), Consent(2, False, now - second)), False),
        (ConsentNeed.OPT_OUT, (Consent(1, False, now - second, _C.SMS),), True),
        (ConsentNeed.OPT_IN, (), False),
        (ConsentNeed.OPT_IN, (Consent(1, True, now),), True),
        (ConsentNeed.OPT_IN, (Consent(1, True, now + second),), False),
        (ConsentNeed.OPT_IN, (Consent(1, True, now - second, _C.SMS),), False),
        (ConsentNeed.OPT_IN, (Consent(1, True, now - second, until=now),), False),
        (ConsentNeed.OPT_IN, (Consent(1, True, now - second, until=now + second),), True),
        # A grant that ended by itself leaves what was revoked before it revoked, and ends what was granted before it.
        *(
            (need, (Consent(1, False, now - 3 * second), Consent(2, True, now - second, until=now)), False)
            for need in ConsentNeed
        ),
        (
            ConsentNeed.OPT_OUT,
            (
                Consent(1, False, now - 3 * second),
                Consent(2, True, now - 2 * second),
                Consent(3, True, now - second, until=now),
            ),
            True,
        ),
        (ConsentNeed.OPT_IN, (Consent(1, True, now - 2 * second), Consent(2, True, now - second, until=now)), False),
        (ConsentNeed.OPT_IN, (Consent(1, True, now - 2 * second, until=now), Consent(2, True, now - second)), True),
    ):
        rules = (profile(consent={**dict.fromkeys(Channel, ConsentNeed.NONE), _C.VOICE: need}),)
        number = sum(1 for row in t.rows if row.name.startswith(f"need {need} "))
        t.add(f"need {need} {number}", noon, *([] if allowed else [_D.CONSENT]), profiles=rules, consents=lines)
    loose, tight = profile(), profile(id="house", consent=dict.fromkeys(Channel, ConsentNeed.OPT_IN))
    t.add("need of one of two", noon, _D.CONSENT, profiles=(loose, tight), consents=())
    asks = profile(registers={_P.COMMERCIAL: ("rne",)})
    listed = (Exclusion("rne", datetime(2025, 5, 1, tzinfo=UTC)),)
    t.add("register asked for the purpose", noon, _D.REGISTER, profiles=(asks,), purpose=_P.COMMERCIAL,
          exclusions=listed)
    t.add("register not asked for the purpose", noon, profiles=(asks,), exclusions=listed)
    for name, row, shut in (
        ("from that instant", replace(listed[0], at=now), True),
        ("one second later", replace(listed[0], at=now + second), False),
        ("until that instant", replace(listed[0], until=now), False),
        ("until one second later", replace(listed[0], until=now + second), True),
    ):
        t.add(f"register {name}", noon, *([_D.REGISTER] if shut else []), profiles=(asks,), purpose=_P.COMMERCIAL,
              exclusions=(row,))
    t.add("another register", noon, _D.EXCLUDED, profiles=(asks,), purpose=_P.COMMERCIAL,
          exclusions=(replace(listed[0], register="otro"),),
          rests="whoever is on any list of the house is left alone")
    t.add("exempt from the hours", "2026-03-04T23:00:00", purpose=_P.FRAUD_ALERT,
          profiles=(profile(exempt_hours=frozenset({_P.FRAUD_ALERT})),))
    t.add("not exempt from the hours", "2026-03-04T23:00:00", _D.HOURS, next_at="2026-03-05T07:00:00",
          profiles=(profile(exempt_hours=frozenset({_P.FRAUD_ALERT})),))
    signed = datetime(2024, 1, 15, 15, tzinfo=UTC)
    for extends in (True, False):
        for after in (True, False):
            rules = (profile(hours=(Hours(every_day((hm(7), hm(19))), preference_extends=extends),),
                             preference_after_contract=after),)
            name = f"preference {'extends' if extends else 'narrows'}, {'after' if after else 'before'} the contract"
            early = (Preference(1, signed - second, every_day((hm(18), hm(20)))),)
            late = (Preference(1, signed + second, every_day((hm(18), hm(20)))),)
            t.add(f"{name}: late one in the evening", "2026-03-04T19:30:00", *([] if extends else [_D.HOURS]),
                  profiles=rules, preferences=late)
            t.add(f"{name}: late one at noon", noon, _D.PREFERENCE, profiles=rules, preferences=late,
                  next_at="2026-03-04T18:00:00")
            t.add(f"{name}: late one in both", "2026-03-04T18:00:00", profiles=rules, preferences=late)
            t.add(f"{name}: early one in the evening", "2026-03-04T19:30:00",
                  *([] if extends and not after else [_D.HOURS]), profiles=rules, preferences=early)
            t.add(f"{name}: early one at noon", noon, *([] if after else [_D.PREFERENCE]), profiles=rules,
                  preferences=early)
    t.add("a zone nobody knows", noon, _D.NO_DATA, zones=("Mars/Phobos",), rests="an unknown zone is missing data")
    return t.rows


#: Vectors of the shipped profiles.
COUNTRIES: tuple[Vector, ...] = (
    *_colombia(),
    *_mexico(),
    *_peru(),
    *_chile(),
    *_spain(),
    *_united_states(),
    *_united_kingdom(),
    *_argentina(),
)

#: Vectors of every word and number of the shipped profiles, which are stricter than the law in places: what the gate
#: allows here the law allows, what it denies the law need not deny.
WORDS: tuple[Vector, ...] = (*_words(), *_abroad(), *_exemptions(), *_counting())

#: Vectors of profiles built here (a few stacked on a shipped one).
BUILT: tuple[Vector, ...] = (
    *_built_hours(),
    *_built_limits(),
    *_built_cooloffs(),
    *_built_shared(),
    *_built_permissions(),
)

VECTORS: tuple[Vector, ...] = (*COUNTRIES, *WORDS, *BUILT)
