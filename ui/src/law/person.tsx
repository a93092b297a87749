/** Why one person may be called or not, list by list and number by number, as `cadencia explain` tells it. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { shortDateTime } from "../format";
import { lang, t } from "../i18n";
import { codeLabel, floor } from "../session";
import { act } from "../ui";
import type { Explained, Needs } from "../views";
import { documentOf } from "./document";

function opens(at: string | null, needs: Needs): string {
  return at ? shortDateTime(at) : (needs?.[lang.value] ?? "");
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

function List({ one }: { one: Explained }) {
  const name = floor.value?.campaigns.find((c) => c.id === one.campaign)?.name ?? one.campaign;
  return (
    <li>
      <h3>
        {name} <small class="muted">{t("law.contact", { id: one.contact })}</small>
      </h3>
      {one.callable ? (
        <p class="why-yes">{t("person.callable", { phone: one.phone ?? "—" })}</p>
      ) : (
        <p class="why-no">
          {t("person.denied", { reason: codeLabel(one.code ?? "") })} <span class="mono muted">{one.rule}</span>
          <small class="law-note">{one.next_at ? t("person.next", { at: shortDateTime(one.next_at) }) : `${capital(opens(null, one.needs))}.`}</small>
        </p>
      )}
      <ul class="why-numbers">
        {one.numbers.map((number, index) => (
          <li key={index}>
            <strong class="mono">{number.phone ?? t("person.noPhone")}</strong>
            {number.against.length === 0 && <span class="muted"> {t("person.nothing")}</span>}
            <ul>
              {number.against.map((held) => (
                <li key={held.rule}>
                  {codeLabel(held.code)} <span class="mono muted">{held.rule}</span>
                  <small class="law-note">{opens(held.until, held.needs)}</small>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </li>
  );
}

export function WhyPerson() {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Explained[] | null>(null);
  const who = documentOf(typed);
  const ask = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!who) return;
    setBusy(true);
    setFound(null);
    await act(async () => setFound(await api<Explained[]>("POST", "/api/people/explain", who)));
    setBusy(false);
  };
  return (
    <section class="card flush" aria-labelledby="person-title">
      <div class="law-card-head">
        <h2 id="person-title">{t("person.title")}</h2>
        <p class="muted">{t("person.hint")}</p>
      </div>
      <form class="law-ask" onSubmit={(event) => void ask(event)}>
        <label class="grow">
          {t("person.document")}
          <input
            name="document"
            autoComplete="off"
            spellcheck={false}
            placeholder="CC-1020304050"
            maxLength={40}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={busy || !who}>
          {t("person.ask")}
        </button>
      </form>
      <div class="law-found" aria-live="polite" aria-busy={busy}>
        {found?.length === 0 && <p class="muted">{t("person.noList")}</p>}
        {found && found.length > 0 && (
          <ul class="why-person">
            {found.map((one) => (
              <List key={one.contact} one={one} />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
