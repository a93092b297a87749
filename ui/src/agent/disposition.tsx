/** Choosing how the call went: level, leaf, and what the leaf asks for. Saved means: the server said so. */

import { useEffect, useRef, useState } from "preact/hooks";
import { readClock } from "../clock";
import { instantOf, localParts, minorDigits, money } from "../format";
import { lang, t } from "../i18n";
import { codes } from "../session";
import type { AgentView, Leaf, Level } from "../views";
import { Kbd, focusNow, sayWell } from "../ui";
import { type Draft, keepDraft, loadDraft } from "./draft";
import { useKeys } from "./keys";
import { LeafList } from "./leaves";
import { NoteCheck } from "./notecheck";
import { send } from "./status";

interface PanelProps {
  attempt: string;
  view: AgentView;
  owed: boolean;
}

const words = (x: { es: string; en: string }) => x[lang.value];

function leafOf(code: string): Leaf | undefined {
  return codes.value?.levels.flatMap((level) => level.leaves).find((leaf) => leaf.code === code);
}

/** Whole units as typed ("1.200.000" or "1200000") to minor units; null if that is no amount. */
function minorOf(typed: string, currency: string): number | null {
  const digits = typed.replace(/[.,\s$]/g, "");
  if (!/^\d{1,12}$/.test(digits) || Number(digits) === 0) return null;
  return Number(digits) * 10 ** minorDigits(currency);
}

function missing(draft: Draft, leaf: Leaf | undefined, currency: string): string {
  if (!leaf) return t("disposition.chooseFirst");
  if (leaf.needs_promise && minorOf(draft.amount, currency) === null) return t("promise.amountMissing");
  if (leaf.needs_promise && !draft.due) return t("promise.dueMissing");
  if (leaf.needs_promise && draft.due < localParts(readClock()).date) return t("promise.duePast");
  if (leaf.needs_callback) {
    const at = instantOf(draft.callback);
    if (!at) return t("callback.missing");
    if (Date.parse(at) <= readClock()) return t("callback.past");
  }
  return "";
}

function bodyOf(attempt: string, draft: Draft, leaf: Leaf, currency: string) {
  const minor = minorOf(draft.amount, currency);
  return {
    attempt_id: attempt,
    code: leaf.code,
    note: draft.note.trim(),
    promise: leaf.needs_promise && minor !== null ? { amount_minor: minor, currency, due: draft.due } : null,
    callback_at: leaf.needs_callback ? instantOf(draft.callback) : null,
  };
}

function consequence(leaf: Leaf): string {
  if (leaf.blocks_person) return t("after.blocks");
  if (leaf.kills_phone) return t("after.killsPhone");
  if (leaf.needs_callback) return t("after.callback");
  if (leaf.needs_promise) return t("after.promise");
  if (leaf.retry_h === null) return t("after.closed");
  return leaf.retry_h < 48 ? t("after.retryHours", { n: leaf.retry_h }) : t("after.retryDays", { n: leaf.retry_h / 24 });
}

function PromiseFields({ draft, currency, change }: { draft: Draft; currency: string; change: (d: Partial<Draft>) => void }) {
  const minor = minorOf(draft.amount, currency);
  return (
    <div class="fields">
      <label>
        {t("promise.amount", { currency })}
        <input
          name="amount"
          inputMode="numeric"
          autoComplete="off"
          value={draft.amount}
          onInput={(event) => change({ amount: event.currentTarget.value })}
          ref={focusNow}
        />
        <output>{minor === null ? "\u00a0" : money(minor, currency)}</output>
      </label>
      <label>
        {t("promise.due")}
        <input
          name="due"
          type="date"
          min={localParts(readClock()).date}
          value={draft.due}
          onInput={(event) => change({ due: event.currentTarget.value })}
        />
      </label>
    </div>
  );
}

function CallbackField({ draft, change }: { draft: Draft; change: (d: Partial<Draft>) => void }) {
  const { date, time } = localParts(readClock());
  return (
    <label>
      {t("callback.when")}
      <input
        name="callback"
        type="datetime-local"
        min={`${date}T${time}`}
        value={draft.callback}
        onInput={(event) => change({ callback: event.currentTarget.value })}
        ref={focusNow}
      />
    </label>
  );
}

