/** The supervisor's console: campaigns on the left, agents in the middle, what became of the calls on the right. */

import { useState } from "preact/hooks";
import { t } from "../i18n";
import { floor, me } from "../session";
import type { Floor } from "../views";
import { Header, Notes, Offline } from "../ui";
import { Agents } from "./agents";
import { CampaignCard } from "./campaign";
import { Calls, CodeTable } from "./tables";

function Health({ view }: { view: Floor }) {
  const parts = [
    { key: "switch", up: view.switch_up, text: t(view.switch_up ? "health.switchUp" : "health.switchDown") },
    { key: "store", up: view.store_up, text: t(view.store_up ? "health.storeUp" : "health.storeDown") },
  ];
  return (
    <>
      {parts.map((part) => (
        <span key={part.key} class={`phone ${part.up ? "phone-up" : "phone-down"}`}>
          <span class="dot" aria-hidden="true" />
          {part.text}
        </span>
      ))}
    </>
  );
}

/** A server without a link takes its own calls and agents with it, and nothing else. */
function ServersDown({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  return (
    <div class="offline notice" role="alert">
      <span class="spinner" aria-hidden="true" />
      <strong>{t(names.length === 1 ? "floor.serverDown" : "floor.serversDown", { names: names.join(", ") })}</strong>{" "}
      {t("floor.serverDownHint")}
    </div>
  );
}

export function FloorPage() {
  const view = floor.value;
  const [chosen, setChosen] = useState("");
  const campaign = view?.campaigns.find((c) => c.id === chosen) ?? view?.campaigns[0];
  const steers = me.value?.role === "supervisor" || me.value?.role === "admin";
  return (
    <div class="page">
      <Header title={t("floor.title")}>{view && <Health view={view} />}</Header>
      <Offline />
      {view && <ServersDown names={view.servers_down} />}
      {view ? (
        <main class="floor">
          <div class="floor-campaigns">
            {view.campaigns.length === 0 && <p class="card muted pad">{t("floor.noCampaigns")}</p>}
            {view.campaigns.map((c) => (
              <CampaignCard
                key={c.id}
                campaign={c}
                steers={steers}
                chosen={view.campaigns.length > 1 && c === campaign}
                onChoose={() => setChosen(c.id)}
              />
            ))}
          </div>
          <div class="floor-people">
            <Agents rows={view.agents} />
            <Calls view={view} />
          </div>
          {campaign && (
            <div class="floor-codes">
              <CodeTable title={t("outcomes.title")} counts={campaign.outcomes} total={campaign.attempts} empty={t("outcomes.none")} />
              <CodeTable title={t("denied.title")} counts={campaign.denied} total={0} empty={t("denied.none")} denials />
            </div>
          )}
        </main>
      ) : (
        <main class="floor" aria-busy="true" />
      )}
      <Notes />
    </div>
  );
}
