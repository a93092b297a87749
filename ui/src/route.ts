/** Which page a person is on, of those that the role may open; the address says it. */

import { computed, signal } from "@preact/signals";
import type { Key } from "./i18n";
import { me } from "./session";

export interface Place {
  path: string;
  title: Key;
}

const AGENT: Place = { path: "/agente", title: "agent.title" };
const FLOOR: Place = { path: "/supervision", title: "floor.title" };
const LINES: Place = { path: "/telefonia", title: "lines.title" };
const LAW: Place = { path: "/cumplimiento", title: "law.title" };

/** Roles that the server lets see the lines. */
const LINEMEN = ["supervisor", "engineer", "admin"];

/** Roles that the server lets see the law's page. */
const LAWYERS = ["supervisor", "director", "compliance", "admin"];

const address = signal(location.pathname + location.search);

/** The pages of the signed-in user's role. */
export const places = computed<Place[]>(() => {
  const role = me.value?.role;
  if (!role) return [];
  if (role === "agent") return [AGENT];
  return [FLOOR, ...(LINEMEN.includes(role) ? [LINES] : []), ...(LAWYERS.includes(role) ? [LAW] : [])];
});

/** The page that is shown, null while nobody is signed in. */
export const place = computed<Place | null>(() => {
  const path = address.value.split("?")[0];
  const landing = me.value?.landing;
  return places.value.find((p) => p.path === path) ?? places.value.find((p) => p.path === landing) ?? places.value[0] ?? null;
});

/** The call whose timeline the address asks for, "" for none. */
export const wantedCall = computed(() => new URLSearchParams(address.value.split("?")[1] ?? "").get("llamada") ?? "");

export function canSeeLines(): boolean {
  return places.value.includes(LINES);
}

/** Open one of the role's pages, perhaps with a call's timeline. */
export function go(path: string, call = ""): void {
  const next = path + (call ? `?llamada=${encodeURIComponent(call)}` : "");
  if (next !== address.peek()) history.pushState(null, "", next);
  address.value = next;
}

export function goToCall(id: string): void {
  go(LINES.path, id);
}

/** Put the address right without a step to go back to. */
export function settle(path: string): void {
  if (location.pathname !== path) history.replaceState(null, "", path);
  address.value = location.pathname + location.search;
}

/** Nobody is signed in: whoever comes next starts on the own page. */
export function leave(): void {
  if (location.pathname !== "/entrar") history.replaceState(null, "", `/entrar${location.search}`);
  address.value = "/entrar";
}

addEventListener("popstate", () => (address.value = location.pathname + location.search));
