/** History and live values turned into columns for a chart: gaps where nothing may be drawn. */

import type { History, LiveValue, PointView, Span, Value } from "./api";
import { toMs } from "./format";

/** Columns of one point, times in seconds. `null` interrupts the line. */
export interface Columns {
  x: number[];
  mean: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  /** The mean again where not every sample was good. */
  unsure: (number | null)[];
}

type Charted = Pick<PointView, "kind" | "interval_s" | "max_silence_s">;

/** Kinds whose value holds until the next one, drawn as steps. */
export function isStepped(kind: PointView["kind"]): boolean {
  return kind === "boolean" || kind === "enumeration";
}

export function toNumber(value: Value): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" ? value : null;
}

/** Longest time between two samples of a healthy point, as the chart shows them. */
export function longestStep(point: Charted, bucketS: number): number {
  return point.max_silence_s + 3 * point.interval_s + 5 + 2 * bucketS;
}

/** Two accounts of one silence may differ by this much. */
const SAME_MS = 3_000;

const INTERRUPTING: ReadonlySet<Span["kind"]> = new Set(["silent", "device_silent", "lost"]);

/** Is there a time between `a` and `b` (seconds) of which nothing is known? */
function interrupted(a: number, b: number, spans: Span[]): boolean {
  return spans.some((one) => {
    if (!INTERRUPTING.has(one.kind)) return false;
    const from = toMs(one.from) / 1000;
    const to = toMs(one.to) / 1000;
    return from < b && to > a && Math.min(b, to) - Math.max(a, from) > 0.5 * (b - a);
  });
}

class Builder implements Columns {
  x: number[] = [];
  mean: (number | null)[] = [];
  min: (number | null)[] = [];
  max: (number | null)[] = [];
  unsure: (number | null)[] = [];

  constructor(
    /** Longer than this without a sample is a gap. */
    private readonly step: number,
    /** Time between two samples of a value that moves. */
    private readonly usual: number,
    private readonly spans: Span[],
  ) {}

  push(x: number, mean: number | null, min: number | null, max: number | null, good: boolean): void {
    const before = this.x.at(-1);
    if (before !== undefined && x <= before) return;
    if (before !== undefined && (x - before > this.step || interrupted(before, x, this.spans))) {
      this.#row(before + Math.min(0.001, (x - before) / 2), null, null, null, true);
    } else if (before !== undefined && mean !== null && x - before > 3 * this.usual) {
      this.#hold(x - this.usual);
    }
    this.#row(x, mean, min, max, good);
  }

  /** A value that was not sent again had not moved: no ramp from it to the next one. */
  #hold(x: number): void {
    const last = this.x.length - 1;
    const value = this.mean[last] ?? null;
    if (value !== null) this.#row(x, value, value, value, (this.unsure[last] ?? null) === null);
  }

  #row(x: number, mean: number | null, min: number | null, max: number | null, good: boolean): void {
    this.x.push(x);
    this.mean.push(mean);
    this.min.push(min);
    this.max.push(max);
    this.unsure.push(good ? null : mean);
  }
}

/** Columns of one point: its buckets, then the live values newer than the newest bucket. */
export function columnsOf(point: Charted, history: History, tail: LiveValue[]): Columns {
  const built = new Builder(
    longestStep(point, history.bucket_s),
    Math.max(point.interval_s, history.bucket_s),
    history.spans,
  );
  const stepped = isStepped(point.kind);
  history.time.forEach((ms, i) => {
    const x = ms / 1000;
    const good = history.good[i] === 1;
    if (stepped) {
      const last = history.good[i] === 0 ? null : toNumber(history.last[i] ?? null);
      built.push(x, last, last, last, good);
    } else {
      built.push(
        x,
        history.mean[i] ?? null,
        history.min[i] ?? null,
        history.max[i] ?? null,
        good,
      );
    }
  });
  for (const [, ms, value, quality] of tail) {
    const y = quality === "bad" ? null : toNumber(value);
    built.push(ms / 1000, y, y, y, quality === "good");
  }
  const { x, mean, min, max, unsure } = built;
  return { x, mean, min, max, unsure };
}

