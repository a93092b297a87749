/** Words in two languages, one catalogue each; a key that one of them lacks does not compile. */

import { signal } from "@preact/signals";
import en from "./texts/en.json";
import es from "./texts/es.json";

export type Lang = "es" | "en";
export type Key = keyof typeof es;

const CATALOGUE: Record<Lang, Record<Key, string>> = { es, en };
const STORED = "cadencia.lang";

function stored(): Lang | null {
  const value = localStorage.getItem(STORED);
  return value === "es" || value === "en" ? value : null;
}

export const lang = signal<Lang>(stored() ?? "es");

/** The user's own language, unless this browser's user chose one on the page. */
export function preferLanguage(language: string): void {
  if (!stored() && (language === "es" || language === "en")) lang.value = language;
}

export function chooseLanguage(language: Lang): void {
  localStorage.setItem(STORED, language);
  lang.value = language;
}

export function t(key: Key, words: Record<string, string | number> = {}): string {
  return CATALOGUE[lang.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(words[name] ?? whole));
}

/** The words for a code that the server may invent; the code itself if the catalogue has none. */
export function worded(prefix: string, code: string): string {
  const words = (CATALOGUE[lang.value] as Record<string, string>)[`${prefix}.${code}`];
  return words ?? code;
}
