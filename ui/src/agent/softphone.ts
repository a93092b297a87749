/**
 * This page as the agent's telephone. It registers on the switch, answers the engine's call without asking, stays on
 * the line, and comes back by itself after a reload, a lost connection or a restart of the switch. Of several tabs one
 * is the telephone; the others wait to take over.
 */

import { computed, effect, signal } from "@preact/signals";
import { ApiError, api } from "../api";
import { agent } from "../session";
import type { AgentView, BrowserTelephone } from "../views";
import type { Incoming, Line, Quality } from "./line";
import { closeMicrophone, mute, openMicrophone, whenChanged } from "./microphone";

/** "elsewhere": another tab of this browser is the telephone. */
export type LineState = "off" | "elsewhere" | "connecting" | "registered" | "online" | "lost" | "refused";

export const lineState = signal<LineState>("off");
/** What keeps the page from being a telephone: no https, no such password on the switch, or in the server's words. */
export const trouble = signal<"insecure" | "refused" | { text: string; hint: string } | null>(null);
export const quality = signal<Quality | null>(null);
/** The browser wants a touch before it lets anything be heard. */
export const silenced = signal(false);

const LOCK = "cadencia.telephone";
const QUALITY_MS = 2_000;
/** A call of the engine's may arrive a moment before the state that announces it. */
const EXPECT_MS = 3_000;
/** How long a call that the switch believes in and this page does not have may be on its way. */
const GHOST_MS = 3_000;
/** Between attempts to be registered again where the connection stands and the registration does not. */
const AGAIN_MS = [2_000, 4_000, 8_000, 15_000] as const;
const REFUSED_MS = 20_000;

let line: Line | null = null;
let call: Incoming | null = null;
let release: (() => void) | null = null;
let generation = 0;
let tries = 0;
let again = 0;
/** The switch may hold a call of an earlier page, or one that broke here: it may be hung up, once. */
let mayHoldGhost = false;

const sound = new Audio();
sound.autoplay = true;

/** The endpoint this page has to be, null where the telephone is another device. */
const wanted = computed(() => (agent.value?.telephone === "browser" ? agent.value.endpoint : null));
const onShift = computed(() => wanted.value !== null && agent.value?.state !== "out");
const attempt = computed(() => agent.value?.pop?.attempt_id ?? null);

/** Whether the switch has a call of this agent's that this page does not. */
export const elsewhere = computed(() => {
  const view = agent.value;
  return lineState.value === "registered" && view !== null && view.nailed && view.phone_up && view.state !== "out";
});

// -- one tab is the telephone -----------------------------------------------------------------------------------------

function queue(steal: boolean): void {
  const mine = ++generation;
  const held = async () => {
    if (mine !== generation) return;
    const over = new Promise<void>((resolve) => (release = resolve));
    void begin();
    await over;
  };
  // Another tab's telephone shows after a moment, so that a reload does not flicker.
  setTimeout(() => {
    if (mine === generation && lineState.value === "off" && !release) lineState.value = "elsewhere";
  }, 300);
  navigator.locks.request(LOCK, steal ? { steal } : {}, held).catch(() => {
    // Taken over by another tab: wait for it to go.
    if (mine !== generation || !wanted.value) return;
    release = null;
    end("elsewhere");
    queue(false);
  });
}

/** Make this tab the telephone; the one that is falls silent. */
export function takeOver(): void {
  lineState.value = "connecting";
  queue(true);
}

effect(() => {
  const is = wanted.value !== null;
  if (generation) {
    generation++;
    end("off");
  }
  if (!is) return;
  if (loadedElsewhere()) return location.reload();
  if (!("locks" in navigator) || !navigator.mediaDevices) {
    trouble.value = "insecure";
    return;
  }
  queue(false);
});

/** Only the agent's page may use the microphone and the switch; a person who signed in came by another address. */
function loadedElsewhere(): boolean {
  const loaded = performance.getEntriesByType("navigation")[0]?.name ?? location.href;
  return location.pathname === "/agente" && new URL(loaded).pathname !== "/agente";
}

// -- registered -------------------------------------------------------------------------------------------------------

async function begin(): Promise<void> {
  clearTimeout(again);
  const mine = generation;
  if (lineState.value !== "lost") lineState.value = "connecting";
  try {
    const [account, { Line }] = await Promise.all([
      api<BrowserTelephone>("GET", "/api/agent/telephone"),
      import("./line"),
    ]);
    if (mine !== generation) return;
    trouble.value = null;
    mayHoldGhost = true;
    line = new Line(account, { up, down, refused, called: (incoming) => void called(incoming) });
    line.start();
  } catch (error) {
    if (mine !== generation) return;
    if (error instanceof ApiError && error.status === 409) trouble.value = { text: error.message, hint: error.hint };
    later(error instanceof ApiError && error.status === 409 ? REFUSED_MS : undefined);
  }
}

