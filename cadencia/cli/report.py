"""`cadencia report`: the tables that an authority asks for, made from the log."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, local_date, tell_json
from cadencia.cli.text import language, say
from cadencia.cli.writing import verify_writable, write_whole
from cadencia.clock import SystemClock
from cadencia.config.profiles import load_site
from cadencia.dialer.counts import local_day
from cadencia.domain.dialing import Campaign, Dialled
from cadencia.domain.law import Profile
from cadencia.errors import ConfigError, Words, spoken
from cadencia.metrics.abandonment import (
    CENTRE,
    METHODS,
    Estimate,
    Line,
    Tally,
    Terms,
    Variant,
    by_day,
    centre,
    lines,
    midnight,
    needed_from,
    percentile,
    terms,
)
from cadencia.store.port import Store
from cadencia.store.refusals import no_campaign

app = typer.Typer(help="Reports that an authority asks for.", no_args_is_help=True)


class Wanted(StrEnum):
    """Which way of counting."""

    TSR = "tsr"
    TCPA = "tcpa"
    OFCOM = "ofcom"
    STRICT = "strict"
    ALL = "all"


_OF = {
    Wanted.TSR: (Variant.TSR,),
    Wanted.TCPA: (Variant.TCPA,),
    Wanted.OFCOM: (Variant.OFCOM, Variant.OFCOM_DEDUCTED),
    Wanted.STRICT: (Variant.STRICT,),
    Wanted.ALL: tuple(Variant),
}

#: Counted with estimates, and for the call centre too.
_ESTIMATED = (Variant.OFCOM, Variant.OFCOM_DEDUCTED)

#: A lease may be this much older than the answer; the log is read from so much before the first day.
_SLACK = timedelta(hours=2)

#: Days that are reported unless told.
_DAYS = 30


@app.command()
def abandonment(
    campaign: Annotated[str, typer.Option("--campaign", help="Only this campaign; all unless told.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First local day (30 days back).")] = "",
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last local day (today).")] = "",
    variant: Annotated[Wanted, typer.Option("--variant", help="Way of counting.")] = Wanted.ALL,
    fp_share: Annotated[
        float | None,
        typer.Option("--fp-share", min=0.0, max=100.0, help="Percent of a detector's machines that were persons."),
    ] = None,
    fp_source: Annotated[str, typer.Option("--fp-source", help="The test that this percentage comes from.")] = "",
    file: Annotated[Path | None, typer.Option("--csv", readable=False, help="Write the table to a file too.")] = None,
    site: Annotated[
        Path | None, typer.Option(readable=False, help="Folder of the site's own profiles and dates.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Abandoned calls as each law counts them. Ends with 1 if a cap that holds was broken.

    A cap holds where a profile of the campaign asks for that way of counting, or where --variant names it.

    Example: cadencia report abandonment --campaign mora30 --from 2026-11-01 --to 2026-11-30 --variant tsr
    """
    today = local_day(SystemClock().now())
    end = local_date(last) if last else today
    begin = local_date(first) if first else end - timedelta(_DAYS - 1)
    if begin > end:
        raise ConfigError(
            Words(f"{begin} is after {end}.", f"{begin} es posterior a {end}."),
            Words("Put the earlier day in --from.", "Ponga el día anterior en --from."),
        )
    if (fp_share is None) != (not fp_source):
        raise ConfigError(
            Words(
                "An estimate of false positives needs its source.",
                "Una estimación de falsos positivos necesita su fuente.",
            ),
            Words("Give --fp-share and --fp-source together.", "Dé --fp-share y --fp-source juntos."),
        )
    if file is not None:
        verify_writable(file)
    estimate = Estimate(fp_share / 100.0, fp_source) if fp_share is not None else None
    known = load_site(site).profiles
    rows = asyncio.run(_rows(config, campaign, known, begin, end, _OF[variant], estimate))
    broken = [r for r in rows if r.kept is False and (r.binding or (r.applies and variant is not Wanted.ALL))]
    shown = tuple(dict.fromkeys(r.variant for r in rows))
    if file is not None:
        write_whole(file, _csv(rows))
    if as_json:
        tell_json(
            {
                "from": begin,
                "to": end,
                "kept": not broken,
                "false_positives": {"share": estimate.share, "source": estimate.source} if estimate else None,
                "methods": {
                    v.value: {"formula": spoken(METHODS[v].formula, language()), "citation": METHODS[v].citation}
                    for v in shown
                },
                "rows": [_flat(r) for r in rows],
            }
        )
    else:
        _tell(rows, shown, begin, end, estimate)
    if broken:
        raise typer.Exit(1)


