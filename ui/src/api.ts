/** Calls of the server's API. A failure becomes an `ApiError` with words for the person. */

import { lang, t } from "./i18n";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

interface Told {
  code?: string;
  message?: string;
  hint?: string;
}

export async function api<T>(method: string, path: string, body?: unknown, timeoutMs = 10_000): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        "Accept-Language": lang.value,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      signal: AbortSignal.timeout(timeoutMs),
      cache: "no-store",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, "", t("error.network"), t("error.networkHint"));
  }
  if (response.status === 204) return undefined as T;
  const told: unknown = await response.json().catch(() => ({}));
  if (!response.ok) {
    const { code = "", message = t("error.unknown"), hint = "" } = told as Told;
    throw new ApiError(response.status, code, message, hint);
  }
  return told as T;
}
