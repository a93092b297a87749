/** One proposal: what it changes of the rules, what it would have changed yesterday, and the decision. */

import { count, percent, shortDateTime } from "../format";
import { lang, t, worded } from "../i18n";
import type { CodeCount, LawProposal, LawYesterday } from "../views";
import type { Question } from "./dialog";
import { EffectMark } from "./mark";

/** `hours[all].sat` in words; what nobody gave a word stands as the file has it. */
function ruleName(path: string): string {
  const [section = "", ...rest] = path.split(/[.[\]]+/).filter(Boolean);
  return [worded("section", section), ...rest.map((part) => worded("part", part))].join(" · ");
}

/** The loosening ones first: they are what to look at. */
const EFFECTS = ["loosens", "undecided", "tightens", "neither"];

function Changes({ proposal }: { proposal: LawProposal }) {
  if (!proposal.readable) return <p class="problem pad">{t("law.unreadable")}</p>;
  if (proposal.in_force === null) return <p class="pad">{t("law.new")}</p>;
  if (proposal.changes.length === 0) return <p class="pad">{t("law.same")}</p>;
  const rows = proposal.changes.toSorted((a, b) => EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("law.changes")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("law.change")}</th>
            <th scope="col">{t("law.field")}</th>
            <th scope="col">{t("law.before")}</th>
            <th scope="col">{t("law.after")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((change) => (
            <tr key={change.path}>
              <td>
                <EffectMark effect={change.effect} />
              </td>
              <th scope="row" class="law-path">
                {ruleName(change.path)}
                <small class="mono muted">{change.path}</small>
              </th>
              <td>{change.old ? <del>{change.old}</del> : "—"}</td>
              <td>{change.new ? <ins>{change.new}</ins> : "—"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Codes({ title, effect, codes, of }: { title: string; effect: string; codes: CodeCount[]; of: number }) {
  const total = codes.reduce((sum, code) => sum + code.count, 0);
  return (
    <div class={`law-shift ${total ? `law-shift-${effect}` : ""}`}>
      <p>
        <strong class="num">{count(total)}</strong> {title}{" "}
        {total > 0 && <small class="muted">{percent(total / Math.max(1, of))}</small>}
      </p>
      <ul>
        {codes.map((code) => (
          <li key={code.code}>
            <span class="num">{count(code.count)}</span> {code[lang.value]} <span class="mono muted">{code.code}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Found({ found }: { found: LawYesterday }) {
  if (found.campaigns.length === 0) return <p class="muted">{t("law.unused")}</p>;
  return (
    <>
      <p class="muted">
        {t("law.asked", { day: found.day, n: count(found.asked), ok: count(found.allowed), in: found.campaigns.join(", ") })}
      </p>
      <div class="law-shifts">
        <Codes title={t("law.nowDenied")} effect="tightens" codes={found.now_denied} of={found.asked} />
        <Codes title={t("law.nowAllowed")} effect="loosens" codes={found.now_allowed} of={found.asked} />
      </div>
      {found.cases.length > 0 && (
        <details>
          <summary>{t("law.examples")}</summary>
          <ul class="law-cases">
            {found.cases.map((one) => (
              <li key={`${one.contact_id} ${one.at}`}>
                <span class="num">{shortDateTime(one.at)}</span> · {t("law.contact", { id: one.contact_id })} ·{" "}
                <span class="mono">
                  {one.before ?? t("law.allowed")} → {one.after ?? t("law.allowed")}
                </span>{" "}
                <span class="mono muted">{one.rule}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

interface ProposalProps {
  proposal: LawProposal;
  mayDecide: boolean;
  onAsk: (question: Question) => void;
}

export function Proposal({ proposal, mayDecide, onAsk }: ProposalProps) {
  const { version } = proposal;
  const name = `${version.id} · ${t("law.version", { n: version.version })}`;
  const path = `/api/law/proposals/${encodeURIComponent(version.id)}/${version.version}`;
  return (
    <article class="card flush law-proposal" aria-label={name}>
      <div class="law-head">
        <div>
          <h3>{name}</h3>
          <p class="muted">{proposal.title}</p>
        </div>
        {proposal.in_force !== null && <span class="badge">{t("law.replaces", { n: proposal.in_force })}</span>}
      </div>
      <p class="law-why">
        <strong>{version.proposed_by}</strong> <span class="muted num">{shortDateTime(version.proposed_at)}</span>
        {version.reason ? ` — ${version.reason}` : ` — ${t("law.shippedLater")}`}
      </p>
      <Changes proposal={proposal} />
      <section class="law-yesterday" aria-label={t("law.yesterday")}>
        <h4>{t("law.yesterday")}</h4>
        {proposal.yesterday ? (
          <Found found={proposal.yesterday} />
        ) : proposal.readable ? (
          <p class="muted" aria-live="polite">
            {t("law.counting")} <progress value={proposal.progress} max={1} />
          </p>
        ) : null}
      </section>
      {mayDecide && (
        <div class="law-buttons">
          {proposal.own && <p class="muted">{t("law.own")}</p>}
          <button
            type="button"
            class="danger-quiet"
            onClick={() =>
              onAsk({ title: t("law.reject"), detail: name, danger: true, path: `${path}/reject`, body: {}, done: t("law.rejected") })
            }
          >
            {t(proposal.own ? "law.withdraw" : "law.reject")}
          </button>
          <button
            type="button"
            class="primary"
            disabled={proposal.own || !proposal.readable}
            onClick={() =>
              onAsk({ title: t("law.approve"), detail: `${name}. ${t("law.approveHint")}`, path: `${path}/approve`, body: {}, done: t("law.approved") })
            }
          >
            {t("law.approve")}
          </button>
        </div>
      )}
    </article>
  );
}
