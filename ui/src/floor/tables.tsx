/** What became of the attempts, what the gate held back, and the calls on the line now. */

import { count, percent } from "../format";
import { t, worded } from "../i18n";
import { canSeeLines, goToCall } from "../route";
import { codeLabel } from "../session";
import type { Floor } from "../views";
import { Since } from "../ui";

interface CodeTableProps {
  title: string;
  counts: Record<string, number>;
  total: number;
  empty: string;
  denials?: boolean;
}

export function CodeTable({ title, counts, total, empty, denials = false }: CodeTableProps) {
  const rows = Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1]);
  const most = rows[0]?.[1] ?? 1;
  return (
    <section class={`card flush codes ${denials ? "codes-denied" : ""}`}>
      <h3>{title}</h3>
      {rows.length === 0 && <p class="muted pad">{empty}</p>}
      <table aria-label={title}>
        <tbody>
          {rows.map(([code, n]) => (
            <tr key={code}>
              <th scope="row">
                {codeLabel(code)}
                <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
                  <rect class={`bar-fill bar-${code}`} width={(100 * n) / most} height="3" />
                </svg>
              </th>
              <td class="right num">{count(n)}</td>
              {!denials && <td class="right num muted">{percent(n / Math.max(1, total))}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Four rows of three on a wall's screen. */
const SHOWN = 12;
/** Phases of a call in the order of how much seconds matter; those that are over are not shown. */
const ORDER = ["waiting", "answered", "offered", "ringing", "sent", "talking"];

/** The calls that wait first, then those on the way: the ones where seconds matter. */
export function Calls({ view }: { view: Floor }) {
  const names = new Map(view.agents.map((agent) => [agent.id, agent.name]));
  const calls = view.calls
    .filter((call) => ORDER.includes(call.state))
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || Date.parse(a.since) - Date.parse(b.since));
  const shown = calls.length > SHOWN ? SHOWN - 1 : SHOWN;
  const more = calls.length - shown;
  return (
    <section class="card flush calls" aria-labelledby="calls-title">
      <h3 id="calls-title">
        {t("calls.title")} <span class="muted num">{count(calls.length)}</span>
      </h3>
      {calls.length === 0 && <p class="muted pad">{t("calls.none")}</p>}
      <ul>
        {calls.slice(0, shown).map((call) => (
          <li key={call.attempt_id} class={`call call-${call.state}`}>
            {canSeeLines() ? (
              <button type="button" class="link" title={t("calls.timeline")} onClick={() => goToCall(call.attempt_id)}>
                {worded("phase", call.state)}
              </button>
            ) : (
              <span>{worded("phase", call.state)}</span>
            )}
            <Since at={call.since} />
            {call.agent_id && <span class="muted">{names.get(call.agent_id) ?? call.agent_id}</span>}
          </li>
        ))}
        {more > 0 && <li class="call muted">{t("calls.more", { n: count(more) })}</li>}
      </ul>
    </section>
  );
}
