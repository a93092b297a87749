/** Small pieces that both pages use. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ApiError } from "./api";
import { clockSpeed, now, simulated } from "./clock";
import { clockTime, decimal, longDate, span } from "./format";
import { chooseLanguage, lang, t, worded } from "./i18n";
import { go, place, places } from "./route";
import { me, online, signOut } from "./session";
import type { AgentState } from "./views";

export function Logo() {
  return (
    <span class="logo">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect class="logo-plate" width="32" height="32" rx="8" />
        <g fill="#fff">
          <rect x="6" y="13" width="3.4" height="6" rx="1.7" />
          <rect x="11.5" y="9" width="3.4" height="14" rx="1.7" />
          <rect x="17" y="6" width="3.4" height="20" rx="1.7" />
          <rect x="22.5" y="11" width="3.4" height="10" rx="1.7" />
        </g>
      </svg>
      <strong>Cadencia</strong>
    </span>
  );
}

const WEEK_S = 7 * 24 * 3600;

/** Time since an instant, by the desk's clock; a dash for what has been so since nobody knows when. */
export function Since({ at }: { at: string }) {
  const seconds = (now.value - Date.parse(at)) / 1000;
  return <span class="num">{seconds > WEEK_S ? "—" : span(seconds)}</span>;
}

const SHAPES: Record<AgentState, string> = {
  out: "M4 8h8",
  connecting: "M8 3v5l3 2",
  ready: "M3.5 8.5l3 3 6-7",
  preview: "M1.8 8S4 4 8 4s6.2 4 6.2 4S12 12 8 12 1.8 8 1.8 8zM8 8h.01",
  reserved: "M3 8h9M9 4.5L12.5 8 9 11.5",
  talking: "M3 6v4M6.3 3.5v9M9.7 5v6M13 6.5v3",
  wrapup: "M4 4.5h8M4 8h8M4 11.5h4",
  paused: "M5.5 3.5v9M10.5 3.5v9",
};

/** A state by colour, shape and word. */
export function StateTag({ state, large = false }: { state: AgentState; large?: boolean }) {
  return (
    <span class={`state state-${state}${large ? " state-large" : ""}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[state]} />
      </svg>
      {worded("state", state)}
    </span>
  );
}

function Clock() {
  const factor = Number.isInteger(clockSpeed.value) ? String(clockSpeed.value) : decimal(clockSpeed.value, 1);
  return (
    <div class="clock">
      {simulated.value && (
        <span class="badge badge-sim" title={t("clock.simulatedHint")}>
          {t("clock.simulated", { n: factor })}
        </span>
      )}
      <span class="clock-date">{longDate(now.value)}</span>
      <time class="clock-time num">{clockTime(now.value, true)}</time>
    </div>
  );
}

function Languages() {
  return (
    <div class="langs" role="group" aria-label={t("common.language")}>
      {(["es", "en"] as const).map((code) => (
        <button type="button" key={code} aria-pressed={lang.value === code} onClick={() => chooseLanguage(code)}>
          {code.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

/** The pages of the role, where there are several. */
function Tabs() {
  return (
    <nav class="tabs" aria-label={t("common.pages")}>
      {places.value.map(({ path, title }) => (
        <a
          key={path}
          href={path}
          aria-current={place.value?.path === path ? "page" : undefined}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
            event.preventDefault();
            go(path);
          }}
        >
          {t(title)}
        </a>
      ))}
    </nav>
  );
}

export function Header({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <header class="top">
      <Logo />
      <h1 class={places.value.length > 1 ? "unseen" : ""}>{title}</h1>
      {places.value.length > 1 && <Tabs />}
      <div class="top-middle">{children}</div>
      <Clock />
      <Languages />
      <div class="who">
        <span>{me.value?.name}</span>
        <button type="button" class="quiet" onClick={() => void act(signOut)}>
          {t("common.leave")}
        </button>
      </div>
    </header>
  );
}

export function LanguageChoice() {
  return <Languages />;
}

export function Offline() {
  if (online.value) return null;
  return (
    <div class="offline" role="alert">
      <span class="spinner" aria-hidden="true" />
      <strong>{t("link.down")}</strong> {t("link.downHint")}
    </div>
  );
}

// -- what went wrong, what went well ----------------------------------------------------------------------------------

interface Note {
  id: number;
  good: boolean;
  text: string;
  hint: string;
}

const notes = signal<Note[]>([]);
let made = 0;

function say(good: boolean, text: string, hint = ""): void {
  const note = { id: ++made, good, text, hint };
  notes.value = [...notes.value.slice(-2), note];
  setTimeout(() => (notes.value = notes.value.filter((n) => n !== note)), good ? 3_000 : 8_000);
}

export function sayWell(text: string): void {
  say(true, text);
}

/** Do something on the server; what it refuses is told to the person. Returns whether it was done. */
export async function act(doing: () => Promise<unknown>): Promise<boolean> {
  try {
    await doing();
    return true;
  } catch (error) {
    if (error instanceof ApiError) say(false, error.message, error.hint);
    else throw error;
    return false;
  }
}

/** How many dialogs are open: what is behind a dialog is dimmed, and no screen reader tells it. */
const dialogs = signal(0);

/** What was said lately; while a dialog is open, in the dialog. */
export function Notes({ inDialog = false }: { inDialog?: boolean }) {
  if (!inDialog && dialogs.value > 0) return null;
  return (
    <div class="notes" aria-live="assertive">
      {notes.value.map((note) => (
        <div key={note.id} class={`note ${note.good ? "note-good" : "note-bad"}`}>
          <strong>{note.text}</strong>
          {note.hint && <span>{note.hint}</span>}
        </div>
      ))}
    </div>
  );
}

// -- dialogs ----------------------------------------------------------------------------------------------------------

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  onKey?: (event: KeyboardEvent) => void;
}

/** The browser's own modal dialog: it keeps the focus inside, and Escape closes it. */
export function Dialog({ title, onClose, children, onKey }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  // At once, not after the next paint: the key pressed next is already meant for the dialog.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    dialogs.value += 1;
    return () => {
      dialogs.value -= 1;
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => {
        // A key that closes the dialog must not reach the page's shortcuts as well.
        event.stopPropagation();
        onKey?.(event);
      }}
    >
      <h2>{title}</h2>
      {children}
      <Notes inDialog />
    </dialog>
  );
}

export function dialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

export function Kbd({ children }: { children: string }) {
  return <kbd aria-hidden="true">{children}</kbd>;
}

/** For `ref`: the field that a choice leads to gets the focus when it appears. */
export function focusNow(element: HTMLElement | null): void {
  element?.focus();
}