async def _rows(
    config: Path | None,
    wanted: str,
    known: Mapping[str, Profile],
    begin: date,
    end: date,
    variants: Iterable[Variant],
    estimate: Estimate | None,
) -> list[Line]:
    rows: list[Line] = []
    days: list[dict[date, Tally]] = []
    asked: list[Terms] = []
    async with opened_store(config) as store:
        campaigns = [c for c in await store.campaigns() if not wanted or c.id == wanted]
        if wanted and not campaigns:
            raise no_campaign(wanted)
        for one in campaigns:
            term = terms(_profiles(one, known))
            began = local_day(one.created_at)
            since = midnight(needed_from(begin, end, began)) - _SLACK
            found: dict[date, Tally] = {}
            async for page in _calls(store, one.id, since, midnight(end + timedelta(1))):
                by_day(page, term, days=found)
            for variant in variants:
                rows += lines(one.id, found, variant, term, begin, end, began, estimate)
            days.append(found)
            asked.append(term)
    if not wanted and len(days) > 1:
        whole = centre(days)
        for variant in variants:
            if variant in _ESTIMATED:
                rows += lines(CENTRE, whole, variant, _together(asked), begin, end, begin, estimate)
    return rows


def _together(asked: list[Terms]) -> Terms:
    """What holds for the call centre: the strictest of its campaigns."""
    return Terms(
        min(t.cap for t in asked),
        min(t.connect_within_s for t in asked),
        max(t.min_ring_s for t in asked),
        frozenset[Variant]().union(*(t.binding for t in asked)),
        max(t.retention_days for t in asked),
    )


async def _calls(
    store: Store, campaign_id: str, since: datetime, until: datetime
) -> AsyncIterator[tuple[Dialled, ...]]:
    """Page by page: a month of a large floor does not fit into memory."""
    after: tuple[datetime, str] | None = None
    while page := await store.answers(campaign_id, since, until, after):
        yield page
        after = page[-1].leased_at, page[-1].attempt_id


def _profiles(campaign: Campaign, known: Mapping[str, Profile]) -> list[Profile]:
    missing = [name for name in campaign.settings.profiles if name not in known]
    if missing:
        raise ConfigError(
            Words(
                f"Campaign {campaign.id} names the profile {missing[0]}, which is not there.",
                f"La campaña {campaign.id} nombra el perfil {missing[0]}, que no existe.",
            ),
            Words("Name the folder of the site's profiles: --site", "Nombre la carpeta de perfiles: --site"),
        )
    return [known[name] for name in campaign.settings.profiles]


# -- telling -----------------------------------------------------------------------------------------------------------
def _flat(r: Line) -> dict[str, Any]:
    t, result = r.tally, r.result
    return {
        "campaign": r.campaign,
        "variant": r.variant.value,
        "span": r.span.value,
        "first": r.first,
        "last": r.last,
        "dialled": t.dialled,
        "answers": t.answers,
        "denominator": round(result.of, 3),
        "abandoned": round(result.abandoned, 3),
        "share": round(result.share, 6),
        "upper_95": round(result.upper, 6),
        "cap": r.cap,
        "kept": r.kept,
        "binding": r.binding,
        "estimate_complete": result.complete,
        "unattended": t.unattended,
        "let_go": t.let_go,
        "late": t.late,
        "passed": t.passed,
        "machines": t.machines,
        "detected": t.detected,
        "undisposed": t.undisposed,
        "messages": t.messages,
        "connect_within_s": r.asked.connect_within_s,
        **{f"wait_p{n}_s": _s(percentile(t.waits_s, n / 100)) for n in (50, 95, 99)},
        "wait_longest_s": _s(percentile(t.waits_s, 1.0)),
        "unanswered": t.unanswered,
        "unanswered_rang": t.rang,
        "unanswered_rang_long": t.rang_long,
        "min_ring_s": r.asked.min_ring_s,
        "retention_days": r.asked.retention_days,
    }


