/** One campaign: how it goes, why it dials as it does, and its controls; each change asks its reason. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { clockTime, count, percent, shortDateTime, span } from "../format";
import { type Key, lang, t, worded } from "../i18n";
import type { Campaign } from "../views";
import { act, sayWell } from "../ui";
import { Outlook } from "./forecast";
import { Gauge } from "./gauge";
import { type Change, Pacing } from "./pacing";
import { ReasonDialog } from "./reason";
import { Trend } from "./trend";

function verb(campaign: Campaign, name: "start" | "pause" | "stop"): Change {
  return {
    title: t(`campaign.${name}`),
    detail: t(`campaign.${name}Detail`, { name: campaign.name }),
    danger: name === "stop",
    send: (reason) => api("POST", `/api/campaigns/${encodeURIComponent(campaign.id)}/${name}`, { reason }),
  };
}

function Verbs({ campaign, ask }: { campaign: Campaign; ask: (change: Change) => void }) {
  return (
    <div class="verbs">
      {campaign.state !== "running" && (
        <button type="button" class="primary" onClick={() => ask(verb(campaign, "start"))}>
          <Shape d="M4.5 3l9 5-9 5z" /> {t("campaign.start")}
        </button>
      )}
      {campaign.state === "running" && (
        <button type="button" onClick={() => ask(verb(campaign, "pause"))}>
          <Shape d="M4 3h3v10H4zM9 3h3v10H9z" /> {t("campaign.pause")}
        </button>
      )}
      {campaign.state !== "stopped" && (
        <button type="button" class="danger-quiet" onClick={() => ask(verb(campaign, "stop"))}>
          <Shape d="M3.5 3.5h9v9h-9z" /> {t("campaign.stop")}
        </button>
      )}
    </div>
  );
}

function Shape({ d }: { d: string }) {
  return (
    <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
      <path d={d} />
    </svg>
  );
}

/** Why it dials as it does: the sentence with its numbers, or the words for the reason where there is none. */
function Why({ campaign }: { campaign: Campaign }) {
  const running = campaign.state === "running";
  const said = running ? campaign.why?.[lang.value] : undefined;
  return (
    <p class="why">
      <span>{t("campaign.why")}</span> <strong>{worded("why", running ? campaign.reason || "none" : campaign.state)}</strong>
      {said && <small>{said}.</small>}
    </p>
  );
}

/** What is left of today's lawful calling time. */
function Lawful({ campaign }: { campaign: Campaign }) {
  const { lawful_until: until, lawful_from: from } = campaign;
  const said = until
    ? t("campaign.lawful", { left: span(campaign.lawful_left_s), until: clockTime(Date.parse(until)) })
    : from
      ? t("campaign.unlawful", { from: shortDateTime(from) })
      : t("campaign.neverLawful");
  return (
    <span class={until ? "" : "tone-near"} title={(campaign.profiles ?? []).join(" + ")}>
      {said}
    </span>
  );
}

function Stage({ name, value }: { name: "dialling" | "waiting" | "talking"; value: number }) {
  return (
    <div class={`stage stage-${name} ${name === "waiting" && value > 0 ? "stage-alert" : ""}`}>
      <strong class="num">{count(value)}</strong>
      <span>{t(`stage.${name}` satisfies Key)}</span>
    </div>
  );
}

function Progress({ campaign }: { campaign: Campaign }) {
  const of = Math.max(1, campaign.contacts);
  const closed = campaign.contacts_closed / of;
  const touched = Math.max(campaign.contacts_touched, campaign.contacts_closed) / of;
  return (
    <section class="list" aria-label={t("list.title")}>
      <div class="list-head">
        <h4>{t("list.title")}</h4>
        <span class="num">
          {t("list.touched", { n: count(campaign.contacts_touched), of: count(campaign.contacts), share: percent(touched, 0) })}
        </span>
      </div>
      <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-track" width="100" height="4" />
        <rect class="bar-touched" width={100 * touched} height="4" />
        <rect class="bar-closed" width={100 * closed} height="4" />
      </svg>
      <p class="list-legend muted">
        <span class="key key-closed">{t("list.closed", { n: count(campaign.contacts_closed) })}</span>
        <span class="key key-touched">{t("list.inWork", { n: count(Math.max(0, campaign.contacts_touched - campaign.contacts_closed)) })}</span>
        <span class="key key-left">{t("list.untouched", { n: count(Math.max(0, campaign.contacts - campaign.contacts_touched)) })}</span>
      </p>
    </section>
  );
}

function Figures({ campaign }: { campaign: Campaign }) {
  const rate = campaign.attempts ? campaign.answered_live / campaign.attempts : 0;
  const figures: [Key, string][] = [
    ["figure.attempts", count(campaign.attempts)],
    ["figure.answered", count(campaign.answered_live)],
    ["figure.answerRate", percent(rate)],
    ["figure.connected", count(campaign.connected)],
  ];
  return (
    <dl class="figures">
      {figures.map(([key, value]) => (
        <div key={key}>
          <dt>{t(key)}</dt>
          <dd class="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface CardProps {
  campaign: Campaign;
  steers: boolean;
  chosen: boolean;
  onChoose: () => void;
}

export function CampaignCard({ campaign, steers, chosen, onChoose }: CardProps) {
  const [change, setChange] = useState<Change | null>(null);
  const send = async (reason: string) => {
    if (!change) return;
    const done = await act(() => change.send(reason));
    if (done) {
      sayWell(t("campaign.done"));
      setChange(null);
    }
  };
  return (
    <article class={`card campaign ${chosen ? "campaign-chosen" : ""}`} onClick={onChoose}>
      <div class="campaign-head">
        <div>
          <h2>{campaign.name}</h2>
          <p class="muted">
            <span class="mono">{campaign.id}</span> · {worded("mode", campaign.mode)} · <Lawful campaign={campaign} />
          </p>
        </div>
        <span class={`badge run run-${campaign.state}`}>{worded("run", campaign.state)}</span>
      </div>
      <Why campaign={campaign} />
      <div class="stages">
        <Stage name="dialling" value={campaign.dialling} />
        <Stage name="waiting" value={campaign.waiting} />
        <Stage name="talking" value={campaign.talking} />
      </div>
      {campaign.forecast && campaign.state === "running" && <Outlook forecast={campaign.forecast} />}
      <Trend campaign={campaign} />
      <Gauge campaign={campaign} />
      <Progress campaign={campaign} />
      <Figures campaign={campaign} />
      {steers && (
        <>
          <Pacing campaign={campaign} ask={setChange} />
          <Verbs campaign={campaign} ask={setChange} />
        </>
      )}
      {change && (
        <ReasonDialog title={change.title} detail={change.detail} danger={change.danger} onClose={() => setChange(null)} onSend={send} />
      )}
    </article>
  );
}
