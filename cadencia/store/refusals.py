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


def no_document() -> Refused:
    """Nobody has that document; which one is not repeated, for it is personal data."""
    return Refused(
        Words("No person has that document.", "Ninguna persona tiene ese documento."),
        Words(
            "Write type and number without dots, as in CC-1020304050.",
            "Escriba tipo y número sin puntos, como en CC-1020304050.",
        ),
    )


def not_on_list(campaign_id: str) -> Refused:
    """The person is not among the campaign's contacts."""
    return Refused(
        Words(
            f"The person is not on the list of campaign {campaign_id}.",
            f"La persona no está en la lista de la campaña {campaign_id}.",
        ),
        Words(
            "Name the campaign whose list holds the person, or import the portfolio first.",
            "Nombre la campaña en cuya lista está, o importe primero la cartera.",
        ),
    )


def key_taken() -> Refused:
    """A caller's key stands for another contact."""
    return Refused(
        Words("This key was used for another contact.", "Esta clave ya se usó para otro contacto."),
        Words(
            "Give each message a key of its own, and repeat it only for the same one.",
            "Dé a cada mensaje una clave propia y repítala solo para el mismo.",
        ),
    )


def no_code() -> Refused:
    """Evidence holds nothing of a person, and the code is sealed into it."""
    return Refused(
        Words("That is no code of a contact.", "Ese no es un código de contacto."),
        Words(
            "Up to 20 letters, digits, dots, hyphens and low lines: a disposition's code, or your sender's own.",
            "Hasta 20 letras, cifras, puntos, guiones y guiones bajos: una tipificación, o un código propio.",
        ),
    )


def no_such_contact() -> Refused:
    """Nothing was reserved under that id."""
    return Refused(
        Words("No contact was reserved under that id.", "No hay ningún contacto reservado con ese identificador."),
        Words(
            "Give the id that the reservation answered; a contact that was denied has no outcome.",
            "Dé el id que respondió la reserva; un contacto negado no tiene resultado.",
        ),
    )


def no_request(request_id: int) -> Refused:
    """There is no such request, or this cannot be done with it any more."""
    return Refused(
        Words(
            f"There is no open request {request_id}, or its term was extended before.",
            f"No hay una solicitud abierta {request_id}, o su plazo ya se amplió.",
        ),
        Words("See: cadencia request list --all.", "Vea: cadencia request list --all."),
    )


def no_obligation() -> Refused:
    """Nobody owes that; which one is not repeated, for it is personal data."""
    return Refused(
        Words("There is no such obligation of that creditor.", "No existe esa obligación de ese acreedor."),
        Words("Import the portfolio first.", "Importe primero la cartera."),
    )


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


def no_such_person(told: str) -> Refused:
    """Nobody is meant by what was typed; which is not repeated, it may be a document number."""
    del told
    return Refused(
        Words("There is no such person.", "No existe esa persona."),
        Words(
            'Name the person by surrogate, internal id, or document: "CC 12345".',
            'Nombre a la persona por seudónimo, identificador interno o documento: "CC 12345".',
        ),
    )


def already_erased() -> Refused:
    """The person was erased before."""
    return Refused(Words("This person was erased already.", "Esta persona ya fue borrada."))


def under_hold() -> Refused:
    """A legal hold stands."""
    return Refused(
        Words("A legal hold stands on this person.", "Hay una retención legal sobre esta persona."),
        Words("Lift it first: cadencia evidence hold PERSON --lift", "Levántela antes: cadencia evidence hold --lift"),
    )


def held_already() -> Refused:
    """One hold at a time."""
    return Refused(Words("A legal hold stands already.", "Ya hay una retención legal."))


def not_held() -> Refused:
    """There is nothing to lift."""
    return Refused(Words("No legal hold stands on this person.", "No hay retención legal sobre esta persona."))


def still_open() -> Refused:
    """A call with the person goes on, or waits for its disposition."""
    return Refused(
        Words("An attempt on this person is open.", "Hay un intento abierto con esta persona."),
        Words("Try again when the call has its disposition.", "Intente de nuevo cuando la llamada esté tipificada."),
    )


def not_sealed_yet() -> Refused:
    """Erasing now would tear the person's evidence apart."""
    return Refused(
        Words(
            "Something about this person is not in evidence yet.", "Algo de esta persona aún no está en la evidencia."
        ),
        Words(
            "The engine seals every second: start it, and try again.",
            "El motor sella cada segundo: arránquelo e intente de nuevo.",
        ),
    )


def not_the_oldest() -> Refused:
    """Chains end in the order they began."""
    return Refused(
        Words(
            "This chain is open, has no rows any more, or an older one still has.",
            "Esta cadena está abierta, ya no tiene filas, o una anterior aún las tiene.",
        )
    )


def held_rows() -> Refused:
    """Rows of a chain are about somebody under hold."""
    return Refused(
        Words(
            "This chain holds rows of a person under legal hold.",
            "Esta cadena tiene filas de una persona bajo retención legal.",
        )
    )


def telling_reason() -> Refused:
    """The reason of an erasure may hold nothing of the person."""
    return Refused(
        Words(
            "The reason is kept for ever: it may not name the person or hold a long number.",
            "El motivo se guarda para siempre: no puede nombrar a la persona ni tener un número largo.",
        ),
        Words(
            "Give the number of the request, for example: PQR 2026-114", "Dé el número de la solicitud: PQR 2026-114"
        ),
    )


def no_profile_version(profile_id: str, version: int) -> Refused:
    """There is no such version of that profile."""
    return Refused(
        Words(
            f"There is no version {version} of the profile {profile_id}.",
            f"No existe la versión {version} del perfil {profile_id}.",
        ),
        Words("See: cadencia profile history ID.", "Vea: cadencia profile history ID."),
    )


def profile_not_newer(profile_id: str, version: int, newest: int) -> Refused:
    """Its number was used, or is below one that was."""
    return Refused(
        Words(
            f"Version {version} of {profile_id} is not newer than version {newest}, which is known.",
            f"La versión {version} de {profile_id} no es más nueva que la {newest}, que ya se conoce.",
        ),
        Words(f"Write version = {newest + 1}.", f"Escriba version = {newest + 1}."),
    )


def profile_decided(profile_id: str, version: int) -> Refused:
    """Somebody decided already."""
    return Refused(
        Words(
            f"Version {version} of {profile_id} is no proposal: somebody decided already.",
            f"La versión {version} de {profile_id} no es una propuesta: alguien ya decidió.",
        ),
        Words("See: cadencia profile history ID.", "Vea: cadencia profile history ID."),
    )


def profile_own_proposal() -> Refused:
    """Two persons are needed."""
    return Refused(
        Words(
            "Who proposed a change of the law's rules cannot approve it.",
            "Quien propuso un cambio de las reglas legales no puede aprobarlo.",
        ),
        Words(
            "Ask another person of compliance or administration to decide.",
            "Pida la decisión a otra persona de cumplimiento o administración.",
        ),
    )


def profile_overtaken(profile_id: str, version: int, active: int) -> Refused:
    """A newer one is in force."""
    return Refused(
        Words(
            f"Version {active} of {profile_id} is in force; version {version} is older.",
            f"Está vigente la versión {active} de {profile_id}; la {version} es anterior.",
        ),
        Words("Reject it; to go back, use rollback.", "Rechácela; para volver atrás, use rollback."),
    )


def no_reason() -> Refused:
    """Why has to be said."""
    return Refused(
        Words("A change of the law's rules needs a reason.", "Un cambio de las reglas legales necesita un motivo."),
        Words("Say why in one sentence.", "Diga por qué en una frase."),
    )
