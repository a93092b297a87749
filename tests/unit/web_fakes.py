"""A floor without an engine for the tests of the web: fourteen agents, one campaign, calls when a test wants one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from argon2 import PasswordHasher
from line_fakes import lines, traced

from cadencia.clock import Clock, SystemClock
from cadencia.compliance.judge import Judge
from cadencia.compliance.script import lint_note
from cadencia.config.profiles import builtin
from cadencia.dialer.campaign import policy_of
from cadencia.dialer.hub import Hub
from cadencia.dialer.people import People
from cadencia.dialer.present import note_view, script_view
from cadencia.dialer.settings import changed_settings
from cadencia.dialer.views import (
    AbandonmentView,
    AgentRow,
    AgentView,
    BrowserTelephoneView,
    CallRow,
    CallView,
    CampaignView,
    FloorView,
    NoteView,
    ObligationView,
    PastContactView,
    PopView,
    TelephonyView,
)
from cadencia.dialer.whatif import WhatIf
from cadencia.domain.access import User, UserRole
from cadencia.domain.codes import DISPOSITIONS
from cadencia.domain.dialing import CampaignSettings, Mode, Promise
from cadencia.errors import Refused
from cadencia.pacing.budget import Count
from cadencia.pacing.change import Answer, Figures, Question, Terms
from cadencia.pacing.learned import Learned
from cadencia.pacing.whatif import Figure
from cadencia.store.memory import MemoryStore
from cadencia.web.asking import Asker
from cadencia.web.errors import WebError

PASSWORD = "una clave larga"
#: Cheap parameters: the tests are not about how long argon2 takes.
_HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)

NAMES = (
    "Ana Lucía Rojas", "Brayan Castro", "Camila Duarte", "Diego Mejía", "Esteban Quintero", "Fernanda Ospina",
    "Gloria Cárdenas", "Hernán Villa", "Isabel Peña", "Julián Torres", "Karen Bedoya", "Luis Fernando Gil",
    "Manuela Ríos", "Natalia Suárez",
)  # fmt: skip
_STATES = (
    "talking", "talking", "ready", "talking", "wrapup", "talking", "paused", "talking", "reserved", "talking",
    "connecting", "talking", "out", "wrapup",
)  # fmt: skip

AMOUNTS = (
    ObligationView(1, "Tarjeta de crédito", "Banco Andino", "····4471", "titular", 96, "2026-08-20",
                   1_234_567_00, 418_900_00, "COP"),
    ObligationView(2, "Libre inversión", "Banco Andino", "····0092", "titular", 41, "2026-10-14",
                   8_950_000_00, 612_340_00, "COP"),
    ObligationView(3, "Plan telefonía", "Móvil del Valle", "····7715", "codeudor", 12, "2026-11-12",
                   184_300_00, 92_150_00, "COP"),
)  # fmt: skip


#: An answer to any what-if: waits 9 to 7 s, abandonment 1.1 to 1.9 %.
ANSWER = Answer(
    Figures(Figure(0.82, 0.02), Figure(9.0, 0.9), Figure(24.0, 3.0), Figure(0.011, 0.006), Figure(4.5, 0.2)),
    Figures(Figure(0.84, 0.02), Figure(7.0, 0.8), Figure(19.0, 2.4), Figure(0.019, 0.007), Figure(4.6, 0.2)),
    Figures(Figure(0.02, 0.01), Figure(-2.0, 0.5), Figure(-5.0, 2.0), Figure(0.008, 0.009), Figure(0.1, 0.1)),
    4, 1.0, 0.25, True,
)  # fmt: skip


class QuickAsker(Asker):
    """Answers at once, without a process; or fails, if told so."""

    def __init__(self, error: WebError | None = None) -> None:
        super().__init__()
        self.error = error
        self.questions: list[Question] = []

    async def ask(self, question: Question) -> Answer:
        self.questions.append(question)
        if self.error is not None:
            raise self.error
        return ANSWER


STACK = Judge(builtin()).stack(CampaignSettings())
SCRIPT = script_view(STACK)


def hidden(obligations: tuple[ObligationView, ...]) -> tuple[ObligationView, ...]:
    return tuple(
        ObligationView(o.id, o.product, o.creditor, o.number, o.role, o.days_past_due, o.due_date) for o in obligations
    )


class FakeDesk:
    """Answers the desk's port from a dictionary of agents; nothing dials."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.hub = Hub()
        self.ledgers = MemoryStore()
        self.people = People(self.ledgers, Judge(builtin()))
        self.clock: Clock = clock or SystemClock()
        self.asked: list[tuple[Any, ...]] = []
        self.wss = ""  # where browsers are telephones
        self.servers_down: tuple[str, ...] = ()
        self.well = {"switch": True, "store": True, "leader": True}
        now = self.clock.now()
        self.agents = {f"a{n:02}": self._agent(n, name, now) for n, name in enumerate(NAMES, 1)}
        self.agents["a01"] = msgspec.structs.replace(self.agents["a01"], state="out", phone_up=False, reason="")
        self.campaign = _campaign()

    def _agent(self, n: int, name: str, now: datetime) -> AgentView:
        state = _STATES[n - 1]
        return AgentView(
            id=f"a{n:02}", name=name, endpoint=f"a10{n:02}", state=state, since=now - timedelta(seconds=23 * n % 200),
            reason={"paused": "almuerzo"}.get(state, ""), phone_up=state not in ("out", "connecting"), pop=None,
            wrapup_until=None, next_pause=None, calls=9 + n * 7 % 11, talk_s=1350.0 + 83 * n,
        )  # fmt: skip

    # -- what a test does to an agent ---------------------------------------------------------------------------------
    def set(self, agent_id: str, **changes: Any) -> None:
        held = self.agents[agent_id]
        if "state" in changes:
            changes.setdefault("since", self.clock.now())
        self.agents[agent_id] = msgspec.structs.replace(held, **changes)
        self.publish(agent_id)

    def publish(self, agent_id: str) -> None:
        self.hub.publish(f"agent/{agent_id}", msgspec.json.encode(self.agents[agent_id]))
        self.hub.publish("floor", msgspec.json.encode(self.floor()))

    def call(self, agent_id: str, attempt_id: str = "k-1") -> None:
        pop = self._pop(attempt_id, self.clock.now())
        self.set(
            agent_id, state="talking", reason="", pop=pop, preview_until=None, calls=self.agents[agent_id].calls + 1
        )

    def preview(self, agent_id: str, attempt_id: str = "k-1", seconds: float = 20.0, **changes: Any) -> None:
        until = self.clock.now() + timedelta(seconds=seconds)
        pop = self._pop(attempt_id, None)
        self.set(agent_id, state="preview", reason="", pop=pop, preview_until=until, hanging_up=False, **changes)

    def _pop(self, attempt_id: str, answered_at: datetime | None) -> PopView:
        now = self.clock.now()
        history = (
            PastContactView(now - timedelta(days=3, hours=2), "NOA", None, None, ""),
            PastContactView(now - timedelta(days=9), "CON", "PPP", "Camila Duarte", "Promete abono el día de pago."),
            PastContactView(now - timedelta(days=15), "CON", "TMS", "Diego Mejía", "Mensaje con la hermana."),
        )
        return PopView(
            attempt_id, "andino-90", "Andino mora 31–120", "María Fernanda Gutiérrez Londoño", "Medellín", "es",
            "CC ···739" if attempt_id.endswith("-next") else "CC ···482", "+57 ··· ··· 4567", hidden(AMOUNTS),
            history, False, answered_at, SCRIPT,
        )  # fmt: skip

    # -- the port -----------------------------------------------------------------------------------------------------
    def agent(self, agent_id: str) -> AgentView:
        return self.agents[agent_id]

    async def sign_in(self, agent_id: str) -> None:
        self.asked.append(("sign_in", agent_id))
        self.set(agent_id, state="paused", reason="inicio", phone_up=True)

    async def ready(self, agent_id: str) -> None:
        self.asked.append(("ready", agent_id))
        held = self.agents[agent_id]
        if held.state == "out":
            raise Refused("El agente no ha iniciado turno.", "Inicie turno primero.")
        if held.pop is not None:
            self.set(agent_id, next_pause=None)
        else:
            self.set(agent_id, state="ready", reason="")

    async def pause(self, agent_id: str, reason: str) -> None:
        self.asked.append(("pause", agent_id, reason))
        held = self.agents[agent_id]
        if held.pop is not None and held.state != "preview":
            self.set(agent_id, next_pause=reason)
        else:
            self.set(agent_id, state="paused", reason=reason, pop=None, preview_until=None)

    async def sign_out(self, agent_id: str) -> None:
        self.asked.append(("sign_out", agent_id))
        if self.agents[agent_id].pop is not None:
            raise Refused("No se puede salir durante una llamada.", "Finalice la llamada y tipifique.")
        self.set(agent_id, state="out", reason="", phone_up=False)

    async def dial(self, agent_id: str, attempt_id: str) -> None:
        self.asked.append(("dial", agent_id, attempt_id))
        self._own(agent_id, attempt_id)
        self.set(agent_id, state="reserved", preview_until=None, came_of="")

    async def skip(self, agent_id: str, attempt_id: str, reason: str) -> None:
        self.asked.append(("skip", agent_id, attempt_id, reason))
        self._own(agent_id, attempt_id)
        self.preview(agent_id, attempt_id + "-next")

    async def finish(self, agent_id: str, attempt_id: str) -> None:
        self.asked.append(("finish", agent_id, attempt_id))
        pop = self._own(agent_id, attempt_id)
        if pop.answered_at is None:
            self.set(agent_id, hanging_up=True)
            return
        self.set(agent_id, state="wrapup", wrapup_until=self.clock.now() + timedelta(seconds=45))

    async def confirm(self, agent_id: str, attempt_id: str) -> tuple[ObligationView, ...]:
        self.asked.append(("confirm", agent_id, attempt_id))
        pop = self._own(agent_id, attempt_id)
        self.set(agent_id, pop=msgspec.structs.replace(pop, confirmed=True, obligations=AMOUNTS))
        return AMOUNTS

    async def dispose(
        self,
        agent_id: str,
        attempt_id: str,
        code: str,
        note: str,
        promise: Promise | None,
        callback_at: datetime | None,
    ) -> None:
        self.asked.append(("dispose", agent_id, attempt_id, code, note, promise, callback_at))
        held = self.agents[agent_id]
        if code not in DISPOSITIONS:
            raise Refused("Esa tipificación no existe.", "Elija una de la lista.")
        if attempt_id in held.overdue:
            self.set(agent_id, overdue=tuple(a for a in held.overdue if a != attempt_id))
            return
        self._own(agent_id, attempt_id)
        if held.state == "wrapup":
            state, reason = ("paused", held.next_pause) if held.next_pause else ("ready", "")
            self.set(agent_id, state=state, reason=reason, pop=None, wrapup_until=None, next_pause=None)

    def _own(self, agent_id: str, attempt_id: str) -> PopView:
        pop = self.agents[agent_id].pop
        if pop is None or pop.attempt_id != attempt_id:
            raise Refused("Esa llamada ya terminó.", "Recargue la página.")
        return pop

    def check_note(self, agent_id: str, attempt_id: str, note: str, language: str) -> NoteView:
        self._own(agent_id, attempt_id)
        return note_view(note, lint_note(note, STACK, language))

    def browser_telephone(self, agent_id: str) -> BrowserTelephoneView:
        held = self.agents[agent_id]
        if held.telephone != "browser":
            raise Refused(f"El teléfono {held.endpoint} no está en el navegador.", "Use el de mesa.")
        return BrowserTelephoneView(
            f"sip:{held.endpoint}@pbx.test", held.endpoint, f"clave-de-{held.endpoint}", self.wss, "pbx.test"
        )

    async def call_telephone(self, agent_id: str) -> None:
        self.browser_telephone(agent_id)
        self.asked.append(("call_telephone", agent_id))

    def browser_addresses(self) -> tuple[str, ...]:
        return (self.wss,) if self.wss else ()

    def floor(self) -> FloorView:
        now = self.clock.now()
        rows = tuple(
            AgentRow(a.id, a.name, a.state, a.since, a.reason, a.phone_up, "andino-90", a.calls, a.talk_s)
            for a in self.agents.values()
        )
        talking = [("talking", row.since, row.id) for row in rows if row.state == "talking"]
        early = [("ringing", now - timedelta(seconds=3 * n + 1), None) for n in range(self.campaign.dialling)]
        calls = tuple(
            CallRow(f"c-{n}", "andino-90", state, since, agent)
            for n, (state, since, agent) in enumerate([("waiting", now - timedelta(seconds=1), None), *early, *talking])
        )
        return FloorView(
            at=now, simulated=self.clock.simulated, speed=self.clock.speed, switch_up=self.well["switch"],
            store_up=self.well["store"], campaigns=(self.campaign,), agents=rows, calls=calls,
            servers_down=self.servers_down,
        )  # fmt: skip

    async def start_campaign(self, campaign_id: str, by: str, reason: str) -> None:
        self._steer("start", campaign_id, by, reason, state="running")

    async def pause_campaign(self, campaign_id: str, by: str, reason: str) -> None:
        self._steer("pause", campaign_id, by, reason, state="paused")

    async def stop_campaign(self, campaign_id: str, by: str, reason: str) -> None:
        self._steer("stop", campaign_id, by, reason, state="stopped")

    async def set_campaign(self, campaign_id: str, changes: dict[str, Any], by: str, reason: str) -> None:
        if set(changes) - {"mode", "ratio", "abandonment_cap"}:
            raise Refused("Ese ajuste no existe.", "Revise los nombres.")
        self._steer("set", campaign_id, by, reason, **changes)

    def what_if(self, campaign_id: str, changes: dict[str, Any], agents: int | None = None) -> WhatIf:
        if campaign_id != self.campaign.id:
            raise Refused("No existe esa campaña.", "Revise el identificador.")
        self.asked.append(("what_if", campaign_id, changes, agents))
        shown = self.campaign
        present = CampaignSettings(Mode(shown.mode), shown.ratio, abandonment_target=shown.abandonment_target)
        settings = [present, changed_settings(present, changes)]
        now, then = (
            Terms(policy_of(s), agents or 12, s.abandonment_cap, s.abandonment_target, s.wait_s, s.ring_s, s.min_ring_s)
            for s in settings
        )
        question = Question(now, then, Learned().export(), 30, 50.0, Count(463, 7), Count(8421, 185))
        return WhatIf(question, tuple(name for name in changes if name == "caller_id"))

    def _steer(self, what: str, campaign_id: str, by: str, reason: str, **changes: Any) -> None:
        if campaign_id != self.campaign.id:
            raise Refused("No existe esa campaña.", "Revise el identificador.")
        self.asked.append((what, campaign_id, by, reason, changes))
        self.campaign = msgspec.structs.replace(self.campaign, **changes)
        self.hub.publish("floor", msgspec.json.encode(self.floor()))

    def telephony(self) -> TelephonyView:
        return lines(self.clock.now())

    async def timeline(self, attempt_id: str) -> CallView | None:
        return traced(attempt_id, self.clock.now()) if attempt_id.startswith(("c-", "k-")) else None

    def health(self) -> dict[str, bool]:
        return dict(self.well)


