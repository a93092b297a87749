"""`cadencia user`: who may sign in."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.text import say
from cadencia.clock import SystemClock
from cadencia.config import load
from cadencia.domain.access import User, UserRole
from cadencia.domain.agents import Agent
from cadencia.errors import ConfigError, Words
from cadencia.store.port import Store
from cadencia.store.refusals import no_user
from cadencia.web.signin import hash_password, issue_once, issue_token

app = typer.Typer(help="People and programs that may sign in.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="Sign-in name.")]


class Tongue(StrEnum):
    ES = "es"
    EN = "en"


@app.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name, as the pages show it.")],
    role: Annotated[UserRole, typer.Option(help="What the person may do.")] = UserRole.AGENT,
    endpoint: Annotated[str, typer.Option(help="An agent's telephone on the switch, for example a1001.")] = "",
    skills: Annotated[str, typer.Option(help="An agent's skills, separated by commas.")] = "",
    language: Annotated[Tongue, typer.Option(help="Language of the pages.")] = Tongue.ES,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password now.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Create or change a user, and print a link that signs in once.

    Example: cadencia user add ana --name "Ana Gómez" --endpoint a1001
    """
    if role is UserRole.AGENT and not endpoint:
        raise ConfigError(
            Words("An agent needs a telephone.", "Un agente necesita un teléfono."),
            Words("Add --endpoint with its name on the switch.", "Agregue --endpoint con su nombre en el conmutador."),
        )
    secret = ""
    if password:
        asked = say("Contraseña", "Password")
        secret = hash_password(typer.prompt(asked, hide_input=True, confirmation_prompt=True))
    parts = frozenset(filter(None, (skill.strip() for skill in skills.split(","))))
    agent = Agent(login, name, endpoint, parts) if endpoint else None

    async def work() -> str:
        async with opened_store(config) as store:
            if agent is not None:
                await store.save_agent(agent)
            agent_id, known = agent.id if agent else None, await store.user(login)
            kept = secret or (known.password_hash if known is not None else "")
            user = await store.save_user(
                login, name, role, agent_id=agent_id, password_hash=kept, language=str(language)
            )
            return await _link(store, user, config)

    _tell(as_json, login, "link", asyncio.run(work()))


@app.command()
def link(login: Login, config: Config = None, as_json: AsJson = False) -> None:
    """Print a new link that signs this user in once (good for 15 minutes).

    Example: cadencia user link ana
    """

    async def work() -> str:
        async with opened_store(config) as store:
            return await _link(store, await _known(store, login), config)

    _tell(as_json, login, "link", asyncio.run(work()))


@app.command()
def token(login: Login, config: Config = None, as_json: AsJson = False) -> None:
    """Print a new API token for this user; it is shown only now.

    Example: cadencia user token wallboard
    """

    async def work() -> str:
        async with opened_store(config) as store:
            return await issue_token(store, await _known(store, login), SystemClock())

    _tell(as_json, login, "token", asyncio.run(work()))


async def _known(store: Store, login: str) -> User:
    user = await store.user(login)
    if user is None:
        raise no_user(login)
    return user


async def _link(store: Store, user: User, config: Path | None) -> str:
    web = load(config).web
    return await issue_once(store, user, SystemClock(), web.base_url or f"http://{web.host}:{web.port}")


def _tell(as_json: bool, login: str, what: str, value: str) -> None:
    if as_json:
        tell_json({"login": login, what: value})
    else:
        typer.echo(value)
