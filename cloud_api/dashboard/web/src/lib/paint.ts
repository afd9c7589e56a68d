/** What is drawn on a chart's canvas besides its lines: shaded spans and alert markers. */

import type uPlot from "uplot";
import type { Alert, Priority, Span, SpanKind } from "./api";
import { toMs } from "./format";
import { SPAN_WORDS } from "./states";

export interface Palette {
  ink: string;
  ink2: string;
  ink3: string;
  line: string;
  panel: string;
  live: string;
  catching: string;
  warn: string;
  bad: string;
  idle: string;
  series: string[];
}

/** The colours of the page's theme at this moment. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: get("--ink"),
    ink2: get("--ink-2"),
    ink3: get("--ink-3"),
    line: get("--line"),
    panel: get("--panel"),
    live: get("--live"),
    catching: get("--catching"),
    warn: get("--warn"),
    bad: get("--bad"),
    idle: get("--idle"),
    series: ["--s1", "--s2", "--s3", "--s4"].map(get),
  };
}

/** A lower chart has no room for names besides its lines. */
const MIN_LABELLED = 110;

const SPAN_COLOUR: Record<SpanKind, keyof Omit<Palette, "series">> = {
  silent: "bad",
  outage: "ink3",
  device_silent: "idle",
  backfilled: "catching",
  lost: "bad",
  bad: "warn",
  clock: "ink3",
};

const PRIORITY_COLOUR: Record<Priority, keyof Omit<Palette, "series">> = {
  critical: "bad",
  high: "bad",
  medium: "warn",
  low: "catching",
};

const HATCHED: ReadonlySet<SpanKind> = new Set(["silent", "outage"]);

/** A small tile that tells one kind of span from another without colour. */
function tile(kind: SpanKind, colour: string, px: number): HTMLCanvasElement {
  const size = Math.round(8 * px);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const g = canvas.getContext("2d") as CanvasRenderingContext2D;
  g.strokeStyle = g.fillStyle = colour;
  g.lineWidth = px;
  g.globalAlpha = HATCHED.has(kind) ? 0.05 : 0.1;
  g.fillRect(0, 0, size, size);
  g.globalAlpha = HATCHED.has(kind) ? 0.26 : 0.42;
  g.beginPath();
  if (HATCHED.has(kind) || kind === "lost") {
    for (const shift of [-size, 0, size]) {
      g.moveTo(shift, size);
      g.lineTo(shift + size, 0);
      if (kind === "lost") {
        g.moveTo(shift, 0);
        g.lineTo(shift + size, size);
      }
    }
  } else if (kind === "bad") {
    for (const shift of [-size, 0, size]) {
      g.moveTo(shift, 0);
      g.lineTo(shift + size, size);
    }
  }
  g.stroke();
  if (kind === "device_silent") {
    g.beginPath();
    g.arc(size / 2, size / 2, 1.1 * px, 0, 7);
    g.fill();
  }
  return canvas;
}

/** Shade `spans` behind the lines; name them where there is room. */
export function drawSpans(u: uPlot, spans: Span[], palette: Palette): void {
  const px = devicePixelRatio || 1;
  const { left, top, width, height } = u.bbox;
  const g = u.ctx;
  g.save();
  g.beginPath();
  g.rect(left, top, width, height);
  g.clip();
  for (const one of spans) {
    const colour = palette[SPAN_COLOUR[one.kind]];
    const x0 = Math.max(left, u.valToPos(toMs(one.from) / 1000, "x", true));
    const x1 = Math.min(left + width, u.valToPos(toMs(one.to) / 1000, "x", true));
    if (x1 <= left || x0 >= left + width) continue;
    const wide = Math.max(2 * px, x1 - x0);
    g.fillStyle = g.createPattern(tile(one.kind, colour, px), "repeat") ?? colour;
    g.fillRect(x0, top, wide, height);
    g.fillStyle = colour;
    // An outage is marked at the top: what was back-filled meanwhile is marked at the bottom.
    const above = one.kind === "outage";
    g.fillRect(x0, above ? top : top + height - 3 * px, wide, 3 * px);
    const label = SPAN_WORDS[one.kind].label;
    g.font = `500 ${11 * px}px "Instrument Sans", sans-serif`;
    if (height > MIN_LABELLED * px && g.measureText(label).width + 12 * px < wide) {
      g.textBaseline = above ? "top" : "bottom";
      g.textAlign = "left";
      g.fillText(label, x0 + 6 * px, above ? top + 7 * px : top + height - 6 * px);
    }
  }
  g.restore();
}

/** Mark where alerts were raised, and for how long they stood, along the upper edge. */
export function drawAlerts(u: uPlot, alerts: Alert[], palette: Palette, now: number): void {
  const px = devicePixelRatio || 1;
  const { left, top, width, height } = u.bbox;
  const g = u.ctx;
  g.save();
  for (const one of alerts) {
    const colour = palette[PRIORITY_COLOUR[one.priority] ?? "warn"];
    const from = u.valToPos(toMs(one.raised_at) / 1000, "x", true);
    const to = u.valToPos(toMs(one.cleared_at ?? now) / 1000, "x", true);
    if (to < left || from > left + width) continue;
    const x0 = Math.max(left, from);
    const x1 = Math.min(left + width, Math.max(to, from + 2 * px));
    g.fillStyle = g.strokeStyle = colour;
    g.globalAlpha = 0.85;
    g.fillRect(x0, top, x1 - x0, 3 * px);
    if (from < left) continue;
    g.globalAlpha = 1;
    g.lineWidth = px;
    g.setLineDash([3 * px, 3 * px]);
    g.beginPath();
    g.moveTo(from, top + 3 * px);
    g.lineTo(from, top + height);
    g.stroke();
    g.setLineDash([]);
    g.beginPath();
    g.moveTo(from, top - 9 * px);
    g.lineTo(from + 7 * px, top + 3 * px);
    g.lineTo(from - 7 * px, top + 3 * px);
    g.closePath();
    g.fill();
  }
  g.restore();
}