def _campaign() -> CampaignView:
    return CampaignView(
        id="andino-90", name="Andino mora 31–120", state="running", mode="ratio", ratio=1.4, abandonment_cap=0.03,
        ring_s=25, wait_s=2, wrapup_s=45, reason="launching", dialling=7, waiting=1, talking=6, attempts=1842,
        answered_live=463, connected=452, abandoned=7, abandonment_rate=7 / 463, contacts=5200, contacts_touched=1615,
        contacts_closed=412,
        outcomes={"NOA": 742, "CON": 452, "CEL": 298, "OCU": 121, "AMD": 96, "FDS": 61, "RES": 34, "CST": 18, "CNG": 13,
                  "ABN": 7},
        denied={"BLQ-FRECUENCIA": 214, "BLQ-CONSENT": 87, "BLQ-HORARIO": 40, "BLQ-REFERENCIA": 12, "BLQ-EXCLUIDO": 9},
        abandonment_day=AbandonmentView(463, 7, 7 / 463, 0.0282),
        abandonment_month=AbandonmentView(8421, 185, 185 / 8421, 0.0248, 185 / 8421, 0.0196),
        budget_left=6.9,
        profiles=("co-ley2300",),
        lawful_left_s=15_720.0,
        lawful_until=datetime(2026, 11, 25, 0, 0, tzinfo=UTC),
    )  # fmt: skip


async def people(store: MemoryStore) -> dict[str, User]:
    """One user of each role (login = role), and a second agent."""
    made = {}
    for role in UserRole:
        agent_id = "a01" if role is UserRole.AGENT else None
        made[role.value] = await store.save_user(
            role.value, f"Persona {role.value}", role, agent_id=agent_id, password_hash=_HASH, language="es"
        )
    made["agent2"] = await store.save_user(
        "agent2", "Brayan Castro", UserRole.AGENT, agent_id="a02", password_hash=_HASH, language="en"
    )
    return made