def _s(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _csv(rows: list[Line]) -> str:
    text = io.StringIO()
    names = list(_flat(rows[0])) if rows else ["campaign"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(r) for r in rows)
    return text.getvalue()


def _tell(rows: list[Line], shown: tuple[Variant, ...], begin: date, end: date, estimate: Estimate | None) -> None:
    if not rows:
        typer.echo(say(f"No hay campañas entre {begin} y {end}.", f"There are no campaigns from {begin} to {end}."))
        return
    console = Console(width=None if Console().is_terminal else 200)
    for variant in shown:
        table = Table(title=f"{variant.value}: {METHODS[variant].citation}", title_justify="left")
        table.add_column(say("Campaña", "Campaign"))
        table.add_column(say("Días", "Days"))
        for es, en in (
            ("Base", "Of") if variant in _ESTIMATED else ("Contestadas", "Live answers"),
            ("Abandonadas", "Abandoned"),
            ("Tasa", "Rate"),
            ("Hasta (95 %)", "Up to (95 %)"),
            ("Tope", "Cap"),
            ("Espera p50/p95/máx s", "Wait p50/p95/max s"),
            ("Mensajes", "Messages"),
            ("Timbre largo", "Rang long"),
        ):
            table.add_column(say(es, en), justify="right")
        table.add_column("")
        for r in rows:
            if r.variant is variant:
                table.add_row(*_cells(r))
        console.print(table)
    typer.echo("")
    for variant in shown:
        typer.echo(f"{variant.value}: {spoken(METHODS[variant].formula, language())}. {METHODS[variant].citation}.")
    _notes(rows, estimate)


def _cells(r: Line) -> tuple[str, ...]:
    t, result = r.tally, r.result
    waits = "/".join("-" if w is None else f"{w:.1f}" for w in (percentile(t.waits_s, p) for p in (0.5, 0.95, 1.0)))
    rang = "-" if r.rang_share is None else f"{r.rang_share:.1%} ({t.rang})"
    return (
        say("toda la central", "call centre") if r.campaign == CENTRE else r.campaign,
        str(r.first) if r.first == r.last else f"{r.first} - {r.last}",
        f"{result.of:g}" if result.of == int(result.of) else f"{result.of:.1f}",
        f"{result.abandoned:g}" if result.abandoned == int(result.abandoned) else f"{result.abandoned:.1f}",
        f"{result.share:.2%}",
        f"{result.upper:.2%}",
        f"{r.cap:.1%}",
        waits,
        str(t.messages),
        rang,
        _verdict(r),
    )


def _verdict(r: Line) -> str:
    if r.kept is None:
        return "" if r.result.complete else say("falta la estimación", "estimate missing")
    word = say("cumplido", "kept") if r.kept else say("SUPERADO", "BROKEN")
    return word if r.binding else f"({word})"


def _notes(rows: list[Line], estimate: Estimate | None) -> None:
    asked = rows[0].asked
    notes = [
        say(
            "Entre paréntesis: ningún perfil de la campaña pide esa forma de contar. «Hasta»: límite superior exacto "
            "(Clopper-Pearson, un lado).",
            "In brackets: no profile of the campaign asks for that way of counting. 'Up to': exact upper bound "
            "(Clopper-Pearson, one-sided).",
        ),
        say(
            "La espera se cuenta desde la respuesta: el fin del saludo no se conoce, y contar desde antes es más "
            "estricto. "
            "«Timbre largo»: de las no contestadas que se sabe que timbraron, las que timbraron el mínimo.",
            "The wait counts from the answer: the end of the greeting is not known, and to count from earlier is the "
            "stricter way. 'Rang long': of the unanswered known to have rung, those that rang the minimum.",
        ),
    ]
    for limit, ring in sorted({(r.asked.connect_within_s, r.asked.min_ring_s) for r in rows}):
        notes.append(
            say(f"Límite {limit:g} s; timbre mínimo {ring:g} s.", f"Limit {limit:g} s; ring at least {ring:g} s.")
        )
    if estimate is not None:
        told = f"{estimate.share:.2%} ({estimate.source})"
        notes.append(say(f"Falsos positivos: {told}.", f"False positives: {told}."))
    elif not all(r.result.complete for r in rows):
        notes.append(
            say(
                "Trabajó un detector de máquinas: dé --fp-share y --fp-source; sin eso la tasa es un mínimo.",
                "A machine detector was at work: give --fp-share and --fp-source; without, the rate is a minimum.",
            )
        )
    kept = max((r.asked.retention_days for r in rows), default=asked.retention_days)
    notes.append(
        say(
            f"Conserve estos registros: {kept} días según los perfiles."
            if kept
            else "Los perfiles no conocen plazo de conservación; la TSR pide 5 años [?].",
            f"Keep these records: {kept} days by the profiles."
            if kept
            else "The profiles know no term of retention; the TSR asks for 5 years [?].",
        )
    )
    for note in notes:
        typer.echo(note)
