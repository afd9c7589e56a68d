/** Numbers, values, ages and times in the words and shapes that the pages show. */

import type { PointView, Value } from "./api";

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `12345` → `12,345` */
export function whole(count: number): string {
  return WHOLE.format(count);
}

/** `(1, "sample")` → `1 sample`, `(2, "sample")` → `2 samples` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${whole(count)} ${count === 1 ? noun : plural}`;
}

type Shown = Pick<PointView, "kind" | "labels" | "decimals">;

/** Digits after the point that a number deserves when its profile does not say. */
function digitsFor(value: number): number {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000) return 0;
  return size >= 100 ? 1 : size >= 1 ? 2 : 3;
}

/** A number with its point's decimals and grouped thousands. */
export function decimal(value: number, decimals: number | null): string {
  const digits = decimals ?? digitsFor(value);
  return value
    .toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replace("-", "−");
}

/** What a person reads for a value: a label of an enumeration, on or off, a number, a text. */
export function shown(value: Value, point: Shown): string {
  if (value === null || value === undefined) return "–";
  if (point.kind === "enumeration") return point.labels[String(value)] ?? `code ${value}`;
  if (point.kind === "boolean") return point.labels[value ? "1" : "0"] ?? (value ? "on" : "off");
  if (typeof value === "number") {
    return decimal(value, point.kind === "integer" ? (point.decimals ?? 0) : point.decimals);
  }
  return String(value);
}

/** Length of time in at most two parts: `4 s`, `12 min`, `3 h 05 min`, `2 d 4 h`. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return min < 5 && s % 60 ? `${min} min ${s % 60} s` : `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 48) return min % 60 ? `${h} h ${String(min % 60).padStart(2, "0")} min` : `${h} h`;
  const d = Math.floor(h / 24);
  return h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
}

/** How long ago, in words; a clock a second ahead is still "now". */
export function ago(at: string | number | null, now: number): string {
  if (at === null) return "never";
  const ms = now - toMs(at);
  return ms < 1000 ? "now" : `${span(ms)} ago`;
}

/** RFC 3339 text or milliseconds to milliseconds. */
export function toMs(at: string | number): number {
  return typeof at === "number" ? at : Date.parse(at);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
    formats.set(key, format);
  }
  return format;
}

/** Day of a time in a zone, comparable as text. */
function dayOf(ms: number, zone: string): string {
  return formatFor(zone, { year: "numeric", month: "2-digit", day: "2-digit" }).format(ms);
}

/** `14:02`, `14:02:07` with seconds; with the day in front when it is not today. */
export function clock(at: string | number, zone: string, now: number, seconds = false): string {
  const ms = toMs(at);
  const time = formatFor(zone, {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
  }).format(ms);
  if (dayOf(ms, zone) === dayOf(now, zone)) return time;
  return `${formatFor(zone, { day: "numeric", month: "short" }).format(ms)}, ${time}`;
}

/** `24 Nov 2026, 14:02` */
export function longTime(at: string | number, zone: string): string {
  return formatFor(zone, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  }).format(toMs(at));
}

/** Short name of a zone at a time: `CET`, `GMT+1`. */
export function zoneName(zone: string, at: number): string {
  const parts = formatFor(zone, { timeZoneName: "short" }).formatToParts(at);
  return parts.find((one) => one.type === "timeZoneName")?.value ?? zone;
}
