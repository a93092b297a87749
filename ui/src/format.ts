/** Numbers, money and times as the floor writes them. */

import { timezone } from "./clock";
import { lang } from "./i18n";

const locale = () => (lang.value === "es" ? "es-CO" : "en-US");

export function count(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

export function decimal(value: number, digits: number): string {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function percent(share: number, digits = 1): string {
  return `${decimal(share * 100, digits)}\u00a0%`;
}

/** Minor units by currency (ISO 4217); two where nothing else is known. */
export function minorDigits(currency: string): number {
  return currency === "CLP" || currency === "PYG" ? 0 : 2;
}

const SIGNS: Record<string, string> = { COP: "$", MXN: "$", CLP: "$", ARS: "$", PEN: "S/", EUR: "€", USD: "US$" };

/** $ 1.234.567 — whole units where there are no cents, grouped as the debtor's bill is, whatever the page's language. */
export function money(minor: number, currency: string): string {
  const digits = minorDigits(currency);
  const units = minor / 10 ** digits;
  const shown = Number.isInteger(units) ? 0 : digits;
  const text = new Intl.NumberFormat("es-CO", { minimumFractionDigits: shown, maximumFractionDigits: shown }).format(units);
  return `${SIGNS[currency] ?? currency}\u00a0${text}`;
}

/** 0:42, 12:05, 1:02:33 */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function clockTime(ms: number, seconds = false): string {
  return new Intl.DateTimeFormat(locale(), {
    timeZone: timezone.value,
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    hourCycle: "h23",
  }).format(ms);
}

export function longDate(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: timezone.value, weekday: "long", day: "numeric", month: "long" }).format(ms);
}

export function shortDateTime(iso: string): string {
  const date = new Intl.DateTimeFormat(locale(), { timeZone: timezone.value, day: "2-digit", month: "short" }).format(Date.parse(iso));
  return `${date} ${clockTime(Date.parse(iso))}`;
}

/** A local date (yyyy-mm-dd) in words: mar, 24 nov */
export function shortDay(date: string): string {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return new Intl.DateTimeFormat(locale(), { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" }).format(ms);
}

/** 4 h 05 min */
export function hours(seconds: number): string {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  return `${Math.floor(minutes / 60)}\u00a0h\u00a0${String(minutes % 60).padStart(2, "0")}\u00a0min`;
}

/** The local date (yyyy-mm-dd) and time (hh:mm) of an instant in the floor's zone. */
export function localParts(ms: number): { date: string; time: string } {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: timezone.value,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(ms);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? "";
  return { date: `${part("year")}-${part("month")}-${part("day")}`, time: `${part("hour")}:${part("minute")}` };
}

/** The instant of a local "yyyy-mm-ddThh:mm" in the floor's zone, as ISO; null if it is not one. */
export function instantOf(local: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(local)) return null;
  const asUtc = Date.parse(`${local}:00Z`);
  if (Number.isNaN(asUtc)) return null;
  let ms = asUtc;
  // Twice, because the offset may differ between the guess and the answer where summer time begins or ends.
  for (let i = 0; i < 2; i++) {
    const { date, time } = localParts(ms);
    ms += asUtc - Date.parse(`${date}T${time}:00Z`);
  }
  return new Date(ms).toISOString();
}

/** Bands of days past due, as portfolios name them. */
export function band(days: number): { label: string; level: 0 | 1 | 2 | 3 } {
  if (days <= 0) return { label: "0", level: 0 };
  if (days <= 30) return { label: "1–30", level: 0 };
  if (days <= 60) return { label: "31–60", level: 1 };
  if (days <= 90) return { label: "61–90", level: 2 };
  if (days <= 180) return { label: "91–180", level: 3 };
  return { label: "> 180", level: 3 };
}
