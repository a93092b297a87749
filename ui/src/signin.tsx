/** The sign-in page. */

import { useState } from "preact/hooks";
import { ApiError } from "./api";
import { t } from "./i18n";
import { online, signIn } from "./session";
import { LanguageChoice, Logo, Notes, Offline } from "./ui";

/** Why a one-time link brought the person here. */
function linkProblem(): string {
  return new URLSearchParams(location.search).get("e") === "once" ? t("signin.once") : "";
}

export function SignIn() {
  const [problem, setProblem] = useState(linkProblem);
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await signIn(String(form.get("login")), String(form.get("password")));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(`${error.message} ${error.hint}`);
      setBusy(false);
    }
  }

  return (
    <main class="signin">
      <Offline />
      <form class="card" onSubmit={(event) => void submit(event)} aria-labelledby="signin-title">
        <div class="signin-head">
          <Logo />
          <LanguageChoice />
        </div>
        <h1 id="signin-title">{t("signin.title")}</h1>
        <label>
          {t("signin.login")}
          <input name="login" required autoComplete="username" autoCapitalize="none" spellcheck={false} autoFocus />
        </label>
        <label>
          {t("signin.password")}
          <input name="password" type="password" required autoComplete="current-password" />
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary wide" disabled={busy || !online.value}>
          {busy ? t("signin.busy") : t("signin.submit")}
        </button>
      </form>
      <Notes />
    </main>
  );
}
