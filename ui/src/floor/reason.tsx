/** Asks why, before anything changes on the floor. */

import { useState } from "preact/hooks";
import { t } from "../i18n";
import { Dialog, focusNow } from "../ui";

interface ReasonProps {
  title: string;
  detail: string;
  danger: boolean;
  onClose: () => void;
  onSend: (reason: string) => Promise<void>;
}

export function ReasonDialog({ title, detail, danger, onClose, onSend }: ReasonProps) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    await onSend(reason.trim());
    setBusy(false);
  };
  const usual = [t("why.usual1"), t("why.usual2"), t("why.usual3"), t("why.usual4")];
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="dialog-detail">{detail}</p>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          {t("reason.label")}
          <input
            name="reason"
            required
            maxLength={300}
            autoComplete="off"
            value={reason}
            ref={focusNow}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <div class="usual">
          {usual.map((text) => (
            <button type="button" key={text} onClick={() => setReason(text)}>
              {text}
            </button>
          ))}
        </div>
        <p class="muted">{t("reason.kept")}</p>
        <div class="dialog-buttons">
          <button type="button" class="quiet" onClick={onClose}>
            {t("common.cancel")}
          </button>
          <button type="submit" class={danger ? "danger" : "primary"} disabled={busy || !reason.trim()}>
            {title}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
