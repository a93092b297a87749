/** Asks why before something about the law is decided, and for the file where there is one. */

import { useState } from "preact/hooks";
import { t } from "../i18n";
import { Dialog, act, focusNow, sayWell } from "../ui";
import { post } from "./feed";

export interface Question {
  title: string;
  detail: string;
  danger?: boolean;
  /** A profile's file is asked for too. */
  file?: boolean;
  path: string;
  body: Record<string, unknown>;
  done: string;
}

export function LawDialog({ question, onClose }: { question: Question; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    const body = { ...question.body, ...(question.file ? { text } : {}), reason: reason.trim() };
    const well = await act(() => post(question.path, body));
    setBusy(false);
    if (!well) return;
    sayWell(question.done);
    onClose();
  };
  return (
    <Dialog title={question.title} onClose={onClose}>
      <p class="dialog-detail">{question.detail}</p>
      <form onSubmit={(event) => void submit(event)}>
        {question.file && (
          <label>
            {t("law.file")}
            <input
              type="file"
              name="file"
              accept=".toml"
              required
              onChange={(event) => {
                void event.currentTarget.files?.[0]?.text().then(setText);
              }}
            />
          </label>
        )}
        <label>
          {t("reason.label")}
          <textarea
            name="reason"
            rows={3}
            required
            maxLength={300}
            value={reason}
            {...(question.file ? {} : { ref: focusNow })}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <p class="muted">{t("reason.kept")}</p>
        <div class="dialog-buttons">
          <button type="button" class="quiet" onClick={onClose}>
            {t("common.cancel")}
          </button>
          <button
            type="submit"
            class={question.danger ? "danger" : "primary"}
            disabled={busy || !reason.trim() || (question.file && !text)}
          >
            {question.title}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
