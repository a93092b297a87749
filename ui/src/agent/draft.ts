/** What an agent has typed for a call, kept in this browser until the server has it: a reload or a crash loses nothing. */

import { me } from "../session";

export interface Draft {
  code: string;
  note: string;
  amount: string;
  due: string;
  callback: string;
  saved: string; // the code that the server has, empty while it has none
  at: number;
}

export const EMPTY: Draft = { code: "", note: "", amount: "", due: "", callback: "", saved: "", at: 0 };
const KEEP_MS = 12 * 3600 * 1000;

const prefix = () => `cadencia.draft.${me.value?.login ?? ""}.`;

export function loadDraft(attempt: string): Draft {
  try {
    const held = localStorage.getItem(prefix() + attempt);
    return held ? { ...EMPTY, ...(JSON.parse(held) as Partial<Draft>) } : EMPTY;
  } catch {
    return EMPTY;
  }
}

export function keepDraft(attempt: string, draft: Draft): void {
  localStorage.setItem(prefix() + attempt, JSON.stringify({ ...draft, at: Date.now() }));
}

/** Notes are about people: what the server has, and what is old, is not kept in the browser. */
export function sweepDrafts(open: readonly string[]): void {
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith("cadencia.draft.")) continue;
    const mine = key.startsWith(prefix());
    const attempt = key.slice(prefix().length);
    if (mine && open.includes(attempt)) continue;
    const held = mine ? loadDraft(attempt) : null;
    if (held ? held.saved !== "" || Date.now() - held.at > KEEP_MS : isOld(key)) localStorage.removeItem(key);
  }
}

function isOld(key: string): boolean {
  try {
    return Date.now() - (JSON.parse(localStorage.getItem(key) ?? "{}") as Draft).at > KEEP_MS;
  } catch {
    return true;
  }
}
