/**
 * One event stream. It runs in the shared worker, so that all tabs of a browser use one connection (a browser allows
 * about six to one server), or in the page itself where there is no shared worker.
 */

export type FromLink =
  | { kind: "state"; who: string; topic: string; data: string }
  | { kind: "link"; up: boolean }
  | { kind: "ended" };

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10_000;

export class Link {
  private source: EventSource | null = null;
  private who = "";
  private last: FromLink | null = null;
  private up = false;
  private wait = FIRST_WAIT_MS;
  private timer = 0;

  constructor(private readonly tell: (message: FromLink) => void) {}

  /** Listen as this user; what is known already is told again, to whoever asked. */
  open(who: string, tell: (message: FromLink) => void): void {
    if (who !== this.who) {
      this.close();
      this.who = who;
    }
    if (!this.source && !this.timer) this.connect();
    if (this.last) tell(this.last);
    tell({ kind: "link", up: this.up });
  }

  /** A page found the server again: do not wait for the timer. A stream that is open is trusted unless `anew`. */
  retry(anew: boolean): void {
    if (!this.who || (this.up && !anew)) return;
    this.drop();
    this.connect();
  }

  /** The person left: in every tab. */
  leave(): void {
    this.close();
    this.say(false);
    this.tell({ kind: "ended" });
  }

  private close(): void {
    this.drop();
    this.who = "";
    this.last = null;
  }

  private drop(): void {
    this.source?.close();
    this.source = null;
    clearTimeout(this.timer);
    this.timer = 0;
  }

  private connect(): void {
    this.timer = 0;
    const source = new EventSource("/api/stream");
    this.source = source;
    for (const topic of ["agent", "floor"]) {
      source.addEventListener(topic, (event) => {
        this.last = { kind: "state", who: this.who, topic, data: (event as MessageEvent<string>).data };
        this.wait = FIRST_WAIT_MS;
        this.say(true);
        this.tell(this.last);
      });
    }
    source.addEventListener("end", (event) => this.ended((event as MessageEvent<string>).data));
    source.onerror = () => {
      this.say(false);
      // The browser comes back by itself after a broken connection, but gives up on an answer other than 200.
      if (source.readyState === EventSource.CLOSED && this.source === source) this.later();
    };
  }

  private ended(data: string): void {
    if (data.includes("restart")) return;
    this.leave();
  }

  private later(): void {
    this.drop();
    this.timer = setTimeout(() => this.connect(), this.wait) as unknown as number;
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private say(up: boolean): void {
    if (up === this.up) return;
    this.up = up;
    this.tell({ kind: "link", up });
  }
}
