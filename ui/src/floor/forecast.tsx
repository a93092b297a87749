/** What the controller looks ahead to: who will be free, who will answer, and the risk that somebody finds nobody. */

import { decimal, percent } from "../format";
import { t } from "../i18n";
import type { Forecast } from "../views";

export function Outlook({ forecast }: { forecast: Forecast }) {
  const { risk, threshold } = forecast;
  const scale = Math.max(2 * threshold, risk, 1e-6);
  const over = risk > threshold;
  return (
    <section class="outlook" aria-label={t("outlook.title")}>
      <h4>{t("outlook.title")}</h4>
      <dl>
        <div>
          <dt>{t("outlook.free")}</dt>
          <dd class="num">{decimal(forecast.free_10s, 1)}</dd>
        </div>
        <div>
          <dt>{t("outlook.answers")}</dt>
          <dd class="num">
            {decimal(forecast.answers_10s, 1)}{" "}
            <small class="muted">
              {t("outlook.band", { low: decimal(forecast.answers_10s_low, 1), high: decimal(forecast.answers_10s_high, 1) })}
            </small>
          </dd>
        </div>
        <div>
          <dt>{t("outlook.risk")}</dt>
          <dd class="num">
            {percent(risk)} <small class="muted">{t("outlook.threshold", { threshold: percent(threshold) })}</small>
          </dd>
          <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect class="bar-track" width="100" height="4" />
            <rect class={over ? "bar-risk" : "bar-closed"} width={(100 * risk) / scale} height="4" />
            <rect class="bar-mark" x={(100 * threshold) / scale} width="0.8" height="4" />
          </svg>
        </div>
      </dl>
    </section>
  );
}
