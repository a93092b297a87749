/** The shared worker: one `Link` for all tabs of this browser. */

import { type FromLink, Link } from "./link";

export type ToWorker = { kind: "open"; who: string } | { kind: "retry"; anew: boolean } | { kind: "leave" } | { kind: "bye" };

const ports = new Set<MessagePort>();
const link = new Link((message: FromLink) => {
  for (const port of ports) port.postMessage(message);
});

function connected(event: MessageEvent): void {
  const port = event.ports[0];
  if (!port) return;
  ports.add(port);
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === "open") link.open(data.who, (message) => port.postMessage(message));
    else if (data.kind === "retry") link.retry(data.anew);
    else if (data.kind === "leave") link.leave();
    else ports.delete(port);
  };
  port.start();
}

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = connected;
