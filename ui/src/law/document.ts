/** A person's document as somebody types it. */

/** "CC-1020304050" or "CC 1020304050"; null if it is no document. */
export function documentOf(typed: string): { doc_type: string; doc_number: string } | null {
  const found = /^\s*([a-z]{2,4})[\s-]+(\S.*?)\s*$/i.exec(typed);
  return found?.[1] && found[2] ? { doc_type: found[1].toUpperCase(), doc_number: found[2] } : null;
}
