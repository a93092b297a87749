/** Preview: whether the person on the screen is dialled. The agent says so, or the time to choose runs out. */

import { useState } from "preact/hooks";
import { t, worded } from "../i18n";
import { codes } from "../session";
import type { AgentView, Pop } from "../views";
import { Dialog, Kbd } from "../ui";
import { useKeys } from "./keys";
import { send } from "./status";

function SkipDialog({ pop, onClose }: { pop: Pop; onClose: () => void }) {
  const reasons = codes.value?.skip_reasons ?? [];
  const choose = (reason: string | undefined) => {
    if (!reason) return;
    onClose();
    void send("skip", { attempt_id: pop.attempt_id, reason });
  };
  return (
    <Dialog title={t("skip.title")} onClose={onClose} onKey={(event) => choose(reasons[Number(event.key) - 1])}>
      <div class="choices">
        {reasons.map((reason, index) => (
          <button type="button" key={reason} onClick={() => choose(reason)}>
            <Kbd>{String(index + 1)}</Kbd> {worded("skip", reason)}
          </button>
        ))}
      </div>
      <button type="button" class="quiet" onClick={onClose}>
        {t("common.cancel")}
      </button>
    </Dialog>
  );
}

export function Choice({ view, pop }: { view: AgentView; pop: Pop }) {
  const [skipping, setSkipping] = useState(false);
  const [busy, setBusy] = useState(false);
  const open = view.state === "preview" && !busy;
  const dial = async () => {
    setBusy(true);
    await send("dial", { attempt_id: pop.attempt_id });
    setBusy(false);
  };
  useKeys({ m: open ? () => void dial() : undefined, s: open ? () => setSkipping(true) : undefined });
  if (view.state !== "preview") return <p class="confirm">{t("choice.dialling")}</p>;
  return (
    <div class="confirm">
      <p>{t("choice.hint")}</p>
      <div class="choice-buttons">
        <button type="button" disabled={!open} onClick={() => setSkipping(true)}>
          {t("do.skip")} <Kbd>S</Kbd>
        </button>
        <button type="button" class="primary" disabled={!open} onClick={() => void dial()}>
          {t("do.dial")} <Kbd>M</Kbd>
        </button>
      </div>
      {skipping && <SkipDialog pop={pop} onClose={() => setSkipping(false)} />}
    </div>
  );
}
