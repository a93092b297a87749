/** The engineer's page: servers, trunks, how the calls ended, and what happened to one of them. */

import { useEffect } from "preact/hooks";
import { count } from "../format";
import { t } from "../i18n";
import { Header, Notes, Offline } from "../ui";
import { Causes } from "./causes";
import { lines, listenToLines } from "./feed";
import { Server, Trunk } from "./plant";
import { CallTimeline } from "./timeline";

export function LinesPage() {
  useEffect(listenToLines, []);
  const view = lines.value;
  return (
    <div class="page">
      <Header title={t("lines.title")}>
        {view && view.unknown > 0 && (
          <span class="badge badge-warn">{t("lines.unknown", { n: count(view.unknown) })}</span>
        )}
      </Header>
      <Offline />
      <main class="lines" aria-busy={!view}>
        {view && (
          <div class="lines-above">
            <section class="plant" aria-label={t("lines.servers")}>
              <h2>{t("lines.servers")}</h2>
              <div class="cards">
                {view.servers.map((server) => (
                  <Server key={server.name} server={server} />
                ))}
              </div>
            </section>
            <section class="plant" aria-label={t("lines.trunks")}>
              <h2>
                {t("lines.trunks")} <small class="muted">{t("lines.hour")}</small>
              </h2>
              {view.trunks.length === 0 && <p class="muted">{t("lines.noTrunks")}</p>}
              <div class="cards">
                {view.trunks.map((trunk) => (
                  <Trunk key={`${trunk.server}/${trunk.name}`} trunk={trunk} />
                ))}
              </div>
            </section>
          </div>
        )}
        <div class="lines-below">
          {view && <Causes view={view} />}
          <CallTimeline />
        </div>
      </main>
      <Notes />
    </div>
  );
}
