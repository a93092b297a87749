/** The profiles in force, and all versions there were. */

import { shortDateTime } from "../format";
import { t, worded } from "../i18n";
import type { Law, LawVersion } from "../views";
import type { Question } from "./dialog";

export function InForce({ view }: { view: Law }) {
  // What campaigns use stands first.
  const rows = view.in_force.toSorted((a, b) => b.campaigns.length - a.campaigns.length || a.version.id.localeCompare(b.version.id));
  return (
    <section class="card flush law-force" aria-labelledby="force-title">
      <h2 id="force-title" class="pad">
        {t("law.inForce")}
      </h2>
      <ul>
        {rows.map((row) => (
          <li key={row.version.id} class={row.campaigns.length ? "" : "law-idle"}>
            <details>
              <summary>
                <span class="law-name">
                  <strong class="mono">{row.version.id}</strong> <span class="num">{t("law.version", { n: row.version.version })}</span>
                </span>
                <span class="law-title">{row.title}</span>
                {row.readable ? (
                  <span class={`badge ${row.confidence === "firm" ? "badge-good" : "badge-warn"}`}>
                    {worded("confidence", row.confidence)}
                  </span>
                ) : (
                  <span class="badge law-broken">{t("law.broken")}</span>
                )}
              </summary>
              {!row.readable && <p class="problem">{t("law.brokenHint")}</p>}
              <p>{row.campaigns.length ? t("law.usedBy", { in: row.campaigns.join(", ") }) : t("law.idle")}</p>
              <ul class="law-citations" aria-label={t("law.citations")}>
                {row.citations.map((citation) => (
                  <li key={citation}>{citation}</li>
                ))}
              </ul>
              <p class="muted">
                {t("law.since", { at: shortDateTime(row.version.decided_at ?? row.version.proposed_at), by: row.version.decided_by })}
                {row.valid_to && ` · ${t("law.until", { day: row.valid_to })}`}
                {" · SHA-256 "}
                <span class="mono">{row.version.sha256.slice(0, 12)}…</span>
              </p>
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface HistoryProps {
  view: Law;
  onAsk: (question: Question) => void;
}

export function History({ view, onAsk }: HistoryProps) {
  // What is as it came says nothing; it is in the list of what is in force.
  const rows = view.history.filter((v) => v.state !== "proposed" && (v.proposed_by !== "cadencia" || v.decided_by !== "cadencia" || v.state !== "active"));
  const back = (v: LawVersion): Question => ({
    title: t("law.rollback"),
    detail: t("law.rollbackHint", { id: v.id, n: v.version }),
    path: "/api/law/proposals",
    body: { rollback: { id: v.id, version: v.version } },
    done: t("law.proposed"),
  });
  return (
    <section class="card flush law-history" aria-labelledby="history-title">
      <h2 id="history-title" class="pad">
        {t("law.history")}
      </h2>
      {rows.length === 0 && <p class="muted pad">{t("law.noHistory")}</p>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="history-title">
          <table>
            <tbody>
              {rows.map((v) => (
                <tr key={`${v.id} ${v.version}`}>
                  <th scope="row">
                    <span class="mono">{v.id}</span> <span class="num">{t("law.version", { n: v.version })}</span>
                  </th>
                  <td>
                    <span class={`badge law-state-${v.state}`}>{worded("standing", v.state)}</span>
                  </td>
                  <td>
                    {v.proposed_by === v.decided_by && v.state !== "rejected" ? t("law.shipped") : `${v.proposed_by} → ${v.decided_by}`}{" "}
                    <small class="muted num">{shortDateTime(v.decided_at ?? v.proposed_at)}</small>
                    {v.reason && <small class="law-note">{v.reason}</small>}
                    {v.decision && <small class="law-note">{v.decision}</small>}
                  </td>
                  <td class="right">
                    {view.may_decide && v.state === "retired" && (
                      <button type="button" onClick={() => onAsk(back(v))}>
                        {t("law.rollback")}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
