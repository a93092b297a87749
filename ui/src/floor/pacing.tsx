/** A campaign's pacing as the supervisor is about to set it; nothing is sent before "apply" and its reason. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { decimal, percent } from "../format";
import { type Key, t, worded } from "../i18n";
import type { Campaign } from "../views";
import { WhatIf } from "./whatif";

export interface Change {
  title: string;
  detail: string;
  danger: boolean;
  send: (reason: string) => Promise<unknown>;
}

interface Settings {
  mode: string;
  ratio: number;
  abandonment_target: number | null;
  abandonment_cap: number;
  weight: number;
  cancel_late: boolean;
}

const MODES = ["predictive", "progressive", "ratio", "preview"];

const RATIO = { least: 1, most: 5, step: 0.1 };

/** What differs from the campaign's present; a ratio counts only where it is used. */
function changed(campaign: Campaign, draft: Partial<Settings>): Partial<Settings> {
  const mode = draft.mode ?? campaign.mode;
  const differs = (Object.keys(draft) as (keyof Settings)[]).filter(
    (name) => draft[name] !== campaign[name] && (name !== "ratio" || mode === "ratio"),
  );
  return Object.fromEntries(differs.map((name) => [name, draft[name]]));
}

function shown(name: string, value: unknown): string {
  if (name === "mode") return worded("mode", String(value));
  if (value === null) return t("pacing.atCap");
  if (typeof value === "boolean") return t(value ? "common.yes" : "common.no");
  return name.startsWith("abandonment") ? percent(Number(value)) : decimal(Number(value), 1);
}

const digitsOf = (value: number) => Math.min(2, String(value).split(".")[1]?.length ?? 0);

interface NumberProps {
  name: string;
  label: Key;
  value: number | null;
  most: number;
  least?: number;
  empty?: string;
  onChange: (value: number | null) => void;
}

/** A number with a comma or a point, as typed until the field is left; an empty one is null where `empty` says so. */
function NumberField({ name, label, value, most, least = 0, empty, onChange }: NumberProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const read = (text: string) => (/^\d+([.,]\d*)?$/.test(text) ? Number(text.replace(",", ".")) : NaN);
  const number = typed === null ? 0 : read(typed.trim());
  const wrong = typed !== null && !(number >= least && number <= most) && !(typed.trim() === "" && empty !== undefined);
  return (
    <label>
      {t(label)}
      <input
        name={name}
        inputMode="decimal"
        autoComplete="off"
        class="num"
        aria-invalid={wrong}
        value={typed ?? (value === null ? "" : decimal(value, digitsOf(value)))}
        placeholder={empty}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setTyped(text);
          const written = read(text.trim());
          if (written >= least && written <= most) onChange(written);
          else if (text.trim() === "" && empty !== undefined) onChange(null);
        }}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}

const inPercent = (share: number | null) => (share === null ? null : Math.round(share * 10_000) / 100);
const ofPercent = (value: number | null) => (value === null ? null : Math.round(value * 100) / 10_000);

export function Pacing({ campaign, ask }: { campaign: Campaign; ask: (change: Change) => void }) {
  const [draft, setDraft] = useState<Partial<Settings>>({});
  const put = (part: Partial<Settings>) => setDraft((before) => ({ ...before, ...part }));
  const want: Settings = { ...campaign, ...draft };
  const changes = changed(campaign, draft);
  const dirty = Object.keys(changes).length > 0;
  const undo = () => setDraft({});
  const step = (by: number) =>
    put({ ratio: Math.min(RATIO.most, Math.max(RATIO.least, Math.round((want.ratio + by) * 10) / 10)) });
  const apply = () =>
    ask({
      title: t("pacing.change"),
      detail: Object.entries(changes)
        .map(([name, value]) => `${worded("setting", name)}: ${shown(name, value)}`)
        .join(" · "),
      danger: false,
      send: async (reason) => {
        await api("PATCH", `/api/campaigns/${encodeURIComponent(campaign.id)}`, { changes, reason });
        undo();
      },
    });
  return (
    <div class="pacing" role="group" aria-label={t("pacing.title")}>
      <label>
        {t("pacing.mode")}
        <select name="mode" value={want.mode} onChange={(event) => put({ mode: event.currentTarget.value })}>
          {MODES.map((name) => (
            <option key={name} value={name}>
              {worded("mode", name)}
            </option>
          ))}
        </select>
      </label>
      <NumberField
        name="abandonment_target"
        label="pacing.target"
        value={inPercent(want.abandonment_target)}
        most={20}
        empty={t("pacing.atCap")}
        onChange={(value) => put({ abandonment_target: ofPercent(value) })}
      />
      <NumberField
        name="abandonment_cap"
        label="pacing.cap"
        value={inPercent(want.abandonment_cap)}
        most={20}
        onChange={(value) => put({ abandonment_cap: ofPercent(value) ?? campaign.abandonment_cap })}
      />
      <NumberField
        name="weight"
        label="pacing.weight"
        value={want.weight}
        least={0.1}
        most={10}
        onChange={(value) => put({ weight: value ?? campaign.weight })}
      />
      {want.mode === "ratio" && (
        <div class="stepper">
          <span id={`ratio-${campaign.id}`}>{t("pacing.ratio")}</span>
          <div role="group" aria-labelledby={`ratio-${campaign.id}`}>
            <button type="button" aria-label={t("pacing.less")} disabled={want.ratio <= RATIO.least} onClick={() => step(-RATIO.step)}>
              −
            </button>
            <output class="num" aria-live="polite">
              {decimal(want.ratio, 1)}
            </output>
            <button type="button" aria-label={t("pacing.more")} disabled={want.ratio >= RATIO.most} onClick={() => step(RATIO.step)}>
              +
            </button>
          </div>
        </div>
      )}
      {want.mode === "predictive" && (
        <label class="switch">
          <input
            type="checkbox"
            name="cancel_late"
            checked={want.cancel_late}
            onChange={(event) => put({ cancel_late: event.currentTarget.checked })}
          />
          {t("pacing.cancelLate")}
        </label>
      )}
      <div class="pacing-apply">
        {dirty && (
          <button type="button" class="quiet" onClick={undo}>
            {t("pacing.undo")}
          </button>
        )}
        <button type="button" class="primary" disabled={!dirty} onClick={apply}>
          {t("pacing.apply")}
        </button>
      </div>
      {dirty && want.mode !== "preview" && campaign.mode !== "preview" && <WhatIf campaign={campaign} changes={changes} />}
    </div>
  );
}
