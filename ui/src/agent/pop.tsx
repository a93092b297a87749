/** The screen-pop: who is on the line, what they owe (amounts only once the right party is confirmed), what was said. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { band, money, shortDateTime } from "../format";
import { t, worded } from "../i18n";
import { agent, codeLabel } from "../session";
import type { AgentView, Obligation, Pop } from "../views";
import { Kbd, Since, act } from "../ui";
import { Choice } from "./choice";
import { useKeys } from "./keys";

async function confirm(pop: Pop): Promise<void> {
  await act(async () => {
    const { obligations } = await api<{ obligations: Obligation[] }>("POST", "/api/agent/confirm", { attempt_id: pop.attempt_id });
    const view = agent.value;
    // The stream brings the same; this shows them a moment sooner, and never on the next call's screen.
    if (view?.pop?.attempt_id === pop.attempt_id) {
      agent.value = { ...view, pop: { ...view.pop, confirmed: true, obligations } };
    }
  });
}

function Amounts({ row, confirmed }: { row: Obligation; confirmed: boolean }) {
  if (!confirmed || row.balance_minor === undefined || row.overdue_minor === undefined) {
    return (
      <td colSpan={2} class="hidden-amount">
        {t("pop.confirmFirst")}
      </td>
    );
  }
  const currency = row.currency ?? "COP";
  return (
    <>
      <td class="amount num">{money(row.overdue_minor, currency)}</td>
      <td class="amount num">{money(row.balance_minor, currency)}</td>
    </>
  );
}

function Obligations({ pop }: { pop: Pop }) {
  return (
    <section class="card flush" aria-labelledby="obligations-title">
      <h3 id="obligations-title">{t("pop.obligations")}</h3>
      <table class="obligations">
        <thead>
          <tr>
            <th scope="col">{t("pop.product")}</th>
            <th scope="col">{t("pop.role")}</th>
            <th scope="col" class="right">
              {t("pop.daysPastDue")}
            </th>
            <th scope="col" class="right">
              {t("pop.overdue")}
            </th>
            <th scope="col" class="right">
              {t("pop.balance")}
            </th>
          </tr>
        </thead>
        <tbody>
          {pop.obligations.map((row) => {
            const { label, level } = band(row.days_past_due);
            return (
              <tr key={row.id}>
                <td>
                  <strong>{row.product}</strong>
                  <small>
                    {row.creditor} · <span class="mono">{row.number}</span>
                  </small>
                </td>
                <td>{worded("role", row.role)}</td>
                <td class="right">
                  <span class={`band band-${level}`}>
                    <b class="num">{row.days_past_due}</b> {t("pop.days")} <small>{label}</small>
                  </span>
                </td>
                <Amounts row={row} confirmed={pop.confirmed} />
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function History({ pop }: { pop: Pop }) {
  return (
    <section class="card flush history" aria-labelledby="history-title">
      <h3 id="history-title">{t("pop.history")}</h3>
      {pop.history.length === 0 && <p class="muted pad">{t("pop.noHistory")}</p>}
      <ol>
        {pop.history.map((contact, index) => (
          <li key={index}>
            <time class="num">{shortDateTime(contact.at)}</time>
            <div>
              <strong>{codeLabel(contact.disposition ?? contact.outcome)}</strong>
              {contact.agent && <span class="muted"> · {contact.agent}</span>}
              {contact.note && <p>{contact.note}</p>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function PopPanel({ view, pop }: { view: AgentView; pop: Pop }) {
  const [busy, setBusy] = useState(false);
  const doConfirm = async () => {
    setBusy(true);
    await confirm(pop);
    setBusy(false);
  };
  useKeys({ c: pop.confirmed || busy || !pop.answered_at ? undefined : () => void doConfirm() });
  return (
    <div class="pop">
      <section class="card person" aria-label={t(pop.answered_at ? "pop.person" : "choice.title")}>
        <div class="person-main">
          <p class="eyebrow">{pop.campaign}</p>
          <h2>{pop.person}</h2>
          <dl class="facts">
            <div>
              <dt>{t("pop.document")}</dt>
              <dd class="mono">{pop.document}</dd>
            </div>
            <div>
              <dt>{t("pop.phone")}</dt>
              <dd class="mono">{pop.phone}</dd>
            </div>
            <div>
              <dt>{t("pop.city")}</dt>
              <dd>{pop.city}</dd>
            </div>
            <div>
              <dt>{t("pop.language")}</dt>
              <dd>{worded("language", pop.language)}</dd>
            </div>
            {view.state === "talking" && pop.answered_at && (
              <div>
                <dt>{t("pop.onLine")}</dt>
                <dd>
                  <Since at={pop.answered_at} />
                </dd>
              </div>
            )}
          </dl>
        </div>
        {!pop.answered_at ? (
          <Choice key={pop.attempt_id} view={view} pop={pop} />
        ) : pop.confirmed ? (
          <p class="confirmed">
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M3.5 8.5l3 3 6-7" />
            </svg>
            {t("pop.confirmed")}
          </p>
        ) : (
          <div class="confirm">
            <p>{t("pop.confirmHint")}</p>
            <button type="button" class="primary" disabled={busy} onClick={() => void doConfirm()}>
              {t("do.confirm")} <Kbd>C</Kbd>
            </button>
          </div>
        )}
      </section>
      <Obligations pop={pop} />
      <History pop={pop} />
    </div>
  );
}
