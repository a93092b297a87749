/** The leaves of one level: type to filter, digits pick, arrows and Enter choose. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { lang, t } from "../i18n";
import type { Leaf, Level } from "../views";
import { Kbd } from "../ui";

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

interface LeafListProps {
  level: Level;
  onChoose: (code: string) => void;
  onBack: () => void;
}

export function LeafList({ level, onChoose, onBack }: LeafListProps) {
  const [filter, setFilter] = useState("");
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const wanted = plain(filter);
  // Whose code is typed whole stands first: "noc" is in "no reconoce" too.
  const typed = (leaf: Leaf) => Number(plain(leaf.code) === wanted);
  const leaves = level.leaves
    .filter((leaf) => plain(`${leaf.code} ${leaf.es} ${leaf.en}`).includes(wanted))
    .sort((a, b) => typed(b) - typed(a));
  const at = Math.min(active, leaves.length - 1);

  // At once, not after the next paint: what is typed next is already meant for the filter.
  useLayoutEffect(() => {
    setFilter("");
    setActive(0);
    input.current?.focus();
  }, [level.code]);
  useEffect(() => document.getElementById(`leaf-${leaves[at]?.code}`)?.scrollIntoView({ block: "nearest" }), [at, filter]);

  const pick = (index: number) => {
    const leaf = leaves[index];
    if (leaf) onChoose(leaf.code);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown") setActive(Math.min(at + 1, leaves.length - 1));
    else if (event.key === "ArrowUp") setActive(Math.max(at - 1, 0));
    else if (event.key === "Enter") pick(at);
    else if (/^[1-9]$/.test(event.key)) pick(Number(event.key) - 1);
    else if (event.key === "Escape") onBack();
    else return;
    event.preventDefault();
  };

  return (
    <div class="leaves">
      <input
        ref={input}
        role="combobox"
        aria-expanded="true"
        aria-controls="leaf-list"
        aria-activedescendant={leaves[at] ? `leaf-${leaves[at].code}` : undefined}
        aria-label={t("disposition.filter")}
        placeholder={t("disposition.filter")}
        autoComplete="off"
        value={filter}
        onInput={(event) => {
          setFilter(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="leaf-list" role="listbox" aria-label={level[lang.value]}>
        {leaves.map((leaf, index) => (
          <li
            key={leaf.code}
            id={`leaf-${leaf.code}`}
            role="option"
            aria-selected={index === at}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => pick(index)}
          >
            {index < 9 ? <Kbd>{String(index + 1)}</Kbd> : <span class="kbd-space" />}
            <span>{leaf[lang.value]}</span>
            <span class="mono muted">{leaf.code}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
