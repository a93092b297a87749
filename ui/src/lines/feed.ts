/** What the engine says of its lines, once a second, while the page is looked at. */

import { signal } from "@preact/signals";
import type { Telephony } from "../views";

export const lines = signal<Telephony | null>(null);

const AGAIN_MS = 2_000;

/** Listen until the returned function is called. A page that nobody sees does not listen: connections are few. */
export function listenToLines(): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let over = false;

  const close = () => {
    source?.close();
    source = null;
    clearTimeout(timer);
  };
  const open = () => {
    close();
    if (over || document.hidden) return;
    const opened = new EventSource("/api/stream?topic=telephony");
    source = opened;
    opened.addEventListener("telephony", (event) => {
      lines.value = JSON.parse((event as MessageEvent<string>).data) as Telephony;
    });
    opened.onerror = () => {
      // The browser comes back by itself after a broken connection, but gives up on an answer other than 200.
      if (opened.readyState === EventSource.CLOSED && source === opened) timer = setTimeout(open, AGAIN_MS) as unknown as number;
    };
  };
  document.addEventListener("visibilitychange", open);
  open();
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", open);
    close();
    lines.value = null;
  };
}