function Levels({ levels, chosen, onChoose }: { levels: Level[]; chosen: string; onChoose: (code: string) => void }) {
  return (
    <div class="levels" role="group" aria-label={t("disposition.level")}>
      {levels.map((level, index) => (
        <button type="button" key={level.code} aria-pressed={chosen === level.code} onClick={() => onChoose(level.code)}>
          <Kbd>{String(index + 1)}</Kbd>
          <span>{words(level)}</span>
        </button>
      ))}
    </div>
  );
}

export function DispositionPanel({ attempt, view, owed }: PanelProps) {
  const [draft, setDraft] = useState<Draft>(() => loadDraft(attempt));
  const [level, setLevel] = useState("");
  const [state, setState] = useState<"idle" | "saving" | "saved">(draft.saved ? "saved" : "idle");
  const [problem, setProblem] = useState("");
  const note = useRef<HTMLTextAreaElement>(null);
  const saveRef = useRef<() => void>(() => undefined);
  const levels = codes.value?.levels ?? [];
  const leaf = leafOf(draft.code);
  const currency = view.pop?.obligations.find((o) => o.currency)?.currency ?? "COP";

  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    keepDraft(attempt, next);
    setProblem("");
    if (state === "saved") setState("idle");
  };

  const save = async () => {
    if (state === "saving") return;
    const lacks = missing(draft, leaf, currency);
    setProblem(lacks);
    if (lacks || !leaf) return;
    setState("saving");
    // Saving in wrap-up brings the agent's next state, with which this panel goes: nothing below may need it.
    const saved = await send("disposition", bodyOf(attempt, draft, leaf, currency));
    if (saved) {
      keepDraft(attempt, { ...draft, saved: leaf.code });
      setDraft({ ...draft, saved: leaf.code });
      sayWell(t("disposition.savedAs", { label: words(leaf) }));
    }
    setState(saved ? "saved" : "idle");
  };
  saveRef.current = () => void save();

  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) saveRef.current();
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);

  const chooseLevel = (code: string) => {
    setLevel(code);
    if (draft.code) change({ code: "" });
  };
  const choose = (code: string) => {
    change({ code });
    const chosen = leafOf(code);
    if (!chosen?.needs_promise && !chosen?.needs_callback) note.current?.focus();
  };
  const byNumber = Object.fromEntries(levels.map((l, i) => [String(i + 1), () => chooseLevel(l.code)]));
  useKeys({ ...byNumber, escape: () => chooseLevel("") });
  const open = levels.find((l) => l.code === level);

  return (
    <section class="card disposition" aria-labelledby="disposition-title">
      <div class="disposition-head">
        <h2 id="disposition-title">{t("disposition.title")}</h2>
        {owed && <span class="badge badge-warn mono">{attempt}</span>}
        <SaveState state={state} />
      </div>
      <Levels levels={levels} chosen={leaf ? (levels.find((l) => l.leaves.includes(leaf))?.code ?? "") : level} onChoose={chooseLevel} />
      {!leaf && open && <LeafList level={open} onChoose={choose} onBack={() => setLevel("")} />}
      {!leaf && !open && <p class="muted hint">{t("disposition.hint")}</p>}
      {leaf && (
        <>
          <div class="chosen">
            <div>
              <strong>{words(leaf)}</strong> <span class="mono muted">{leaf.code}</span>
              <small>{consequence(leaf)}</small>
            </div>
            <button type="button" class="quiet" onClick={() => change({ code: "" })}>
              {t("disposition.change")}
            </button>
          </div>
          {leaf.needs_promise && <PromiseFields draft={draft} currency={currency} change={change} />}
          {leaf.needs_callback && <CallbackField draft={draft} change={change} />}
        </>
      )}
      <label class="grow">
        {t("disposition.note")}
        <textarea
          ref={note}
          name="note"
          maxLength={2000}
          rows={3}
          value={draft.note}
          onInput={(event) => change({ note: event.currentTarget.value })}
        />
      </label>
      <NoteCheck attempt={attempt} note={draft.note} />
      <p class="problem" role="alert">
        {problem}
      </p>
      <button type="button" class="primary wide big" disabled={state === "saving" || !leaf} onClick={() => void save()}>
        {t(view.state === "wrapup" && !owed ? "do.saveNext" : "do.save")} <Kbd>Ctrl ↵</Kbd>
      </button>
    </section>
  );
}

function SaveState({ state }: { state: "idle" | "saving" | "saved" }) {
  return (
    <span class={`savestate savestate-${state}`} role="status">
      {state === "saving" ? t("disposition.saving") : state === "saved" ? t("disposition.saved") : ""}
    </span>
  );
}
