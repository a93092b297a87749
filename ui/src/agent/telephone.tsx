/** What the agent sees of the telephone: a line in the header, and a panel where the page itself is the telephone. */

import { count, percent } from "../format";
import { type Key, t } from "../i18n";
import type { AgentView } from "../views";
import { Kbd } from "../ui";
import { useKeys } from "./keys";
import type { Quality } from "./line";
import { type MicState, chooseDevice, chosenDevice, devices, level, micState, mute, muted } from "./microphone";
import {
  type LineState,
  askForCall,
  elsewhere,
  lineState,
  quality,
  silenced,
  takeOver,
  trouble,
  tryMicrophone,
} from "./softphone";

type Shown = LineState | "noMicrophone" | "asking" | "otherBrowser";

const FAILED: readonly MicState[] = ["denied", "none", "busy"];

/** One word for everything: what the agent has to mend comes first. */
function shown(): Shown {
  const state = lineState.value;
  if (state === "off" || state === "elsewhere") return state;
  if (trouble.value) return "refused";
  if (micState.value === "asking") return "asking";
  if (FAILED.includes(micState.value)) return "noMicrophone";
  return elsewhere.value ? "otherBrowser" : state;
}

const GOOD: readonly Shown[] = ["online", "registered"];

/** In the header. */
export function TelephoneTag({ view }: { view: AgentView }) {
  if (view.telephone === "browser") {
    const state = shown();
    return (
      <span class={`phone ${GOOD.includes(state) ? "phone-up" : "phone-down"}`}>
        <span class="dot" aria-hidden="true" />
        {t(`voice.${state}` as Key)} · {view.endpoint}
      </span>
    );
  }
  const key: Key = view.telephone === "rung" ? "phone.rung" : view.phone_up ? "phone.up" : "phone.down";
  return (
    <span class={`phone ${view.phone_up ? "phone-up" : "phone-down"}`}>
      <span class="dot" aria-hidden="true" />
      {t(key)} · {view.endpoint}
    </span>
  );
}

/** The link to the agent's server is lost: what goes on and what waits. */
export function SwitchNotice({ view }: { view: AgentView }) {
  if (view.switch_up) return null;
  return (
    <div class="offline notice" role="alert">
      <span class="spinner" aria-hidden="true" />
      <strong>{t("switch.down")}</strong> {t(view.state === "talking" ? "switch.downInCall" : "switch.downHint")}
    </div>
  );
}

type Grade = "good" | "fair" | "bad";

/** Bounds from ITU-T G.107 for G.711: at 1 % of loss it begins to be heard, at 5 % words are missed. */
function grade({ lost, jitterMs, roundTripMs }: Quality): Grade | null {
  if (lost === null && jitterMs === null) return null;
  if ((lost ?? 0) > 0.05 || (jitterMs ?? 0) > 60 || (roundTripMs ?? 0) > 600) return "bad";
  return (lost ?? 0) > 0.01 || (jitterMs ?? 0) > 30 || (roundTripMs ?? 0) > 300 ? "fair" : "good";
}

function QualityLine() {
  const found = quality.value;
  const known = found && grade(found);
  if (!found || !known) return null;
  const numbers = t("voice.numbers", {
    lost: found.lost === null ? "—" : percent(found.lost),
    jitter: found.jitterMs === null ? "—" : count(Math.round(found.jitterMs)),
  });
  const trip = found.roundTripMs === null ? "" : ` · ${t("voice.trip", { trip: count(Math.round(found.roundTripMs)) })}`;
  return (
    <p class={`quality quality-${known}`}>
      <span class="bars" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {t(`voice.quality.${known}`)} <small>{numbers + trip}</small>
    </p>
  );
}

function Level() {
  return <meter class="level" min={0} max={1} value={level.value} aria-label={t("voice.level")} />;
}

function Microphones() {
  const known = devices.value;
  const label = t("voice.microphone");
  return (
    <label class="microphone">
      {label}
      <select
        value={known.some((d) => d.id === chosenDevice.value) ? chosenDevice.value : known[0]?.id}
        onChange={(event) => void chooseDevice(event.currentTarget.value)}
      >
        {known.map((device, index) => (
          <option key={device.id} value={device.id}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What to do next, where there is something to do. */
function Advice({ state }: { state: Shown }) {
  const problem = trouble.value;
  if (problem) {
    const [text, hint] =
      typeof problem === "string" ? [t(`voice.${problem}Why`), t(`voice.${problem}Hint`)] : [problem.text, problem.hint];
    return (
      <div class="advice" role="alert">
        <strong>{text}</strong> {hint}
      </div>
    );
  }
  if (state === "noMicrophone") {
    const why = micState.value as "denied" | "none" | "busy";
    return (
      <div class="advice" role="alert">
        <strong>{t(`voice.${why}`)}</strong> {t(`voice.${why}Hint`)}
        <button type="button" class="wide" onClick={() => void tryMicrophone()}>
          {t("voice.tryAgain")}
        </button>
      </div>
    );
  }
  if (silenced.value) {
    return (
      <div class="advice" role="alert">
        <button type="button" class="primary wide">
          {t("voice.touch")}
        </button>
      </div>
    );
  }
  if (state === "elsewhere" || state === "otherBrowser") {
    return (
      <div class="advice">
        {t(`voice.${state}Hint`)}
        <button type="button" class="wide" onClick={() => (state === "elsewhere" ? takeOver() : void askForCall())}>
          {t("voice.here")}
        </button>
      </div>
    );
  }
  const hint: Partial<Record<Shown, Key>> = {
    asking: "voice.askingHint",
    lost: "voice.lostHint",
    registered: "voice.registeredHint",
  };
  const key = hint[state];
  return key ? <p class="muted">{t(key)}</p> : null;
}

/** The telephone that this page is. */
export function TelephonePanel({ view }: { view: AgentView }) {
  const state = shown();
  const canMute = micState.value === "on" && lineState.value !== "elsewhere";
  useKeys({ i: canMute ? () => mute(!muted.value) : undefined });
  return (
    <section class="card telephone" aria-labelledby="telephone-title">
      <div class="telephone-now" aria-live="polite">
        <h2 id="telephone-title">{t("voice.title")}</h2>
        <span class={`badge ${GOOD.includes(state) ? "badge-good" : "badge-warn"}`}>{t(`voice.${state}` as Key)}</span>
      </div>
      {(state !== "registered" || (view.state !== "out" && view.nailed)) && <Advice state={state} />}
      {canMute && (
        <>
          <button
            type="button"
            class={`wide ${muted.value ? "muted-on" : ""}`}
            aria-pressed={muted.value}
            onClick={() => mute(!muted.value)}
          >
            {t(muted.value ? "voice.unmute" : "voice.mute")} <Kbd>I</Kbd>
          </button>
          {muted.value ? <p class="muted-now">{t("voice.mutedNow")}</p> : <Level />}
          <Microphones />
        </>
      )}
      {state === "online" && <QualityLine />}
    </section>
  );
}
