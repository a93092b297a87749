/** How the last hour's calls ended that nobody answered: by SIP status and Q.850 cause, what no rule knows first. */

import { useState } from "preact/hooks";
import { count, percent } from "../format";
import { lang, t } from "../i18n";
import { goToCall } from "../route";
import type { CauseRow, Telephony } from "../views";

const trunkOf = (row: CauseRow) => `${row.server} · ${row.trunk}`;

/** One row for each kind of end, whichever trunks it came from. */
function joined(rows: CauseRow[]): CauseRow[] {
  const kinds = new Map<string, CauseRow>();
  for (const row of rows) {
    const key = [row.sip, row.q850, row.rang, row.media, row.timeout, row.outcome, row.known, row.rule].join();
    const held = kinds.get(key);
    kinds.set(key, held ? { ...held, count: held.count + row.count, newest: [...held.newest, ...row.newest] } : row);
  }
  return [...kinds.values()].sort((a, b) => Number(a.known) - Number(b.known) || b.count - a.count);
}

function heard(row: CauseRow): string {
  if (row.rang && row.media) return t("causes.rangAndMedia");
  if (row.rang) return t("causes.rang");
  return t(row.media ? "causes.media" : "causes.neither");
}

export function Causes({ view }: { view: Telephony }) {
  const [chosen, setChosen] = useState("");
  const trunks = [...new Set(view.causes.map(trunkOf))].sort();
  const rows = joined(view.causes.filter((row) => !trunks.includes(chosen) || trunkOf(row) === chosen));
  const all = rows.reduce((sum, row) => sum + row.count, 0);
  const most = Math.max(1, ...rows.map((row) => row.count));
  return (
    <section class="card flush causes" aria-labelledby="causes-title">
      <div class="causes-head">
        <h2 id="causes-title">
          {t("causes.title")} <small class="muted">{t("causes.of", { n: count(all) })}</small>
        </h2>
        {trunks.length > 1 && (
          <select aria-label={t("lines.trunks")} value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            <option value="">{t("causes.allTrunks")}</option>
            {trunks.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </div>
      {rows.length === 0 && <p class="muted pad">{t("causes.none")}</p>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="causes-title">
          <table>
            <thead>
              <tr>
                <th scope="col" class="right">
                  SIP
                </th>
                <th scope="col" class="right">
                  Q.850
                </th>
                <th scope="col">{t("causes.before")}</th>
                <th scope="col">{t("causes.meaning")}</th>
                <th scope="col">{t("causes.outcome")}</th>
                <th scope="col" class="right">
                  {t("causes.calls")}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={[row.sip, row.q850, row.rang, row.media, row.timeout, row.rule].join()} class={row.known ? "" : "cause-unknown"}>
                  <td class="right num">{row.timeout ? <s>{row.sip ?? "–"}</s> : (row.sip ?? "–")}</td>
                  <td class="right num">{row.timeout ? <s>{row.q850 ?? "–"}</s> : (row.q850 ?? "–")}</td>
                  <td class="muted">{heard(row)}</td>
                  <td>
                    {row.said[lang.value]}
                    {row.timeout && <small class="muted cause-note">{t("causes.madeUp")}</small>}
                    <small class="cause-note">
                      {row.newest
                        .toSorted()
                        .toReversed()
                        .slice(0, 3)
                        .map((id) => (
                          <button key={id} type="button" class="link mono" title={t("calls.timeline")} onClick={() => goToCall(id)}>
                            …{id.slice(-6)}
                          </button>
                        ))}
                    </small>
                  </td>
                  <td title={row.rule}>
                    {row.known ? (
                      <>
                        {row.label[lang.value]} <span class="mono muted">{row.outcome}</span>
                      </>
                    ) : (
                      <span class="badge badge-warn">{t("causes.unknown")}</span>
                    )}
                  </td>
                  <td class="right num">
                    {count(row.count)} <small class="muted">{percent(row.count / Math.max(1, all), 0)}</small>
                    <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
                      <rect class={row.known ? "bar-touched" : "bar-risk"} width={(100 * row.count) / most} height="3" />
                    </svg>
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
