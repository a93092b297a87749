/** Asks the server again from time to time, while somebody looks. */

import { ApiError } from "../api";

/** Ask now, every so many milliseconds, and when the page is looked at again; the returned function ends it. What fails
 * is asked again the next time. */
export function askEvery<T>(ask: () => Promise<T>, told: (answer: T) => void, everyMs: number): () => void {
  let over = false;
  const once = async () => {
    if (document.hidden) return;
    try {
      const answer = await ask();
      if (!over) told(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  };
  const look = () => void once();
  look();
  const timer = setInterval(look, everyMs);
  document.addEventListener("visibilitychange", look);
  return () => {
    over = true;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
