import { describe, expect, test } from "vitest";
import { ago, clock, counted, decimal, shown, span, zoneName } from "../src/lib/format";

const NOW = Date.parse("2026-11-24T13:30:00Z");
const FLOAT = { kind: "float", labels: {}, decimals: 1 } as const;

test.each([
  [0, "0 s"],
  [59_999, "59 s"],
  [72_000, "1 min 12 s"],
  [720_000, "12 min"],
  [3_600_000, "1 h"],
  [11_100_000, "3 h 05 min"],
  [187_200_000, "2 d 4 h"],
  [-5, "0 s"],
])("%d ms is %s", (ms, words) => {
  expect(span(ms)).toBe(words);
});

test("an age counts from the newest value and never is a word", () => {
  expect(ago("2026-11-24T13:29:56Z", NOW)).toBe("4 s ago");
  expect(ago(NOW + 400, NOW)).toBe("now");
  expect(ago(null, NOW)).toBe("never");
});

test("a clock time names its day only when that is not today", () => {
  expect(clock("2026-11-24T13:02:07Z", "Europe/Berlin", NOW)).toBe("14:02");
  expect(clock("2026-11-24T13:02:07Z", "Europe/Berlin", NOW, true)).toBe("14:02:07");
  expect(clock("2026-11-23T22:30:00Z", "Europe/Berlin", NOW)).toBe("23 Nov, 23:30");
});

test("a zone has a name", () => {
  expect(zoneName("UTC", NOW)).toBe("UTC");
});

test("counts are grouped and their noun agrees", () => {
  expect(counted(1, "sample")).toBe("1 sample");
  expect(counted(1240, "sample")).toBe("1,240 samples");
});

describe("a value is shown", () => {
  test("with the decimals of its point", () => {
    expect(shown(21.04, FLOAT)).toBe("21.0");
    expect(decimal(-3.14159, null)).toBe("−3.14");
  });

  test("by its label when it is an enumeration", () => {
    const pump = { kind: "enumeration", labels: { "1": "running" }, decimals: null } as const;
    expect(shown(1, pump)).toBe("running");
    expect(shown(7, pump)).toBe("code 7");
  });

  test("as on or off when it is a boolean", () => {
    expect(shown(true, { kind: "boolean", labels: {}, decimals: null })).toBe("on");
  });

  test("as a dash when there is none", () => {
    expect(shown(null, FLOAT)).toBe("–");
  });
});
