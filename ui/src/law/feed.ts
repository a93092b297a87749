/** What the server says of the law, asked again while somebody looks: sooner while yesterday is being counted. */

import { signal } from "@preact/signals";
import { ApiError, api } from "../api";
import type { Law } from "../views";

export const law = signal<Law | null>(null);

const AGAIN_MS = 10_000;
const COUNTING_MS = 1_500;

/** Ask until the returned function is called. */
export function watchLaw(): () => void {
  let timer = 0;
  let over = false;
  const ask = async () => {
    if (!document.hidden) {
      try {
        const found = await api<Law>("GET", "/api/law");
        if (!over) law.value = found;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error; // the next time, perhaps
      }
    }
    if (over) return;
    const counting = law.value?.proposals.some((p) => p.readable && !p.yesterday) ?? true;
    timer = setTimeout(() => void ask(), counting ? COUNTING_MS : AGAIN_MS) as unknown as number;
  };
  void ask();
  return () => {
    over = true;
    clearTimeout(timer);
    law.value = null;
  };
}

/** Change something; the answer is the whole present. */
export async function post(path: string, body: unknown): Promise<void> {
  law.value = await api<Law>("POST", path, body);
}
