import { describe, expect, test } from "vitest";
import type { Gateway, GatewayState } from "../src/lib/api";
import {
  commandSteps,
  gatewayWords,
  headline,
  healthOf,
  reasonWords,
  streamWords,
} from "../src/lib/states";

const NOW = Date.parse("2026-11-24T13:14:00Z");

function gateway(state: GatewayState): Gateway {
  return {
    id: "1",
    name: "cellar-1",
    site: { id: "1", name: "Kellerwerk" },
    version: "0.1.0",
    state,
    last_contact_at: "2026-11-24T13:02:00Z",
    newest_good_at: null,
    silent_since: state === "silent" ? "2026-11-24T13:02:00Z" : null,
    backlog: { batches: 2, samples: 1240, oldest_at: "2026-11-24T13:02:00Z" },
    devices: 1,
    points: { total: 0, good: 0, uncertain: 0, bad: 0, stale: 0, never: 0 },
    alerts: 0,
  };
}

test("a silent gateway says since when and for how long", () => {
  const words = gatewayWords(gateway("silent"), "Europe/Berlin", NOW);
  expect(words).toEqual({ tone: "bad", label: "Silent since 14:02", detail: "12 min" });
});

test("a gateway that catches up says how much is to go", () => {
  const words = gatewayWords(gateway("catching_up"), "Europe/Berlin", NOW);
  expect(words.detail).toBe("1,240 samples to go, oldest 14:02");
});

describe("the headline", () => {
  test("counts what is live", () => {
    expect(headline([gateway("live"), gateway("silent")])).toBe("1 of 2 gateways is live");
    expect(headline([gateway("live"), gateway("live")])).toBe("All 2 gateways are live");
  });

  test("speaks of the one gateway there is", () => {
    expect(headline([gateway("catching_up")])).toBe("The gateway is catching up");
  });
});

test("a point without a new sample for longer than promised is stale", () => {
  const point = { quality: "good", interval_s: 1, max_silence_s: 60 } as const;
  expect(healthOf({ ...point, time: "2026-11-24T13:13:00Z" }, NOW)).toBe("good");
  expect(healthOf({ ...point, time: "2026-11-24T13:12:50Z" }, NOW)).toBe("stale");
  expect(healthOf({ ...point, time: null }, NOW)).toBe("never");
});

test("a reason is words, with what the driver added", () => {
  expect(reasonWords("device_error:0x02")).toBe("the device answered with an error (0x02)");
  expect(reasonWords("something_new")).toBe("something new");
  expect(reasonWords("10.0.0.7:502 did not answer")).toBe("10.0.0.7:502 did not answer");
});

test("a stream with nothing missing is complete", () => {
  const stream = { stream: "samples", epoch: "e", received: 12345, lost: 0, missing: 0 };
  expect(streamWords(stream).detail).toBe("12,345 batches, nothing missing");
  expect(streamWords({ ...stream, lost: 2 }).tone).toBe("bad");
});

test("a failed command ends with failed, not with succeeded", () => {
  expect(commandSteps("failed").at(-1)).toEqual({ name: "failed", done: true });
  expect(commandSteps("sent").map((one) => one.done)).toEqual([true, true, false, false]);
});
