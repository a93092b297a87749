/** Cards: an Asterisk server, and a trunk with its last hour. */

import { now } from "../clock";
import { count, decimal, percent, span } from "../format";
import { lang, t, worded } from "../i18n";
import { codeLabel } from "../session";
import type { ServerView, TrunkView } from "../views";
import { Since } from "../ui";

const DASH = "–";

function Figure({ name, value, tone = "", title }: { name: string; value: string; tone?: string; title?: string }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd class={`num ${tone}`}>{value}</dd>
    </div>
  );
}

export function Server({ server }: { server: ServerView }) {
  const trouble = server.trouble;
  return (
    <article class={`card unit ${server.up ? "" : "unit-down"}`} aria-label={server.name}>
      <div class="unit-head">
        <h3>{server.name}</h3>
        <span class={`badge run ${server.up ? "run-running" : "run-lost"}`}>{t(server.up ? "lines.up" : "lines.down")}</span>
      </div>
      <p class="muted">
        {server.since && (
          <>
            {t("lines.since")} <Since at={server.since} />
          </>
        )}
        {server.version && <> · {server.version}</>}
      </p>
      {trouble && (
        <p class="trouble">
          <strong>{trouble.said[lang.value]}</strong>
          <span>{trouble.hint[lang.value]}</span>
        </p>
      )}
      <dl class="unit-figures">
        <Figure name={t("lines.calls")} value={count(server.calls)} />
        <Figure name={t("lines.legs")} value={count(server.legs_up)} title={t("lines.legsHint")} />
        <Figure name={t("lines.events")} value={decimal(server.events_per_s, 1)} />
        <Figure
          name={t("lines.trip")}
          value={server.round_trip_ms === null ? DASH : `${decimal(server.round_trip_ms, 1)}\u00a0ms`}
          title={t("lines.tripHint")}
        />
        <Figure name={t("lines.reconnects")} value={count(server.reconnects)} />
      </dl>
    </article>
  );
}

/** A share of a limit from which it is worth a look. */
const NEAR = 0.85;

function Load({ name, used, limit, text }: { name: string; used: number; limit: number; text: string }) {
  const share = limit > 0 ? Math.min(1, used / limit) : 0;
  return (
    <div class={`load ${share >= NEAR ? "load-near" : ""}`}>
      <span>{name}</span>
      <strong class="num">{text}</strong>
      <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-track" width="100" height="3" />
        <rect class="load-fill" width={100 * share} height="3" />
      </svg>
    </div>
  );
}

const share = (value: number | null) => (value === null ? DASH : percent(value));

/** Figures from which a trunk is worth a look: many carriers ask for an ASR of 40 %, and short calls are a sign of dead air. */
const SHORT = 0.15;

function seconds(value: number | null): string {
  return value === null ? DASH : `${decimal(value, 1)}\u00a0s`;
}

function Failed({ trunk }: { trunk: TrunkView }) {
  const failed = trunk.last_failure;
  if (!failed) return <p class="muted">{t("lines.noFailure")}</p>;
  const codes = [failed.sip && `SIP ${failed.sip}`, failed.q850 !== null && `Q.850 ${failed.q850}`].filter(Boolean);
  return (
    <p>
      <span class="muted num">{t("lines.lastFailure", { ago: span((now.value - Date.parse(failed.at)) / 1000) })}</span>{" "}
      {codeLabel(failed.outcome)} <span class="mono">{codes.join(" · ")}</span>
    </p>
  );
}

export function Trunk({ trunk }: { trunk: TrunkView }) {
  return (
    <article class={`card unit ${trunk.state === "down" ? "unit-down" : ""}`} aria-label={trunk.name}>
      <div class="unit-head">
        <h3>
          {trunk.name} <small class="muted">{trunk.server}</small>
        </h3>
        <span class={`badge run run-${{ up: "running", down: "lost" }[trunk.state] ?? "stopped"}`}>
          {worded("trunk", trunk.state)}
        </span>
      </div>
      <div class="loads">
        <Load
          name={t("lines.channels")}
          used={trunk.channels_used}
          limit={trunk.channels}
          text={`${count(trunk.channels_used)} / ${count(trunk.channels)}`}
        />
        <Load
          name={t("lines.rate")}
          used={trunk.rate_used}
          limit={trunk.rate_per_s}
          text={`${decimal(trunk.rate_used, 1)} / ${count(trunk.rate_per_s)}`}
        />
      </div>
      <dl class="unit-figures">
        <Figure name={t("lines.attempts")} value={count(trunk.attempts)} />
        <Figure name="ASR" value={share(trunk.asr)} title={t("lines.asrHint", { n: count(trunk.answered), of: count(trunk.attempts) })} />
        <Figure name="PDD p50" value={seconds(trunk.pdd_p50_s)} title={t("lines.pddHint")} />
        <Figure name="PDD p95" value={seconds(trunk.pdd_p95_s)} title={t("lines.pddHint")} />
        <Figure
          name={t("lines.short")}
          value={share(trunk.short)}
          tone={(trunk.short ?? 0) > SHORT ? "tone-warn" : ""}
          title={t("lines.shortHint")}
        />
      </dl>
      <Failed trunk={trunk} />
    </article>
  );
}
