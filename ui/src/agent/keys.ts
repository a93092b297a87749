/**
 * Keyboard shortcuts: single keys while nobody types, which a person may switch off (WCAG 2.1.4), and the same with Alt
 * at any time.
 */

import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { dialogOpen } from "../ui";

const STORED = "cadencia.keys";

export const keysOn = signal(localStorage.getItem(STORED) !== "off");

export function switchKeys(on: boolean): void {
  localStorage.setItem(STORED, on ? "on" : "off");
  keysOn.value = on;
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select") !== null;
}

/** Call the map's function for a key that nobody types into a field. */
export function useKeys(map: Record<string, (() => void) | undefined>): void {
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.repeat || dialogOpen()) return;
      if (!event.altKey && (!keysOn.value || typing(event.target))) return;
      // With Alt some keyboards make another character of the key, so there its place counts.
      const key = event.altKey ? event.code.replace(/^(Key|Digit)/, "") : event.key;
      const wanted = map[key.toLowerCase()];
      if (!wanted) return;
      event.preventDefault();
      wanted();
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  });
}
