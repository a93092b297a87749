"""Abandonment as each law counts it, from the log: numerator, denominator, bound, cap. Pure.

docs/abandonment.md says which formula comes from where, and what each of them leaves out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from cadencia.compliance.hours import BOGOTA
from cadencia.domain.codes import ABANDONED, DISPOSITIONS, NOT_DISPOSED, Outcome
from cadencia.domain.dialing import Dialled
from cadencia.domain.law import Profile
from cadencia.errors import Words
from cadencia.pacing import Count, rate
from cadencia.pacing import Variant as Formula
from cadencia.pacing.budget import clopper_pearson

#: Seconds an agent may take where no profile says (16 CFR 310.4(b)(4)(ii)), and a telephone must ring (…(b)(4)(iii)).
CONNECT_WITHIN_S = 2.0
MIN_RING_S = 15.0

#: The cap where no profile has one: that of 16 CFR 310.4(b)(4)(i) and of Ofcom.
CAP = 0.03

#: Days of a period of 16 CFR 310.4(b)(4)(i).
PERIOD_DAYS = 30

#: The whole call centre, in place of a campaign's id (which cannot begin with an asterisk).
CENTRE = "*"

#: Calls that we stop while nobody has answered.
_UNANSWERED = frozenset({Outcome.NO_ANSWER, Outcome.CANCELLED})


class Variant(StrEnum):
    """How the same calls are counted."""

    TSR = "tsr"
    TCPA = "tcpa"
    OFCOM = "ofcom"  # with a detector: its false positives are estimated and added
    OFCOM_DEDUCTED = "ofcom-deducted"  # without one: machines among the abandoned are estimated and taken out
    STRICT = "strict"


class Span(StrEnum):
    """Over what."""

    DAY = "day"  # a local day, 24 hours
    PERIOD = "period"  # successive 30-day periods from the campaign's first day, or what there is of one
    ROLLING = "rolling"  # the 30 local days that end with the report
    WHOLE = "whole"  # all of the report


@dataclass(frozen=True, slots=True)
class Method:
    """How a variant counts, and where that is written."""

    spans: tuple[Span, ...]
    judged: Span
    formula: Words
    citation: str


_TSR_FORMULA = Words(
    "abandoned / answered by a person; abandoned: no agent, or one later than the limit, counted from the answer",
    "abandonadas / contestadas por una persona; abandonada: sin agente, o con uno tras el límite desde la respuesta",
)

METHODS: dict[Variant, Method] = {
    Variant.TSR: Method((Span.PERIOD,), Span.PERIOD, _TSR_FORMULA, "16 CFR 310.4(b)(4)"),
    Variant.TCPA: Method((Span.PERIOD,), Span.PERIOD, _TSR_FORMULA, "47 CFR 64.1200(a)(7)"),
    Variant.OFCOM: Method(
        (Span.DAY, Span.ROLLING),
        Span.DAY,
        Words(
            "(abandoned + false positives) / (abandoned + false positives + passed to an agent)",
            "(abandonadas + falsos positivos) / (abandonadas + falsos positivos + pasadas a un agente)",
        ),
        "Ofcom, persistent misuse (2010, 2016)",
    ),
    Variant.OFCOM_DEDUCTED: Method(
        (Span.DAY, Span.ROLLING),
        Span.DAY,
        Words(
            "a / (a + passed to an agent); a: abandoned times the share of persons among what agents got",
            "a / (a + pasadas a un agente); a: abandonadas por la parte de personas entre lo que oyeron los agentes",
        ),
        "Ofcom, persistent misuse (2010, 2016)",
    ),
    Variant.STRICT: Method(
        (Span.DAY, Span.ROLLING),
        Span.DAY,
        Words(
            "the house's rule, which drives the dialling: ended without an agent / answered, minus known machines; "
            "what nobody disposed of is a person",
            "regla de la casa, la que dirige la marcación: terminadas sin agente / contestadas menos máquinas "
            "conocidas; lo que nadie tipificó es una persona",
        ),
        "16 CFR 310.4(b)(4)(i) / 24 h",
    ),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What profiles ask of abandonment, most restrictive first.

    Attributes:
        cap: highest share; that of the laws where no profile has one.
        binding: the variants that a profile asks for; empty where none has a cap.
        retention_days: how long the records must be kept; 0: no term known.
    """

    cap: float = CAP
    connect_within_s: float = CONNECT_WITHIN_S
    min_ring_s: float = MIN_RING_S
    binding: frozenset[Variant] = frozenset()
    retention_days: int = 0


