/** The page's end of the event stream. */

import { type FromLink, Link } from "./link";
import type { ToWorker } from "./link.worker";

type Send = (message: ToWorker) => void;

function shared(onMessage: (message: FromLink) => void): Send {
  const worker = new SharedWorker(new URL("./link.worker.ts", import.meta.url), { type: "module", name: "cadencia" });
  worker.port.onmessage = ({ data }: MessageEvent<FromLink>) => onMessage(data);
  worker.port.start();
  addEventListener("pagehide", (event) => {
    if (!event.persisted) worker.port.postMessage({ kind: "bye" } satisfies ToWorker);
  });
  return (message) => worker.port.postMessage(message);
}

function alone(onMessage: (message: FromLink) => void): Send {
  const link = new Link(onMessage);
  return (message) => {
    if (message.kind === "open") link.open(message.who, onMessage);
    else if (message.kind === "retry") link.retry(message.anew);
    else if (message.kind === "leave") link.leave();
  };
}

/** Start listening; returns how to talk to the stream. */
export function listen(onMessage: (message: FromLink) => void): Send {
  return "SharedWorker" in globalThis ? shared(onMessage) : alone(onMessage);
}
