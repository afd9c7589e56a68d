import { expect, test } from "vitest";
import { queryOf, shifted, viewOf } from "../src/lib/view";

const NOW = Date.parse("2026-11-24T13:00:00Z");

test("an address without a view looks at the last five minutes", () => {
  expect(viewOf(new URLSearchParams())).toEqual({ length: 300_000, end: null });
});

test("a fixed window comes back from its own address", () => {
  const view = { length: 60_000, end: NOW };
  const { from, to } = queryOf(view);
  expect(viewOf(new URLSearchParams({ from: from ?? "", to: to ?? "" }))).toEqual(view);
});

test("nonsense in an address is not followed", () => {
  const query = new URLSearchParams("from=yesterday&to=2026&range=9y");
  expect(viewOf(query)).toEqual({ length: 300_000, end: null });
});

test("going later than now follows now again", () => {
  const earlier = shifted({ length: 300_000, end: null }, -1, NOW);
  expect(earlier.end).toBe(NOW - 150_000);
  expect(shifted(earlier, 1, NOW).end).toBeNull();
});
