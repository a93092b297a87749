/** The last ten minutes of a campaign's calls, as this page has heard them. */

import { effect, signal } from "@preact/signals";
import { t } from "../i18n";
import { floor } from "../session";
import type { Campaign } from "../views";

const WINDOW_MS = 10 * 60 * 1000;
const STEP_MS = 2_000;
const W = 500;
const H = 84;

interface Point {
  at: number;
  dialling: number;
  waiting: number;
  talking: number;
}

const heard = signal<Record<string, Point[]>>({});

effect(() => {
  const view = floor.value;
  if (!view) return;
  const at = Date.parse(view.at);
  const before = heard.peek();
  const next: Record<string, Point[]> = {};
  for (const { id, dialling, waiting, talking } of view.campaigns) {
    const held = before[id] ?? [];
    // A simulation that was started again is earlier than what was heard of the one before.
    const points = (held.at(-1)?.at ?? 0) > at ? [] : held;
    const last = points.at(-1);
    const fresh = !last || at - last.at >= STEP_MS;
    next[id] = fresh ? [...points.filter((p) => at - p.at < WINDOW_MS), { at, dialling, waiting, talking }] : points;
  }
  heard.value = next;
});

export function Trend({ campaign }: { campaign: Campaign }) {
  const points = heard.value[campaign.id] ?? [];
  const end = points.at(-1)?.at ?? 0;
  const most = Math.max(4, ...points.map((p) => Math.max(p.dialling, p.waiting, p.talking)));
  const x = (p: Point) => (W * (1 - (end - p.at) / WINDOW_MS)).toFixed(1);
  const y = (n: number) => (H - 4 - ((H - 8) * n) / most).toFixed(1);
  const line = (of: (p: Point) => number) => points.map((p) => `${x(p)},${y(of(p))}`).join(" ");
  const first = points[0];
  const area = first ? `${x(first)},${H} ${line((p) => p.talking)} ${W},${H}` : "";
  return (
    <section class="trend" aria-label={t("trend.title")}>
      <div class="list-head">
        <h4>{t("trend.title")}</h4>
        <p class="list-legend muted">
          <span class="key key-talking">{t("stage.talking")}</span>
          <span class="key key-dialling">{t("stage.dialling")}</span>
          <span class="key key-waiting">{t("stage.waiting")}</span>
        </p>
      </div>
      <svg viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" aria-hidden="true">
        {[0.25, 0.5, 0.75, 1].map((share) => (
          <line key={share} class="trend-grid" x1={0} x2={W} y1={y(share * most)} y2={y(share * most)} />
        ))}
        <polygon class="trend-area" points={area} />
        <polyline class="trend-talking" points={line((p) => p.talking)} />
        <polyline class="trend-dialling" points={line((p) => p.dialling)} />
        <polyline class="trend-waiting" points={line((p) => p.waiting)} />
      </svg>
    </section>
  );
}
