/** The agent's microphone: asked for once a shift, chosen from those there are, its level shown, silenced on demand. */

import { signal } from "@preact/signals";

/** "off": not asked for yet, or the shift is over; "denied" by the person or the browser; "busy": another program has it. */
export type MicState = "off" | "asking" | "on" | "denied" | "none" | "busy";

export interface Device {
  id: string;
  label: string;
}

const STORED = "cadencia.microphone";
const LEVEL_MS = 80;

export const micState = signal<MicState>("off");
export const devices = signal<Device[]>([]);
export const chosenDevice = signal(localStorage.getItem(STORED) ?? "");
export const muted = signal(false);
/** 0 to 1, of what the microphone hears; 0 while it is silenced. */
export const level = signal(0);

let stream: MediaStream | null = null;
let meter: { context: AudioContext; stop: () => void } | null = null;
let opening: Promise<MediaStream | null> | null = null;
/** Told of another microphone, so that a call in progress goes over to it. */
let onChange: (track: MediaStreamTrack) => void = () => undefined;

export function whenChanged(told: (track: MediaStreamTrack) => void): void {
  onChange = told;
}

/** The microphone's stream, asking the person if need be; null if it cannot be had, and `micState` says why. */
export function openMicrophone(): Promise<MediaStream | null> {
  if (stream?.getAudioTracks()[0]?.readyState === "live") return Promise.resolve(stream);
  opening ??= open().finally(() => (opening = null));
  return opening;
}

async function open(): Promise<MediaStream | null> {
  micState.value = "asking";
  try {
    const got = await navigator.mediaDevices.getUserMedia({
      video: false,
      audio: {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        // Not `exact`: a headset that stayed at home must not keep anybody from working.
        ...(chosenDevice.value ? { deviceId: { ideal: chosenDevice.value } } : {}),
      },
    });
    take(got);
    await list();
    return got;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    micState.value = name === "NotAllowedError" ? "denied" : name === "NotReadableError" ? "busy" : "none";
    return null;
  }
}

function take(got: MediaStream): void {
  release();
  stream = got;
  const track = got.getAudioTracks()[0];
  if (!track) return;
  track.enabled = !muted.value;
  // Pulled out, or the permission taken back.
  track.onended = () => {
    if (stream !== got) return;
    release();
    micState.value = "none";
    void openMicrophone();
  };
  micState.value = "on";
  listenTo(got);
  onChange(track);
}

function release(): void {
  meter?.stop();
  meter = null;
  level.value = 0;
  for (const track of stream?.getTracks() ?? []) {
    track.onended = null;
    track.stop();
  }
  stream = null;
}

/** The shift is over: the browser shows that nobody listens any more. */
export function closeMicrophone(): void {
  release();
  micState.value = "off";
  muted.value = false;
}

export function mute(on: boolean): void {
  muted.value = on;
  for (const track of stream?.getAudioTracks() ?? []) track.enabled = !on;
  if (on) level.value = 0;
}

/** Go over to another microphone now, and take it from now on. */
export async function chooseDevice(id: string): Promise<void> {
  chosenDevice.value = id;
  localStorage.setItem(STORED, id);
  if (micState.value === "on") await open();
}

async function list(): Promise<void> {
  const all = await navigator.mediaDevices.enumerateDevices();
  devices.value = all.filter((d) => d.kind === "audioinput" && d.deviceId).map((d) => ({ id: d.deviceId, label: d.label }));
}

navigator.mediaDevices?.addEventListener("devicechange", () => {
  if (micState.value === "off") return;
  void list();
  if (micState.value === "none" || micState.value === "busy") void openMicrophone();
});

function listenTo(heard: MediaStream): void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(heard).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // -60 dB and less is nothing, 0 dB is all: as loudness is heard, not as voltages are.
    const shown = power > 0 && !muted.value ? Math.min(1, Math.max(0, (10 * Math.log10(power) + 60) / 60)) : 0;
    level.value = Math.round(Math.max(shown, level.value * 0.7) * 50) / 50;
  }, LEVEL_MS);
  // A browser may keep the context asleep until the person touches the page.
  const wake = () => void context.resume();
  addEventListener("pointerdown", wake);
  addEventListener("keydown", wake);
  meter = {
    context,
    stop: () => {
      clearInterval(timer);
      removeEventListener("pointerdown", wake);
      removeEventListener("keydown", wake);
      void context.close();
    },
  };
}