function up(): void {
  clearTimeout(again);
  tries = 0;
  trouble.value = null;
  lineState.value = call?.stands ? "online" : "registered";
  // Also with a call that lives here only: it was of a server that is gone.
  if (onShift.value && !agent.value?.phone_up) void askForCall();
}

function down(): void {
  if (lineState.value !== "connecting") lineState.value = "lost";
  // The line tries again by itself while it cannot connect; this is for a connection that stands and is of no use.
  later();
}

function refused(): void {
  lineState.value = "refused";
  trouble.value = "refused";
  later(REFUSED_MS);
}

function later(ms: number = AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)] ?? REFUSED_MS): void {
  clearTimeout(again);
  again = setTimeout(() => {
    // A call that still stands goes on without registration: leave it alone.
    if (call?.alive) return later();
    hangUpLine();
    void begin();
  }, ms) as unknown as number;
}

function hangUpLine(): void {
  line?.stop();
  line = null;
}

function end(state: LineState): void {
  clearTimeout(again);
  const ending = call;
  call = null;
  ending?.drop();
  sound.srcObject = null;
  quality.value = null;
  hangUpLine();
  release?.();
  release = null;
  trouble.value = null;
  lineState.value = state;
}

// -- on the line ------------------------------------------------------------------------------------------------------

/** The engine calls this telephone now, or is about to: anything else that rings here is not ours to answer. */
function expected(view: AgentView | null): boolean {
  return view !== null && view.state !== "out" && (view.nailed ? !view.phone_up : view.state === "reserved");
}

async function called(incoming: Incoming): Promise<void> {
  const until = performance.now() + EXPECT_MS;
  while (!expected(agent.value) && performance.now() < until && incoming.alive) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (!expected(agent.value)) return incoming.reject(486);
  const microphone = await openMicrophone();
  if (!microphone) return incoming.reject(480);
  if (!incoming.alive) return;
  const before = call;
  call = incoming;
  before?.drop(); // of a server that is gone, or of a connection that broke
  incoming.answer(microphone, {
    stands: () => {
      if (call === incoming && lineState.value !== "off" && lineState.value !== "elsewhere") lineState.value = "online";
    },
    sound: (heard) => {
      sound.srcObject = heard;
      void listen();
    },
    over: (byThem) => {
      if (call !== incoming) return;
      call = null;
      sound.srcObject = null;
      quality.value = null;
      mayHoldGhost = !byThem;
      if (lineState.value === "online") lineState.value = "registered";
      // Where the voice finds no way, the connection beside it may be as dead without knowing.
      if (!byThem && onShift.value) later(0);
    },
  });
}

async function listen(): Promise<void> {
  try {
    await sound.play();
    silenced.value = false;
  } catch (error) {
    // Not where a newer call came between.
    silenced.value = error instanceof DOMException && error.name === "NotAllowedError";
  }
}

const touched = () => {
  if (silenced.value) void listen();
};
addEventListener("pointerdown", touched);
addEventListener("keydown", touched);

/** Have the engine call this page now; a call that it believes in and nobody has is hung up. */
export async function askForCall(): Promise<void> {
  mayHoldGhost = false;
  try {
    await api("POST", "/api/agent/telephone");
  } catch {
    // The engine calls by itself as well, only later.
  }
}

let ghost = 0;
effect(() => {
  const haunted = elsewhere.value;
  clearTimeout(ghost);
  if (haunted) {
    ghost = setTimeout(() => {
      if (mayHoldGhost && elsewhere.value) void askForCall();
    }, GHOST_MS) as unknown as number;
  }
});

whenChanged((track) => void call?.speakInto(track));

setInterval(() => {
  const asked = call;
  if (!asked?.alive) return;
  void asked.quality().then((found) => {
    if (call === asked) quality.value = found;
  });
}, QUALITY_MS);

// -- the shift --------------------------------------------------------------------------------------------------------

/** The microphone once more, after it could not be had; on a shift the engine then calls at once. */
export async function tryMicrophone(): Promise<void> {
  if ((await openMicrophone()) && onShift.value && !agent.value?.phone_up) void askForCall();
}

/** Before the shift begins: the microphone. False if the agent could not speak; the page says why. */
export async function readyToSpeak(): Promise<boolean> {
  if (!wanted.value || lineState.value === "elsewhere") return true;
  return (await openMicrophone()) !== null;
}

effect(() => {
  const holds = lineState.value !== "off" && lineState.value !== "elsewhere";
  if (!onShift.value) {
    // The switch hangs up as well, but it may not reach a page whose connection was cut meanwhile.
    call?.drop();
    closeMicrophone();
  } else if (holds) void openMicrophone();
});

// Whoever comes on the line next must be heard, whatever was silenced before.
effect(() => {
  if (attempt.value) mute(false);
});

addEventListener("online", () => {
  if (line && !call?.alive) later(0); // a connection from before does not know yet that it is dead
});

addEventListener("pagehide", () => {
  if (line) end("off");
});
addEventListener("pageshow", (event) => {
  // Out of the browser's memory, with a line that was cut when it went in.
  if (event.persisted && wanted.value) location.reload();
});
