/** Who is signed in, what the server last said, and whether it can be heard. */

import { computed, signal } from "@preact/signals";
import { ApiError, api } from "./api";
import { setClock } from "./clock";
import { lang, preferLanguage } from "./i18n";
import type { FromLink } from "./link";
import type { ToWorker } from "./link.worker";
import { listen } from "./stream";
import type { AgentView, Codes, Floor, Me } from "./views";

export const me = signal<Me | null>(null);
export const asked = signal(false);
export const codes = signal<Codes | null>(null);
export const agent = signal<AgentView | null>(null);
export const floor = signal<Floor | null>(null);

export function codeLabel(code: string): string {
  return codes.value?.labels[code]?.[lang.value] ?? code;
}

const streamUp = signal(true);
const serverUp = signal(true);
export const online = computed(() => streamUp.value && serverUp.value);

/** How often the page asks for the clock; it is also how a silent, dead connection is found out. */
const PROBE_MS = 15_000;
const PROBE_DOWN_MS = 2_000;

let send: ((message: ToWorker) => void) | null = null;
let probing = 0;
let beginning = false;

function onStream(message: FromLink): void {
  if (message.kind === "link") {
    streamUp.value = message.up;
    if (!message.up) soon(PROBE_DOWN_MS);
  } else if (message.kind === "ended") {
    forget();
    void begin();
  } else if (message.who !== me.value?.login) {
    // Somebody else signed in, in another tab of this browser: find out who we are now.
    if (me.value) soon(0);
    else void begin();
  }
  else if (message.topic === "agent") agent.value = JSON.parse(message.data) as AgentView;
  else floor.value = JSON.parse(message.data) as Floor;
}

function soon(ms: number): void {
  clearTimeout(probing);
  probing = setTimeout(() => void probe(), ms) as unknown as number;
}

async function askWho(): Promise<Me> {
  const began = performance.now();
  const found = await api<Me>("GET", "/api/me", undefined, 5_000);
  setClock(found, performance.now() - began);
  return found;
}

async function probe(): Promise<void> {
  if (!me.value) return;
  try {
    const found = await askWho();
    const wasDown = !serverUp.value;
    serverUp.value = true;
    loadCodes();
    if (found.login !== me.value.login) return enter(found);
    if (wasDown || !streamUp.value) send?.({ kind: "retry", anew: wasDown });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return forget();
    serverUp.value = false;
  }
  soon(online.value ? PROBE_MS : PROBE_DOWN_MS);
}

function loadCodes(): void {
  if (codes.value) return;
  // Without them the page still works; the next probe asks again.
  api<Codes>("GET", "/api/dispositions").then(
    (found) => (codes.value = found),
    () => undefined,
  );
}

function enter(found: Me): void {
  preferLanguage(found.language);
  agent.value = null;
  floor.value = null;
  me.value = found;
  streamUp.value = true;
  send ??= listen(onStream);
  send({ kind: "open", who: found.login });
  loadCodes();
  soon(PROBE_MS);
}

function forget(): void {
  clearTimeout(probing);
  me.value = null;
  agent.value = null;
  floor.value = null;
}

/** Ask the server who we are; it may not be there yet. */
export async function begin(): Promise<void> {
  if (beginning) return;
  beginning = true;
  try {
    const found = await askWho();
    if (!me.value) enter(found);
    serverUp.value = true;
  } catch (error) {
    const nobody = error instanceof ApiError && error.status === 401;
    serverUp.value = nobody;
    if (!nobody) setTimeout(() => void begin(), PROBE_DOWN_MS);
  }
  beginning = false;
  asked.value = true;
}

export async function signIn(login: string, password: string): Promise<void> {
  const began = performance.now();
  const found = await api<Me>("POST", "/api/session", { login, password });
  setClock(found, performance.now() - began);
  enter(found);
}

export async function signOut(): Promise<void> {
  try {
    await api("DELETE", "/api/session");
  } catch (error) {
    // A session that is over already needs no ending.
    if (!(error instanceof ApiError && error.status === 401)) throw error;
  }
  send?.({ kind: "leave" });
  forget();
}

addEventListener("offline", () => (serverUp.value = false));
addEventListener("online", () => soon(0));
document.addEventListener("visibilitychange", () => {
  // Timers of a hidden page run slow: look at once when it comes back.
  if (!document.hidden && me.value) soon(0);
});
