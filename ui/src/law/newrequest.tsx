/** Writes down what a person asks about their own data; the server works out by when it must be answered. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { now } from "../clock";
import { localParts, shortDay } from "../format";
import { t, worded } from "../i18n";
import { Dialog, act, focusNow, sayWell } from "../ui";
import type { DataRequest } from "../views";
import { documentOf } from "./document";

const KINDS = ["consulta", "reclamo"];

export function NewRequest({ onDone }: { onDone: (changed: boolean) => void }) {
  const [typed, setTyped] = useState("");
  const [kind, setKind] = useState("consulta");
  const [received, setReceived] = useState("");
  const [busy, setBusy] = useState(false);
  const who = documentOf(typed);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!who) return;
    setBusy(true);
    const body = { ...who, kind, received_on: received || null };
    const well = await act(async () => {
      const made = await api<DataRequest>("POST", "/api/people/requests", body);
      sayWell(t("requests.openDone", { day: shortDay(made.due) }));
    });
    setBusy(false);
    if (well) onDone(true);
  };
  return (
    <Dialog title={t("requests.open")} onClose={() => onDone(false)}>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          {t("person.document")}
          <input
            name="document"
            required
            autoComplete="off"
            spellcheck={false}
            placeholder="CC-1020304050"
            maxLength={40}
            value={typed}
            ref={focusNow}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <label>
          {t("requests.kind")}
          <select name="kind" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {worded("request", one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("requests.receivedOn")}
          <input type="date" name="received" max={localParts(now.value).date} value={received} onInput={(event) => setReceived(event.currentTarget.value)} />
        </label>
        <div class="dialog-buttons">
          <button type="button" class="quiet" onClick={() => onDone(false)}>
            {t("common.cancel")}
          </button>
          <button type="submit" class="primary" disabled={busy || !who}>
            {t("requests.open")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
