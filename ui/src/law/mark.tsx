/** Whether a change loosens or tightens, by word and shape and only then by colour. */

import { worded } from "../i18n";

const SHAPES: Record<string, string> = {
  loosens: "M2.5 8h11M5 5L2 8l3 3M11 5l3 3-3 3",
  tightens: "M1.5 8H6M4 5.5L6.5 8 4 10.5M14.5 8H10M12 5.5L9.5 8l2.5 2.5",
  neither: "M4 6h8M4 10h8",
  undecided: "M5.6 6.2a2.4 2.4 0 1 1 3.6 2c-.9.5-1.2.9-1.2 1.7M8 12.8h.01",
};

export function EffectMark({ effect }: { effect: string }) {
  return (
    <span class={`state effect-${effect}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[effect] ?? SHAPES.undecided} />
      </svg>
      {worded("effect", effect)}
    </span>
  );
}
