/** What happened to one call: asked for by its id, or from the supervisor's list. */

import { useEffect, useState } from "preact/hooks";
import { ApiError, api } from "../api";
import { clockTime, decimal } from "../format";
import { lang, t, worded } from "../i18n";
import { go, wantedCall } from "../route";
import type { CallView, TimelineRow } from "../views";

/** How often a call that goes on is asked for again. */
const AGAIN_MS = 2_000;

const pathOf = (id: string) => `/api/calls/${encodeURIComponent(id)}`;

function offset(ms: number | null): string {
  if (ms === null) return "";
  return `${ms < 0 ? "−" : "+"}${decimal(Math.abs(ms) / 1000, 3)}\u00a0s`;
}

function Line({ row }: { row: TimelineRow }) {
  const at = Date.parse(row.at);
  const told = row.detail && row.detail !== row.what.split(".").at(-1);
  return (
    <tr class={`from-${row.source}`}>
      <td class="num muted">{clockTime(at, true)}</td>
      <td class="right num">{offset(row.ms)}</td>
      <td>
        <span class={`badge source source-${row.source}`}>{worded("source", row.source)}</span>
      </td>
      <td>
        {row.said[lang.value]}
        {told && <small class="mono muted">{row.detail}</small>}
      </td>
    </tr>
  );
}

function Shown({ call }: { call: CallView }) {
  return (
    <>
      <div class="timeline-head">
        <p>
          <span class="mono">{call.attempt_id}</span> · <span class="muted">{call.campaign_id}</span>
        </p>
        {call.live ? (
          <span class="badge run run-running">{t("timeline.live")}</span>
        ) : (
          <span class="badge">{call.outcome ? `${call.label[lang.value]} · ${call.outcome}` : t("timeline.returned")}</span>
        )}
        <a href={pathOf(call.attempt_id)} download={`${call.attempt_id}.json`}>
          {t("timeline.download")}
        </a>
      </div>
      {!call.traced && <p class="muted pad">{t("timeline.untraced")}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="timeline-title">
        <table>
          <tbody>
            {call.rows.map((row, n) => (
              <Line key={n} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {call.dropped > 0 && <p class="muted pad">{t("timeline.dropped", { n: call.dropped })}</p>}
    </>
  );
}

export function CallTimeline() {
  const wanted = wantedCall.value;
  const [typed, setTyped] = useState(wanted);
  const [call, setCall] = useState<CallView | null>(null);
  const [problem, setProblem] = useState("");
  const [asked, setAsked] = useState(0); // the same id may be asked for again

  useEffect(() => {
    let timer = 0;
    let over = false;
    setTyped(wanted);
    setProblem("");
    if (!wanted) setCall(null);
    const ask = async () => {
      try {
        const found = await api<CallView>("GET", pathOf(wanted));
        if (over) return;
        setCall(found);
        setProblem("");
        if (found.live) timer = setTimeout(() => void ask(), AGAIN_MS) as unknown as number;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (over) return;
        setCall(null);
        setProblem(`${error.message} ${error.hint}`);
      }
    };
    if (wanted) void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [wanted, asked, lang.value]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    go("/telefonia", typed.trim());
    setAsked((n) => n + 1);
  };
  return (
    <section class="card flush timeline" aria-labelledby="timeline-title">
      <div class="causes-head">
        <h2 id="timeline-title">{t("timeline.title")}</h2>
        <form class="timeline-ask" onSubmit={submit}>
          <input
            name="call"
            class="mono"
            aria-label={t("timeline.id")}
            placeholder={t("timeline.id")}
            autoComplete="off"
            spellcheck={false}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <button type="submit" disabled={!typed.trim()}>
            {t("timeline.show")}
          </button>
        </form>
      </div>
      {problem && (
        <p class="problem pad" role="alert">
          {problem}
        </p>
      )}
      {!call && !problem && <p class="muted pad">{t("timeline.empty")}</p>}
      {call && <Shown call={call} />}
    </section>
  );
}
