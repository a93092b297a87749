/** What the independent re-check found: the last night, the nights before it at a glance, and each violation. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { now } from "../clock";
import { count, localParts, shortDateTime, shortDay } from "../format";
import { lang, t } from "../i18n";
import type { LawNight } from "../views";
import { askEvery } from "./asked";

const AGAIN_MS = 300_000;
const SHOWN = 14;
const DAY_MS = 86_400_000;
/** Local hour by which the night's walk is over, as a rule; it begins at two. */
const DONE_BY = 4;

const WELL = "M3.5 8.5l3 3 6-7";
const BAD = "M8 3.5v5.5M8 12.4h.01";
const NONE = "M5 8h6";

function Mark({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** The last local dates that are over, the oldest first. */
function lastDays(ms: number): string[] {
  const { date, time } = localParts(ms);
  const first = Date.parse(`${date}T00:00:00Z`) - (Number(time.slice(0, 2)) < DONE_BY ? 2 : 1) * DAY_MS;
  return Array.from({ length: SHOWN }, (_, n) => new Date(first - (SHOWN - 1 - n) * DAY_MS).toISOString().slice(0, 10));
}

function Strip({ nights, days }: { nights: LawNight[]; days: string[] }) {
  const byDay = new Map(nights.map((night) => [night.day, night]));
  return (
    <ol class="nights" aria-label={t("nights.strip")}>
      {days.map((day) => {
        const night = byDay.get(day);
        const tone = !night ? "none" : night.violations ? "bad" : "well";
        const words = night
          ? t("nights.one", { day: shortDay(day), n: count(night.violations), of: count(night.contacts) })
          : t("nights.missing", { day: shortDay(day) });
        return (
          <li key={day} class={`night night-${tone}`} title={words}>
            <Mark path={tone === "none" ? NONE : tone === "bad" ? BAD : WELL} />
            <span class="num" aria-hidden="true">
              {Number(day.slice(8))}
            </span>
            <span class="unseen">{words}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Violations({ nights }: { nights: LawNight[] }) {
  const found = nights.flatMap((night) => night.first);
  if (found.length === 0) return null;
  const more = nights.reduce((sum, night) => sum + night.violations, 0) - found.length;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("nights.violations")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("law.field")}</th>
            <th scope="col">{t("nights.when")}</th>
            <th scope="col">{t("nights.whom")}</th>
          </tr>
        </thead>
        <tbody>
          {found.map((one) => (
            <tr key={`${one.attempt} ${one.rule}`}>
              <th scope="row">
                <strong class="mono">{one.rule}</strong> <span class="mono muted">{one.profile}</span>
                <small class="law-note">{one[lang.value]}</small>
              </th>
              <td class="num">{shortDateTime(one.at)}</td>
              <td>
                {one.campaign ?? "—"}
                <small class="law-note">
                  {one.contact_id === null ? "—" : t("law.contact", { id: one.contact_id })} · <span class="mono">{one.attempt}</span>
                </small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="pad muted">{t("nights.more", { n: count(more) })}</p>}
    </div>
  );
}

function Last({ night, expected }: { night: LawNight; expected: string }) {
  const bad = night.violations > 0;
  return (
    <>
      <p class={`night-last ${bad ? "night-bad" : "night-well"}`}>
        <Mark path={bad ? BAD : WELL} />
        <strong class="num">{count(night.violations)}</strong>
        <span>
          {t(night.violations === 1 ? "nights.violation" : "nights.violations")}
          <small class="muted">
            {t("nights.of", { day: shortDay(night.day), contacts: count(night.contacts), persons: count(night.persons) })}
          </small>
        </span>
      </p>
      {night.day < expected && <p class="badge badge-warn night-late">{t("nights.late", { day: shortDay(expected) })}</p>}
    </>
  );
}

export function Nights() {
  const [nights, setNights] = useState<LawNight[] | null>(null);
  useEffect(() => askEvery(() => api<{ nights: LawNight[] }>("GET", "/api/law/nights"), (told) => setNights(told.nights), AGAIN_MS), []);
  const days = lastDays(now.value);
  const newest = nights?.[0];
  return (
    <section class="card flush law-nights" aria-labelledby="nights-title" aria-busy={nights === null}>
      <div class="law-card-head">
        <h2 id="nights-title">{t("nights.title")}</h2>
        <p class="muted">{t("nights.hint")}</p>
      </div>
      {nights && !newest && <p class="pad muted">{t("nights.never")}</p>}
      {newest && (
        <>
          <Last night={newest} expected={days[SHOWN - 1] ?? newest.day} />
          <Strip nights={nights ?? []} days={days} />
          <Violations nights={nights ?? []} />
        </>
      )}
    </section>
  );
}
