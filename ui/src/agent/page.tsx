/** The agent's desktop: state on the left, the debtor in the middle, the disposition on the right. */

import { useEffect, useState } from "preact/hooks";
import { type Key, t } from "../i18n";
import { agent } from "../session";
import type { AgentView } from "../views";
import { Header, Notes, Offline } from "../ui";
import { DispositionPanel } from "./disposition";
import { sweepDrafts } from "./draft";
import { PopPanel } from "./pop";
import { ScriptCard } from "./script";
import { StatusPanel } from "./status";
import { SwitchNotice, TelephonePanel, TelephoneTag } from "./telephone";

const OUT_HINT: Record<AgentView["telephone"], Key> = {
  nailed: "idle.outHint",
  rung: "idle.outHintRung",
  browser: "idle.outHintBrowser",
};

function Idle({ view }: { view: AgentView }) {
  const ready = view.state === "ready" || view.state === "reserved";
  return (
    <section class={`card idle ${ready ? "idle-ready" : ""}`}>
      <div class="idle-waves" aria-hidden="true">
        <i />
        <i />
        <i />
        <i />
        <i />
      </div>
      <h2>{t(ready ? "idle.ready" : view.state === "out" ? "idle.out" : "idle.paused")}</h2>
      <p>{t(ready ? "idle.readyHint" : view.state === "out" ? OUT_HINT[view.telephone] : "idle.pausedHint")}</p>
    </section>
  );
}

export function AgentPage() {
  const view = agent.value;
  const [chosen, setChosen] = useState<string | null>(null);
  const current = view?.pop?.attempt_id ?? null;
  const overdue = view?.overdue ?? [];
  const owed = chosen && overdue.includes(chosen) ? chosen : null;
  const attempt = owed ?? (view?.pop?.answered_at ? current : null);

  useEffect(() => {
    if (view) sweepDrafts([...(current ? [current] : []), ...overdue]);
  }, [current, overdue.join()]);
  // A call that comes in goes before what is owed from earlier ones.
  useEffect(() => setChosen(null), [current]);

  return (
    <div class="page">
      <Header title={t("agent.title")}>{view && <TelephoneTag view={view} />}</Header>
      <Offline />
      {view && <SwitchNotice view={view} />}
      {view ? (
        <main class={`agent agent-${view.state}`}>
          <div class="agent-own">
            <StatusPanel view={view} chosen={owed} onChoose={setChosen} />
            {view.telephone === "browser" && <TelephonePanel view={view} />}
            {view.pop?.script && <ScriptCard script={view.pop.script} />}
          </div>
          {view.pop ? <PopPanel view={view} pop={view.pop} /> : <Idle view={view} />}
          {attempt ? (
            <DispositionPanel key={attempt} attempt={attempt} view={view} owed={owed !== null} />
          ) : (
            <section class="card disposition disposition-none">
              <h2>{t("disposition.title")}</h2>
              <p class="muted">{t("disposition.none")}</p>
            </section>
          )}
        </main>
      ) : (
        <main class="agent" aria-busy="true" />
      )}
      <Notes />
    </div>
  );
}