/** Smallest and largest number in columns within [from, to] seconds, or null when there is none. */
export function extent(columns: Columns, from: number, to: number): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  columns.x.forEach((x, i) => {
    if (x < from || x > to) return;
    low = Math.min(low, columns.min[i] ?? Infinity);
    high = Math.max(high, columns.max[i] ?? -Infinity);
  });
  return low <= high ? [low, high] : null;
}

/** Range of an axis around [low, high] that never blows up noise below the resolution. */
export function axisRange(low: number, high: number, decimals: number | null): [number, number] {
  const least = 10 * 10 ** -(decimals ?? 2);
  const wanted = Math.max(high - low, least, Math.abs(high) * 0.002);
  const spare = (wanted - (high - low)) / 2 + wanted * 0.12;
  const floor = low >= 0 && low - spare < 0 ? 0 : low - spare;
  return [floor, high + spare];
}

/** Spans of several points without repetition, oldest first. Bad samples of a time in which the
 * device was silent say the same again and are left out. */
export function mergeSpans(all: Span[][]): Span[] {
  const seen = new Map<string, Span>();
  for (const one of all.flat()) seen.set(`${one.kind} ${one.from} ${one.to}`, one);
  const spans = [...seen.values()];
  const silences = spans.filter((one) => one.kind === "device_silent");
  const said = (bad: Span) =>
    silences.some(
      (one) =>
        toMs(bad.from) >= toMs(one.from) - SAME_MS && toMs(bad.to) <= toMs(one.to) + SAME_MS,
    );
  return spans
    .filter((one) => one.kind !== "bad" || !said(one))
    .sort((a, b) => toMs(a.from) - toMs(b.from));
}

/** A value holds until the next one is sent: carry the last one on to `x` seconds. */
export function heldTo(columns: Columns, x: number): Columns {
  const last = columns.x.length - 1;
  const value = columns.mean[last] ?? null;
  if (last < 0 || value === null || (columns.x[last] as number) >= x) return columns;
  return {
    x: [...columns.x, x],
    mean: [...columns.mean, value],
    min: [...columns.min, value],
    max: [...columns.max, value],
    unsure: [...columns.unsure, columns.unsure[last] ?? null],
  };
}

/** Indices of values that stand alone between gaps, which a line would not show. `undefined` is
 * another point's row, neither value nor gap. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const rows: number[] = [];
  for (let i = 0; i < values.length; i += 1) if (values[i] !== undefined) rows.push(i);
  return rows.filter((row, i) => {
    if (values[row] === null) return false;
    const before = i === 0 ? null : values[rows[i - 1] as number];
    const after = i === rows.length - 1 ? null : values[rows[i + 1] as number];
    return before === null && after === null;
  });
}

/** Digits after the point that labels `step` apart need to differ. */
export function digitsOf(step: number): number {
  for (let digits = 0; digits < 6; digits += 1) {
    const scaled = step * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 && Math.round(scaled) > 0) return digits;
  }
  return 6;
}

export interface TableRow {
  from: number;
  to: number;
  cells: { mean: number | null; min: number | null; max: number | null }[];
}

/** The chart as a table of at most `rows` rows of equal length, newest first. */
export function tableOf(all: Columns[], from: number, to: number, rows: number): TableRow[] {
  const width = (to - from) / rows;
  const table: TableRow[] = [];
  for (let row = rows - 1; row >= 0; row -= 1) {
    const start = from + row * width;
    table.push({
      from: start,
      to: start + width,
      cells: all.map((columns) => summary(columns, start, start + width)),
    });
  }
  return table.filter((row) => row.cells.some((cell) => cell.mean !== null));
}

function summary(columns: Columns, from: number, to: number): TableRow["cells"][number] {
  let sum = 0;
  let count = 0;
  columns.x.forEach((x, i) => {
    const mean = columns.mean[i];
    if (x < from || x >= to || mean === null || mean === undefined) return;
    sum += mean;
    count += 1;
  });
  const reach = count ? extent(columns, from, to - 1e-6) : null;
  return { mean: count ? sum / count : null, min: reach?.[0] ?? null, max: reach?.[1] ?? null };
}
