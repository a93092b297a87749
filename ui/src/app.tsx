/** One bundle; the role and the address decide which page a person gets. */

import { effect } from "@preact/signals";
import { AgentPage } from "./agent/page";
import { FloorPage } from "./floor/page";
import { lang, t } from "./i18n";
import { LawPage } from "./law/page";
import { LinesPage } from "./lines/page";
import { leave, place, settle } from "./route";
import { asked, me } from "./session";
import { SignIn } from "./signin";
import { Logo } from "./ui";

/** The address says what the page shows; going back never leads to somebody else's page. */
effect(() => {
  document.documentElement.lang = lang.value;
  if (!asked.value) return;
  if (place.value) settle(place.value.path);
  else leave();
});

effect(() => {
  document.title = `${t(place.value?.title ?? "signin.title")} · Cadencia`;
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
  if (me.value.role === "agent") return <AgentPage />;
  if (place.value?.path === "/cumplimiento") return <LawPage />;
  return place.value?.path === "/telefonia" ? <LinesPage /> : <FloorPage />;
}
