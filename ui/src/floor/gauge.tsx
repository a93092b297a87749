/** How much of the abandonment budget is used: colour, words and shape say the same. */

import { count, percent } from "../format";
import { t } from "../i18n";
import type { Campaign } from "../views";

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

/** Wilson's 95 % interval of a share. */
export function interval(hits: number, of: number): [number, number] {
  if (of === 0) return [0, 1];
  const z = 1.96;
  const p = hits / of;
  const middle = p + (z * z) / (2 * of);
  const width = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return [Math.max(0, (middle - width) / scale), Math.min(1, (middle + width) / scale)];
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

export function Gauge({ campaign }: { campaign: Campaign }) {
  const { abandonment_rate: rate, abandonment_cap: cap, abandoned, answered_live: answered } = campaign;
  const scale = Math.max(2 * cap, 0.01);
  const share = Math.min(1, rate / scale);
  const is = standing(rate, cap);
  const left = Math.floor(cap * answered + 1e-9) - abandoned;
  const [low, high] = interval(abandoned, answered);
  const [capX1, capY1] = point(cap / scale, R - 12);
  const [capX2, capY2] = point(cap / scale, R + 12);
  const summary = `${percent(rate)} · ${t(`gauge.${is}`)} · ${t("gauge.cap", { cap: percent(cap) })}`;
  return (
    <section class={`gauge gauge-${is}`} aria-label={t("gauge.title")}>
      <svg viewBox="0 0 180 98" role="img" aria-label={summary}>
        <path class="gauge-track" d={arc(0, 1)} />
        <path class="gauge-beyond" d={arc(cap / scale, 1)} />
        {share > 0 && <path class="gauge-used" d={arc(0, share)} />}
        <line class="gauge-cap" x1={capX1} y1={capY1} x2={capX2} y2={capY2} />
        <text class="gauge-rate num" x={CX} y={CY - 10} text-anchor="middle">
          {percent(rate)}
        </text>
        <text class="gauge-of" x={CX} y={CY + 8} text-anchor="middle">
          {t("gauge.cap", { cap: percent(cap) })}
        </text>
      </svg>
      <div class="gauge-words">
        <h4>{t("gauge.title")}</h4>
        <p class="gauge-standing">
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={SHAPE[is]} />
          </svg>
          {t(`gauge.${is}`)}
        </p>
        <p class="num">{t("gauge.used", { a: count(abandoned), n: count(answered) })}</p>
        <p class="muted">{left >= 0 ? t("gauge.left", { n: count(left) }) : t("gauge.beyond", { n: count(-left) })}</p>
        <p class="muted">{t("gauge.interval", { low: percent(low), high: percent(high) })}</p>
      </div>
    </section>
  );
}
