import { expect, test } from "vitest";
import { EventParser, backOffMs } from "../src/lib/sse";

test("an event may arrive in pieces", () => {
  const parser = new EventParser();
  expect(parser.push("id: 7\nevent: val")).toEqual([]);
  expect(parser.push('ues\ndata: {"a":1}\n\n')).toEqual([
    { id: "7", event: "values", data: '{"a":1}' },
  ]);
});

test("a comment is no event", () => {
  expect(new EventParser().push(": ping\n\n")).toEqual([]);
});

test("line ends of every kind part lines, and data lines are joined", () => {
  const [event] = new EventParser().push("data: a\r\ndata: b\r\n\r\n");
  expect(event?.data).toBe("a\nb");
});

test("a line end cut in two is one line end", () => {
  const parser = new EventParser();
  expect(parser.push("data: a\r")).toEqual([]);
  expect(parser.push("\ndata: b\r\n\r\n").at(0)?.data).toBe("a\nb");
});

test("the wait before another try grows and is bounded", () => {
  expect(backOffMs(0, 1)).toBe(1000);
  expect(backOffMs(20, 1)).toBe(15_300);
});
