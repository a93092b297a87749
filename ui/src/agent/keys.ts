/** Keyboard shortcuts: single keys while nobody types, which a person may switch off (WCAG 2.1.4). */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
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
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (!keysOn.value || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
      if (typing(event.target) || dialogOpen()) return;
      const wanted = map[event.key.toLowerCase()];
      if (!wanted) return;
      event.preventDefault();
      wanted();
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  });
}
