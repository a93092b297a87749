"""`cadencia user`: who may sign in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.opening import opened_store
from cadencia.clock import SystemClock
from cadencia.config import load
from cadencia.domain.access import UserRole
from cadencia.domain.agents import Agent
from cadencia.errors import ConfigError, Refused
from cadencia.web.signin import hash_password, issue_once, issue_token

app = typer.Typer(help="People and programs that may sign in.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings file.")]
Login = Annotated[str, typer.Argument(help="Sign-in name.")]


@app.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name, as the pages show it.")],
    role: Annotated[UserRole, typer.Option(help="What the person may do.")] = UserRole.AGENT,
    endpoint: Annotated[str, typer.Option(help="An agent's telephone on the switch, for example a1001.")] = "",
    skills: Annotated[str, typer.Option(help="An agent's skills, separated by commas.")] = "",
    language: Annotated[str, typer.Option(help="es or en.")] = "es",
    password: Annotated[bool, typer.Option("--password", help="Ask for a password now.")] = False,
    config: Config = None,
) -> None:
    """Create or change a user, and print a link that signs in once.

    Example: cadencia user add ana --name "Ana Gómez" --endpoint a1001
    """
    if role is UserRole.AGENT and not endpoint:
        raise ConfigError("An agent needs a telephone.", "Add --endpoint with its name on the switch.")
    secret = hash_password(typer.prompt("Password", hide_input=True, confirmation_prompt=True)) if password else ""
    agent = Agent(login, name, endpoint, frozenset(filter(None, skills.split(",")))) if endpoint else None
    asyncio.run(_add(config, login, name, role, agent, secret, language))


async def _add(
    config: Path | None, login: str, name: str, role: UserRole, agent: Agent | None, secret: str, language: str
) -> None:
    async with opened_store(config) as store:
        if agent is not None:
            await store.save_agent(agent)
        agent_id = agent.id if agent else None
        user = await store.save_user(login, name, role, agent_id=agent_id, password_hash=secret, language=language)
        web = load(config).web
        typer.echo(await issue_once(store, user, SystemClock(), web.base_url or f"http://{web.host}:{web.port}"))


@app.command()
def link(login: Login, config: Config = None) -> None:
    """Print a new link that signs this user in once (good for 15 minutes).

    Example: cadencia user link ana
    """

    async def work() -> None:
        async with opened_store(config) as store:
            user = await store.user(login)
            if user is None:
                raise Refused(f"There is no user {login!r}.", "Create it with: cadencia user add.")
            web = load(config).web
            typer.echo(await issue_once(store, user, SystemClock(), web.base_url or f"http://{web.host}:{web.port}"))

    asyncio.run(work())


@app.command()
def token(login: Login, config: Config = None) -> None:
    """Print a new API token for this user; it is shown only now.

    Example: cadencia user token wallboard
    """

    async def work() -> None:
        async with opened_store(config) as store:
            user = await store.user(login)
            if user is None:
                raise Refused(f"There is no user {login!r}.", "Create it with: cadencia user add.")
            typer.echo(await issue_token(store, user, SystemClock()))

    asyncio.run(work())
