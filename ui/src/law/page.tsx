/** The page of compliance: changes of the law's rules that wait for a second person, what the nights found, what may be
 * called until when and why not, requests about one's data, what is in force, and what was.
 *
 * Further cards go into one of the two columns, which stand beside each other on a wide screen: a card that grows moves
 * no other one across the page.
 */

import { useEffect, useState } from "preact/hooks";
import { count } from "../format";
import { t } from "../i18n";
import { me } from "../session";
import { Header, Notes, Offline } from "../ui";
import { LawDialog, type Question } from "./dialog";
import { law, watchLaw } from "./feed";
import { LawfulToday } from "./hours";
import { Nights } from "./nights";
import { WhyPerson } from "./person";
import { Proposal } from "./proposal";
import { Requests } from "./requests";
import { History, InForce } from "./standing";
import { WhyNot } from "./why";

/** Roles that the server lets ask about a person. */
const PEOPLE = ["supervisor", "compliance", "admin"];

export function LawPage() {
  useEffect(watchLaw, []);
  const [question, setQuestion] = useState<Question | null>(null);
  const view = law.value;
  const mayAsk = PEOPLE.includes(me.value?.role ?? "");
  const propose = () =>
    setQuestion({
      title: t("law.propose"),
      detail: t("law.proposeHint"),
      file: true,
      path: "/api/law/proposals",
      body: {},
      done: t("law.proposed"),
    });
  return (
    <div class="page">
      <Header title={t("law.title")}>
        {view && view.proposals.length > 0 && (
          <span class="badge badge-warn">{t("law.waiting", { n: count(view.proposals.length) })}</span>
        )}
      </Header>
      <Offline />
      <main class="law" aria-busy={!view}>
        {view && (
          <>
            <section class="law-proposals" aria-labelledby="proposals-title">
              <div class="law-head">
                <h2 id="proposals-title">{t("law.proposals")}</h2>
                {view.may_decide && (
                  <button type="button" onClick={propose}>
                    {t("law.propose")}
                  </button>
                )}
              </div>
              {view.proposals.length === 0 && <p class="muted">{t("law.none")}</p>}
              {view.proposals.map((proposal) => (
                <Proposal
                  key={`${proposal.version.id} ${proposal.version.version}`}
                  proposal={proposal}
                  mayDecide={view.may_decide}
                  onAsk={setQuestion}
                />
              ))}
            </section>
            <div class="law-cards">
              <div class="law-column">
                <Nights />
                {mayAsk && <Requests />}
                <InForce view={view} />
              </div>
              <div class="law-column">
                <LawfulToday />
                <WhyNot />
                {mayAsk && <WhyPerson />}
                <History view={view} onAsk={setQuestion} />
              </div>
            </div>
          </>
        )}
      </main>
      {question && <LawDialog question={question} onClose={() => setQuestion(null)} />}
      <Notes />
    </div>
  );
}
