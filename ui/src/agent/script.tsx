/** What the campaign's legal profiles want said, and what they forbid to ask or say. */

import { lang, t } from "../i18n";
import type { Said, Script } from "../views";

function Lines({ title, kind, lines }: { title: string; kind: string; lines: Said[] }) {
  return (
    <div class={`script-${kind}`}>
      <h4>{title}</h4>
      <ul>
        {lines.map((line) => (
          <li key={line.es}>{line[lang.value]}</li>
        ))}
      </ul>
    </div>
  );
}

export function ScriptCard({ script: { say, dont } }: { script: Script }) {
  if (say.length + dont.length === 0) return null;
  return (
    <section class="card script" aria-label={t("pop.script")}>
      {say.length > 0 && <Lines title={t("pop.say")} kind="say" lines={say} />}
      {dont.length > 0 && <Lines title={t("pop.dont")} kind="dont" lines={dont} />}
    </section>
  );
}