def terms(profiles: Iterable[Profile]) -> Terms:
    """What a campaign's profiles ask together: the lowest cap, the shortest wait, the longest ring and retention."""
    profiles = tuple(profiles)
    asked = [p.abandonment for p in profiles if p.abandonment.cap is not None]
    binding: set[Variant] = set()
    for a in asked:
        if a.formula == "acr":
            binding |= {Variant.OFCOM, Variant.OFCOM_DEDUCTED}
        elif a.window_h <= 24:
            binding.add(Variant.STRICT)
        else:
            binding |= {Variant.TSR, Variant.TCPA}
    return Terms(
        min((a.cap for a in asked if a.cap is not None), default=CAP),
        min((a.connect_within_s for a in asked), default=CONNECT_WITHIN_S),
        max((a.min_ring_s for a in asked), default=0.0) or MIN_RING_S,
        frozenset(binding),
        max((p.retention.attempts for p in profiles), default=0),
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """The reasoned estimate of a detector's false positives.

    Attributes:
        share: of the calls it took for machines, those that were persons, 0 to 1.
        source: the test the number comes from.
    """

    share: float
    source: str


@dataclass(slots=True)
class Tally:
    """What became of the calls of a window, before any formula.

    Attributes:
        dialled: attempts that were sent.
        answers: answered, minus those known to be machines (a detector's, or by the agent's disposition).
        unattended: of these, ended as abandoned (ABN, ABM).
        late: of these, put through after more than the limit.
        let_go: of these, neither put through nor named abandoned, and on the line longer than the limit.
        passed: of these, put through, in time or late.
        machines: put through, and called a machine by the agent.
        detected: taken for a machine by the detector.
        messages: the message was played (ABM).
        undisposed: put through, and nobody chose a disposition.
        unanswered: we stopped calling; rang: of these, known to have rung; rang_long: at least as long as asked.
        waits_s: of everybody put through, seconds from the answer to the agent.
    """

    dialled: int = 0
    answers: int = 0
    unattended: int = 0
    late: int = 0
    let_go: int = 0
    passed: int = 0
    machines: int = 0
    detected: int = 0
    messages: int = 0
    undisposed: int = 0
    unanswered: int = 0
    rang: int = 0
    rang_long: int = 0
    waits_s: list[float] = field(default_factory=list)

    def take(self, d: Dialled, asked: Terms) -> None:
        """Count one attempt."""
        self.dialled += 1
        if d.answered_at is None:
            if d.outcome in _UNANSWERED:
                self.unanswered += 1
                self.rang += d.ring_s is not None
                self.rang_long += d.ring_s is not None and d.ring_s >= asked.min_ring_s
            return
        leaf = DISPOSITIONS.get(d.disposition or "")
        detected, named = d.outcome is Outcome.MACHINE, leaf is not None and leaf.machine
        self.detected += detected
        self.machines += named and d.connected_at is not None
        if detected or named:
            return
        self.answers += 1
        abandoned = d.outcome in ABANDONED
        self.unattended += abandoned
        self.messages += d.outcome is Outcome.ABANDONED_MESSAGE
        if abandoned:
            return
        if d.connected_at is None:
            held = (d.ended_at - d.answered_at).total_seconds() if d.ended_at is not None else 0.0
            self.let_go += held > asked.connect_within_s
            return
        waited = max(0.0, (d.connected_at - d.answered_at).total_seconds())
        self.passed += 1
        self.late += waited > asked.connect_within_s
        self.undisposed += d.disposition in (None, NOT_DISPOSED)
        self.waits_s.append(waited)

    def add(self, other: Tally) -> None:
        """Put another window's numbers to these."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.waits_s += other.waits_s


_NUMBERS = tuple(name for name in Tally.__dataclass_fields__ if name != "waits_s")


@dataclass(frozen=True, slots=True)
class Share:
    """A variant's rate.

    Attributes:
        abandoned, of: numerator and denominator; Ofcom's hold estimates and need not be whole.
        upper: exact upper 95 % bound (Clopper-Pearson, one-sided); of an estimate, of the next whole number.
        complete: False where an estimate is missing that the formula needs.
    """

    abandoned: float
    of: float
    share: float
    upper: float
    complete: bool = True


def share(tally: Tally, variant: Variant, estimate: Estimate | None = None) -> Share:
    """One variant's rate; nothing answered is a rate of 0 with a bound of 1."""
    if variant is Variant.STRICT:
        return _share(tally.unattended, tally.answers)
    lost = tally.unattended + tally.let_go
    if variant in (Variant.TSR, Variant.TCPA):
        return _share(lost + tally.late, tally.answers)
    count = Count(lost + tally.passed, lost, tally.machines)
    if variant is Variant.OFCOM:
        false = tally.detected * estimate.share if estimate is not None else 0.0
        whole = rate(count, Formula.OFCOM, false_positives=false)
        return _share(lost + false, count.answers + false, whole, complete=estimate is not None or not tally.detected)
    whole = rate(count, Formula.WITHOUT_MACHINES)
    put_through = tally.passed + tally.machines
    kept = lost * tally.passed / put_through if put_through else float(lost)
    return _share(kept, kept + tally.passed, whole)


def _share(abandoned: float, of: float, whole: float | None = None, *, complete: bool = True) -> Share:
    up = math.ceil(abandoned - 1e-9)
    upper = clopper_pearson(up, of - abandoned + up)
    return Share(abandoned, of, (abandoned / of if of > 0 else 0.0) if whole is None else whole, upper, complete)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the report.

    Attributes:
        first, last: local days, both included.
        kept: whether the cap was kept; None where it does not hold for this span, or an estimate is missing.
        applies: the variant fits the calls: of Ofcom's two ways one is for a detector at work, the other for none.
        binding: it applies, and a profile of the campaign asks for it.
    """

    campaign: str
    variant: Variant
    span: Span
    first: date
    last: date
    result: Share
    cap: float
    kept: bool | None
    applies: bool
    binding: bool
    tally: Tally
    asked: Terms

    @property
    def rang_share(self) -> float | None:
        """Of the unanswered that are known to have rung, those that rang long enough; None: none is known."""
        return self.tally.rang_long / self.tally.rang if self.tally.rang else None


def by_day(
    calls: Iterable[Dialled], asked: Terms, zone: tzinfo = BOGOTA, days: dict[date, Tally] | None = None
) -> dict[date, Tally]:
    """Calls by the local day they were answered on, or sent if nobody answered; added to `days`, if given."""
    days = {} if days is None else days
    for call in calls:
        day = (call.answered_at or call.sending_at).astimezone(zone).date()
        if day not in days:
            days[day] = Tally()
        days[day].take(call, asked)
    return days


def over(days: Mapping[date, Tally], first: date, last: date) -> Tally:
    """The numbers of some days together, both included."""
    found = Tally()
    for day in sorted(days):
        if first <= day <= last:
            found.add(days[day])
    return found


def windows(span: Span, first: date, last: date, began: date) -> list[tuple[date, date]]:
    """The windows of a span that a report from `first` to `last` shows; `began`: the campaign's first day."""
    if span is Span.DAY:
        return [(day, day) for n in range((last - first).days + 1) if (day := first + timedelta(n))]
    if span is Span.ROLLING:
        return [(last - timedelta(PERIOD_DAYS - 1), last)]
    if span is Span.WHOLE:
        return [(first, last)]
    start = began + timedelta(max(0, (first - began).days // PERIOD_DAYS) * PERIOD_DAYS)
    count = (last - start).days // PERIOD_DAYS + 1
    starts = [start + timedelta(n * PERIOD_DAYS) for n in range(count)]
    return [(day, min(last, day + timedelta(PERIOD_DAYS - 1))) for day in starts]


def needed_from(first: date, last: date, began: date) -> date:
    """The earliest day whose calls a report needs."""
    spans = [w for span in (Span.PERIOD, Span.ROLLING) for w in windows(span, first, last, began)]
    return min([first, *(start for start, _ in spans)])


def lines(
    campaign: str,
    days: Mapping[date, Tally],
    variant: Variant,
    asked: Terms,
    first: date,
    last: date,
    began: date,
    estimate: Estimate | None = None,
    spans: Sequence[Span] | None = None,
) -> tuple[Line, ...]:
    """A campaign's rows of one variant. Days on which nothing was dialled are left out."""
    method = METHODS[variant]
    found: list[Line] = []
    for span in method.spans if spans is None else spans:
        for start, end in windows(span, first, last, began):
            tally = over(days, start, end)
            if span is Span.DAY and not tally.dialled:
                continue
            result = share(tally, variant, estimate)
            kept = result.share <= asked.cap if span is method.judged else None
            if kept and not result.complete:
                kept = None
            fits = _fits(variant, tally)
            binding = fits and variant in asked.binding
            found.append(
                Line(campaign, variant, span, start, end, result, asked.cap, kept, fits, binding, tally, asked)
            )
    return tuple(found)


def _fits(variant: Variant, tally: Tally) -> bool:
    if variant is Variant.OFCOM:
        return tally.detected > 0
    return variant is not Variant.OFCOM_DEDUCTED or tally.detected == 0


def centre(days: Iterable[Mapping[date, Tally]]) -> dict[date, Tally]:
    """All campaigns together, by day: Ofcom's cap holds for the call centre too."""
    whole: dict[date, Tally] = {}
    for one in days:
        for day, tally in one.items():
            whole.setdefault(day, Tally()).add(tally)
    return whole


def percentile(waits_s: Sequence[float], share_: float) -> float | None:
    """The wait that so many did not exceed (nearest rank); None where nobody was put through."""
    if not waits_s:
        return None
    ordered = sorted(waits_s)
    return ordered[max(0, math.ceil(share_ * len(ordered)) - 1)]


def midnight(day: date, zone: tzinfo = BOGOTA) -> datetime:
    """The instant a local day begins."""
    return datetime.combine(day, time(), zone)
