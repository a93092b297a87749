/** What a change would do, asked before it is made: the campaign as it is now, simulated with and without it. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { decimal, percent } from "../format";
import { t } from "../i18n";
import type { Campaign, Figure, Figures, WhatIfAnswer } from "../views";
import { act } from "../ui";

/** The server gives up earlier, and says why. */
const PATIENCE_MS = 75_000;

type Name = keyof Figures;

/** Each figure as the sentence has it: its factor, its digits there, and its unit. */
const SHOWN: Record<Name, { factor: number; digits: number; unit: string }> = {
  wait_mean_s: { factor: 1, digits: 0, unit: "\u00a0s" },
  utilisation: { factor: 100, digits: 0, unit: "\u00a0%" },
  abandonment: { factor: 100, digits: 1, unit: "\u00a0%" },
  wait_p95_s: { factor: 1, digits: 0, unit: "\u00a0s" },
  dials_per_contact: { factor: 1, digits: 1, unit: "" },
};

const ALL = Object.keys(SHOWN) as Name[];

/** Those that the sentence tells. */
const SAID = ALL.slice(0, 3);

/** 9 → 7 s; with one more digit where both would look the same. */
function pair(answer: WhatIfAnswer, name: Name): string {
  const { factor, digits, unit } = SHOWN[name];
  const at = (n: number) => [answer.now, answer.then].map((figures) => decimal(factor * figures[name].mean, n));
  const [now, then] = at(digits);
  const [from, to] = now === then ? at(digits + 1) : [now, then];
  return `${from} → ${to}${unit}`;
}

function band({ mean, half }: Figure, { factor, digits }: { factor: number; digits: number }): string {
  return `${decimal(factor * mean, digits + 1)} ± ${decimal(factor * half, digits + 1)}`;
}

function bands(answer: WhatIfAnswer, name: Name): string {
  const as = SHOWN[name];
  return `${t(`whatif.${name}`)} ${band(answer.now[name], as)} → ${band(answer.then[name], as)}${as.unit}`;
}

/** Whether chance alone could make such a difference. */
function unclear(answer: WhatIfAnswer, name: Name): boolean {
  const { mean, half } = answer.difference[name];
  return Math.abs(mean) <= half;
}

function Told({ answer }: { answer: WhatIfAnswer }) {
  const { simulated } = answer;
  const agents =
    simulated.agents === simulated.agents_then ? String(simulated.agents) : `${simulated.agents} → ${simulated.agents_then}`;
  const doubtful = SAID.filter((name) => unclear(answer, name)).map((name) => t(`whatif.${name}`));
  return (
    <>
      <p title={ALL.map((name) => bands(answer, name)).join("\n")}>
        {t("whatif.with")}{" "}
        {SAID.map((name, n) => (
          <span key={name}>
            {n > 0 && ", "}
            {t(`whatif.${name}`)} <strong class="num">{pair(answer, name)}</strong>
          </span>
        ))}
        .
      </p>
      <details>
        <summary>
          {doubtful.length > 0 && <>{t("whatif.unclear", { names: doubtful.join(", ") })} </>}
          {t("whatif.simulated", {
            pieces: simulated.pieces,
            hours: decimal(simulated.hours, simulated.hours < 1 ? 2 : 1),
            agents,
            rate: percent(simulated.answer_rate, 0),
          })}
          {!simulated.known && ` ${t("whatif.unknown")}`}
        </summary>
        <ul class="num">
          {ALL.map((name) => (
            <li key={name}>{bands(answer, name)}</li>
          ))}
        </ul>
      </details>
    </>
  );
}

export function WhatIf({ campaign, changes }: { campaign: Campaign; changes: object }) {
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<{ asked: string; answer: WhatIfAnswer } | null>(null);
  const asked = JSON.stringify(changes);
  const ask = async () => {
    setBusy(true);
    await act(async () => {
      const path = `/api/campaigns/${encodeURIComponent(campaign.id)}/what-if`;
      setTold({ asked, answer: await api<WhatIfAnswer>("POST", path, { changes }, PATIENCE_MS) });
    });
    setBusy(false);
  };
  return (
    <div class="whatif" aria-live="polite" aria-busy={busy}>
      {told?.asked === asked ? (
        <Told answer={told.answer} />
      ) : (
        <button type="button" disabled={busy} onClick={() => void ask()}>
          {busy && <span class="spinner" aria-hidden="true" />}
          {t(busy ? "whatif.busy" : "whatif.ask")}
        </button>
      )}
    </div>
  );
}
