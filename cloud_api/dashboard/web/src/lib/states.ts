/** States of things in plain words with a tone. A tone is always shown as shape, colour and text. */

import type {
  CommandState,
  DeviceSummary,
  Gateway,
  Health,
  PointView,
  Priority,
  Span,
  SpanKind,
  Stream,
} from "./api";
import { clock, counted, span, toMs, whole } from "./format";

export type Tone = "live" | "catching" | "warn" | "bad" | "idle";

export interface Words {
  tone: Tone;
  label: string;
  detail: string;
}

/** A gateway's state: what it does, since when, how much is still to come. */
export function gatewayWords(gateway: Gateway, zone: string, now: number): Words {
  switch (gateway.state) {
    case "live":
      return { tone: "live", label: "Live", detail: "" };
    case "catching_up": {
      const { samples, oldest_at: oldest } = gateway.backlog;
      const from = oldest ? `, oldest ${clock(oldest, zone, now)}` : "";
      return {
        tone: "catching",
        label: "Catching up",
        detail: `${counted(samples, "sample")} to go${from}`,
      };
    }
    case "silent": {
      const since = gateway.silent_since ?? gateway.last_contact_at;
      if (!since) return { tone: "bad", label: "Silent", detail: "" };
      return {
        tone: "bad",
        label: `Silent since ${clock(since, zone, now)}`,
        detail: span(now - toMs(since)),
      };
    }
    case "waiting":
      return { tone: "idle", label: "Waiting", detail: "enrolled, has sent nothing yet" };
  }
}

/** A device's state; a silent gateway says nothing about its devices. */
export function deviceWords(
  device: DeviceSummary,
  gateway: Pick<Gateway, "state"> | undefined,
  zone: string,
  now: number,
): Words {
  if (device.silent_since) {
    return {
      tone: "bad",
      label: `No answer since ${clock(device.silent_since, zone, now)}`,
      detail: span(now - toMs(device.silent_since)),
    };
  }
  if (gateway?.state === "silent") {
    return { tone: "idle", label: "Unknown", detail: "its gateway is silent" };
  }
  const { total, good, uncertain, bad, stale, never } = device.points;
  if (total > 0 && never === total) return { tone: "idle", label: "Waiting", detail: "no value yet" };
  if (bad > 0) return { tone: "warn", label: "Reading", detail: `${bad} of ${total} bad` };
  if (stale > 0) return { tone: "warn", label: "Reading", detail: `${stale} of ${total} stale` };
  if (uncertain > 0) {
    return { tone: "warn", label: "Reading", detail: `${uncertain} of ${total} uncertain` };
  }
  return { tone: "live", label: "Reading", detail: good === total ? "all points good" : "" };
}

const REASONS: Record<string, string> = {
  stale: "nothing new in time",
  no_answer: "the device does not answer",
  device_error: "the device answered with an error",
  not_implemented: "the device does not have this value",
  out_of_range: "outside its limits, held at the limit",
  configuration: "the point does not fit the device",
  unknown_label: "the device sent a code without a name",
  clock_unsynchronised: "its time is in doubt",
  clock_repaired: "its time was corrected",
};

/** Why a value is not good, as one would say it. `code:more` keeps what a driver added; a reason
 * that is words already stays as it is. */
export function reasonWords(reason: string): string {
  const [, code = "", more = ""] = /^([a-z_]+)(?::\s*(.*))?$/s.exec(reason) ?? [];
  if (!code) return reason;
  const words = REASONS[code] ?? code.replaceAll("_", " ");
  return more ? `${words} (${more})` : words;
}

type Aged = Pick<PointView, "time" | "quality" | "interval_s" | "max_silence_s">;

/** Health of a point by the age of its newest sample against its own promise. */
export function healthOf(point: Aged, now: number): Health {
  if (point.time === null || point.quality === null) return "never";
  const allowed = (point.max_silence_s + 3 * point.interval_s + 5) * 1000;
  return now - toMs(point.time) > allowed ? "stale" : point.quality;
}

