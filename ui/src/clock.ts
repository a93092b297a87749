/** The desk's clock on this page: the server's instant plus what has passed here, times the clock's speed. */

import { signal } from "@preact/signals";
import type { Me } from "./views";

let baseMs = Date.now();
let atMs = performance.now();
let speed = 1;

/** The desk's instant, renewed a few times a second so that timers run. */
export const now = signal(baseMs);
export const simulated = signal(false);
export const clockSpeed = signal(1);
export const timezone = signal("America/Bogota");

export function readClock(): number {
  return baseMs + (performance.now() - atMs) * speed;
}

/** Take over the server's clock; `tookMs` is how long the answer took, of which half is the way back. */
export function setClock(me: Me, tookMs: number): void {
  speed = me.clock.speed;
  baseMs = Date.parse(me.clock.now) + (tookMs / 2) * speed;
  atMs = performance.now();
  simulated.value = me.clock.simulated;
  clockSpeed.value = speed;
  timezone.value = me.timezone;
  now.value = readClock();
}

setInterval(() => (now.value = readClock()), 250);
