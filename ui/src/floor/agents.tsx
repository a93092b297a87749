/** The agents' grid: sorted by what needs a look, or by any column. */

import { useState } from "preact/hooks";
import { now } from "../clock";
import { count, span } from "../format";
import { type Key, t, worded } from "../i18n";
import type { AgentRow, AgentState } from "../views";
import { Since, StateTag } from "../ui";

const ORDER: AgentState[] = ["talking", "wrapup", "reserved", "preview", "ready", "paused", "connecting", "out"];

type Column = "name" | "state" | "since" | "calls" | "average";

const average = (row: AgentRow) => (row.calls ? row.talk_s / row.calls : 0);

const COMPARE: Record<Column, (a: AgentRow, b: AgentRow) => number> = {
  name: (a, b) => a.name.localeCompare(b.name, "es"),
  state: (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || Date.parse(a.since) - Date.parse(b.since),
  since: (a, b) => Date.parse(a.since) - Date.parse(b.since),
  calls: (a, b) => b.calls - a.calls,
  average: (a, b) => average(b) - average(a),
};

/** Seconds in a state after which a supervisor wants to look. */
const LONG_S: Partial<Record<AgentState, number>> = { wrapup: 60, ready: 120, connecting: 30, reserved: 45, talking: 600 };

function Row({ row }: { row: AgentRow }) {
  const seconds = (now.value - Date.parse(row.since)) / 1000;
  const limit = LONG_S[row.state];
  const long = limit !== undefined && seconds > limit;
  return (
    <tr class={row.state === "out" ? "row-out" : ""}>
      <th scope="row">
        {row.name} {!row.phone_up && row.state !== "out" && <span class="badge badge-warn">{t("agents.noPhone")}</span>}
      </th>
      <td>
        <StateTag state={row.state} />
      </td>
      <td class={`right ${long ? "long" : ""}`} title={long ? t("agents.long") : undefined}>
        <Since at={row.since} />
        {long && <span aria-hidden="true"> ▲</span>}
      </td>
      <td class="muted">{row.reason ? worded("reason", row.reason) : ""}</td>
      <td class="right num">{count(row.calls)}</td>
      <td class="right num">{span(average(row))}</td>
    </tr>
  );
}

function Head({ column, sort, onSort, right }: { column: Column; sort: Column; onSort: (c: Column) => void; right?: boolean }) {
  return (
    <th scope="col" class={right ? "right" : ""} aria-sort={sort === column ? "ascending" : "none"}>
      <button type="button" class="sort" onClick={() => onSort(column)}>
        {t(`agents.${column}` satisfies Key)}
        <span aria-hidden="true">{sort === column ? " ↓" : ""}</span>
      </button>
    </th>
  );
}

function Summary({ rows }: { rows: AgentRow[] }) {
  return (
    <ul class="summary">
      {ORDER.map((state) => {
        const n = rows.filter((row) => row.state === state).length;
        if (state === "preview" && n === 0) return null; // only where a campaign is in that mode
        return (
          <li key={state} class={n === 0 ? "none" : ""}>
            <strong class="num">{n}</strong> <StateTag state={state} />
          </li>
        );
      })}
    </ul>
  );
}

export function Agents({ rows }: { rows: AgentRow[] }) {
  const [sort, setSort] = useState<Column>("state");
  const sorted = [...rows].sort(COMPARE[sort]);
  return (
    <section class="card flush agents" aria-labelledby="agents-title">
      <div class="agents-head">
        <h2 id="agents-title">{t("agents.title")}</h2>
        <Summary rows={rows} />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="agents-title">
        <table>
          <thead>
            <tr>
              <Head column="name" sort={sort} onSort={setSort} />
              <Head column="state" sort={sort} onSort={setSort} />
              <Head column="since" sort={sort} onSort={setSort} right />
              <th scope="col">{t("agents.reason")}</th>
              <Head column="calls" sort={sort} onSort={setSort} right />
              <Head column="average" sort={sort} onSort={setSort} right />
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <Row key={row.id} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
