/** What persons ask about their own data: by when each must be answered, the most urgent first. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { count, shortDay } from "../format";
import { t, worded } from "../i18n";
import { Dialog, act, focusNow, sayWell } from "../ui";
import type { DataRequest } from "../views";
import { askEvery } from "./asked";
import { NewRequest } from "./newrequest";

const AGAIN_MS = 60_000;
/** Business days from which on a request is soon due. */
const SOON = 3;

type Urgency = "late" | "soon" | "calm";

function urgency(request: DataRequest): Urgency {
  return request.days_left < 0 ? "late" : request.days_left <= SOON ? "soon" : "calm";
}

function left(request: DataRequest): string {
  const days = Math.abs(request.days_left);
  if (request.days_left === 0) return t("requests.today");
  if (request.days_left < 0) return t(days === 1 ? "requests.lateOne" : "requests.late", { n: days });
  return t(days === 1 ? "requests.leftOne" : "requests.left", { n: days });
}

const SHAPES: Record<Urgency, string> = {
  late: "M8 3.5v5.5M8 12.4h.01",
  soon: "M8 3v5l3 2",
  calm: "M5 8h6",
};

interface Asked {
  request: DataRequest;
  what: "extend" | "close";
}

function RequestDialog({ asked: { request, what }, onDone }: { asked: Asked; onDone: (changed: boolean) => void }) {
  const [outcome, setOutcome] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    const body = what === "close" ? { outcome: outcome.trim() } : undefined;
    const well = await act(() => api("POST", `/api/people/requests/${request.id}/${what}`, body));
    setBusy(false);
    if (!well) return;
    sayWell(t(`requests.${what}Done`));
    onDone(true);
  };
  return (
    <Dialog title={t(`requests.${what}`)} onClose={() => onDone(false)}>
      <p class="dialog-detail">
        {worded("request", request.kind)} {request.id} · {t("requests.person", { id: request.person_id })} · {request.law}
      </p>
      <form onSubmit={(event) => void submit(event)}>
        {what === "close" ? (
          <label>
            {t("requests.outcome")}
            <input name="outcome" required maxLength={80} value={outcome} ref={focusNow} onInput={(event) => setOutcome(event.currentTarget.value)} />
          </label>
        ) : (
          <p>{t("requests.extendHint")}</p>
        )}
        <div class="dialog-buttons">
          <button type="button" class="quiet" onClick={() => onDone(false)}>
            {t("common.cancel")}
          </button>
          <button type="submit" class="primary" disabled={busy || (what === "close" && !outcome.trim())}>
            {t(`requests.${what}`)}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Row({ request, onAsk }: { request: DataRequest; onAsk: (asked: Asked) => void }) {
  const tone = urgency(request);
  return (
    <tr class={`request-${tone}`}>
      <th scope="row">
        {worded("request", request.kind)} <span class="num muted">{request.id}</span>
        <small class="law-note">{t("requests.person", { id: request.person_id })}</small>
      </th>
      <td class="num">{shortDay(request.received_on)}</td>
      <td>
        <span class="num">{shortDay(request.due)}</span>
        {request.extended && <span class="badge">{t("requests.extended")}</span>}
        <span class={`state request-tone-${tone}`}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={SHAPES[tone]} />
          </svg>
          {left(request)}
        </span>
      </td>
      <td class="right">
        {!request.extended && (
          <button
            type="button"
            class="quiet"
            aria-label={`${t("requests.extend")} ${request.id}`}
            onClick={() => onAsk({ request, what: "extend" })}
          >
            {t("requests.extend")}
          </button>
        )}
        <button type="button" aria-label={`${t("requests.close")} ${request.id}`} onClick={() => onAsk({ request, what: "close" })}>
          {t("requests.close")}
        </button>
      </td>
    </tr>
  );
}

export function Requests() {
  const [requests, setRequests] = useState<DataRequest[] | null>(null);
  const [asked, setAsked] = useState<Asked | "new" | null>(null);
  const fetch = () => api<DataRequest[]>("GET", "/api/people/requests");
  useEffect(() => askEvery(fetch, setRequests, AGAIN_MS), []);
  const done = (changed: boolean) => {
    setAsked(null);
    if (changed) void act(async () => setRequests(await fetch()));
  };
  const late = requests?.filter((r) => urgency(r) === "late").length ?? 0;
  const soon = requests?.filter((r) => urgency(r) === "soon").length ?? 0;
  return (
    <section class="card flush law-requests" aria-labelledby="requests-title" aria-busy={requests === null}>
      <div class="law-card-head">
        <h2 id="requests-title">
          {t("requests.title")} {requests && <span class="muted num">{count(requests.length)}</span>}
        </h2>
        <p class="muted">{t("requests.hint")}</p>
        {late > 0 && <span class="badge request-badge-late">{t("requests.lateCount", { n: count(late) })}</span>}
        {soon > 0 && <span class="badge badge-warn">{t("requests.soonCount", { n: count(soon) })}</span>}
        <button type="button" onClick={() => setAsked("new")}>
          {t("requests.open")}
        </button>
      </div>
      {requests?.length === 0 && <p class="pad muted">{t("requests.none")}</p>}
      {requests && requests.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="requests-title">
          <table>
            <thead>
              <tr>
                <th scope="col">{t("requests.kind")}</th>
                <th scope="col">{t("requests.received")}</th>
                <th scope="col">{t("requests.due")}</th>
                <th scope="col">
                  <span class="unseen">{t("requests.actions")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {requests.map((request) => (
                <Row key={request.id} request={request} onAsk={setAsked} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {asked === "new" && <NewRequest onDone={done} />}
      {asked && asked !== "new" && <RequestDialog asked={asked} onDone={done} />}
    </section>
  );
}
