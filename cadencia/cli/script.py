"""`cadencia script`: what agents and templates say, held against the profiles."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.options import AsJson, tell_json
from cadencia.cli.text import language, say
from cadencia.compliance.script import Finding, Kind, lint
from cadencia.compliance.stack import stack
from cadencia.config.profiles import load_site
from cadencia.config.tables import read_text
from cadencia.errors import ConfigError, Words, spoken

app = typer.Typer(help="Scripts and templates, held against the profiles.", no_args_is_help=True)

_KINDS = {
    Kind.QUESTION: Words("forbidden question", "pregunta prohibida"),
    Kind.PHRASE: Words("forbidden phrase", "frase prohibida"),
    Kind.MISSING: Words("missing", "falta"),
}


class Language(StrEnum):
    """Of what is told."""

    ES = "es"
    EN = "en"


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", readable=False, help="Texts in UTF-8.")],
    profile: Annotated[
        list[str] | None, typer.Option("--profile", metavar="ID", help="A profile that holds; may be repeated.")
    ] = None,
    lang: Annotated[
        Language | None, typer.Option("--lang", help="Language of what is told; the environment's.")
    ] = None,
    site: Annotated[
        Path | None, typer.Option(readable=False, help="Folder of the site's own profiles and dates.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find what a script must not ask or say, and what it leaves out. Ends with 1 if anything was found.

    Example: cadencia script check guion.txt --profile co-ley2300
    """
    known = load_site(site).profiles
    wanted = profile or []
    missing = [name for name in wanted if name not in known]
    if missing or not wanted:
        listed = ", ".join(sorted(known))
        raise ConfigError(
            Words(f"There is no profile {missing[0]!r}.", f"No hay un perfil {missing[0]!r}.")
            if missing
            else Words("Which profiles hold was not told.", "No se dijo qué perfiles rigen."),
            Words(f"Name one or more with --profile: {listed}.", f"Nombre uno o más con --profile: {listed}."),
        )
    held = stack(known[name] for name in dict.fromkeys(wanted))
    tongue = lang.value if lang is not None else language()
    found = {str(path): lint(read_text(path), held, tongue) for path in files}
    if as_json:
        tell_json(
            [
                {"file": name, "ok": not findings, "findings": [dataclasses.asdict(f) for f in findings]}
                for name, findings in found.items()
            ]
        )
    else:
        for name, findings in found.items():
            if not findings:
                typer.echo(f"{name}: {say('nada que corregir', 'nothing to mend')}")
            for finding in findings:
                typer.echo(_told(name, finding, tongue))
    if any(found.values()):
        raise typer.Exit(1)


def _told(name: str, f: Finding, tongue: str) -> str:
    place = f"{name}:{f.line}:{f.column}" if f.line else name
    said = f' "{" ".join(f.said.split())}"' if f.said else ""
    cited = f" ({f.citation})" if f.citation else ""
    return f"{place}: {spoken(_KINDS[f.kind], tongue)} {f.rule}{said}: {f.told}{cited}"
