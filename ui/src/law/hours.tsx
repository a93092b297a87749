/** What is left of each running campaign's lawful day. */

import { clockTime, hours, shortDateTime } from "../format";
import { t } from "../i18n";
import { floor } from "../session";
import type { Campaign } from "../views";

function Row({ campaign }: { campaign: Campaign }) {
  const { lawful_until: until, lawful_from: from } = campaign;
  const tone = until ? "open" : from ? "closed" : "never";
  const shape = { open: "M3.5 8.5l3 3 6-7", closed: "M8 3v5l3 2", never: "M5 5l6 6M11 5l-6 6" }[tone];
  return (
    <tr>
      <th scope="row">
        {campaign.name} <small class="mono muted">{campaign.profiles.join(", ")}</small>
      </th>
      <td>
        <span class={`state lawful-${tone}`}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={shape} />
          </svg>
          {t(`lawful.${tone}`)}
        </span>
      </td>
      <td class="num">
        {until ? t("lawful.until", { at: clockTime(Date.parse(until)) }) : from ? t("lawful.from", { at: shortDateTime(from) }) : t("lawful.neverHint")}
      </td>
      <td class="right num">{hours(campaign.lawful_left_s)}</td>
    </tr>
  );
}

/** What is wrong first, then what closes soonest, then what opens soonest. */
function order({ lawful_until: until, lawful_from: from }: Campaign): string {
  return until ? `1 ${until}` : from ? `2 ${from}` : "0";
}

export function LawfulToday() {
  const running = (floor.value?.campaigns ?? []).filter((c) => c.state === "running");
  const rows = running.toSorted((a, b) => {
    const [x, y] = [order(a), order(b)];
    return x.localeCompare(y) || a.name.localeCompare(b.name);
  });
  return (
    <section class="card flush law-lawful" aria-labelledby="lawful-title" aria-busy={!floor.value}>
      <div class="law-card-head">
        <h2 id="lawful-title">{t("lawful.title")}</h2>
        <p class="muted">{t("lawful.hint")}</p>
      </div>
      {floor.value && rows.length === 0 && <p class="pad muted">{t("lawful.none")}</p>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="lawful-title">
          <table>
            <thead>
              <tr>
                <th scope="col">{t("lawful.campaign")}</th>
                <th scope="col">{t("lawful.now")}</th>
                <th scope="col">{t("lawful.when")}</th>
                <th scope="col" class="right">
                  {t("lawful.left")}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((campaign) => (
                <Row key={campaign.id} campaign={campaign} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
