/** One bundle; the role decides which page a person gets. */

import { effect } from "@preact/signals";
import { AgentPage } from "./agent/page";
import { FloorPage } from "./floor/page";
import { lang, t } from "./i18n";
import { asked, me } from "./session";
import { SignIn } from "./signin";
import { Logo } from "./ui";

/** The address says what the page shows; going back never leads to somebody else's page. */
effect(() => {
  document.documentElement.lang = lang.value;
  if (!asked.value) return;
  const path = me.value ? me.value.landing : "/entrar";
  if (location.pathname !== path) history.replaceState(null, "", path + (me.value ? "" : location.search));
});

effect(() => {
  const title = !me.value ? t("signin.title") : me.value.role === "agent" ? t("agent.title") : t("floor.title");
  document.title = `${title} · Cadencia`;
});

export function App() {
  if (!asked.value) {
    return (
      <main class="splash" aria-busy="true">
        <Logo />
      </main>
    );
  }
  if (!me.value) return <SignIn />;
  return me.value.role === "agent" ? <AgentPage /> : <FloorPage />;
}
