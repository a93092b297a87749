/**
 * The line to the switch: SIP over its WebSocket. This is the only module that knows JsSIP, and it is loaded only where
 * the browser is a telephone.
 */

import { UA, WebSocketInterface } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent } from "jssip/lib/UA";
import type { BrowserTelephone } from "../views";

/** Seconds of a registration; it is also how a connection that died in silence is found out. */
const REGISTER_S = 60;
/** Seconds between attempts to connect again, at least and at most. */
const RECOVER_S = [1, 10] as const;
/** How long the way of the voice may be broken before the call counts as lost. */
const BROKEN_MS = 5_000;
/** Host candidates come at once; others are not waited for. */
const GATHER_MS = 250;

export interface LineEvents {
  up: () => void;
  /** No connection, or no registration; it is being tried again. */
  down: () => void;
  /** The switch knows us and does not want us (a wrong password). */
  refused: () => void;
  /** The switch calls; `answer` or `reject` has to follow. */
  called: (call: Incoming) => void;
}

export interface CallEvents {
  /** Both sides know that it stands. */
  stands: () => void;
  sound: (stream: MediaStream) => void;
  /** `byThem`: the switch hung up. Otherwise it may not know yet that this call is over. */
  over: (byThem: boolean) => void;
}

/** What the connection is like, of the last seconds; null where nothing was heard. */
export interface Quality {
  /** Share of packets that did not arrive: here, or there as the switch reports it. */
  lost: number | null;
  jitterMs: number | null;
  roundTripMs: number | null;
}

export class Incoming {
  private broken = 0;
  private ended = false;
  private connection: RTCPeerConnection | null = null;
  private before = { received: 0, lost: 0 };

  constructor(private readonly session: RTCSession) {}

  get alive(): boolean {
    return !this.ended && !this.session.isEnded();
  }

  get stands(): boolean {
    return this.alive && this.session.isEstablished();
  }

  answer(microphone: MediaStream, told: CallEvents): void {
    const over = (byThem: boolean) => {
      if (this.ended) return;
      this.ended = true;
      clearTimeout(this.broken);
      told.over(byThem);
    };
    this.session.on("peerconnection", ({ peerconnection }) => {
      this.connection = peerconnection;
      peerconnection.addEventListener("track", (event) => told.sound(event.streams[0] ?? new MediaStream([event.track])));
      peerconnection.addEventListener("connectionstatechange", () => this.watch(peerconnection.connectionState));
    });
    this.session.on("icecandidate", (event) => setTimeout(() => event.ready(), GATHER_MS));
    this.session.on("confirmed", () => told.stands());
    this.session.on("ended", (event) => over((event.originator as string) === "remote"));
    this.session.on("failed", (event) => over((event.originator as string) === "remote"));
    this.session.answer({ mediaStream: microphone, pcConfig: { iceServers: [] } });
  }

  reject(status: number): void {
    this.ended = true;
    clearTimeout(this.broken);
    if (!this.session.isEnded()) this.session.terminate({ status_code: status });
  }

  /** End it here; the switch is told if it can be reached. */
  drop(): void {
    if (!this.session.isEnded()) this.session.terminate();
  }

  async speakInto(track: MediaStreamTrack): Promise<void> {
    for (const sender of this.connection?.getSenders() ?? []) {
      if (sender.track?.kind === "audio") await sender.replaceTrack(track);
    }
  }

  async quality(): Promise<Quality> {
    let received = 0;
    let lost = 0;
    let jitterMs: number | null = null;
    let roundTripMs: number | null = null;
    let thereLost: number | null = null;
    for (const report of ((await this.connection?.getStats()) ?? new Map()).values()) {
      if (report.type === "inbound-rtp") {
        received = report.packetsReceived ?? 0;
        lost = report.packetsLost ?? 0;
        jitterMs = (report.jitter ?? 0) * 1000;
      } else if (report.type === "remote-inbound-rtp") {
        thereLost = report.fractionLost ?? null;
        roundTripMs = report.roundTripTime === undefined ? null : report.roundTripTime * 1000;
      }
    }
    const [came, missed] = [received - this.before.received, Math.max(0, lost - this.before.lost)];
    this.before = { received, lost };
    const hereLost = came > 0 ? missed / (came + missed) : null;
    const both = [hereLost, thereLost].filter((share) => share !== null);
    return { lost: both.length ? Math.max(...both) : null, jitterMs: came > 0 ? jitterMs : null, roundTripMs };
  }

  private watch(state: RTCPeerConnectionState): void {
    clearTimeout(this.broken);
    if (state === "failed") this.drop();
    else if (state === "disconnected") this.broken = setTimeout(() => this.drop(), BROKEN_MS) as unknown as number;
  }
}

export class Line {
  private readonly ua: UA;

  constructor(account: BrowserTelephone, told: LineEvents) {
    this.ua = new UA({
      sockets: [new WebSocketInterface(account.wss)],
      uri: account.uri,
      authorization_user: account.user,
      password: account.password,
      register: true,
      register_expires: REGISTER_S,
      connection_recovery_min_interval: RECOVER_S[0],
      connection_recovery_max_interval: RECOVER_S[1],
      user_agent: "Cadencia",
    });
    this.ua.on("registered", told.up);
    this.ua.on("unregistered", told.down);
    this.ua.on("disconnected", told.down);
    this.ua.on("registrationFailed", ({ response }) => {
      const status = (response as { status_code?: number } | null)?.status_code ?? 0;
      if (status === 401 || status === 403 || status === 404) told.refused();
      else told.down();
    });
    this.ua.on("newRTCSession", ({ originator, session }: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
      if ((originator as string) === "remote") told.called(new Incoming(session));
    });
  }

  start(): void {
    this.ua.start();
  }

  /** Hangs up, takes the registration back and disconnects. */
  stop(): void {
    this.ua.removeAllListeners();
    this.ua.stop();
  }
}
