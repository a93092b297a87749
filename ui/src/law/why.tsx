/** Why a list is not dialled, now or on a day to come. Counting takes seconds of a server that puts calls through: it is
 * done when somebody asks, and never by itself. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { now } from "../clock";
import { count, hours, localParts, shortDateTime, shortDay } from "../format";
import { lang, t } from "../i18n";
import { codeLabel, floor } from "../session";
import { act } from "../ui";
import type { Census, Rehearsal } from "../views";

/** A list of 100,000 takes a minute. */
const PATIENCE_MS = 300_000;

interface Line {
  key: string;
  words: string;
  code?: string;
  detail?: string | undefined;
  number: number;
}

function Bars({ title, tone, lines }: { title: string; tone: string; lines: Line[] }) {
  const most = Math.max(1, ...lines.map((line) => line.number));
  if (lines.length === 0) return null;
  return (
    <table class={`law-bars law-bars-${tone}`} aria-label={title}>
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col" class="right">
            {t("why.persons")}
          </th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.key}>
            <th scope="row">
              {line.words} {line.code && <span class="mono muted">{line.code}</span>}
              <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
                <rect width={(100 * line.number) / most} height="3" />
              </svg>
              {line.detail && <small class="law-note">{line.detail}</small>}
            </th>
            <td class="right num">{count(line.number)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Counted({ census }: { census: Census }) {
  return (
    <>
      <p class="why-head">
        {t("why.callable", { total: count(census.total), n: count(census.callable_now) })}{" "}
        <small class="muted num">{shortDateTime(census.at)}</small>
      </p>
      <Bars
        title={t("why.reasons")}
        tone="held"
        lines={census.denied.map((row) => ({
          key: row.code,
          words: codeLabel(row.code),
          code: row.code,
          number: row.contacts,
          detail: row.opens ? t("why.first", { at: shortDateTime(row.opens) }) : row.needs?.[lang.value],
        }))}
      />
    </>
  );
}

function Rehearsed({ day }: { day: Rehearsal }) {
  const perHour = Object.entries(day.first_by_hour).sort((a, b) => Number(a[0]) - Number(b[0]));
  return (
    <>
      <p class="why-head">
        {t("why.rehearsed", { day: shortDay(day.day), total: count(day.total), n: count(day.callable), hours: hours(day.lawful_s) })}
      </p>
      <Bars
        title={t("why.hours")}
        tone="open"
        lines={perHour.map(([hour, n]) => ({ key: hour, words: t("why.fromHour", { hour: hour.padStart(2, "0") }), number: n }))}
      />
      <Bars
        title={t("why.notAtAll")}
        tone="held"
        lines={Object.entries(day.denied).map(([code, n]) => ({ key: code, words: codeLabel(code), code, number: n }))}
      />
      <p class="muted why-if">{t("why.if")}</p>
    </>
  );
}

export function WhyNot() {
  const campaigns = (floor.value?.campaigns ?? []).toSorted((a, b) => a.name.localeCompare(b.name));
  const { date } = localParts(now.value);
  const tomorrow = new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  const [chosen, setChosen] = useState("");
  const [day, setDay] = useState("");
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<{ of: string; census?: Census; day?: Rehearsal } | null>(null);
  const campaign = campaigns.find((c) => c.id === chosen) ?? campaigns[0];

  const ask = async (wanted: string) => {
    if (!campaign || busy) return;
    setBusy(true);
    setFound(null);
    const path = `/api/campaigns/${encodeURIComponent(campaign.id)}/explain`;
    await act(async () => {
      if (wanted) setFound({ of: campaign.name, day: await api<Rehearsal>("GET", `${path}?day=${wanted}`, undefined, PATIENCE_MS) });
      else setFound({ of: campaign.name, census: await api<Census>("GET", path, undefined, PATIENCE_MS) });
    });
    setBusy(false);
  };

  return (
    <section class="card flush law-whynot" aria-labelledby="why-title">
      <div class="law-card-head">
        <h2 id="why-title">{t("why.title")}</h2>
        <p class="muted">{t("why.hint")}</p>
      </div>
      <form
        class="law-ask"
        onSubmit={(event) => {
          event.preventDefault();
          void ask("");
        }}
      >
        <label class="grow">
          {t("lawful.campaign")}
          <select name="campaign" value={campaign?.id ?? ""} onChange={(event) => setChosen(event.currentTarget.value)}>
            {campaigns.map((c) => (
              <option key={c.id} value={c.id}>
                {c.name}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" disabled={busy || !campaign}>
          {t("why.count")}
        </button>
        <label>
          {t("why.day")}
          <input name="day" type="date" min={date} value={day || tomorrow} onInput={(event) => setDay(event.currentTarget.value)} />
        </label>
        <button type="button" disabled={busy || !campaign} onClick={() => void ask(day || tomorrow)}>
          {t("why.rehearse")}
        </button>
      </form>
      <div class="law-found" aria-live="polite" aria-busy={busy}>
        {busy && (
          <p class="muted">
            {t("why.busy")} <progress />
          </p>
        )}
        {found && (
          <>
            <h3>{found.of}</h3>
            {found.census && <Counted census={found.census} />}
            {found.day && <Rehearsed day={found.day} />}
          </>
        )}
      </div>
    </section>
  );
}
