import { expect, test } from "vitest";
import type { History, LiveValue, Span } from "../src/lib/api";
import {
  alone,
  axisRange,
  columnsOf,
  digitsOf,
  extent,
  heldTo,
  mergeSpans,
  tableOf,
} from "../src/lib/series";

const FLOW = { kind: "float", interval_s: 1, max_silence_s: 60 } as const;

function history(time: number[], mean: (number | null)[], spans: Span[] = []): History {
  return {
    from: "2026-01-01T00:00:00Z",
    to: "2026-01-01T01:00:00Z",
    bucket_s: 1,
    time,
    mean,
    min: mean,
    max: mean,
    last: mean,
    count: mean.map(() => 1),
    good: mean.map((one) => (one === null ? 0 : 1)),
    spans,
  };
}

test("a bucket without a usable value interrupts the line", () => {
  expect(columnsOf(FLOW, history([0, 1000, 2000], [1, null, 3]), []).mean).toEqual([1, null, 3]);
});

test("a value that was not sent again is held until it moves", () => {
  const { x, mean } = columnsOf(FLOW, history([0, 60_000], [1, 2]), []);
  expect(x).toEqual([0, 59, 60]);
  expect(mean).toEqual([1, 1, 2]);
});

test("a longer silence than promised interrupts the line", () => {
  expect(columnsOf(FLOW, history([0, 90_000], [1, 2]), []).mean).toEqual([1, null, 2]);
});

test("an outage interrupts the line however short it is", () => {
  const span: Span = {
    kind: "device_silent",
    from: "1970-01-01T00:00:02Z",
    to: "1970-01-01T00:00:19Z",
    reason: "",
  };
  expect(columnsOf(FLOW, history([0, 20_000], [1, 2], [span]), []).mean).toEqual([1, null, 2]);
});

test("live values follow the newest bucket and none is drawn twice", () => {
  const tail: LiveValue[] = [
    ["p", 1000, 9, "good", ""],
    ["p", 2000, 4, "good", ""],
    ["p", 3000, null, "bad", "no_answer"],
  ];
  expect(columnsOf(FLOW, history([0, 1000], [1, 2]), tail).mean).toEqual([1, 2, 4, null]);
});

test("an enumeration is drawn by its last value", () => {
  const steps = { ...history([0], [null]), last: [2], good: [1] };
  expect(columnsOf({ ...FLOW, kind: "enumeration" }, steps, []).mean).toEqual([2]);
});

test("an axis keeps noise below the resolution small", () => {
  const [low, high] = axisRange(20, 20, 1);
  expect(high - low).toBeGreaterThanOrEqual(1);
  expect(axisRange(0.1, 5, 1)[0]).toBe(0);
});

test("the extent looks at the window only", () => {
  const columns = columnsOf(FLOW, history([0, 1000, 2000], [1, 50, 3]), []);
  expect(extent(columns, 1.5, 3)).toEqual([3, 3]);
  expect(extent(columns, 10, 20)).toBeNull();
});

test("the same span of two points is shown once", () => {
  const span: Span = { kind: "lost", from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:01:00Z", reason: "" };
  expect(mergeSpans([[span], [{ ...span }]])).toHaveLength(1);
});

test("bad samples of a silent device are not told twice", () => {
  const silent: Span = { kind: "device_silent", from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:01:00Z", reason: "" };
  const inside: Span = { ...silent, kind: "bad", to: "2026-01-01T00:01:01Z" };
  const outside: Span = { ...silent, kind: "bad", to: "2026-01-01T00:05:00Z" };
  expect(mergeSpans([[silent, inside]])).toEqual([silent]);
  expect(mergeSpans([[silent, outside]])).toHaveLength(2);
});

test("a state is carried on, a gap is not", () => {
  const columns = columnsOf({ ...FLOW, kind: "boolean" }, history([0], [1]), []);
  expect(heldTo(columns, 9).mean).toEqual([1, 1]);
  const gap = columnsOf({ ...FLOW, kind: "boolean" }, history([0], [null]), []);
  expect(heldTo(gap, 9).mean).toEqual([null]);
});

test("a value between gaps stands alone, whatever other points have rows beside it", () => {
  expect(alone([1, null, undefined, 5, undefined, null, 2, 3])).toEqual([0, 3]);
});

test.each([
  [1, 0],
  [0.25, 2],
  [0.1, 1],
  [20, 0],
  [0.005, 3],
])("labels %d apart need %d digits", (step, digits) => {
  expect(digitsOf(step)).toBe(digits);
});

test("the table sums up the same columns, newest first", () => {
  const columns = columnsOf(FLOW, history([0, 1000, 2000, 3000], [1, 3, 5, 7]), []);
  const rows = tableOf([columns], 0, 4, 2);
  expect(rows.map((row) => row.cells[0]?.mean)).toEqual([6, 2]);
});
