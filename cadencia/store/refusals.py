"""What both adapters of the store refuse, in the same words."""

from __future__ import annotations

from cadencia.errors import LeadershipLost, Refused, StoreError, Words


def no_campaign(campaign_id: str) -> Refused:
    """There is no campaign of that id."""
    return Refused(
        Words(f"There is no campaign {campaign_id}.", f"No existe la campaña {campaign_id}."),
        Words(
            "See: cadencia campaign list. Create it with: cadencia campaign create.",
            "Vea: cadencia campaign list. Créela con: cadencia campaign create.",
        ),
    )


def campaign_taken(campaign_id: str) -> Refused:
    """There is one already."""
    return Refused(
        Words(f"There is a campaign {campaign_id} already.", f"Ya existe una campaña {campaign_id}."),
        Words("Choose another id.", "Elija otro identificador."),
    )


def no_person(person_id: int) -> Refused:
    """There is no person of that id."""
    return Refused(Words(f"There is no person {person_id}.", f"No existe la persona {person_id}."))


def no_agent(agent_id: str) -> Refused:
    """There is no agent of that id."""
    return Refused(
        Words(f"There is no agent {agent_id}.", f"No existe el agente {agent_id}."),
        Words("Create it with: cadencia user add.", "Créelo con: cadencia user add."),
    )


def no_user(user: int | str) -> Refused:
    """There is no user of that id or login."""
    return Refused(
        Words(f"There is no user {user}.", f"No existe el usuario {user}."),
        Words("Create it with: cadencia user add.", "Créelo con: cadencia user add."),
    )


def no_attempt() -> Refused:
    """There is no such attempt."""
    return Refused(Words("There is no such attempt.", "No existe ese intento."))


def reached_no_agent() -> Refused:
    """Only a call that reached an agent gets a disposition."""
    return Refused(Words("This attempt reached no agent.", "Este intento no llegó a ningún agente."))


def of_another_agent() -> Refused:
    """The call was somebody else's."""
    return Refused(Words("This attempt is another agent's.", "Este intento es de otro agente."))


def another_leads(holder: str) -> StoreError:
    """An engine leads already."""
    return StoreError(
        Words("Another engine leads.", "Otro motor lleva el mando."),
        Words(f"It is {holder}: stop it first.", f"Es {holder}: deténgalo primero."),
    )


def lead_lost() -> LeadershipLost:
    """The fencing token is not the newest one."""
    return LeadershipLost(
        Words("Another engine leads now.", "Ahora otro motor lleva el mando."),
        Words("This engine must not dial any more: restart it.", "Este motor ya no debe marcar: reinícielo."),
    )
