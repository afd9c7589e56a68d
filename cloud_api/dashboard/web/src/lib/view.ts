/** What a chart looks at: a live window that ends now, or a fixed one; as it stands in the address. */

export interface View {
  /** Length of the window in ms. */
  length: number;
  /** End of a fixed window in ms; null follows now. */
  end: number | null;
}

export const RANGES = [
  { name: "5m", label: "5 min", ms: 300_000, refetch: 10_000 },
  { name: "1h", label: "1 h", ms: 3_600_000, refetch: 20_000 },
  { name: "6h", label: "6 h", ms: 21_600_000, refetch: 60_000 },
  { name: "24h", label: "24 h", ms: 86_400_000, refetch: 120_000 },
  { name: "7d", label: "7 d", ms: 604_800_000, refetch: 600_000 },
] as const;

const SHORTEST_MS = 5_000;
const LONGEST_MS = 366 * 86_400_000;

/** The view that a query asks for; nonsense falls back to five minutes, live. */
export function viewOf(query: URLSearchParams): View {
  const from = Date.parse(query.get("from") ?? "");
  const to = Date.parse(query.get("to") ?? "");
  const length = to - from;
  if (length >= SHORTEST_MS && length <= LONGEST_MS) return { length, end: to };
  const range = RANGES.find((one) => one.name === query.get("range")) ?? RANGES[0];
  return { length: range.ms, end: null };
}

/** The query of a view. */
export function queryOf(view: View): Record<"from" | "to" | "range", string | null> {
  if (view.end !== null) {
    const from = new Date(view.end - view.length).toISOString();
    return { from, to: new Date(view.end).toISOString(), range: null };
  }
  const range = RANGES.find((one) => one.ms === view.length) ?? RANGES[0];
  return { from: null, to: null, range: range === RANGES[0] ? null : range.name };
}

/** Half a window earlier (-1) or later (+1); a window that would pass now follows now again. */
export function shifted(view: View, direction: -1 | 1, now: number): View {
  const end = (view.end ?? now) + (direction * view.length) / 2;
  if (end < now) return { length: view.length, end };
  const fits = RANGES.find((one) => one.ms >= view.length) ?? RANGES[RANGES.length - 1]!;
  return { length: fits.ms, end: null };
}

/** How often a live window is loaded anew to get the cloud's own buckets. */
export function refetchMs(view: View): number {
  return RANGES.find((one) => view.length <= one.ms)?.refetch ?? 600_000;
}
