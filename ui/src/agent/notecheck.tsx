/** While a note is written: what it shows that the campaign's profiles forbid, as the server sees it. It stops nobody. */

import { useEffect, useState } from "preact/hooks";
import { ApiError, api } from "../api";
import { lang, t } from "../i18n";
import type { NoteFinding } from "../views";

/** A pause in the typing. */
const PAUSE_MS = 500;

export function NoteCheck({ attempt, note }: { attempt: string; note: string }) {
  const [found, setFound] = useState<NoteFinding[]>([]);
  const language = lang.value;
  useEffect(() => {
    if (!note.trim()) {
      setFound([]);
      return;
    }
    let over = false;
    const ask = async () => {
      try {
        const told = await api<{ findings: NoteFinding[] }>("POST", "/api/agent/note", { attempt_id: attempt, note });
        if (!over) setFound(told.findings);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error; // the note is looked at again when it is saved
      }
    };
    const timer = setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [attempt, note, language]);
  return (
    <div class="note-check" role="status">
      {found.length > 0 && (
        <>
          <strong>{t("note.title")}</strong>
          <ul>
            {found.map((finding, index) => (
              <li key={index}>
                <q>{finding.said}</q> {finding.told} <small>{finding.citation}</small>
              </li>
            ))}
          </ul>
          {found.some((finding) => finding.question) && <p>{t("note.volunteered")}</p>}
          <p>{t("note.kept")}</p>
        </>
      )}
    </div>
  );
}
