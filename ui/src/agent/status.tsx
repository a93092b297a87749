/** The agent's own state, what may be done next, and the day so far. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { now } from "../clock";
import { count, span } from "../format";
import { t, worded } from "../i18n";
import { codeLabel, codes } from "../session";
import type { AgentView } from "../views";
import { Dialog, Kbd, Since, StateTag, act } from "../ui";
import { keysOn, switchKeys, useKeys } from "./keys";
import { readyToSpeak } from "./softphone";

/**
 * Ask for a change. What it brought comes by the stream, in order; the answer holds the same state, but it may arrive
 * after a newer one.
 */
export function send(path: string, body?: unknown): Promise<boolean> {
  return act(() => api("POST", `/api/agent/${path}`, body));
}

/** The shift begins, unless the page is the telephone and has no microphone. */
async function signIn(): Promise<void> {
  if (await readyToSpeak()) await send("sign-in");
}

function PauseDialog({ onClose, inCall }: { onClose: () => void; inCall: boolean }) {
  const reasons = codes.value?.pause_reasons ?? [];
  const choose = (reason: string | undefined) => {
    if (!reason) return;
    onClose();
    void send("pause", { reason });
  };
  return (
    <Dialog title={t(inCall ? "pause.titleNext" : "pause.title")} onClose={onClose} onKey={(e) => choose(reasons[Number(e.key) - 1])}>
      <div class="choices">
        {reasons.map((reason, index) => (
          <button type="button" key={reason} onClick={() => choose(reason)}>
            <Kbd>{String(index + 1)}</Kbd> {worded("reason", reason)}
          </button>
        ))}
      </div>
      <button type="button" class="quiet" onClick={onClose}>
        {t("common.cancel")}
      </button>
    </Dialog>
  );
}

/** How long the agent still has for the disposition, or to choose whether to dial. */
function TimeLeft({ view }: { view: AgentView }) {
  const ends = view.state === "wrapup" ? view.wrapup_until : view.state === "preview" ? view.preview_until : null;
  if (!ends) return null;
  const until = Date.parse(ends);
  const left = Math.max(0, (until - now.value) / 1000);
  const share = left / Math.max(1, (until - Date.parse(view.since)) / 1000);
  const label = t(view.state === "wrapup" ? "wrapup.left" : "choice.left");
  return (
    <div class={`wrapup ${left <= (view.state === "wrapup" ? 10 : 5) ? "wrapup-short" : ""}`}>
      <span>{label}</span>
      <strong class="num" role="timer">
        {span(left)}
      </strong>
      <progress max={1} value={Math.min(1, share)} aria-label={label} />
    </div>
  );
}

function Buttons({ view, onPause }: { view: AgentView; onPause: () => void }) {
  const pop = view.pop;
  if (view.state === "out") {
    return (
      <button type="button" class="primary wide big" onClick={() => void signIn()}>
        {t("do.signIn")} <Kbd>L</Kbd>
      </button>
    );
  }
  const canReady = view.state === "paused" || (pop && view.next_pause);
  return (
    <>
      {pop && view.state === "talking" && (
        <button type="button" class="danger wide big" onClick={() => void send("finish", { attempt_id: pop.attempt_id })}>
          {t("do.finish")} <Kbd>F</Kbd>
        </button>
      )}
      {pop && view.state === "reserved" && !pop.answered_at && (
        <button
          type="button"
          class="danger wide big"
          disabled={view.hanging_up}
          title={t("choice.minRing")}
          onClick={() => void send("finish", { attempt_id: pop.attempt_id })}
        >
          {t(view.hanging_up ? "do.hangingUp" : "do.hangUp")} <Kbd>F</Kbd>
        </button>
      )}
      {canReady && (
        <button type="button" class={`wide ${pop ? "" : "primary big"}`} onClick={() => void send("ready")}>
          {t(pop ? "do.takeBack" : "do.ready")} <Kbd>L</Kbd>
        </button>
      )}
      {view.state !== "paused" && !view.next_pause && view.state !== "connecting" && (
        <button type="button" class="wide" onClick={onPause}>
          {t(pop && view.state !== "preview" ? "do.pauseNext" : "do.pause")} <Kbd>P</Kbd>
        </button>
      )}
      {!pop && (
        <button type="button" class="quiet wide" onClick={() => void send("sign-out")}>
          {t("do.signOut")}
        </button>
      )}
    </>
  );
}

function Overdue({ view, chosen, onChoose }: { view: AgentView; chosen: string | null; onChoose: (attempt: string | null) => void }) {
  if (!view.overdue?.length) return null;
  return (
    <section class="overdue" aria-labelledby="overdue-title">
      <h3 id="overdue-title">
        {t("overdue.title")} <span class="badge badge-warn">{count(view.overdue.length)}</span>
      </h3>
      <ul>
        {view.overdue.map((attempt) => (
          <li key={attempt}>
            <button type="button" aria-pressed={chosen === attempt} onClick={() => onChoose(chosen === attempt ? null : attempt)}>
              <span class="mono">{attempt}</span> {t("overdue.dispose")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface StatusProps {
  view: AgentView;
  chosen: string | null;
  onChoose: (attempt: string | null) => void;
}

export function StatusPanel({ view, chosen, onChoose }: StatusProps) {
  const [pausing, setPausing] = useState(false);
  const pop = view.pop;
  const ringing = view.state === "reserved" && pop !== null && !pop.answered_at && !view.hanging_up;
  useKeys({
    l: () => void (view.state === "out" ? signIn() : send("ready")),
    p: view.state === "out" || view.state === "connecting" ? undefined : () => setPausing(true),
    f: pop && (view.state === "talking" || ringing) ? () => void send("finish", { attempt_id: pop.attempt_id }) : undefined,
  });
  const average = view.calls ? view.talk_s / view.calls : 0;
  return (
    <section class={`card status tone-${view.state}`} aria-label={t("status.label")}>
      <div class="status-now" aria-live="polite">
        <StateTag state={view.state} large />
        {view.reason && <span class="muted">{worded("reason", view.reason)}</span>}
        {view.came_of && (view.state === "ready" || view.state === "preview") && (
          <span class="muted">{t("choice.cameOf", { label: codeLabel(view.came_of) })}</span>
        )}
        {view.next_pause && (
          <span class="badge badge-next">{t("status.next", { reason: worded("reason", view.next_pause) })}</span>
        )}
      </div>
      <div class="status-since num">
        <Since at={view.since} />
      </div>
      <TimeLeft view={view} />
      {view.telephone === "rung" && view.state !== "out" && <p class="muted">{t("phone.rungHint")}</p>}
      <div class="buttons">
        <Buttons view={view} onPause={() => setPausing(true)} />
      </div>
      <Overdue view={view} chosen={chosen} onChoose={onChoose} />
      <dl class="day">
        <div>
          <dt>{t("day.calls")}</dt>
          <dd class="num">{count(view.calls)}</dd>
        </div>
        <div>
          <dt>{t("day.average")}</dt>
          <dd class="num">{span(average)}</dd>
        </div>
        <div>
          <dt>{t("day.talk")}</dt>
          <dd class="num">{span(view.talk_s)}</dd>
        </div>
      </dl>
      <label class="switch" title={t("keys.hint")}>
        <input type="checkbox" checked={keysOn.value} onChange={(event) => switchKeys(event.currentTarget.checked)} />
        {t("keys.switch")}
      </label>
      {pausing && <PauseDialog onClose={() => setPausing(false)} inCall={pop !== null && view.state !== "preview"} />}
    </section>
  );
}
