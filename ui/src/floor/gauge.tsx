/** How much of the abandonment budget is used: colour, words and shape say the same. */

import { count, decimal, percent } from "../format";
import { t } from "../i18n";
import type { Abandonment, Campaign } from "../views";

const EMPTY: Abandonment = { answers: 0, abandoned: 0, rate: 0, upper: 1, ofcom: 0, without_machines: 0 };

const R = 70;
const CX = 90;
const CY = 84;

/** A point on the half circle, 0 at the left, 1 at the right. */
function point(share: number, radius = R): [number, number] {
  const angle = Math.PI * (1 - share);
  return [CX + radius * Math.cos(angle), CY - radius * Math.sin(angle)];
}

function arc(from: number, to: number): string {
  const [x1, y1] = point(from);
  const [x2, y2] = point(to);
  return `M${x1} ${y1}A${R} ${R} 0 0 1 ${x2} ${y2}`;
}

type Standing = "within" | "near" | "over";

function standing(rate: number, cap: number): Standing {
  if (rate > cap) return "over";
  return rate > 0.8 * cap ? "near" : "within";
}

const SHAPE: Record<Standing, string> = {
  within: "M8 2a6 6 0 1 0 .01 0z",
  near: "M8 2l6.5 12h-13z",
  over: "M2.5 2.5h11v11h-11z",
};

/** Where the upper bound stands: proven under the cap, not proven yet, or the rate itself is over it. */
function bound(window: Abandonment, cap: number): Standing {
  if (window.rate > cap) return "over";
  return window.upper > cap ? "near" : "within";
}

function Shape({ is }: { is: Standing }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPE[is]} />
    </svg>
  );
}

function Window({ name, window, cap }: { name: string; window: Abandonment; cap: number }) {
  const is = bound(window, cap);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="num">{t("gauge.used", { a: count(window.abandoned), n: count(window.answers) })}</td>
      <td class="num">{percent(window.rate)}</td>
      <td class={`num tone-${is}`} title={t(`bound.${is}`)}>
        <Shape is={is} /> {window.answers ? percent(window.upper) : "–"}
      </td>
    </tr>
  );
}

/** Today's rate on the dial; beside it today and 30 days with their upper bounds, and what may still be abandoned. */
export function Gauge({ campaign }: { campaign: Campaign }) {
  const { abandonment_cap: cap, abandonment_target: target, budget_left: left } = campaign;
  const day = campaign.abandonment_day ?? EMPTY;
  const month = campaign.abandonment_month ?? EMPTY;
  const scale = Math.max(2 * cap, 0.01);
  const share = Math.min(1, day.rate / scale);
  const is = standing(Math.max(day.rate, month.rate), cap);
  const proof = bound(month, cap);
  const [capX1, capY1] = point(cap / scale, R - 12);
  const [capX2, capY2] = point(cap / scale, R + 12);
  const limit = t("gauge.cap", { cap: percent(cap) });
  const summary = `${percent(day.rate)} · ${t(`gauge.${is}`)} · ${limit}`;
  return (
    <section class={`gauge gauge-${is}`} aria-label={t("gauge.title")}>
      <svg viewBox="0 0 180 98" role="img" aria-label={summary}>
        <path class="gauge-track" d={arc(0, 1)} />
        <path class="gauge-beyond" d={arc(cap / scale, 1)} />
        {share > 0 && <path class="gauge-used" d={arc(0, share)} />}
        <line class="gauge-cap" x1={capX1} y1={capY1} x2={capX2} y2={capY2} />
        <text class="gauge-rate num" x={CX} y={CY - 10} text-anchor="middle">
          {percent(day.rate)}
        </text>
        <text class="gauge-of" x={CX} y={CY + 8} text-anchor="middle">
          {limit}
        </text>
      </svg>
      <div class="gauge-words">
        <h4>{t("gauge.title")}</h4>
        <p class="gauge-standing">
          <Shape is={is} />
          {t(`gauge.${is}`)}
        </p>
        <table class="windows">
          <thead>
            <tr>
              <td />
              <th scope="col">{t("gauge.abandoned")}</th>
              <th scope="col">{t("gauge.rate")}</th>
              <th scope="col">{t("gauge.upper")}</th>
            </tr>
          </thead>
          <tbody>
            <Window name={t("gauge.day")} window={day} cap={cap} />
            <Window name={t("gauge.month")} window={month} cap={cap} />
          </tbody>
        </table>
        <p class={`bound tone-${proof}`}>
          <Shape is={proof} /> {t(`bound.${proof}`)}
        </p>
        <p class="muted">
          {left >= 0 ? t("gauge.left", { n: decimal(left, 1) }) : t("gauge.beyond", { n: decimal(-left, 1) })}
          {target !== null && ` · ${t("gauge.target", { target: percent(target) })}`}
        </p>
        {month.answers > 0 && (
          <p class="muted">
            {t("gauge.variants", { ofcom: percent(month.ofcom), machines: percent(month.without_machines) })}
          </p>
        )}
      </div>
    </section>
  );
}
