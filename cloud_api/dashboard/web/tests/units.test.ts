import { expect, test } from "vitest";
import { symbol } from "../src/lib/units";

test.each([
  ["Cel", "°C"],
  ["m3/h", "m³/h"],
  ["m3", "m³"],
  ["kW.h", "kWh"],
  ["m/s2", "m/s²"],
  ["%", "%"],
  ["{rpm}", "rpm"],
  ["bar", "bar"],
  ["l/min", "l/min"],
  ["uS/cm", "µS/cm"],
  ["kg.m", "kg·m"],
  ["kW", "kW"],
  ["", ""],
])("%s is shown as %s", (code, shown) => {
  expect(symbol(code)).toBe(shown);
});