export const HEALTH_WORDS: Record<Health, { tone: Tone; label: string }> = {
  good: { tone: "live", label: "good" },
  uncertain: { tone: "warn", label: "uncertain" },
  bad: { tone: "bad", label: "bad" },
  stale: { tone: "idle", label: "stale" },
  never: { tone: "idle", label: "no value yet" },
};

export const PRIORITY_WORDS: Record<Priority, { label: string; icon: string }> = {
  critical: { label: "Critical", icon: "priority-critical" },
  high: { label: "High", icon: "priority-high" },
  medium: { label: "Medium", icon: "priority-medium" },
  low: { label: "Low", icon: "priority-low" },
};

export const COMMAND_WORDS: Record<CommandState, string> = {
  queued: "waiting for the gateway",
  sent: "sent to the gateway",
  acknowledged: "gateway has it",
  succeeded: "done",
  failed: "failed",
  expired: "expired before it was carried out",
};

/** The way of a command up to `state`: which steps are behind it and which one is now. */
export function commandSteps(state: CommandState): { name: string; done: boolean }[] {
  const order: CommandState[] = ["queued", "sent", "acknowledged"];
  const reached = order.indexOf(state);
  const ended = reached === -1;
  const last = ended && state !== "succeeded" ? state : "succeeded";
  return [
    ...order.map((name, i) => ({ name: name as string, done: ended || i <= reached })),
    { name: last, done: ended },
  ];
}

/** Is everything of a stream here? In one sentence. */
export function streamWords(stream: Stream): Words {
  const { received, lost, missing } = stream;
  const here = counted(received, "batch", "batches");
  if (lost === 0 && missing === 0) {
    return { tone: "live", label: "Complete", detail: `${here}, nothing missing` };
  }
  const parts = [`${here} received`];
  if (missing > 0) parts.push(`${whole(missing)} still to come`);
  if (lost > 0) parts.push(`${whole(lost)} lost for good`);
  return lost > 0
    ? { tone: "bad", label: "With gaps", detail: parts.join(", ") }
    : { tone: "catching", label: "Filling", detail: parts.join(", ") };
}

export const SPAN_WORDS: Record<SpanKind, { label: string; meaning: string }> = {
  silent: { label: "No contact", meaning: "the gateway is silent; its readings may still come" },
  outage: { label: "Line down", meaning: "the gateway read on without a line to the cloud" },
  device_silent: { label: "Device silent", meaning: "the device did not answer the gateway" },
  backfilled: { label: "Back-filled", meaning: "read on time, reached the cloud later" },
  lost: { label: "Lost", meaning: "readings that will not come, as the gateway reported" },
  bad: { label: "Bad quality", meaning: "samples without a value that can be trusted" },
  clock: { label: "Clock", meaning: "the gateway did not know the time when it read these" },
};

/** One span as a sentence: `Back-filled 14:02–14:10 (8 min)`. */
export function spanWords(one: Span, zone: string, now: number): string {
  const from = clock(one.from, zone, now, true);
  const to = clock(one.to, zone, now, true);
  const length = Math.max(1, Math.round((toMs(one.to) - toMs(one.from)) / 1000));
  return `${from} to ${to} (${span(length * 1000)})`;
}

/** The whole tenant in a headline: `3 of 4 gateways are live`. */
export function headline(gateways: Gateway[]): string {
  const total = gateways.length;
  if (total === 0) return "No gateway yet";
  const live = gateways.filter((one) => one.state === "live").length;
  if (live === total) {
    return total === 1 ? "The gateway is live" : `All ${whole(total)} gateways are live`;
  }
  if (total === 1) {
    const state = gateways[0]?.state;
    if (state === "silent") return "The gateway is silent";
    return state === "catching_up" ? "The gateway is catching up" : "The gateway is waiting";
  }
  return `${whole(live)} of ${whole(total)} gateways ${live === 1 ? "is" : "are"} live`;
}
